"""Range-RAPTOR on a day slice: arrival by number of rides, for one departure or for many.

Departures are searched from the latest to the earliest and the labels are kept, so that a later
departure prunes an earlier one (Delling, Pajor, Werneck: Round-Based Public Transit Routing,
Transportation Science 2015, section 4.1). Each time the target's label improves, `advance` hands
back to the caller (`mobility.planner.answer`), which lets `mobility.planner.choose` write the
journey while the labels stand.

    begin(...)                      for every departure of a span
    while improved := advance(...)  bit k: with k rides the target is reached earlier than before
    forget(...)

or, for one departure, `depart` instead of `begin` and `advance`. ``tt`` and ``st`` are `Timetable`
and `State` as references (`mobility.planner.memory`).
"""

from __future__ import annotations

from typing import Any

from numba import njit, types

from mobility.planner.memory import first_from, int32s, int64s, uint8s
from mobility.planner.values import (
    ACCESS_M,
    ACCESS_S,
    ALIGHTING,
    ARRIVALS_S,
    BEFORE_S,
    BEST_S,
    BOARD_BASE,
    BOARD_PATTERN,
    BOARD_POS,
    BOARD_RUNS,
    BOARD_START,
    BOARDING,
    CHANGE_S,
    COUNTS,
    DEPARTURES_S,
    EGRESS_M,
    EGRESS_S,
    EVENT_PATTERN,
    EVENT_POS,
    EVENT_RUN,
    EVENTS,
    IMPROVED,
    IS_IMPROVED,
    IS_MARKED,
    IS_TOUCHED,
    LABELS_S,
    LEAVE_S,
    MARKED,
    N_EVENTS,
    N_IMPROVED,
    N_MARKED,
    N_REACHED,
    N_TOUCHED,
    NEVER_S,
    PATTERN_FLAGS,
    PATTERN_RUN_START,
    PATTERN_STOP_START,
    PATTERN_STOPS,
    PATTERN_TIME_START,
    QUEUE,
    QUEUE_POS,
    QUEUE_RUN,
    REACHED,
    REACHED_POS,
    REACHED_ROUND,
    REACHED_RUN,
    TOUCHED,
    WALK_S,
    WALK_START,
    WALK_TO,
)  # fmt: skip

NEED_EVENTS = -6  # there are more departures than `State.events` holds
EVENT_SHIFT = 24  # events are sorted by departure << 24 | number of the event


@njit(nogil=True)
def times_at(tt: Any, pattern: Any, pos: Any) -> Any:
    """Return where the times of a position begin and how many runs the pattern has."""
    run_start = int32s(tt, PATTERN_RUN_START)
    n_runs = types.int64(run_start[pattern + 1] - run_start[pattern])
    return int64s(tt, PATTERN_TIME_START)[pattern] + pos * n_runs, n_runs


@njit(nogil=True)
def collect_events(tt: Any, st: Any, access: Any, first_s: Any, end_s: Any) -> Any:
    """Write every run to board by leaving the origin in [first, end), the latest last."""
    patterns, positions = int32s(tt, BOARD_PATTERN), int32s(tt, BOARD_POS)
    bases, runs = int64s(tt, BOARD_BASE), int32s(tt, BOARD_RUNS)
    departures, at_start = int32s(tt, DEPARTURES_S), int32s(tt, BOARD_START)
    event_pattern, event_pos = int32s(st, EVENT_PATTERN), int32s(st, EVENT_POS)
    events, event_run = int64s(st, EVENTS), int32s(st, EVENT_RUN)
    n_events = 0
    for row in range(access.shape[1]):
        stop, walk_s = access[0, row], access[1, row]
        for entry in range(at_start[stop], at_start[stop + 1]):
            base = bases[entry]
            low = first_from(departures, base, 0, runs[entry], first_s + walk_s)
            high = first_from(departures, base, low, runs[entry], end_s + walk_s)
            if n_events + high - low > events.size:
                return NEED_EVENTS
            for run in range(low, high):
                leave_s = types.int64(departures[base + run]) - walk_s
                events[n_events] = leave_s << EVENT_SHIFT | n_events
                event_pattern[n_events] = patterns[entry]
                event_pos[n_events] = positions[entry]
                event_run[n_events] = run
                n_events += 1
    events[:n_events].sort()
    return n_events


