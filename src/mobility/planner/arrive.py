"""RAPTOR from the target backwards: the latest departure by number of rides, for one arrival.

The mirror of `mobility.planner.search`: times are negative, so that the labels of the same
`State` serve, a lower label being a later moment: of each pair the first is the latest departure by
a ride with at most k + 1 rides to go, the second the moment until which one may alight with k.
"""

from __future__ import annotations

from typing import Any

from numba import njit, types

from mobility.planner.memory import first_from, int32s, int64s, uint8s
from mobility.planner.search import times_at
from mobility.planner.values import (
    ACCESS_S,
    ALIGHT_BASE,
    ALIGHT_PATTERN,
    ALIGHT_POS,
    ALIGHT_RUNS,
    ALIGHT_START,
    ALIGHTING,
    ARRIVALS_S,
    BACK_FROM,
    BACK_S,
    BACK_START,
    BEST_S,
    BOARDING,
    CHANGE_S,
    COUNTS,
    DEPARTURES_S,
    IMPROVED,
    IS_IMPROVED,
    IS_MARKED,
    IS_TOUCHED,
    LABELS_S,
    MARKED,
    N_IMPROVED,
    N_MARKED,
    N_TOUCHED,
    NEVER_S,
    PATTERN_FLAGS,
    PATTERN_STOP_START,
    PATTERN_STOPS,
    QUEUE,
    QUEUE_POS,
    QUEUE_RUN,
    TOUCHED,
)  # fmt: skip


@njit(nogil=True)
def _touch(st: Any, stop: Any) -> None:
    is_touched, counts = uint8s(st, IS_TOUCHED), int64s(st, COUNTS)
    if not is_touched[stop]:
        is_touched[stop] = 1
        int32s(st, TOUCHED)[counts[N_TOUCHED]] = stop
        counts[N_TOUCHED] += 1


@njit(nogil=True)
def _allow(st: Any, stop: Any, late: Any, left: Any, rounds: Any) -> None:
    """Improve the moment until which one may alight with `left` rides to go; mark the stop."""
    labels, counts, is_marked = int32s(st, LABELS_S), int64s(st, COUNTS), uint8s(st, IS_MARKED)
    first = stop * rounds + left
    if late >= labels[2 * first + 1]:
        return
    _touch(st, stop)
    for k in range(first, (stop + 1) * rounds):
        if labels[2 * k + 1] <= late:
            break
        labels[2 * k + 1] = late
    if not is_marked[stop]:
        is_marked[stop] = 1
        int32s(st, MARKED)[counts[N_MARKED]] = stop
        counts[N_MARKED] += 1


@njit(nogil=True)
def _queue_patterns(tt: Any, st: Any, left: Any, rounds: Any) -> Any:
    """Queue each pattern with a run to alight from at a marked stop, from its latest such position.

    The position stands negative in ``queue_pos``.
    """
    patterns, positions = int32s(tt, ALIGHT_PATTERN), int32s(tt, ALIGHT_POS)
    bases, runs = int64s(tt, ALIGHT_BASE), int32s(tt, ALIGHT_RUNS)
    arrivals, at_start = int32s(tt, ARRIVALS_S), int32s(tt, ALIGHT_START)
    queue, queue_pos, queue_run = int32s(st, QUEUE), int32s(st, QUEUE_POS), int32s(st, QUEUE_RUN)
    marked, is_marked, counts = int32s(st, MARKED), uint8s(st, IS_MARKED), int64s(st, COUNTS)
    n_queued = 0
    for item in range(counts[N_MARKED]):
        stop = marked[item]
        is_marked[stop] = 0
        late = int32s(st, LABELS_S)[2 * (stop * rounds + left) + 1]
        for entry in range(at_start[stop], at_start[stop + 1]):
            pattern, pos = patterns[entry], positions[entry]
            if -pos >= queue_pos[pattern]:
                continue
            run = first_from(arrivals, bases[entry], 0, runs[entry], 1 - late) - 1
            if run < 0:
                continue
            if queue_pos[pattern] == NEVER_S:
                queue[n_queued] = pattern
                n_queued += 1
            queue_pos[pattern] = -pos
            queue_run[pattern] = run
    counts[N_MARKED] = 0
    return n_queued


@njit(nogil=True)
def _board(st: Any, stop: Any, late: Any, round_: Any, rounds: Any, bound: Any) -> Any:
    """Record a departure by ride; returns the bound, lower where the origin's improved."""
    labels, best, counts = int32s(st, LABELS_S), int32s(st, BEST_S), int64s(st, COUNTS)
    is_improved = uint8s(st, IS_IMPROVED)
    _touch(st, stop)
    for k in range(stop * rounds + round_ - 1, (stop + 1) * rounds):
        if labels[2 * k] <= late:
            break
        labels[2 * k] = late
    if not is_improved[stop]:
        is_improved[stop] = 1
        int32s(st, IMPROVED)[counts[N_IMPROVED]] = stop
        counts[N_IMPROVED] += 1
    leave = late + int32s(st, ACCESS_S)[stop]
    if leave >= bound:
        return bound
    for k in range(round_, rounds + 1):
        if best[k] <= leave:
            break
        best[k] = leave
    return leave


