"""Compiled loops over trains and runs: patterns, overtaking, and the times of a slice.

A *pattern* of the network is a stop sequence with its boarding flags. In a slice it is split until
no run overtakes another: runs are taken in order of departure, and each joins the first part
whose last run it nowhere passes. The order is total, so the parts are always the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, types

from mobility.network.values import Int16s, Int32s, Int64s, UInt8s

_U8 = types.Array(types.uint8, 1, "C", readonly=True)
_U8_2D = types.Array(types.uint8, 2, "C", readonly=True)
_I16 = types.Array(types.int16, 1, "C", readonly=True)
_I32 = types.Array(types.int32, 1, "C", readonly=True)
_I64 = types.Array(types.int64, 1, "C", readonly=True)
_I64_2D = types.Array(types.int64, 2, "C", readonly=True)
_U64 = types.Array(types.uint64, 1, "C", readonly=True)
_W_I16 = types.Array(types.int16, 1, "C")
_W_I32 = types.Array(types.int32, 1, "C")

UInt64s = npt.NDArray[np.uint64]

_HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, Knuth's multiplier
_HASH_SHIFT = np.uint64(29)


@njit(types.boolean(types.int64, types.int64, _I64, _I32, _U8), cache=True, nogil=True)
def _same_calls(a: int, b: int, starts: Int64s, stops: Int32s, flags: UInt8s) -> bool:
    length = starts[a + 1] - starts[a]
    if length != starts[b + 1] - starts[b]:
        return False
    for position in range(length):
        x, y = starts[a] + position, starts[b] + position
        if stops[x] != stops[y] or flags[x] != flags[y]:
            return False
    return True


@njit(types.int32[::1](_I64, _I32, _U8), cache=True, nogil=True)
def group_trains(starts: Int64s, stops: Int32s, flags: UInt8s) -> Int32s:
    """Return the pattern of each train, numbered in order of first use.

    ``starts`` is the CSR of events by train, ``stops`` and ``flags`` are theirs. Equal hashes are
    compared call by call, so two patterns are never taken for one.
    """
    n_trains = starts.size - 1
    size = 16
    while size < 2 * n_trains:
        size *= 2
    slots = np.full(size, -1, np.int32)
    pattern = np.empty(n_trains, np.int32)
    n_patterns = 0
    for train in range(n_trains):
        mixed = np.uint64(starts[train + 1] - starts[train])
        for event in range(starts[train], starts[train + 1]):
            call = np.uint64(stops[event]) * np.uint64(256) + np.uint64(flags[event])
            mixed = (mixed ^ call) * _HASH_MULTIPLIER
            mixed ^= mixed >> _HASH_SHIFT
        slot = np.int64(mixed & np.uint64(size - 1))
        while slots[slot] >= 0 and not _same_calls(slots[slot], train, starts, stops, flags):
            slot = (slot + 1) & (size - 1)
        if slots[slot] < 0:
            slots[slot] = train
            pattern[train] = n_patterns
            n_patterns += 1
        else:
            pattern[train] = pattern[slots[slot]]
    return pattern


@njit(
    types.int64(
        _U8_2D, _I32, _I16, _I64_2D, _I64, _I32, _I32,
        types.int64, types.int64, types.int64, types.int64, _W_I32, _W_I16, _W_I32,
    ),
    cache=True, nogil=True,
)  # fmt: skip
def find_runs(
    service_bits: UInt8s,
    train_service: Int32s,
    train_zone: Int16s,
    origins: Int64s,
    starts: Int64s,
    arrivals: Int32s,
    departures: Int32s,
    first_day: int,
    end_day: int,
    begin_s: int,
    end_s: int,
    run_train: Int32s,
    run_day: Int16s,
    run_origin: Int32s,
) -> int:
    """Write the runs under way in [begin_s, end_s) in order of train and day; return how many.

    A run is under way from its first departure to its last arrival, both included. ``origins``,
    ``begin_s`` and ``end_s`` count from the epoch; days ``first_day`` to ``end_day - 1`` are
    looked at. The three outputs must be large enough for every service day of every train.
    """
    n_runs = 0
    for train in range(train_service.size):
        bits = service_bits[train_service[train]]
        for day in range(first_day, end_day):
            if not (bits[day >> 3] >> (day & 7)) & 1:
                continue
            origin = origins[train_zone[train], day]
            first, last = starts[train], starts[train + 1] - 1
            if origin + departures[first] < end_s and origin + arrivals[last] >= begin_s:
                run_train[n_runs] = train
                run_day[n_runs] = day
                run_origin[n_runs] = origin
                n_runs += 1
    return n_runs


@njit(
    types.boolean(types.int64, types.int64, _I32, _I32, _I64, _I32, _I32),
    cache=True, nogil=True,
)  # fmt: skip
def _nowhere_before(
    run: int,
    other: int,
    run_train: Int32s,
    run_origin: Int32s,
    starts: Int64s,
    arrivals: Int32s,
    departures: Int32s,
) -> bool:
    """Whether ``run`` is at no position earlier than ``other``, a run of the same pattern."""
    train, earlier = run_train[run], run_train[other]
    ahead = run_origin[run] - run_origin[other]
    shift = starts[earlier] - starts[train]
    for event in range(starts[train], starts[train + 1]):
        if departures[event] + ahead < departures[event + shift]:
            return False
        if arrivals[event] + ahead < arrivals[event + shift]:
            return False
    return True


@njit(types.int32[::1](_I32, _I32, _I32, _I64, _I32, _I32), cache=True, nogil=True)
def split_overtaking(
    run_pattern: Int32s,
    run_train: Int32s,
    run_origin: Int32s,
    starts: Int64s,
    arrivals: Int32s,
    departures: Int32s,
) -> Int32s:
    """Return the slice pattern of each run, so that within one no run overtakes another.

    The runs are in order of (pattern, departure, arrival, train, day); slice patterns are
    numbered in order of pattern, then of the first run.
    """
    n_runs = run_pattern.size
    part = np.empty(n_runs, np.int32)
    last_run = np.empty(n_runs, np.int32)  # of each part of the current pattern
    n_before, n_parts = 0, 0
    for run in range(n_runs):
        if run and run_pattern[run] != run_pattern[run - 1]:
            n_before += n_parts
            n_parts = 0
        chosen = 0
        while chosen < n_parts and not _nowhere_before(
            run, last_run[chosen], run_train, run_origin, starts, arrivals, departures
        ):
            chosen += 1
        if chosen == n_parts:
            n_parts += 1
        last_run[chosen] = run
        part[run] = n_before + chosen
    return part


@njit(
    types.void(
        _I32, _I64, _I32, _I32, _I64, _I32, _I32, _W_I32, _W_I32,
    ),
    cache=True, nogil=True,
)  # fmt: skip
def fill_times(
    run_starts: Int32s,
    time_starts: Int64s,
    run_train: Int32s,
    run_origin: Int32s,
    starts: Int64s,
    arrivals: Int32s,
    departures: Int32s,
    out_arrivals: Int32s,
    out_departures: Int32s,
) -> None:
    """Write the times of all runs since the epoch, those of one position side by side."""
    for pattern in range(time_starts.size):
        n_runs = run_starts[pattern + 1] - run_starts[pattern]
        for k in range(n_runs):
            run = run_starts[pattern] + k
            first, end = starts[run_train[run]], starts[run_train[run] + 1]
            origin = run_origin[run]
            target = time_starts[pattern] + k
            for event in range(first, end):
                out_arrivals[target] = origin + arrivals[event]
                out_departures[target] = origin + departures[event]
                target += n_runs


@njit(
    types.void(
        _I32, _I32, _I32, _I64, _I32, _I64, _I32, _I32, _I64, _W_I32, _W_I32,
    ),
    cache=True, nogil=True,
)  # fmt: skip
def copy_times(
    patterns: Int32s,
    lengths: Int32s,
    run_starts: Int32s,
    time_starts: Int64s,
    runs: Int32s,
    first_of: Int64s,
    arrivals: Int32s,
    departures: Int32s,
    out_starts: Int64s,
    out_arrivals: Int32s,
    out_departures: Int32s,
) -> None:
    """Write the times of some runs of each copied pattern, those of one position side by side.

    ``first_of`` are the first of the ``runs`` of each copy; ``run_starts`` and ``time_starts`` are
    of the patterns copied.
    """
    for copy in range(patterns.size):
        pattern = patterns[copy]
        first = run_starts[pattern]
        n_runs = run_starts[pattern + 1] - first
        target = out_starts[copy]
        for position in range(lengths[copy]):
            source = time_starts[pattern] + position * n_runs
            for row in range(first_of[copy], first_of[copy + 1]):
                out_arrivals[target] = arrivals[source + runs[row] - first]
                out_departures[target] = departures[source + runs[row] - first]
                target += 1


@njit(types.void(_I32, _I32, _W_I32, _W_I32, _W_I32), cache=True, nogil=True)
def index_by_stop(
    pattern_starts: Int32s,
    pattern_stops: Int32s,
    stop_starts: Int32s,
    stop_patterns: Int32s,
    stop_positions: Int32s,
) -> None:
    """Write for each stop the patterns that call there and at which position, in that order.

    ``stop_starts`` has one entry more than there are stops and is zero before.
    """
    for stop in pattern_stops:
        stop_starts[stop] += 1
    total = 0
    for stop in range(stop_starts.size):
        count = stop_starts[stop]
        stop_starts[stop] = total
        total += count
    for pattern in range(pattern_starts.size - 1):
        for index in range(pattern_starts[pattern], pattern_starts[pattern + 1]):
            slot = stop_starts[pattern_stops[index]]
            stop_starts[pattern_stops[index]] += 1
            stop_patterns[slot] = pattern
            stop_positions[slot] = index - pattern_starts[pattern]
    for stop in range(stop_starts.size - 1, 0, -1):  # each start has moved to the next one's
        stop_starts[stop] = stop_starts[stop - 1]
    stop_starts[0] = 0


@njit(types.uint64(_U64), cache=True, nogil=True)
def checksum(words: UInt64s) -> np.uint64:
    """Return Fletcher's checksum with 32 bits a half over 64-bit words: quick, finds damage."""
    plain = np.uint64(0)
    weighted = np.uint64(0)
    for word in words:
        plain += word ^ (word >> np.uint64(32))
        weighted += plain
    return (weighted << np.uint64(32)) ^ plain
