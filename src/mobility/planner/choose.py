"""The choice among journeys of equal departure, arrival and number of rides.

The search leaves labels: the earliest moment to be ready at a stop after so many rides. From the
target backwards deadlines are set, from one ride to go to all: the runs between label and deadline
are all that equal journeys are made of (`_find_segments`). Of these the first rides that leave
latest are kept, then only the runs that can be caught from them (`_tighten`), and every run kept
is labelled with the ways to go on to the target, of which one that can never come first in the
order of `mobility.journey.sort_key` is left out (`_add_label`).

`choose` is the entry. ``tt``, ``tr``, ``st``, ``ch`` and ``out`` are `Timetable`, `Trains`,
`State`, `Choice` and `Found` as references (`mobility.planner.memory`).
"""

from __future__ import annotations

from typing import Any

from numba import njit, types

from mobility.planner.memory import first_from, int32s, int64s, uint8s
from mobility.planner.order import compare_labels, operators_of, precedes
from mobility.planner.search import times_at
from mobility.planner.values import (
    ACCESS_M,
    ACCESS_S,
    ALIGHT_BASE,
    ALIGHT_PATTERN,
    ALIGHT_POS,
    ALIGHT_START,
    ALIGHTING,
    ARRIVALS_S,
    BACK_FROM,
    BACK_S,
    BACK_START,
    BOARDING,
    CALL_STOP,
    CHANGE_S,
    CHOICE_COUNTS,
    COUNTS,
    DEADLINE_S,
    DEPARTURES_S,
    EGRESS_M,
    EGRESS_S,
    FROM_S,
    IS_KNOWN,
    JOURNEYS,
    KNOWN,
    LABEL_ALIGHT,
    LABEL_NEXT,
    LABEL_OPERATORS,
    LABEL_REST,
    LABEL_RUN,
    LABEL_SEGMENT,
    LABEL_WALK_M,
    LABELS_S,
    LEAVE_S,
    LEVEL_START,
    LEVEL_STOPS,
    N_EVEN_LEVEL,
    N_KNOWN,
    N_LABELS,
    N_LANES,
    N_READY,
    NEVER_S,
    NODE_LABEL,
    NONE,
    PATTERN_FLAGS,
    PATTERN_RUN_START,
    PATTERN_STOP_START,
    PATTERN_STOPS,
    QUEUE,
    QUEUE_POS,
    READY_S,
    READY_STOPS,
    RIDES,
    SECTIONS,
    SEGMENT_FIRST,
    SEGMENT_HEAD,
    SEGMENT_LAST,
    SEGMENT_NEXT,
    SEGMENT_NODE,
    SEGMENT_PATTERN,
    SEGMENT_POS,
    TIGHT_S,
    UNREAD,
    WALK_M,
    WALK_S,
    WALK_START,
    WALK_TO,
)  # fmt: skip
from mobility.planner.write import NEED_ROOM, place_of, write_journey

NEED_SEGMENTS, NEED_NODES, NEED_LABELS = -2, -3, -4  # scratch space ran out


@njit(nogil=True)
def _know(ch: Any, stop: Any) -> None:
    """Remember that the stop's rows must be put back."""
    is_known, counts = uint8s(ch, IS_KNOWN), int64s(ch, CHOICE_COUNTS)
    if not is_known[stop]:
        is_known[stop] = 1
        int32s(ch, KNOWN)[counts[N_KNOWN]] = stop
        counts[N_KNOWN] += 1


@njit(nogil=True)
def _set_deadline(ch: Any, stop: Any, left: Any, moment: Any) -> None:
    """Note that with `left` rides to go one may alight at the stop until the moment."""
    deadline, counts = int32s(ch, DEADLINE_S), int64s(ch, CHOICE_COUNTS)
    cell = left * uint8s(ch, IS_KNOWN).size + stop
    if moment <= deadline[cell]:
        return
    if deadline[cell] == -NEVER_S:
        _know(ch, stop)
        level = left & 1
        stops = int32s(ch, LEVEL_STOPS)
        stops[level * (stops.size >> 1) + counts[N_EVEN_LEVEL + level]] = stop
        counts[N_EVEN_LEVEL + level] += 1
    deadline[cell] = moment


