"""Journeys by trying everything: no slices, no rounds, no pruning but the span asked for.

Works on the calendar and the trains of a network directly, so that slices are judged too. For
networks of a handful of stops and trains.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from mobility.network import Network

Access = dict[int, tuple[int, int]]  # stop -> seconds, metres
DAY_S = 86_400


@dataclass(frozen=True)
class Call:
    stop: int
    arrival: int
    departure: int
    boarding: bool
    alighting: bool


@dataclass(frozen=True)
class Section:
    reference: tuple[str, str, str]  # feed, trip, service date
    operator: tuple[str, str]
    from_pos: int
    to_pos: int
    sequences: dict[int, int]  # position -> stop_sequence


@dataclass(frozen=True)
class Run:
    calls: tuple[Call, ...]
    sections: tuple[Section, ...]


Part = tuple[Run, int, int]  # a run, and where it is boarded and left


class Found(NamedTuple):
    """A journey as `sort_key` sees it."""

    departure: int
    arrival: int
    transfers: int
    walk_m: int
    n_operators: int
    trips: tuple[Any, ...]


class Oracle:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.runs = list(_runs(network))
        self.walks: dict[int, list[tuple[int, int, int]]] = {}
        for stop in range(network.n_stops):
            span = range(int(network.walk_start[stop]), int(network.walk_start[stop + 1]))
            self.walks[stop] = [
                (int(network.walk_to[k]), int(network.walk_s[k]), int(network.walk_m[k]))
                for k in span
            ]

    def opens(self, stops: tuple[int, ...], *, backwards: bool = False) -> Access:
        """The stops that a stop or station opens: itself, and what is in walking distance."""
        best: Access = {}
        for member in stops:
            ways = [(member, 0, 0)]
            if backwards:
                ways += [
                    (origin, walk_s, walk_m)
                    for origin, paths in self.walks.items()
                    for stop, walk_s, walk_m in paths
                    if stop == member
                ]
            else:
                ways += self.walks[member]
            for stop, walk_s, walk_m in ways:
                best[stop] = min(best.get(stop, (walk_s, walk_m)), (walk_s, walk_m))
        return best

    def journeys(
        self, access: Access, egress: Access, first: int, last: int, by: int, rides: int
    ) -> list[Found]:
        """All journeys that leave in [first, last], arrive until `by`, with 1 to `rides` rides."""
        found: list[Found] = []

        def ride(stop: int, ready: int, leave: int | None, walked: int, legs: list[Any]) -> None:
            for run in self.runs:
                for board, call in enumerate(run.calls[:-1]):
                    if call.stop != stop or not call.boarding or call.departure < ready:
                        continue
                    at = call.departure - access[stop][0] if leave is None else leave
                    if first <= at <= last:
                        for there, parts in self.rides(run, board, by):
                            go_on(there, at, walked, [*legs, parts])

        def go_on(call: Call, leave: int, walked: int, legs: list[Any]) -> None:
            if call.stop in egress:
                walk_s, walk_m = egress[call.stop]
                if call.arrival + walk_s <= by:
                    found.append(found_by(leave, call.arrival + walk_s, walked + walk_m, legs))
            if len(legs) == rides:
                return
            change_s = int(self.network.change_s[call.stop])
            ride(call.stop, call.arrival + change_s, leave, walked, legs)
            for other, walk_s, walk_m in self.walks[call.stop]:
                ride(other, call.arrival + walk_s, leave, walked + walk_m, legs)

        for stop, (walk_s, walk_m) in access.items():
            ride(stop, first + walk_s, None, walk_m, [])
        return found

    def rides(self, run: Run, board: int, by: int) -> Iterator[tuple[Call, list[Part]]]:
        """Where a rider who boards there may alight until `by`, and on what they ride."""
        for alight in range(board + 1, len(run.calls)):
            there = run.calls[alight]
            if there.arrival > by:
                break
            if there.alighting:
                yield there, [(run, board, alight)]


def found_by(leave: int, arrival: int, walk_m: int, legs: list[list[Part]]) -> Found:
    """The journey of those rides, each on the runs of one vehicle."""
    trips, operators = [], set()
    for run, board, alight in (part for leg in legs for part in leg):
        for section in run.sections:
            low, high = max(section.from_pos, board), min(section.to_pos, alight)
            if low < high:
                trips.append((*section.reference, section.sequences[low], section.sequences[high]))
                operators.add(section.operator)
    return Found(leave, arrival, len(legs) - 1, walk_m, len(operators), tuple(trips))


def _runs(net: Network) -> Iterator[Run]:
    for train in range(net.n_trains):
        events = range(int(net.train_event_start[train]), int(net.train_event_start[train + 1]))
        service = net.service_bits[int(net.train_service[train])]
        for day in range(net.n_days):
            if not service[day // 8] >> (day % 8) & 1:
                continue
            origin = int(net.zone_origin_s[int(net.train_zone[train]), day])
            calls = []
            for event in events:
                flags = int(net.event_flags[event])
                inside = not flags & 16
                calls.append(
                    Call(
                        stop=int(net.event_stop[event]),
                        arrival=origin + int(net.event_arrival_s[event]),
                        departure=origin + int(net.event_departure_s[event]),
                        boarding=inside and flags & 3 in (0, 3),
                        alighting=inside and flags >> 2 & 3 in (0, 3),
                    )
                )
            yield Run(tuple(calls), tuple(_sections(net, train, day, events.start)))


def _sections(net: Network, train: int, day: int, first_event: int) -> Iterator[Section]:
    for row in range(int(net.section_start[train]), int(net.section_start[train + 1])):
        if net.section_alias[row]:
            continue
        trip = int(net.section_trip[row])
        agency = int(net.route_agency[int(net.trip_route[trip])])
        date = net.first_date + dt.timedelta(day + int(net.section_day_shift[row]))
        feed = net.feed_id[int(net.trip_feed[trip])]
        low, high = int(net.section_from_pos[row]), int(net.section_to_pos[row])
        sequences = {p: int(net.event_sequence[first_event + p]) for p in range(low, high + 1)}
        sequences[low] = int(net.section_from_sequence[row])
        sequences[high] = int(net.section_to_sequence[row])
        yield Section(
            reference=(feed, net.trip_id[trip], date.isoformat()),
            operator=(feed, net.agency_id[agency]),
            from_pos=low,
            to_pos=high,
            sequences=sequences,
        )


def departing(found: list[Found], depart: int, walk: tuple[int, int] | None) -> list[Found]:
    """The best of (arrival, transfers), each with its latest departure, then by the total order."""
    rides = [f for f in found if _beats_walk(f, depart, walk)]
    kept = [
        f
        for f in rides
        if not any(_better((g.arrival, g.transfers), (f.arrival, f.transfers)) for g in rides)
    ]
    first: dict[tuple[int, int], Found] = {}
    for f in sorted(kept, key=lambda f: (-f.departure, f[3:])):
        first.setdefault((f.arrival, f.transfers), f)
    return _with_walk(list(first.values()), depart, walk)


def in_window(
    found: list[Found], after: list[Found], start: int, walk: tuple[int, int] | None
) -> list[Found]:
    """The best of (departure, arrival, transfers), those after too, then by the total order."""

    def value(f: Found) -> tuple[int, ...]:
        return (-f.departure, f.arrival, f.transfers)

    rides = [f for f in found if _beats_walk(f, f.departure, walk)]
    first: dict[tuple[int, ...], Found] = {}
    for f in sorted(rides):
        if not any(_better(value(g), value(f)) for g in rides + after):
            first.setdefault(value(f), f)
    return _with_walk(list(first.values()), start, walk)


def arriving(found: list[Found], arrive: int, walk: tuple[int, int] | None) -> list[Found]:
    """The best of (departure, transfers), each with its earliest arrival, then by the order."""

    def value(f: Found) -> tuple[int, ...]:
        return (-f.departure, f.transfers)

    rides = found
    if walk is not None:
        leave = arrive - walk[0]
        rides = [f for f in found if (-f.departure, f.transfers) <= (-leave, 0)]
    first: dict[tuple[int, ...], Found] = {}
    for f in sorted(rides, key=lambda f: (f.arrival, f[3:])):
        if not any(_better(value(g), value(f)) for g in rides):
            first.setdefault(value(f), f)
    return _with_walk(list(first.values()), arrive - (walk[0] if walk else 0), walk)


def _better(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


def _beats_walk(f: Found, leave: int, walk: tuple[int, int] | None) -> bool:
    return walk is None or (f.arrival, f.transfers) <= (leave + walk[0], 0)


def _with_walk(found: list[Found], leave: int, walk: tuple[int, int] | None) -> list[Found]:
    if walk is not None:
        on_foot = Found(leave, leave + walk[0], 0, walk[1], 0, ())
        if not any(
            f.departure >= leave and f.arrival <= on_foot.arrival and f.transfers == 0
            for f in found
        ):
            found = [*found, on_foot]
    return sorted(found)
