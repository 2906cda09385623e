"""transfers.txt as rules between pairs of stops: what a feed states, allows or forbids.

Rows for single routes or trips and the in-seat types 4 and 5 say nothing about walking and are
not looked at here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from mobility.core.errors import InputError
from mobility.network.values import Bools, Int32s, Int64s

POSSIBLE_TYPES = (0, 1, 2)
MINIMUM_TYPE = 2
FORBIDDEN_TYPE = 3
NOT_STATED = -1
MAX_PAIRS = 50_000_000  # a row between two stations counts once for each pair of their stops
STATION_TYPE = 1
_SPECIAL = ("from_route_id", "to_route_id", "from_trip_id", "to_trip_id")


@dataclass(frozen=True, slots=True, eq=False)
class TransferRules:
    """One rule for each ordered pair of stops that a feed speaks of, in order of the pair.

    Parameters
    ----------
    from_stop, to_stop : int32
        Rows of stops; equal for a change at the same stop.
    minimum_s : int32
        Seconds of a type 2 row; `NOT_STATED` where the feed only says that it is possible.
    possible_only : bool
        Types 0 and 1: no minimum, at most vehicles that wait for each other.
    forbidden : bool
        Type 3.
    """

    from_stop: Int32s
    to_stop: Int32s
    minimum_s: Int32s
    possible_only: Bools
    forbidden: Bools

    def keys(self, n_stops: int) -> Int64s:
        """Return the pairs as ascending numbers ``from * n_stops + to``."""
        return self.from_stop.astype(np.int64) * n_stops + self.to_stop


def read_transfer_rules(stops: pl.DataFrame, transfers: pl.DataFrame | None) -> TransferRules:
    """Return the rules between stops; a row that names a station holds for all stops in it.

    Of several rows for one pair the one that names most stops rather than stations counts; among
    those, one that forbids, then the longest minimum.

    Raises
    ------
    InputError
        The rows stand for more than `MAX_PAIRS` pairs.

    Source: GTFS Schedule reference, "transfers.txt".
    """
    rows = _plain_rows(transfers)
    if rows is None:
        stop, no = np.empty(0, np.int32), np.empty(0, np.bool_)
        return TransferRules(stop, stop, stop, no, no)
    members = stop_members(stops)
    rows = _expanded(rows, members)
    # Within one rank type 3 forbids all else; a stated minimum beats a bare "possible".
    strictness = (
        pl.when(pl.col("type") == FORBIDDEN_TYPE).then(2**31)
        .otherwise(pl.col("minimum_s").cast(pl.Int64))
    )  # fmt: skip
    rows = (
        rows.with_columns(strictness=strictness)
        .sort("from", "to", "n_stations", -pl.col("strictness"), "type")
        .unique(["from", "to"], keep="first", maintain_order=True)
    )
    kinds = rows["type"].to_numpy()
    return TransferRules(
        rows["from"].to_numpy().astype(np.int32),
        rows["to"].to_numpy().astype(np.int32),
        rows["minimum_s"].to_numpy().astype(np.int32),
        kinds < MINIMUM_TYPE,
        kinds == FORBIDDEN_TYPE,
    )


def _plain_rows(transfers: pl.DataFrame | None) -> pl.DataFrame | None:
    """Rows between two places, with feed, from_stop_id, to_stop_id, type and minimum_s."""
    needed = {"feed", "from_stop_id", "to_stop_id"}
    if transfers is None or not needed <= set(transfers.columns) or not transfers.height:
        return None
    kind = pl.col("transfer_type") if "transfer_type" in transfers.columns else pl.lit(0)
    stated = (
        pl.col("min_transfer_time") if "min_transfer_time" in transfers.columns else pl.lit(None)
    )
    special = [pl.col(c).cast(pl.String) for c in _SPECIAL if c in transfers.columns]
    plain = pl.all_horizontal(
        pl.lit(True), *[column.is_null() | (column == "") for column in special]
    )
    rows = transfers.filter(plain).select(
        pl.col("feed").cast(pl.Int32),
        "from_stop_id",
        "to_stop_id",
        type=kind.cast(pl.Int32).fill_null(0),
        stated=stated.cast(pl.Int32),
    )
    rows = rows.filter(pl.col("type").is_in([*POSSIBLE_TYPES, FORBIDDEN_TYPE]))
    minimum = pl.when((pl.col("type") == MINIMUM_TYPE) & (pl.col("stated") >= 0))
    return rows.with_columns(
        minimum_s=minimum.then("stated").otherwise(NOT_STATED)
    ).drop("stated")  # fmt: skip


def stop_members(stops: pl.DataFrame) -> pl.DataFrame:
    """(feed, stop_id, stop, is_station): each place with the boarding places it stands for."""
    parent = stops["parent"].fill_null(-1).to_numpy()
    root = np.where(parent >= 0, parent, np.arange(len(parent)))
    for _ in range(3):  # boarding area, platform, station: no deeper tree exists
        root = np.where(parent[root] >= 0, parent[root], root)
    kind = stops["location_type"].fill_null(0).to_numpy()
    rows = np.arange(len(parent), dtype=np.int32)
    boarding = boarding_places(stops)
    alone = pl.DataFrame(
        {
            "place": rows[boarding],
            "stop": rows[boarding],
            "is_station": np.zeros(boarding.sum(), bool),
        }
    )
    inside = boarding & (kind[root] == STATION_TYPE)
    whole = pl.DataFrame(
        {
            "place": root[inside].astype(np.int32),
            "stop": rows[inside],
            "is_station": np.ones(inside.sum(), bool),
        }
    )
    ids = stops.select(pl.col("feed").cast(pl.Int32), "stop_id", place=pl.Series(rows))
    return pl.concat([alone, whole]).join(ids, on="place", how="inner").drop("place")


def boarding_places(stops: pl.DataFrame) -> Bools:
    """Return which rows of stops are stops, platforms or boarding areas (types 0 and 4)."""
    return stops["location_type"].fill_null(0).is_in([0, 4]).to_numpy()


def _expanded(rows: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Return the rows once for every pair of boarding places they stand for."""
    counts = members.group_by("feed", "stop_id").len("n")
    n_pairs = (
        rows.join(counts, left_on=["feed", "from_stop_id"], right_on=["feed", "stop_id"])
        .join(counts, left_on=["feed", "to_stop_id"], right_on=["feed", "stop_id"], suffix="_to")
        .select((pl.col("n").cast(pl.Int64) * pl.col("n_to")).sum())
        .item()
    )
    if n_pairs > MAX_PAIRS:
        raise InputError(
            f"transfers.txt: rows between stations stand for {n_pairs} pairs of stops:"
            f" expected at most {MAX_PAIRS}"
        )
    ends = [
        members.rename({"stop_id": f"{end}_stop_id", "stop": end, "is_station": f"{end}_station"})
        for end in ("from", "to")
    ]
    rows = rows.join(ends[0], on=["feed", "from_stop_id"]).join(ends[1], on=["feed", "to_stop_id"])
    n_stations = pl.col("from_station").cast(pl.Int8) + pl.col("to_station").cast(pl.Int8)
    return rows.select("from", "to", "type", "minimum_s", n_stations=n_stations)
