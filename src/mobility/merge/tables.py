"""Tables of several feeds laid end to end: row number = index, ids raw, `feed` beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.errors import ManifestError
from mobility.feeds import Feed, FeedConfig
from mobility.merge.calendar import Days
from mobility.merge.further import (
    column_or_null,
    column_types,
    further_calls,
    further_columns,
)

# Tables that the merge rewrites, or whose content it turns into service rows and runs.
REWRITTEN = frozenset(
    {"agency", "stops", "routes", "trips", "stop_times", "calendar", "calendar_dates"}
)

_AGENCIES = ("agency_id", "agency_name", "agency_url", "agency_timezone")
_STOPS = ("stop_id", "stop_name", "stop_code", "platform_code", "zone_id")
_STOP_NUMBERS = ("stop_lat", "stop_lon", "location_type", "wheelchair_boarding")
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
    further : mapping of name to Series
        What else feeds say of their calls; only what any of them says (`further_calls`).
    """

    start: Int64s
    stop: Int32s
    arrival_s: Int32s
    departure_s: Int32s
    sequence: Int32s
    pickup_type: npt.NDArray[np.int8]
    drop_off_type: npt.NDArray[np.int8]
    further: Mapping[str, pl.Series] = field(default_factory=dict)

    @property
    def n_trips(self) -> int:
        """Number of trips."""
        return len(self.start) - 1


@dataclass(frozen=True, slots=True)
class Assembled:
    """The feeds' rows end to end, before anything is matched.

    Parameters
    ----------
    agencies, stops, routes, trips, services : DataFrame
        Region tables; `stops` lacks ``station``; the ``days`` of `services` are rows of the days
        of all feeds.
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
    services: pl.DataFrame
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


@dataclass(frozen=True, slots=True)
class _Further:
    """The further columns of the region's own tables, with their types."""

    types: Mapping[str, Mapping[str, pl.DataType]]

    @classmethod
    def of(cls, feeds: Sequence[Feed]) -> _Further:
        known = {
            "agency": _AGENCIES,
            "stops": (*_STOPS, *_STOP_NUMBERS),
            "routes": (*_ROUTES, "route_type"),
            "trips": (*_TRIPS, *_TRIP_FLAGS),
        }
        return cls(
            {
                name: column_types(name, feeds, further_columns(name, feeds, columns))
                for name, columns in known.items()
            }
        )

    def columns(self, name: str, table: pl.DataFrame) -> list[pl.Expr]:
        """Return the further columns of one feed's table."""
        return [column_or_null(table, self.types[name], column) for column in self.types[name]]


def _stops(feed: Feed, index: int, offset: int, further: _Further) -> pl.DataFrame:
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
        *further.columns("stops", table),
    )


def _routes(feed: Feed, index: int, agencies_before: int, further: _Further) -> pl.DataFrame:
    table = feed.tables["routes"]
    agency = _indices(table["agency_id"], feed.tables["agency"]["agency_id"])
    return table.select(
        _feed_column(index),
        *(text_column(table, name) for name in _ROUTES),
        int_column(table, "route_type", 3),
        pl.Series("agency", agency.fill_null(0) + agencies_before, dtype=pl.Int32),
        *further.columns("routes", table),
    )


def _trips(
    feed: Feed, index: int, routes_before: int, services: pl.DataFrame, further: _Further
) -> pl.DataFrame:
    table = feed.tables["trips"]
    route = _indices(table["route_id"], feed.tables["routes"]["route_id"])
    before = int((services["feed"] < index).sum())  # feeds lie end to end
    own = services.filter(pl.col("feed") == index)
    service = _indices(table["service_id"], own["service_id"]) + before
    return table.select(
        _feed_column(index),
        *(text_column(table, name) for name in _TRIPS),
        *(int_column(table, name) for name in _TRIP_FLAGS),
        pl.Series("route", route.fill_null(0) + routes_before, dtype=pl.Int32),
        pl.Series("service", service, dtype=pl.Int32),
        train_numbers(table, feed.config),
        *further.columns("trips", table),
    )


def _services(days: Days) -> pl.DataFrame:
    """Return all services of all feeds, by feed and id."""
    rows = [
        (feed, service, row)
        for feed, services in enumerate(days.feed_service)
        for service, row in sorted(services.items())
    ]
    schema = {"feed": pl.Int16, "service_id": pl.String, "days": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


_EVENT_COLUMNS = {
    "stop": "stop",
    "arrival_s": "arrival_time",
    "departure_s": "departure_time",
    "sequence": "stop_sequence",
    "pickup_type": "pickup_type",
    "drop_off_type": "drop_off_type",
}


def _events(
    feeds: Sequence[Feed], stop_offsets: Sequence[int], rules: pl.DataFrame | None
) -> Events:
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
    return Events(start=start, **joined, further=further_calls(feeds, rules))


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
    agencies, stops, routes, trips, stop_offsets = [], [], [], [], []
    n_agencies = n_stops = n_routes = 0
    further, services = _Further.of(feeds), _services(days)
    for index, feed in enumerate(feeds):
        table = feed.tables["agency"]
        columns = (*(text_column(table, c) for c in _AGENCIES), *further.columns("agency", table))
        agencies.append(table.select(_feed_column(index), *columns))
        stop_offsets.append(n_stops)
        stops.append(_stops(feed, index, n_stops, further))
        routes.append(_routes(feed, index, n_agencies, further))
        trips.append(_trips(feed, index, n_routes, services, further))
        n_agencies += agencies[-1].height
        n_stops += stops[-1].height
        n_routes += routes[-1].height
    all_trips, others = pl.concat(trips), _others(feeds)
    trip_service = services["days"].gather(all_trips["service"])
    return Assembled(
        agencies=pl.concat(agencies),
        stops=pl.concat(stops),
        routes=pl.concat(routes),
        trips=all_trips,
        services=services,
        events=_events(feeds, stop_offsets, others.get("booking_rules")),
        trip_feed=all_trips["feed"].to_numpy().astype(np.int32),
        trip_service=trip_service.fill_null(-1).to_numpy().astype(np.int32),
        others=others,
    )
