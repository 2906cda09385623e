"""Distances along shapes: kept where they say what GTFS lets them say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.export.scope import Findings
from mobility.merge.further import DISTANCE

Bools = npt.NDArray[np.bool_]


def settle_distances(tables: dict[str, pl.DataFrame], findings: Findings) -> None:
    """Empty distances of shapes and trips that do not grow, or that reach beyond their shape.

    A trip keeps its distances where its shape has its own.

    Source: GTFS Schedule reference, shape_dist_traveled of shapes.txt and stop_times.txt.
    """
    reach: dict[str, float] = {}
    shapes = tables.get("shapes")
    if shapes is not None and DISTANCE in shapes.columns:
        grow = _shapes_grow(shapes)
        _tell(findings, "shapes", shapes[DISTANCE], grow)
        tables["shapes"] = shapes = _kept(shapes, grow)
        ends = shapes.group_by("shape_id", maintain_order=True).agg(pl.col(DISTANCE).max())
        reach = dict(ends.drop_nulls().iter_rows())
    calls = tables["stop_times"]
    if DISTANCE not in calls.columns:
        return
    told = pl.Series(tables["trips"]["shape_id"]).replace_strict(
        reach, default=None, return_dtype=pl.Float64
    )
    furthest = told.gather(calls["trip"].cast(pl.UInt32))
    beyond = (calls[DISTANCE] > furthest).fill_null(value=True) & calls[DISTANCE].is_not_null()
    inside = (
        ~pl.DataFrame({"trip": calls["trip"], "beyond": beyond})
        .select(pl.col("beyond").any().over("trip"))
        .to_series()
    )
    grow = _trips_grow(calls) & inside.to_numpy()
    _tell(findings, "stop_times", calls[DISTANCE], grow)
    tables["stop_times"] = _kept(calls, grow)


def _shapes_grow(shapes: pl.DataFrame) -> Bools:
    """Return the points of shapes that state every distance, farther from place to place."""
    points = pl.col("shape_pt_lat"), pl.col("shape_pt_lon")
    moved = pl.any_horizontal(point.diff().over("shape_id") != 0 for point in points)
    step = pl.col(DISTANCE).diff().over("shape_id")
    bad = pl.col(DISTANCE).is_null() | (step < 0) | ((step == 0) & moved)
    fine = shapes.select((~bad.fill_null(value=False)).all().over("shape_id"))
    grow: Bools = fine.to_series().to_numpy()
    return grow


def _trips_grow(calls: pl.DataFrame) -> Bools:
    """Return the calls of trips whose stated distances grow from call to call."""
    stated = calls.select("trip", DISTANCE).filter(pl.col(DISTANCE).is_not_null())
    bad = stated.filter((pl.col(DISTANCE).diff().over("trip") <= 0).fill_null(value=False))
    grow: Bools = (~calls["trip"].is_in(bad["trip"].unique().implode())).to_numpy()
    return grow


def _kept(table: pl.DataFrame, keep: Bools) -> pl.DataFrame:
    return table.with_columns(pl.when(pl.Series(keep)).then(pl.col(DISTANCE)).alias(DISTANCE))


def _tell(findings: Findings, name: str, distance: pl.Series, keep: Bools) -> None:
    findings.add(
        "export_distance_left_out",
        name,
        "distances that do not grow, or reach beyond their shape: emptied",
        int((distance.is_not_null() & ~pl.Series(keep)).sum()),
    )
