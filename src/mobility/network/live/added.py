"""Trains that no timetable knows: rows behind those of the network, for one version of the day.

What reads trains and trips by row (kernels, the assembler) takes the longer network as any other;
stops, footpaths and rules are the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from mobility.core.time import service_day_origin
from mobility.network.values import UNKNOWN, Network, StringArray, read_only

NO_ROUTE = -1  # of a train of which the operator does not say to which line it belongs


class NewCall(NamedTuple):
    """A call: stop, seconds since the epoch, bits of `DaySlice.pattern_flags`, stop_sequence."""

    stop: int
    arrival: int
    departure: int
    flags: int
    sequence: int


class NewTrain(NamedTuple):
    """A train of one trip on one service date.

    ``trip`` is the row of a trip whose calls it replaces, or -1: then ``trip_id``, ``headsign``
    and ``number`` are those of a trip of its own, on the route of a row or on `NO_ROUTE`.
    """

    feed: int
    date: dt.date
    calls: tuple[NewCall, ...]
    trip: int = -1
    trip_id: str = ""
    route: int = NO_ROUTE
    headsign: str = ""
    number: str = ""

    def to_json(self) -> list[Any]:
        """Return the train as a document."""
        return [self.feed, self.date.isoformat(), *self[2:]]

    @classmethod
    def from_json(cls, document: Sequence[Any]) -> NewTrain:
        """Return the train of a document."""
        feed, date, calls, *rest = document
        return cls(feed, dt.date.fromisoformat(date), tuple(NewCall(*c) for c in calls), *rest)


def lengthened(network: Network, trains: Sequence[NewTrain]) -> Network:
    """Return the network with rows for these trains, in their order, behind its own.

    The result has no hash and no services for them: it is for reading, not for keeping.
    """
    if not trains:
        return network
    fields: dict[str, Any] = {}
    own = [train for train in trains if train.trip < 0]
    routes = sorted({train.feed for train in own if train.route == NO_ROUTE})
    first_route, first_trip = len(network.route_id), len(network.trip_id)
    route_of_feed = {feed: first_route + at for at, feed in enumerate(routes)}
    agencies = {feed: int(np.flatnonzero(network.agency_feed == feed)[0]) for feed in routes}
    trip_rows = iter(range(first_trip, first_trip + len(own)))
    trips = [next(trip_rows) if train.trip < 0 else train.trip for train in trains]
    for name in ("route_id", "route_short_name", "route_long_name", "route_color"):
        fields[name] = _more(getattr(network, name), [""] * len(routes))
    fields |= _longer(
        network, route_feed=routes, route_agency=[agencies[feed] for feed in routes],
        route_type=[_usual_type(network, feed) for feed in routes],
        trip_feed=[train.feed for train in own],
        trip_route=[
            route_of_feed[train.feed] if train.route == NO_ROUTE else train.route for train in own
        ],
        trip_wheelchair=[UNKNOWN] * len(own), trip_bikes=[UNKNOWN] * len(own),
        trip_headway_s=[0] * len(own),
    )  # fmt: skip
    fields["trip_id"] = _more(network.trip_id, [train.trip_id for train in own])
    fields["trip_headsign"] = _more(network.trip_headsign, [train.headsign for train in own])
    fields["trip_number"] = _more(network.trip_number, [train.number for train in own])
    calls = [call for train in trains for call in train.calls]
    lengths = [len(train.calls) for train in trains]
    zones = list(network.zone_name)
    names = [network.feed_zone[train.feed] for train in trains]
    origins = [
        service_day_origin(train.date, zone) - network.epoch_s
        for train, zone in zip(trains, names, strict=True)
    ]
    origin = np.repeat(np.array(origins, np.int64), lengths)
    ends = int(network.train_event_start[-1]) + np.cumsum(lengths)
    sections = int(network.section_start[-1]) + np.arange(1, len(trains) + 1)
    fields |= _longer(
        network, train_trip=trips, train_zone=[zones.index(name) for name in names],
        train_service=[-1] * len(trains), train_pattern=[-1] * len(trains),
        train_of=[-1] * len(trains), train_through=[False] * len(trains),
        train_event_start=ends, section_start=sections,
        event_stop=[call.stop for call in calls],
        event_arrival_s=np.array([call.arrival for call in calls]) - origin,
        event_departure_s=np.array([call.departure for call in calls]) - origin,
        event_flags=[0] * len(calls), event_sequence=[call.sequence for call in calls],
        section_trip=trips, section_day_shift=[0] * len(trains),
        section_from_pos=[0] * len(trains), section_to_pos=[n - 1 for n in lengths],
        section_from_sequence=[train.calls[0].sequence for train in trains],
        section_to_sequence=[train.calls[-1].sequence for train in trains],
        section_alias=[False] * len(trains),
    )  # fmt: skip
    if len(network.event_point):
        fields |= _longer(network, event_point=[call.stop for call in calls])
    return replace(network, hash="", **fields)


def _longer(network: Network, **rows: Any) -> dict[str, Any]:
    found = {}
    for name, more in rows.items():
        array = getattr(network, name)
        found[name] = read_only(np.concatenate([array, np.asarray(more, array.dtype)]))
    return found


def _more(strings: StringArray, more: Sequence[str]) -> StringArray:
    added = StringArray.of(more)
    offsets = np.concatenate([strings.offsets, added.offsets[1:] + strings.offsets[-1]])
    return StringArray(read_only(offsets), read_only(np.concatenate([strings.data, added.data])))


def _usual_type(network: Network, feed: int) -> int:
    """Return the route type that most routes of a feed have."""
    types = network.route_type[network.route_feed == feed]
    values, counts = np.unique(types, return_counts=True)
    return int(values[np.argmax(counts)]) if len(values) else 0
