"""What the kernels read and write: tuples of flat arrays, and where each stands in its tuple.

The constants below each tuple number its fields, for `mobility.planner.memory`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mobility.network import Bounds, DaySlice, Flags, Links, Network
from mobility.planner.memory import frozen_all

Array = npt.NDArray[Any]

NEVER_S = 1 << 30  # later than any time of a slice
MAX_ROUNDS = 16  # rides of one journey
NONE = -1
UNREAD = -NEVER_S  # no moment of a slice: a departure on the first day may be before its epoch
BOARDING, ALIGHTING = 1, 2  # bits of pattern_flags


class Timetable(NamedTuple):
    """The runs of one day slice and the footpaths; named as in `DaySlice` and `Network`.

    ``board_*`` are, by stop, the patterns to board there, with the position, where the times of
    the position begin, and the number of runs; ``alight_*`` the same for alighting. ``back_*`` are
    the footpaths by the stop they lead to. All int32, save for uint8 ``pattern_flags`` and int64
    ``pattern_time_start`` and ``*_base``.
    """

    pattern_stop_start: Array
    pattern_stops: Array
    pattern_flags: Array
    pattern_run_start: Array
    pattern_time_start: Array
    arrivals_s: Array
    departures_s: Array
    board_start: Array
    board_pattern: Array
    board_pos: Array
    board_base: Array
    board_runs: Array
    alight_start: Array
    alight_pattern: Array
    alight_pos: Array
    alight_base: Array
    alight_runs: Array
    change_s: Array
    walk_start: Array
    walk_to: Array
    walk_s: Array
    walk_m: Array
    back_start: Array
    back_from: Array
    back_s: Array


(
    PATTERN_STOP_START,
    PATTERN_STOPS,
    PATTERN_FLAGS,
    PATTERN_RUN_START,
    PATTERN_TIME_START,
    ARRIVALS_S,
    DEPARTURES_S,
    BOARD_START,
    BOARD_PATTERN,
    BOARD_POS,
    BOARD_BASE,
    BOARD_RUNS,
    ALIGHT_START,
    ALIGHT_PATTERN,
    ALIGHT_POS,
    ALIGHT_BASE,
    ALIGHT_RUNS,
    CHANGE_S,
    WALK_START,
    WALK_TO,
    WALK_S,
    WALK_M,
    BACK_START,
    BACK_FROM,
    BACK_S,
) = range(len(Timetable._fields))


class Trains(NamedTuple):
    """What tells trains apart: sections, trips, operators; named as in `DaySlice`, `Network`.

    ``feed_rank`` is each feed's place in the order of feed ids. All int32, save for int64
    ``train_event_start`` and ``trip_id_offsets``, uint8 ``event_flags``, ``section_alias`` and
    ``trip_id_data``.
    """

    run_train: Array
    run_day: Array
    train_event_start: Array
    event_sequence: Array
    event_flags: Array
    section_start: Array
    section_trip: Array
    section_day_shift: Array
    section_from_pos: Array
    section_to_pos: Array
    section_from_sequence: Array
    section_to_sequence: Array
    section_alias: Array
    trip_feed: Array
    trip_route: Array
    route_agency: Array
    feed_rank: Array
    trip_id_offsets: Array
    trip_id_data: Array


(
    RUN_TRAIN,
    RUN_DAY,
    TRAIN_EVENT_START,
    EVENT_SEQUENCE,
    EVENT_FLAGS,
    SECTION_START,
    SECTION_TRIP,
    SECTION_DAY_SHIFT,
    SECTION_FROM_POS,
    SECTION_TO_POS,
    SECTION_FROM_SEQUENCE,
    SECTION_TO_SEQUENCE,
    SECTION_ALIAS,
    TRIP_FEED,
    TRIP_ROUTE,
    ROUTE_AGENCY,
    FEED_RANK,
    TRIP_ID_OFFSETS,
    TRIP_ID_DATA,
) = range(len(Trains._fields))


class State(NamedTuple):
    """Scratch arrays of the search; between queries all are as `Scratch` made them.

    ``labels_s`` [stop, k, 2] are the earliest arrival by a ride with at most k + 1 rides and,
    beside it in memory, the earliest moment to be ready to board after at most k rides; k is below
    the number of rounds of the query. The search from run to run keeps arrivals alone, [k, stop],
    and beside them ``ridden_from`` [k, run], the position from which on a run was ridden; of both
    the first counts[N_LANES] rows count. ``latest_s`` [k] is until when an arrival with k rides is
    of use; ``to_go`` is by cell of the bounds the least time to the target, in their units, shifted
    by `TO_GO_SHIFT`, and below it the fewest rides. All int32, save for uint8 ``is_*``, int16
    ``ridden_from`` and int64 ``events``, ``stretches`` and ``counts``.
    """

    labels_s: Array
    touched: Array
    is_touched: Array
    marked: Array
    is_marked: Array
    improved: Array
    is_improved: Array
    queue: Array
    queue_pos: Array
    queue_run: Array
    reached_pos: Array
    reached_run: Array
    reached_round: Array
    reached: Array
    egress_s: Array
    egress_m: Array
    access_s: Array
    access_m: Array
    best_s: Array
    before_s: Array
    latest_s: Array
    to_go: Array
    events: Array
    event_pattern: Array
    event_pos: Array
    event_run: Array
    ridden_from: Array
    stretches: Array
    counts: Array


(
    LABELS_S,
    TOUCHED,
    IS_TOUCHED,
    MARKED,
    IS_MARKED,
    IMPROVED,
    IS_IMPROVED,
    QUEUE,
    QUEUE_POS,
    QUEUE_RUN,
    REACHED_POS,
    REACHED_RUN,
    REACHED_ROUND,
    REACHED,
    EGRESS_S,
    EGRESS_M,
    ACCESS_S,
    ACCESS_M,
    BEST_S,
    BEFORE_S,
    LATEST_S,
    TO_GO,
    EVENTS,
    EVENT_PATTERN,
    EVENT_POS,
    EVENT_RUN,
    RIDDEN_FROM,
    STRETCHES,
    COUNTS,
) = range(len(State._fields))
# cells of State.counts; LEAVE_S is the departure searched now, negative where one may wait for
# the first ride; N_LANES is 0 where the search goes by stops, else FROM_S is when one leaves and
# PARTS has a bit for each part of the network that the target is in
N_TOUCHED, N_MARKED, N_IMPROVED, N_EVENTS, LEAVE_S, N_REACHED, N_LANES, FROM_S, PARTS = range(9)
NOT_RIDDEN = (1 << 15) - 1  # in State.ridden_from
TO_GO_SHIFT, RIDES_MASK = 8, 255  # of State.to_go
# fields of mobility.network.values.Links
RUNS, PLACES, RUN_EVENTS, LINKS = range(4)
# of mobility.network.values.Bounds, and of Flags where a slice has them
CELL_OF, LEAST_UNITS, FEWEST_RIDES, PART_OF, LINK_PARTS = range(5)


class Choice(NamedTuple):
    """Scratch arrays of the choice among equal journeys.

    ``deadline_s`` and ``tight_s`` are [rides left, stop]; ``ready_s`` is from when one can board at
    a stop after the rides of a level, `UNREAD` where that was not looked up, and ``ready_stops``
    are where it was. A segment is a stretch of runs at one position of a pattern; a node is one run
    of a segment; a label is one way to go on from a node to the target. All int32, save for uint8
    ``is_known`` and int64 ``label_operators`` and ``counts``.
    """

    deadline_s: Array
    tight_s: Array
    segment_head: Array
    known: Array
    is_known: Array
    level_stops: Array
    level_start: Array
    ready_s: Array
    ready_stops: Array
    segment_pattern: Array
    segment_pos: Array
    segment_first: Array
    segment_last: Array
    segment_next: Array
    segment_node: Array
    node_label: Array
    label_walk_m: Array
    label_operators: Array
    label_alight: Array
    label_rest: Array
    label_next: Array
    label_segment: Array
    label_run: Array
    operators: Array
    counts: Array


(
    DEADLINE_S,
    TIGHT_S,
    SEGMENT_HEAD,
    KNOWN,
    IS_KNOWN,
    LEVEL_STOPS,
    LEVEL_START,
    READY_S,
    READY_STOPS,
    SEGMENT_PATTERN,
    SEGMENT_POS,
    SEGMENT_FIRST,
    SEGMENT_LAST,
    SEGMENT_NEXT,
    SEGMENT_NODE,
    NODE_LABEL,
    LABEL_WALK_M,
    LABEL_OPERATORS,
    LABEL_ALIGHT,
    LABEL_REST,
    LABEL_NEXT,
    LABEL_SEGMENT,
    LABEL_RUN,
    OPERATORS,
    CHOICE_COUNTS,
) = range(len(Choice._fields))
# cells of Choice.counts; the stops of two neighbouring levels are kept side by side
N_KNOWN, N_EVEN_LEVEL, N_ODD_LEVEL, N_OPERATORS, N_LABELS, N_READY = range(6)


class Found(NamedTuple):
    """Where the kernel writes what it found, one row after the other.

    ``journeys`` int32[n, 6]: departure, arrival, rides, first row of rides, seconds and metres on
    foot at the end. ``rides`` int32[n, 7]: run, first and past the last call, first and past the
    last row of sections, seconds and metres on foot before it. ``sections`` int32[n, 6]: trip, day,
    from_sequence, to_sequence, first and last call of the ride (counted from 0). ``call_*`` of each
    call: stop int32, arrival and departure in unix seconds int64, border point bool.
    """

    journeys: Array
    rides: Array
    sections: Array
    call_stop: Array
    call_arrival: Array
    call_departure: Array
    call_border: Array


(
    JOURNEYS,
    RIDES,
    SECTIONS,
    CALL_STOP,
    CALL_ARRIVAL,
    CALL_DEPARTURE,
    CALL_BORDER,
) = range(len(Found._fields))
N_WRITTEN = CALL_STOP + 1  # counts of rows written: of journeys, rides, sections, calls


_DTYPES: dict[str, Any] = {
    "pattern_flags": np.uint8,
    "pattern_time_start": np.int64,
    "board_base": np.int64,
    "alight_base": np.int64,
    "train_event_start": np.int64,
    "event_flags": np.uint8,
    "section_alias": np.uint8,
    "trip_id_offsets": np.int64,
    "trip_id_data": np.uint8,
}


def _checked(names: tuple[str, ...], sources: dict[str, Any]) -> list[Array]:
    dtypes = [_DTYPES.get(name, np.int32) for name in names]
    return frozen_all([sources[name] for name in names], dtypes)


def reverse_walks(network: Network) -> dict[str, Array]:
    """Return the footpaths by the point they lead to: CSR start, origin, seconds, metres."""
    origin = np.repeat(np.arange(network.n_points, dtype=np.int32), np.diff(network.walk_start))
    order = np.argsort(network.walk_to, kind="stable")
    start = np.zeros(network.n_points + 1, np.int32)
    np.cumsum(np.bincount(network.walk_to, minlength=network.n_points), out=start[1:])
    return {
        "back_start": start,
        "back_from": origin[order],
        "back_s": network.walk_s[order],
        "back_m": network.walk_m[order],
    }


def timetable_of(network: Network, day: DaySlice, back: dict[str, Array]) -> Timetable:
    """Return the arrays of a slice with the network's footpaths; `back` from `reverse_walks`."""
    names = Timetable._fields
    sources = {name: getattr(day, name) for name in names if hasattr(day, name)}
    sources |= {name: getattr(network, name) for name in names if hasattr(network, name)}
    sources |= _calls_by_stop(day, "board", BOARDING) | _calls_by_stop(day, "alight", ALIGHTING)
    return Timetable(*_checked(names, sources | back))


