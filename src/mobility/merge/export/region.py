"""Export: the region as one GTFS feed.

Ids are ``feed:raw``; merged stations have ours. A train is one trip (several where its zone's
clocks change on other days than the export's), however many feeds list it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from mobility.core.notices import Notice
from mobility.feeds import Progress
from mobility.feeds.sharing import Audience
from mobility.merge.export.calendar import export_calendar
from mobility.merge.export.demand import add_demand
from mobility.merge.export.distances import settle_distances
from mobility.merge.export.fares import scope_fares
from mobility.merge.export.pathways import link_platforms
from mobility.merge.export.runs import Runs, make_runs
from mobility.merge.export.scope import Findings, Scope, drop_dangling
from mobility.merge.export.shapes import export_shapes
from mobility.merge.export.sharing import shared_region
from mobility.merge.export.stops import export_stops
from mobility.merge.export.texts import (
    export_agency,
    export_attributions,
    export_feed_info,
    export_networks,
    export_routes,
    export_translations,
)
from mobility.merge.export.transfers import Transfers
from mobility.merge.export.trips import export_stop_times, export_trips, find_memberships
from mobility.merge.export.zip import write_gtfs
from mobility.merge.region import Region
from mobility.schema import TABLES

# Tables that are made here; runs of frequencies.txt are trips already.
_MADE = frozenset(
    {
        *("agency", "stops", "routes", "trips", "stop_times", "calendar", "calendar_dates"),
        *("transfers", "shapes", "translations", "attributions", "feed_info", "frequencies"),
    }
)


@dataclass(frozen=True, slots=True)
class Export:
    """The tables of the export, in the form of `Feed.tables`.

    Parameters
    ----------
    tables : mapping of table name to DataFrame
        ``stop_times`` has ``trip`` and ``stop``, rows of `tables`.
    zone : str
        The one time zone.
    notices : tuple of Notice
        What one feed cannot say of the region.
    locations : bytes or None
        ``locations.geojson``.
    """

    tables: Mapping[str, pl.DataFrame]
    zone: str
    notices: tuple[Notice, ...]
    locations: bytes | None = None


def export_region(
    region: Region,
    path: Path,
    *,
    audience: Audience = "public",
    withhold: bool = False,
    versions: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Export:
    """Write the region as one GTFS zip; until all is written nothing changes.

    Parameters
    ----------
    region : Region
    path : Path
        The zip; replaced where it stands.
    audience : str
        For whom: ``public`` or ``partners``.
    withhold : bool
        Leave out the optional tables that the audience may not have, instead of refusing.
    versions : mapping of name to hash
        Told in ``feed_info`` beside the versions of the feeds.
    progress : callable
        Called with a stage, rows done, rows in all.

    Raises
    ------
    InputError
        No train runs on any day, or the path is a folder.
    CheckFailed
        Tier or licence of a feed forbids it.
    EnvironmentFault
        The file cannot be written.
    """
    region, told = shared_region(region, audience, withhold=withhold)
    export = make_export(region, versions=versions)
    export = replace(export, notices=(*told, *export.notices))
    write_gtfs(path, export.tables, progress, locations=export.locations)
    return export


def make_export(region: Region, *, versions: Mapping[str, str] | None = None) -> Export:
    """Return the tables of the export; see `export_region`."""
    findings = Findings()
    runs = make_runs(region)
    stops = export_stops(region, runs.zone)
    scope = Scope.of(region, stops)
    members = find_memberships(region, runs)
    shape_of_run, shapes = export_shapes(region, runs)
    trips = export_trips(region, runs, shape_of_run)
    tables = {
        "agency": export_agency(region, runs.zone),
        "stops": stops.table,
        "routes": export_routes(region),
        "trips": trips,
    }
    for name, table in sorted(region.tables.items()):
        if name in TABLES and name not in _MADE and table.height:
            tables[name] = scope.apply(name, table)
    tables["stop_times"] = export_stop_times(region, runs, stops)
    demand = add_demand(region, scope, runs.zone, stops, tables, findings)
    tables["calendar"], tables["calendar_dates"] = export_calendar(region, runs, tables)
    scope_fares(tables, len(region.feeds))
    export_networks(tables)
    link_platforms(tables, stops)
    transfers = Transfers(region, runs, stops, scope, trips, members, findings).table()
    texts = export_translations(region, scope, trips, members, tables, findings)
    optional = {"transfers": transfers, "translations": texts, "shapes": shapes}
    tables |= {name: table for name, table in optional.items() if table is not None}
    tables["attributions"] = export_attributions(region, scope, trips, members)
    tables["feed_info"] = export_feed_info(region, _service_dates(runs), versions or {})
    settle_distances(tables, findings)
    tables = drop_dangling(tables, findings)
    return Export(tables, runs.zone, findings.notices(), demand)


def _service_dates(runs: Runs) -> tuple[dt.date, dt.date]:
    """Return the first and last day on which anything runs."""
    days = np.flatnonzero(runs.days.any(axis=0))
    first, last = (runs.first_date + dt.timedelta(days=int(day)) for day in (days[0], days[-1]))
    return first, last
