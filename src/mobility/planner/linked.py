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

from mobility.network.bound_kernels import FAR, UNIT_S
from mobility.planner.memory import (
    copy_row,
    fetch,
    first_from,
    int16s,
    int32s,
    int64s,
    uint8s,
    uint16s,
)
from mobility.planner.search import (
    EVENT_SHIFT,
    collect_events,
    note_best,
    open_ends,
    which_improved,
)
from mobility.planner.values import (
    BEST_S,
    BOARD_BASE,
    BOARD_PATTERN,
    BOARD_POS,
    BOARD_RUNS,
    BOARD_START,
    CELL_OF,
    COUNTS,
    DEPARTURES_S,
    EGRESS_S,
    EVENT_PATTERN,
    EVENT_POS,
    EVENT_RUN,
    EVENTS,
    FEWEST_RIDES,
    FROM_S,
    LABELS_S,
    LATEST_S,
    LEAST_UNITS,
    LEAVE_S,
    LINK_PARTS,
    LINKS,
    N_EVENTS,
    N_LANES,
    NEVER_S,
    NOT_RIDDEN,
    PART_OF,
    PARTS,
    PATTERN_RUN_START,
    PLACES,
    RIDDEN_FROM,
    RIDES_MASK,
    RUN_EVENTS,
    RUNS,
    STRETCHES,
    TO_GO,
    TO_GO_SHIFT,
)

AHEAD = 4  # stretches between what is gone along and what is fetched for
LINE = 16  # items of int32 to a line of the cache
FEW_TRIES = 3  # times that a ride more is tried where the bounds promise too much


@njit(nogil=True, inline="always")
def _board(
    ridden: Any, stretches: Any, runs: Any, lane: Any, n_lanes: Any, run: Any, pos: Any, tail: Any
) -> Any:  # fmt: skip
    """Ride a run from a position that it was not yet ridden from; returns the queue's new end.

    A stretch is run << 32 | position boarded << 16 | last position that is new. Whatever a later
    run of the pattern reaches from there, this one does too: it is ridden as well.
    """
    n_runs, run_end = (runs.size >> 2) - 1, runs[4 * run + 3]
    last = min(types.int64(ridden[lane * n_runs + run]), types.int64(runs[4 * run + 2]))
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
def _fetch_calls(ln: Any, stretch: Any) -> None:
    """Have the first calls of a stretch brought near."""
    runs, run, pos = int32s(ln, RUNS), stretch >> 32, (stretch >> 16 & 0xFFFF) + 1
    fetch(int32s(ln, RUN_EVENTS), 2 * (runs[4 * run] + pos))
    fetch(int32s(ln, PLACES), types.int64(runs[4 * run + 1] + pos))


@njit(nogil=True)
def _fetch_links(ln: Any, stretch: Any) -> None:
    """Have the first links of a stretch brought near; its first calls are already."""
    runs, run, pos = int32s(ln, RUNS), stretch >> 32, (stretch >> 16 & 0xFFFF) + 1
    links = int32s(ln, LINKS)
    first = 2 * types.int64(int32s(ln, RUN_EVENTS)[2 * (runs[4 * run] + pos) + 1])
    for line in range(4):
        fetch(links, first + line * LINE)


@njit(nogil=True)
def _allow(st: Any, rounds: Any, limit: Any, direct: Any) -> None:
    """Set until when an arrival with so many rides is of use: it must improve on what is known.

    `limit` is the first arrival that is too late, `direct` that of walking alone: only a ride
    without a change may be as late, for it is the one with less walking.
    """
    best, latest = int32s(st, BEST_S), int32s(st, LATEST_S)
    for k in range(1, rounds + 1):
        before = min(types.int64(best[k]), limit, direct + 1 if k == 1 else direct)
        latest[k] = before - 1


