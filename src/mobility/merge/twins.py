"""Twins: two trips of one feed that are one run on some days.

Producers list a train twice: under a second id, with other quays, under a second agency, or once
for each of its coupled parts. Equal runs alone are twins: the same stations in the same minutes
under the same rules of boarding, the same mode, no contradicting numbers. Trips that share only a
part of their run (portions, through coaches) are trains of their own: where they differ, they are.

Source: feeds-and-merging 5.2 and 12, row 21.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.decisions import TripDecisions
from mobility.merge.joins import SURE_TWIN, Join
from mobility.merge.schedules import number_codes, sequence_hash
from mobility.merge.structure import Relation
from mobility.merge.tables import Events

_MINUTE_S = 60
_CHUNK_EVENTS = 1 << 20  # events hashed, trips whose days are united at a time: bounds memory
_EDGES = ("feed", "mode", "events", "first_stop", "leaves", "last_stop", "arrives")

Bools = npt.NDArray[np.bool_]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TwinTrips:
    """What twins are told by; arrays have one entry per trip unless said otherwise.

    Parameters
    ----------
    events : Events
    station_of_stop : int32[n_stops]
        Border points have stations of their own.
    border : bool[n_stops]
    feed, mode, number, service : int32[n_trips]
        Index of the feed; bits of the mode; code of the number, -1 where there is none; row of
        `rows`, -1 where there is none.
    rows : bool[n_services, n_days]
    """

    events: Events
    station_of_stop: Int32s
    border: Bools
    feed: Int32s
    mode: Int32s
    number: Int32s
    service: Int32s
    rows: Bools


def told_numbers(trips: pl.DataFrame) -> Int32s:
    """Return a code per trip that differs where two trips say that they are two trains.

    The number by the manifest's rule; where that says nothing, the last digits of the short name.

    >>> trips = {"number": ["7", None, None, None], "trip_short_name": ["x", "RE 0007", "8", "RE"]}
    >>> told_numbers(pl.DataFrame(trips)).tolist()
    [0, 0, 1, -1]
    """
    digits = pl.col("trip_short_name").cast(pl.String).str.extract(r"0*([0-9]+)[^0-9]*$")
    return number_codes(trips.select(pl.coalesce("number", digits)).to_series())


def find_twins(trips: TwinTrips, decisions: TripDecisions) -> list[Join]:
    """Return the joins of trips of one feed that are one run, with the days on which they are.

    Of twins the one that states a number stands before one that does not, then the earlier row.

    Parameters
    ----------
    trips : TwinTrips
    decisions : TripDecisions
    """
    suspects = _crowded(trips, _edges(trips))
    if not len(suspects):
        return []
    same = _edges(trips)[suspects].with_columns(
        pl.Series("one", _hashes(trips, suspects, 1)), pl.Series("two", _hashes(trips, suspects, 2))
    )
    found: dict[tuple[int, int], Bools] = {}
    for group in _groups(trips, same.select(*_EDGES, "one", "two", "trip")):
        for left, right, days in _pairs(trips, group):
            decided = decisions.get((min(left, right), max(left, right)))
            if decided is None or decided[0] != "different":
                known = found.get((left, right))
                found[left, right] = days if known is None else known | days
    return [_join(trips, *pair, days) for pair, days in sorted(found.items())]


def _edges(trips: TwinTrips) -> pl.DataFrame:
    """Return a row per trip: what twins have in common that is cheap to look at."""
    events = trips.events
    first, last = events.start[:-1], events.start[1:] - 1
    return pl.DataFrame(
        {
            "feed": trips.feed,
            "mode": trips.mode,
            "events": np.diff(events.start),
            "first_stop": trips.station_of_stop[events.stop[first]],
            "leaves": events.departure_s[first] // _MINUTE_S,
            "last_stop": trips.station_of_stop[events.stop[last]],
            "arrives": events.arrival_s[last] // _MINUTE_S,
            "trip": np.arange(events.n_trips, dtype=np.int32),
        }
    )


def _crowded(trips: TwinTrips, edges: pl.DataFrame) -> Int32s:
    """Return the trips whose edges another trip shares on a common day, ascending."""
    groups = list(_groups(trips, edges))
    found = np.concatenate([np.zeros(0, np.int32), *groups])
    return np.sort(found).astype(np.int32)


def _groups(trips: TwinTrips, keyed: pl.DataFrame) -> Iterator[Int32s]:
    """Yield the trips of each key of which two run on a common day."""
    keys = [name for name in keyed.columns if name != "trip"]
    running = pl.Series(_runs(trips)[keyed["trip"].to_numpy()])
    shared = keyed.filter(running).filter(pl.len().over(keys) > 1)
    head = shared.select(pl.col("trip").first().over(keys)).to_series().to_numpy()
    order = np.argsort(head, kind="stable")
    members, head = shared["trip"].to_numpy()[order], head[order]
    bounds = np.append(np.flatnonzero(np.diff(head, prepend=-1)), len(head))
    packed = np.packbits(trips.rows, axis=1)
    lengths = np.bitwise_count(packed).sum(axis=1, dtype=np.int64)
    step = max(1, _CHUNK_EVENTS // max(1, packed.shape[1]))
    low = 0
    while low < len(bounds) - 1:
        high = max(low + 1, int(np.searchsorted(bounds, bounds[low] + step, "right")) - 1)
        own = bounds[low : high + 1]
        service = trips.service[members[own[0] : own[-1]]]
        union = np.bitwise_or.reduceat(packed[service], own[:-1] - own[0], axis=0)
        total = np.add.reduceat(lengths[service], own[:-1] - own[0])
        for at in np.flatnonzero(np.bitwise_count(union).sum(axis=1, dtype=np.int64) < total):
            yield members[own[at] : own[at + 1]]
        low = high


def _runs(trips: TwinTrips) -> Bools:
    """Return which trips run on any day."""
    used: Bools = np.append(np.any(trips.rows, axis=1, keepdims=True)[:, 0], False)
    return used[trips.service]


def _hashes(trips: TwinTrips, chosen: Int32s, seed: int) -> npt.NDArray[np.uint64]:
    """Return a hash per chosen trip of its stations, minutes and rules of boarding."""
    events = trips.events
    counts = np.diff(events.start)[chosen]
    ends = np.cumsum(counts)
    parts = [np.zeros(0, np.uint64)]
    low = 0
    while low < len(chosen):
        before = int(ends[low] - counts[low])
        high = max(low + 1, int(np.searchsorted(ends, before + _CHUNK_EVENTS, "right")))
        own, own_counts = chosen[low:high], counts[low:high]
        start = np.zeros(len(own) + 1, np.int64)
        np.cumsum(own_counts, out=start[1:])
        rows = np.arange(start[-1]) + np.repeat(events.start[own] - start[:-1], own_counts)
        columns = [
            trips.station_of_stop[events.stop[rows]],
            events.arrival_s[rows] // _MINUTE_S,
            events.departure_s[rows] // _MINUTE_S,
            events.pickup_type[rows].astype(np.int32),
            events.drop_off_type[rows].astype(np.int32),
        ]
        parts.append(sequence_hash(start, columns, seed))
        low = high
    return np.concatenate(parts)


def _pairs(trips: TwinTrips, group: Int32s) -> Iterator[tuple[int, int, Bools]]:
    """Yield every (trip, twin, days) of trips with equal calls, the one that stays on the left."""
    members = sorted(group.tolist(), key=lambda trip: (trips.number[trip] < 0, trip))
    days = trips.rows[trips.service[members]]
    crowded = np.flatnonzero(days.sum(axis=0) > 1)
    patterns, place = np.unique(days[:, crowded], axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        mask = np.zeros(days.shape[1], np.bool_)
        mask[crowded[place.ravel() == number]] = True
        runs: list[list[int]] = []  # the first of each states a number, unless none of it does
        for at in np.flatnonzero(pattern).tolist():
            trip = members[at]
            own = next((run for run in runs if _agree(trips, run[0], trip)), None)
            if own is None:
                runs.append([trip])
                continue
            yield from ((other, trip, mask) for other in own)
            own.append(trip)


def _agree(trips: TwinTrips, left: int, right: int) -> bool:
    numbers = int(trips.number[left]), int(trips.number[right])
    return min(numbers) < 0 or numbers[0] == numbers[1]


def _join(trips: TwinTrips, left: int, right: int, days: Bools) -> Join:
    first, end = trips.events.start[left : left + 2].tolist()
    real = int((~trips.border[trips.events.stop[first:end]]).sum())
    return Join(
        left=left,
        right=right,
        relation=_equal(real),
        shift=0,
        seconds=0,
        days=days,
        confidence=SURE_TWIN,
        strength=(-1, left, right),
    )


@cache
def _equal(calls: int) -> Relation:
    pairs = tuple((call, call) for call in range(calls))
    return Relation("equal", pairs, calls, shape="equal")
