"""Leaves out agencies whose own feed is preferred: their lines, trips and what is said of these."""

from __future__ import annotations

import numpy as np
import polars as pl

from mobility.feeds.load import Reading
from mobility.feeds.read import LINE
from mobility.feeds.statements import FeedConfig
from mobility.feeds.stop_times import FLEX, NAME
from mobility.schema import TABLES, references_of
from mobility.schema.graph import TRANSLATED_TABLES

CODE = "agency_left_out"
FLEX_TRIPS = "flex_trips"


def leave_out_agencies(reading: Reading, config: FeedConfig) -> None:
    """Drop the lines and trips of the agencies that the manifest leaves out, and all of theirs.

    An agency is named by its id or its exact name; its own row and its stops stay. A statement
    that names no agency of the feed is told.

    Source: feeds-and-merging 1 and 12, row 22: the operator's own feed before an aggregate's.
    """
    left_out = _named_agencies(reading, config)
    routes = reading.frames["routes"]
    bad = routes["agency_id"].is_in(sorted(left_out))
    if not bad.any():
        return
    gone = {"routes": routes.filter(bad)["route_id"], "trips": _trips_of(reading, routes, bad)}
    shapes = _shapes_of(reading, gone["trips"])
    _drop_calls(reading, gone["trips"])
    reading.drop("shapes", reading.frames["shapes"]["shape_id"].is_in(shapes.implode()), CODE,
                 field="shape_id")  # fmt: skip
    for name, key in (("trips", "trip_id"), ("routes", "route_id")):
        _drop_mentions(reading, name, gone[name])
        table = reading.frames[name]
        reading.drop(name, table[key].is_in(gone[name].implode()), CODE, field=key)


def _named_agencies(reading: Reading, config: FeedConfig) -> set[str]:
    agencies = reading.frames["agency"]
    found: set[str] = set()
    for one in config.drop_agencies:
        named = (agencies["agency_id"] == one.agency) | (agencies["agency_name"] == one.agency)
        ids = agencies.filter(named.fill_null(value=False))["agency_id"].to_list()
        if not ids:
            reading.findings.add(
                "agency_to_leave_out_not_found", "agency.txt", field="agency_id", value=one.agency
            )
        found |= set(ids)
    return found


def _trips_of(reading: Reading, routes: pl.DataFrame, bad: pl.Series) -> pl.Series:
    """Return the ids of the trips of some routes, those on demand included."""
    ids = routes.filter(bad)["route_id"].implode()
    parts = [reading.frames["trips"].select("trip_id", "route_id")]
    if reading.frames[FLEX_TRIPS].height:
        parts.append(reading.frames[FLEX_TRIPS].select("trip_id", "route_id"))
    return pl.concat(parts).filter(pl.col("route_id").is_in(ids))["trip_id"]


def _shapes_of(reading: Reading, trips: pl.Series) -> pl.Series:
    """Return the shapes that those trips use and no other."""
    table = reading.frames["trips"].select("trip_id", "shape_id").drop_nulls()
    going = pl.col("trip_id").is_in(trips.implode())
    own, others = (table.filter(chosen)["shape_id"].unique() for chosen in (going, ~going))
    return own.filter(~own.is_in(others.implode()))


def _drop_calls(reading: Reading, gone: pl.Series) -> None:
    """Drop the stop_times of some trips and renumber those of the others."""
    going = reading.frames["trips"]["trip_id"].is_in(gone.implode()).to_numpy()
    trip = reading.frames[NAME]["trip"].to_numpy()
    reading.drop(NAME, pl.Series(going[trip]), CODE, field="trip")
    number = (np.cumsum(~going) - 1).astype(np.int32)
    calls = reading.frames[NAME]
    reading.frames[NAME] = calls.with_columns(pl.Series("trip", number[calls["trip"].to_numpy()]))
    for name, counted in ((FLEX, NAME), (FLEX_TRIPS, "trips")):
        table = reading.frames[name]
        if table.height:
            bad = table["trip_id"].is_in(gone.implode())
            if bad.any():
                _tell_apart(reading, table.filter(bad), counted)
            reading.frames[name] = table.filter(~bad)


def _tell_apart(reading: Reading, dropped: pl.DataFrame, counted: str) -> None:
    """Tell rows that were kept apart from their file's table, and count them no more."""
    reading.findings.add(
        CODE, f"{counted}.txt", row=int(dropped[LINE][0]), field="trip_id",
        value=dropped["trip_id"][0], count=dropped.height,
    )  # fmt: skip
    reading.kept_apart[counted] = reading.kept_apart.get(counted, 0) - dropped.height


def _drop_mentions(reading: Reading, target: str, gone: pl.Series) -> None:
    """Drop the rows of other tables that refer to what goes."""
    for name, table in TABLES.items():
        if name in (target, NAME, "trips"):
            continue
        for reference in references_of(table):
            if target in {to for to, _ in reference.targets}:
                frame = reading.frames[name]
                key = TABLES[target].key[0]
                if (target, key) in reference.targets:
                    bad = frame[reference.column].is_in(gone.implode()).fill_null(value=False)
                    reading.drop(name, bad, CODE, field=reference.column)
    texts = reading.frames["translations"]
    tables = [name for name in TRANSLATED_TABLES if name in (target, NAME)]
    mine = texts["table_name"].is_in(tables if target == "trips" else [target])
    bad = mine & texts["record_id"].is_in(gone.implode()).fill_null(value=False)
    reading.drop("translations", bad, CODE, field="record_id")
