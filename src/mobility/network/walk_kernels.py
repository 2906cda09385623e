"""Compiled loops over footpaths: near pairs, pairs of one station, and the closure."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from mobility.network.values import Float64s, Int32s, Int64s

_I32 = types.Array(types.int32, 1, "C", readonly=True)
_I64 = types.Array(types.int64, 1, "C", readonly=True)
_F64_2D = types.Array(types.float64, 2, "C", readonly=True)
_W_I32 = types.Array(types.int32, 1, "C")
_W_I64 = types.Array(types.int64, 1, "C")

CELL_BITS = 20  # cell numbers of each axis; 2 x 6,371 km in cells of 50 m need 18
# A queue entry is (seconds, metres, stop) in one integer, so that the least comes first.
_STOP_BITS = 27
_M_BITS = 24
_MAX_M = (1 << _M_BITS) - 1


@njit(types.int64(_I64, types.int64), cache=True, nogil=True)
def _first_at_least(ascending: Int64s, value: int) -> int:
    low, high = 0, ascending.size
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(types.int64(_I64, _I32, _F64_2D, types.float64, _W_I32, _W_I32), cache=True, nogil=True)
def _scan_cells(
    cells: Int64s, order: Int32s, points: Float64s, limit_m: float, out_a: Int32s, out_b: Int32s
) -> int:
    """Write the ordered pairs at most ``limit_m`` apart; count only where the outputs are full."""
    n_pairs = 0
    for a in range(order.size):
        place = order[a]
        for dx in range(-1, 2):
            for dy in range(-1, 2):
                column = cells[a] + (dx << (2 * CELL_BITS)) + (dy << CELL_BITS)
                b = _first_at_least(cells, column - 1)
                while b < order.size and cells[b] <= column + 1:
                    other = order[b]
                    b += 1
                    square = 0.0
                    for axis in range(3):
                        apart = points[place, axis] - points[other, axis]
                        square += apart * apart
                    if place != other and square <= limit_m * limit_m:
                        if n_pairs < out_a.size:
                            out_a[n_pairs] = place
                            out_b[n_pairs] = other
                        n_pairs += 1
    return n_pairs


def near_pairs(points: Float64s, limit_m: float, cell_m: float) -> tuple[Int32s, Int32s]:
    """Return all ordered pairs of points at most so far apart, straight through the earth.

    Parameters
    ----------
    points : float64[n, 3]
        Metres from the earth's centre.
    limit_m : float
        Longest distance.
    cell_m : float
        Edge of a grid cell: at least ``limit_m``, and at least 50 m.
    """
    # One cell is left free on each side, so that a neighbour never wraps into the next row.
    parts = np.floor((points - points.min(axis=0, initial=0.0)) / cell_m).astype(np.int64) + 1
    cells = (parts[:, 0] << (2 * CELL_BITS)) + (parts[:, 1] << CELL_BITS) + parts[:, 2]
    order = np.argsort(cells, kind="stable").astype(np.int32)
    cells = np.ascontiguousarray(cells[order])
    none = np.empty(0, np.int32)
    n_pairs = _scan_cells(cells, order, points, limit_m, none, none)
    a, b = np.empty(n_pairs, np.int32), np.empty(n_pairs, np.int32)
    _scan_cells(cells, order, points, limit_m, a, b)
    return a, b


@njit(types.int64[::1](_I32, _I64, types.int64, types.int64), cache=True, nogil=True)
def group_pairs(members: Int32s, counts: Int64s, largest: int, n_stops: int) -> Int64s:
    """Return ``a * n_stops + b`` of all ordered pairs within each group of consecutive members.

    Groups of more than ``largest`` members give none.
    """
    n_pairs = 0
    for count in counts:
        if count <= largest:
            n_pairs += count * (count - 1)
    pairs = np.empty(n_pairs, np.int64)
    start = done = 0
    for count in counts:
        if count <= largest:
            for a in range(start, start + count):
                for b in range(start, start + count):
                    if a != b:
                        pairs[done] = np.int64(members[a]) * n_stops + members[b]
                        done += 1
        start += count
    return pairs


@njit(types.void(_W_I64, types.int64, types.int64), cache=True, nogil=True)
def _push(heap: Int64s, size: int, entry: int) -> None:
    child = size
    while child > 0:
        parent = (child - 1) >> 1
        if heap[parent] <= entry:
            break
        heap[child] = heap[parent]
        child = parent
    heap[child] = entry


@njit(types.int64(_W_I64, types.int64), cache=True, nogil=True)
def _pop(heap: Int64s, size: int) -> int:
    """Return the least entry; the heap has one entry less afterwards."""
    least: int = heap[0]
    size -= 1
    entry = heap[size]
    parent = 0
    while 2 * parent + 1 < size:
        child = 2 * parent + 1
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if entry <= heap[child]:
            break
        heap[parent] = heap[child]
        parent = child
    heap[parent] = entry
    return least


@njit(
    types.int64(
        types.int64, types.int64, _I32, _I32, _I32, _I32, _W_I32, _W_I32, _W_I32, _W_I64,
    ),
    cache=True, nogil=True,
)  # fmt: skip
def _reach(
    source: int,
    max_s: int,
    starts: Int32s,
    to: Int32s,
    seconds: Int32s,
    metres: Int32s,
    best_s: Int32s,
    best_m: Int32s,
    reached: Int32s,
    heap: Int64s,
) -> int:
    """Write the stops within ``max_s`` of the source, itself first, and return how many."""
    best_s[source], best_m[source] = 0, 0
    reached[0] = source
    n_reached, size = 1, 1
    heap[0] = source
    while size:
        entry = _pop(heap, size)
        size -= 1
        stop = entry & ((1 << _STOP_BITS) - 1)
        at_m = (entry >> _STOP_BITS) & _MAX_M
        at_s = entry >> (_STOP_BITS + _M_BITS)
        if at_s != best_s[stop] or at_m != best_m[stop]:
            continue
        for link in range(starts[stop], starts[stop + 1]):
            next_s = at_s + seconds[link]
            next_m = min(at_m + metres[link], _MAX_M)
            other = to[link]
            known = best_s[other]
            if next_s > max_s:
                continue
            if known < 0:
                reached[n_reached] = other
                n_reached += 1
            elif next_s > known or (next_s == known and next_m >= best_m[other]):
                continue
            best_s[other], best_m[other] = next_s, next_m
            _push(heap, size, ((next_s << _M_BITS | next_m) << _STOP_BITS) | other)
            size += 1
    return n_reached


@njit(
    (
        types.int64, types.int64, _I32, _I32, _I32, _I32, _I32, _I32, _I32, _I32, _I32, _I32,
        _W_I32, _W_I32, _W_I32, _W_I64, _W_I64, _W_I32, _W_I32, _W_I32,
    ),
    cache=True, nogil=True,
)  # fmt: skip
def close_walks(
    source: int,
    max_s: int,
    starts: Int32s,
    to: Int32s,
    seconds: Int32s,
    metres: Int32s,
    group: Int32s,
    least_s: Int32s,
    fixed_starts: Int32s,
    fixed_to: Int32s,
    fixed_s: Int32s,
    fixed_m: Int32s,
    best_s: Int32s,
    best_m: Int32s,
    reached: Int32s,
    heap: Int64s,
    out_starts: Int64s,
    out_to: Int32s,
    out_s: Int32s,
    out_m: Int32s,
) -> int:
    """Write the shortest walks from stops ``source`` onwards until the outputs are full.

    Least seconds, then least metres, by chains of links of at most ``max_s`` together (Dijkstra
    per source, which stays within the source's component). A walk within one group (-1: none)
    takes at least ``least_s`` of either end. A fixed walk replaces any other of the pair; one of
    -1 seconds takes it away. ``best_s`` must be -1 everywhere and is so again afterwards;
    ``heap`` holds one entry more than there are links, ``reached`` one per stop.

    ``out_starts[source]`` says how much of the outputs is in use and is written for every source
    done. Returns the source to go on with.
    """
    n_stops = starts.size - 1
    while source < n_stops:
        n_reached = _reach(
            source, max_s, starts, to, seconds, metres, best_s, best_m, reached, heap
        )
        for index in range(1, n_reached):
            stop = reached[index]
            if group[stop] == group[source] and group[stop] >= 0:
                best_s[stop] = max(best_s[stop], least_s[source], least_s[stop])
        for index in range(fixed_starts[source], fixed_starts[source + 1]):
            stop = fixed_to[index]
            if best_s[stop] < 0:
                reached[n_reached] = stop
                n_reached += 1
            best_s[stop], best_m[stop] = fixed_s[index], fixed_m[index]
        n_out = out_starts[source]
        fits = n_out + n_reached - 1 <= out_to.size
        if fits:
            for stop in np.sort(reached[:n_reached]):
                if stop != source and best_s[stop] >= 0:
                    out_to[n_out], out_s[n_out], out_m[n_out] = stop, best_s[stop], best_m[stop]
                    n_out += 1
            out_starts[source + 1] = n_out
        for index in range(n_reached):
            best_s[reached[index]] = -1
        if not fits:
            break
        source += 1
    return source
