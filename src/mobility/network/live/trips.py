"""Which trains carry a feed's trip on a date, and at which positions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from mobility.core.time import gtfs_time
from mobility.network.live.running import Call
from mobility.network.values import Network

KEPT_RUNS = 200_000  # looked up again at the next poll
SAME_CALL_S = 3_600  # two feeds' times of one call differ by less
RUN_MARK = "~"  # between a template trip of frequencies.txt and the start of its run


@dataclass(frozen=True, slots=True)
class Place:
    """A position of a train on a day at which a trip calls.

    ``section`` is the row of the network's section; an alias counts where no other trip speaks.
    """

    train: int
    day: int
    pos: int
    section: int
    alias: bool


@dataclass(frozen=True, slots=True)
class TripRun:
    """A trip on a service date: its planned calls, and where in which trains they are."""

    trip: int
    date: dt.date
    calls: list[Call]
    places: list[list[Place]]


class Trips:
    """Looks up trips of some feeds by their ids, and runs by trip and date.

    Parameters
    ----------
    network : Network
    feeds : iterable of str
        Ids of the feeds to look up; made once, takes a moment for a million trips.
    """

    def __init__(self, network: Network, feeds: Iterable[str]) -> None:
        self.network = network
        wanted = set(feeds)
        self.feed_rows = {name: row for row, name in enumerate(network.feed_id) if name in wanted}
        self._trips = _ids(network.trip_id, network.trip_feed, self.feed_rows)
        self._stops = _ids(network.stop_id, network.stop_feed, self.feed_rows)
        self._routes = _ids(network.route_id, network.route_feed, self.feed_rows)
        self._sections = np.argsort(network.section_trip, kind="stable")
        counts = np.bincount(network.section_trip, minlength=len(network.trip_id))
        self._start = np.concatenate([[0], np.cumsum(counts)])
        lengths = np.diff(network.section_start)
        self._train = np.repeat(np.arange(network.n_trains), lengths)
        self._planned: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self._runs_known: dict[tuple[int, dt.date], TripRun | None] = {}

    def find(self, feed: str, trip_id: str, start_time_s: int | None = None) -> int | None:
        """Return the row of a trip; of a trip with frequencies, of the run that starts then."""
        of_feed = self._trips[feed]
        found = of_feed.get(trip_id)
        if found is None and start_time_s is not None:
            found = of_feed.get(f"{trip_id}{RUN_MARK}{gtfs_time(start_time_s)}")
        return found

    def find_stop(self, feed: str, stop_id: str) -> int | None:
        """Return the row of a stop."""
        return self._stops[feed].get(stop_id)

    def find_route(self, feed: str, route_id: str) -> int | None:
        """Return the row of a route."""
        return self._routes[feed].get(route_id)

    def dates(self, trip: int) -> list[dt.date]:
        """Return the service dates of a trip, in order."""
        net = self.network
        days = {
            day + int(net.section_day_shift[section])
            for section in self._sections_of(trip)
            for day in self._days(int(self._train[section]))
        }
        return [net.date_of(day) for day in sorted(days)]

    def run(self, trip: int, date: dt.date) -> TripRun | None:
        """Return a trip on a service date, None where it does not run."""
        key = (trip, date)
        if key not in self._runs_known:
            if len(self._runs_known) >= KEPT_RUNS:
                self._runs_known.clear()
            self._runs_known[key] = self._run(trip, date)
        return self._runs_known[key]

    def _run(self, trip: int, date: dt.date) -> TripRun | None:
        net = self.network
        own: list[tuple[Call, list[Place]]] = []
        listed: list[tuple[Call, Place]] = []
        known: dict[tuple[int, ...], int] = {}
        for section in self._sections_of(trip):
            train = int(self._train[section])
            day = net.day_of(date) - int(net.section_day_shift[section])
            if not 0 <= day < net.n_days or not self._runs(train, day):
                continue
            alias = bool(net.section_alias[section])
            for call, place in self._calls(section, train, day, alias):
                if alias:
                    listed.append((call, place))
                    continue
                # A call may stand in several trains: parts of one that rules divided.
                row = known.setdefault((*call[1:], call.sequence or 0), len(own))
                if row == len(own):
                    own.append((call, []))
                own[row][1].append(place)
        found = self._with_aliases(own, listed)
        if not found:
            return None
        found.sort(key=_in_order)
        return TripRun(trip, date, [call for call, _ in found], [places for _, places in found])

    def _with_aliases(
        self, own: list[tuple[Call, list[Place]]], listed: list[tuple[Call, Place]]
    ) -> list[tuple[Call, list[Place]]]:
        """Return the calls of a trip with their places on trains that another trip carries.

        A trip without calls of its own has those; else each goes to its own call at the station.
        """
        if not own:
            return [(call, [place]) for call, place in listed]
        station = self.network.stop_station
        for call, place in listed:
            near = [
                (abs(one.arrival - call.arrival), index)
                for index, (one, _) in enumerate(own)
                if station[one.stop] == station[call.stop]
            ]
            if near and min(near)[0] <= SAME_CALL_S:
                own[min(near)[1]][1].append(place)
        return own

    def planned(self, train: int, day: int) -> list[tuple[int, int]]:
        """Return arrival and departure of each call of a train, in seconds since the epoch."""
        key = (train, day)
        if key not in self._planned:
            if len(self._planned) >= KEPT_RUNS:
                self._planned.clear()
            self._planned[key] = self._times(train, day)
        return self._planned[key]

    def _times(self, train: int, day: int) -> list[tuple[int, int]]:
        net = self.network
        origin = int(net.zone_origin_s[net.train_zone[train], day]) - net.epoch_s
        events = slice(int(net.train_event_start[train]), int(net.train_event_start[train + 1]))
        arrivals = (net.event_arrival_s[events] + origin).tolist()
        departures = (net.event_departure_s[events] + origin).tolist()
        return list(zip(arrivals, departures, strict=True))

    def sections(self, train: int) -> range:
        """Return the rows of a train's sections."""
        net = self.network
        return range(int(net.section_start[train]), int(net.section_start[train + 1]))

    def _sections_of(self, trip: int) -> list[int]:
        return self._sections[self._start[trip] : self._start[trip + 1]].tolist()  # type: ignore[no-any-return]

    def _runs(self, train: int, day: int) -> bool:
        bits = self.network.service_bits[int(self.network.train_service[train])]
        return bool(bits[day >> 3] >> (day & 7) & 1)

    def _days(self, train: int) -> list[int]:
        bits = self.network.service_bits[int(self.network.train_service[train])]
        days = np.unpackbits(bits, bitorder="little")[: self.network.n_days]
        return np.flatnonzero(days).tolist()

    def _calls(
        self, section: int, train: int, day: int, alias: bool
    ) -> Iterator[tuple[Call, Place]]:
        net = self.network
        first = int(net.train_event_start[train])
        low, high = int(net.section_from_pos[section]), int(net.section_to_pos[section])
        times = self.planned(train, day)
        for pos in range(low, high + 1):
            sequence: int | None = None if alias else int(net.event_sequence[first + pos])
            if pos == low:
                sequence = int(net.section_from_sequence[section])
            elif pos == high:
                sequence = int(net.section_to_sequence[section])
            stop = int(net.event_stop[first + pos])
            yield Call(sequence, stop, *times[pos]), Place(train, day, pos, section, alias)


def _in_order(found: tuple[Call, list[Place]]) -> tuple[int, int, int, int]:
    call, places = found
    return call.arrival, call.departure, places[0].pos, call.sequence or 0


def _ids(
    names: Iterable[str], feeds: np.ndarray[tuple[int], np.dtype[np.int16]], rows: dict[str, int]
) -> dict[str, dict[str, int]]:
    """Return by feed the row of each id."""
    of_row = {row: feed for feed, row in rows.items()}
    found: dict[str, dict[str, int]] = {feed: {} for feed in rows}
    for number, (name, feed) in enumerate(zip(names, feeds.tolist(), strict=True)):
        if feed in of_row:
            found[of_row[feed]].setdefault(name, number)
    return found
