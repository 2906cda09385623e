"""Kernels that find how far every stop is, at least, from every cell: in time and in rides."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

UNIT_S = 2  # of the times kept: 24 hours fit into 16 bits
FAR = (1 << 16) - 1  # not to be reached within the horizon
HORIZON_UNITS = 24 * 3600 // UNIT_S
BUCKET_UNITS = 32  # stops whose distances differ by about a minute are settled together
MANY_RIDES = 255  # not to be reached
BOARDING, ALIGHTING = 1, 2  # bits of the flags of a pattern
_I32 = types.Array(types.int32, 1, "C", readonly=True)
_U8 = types.Array(types.uint8, 1, "C", readonly=True)
_W_U16 = types.Array(types.uint16, 2, "C")
_W_U8 = types.Array(types.uint8, 2, "C")


@njit(
    types.void(_I32, _I32, _I32, _I32, _I32, _I32, types.int64, types.int64, _W_U16),
    cache=True, nogil=True,
)  # fmt: skip
def least_times(
    hop_start: Any, hop_from: Any, hop_units: Any, cell_start: Any, cell_points: Any,
    cell_of: Any, first_cell: Any, end_cell: Any, least: Any,
) -> None:  # fmt: skip
    """Write to ``least[cell, other]`` the time from the nearest point of other to the cell.

    Dijkstra's algorithm backwards over hops (CSR by the point they lead to), with buckets
    (R. Dial, Algorithm 360, CACM 1969) of about a minute, settled until nothing changes in them.
    """
    n_points = cell_of.size
    n_buckets = HORIZON_UNITS // BUCKET_UNITS + 1
    head = np.full(n_buckets, -1, np.int32)
    capacity = hop_from.size + n_points
    entry_point, entry_next = np.empty(capacity, np.int32), np.empty(capacity, np.int32)
    reached = np.empty(n_points, np.int32)
    units = np.full(n_points, FAR, np.int32)
    for cell in range(first_cell, end_cell):
        n_entries, n_reached, last_bucket = 0, 0, 0
        for item in range(cell_start[cell], cell_start[cell + 1]):
            point = cell_points[item]
            units[point] = 0
            reached[n_reached] = point
            n_reached += 1
            entry_point[n_entries], entry_next[n_entries] = point, head[0]
            head[0] = n_entries
            n_entries += 1
        bucket = 0
        while bucket <= last_bucket:
            while head[bucket] >= 0:
                entry = head[bucket]
                head[bucket] = entry_next[entry]
                point = entry_point[entry]
                here = units[point]
                if here // BUCKET_UNITS != bucket:
                    continue  # settled in an earlier bucket
                for hop in range(hop_start[point], hop_start[point + 1]):
                    moment = here + hop_units[hop]
                    origin = hop_from[hop]
                    if moment >= units[origin] or moment > HORIZON_UNITS:
                        continue
                    if units[origin] == FAR:
                        reached[n_reached] = origin
                        n_reached += 1
                    units[origin] = moment
                    to = moment // BUCKET_UNITS
                    last_bucket = max(last_bucket, to)
                    if n_entries == entry_point.size:  # hops of a bucket improved more than once
                        more = np.empty(2 * n_entries, np.int32)
                        more[:n_entries] = entry_point
                        entry_point = more
                        more = np.empty(2 * n_entries, np.int32)
                        more[:n_entries] = entry_next
                        entry_next = more
                    entry_point[n_entries], entry_next[n_entries] = origin, head[to]
                    head[to] = n_entries
                    n_entries += 1
            bucket += 1
        for item in range(n_reached):
            point = reached[item]
            other = cell_of[point]
            least[cell, other] = min(least[cell, other], units[point])
            units[point] = FAR


@njit(nogil=True)
def _open(
    back_start: Any, back_from: Any, rides: Any, queue: Any, n_queued: Any, point: Any, needed: Any
) -> Any:  # fmt: skip
    """Note how many rides it takes from a point and from where one walks to it; queue the new."""
    if rides[point] == MANY_RIDES:
        rides[point] = needed
        queue[n_queued] = point
        n_queued += 1
    for path in range(back_start[point], back_start[point + 1]):
        if rides[back_from[path]] == MANY_RIDES:
            rides[back_from[path]] = needed
            queue[n_queued] = back_from[path]
            n_queued += 1
    return n_queued


@njit(
    types.void(
        _I32, _I32, _U8, _I32, _I32, _I32, _I32, _I32, _I32, _I32, _I32,
        types.int64, types.int64, _W_U8,
    ),
    cache=True, nogil=True,
)  # fmt: skip
def fewest_rides(
    stop_start: Any, stops: Any, flags: Any, call_start: Any, call_pattern: Any, call_pos: Any,
    back_start: Any, back_from: Any, cell_start: Any, cell_points: Any, cell_of: Any,
    first_cell: Any, end_cell: Any, fewest: Any,
) -> None:  # fmt: skip
    """Write to ``fewest[cell, other]`` the rides needed from any point of other to the cell.

    Patterns are gone along backwards, each position once, from the calls at points of the ride
    before; who may board there, or walk to it, needs one ride more.
    """
    n_points, n_patterns = cell_of.size, stop_start.size - 1
    rides = np.full(n_points, MANY_RIDES, np.uint8)
    done = np.zeros(n_patterns, np.int32)  # positions before it were gone along
    gone = np.empty(n_patterns, np.int32)
    queue = np.empty(n_points, np.int32)
    for cell in range(first_cell, end_cell):
        n_queued, n_gone = 0, 0
        for item in range(cell_start[cell], cell_start[cell + 1]):
            n_queued = _open(back_start, back_from, rides, queue, n_queued, cell_points[item], 0)
        item = 0
        while item < n_queued:
            point = queue[item]
            item += 1
            more = rides[point] + 1
            for call in range(call_start[point], call_start[point + 1]):
                pattern, pos = call_pattern[call], call_pos[call]
                start = stop_start[pattern]
                if not flags[start + pos] & ALIGHTING or pos <= done[pattern]:
                    continue
                if done[pattern] == 0:
                    gone[n_gone] = pattern
                    n_gone += 1
                for at in range(start + done[pattern], start + pos):
                    if flags[at] & BOARDING:
                        n_queued = _open(
                            back_start, back_from, rides, queue, n_queued, stops[at], more
                        )
                done[pattern] = pos
        for entry in range(n_queued):
            point = queue[entry]
            other = cell_of[point]
            fewest[cell, other] = min(fewest[cell, other], rides[point])
            rides[point] = MANY_RIDES
        for entry in range(n_gone):
            done[gone[entry]] = 0
