"""Pairs: which schedules of two feeds may be one train, and how they relate.

A shared run always begins where one of the two begins and ends where one of the two ends, so only
first and last calls are looked up in the other feed's calls; whole sequences are compared only
for the pairs that pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.calendar import Offset, offsets_between, shift_days
from mobility.merge.schedules import Schedules
from mobility.merge.structure import (
    HAND_OVER_DWELL_S,
    NUMBER_TOLERANCE_S,
    STALE_END_S,
    TOLERANCE_S,
    Call,
    Relation,
    relate,
)

_MINUTE_S = 60
_CHUNK = 65_536  # pairs whose days are compared at a time: bounds memory
_PAIR = ("schedule", "schedule_right")

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ListedPair:
    """Two train numbers that the manifest calls one train.

    Parameters
    ----------
    left_feed, right_feed : int
        Indices of feeds.
    left_number, right_number : int
        Codes of numbers.
    station : int
        Where one ends and the other begins.
    """

    left_feed: int
    left_number: int
    right_feed: int
    right_number: int
    station: int


@dataclass(frozen=True, slots=True)
class SchedulePair:
    """Two schedules of different feeds that meet, and how.

    Parameters
    ----------
    left, right : int
        Schedules; the left one's feed comes first.
    offset : Offset
        The days (of the left) and the distance of the two origins for which this holds.
    relation : Relation
        Of the left (A) and the right (B).
    equal_number, known_numbers : bool
        Both are known and equal; both are known.
    listed : bool
        The manifest calls the two numbers one train.
    """

    left: int
    right: int
    offset: Offset
    relation: Relation
    equal_number: bool
    known_numbers: bool
    listed: bool


def decided_pairs(
    schedules: Schedules, together: Iterable[tuple[Collection[int], Collection[int]]]
) -> set[tuple[int, int]]:
    """Return the pairs of schedules, the smaller feed's first, of trips that people call one."""
    sides_decided = list(together)
    if not sides_decided:
        return set()
    n_trips = np.diff(schedules.trip_start)
    of_trip = dict(
        zip(
            schedules.trip.tolist(),
            np.repeat(np.arange(len(n_trips)), n_trips).tolist(),
            strict=True,
        )
    )
    found = set()
    for sides in sides_decided:
        one, other = ({of_trip[trip] for trip in side if trip in of_trip} for side in sides)
        for pair in product(one, other):
            left, right = sorted(pair, key=lambda schedule: (schedules.feed[schedule], schedule))
            found.add((left, right))
    return found


