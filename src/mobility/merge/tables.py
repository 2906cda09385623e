"""Tables of several feeds laid end to end: row number = index, ids raw, `feed` beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.errors import ManifestError
from mobility.feeds import Feed, FeedConfig
from mobility.merge.calendar import Days

# Tables that the merge rewrites, or whose content it turns into service rows and runs.
REWRITTEN = frozenset(
    {"agency", "stops", "routes", "trips", "stop_times", "calendar", "calendar_dates"}
)

_AGENCIES = ("agency_id", "agency_name", "agency_url", "agency_timezone")
_STOPS = ("stop_id", "stop_name", "stop_code", "platform_code", "zone_id")
_ROUTES = (
    *("route_id", "route_short_name", "route_long_name", "route_color"),
    *("route_text_color", "network_id"),
)
_TRIPS = ("trip_id", "trip_headsign", "trip_short_name", "block_id", "shape_id")
_TRIP_FLAGS = ("direction_id", "wheelchair_accessible", "bikes_allowed")

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Events:
    """All stop times of a region by trip; trips and stops are region-wide indices.

    Parameters
    ----------
    start : int64[n_trips + 1]
        First event of each trip.
    stop, arrival_s, departure_s, sequence : int32[n_events]
        Times from the origin of the trip's own service date.
    pickup_type, drop_off_type : int8[n_events]
    """

    start: Int64s
    stop: Int32s
    arrival_s: Int32s
    departure_s: Int32s
    sequence: Int32s
    pickup_type: npt.NDArray[np.int8]
    drop_off_type: npt.NDArray[np.int8]

    @property
    def n_trips(self) -> int:
        """Number of trips."""
        return len(self.start) - 1


@dataclass(frozen=True, slots=True)
class Assembled:
    """The feeds' rows end to end, before anything is matched.

    Parameters
    ----------
    agencies, stops, routes, trips : DataFrame
        Region tables; `stops` lacks ``station``.
    events : Events
    trip_feed, trip_service : int32[n_trips]
        Index of the feed; row of the region's service days.
    others : mapping
        Every other table, with ``feed``.
    """

    agencies: pl.DataFrame
    stops: pl.DataFrame
    routes: pl.DataFrame
    trips: pl.DataFrame
    events: Events
    trip_feed: Int32s
    trip_service: Int32s
    others: Mapping[str, pl.DataFrame]


def text_column(table: pl.DataFrame, name: str) -> pl.Expr:
    """Return the column as text, null where the table does not have it."""
    if name in table.columns:
        return pl.col(name).cast(pl.String)
    return pl.lit(None, pl.String).alias(name)


def int_column(table: pl.DataFrame, name: str, default: int | None = None) -> pl.Expr:
    """Return the column as int32, the default where it is empty or missing."""
    if name in table.columns:
        column = pl.col(name).cast(pl.Int32)
        return column if default is None else column.fill_null(default)
    return pl.lit(default, pl.Int32).alias(name)


def _indices(keys: pl.Series, table: pl.Series) -> pl.Series:
    """Return for each key its row in ``table`` (the first, where ids repeat), null where absent."""
    lookup = pl.DataFrame(
        {"key": table, "row": pl.int_range(len(table), dtype=pl.Int32, eager=True)}
    )
    lookup = lookup.unique("key", keep="first", maintain_order=True)
    left = pl.DataFrame({"key": keys.cast(pl.String)})
    joined: pl.DataFrame = left.join(lookup, on="key", how="left", maintain_order="left")
    return joined["row"]


def _feed_column(index: int) -> pl.Expr:
    return pl.lit(index, pl.Int16).alias("feed")


def train_numbers(trips: pl.DataFrame, config: FeedConfig) -> pl.Series:
    """Return the train numbers of a feed's trips by the manifest's rule, null where none.

    Raises
    ------
    ManifestError
        The rule names a column that trips.txt does not have.
    """
    rule = config.train_number
    if rule is None:
        return pl.Series("number", [None] * trips.height, dtype=pl.String)
    if rule.column not in trips.columns:
        raise ManifestError(
            f"feed {config.id}: train_number names the column {rule.column!r},"
            " which trips.txt does not have"
        )
    pattern = re.compile(rule.pattern)
    values = trips[rule.column].cast(pl.String)
    found = {}
    for value in values.unique().drop_nulls().to_list():
        match = pattern.search(value)
        found[value] = match[1] or None if match else None
    numbers = [found.get(value) for value in values.to_list()]
    return pl.Series("number", numbers, dtype=pl.String)


def _stops(feed: Feed, index: int, offset: int) -> pl.DataFrame:
    table = feed.tables["stops"]
    parent = (
        _indices(table["parent_station"], table["stop_id"])
        if "parent_station" in table.columns
        else pl.Series([None] * table.height, dtype=pl.Int32)
    )
    pattern = feed.config.border_point
    names = table["stop_name"].fill_null("") if "stop_name" in table.columns else None
    border = [False] * table.height
    if pattern is not None and names is not None:
        regex = re.compile(pattern)
        border = [regex.search(name) is not None for name in names.to_list()]
    return table.select(
        _feed_column(index),
        *(text_column(table, name) for name in _STOPS),
        *(pl.col(name).cast(pl.Float64) for name in ("stop_lat", "stop_lon")),
        text_column(table, "stop_timezone"),
        int_column(table, "location_type", 0),
        int_column(table, "wheelchair_boarding", 0),
        pl.Series("parent", parent + offset, dtype=pl.Int32),
        pl.Series("border_point", border, dtype=pl.Boolean),
    )


def _routes(feed: Feed, index: int, agencies_before: int) -> pl.DataFrame:
    table = feed.tables["routes"]
    agency = _indices(table["agency_id"], feed.tables["agency"]["agency_id"])
    return table.select(
        _feed_column(index),
        *(text_column(table, name) for name in _ROUTES),
        int_column(table, "route_type", 3),
        pl.Series("agency", agency.fill_null(0) + agencies_before, dtype=pl.Int32),
    )


def _trips(feed: Feed, index: int, routes_before: int) -> pl.DataFrame:
    table = feed.tables["trips"]
    route = _indices(table["route_id"], feed.tables["routes"]["route_id"])
    return table.select(
        _feed_column(index),
        *(text_column(table, name) for name in _TRIPS),
        *(int_column(table, name) for name in _TRIP_FLAGS),
        pl.Series("route", route.fill_null(0) + routes_before, dtype=pl.Int32),
        train_numbers(table, feed.config),
    )


def _trip_services(feed: Feed, services: Mapping[str, int]) -> Int32s:
    ids = feed.tables["trips"]["service_id"].cast(pl.String)
    rows = ids.replace_strict(dict(services), default=-1, return_dtype=pl.Int32)
    return rows.fill_null(-1).to_numpy().astype(np.int32)


_EVENT_COLUMNS = {
    "stop": "stop",
    "arrival_s": "arrival_time",
    "departure_s": "departure_time",
    "sequence": "stop_sequence",
    "pickup_type": "pickup_type",
    "drop_off_type": "drop_off_type",
}


def _events(feeds: Sequence[Feed], stop_offsets: Sequence[int]) -> Events:
    tables = [feed.tables["stop_times"] for feed in feeds]
    counts = [
        np.bincount(table["trip"].to_numpy(), minlength=feed.tables["trips"].height)
        for feed, table in zip(feeds, tables, strict=True)
    ]
    start = np.zeros(sum(len(count) for count in counts) + 1, np.int64)
    np.cumsum(np.concatenate(counts), out=start[1:])
    joined = {
        ours: np.concatenate([table[theirs].to_numpy() for table in tables])
        for ours, theirs in _EVENT_COLUMNS.items()
    }
    heights = [table.height for table in tables]
    joined["stop"] += np.repeat(np.array(stop_offsets, np.int32), heights)
    return Events(start=start, **joined)


def _others(feeds: Sequence[Feed]) -> dict[str, pl.DataFrame]:
    names = sorted({name for feed in feeds for name in feed.tables} - REWRITTEN)
    out = {}
    for name in names:
        parts = [
            feed.tables[name].drop("line", strict=False).with_columns(_feed_column(index))
            for index, feed in enumerate(feeds)
            if name in feed.tables and feed.tables[name].height
        ]
        if parts:
            table = pl.concat(parts, how="diagonal_relaxed")
            out[name] = table.select("feed", *(c for c in table.columns if c != "feed"))
    return out


def assemble(feeds: Sequence[Feed], days: Days) -> Assembled:
    """Return the rows of all feeds end to end; feeds in order of their ids."""
    agencies, stops, routes, trips, services, stop_offsets = [], [], [], [], [], []
    n_agencies = n_stops = n_routes = 0
    for index, feed in enumerate(feeds):
        table = feed.tables["agency"]
        agencies.append(
            table.select(_feed_column(index), *(text_column(table, name) for name in _AGENCIES))
        )
        stop_offsets.append(n_stops)
        stops.append(_stops(feed, index, n_stops))
        routes.append(_routes(feed, index, n_agencies))
        trips.append(_trips(feed, index, n_routes))
        services.append(_trip_services(feed, days.feed_service[index]))
        n_agencies += agencies[-1].height
        n_stops += stops[-1].height
        n_routes += routes[-1].height
    all_trips = pl.concat(trips)
    return Assembled(
        agencies=pl.concat(agencies),
        stops=pl.concat(stops),
        routes=pl.concat(routes),
        trips=all_trips,
        events=_events(feeds, stop_offsets),
        trip_feed=all_trips["feed"].to_numpy().astype(np.int32),
        trip_service=np.concatenate(services),
        others=_others(feeds),
    )
