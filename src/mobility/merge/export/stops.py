"""Stops of all feeds under the region's stations: parent chains of one legal shape.

A station of the region becomes a stop of type 1 under our id; the feeds' own stations fold into
it, and their stops, entrances and nodes become its children. A lone stop stays alone, unless its
name is another lone stop's too: a reader might take the two for one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.names import find_exonym_files, normal_form, read_exonyms
from mobility.merge.region import Region

STOP, STATION, ENTRANCE, NODE, BOARDING_AREA = range(5)

Bools = npt.NDArray[np.bool_]
Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class ExportedStops:
    """``stops`` of the export, and where each stop of the region stands in it.

    Parameters
    ----------
    table : DataFrame
        Columns of stops.txt, typed; stations first.
    row : int32[n_stops]
        Row of each stop of the region; of a folded station: the merged station's.
    kind : int32[n_rows]
        ``location_type`` of each row.
    folded : bool[n_stops]
        The stop is a feed's own station.
    shared : bool[n_stops]
        A folded station that other feeds' stops stand under too.
    """

    table: pl.DataFrame
    row: Int32s
    kind: Int32s
    folded: Bools
    shared: Bools


def export_stops(region: Region, zone: str) -> ExportedStops:
    """Return the stops of the export.

    Parameters
    ----------
    region : Region
    zone : str
        Zone of the export: where a stop's own is the same it is not stated.
    """
    stops = region.tables["stops"]
    kind, station = _kinds(region), _numbers(stops["station"])
    folded = kind == STATION
    with_row = stations_with_row(region, kind, station)
    station_row = np.where(with_row, np.cumsum(with_row) - 1, -1)
    n_rows = int(with_row.sum())
    own_row = n_rows + np.cumsum(~folded) - 1
    row = np.where(folded, station_row[station], own_row).astype(np.int32)
    upper = np.where(station >= 0, station_row[station], -1)
    parent = np.where(kind == BOARDING_AREA, row[_numbers(stops["parent"])], upper)
    head = _station_rows(region, with_row, station, folded)
    body = _stop_rows(region, kind, station).filter(pl.Series(~folded))
    table = pl.concat([head, body], how="diagonal")
    parents = np.concatenate([np.full(n_rows, -1), parent[~folded]])
    known = pl.Series(np.where(parents >= 0, parents, 0)).cast(pl.UInt32)
    has_parent = pl.Series(parents >= 0)
    ids, zones = table["stop_id"].gather(known), table["tz"].gather(known)
    inherited = pl.when(has_parent).then(zones).otherwise(pl.lit(zone))
    table = table.with_columns(
        parent_station=pl.when(has_parent).then(ids),
        stop_timezone=pl.when(pl.col("tz") != inherited).then(pl.col("tz")),
    ).drop("tz")
    if "stop_access" in table.columns:  # of platforms within a station alone
        platform = has_parent & (table["location_type"] == STOP)
        table = table.with_columns(stop_access=pl.when(platform).then("stop_access"))
    return ExportedStops(
        table=table,
        row=row,
        kind=table["location_type"].to_numpy().astype(np.int32),
        folded=folded,
        shared=folded & _is_shared(stops, kind, station),
    )


def _numbers(column: pl.Series) -> Int32s:
    return column.fill_null(-1).to_numpy().astype(np.int32)


def _kinds(region: Region) -> Int32s:
    """Return the location type that each stop has in the export.

    What a train calls at is a stop, whatever its feed calls it (stop_times.stop_id); a boarding
    area hangs from a stop, all else from a station.
    """
    stops = region.tables["stops"]
    kind = stops["location_type"].fill_null(0).to_numpy().astype(np.int32)
    called = np.zeros(stops.height, np.bool_)
    called[region.tables["stop_times"]["stop"].to_numpy()] = True
    parent = _numbers(stops["parent"])
    stray = (kind == BOARDING_AREA) & ((parent < 0) | (kind[parent] != STOP))
    return np.where(called | stray, STOP, kind)


def stations_with_row(region: Region, kind: Int32s, station: Int32s) -> Bools:
    """Return which stations become stops of their own: bool[n_stations]."""
    stops = region.tables["stops"]
    n_stations = region.tables["stations"].height

    def count(chosen: Bools) -> npt.NDArray[np.int64]:
        return np.bincount(station[chosen & (station >= 0)], minlength=n_stations)

    out: Bools = (count(np.isin(kind, (STOP, BOARDING_AREA))) > 1) | (
        count(np.isin(kind, (STATION, ENTRANCE, NODE))) > 0
    )
    lone = np.flatnonzero((station >= 0) & ~out[station])
    exonyms = read_exonyms(*find_exonym_files(None))
    names = stops["stop_name"].fill_null("").gather(lone)
    forms = {name: normal_form(name, exonyms) for name in names.unique().to_list()}
    alike = pl.DataFrame(
        {
            "station": station[lone],
            "feed": stops["feed"].gather(lone),
            "border": stops["border_point"].fill_null(False).gather(lone),
            "form": names.replace_strict(forms, return_dtype=pl.String),
        }
    ).filter(
        (pl.col("station").n_unique().over("form") > 1)
        & ((pl.col("feed").n_unique().over("form") > 1) | pl.col("border").any().over("form"))
    )
    out[alike["station"].to_numpy()] = True
    return out


def _is_shared(stops: pl.DataFrame, kind: Int32s, station: Int32s) -> Bools:
    """Return which stops are under a station together with stops that are not their own tree's."""
    parent = _numbers(stops["parent"])
    own = np.arange(len(parent))
    root = np.where(parent >= 0, parent, own)
    root = np.where(parent[root] >= 0, parent[root], root)
    trees = pl.DataFrame({"station": station, "root": root, "kind": kind})
    boarding = pl.col("root").filter(pl.col("kind").is_in([STOP, BOARDING_AREA]))
    count = trees.select(boarding.n_unique().over("station")).to_series().to_numpy()
    return np.asarray(count > 1)


