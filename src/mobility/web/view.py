"""What a result page shows of a journey document: texts and widths, no rules of its own.

The client (``web/src/view.ts``) says the same things in the same words.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from mobility.core.money import Money
from mobility.web.catalogue import Catalogue

Document = dict[str, Any]
_COLOR = re.compile(r"[0-9A-Fa-f]{6}")
PARTY_COLORS = 8  # palette of the stylesheet


def clock(instant: str) -> str:
    """Return the local time of an RFC 3339 text.

    >>> clock("2027-05-04T07:30:00+02:00")
    '07:30'
    """
    return instant[11:16]


def date_text(date: str, strings: Catalogue) -> str:
    """Return a date for people.

    >>> from mobility.web.catalogue import read_catalogue
    >>> date_text("2027-05-04", read_catalogue("de"))
    '04.05.2027'
    """
    return strings.text("date.numeric", y=date[:4], m=date[5:7], d=date[8:10])


def number_text(number: int, language: str) -> str:
    """Return a whole number with its thousands apart, as the language writes it.

    >>> number_text(1234567, "de"), number_text(999, "fr")
    ('1.234.567', '999')
    """
    return f"{number:,}".replace(",", {"de": ".", "fr": "\u202f"}.get(language, ","))


def minutes_between(first: str, last: str) -> int:
    """Return the minutes between two instants, rounded down.

    >>> minutes_between("2027-05-04T07:30:00+02:00", "2027-05-04T06:40:00+01:00")
    10
    """
    span = dt.datetime.fromisoformat(last) - dt.datetime.fromisoformat(first)
    return int(span.total_seconds()) // 60


def days_between(first: str, last: str) -> int:
    """Return by how many calendar days the second local time is later."""
    return (dt.date.fromisoformat(last[:10]) - dt.date.fromisoformat(first[:10])).days


def duration_text(minutes: int, strings: Catalogue) -> str:
    """Return a duration for people.

    >>> from mobility.web.catalogue import read_catalogue
    >>> duration_text(65, read_catalogue("en"))
    '1 h 5 min'
    """
    hours, rest = divmod(minutes, 60)
    if not hours:
        return strings.text("unit.minutes", n=rest)
    if not rest:
        return strings.text("unit.whole_hours", h=hours)
    return strings.text("unit.hours", h=hours, m=rest)


def money_text(amount: Document) -> str:
    """Return an amount for people.

    >>> money_text({"amount_minor": 420, "currency": "CHF"})
    'CHF 4.20'
    """
    return Money(amount["amount_minor"], amount["currency"]).text()


def line_color(color: str | None) -> str:
    """Return a CSS colour, or nothing where the feed's is not six hex digits."""
    return f"#{color}" if color and _COLOR.fullmatch(color) else ""