def _calls(schedules: Schedules, feed: int) -> pl.DataFrame:
    """Return the calls of a feed's schedules."""
    own = np.flatnonzero(schedules.feed == feed)
    counts = np.diff(schedules.start)[own]
    offsets = np.zeros(len(own) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    total = int(offsets[-1])
    rows = np.arange(total) + np.repeat(schedules.start[:-1][own] - offsets[:-1], counts)
    first, last = np.zeros(total, np.bool_), np.zeros(total, np.bool_)
    first[offsets[:-1]] = True
    last[offsets[1:] - 1] = True
    return pl.DataFrame(
        {
            "schedule": np.repeat(own, counts),
            "number": np.repeat(schedules.number[own], counts),
            "station": schedules.station[rows],
            "arrival": schedules.arrival_s[rows].astype(np.int64),
            "departure": schedules.departure_s[rows].astype(np.int64),
            "first": first,
            "last": last,
        }
    )


def _by_minute(calls: pl.DataFrame) -> pl.DataFrame:
    """Return each call once or twice: under the minute it arrives and the minute it departs."""
    arrival, departure = pl.col("arrival") // _MINUTE_S, pl.col("departure") // _MINUTE_S
    return pl.concat(
        [
            calls.with_columns(arrival.alias("minute")),
            calls.filter(arrival != departure).with_columns(departure.alias("minute")),
        ]
    )


def _apart(tolerance_s: int) -> pl.Expr:
    """Return whether two joined calls fit: arrivals or departures within the tolerance."""
    arrivals = (pl.col("arrival") - pl.col("arrival_right")).abs()
    departures = (pl.col("departure") - pl.col("departure_right")).abs()
    return (arrivals <= tolerance_s) | (departures <= tolerance_s)


def _ends_met(ends: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs where an end of the first meets any call of the second in time."""
    spread = pl.concat(
        _by_minute(ends).with_columns(pl.col("minute") + delta) for delta in (-1, 0, 1)
    )
    met = spread.join(_by_minute(calls), on=["station", "minute"])
    return met.filter(_apart(TOLERANCE_S)).select(*_PAIR).unique()


def _by_structure(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    """Return pairs whose shared run may begin, and may end, where one of the two does.

    Or where both do, at other times: one feed may be out of date there.
    """
    swap = (pl.col("schedule_right").alias("schedule"), pl.col("schedule").alias("schedule_right"))

    def either(end: str) -> pl.DataFrame:
        of_left = _ends_met(left.filter(pl.col(end)), right)
        of_right = _ends_met(right.filter(pl.col(end)), left).select(*swap)
        return pl.concat([of_left, of_right]).unique()

    begin, end = either("first"), either("last")
    late = _at_one_station(begin, left.filter("last"), right.filter("last"), "arrival")
    early = _at_one_station(end, left.filter("first"), right.filter("first"), "departure")
    return pl.concat([begin.join(end, on=list(_PAIR)), late, early]).unique()


def _at_one_station(
    pairs: pl.DataFrame, left: pl.DataFrame, right: pl.DataFrame, time: str
) -> pl.DataFrame:
    """Return the pairs of which both ends lie at one station, not too far apart in time."""
    other = right.select(pl.col("schedule").alias("schedule_right"), "station", time)
    met = pairs.join(left.select("schedule", "station", time), on="schedule").join(
        other, on=["schedule_right", "station"]
    )
    apart = (pl.col(time) - pl.col(f"{time}_right")).abs()
    return met.filter(apart <= STALE_END_S).select(*_PAIR)


def _end_to_start() -> pl.Expr:
    """Return whether one of two joined calls at a station ends a run and the other begins one."""
    forth = pl.col("departure_right") - pl.col("arrival")
    back = pl.col("departure") - pl.col("arrival_right")
    ends = pl.col("last") & pl.col("first_right")
    begins = pl.col("last_right") & pl.col("first")
    dwell = (-TOLERANCE_S, HAND_OVER_DWELL_S)
    return (ends & forth.is_between(*dwell)) | (begins & back.is_between(*dwell))


def _by_number(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    """Return pairs of equal number that meet at a station, hand-overs included."""
    known = pl.col("number") >= 0
    met = left.filter(known).join(right.filter(known), on=["number", "station"])
    return met.filter(_apart(NUMBER_TOLERANCE_S) | _end_to_start()).select(*_PAIR).unique()


def _by_list(left: pl.DataFrame, right: pl.DataFrame, listed: Sequence[ListedPair]) -> pl.DataFrame:
    """Return pairs of listed numbers that meet where the manifest says."""
    table = pl.DataFrame(
        [(pair.left_number, pair.right_number, pair.station) for pair in listed],
        schema={"number": pl.Int32, "number_right": pl.Int32, "station": pl.Int32},
        orient="row",
    )
    renamed = right.rename({name: f"{name}_right" for name in right.columns if name != "station"})
    met = left.join(table, on=["number", "station"]).join(renamed, on=["number_right", "station"])
    return met.filter(_end_to_start()).select(*_PAIR).unique()


def _share_days(schedules: Schedules, left: Int64s, right: Int64s, offset: Offset) -> Bools:
    """Return which pairs run on a common day of the offset."""
    out = np.zeros(len(left), np.bool_)
    for low in range(0, len(left), _CHUNK):
        chunk = slice(low, low + _CHUNK)
        shifted = shift_days(schedules.days[right[chunk]], offset.shift)
        out[chunk] = (schedules.days[left[chunk]] & shifted & offset.days).any(axis=1)
    return out


class _Relations:
    """Relations of schedules, each found once for all runs of the same shape.

    Buses and trains of a line repeat one run all day. How two runs relate depends on their calls
    counted from their first departures, and on how far these lie apart.
    """

    def __init__(self, schedules: Schedules) -> None:
        self.schedules = schedules
        self.shapes: dict[bytes, int] = {}
        self.calls: list[list[Call]] = []  # per shape, from its first departure
        self.shape_of: dict[int, tuple[int, int]] = {}
        self.known: dict[tuple[int, int, int, bool, bool], Relation] = {}

    def _shape(self, schedule: int) -> tuple[int, int]:
        """Return the shape of a schedule and its first departure."""
        found = self.shape_of.get(schedule)
        if found is None:
            found = self.shape_of[schedule] = self._read(schedule)
        return found

    def _read(self, schedule: int) -> tuple[int, int]:
        schedules = self.schedules
        rows = slice(int(schedules.start[schedule]), int(schedules.start[schedule + 1]))
        leaves = int(schedules.departure_s[rows.start])
        columns = (
            *(schedules.station[rows], schedules.arrival_s[rows] - leaves),
            *(schedules.departure_s[rows] - leaves, schedules.passing[rows]),
        )
        key = b"".join(column.tobytes() for column in columns)
        shape = self.shapes.setdefault(key, len(self.calls))
        if shape == len(self.calls):
            self.calls.append(list(zip(*(column.tolist() for column in columns), strict=True)))
        return shape, leaves

    def find(self, left: int, right: int, seconds: int, *, equal: bool, known: bool) -> Relation:
        """Return how two schedules relate, `seconds` added to the times of the right one."""
        (a, leaves), (b, other_leaves) = self._shape(left), self._shape(right)
        later = other_leaves + seconds - leaves
        key = (a, b, later, equal, known)
        found = self.known.get(key)
        if found is None:
            moved = [
                (station, arrival + later, departure + later, passing)
                for station, arrival, departure, passing in self.calls[b]
            ]
            found = relate(self.calls[a], moved, equal_number=equal, known_numbers=known)
            self.known[key] = found
        return found


def _candidates(
    left: pl.DataFrame,
    right: pl.DataFrame,
    listed: Sequence[ListedPair],
    decided: Collection[tuple[int, int]],
) -> tuple[Int64s, Int64s]:
    found = [_by_structure(left, right), _by_number(left, right)]
    if listed:
        found.append(_by_list(left, right, listed))
    if decided:
        found.append(pl.DataFrame(sorted(decided), schema=found[0].schema, orient="row"))
    pairs = pl.concat(found).unique().sort(*_PAIR)
    return pairs["schedule"].to_numpy(), pairs["schedule_right"].to_numpy()


def _times_meet(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    """Whether any call of one lies as near to the span of the other as a hand-over may dwell."""
    bounds = [
        table.select(pl.col("arrival").min(), pl.col("departure").max()).row(0)
        for table in (left, right)
    ]
    (low, high), (other_low, other_high) = bounds
    return bool(other_low <= high + HAND_OVER_DWELL_S and low <= other_high + HAND_OVER_DWELL_S)


def relate_feeds(
    schedules: Schedules,
    left_feed: int,
    right_feed: int,
    origins: tuple[Int64s, Int64s],
    listed: Sequence[ListedPair],
    decided: Collection[tuple[int, int]] = (),
) -> Iterator[SchedulePair]:
    """Yield every pair of schedules of two feeds that share a run or meet end to start.

    Parameters
    ----------
    schedules : Schedules
    left_feed, right_feed : int
        Indices of feeds, the left one smaller.
    origins : tuple of int64[n_days]
        Service-day origins of the two zones.
    listed : sequence of ListedPair
        Oriented from the left to the right feed.
    decided : collection of (left, right)
        Schedules that people call one train; counts as an equal number.
    """
    decided = {
        (a, b)
        for a, b in decided
        if (schedules.feed[a], schedules.feed[b]) == (left_feed, right_feed)
    }
    left, right = _calls(schedules, left_feed), _calls(schedules, right_feed)
    if not left.height or not right.height:
        return
    pairs_listed = {(pair.left_number, pair.right_number) for pair in listed}
    relations = _Relations(schedules)
    for offset in offsets_between(*origins):
        rebased = right.with_columns(
            pl.col("arrival") + offset.seconds, pl.col("departure") + offset.seconds
        )
        if not _times_meet(left, rebased):
            continue
        a, b = _candidates(left, rebased, listed, decided)
        shared = _share_days(schedules, a, b, offset)
        for i, j in zip(a[shared].tolist(), b[shared].tolist(), strict=True):
            numbers = int(schedules.number[i]), int(schedules.number[j])
            known = min(numbers) >= 0
            equal = known and numbers[0] == numbers[1]
            in_list = numbers in pairs_listed
            one = equal or in_list or (i, j) in decided
            relation = relations.find(i, j, offset.seconds, equal=one, known=known)
            if relation.kind != "none":
                yield SchedulePair(i, j, offset, relation, equal, known, in_list)