@njit(nogil=True)
def _ready_at(tt: Any, st: Any, ch: Any, stop: Any, done: Any) -> Any:
    """Return from when one can board at a stop after `done` rides, of a search from run to run."""
    back_start, back_from = int32s(tt, BACK_START), int32s(tt, BACK_FROM)
    back_s, counts = int32s(tt, BACK_S), int64s(st, COUNTS)
    labels, access_s = int32s(st, LABELS_S), int32s(st, ACCESS_S)
    if done == 0:
        return counts[FROM_S] + access_s[stop]
    lane = (min(types.int64(done), counts[N_LANES]) - 1) * access_s.size
    ready = types.int64(labels[lane + stop]) + int32s(tt, CHANGE_S)[stop]
    for path in range(back_start[stop], back_start[stop + 1]):
        ready = min(ready, types.int64(labels[lane + back_from[path]]) + back_s[path])
    return min(ready, types.int64(NEVER_S))


@njit(nogil=True)
def _forget_ready(ch: Any) -> None:
    """Put back the moments to be ready, which are of one level."""
    ready_s, stops, counts = int32s(ch, READY_S), int32s(ch, READY_STOPS), int64s(ch, CHOICE_COUNTS)
    for item in range(counts[N_READY]):
        ready_s[stops[item]] = UNREAD
    counts[N_READY] = 0


@njit(nogil=True)
def _queue_back(tt: Any, st: Any, ch: Any, left: Any) -> Any:
    """Queue the patterns from which one may alight with `left - 1` rides to go.

    A queued pattern's latest such position stands negative in ``queue_pos``.
    """
    patterns, positions = int32s(tt, ALIGHT_PATTERN), int32s(tt, ALIGHT_POS)
    bases, arrivals = int64s(tt, ALIGHT_BASE), int32s(tt, ARRIVALS_S)
    at_start = int32s(tt, ALIGHT_START)
    queue, queue_pos = int32s(st, QUEUE), int32s(st, QUEUE_POS)
    stops, deadline = int32s(ch, LEVEL_STOPS), int32s(ch, DEADLINE_S)
    counts = int64s(ch, CHOICE_COUNTS)
    level, row = (left - 1) & 1, (left - 1) * uint8s(ch, IS_KNOWN).size
    half = level * (stops.size >> 1)
    n_queued = 0
    for item in range(half, half + counts[N_EVEN_LEVEL + level]):
        stop = stops[item]
        for entry in range(at_start[stop], at_start[stop + 1]):
            pattern, pos = patterns[entry], positions[entry]
            if -pos >= queue_pos[pattern]:
                continue
            if arrivals[bases[entry]] > deadline[row + stop]:
                continue
            if queue_pos[pattern] == NEVER_S:
                queue[n_queued] = pattern
                n_queued += 1
            queue_pos[pattern] = -pos
    counts[N_EVEN_LEVEL + level] = 0
    return n_queued


@njit(nogil=True)
def _arrived(st: Any, stop: Any, rides: Any, rounds: Any) -> Any:
    """Return the earliest arrival at a stop by a ride, with at most so many rides."""
    n_lanes = int64s(st, COUNTS)[N_LANES]
    cell = 2 * (stop * rounds + rides - 1)
    if n_lanes:
        cell = (min(types.int64(rides), n_lanes) - 1) * int32s(st, EGRESS_S).size + stop
    return types.int64(int32s(st, LABELS_S)[cell])


