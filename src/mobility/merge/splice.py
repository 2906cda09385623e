"""Splice: joins of trips become trains, day group by day group.

Trips that joins connect form a component. Its days fall into groups on which the same joins hold;
in each group joins are tried from the strongest down, and a union is made where the result is one
line of calls: trips whose times overlap must share that run. What a second trip of the same feed
says of a run (through coaches, portions) stays on its own train, with the other feed's trip as an
alias.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mobility.merge.calendar import shift_days
from mobility.merge.joins import Join
from mobility.merge.places import connect
from mobility.merge.structure import NUMBER_TOLERANCE_S
from mobility.merge.timeline import Link, Part, Timeline, TripCalls, lay_out

Bools = npt.NDArray[np.bool_]
_KINDS = ("equal", "contained", "overlap", "hand_over")


@dataclass(frozen=True, slots=True)
class JoinedTrain:
    """One train that several trips list, on the days on which they do.

    Parameters
    ----------
    lead : int
        The trip whose zone, service date and line stand for the train.
    trips : tuple of int
        In the order of the line's parts.
    line : Timeline
        Shared by trains of equal calls.
    seconds : int
        Added to the line's times: they count from the origin of the lead's service date.
    parts : tuple of Part
    shifts : mapping of trip to int
        Service date of the trip minus that of the train.
    days : bool[n_days]
        Service dates of the train.
    kind : str
        The weakest relation that holds it together.
    """

    lead: int
    trips: tuple[int, ...]
    line: Timeline
    seconds: int
    parts: tuple[Part, ...]
    shifts: dict[int, int]
    days: Bools
    kind: str


@dataclass(slots=True)
class _Group:
    """Trips united so far on one group of days; shifts and seconds count from the first trip."""

    trips: list[int]
    shift: dict[int, int]
    seconds: dict[int, int]
    joins: list[Join]


@dataclass(frozen=True, slots=True)
class _Alias:
    """What a trip of another train says of this train's run."""

    join: Join
    part: Part


