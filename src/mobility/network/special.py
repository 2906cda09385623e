"""transfers.txt for single routes and trips: which rule holds between two trains.

Of the rows that fit an arriving and a departing train the most specific counts: two trips, a trip
and a route, a trip, two routes, a route. Rows between stops alone (`mobility.network.transfers`)
come last. Source: GTFS Schedule reference, "transfers.txt", specificity of a transfer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from mobility.network.transfers import FORBIDDEN_TYPE, MINIMUM_TYPE, NOT_STATED, POSSIBLE_TYPES

LAST_TRIP_RANK = 3  # ranks up to this name a trip
# Rank by the number of trips and of routes that a row names.
_RANKS = {(2, 0): 1, (1, 1): 2, (1, 0): 3, (0, 2): 4, (0, 1): 5}


@dataclass(frozen=True, slots=True, eq=False)
class SpecialRules:
    """Rows that name a route or a trip, and what they name on either side.

    Parameters
    ----------
    rules : DataFrame
        ``from_side, to_side`` (of the two tables below), ``rank``, ``type``, ``minimum_s``
        (`NOT_STATED` but for type 2 with a time).
    from_sides, to_sides : DataFrame
        ``side, feed, stop_id``, and ``trip`` or ``route`` (rows of the region; both null: any
        train there).
    """

    rules: pl.DataFrame
    from_sides: pl.DataFrame
    to_sides: pl.DataFrame


def read_special_rules(tables: Mapping[str, pl.DataFrame]) -> SpecialRules | None:
    """Return the rows of types 0 to 3 that name a route or a trip; None where there are none.

    A row that names a trip or route which the region lacks is about no train and is left out.
    """
    rows = _special_rows(tables.get("transfers"))
    if rows is None:
        return None
    rows = _resolved(rows, tables)
    if not rows.height:
        return None
    rows, from_sides = _sides(rows, "from")
    rows, to_sides = _sides(rows, "to")
    counts = rows.select(
        n_trips=pl.col("from_trip").is_not_null().cast(pl.Int8)
        + pl.col("to_trip").is_not_null().cast(pl.Int8),
        n_routes=pl.col("from_route").is_not_null().cast(pl.Int8)
        + pl.col("to_route").is_not_null().cast(pl.Int8),
    )
    ranks = [_RANKS[pair] for pair in counts.iter_rows()]
    rules = rows.select("from_side", "to_side", "type", "minimum_s").with_columns(
        rank=pl.Series(ranks, dtype=pl.Int8)
    )
    return SpecialRules(rules, from_sides, to_sides)


def _special_rows(transfers: pl.DataFrame | None) -> pl.DataFrame | None:
    """Rows with feed, both stops, what they name as texts, type and minimum_s."""
    if transfers is None or not {"feed", "from_stop_id", "to_stop_id"} <= set(transfers.columns):
        return None

    def text(name: str) -> pl.Expr:
        if name not in transfers.columns:
            return pl.lit(None, pl.String).alias(name)
        stated = pl.col(name).cast(pl.String)
        return pl.when(stated != "").then(stated).alias(name)

    def number(name: str, default: int) -> pl.Expr:
        if name not in transfers.columns:
            return pl.lit(default, pl.Int32)
        return pl.col(name).cast(pl.Int32).fill_null(default)

    names = [f"{end}_{what}_id" for end in ("from", "to") for what in ("trip", "route")]
    rows = transfers.select(
        pl.col("feed").cast(pl.Int32), "from_stop_id", "to_stop_id", *map(text, names),
        type=number("transfer_type", 0), stated=number("min_transfer_time", NOT_STATED),
    )  # fmt: skip
    rows = rows.filter(
        pl.col("type").is_in([*POSSIBLE_TYPES, FORBIDDEN_TYPE]),
        pl.any_horizontal(pl.col(name).is_not_null() for name in names),
    ).drop_nulls(["from_stop_id", "to_stop_id"])
    if not rows.height:
        return None
    minimum = pl.when((pl.col("type") == MINIMUM_TYPE) & (pl.col("stated") >= 0))
    return rows.with_columns(minimum_s=minimum.then("stated").otherwise(NOT_STATED)).drop("stated")


def _resolved(rows: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Replace the ids of trips and routes by their rows; a trip stated beside a route counts."""
    for what in ("trip", "route"):
        known = tables[f"{what}s"].select(
            pl.col("feed").cast(pl.Int32), pl.col(f"{what}_id").cast(pl.String)
        )
        known = known.with_row_index("row").unique(
            ["feed", f"{what}_id"], keep="first", maintain_order=True
        )
        for end in ("from", "to"):
            column = f"{end}_{what}"
            match = known.select(
                "feed",
                pl.col(f"{what}_id").alias(f"{column}_id"),
                pl.col("row").cast(pl.Int32).alias(column),
            )
            rows = rows.join(match, on=["feed", f"{column}_id"], how="left", maintain_order="left")
            rows = rows.filter(pl.col(f"{column}_id").is_null() | pl.col(column).is_not_null())
    only_trip = [
        pl.when(pl.col(f"{end}_trip").is_null())
        .then(pl.col(f"{end}_route"))
        .alias(f"{end}_route")
        for end in ("from", "to")
    ]  # fmt: skip
    return rows.with_columns(only_trip)


def _sides(rows: pl.DataFrame, end: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows with the number of what they name on one side, and what that is."""
    columns = {"feed": "feed", "stop_id": f"{end}_stop_id", "trip": f"{end}_trip"}
    columns["route"] = f"{end}_route"
    sides = rows.select(**{name: pl.col(column) for name, column in columns.items()})
    sides = sides.unique(maintain_order=True).with_row_index("side")
    sides = sides.with_columns(pl.col("side").cast(pl.Int32))
    numbered = rows.join(
        sides.rename({name: column for name, column in columns.items() if name != "feed"}),
        on=list(columns.values()), how="left", nulls_equal=True, maintain_order="left",
    )  # fmt: skip
    return numbered.rename({"side": f"{end}_side"}), sides
