"""Trip-based search on a day slice with links: from run to run, where `search` goes by stops.

In each round the stretches of runs boarded in the round before are gone along (`_arrive`), and
where the target can still be reached earlier the links there are followed (`_board_links`). Kept
are, in one lane per number of rides, the earliest arrival by ride at each stop and the position
from which on each run was ridden. As in `search`, departures are searched from the latest to the
earliest and what is known is kept; a lane is opened as a copy of the one below when a ride more is
needed.

Source: S. Witt, Trip-Based Public Transit Routing, ESA 2015, algorithm 2 and section 3.3. Differs
from the paper: arrivals are also kept by stop, for `mobility.planner.choose` to read.
"""

from __future__ import annotations

from typing import Any

from numba import njit, types

from mobility.planner.memory import (
    ENDS,
    INT,
    REFS,
    copy_row,
    first_from,
    int16s,
    int32s,
    int64s,
    kernel,
    uint8s,
)
from mobility.planner.search import EVENT_SHIFT, note_best, open_ends, which_improved
from mobility.planner.values import (
    ALIGHTING,
    BEST_S,
    BOARD_BASE,
    BOARD_PATTERN,
    BOARD_POS,
    BOARD_RUNS,
    BOARD_START,
    COUNTS,
    DEPARTURES_S,
    EGRESS_S,
    EVENT_PATTERN,
    EVENT_POS,
    EVENT_RUN,
    EVENTS,
    FROM_S,
    LABELS_S,
    LEAVE_S,
    LINK_POS,
    LINK_RUN,
    LINK_START,
    N_EVENTS,
    N_LANES,
    NEVER_S,
    NOT_RIDDEN,
    PATTERN_FLAGS,
    PATTERN_RUN_START,
    PATTERN_STOP_START,
    PATTERN_STOPS,
    RIDDEN_FROM,
    RUN_ARRIVALS_S,
    RUN_FIRST_EVENT,
    RUN_PATTERN,
    STRETCHES,
)


@njit(nogil=True, inline="always")
def _board(
    ridden: Any, stretches: Any, n_runs: Any, lane: Any,
    n_lanes: Any, last: Any, run_end: Any, run: Any, pos: Any, tail: Any,
) -> Any:  # fmt: skip
    """Ride a run from a position that it was not yet ridden from; returns the queue's new end.

    ``last`` is the last position, ``run_end`` the run after the last of the pattern. A stretch is
    run << 32 | position boarded << 16 | last position that is new. Whatever a later
    run of the pattern reaches from there, this one does too: it is ridden as well.
    """
    last = min(types.int64(ridden[lane * n_runs + run]), types.int64(last))
    stretches[tail] = types.int64(run) << 32 | types.int64(pos) << 16 | last
    for row in range(lane * n_runs, n_lanes * n_runs, n_runs):
        if ridden[row + run] <= pos:
            break
        for cell in range(row + run, row + run_end):
            if ridden[cell] <= pos:
                break
            ridden[cell] = pos
    return tail + 1


@njit(nogil=True)
def _arrive(
    tt: Any, ln: Any, st: Any, head: Any, tail: Any, round_: Any, rounds: Any, limit: Any
) -> None:  # fmt: skip
    """Go along the stretches [head, tail) and note where they arrive earlier than was known."""
    stop_start, flags = int32s(tt, PATTERN_STOP_START), uint8s(tt, PATTERN_FLAGS)
    stops, labels = int32s(tt, PATTERN_STOPS), int32s(st, LABELS_S)
    first_event, pattern_of = int32s(ln, RUN_FIRST_EVENT), int32s(ln, RUN_PATTERN)
    arrivals, egress_s, best = int32s(ln, RUN_ARRIVALS_S), int32s(st, EGRESS_S), int32s(st, BEST_S)
    stretches = int64s(st, STRETCHES)
    n_stops, n_lanes = egress_s.size, int64s(st, COUNTS)[N_LANES]
    row = (round_ - 1) * n_stops
    bound = min(limit, types.int64(best[round_]))
    for item in range(head, tail):
        stretch = stretches[item]
        run = stretch >> 32
        start, event = stop_start[pattern_of[run]], first_event[run]
        for pos in range(((stretch >> 16) & 0xFFFF) + 1, (stretch & 0xFFFF) + 1):
            arrival = types.int64(arrivals[event + pos])
            if arrival >= bound:
                break
            stop = types.int64(stops[start + pos])
            if arrival >= labels[row + stop] or not flags[start + pos] & ALIGHTING:
                continue
            for lane in range(round_ - 1, n_lanes):
                if labels[lane * n_stops + stop] <= arrival:
                    break
                labels[lane * n_stops + stop] = arrival
            if arrival + egress_s[stop] < bound:
                bound = arrival + egress_s[stop]
                for k in range(round_, rounds + 1):
                    if best[k] <= bound:
                        break
                    best[k] = bound


