"""Schedules: trips of one feed that are the same run on different days, taken together.

Feeds that write one trip per date list a train thirty times; comparing schedules instead of trips
keeps the search for shared trains small. Border points are left out: they belong to no station.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.tables import Events

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

_CHUNK = 16_384  # schedules whose days are united at a time: bounds memory


@dataclass(frozen=True, slots=True)
class Schedules:
    """Distinct station-and-time sequences of trips that touch a shared station.

    Parameters
    ----------
    feed : int32[n_schedules]
    number : int32[n_schedules]
        Code of the train number, -1 where the feed states none.
    start : int64[n_schedules + 1]
        First event of each.
    station, arrival_s, departure_s : int32[n_events]
    passing : bool[n_events]
        Nobody may board or alight.
    trip_start : int64[n_schedules + 1]
    trip : int32[n_trips]
        Trips of each schedule, ascending.
    days : bool[n_schedules, n_days]
        Union of its trips' service days.
    """

    feed: Int32s
    number: Int32s
    start: Int64s
    station: Int32s
    arrival_s: Int32s
    departure_s: Int32s
    passing: Bools
    trip_start: Int64s
    trip: Int32s
    days: Bools

    def __len__(self) -> int:
        return len(self.feed)

    def trips(self, schedule: int) -> Int32s:
        """Return the trips of a schedule."""
        return self.trip[self.trip_start[schedule] : self.trip_start[schedule + 1]]


def number_codes(numbers: pl.Series) -> Int32s:
    """Return a code per trip that is equal where train numbers are equal; -1 where there is none.

    >>> number_codes(pl.Series(["17", None, "4", "17"])).tolist()
    [0, -1, 1, 0]
    """
    codes = numbers.cast(pl.String).rank("dense").cast(pl.Int32) - 1
    return codes.fill_null(-1).to_numpy().astype(np.int32)


def _mix(words: Words) -> Words:
    """Return the words scrambled so that sums of them tell sequences apart (splitmix64)."""
    mixed = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    out: Words = mixed ^ (mixed >> np.uint64(31))
    return out


def sequence_hash(start: Int64s, columns: Sequence[Int32s | Bools], seed: int) -> Words:
    """Return a 64-bit hash per trip of the columns' values in their order; uint64[n_trips]."""
    counts = np.diff(start)
    position = np.arange(start[-1]) - np.repeat(start[:-1], counts)
    words = _mix(position.astype(np.uint64) + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64))
    for column in columns:
        words = _mix(words * np.uint64(0x100000001B3) + column.astype(np.int64).astype(np.uint64))
    total = np.zeros(len(words) + 1, np.uint64)
    np.cumsum(words, out=total[1:])
    return total[start[1:]] - total[start[:-1]]


def _union_of_days(start: Int64s, service: Int32s, rows: Bools) -> Bools:
    """Return the days of each schedule: of all services of its trips."""
    owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
    # Sorted, each once: np.unique hashes such keys, which takes far longer.
    pairs = np.sort(owner * max(1, len(rows)) + service)
    pairs = pairs[np.diff(pairs, prepend=-1) != 0]
    owner, service = np.divmod(pairs, max(1, len(rows)))
    bounds = np.searchsorted(owner, np.arange(len(start)))
    packed = np.packbits(rows, axis=1)
    days = np.zeros((len(start) - 1, packed.shape[1]), np.uint8)
    for low in range(0, len(days), _CHUNK):
        own = bounds[low : low + _CHUNK + 1]
        chosen = packed[service[own[0] : own[-1]]]
        days[low : low + _CHUNK] = np.bitwise_or.reduceat(chosen, own[:-1] - own[0], axis=0)
    return np.unpackbits(days, axis=1, count=rows.shape[1]).astype(np.bool_)


def build_schedules(
    events: Events,
    station_of_event: Int32s,
    shared: Bools,
    trip_feed: Int32s,
    trip_number: Int32s,
    trip_service: Int32s,
    rows: Bools,
) -> Schedules:
    """Return the schedules of all trips that call at a shared station and run at all.

    Parameters
    ----------
    events : Events
    station_of_event : int32[n_events]
        -1 at border points.
    shared : bool[n_stations]
        Stations that two feeds or more serve.
    trip_feed, trip_number, trip_service : int32[n_trips]
    rows : bool[n_services, n_days]
    """
    counts = np.diff(events.start)
    runs = trip_service >= 0
    used: Bools = np.any(rows, axis=1, keepdims=True)[:, 0]
    runs[runs] = used[trip_service[runs]]
    real = station_of_event >= 0
    touching = real.copy()
    touching[real] = shared[station_of_event[real]]
    trip_of_event = np.repeat(np.arange(events.n_trips, dtype=np.int32), counts)
    relevant = np.zeros(events.n_trips, np.bool_)
    relevant[trip_of_event[touching]] = True
    relevant &= runs
    kept = np.flatnonzero(real & relevant[trip_of_event])
    trips = np.flatnonzero(relevant).astype(np.int32)
    start = np.zeros(len(trips) + 1, np.int64)
    np.cumsum(np.bincount(trip_of_event[kept], minlength=events.n_trips)[trips], out=start[1:])
    passing = (events.pickup_type[kept] == 1) & (events.drop_off_type[kept] == 1)
    columns = [station_of_event[kept], events.arrival_s[kept], events.departure_s[kept]]
    table = pl.DataFrame(
        {
            "feed": trip_feed[trips],
            "number": trip_number[trips],
            "one": sequence_hash(start, [*columns, passing], 1),
            "two": sequence_hash(start, [*columns, passing], 2),
            "events": np.diff(start),
            "row": np.arange(len(trips)),
        }
    )
    keys = ["feed", "number", "one", "two", "events"]
    first = table.select(pl.col("row").min().over(keys)).to_series().to_numpy()
    order = np.lexsort((table["row"].to_numpy(), first))
    heads, sizes = np.unique(first, return_counts=True)
    trip_start = np.zeros(len(heads) + 1, np.int64)
    np.cumsum(sizes, out=trip_start[1:])
    own_counts = np.diff(start)[heads]
    own_start = np.zeros(len(heads) + 1, np.int64)
    np.cumsum(own_counts, out=own_start[1:])
    gather = np.arange(own_start[-1]) + np.repeat(start[heads] - own_start[:-1], own_counts)
    member = trips[order]
    return Schedules(
        feed=trip_feed[trips[heads]],
        number=trip_number[trips[heads]],
        start=own_start,
        station=columns[0][gather],
        arrival_s=columns[1][gather],
        departure_s=columns[2][gather],
        passing=passing[gather],
        trip_start=trip_start,
        trip=member,
        days=_union_of_days(trip_start, trip_service[member], rows),
    )
