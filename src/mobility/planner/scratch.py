"""The scratch memory of one thread: allocated once, grown when a query asks for more."""

from __future__ import annotations

import numpy as np

from mobility.planner.choose import NEED_LABELS, NEED_NODES, NEED_SEGMENTS
from mobility.planner.memory import references
from mobility.planner.order import MAX_OPERATORS
from mobility.planner.search import NEED_EVENTS
from mobility.planner.values import (
    MAX_ROUNDS,
    N_WRITTEN,
    NEVER_S,
    NONE,
    NOT_RIDDEN,
    UNREAD,
    Choice,
    Found,
    State,
)
from mobility.planner.write import NEED_ROOM

STRIDE = MAX_ROUNDS + 1


class Scratch:
    """Scratch arrays for so many stops and cells of bounds, and up to so many patterns.

    Attributes
    ----------
    state_refs, choice_refs, found_refs : int64[2 * n]
        References of the tuples, for the kernels.
    written : int64[N_WRITTEN]
        Rows of `Found` that the last answer wrote.
    """

    _linked_runs = _linked_events = 0  # room for slices with links, made by `fit`

    def __init__(self, n_stops: int, n_patterns: int, n_cells: int) -> None:
        self.n_stops, self.n_patterns, self.n_cells = n_stops, n_patterns, n_cells
        self._events, self._segments, self._nodes = 4_096, 4_096, 16_384
        self._labels, self._room = 16_384, 64
        self._new_state()
        self._new_choice()
        self._new_found()

    def _new_state(self) -> None:
        stops, patterns = self.n_stops, self.n_patterns
        self.state = State(
            labels_s=np.full(2 * stops * MAX_ROUNDS, NEVER_S, np.int32),
            touched=np.empty(stops, np.int32),
            is_touched=np.zeros(stops, np.uint8),
            marked=np.empty(stops, np.int32),
            is_marked=np.zeros(stops, np.uint8),
            improved=np.empty(stops, np.int32),
            is_improved=np.zeros(stops, np.uint8),
            queue=np.empty(patterns, np.int32),
            queue_pos=np.full(patterns, NEVER_S, np.int32),
            queue_run=np.empty(patterns, np.int32),
            reached_pos=np.full(patterns, NEVER_S, np.int32),
            reached_run=np.empty(patterns, np.int32),
            reached_round=np.empty(patterns, np.int32),
            reached=np.empty(patterns, np.int32),
            egress_s=np.full(stops, NEVER_S, np.int32),
            egress_m=np.zeros(stops, np.int32),
            access_s=np.full(stops, NEVER_S, np.int32),
            access_m=np.zeros(stops, np.int32),
            best_s=np.full(STRIDE, NEVER_S, np.int32),
            before_s=np.full(STRIDE, NEVER_S, np.int32),
            latest_s=np.full(STRIDE, NEVER_S, np.int32),
            to_go=np.empty(self.n_cells, np.int32),
            events=np.empty(self._events, np.int64),
            event_pattern=np.empty(self._events, np.int32),
            event_pos=np.empty(self._events, np.int32),
            event_run=np.empty(self._events, np.int32),
            ridden_from=np.full(self._linked_runs * MAX_ROUNDS, NOT_RIDDEN, np.int16),
            # in a round each call of a run is gone along once; pages never used cost nothing
            stretches=np.empty(2 * self._linked_events, np.int64),
            counts=np.zeros(9, np.int64),
        )
        self.state_refs = references(self.state)

    def _new_choice(self) -> None:
        cells, segments, labels = self.n_stops * STRIDE, self._segments, self._labels
        self.choice = Choice(
            deadline_s=np.full(cells, -NEVER_S, np.int32),
            tight_s=np.full(cells, NEVER_S, np.int32),
            segment_head=np.full(cells, NONE, np.int32),
            known=np.empty(self.n_stops, np.int32),
            is_known=np.zeros(self.n_stops, np.uint8),
            level_stops=np.empty(2 * self.n_stops, np.int32),
            level_start=np.zeros(STRIDE + 1, np.int32),
            ready_s=np.full(self.n_stops, UNREAD, np.int32),
            ready_stops=np.empty(self.n_stops, np.int32),
            segment_pattern=np.empty(segments, np.int32),
            segment_pos=np.empty(segments, np.int32),
            segment_first=np.empty(segments, np.int32),
            segment_last=np.empty(segments, np.int32),
            segment_next=np.empty(segments, np.int32),
            segment_node=np.empty(segments, np.int32),
            node_label=np.empty(self._nodes, np.int32),
            label_walk_m=np.empty(labels, np.int32),
            label_operators=np.empty(labels, np.int64),
            label_alight=np.empty(labels, np.int32),
            label_rest=np.empty(labels, np.int32),
            label_next=np.empty(labels, np.int32),
            label_segment=np.empty(labels, np.int32),
            label_run=np.empty(labels, np.int32),
            operators=np.empty(MAX_OPERATORS, np.int32),
            counts=np.zeros(8, np.int64),
        )
        self.choice_refs = references(self.choice)

    def _new_found(self) -> None:
        room = self._room
        self.found = Found(
            journeys=np.empty((room, 6), np.int32),
            rides=np.empty((room * 4, 7), np.int32),
            sections=np.empty((room * 8, 6), np.int32),
            call_stop=np.empty(room * 64, np.int32),
            call_arrival=np.empty(room * 64, np.int64),
            call_departure=np.empty(room * 64, np.int64),
            call_border=np.empty(room * 64, np.bool_),
        )
        self.found_refs = references(self.found)
        self.written = np.zeros(N_WRITTEN, np.int64)

    def fit(self, n_patterns: int, linked_runs: int, linked_events: int, n_cells: int) -> None:
        """Make room for a slice of so many patterns and, where it has links, runs and events."""
        needed = (n_patterns, linked_runs, linked_events, n_cells)
        room = (self.n_patterns, self._linked_runs, self._linked_events, self.n_cells)
        if any(n > r for n, r in zip(needed, room, strict=True)) or n_cells != self.n_cells:
            most = (max(n, r) for n, r in zip(needed[:3], room[:3], strict=True))
            self.n_patterns, self._linked_runs, self._linked_events = most
            self.n_cells = n_cells
            self._new_state()

    def grow(self, status: int) -> None:
        """Make room for what an answer ran out of; only between answers."""
        if status == NEED_ROOM:
            self._room *= 4
            self._new_found()
        elif status == NEED_EVENTS:
            self._events *= 4
            self._new_state()
        else:
            self._labels *= 4 if status == NEED_LABELS else 1
            self._segments *= 4 if status == NEED_SEGMENTS else 1
            self._nodes *= 4 if status == NEED_NODES else 1
            self._new_choice()
