"""Service on demand in the export: trips with windows instead of times, and their areas.

They have no train in the region; their feed's rows leave as they are, under the export's ids. A
window is told in its feed's zone, so it leaves only where the export's clock shows the same.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from mobility.merge.calendar import zone_origins
from mobility.merge.export.scope import Findings, Scope
from mobility.merge.export.stops import STATION, ExportedStops
from mobility.merge.export.trips import scoped_ids
from mobility.merge.locations import collection
from mobility.merge.region import Region

TRIPS, CALLS, AREAS = "flex_trips", "flex_stop_times", "locations"
_PLACES = ("stop_id", "location_group_id", "location_id")


def add_demand(
    region: Region,
    scope: Scope,
    zone: str,
    stops: ExportedStops,
    tables: dict[str, pl.DataFrame],
    findings: Findings,
) -> bytes | None:
    """Add trips on demand to ``trips`` and ``stop_times``; return ``locations.geojson``.

    Parameters
    ----------
    region, scope, stops
        What is exported, and how ids map.
    zone : str
        Of the export.
    tables : dict
        Of the export; ``stop_times`` refers by row.
    findings : Findings
    """
    areas = _areas(region)
    calls = region.tables.get(CALLS)
    if calls is None or not calls.height:
        return None if areas is None else collection(areas)
    trips = _trips(region, scope, zone)
    rows = _calls(scope, calls, stops, set() if areas is None else set(areas["location_id"]))
    rows = rows.filter(pl.col("trip_id").is_in(trips["trip_id"].implode()))
    rows = rows.filter(pl.col("placed").all().over("trip_id")).drop("placed")
    trips = trips.filter(pl.col("trip_id").is_in(rows["trip_id"].unique().implode()))
    findings.add(
        "export_on_demand_left_out",
        "trips",
        "service on demand of another zone, without days or place, or of a trip with times too",
        calls.select("feed", "trip_id").n_unique() - trips.height,
    )
    known = tables["trips"]
    first = known.height
    tables["trips"] = pl.concat([known, trips.drop("shape_id", strict=False)], how="diagonal")
    numbers = trips.select("trip_id", trip=pl.int_range(pl.len(), dtype=pl.Int32) + first)
    rows = rows.join(numbers, on="trip_id").sort("trip", "stop_sequence")
    tables["stop_times"] = pl.concat(
        [tables["stop_times"], rows.drop("trip_id", "stop_id")], how="diagonal_relaxed"
    )
    return None if areas is None else collection(areas)


def _areas(region: Region) -> pl.DataFrame | None:
    if AREAS not in region.tables:
        return None
    ids = scoped_ids(region, AREAS, "location_id")
    return region.tables[AREAS].with_columns(location_id=ids)


def _trips(region: Region, scope: Scope, zone: str) -> pl.DataFrame:
    """Return trips on demand that run on any day, of feeds whose clocks show the export's time."""
    target = zone_origins(zone, region.first_date, region.n_days)
    same = [
        index
        for index, feed in enumerate(region.feeds)
        if np.array_equal(zone_origins(feed.zone, region.first_date, region.n_days), target)
    ]
    table = region.tables[TRIPS]
    services = region.tables["services"]
    runs = pl.Series(region.days.any(axis=1)).gather(services["days"].cast(pl.UInt32))
    running = services.filter(runs).select("feed", "service_id")
    kept = table.filter(pl.col("feed").is_in(same)).join(
        running, on=["feed", "service_id"], how="semi", maintain_order="left"
    )
    return scope.apply("trips", kept).drop("feed")


def _calls(
    scope: Scope, calls: pl.DataFrame, stops: ExportedStops, areas: set[str]
) -> pl.DataFrame:
    """Return the rows under the export's ids with ``stop``, and whether each has its place."""
    rows = scope.apply("stop_times", calls).drop("feed")
    rows = rows.with_columns(
        pl.lit(None, pl.String).alias(name) for name in _PLACES if name not in rows.columns
    )
    standing = stops.table.select("stop_id", stop=pl.int_range(pl.len(), dtype=pl.Int32)).filter(
        pl.Series(stops.kind != STATION)
    )
    rows = rows.join(standing, on="stop_id", how="left", maintain_order="left")
    named = pl.any_horizontal(pl.col(name).is_not_null() for name in _PLACES)
    stopped = pl.col("stop_id").is_null() | pl.col("stop").is_not_null()
    drawn = pl.col("location_id").is_null() | pl.col("location_id").is_in(list(areas))
    return rows.with_columns(placed=named & stopped & drawn)
