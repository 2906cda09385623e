"""Kernel: the earliest arrival at every point by a scan of connections; no journeys, no counts.

Source: J. Dibbelt, T. Pajor, B. Strasser, D. Wagner, Connection Scan Algorithm, JEA 2018. Run
over mirrored connections and footpaths it finds the latest departures (negated).
"""

from __future__ import annotations

from typing import Any

from numba import njit, types

LATER_S = (1 << 31) - 1  # of a point that nobody has come to
STOPPED = -1
_U8 = types.Array(types.uint8, 1, "C")
_I32 = types.Array(types.int32, 1, "C", readonly=True)
_W_I32 = types.Array(types.int32, 1, "C")
INT = types.int64


@njit(nogil=True)
def _first_from(times: Any, moment: Any) -> Any:
    low, high = types.int64(0), types.int64(times.size)
    while low < high:
        middle = (low + high) >> 1
        if times[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True)
def _settled(
    ridden: Any, start: Any, point: Any, walk_s: Any, direct_s: Any, n_settled: Any, moment: Any
) -> Any:
    """Return how many targets, counted from the first, no ride after the moment can improve."""
    while n_settled < direct_s.size:
        known = direct_s[n_settled] <= moment
        for k in range(start[n_settled], start[n_settled + 1]):
            known = known or types.int64(ridden[point[k]]) + walk_s[k] <= moment
        if not known:
            break
        n_settled += 1
    return n_settled


@njit(
    INT(
        _I32, _I32, _I32, _I32, _I32, _I32, _I32, _I32, _I32, INT, INT,
        _I32, _I32, _I32, _I32, _U8, _W_I32, _W_I32, types.Array(types.uint8, 1, "C"),
    ),
    cache=True, nogil=True,
)  # fmt: skip
def scan(
    departures: Any, arrivals: Any, origins: Any, ends: Any, runs: Any,
    change_s: Any, walk_start: Any, walk_to: Any, walk_s: Any, first_s: Any, last_s: Any,
    target_start: Any, target_point: Any, target_walk_s: Any, target_direct_s: Any,
    stop: Any, ready: Any, ridden: Any, boarded: Any,
) -> Any:  # fmt: skip
    """Ride all that leaves in [first_s, last_s]; returns the connections looked at, or `STOPPED`.

    ``ready`` says from when on one may board at a point and holds the start; ``ridden`` is the
    earliest arrival by a ride. Nowhere, their last row, is never ready and cannot be reached.
    Walks begin where a ride ends: closed footpaths need no others. Ends early when none of the
    targets, where there are any, can be reached earlier.
    """
    item, n_settled, n_targets = _first_from(departures, first_s), INT(0), target_direct_s.size
    before = item
    while item < departures.size and departures[item] <= last_s:
        moment, first = departures[item], item
        if stop[0]:
            return INT(STOPPED)
        if n_targets:
            n_settled = _settled(
                ridden, target_start, target_point, target_walk_s, target_direct_s, n_settled,
                moment,
            )  # fmt: skip
            if n_settled == n_targets:
                break
        again = True
        while again:  # what arrives at once may lead to what leaves now and was passed over
            again = False
            item = first
            while item < departures.size and departures[item] == moment:
                run = runs[item]
                if boarded[run] or ready[origins[item]] <= moment:
                    boarded[run] = 1
                    end, arrival = ends[item], arrivals[item]
                    if arrival < ridden[end]:
                        ridden[end] = arrival
                        onward = arrival + change_s[end]
                        if onward < ready[end]:
                            ready[end] = onward
                            again = again or onward <= moment
                        for path in range(walk_start[end], walk_start[end + 1]):
                            onward = arrival + walk_s[path]
                            if onward < ready[walk_to[path]]:
                                ready[walk_to[path]] = onward
                                again = again or onward <= moment
                item += 1
    return item - before


@njit(types.void(_W_I32, _I32, _I32, _I32, _W_I32), cache=True, nogil=True)
def walk_on(ridden: Any, walk_start: Any, walk_to: Any, walk_s: Any, ready: Any) -> None:
    """Lower ``ready`` to the arrival on foot, where the last walk takes less than one to a ride."""
    for point in range(ridden.size - 1):
        if ridden[point] < LATER_S:
            for path in range(walk_start[point], walk_start[point + 1]):
                to = walk_to[path]
                ready[to] = min(ready[to], ridden[point] + walk_s[path])


@njit(types.void(_W_I32, _W_I32, INT, INT, _W_I32), cache=True, nogil=True)
def travel_times(ready: Any, ridden: Any, first_s: Any, last_s: Any, travel_s: Any) -> None:
    """Write for each stop the seconds until the earliest arrival at its own point.

    On foot one arrives when one may board; by a ride before that. -1 where the last moment does
    not suffice. The other points of a stop do not count: footpaths lead from each to its own, and
    what leads to them may be short for who changes between two trains and for nobody else.
    """
    for stop in range(travel_s.size):
        arrival = min(ready[stop], ridden[stop])
        travel_s[stop] = arrival - first_s if arrival <= last_s else -1


@njit(types.void(_W_I32, _I32, _I32, _I32, _I32, INT, INT, _W_I32), cache=True, nogil=True)
def target_times(
    ridden: Any, start: Any, point: Any, walk_s: Any, direct_s: Any, first_s: Any, last_s: Any,
    travel_s: Any,
) -> None:  # fmt: skip
    """Write for each target the seconds until the earliest arrival; -1 as in `travel_times`."""
    for target in range(direct_s.size):
        arrival = INT(direct_s[target])
        for k in range(start[target], start[target + 1]):
            arrival = min(arrival, INT(ridden[point[k]]) + walk_s[k])
        travel_s[target] = arrival - first_s if arrival <= last_s else -1