@njit(nogil=True)
def _find_segments(
    tt: Any, st: Any, ch: Any, n_queued: Any, left: Any, done: Any, rounds: Any, n_segments: Any
) -> Any:
    """Find the runs that can be boarded after `done` rides and still reach a deadline.

    At each position of a pattern they are consecutive, since none overtakes another: a segment.
    What is read at every position is taken up before the loop: most positions lead to nothing.
    """
    stops, stop_start = int32s(tt, PATTERN_STOPS), int32s(tt, PATTERN_STOP_START)
    flags, queue_pos = uint8s(tt, PATTERN_FLAGS), int32s(st, QUEUE_POS)
    arrivals, departures = int32s(tt, ARRIVALS_S), int32s(tt, DEPARTURES_S)
    queue, deadline = int32s(st, QUEUE), int32s(ch, DEADLINE_S)
    head, following = int32s(ch, SEGMENT_HEAD), int32s(ch, SEGMENT_NEXT)
    labels, ready_s = int32s(st, LABELS_S), int32s(ch, READY_S)
    ready_stops, counts = int32s(ch, READY_STOPS), int64s(ch, CHOICE_COUNTS)
    n_stops = types.int64(ready_s.size)
    row = (left - 1) * n_stops
    is_linked = int64s(st, COUNTS)[N_LANES] > 0
    for item in range(n_queued):
        pattern = queue[item]
        first_pos = -queue_pos[pattern]
        queue_pos[pattern] = NEVER_S
        base, n_runs = times_at(tt, pattern, first_pos)
        last = types.int64(-1)
        for pos in range(first_pos, -1, -1):
            here = stop_start[pattern] + pos
            stop = types.int64(stops[here])
            ready = types.int64(NEVER_S)
            if last < 0 or not flags[here] & BOARDING:
                pass
            elif is_linked:
                ready = types.int64(ready_s[stop])
                if ready == UNREAD:
                    ready = _ready_at(tt, st, ch, stop, done)
                    ready_s[stop] = ready
                    ready_stops[counts[N_READY]] = stop
                    counts[N_READY] += 1
            else:
                ready = types.int64(labels[2 * (stop * rounds + done) + 1])
            if ready < NEVER_S and departures[base + last] >= ready:
                if n_segments < following.size:
                    int32s(ch, SEGMENT_PATTERN)[n_segments] = pattern
                    int32s(ch, SEGMENT_POS)[n_segments] = pos
                    first = first_from(departures, base, 0, last + 1, ready)
                    int32s(ch, SEGMENT_FIRST)[n_segments] = first
                    int32s(ch, SEGMENT_LAST)[n_segments] = last
                    following[n_segments] = head[row + n_stops + stop]
                    head[row + n_stops + stop] = n_segments
                    _know(ch, stop)
                n_segments += 1
            moment = deadline[row + stop]
            if moment > -NEVER_S and flags[here] & ALIGHTING:
                last = max(last, first_from(arrivals, base, max(last, 0), n_runs, moment + 1) - 1)
            base -= n_runs
    return n_segments if n_segments <= following.size else NEED_SEGMENTS


@njit(nogil=True)
def _set_back(tt: Any, st: Any, ch: Any, segment: Any, left: Any, done: Any, rounds: Any) -> None:
    """Set the deadlines for alighting that boarding the segment's last run allows."""
    start = int32s(tt, BACK_START)
    stop, base, _ = place_of(tt, ch, segment)
    departure = int32s(tt, DEPARTURES_S)[base + int32s(ch, SEGMENT_LAST)[segment]]
    moment = departure - int32s(tt, CHANGE_S)[stop]
    if _arrived(st, stop, done, rounds) <= moment:
        _set_deadline(ch, stop, left, moment)
    for path in range(start[stop], start[stop + 1]):
        other = int32s(tt, BACK_FROM)[path]
        moment = departure - int32s(tt, BACK_S)[path]
        if _arrived(st, other, done, rounds) <= moment:
            _set_deadline(ch, other, left, moment)


@njit(nogil=True)
def _trim_first(tt: Any, st: Any, ch: Any, low: Any, high: Any) -> Any:
    """Keep of the first rides those that leave at the departure searched; returns it.

    Where the search let one wait for the first ride, it is the latest there is.
    """
    first, last = int32s(ch, SEGMENT_FIRST), int32s(ch, SEGMENT_LAST)
    departures, access_s = int32s(tt, DEPARTURES_S), int32s(st, ACCESS_S)
    leave = int64s(st, COUNTS)[LEAVE_S]
    for segment in range(low, high if leave < 0 else low):
        stop, base, _ = place_of(tt, ch, segment)
        leave = max(leave, types.int64(departures[base + last[segment]] - access_s[stop]))
    for segment in range(low, high):
        stop, base, _ = place_of(tt, ch, segment)
        end = last[segment] + 1
        first[segment] = first_from(departures, base, first[segment], end, leave + access_s[stop])
        last[segment] = (
            first_from(departures, base, first[segment], end, leave + access_s[stop] + 1) - 1
        )
    return leave


