"""Kernels that find which runs are worth changing to: transfers of trip-based routing.

Source: S. Witt, Trip-Based Public Transit Routing, ESA 2015, algorithms 1 and 3. Differs from the
paper: a change is kept exactly if it brings an earlier arrival by ride at some stop, for what
walking makes of an arrival follows from it; and changes that turn back are no case apart, since
a ride back to a stop may go on by a footpath that was not open to who walked to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

LATER_S = 1 << 30  # later than any time of a slice
ALIGHTING = 2  # bit of pattern_flags
_U8 = types.Array(types.uint8, 1, "C", readonly=True)
_I32 = types.Array(types.int32, 1, "C", readonly=True)
_I64 = types.Array(types.int64, 1, "C", readonly=True)
_W_I16 = types.Array(types.int16, 1, "C")
_W_I32 = types.Array(types.int32, 1, "C")


@njit(types.void(_I32, _I32, _I64, _I32, _I32, _I32, _W_I32), cache=True, nogil=True)
def lay_out_runs(
    stop_start: Any, run_start: Any, time_start: Any, times: Any, first_event: Any,
    pattern_of: Any, by_run: Any,
) -> None:  # fmt: skip
    """Write the times of a slice run by run."""
    for run in range(pattern_of.size):
        pattern = pattern_of[run]
        n_runs = types.int64(run_start[pattern + 1] - run_start[pattern])
        at = time_start[pattern] + run - run_start[pattern]
        for event in range(first_event[run], first_event[run + 1]):
            by_run[event] = times[at]
            at += n_runs


@njit(nogil=True)
def _first_from(times: Any, base: Any, n_runs: Any, moment: Any) -> Any:
    low, high = types.int64(0), types.int64(n_runs)
    while low < high:
        middle = (low + high) >> 1
        if times[base + middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True)
def _lead(
    stops: Any, flags: Any, arrivals: Any, earliest: Any, touched: Any, n_touched: Any,
    first: Any, end: Any, event: Any,
) -> Any:  # fmt: skip
    """Note the arrivals of a run at the positions [first, end), the first of them that event.

    Returns how many stops are touched, and whether it is anywhere earlier than what was known.
    """
    is_earlier = False
    for position in range(first, end):
        if flags[position] & ALIGHTING:
            stop, moment = stops[position], arrivals[event + position - first]
            if moment < earliest[stop]:
                if earliest[stop] == LATER_S:
                    touched[n_touched] = stop
                    n_touched += 1
                earliest[stop] = moment
                is_earlier = True
    return n_touched, is_earlier


@njit(nogil=True)
def _turn_round(link_run: Any, link_pos: Any, low: Any, high: Any) -> None:
    """Reverse the links [low, high)."""
    high -= 1
    while low < high:
        link_run[low], link_run[high] = link_run[high], link_run[low]
        link_pos[low], link_pos[high] = link_pos[high], link_pos[low]
        low += 1
        high -= 1


@njit(
    types.int64(
        _I32, _I32, _U8, _I32, _I32, _I32, _I32, _I32, _I32, _I32, _I32, _I64, _I32,
        _I32, _I32, _I32, _I32, types.int64, types.int64, _W_I32, _W_I32, _W_I16,
    ),
    cache=True, nogil=True,
)  # fmt: skip
def find_links(
    stop_start: Any, stops: Any, flags: Any, run_start: Any, departures: Any,
    first_event: Any, pattern_of: Any, arrivals: Any,
    board_start: Any, board_pattern: Any, board_pos: Any, board_base: Any, board_runs: Any,
    change_s: Any, walk_start: Any, walk_to: Any, walk_s: Any,
    first_run: Any, end_run: Any, link_count: Any, link_run: Any, link_pos: Any,
) -> Any:  # fmt: skip
    """Write the links of the runs [first_run, end_run), by event; returns how many.

    ``link_count`` is written per event. Returns -1 where the links have no room.

    From its last stop to its first, the arrivals of the run itself and then those of the runs that
    one can change to are gathered; a change that makes none of them earlier is not needed: whoever
    sits in the run reaches all that it leads to, no later and with no ride more, by staying on or
    by a change further on.
    """
    earliest = np.full(change_s.size, LATER_S, np.int32)
    touched = np.empty(change_s.size, np.int32)
    n_links = types.int64(0)
    for run in range(first_run, end_run):
        pattern = pattern_of[run]
        start, n_touched, before = stop_start[pattern], types.int64(0), n_links
        for pos in range(stop_start[pattern + 1] - start - 1, 0, -1):
            here, event = start + pos, first_event[run] + pos
            if not flags[here] & ALIGHTING:
                continue
            n_before = n_links
            n_touched, _ = _lead(
                stops, flags, arrivals, earliest, touched, n_touched, here, here + 1, event
            )
            stop, arrival = stops[here], arrivals[event]
            for path in range(walk_start[stop] - 1, walk_start[stop + 1]):
                at, ready = stop, types.int64(arrival) + change_s[stop]
                if path >= walk_start[stop]:
                    at, ready = walk_to[path], types.int64(arrival) + walk_s[path]
                for entry in range(board_start[at], board_start[at + 1]):
                    k = _first_from(departures, board_base[entry], board_runs[entry], ready)
                    if k == board_runs[entry]:
                        continue
                    other, other_pos = board_pattern[entry], board_pos[entry]
                    onto = run_start[other] + k
                    if other == pattern and onto >= run and other_pos >= pos:
                        continue
                    n_touched, is_earlier = _lead(
                        stops, flags, arrivals, earliest, touched, n_touched,
                        stop_start[other] + other_pos + 1, stop_start[other + 1],
                        first_event[onto] + other_pos + 1,
                    )  # fmt: skip
                    if not is_earlier:
                        continue
                    if n_links == link_run.size:
                        return types.int64(-1)
                    link_run[n_links] = onto
                    link_pos[n_links] = other_pos
                    n_links += 1
            link_count[event] = n_links - n_before
        for item in range(n_touched):
            earliest[touched[item]] = LATER_S
        _turn_round(link_run, link_pos, before, n_links)
    return n_links
