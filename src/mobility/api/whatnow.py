"""What now, in documents: how a chosen journey stands and how to go on."""

from __future__ import annotations

import datetime as dt
from typing import Any

from mobility.api.names import station_names
from mobility.api.queries import RideReference, WhatNowQuery
from mobility.api.served import Served, needs_of, priced
from mobility.core.errors import InputError
from mobility.core.time import local_time, parse_instant
from mobility.journey import Fare, Journey
from mobility.planner import locate
from mobility.planner.whatnow import Companion, RideRef, WhatNow

Document = dict[str, Any]


class WhatNowDesk:
    """Answers what now from one edition; safe to call from several threads."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._companion = Companion(served.planner)

    def answer(self, query: WhatNowQuery) -> Document:
        """Return how a journey stands, as a document."""
        served = self._served
        zone = served.edition.network.feed_zone[0]
        now = parse_instant(query.at, zone) if query.at else served.now_s()
        end = locate(served.edition.network, query.to) if query.to else None
        pricer = served.pricer_for(query)

        def fare_of(journey: Journey) -> Fare | None:
            return priced(journey, pricer).fare

        found = self._companion.what_now(
            [[_ride(section) for section in ride] for ride in query.rides], end, now,
            needs=needs_of(served.edition.network, query), fare_of=fare_of,
            language=query.language or "en",
        )  # fmt: skip
        next_ones = [way.journey for way in found.ways if way.journey is not None]
        labelled = served.labelled([found.journey, *next_ones], query)
        journeys, documents = labelled.journeys, labelled.documents()
        alerts = served.live.decorate(documents, journeys, found.live, query.language)
        return {
            "versions": served.versions_with(found.live),
            "realtime": served.live.realtime(found.live, served.now_s()),
            "state": found.state,
            "reason": found.reason,
            "broken_leg": found.broken_leg,
            "on_board": found.on_board,
            "at": None if found.at is None else found.at.to_json(),
            "now": local_time(now, zone),
            "journey": documents[0],
            "ways": _ways(found, documents[1:]),
            "tickets": _tickets(found),
            "alerts": alerts,
            "stations": station_names(served.edition.network, journeys),
        }


def _ride(section: RideReference) -> RideRef:
    try:
        date = dt.date.fromisoformat(section.service_date)
    except ValueError:
        raise InputError(f"{section.service_date!r} is no date") from None
    return RideRef(
        section.feed, section.trip_id, date, section.from_sequence, section.to_sequence
    )  # fmt: skip


def _ways(found: WhatNow, documents: list[Document]) -> list[Document]:
    left = iter(documents)
    zone = found.journey.legs[-1].destination.tz
    return [
        {
            "stay_until": None if way.stay_until is None else way.stay_until.to_json(),
            "arrival": local_time(way.arrival, zone),
            "journey": None if way.journey is None else next(left),
        }
        for way in found.ways
    ]


def _tickets(found: WhatNow) -> list[Document]:
    fare = found.journey.fare
    return [
        {
            "ticket": hold.ticket,
            "inside": hold.inside,
            "in_time": hold.in_time,
            "protects": fare.tickets[hold.ticket].protects if fare else "",
        }
        for hold in found.tickets
    ]