@njit(nogil=True)
def _tighten(tt: Any, ch: Any, left: Any) -> None:
    """Drop from the rides with `left - 1` to go the runs that no kept ride before catches."""
    level, tight = int32s(ch, LEVEL_START), int32s(ch, TIGHT_S)
    row = (left - 1) * uint8s(ch, IS_KNOWN).size
    first, last = int32s(ch, SEGMENT_FIRST), int32s(ch, SEGMENT_LAST)
    stops, stop_start = int32s(tt, PATTERN_STOPS), int32s(tt, PATTERN_STOP_START)
    head, deadline, flags = (
        int32s(ch, SEGMENT_HEAD),
        int32s(ch, DEADLINE_S),
        uint8s(tt, PATTERN_FLAGS),
    )
    walk_start, walk_to, walk_s = int32s(tt, WALK_START), int32s(tt, WALK_TO), int32s(tt, WALK_S)
    for segment in range(level[left], level[left + 1]):
        if first[segment] > last[segment]:
            continue
        pattern = int32s(ch, SEGMENT_PATTERN)[segment]
        _, base, n_runs = place_of(tt, ch, segment)
        here = stop_start[pattern] + int32s(ch, SEGMENT_POS)[segment] + 1
        for at in range(here, stop_start[pattern + 1]):
            base += n_runs
            arrival = int32s(tt, ARRIVALS_S)[base + first[segment]]
            cell = row + stops[at]
            if not flags[at] & ALIGHTING or arrival > deadline[cell]:
                continue
            if head[cell] != NONE:
                tight[cell] = min(tight[cell], arrival + int32s(tt, CHANGE_S)[stops[at]])
            for path in range(walk_start[stops[at]], walk_start[stops[at] + 1]):
                cell = row + walk_to[path]
                if head[cell] != NONE:
                    tight[cell] = min(tight[cell], arrival + walk_s[path])
    for segment in range(level[left - 1], level[left]):
        stop, base, _ = place_of(tt, ch, segment)
        ready = tight[row + stop]
        first[segment] = first_from(
            int32s(tt, DEPARTURES_S), base, first[segment], last[segment] + 1, ready
        )


@njit(nogil=True)
def _add_label(tt: Any, tr: Any, ch: Any, node: Any, thin: Any) -> None:
    """Add the label written at the end of the pool to its node, unless it is needless.

    A label makes another needless if it stays before it whatever ride is put in front: less
    walking; or as much, no operator more, and trip references not greater.
    """
    nodes, following, counts = (
        int32s(ch, NODE_LABEL),
        int32s(ch, LABEL_NEXT),
        int64s(ch, CHOICE_COUNTS),
    )
    walk_m, operators = int32s(ch, LABEL_WALK_M), int64s(ch, LABEL_OPERATORS)
    label = counts[N_LABELS]
    previous, other = types.int64(NONE), types.int64(nodes[node])
    if thin and other != NONE:
        if precedes(tt, tr, ch, label, other, 0):
            nodes[node] = label
            following[label] = NONE
            counts[N_LABELS] += 1
        return
    while other != NONE:
        if walk_m[other] < walk_m[label]:
            return
        drop = walk_m[label] < walk_m[other]
        if not drop:
            common = operators[label] & operators[other]
            if common == operators[other] and compare_labels(tt, tr, ch, other, label) <= 0:
                return
            if common == operators[label]:
                drop = compare_labels(tt, tr, ch, label, other) <= 0
        if not drop:
            previous = other
        elif previous == NONE:
            nodes[node] = following[other]
        else:
            following[previous] = following[other]
        other = types.int64(following[other])
    following[label] = nodes[node]
    nodes[node] = label
    counts[N_LABELS] += 1


@njit(nogil=True)
def _write_label(
    tt: Any, tr: Any, ch: Any, node: Any, segment: Any, run: Any, alight: Any, rest: Any,
    walk_m: Any, operators: Any, thin: Any,
) -> Any:  # fmt: skip
    """Write a label at the end of the pool and add it; returns whether there was room."""
    label = int64s(ch, CHOICE_COUNTS)[N_LABELS]
    runs = int32s(ch, LABEL_RUN)
    if label == runs.size:
        return False
    int32s(ch, LABEL_SEGMENT)[label] = segment
    runs[label] = run
    int32s(ch, LABEL_ALIGHT)[label] = alight
    int32s(ch, LABEL_REST)[label] = rest
    int32s(ch, LABEL_WALK_M)[label] = walk_m
    int64s(ch, LABEL_OPERATORS)[label] = operators
    _add_label(tt, tr, ch, node, thin)
    return True


