"""The order among labels: what tells equal journeys apart (`mobility.journey.sort_key`)."""

from __future__ import annotations

from typing import Any

from numba import njit, types

from mobility.planner.memory import int32s, int64s, uint8s
from mobility.planner.values import (
    CHOICE_COUNTS,
    EVENT_SEQUENCE,
    FEED_RANK,
    LABEL_ALIGHT,
    LABEL_OPERATORS,
    LABEL_REST,
    LABEL_RUN,
    LABEL_SEGMENT,
    LABEL_WALK_M,
    N_OPERATORS,
    NONE,
    OPERATORS,
    PATTERN_RUN_START,
    ROUTE_AGENCY,
    RUN_DAY,
    RUN_TRAIN,
    SECTION_ALIAS,
    SECTION_DAY_SHIFT,
    SECTION_FROM_POS,
    SECTION_FROM_SEQUENCE,
    SECTION_START,
    SECTION_TO_POS,
    SECTION_TO_SEQUENCE,
    SECTION_TRIP,
    SEGMENT_PATTERN,
    SEGMENT_POS,
    TRAIN_EVENT_START,
    TRIP_FEED,
    TRIP_ID_DATA,
    TRIP_ID_OFFSETS,
    TRIP_ROUTE,
)  # fmt: skip

MAX_OPERATORS = 63  # operators told apart among equal journeys; further ones count as one


@njit(nogil=True)
def next_section(tr: Any, train: Any, board: Any, alight: Any, section: Any) -> Any:
    """Return the first section from `section` on that carries a part of the ride, or NONE."""
    low, high = int32s(tr, SECTION_FROM_POS), int32s(tr, SECTION_TO_POS)
    alias = uint8s(tr, SECTION_ALIAS)
    for s in range(section, int32s(tr, SECTION_START)[train + 1]):
        if not alias[s] and max(low[s], board) < min(high[s], alight):
            return s
    return NONE


@njit(nogil=True)
def sequence_at(tr: Any, train: Any, section: Any, pos: Any) -> Any:
    """Return the section's stop_sequence at a position, at its ends if the position is beyond."""
    if pos <= int32s(tr, SECTION_FROM_POS)[section]:
        return int32s(tr, SECTION_FROM_SEQUENCE)[section]
    if pos >= int32s(tr, SECTION_TO_POS)[section]:
        return int32s(tr, SECTION_TO_SEQUENCE)[section]
    return int32s(tr, EVENT_SEQUENCE)[int64s(tr, TRAIN_EVENT_START)[train] + pos]


@njit(nogil=True)
def _compare_trips(tr: Any, a: Any, b: Any) -> Any:
    """Compare (feed id, trip id) of two trips: negative, 0 or positive."""
    if a == b:
        return types.int64(0)
    feed, rank = int32s(tr, TRIP_FEED), int32s(tr, FEED_RANK)
    offsets, data = int64s(tr, TRIP_ID_OFFSETS), uint8s(tr, TRIP_ID_DATA)
    order = types.int64(rank[feed[a]] - rank[feed[b]])
    at, other = offsets[a], offsets[b]
    while order == 0 and at < offsets[a + 1] and other < offsets[b + 1]:
        order = types.int64(data[at]) - types.int64(data[other])  # UTF-8 sorts as characters do
        at += 1
        other += 1
    return order if order != 0 else (offsets[a + 1] - at) - (offsets[b + 1] - other)


@njit(nogil=True)
def run_of(tt: Any, ch: Any, label: Any) -> Any:
    """Return the run of the slice that a label rides."""
    pattern = int32s(ch, SEGMENT_PATTERN)[int32s(ch, LABEL_SEGMENT)[label]]
    return int32s(tt, PATTERN_RUN_START)[pattern] + int32s(ch, LABEL_RUN)[label]


@njit(nogil=True)
def _section_of(tt: Any, tr: Any, ch: Any, label: Any, section: Any) -> Any:
    """Return the label that comes next and its next section, from `section` of this label on."""
    while label != NONE:
        train = int32s(tr, RUN_TRAIN)[run_of(tt, ch, label)]
        board = int32s(ch, SEGMENT_POS)[int32s(ch, LABEL_SEGMENT)[label]]
        begin = int32s(tr, SECTION_START)[train] if section == NONE else section
        section = next_section(tr, train, board, int32s(ch, LABEL_ALIGHT)[label], begin)
        if section != NONE:
            break
        label = int32s(ch, LABEL_REST)[label]
    return types.int64(label), types.int64(section)


