"""Pathways of merged stations: a platform that one feed adds can be reached from the other's."""

from __future__ import annotations

import numpy as np
import polars as pl

from mobility.core.units import WALK_SPEED_M_S, distance_m
from mobility.merge.export.stops import BOARDING_AREA, STOP, ExportedStops

WALKWAY = 1
DETOUR = 1.3  # ways inside a station against the straight line; WalkTimes' default too


def link_platforms(tables: dict[str, pl.DataFrame], stops: ExportedStops) -> None:
    """Add a walkway from each platform outside a station's pathways to the nearest one inside.

    Pathways are exhaustive within a station, so a platform that another feed adds to it could not
    be reached.

    Source: GTFS Schedule reference, pathways.txt; feeds-and-merging 9.
    """
    pathways = tables.get("pathways")
    if pathways is None or not pathways.height:
        return
    ends = pl.concat([pathways["from_stop_id"], pathways["to_stop_id"]]).unique()
    platforms = _platforms(stops).with_columns(inside=pl.col("stop_id").is_in(ends.implode()))
    inside, outside = (platforms.filter(pl.col("inside") == value) for value in (True, False))
    pairs = outside.join(inside, on="parent_station", suffix="_to").drop_nulls(
        ["stop_lat", "stop_lon", "stop_lat_to", "stop_lon_to"]
    )
    names = ("stop_lat", "stop_lon", "stop_lat_to", "stop_lon_to")
    metres = distance_m(*(pairs[name].to_numpy() for name in names))
    nearest = (
        pairs.with_columns(metres=pl.Series(metres))
        .sort("metres", "stop_id_to", maintain_order=True)
        .unique("stop_id", keep="first", maintain_order=True)
        .sort("stop_id")
    )
    length = pl.col("metres") * DETOUR
    links = nearest.select(
        pathway_id=pl.format("walk/{}", "stop_id"),
        from_stop_id="stop_id",
        to_stop_id="stop_id_to",
        pathway_mode=pl.lit(WALKWAY, pl.Int32),
        is_bidirectional=pl.lit(1, pl.Int32),
        length=length.round(1),
        traversal_time=(length / WALK_SPEED_M_S).ceil().clip(lower_bound=1).cast(pl.Int32),
    )
    tables["pathways"] = pl.concat([pathways, links], how="diagonal_relaxed")


def _platforms(stops: ExportedStops) -> pl.DataFrame:
    """Return platforms that passengers reach themselves: those without boarding areas."""
    table = stops.table.select("stop_id", "stop_lat", "stop_lon", "parent_station")
    areas = table.filter(pl.Series(stops.kind == BOARDING_AREA))["parent_station"]
    chosen = pl.Series(np.equal(stops.kind, STOP)) & ~table["stop_id"].is_in(areas.implode())
    return table.filter(chosen & table["parent_station"].is_not_null())
