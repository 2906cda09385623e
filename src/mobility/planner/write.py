"""The rows of a chosen journey: rides, their calls and sections, the walks between them."""

from __future__ import annotations

from typing import Any

from numba import njit, types

from mobility.planner.memory import int32s, int64s, uint8s
from mobility.planner.order import next_section, run_of, sequence_at
from mobility.planner.search import times_at
from mobility.planner.values import (
    ACCESS_M,
    ACCESS_S,
    ARRIVALS_S,
    CALL_ARRIVAL,
    CALL_BORDER,
    CALL_DEPARTURE,
    CALL_STOP,
    DEPARTURES_S,
    EVENT_FLAGS,
    LABEL_ALIGHT,
    LABEL_REST,
    LABEL_RUN,
    LABEL_SEGMENT,
    NONE,
    PATTERN_STOP_START,
    PATTERN_STOPS,
    RIDES,
    RUN_DAY,
    RUN_TRAIN,
    SECTION_DAY_SHIFT,
    SECTION_FROM_POS,
    SECTION_START,
    SECTION_TO_POS,
    SECTION_TRIP,
    SECTIONS,
    SEGMENT_PATTERN,
    SEGMENT_POS,
    TRAIN_EVENT_START,
    WALK_M,
    WALK_S,
    WALK_START,
    WALK_TO,
)  # fmt: skip

BORDER_POINT = 16  # bit of event_flags
NEED_ROOM = -5  # the arrays of `Found` are too short


@njit(nogil=True)
def place_of(tt: Any, ch: Any, segment: Any) -> Any:
    """Return the segment's stop, where its times begin, and the number of runs."""
    pattern, pos = int32s(ch, SEGMENT_PATTERN)[segment], int32s(ch, SEGMENT_POS)[segment]
    stop = int32s(tt, PATTERN_STOPS)[int32s(tt, PATTERN_STOP_START)[pattern] + pos]
    base, n_runs = times_at(tt, pattern, pos)
    return stop, base, n_runs


@njit(nogil=True)
def _write_sections(tr: Any, out: Any, run: Any, board: Any, alight: Any, at: Any) -> Any:
    """Write the sections of a ride from row `at` on; returns the row after them, or NEED_ROOM."""
    cells = int32s(out, SECTIONS)
    train = int32s(tr, RUN_TRAIN)[run]
    section = next_section(tr, train, board, alight, int32s(tr, SECTION_START)[train])
    while section != NONE:
        if 6 * at + 6 > cells.size:
            return NEED_ROOM
        cells[6 * at] = int32s(tr, SECTION_TRIP)[section]
        cells[6 * at + 1] = int32s(tr, RUN_DAY)[run] + int32s(tr, SECTION_DAY_SHIFT)[section]
        cells[6 * at + 2] = sequence_at(tr, train, section, board)
        cells[6 * at + 3] = sequence_at(tr, train, section, alight)
        cells[6 * at + 4] = max(int32s(tr, SECTION_FROM_POS)[section], board) - board
        cells[6 * at + 5] = min(int32s(tr, SECTION_TO_POS)[section], alight) - board
        at += 1
        section = next_section(tr, train, board, alight, section + 1)
    return at


@njit(nogil=True)
def _write_ride(tt: Any, tr: Any, ch: Any, out: Any, at: Any, label: Any, epoch_s: Any) -> Any:
    """Write a ride with its calls and sections; returns whether there was room."""
    rides, stops, border = int32s(out, RIDES), int32s(out, CALL_STOP), uint8s(out, CALL_BORDER)
    arrivals, departures = int64s(out, CALL_ARRIVAL), int64s(out, CALL_DEPARTURE)
    segment = int32s(ch, LABEL_SEGMENT)[label]
    pattern = int32s(ch, SEGMENT_PATTERN)[segment]
    board, alight = int32s(ch, SEGMENT_POS)[segment], int32s(ch, LABEL_ALIGHT)[label]
    run = run_of(tt, ch, label)
    call = at[CALL_STOP]
    past_sections = _write_sections(tr, out, run, board, alight, at[SECTIONS])
    if past_sections < 0 or 7 * at[RIDES] + 7 > rides.size:
        return False
    if call + alight - board + 1 > stops.size:
        return False
    first_event = int64s(tr, TRAIN_EVENT_START)[int32s(tr, RUN_TRAIN)[run]]
    _, base, n_runs = place_of(tt, ch, segment)
    base += int32s(ch, LABEL_RUN)[label]
    for pos in range(board, alight + 1):
        here = int32s(tt, PATTERN_STOP_START)[pattern] + pos
        stops[call] = int32s(tt, PATTERN_STOPS)[here]
        arrivals[call] = int32s(tt, ARRIVALS_S)[base] + epoch_s
        departures[call] = int32s(tt, DEPARTURES_S)[base] + epoch_s
        border[call] = (uint8s(tr, EVENT_FLAGS)[first_event + pos] & BORDER_POINT) != 0
        base += n_runs
        call += 1
    row = 7 * at[RIDES]
    rides[row], rides[row + 1], rides[row + 2] = run, at[CALL_STOP], call
    rides[row + 3], rides[row + 4] = at[SECTIONS], past_sections
    at[RIDES] += 1
    at[CALL_STOP], at[SECTIONS] = call, past_sections
    return True


@njit(nogil=True)
def _write_walk(tt: Any, st: Any, out: Any, ride: Any, before: Any, stop: Any) -> None:
    """Write how one comes on foot to a ride: from the stop before, or from the origin (NONE)."""
    rides, walk_start = int32s(out, RIDES), int32s(tt, WALK_START)
    rides[7 * ride + 5], rides[7 * ride + 6] = 0, 0
    if before == NONE:
        rides[7 * ride + 5] = int32s(st, ACCESS_S)[stop]
        rides[7 * ride + 6] = int32s(st, ACCESS_M)[stop]
    elif before != stop:
        for path in range(walk_start[before], walk_start[before + 1]):
            if int32s(tt, WALK_TO)[path] == stop:
                rides[7 * ride + 5] = int32s(tt, WALK_S)[path]
                rides[7 * ride + 6] = int32s(tt, WALK_M)[path]


@njit(nogil=True)
def write_journey(
    tt: Any, tr: Any, st: Any, ch: Any, out: Any, at: Any, label: Any, epoch_s: Any
) -> Any:
    """Write the rides of a label; returns the last stop, or `NEED_ROOM`."""
    stops, before = int32s(out, CALL_STOP), types.int64(NONE)
    while label != NONE:
        first_call, ride = at[CALL_STOP], at[RIDES]
        if not _write_ride(tt, tr, ch, out, at, label, epoch_s):
            return types.int64(NEED_ROOM)
        _write_walk(tt, st, out, ride, before, stops[first_call])
        before = types.int64(stops[at[CALL_STOP] - 1])
        label = types.int64(int32s(ch, LABEL_REST)[label])
    return before
