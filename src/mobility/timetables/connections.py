"""Connections: changes between two trains at a station, and whether they still hold elsewhere."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from mobility.core.time import local_time
from mobility.journey import Journey, Leg
from mobility.network import Network

Ride = tuple[str, str, dt.date]  # feed, raw trip_id, service date


@dataclass(frozen=True, slots=True)
class Connection:
    """A change between two trains; ``slack_s`` is what remains after walking ``walk_s``.

    ``arrives_at`` and ``leaves_from`` are station ids; they differ where one walks between.
    """

    station: str
    arrives_at: str
    leaves_from: str
    from_line: str
    to_line: str
    from_ride: Ride
    to_ride: Ride
    arrival: int
    departure: int
    walk_s: int
    tz: str

    @property
    def slack_s(self) -> int:
        """Seconds between the arrival and the departure that walking does not need."""
        return self.departure - self.arrival - self.walk_s

    @property
    def key(self) -> tuple[str, str, Ride, Ride]:
        """What stays the same when times change: the stations and the two trips."""
        return (self.arrives_at, self.leaves_from, self.from_ride, self.to_ride)

    def to_json(self) -> dict[str, Any]:
        """Return the connection as a document."""
        return {
            "station": self.station,
            "from_line": self.from_line,
            "to_line": self.to_line,
            "from_trip": _reference(self.from_ride),
            "to_trip": _reference(self.to_ride),
            "arrival": local_time(self.arrival, self.tz),
            "departure": local_time(self.departure, self.tz),
            "slack_s": self.slack_s,
        }


def _reference(ride: Ride) -> str:
    feed, trip, date = ride
    return f"{feed}:{trip}@{date.isoformat()}"


def connections(journey: Journey) -> list[Connection]:
    """Return the changes of a journey, in order."""
    found: list[Connection] = []
    ride: Leg | None = None
    walk_s = 0
    for leg in journey.legs:
        if leg.mode != "transit":
            walk_s += leg.arrival - leg.departure
            continue
        if ride is not None:
            found.append(_connection(ride, leg, walk_s))
        ride, walk_s = leg, 0
    return found


def _connection(ride: Leg, following: Leg, walk_s: int) -> Connection:
    last, first = ride.sections[-1], following.sections[0]
    return Connection(
        station=following.origin.name,
        arrives_at=ride.destination.station_id,
        leaves_from=following.origin.station_id,
        from_line=ride.line,
        to_line=following.line,
        from_ride=(last.feed, last.trip_id, last.service_date),
        to_ride=(first.feed, first.trip_id, first.service_date),
        arrival=ride.arrival,
        departure=following.departure,
        walk_s=walk_s,
        tz=following.origin.tz,
    )


class RideTimes:
    """When rides of a network call at a station: to see whether a connection would hold there."""

    def __init__(self, network: Network) -> None:
        self._network = network
        feeds = list(network.feed_id)
        self._trips = {
            (feeds[feed], raw): index
            for index, (feed, raw) in enumerate(
                zip(network.trip_feed.tolist(), network.trip_id, strict=True)
            )
        }
        self._sections: dict[int, list[tuple[int, int]]] = defaultdict(list)
        starts = network.section_start.tolist()
        trips = network.section_trip.tolist()
        for train in range(network.n_trains):
            for row in range(starts[train], starts[train + 1]):
                self._sections[trips[row]].append((train, row))
        self._stations = {station: i for i, station in enumerate(network.station_id)}

    def slack_s(self, connection: Connection) -> int | None:
        """Return the connection's slack in this network; None where one of the rides is gone."""
        arrival = self._call(connection.from_ride, connection.arrives_at, "arrival")
        departure = self._call(connection.to_ride, connection.leaves_from, "departure")
        if arrival is None or departure is None:
            return None
        return departure - arrival - connection.walk_s

    def _call(self, ride: Ride, station_id: str, what: str) -> int | None:
        """Return the instant at which a ride arrives at, or departs from, a station."""
        network = self._network
        feed, raw, date = ride
        trip, station = self._trips.get((feed, raw)), self._stations.get(station_id)
        if trip is None or station is None:
            return None
        for train, row in self._sections.get(trip, ()):
            day = network.day_of(date) - int(network.section_day_shift[row])
            if not 0 <= day < network.n_days or not self._runs(train, day):
                continue
            first, end = network.train_event_start[train : train + 2].tolist()
            at = network.stop_station[network.event_stop[first:end]] == station
            if at.any():
                event = first + int(at.argmax())
                times = network.event_arrival_s if what == "arrival" else network.event_departure_s
                origin = network.zone_origin_s[network.train_zone[train], day]
                return int(origin) + int(times[event])
        return None

    def _runs(self, train: int, day: int) -> bool:
        bits = self._network.service_bits[self._network.train_service[train]]
        return bool(bits[day >> 3] >> (day & 7) & 1)
