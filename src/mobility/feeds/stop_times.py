"""Reads ``stop_times.txt`` block by block into integer columns; nothing of it stays text for long.

Trip and stop become row numbers of the tables that are already loaded, times become seconds, so a
row takes some thirty bytes instead of hundreds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.errors import FeedError
from mobility.feeds.load import Reading, typed_block
from mobility.feeds.read import LINE, REPAIRED, TextBlock
from mobility.schema import TABLES

NAME = "stop_times"
FILE = "stop_times.txt"
TABLE = TABLES[NAME]
FLEX = "flex_stop_times"
FLEX_COLUMNS = (
    "start_pickup_drop_off_window", "end_pickup_drop_off_window", "location_id",
    "location_group_id",
)  # fmt: skip
BYTES = ("pickup_type", "drop_off_type")
SMALL = ("continuous_pickup", "continuous_drop_off", "timepoint")
BOOKING = ("pickup_booking_rule_id", "drop_off_booking_rule_id")
NO_STOP = -1


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Row numbers by id, of the tables that stop_times refers to."""

    trips: dict[str, int]
    stops: pl.DataFrame

    @classmethod
    def of(cls, reading: Reading) -> _Numbers:
        trips = reading.frames["trips"]["trip_id"].to_list()
        number = pl.int_range(pl.len(), dtype=pl.Int32).alias("stop")
        return cls(
            {trip_id: row for row, trip_id in enumerate(trips)},
            reading.frames["stops"].select("stop_id", number),
        )


def load_stop_times(reading: Reading) -> pl.DataFrame:
    """Return all usable rows with trip and stop as row numbers, sorted by (trip, stop_sequence).

    Columns: ``trip, stop, arrival_time, departure_time, stop_sequence`` Int32 (stop -1 where the
    cell is empty, times -1 where no time, null where empty), ``pickup_type, drop_off_type`` Int8,
    those further columns that say anything, ``line`` and ``_repaired``. Rows on demand within a
    window go to the table ``flex_stop_times`` as they are.

    Raises
    ------
    FeedError
        The file or one of its columns is missing.
    """
    if NAME not in reading.source:
        raise FeedError(f"{reading.source.place}: there is no {FILE}; expected a GTFS feed")
    numbers = _Numbers.of(reading)
    parts: list[pl.DataFrame] = []
    flex: list[pl.DataFrame] = []
    reading.read[NAME] = 0
    for block in reading.source.blocks(NAME, reading.findings):
        if not parts:
            _check_header(block, reading)
        reading.read[NAME] += block.read
        frame, on_demand = _split_flex(typed_block(block, TABLE, reading))
        flex.append(on_demand)
        parts.append(_with_numbers(frame, numbers, reading))
        reading.report(FILE, block.bytes_done, reading.source.size(NAME))
    _keep_flex(flex, reading)
    frame = _clear_booking(pl.concat(parts, how="diagonal"), reading)
    return _drop_repeats(_sorted(frame), reading)


def _clear_booking(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Empty references to booking rules that are not there."""
    known = reading.frames["booking_rules"]["booking_rule_id"].implode()
    for name in BOOKING:
        if name in frame.columns:
            bad = frame[name].is_not_null() & ~frame[name].is_in(known)
            if bad.any():
                first = bad.arg_max() or 0
                reading.findings.add(
                    "foreign_key_violation_cleared", FILE, row=int(frame[LINE][first]), field=name,
                    value=frame[name][first], count=int(bad.sum()),
                )  # fmt: skip
                emptied = pl.when(~bad).then(pl.col(name)).alias(name)
                frame = frame.with_columns(emptied, pl.col(REPAIRED) | bad)
    return frame


def _check_header(block: TextBlock, reading: Reading) -> None:
    columns = set(block.frame.columns)
    if not columns & {"stop_id", "location_id", "location_group_id"}:
        raise FeedError(f"{reading.findings.feed}: {FILE} has no column 'stop_id'")
    if not columns & {"arrival_time", "departure_time", "start_pickup_drop_off_window"}:
        raise FeedError(f"{reading.findings.feed}: {FILE} has no column 'departure_time'")


def _split_flex(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of the timetable, and those on demand within a window or area."""
    present = [column for column in FLEX_COLUMNS if column in frame.columns]
    if not present:
        return frame, frame.clear()
    on_demand = pl.any_horizontal(pl.col(present).is_not_null())
    return frame.filter(~on_demand).drop(present), frame.filter(on_demand)


def _keep_flex(parts: list[pl.DataFrame], reading: Reading) -> None:
    """Keep rows on demand of known trips apart; drop those of unknown trips."""
    frame = pl.concat(parts, how="diagonal") if parts else pl.DataFrame()
    reading.frames[FLEX] = frame
    if not len(frame):
        reading.frames[FLEX] = pl.DataFrame()
        return
    known = reading.frames["trips"]["trip_id"].implode()
    _tell_and_drop(FLEX, ~frame["trip_id"].is_in(known), "trip_id", reading)
    for column, table in (("stop_id", "stops"), ("location_group_id", "location_groups")):
        kept = reading.frames[FLEX]
        if column in kept.columns:
            values = kept[column]
            target = reading.frames[table][column].drop_nulls().implode()
            _tell_and_drop(FLEX, values.is_not_null() & ~values.is_in(target), column, reading)
    kept = reading.frames[FLEX] = _clear_booking(reading.frames[FLEX], reading)
    reading.findings.add("flex_trip", FILE, count=kept["trip_id"].n_unique())
    reading.kept_apart[NAME] = len(kept)


def _tell_and_drop(name: str, bad: pl.Series, column: str, reading: Reading) -> None:
    frame = reading.frames[name]
    if bad.any():
        first = bad.arg_max() or 0
        reading.findings.add(
            "foreign_key_violation", FILE, row=int(frame[LINE][first]), field=column,
            value=frame[column][first], count=int(bad.sum()),
        )  # fmt: skip
        reading.frames[name] = frame.filter(~bad)


def _with_numbers(frame: pl.DataFrame, numbers: _Numbers, reading: Reading) -> pl.DataFrame:
    """Return a block with row numbers for ids and small types; unknown ids are told and dropped."""
    trip = _look_up_runs(frame["trip_id"], numbers.trips)
    frame = frame.with_columns(trip)
    frame = _drop_unknown(frame, "trip", reading)
    if "stop_id" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.String).alias("stop_id"))
    stop = frame.select("stop_id").join(
        numbers.stops, on="stop_id", how="left", maintain_order="left"
    )["stop"]
    frame = frame.with_columns(
        stop.zip_with(frame["stop_id"].is_not_null(), pl.Series([NO_STOP], dtype=pl.Int32))
    )
    frame = _drop_unknown(frame, "stop", reading)
    return _narrow(frame.drop("trip_id", "stop_id"))