@njit(nogil=True)
def _touch(st: Any, stop: Any) -> None:
    """Remember that the stop's labels must be put back."""
    is_touched, counts = uint8s(st, IS_TOUCHED), int64s(st, COUNTS)
    if not is_touched[stop]:
        is_touched[stop] = 1
        int32s(st, TOUCHED)[counts[N_TOUCHED]] = stop
        counts[N_TOUCHED] += 1


@njit(nogil=True)
def _make_ready(st: Any, stop: Any, moment: Any, done: Any, rounds: Any) -> None:
    """Improve the label of `done` rides and, with it, those of more; mark the stop."""
    labels, counts, is_marked = int32s(st, LABELS_S), int64s(st, COUNTS), uint8s(st, IS_MARKED)
    _touch(st, stop)
    for k in range(stop * rounds + done, (stop + 1) * rounds):
        if labels[2 * k + 1] <= moment:
            break
        labels[2 * k + 1] = moment
    if not is_marked[stop]:
        is_marked[stop] = 1
        int32s(st, MARKED)[counts[N_MARKED]] = stop
        counts[N_MARKED] += 1


@njit(nogil=True)
def _queue_patterns(tt: Any, st: Any, done: Any, rounds: Any, bound: Any) -> Any:
    """Queue each pattern with a run to board at a marked stop, from its earliest such position."""
    patterns, positions = int32s(tt, BOARD_PATTERN), int32s(tt, BOARD_POS)
    bases, runs = int64s(tt, BOARD_BASE), int32s(tt, BOARD_RUNS)
    departures, at_start = int32s(tt, DEPARTURES_S), int32s(tt, BOARD_START)
    reached_pos, reached_run = int32s(st, REACHED_POS), int32s(st, REACHED_RUN)
    reached_round = int32s(st, REACHED_ROUND)
    queue, queue_pos, queue_run = int32s(st, QUEUE), int32s(st, QUEUE_POS), int32s(st, QUEUE_RUN)
    marked, is_marked, labels = int32s(st, MARKED), uint8s(st, IS_MARKED), int32s(st, LABELS_S)
    counts = int64s(st, COUNTS)
    n_queued = 0
    for item in range(counts[N_MARKED]):
        stop = marked[item]
        is_marked[stop] = 0
        ready = labels[2 * (stop * rounds + done) + 1]
        for entry in range(at_start[stop], at_start[stop + 1]):
            pattern, pos = patterns[entry], positions[entry]
            if pos >= queue_pos[pattern]:
                continue
            base, n_runs = bases[entry], runs[entry]
            if pos >= reached_pos[pattern] and reached_round[pattern] <= done + 1:
                n_runs = reached_run[pattern]  # later runs bring nothing: an earlier one was ridden
                if n_runs == 0 or departures[base + n_runs - 1] < ready:
                    continue
            run = first_from(departures, base, 0, n_runs, ready)
            if run == n_runs or departures[base + run] >= bound:
                continue
            if queue_pos[pattern] == NEVER_S:
                queue[n_queued] = pattern
                n_queued += 1
            queue_pos[pattern] = pos
            queue_run[pattern] = run
    counts[N_MARKED] = 0
    return n_queued


@njit(nogil=True)
def _alight(st: Any, stop: Any, moment: Any, round_: Any, rounds: Any, bound: Any) -> Any:
    """Record an arrival by ride; returns the bound, lower where the target's arrival improved."""
    labels, best, counts = int32s(st, LABELS_S), int32s(st, BEST_S), int64s(st, COUNTS)
    is_improved = uint8s(st, IS_IMPROVED)
    _touch(st, stop)
    for k in range(stop * rounds + round_ - 1, (stop + 1) * rounds):
        if labels[2 * k] <= moment:
            break
        labels[2 * k] = moment
    if not is_improved[stop]:
        is_improved[stop] = 1
        int32s(st, IMPROVED)[counts[N_IMPROVED]] = stop
        counts[N_IMPROVED] += 1
    arrival = moment + int32s(st, EGRESS_S)[stop]
    if arrival >= bound:
        return bound
    for k in range(round_, rounds + 1):
        if best[k] <= arrival:
            break
        best[k] = arrival
    return arrival


