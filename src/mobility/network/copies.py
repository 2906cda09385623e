"""Another day slice out of a day slice: some of its runs, with other calls open, at other points.

So a rule for some riders becomes other arrays for the same kernels. Runs keep their trains, and
calls their positions in the train, so that journeys are told from either slice alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mobility.network.kernels import copy_times, index_by_stop
from mobility.network.values import (
    ALIGHTING_BIT,
    BOARDING_BIT,
    Bools,
    DaySlice,
    Int32s,
    Int64s,
    read_only,
)

TO_THE_END = (1 << 31) - 1  # beyond any position


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """Patterns to be made, each of some runs of one pattern of a slice.

    Parameters
    ----------
    pattern : int32[n]
        Of which pattern each is a copy.
    run_start, runs : int64[n + 1], int32
        CSR: rows of the slice's runs, in order.
    boards, alights : int32[n, 2]
        Positions from the first up to, not including, the second at which one may board (alight),
        where the pattern itself allows it.
    points : int32[n, 3]
        What is added to the points of positions before the third, and from there on.
    """

    pattern: Int32s
    run_start: Int64s
    runs: Int32s
    boards: Int32s
    alights: Int32s
    points: Int32s

    @classmethod
    def of(cls, copies: Iterable[Copy]) -> Copies:
        """Return single copies as arrays."""
        rows = list(copies)
        start = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row.runs) for row in rows], out=start[1:])
        runs = [np.asarray(row.runs, np.int32) for row in rows]
        return cls(
            np.array([row.pattern for row in rows], np.int32),
            start,
            np.concatenate(runs) if runs else np.empty(0, np.int32),
            np.array([row.boards for row in rows], np.int32).reshape(-1, 2),
            np.array([row.alights for row in rows], np.int32).reshape(-1, 2),
            np.array([row.points for row in rows], np.int32).reshape(-1, 3),
        )

    @classmethod
    def whole(cls, day: DaySlice, runs: Bools, points: int = 0) -> Copies:
        """Return the patterns of a slice with some of their runs, all points so much further on."""
        pattern_of = np.repeat(
            np.arange(day.n_patterns, dtype=np.int32), np.diff(day.pattern_run_start)
        )
        rows = np.flatnonzero(runs).astype(np.int32)
        pattern, counts = np.unique(pattern_of[rows], return_counts=True)
        start = np.zeros(len(pattern) + 1, np.int64)
        np.cumsum(counts, out=start[1:])
        span = np.array([0, TO_THE_END], np.int32)
        everywhere = np.tile(span, (len(pattern), 1))
        shift = np.tile(np.array([points, points, 0], np.int32), (len(pattern), 1))
        return cls(pattern, start, rows, everywhere, everywhere, shift)

    def __add__(self, other: Copies) -> Copies:
        """Return these and after them the others."""
        return Copies(
            np.concatenate([self.pattern, other.pattern]),
            np.concatenate([self.run_start, other.run_start[1:] + self.run_start[-1]]),
            np.concatenate([self.runs, other.runs]),
            np.concatenate([self.boards, other.boards]),
            np.concatenate([self.alights, other.alights]),
            np.concatenate([self.points, other.points]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """One row of `Copies`."""

    pattern: int
    runs: Sequence[int] | Int32s
    boards: tuple[int, int] = (0, TO_THE_END)
    alights: tuple[int, int] = (0, TO_THE_END)
    points: tuple[int, int, int] = (0, 0, 0)


def copied_slice(day: DaySlice, copies: Copies, n_points: int, closed: Bools | None) -> DaySlice:
    """Return the slice of the copies.

    Parameters
    ----------
    day : DaySlice
        Of which they are copies.
    copies : Copies
    n_points : int
        How many points there are afterwards.
    closed : bool, optional
        Points at which nobody boards or alights.
    """
    lengths: Int32s = np.diff(day.pattern_stop_start)[copies.pattern]
    stop_start = _starts(lengths.astype(np.int64))
    copy = np.repeat(np.arange(len(lengths)), lengths)
    position = np.arange(stop_start[-1]) - stop_start[copy]
    rows = day.pattern_stop_start[copies.pattern][copy] + position
    flags = day.pattern_flags[rows].copy()
    for bit, spans in ((BOARDING_BIT, copies.boards), (ALIGHTING_BIT, copies.alights)):
        outside = (position < spans[copy, 0]) | (position >= spans[copy, 1])
        flags[outside] &= np.uint8(0xFF ^ bit)
    before, after, turn = copies.points.T
    points = day.pattern_stops[rows]
    points = points + np.where(position < turn[copy], before[copy], after[copy])
    if closed is not None:
        flags[closed[points]] = 0
    n_runs = np.diff(copies.run_start)
    time_start = _starts(lengths.astype(np.int64) * n_runs)
    arrivals, departures = (np.empty(time_start[-1], np.int32) for _ in range(2))
    copy_times(
        copies.pattern, lengths, day.pattern_run_start, day.pattern_time_start, copies.runs,
        copies.run_start, day.arrivals_s, day.departures_s, time_start[:-1], arrivals, departures,
    )  # fmt: skip
    stops = points.astype(np.int32)
    by_stop = np.zeros(n_points + 1, np.int32)
    stop_patterns, stop_positions = np.empty_like(stops), np.empty_like(stops)
    pattern_start = stop_start.astype(np.int32)
    index_by_stop(pattern_start, stops, by_stop, stop_patterns, stop_positions)
    return replace(
        day,
        pattern_stop_start=read_only(pattern_start),
        pattern_stops=read_only(stops),
        pattern_flags=read_only(flags),
        pattern_run_start=read_only(copies.run_start.astype(np.int32)),
        pattern_time_start=read_only(time_start[:-1]),
        arrivals_s=read_only(arrivals),
        departures_s=read_only(departures),
        run_train=read_only(day.run_train[copies.runs]),
        run_day=read_only(day.run_day[copies.runs]),
        stop_pattern_start=read_only(by_stop),
        stop_patterns=read_only(stop_patterns),
        stop_pattern_pos=read_only(stop_positions),
    )


def _starts(counts: Int64s) -> Int64s:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts
