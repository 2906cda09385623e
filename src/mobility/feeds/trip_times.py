"""Judges trips by their stop_times: impossible ones go, missing inner times are interpolated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.units import distance_m
from mobility.feeds.cells import BAD_TIME
from mobility.feeds.load import Reading
from mobility.feeds.read import LINE, REPAIRED
from mobility.feeds.stop_times import FILE, FLEX, NAME, NO_STOP

Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

MISSING = np.int32(np.iinfo(np.int32).min)
HOUR_S = 3600
_CHUNK = 1 << 18  # rows whose ways are measured at a time: bounds memory
_INTERPOLATED_FROM = ("trip", "stop", "arrival_time", "departure_time", "shape_dist_traveled")


@dataclass(slots=True)
class _Calls:
    """The columns of stop_times that the rules look at; rows of a trip stand together."""

    trip: Ints
    stop: Ints
    arrival: Ints
    departure: Ints
    first: Bools  # first row of its trip
    last: Bools

    @classmethod
    def of(cls, frame: pl.DataFrame) -> _Calls:
        trip = frame["trip"].to_numpy()
        edge = trip[1:] != trip[:-1]
        whole = np.ones(min(len(trip), 1), dtype=bool)
        return cls(
            trip=trip,
            stop=frame["stop"].to_numpy(),
            arrival=frame["arrival_time"].fill_null(int(MISSING)).to_numpy().copy(),
            departure=frame["departure_time"].fill_null(int(MISSING)).to_numpy().copy(),
            first=np.concatenate((whole, edge)),
            last=np.concatenate((edge, whole)),
        )


def judge_trips(frame: pl.DataFrame, reading: Reading) -> None:
    """Drop impossible trips, interpolate, merge repeated stops; set ``trips`` and ``stop_times``.

    Rules, in this order; the first that applies names the code of the trip and of its rows:
    an empty stop_id; a text that is no time; the first or last time missing; departure before
    arrival; arrival before the previous departure (GTFS Schedule, stop_times; a trip with
    impossible times is dropped, not guessed, as OpenTripPlanner does); fewer than two rows.
    """
    frame = _drop_trips(frame, _Calls.of(frame).stop == NO_STOP, "stop_time_without_stop", reading)
    calls = _Calls.of(frame)
    unread = (calls.arrival == BAD_TIME) | (calls.departure == BAD_TIME)
    frame = _drop_trips(frame, unread, "invalid_time", reading)
    frame = _copy_single_times(frame, reading)
    calls = _Calls.of(frame)
    open_edge = (calls.first | calls.last) & (calls.arrival == MISSING)
    frame = _drop_trips(frame, open_edge, "missing_trip_edge", reading)
    frame = _interpolate(frame, reading)
    frame = _drop_backward(frame, reading)
    frame = _merge_repeats(frame, reading)
    _keep_usable(frame, reading)


def _drop_trips(frame: pl.DataFrame, bad: Bools, code: str, reading: Reading) -> pl.DataFrame:
    """Drop every row of the trips that have a bad row; the trips themselves go later."""
    if not bad.any():
        return frame
    trip = frame["trip"].to_numpy()
    at_fault = np.zeros(len(reading.frames["trips"]), dtype=bool)
    at_fault[trip[bad]] = True
    rows = at_fault[trip]
    first = int(np.flatnonzero(bad)[0])
    trips = reading.frames["trips"]
    trip_id = trips["trip_id"][int(trip[first])]
    reading.findings.add(
        code, FILE, row=int(frame[LINE][first]), field="trip_id", value=trip_id,
        count=int(rows.sum()),
    )  # fmt: skip
    reasons = reading.frames["trips"]["_reason"]
    reading.frames["trips"] = trips.with_columns(
        reasons.zip_with(pl.Series(~at_fault) | reasons.is_not_null(), pl.Series([code]))
    )
    return frame.filter(pl.Series(~rows))


def _copy_single_times(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Where only one of arrival and departure is given, it stands for both."""
    one = frame["arrival_time"].is_null() != frame["departure_time"].is_null()
    if not one.any():
        return frame
    _tell(reading, "stop_time_with_only_arrival_or_departure_time", frame, one.to_numpy())
    return frame.with_columns(
        pl.coalesce("arrival_time", "departure_time").alias("arrival_time"),
        pl.coalesce("departure_time", "arrival_time").alias("departure_time"),
        pl.col(REPAIRED) | one,
    )


def _tell(reading: Reading, code: str, frame: pl.DataFrame, rows: Bools) -> None:
    first = int(np.flatnonzero(rows)[0])
    trip_id = reading.frames["trips"]["trip_id"][int(frame["trip"][first])]
    reading.findings.add(
        code, FILE, row=int(frame[LINE][first]), field="trip_id", value=trip_id,
        count=int(rows.sum()),
    )  # fmt: skip


def _interpolate(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Fill missing times between two known ones by the way travelled; mark them no timepoint."""
    missing = frame["arrival_time"].is_null().to_numpy()
    if not missing.any():
        return frame
    _tell(reading, "time_interpolated", frame, missing)
    calls = _Calls.of(frame)
    concerned = np.zeros(len(reading.frames["trips"]), dtype=bool)
    concerned[calls.trip[missing]] = True
    rows = np.flatnonzero(concerned[calls.trip])
    needed = frame.select(name for name in _INTERPOLATED_FROM if name in frame.columns)
    for part in _whole_trips(rows, calls.trip[rows]):
        at, seconds = _missing_times(needed[part], missing[part], reading)
        calls.arrival[part[at]] = calls.departure[part[at]] = seconds
    timepoint = pl.col("timepoint") if "timepoint" in frame.columns else pl.lit(1, pl.Int8)
    filled = pl.Series(missing)
    return frame.with_columns(
        pl.Series("arrival_time", calls.arrival),
        pl.Series("departure_time", calls.departure),
        pl.when(filled).then(pl.lit(0, pl.Int8)).otherwise(timepoint).alias("timepoint"),
        pl.col(REPAIRED) | filled,
    )


def _whole_trips(rows: Rows, trip: Ints) -> Iterator[Rows]:
    """Yield the rows in parts that hold whole trips, all of them in ascending order of trips."""
    low = 0
    while low < len(rows):
        last = min(low + _CHUNK, len(rows)) - 1
        high = int(np.searchsorted(trip, trip[last], side="right"))
        yield rows[low:high]
        low = high


def _missing_times(frame: pl.DataFrame, missing: Bools, reading: Reading) -> tuple[Rows, Ints]:
    """Return which rows have no time, and the time that each is given."""
    calls = _Calls.of(frame)
    way = _way_travelled(frame, calls, reading)
    known, at = np.flatnonzero(~missing), np.flatnonzero(missing)
    next_known = np.searchsorted(known, at)
    before, after = known[next_known - 1], known[next_known]
    start, end = calls.departure[before].astype(np.float64), calls.arrival[after]
    span = way[after] - way[before]
    by_way = np.divide(way[at] - way[before], span, out=np.zeros_like(span), where=span > 0)
    share = np.where(span > 0, by_way, (at - before) / (after - before))
    return at, np.floor(start + (end - start) * share + 0.5).astype(np.int32)


def _way_travelled(frame: pl.DataFrame, calls: _Calls, reading: Reading) -> npt.NDArray[np.float64]:
    """Return a way in metres or feed units that never falls within a trip.

    The straight line from stop to stop; the feed's own ``shape_dist_traveled`` in trips where it is
    complete and never falls.
    """
    stops = reading.frames["stops"]
    lat = stops["stop_lat"].fill_null(np.nan).to_numpy()[calls.stop]
    lon = stops["stop_lon"].fill_null(np.nan).to_numpy()[calls.stop]
    hop = np.zeros(len(lat))
    hop[1:] = np.nan_to_num(distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:]))
    hop[calls.first] = 0
    if "shape_dist_traveled" in frame.columns:
        stated = frame["shape_dist_traveled"].fill_null(np.nan).to_numpy()
        step = np.diff(stated, prepend=stated[:1])
        step[calls.first] = np.where(np.isnan(stated[calls.first]), np.nan, 0)
        unusable = np.zeros(len(reading.frames["trips"]), dtype=bool)
        unusable[calls.trip[~(step >= 0)]] = True
        hop = np.where(unusable[calls.trip], hop, step)
    return np.cumsum(hop)


def _drop_backward(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    calls = _Calls.of(frame)
    before = calls.departure < calls.arrival
    code = "stop_time_with_departure_before_arrival_time"
    frame = _drop_trips(frame, before, code, reading)
    calls = _Calls.of(frame)
    back = np.zeros(len(frame), dtype=bool)
    hop = calls.arrival[1:] - calls.departure[:-1]
    back[1:] = (hop < 0) & ~calls.first[1:]
    if not back.any():
        return frame
    zones = back.copy()
    zones[1:] &= np.isin(hop, (-HOUR_S, -2 * HOUR_S))
    if zones.any():
        _tell(reading, "local_times_entered", frame, zones)
    code = "stop_time_with_arrival_before_previous_departure_time"
    return _drop_trips(frame, back, code, reading)


def _merge_repeats(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Merge rows of the same stop in a row: first arrival, last departure, one dwell."""
    calls = _Calls.of(frame)
    repeated = np.zeros(len(frame), dtype=bool)
    repeated[1:] = (calls.stop[1:] == calls.stop[:-1]) & ~calls.first[1:]
    if not repeated.any():
        return frame
    _tell(reading, "repeated_stop_merged", frame, repeated)
    kept = np.flatnonzero(~repeated)
    end = np.append(kept[1:], len(frame)) - 1  # the last row of each run
    merged = frame[kept]
    return merged.with_columns(
        pl.Series("departure_time", calls.departure[end]),
        pl.Series("pickup_type", frame["pickup_type"].to_numpy()[end]),
        pl.col(REPAIRED) | pl.Series(end != kept),
    )


def _keep_usable(frame: pl.DataFrame, reading: Reading) -> None:
    """Drop trips with fewer than two rows, renumber the others, and set both tables."""
    trips = reading.frames["trips"]
    trip = frame["trip"].to_numpy()
    rows = np.bincount(trip, minlength=len(trips))
    lone = rows[trip] == 1
    frame = _drop_trips(frame, lone, "unusable_trip", reading)
    usable = rows >= 2
    trips = reading.frames["trips"]
    _keep_flex_trips(trips, usable, reading)
    number = np.cumsum(usable, dtype=np.int32) - 1
    kept = number[frame["trip"].to_numpy()].astype(np.int32)
    reading.frames[NAME] = frame.with_columns(pl.Series("trip", kept))
    flex = reading.frames["flex_trips"]
    on_demand = trips["trip_id"].is_in(flex["trip_id"].implode())
    reasons = trips["_reason"].fill_null("unused_trip")
    for code in reasons.unique(maintain_order=True).to_list():
        bad = pl.Series(~usable) & ~on_demand & (reasons == code)
        if bad.any():
            first = bad.arg_max() or 0
            reading.findings.add(
                code, "trips.txt", row=int(trips[LINE][first]), field="trip_id",
                value=trips["trip_id"][first], count=int(bad.sum()),
            )  # fmt: skip
    reading.frames["trips"] = trips.filter(pl.Series(usable)).drop("_reason")


def _keep_flex_trips(trips: pl.DataFrame, usable: Bools, reading: Reading) -> None:
    """Keep the trips apart that run on demand only."""
    flex = reading.frames[FLEX]
    ids = flex["trip_id"] if len(flex) else pl.Series([], dtype=pl.String)
    alone = pl.Series(~usable) & trips["trip_id"].is_in(ids.implode())
    reading.frames["flex_trips"] = trips.filter(alone).drop("_reason")
    reading.kept_apart["trips"] = int(alone.sum())