@njit(nogil=True)
def _arrive(
    ln: Any, bd: Any, st: Any, head: Any, tail: Any, round_: Any, last: Any, rounds: Any
) -> None:  # fmt: skip
    """Go along the stretches [head, tail) and note where they arrive earlier than was known."""
    runs, places, events = int32s(ln, RUNS), int32s(ln, PLACES), int32s(ln, RUN_EVENTS)
    labels, egress_s, best = int32s(st, LABELS_S), int32s(st, EGRESS_S), int32s(st, BEST_S)
    cell_of, to_go, latest = int32s(bd, CELL_OF), int32s(st, TO_GO), int32s(st, LATEST_S)
    stretches = int64s(st, STRETCHES)
    n_stops, n_lanes = egress_s.size, int64s(st, COUNTS)[N_LANES]
    row = (round_ - 1) * n_stops
    for item in range(head, tail):
        if item + 2 * AHEAD < tail:
            fetch(runs, 4 * (stretches[item + 2 * AHEAD] >> 32))
        if item + AHEAD < tail:
            _fetch_calls(ln, stretches[item + AHEAD])
        stretch = stretches[item]
        run = stretch >> 32
        event, place = types.int64(runs[4 * run]), types.int64(runs[4 * run + 1])
        for pos in range(((stretch >> 16) & 0xFFFF) + 1, (stretch & 0xFFFF) + 1):
            arrival, stop = types.int64(events[2 * (event + pos)]), types.int64(places[place + pos])
            if arrival > latest[round_]:
                break
            if stop < 0 or arrival >= labels[row + stop]:
                continue
            bound = types.int64(to_go[cell_of[stop]])
            rides = round_ + (bound & RIDES_MASK)
            if rides > last or arrival + (bound >> TO_GO_SHIFT) * UNIT_S > latest[rides]:
                continue
            for lane in range(round_ - 1, n_lanes):
                if labels[lane * n_stops + stop] <= arrival:
                    break
                labels[lane * n_stops + stop] = arrival
            arrival += egress_s[stop]
            if arrival <= latest[round_] and arrival < best[round_]:
                for k in range(round_, rounds + 1):
                    if best[k] <= arrival:
                        break
                    best[k] = arrival
                    latest[k] = arrival if k == round_ else arrival - 1


@njit(nogil=True)
def _board_links(
    ln: Any, bd: Any, st: Any, head: Any, end: Any, tail: Any, round_: Any, last: Any
) -> Any:  # fmt: skip
    """Follow the links of the stretches [head, end); returns the queue's new end, from `tail` on.

    Where links are flagged, only those that lead to the parts of the network the target is in.
    Also of calls at stops that another run reaches earlier: the links of that run may lack a
    change because one further on is as good, which in turn this run may reach first.
    """
    runs, places, events = int32s(ln, RUNS), int32s(ln, PLACES), int32s(ln, RUN_EVENTS)
    links, ridden, n_runs = int32s(ln, LINKS), int16s(st, RIDDEN_FROM), (runs.size >> 2) - 1
    cell_of, to_go, latest = int32s(bd, CELL_OF), int32s(st, TO_GO), int32s(st, LATEST_S)
    stretches, counts = int64s(st, STRETCHES), int64s(st, COUNTS)
    link_parts, parts = int64s(bd, LINK_PARTS), counts[PARTS]
    is_flagged = link_parts.size > 0
    is_only = counts[LEAVE_S] < 0
    lane = types.int64(0) if is_only else types.int64(round_)
    n_lanes = types.int64(1) if is_only else counts[N_LANES]
    row = lane * n_runs
    for item in range(head, end):
        if item + 2 * AHEAD < end:
            _fetch_calls(ln, stretches[item + 2 * AHEAD])
        if item + AHEAD < end:
            _fetch_links(ln, stretches[item + AHEAD])
        stretch = stretches[item]
        run = stretch >> 32
        first, place = types.int64(runs[4 * run]), types.int64(runs[4 * run + 1])
        for at in range(((stretch >> 16) & 0xFFFF) + 1, (stretch & 0xFFFF) + 1):
            event, stop = 2 * (first + at), types.int64(places[place + at])
            arrival = types.int64(events[event])
            if arrival > latest[round_ + 1]:
                break
            if stop < 0:
                continue
            bound = types.int64(to_go[cell_of[stop]])
            rides = round_ + max(bound & RIDES_MASK, 1)
            if rides > last or arrival + (bound >> TO_GO_SHIFT) * UNIT_S > latest[rides]:
                continue
            for link in range(2 * types.int64(events[event + 1]), 2 * events[event + 3], 2):
                if is_flagged and link_parts[link >> 1] & parts == 0:
                    continue
                onto, pos = types.int64(links[link]), types.int64(links[link + 1])
                if pos < ridden[row + onto]:
                    tail = _board(ridden, stretches, runs, lane, n_lanes, onto, pos, tail)
    return tail


@njit(nogil=True)
def _open_lane(ln: Any, st: Any) -> None:
    """Let one ride more be known of: so far it brings what one ride less does."""
    counts = int64s(st, COUNTS)
    copy_row(st, LABELS_S, counts[N_LANES], 4 * int32s(st, EGRESS_S).size)
    if counts[LEAVE_S] >= 0:
        copy_row(st, RIDDEN_FROM, counts[N_LANES], 2 * ((int32s(ln, RUNS).size >> 2) - 1))
    counts[N_LANES] += 1


