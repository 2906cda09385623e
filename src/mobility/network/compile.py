"""A region's tables become the flat arrays of a network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.network.calendar import epoch_of, pack_days, zone_index, zone_numbers, zone_origins
from mobility.network.divide import ban_fields
from mobility.network.footpaths import compile_footpaths
from mobility.network.kernels import group_trains
from mobility.network.pathways import read_pathways
from mobility.network.rules import obey_rules
from mobility.network.transfers import boarding_places
from mobility.network.values import (
    BORDER_POINT_BIT,
    DROP_OFF_SHIFT,
    PICKUP_MASK,
    UNKNOWN,
    Bools,
    Int32s,
    Network,
    StringArray,
    UInt8s,
    call_flags,
    read_only,
)

if TYPE_CHECKING:
    from mobility.merge.region import FeedInfo, Region

Arrays = dict[str, Any]


def compile_network(region: Region, *, walk_radius_m: int = 400, max_walk_s: int = 1200) -> Network:
    """Return the region as flat arrays; row numbers stay those of its tables.

    Parameters
    ----------
    region : Region
        As `merge_feeds` makes it.
    walk_radius_m, max_walk_s : int
        See `compile_footpaths`.

    Raises
    ------
    InputError
        The region spans too many days or names a zone that does not exist.
    """
    return network_from_tables(
        region.tables,
        feeds=region.feeds,
        first_date=region.first_date,
        days=region.days,
        coverage=region.coverage,
        walk_radius_m=walk_radius_m,
        max_walk_s=max_walk_s,
    )


def network_from_tables(
    tables: Mapping[str, pl.DataFrame],
    *,
    feeds: Sequence[FeedInfo],
    first_date: dt.date,
    days: Bools,
    coverage: Bools,
    walk_radius_m: int = 400,
    max_walk_s: int = 1200,
) -> Network:
    """Return the network of a region's tables; see `compile_network`."""
    n_days = int(days.shape[1])
    zone_columns = (("stops", "tz"), ("stations", "tz"), ("trains", "zone"))
    used = (tables[name][column].drop_nulls().unique() for name, column in zone_columns)
    zones = zone_index((feed.zone for feed in feeds), *used)
    origins = zone_origins(list(zones), first_date, n_days)
    pathways = read_pathways(tables["stops"], tables.get("pathways"))
    footpaths = compile_footpaths(
        tables["stops"],
        tables.get("transfers"),
        pathways,
        walk_radius_m=walk_radius_m,
        max_walk_s=max_walk_s,
    )
    events = _event_arrays(tables["stop_times"])
    stops = _stop_arrays(tables, zones, feeds)
    obeyed = obey_rules(
        events
        | _train_arrays(tables, zones, events)
        | _section_arrays(tables["sections"], tables["trains"].height),
        tables,
        footpaths,
        feeds=feeds,
        first_date=first_date,
        days=days,
        zones=list(zones),
        origins=origins,
        stop_zone=stops["stop_tz"],
        max_walk_s=max_walk_s,
    )
    arrays, points = obeyed.arrays, obeyed.points
    return Network(
        first_date=first_date,
        n_days=n_days,
        epoch_s=epoch_of(origins),
        least_s=int(events["event_departure_s"].min(initial=0)),
        greatest_s=int(events["event_arrival_s"].max(initial=0)),
        walk_radius_m=walk_radius_m,
        max_walk_s=max_walk_s,
        n_services=len(days),
        n_crowded_stops=points.n_crowded,
        n_cut_trains=obeyed.n_cut,
        hash="",
        feed_id=StringArray.of(feed.id for feed in feeds),
        feed_country=StringArray.of(feed.country or "" for feed in feeds),
        feed_zone=StringArray.of(feed.zone for feed in feeds),
        coverage=read_only(coverage.astype(np.bool_)),
        zone_name=StringArray.of(zones),
        zone_origin_s=origins,
        service_bits=pack_days(obeyed.days),
        **_line_arrays(tables),
        **stops,
        **arrays,
        in_seat_from=read_only(obeyed.in_seat[0]),
        in_seat_to=read_only(obeyed.in_seat[1]),
        train_pattern=_train_patterns(arrays, points.event_point),
        event_point=points.event_point,
        stop_of=points.stop_of,
        walk_start=points.footpaths.walk_start,
        walk_to=points.footpaths.walk_to,
        walk_s=points.footpaths.walk_s,
        walk_m=points.footpaths.walk_m,
        walk_stated=points.footpaths.walk_stated,
        change_s=points.footpaths.change_s,
        **pathways.fields(),
        **ban_fields(tables),
        **obeyed.checks.fields(),
    )


