"""Further columns: what feeds say beyond the columns that every region has.

A column of the schema is kept where any feed fills it, so a region of feeds that say little stays
small. What is said in another form is told here, once: the one list of what a region leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from mobility.feeds import Feed
from mobility.schema import TABLES

# Columns of the schema that the region has under another name, or says in another form.
REPRESENTED: Mapping[str, Mapping[str, str]] = {
    "stops": {
        "parent_station": "parent (row)",
        "stop_timezone": "tz (its own, its parent's, its station's or its feed's zone)",
    },
    "routes": {"agency_id": "agency (row)"},
    "trips": {"route_id": "route (row)", "service_id": "service (row of services)"},
    "stop_times": {
        "trip_id": "sections",
        "stop_id": "stop (row)",
        "arrival_time": "arrival_s",
        "departure_time": "departure_s",
        "stop_sequence": "sequence, and from_sequence, to_sequence of sections",
        "location_group_id": "flex_stop_times",
        "location_id": "flex_stop_times",
        "start_pickup_drop_off_window": "flex_stop_times",
        "end_pickup_drop_off_window": "flex_stop_times",
        "pickup_booking_rule_id": "pickup_booking_rule (row)",
        "drop_off_booking_rule_id": "drop_off_booking_rule (row)",
    },
    "calendar": {"*": "services, days"},
    "calendar_dates": {"*": "services, days"},
    "frequencies": {"*": "trips: one per run, with template_trip_id and headway_s"},
}
# What the reader adds to trips that frequencies.txt repeats.
RUN_COLUMNS = {"template_trip_id": pl.String(), "headway_s": pl.Int32()}

BOOKING = ("pickup_booking_rule", "drop_off_booking_rule")
DISTANCE = "shape_dist_traveled"
TIMEPOINT = "timepoint"
EXACT = 1  # the meaning of an empty timepoint
_SPOKEN = ("stop_headsign", "continuous_pickup", "continuous_drop_off", DISTANCE)


def further_columns(name: str, feeds: Iterable[Feed], known: Sequence[str]) -> list[str]:
    """Return the columns of a table beyond those known that any feed fills."""
    tables = [feed.tables[name] for feed in feeds]
    schema = [column.name for column in TABLES[name].columns]
    own = list(RUN_COLUMNS) if name == "trips" else []
    return [
        column
        for column in (*schema, *own)
        if column not in known
        and column not in REPRESENTED.get(name, {})
        and any(column in t.columns and t[column].null_count() < t.height for t in tables)
    ]


def column_or_null(table: pl.DataFrame, like: Mapping[str, pl.DataType], name: str) -> pl.Expr:
    """Return a column in its type, null where the table does not have it."""
    if name in table.columns:
        return pl.col(name).cast(like[name])
    return pl.lit(None, like[name]).alias(name)


def column_types(
    name: str, feeds: Iterable[Feed], columns: Sequence[str]
) -> dict[str, pl.DataType]:
    """Return the type of each column: that of the first feed that has it."""
    found: dict[str, pl.DataType] = {}
    for feed in feeds:
        schema = feed.tables[name].schema
        found |= {c: schema[c] for c in columns if c in schema and c not in found}
    return found


def further_calls(feeds: Sequence[Feed], rules: pl.DataFrame | None) -> dict[str, pl.Series]:
    """Return what the feeds say of their calls beyond place, time and boarding.

    Each value has one entry per stop_time of all feeds, in order; there only where any feed says
    something. Booking rules are rows of ``rules``, the region's booking_rules.
    """
    out: dict[str, pl.Series] = {}
    tables = [feed.tables["stop_times"] for feed in feeds]
    for name in _SPOKEN:
        types = column_types("stop_times", feeds, [name])
        if types:
            parts = [table.select(column_or_null(table, types, name)) for table in tables]
            out[name] = pl.concat(parts).to_series()
    exact = [
        table.select(pl.col(TIMEPOINT).fill_null(EXACT).cast(pl.Int8))
        if TIMEPOINT in table.columns
        else pl.DataFrame({TIMEPOINT: np.full(table.height, EXACT, np.int8)})
        for table in tables
    ]
    if any((part[TIMEPOINT] != EXACT).any() for part in exact):
        out[TIMEPOINT] = pl.concat(exact).to_series()
    if rules is not None:
        for name in BOOKING:
            rows = _booking_rows(tables, rules, f"{name}_id")
            if rows.null_count() < len(rows):
                out[name] = rows.alias(name)
    return {name: values for name, values in out.items() if values.null_count() < len(values)}


def _booking_rows(tables: Sequence[pl.DataFrame], rules: pl.DataFrame, column: str) -> pl.Series:
    known = rules.select(
        "feed", pl.col("booking_rule_id").alias(column), row=pl.int_range(pl.len(), dtype=pl.Int32)
    )
    parts = []
    for index, table in enumerate(tables):
        if column in table.columns:
            own = known.filter(pl.col("feed") == index).unique(column, maintain_order=True)
            found = table.select(column).join(own, on=column, how="left", maintain_order="left")
            parts.append(found["row"])
        else:
            parts.append(pl.Series("row", [None], pl.Int32).new_from_index(0, table.height))
    return pl.concat(parts)
