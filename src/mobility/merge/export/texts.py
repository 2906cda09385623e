"""Agencies, lines, translations, attributions and feed_info of the export."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

import polars as pl

from mobility.merge.export.scope import Findings, Scope, first_by_key
from mobility.merge.export.sharing import shown_feeds
from mobility.merge.export.trips import numbered_calls, run_ids, scoped_ids
from mobility.merge.region import FeedInfo, Region
from mobility.schema import TABLES
from mobility.schema.graph import TRANSLATED_TABLES

SEVERAL_LANGUAGES = "mul"  # feed_info.feed_lang where texts are in several (ISO 639-2)
HASH_SHOWN = 12
_URL = re.compile(r"https?://\S+")


def no_site(name: str) -> str:
    """Return an address that never leads anywhere, where GTFS wants one that nobody stated.

    Source: RFC 2606, the domain ``.invalid``.

    >>> no_site("north-rail")
    'https://north-rail.invalid'
    """
    return f"https://{name}.invalid"


def _feed_sites(region: Region) -> dict[int, str]:
    """Return the publisher's address of each feed that states one."""
    table = region.tables.get("feed_info")
    if table is None or "feed_publisher_url" not in table.columns:
        return {}
    pairs = table.select("feed", "feed_publisher_url").drop_nulls().iter_rows()
    return dict(reversed(list(pairs)))


def export_agency(region: Region, zone: str) -> pl.DataFrame:
    """Return ``agency``: all agencies, in the one zone that GTFS allows."""
    table = region.tables["agencies"]
    sites = _feed_sites(region)
    fallback = [sites.get(at, no_site(feed.id)) for at, feed in enumerate(region.feeds)]
    feed = table["feed"].cast(pl.UInt32)
    names = pl.Series([feed.name for feed in region.feeds], dtype=pl.String).gather(feed)
    return table.with_columns(
        agency_id=scoped_ids(region, "agencies", "agency_id"),
        agency_name=table["agency_name"].fill_null(names),
        agency_url=table["agency_url"].fill_null(pl.Series(fallback).gather(feed)),
        agency_timezone=pl.lit(zone),
    )


def export_routes(region: Region) -> pl.DataFrame:
    """Return ``routes``; a line without any name goes by its id."""
    table = region.tables["routes"]
    agencies = scoped_ids(region, "agencies", "agency_id")
    nameless = pl.col("route_short_name").is_null() & pl.col("route_long_name").is_null()
    columns = table.with_columns(
        agency_id=agencies.gather(table["agency"].cast(pl.UInt32)),
        route_short_name=pl.when(nameless).then("route_id").otherwise("route_short_name"),
        network_id=scoped_ids(region, "routes", "network_id"),
    )
    return columns.with_columns(route_id=scoped_ids(region, "routes", "route_id"))


def export_networks(tables: dict[str, pl.DataFrame]) -> None:
    """Move ``routes.network_id`` to its own files where a feed has these.

    Source: GTFS Schedule reference, routes.network_id: forbidden beside route_networks.txt.
    """
    networks, pairs = (tables.get(name) for name in ("networks", "route_networks"))
    if (networks is None or not networks.height) and (pairs is None or not pairs.height):
        return
    routes = tables["routes"]
    own = routes.filter(pl.col("network_id").is_not_null()).select("network_id", "route_id")
    told = [table for table in (pairs, own) if table is not None]
    named = [
        table
        for table in (networks, own.select("network_id", network_name=pl.lit(None, pl.String)))
        if table is not None
    ]
    tables["route_networks"] = pl.concat(told, how="diagonal").unique(
        "route_id", keep="first", maintain_order=True
    )
    tables["networks"] = pl.concat(named, how="diagonal").unique(
        "network_id", keep="first", maintain_order=True
    )
    tables["routes"] = routes.drop("network_id")


def export_translations(
    region: Region,
    scope: Scope,
    trips: pl.DataFrame,
    members: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame],
    findings: Findings,
) -> pl.DataFrame | None:
    """Return ``translations`` of what the export holds; of two of one text the preferred feed's."""
    raw = region.tables.get("translations")
    if raw is None or not raw.height:
        return None
    fields = [
        f"{name}.{column}"
        for name in TRANSLATED_TABLES
        if name in tables
        for column in tables[name].columns
    ]
    here = (raw["table_name"] + "." + raw["field_name"]).is_in(fields)
    findings.add(
        "export_row_dropped", "translations", "of a field that the region does not keep: dropped",
        int((~here).sum()),
    )  # fmt: skip
    rows = raw.filter(here)
    named = rows["record_id"].is_not_null()
    of_trip, of_call = ((rows["table_name"] == name) & named for name in ("trips", "stop_times"))
    runs = _by_run(region, rows.filter(of_trip), "record_id", trips, members)
    calls = _by_call(region, rows.filter(of_call), trips, members)
    rows = pl.concat([rows.filter(~of_trip & ~of_call), runs, calls])
    stop = (pl.col("table_name") == "stops") & pl.col("record_id").is_not_null()
    trip = pl.col("table_name").is_in(["trips", "stop_times"]) & pl.col("record_id").is_not_null()
    rows = rows.with_columns(
        record_id=pl.when(stop)
        .then(scope.find_stops(rows, "record_id"))
        .when(trip)
        .then("record_id")
        .otherwise(scope.prefixes(rows) + rows["record_id"]),
        _rank=scope.ranks(rows),
    )
    rows = rows.filter(pl.any_horizontal(pl.col("record_id", "field_value").is_not_null()))
    key = TABLES["translations"].key
    return first_by_key(rows, key, ["_rank"], findings, "translations").drop("_rank")