@njit(nogil=True)
def _run_rounds(ln: Any, bd: Any, st: Any, tail: Any, last: Any, rounds: Any) -> None:
    """Search with up to `last` rides from the stretches of the first, in the queue's first half."""
    half = int64s(st, STRETCHES).size >> 1
    first = types.int64(0)  # where the half of the queue in use begins
    for round_ in range(1, last + 1):
        _arrive(ln, bd, st, first, tail, round_, last, rounds)
        if round_ == last:
            break
        if int64s(st, COUNTS)[N_LANES] == round_:
            _open_lane(ln, st)
        first = half - first
        end, tail = tail, first
        tail = _board_links(ln, bd, st, half - first, end, tail, round_, last)
        if first == tail:
            break


@njit(nogil=True)
def _board_first(
    tt: Any, ln: Any, st: Any, pattern: Any, pos: Any, run: Any, tail: Any
) -> Any:  # fmt: skip
    """Ride a run of a pattern from the origin, unless it was; returns the queue's new end."""
    ridden, counts = int16s(st, RIDDEN_FROM), int64s(st, COUNTS)
    number = types.int64(int32s(tt, PATTERN_RUN_START)[pattern] + run)
    if ridden[number] <= pos:
        return types.int64(tail)
    n_lanes = types.int64(1) if counts[LEAVE_S] < 0 else counts[N_LANES]
    return _board(
        ridden, int64s(st, STRETCHES), int32s(ln, RUNS), 0, n_lanes, number, types.int64(pos), tail
    )  # fmt: skip


@njit(nogil=True)
def _board_from(tt: Any, ln: Any, st: Any, access: Any, leave_s: Any) -> Any:
    """Ride the first run of each pattern that leaving at that moment one can board.

    Returns the queue's end.
    """
    patterns, positions = int32s(tt, BOARD_PATTERN), int32s(tt, BOARD_POS)
    bases, runs = int64s(tt, BOARD_BASE), int32s(tt, BOARD_RUNS)
    departures, at_start = int32s(tt, DEPARTURES_S), int32s(tt, BOARD_START)
    tail = types.int64(0)
    for row in range(access.shape[1]):
        stop, moment = access[0, row], leave_s + access[1, row]
        for entry in range(at_start[stop], at_start[stop + 1]):
            run = first_from(departures, bases[entry], 0, runs[entry], moment)
            if run < runs[entry]:
                tail = _board_first(tt, ln, st, patterns[entry], positions[entry], run, tail)
    return tail


@njit(nogil=True)
def _search_from(
    tt: Any, ln: Any, bd: Any, st: Any, access: Any, leave_s: Any, limit: Any, direct: Any,
    rounds: Any,
) -> None:  # fmt: skip
    """Search one departure of which nothing is known; from then on one may wait for a ride.

    Where links are flagged, with all rides at once. Else first with as few rides as it takes by the
    bounds, then with one more, until the target is reached: so few rides leave little to go along.
    Its arrival bounds the search with all rides, which is left with what is faster.
    """
    counts, best = int64s(st, COUNTS), int32s(st, BEST_S)
    cell_of, to_go = int32s(bd, CELL_OF), int32s(st, TO_GO)
    counts[N_LANES] = max(counts[N_LANES], types.int64(1))
    fewest = types.int64(rounds)
    if int32s(bd, PART_OF).size == 0:  # no flags
        for row in range(access.shape[1]):
            fewest = min(fewest, max(types.int64(to_go[cell_of[access[0, row]]]) & RIDES_MASK, 1))
    last = fewest
    while True:
        _allow(st, rounds, limit, direct)
        tail = _board_from(tt, ln, st, access, leave_s)
        _run_rounds(ln, bd, st, tail, last, rounds)
        if last == rounds:
            break
        is_found = best[last] < NEVER_S or last == fewest + FEW_TRIES
        last = types.int64(rounds) if is_found else last + 1
        _forget_ridden(ln, st)


@njit(nogil=True)
def _forget_ridden(ln: Any, st: Any) -> None:
    """Put back what was ridden."""
    ridden, counts = int16s(st, RIDDEN_FROM), int64s(st, COUNTS)
    n_lanes = types.int64(1) if counts[LEAVE_S] < 0 else counts[N_LANES]
    for cell in range(n_lanes * ((int32s(ln, RUNS).size >> 2) - 1)):
        ridden[cell] = NOT_RIDDEN


