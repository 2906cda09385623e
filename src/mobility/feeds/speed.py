"""Hops that are faster than their mode can be: wrong positions go, wrong times are told."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.units import distance_m
from mobility.feeds.load import Reading
from mobility.feeds.read import REPAIRED
from mobility.feeds.stop_times import FILE, NAME

# Highest speeds in km/h by GTFS route_type (canonical validator), and by its extended hundreds.
LIMITS_KMH = {0: 100, 1: 150, 2: 500, 3: 150, 4: 80, 5: 30, 6: 50, 7: 50, 11: 150, 12: 150}
EXTENDED_KMH = {1: 500, 2: 150, 4: 150, 7: 150, 8: 150, 9: 100, 10: 80, 12: 80, 13: 50, 14: 50}
DEFAULT_KMH = 200
ROUNDING_S = 60  # times in whole minutes may each be off by half a minute
OUTLIER_FACTOR = 2.0  # so much faster than the limit, and so far, that only the place can be wrong
OUTLIER_M = 10_000.0

Bools = npt.NDArray[np.bool_]


def check_speeds(reading: Reading) -> None:
    """Empty positions that make every hop at a stop impossible; tell other hops too fast.

    A stop's position is wrong where each hop from or to it, even the slowest, is at least twice as
    fast as the mode can be and 10 km long, while the stop at the other end has good hops too.
    Speeds come from the distance in a straight line and the time between, plus a minute where times
    are whole minutes (GTFS Schedule allows rounding).
    """
    hops = _hops(reading)
    if not len(hops):
        return
    wrong = _outliers(hops, len(reading.frames["stops"]))
    if wrong.any():
        bad = pl.Series(wrong)
        reading.clear("stops", bad, "position_outlier", field="stop_lat")
        reading.frames["stops"] = reading.frames["stops"].with_columns(
            pl.when(~bad).then(pl.col("stop_lon")).alias("stop_lon"), pl.col(REPAIRED) | bad
        )
    near = ~(wrong[hops["from"].to_numpy()] | wrong[hops["to"].to_numpy()])
    fast = hops.filter(pl.Series(near) & (hops["fastest_kmh"] > hops["limit_kmh"]))
    if len(fast):
        stops = reading.frames["stops"]["stop_id"]
        worst = fast.row(int(fast["fastest_kmh"].arg_max() or 0), named=True)
        shown = f"{stops[worst['from']]} - {stops[worst['to']]} {worst['fastest_kmh']:.0f} km/h"
        reading.findings.add(
            "fast_travel_between_consecutive_stops", FILE, value=shown, count=len(fast)
        )


def _hops(reading: Reading) -> pl.DataFrame:
    """Return each pair of stops that trips link in a row: distance, speeds, the mode's limit."""
    times, stops = reading.frames[NAME], reading.frames["stops"]
    limit = _limits(reading)
    rows = times.select(
        pl.col("stop").shift(1).alias("from"),
        pl.col("stop").alias("to"),
        (
            pl.col("arrival_time")
            - pl.col("departure_time").shift(1)
            + pl.when(pl.col("arrival_time") % 60 == 0).then(ROUNDING_S).otherwise(0)
        ).alias("dt"),
        pl.Series("limit_kmh", limit[times["trip"].to_numpy()]),
        (pl.col("trip") == pl.col("trip").shift(1)).alias("inside"),
    )
    pairs = (
        rows.filter("inside")
        .group_by("from", "to", "limit_kmh")
        .agg(pl.col("dt").min().alias("least_s"), pl.col("dt").max().alias("most_s"))
        .sort("from", "to", "limit_kmh")
    )
    lat = stops["stop_lat"].fill_null(np.nan).to_numpy()
    lon = stops["stop_lon"].fill_null(np.nan).to_numpy()
    start, end = pairs["from"].to_numpy(), pairs["to"].to_numpy()
    metres = np.nan_to_num(distance_m(lat[start], lon[start], lat[end], lon[end]))
    return pairs.with_columns(
        pl.Series("metres", metres),
        pl.Series("fastest_kmh", metres / np.maximum(pairs["least_s"].to_numpy(), 1) * 3.6),
        pl.Series("slowest_kmh", metres / np.maximum(pairs["most_s"].to_numpy(), 1) * 3.6),
    )


def _limits(reading: Reading) -> npt.NDArray[np.int32]:
    """Return the highest speed in km/h of each trip."""
    routes = reading.frames["routes"].select("route_id", "route_type")
    kinds = reading.frames["trips"].join(routes, on="route_id", how="left", maintain_order="left")[
        "route_type"
    ]
    known = kinds.unique().to_list()
    limits = [_limit_kmh(kind) for kind in known]
    return kinds.replace_strict(known, limits, return_dtype=pl.Int32).to_numpy()


def _limit_kmh(route_type: int) -> int:
    """Return the highest speed in km/h of a route type.

    >>> _limit_kmh(3), _limit_kmh(109), _limit_kmh(1700)
    (150, 500, 200)
    """
    if route_type < 100:
        return LIMITS_KMH.get(route_type, DEFAULT_KMH)
    return EXTENDED_KMH.get(route_type // 100, DEFAULT_KMH)


def _outliers(hops: pl.DataFrame, n_stops: int) -> Bools:
    """Return the stops at which every hop is impossible, next to stops with good hops."""
    start, end = hops["from"].to_numpy(), hops["to"].to_numpy()
    impossible = (hops["slowest_kmh"] > OUTLIER_FACTOR * hops["limit_kmh"]).to_numpy() & (
        hops["metres"] >= OUTLIER_M
    ).to_numpy()
    good, bad = np.zeros(n_stops, dtype=bool), np.zeros(n_stops, dtype=bool)
    for side in (start, end):
        good[side[~impossible]] = True
        bad[side[impossible]] = True
    suspect = bad & ~good
    vouched = np.ones(n_stops, dtype=bool)
    for here, there in ((start, end), (end, start)):
        vouched[here[impossible & ~good[there]]] = False
    return suspect & vouched
