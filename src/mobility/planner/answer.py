"""Whole answers, each in one call: search, choice among equals, and the scratch put back.

So the interpreter's lock is let go once for a question, and whatever happens to the caller, the
scratch of its thread is as it was. Where the slice has no links (``ln`` is empty) the search goes
by stops. An answer for which some scratch array is too short is begun again by the caller once
that was made longer (`mobility.planner.scratch`).

``tt``, ``ln``, ``bd`` and ``tr`` are `Timetable`, `Links`, `Bounds` with `Flags`, and `Trains`;
``st``, ``ch`` and ``out`` are `State`, `Choice` and `Found`, as references
(`mobility.planner.memory`). All entries take, besides

at : int64[N_WRITTEN]
    For the rows written to the arrays of `Found`.
epoch_s : int64
    Unix second of the slice's moment 0.
labels_max : int64
    Beyond so many labels equal journeys are told apart with one label per run.

and for a question

access, egress : int32[3, n]
    Stops that the origin and the target open, each once: stop, seconds, metres.
direct_s, max_travel_s, rounds : int64
    Time of walking all the way, negative where that is out of reach; the longest journey; the most
    rides.

They return 0, or the code (< 0) of what there was too little room for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from mobility.planner.arrive import latest_departures
from mobility.planner.choose import NEED_LABELS, choose
from mobility.planner.linked import advance_linked, begin_linked, depart_linked, forget_linked
from mobility.planner.memory import ENDS, INT, REFS, int32s, kernel
from mobility.planner.search import advance, begin, depart, forget
from mobility.planner.values import BEST_S, LABEL_RUN, LATEST_S, NEVER_S

MAX_LABELS = 1 << 18
YES_NO = types.boolean
BESTS = FLAT = types.Array(types.int32, 1, "C")
ROWS = types.Array(types.int64, 2, "C")


@njit(nogil=True)
def _choose_all(
    tt: Any, tr: Any, st: Any, ch: Any, out: Any, at: Any, egress: Any, improved: Any,
    rounds: Any, epoch_s: Any, labels_max: Any,
) -> Any:  # fmt: skip
    """Write the journey of each number of rides (bit k: k) by which the target improved."""
    rides, status = types.int64(1), types.int64(0)
    while improved >> rides and status == 0:
        if improved >> rides & 1:
            arrival = types.int64(int32s(st, BEST_S)[rides])
            status = choose(
                tt, tr, st, ch, out, at, egress, arrival, rides, rounds, epoch_s, False
            )  # fmt: skip
            if status == NEED_LABELS and int32s(ch, LABEL_RUN).size >= labels_max:
                status = choose(
                    tt, tr, st, ch, out, at, egress, arrival, rides, rounds, epoch_s, True
                )  # fmt: skip
        rides += 1
    return status


@njit(nogil=True)
def _forget(ln: Any, st: Any, access: Any, egress: Any, rounds: Any) -> None:
    if ln.size:
        forget_linked(ln, st)
    forget(st, access, egress, rounds)


@njit(nogil=True)
def _departure(
    tt: Any, ln: Any, bd: Any, tr: Any, st: Any, ch: Any, out: Any, at: Any, access: Any,
    egress: Any, direct_s: Any, max_travel_s: Any, rounds: Any, epoch_s: Any, labels_max: Any,
    leave_s: Any, on_foot: Any,
) -> Any:  # fmt: skip
    latest_s = leave_s + max_travel_s
    if ln.size:
        improved = depart_linked(
            tt, ln, bd, st, access, egress, leave_s, latest_s, direct_s, rounds, on_foot
        )
    else:
        improved = depart(tt, st, access, egress, leave_s, latest_s, direct_s, rounds)
    status = _choose_all(tt, tr, st, ch, out, at, egress, improved, rounds, epoch_s, labels_max)
    _forget(ln, st, access, egress, rounds)
    return status


@njit(nogil=True)
def _window(
    tt: Any, ln: Any, bd: Any, tr: Any, st: Any, ch: Any, out: Any, at: Any, access: Any,
    egress: Any, direct_s: Any, max_travel_s: Any, rounds: Any, epoch_s: Any, labels_max: Any,
    first_s: Any, end_s: Any, on_foot: Any, look_beyond: Any, best_s: Any,
) -> Any:  # fmt: skip
    best = int32s(st, BEST_S)
    if ln.size:
        best[:] = best_s
        n_events = begin_linked(
            tt, ln, bd, st, access, egress, first_s, end_s, max_travel_s, direct_s, rounds,
            on_foot, look_beyond,
        )  # fmt: skip
    else:
        if look_beyond:
            depart(tt, st, access, egress, end_s, end_s + max_travel_s, direct_s, rounds)
            best_s[:] = best
            forget(st, access, egress, rounds)
        n_events = begin(tt, st, access, egress, first_s, end_s)
        best[:] = best_s
    status = min(types.int64(n_events), types.int64(0))
    while status == 0:
        if ln.size:
            improved = advance_linked(tt, ln, bd, st, max_travel_s, direct_s, rounds)
        else:
            improved = advance(tt, st, max_travel_s, direct_s, rounds)
        if improved == 0:
            best_s[:] = best
            break
        status = _choose_all(
            tt, tr, st, ch, out, at, egress, improved, rounds, epoch_s, labels_max
        )  # fmt: skip
    _forget(ln, st, access, egress, rounds)
    return status


@kernel(
    INT(REFS, REFS, REFS, REFS, REFS, REFS, REFS, REFS, ENDS, ENDS, INT, INT, INT, INT, INT,
        INT, YES_NO)
)  # fmt: skip
def answer_departure(
    tt: Any, ln: Any, bd: Any, tr: Any, st: Any, ch: Any, out: Any, at: Any, access: Any,
    egress: Any, direct_s: Any, max_travel_s: Any, rounds: Any, epoch_s: Any, labels_max: Any,
    leave_s: Any, on_foot: Any,
) -> Any:  # fmt: skip
    """Write the best journeys of one departure, `leave_s`, a moment of the slice.

    ``on_foot``: no footpaths of the network lead to the target, as it is no stop.
    """
    at[:] = 0
    return _departure(
        tt, ln, bd, tr, st, ch, out, at, access, egress, direct_s, max_travel_s, rounds, epoch_s,
        labels_max, leave_s, on_foot,
    )  # fmt: skip


@kernel(
    INT(REFS, REFS, REFS, REFS, REFS, REFS, REFS, REFS, ENDS, ENDS, INT, INT, INT, INT, INT,
        INT, INT, YES_NO, YES_NO, BESTS)
)  # fmt: skip
def answer_window(
    tt: Any, ln: Any, bd: Any, tr: Any, st: Any, ch: Any, out: Any, at: Any, access: Any,
    egress: Any, direct_s: Any, max_travel_s: Any, rounds: Any, epoch_s: Any, labels_max: Any,
    first_s: Any, end_s: Any, on_foot: Any, look_beyond: Any, best_s: Any,
) -> Any:  # fmt: skip
    """Write the best journeys of all departures in [first, end), moments of the slice.

    ``best_s`` holds by number of rides the arrivals to improve on, and after success those that
    the span before is to improve on. With ``look_beyond`` what a departure at the end beats is
    left out.
    """
    at[:] = 0
    return _window(
        tt, ln, bd, tr, st, ch, out, at, access, egress, direct_s, max_travel_s, rounds, epoch_s,
        labels_max, first_s, end_s, on_foot, look_beyond, best_s,
    )  # fmt: skip


@kernel(INT(REFS, REFS, REFS, REFS, REFS, REFS, REFS, REFS, ROWS, FLAT, ROWS, INT, INT))
def answer_many(
    tt: Any, ln: Any, bd: Any, tr: Any, st: Any, ch: Any, out: Any, at: Any, asked: Any,
    ends: Any, written: Any, epoch_s: Any, labels_max: Any,
) -> Any:  # fmt: skip
    """Write the best journeys of each question, one after the other.

    Parameters
    ----------
    asked : int64[n, 10]
        First moment and end of the departures, whether it is a window (else the first moment
        counts), look_beyond, direct_s, max_travel_s, rounds, on_foot, and how many stops the
        origin and the target open.
    ends : int32
        Access and egress of each question in turn, row after row.
    written : int64[n, N_WRITTEN]
        For the rows that are written after each question.
    """
    at[:] = 0
    best_s = np.empty(int32s(st, BEST_S).size, np.int32)
    status, first = types.int64(0), types.int64(0)
    for question in range(asked.shape[0]):
        row = asked[question]
        middle = first + 3 * row[8]
        end = middle + 3 * row[9]
        access = ends[first:middle].reshape((3, row[8]))
        egress = ends[middle:end].reshape((3, row[9]))
        first = end
        if row[2]:
            best_s[:] = NEVER_S
            status = _window(
                tt, ln, bd, tr, st, ch, out, at, access, egress, row[4], row[5], row[6], epoch_s,
                labels_max, row[0], row[1], row[7] != 0, row[3] != 0, best_s,
            )  # fmt: skip
        else:
            status = _departure(
                tt, ln, bd, tr, st, ch, out, at, access, egress, row[4], row[5], row[6], epoch_s,
                labels_max, row[0], row[7] != 0,
            )  # fmt: skip
        if status != 0:
            break
        written[question] = at
    return status


@kernel(
    INT(REFS, REFS, REFS, REFS, REFS, REFS, REFS, REFS, ENDS, ENDS, INT, INT, INT, INT, INT, INT)
)
def answer_arrival(
    tt: Any, ln: Any, bd: Any, tr: Any, st: Any, ch: Any, out: Any, at: Any, access: Any,
    egress: Any, direct_s: Any, max_travel_s: Any, rounds: Any, epoch_s: Any, labels_max: Any,
    arrive_s: Any,
) -> Any:  # fmt: skip
    """Write the journeys that leave latest and arrive by `arrive_s`, each with its first arrival.

    The latest departures are found backwards, then for each its earliest arrival forwards, both by
    stops (``ln`` and ``bd`` are not looked at).
    """
    at[:] = 0
    best, latest = int32s(st, BEST_S), int32s(st, LATEST_S)
    leaving = latest_departures(
        tt, st, access, egress, arrive_s, arrive_s - max_travel_s, direct_s, rounds
    )
    for rides in range(1, rounds + 1):
        latest[rides] = -best[rides]
    forget(st, access, egress, rounds)
    status, rides = types.int64(0), types.int64(rounds)
    while rides > 0 and status == 0:
        if leaving >> rides & 1:
            leave_s = types.int64(latest[rides])
            improved = depart(tt, st, access, egress, leave_s, arrive_s, direct_s, rounds)
            status = _choose_all(
                tt, tr, st, ch, out, at, egress, improved & types.int64(1) << rides, rounds,
                epoch_s, labels_max,
            )  # fmt: skip
        rides -= 1
    forget(st, access, egress, rounds)
    return status