@njit(nogil=True)
def _compare_sections(tt: Any, tr: Any, ch: Any, a: Any, in_a: Any, b: Any, in_b: Any) -> Any:
    """Compare a section of each of two labels as `sort_key` compares trip references."""
    trips, shift = int32s(tr, SECTION_TRIP), int32s(tr, SECTION_DAY_SHIFT)
    order = _compare_trips(tr, trips[in_a], trips[in_b])
    run_a, run_b = run_of(tt, ch, a), run_of(tt, ch, b)
    if order == 0:
        days = int32s(tr, RUN_DAY)
        order = types.int64(days[run_a] + shift[in_a]) - (days[run_b] + shift[in_b])
    train_a, train_b = int32s(tr, RUN_TRAIN)[run_a], int32s(tr, RUN_TRAIN)[run_b]
    if order == 0:
        boards, segments = int32s(ch, SEGMENT_POS), int32s(ch, LABEL_SEGMENT)
        order = types.int64(sequence_at(tr, train_a, in_a, boards[segments[a]]))
        order -= sequence_at(tr, train_b, in_b, boards[segments[b]])
    if order == 0:
        alights = int32s(ch, LABEL_ALIGHT)
        order = types.int64(sequence_at(tr, train_a, in_a, alights[a]))
        order -= sequence_at(tr, train_b, in_b, alights[b])
    return order


@njit(nogil=True)
def compare_labels(tt: Any, tr: Any, ch: Any, a: Any, b: Any) -> Any:
    """Compare two labels' sequences of trip references: negative, 0 or positive."""
    in_a, in_b = types.int64(NONE), types.int64(NONE)
    a, b = types.int64(a), types.int64(b)
    segments, runs = int32s(ch, LABEL_SEGMENT), int32s(ch, LABEL_RUN)
    alights, rests = int32s(ch, LABEL_ALIGHT), int32s(ch, LABEL_REST)
    while True:
        while in_a == NONE and in_b == NONE and min(a, b) != NONE:
            if a == b:
                return types.int64(0)
            if segments[a] != segments[b] or runs[a] != runs[b] or alights[a] != alights[b]:
                break
            a, b = types.int64(rests[a]), types.int64(rests[b])  # the same ride
        a, in_a = _section_of(tt, tr, ch, a, in_a)
        b, in_b = _section_of(tt, tr, ch, b, in_b)
        if min(a, b) == NONE:
            return types.int64(a != NONE) - types.int64(b != NONE)
        order = _compare_sections(tt, tr, ch, a, in_a, b, in_b)
        if order != 0:
            return order
        in_a += 1
        in_b += 1


@njit(nogil=True)
def operators_of(tr: Any, ch: Any, run: Any, board: Any, alight: Any) -> Any:
    """Return the set of operators of a ride as bits, numbered as they are met."""
    operators, counts = int32s(ch, OPERATORS), int64s(ch, CHOICE_COUNTS)
    train = int32s(tr, RUN_TRAIN)[run]
    bits = types.int64(0)
    section = next_section(tr, train, board, alight, int32s(tr, SECTION_START)[train])
    while section != NONE:
        route = int32s(tr, TRIP_ROUTE)[int32s(tr, SECTION_TRIP)[section]]
        agency = int32s(tr, ROUTE_AGENCY)[route]
        at = 0
        while at < counts[N_OPERATORS] and operators[at] != agency:
            at += 1
        if at == counts[N_OPERATORS] and at < MAX_OPERATORS:
            operators[at] = agency
            counts[N_OPERATORS] += 1
        bits |= types.int64(1) << min(at, MAX_OPERATORS - 1)
        section = next_section(tr, train, board, alight, section + 1)
    return bits


@njit(nogil=True)
def precedes(tt: Any, tr: Any, ch: Any, a: Any, b: Any, more_walk_m: Any) -> Any:
    """Return whether label a, walking that much more, comes before b in the total order."""
    walk_m, operators = int32s(ch, LABEL_WALK_M), int64s(ch, LABEL_OPERATORS)
    order = types.int64(walk_m[a]) + more_walk_m - walk_m[b]
    if order == 0 and operators[a] != operators[b]:
        for bit in range(MAX_OPERATORS):
            order += (operators[a] >> bit & 1) - (operators[b] >> bit & 1)
    if order == 0:
        order = compare_labels(tt, tr, ch, a, b)
    return order < 0