@njit(nogil=True)
def _reach(st: Any, pattern: Any, pos: Any, run: Any, round_: Any) -> None:
    """Note that the pattern is ridden from a position by a run, unless an earlier run was."""
    reached_pos, reached_run = int32s(st, REACHED_POS), int32s(st, REACHED_RUN)
    if reached_pos[pattern] == NEVER_S:
        counts = int64s(st, COUNTS)
        int32s(st, REACHED)[counts[N_REACHED]] = pattern
        counts[N_REACHED] += 1
    elif run > reached_run[pattern] or (run == reached_run[pattern] and pos > reached_pos[pattern]):
        return
    reached_pos[pattern], reached_run[pattern] = pos, run
    int32s(st, REACHED_ROUND)[pattern] = round_


@njit(nogil=True)
def _ride_patterns(tt: Any, st: Any, n_queued: Any, round_: Any, rounds: Any, limit: Any) -> None:
    """Ride every queued pattern by its earliest run, alighting wherever it improves a label."""
    stop_start, flags = int32s(tt, PATTERN_STOP_START), uint8s(tt, PATTERN_FLAGS)
    stops, arrivals, departures = (
        int32s(tt, PATTERN_STOPS), int32s(tt, ARRIVALS_S), int32s(tt, DEPARTURES_S)
    )  # fmt: skip
    queue, queue_pos, queue_run = int32s(st, QUEUE), int32s(st, QUEUE_POS), int32s(st, QUEUE_RUN)
    labels = int32s(st, LABELS_S)
    bound = min(limit, types.int64(int32s(st, BEST_S)[round_]))
    for item in range(n_queued):
        pattern = queue[item]
        first_pos, run = queue_pos[pattern], queue_run[pattern]
        queue_pos[pattern] = NEVER_S
        _reach(st, pattern, first_pos, run, round_)
        start = stop_start[pattern]
        base, n_runs = times_at(tt, pattern, first_pos)
        for here in range(start + first_pos + 1, stop_start[pattern + 1]):
            base += n_runs
            cell = 2 * (stops[here] * rounds + round_ - 1)
            if flags[here] & ALIGHTING:
                arrival = types.int64(arrivals[base + run])
                if arrival < bound and arrival < labels[cell]:
                    bound = _alight(st, stops[here], arrival, round_, rounds, bound)
            boards = run > 0 and flags[here] & BOARDING
            if boards and labels[cell + 1] <= departures[base + run - 1]:
                run = first_from(departures, base, 0, run, labels[cell + 1])


@njit(nogil=True)
def _walk_on(tt: Any, st: Any, round_: Any, rounds: Any, limit: Any) -> None:
    """Make ready where the stops that a ride improved lead: the stop itself and its footpaths."""
    walk_start, walk_to, walk_s = int32s(tt, WALK_START), int32s(tt, WALK_TO), int32s(tt, WALK_S)
    improved, is_improved = int32s(st, IMPROVED), uint8s(st, IS_IMPROVED)
    labels, change_s = int32s(st, LABELS_S), int32s(tt, CHANGE_S)
    counts = int64s(st, COUNTS)
    bound = min(limit, types.int64(int32s(st, BEST_S)[round_]))
    for item in range(counts[N_IMPROVED]):
        stop = improved[item]
        is_improved[stop] = 0
        cell = 2 * (stop * rounds + round_ - 1)
        arrival = labels[cell]
        moment = arrival + change_s[stop]
        if moment < bound and moment < labels[cell + 3]:
            _make_ready(st, stop, moment, round_, rounds)
        for path in range(walk_start[stop], walk_start[stop + 1]):
            moment = arrival + walk_s[path]
            other = walk_to[path]
            if moment < bound and moment < labels[2 * (other * rounds + round_) + 1]:
                _make_ready(st, other, moment, round_, rounds)
    counts[N_IMPROVED] = 0