def _line_arrays(tables: Mapping[str, pl.DataFrame]) -> Arrays:
    agencies, routes, trips = (tables[name] for name in ("agencies", "routes", "trips"))
    return {
        "agency_id": _texts(agencies, "agency_id"),
        "agency_name": _texts(agencies, "agency_name"),
        "agency_feed": _numbers(agencies, "feed", np.int16),
        "route_id": _texts(routes, "route_id"),
        "route_short_name": _texts(routes, "route_short_name"),
        "route_long_name": _texts(routes, "route_long_name"),
        "route_color": _texts(routes, "route_color"),
        "route_feed": _numbers(routes, "feed", np.int16),
        "route_agency": _numbers(routes, "agency", np.int32),
        "route_type": _numbers(routes, "route_type", np.int16),
        "trip_id": _texts(trips, "trip_id"),
        "trip_headsign": _texts(trips, "trip_headsign"),
        "trip_number": _texts(trips, "number"),
        "trip_feed": _numbers(trips, "feed", np.int16),
        "trip_route": _numbers(trips, "route", np.int32),
        "trip_wheelchair": _known(trips, "wheelchair_accessible"),
        "trip_bikes": _known(trips, "bikes_allowed"),
        "trip_headway_s": _numbers(trips, "headway_s", np.int32, missing=0)
        if "headway_s" in trips.columns
        else read_only(np.zeros(trips.height, np.int32)),
    }


def _stop_arrays(
    tables: Mapping[str, pl.DataFrame], zones: dict[str, int], feeds: Sequence[FeedInfo]
) -> Arrays:
    stops, stations = tables["stops"], tables["stations"]
    feed_zone = pl.Series([feed.zone for feed in feeds], dtype=pl.String)
    stop_tz = stops.select(pl.coalesce("tz", pl.lit(feed_zone.gather(stops["feed"])))).to_series()
    station_of = _numbers(stops, "station", np.int32)
    start, members = _grouped(station_of, boarding_places(stops), stations.height)
    return {
        "stop_id": _texts(stops, "stop_id"),
        "stop_name": _texts(stops, "stop_name"),
        "stop_platform": _texts(stops, "platform_code"),
        "stop_zone_id": _texts(stops, "zone_id"),
        "stop_feed": _numbers(stops, "feed", np.int16),
        "stop_station": station_of,
        "stop_lat": _degrees(stops, "stop_lat"),
        "stop_lon": _degrees(stops, "stop_lon"),
        "stop_tz": zone_numbers(stop_tz, zones),
        "stop_border_point": _flags(stops, "border_point"),
        "stop_wheelchair": _wheelchair_boarding(stops),
        "station_id": _texts(stations, "station_id"),
        "station_name": _texts(stations, "name"),
        "station_lat": _degrees(stations, "lat"),
        "station_lon": _degrees(stations, "lon"),
        "station_tz": zone_numbers(stations["tz"], zones),
        "station_stop_start": start,
        "station_stops": members,
    }


def _event_arrays(stop_times: pl.DataFrame) -> Arrays:
    pickup, drop_off = (
        _numbers(stop_times, column, np.uint8, missing=0)
        for column in ("pickup_type", "drop_off_type")
    )
    border = _flags(stop_times, "border_point")
    flags = (pickup & PICKUP_MASK) | ((drop_off & PICKUP_MASK) << DROP_OFF_SHIFT)
    return {
        "event_stop": _numbers(stop_times, "stop", np.int32),
        "event_arrival_s": _numbers(stop_times, "arrival_s", np.int32),
        "event_departure_s": _numbers(stop_times, "departure_s", np.int32),
        "event_flags": read_only(np.where(border, flags | BORDER_POINT_BIT, flags)),
        "event_sequence": _numbers(stop_times, "sequence", np.int32),
    }