@njit(nogil=True)
def _open_target(bd: Any, st: Any, egress: Any, on_foot: Any) -> None:
    """Set the bounds to the target: of each cell the time and the rides to go.

    Where footpaths lead to the target (not `on_foot`), the stops without a walk speak for all, if
    there are any. Not so with flags, whose bounds are of arrivals by ride.
    """
    least, fewest = uint16s(bd, LEAST_UNITS), uint8s(bd, FEWEST_RIDES)
    cell_of, to_go = int32s(bd, CELL_OF), int32s(st, TO_GO)
    part_of, counts = int32s(bd, PART_OF), int64s(st, COUNTS)
    n_cells, is_flagged = to_go.size, part_of.size > 0
    speak_for_all, parts = False, types.int64(0)
    for row in range(egress.shape[1]):
        speak_for_all |= egress[1, row] == 0 and not (on_foot or is_flagged)
        if is_flagged:
            parts |= types.int64(1) << types.int64(part_of[egress[0, row]])
    counts[PARTS] = parts
    to_go[:] = types.int32(FAR) << TO_GO_SHIFT | RIDES_MASK
    for row in range(egress.shape[1]):
        if egress[1, row] > 0 and speak_for_all:
            continue
        base, walk = types.int64(cell_of[egress[0, row]]) * n_cells, egress[1, row] // UNIT_S
        for cell in range(n_cells):
            units = types.int32(least[base + cell]) + types.int32(walk)
            rides = min(to_go[cell] & RIDES_MASK, types.int32(fewest[base + cell]))
            to_go[cell] = min(to_go[cell] >> TO_GO_SHIFT, units) << TO_GO_SHIFT | rides


@njit(nogil=True)
def begin_linked(
    tt: Any, ln: Any, bd: Any, st: Any, access: Any, egress: Any, first_s: Any, end_s: Any,
    max_travel_s: Any, direct_s: Any, rounds: Any, on_foot: Any, look_beyond: Any,
) -> Any:  # fmt: skip
    """Open a search of every departure in [first, end), as `search.begin` does.

    With `look_beyond` a departure at the end is searched first: what it beats is left out.
    """
    n_events = collect_events(tt, st, access, first_s, end_s)
    if n_events > 0 or (n_events == 0 and look_beyond):  # the span before asks for it too
        counts = int64s(st, COUNTS)
        open_ends(st, access, egress)
        _open_target(bd, st, egress, on_foot)
        counts[LEAVE_S] = counts[FROM_S] = end_s
        counts[N_LANES] = max(counts[N_LANES], types.int64(1))
        if look_beyond:
            direct = types.int64(NEVER_S) if direct_s < 0 else end_s + direct_s
            _search_from(tt, ln, bd, st, access, end_s, end_s + max_travel_s + 1, direct, rounds)
        counts[N_EVENTS] = n_events
    return types.int64(n_events)


@njit(nogil=True)
def advance_linked(
    tt: Any, ln: Any, bd: Any, st: Any, max_travel_s: Any, direct_s: Any, rounds: Any
) -> Any:  # fmt: skip
    """Search departures until the target improves, as `search.advance` does after `begin`.

    ``ln`` and ``bd`` are `Links` and `Bounds` as references.
    """
    events, counts = int64s(st, EVENTS), int64s(st, COUNTS)
    patterns, positions = int32s(st, EVENT_PATTERN), int32s(st, EVENT_POS)
    improved = types.int64(0)
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
        _allow(st, rounds, leave_s + max_travel_s + 1, direct)
        _run_rounds(ln, bd, st, tail, rounds, rounds)
        improved = which_improved(st, rounds)
    return improved


@njit(nogil=True)
def depart_linked(
    tt: Any, ln: Any, bd: Any, st: Any, access: Any, egress: Any, leave_s: Any, latest_s: Any,
    direct_s: Any, rounds: Any, on_foot: Any,
) -> Any:  # fmt: skip
    """Search one departure, as `search.depart`; ``ln``, ``bd`` are `Links`, `Bounds` as references.

    No other may have been searched since `forget_linked`: rounds follow each other, so that one
    lane is enough for what was ridden.
    """
    counts = int64s(st, COUNTS)
    open_ends(st, access, egress)
    _open_target(bd, st, egress, on_foot)
    note_best(st, rounds)
    counts[LEAVE_S], counts[FROM_S] = -1, leave_s
    direct = types.int64(NEVER_S) if direct_s < 0 else leave_s + direct_s
    _search_from(tt, ln, bd, st, access, leave_s, latest_s + 1, direct, rounds)
    return which_improved(st, rounds)


@njit(nogil=True)
def forget_linked(ln: Any, st: Any) -> None:
    """Put back what the search from run to run wrote; `search.forget` must follow."""
    labels, ridden = int32s(st, LABELS_S), int16s(st, RIDDEN_FROM)
    n_lanes = int64s(st, COUNTS)[N_LANES]
    for cell in range(n_lanes * int32s(st, EGRESS_S).size):
        labels[cell] = NEVER_S
    for cell in range(n_lanes * ((int32s(ln, RUNS).size >> 2) - 1)):
        ridden[cell] = NOT_RIDDEN