@njit(nogil=True)
def _board_links(
    tt: Any, ln: Any, st: Any, head: Any, end: Any, tail: Any, round_: Any, limit: Any
) -> Any:  # fmt: skip
    """Follow the links of the stretches [head, end); returns the queue's new end, from `tail` on.

    Also of calls at stops that another run reaches earlier: the links of that run may lack a
    change because one further on is as good, which in turn this run may reach first.
    """
    stop_start, run_start = int32s(tt, PATTERN_STOP_START), int32s(tt, PATTERN_RUN_START)
    ridden, first_event = int16s(st, RIDDEN_FROM), int32s(ln, RUN_FIRST_EVENT)
    arrivals, link_start = int32s(ln, RUN_ARRIVALS_S), int32s(ln, LINK_START)
    link_run, link_pos = int32s(ln, LINK_RUN), int16s(ln, LINK_POS)
    pattern_of, n_runs = int32s(ln, RUN_PATTERN), int32s(ln, RUN_PATTERN).size
    stretches, counts = int64s(st, STRETCHES), int64s(st, COUNTS)
    is_only = counts[LEAVE_S] < 0
    lane = types.int64(0) if is_only else types.int64(round_)
    n_lanes = types.int64(1) if is_only else counts[N_LANES]
    row = lane * n_runs
    bound = min(limit, types.int64(int32s(st, BEST_S)[round_]))
    for item in range(head, end):
        stretch = stretches[item]
        first = types.int64(first_event[stretch >> 32])
        event, past = first + ((stretch >> 16) & 0xFFFF) + 1, first + (stretch & 0xFFFF) + 1
        while event < past and arrivals[event] < bound:
            for link in range(link_start[event], link_start[event + 1]):
                run, pos = types.int64(link_run[link]), types.int64(link_pos[link])
                if pos < ridden[row + run]:
                    pattern = pattern_of[run]
                    tail = _board(
                        ridden, stretches, n_runs, lane, n_lanes,
                        stop_start[pattern + 1] - stop_start[pattern] - 1,
                        run_start[pattern + 1], run, pos, tail,
                    )  # fmt: skip
            event += 1
    return tail


@njit(nogil=True)
def _open_lane(ln: Any, st: Any) -> None:
    """Let one ride more be known of: so far it brings what one ride less does."""
    counts = int64s(st, COUNTS)
    copy_row(st, LABELS_S, counts[N_LANES], 4 * int32s(st, EGRESS_S).size)
    if counts[LEAVE_S] >= 0:
        copy_row(st, RIDDEN_FROM, counts[N_LANES], 2 * int32s(ln, RUN_PATTERN).size)
    counts[N_LANES] += 1


@njit(nogil=True)
def _run_rounds(
    tt: Any, ln: Any, st: Any, tail: Any, rounds: Any, limit: Any, direct: Any
) -> None:  # fmt: skip
    """Search from the stretches of the first ride, in the first half of the queue.

    `limit` is the first arrival that is too late, `direct` that of walking alone: only a ride
    without a change may be as late, for it is the one with less walking.
    """
    half = int64s(st, STRETCHES).size >> 1
    first = types.int64(0)  # where the half of the queue in use begins
    for round_ in range(1, rounds + 1):
        bound = min(limit, direct + 1 if round_ == 1 else direct)
        _arrive(tt, ln, st, first, tail, round_, rounds, bound)
        if round_ == rounds:
            break
        if int64s(st, COUNTS)[N_LANES] == round_:
            _open_lane(ln, st)
        first = half - first
        end, tail = tail, first
        tail = _board_links(tt, ln, st, half - first, end, tail, round_, min(limit, direct))
        if first == tail:
            break