class Splicer:
    """Makes trains of joins.

    Parameters
    ----------
    calls_of : callable
        Trip to its calls, times from the trip's own origin.
    station_country : mapping of station to int
        Country code per station, -1 where unknown.
    n_days : int
    """

    def __init__(
        self,
        calls_of: Callable[[int], TripCalls],
        station_country: Mapping[int, int],
        n_days: int,
    ) -> None:
        self.calls_of = calls_of
        self.station_country = station_country
        self.n_days = n_days
        self.joins: Sequence[Join] = ()
        self.trains: list[JoinedTrain] = []
        self.refused: dict[tuple[int, int], Join] = {}
        self.used: dict[int, Bools] = {}
        self.kept: dict[tuple[int, int], tuple[Join, str]] = {}
        self._lines: dict[tuple[object, ...], Timeline | None] = {}

    def splice(self, joins: Sequence[Join]) -> None:
        """Make trains of all joins; fills `joins`, `trains`, `used`, `kept`, `refused`."""
        self.joins = joins
        if not joins:
            return
        trips = np.unique([[join.left, join.right] for join in joins])
        left = np.searchsorted(trips, [join.left for join in joins])
        right = np.searchsorted(trips, [join.right for join in joins])
        component = connect(len(trips), left, right)[left]
        order = np.argsort(component, kind="stable")
        for chunk in np.split(order, np.flatnonzero(np.diff(component[order])) + 1):
            own = sorted((joins[at] for at in chunk), key=lambda join: join.strength)
            self._component(own)

    def _component(self, joins: list[Join]) -> None:
        if len(joins) == 1:  # the usual case needs no grouping of days
            only = joins[0]
            self._day_group(joins, {only.left: 0, only.right: only.shift}, only.days)
            return
        shift = self._date_shifts(joins)
        # Rows of days counted in one frame: the service date of the component's first trip.
        frame = np.array([shift_days(join.days, shift[join.left]) for join in joins])
        consistent = [shift[join.right] - shift[join.left] == join.shift for join in joins]
        frame &= np.array(consistent)[:, None]
        patterns, place = np.unique(frame.T, axis=0, return_inverse=True)
        place = place.ravel()
        for number, pattern in enumerate(patterns):
            if pattern.any():
                active = [join for join, holds in zip(joins, pattern, strict=True) if holds]
                self._day_group(active, shift, place == number)

    @staticmethod
    def _date_shifts(joins: list[Join]) -> dict[int, int]:
        """Return each trip's service date minus the first trip's, along the strongest joins."""
        neighbours: dict[int, list[tuple[int, int]]] = {}
        for join in joins:
            neighbours.setdefault(join.left, []).append((join.right, join.shift))
            neighbours.setdefault(join.right, []).append((join.left, -join.shift))
        first = min(neighbours)
        shift = {first: 0}
        queue = [first]
        for trip in queue:
            for other, days in neighbours[trip]:
                if other not in shift:
                    shift[other] = shift[trip] + days
                    queue.append(other)
        return shift

    def _day_group(self, joins: list[Join], shift: dict[int, int], days: Bools) -> None:
        groups: dict[int, _Group] = {}

        def group_of(trip: int) -> _Group:
            return groups.setdefault(trip, _Group([trip], {trip: 0}, {trip: 0}, []))

        portions: list[Join] = []  # one train, but the trips' own trains stay apart
        for join in joins:
            left, right = group_of(join.left), group_of(join.right)
            if left is right:
                left.joins.append(join)
                if self._lay_out(left) is None:
                    left.joins.pop()
                continue
            united = _unite(left, right, join)
            if not self._one_line(united, joins):
                portions.append(join)
                continue
            if self._is_connection(left, right, united, join):
                self.refused.setdefault((join.left, join.right), join)
                continue
            for trip in united.trips:
                groups[trip] = united
        done: set[int] = set()
        for trip in sorted(groups):
            group = groups[trip]
            if id(group) not in done:
                done.add(id(group))
                self._train(group, portions, shift, days)

    def _aliases(self, group: _Group, line: Timeline, joins: Sequence[Join]) -> list[_Alias]:
        """Return what trips of other trains say of this train's run.

        A trip leaves an alias where no trip of its own feed already lists that part of the train.
        """
        taken: dict[int, list[tuple[int, int]]] = {}
        for at, trip in enumerate(group.trips):
            calls = self.calls_of(trip)
            span = line.position[at, 0], line.position[at, len(calls) - 1]
            taken.setdefault(calls.feed, []).append(span)
        found = []
        for join in joins:
            if (join.left in group.shift) == (join.right in group.shift):
                continue
            part = _alias_part(join, line, group, self.calls_of)
            if part.from_pos == part.to_pos:  # handed over to several: no run is shared
                self.kept.setdefault((join.left, join.right), (join, "portion"))
                continue
            spans = taken.setdefault(self.calls_of(part.trip).feed, [])
            if all(part.to_pos <= low or part.from_pos >= high for low, high in spans):
                spans.append((part.from_pos, part.to_pos))
                found.append(_Alias(join, part))
        return found

    def _one_line(self, group: _Group, joins: Sequence[Join]) -> bool:
        """Whether trips that run at the same time share that run, and all calls fit one order.

        Trips that list one part of the line, or one time, must have been found to be one train
        themselves: two trips that only a third has in common may both be part of it, side by side.
        Border points do not count: each feed may put its own behind the station.
        """
        if len(group.trips) == 2:
            return True
        direct = {(join.left, join.right) for join in joins}
        strangers = [
            (at, other)
            for at, trip in enumerate(group.trips)
            for other in range(at + 1, len(group.trips))
            if not {(trip, group.trips[other]), (group.trips[other], trip)} & direct
        ]
        calls = [self.calls_of(trip) for trip in group.trips]
        times = []
        for one in calls:
            leaves = one.leaves_s + group.seconds[one.trip]
            times.append((leaves, leaves + one.arrival_s[-1]))
        if any(_common(times, *pair) > NUMBER_TOLERANCE_S for pair in strangers):
            return False
        line = self._lay_out(group)
        if line is None:
            return False
        ends = []
        for at, one in enumerate(calls):
            real = _real_calls(one)
            ends.append((line.position[at, real[0]], line.position[at, real[-1]]))
        return all(_common(ends, *pair) <= 0 for pair in strangers)

    def _is_connection(self, left: _Group, right: _Group, united: _Group, join: Join) -> bool:
        """Whether one feed lists both sides of a hand-over: for it these are two trains.

        Were it otherwise, a second copy of a feed would join what the feed keeps apart.
        """
        line = self._lay_out(united)
        if line is None or join.stated or join.relation.kind != "hand_over":
            return False
        call = _real_calls(self.calls_of(join.left))[join.relation.pairs[0][0]]
        place = line.position[united.trips.index(join.left), call]

        def feeds_at(group: _Group, end: int) -> set[int]:
            calls = [self.calls_of(trip) for trip in group.trips]
            return {
                one.feed
                for one in calls
                if line.position[united.trips.index(one.trip), _real_calls(one)[end]] == place
            }

        return bool(
            feeds_at(left, -1) & feeds_at(right, 0) or feeds_at(left, 0) & feeds_at(right, -1)
        )

    def _lay_out(self, group: _Group) -> Timeline | None:
        """Return the group's line, times from its first trip's departure; made once per content."""
        calls = [self.calls_of(trip) for trip in group.trips]
        place = {trip: at for at, trip in enumerate(group.trips)}
        pairs = [(place[j.left], place[j.right], j.relation.pairs) for j in group.joins]
        leaves = [one.leaves_s + group.seconds[one.trip] for one in calls]
        later = tuple(one - leaves[0] for one in leaves)
        key = (tuple(one.content for one in calls), later, tuple(pairs))
        if key not in self._lines:
            trips = [_rebased(one, add) for one, add in zip(calls, later, strict=True)]
            real = [_real_calls(one) for one in calls]
            links: list[Link] = [
                (left, real[left][i], right, real[right][j])
                for left, right, shared in pairs
                for i, j in shared
            ]
            links += [
                (left, call, right, call)
                for left, right, _ in pairs
                if trips[left].feed == trips[right].feed  # twins: border points are equal too
                for call in range(len(trips[left]))
            ]
            self._lines[key] = lay_out(trips, links, self.station_country)
        return self._lines[key]

    def _choose_lead(self, group: _Group, line: Timeline) -> int:
        """Return the trip that owns most of the train; the first where times would be negative."""
        by_share = sorted(
            range(len(group.trips)),
            key=lambda at: (-line.owned[at], self.calls_of(group.trips[at]).rank, at),
        )
        start = self.calls_of(group.trips[0]).leaves_s + int(line.departure_s[0])
        for at in by_share:
            if start >= group.seconds[group.trips[at]]:
                return group.trips[at]
        return min(group.trips, key=lambda trip: (group.seconds[trip], trip))

    def _train(
        self, group: _Group, portions: list[Join], shift: dict[int, int], days: Bools
    ) -> None:
        line = self._lay_out(group)
        if line is None:
            return
        aliases = self._aliases(group, line, portions)
        if len(group.trips) == 1 and not aliases:
            return
        lead = self._choose_lead(group, line)
        shifts = {trip: group.shift[trip] - group.shift[lead] for trip in group.trips}
        for alias in aliases:
            join, other = alias.join, alias.part.trip
            known = join.right if other == join.left else join.left
            shifts[other] = shifts[known] + (-join.shift if other == join.left else join.shift)
            self.kept.setdefault((join.left, join.right), (join, "portion"))
        for join in group.joins:
            self.kept[join.left, join.right] = (join, "joined")
        for trip in group.trips:
            own_days = shift_days(days, -shift[trip])
            known_days = self.used.get(trip)
            self.used[trip] = own_days if known_days is None else known_days | own_days
        own = (replace(part, trip=group.trips[part.trip]) for part in line.parts)
        parts = sorted(
            (*own, *(alias.part for alias in aliases)),
            key=lambda part: (part.from_pos, part.alias, part.trip),
        )
        kinds = [join.relation.kind for join in (*group.joins, *(a.join for a in aliases))]
        self.trains.append(
            JoinedTrain(
                lead=lead,
                trips=tuple(group.trips),
                line=line,
                seconds=self.calls_of(group.trips[0]).leaves_s - group.seconds[lead],
                parts=tuple(parts),
                shifts=shifts,
                days=shift_days(days, -shift[lead]),
                kind=max(kinds, key=_KINDS.index),
            )
        )


def _common(spans: Sequence[tuple[int, int]], left: int, right: int) -> int:
    """Return the length that two spans have in common, below zero where they lie apart."""
    low = max(spans[left][0], spans[right][0])
    return min(spans[left][1], spans[right][1]) - low


def _unite(left: _Group, right: _Group, join: Join) -> _Group:
    """Return one group of two, everything counted from the first trip of the left."""
    shift = left.shift[join.left] + join.shift - right.shift[join.right]
    seconds = left.seconds[join.left] + join.seconds - right.seconds[join.right]
    return _Group(
        trips=left.trips + right.trips,
        shift=left.shift | {trip: days + shift for trip, days in right.shift.items()},
        seconds=left.seconds | {trip: own + seconds for trip, own in right.seconds.items()},
        joins=[*left.joins, *right.joins, join],
    )


def _real_calls(trip: TripCalls) -> list[int]:
    """Return the calls that are no border points."""
    return [call for call, station in enumerate(trip.station) if station >= 0]


def _rebased(trip: TripCalls, seconds: int) -> TripCalls:
    """Return the calls with so many seconds added to their times."""
    if not seconds:
        return trip
    return replace(
        trip,
        arrival_s=[time + seconds for time in trip.arrival_s],
        departure_s=[time + seconds for time in trip.departure_s],
    )


def _alias_part(
    join: Join, line: Timeline, group: _Group, calls_of: Callable[[int], TripCalls]
) -> Part:
    """Return the alias that a portion's partner leaves on a train."""
    inside = join.left in group.shift
    own, other = (join.left, join.right) if inside else (join.right, join.left)
    pairs = [(i, j) if inside else (j, i) for i, j in join.relation.pairs]
    own_calls, other_trip = _real_calls(calls_of(own)), calls_of(other)
    at = group.trips.index(own)
    other_calls = _real_calls(other_trip)
    (i0, j0), (i1, j1) = pairs[0], pairs[-1]
    return Part(
        trip=other,
        from_pos=line.position[at, own_calls[i0]],
        to_pos=line.position[at, own_calls[i1]],
        from_sequence=other_trip.sequence[other_calls[j0]],
        to_sequence=other_trip.sequence[other_calls[j1]],
        alias=True,
    )