def line_ink(color: str | None) -> str:
    """Return black or white, whichever reads better on the colour.

    Source: WCAG 2.2, relative luminance and contrast ratio.

    >>> line_ink("FFE000"), line_ink("003082")
    ('#000', '#fff')
    """
    if not line_color(color):
        return ""
    assert color is not None
    channels = [int(color[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000" if luminance > 0.179 else "#fff"


def place_view(place: Document, stations: dict[str, str]) -> Document:
    """Return a place under its station's name; the operator's own name where it is another.

    >>> place = {"name": "Villenord", "station_id": "north"}
    >>> shown = place_view(place, {"north": "Northtown"})
    >>> shown["title"], shown["also"]
    ('Northtown', 'Villenord')
    """
    title = stations.get(place["station_id"] or "", place["name"])
    return {**place, "title": title, "also": place["name"] if place["name"] != title else ""}


def age_text(seconds: int | None, strings: Catalogue) -> str:
    """Return how old something is, for people.

    >>> from mobility.web.catalogue import read_catalogue
    >>> age_text(40, read_catalogue("en")), age_text(7300, read_catalogue("en"))
    ('40 s', '2 h 1 min')
    """
    seconds = seconds or 0
    if seconds < 120:
        return strings.text("live.age.seconds", n=seconds)
    return duration_text(seconds // 60, strings)


def source_texts(realtime: Document | None, strings: Catalogue) -> list[str]:
    """Return how old the live data of each source are."""
    found = []
    for source in realtime["sources"] if realtime else ():
        age = age_text(source["age_s"], strings)
        if source["age_s"] is None:
            found.append(strings.text("live.source.none", feed=source["feed"]))
        elif source["fault"]:
            found.append(strings.text("live.source.fault", feed=source["feed"], age=age))
        else:
            found.append(strings.text("live.source", feed=source["feed"], age=age))
    return list(dict.fromkeys(found))


def planned_clock(planned: str | None, real: str) -> str:
    """Return the planned time of day where it is another than the real one."""
    return clock(planned) if planned and clock(planned) != clock(real) else ""


def live_text(leg: Document, strings: Catalogue) -> str:
    """Return in words how a ride runs; empty where nothing is live."""
    if leg["cancelled"]:
        return strings.text("live.cancelled")
    if leg["added"]:
        return strings.text("live.added")
    if not leg["live"] or leg["planned_departure"] is None:
        return ""
    minutes = minutes_between(leg["planned_departure"], leg["departure"])
    if minutes == 0:
        return strings.text("live.on_time")
    return strings.text("live.late" if minutes > 0 else "live.early", n=abs(minutes))


def now_query(journey: Document) -> str:
    """Return the query of the page that tells what now of a journey, by its rides."""
    rides = [
        [
            [s["feed"], s["trip_id"], s["service_date"], s["from_sequence"], s["to_sequence"]]
            for s in leg["sections"]
        ]
        for leg in journey["legs"]
        if leg["sections"]
    ]
    if not rides:
        return ""
    to = journey["legs"][-1]["to"]
    end = to["station_id"] or to["id"] or f"{to['lat']},{to['lon']}"
    text = json.dumps(rides, separators=(",", ":"), ensure_ascii=False)
    return urlencode({"rides": text, "to": end})


def call_view(call: Document, stations: dict[str, str]) -> Document:
    """Return what the page shows of a call on the way."""
    return {
        **place_view(call, stations),
        "planned_clock": planned_clock(call["planned_departure"], call["departure"]),
    }


def leg_view(leg: Document, stations: dict[str, str], strings: Catalogue) -> Document:
    """Return what the page shows of a leg."""
    ride = leg["mode"] == "transit"
    vehicle = strings.among("vehicle", leg["vehicle"] or "other") if ride else ""
    minutes = minutes_between(leg["departure"], leg["arrival"])
    walk = strings.text(
        "journey.walk", minutes=duration_text(minutes, strings), metres=leg["walk_m"]
    )
    return {
        **leg,
        "from": place_view(leg["from"], stations),
        "to": place_view(leg["to"], stations),
        "ride": ride,
        "minutes": minutes,
        "label": leg["line"] or vehicle,
        "vehicle_text": vehicle,
        "text": duration_text(minutes, strings) if ride else walk,
        "background": line_color(leg["color"]),
        "ink": line_ink(leg["color"]),
        "between": [call_view(call, stations) for call in leg["stops"][1:-1]],
        "seated_at": [
            place_view(leg["stops"][s["from_call"]], stations)["title"]
            for s in leg["sections"]
            if s["stay_seated"]
        ],
        "live_text": live_text(leg, strings) if ride else "",
        "planned_clocks": [
            planned_clock(leg["planned_departure"], leg["departure"]),
            planned_clock(leg["planned_arrival"], leg["arrival"]),
        ],
        "ends": [leg["stops"][0], leg["stops"][-1]] if leg["stops"] else [],
        "countries": " → ".join(_distinct(s["country"] for s in leg["sections"] if s["country"])),
    }


def changes(legs: list[Document]) -> list[Document]:
    """Return where the traveller changes between rides, and the minutes there, walks included."""
    rides = [leg for leg in legs if leg["mode"] == "transit"]
    return [
        {
            "place": after["from"]["title"],
            "minutes": minutes_between(before["arrival"], after["departure"]),
        }
        for before, after in pairwise(rides)
    ]


def strip(legs: list[Document]) -> list[Document]:
    """Return the bar over a journey: legs and waits with their minutes."""
    parts: list[Document] = []
    for index, leg in enumerate(legs):
        if index:
            wait = minutes_between(legs[index - 1]["arrival"], leg["departure"])
            parts.append({"kind": "wait", "minutes": wait})
        parts.append({"kind": "ride" if leg["ride"] else "walk", **leg})
    return parts


def shares_by_currency(fare: Document | None, parties: dict[str, str]) -> list[Document]:
    """Return who gets how much of all tickets together, one list per currency."""
    totals: dict[str, dict[str, int]] = {}
    for ticket in fare["tickets"] if fare else ():
        parts = totals.setdefault(ticket["price"]["currency"], {})
        for share in ticket["shares"]:
            parts[share["party"]] = parts.get(share["party"], 0) + share["amount_minor"]
    return [
        {"currency": currency, "parts": _parts(parts, currency, parties)}
        for currency, parts in totals.items()
        if any(parts.values())
    ]


def short_name(name: str) -> str:
    """Return a party's name without the remark in brackets at its end.

    >>> short_name("Tram company (illustrative)")
    'Tram company'
    """
    return re.sub(r"\s*\([^()]*\)$", "", name)


def _parts(amounts: dict[str, int], currency: str, parties: dict[str, str]) -> list[Document]:
    order = {party: index % PARTY_COLORS for index, party in enumerate(sorted(parties))}
    largest_first = sorted(amounts.items(), key=lambda item: (-item[1], item[0]))
    return [
        {
            "party": parties.get(party, party),
            "short": short_name(parties.get(party, party)),
            "amount_minor": amount,
            "text": Money(amount, currency).text(),
            "color": order.get(party, PARTY_COLORS - 1),
        }
        for party, amount in largest_first
        if amount
    ]


def valid_text(ticket: Document, strings: Catalogue) -> str:
    """Return from when to when a ticket holds; the day is told where it is another."""
    later = days_between(ticket["valid_from"], ticket["valid_until"])
    until = clock(ticket["valid_until"])
    if later:
        until = f"{until} ({strings.text('journey.next_day', n=later)})"
    return strings.text("fare.valid_span", **{"from": clock(ticket["valid_from"]), "until": until})


def ticket_view(
    ticket: Document, legs: list[Document], parties: dict[str, str], strings: Catalogue
) -> Document:
    """Return what the page shows of a ticket."""
    currency = ticket["price"]["currency"]
    return {
        **ticket,
        "price_text": money_text(ticket["price"])
        if ticket["price"]["amount_minor"]
        else strings.text("fare.included"),
        "seller_text": parties.get(ticket["seller"], ticket["seller"]),
        "channel_text": strings.among("channel", ticket["channel"]),
        "valid_text": valid_text(ticket, strings),
        "covers": [legs[index] for index in ticket["legs"] if legs[index]["ride"]],
        "rows": [
            {
                "party": parties.get(share["party"], share["party"]),
                "role": strings.among("role", share["role"]),
                "text": Money(share["amount_minor"], currency).text(),
            }
            for share in ticket["shares"]
        ],
        "parts": shares_by_currency({"tickets": [ticket]}, parties),
        "sum_text": Money(sum(s["amount_minor"] for s in ticket["shares"]), currency).text(),
    }


def journey_view(
    journey: Document, stations: dict[str, str], parties: dict[str, str], strings: Catalogue
) -> Document:
    """Return what the page shows of a journey."""
    legs = [leg_view(leg, stations, strings) for leg in journey["legs"]]
    fare = journey["fare"]
    minutes = minutes_between(journey["departure"], journey["arrival"])
    return {
        **journey,
        "duration": duration_text(minutes, strings),
        "legs": legs,
        "now_query": now_query(journey),
        "live_texts": [f"{leg['label']}: {leg['live_text']}" for leg in legs if leg["live_text"]],
        "changes": changes(legs),
        "strip": strip(legs),
        "later_days": days_between(journey["departure"], journey["arrival"]),
        "any_ride": any(leg["ride"] for leg in legs),
        "price": None if fare is None else [money_text(total) for total in fare["totals"]],
        "tickets": [ticket_view(t, legs, parties, strings) for t in fare["tickets"]]
        if fare
        else [],
        "unknown": ", ".join(legs[i]["label"] for i in fare["unknown_legs"]) if fare else "",
        "goes_to": shares_by_currency(fare, parties),
    }


def _distinct(values: Any) -> list[str]:
    return list(dict.fromkeys(values))