@njit(nogil=True)
def _board_first(
    tt: Any, ln: Any, st: Any, pattern: Any, pos: Any, run: Any, tail: Any
) -> Any:  # fmt: skip
    """Ride a run of a pattern from the origin, unless it was; returns the queue's new end."""
    stop_start, run_start = int32s(tt, PATTERN_STOP_START), int32s(tt, PATTERN_RUN_START)
    ridden, n_runs = int16s(st, RIDDEN_FROM), int32s(ln, RUN_PATTERN).size
    number = types.int64(run_start[pattern] + run)
    if ridden[number] <= pos:
        return types.int64(tail)
    return _board(
        ridden, int64s(st, STRETCHES), n_runs, 0, int64s(st, COUNTS)[N_LANES],
        stop_start[pattern + 1] - stop_start[pattern] - 1, run_start[pattern + 1],
        number, pos, tail,
    )  # fmt: skip


@kernel(INT(REFS, REFS, REFS, INT, INT, INT))
def advance_linked(
    tt: Any, ln: Any, st: Any, max_travel_s: Any, direct_s: Any, rounds: Any
) -> Any:  # fmt: skip
    """Search departures until the target improves, as `search.advance` does after `begin`.

    ``ln`` is `Links` as references.
    """
    events, counts = int64s(st, EVENTS), int64s(st, COUNTS)
    patterns, positions = int32s(st, EVENT_PATTERN), int32s(st, EVENT_POS)
    improved = types.int64(0)
    counts[N_LANES] = max(counts[N_LANES], types.int64(1))
    while improved == 0 and counts[N_EVENTS] > 0:
        leave_s = events[counts[N_EVENTS] - 1] >> EVENT_SHIFT
        counts[LEAVE_S] = counts[FROM_S] = leave_s
        tail = types.int64(0)
        while counts[N_EVENTS] > 0 and events[counts[N_EVENTS] - 1] >> EVENT_SHIFT == leave_s:
            event = events[counts[N_EVENTS] - 1] & ((1 << EVENT_SHIFT) - 1)
            run = int32s(st, EVENT_RUN)[event]
            tail = _board_first(tt, ln, st, patterns[event], positions[event], run, tail)
            counts[N_EVENTS] -= 1
        if tail == 0:
            continue
        note_best(st, rounds)
        direct = types.int64(NEVER_S) if direct_s < 0 else leave_s + direct_s
        _run_rounds(tt, ln, st, tail, rounds, leave_s + max_travel_s + 1, direct)
        improved = which_improved(st, rounds)
    return improved


@kernel(INT(REFS, REFS, REFS, ENDS, ENDS, INT, INT, INT, INT))
def depart_linked(
    tt: Any, ln: Any, st: Any, access: Any, egress: Any, leave_s: Any, latest_s: Any,
    direct_s: Any, rounds: Any,
) -> Any:  # fmt: skip
    """Search one departure, as `search.depart`; ``ln`` is `Links` as references.

    No other may have been searched since `forget_linked`: rounds follow each other, so that one
    lane is enough for what was ridden.
    """
    patterns, positions = int32s(tt, BOARD_PATTERN), int32s(tt, BOARD_POS)
    bases, runs = int64s(tt, BOARD_BASE), int32s(tt, BOARD_RUNS)
    departures, at_start = int32s(tt, DEPARTURES_S), int32s(tt, BOARD_START)
    counts = int64s(st, COUNTS)
    open_ends(st, access, egress)
    note_best(st, rounds)
    counts[LEAVE_S], counts[FROM_S] = -1, leave_s
    counts[N_LANES] = max(counts[N_LANES], types.int64(1))
    tail = types.int64(0)
    for row in range(access.shape[1]):
        stop, moment = access[0, row], leave_s + access[1, row]
        for entry in range(at_start[stop], at_start[stop + 1]):
            run = first_from(departures, bases[entry], 0, runs[entry], moment)
            if run < runs[entry]:
                tail = _board_first(tt, ln, st, patterns[entry], positions[entry], run, tail)
    direct = types.int64(NEVER_S) if direct_s < 0 else leave_s + direct_s
    _run_rounds(tt, ln, st, tail, rounds, latest_s + 1, direct)
    return which_improved(st, rounds)


@kernel(types.void(REFS, REFS))
def forget_linked(ln: Any, st: Any) -> None:
    """Put back what the search from run to run wrote; `search.forget` must follow."""
    labels, ridden = int32s(st, LABELS_S), int16s(st, RIDDEN_FROM)
    n_lanes = int64s(st, COUNTS)[N_LANES]
    for cell in range(n_lanes * int32s(st, EGRESS_S).size):
        labels[cell] = NEVER_S
    for cell in range(n_lanes * int32s(ln, RUN_PATTERN).size):
        ridden[cell] = NOT_RIDDEN
