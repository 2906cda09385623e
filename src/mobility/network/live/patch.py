"""A day slice with some runs changed: as if the timetable had said it so.

Changed runs are taken out of their patterns and stand behind all others in patterns of their own,
grouped so that none overtakes another. The rest is copied as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, types

from mobility.core.units import DAY_S
from mobility.network.kernels import (
    fill_times,
    group_trains,
    index_by_stop,
    split_overtaking,
)
from mobility.network.live.matching import ChangedRun
from mobility.network.slices import BEFORE_S
from mobility.network.values import (
    Bools,
    DaySlice,
    Int16s,
    Int32s,
    Int64s,
    UInt8s,
    read_only,
)

UNIX_ORDINAL = dt.date(1970, 1, 1).toordinal()
_U8 = types.Array(types.uint8, 1, "C", readonly=True)
_I32 = types.Array(types.int32, 1, "C", readonly=True)
_I64 = types.Array(types.int64, 1, "C", readonly=True)
_W_I32 = types.Array(types.int32, 1, "C")


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Changed runs as flat arrays; a run without calls does not run.

    Parameters
    ----------
    train, day : int32, int16
        Of a network with its added trains (`added.lengthened`).
    start : int64[n + 1]
        CSR over calls.
    arrivals_s, departures_s, points : int32
    flags, status : uint8
    """

    train: Int32s
    day: Int16s
    start: Int64s
    arrivals_s: Int32s
    departures_s: Int32s
    points: Int32s
    flags: UInt8s
    status: UInt8s


def changes_of(runs: Sequence[ChangedRun]) -> Changes:
    """Return the runs as arrays, in order of train and day: the order of messages is nothing."""
    runs = sorted(runs, key=lambda run: (run.train, run.day))
    start = np.zeros(len(runs) + 1, np.int64)
    np.cumsum([len(run.points) for run in runs], out=start[1:])

    def flat(name: str, dtype: type) -> npt.NDArray[Any]:
        values = chain.from_iterable(getattr(run, name) for run in runs)
        return read_only(np.fromiter(values, dtype, int(start[-1])))

    return Changes(
        train=read_only(np.array([run.train for run in runs], np.int32)),
        day=read_only(np.array([run.day for run in runs], np.int16)),
        start=read_only(start),
        arrivals_s=flat("arrivals", np.int32),
        departures_s=flat("departures", np.int32),
        points=flat("points", np.int32),
        flags=flat("flags", np.uint8),
        status=flat("status", np.uint8),
    )


@dataclass(frozen=True, slots=True, eq=False)
class LiveSlice:
    """A day slice, and what is known of its live runs.

    Parameters
    ----------
    day : DaySlice
        Live runs are the last ones.
    first_live_run : int
        Row of the first of them.
    status_start, status : int64, uint8
        CSR by live run: bits of `running`, by position.
    """

    day: DaySlice
    first_live_run: int
    status_start: Int64s
    status: UInt8s


def patch_slice(base: DaySlice, changes: Changes, n_points: int) -> LiveSlice | None:
    """Return the slice with its changed runs, None where nothing of it changes."""
    begin = _midnight(base) - BEFORE_S
    end = _midnight(base) + base.n_days * DAY_S
    taken = _taken(base, changes)
    first, last = changes.start[:-1], changes.start[1:] - 1
    rides = np.flatnonzero(last >= first)
    under_way = changes.departures_s[first[rides]] < end
    under_way &= changes.arrivals_s[last[rides]] >= begin
    live = rides[under_way]
    if not len(live) and not taken.any():
        return None
    return _whole(base, changes, ~taken, _in_patterns(changes, live), n_points)


def _midnight(base: DaySlice) -> int:
    return (base.date.toordinal() - UNIX_ORDINAL) * DAY_S - base.epoch_s


def _taken(base: DaySlice, changes: Changes) -> Bools:
    """Return which runs of the slice are changed."""
    wanted = changes.train.astype(np.int64) << 16 | changes.day.astype(np.int64)
    runs = base.run_train.astype(np.int64) << 16 | base.run_day.astype(np.int64)
    return np.isin(runs, wanted)


@dataclass(frozen=True, slots=True, eq=False)
class _Grouped:
    """Live runs in patterns: rows of `Changes` in order, where each pattern begins, their calls.

    ``order`` are rows of ``starts``, the CSR of the calls.
    """

    rows: Int64s
    order: Int32s
    part_start: Int32s
    starts: Int64s
    arrivals: Int32s
    departures: Int32s
    points: Int32s
    flags: UInt8s


