"""Turns trips that ``frequencies.txt`` repeats into their single runs."""

from __future__ import annotations

import numpy as np
import polars as pl

from mobility.core.errors import FeedError
from mobility.core.time import gtfs_time
from mobility.feeds.load import Reading
from mobility.feeds.stop_times import NAME

MAX_RUNS = 2_000_000
TEMPLATE = "template_trip_id"
HEADWAY = "headway_s"


def expand_frequencies(reading: Reading) -> None:
    """Replace each template trip by its runs ``trip_id~HH:MM:SS``.

    A run starts at ``start + k * headway`` while before ``end``: n = ceil((end - start) / headway)
    (GTFS Schedule, frequencies.txt). Rows without exact times are expanded the same way, told as
    ``frequency_headway``, and their runs carry ``headway_s``. Templates leave ``trips`` and
    ``stop_times`` but count as kept: they live on in their runs, which name them in
    ``template_trip_id``; so do the rows of ``frequencies``.

    Raises
    ------
    FeedError
        More than two million runs.
    """
    _drop_impossible(reading)
    trips = reading.frames["trips"].with_columns(
        pl.lit(None, pl.String).alias(TEMPLATE), pl.lit(None, pl.Int32).alias(HEADWAY)
    )
    reading.frames["trips"] = trips
    rows = reading.frames["frequencies"]
    if not len(rows):
        return
    runs = _runs(rows, reading)
    number = trips.select("trip_id", pl.int_range(pl.len(), dtype=pl.Int32).alias("old"))
    runs = runs.join(number, on="trip_id", how="left", maintain_order="left")
    templates = np.zeros(len(trips), dtype=bool)
    templates[runs["old"].to_numpy()] = True
    reading.findings.add(
        "frequency_template", "trips.txt", field="trip_id",
        value=trips["trip_id"][int(np.flatnonzero(templates)[0])], count=int(templates.sum()),
    )  # fmt: skip
    _replace_trips(trips, runs, templates, reading)
    _replace_stop_times(runs, templates, reading)
    _repeat_references(runs, reading)
    reading.kept_apart["frequencies"] = len(rows)
    reading.frames["frequencies"] = rows.clear()


def _drop_impossible(reading: Reading) -> None:
    rows = reading.frames["frequencies"]
    if not len(rows):
        return
    bad = (rows["end_time"] <= rows["start_time"]) | (rows["headway_secs"] <= 0)
    reading.drop("frequencies", bad, "invalid_frequency", field="trip_id")
    rows = reading.frames["frequencies"].sort("trip_id", "start_time", maintain_order=True)
    overlap = (rows["trip_id"] == rows["trip_id"].shift(1)) & (
        rows["start_time"] < rows["end_time"].shift(1)
    )
    overlap = overlap.fill_null(value=False)
    if overlap.any():
        reading.findings.add(
            "overlapping_frequency", "frequencies.txt", field="trip_id",
            value=rows["trip_id"][overlap.arg_max() or 0], count=int(overlap.sum()),
        )  # fmt: skip