def _station_rows(region: Region, with_row: Bools, station: Int32s, folded: Bools) -> pl.DataFrame:
    """Return the rows of merged stations; what only members say is the best member's word."""
    stops = region.tables["stops"]
    precedence = pl.Series([feed.precedence for feed in region.feeds], dtype=pl.Int64)
    said = [name for name in ("stop_code", "zone_id", *_further(stops)) if name in stops.columns]
    members = (
        _scoped(region)
        .with_columns(
            station=pl.Series(station),
            folded=pl.Series(folded),
            rank=precedence.gather(stops["feed"].cast(pl.UInt32)),
        )
        .filter(pl.col("station") >= 0)
        .sort("station", "rank", maintain_order=True)
    )
    positions = members.group_by("station", maintain_order=True).agg(
        pl.col("stop_lat", "stop_lon").mean().round(7)
    )
    words = (
        members.filter("folded")
        .group_by("station", maintain_order=True)
        .agg(pl.col(name).drop_nulls().first() for name in (*said, "wheelchair_boarding"))
    )
    rows = region.tables["stations"].with_row_index("station").cast({"station": pl.Int32})
    rows = rows.filter(pl.Series(with_row)).join(
        positions, on="station", how="left", maintain_order="left"
    )
    return rows.join(words, on="station", how="left", maintain_order="left").select(
        stop_id="station_id",
        stop_name=pl.coalesce("name", "station_id"),
        stop_lat=pl.coalesce("lat", "stop_lat"),
        stop_lon=pl.coalesce("lon", "stop_lon"),
        location_type=pl.lit(STATION, pl.Int32),
        tz="tz",
        **{name: pl.col(name) for name in (*said, "wheelchair_boarding")},
    )


def _further(stops: pl.DataFrame) -> list[str]:
    names = ("stop_desc", "stop_url", "tts_stop_name", "level_id")
    return [name for name in names if name in stops.columns]


def _scoped(region: Region) -> pl.DataFrame:
    """Return the region's stops with scoped ids."""
    stops = region.tables["stops"]
    feeds = pl.Series([feed.id for feed in region.feeds], dtype=pl.String)
    prefix = feeds.gather(stops["feed"].cast(pl.UInt32)) + ":"
    names = [name for name in ("stop_id", "zone_id", "level_id") if name in stops.columns]
    return stops.with_columns(prefix.alias("_prefix")).with_columns(
        (pl.col("_prefix") + pl.col(name)).alias(name) for name in names
    )


def _stop_rows(region: Region, kind: Int32s, station: Int32s) -> pl.DataFrame:
    """Return the rows of the feeds' stops, parents apart; what is missing is the station's."""
    stops = _scoped(region).drop("station", "parent", "border_point", "feed", "_prefix")
    stations = region.tables["stations"].select("name", "lat", "lon", "station_id")
    of = pl.DataFrame({"of": station}).select(pl.when(pl.col("of") >= 0).then("of"))["of"]
    theirs = stations.select(pl.all().gather(of.cast(pl.UInt32)))
    needs_name = pl.Series(np.isin(kind, (STOP, STATION, ENTRANCE)))
    return stops.with_columns(
        stop_name=pl.when(needs_name)
        .then(pl.coalesce("stop_name", theirs["name"], "stop_id"))
        .otherwise("stop_name"),
        stop_lat=pl.coalesce("stop_lat", theirs["lat"]),
        stop_lon=pl.coalesce("stop_lon", theirs["lon"]),
        location_type=pl.Series(kind),
    )