def _look_up_runs(ids: pl.Series, numbers: dict[str, int]) -> pl.Series:
    """Return row numbers of ids, looking up each run of equal ids once."""
    run = ids.rle_id()
    first = run.diff().fill_null(1) != 0
    found = [numbers.get(trip_id) for trip_id in ids.filter(first).to_list()]
    return pl.Series("trip", found, dtype=pl.Int32).gather(run)


def _drop_unknown(frame: pl.DataFrame, name: str, reading: Reading) -> pl.DataFrame:
    unknown = frame[name].is_null()
    if not unknown.any():
        return frame
    first = unknown.arg_max() or 0
    reading.findings.add(
        "foreign_key_violation", FILE, row=int(frame[LINE][first]), field=f"{name}_id",
        value=frame[f"{name}_id"][first], count=int(unknown.sum()),
    )  # fmt: skip
    return frame.filter(~unknown)


def _narrow(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a block with the columns that every block has, and those others that say anything."""
    frame = frame.with_columns(
        (pl.col(name) if name in frame.columns else pl.lit(None, pl.Int32)).alias(name)
        for name in ("arrival_time", "departure_time")
    )
    frame = frame.with_columns(
        (pl.col(name).fill_null(0) if name in frame.columns else pl.lit(0))
        .cast(pl.Int8)
        .alias(name)
        for name in BYTES
    )
    fixed = ["trip", "stop", "arrival_time", "departure_time", "stop_sequence", *BYTES]
    spoken = [
        name
        for name in frame.columns
        if name not in (*fixed, LINE, REPAIRED) and frame[name].null_count() < len(frame)
    ]
    small = [pl.col(name).cast(pl.Int8) for name in spoken if name in SMALL]
    return frame.select(*fixed, *spoken, LINE, REPAIRED).with_columns(small)


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows by (trip, stop_sequence), rows of equal key in the file's order."""
    key = _sort_key(frame)
    if np.all(key[1:] >= key[:-1]):
        return frame
    return frame[np.argsort(key, kind="stable")]


def _sort_key(frame: pl.DataFrame) -> npt.NDArray[np.int64]:
    trip = frame["trip"].to_numpy().astype(np.int64)
    key: npt.NDArray[np.int64] = (trip << 32) | frame["stop_sequence"].to_numpy()
    return key


def _drop_repeats(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Drop later rows of an equal (trip, stop_sequence): the same row again, or a contradiction."""
    key = _sort_key(frame)
    later = np.flatnonzero(key[1:] == key[:-1]) + 1
    if not len(later):
        return frame
    content = [name for name in frame.columns if name not in (LINE, REPAIRED)]
    rows, before = frame[later].select(content), frame[later - 1].select(content)
    same = np.ones(len(later), dtype=bool)
    for name in content:
        same &= rows[name].eq_missing(before[name]).to_numpy()
    for mask, code in ((same, "duplicate_row"), (~same, "duplicate_key")):
        if mask.any():
            first = int(later[np.flatnonzero(mask)[0]])
            reading.findings.add(
                code, FILE, row=int(frame[LINE][first]), field="stop_sequence",
                value=frame["stop_sequence"][first], count=int(mask.sum()),
            )  # fmt: skip
    keep = np.ones(len(frame), dtype=bool)
    keep[later] = False
    return frame.filter(pl.Series(keep))
