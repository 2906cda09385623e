"""Journeys made by hand, as documents: what the pages are tested with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from mobility.api.labelling import Labelled
from mobility.core.errors import UnknownPlaceError
from mobility.core.money import Money
from mobility.core.time import parse_instant
from mobility.journey import Call, Fare, Journey, Leg, Place, Section, Share, Ticket
from mobility.planner.emissions import Factors, emissions_of
from mobility.planner.labels import Facts, label_journeys
from mobility.planner.published import read_published
from mobility.planner.robustness import Delays, risk_of
from mobility.web import label_documents

DAY = "2027-05-04"
VERSIONS = {"region": "made", "edition": "e" * 64, "network": "a" * 64, "tariff": "b" * 64}
SPOTS = {
    "Lörrach Hbf": (47.6146, 7.6650, "Europe/Berlin"),
    "Riehen": (47.5830, 7.6510, "Europe/Zurich"),
    "Basel Bad Bf": (47.5674, 7.6071, "Europe/Zurich"),
    "Basel SBB": (47.5474, 7.5896, "Europe/Zurich"),
    "Muttenz": (47.5335, 7.6480, "Europe/Zurich"),
    "Liestal": (47.4846, 7.7313, "Europe/Zurich"),
    "Saint-Louis": (47.5905, 7.5550, "Europe/Paris"),
    "Mulhouse Ville": (47.7420, 7.3428, "Europe/Paris"),
}


def at(clock: str, day: str = DAY) -> int:
    """Return the unix second of a local time in Basel."""
    return parse_instant(f"{day}T{clock}", "Europe/Zurich")


def place(name: str, platform: str | None = None) -> Place:
    """Return one of the spots as a place."""
    lat, lon, tz = SPOTS[name]
    slug = name.lower().replace(" ", "-")
    return Place(f"made:{slug}", slug, name, lat, lon, tz, platform)


def ride(line: str, color: str, stops: list[tuple[str, str]], countries: str) -> Leg:
    """Return a train leg calling at (name, time), sections by country in equal parts."""
    calls = tuple(Call(place(name), at(time), at(time)) for name, time in stops)
    codes = countries.split()
    sections = tuple(
        Section(
            "made", "a", line, f"{line}-1", dt.date.fromisoformat(DAY), i, i + 1, code, i, i + 1
        )
        for i, code in enumerate(codes)
    )
    return Leg(
        mode="transit",
        origin=calls[0].place,
        destination=calls[-1].place,
        departure=calls[0].departure,
        arrival=calls[-1].arrival,
        line=line,
        headsign=calls[-1].place.name,
        color=color,
        vehicle="rail",
        sections=sections,
        calls=calls,
    )


def walk(name: str, start: str, end: str, metres: int) -> Leg:
    """Return a walk from a spot to itself (another platform)."""
    return Leg("walk", place(name), place(name), at(start), at(end), walk_m=metres)


def journey(legs: list[Leg], fare: Fare | None) -> Journey:
    """Return the journey of these legs."""
    rides = [leg for leg in legs if leg.mode == "transit"]
    walked = sum(leg.walk_m for leg in legs)
    transfers = max(len(rides) - 1, 0)
    return Journey(legs[0].departure, legs[-1].arrival, transfers, walked, tuple(legs), fare)


def ticket(
    name: str, legs: tuple[int, ...], price: Money, seller: str, shares: list[tuple[str, str, int]]
) -> Ticket:
    """Return a ticket valid from 07:00 to 09:00."""
    return Ticket(
        product=name.lower().replace(" ", "-"),
        name=name,
        seller=seller,
        channel="machine",
        legs=legs,
        price=price,
        valid_from=at("07:00"),
        valid_until=at("09:00"),
        valid_tz="Europe/Zurich",
        protects="A missed connection inside this ticket is protected.",
        shares=tuple(Share(*share) for share in shares),
        why=("Zones 10 and 11 in CH, zone 2 in DE.", "Split by zones <b>crossed</b>."),
    )


def to_liestal() -> Journey:
    """Return a journey over one border with one ticket of three shares."""
    stops = [
        ("Lörrach Hbf", "07:02"),
        ("Riehen", "07:09"),
        ("Basel Bad Bf", "07:14"),
        ("Basel SBB", "07:22"),
    ]
    first = ride("S6", "E3001B", stops, "DE CH")
    second = ride(
        "S3", "0079C1", [("Basel SBB", "07:31"), ("Muttenz", "07:36"), ("Liestal", "07:45")], "CH"
    )
    shares = [
        ("rail-ch", "carrier", 412),
        ("zones-ch", "association", 218),
        ("zones-de", "association", 120),
    ]
    sold = ticket("Border single", (0, 2), Money(750, "CHF"), "rail-ch", shares)
    legs = [first, walk("Basel SBB", "07:22", "07:26", 180), second]
    return journey(legs, Fare((sold,)))


def to_mulhouse() -> Journey:
    """Return a journey that needs two tickets in two currencies; one publishes no split."""
    first = ride("S6", "E3001B", [("Lörrach Hbf", "07:02"), ("Basel SBB", "07:22")], "DE CH")
    second = ride(
        "TER", "", [("Basel SBB", "07:31"), ("Saint-Louis", "07:39"), ("Mulhouse Ville", "07:58")],
        "CH FR",
    )  # fmt: skip
    sold = (
        ticket("Border single", (0,), Money(470, "CHF"), "rail-ch", [("rail-ch", "carrier", 470)]),
        ticket("TER single", (1,), Money(830, "EUR"), "rail-fr", []),
    )
    return journey([first, second], Fare(sold))


def unknown_price() -> Journey:
    """Return a journey that nobody publishes a price for."""
    return journey([ride("10", "FFE000", [("Basel SBB", "07:05"), ("Liestal", "07:50")], "CH")],
                   Fare((), (0,)))  # fmt: skip


REGION: dict[str, Any] = {
    "versions": VERSIONS,
    "id": "made",
    "name": "Made region",
    "tz": "Europe/Zurich",
    "languages": ["de", "fr", "en"],
    "notice": {"de": "Beispielfahrplan", "fr": "Exemple", "en": "Illustrative timetable"},
    "valid_from": "2026-12-13",
    "valid_until": "2028-12-09",
    "now": "2027-05-04T07:00:00+02:00",
    "nearest_date": DAY,
    "nearest_is_today": True,
    "feeds": [
        {
            "id": "made", "version": "f" * 64, "country": "CH", "valid_from": "2026-12-13",
            "valid_until": "2028-12-09", "attribution": "by hand", "licence": "CC0-1.0",
        }
    ],
    "coverage": {"made": [["2026-12-13", "2028-12-09"]]},
    "cards": [{"id": "half-fare", "name": "half-fare"}],
    "passes": [{"id": "zone-pass", "name": "Zone pass"}],
    "currencies": ["CHF", "EUR"],
    "modes": ["bus", "rail", "tram"],
    "parties": [
        {"id": "rail-ch", "name": "Rail CH"},
        {"id": "rail-fr", "name": "Rail FR"},
        {"id": "zones-ch", "name": "Zones CH"},
        {"id": "zones-de", "name": "Zones DE"},
    ],
    "bounds": [7.3, 47.4, 7.8, 47.8],
}  # fmt: skip


def judged(found: list[Journey]) -> tuple[Facts, ...]:
    """Return journeys with emissions and risk, by the tables that are shipped."""
    published = read_published()
    factors, delays = Factors(published.factors), Delays(published.delays)
    return tuple(Facts(j, emissions_of(j, factors), risk_of(j, delays)) for j in found)


class MadeBackend:
    """Answers the pages from this module."""

    def __init__(self, **region: Any) -> None:
        self._region = {**REGION, **region}
        self.asked: list[Mapping[str, Any]] = []

    def region(self, language: str) -> dict[str, Any]:
        """Return the region."""
        return self._region

    async def journeys(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return journeys by destination; nothing to the place named Nowhere."""
        self.asked.append(dict(question))
        found = {
            "Liestal": [to_liestal(), unknown_price()],
            "Mulhouse Ville": [to_mulhouse()],
            "Saint-Louis": [],
            "Riehen": [to_liestal()],
        }
        if question["to"] not in found:
            raise UnknownPlaceError(f"no place is called {question['to']!r}")
        facts = judged(found[question["to"]])
        stations = {place(name).station_id: name for name in SPOTS}
        return {
            "versions": VERSIONS,
            "journeys": Labelled(facts, ()).documents(),
            "labels": label_documents(label_journeys(facts), question["language"], stations),
            "realtime": None,
            "alerts": [],
            "notices": [
                {"code": "feed_not_covering_date", "severity": "warning", "feed": "made",
                 "message": "made covers 2027 only"}
            ],
            "stations": stations,
            "from": place("Lörrach Hbf").to_json(),
            "to": place("Liestal").to_json(),
            "depart": "2027-05-04T07:00:00+02:00",
            "arrive": None,
            "window_s": 7200 if question["to"] != "Riehen" else 14_400,
            "previous": "EARLIER",
            "next": "LATER",
        }  # fmt: skip

    async def places(self, text: str) -> list[dict[str, Any]]:
        """Return every spot that shares the first letter."""
        return [
            {"id": place(name).station_id, "name": name}
            for name in SPOTS
            if text and name[0].lower() == text[0].lower()
        ]