def _runs(rows: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Return one row per run: trip_id, start_time, headway_s (null where exact), its own id."""
    start, end = rows["start_time"].to_numpy(), rows["end_time"].to_numpy()
    headway = rows["headway_secs"].to_numpy()
    count = -((start - end) // headway)
    if int(count.sum()) > MAX_RUNS:
        raise FeedError(
            f"{reading.findings.feed}: frequencies.txt stands for {int(count.sum())} runs;"
            f" at most {MAX_RUNS}"
        )
    inexact = rows["exact_times"].fill_null(0) == 0
    reading.findings.add(
        "frequency_headway", "frequencies.txt", field="exact_times", count=int(inexact.sum())
    )
    row = np.repeat(np.arange(len(rows)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    runs = rows[row].select(
        "trip_id",
        pl.Series("start_time", (start[row] + step * headway[row]).astype(np.int32)),
        pl.when(inexact.gather(row)).then(pl.col("headway_secs")).alias(HEADWAY),
    )
    runs = runs.unique(["trip_id", "start_time"], keep="first", maintain_order=True)
    names = [
        f"{trip_id}~{gtfs_time(start)}"
        for trip_id, start in zip(runs["trip_id"], runs["start_time"], strict=True)
    ]
    return runs.with_columns(pl.Series("run", names, dtype=pl.String))


def _replace_trips(
    trips: pl.DataFrame, runs: pl.DataFrame, templates: np.ndarray, reading: Reading
) -> None:
    old = runs["old"].to_numpy()
    made = trips[old].with_columns(
        runs["run"].alias("trip_id"),
        pl.col("trip_id").alias(TEMPLATE),
        runs[HEADWAY],
    )
    taken = made["trip_id"].is_in(trips["trip_id"].implode())
    if taken.any():
        clash = made["trip_id"][taken.arg_max() or 0]
        raise FeedError(f"{reading.findings.feed}: trips.txt: the id {clash!r} is that of a run")
    reading.frames["trips"] = pl.concat([trips.filter(pl.Series(~templates)), made])
    reading.kept_apart["trips"] = (
        reading.kept_apart.get("trips", 0) + int(templates.sum()) - len(made)
    )


def _replace_stop_times(runs: pl.DataFrame, templates: np.ndarray, reading: Reading) -> None:
    frame = reading.frames[NAME]
    trip = frame["trip"].to_numpy()
    first = np.searchsorted(trip, np.arange(len(templates) + 1))
    old = runs["old"].to_numpy()
    length = (first[1:] - first[:-1])[old]
    begin = np.repeat(first[:-1][old], length)
    rows = begin + np.arange(len(begin)) - np.repeat(np.cumsum(length) - length, length)
    n_kept = int((~templates).sum())
    departure = frame["departure_time"].to_numpy()[first[:-1][old]]
    shift = np.repeat(runs["start_time"].to_numpy() - departure, length)
    made = frame[rows].with_columns(
        pl.Series("trip", np.repeat(np.arange(n_kept, n_kept + len(old)), length).astype(np.int32)),
        pl.col("arrival_time") + pl.Series(shift.astype(np.int32)),
        pl.col("departure_time") + pl.Series(shift.astype(np.int32)),
    )
    number = (np.cumsum(~templates) - 1).astype(np.int32)
    stay = pl.Series(~templates[trip])
    kept = frame.filter(stay).with_columns(pl.Series("trip", number[trip[stay.to_numpy()]]))
    reading.frames[NAME] = pl.concat([kept, made])
    template_rows = len(frame) - len(kept)
    reading.kept_apart[NAME] = reading.kept_apart.get(NAME, 0) + template_rows - len(made)


def _repeat_references(runs: pl.DataFrame, reading: Reading) -> None:
    """Let what is said of a template be said of its runs; a transfer at a template says nothing."""
    names = runs.select("trip_id", "run")
    templates = names["trip_id"].unique().implode()
    for name, column in (("attributions", "trip_id"), ("translations", "record_id")):
        frame = reading.frames[name]
        ours = frame[column].is_in(templates).fill_null(value=False)
        if name == "translations":
            ours &= frame["table_name"].is_in(["trips", NAME])
        repeated = (
            frame.filter(ours)
            .join(names, left_on=column, right_on="trip_id", maintain_order="left_right")
            .with_columns(pl.col("run").alias(column))
            .drop("run")
        )
        reading.frames[name] = pl.concat([frame.filter(~ours), repeated.select(frame.columns)])
        reading.kept_apart[name] = int(ours.sum()) - len(repeated)
    for column in ("from_trip_id", "to_trip_id"):
        ours = reading.frames["transfers"][column].is_in(templates).fill_null(value=False)
        reading.drop("transfers", ours, "transfer_at_template", field=column)
