"""Stops: parents that are stations and no loops, positions that can be true."""

from __future__ import annotations

import polars as pl

from mobility.feeds.load import Reading
from mobility.feeds.read import REPAIRED

STATION = 1
BOARDING_AREA = 4
NEAR_ORIGIN_DEG = 1.0
NEAR_POLE_DEG = 89.0


def repair_stops(reading: Reading) -> None:
    """Repair location types, parents and positions of ``stops``; each repair is told."""
    frame = reading.frames["stops"]
    reading.frames["stops"] = frame.with_columns(pl.col("location_type").fill_null(0))
    _cut_loops(reading)
    _check_parents(reading)
    _check_positions(reading)
    _fill_positions(reading)


def _cut_loops(reading: Reading) -> None:
    """Empty the parent of every stop that is its own ancestor."""
    stops = reading.frames["stops"]
    children = stops.filter(pl.col("parent_station").is_not_null())
    parent = dict(zip(children["stop_id"], children["parent_station"], strict=True))
    looped = set()
    for stop in parent:
        seen = []
        at: str | None = stop
        while at is not None and at not in seen:
            seen.append(at)
            at = parent.get(at)
        if at == stop:
            looped.add(stop)
    if looped:
        bad = stops["stop_id"].is_in(sorted(looped))
        reading.clear("stops", bad, "parent_station_loop", field="parent_station")


def _check_parents(reading: Reading) -> None:
    """Empty parents that are of the wrong type (GTFS Schedule, stops.parent_station)."""
    stops = reading.frames["stops"]
    kinds = stops.select(
        pl.col("stop_id").alias("parent_station"), pl.col("location_type").alias("p")
    )
    joined = stops.select("parent_station", "location_type").join(
        kinds, on="parent_station", how="left", maintain_order="left"
    )
    wanted = (
        pl.when(pl.col("location_type") == BOARDING_AREA)
        .then(0)
        .when(pl.col("location_type") == STATION)
        .then(-1)
        .otherwise(STATION)
    )
    bad = joined.select(
        (pl.col("p").is_not_null() & (pl.col("p") != wanted)).fill_null(value=False).alias("bad")
    )["bad"]
    reading.clear("stops", bad, "wrong_parent_location_type", field="parent_station")


def _check_positions(reading: Reading) -> None:
    """Empty positions at (0, 0) and at the poles; a half position is none."""
    near_zero = (pl.col("stop_lat").abs() <= NEAR_ORIGIN_DEG) & (
        pl.col("stop_lon").abs() <= NEAR_ORIGIN_DEG
    )
    near_pole = pl.col("stop_lat").abs() >= NEAR_POLE_DEG
    for rule, code in ((near_zero, "point_near_origin"), (near_pole, "point_near_pole")):
        bad = reading.frames["stops"].select(rule.fill_null(value=False).alias("bad"))["bad"]
        reading.clear("stops", bad, code, field="stop_lat")
    half = pl.col("stop_lat").is_null() | pl.col("stop_lon").is_null()
    reading.frames["stops"] = reading.frames["stops"].with_columns(
        pl.when(~half).then(pl.col(name)).alias(name) for name in ("stop_lat", "stop_lon")
    )


def _fill_positions(reading: Reading) -> None:
    """Take missing positions from the parent, and those of stations from their children."""
    stops = reading.frames["stops"]
    if not stops["stop_lat"].null_count():
        return
    before = stops["stop_lat"].is_null()
    places = ("stop_lat", "stop_lon")
    children = stops.group_by("parent_station").agg(
        pl.col(*places).mean().round(7).name.suffix("_c")
    )
    stops = stops.join(
        children, left_on="stop_id", right_on="parent_station", how="left", maintain_order="left"
    ).with_columns(pl.col(name).fill_null(pl.col(f"{name}_c")) for name in places)
    parents = stops.select("stop_id", pl.col(*places).name.suffix("_p"))
    stops = stops.join(
        parents, left_on="parent_station", right_on="stop_id", how="left", maintain_order="left"
    ).with_columns(pl.col(name).fill_null(pl.col(f"{name}_p")) for name in places)
    filled = before & stops["stop_lat"].is_not_null()
    stops = stops.drop(f"{name}{end}" for name in places for end in ("_c", "_p"))
    reading.frames["stops"] = stops.with_columns(pl.col(REPAIRED) | filled)
    for rows, code in ((filled, "position_from_relatives"), (before & ~filled, "missing_position")):
        if rows.any():
            first = rows.arg_max() or 0
            reading.findings.add(
                code,
                "stops.txt",
                row=int(stops["line"][first]),
                field="stop_lat",
                value=stops["stop_id"][first],
                count=int(rows.sum()),
            )