@njit(nogil=True)
def _ride_event(tt: Any, st: Any, event: Any, rounds: Any, limit: Any) -> None:
    """Ride the run of an event from where it is boarded; note when one is ready there."""
    stop_start, flags = int32s(tt, PATTERN_STOP_START), uint8s(tt, PATTERN_FLAGS)
    stops, arrivals = int32s(tt, PATTERN_STOPS), int32s(tt, ARRIVALS_S)
    pattern, pos = int32s(st, EVENT_PATTERN)[event], int32s(st, EVENT_POS)[event]
    run, labels = int32s(st, EVENT_RUN)[event], int32s(st, LABELS_S)
    here = stop_start[pattern] + pos
    base, n_runs = times_at(tt, pattern, pos)
    _reach(st, pattern, pos, run, 1)
    _touch(st, stops[here])
    labels[2 * stops[here] * rounds + 1] = int32s(tt, DEPARTURES_S)[base + run]
    bound = min(limit, types.int64(int32s(st, BEST_S)[1]))
    for at in range(here + 1, stop_start[pattern + 1]):
        base += n_runs
        arrival = types.int64(arrivals[base + run])
        if arrival >= bound:
            break
        if flags[at] & ALIGHTING and arrival < labels[2 * stops[at] * rounds]:
            bound = _alight(st, stops[at], arrival, 1, rounds, bound)


@njit(nogil=True)
def _run_rounds(tt: Any, st: Any, first: Any, rounds: Any, limit: Any, direct: Any) -> None:
    """Search from the marked stops, beginning with that round.

    `limit` is the first arrival that is too late, `direct` that of walking alone: only a ride
    without a change may be as late, for it is the one with less walking.
    """
    counts, best = int64s(st, COUNTS), int32s(st, BEST_S)
    for round_ in range(first, rounds + 1):
        if counts[N_MARKED] == 0:
            break
        bound = min(limit, direct + 1 if round_ == 1 else direct)
        soonest = min(bound, types.int64(best[round_]))
        n_queued = _queue_patterns(tt, st, round_ - 1, rounds, soonest)
        _ride_patterns(tt, st, n_queued, round_, rounds, bound)
        if round_ < rounds:
            _walk_on(tt, st, round_, rounds, min(limit, direct))
    improved, is_improved = int32s(st, IMPROVED), uint8s(st, IS_IMPROVED)
    for item in range(counts[N_IMPROVED]):
        is_improved[improved[item]] = 0
    counts[N_IMPROVED] = 0


@njit(nogil=True)
def note_best(st: Any, rounds: Any) -> None:
    """Keep the arrivals at the target by number of rides, to be compared with."""
    best, before = int32s(st, BEST_S), int32s(st, BEFORE_S)
    for k in range(rounds + 1):
        before[k] = best[k]


@njit(nogil=True)
def which_improved(st: Any, rounds: Any) -> Any:
    """Return the numbers of rides, as bits, by which the target improved."""
    best, before = int32s(st, BEST_S), int32s(st, BEFORE_S)
    improved = types.int64(0)
    for k in range(1, rounds + 1):
        if best[k] < before[k] and best[k] < best[k - 1]:
            improved |= types.int64(1) << k
    return improved


@njit(nogil=True)
def open_ends(st: Any, access: Any, egress: Any) -> None:
    """Note the ways on foot to the first and from the last stop."""
    for row in range(access.shape[1]):
        int32s(st, ACCESS_S)[access[0, row]] = access[1, row]
        int32s(st, ACCESS_M)[access[0, row]] = access[2, row]
    for row in range(egress.shape[1]):
        int32s(st, EGRESS_S)[egress[0, row]] = egress[1, row]
        int32s(st, EGRESS_M)[egress[0, row]] = egress[2, row]


@njit(nogil=True)
def begin(tt: Any, st: Any, access: Any, egress: Any, first_s: Any, end_s: Any) -> Any:
    """Open a search of every departure in [first, end).

    Parameters
    ----------
    tt, st : int64[2 * n]
        References of `Timetable` and `State`. ``best_s`` of the state holds the arrivals to be
        improved on, by number of rides.
    access, egress : int32[3, n]
        Stops that the origin and the target open, each once: stop, seconds, metres.
    first_s, end_s : int64
        Moments of the slice.

    Returns
    -------
    int64
        Number of departures; or `NEED_EVENTS`, with nothing opened.
    """
    n_events = collect_events(tt, st, access, first_s, end_s)
    if n_events >= 0:
        open_ends(st, access, egress)
        int64s(st, COUNTS)[N_EVENTS] = n_events
    return types.int64(n_events)


