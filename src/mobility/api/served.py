"""One edition as it is served: questions in, documents out; no HTTP here."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from mobility.api.booking import booking_texts
from mobility.api.labelling import Labelled, Labelling
from mobility.api.live import LiveWords, versions_with
from mobility.api.names import station_names
from mobility.api.problems import UnknownJourneyError
from mobility.api.queries import FaresQuery, JourneyQuery, NeedsWords, RiderWords
from mobility.api.region import nearest_valid_date
from mobility.api.timing import Timing
from mobility.core.errors import DateOutsideError, UnknownPlaceError
from mobility.core.notices import Notice
from mobility.core.time import Clock, local_date, local_time, parse_duration_s, parse_instant
from mobility.fares import Rider, TariffPricer
from mobility.journey import Journey, Place
from mobility.network import Edition, Network
from mobility.network.live.files import LiveVersion, reader_of
from mobility.planner import (
    Endpoint,
    Needs,
    Page,
    Planner,
    Pricer,
    locate,
    plan_pages,
    read_needs,
    suggest,
)
from mobility.planner.board import Boards
from mobility.planner.reaching import Reaching
from mobility.planner.remarks import DEFAULT_LANGUAGE
from mobility.web import label_documents

Document = dict[str, Any]
Ends = tuple[Endpoint, Endpoint]
PRICERS = 128  # riders whose pricer is kept


def notice_documents(notices: Sequence[Notice]) -> list[Document]:
    """Return notices as documents."""
    return [
        {"code": n.code, "severity": n.severity, "feed": n.feed, "message": n.message}
        for n in notices
    ]


class Served:
    """Answers questions from one edition; safe to call from several threads."""

    def __init__(self, edition: Edition, clock: Clock, home: Path | None = None) -> None:
        self.edition = edition
        self.clock = clock
        reader = None if home is None else reader_of(edition, home)
        self.planner = Planner(
            edition.network, edition.slices, booking=booking_texts(edition), link_behind=True,
            live=reader,
        )  # fmt: skip
        self.live = LiveWords(edition.network)
        self.reaching = Reaching(self.planner.fits)
        self.boards = Boards(edition.network, edition.slices)
        self.tariff = _load(edition.part("tariff.json"))
        self._base = self._make_base()
        self._labelling = Labelling(edition)
        self._pricer = lru_cache(maxsize=PRICERS)(self._make_pricer)

    @property
    def versions(self) -> dict[str, str]:
        """Return the content hashes that every answer names."""
        return self.edition.versions

    def versions_with(self, live: LiveVersion | None) -> dict[str, str]:
        """Return the versions of an answer that was found in a version of the running day."""
        return versions_with(self.versions, live)

    @property
    def live_moment(self) -> str:
        """What tells one state of the running day from another, for the name of an answer."""
        live = self.planner.live
        return "" if live is None else f"{live.version} {live.polled_s}"

    def now_s(self) -> int:
        """Return the unix second of the injected clock."""
        return int(self.clock().timestamp())

    def journeys(self, query: JourneyQuery, timing: Timing | None = None) -> Document:
        """Return the journeys of a question, each with its fare, and the labels of the answer.

        Notes how long parts took.
        """
        timing = timing or Timing()
        with timing.part("plan"):
            ends, found = self._plan(query)
        with timing.part("price"):
            labelled = self.labelled(found.journeys, query)
        with timing.part("json"):
            return self._journeys_document(query, labelled, ends, found)

    def labelled(self, journeys: Sequence[Journey], words: RiderWords) -> Labelled:
        """Return journeys with their fares for a rider, and what is known of each."""
        return self._labelling.of(journeys, self.pricer_for(words))

    def _journeys_document(
        self, query: JourneyQuery, labelled: Labelled, ends: Ends, found: Page
    ) -> Document:
        origin, destination = ends
        stations = station_names(self.edition.network, labelled.journeys)
        language = query.language or DEFAULT_LANGUAGE
        journeys = labelled.documents()
        alerts = self.live.decorate(journeys, labelled.journeys, found.live, query.language)
        return {
            "versions": self.versions_with(found.live),
            "journeys": journeys,
            "labels": label_documents(labelled.labels, language, stations),
            "realtime": self.live.realtime(found.live, self.now_s()),
            "alerts": alerts,
            "notices": notice_documents(found.notices),
            "stations": stations,
            "from": origin.place.to_json(),
            "to": destination.place.to_json(),
            "depart": None if found.depart is None else local_time(found.depart, origin.tz),
            "arrive": None if found.arrive is None else local_time(found.arrive, destination.tz),
            "window_s": found.window_s,
            "previous": found.previous.text(),
            "next": found.next.text(),
        }

    def fares(self, query: FaresQuery) -> Document:
        """Return the fares of a question's journeys, or of the one with the rides asked for.

        Raises
        ------
        UnknownJourneyError
            No journey of the question has these rides.
        """
        _, found = self._plan(query)
        wanted = None if query.rides is None else [_ride_key(ride) for ride in query.rides]
        chosen = [j for j in found.journeys if wanted is None or _rides_of(j) == wanted]
        if wanted is not None and not chosen:
            raise UnknownJourneyError("no journey of this question has these rides")
        pricer = self.pricer_for(query)
        return {
            "versions": self.versions,
            "fares": [_fare_document(priced(journey, pricer).to_json()) for journey in chosen],
        }

    def places(self, text: str, limit: int) -> Document:
        """Return places that a text may mean, best first."""
        matches = suggest(self.edition.network, text, limit=limit)
        return {
            "versions": self.versions,
            "places": [asdict(match) for match in matches],
        }

    def station(self, place_id: str) -> Document:
        """Return a station with the stops that form it; the id may also be one of its stops'.

        Raises
        ------
        UnknownPlaceError
            The edition has no such place.
        """
        network = self.edition.network
        endpoint = locate(network, place_id)
        if endpoint.kind == "position":
            raise UnknownPlaceError(f"{place_id!r} is a position, not a station")
        station = int(network.stop_station[endpoint.stops[0]])
        zone = network.zone_name[int(network.station_tz[station])]
        first, last = network.station_stop_start[station : station + 2]
        return {
            "versions": self.versions,
            "id": network.station_id[station],
            "name": network.station_name[station],
            "lat": float(network.station_lat[station]),
            "lon": float(network.station_lon[station]),
            "tz": zone,
            "stops": [self._stop(int(stop)) for stop in network.station_stops[first:last]],
        }

    def _stop(self, stop: int) -> Document:
        network = self.edition.network
        feed = network.feed_id[int(network.stop_feed[stop])]
        return Place(
            id=f"{feed}:{network.stop_id[stop]}",
            station_id=network.station_id[int(network.stop_station[stop])],
            name=network.stop_name[stop],
            lat=float(network.stop_lat[stop]),
            lon=float(network.stop_lon[stop]),
            tz=network.zone_name[int(network.stop_tz[stop])],
            platform=network.stop_platform[stop] or None,
        ).to_json()

    def warm_up(self, dates: tuple[dt.date, ...]) -> None:
        """Search, plan and price, so that kernels are compiled and slices are mapped.

        For the valid day nearest to now, and for those of the dates that the edition covers.
        """
        network = self.edition.network
        served = np.flatnonzero(np.diff(network.station_stop_start))
        if not len(served):
            return
        ends = [locate(network, network.station_id[int(row)]) for row in (served[0], served[-1])]
        for date in dict.fromkeys((self._nearest_date(), *dates)):
            noon = int(dt.datetime.combine(date, dt.time(12), dt.UTC).timestamp())
            with contextlib.suppress(DateOutsideError):  # of the edition before, not of this one
                answer = self.planner.plan(ends[0], ends[1], depart=noon)
                for journey in answer.journeys:
                    priced(journey, self._base)
                self.boards.board(ends[0], noon, span_s=3600, limit=1)
                self.reaching.reach(ends[0], depart=noon)
        suggest(network, ends[0].place.name, limit=1)

    def _nearest_date(self) -> dt.date:
        """Return the valid day nearest to now."""
        return nearest_valid_date(
            self.edition.network, local_date(self.now_s(), self.edition.network.feed_zone[0])
        )

    def _plan(self, query: JourneyQuery) -> tuple[Ends, Page]:
        network = self.edition.network
        ends = locate(network, query.from_), locate(network, query.to)
        needs = needs_of(network, query)
        arrive = parse_instant(query.arrive, ends[1].tz) if query.arrive else None
        depart = parse_instant(query.depart, ends[0].tz) if query.depart else None
        if arrive is None and depart is None:
            depart = self.now_s()
        window_s = parse_duration_s(query.window) if query.window else None
        return ends, plan_pages(
            self.planner, *ends, depart=depart, arrive=arrive, window_s=window_s,
            page=query.page or "", edition=self.edition.network.hash,
            max_transfers=query.max_transfers, needs=needs,
            language=query.language or DEFAULT_LANGUAGE,
        )  # fmt: skip

    def pricer_for(self, words: RiderWords) -> TariffPricer | None:
        """Return who knows what this rider pays; None without a tariff."""
        rider = Rider(
            age_group=words.age_group,
            cards=frozenset(words.cards),
            passes=frozenset(words.passes),
            currency=words.currency,
        )
        return self._pricer(rider, words.language)

    def _make_base(self) -> TariffPricer | None:
        if self.tariff is None:
            return None
        return TariffPricer(self.tariff, _load(self.edition.part("agreements.json")))

    def _make_pricer(self, rider: Rider, language: str | None) -> TariffPricer | None:
        return None if self._base is None else self._base.for_rider(rider, language)


def needs_of(network: Network, words: NeedsWords) -> Needs:
    """Return the needs of a question; places to pass are words of journeys alone."""
    places = {}
    if isinstance(words, JourneyQuery):
        places = {"via": words.via, "stays": words.stay}
    return read_needs(
        network,
        wheelchair=words.wheelchair,
        bike=words.bike,
        modes=words.modes,
        not_modes=words.not_modes,
        operators=words.operators,
        not_operators=words.not_operators,
        min_change=words.min_change,
        walk_speed_m_s=words.walk_speed_m_s,
        max_walk_m=words.max_walk_m,
        **places,
    )


def _load(part: bytes | None) -> Document | None:
    return None if part is None else orjson.loads(part)


def priced(journey: Journey, pricer: Pricer | None) -> Journey:
    """Return a journey with its fare, as it is without a pricer."""
    return journey if pricer is None else journey.with_fare(pricer.price(journey))


def _ride_key(ride: Any) -> tuple[Any, ...]:
    return (
        ride.feed,
        ride.trip_id,
        str(ride.service_date),
        ride.from_sequence,
        ride.to_sequence,
    )


def _rides_of(journey: Journey) -> list[tuple[Any, ...]]:
    return [_ride_key(section) for leg in journey.legs for section in leg.sections]


def _fare_document(journey: Document) -> Document:
    return {
        "departure": journey["departure"],
        "arrival": journey["arrival"],
        "sections": [section for leg in journey["legs"] for section in leg["sections"]],
        "fare": journey["fare"],
    }