def _calls_by_stop(day: DaySlice, prefix: str, flag: int) -> dict[str, Array]:
    """Return by stop the patterns to board (or to alight from) and where their times are.

    The last stop of a pattern is not boarded, the first not alighted at.
    """
    pattern, pos = day.stop_patterns, day.stop_pattern_pos
    useless = np.diff(day.pattern_stop_start) - 1 if flag == BOARDING else np.zeros(1, np.int32)
    useful = day.pattern_flags[day.pattern_stop_start[pattern] + pos] & flag != 0
    useful &= pos != (useless[pattern] if flag == BOARDING else 0)
    before = np.concatenate([[0], np.cumsum(useful)])
    pattern, pos = pattern[useful], pos[useful]
    runs = np.diff(day.pattern_run_start)[pattern]
    return {
        f"{prefix}_start": before[day.stop_pattern_start],
        f"{prefix}_pattern": pattern,
        f"{prefix}_pos": pos,
        f"{prefix}_base": day.pattern_time_start[pattern] + pos.astype(np.int64) * runs,
        f"{prefix}_runs": runs,
    }


def link_arrays(links: Links) -> list[Array]:
    """Return the arrays of `Links` in the order of its fields, all int32."""
    arrays = [getattr(links, field.name).reshape(-1) for field in fields(links)]
    return frozen_all(arrays, [np.int32] * len(arrays))


