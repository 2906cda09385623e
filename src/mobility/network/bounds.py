"""Bounds: how long it takes at least, and how many rides, from anywhere to anywhere.

Whatever the day and the hour, nobody is faster than the fastest trains of all days hop by hop
with every change at once, nor needs fewer rides than the lines do. A search leaves alone what by
these bounds comes too late (goal direction). They are kept between *cells*: the points of a small
network each by itself, those of a large one in groups of neighbours, so that the tables stay
small; what holds of the nearest points of two cells holds of all their points.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from mobility.network.bound_kernels import (
    FAR,
    MANY_RIDES,
    UNIT_S,
    fewest_rides,
    least_times,
)
from mobility.network.values import (
    Bounds,
    Float64s,
    Int32s,
    Int64s,
    Network,
    UInt8s,
    call_flags,
    read_only,
)

MAX_CELLS = 4_096  # two tables of the square of it: 48 MiB
THREADS = 2
PARTS = 32


def build_bounds(network: Network) -> Bounds:
    """Return the bounds of a network; the same bytes on any number of threads.

    Takes some tenths of a second for 2,000 stops, some 20 seconds of CPU time for 80,000.
    """
    cell_of = cells_of(network)
    n_cells = int(cell_of.max(initial=0)) + 1
    members = np.argsort(cell_of, kind="stable").astype(np.int32)
    cell_start = _starts(cell_of, n_cells)
    hops = _hops_back(network)
    stop_start, stops, flags = _patterns(network)
    order = np.argsort(stops, kind="stable")
    length = np.diff(stop_start)
    pattern_of = np.repeat(np.arange(len(length), dtype=np.int32), length)
    pos_of = np.arange(len(stops), dtype=np.int32) - np.repeat(stop_start[:-1], length)
    calls = (
        _starts(stops, network.n_points), read_only(pattern_of[order]),
        read_only(pos_of[order].astype(np.int32)),
    )  # fmt: skip
    back = _walks_back(network)
    least_units = np.full((n_cells, n_cells), FAR, np.uint16)
    fewest = np.full((n_cells, n_cells), MANY_RIDES, np.uint8)

    def fill(part: tuple[int, int]) -> None:
        least_times(*hops, cell_start, read_only(members), cell_of, *part, least_units)
        fewest_rides(
            stop_start, stops, flags, *calls, *back, cell_start, members, cell_of, *part, fewest
        )

    edges = np.unique(np.linspace(0, n_cells, PARTS + 1).astype(int)).tolist()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, pairwise(edges)))
    return Bounds(cell_of, read_only(least_units.reshape(-1)), read_only(fewest.reshape(-1)))


def cells_of(network: Network) -> Int32s:
    """Return the cell of each point.

    Up to `MAX_CELLS` points each is its own; more are in so many parts of neighbours.
    """
    return parts_of(network, MAX_CELLS)


def parts_of(network: Network, most: int) -> Int32s:
    """Return of each point its part of the network, up to ``most`` (a power of two) of neighbours.

    No more points than that are each its own part. Others are halved by latitude or longitude,
    whichever they spread over more, as often as may be.
    """
    n_points = network.n_points
    if n_points <= most:
        return np.asarray(read_only(np.arange(n_points, dtype=np.int32)))
    position = np.stack([network.stop_lat[network.stop_of], network.stop_lon[network.stop_of]])
    position = np.where(np.isfinite(position), position, 0.0)
    position[1] *= np.cos(np.radians(position[0]))
    parts = [np.arange(n_points)]
    while 2 * len(parts) <= most:
        parts = [half for part in parts for half in _halves(position, part)]
    part_of = np.empty(n_points, np.int32)
    for number, part in enumerate(parts):
        part_of[part] = number
    return np.asarray(read_only(part_of))


def _halves(position: Float64s, part: Int64s) -> tuple[Int64s, Int64s]:
    spread = np.ptp(position[:, part], axis=1)
    order = np.argsort(position[int(spread[1] > spread[0]), part], kind="stable")
    middle = len(part) // 2
    return part[order[:middle]], part[order[middle:]]


def _starts(keys: Int32s, n: int) -> Int32s:
    start = np.zeros(n + 1, np.int32)
    np.cumsum(np.bincount(keys, minlength=n), out=start[1:])
    return np.asarray(read_only(start))


def _hops_back(network: Network) -> tuple[Int32s, Int32s, Int32s]:
    """Return by point the points right before it on a train or a footpath, with the least time."""
    points = network.points
    first = np.zeros(len(points), bool)
    first[network.train_event_start[:-1]] = True
    at = np.flatnonzero(~first)
    took = network.event_arrival_s[at] - network.event_departure_s[at - 1]
    walk_from = np.repeat(np.arange(network.n_points), np.diff(network.walk_start))
    origin = np.concatenate([points[at - 1], walk_from]).astype(np.int64)
    to = np.concatenate([points[at], network.walk_to]).astype(np.int64)
    units = np.maximum(np.concatenate([took, network.walk_s]), 0) // UNIT_S
    # one sort brings the least time of each pair to the front: time is below 2^16 or too long
    key = (to * network.n_points + origin) << 16 | np.minimum(units, FAR)
    key.sort()
    pair = key >> 16
    key = key[np.concatenate([[True], pair[1:] != pair[:-1]])] if len(key) else key
    to, origin = np.divmod(key >> 16, network.n_points)
    start = _starts(to.astype(np.int32), network.n_points)
    return start, read_only(origin.astype(np.int32)), read_only((key & FAR).astype(np.int32))


def _patterns(network: Network) -> tuple[Int32s, Int32s, UInt8s]:
    """Return the stop sequences of all trains with their flags, each once."""
    _, train = np.unique(network.train_pattern, return_index=True)
    first = network.train_event_start[train]
    length = network.train_event_start[train + 1] - first
    start = np.concatenate([[0], np.cumsum(length)])
    events = np.arange(start[-1]) + np.repeat(first - start[:-1], length)
    flags = call_flags(network.event_flags[events], start)
    return (
        read_only(start.astype(np.int32)), read_only(network.points[events]), read_only(flags),
    )  # fmt: skip


def _walks_back(network: Network) -> tuple[Int32s, Int32s]:
    origin = np.repeat(np.arange(network.n_points, dtype=np.int32), np.diff(network.walk_start))
    order = np.argsort(network.walk_to, kind="stable")
    return _starts(network.walk_to, network.n_points), read_only(origin[order])