@njit(nogil=True)
def _extend(
    tt: Any, tr: Any, ch: Any, node: Any, segment: Any, run: Any, alight: Any, stop: Any,
    left: Any, ready: Any, walk_m: Any, operators: Any, thin: Any,
) -> Any:  # fmt: skip
    """Go on from a ride by every kept run at the stop from `ready` on."""
    first, last = int32s(ch, SEGMENT_FIRST), int32s(ch, SEGMENT_LAST)
    rest_walk_m, rest_operators = int32s(ch, LABEL_WALK_M), int64s(ch, LABEL_OPERATORS)
    onward = int32s(ch, SEGMENT_HEAD)[(left - 1) * uint8s(ch, IS_KNOWN).size + stop]
    while onward != NONE:
        _, base, _ = place_of(tt, ch, onward)
        end = last[onward] + 1
        begin = first_from(int32s(tt, DEPARTURES_S), base, first[onward], end, ready)
        for next_run in range(begin, end):
            next_node = int32s(ch, SEGMENT_NODE)[onward] + next_run - first[onward]
            rest = int32s(ch, NODE_LABEL)[next_node]
            while rest != NONE:
                if not _write_label(
                    tt, tr, ch, node, segment, run, alight, rest, walk_m + rest_walk_m[rest],
                    operators | rest_operators[rest], thin,
                ):  # fmt: skip
                    return False
                rest = int32s(ch, LABEL_NEXT)[rest]
        onward = int32s(ch, SEGMENT_NEXT)[onward]
    return True


@njit(nogil=True)
def _label_node(
    tt: Any, tr: Any, st: Any, ch: Any, node: Any, segment: Any, run: Any, left: Any,
    thin: Any,
) -> Any:  # fmt: skip
    """Label one run boarded at a segment with every way to the target."""
    pattern, board = int32s(ch, SEGMENT_PATTERN)[segment], int32s(ch, SEGMENT_POS)[segment]
    stops, stop_start = int32s(tt, PATTERN_STOPS), int32s(tt, PATTERN_STOP_START)
    walk_start, walk_s = int32s(tt, WALK_START), int32s(tt, WALK_S)
    number = int32s(tt, PATTERN_RUN_START)[pattern] + run
    row = (left - 1) * uint8s(ch, IS_KNOWN).size
    _, base, n_runs = place_of(tt, ch, segment)
    room = True
    for pos in range(board + 1, stop_start[pattern + 1] - stop_start[pattern]):
        base += n_runs
        here = stop_start[pattern] + pos
        stop, arrival = stops[here], int32s(tt, ARRIVALS_S)[base + run]
        if not uint8s(tt, PATTERN_FLAGS)[here] & ALIGHTING:
            continue
        if arrival > int32s(ch, DEADLINE_S)[row + stop]:
            continue
        operators = operators_of(tr, ch, number, board, pos)
        if left == 1:
            room = room and _write_label(
                tt, tr, ch, node, segment, run, pos, NONE, int32s(st, EGRESS_M)[stop],
                operators, thin,
            )  # fmt: skip
            continue
        ready = arrival + int32s(tt, CHANGE_S)[stop]
        room = room and _extend(
            tt, tr, ch, node, segment, run, pos, stop, left, ready, 0, operators, thin
        )
        for path in range(walk_start[stop], walk_start[stop + 1]):
            room = room and _extend(
                tt, tr, ch, node, segment, run, pos, int32s(tt, WALK_TO)[path], left,
                arrival + walk_s[path], int32s(tt, WALK_M)[path], operators, thin,
            )  # fmt: skip
    return room


@njit(nogil=True)
def _label_all(tt: Any, tr: Any, st: Any, ch: Any, rides: Any, thin: Any) -> Any:
    """Label every kept run, from the last ride to the first; negative where space ran out."""
    level, nodes = int32s(ch, LEVEL_START), int32s(ch, NODE_LABEL)
    first, last = int32s(ch, SEGMENT_FIRST), int32s(ch, SEGMENT_LAST)
    n_nodes = 0
    for left in range(1, rides + 1):
        for segment in range(level[left], level[left + 1]):
            int32s(ch, SEGMENT_NODE)[segment] = n_nodes
            for run in range(first[segment], last[segment] + 1):
                if n_nodes == nodes.size:
                    return NEED_NODES
                nodes[n_nodes] = NONE
                if not _label_node(tt, tr, st, ch, n_nodes, segment, run, left, thin):
                    return NEED_LABELS
                n_nodes += 1
    return n_nodes