def bound_arrays(bounds: Bounds, flags: Flags | None) -> list[Array]:
    """Return the arrays of `Bounds` and then `Flags`: int32, uint16, uint8, int32, int64.

    Without flags those of `Flags` are empty; with them the bounds are the day's, by stop.
    """
    types = [np.int32, np.uint16, np.uint8, np.int32, np.int64]
    if flags is None:
        arrays = [bounds.cell_of, bounds.least_units, bounds.fewest_rides, [], []]
    else:
        each_its_own = np.arange(len(flags.part_of))
        arrays = [
            each_its_own, flags.least_units, flags.fewest_rides, flags.part_of, flags.link_parts
        ]  # fmt: skip
    return frozen_all(arrays, types)


def no_bounds(n_points: int) -> Bounds:
    """Return bounds that promise nothing: one cell, no time and no ride to go."""
    return Bounds(np.zeros(n_points, np.int32), np.zeros(1, np.uint16), np.zeros(1, np.uint8))


def train_arrays(network: Network) -> dict[str, Array]:
    """Return what `Trains` takes from the network, for `trains_of`."""
    names = [name for name in Trains._fields if hasattr(network, name)]
    sources = {name: getattr(network, name) for name in names}
    rank = np.empty(network.n_feeds, np.int32)
    rank[sorted(range(network.n_feeds), key=lambda i: network.feed_id[i])] = np.arange(len(rank))
    sources["feed_rank"] = rank
    sources["trip_id_offsets"] = network.trip_id.offsets
    sources["trip_id_data"] = network.trip_id.data
    return dict(zip(sources, _checked(tuple(sources), sources), strict=True))


def trains_of(day: DaySlice, arrays: dict[str, Array]) -> Trains:
    """Return the arrays that tell the trains of a slice apart."""
    sources = arrays | {"run_train": day.run_train, "run_day": day.run_day}
    return Trains(*_checked(Trains._fields, sources))