@njit(nogil=True)
def _ride_patterns(tt: Any, st: Any, n_queued: Any, round_: Any, rounds: Any, limit: Any) -> None:
    """Ride every queued pattern backwards by its latest run, boarding wherever it improves."""
    stop_start, flags = int32s(tt, PATTERN_STOP_START), uint8s(tt, PATTERN_FLAGS)
    stops, arrivals = int32s(tt, PATTERN_STOPS), int32s(tt, ARRIVALS_S)
    departures = int32s(tt, DEPARTURES_S)
    queue, queue_pos, queue_run = int32s(st, QUEUE), int32s(st, QUEUE_POS), int32s(st, QUEUE_RUN)
    labels = int32s(st, LABELS_S)
    bound = min(limit, types.int64(int32s(st, BEST_S)[round_]))
    for item in range(n_queued):
        pattern = queue[item]
        last_pos, run = -queue_pos[pattern], queue_run[pattern]
        queue_pos[pattern] = NEVER_S
        base, n_runs = times_at(tt, pattern, last_pos)
        for pos in range(last_pos - 1, -1, -1):
            base -= n_runs
            here = stop_start[pattern] + pos
            cell = 2 * (stops[here] * rounds + round_ - 1)
            if flags[here] & BOARDING:
                late = -types.int64(departures[base + run])
                if late < bound and late < labels[cell]:
                    bound = _board(st, stops[here], late, round_, rounds, bound)
            alights = run + 1 < n_runs and flags[here] & ALIGHTING
            if alights and -labels[cell + 1] >= arrivals[base + run + 1]:
                run = first_from(arrivals, base, run + 1, n_runs, 1 - labels[cell + 1]) - 1


@njit(nogil=True)
def _walk_back(tt: Any, st: Any, round_: Any, rounds: Any, limit: Any) -> None:
    """Allow alighting where one can still reach the departures that improved."""
    back_start, back_from = int32s(tt, BACK_START), int32s(tt, BACK_FROM)
    improved, is_improved = int32s(st, IMPROVED), uint8s(st, IS_IMPROVED)
    counts = int64s(st, COUNTS)
    bound = min(limit, types.int64(int32s(st, BEST_S)[round_]))
    for item in range(counts[N_IMPROVED]):
        stop = improved[item]
        is_improved[stop] = 0
        late = int32s(st, LABELS_S)[2 * (stop * rounds + round_ - 1)]
        if round_ < rounds and late + int32s(tt, CHANGE_S)[stop] < bound:
            _allow(st, stop, late + int32s(tt, CHANGE_S)[stop], round_, rounds)
        for path in range(back_start[stop], back_start[stop + 1]):
            moment = late + int32s(tt, BACK_S)[path]
            if round_ < rounds and moment < bound:
                _allow(st, back_from[path], moment, round_, rounds)
    counts[N_IMPROVED] = 0


@njit(nogil=True)
def latest_departures(
    tt: Any, st: Any, access: Any, egress: Any, arrive_s: Any, earliest_s: Any, direct_s: Any,
    rounds: Any,
) -> Any:  # fmt: skip
    """Write the latest departures, negative, by number of rides to ``best_s``; returns which.

    Parameters
    ----------
    tt, st : int64[2 * n]
        References of `Timetable` and `State`; ``best_s`` must be at its latest.
    access, egress : int32[3, n]
        Stops that the origin and the target open, each once: stop, seconds, metres.
    arrive_s, earliest_s : int64
        Latest arrival and earliest departure, moments of the slice.
    direct_s : int64
        Time of walking all the way, negative where that is out of reach: rides are to leave later,
        or at the same time without a change.

    Returns
    -------
    int64
        Bit k: with k rides one leaves later than with fewer. `mobility.planner.search.forget`
        must follow.
    """
    counts, best = int64s(st, COUNTS), int32s(st, BEST_S)
    for row in range(access.shape[1]):
        int32s(st, ACCESS_S)[access[0, row]] = access[1, row]
    for row in range(egress.shape[1]):
        _allow(st, egress[0, row], egress[1, row] - arrive_s, 0, rounds)
    limit = 1 - earliest_s
    on_foot = types.int64(NEVER_S) if direct_s < 0 else direct_s - arrive_s
    for round_ in range(1, rounds + 1):
        if counts[N_MARKED] == 0:
            break
        n_queued = _queue_patterns(tt, st, round_ - 1, rounds)
        bound = min(limit, on_foot + 1 if round_ == 1 else on_foot)
        _ride_patterns(tt, st, n_queued, round_, rounds, bound)
        _walk_back(tt, st, round_, rounds, min(limit, on_foot))
    improved = types.int64(0)
    for k in range(1, rounds + 1):
        if best[k] < best[k - 1]:
            improved |= types.int64(1) << k
    return improved
