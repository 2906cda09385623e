"""Links: from each call of each run of a day slice, the runs worth changing to there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from mobility.network.link_kernels import find_links, lay_out_runs
from mobility.network.values import (
    ALIGHTING_BIT,
    DaySlice,
    Int16s,
    Int32s,
    Int64s,
    Links,
    Network,
    read_only,
)

FIRST_ROOM = 4  # links per event that room is made for; doubled where it is not enough
LEAST_ROOM = 64
PART_EVENTS = 100_000  # of runs whose links are found by one thread at a time
MAX_LINKS = (1 << 31) - 1
MAX_CALLS = (1 << 15) - 1  # of one run: positions are int16, the last value means none
THREADS = 2
_Boardings = tuple[Int32s, Int32s, Int32s, Int64s, Int32s]


def can_link(day: DaySlice) -> bool:
    """Return whether the runs of a slice are few and short enough to number their calls."""
    longest = int(np.diff(day.pattern_stop_start).max(initial=0))
    return longest < MAX_CALLS and len(day.arrivals_s) <= MAX_LINKS


def build_links(network: Network, day: DaySlice) -> Links | None:
    """Return the links of a slice, None where they are too many to number.

    Takes 1 to 3 microseconds per event; on two threads, and the same bytes on any number.
    """
    if not can_link(day):
        return None
    length, n_runs = np.diff(day.pattern_stop_start), np.diff(day.pattern_run_start)
    pattern_of = np.repeat(np.arange(day.n_patterns, dtype=np.int32), n_runs)
    first_event = np.zeros(day.n_runs + 1, np.int32)
    np.cumsum(length[pattern_of], out=first_event[1:])
    arrivals = np.empty(len(day.arrivals_s), np.int32)
    lay_out_runs(
        day.pattern_stop_start, day.pattern_run_start, day.pattern_time_start, day.arrivals_s,
        first_event, pattern_of, arrivals,
    )  # fmt: skip
    counts = np.zeros(len(arrivals), np.int32)
    bounds = np.searchsorted(first_event, np.arange(0, len(arrivals), PART_EVENTS))
    bounds = np.unique(np.append(bounds, day.n_runs))
    board = boardings(day)

    def find(first: int, end: int) -> tuple[Int32s, Int16s]:
        room = FIRST_ROOM * int(first_event[end] - first_event[first]) + LEAST_ROOM
        while True:
            run, pos = np.empty(room, np.int32), np.empty(room, np.int16)
            n_links = find_links(
                day.pattern_stop_start, day.pattern_stops, day.pattern_flags,
                day.pattern_run_start, day.departures_s, first_event, pattern_of, arrivals,
                *board, network.change_s, network.walk_start, network.walk_to, network.walk_s,
                first, end, counts, run, pos,
            )  # fmt: skip
            if n_links >= 0:
                return run[:n_links].copy(), pos[:n_links].copy()
            room *= 2

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(find, bounds[:-1].tolist(), bounds[1:].tolist()))
    if sum(len(run) for run, _ in found) > MAX_LINKS:
        return None
    runs = np.zeros((day.n_runs + 1, 4), np.int32)
    runs[:, 0] = first_event
    runs[:-1, 1] = day.pattern_stop_start[pattern_of]
    runs[:-1, 2] = length[pattern_of] - 1
    runs[:-1, 3] = day.pattern_run_start[pattern_of + 1]
    events = np.zeros((len(arrivals) + 1, 2), np.int32)
    events[:-1, 0] = arrivals
    np.cumsum(counts, out=events[1:, 1])
    links = np.zeros((int(events[-1, 1]), 2), np.int32)
    at = 0
    for run, pos in found:
        links[at : at + len(run), 0], links[at : at + len(run), 1] = run, pos
        at += len(run)
    alights = day.pattern_flags & ALIGHTING_BIT != 0
    places = np.where(alights, day.pattern_stops, ~day.pattern_stops)
    return Links(*map(read_only, (runs, places.astype(np.int32), events, links)))


def boardings(day: DaySlice) -> _Boardings:
    """Return by stop the patterns to board: start, pattern, position, where times begin, runs."""
    pattern, pos = day.stop_patterns, day.stop_pattern_pos
    last = np.diff(day.pattern_stop_start) - 1
    useful = day.pattern_flags[day.pattern_stop_start[pattern] + pos] & 1 != 0
    useful &= pos != last[pattern]
    before = np.concatenate([[0], np.cumsum(useful)]).astype(np.int32)
    pattern, pos = pattern[useful], pos[useful]
    runs = np.diff(day.pattern_run_start)[pattern]
    base = day.pattern_time_start[pattern] + pos.astype(np.int64) * runs
    return before[day.stop_pattern_start], pattern, pos, base, runs
