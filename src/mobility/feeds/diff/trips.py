"""What has become of each trip: the same, shifted, on other days, over other stops, gone or new.

Trips are compared day by day. Those of the same line, stops and times are the same trip, whatever
they are called and however their days are cut into services. What is left over on either side is
paired in order of departure within a line and its stops, so that a line shifted as a whole is told
as shifted and not as gone and new.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from mobility.feeds.diff.calls import Bools, Ints, Trips, Window
from mobility.feeds.diff.values import STABLE_SHARE
from mobility.feeds.diff_align import align

SHIFT_S = 45 * 60  # a trip without a number that departs later than this is another trip
NUMBERED_SHIFT_S = 6 * 3600
FEW_SHARE = 0.10  # of the days on which a trip runs: fewer is an exception, not its timetable
FEW_SHARE_OF_RARE = 0.25  # the same for one day of a trip that seldom runs
WHOLE_SHARE = 0.10  # a day on which so many trips are exceptions is special as a whole
SPECIAL_SHARE = 0.25  # if more days than this are special, none is: it is another timetable
OTHER_STOPS_OVERLAP = 0.5

Kind = Literal["same", "shifted", "retimed", "rerouted", "days", "gone", "new"]
Key = tuple[int, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Alias:
    """The trip of the new version that is a trip of the old one.

    Parameters
    ----------
    kind : str
        ``same``, ``shifted`` (all times by ``shift_s``), ``retimed`` (times at some stops),
        ``rerouted`` (other stops).
    shift_s : int
        New first departure minus the old one.
    """

    old: int
    new: int
    kind: Kind
    shift_s: int = 0


@dataclass(frozen=True, slots=True)
class TripChange:
    """A trip that has changed on some days; ``old`` and ``new`` are row numbers, -1 for none."""

    kind: Kind
    old: int
    new: int
    shift_s: int
    days: Bools


@dataclass(frozen=True, slots=True)
class TripsDiff:
    """What has become of the trips.

    Parameters
    ----------
    exceptions : int32[n_days]
        Trips that run on a day of the window as an exception, in one version alone (holidays,
        extra services): told by day, not trip by trip.
    special : bool[n_days]
        Days on which exceptions are so many that no trip was compared.
    renumbered : tuple of Alias
        The same trip under another number.
    """

    changes: tuple[TripChange, ...]
    aliases: tuple[Alias, ...]
    exceptions: Ints
    special: Bools
    renumbered: tuple[Alias, ...]


@dataclass(slots=True)
class _Rest:
    """Days of a trip that the other version does not have.

    ``runs`` is how many days its line, stops and times run; ``both``: in both versions on some.
    """

    trip: int
    days: Bools
    runs: int
    both: bool

    def is_exception(self) -> bool:
        """Whether the days are few beside those on which nothing has changed or was paired."""
        few = int(self.days.sum())
        return 0 < few <= max(1, FEW_SHARE * self.runs) and few <= FEW_SHARE_OF_RARE * self.runs


@dataclass(slots=True)
class _Rests:
    old: list[_Rest] = field(default_factory=list)
    new: list[_Rest] = field(default_factory=list)

    def left(self) -> tuple[list[_Rest], list[_Rest]]:
        """Return what still has days."""
        return [r for r in self.old if r.days.any()], [r for r in self.new if r.days.any()]


def diff_trips(old: Trips, new: Trips, window: Window, matched_lines: set[int]) -> TripsDiff:
    """Compare the trips of the lines that are in both versions, and alias all that are the same."""
    keys = _by_key(old), _by_key(new)
    aliases = [
        alias
        for key, trips in keys[0].items()
        if key in keys[1]
        for alias in _alias_equal(old, new, trips, keys[1][key])
    ]
    kept = sum(old.ids[alias.old] == new.ids[alias.new] for alias in aliases)
    stable = bool(aliases) and kept >= STABLE_SHARE * len(aliases)
    rests = _rests(old, new, keys, window)
    special = _special_days(_exceptions(rests, window), old, new)
    exceptions = np.zeros(window.n_days, dtype=np.int32)
    if special.mean() > SPECIAL_SHARE:
        special[:] = False
    else:
        exceptions += _take_exceptions(rests, window)
    for rest in (*rests.old, *rests.new):
        rest.days[special] = False
    rests.old = [r for r in rests.old if int(old.line[r.trip]) in matched_lines]
    rests.new = [r for r in rests.new if int(new.line[r.trip]) in matched_lines]
    changes = [*_retimed(old, new, rests, stable), *_rerouted(old, new, rests, stable)]
    exceptions += _take_exceptions(rests, window)
    changes += _left_over(rests)
    aliases += [
        Alias(change.old, change.new, change.kind, change.shift_s)
        for change in changes
        if change.old >= 0 and change.new >= 0
    ]
    renumbered = [
        alias
        for alias in aliases
        if alias.kind == "same"
        and old.numbers[alias.old]
        and new.numbers[alias.new]
        and old.numbers[alias.old] != new.numbers[alias.new]
    ]
    return TripsDiff(tuple(changes), tuple(aliases), exceptions, special, tuple(renumbered))


def _by_key(trips: Trips) -> dict[Key, list[int]]:
    keys: dict[Key, list[int]] = defaultdict(list)
    for at in range(len(trips)):
        keys[int(trips.line[at]), trips.pattern[at], trips.times[at]].append(at)
    return keys


def _alias_equal(
    old: Trips, new: Trips, here: Sequence[int], there: Sequence[int]
) -> Iterator[Alias]:
    """Pair trips of one key: those of the same days and number first, then all that share days."""
    free: dict[bytes, list[int]] = defaultdict(list)
    for one in there:
        free[new.same_days[new.service[one]]].append(one)
    rest = []
    for at in here:
        same = free.get(old.same_days[old.service[at]], [])
        if not same:
            rest.append(at)
            continue
        best = min(
            same,
            key=lambda one: (
                old.numbers[at] != new.numbers[one], old.ids[at] != new.ids[one], one,
            ),
        )  # fmt: skip
        same.remove(best)
        yield Alias(at, best, "same")
    left = [one for trips in free.values() for one in trips]
    for at in rest:
        days = old.days[old.service[at]]
        for one in left:
            if (days & new.days[new.service[one]]).any():
                yield Alias(at, one, "same")


def _rests(
    old: Trips,
    new: Trips,
    keys: tuple[dict[Key, list[int]], dict[Key, list[int]]],
    window: Window,
) -> _Rests:
    """Return the days of each key on which one version runs it more often than the other."""
    rests = _Rests()
    none = np.zeros(window.n_days, dtype=np.int32)
    for key in {**keys[0], **keys[1]}:
        here, there = keys[0].get(key, ()), keys[1].get(key, ())
        if _cut(old, here) == _cut(new, there):
            continue
        left = sum((old.days[old.service[at]] for at in here), none)
        right = sum((new.days[new.service[at]] for at in there), none)
        both = bool(((left > 0) & (right > 0)).any())
        rests.old += _spread(old, here, left - right, int((left > 0).sum()), both)
        rests.new += _spread(new, there, right - left, int((right > 0).sum()), both)
    return rests


def _cut(trips: Trips, rows: Sequence[int]) -> list[bytes]:
    """Return how the days of the trips of a key are cut into services."""
    return sorted(trips.same_days[trips.service[at]] for at in rows)


def _spread(
    trips: Trips, rows: Sequence[int], over: Ints, runs: int, both: bool
) -> Iterator[_Rest]:
    """Give the days that are over to the trips that run on them."""
    over = np.maximum(over, 0)
    for at in rows:
        days = trips.days[trips.service[at]] & (over > 0)
        if days.any():
            over = over - days
            yield _Rest(at, days, runs, both)


def _exceptions(rests: _Rests, window: Window) -> Ints:
    """Return how many trips run on each day as an exception."""
    found = np.zeros(window.n_days, dtype=np.int32)
    for rest in (*rests.old, *rests.new):
        if rest.is_exception():
            found += rest.days
    return found


def _take_exceptions(rests: _Rests, window: Window) -> Ints:
    """Take the days that are exceptions off what is left; return how many trips by day."""
    found = _exceptions(rests, window)
    for rest in (*rests.old, *rests.new):
        if rest.is_exception():
            rest.days = np.zeros_like(rest.days)
    return found


def _special_days(exceptions: Ints, old: Trips, new: Trips) -> Bools:
    """Return the days on which so many trips are exceptions that it is another timetable."""
    running = [
        np.bincount(trips.service, minlength=len(trips.days)) @ trips.days.astype(np.int64)
        for trips in (old, new)
    ]
    special: Bools = (exceptions > 0) & (exceptions >= WHOLE_SHARE * np.maximum(*running))
    return special


# --- pairing what is left over --------------------------------------------------------------------


def _grouped(
    trips: Trips, rests: Iterable[_Rest], group: Callable[[Trips, _Rest], Hashable]
) -> dict[Hashable, list[_Rest]]:
    groups: dict[Hashable, list[_Rest]] = defaultdict(list)
    for rest in rests:
        groups[group(trips, rest)].append(rest)
    return groups


def _retimed(old: Trips, new: Trips, rests: _Rests, stable: bool) -> Iterator[TripChange]:
    """Pair trips of the same line and stops: by id or number, then by days and departure."""

    def stops(trips: Trips, rest: _Rest) -> Hashable:
        return int(trips.line[rest.trip]), trips.pattern[rest.trip]

    def named(trips: Trips, rest: _Rest) -> Hashable:
        return stops(trips, rest), trips.ids[rest.trip] if stable else id(rest)

    def numbered(trips: Trips, rest: _Rest) -> Hashable:
        return stops(trips, rest), trips.numbers[rest.trip] or id(rest)

    def same_days(trips: Trips, rest: _Rest) -> Hashable:
        return stops(trips, rest), rest.days.tobytes()

    for group, limit_s in (
        (named, NUMBERED_SHIFT_S), (numbered, NUMBERED_SHIFT_S), (same_days, SHIFT_S),
    ):  # fmt: skip
        left, right = rests.left()
        there = _grouped(new, right, group)
        for key, here in _grouped(old, left, group).items():
            others = there.get(key, [])
            for one, other in align(
                [int(old.start_s[r.trip]) for r in here],
                [int(new.start_s[r.trip]) for r in others],
                limit_s,
            ):
                yield from _paired(old, new, here[one], others[other])
    left, right = rests.left()
    there = _grouped(new, right, stops)
    for key, here in _grouped(old, left, stops).items():
        yield from _nearest_paired(old, new, here, there.get(key, []))


def _nearest_paired(
    old: Trips, new: Trips, here: Sequence[_Rest], there: Sequence[_Rest]
) -> Iterator[TripChange]:
    """Pair trips whose days differ but overlap, the least shift first."""
    ordered = sorted(there, key=lambda rest: int(new.start_s[rest.trip]))
    starts = [int(new.start_s[rest.trip]) for rest in ordered]
    found = []
    for one, rest in enumerate(here):
        start = int(old.start_s[rest.trip])
        span = range(bisect_left(starts, start - SHIFT_S), bisect_right(starts, start + SHIFT_S))
        found += [(abs(starts[other] - start), one, other) for other in span]
    for _, one, other in sorted(found):
        yield from _paired(old, new, here[one], ordered[other])


def _paired(old: Trips, new: Trips, here: _Rest, there: _Rest) -> Iterator[TripChange]:
    """Take the days that two left-over trips share off both."""
    days = here.days & there.days
    if not days.any():
        return
    here.days, there.days = here.days & ~days, there.days & ~days
    shift_s = int(new.start_s[there.trip] - old.start_s[here.trip])
    kind: Kind = "rerouted"
    if old.pattern[here.trip] == new.pattern[there.trip]:
        before, after = (
            np.frombuffer(times, dtype=np.int32)
            for times in (old.times[here.trip], new.times[there.trip])
        )
        kind = "shifted" if np.all(after - before == shift_s) else "retimed"
    yield TripChange(kind, here.trip, there.trip, shift_s, days)


def _rerouted(old: Trips, new: Trips, rests: _Rests, stable: bool) -> Iterator[TripChange]:
    """Pair trips of a line over other stops: by id or number, else where most are the same."""
    left, right = rests.left()
    there = _grouped(new, right, lambda trips, rest: int(trips.line[rest.trip]))
    for line, here in _grouped(old, left, lambda trips, rest: int(trips.line[rest.trip])).items():
        found = sorted(
            (score, one, other)
            for one, rest in enumerate(here)
            for other, that in enumerate(there.get(line, ()))
            if (score := _likeness(old, new, rest, that, stable)) is not None
        )
        for _, one, other in found:
            yield from _paired(old, new, here[one], there[line][other])


def _likeness(
    old: Trips, new: Trips, here: _Rest, there: _Rest, stable: bool
) -> tuple[bool, int] | None:
    """Return how unlike two trips of a line are (less is liker), or None for another trip."""
    shift = abs(int(new.start_s[there.trip] - old.start_s[here.trip]))
    late = abs(int(new.end_s[there.trip] - old.end_s[here.trip]))
    number = old.numbers[here.trip]
    named = stable and old.ids[here.trip] == new.ids[there.trip]
    named = named or bool(number and number == new.numbers[there.trip])
    if named and min(shift, late) <= NUMBERED_SHIFT_S:
        return False, min(shift, late)
    if min(shift, late) > SHIFT_S or not (here.days & there.days).any():
        return None
    before, after = set(old.stops[here.trip].tolist()), set(new.stops[there.trip].tolist())
    if len(before & after) < OTHER_STOPS_OVERLAP * len(before | after):
        return None
    return True, min(shift, late)


def _left_over(rests: _Rests) -> Iterator[TripChange]:
    left, right = rests.left()
    for rest in left:
        yield TripChange("days" if rest.both else "gone", rest.trip, -1, 0, rest.days)
    for rest in right:
        yield TripChange("days" if rest.both else "new", -1, rest.trip, 0, rest.days)