@njit(nogil=True)
def advance(tt: Any, st: Any, max_travel_s: Any, direct_s: Any, rounds: Any) -> Any:
    """Search departures until the target improves; returns how (bit k: k rides), 0 at the end.

    ``direct_s`` is the time of walking all the way, negative where that is out of reach; a journey
    takes at most ``max_travel_s`` and ``rounds`` rides. The first ride leaves as the event says:
    no journey that leaves after the span takes part.
    """
    events, counts = int64s(st, EVENTS), int64s(st, COUNTS)
    improved = types.int64(0)
    while improved == 0 and counts[N_EVENTS] > 0:
        note_best(st, rounds)
        leave_s = events[counts[N_EVENTS] - 1] >> EVENT_SHIFT
        counts[LEAVE_S] = leave_s
        limit = leave_s + max_travel_s + 1
        direct = types.int64(NEVER_S) if direct_s < 0 else leave_s + direct_s
        while counts[N_EVENTS] > 0 and events[counts[N_EVENTS] - 1] >> EVENT_SHIFT == leave_s:
            event = events[counts[N_EVENTS] - 1] & ((1 << EVENT_SHIFT) - 1)
            _ride_event(tt, st, event, rounds, min(limit, direct + 1))
            counts[N_EVENTS] -= 1
        if rounds > 1:
            _walk_on(tt, st, 1, rounds, min(limit, direct))
        _run_rounds(tt, st, 2, rounds, limit, direct)
        improved = which_improved(st, rounds)
    return improved


@njit(nogil=True)
def depart(
    tt: Any, st: Any, access: Any, egress: Any, leave_s: Any, latest_s: Any, direct_s: Any,
    rounds: Any,
) -> Any:  # fmt: skip
    """Search one departure, arriving at `latest_s` at the latest; returns what improved.

    One may wait for the first ride. Another, later departure may have been searched before,
    without `forget` between them.
    """
    open_ends(st, access, egress)
    note_best(st, rounds)
    int64s(st, COUNTS)[LEAVE_S] = -1
    for row in range(access.shape[1]):
        stop, moment = access[0, row], leave_s + access[1, row]
        if moment < int32s(st, LABELS_S)[2 * stop * rounds + 1]:
            _make_ready(st, stop, moment, 0, rounds)
    direct = types.int64(NEVER_S) if direct_s < 0 else leave_s + direct_s
    _run_rounds(tt, st, 1, rounds, latest_s + 1, direct)
    return which_improved(st, rounds)


@njit(nogil=True)
def forget(st: Any, access: Any, egress: Any, rounds: Any) -> None:
    """Put every scratch array of a search back."""
    touched, is_touched, counts = int32s(st, TOUCHED), uint8s(st, IS_TOUCHED), int64s(st, COUNTS)
    marked, is_marked = int32s(st, MARKED), uint8s(st, IS_MARKED)
    labels = int32s(st, LABELS_S)
    for item in range(counts[N_MARKED]):
        is_marked[marked[item]] = 0
    for item in range(counts[N_TOUCHED]):
        stop = touched[item]
        is_touched[stop] = 0
        for cell in range(2 * stop * rounds, 2 * (stop + 1) * rounds):
            labels[cell] = NEVER_S
    for row in range(access.shape[1]):
        int32s(st, ACCESS_S)[access[0, row]] = NEVER_S
    for row in range(egress.shape[1]):
        int32s(st, EGRESS_S)[egress[0, row]] = NEVER_S
    int32s(st, BEST_S)[:] = NEVER_S
    reached, reached_pos = int32s(st, REACHED), int32s(st, REACHED_POS)
    for item in range(counts[N_REACHED]):
        reached_pos[reached[item]] = NEVER_S
    counts[:] = 0