def _train_arrays(
    tables: Mapping[str, pl.DataFrame], zones: dict[str, int], events: Arrays
) -> Arrays:
    trains = tables["trains"]
    counts = _numbers(trains, "n_events", np.int64)
    starts = np.zeros(trains.height + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    first = _numbers(trains, "first_event", np.int64)
    assert np.array_equal(first, starts[:-1]), "trains and stop_times are not in the same order"
    assert starts[-1] == len(events["event_stop"]), "stop_times beyond the last train"
    assert counts.min(initial=2) >= 2, "a train with fewer than two stop_times"
    return {
        "train_trip": _numbers(trains, "trip", np.int32),
        "train_zone": zone_numbers(trains["zone"], zones),
        "train_service": _numbers(trains, "service", np.int32),
        "train_event_start": read_only(starts),
    }


def _train_patterns(arrays: Arrays, event_point: Int32s) -> Int32s:
    starts, points = arrays["train_event_start"], event_point
    calls = read_only(call_flags(arrays["event_flags"], starts))
    points = points if len(points) else arrays["event_stop"]
    return read_only(group_trains(starts, points, calls))


def _section_arrays(sections: pl.DataFrame, n_trains: int) -> Arrays:
    train = _numbers(sections, "train", np.int32)
    return {
        "section_start": read_only(
            np.searchsorted(train, np.arange(n_trains + 1)).astype(np.int32)
        ),
        "section_trip": _numbers(sections, "trip", np.int32),
        "section_day_shift": _numbers(sections, "day_shift", np.int16),
        "section_from_pos": _numbers(sections, "from_pos", np.int32),
        "section_to_pos": _numbers(sections, "to_pos", np.int32),
        "section_from_sequence": _numbers(sections, "from_sequence", np.int32),
        "section_to_sequence": _numbers(sections, "to_sequence", np.int32),
        "section_alias": _flags(sections, "alias"),
    }


def _grouped(group: Int32s, chosen: Bools, n_groups: int) -> tuple[Int32s, Int32s]:
    """Return a CSR of the chosen rows by their group; -1 is no group."""
    rows = np.flatnonzero(chosen & (group >= 0))
    rows = rows[np.argsort(group[rows], kind="stable")]
    start = np.searchsorted(group[rows], np.arange(n_groups + 1))
    return read_only(start.astype(np.int32)), read_only(rows.astype(np.int32))


def _texts(table: pl.DataFrame, column: str) -> StringArray:
    texts = table[column].cast(pl.String).fill_null("")
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(texts.str.len_bytes().to_numpy(), out=offsets[1:])
    joined = "" if texts.is_empty() else texts.str.join("").item()
    return StringArray(read_only(offsets), np.frombuffer(joined.encode(), np.uint8))


def _numbers(
    table: pl.DataFrame, column: str, kind: npt.DTypeLike, *, missing: int = -1
) -> npt.NDArray[Any]:
    return read_only(table[column].fill_null(missing).to_numpy().astype(kind))


def _known(table: pl.DataFrame, column: str) -> UInt8s:
    """Return the answers of a column to a question: `UNKNOWN` where there is none."""
    if column not in table.columns:
        return read_only(np.zeros(table.height, np.uint8))
    return read_only(_numbers(table, column, np.uint8, missing=UNKNOWN))


def _wheelchair_boarding(stops: pl.DataFrame) -> UInt8s:
    """Return what each stop says, else its parent: a platform its station, an area its platform.

    Source: GTFS Schedule reference, stops.txt, wheelchair_boarding.
    """
    said = _known(stops, "wheelchair_boarding").copy()
    parent = _numbers(stops, "parent", np.int32)
    for _ in range(2):  # boarding area, platform, station
        said = np.where((said == UNKNOWN) & (parent >= 0), said[parent], said)
    return read_only(said)


def _degrees(table: pl.DataFrame, column: str) -> npt.NDArray[np.float64]:
    return read_only(table[column].cast(pl.Float64).fill_null(np.nan).to_numpy())


def _flags(table: pl.DataFrame, column: str) -> Bools:
    return read_only(table[column].fill_null(False).to_numpy().astype(np.bool_))