@njit(nogil=True)
def _first_label(tt: Any, tr: Any, st: Any, ch: Any, rides: Any) -> Any:
    """Return the label of the first journey in the total order."""
    level, first = int32s(ch, LEVEL_START), int32s(ch, SEGMENT_FIRST)
    best, best_walk_m = types.int64(NONE), types.int64(0)
    for segment in range(level[rides], level[rides + 1]):
        stop, _, _ = place_of(tt, ch, segment)
        walk_m = types.int64(int32s(st, ACCESS_M)[stop])
        node = int32s(ch, SEGMENT_NODE)[segment]
        for run in range(first[segment], int32s(ch, SEGMENT_LAST)[segment] + 1):
            label = types.int64(int32s(ch, NODE_LABEL)[node + run - first[segment]])
            while label != NONE:
                if best == NONE or precedes(tt, tr, ch, label, best, walk_m - best_walk_m):
                    best, best_walk_m = label, walk_m
                label = types.int64(int32s(ch, LABEL_NEXT)[label])
    return best


@njit(nogil=True)
def _choose(
    tt: Any, tr: Any, st: Any, ch: Any, egress: Any, arrival: Any, rides: Any, rounds: Any,
    thin: Any,
) -> Any:  # fmt: skip
    """Return the latest departure for that arrival and number of rides, and the best label.

    The label is negative where space ran out.
    """
    for row in range(egress.shape[1]):
        _set_deadline(ch, egress[0, row], 0, arrival - egress[1, row])
    level = int32s(ch, LEVEL_START)
    n_segments = 0
    for left in range(1, rides + 1):
        level[left] = n_segments
        n_queued = _queue_back(tt, st, ch, left)
        n_segments = _find_segments(tt, st, ch, n_queued, left, rides - left, rounds, n_segments)
        _forget_ready(ch)
        if n_segments < 0:
            return types.int64(0), types.int64(n_segments)
        if left < rides:
            for segment in range(level[left], n_segments):
                _set_back(tt, st, ch, segment, left, rides - left, rounds)
    level[rides + 1] = n_segments
    departure = _trim_first(tt, st, ch, level[rides], n_segments)
    for left in range(rides, 1, -1):
        _tighten(tt, ch, left)
    n_nodes = _label_all(tt, tr, st, ch, rides, thin)
    if n_nodes < 0:
        return departure, types.int64(n_nodes)
    return departure, types.int64(_first_label(tt, tr, st, ch, rides))


@njit(nogil=True)
def _forget_choice(ch: Any, rides: Any) -> None:
    known, is_known, counts = int32s(ch, KNOWN), uint8s(ch, IS_KNOWN), int64s(ch, CHOICE_COUNTS)
    deadline, tight, head = int32s(ch, DEADLINE_S), int32s(ch, TIGHT_S), int32s(ch, SEGMENT_HEAD)
    for item in range(counts[N_KNOWN]):
        stop = known[item]
        is_known[stop] = 0
        for left in range(rides + 1):
            cell = left * is_known.size + stop
            deadline[cell] = -NEVER_S
            tight[cell] = NEVER_S
            head[cell] = NONE
    counts[:] = 0


@njit(nogil=True)
def choose(
    tt: Any, tr: Any, st: Any, ch: Any, out: Any, at: Any, egress: Any, arrival: Any, rides: Any,
    rounds: Any, epoch_s: Any, thin: Any,
) -> Any:  # fmt: skip
    """Write the first, in the total order, of the journeys that leave latest; 0, or a code < 0.

    Parameters
    ----------
    at : int64[4]
        Rows written so far to the arrays of `Found`; raised only where all could be written.
    egress : int32[3, n]
        As in the search.
    arrival, rides : int64
        A pair that the search found; `rounds` is the most rides that it allowed.
    epoch_s : int64
        Unix second of the slice's moment 0.
    thin : bool
        Keep only one way to go on from each run: for where the labels ran out.
    """
    departure, label = _choose(tt, tr, st, ch, egress, arrival, rides, rounds, thin)
    status, journeys = label, int32s(out, JOURNEYS)
    row, first_ride = 6 * at[JOURNEYS], at[RIDES]
    first_call, first_section = at[CALL_STOP], at[SECTIONS]
    if status >= 0:
        status = write_journey(tt, tr, st, ch, out, at, label, epoch_s)
    if status >= 0 and row + 6 > journeys.size:
        status = types.int64(NEED_ROOM)
    if status >= 0:
        journeys[row], journeys[row + 1], journeys[row + 2] = departure, arrival, rides
        journeys[row + 3] = first_ride
        journeys[row + 4] = int32s(st, EGRESS_S)[status]
        journeys[row + 5] = int32s(st, EGRESS_M)[status]
        at[JOURNEYS] += 1
    else:
        at[RIDES], at[CALL_STOP], at[SECTIONS] = first_ride, first_call, first_section
    _forget_choice(ch, rides)
    return min(status, types.int64(0))
