"""Flags: towards which parts of a network each link of a day slice is of use.

A search towards a stop follows only the links that some best journey to its part of the network
takes; with them come bounds that know the waits of the day. They are made for networks of some
thousand stops: the work grows with the product of stops and links.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from mobility.network.bound_kernels import FAR, MANY_RIDES
from mobility.network.bounds import MAX_CELLS, parts_of
from mobility.network.flag_kernels import LANES, MOST_RIDES, NEVER, flag_part
from mobility.network.values import (
    Bounds,
    Flags,
    Int32s,
    Links,
    Network,
    UInt8s,
    UInt16s,
    read_only,
)

N_PARTS = 64  # one bit each
WORD_BYTES = PARTS_A_BYTE = 8  # a byte of each word is written by one thread
THREADS = 2
MAX_ROOM = 1 << 29  # bytes of scratch per thread


def can_flag(network: Network, links: Links) -> bool:
    """Return whether a network is small enough for flags."""
    if network.n_points > MAX_CELLS:
        return False
    width = _width(-(-network.n_points // N_PARTS))
    return 4 * width * len(links.events) <= MAX_ROOM


def build_flags(network: Network, links: Links, bounds: Bounds) -> Flags | None:
    """Return the flags of a slice's links, None where the network is too large for them.

    ``bounds`` are those of the network, each point a cell: those of the slice are never below.
    Takes some 6 nanoseconds of CPU time for each pair of a stop and a link; the same bytes on any
    number of threads.
    """
    if not can_flag(network, links):
        return None
    part_of = parts_of(network, N_PARTS)
    n_points, n_events, n_links = network.n_points, len(links.events) - 1, len(links.links)
    ranks = _ranks(links, n_points)
    if ranks is None:
        return None
    rank_of, time_start, times = ranks
    first = links.runs[:, 0]
    run_of = read_only(np.repeat(np.arange(len(first) - 1, dtype=np.int32), np.diff(first)))
    onto = links.runs[links.links[:, 0], 0] + links.links[:, 1] + 1
    laid_out = (
        read_only(links.runs.reshape(-1)), links.places, read_only(links.events.reshape(-1)),
        read_only(onto), run_of, *_links_back(links, onto), rank_of, time_start, times,
    )  # fmt: skip
    flags = np.zeros((WORD_BYTES, n_links), np.uint8)
    least = np.full((n_points, n_points), FAR, np.uint16)
    fewest = np.full((n_points, n_points), MANY_RIDES, np.uint8)
    n_parts = int(part_of.max(initial=0)) + 1
    width = _width(int(np.bincount(part_of, minlength=1).max(initial=1)))

    def fill(byte: int) -> None:
        rows, changed = (np.empty((n_events, width), np.uint16) for _ in range(2))
        for part in range(PARTS_A_BYTE * byte, min(PARTS_A_BYTE * (byte + 1), n_parts)):
            stops = np.flatnonzero(part_of == part).astype(np.int32)
            lane_of = np.full(n_points, -1, np.int32)
            lane_of[stops] = np.arange(len(stops))
            units, rides = _tables(n_points, width)
            flag_part(
                *laid_out, read_only(lane_of), read_only(stops), 1 << part % PARTS_A_BYTE,
                MOST_RIDES, rows, changed, flags[byte], units, rides,
            )  # fmt: skip
            least[stops], fewest[stops] = units[:, : len(stops)].T, rides[:, : len(stops)].T

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, range(-(-n_parts // PARTS_A_BYTE))))
    link_parts = np.ascontiguousarray(flags.T).view("<u8").reshape(-1).view(np.int64)
    known = bounds.least_units.reshape(n_points, -1), bounds.fewest_rides.reshape(n_points, -1)
    return Flags(
        part_of, read_only(link_parts), read_only(np.maximum(least, known[0]).reshape(-1)),
        read_only(np.maximum(fewest, known[1]).reshape(-1)),
    )  # fmt: skip


def _width(n_stops: int) -> int:
    return max(1, -(-n_stops // LANES)) * LANES


def _tables(n_points: int, width: int) -> tuple[UInt16s, UInt8s]:
    return np.full((n_points, width), FAR, np.uint16), np.full(
        (n_points, width), MANY_RIDES, np.uint8
    )


def _ranks(links: Links, n_points: int) -> tuple[UInt16s, Int32s, Int32s] | None:
    """Return each event's rank among the arrivals at its stop, and by stop the times of the ranks.

    Events where nobody alights have no say. None where a stop has too many arrivals to rank.
    """
    length = np.diff(links.runs[:, 0])
    within = np.arange(length.sum()) - np.repeat(links.runs[:-1, 0], length)
    place = links.places[np.repeat(links.runs[:-1, 1], length) + within]
    alights = np.flatnonzero(place >= 0)
    arrival = links.events[:-1, 0].astype(np.int64)
    base = int(arrival.min(initial=0))
    key = place[alights].astype(np.int64) << 32 | arrival[alights] - base
    distinct, rank = np.unique(key, return_inverse=True)
    time_start = np.searchsorted(distinct >> 32, np.arange(n_points + 1)).astype(np.int32)
    if np.diff(time_start).max(initial=0) >= NEVER:
        return None
    rank_of = np.zeros(len(arrival), np.uint16)
    rank_of[alights] = rank - time_start[place[alights]]
    times = ((distinct & 0xFFFFFFFF) + base).astype(np.int32)
    return read_only(rank_of), read_only(time_start), read_only(times)


def _links_back(links: Links, onto: Int32s) -> tuple[Int32s, Int32s]:
    """Return by event the events from which a link boards the call right before it."""
    n_events = len(links.events) - 1
    origin = np.repeat(np.arange(n_events, dtype=np.int32), np.diff(links.events[:, 1]))
    start = np.zeros(n_events + 1, np.int32)
    np.cumsum(np.bincount(onto, minlength=n_events), out=start[1:])
    return read_only(start), read_only(origin[np.argsort(onto, kind="stable")])
