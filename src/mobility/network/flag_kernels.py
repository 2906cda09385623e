"""The kernel that finds towards which part of a network each link of a day slice is of use.

Source: E. Großmann, J. Sauer, C. Schulz, P. Steil, Arc-Flags Meet Trip-Based Public Transit Routing
(FLASH-TB), SEA 2023. Differs from the paper: instead of one search per origin there is one pass
backwards per number of rides over all calls at once, for the stops of a part side by side; and
every link that is as good as the best is flagged, for `mobility.planner.choose` chooses among equal
journeys.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from mobility.network.bound_kernels import FAR, UNIT_S

MOST_RIDES = 16  # of a journey; further ones are not looked for
NEVER = (1 << 16) - 1  # rank of an arrival that there is not
LANES = 16  # the stops of a part are filled up to a multiple of so many
_I32 = types.Array(types.int32, 1, "C", readonly=True)
_U16 = types.Array(types.uint16, 1, "C", readonly=True)
_W_U8 = types.Array(types.uint8, 1, "C")
_W_U8_2 = types.Array(types.uint8, 2, "C")
_W_U16 = types.Array(types.uint16, 2, "C")


@njit(nogil=True)
def _ride_on(
    runs: Any, places: Any, rank_of: Any, lane_of: Any, least: Any, stamp: Any, fewest: Any
) -> None:
    """Write what is reached by staying on: of each call the rank of the arrival at each lane."""
    least[:] = NEVER
    stamp[:] = -1
    for run in range((runs.size >> 2) - 1):
        first, place, last = runs[4 * run], runs[4 * run + 1], runs[4 * run + 2]
        for pos in range(last, 0, -1):
            event, stop = first + pos, places[place + pos]
            if pos < last and stamp[event + 1] == 0:
                least[event] = least[event + 1]
                stamp[event] = 0
            if stop >= 0 and lane_of[stop] >= 0:
                least[event, lane_of[stop]] = rank_of[event]
                stamp[event] = 0
            if stop >= 0 and stamp[event] == 0:
                for lane in range(least.shape[1]):
                    if least[event, lane] != NEVER:
                        fewest[stop, lane] = 0


@njit(nogil=True)
def _mark_before(
    event: Any, back_start: Any, back_event: Any, run_of: Any, marked: Any, marked_run: Any,
    rides: Any,
) -> None:  # fmt: skip
    """Mark the calls from which a link leads to a call, for the pass of so many rides."""
    for entry in range(back_start[event], back_start[event + 1]):
        before = back_event[entry]
        marked[before] = rides
        marked_run[run_of[before]] = rides


@njit(nogil=True)
def _improve(
    events: Any, onto: Any, event: Any, rides: Any, least: Any, stamp: Any, fresh: Any,
    column: Any, bit: Any, is_marked: Any,
) -> Any:  # fmt: skip
    """Take into the fresh ranks of a call what its links lead to; flag those that are best.

    Returns whether the call reaches any lane earlier than with a ride less.
    """
    width = fresh.size
    low, high = events[2 * event + 1], events[2 * event + 3]
    if is_marked:
        for link in range(low, high):
            after = onto[link]
            if stamp[after] == rides - 1:
                for lane in range(width):
                    fresh[lane] = min(fresh[lane], least[after, lane])
    is_earlier = False
    for lane in range(width):
        is_earlier |= fresh[lane] < least[event, lane]
    if is_earlier and is_marked:
        for link in range(low, high):
            after = onto[link]
            if stamp[after] == rides - 1 and column[link] & bit == 0:
                is_best = False
                for lane in range(width):
                    is_best |= (fresh[lane] < least[event, lane]) & (
                        fresh[lane] == least[after, lane]
                    )
                if is_best:
                    column[link] |= bit
    return is_earlier


@njit(nogil=True)
def _ride_once_more(
    runs: Any, events: Any, onto: Any, marked: Any, marked_run: Any, rides: Any, least: Any,
    stamp: Any, changed_event: Any, changed: Any, fresh: Any, column: Any, bit: Any,
) -> Any:  # fmt: skip
    """Write the ranks that one ride more makes earlier; returns of how many calls.

    What is known with a ride less stays as it is until all are written.
    """
    n_changed = types.int64(0)
    for run in range((runs.size >> 2) - 1):
        if marked_run[run] != rides:
            continue
        first, carries = runs[4 * run], False
        for event in range(first + runs[4 * run + 2], first, -1):
            is_marked = marked[event] == rides
            if not (is_marked or carries):
                continue
            for lane in range(fresh.size):  # it may hold the ranks of the call after
                known = least[event, lane]
                fresh[lane] = min(fresh[lane], known) if carries else known
            carries = _improve(
                events, onto, event, rides, least, stamp, fresh, column, bit, is_marked
            )
            if carries:
                changed_event[n_changed] = event
                changed[n_changed] = fresh
                n_changed += 1
    return n_changed


@njit(nogil=True)
def _take_up(
    runs: Any, places: Any, run_of: Any, event: Any, fresh: Any, rides: Any, least: Any,
    fewest: Any,
) -> None:  # fmt: skip
    """Take up the ranks that a ride more made earlier."""
    run = run_of[event]
    stop = places[runs[4 * run + 1] + event - runs[4 * run]]
    for lane in range(fresh.size):
        if stop >= 0 and least[event, lane] == NEVER and fresh[lane] != NEVER:
            fewest[stop, lane] = min(fewest[stop, lane], rides)
        least[event, lane] = fresh[lane]


@njit(nogil=True)
def _find_units(
    runs: Any, places: Any, events: Any, time_start: Any, times: Any, lane_stop: Any,
    least: Any, stamp: Any, units: Any,
) -> None:  # fmt: skip
    """Write by stop and lane the least time from a call at the stop to an arrival at the lane's."""
    for run in range((runs.size >> 2) - 1):
        first, place = runs[4 * run], runs[4 * run + 1]
        for pos in range(1, runs[4 * run + 2] + 1):
            event, stop = first + pos, places[place + pos]
            if stop < 0 or stamp[event] < 0:
                continue
            for lane in range(lane_stop.size):
                if least[event, lane] != NEVER:
                    arrival = times[time_start[lane_stop[lane]] + least[event, lane]]
                    took = min((arrival - events[2 * event]) // UNIT_S, FAR)
                    units[stop, lane] = min(units[stop, lane], np.uint16(took))


@njit(
    types.void(
        _I32, _I32, _I32, _I32, _I32, _I32, _I32, _U16, _I32, _I32, _I32, _I32, types.int64,
        types.int64, _W_U16, _W_U16, _W_U8, _W_U16, _W_U8_2,
    ),
    cache=True, nogil=True,
)  # fmt: skip
def flag_part(
    runs: Any, places: Any, events: Any, onto: Any, run_of: Any, back_start: Any,
    back_event: Any, rank_of: Any, time_start: Any, times: Any, lane_of: Any, lane_stop: Any,
    bit: Any, most_rides: Any, least: Any, changed: Any, column: Any, units: Any, fewest: Any,
) -> None:  # fmt: skip
    """Flag with a bit of ``column`` the links that any best journey to the stops of a part takes.

    Best is what arrives by ride earlier than with fewer rides. ``units`` and ``fewest``, by stop
    and lane, are the least time from an arrival at the stop to one at the lane's, in units of two
    seconds, and the fewest rides more. ``onto`` is by link the call after the one boarded, and
    ``back_*`` are by such a call those that the links come from.

    Arrivals are ranks among all arrivals at their stop, so that two bytes tell seconds apart.
    ``least`` and ``changed`` are scratch of a row per event.
    """
    stamp = np.empty(rank_of.size, np.int8)  # with how many rides a row was last improved
    marked = np.zeros(rank_of.size, np.int8)  # for the pass of so many rides
    marked_run = np.zeros((runs.size >> 2) - 1, np.int8)
    changed_event = np.empty(rank_of.size, np.int32)
    fresh = np.empty(least.shape[1], np.uint16)
    _ride_on(runs, places, rank_of, lane_of, least, stamp, fewest)
    for event in range(rank_of.size):
        if stamp[event] == 0:
            _mark_before(event, back_start, back_event, run_of, marked, marked_run, 1)
    for rides in range(1, most_rides):
        n_changed = _ride_once_more(
            runs, events, onto, marked, marked_run, rides, least, stamp, changed_event, changed,
            fresh, column, bit,
        )  # fmt: skip
        for row in range(n_changed):
            event = changed_event[row]
            _take_up(runs, places, run_of, event, changed[row], rides, least, fewest)
            stamp[event] = rides
            _mark_before(event, back_start, back_event, run_of, marked, marked_run, rides + 1)
        if n_changed == 0:
            break
    _find_units(runs, places, events, time_start, times, lane_stop, least, stamp, units)
