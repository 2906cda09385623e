"""Changes between pairs of points: how long they take, and which rule of transfers.txt counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from mobility.core.errors import InputError
from mobility.core.units import distance_m
from mobility.network.footpaths import DEFAULT_CHANGE_S, FORBIDDEN_CHANGE_S, walk_seconds
from mobility.network.transfers import FORBIDDEN_TYPE, MAX_PAIRS, MINIMUM_TYPE, NOT_STATED
from mobility.network.values import Bools, Int32s, Int64s

_PAIR = ("from", "to")


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Changes in ascending order of ``key = from * n_points + to``: seconds and metres.

    ``stated`` are those whose seconds transfers.txt says. A change that is forbidden takes
    `FORBIDDEN_CHANGE_S`.
    """

    key: Int64s
    s: Int32s
    m: Int32s
    stated: Bools

    def sorted(self) -> Pairs:
        """Return them in order of the key."""
        order = np.argsort(self.key, kind="stable")
        seconds = self.s[order].astype(np.int32)
        return Pairs(self.key[order], seconds, self.m[order], self.stated[order])

    def over(self, usual: Pairs) -> Pairs:
        """Return these and, where they say nothing, the usual ones."""
        rows = usual.find(self.key)
        silent = np.ones(len(usual.key), np.bool_)
        silent[rows] = False
        return Pairs(
            np.concatenate([self.key, usual.key[silent]]),
            np.concatenate([self.s, usual.s[silent]]),
            np.concatenate([self.m, usual.m[silent]]),
            np.concatenate([self.stated, usual.stated[silent]]),
        ).sorted()

    def find(self, keys: Int64s) -> Int64s:
        """Return the rows of those keys that are here."""
        if not len(self.key):
            return np.empty(0, np.int64)
        rows = np.minimum(np.searchsorted(self.key, keys), len(self.key) - 1)
        found: Int64s = rows[self.key[rows] == keys]
        return found


def ranked_pairs(
    rules: pl.DataFrame,
    arriving: pl.DataFrame,
    departing: pl.DataFrame,
    stops: pl.DataFrame,
    stop_of: Int32s,
    max_walk_s: int,
) -> Pairs:
    """Return the changes for which a rule names a route or a trip, each with the rule that counts.

    Of rules of equal rank the one that names most stops rather than stations counts; among
    those, one that forbids, then the longest minimum. A change that is only said to be possible
    takes no time at the same stop, and the walk alone to another; one too far to walk is about a
    ride that the feed does not describe and counts for nothing.

    Parameters
    ----------
    rules : DataFrame
        Of `SpecialRules`.
    arriving, departing : DataFrame
        ``point, side, is_station``.
    stops : DataFrame
        The region's, for their positions.
    stop_of : int32[n_points]
    max_walk_s : int

    Raises
    ------
    InputError
        The rules stand for more than `MAX_PAIRS` pairs.
    """
    counts = [frame.group_by("side").len("n") for frame in (arriving, departing)]
    n_pairs = (
        rules.join(counts[0], left_on="from_side", right_on="side")
        .join(counts[1], left_on="to_side", right_on="side", suffix="_to")
        .select((pl.col("n").cast(pl.Int64) * pl.col("n_to")).sum())
        .item()
    )
    if n_pairs > MAX_PAIRS:
        raise InputError(
            f"transfers.txt: rows for routes and trips stand for {n_pairs} pairs of calls:"
            f" expected at most {MAX_PAIRS}"
        )
    ends = [
        frame.rename({"point": end, "side": f"{end}_side", "is_station": f"{end}_station"})
        for end, frame in zip(_PAIR, (arriving, departing), strict=True)
    ]
    rows = rules.join(ends[0], on="from_side").join(ends[1], on="to_side")
    lat, lon = (stops[name].fill_null(np.nan).to_numpy() for name in ("stop_lat", "stop_lon"))
    a, b = (stop_of[rows[end].to_numpy()] for end in _PAIR)
    metres = np.nan_to_num(np.asarray(distance_m(lat[a], lon[a], lat[b], lon[b])))
    rows = rows.with_columns(
        same=pl.Series(a == b), walk_s=pl.Series(walk_seconds(metres)),
        m=pl.Series(np.where(a == b, 0, np.ceil(metres)).astype(np.int32)),
    )  # fmt: skip
    possible = pl.col("type") < MINIMUM_TYPE
    rows = rows.filter(~possible | pl.col("same") | (pl.col("walk_s") <= max_walk_s))
    rows = _first_ranked(rows)
    stated = pl.col("minimum_s") != NOT_STATED
    usual = pl.when("same").then(pl.when(possible).then(0).otherwise(DEFAULT_CHANGE_S))
    seconds = (
        pl.when(pl.col("type") == FORBIDDEN_TYPE).then(FORBIDDEN_CHANGE_S)
        .when(stated).then(pl.col("minimum_s"))
        .otherwise(usual.otherwise(pl.col("walk_s")))
    )  # fmt: skip
    rows = rows.with_columns(seconds=seconds.cast(pl.Int32), stated=stated)
    key = rows["from"].to_numpy().astype(np.int64) * len(stop_of) + rows["to"].to_numpy()
    columns = (rows[name].to_numpy() for name in ("seconds", "m", "stated"))
    return Pairs(key, *columns).sorted()


def _first_ranked(rows: pl.DataFrame) -> pl.DataFrame:
    strictness = (
        pl.when(pl.col("type") == FORBIDDEN_TYPE).then(2**31)
        .otherwise(pl.col("minimum_s").cast(pl.Int64))
    )  # fmt: skip
    n_stations = pl.col("from_station").cast(pl.Int8) + pl.col("to_station").cast(pl.Int8)
    return (
        rows.with_columns(strictness=strictness, n_stations=n_stations)
        .sort("from", "to", "rank", "n_stations", -pl.col("strictness"), "type")
        .unique(_PAIR, keep="first", maintain_order=True)
    )