def _by_run(
    region: Region, rows: pl.DataFrame, column: str, trips: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """Return the rows once for each run that a trip is carried by, with the run's id."""
    known = region.tables["trips"].select(
        "feed", pl.col("trip_id").alias(column), trip=pl.int_range(pl.len(), dtype=pl.Int32)
    )
    carried = members.filter(~pl.col("alias")).unique(["trip", "run"], maintain_order=True)
    runs = known.join(carried, on="trip").select("feed", column, "run").sort("run")
    found = rows.join(runs, on=["feed", column], maintain_order="left_right")
    ids = trips["trip_id"].gather(found["run"].cast(pl.UInt32))
    return found.with_columns(ids.alias(column)).drop("run")


def _by_call(
    region: Region, rows: pl.DataFrame, trips: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """Return rows on calls once for each run that the call is part of, by the export's numbers.

    What a call says counts where its trip says how the train goes on.
    """
    if not rows.height:
        return rows
    known = region.tables["trips"].select(
        "feed", pl.col("trip_id").alias("record_id"), trip=pl.int_range(pl.len(), dtype=pl.Int32)
    )
    number = pl.col("record_sub_id").cast(pl.Int32, strict=False)
    told = rows.with_columns(sequence=number).join(known, on=["feed", "record_id"])
    told = told.join(members.filter(~pl.col("alias")), on="trip")
    calls = numbered_calls(region, told["train"].to_numpy())
    found = told.join(calls, on=["train", "sequence"]).filter(
        pl.col("position").is_between("from_pos", "to_pos")
        & ((pl.col("position") < pl.col("to_pos")) | pl.col("ends"))
    )
    found = found.sort("run", "position", maintain_order=True)
    ids = trips["trip_id"].gather(found["run"].cast(pl.UInt32))
    return found.with_columns(
        ids.alias("record_id"), record_sub_id=pl.col("number").cast(pl.String)
    ).select(rows.columns)


def export_attributions(
    region: Region, scope: Scope, trips: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """Return ``attributions``: a row per source feed, with its licence, and all that feeds state.

    Source: feeds-and-merging 10.
    """
    sites = _feed_sites(region)
    terms = {config.id: config.licence_url for config in region.manifest.feeds}
    producers = pl.DataFrame(
        [
            (
                feed.id,
                producer_name(feed),
                1,
                terms.get(feed.id) or _licence_url(feed) or sites.get(at),
            )
            for at, feed in enumerate(region.feeds)
        ],
        schema={
            "attribution_id": pl.String,
            "organization_name": pl.String,
            "is_producer": pl.Int32,
            "attribution_url": pl.String,
        },
        orient="row",
    )
    raw = region.tables.get("attributions")
    if raw is None or not raw.height:
        return producers
    of_trip = raw["trip_id"].is_not_null()
    named = _by_run(region, raw.filter(of_trip), "trip_id", trips, members)
    scoped = scope.apply("attributions", raw.filter(~of_trip))
    scoped_named = scope.apply("attributions", named).with_columns(named["trip_id"])
    kept = pl.concat([scoped, scoped_named]).drop("feed")
    ids = kept.filter(pl.col("attribution_id").is_not_null())["attribution_id"].to_list()
    fresh = iter(run_ids(ids))
    numbered = [None if old is None else next(fresh) for old in kept["attribution_id"].to_list()]
    kept = kept.with_columns(attribution_id=pl.Series(numbered, dtype=pl.String))
    return pl.concat([producers, kept], how="diagonal")


def producer_name(feed: FeedInfo) -> str:
    """Return who is to be named for a feed, how, and under which licence."""
    name = feed.name
    if feed.attribution and feed.attribution != name:
        name = f"{name}: {feed.attribution}"
    return f"{name} [{feed.licence}]" if feed.licence else name


def _licence_url(feed: FeedInfo) -> str | None:
    found = _URL.search(feed.licence or "")
    return found[0] if found else None


def export_feed_info(
    region: Region, dates: tuple[dt.date, dt.date], versions: Mapping[str, str]
) -> pl.DataFrame:
    """Return the one row of ``feed_info``: publisher, languages, days, all versions.

    The days are those of the feeds whose rows the export has.

    Parameters
    ----------
    region : Region
    dates : tuple of date
        First and last service date of the export.
    versions : mapping of name to hash
        Beside those of the feeds.
    """
    raw = region.tables.get("feed_info")
    languages = [] if raw is None else raw["feed_lang"].drop_nulls().unique().to_list()
    languages = languages or list(region.manifest.languages)
    sites = sorted(set(_feed_sites(region).values()))
    own = {feed.id: feed.version for feed in region.feeds}
    shown = shown_feeds(region)
    first = max(region.first_date, min((feed.valid_from for feed in shown), default=dates[0]))
    last = min(region.last_date, max((feed.valid_until for feed in shown), default=dates[1]))
    said = [f"{name} {version[:HASH_SHOWN]}" for name, version in {**versions, **own}.items()]
    return pl.DataFrame(
        {
            "feed_publisher_name": [region.manifest.name],
            "feed_publisher_url": [sites[0] if len(sites) == 1 else no_site(region.manifest.id)],
            "feed_lang": [languages[0] if len(languages) == 1 else SEVERAL_LANGUAGES],
            "feed_start_date": [min(first, dates[0])],
            "feed_end_date": [max(last, dates[1])],
            "feed_version": ["; ".join(said)],
        }
    )