def _in_patterns(changes: Changes, live: Int64s) -> _Grouped:
    lengths = np.diff(changes.start)[live]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    calls = _spans(changes.start[live], lengths)
    arrivals, departures = changes.arrivals_s[calls], changes.departures_s[calls]
    points, flags = changes.points[calls], changes.flags[calls]
    pattern = group_trains(starts, points, flags)
    departure, arrival = departures[starts[:-1]], arrivals[starts[1:] - 1]
    order = np.lexsort((live, arrival, departure, pattern)).astype(np.int32)
    still = np.zeros(len(live), np.int32)
    part = split_overtaking(pattern[order], order, still, starts, arrivals, departures)
    again = np.argsort(part, kind="stable")
    order, part = order[again], part[again]
    n_parts = int(part[-1]) + 1 if len(part) else 0
    part_start = np.searchsorted(part, np.arange(n_parts + 1)).astype(np.int32)
    return _Grouped(live[order], order, part_start, starts, arrivals, departures, points, flags)


def _spans(first: Int64s, lengths: Int64s) -> Int64s:
    """Return the indices of spans side by side.

    >>> _spans(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    spans: Int64s = np.arange(total) + np.repeat(first - (ends - lengths), lengths)
    return spans


def _whole(
    base: DaySlice, changes: Changes, kept: Bools, new: _Grouped, n_points: int
) -> LiveSlice:
    before = np.concatenate([[0], np.cumsum(kept)])
    counts = np.diff(before[base.pattern_run_start])
    some = np.flatnonzero(counts).astype(np.int32)
    lengths = np.diff(base.pattern_stop_start)
    leaders = new.order[new.part_start[:-1]]
    new_lengths = np.diff(new.starts)[leaders]
    events = _spans(new.starts[leaders], new_lengths)
    old_calls = np.repeat(counts > 0, lengths)
    n_runs = np.concatenate([counts[some], np.diff(new.part_start)])
    all_lengths = np.concatenate([lengths[some], new_lengths])
    run_start = np.concatenate([[0], np.cumsum(n_runs)]).astype(np.int32)
    stop_start = np.concatenate([[0], np.cumsum(all_lengths)]).astype(np.int32)
    time_start = np.concatenate([[0], np.cumsum(n_runs * all_lengths.astype(np.int64))])
    all_arrivals, all_departures = (np.empty(time_start[-1], np.int32) for _ in range(2))
    times = (base.arrivals_s, base.departures_s, all_arrivals, all_departures)
    copy_kept(
        some, base.pattern_stop_start, base.pattern_run_start, base.pattern_time_start,
        read_only(kept.astype(np.uint8)), *times,
    )  # fmt: skip
    first_new = int(time_start[len(some)])
    fill_times(
        new.part_start, time_start[len(some) : -1] - first_new, new.order,
        np.zeros(len(new.order), np.int32), new.starts, new.arrivals, new.departures,
        all_arrivals[first_new:], all_departures[first_new:],
    )  # fmt: skip
    stops = np.concatenate([base.pattern_stops[old_calls], new.points[events]])
    by_stop = np.zeros(n_points + 1, np.int32)
    stop_patterns, stop_positions = np.empty_like(stops), np.empty_like(stops)
    index_by_stop(stop_start, stops, by_stop, stop_patterns, stop_positions)
    day = DaySlice(
        date=base.date,
        n_days=base.n_days,
        epoch_s=base.epoch_s,
        pattern_stop_start=read_only(stop_start),
        pattern_stops=read_only(stops),
        pattern_flags=read_only(np.concatenate([base.pattern_flags[old_calls], new.flags[events]])),
        pattern_run_start=read_only(run_start),
        pattern_time_start=read_only(time_start[:-1]),
        arrivals_s=read_only(all_arrivals),
        departures_s=read_only(all_departures),
        run_train=read_only(np.concatenate([base.run_train[kept], changes.train[new.rows]])),
        run_day=read_only(np.concatenate([base.run_day[kept], changes.day[new.rows]])),
        stop_pattern_start=read_only(by_stop),
        stop_patterns=read_only(stop_patterns),
        stop_pattern_pos=read_only(stop_positions),
    )
    run_lengths = np.diff(changes.start)[new.rows]
    return LiveSlice(
        day=day,
        first_live_run=int(before[-1]),
        status_start=read_only(np.concatenate([[0], np.cumsum(run_lengths)]).astype(np.int64)),
        status=read_only(changes.status[_spans(changes.start[new.rows], run_lengths)]),
    )


@njit(
    types.void(_I32, _I32, _I32, _I64, _U8, _I32, _I32, _W_I32, _W_I32), cache=True, nogil=True
)  # fmt: skip
def copy_kept(
    patterns: Int32s,
    stop_start: Int32s,
    run_start: Int32s,
    time_start: Int64s,
    kept: UInt8s,
    arrivals: Int32s,
    departures: Int32s,
    out_arrivals: Int32s,
    out_departures: Int32s,
) -> None:
    """Write the times of the runs that are kept, pattern by pattern, position by position."""
    target = 0
    for pattern in patterns:
        first, end = run_start[pattern], run_start[pattern + 1]
        source = time_start[pattern]
        for _ in range(stop_start[pattern], stop_start[pattern + 1]):
            for run in range(first, end):
                if kept[run]:
                    out_arrivals[target] = arrivals[source]
                    out_departures[target] = departures[source]
                    target += 1
                source += 1
