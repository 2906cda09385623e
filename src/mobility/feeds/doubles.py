"""Finds trips that stand in one feed twice under two ids."""

from __future__ import annotations

import numpy as np
import polars as pl

from mobility.feeds.load import Reading
from mobility.feeds.read import LINE
from mobility.feeds.stop_times import NAME

_SAME = ("route_id", "service_id", "trip_headsign", "trip_short_name", "direction_id", "block_id")
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying loses nothing
_COLUMNS = ("stop", "arrival_time", "departure_time", "pickup_type", "drop_off_type")


def note_doubled_trips(reading: Reading) -> None:
    """Tell how many trips repeat another one: same line, days, texts, stops and times.

    They are kept: a second vehicle at the same minute looks the same, and tickets and realtime may
    name either. Which of them a passenger sees is decided when trains are joined.
    """
    trips = reading.frames["trips"]
    same = trips.select(*_SAME).with_columns(pl.Series("calls", _call_hashes(reading)))
    later = ~same.select(pl.struct(pl.all()).is_first_distinct().alias("first"))["first"]
    if later.any():
        first = later.arg_max() or 0
        reading.findings.add(
            "duplicate_trip", "trips.txt", row=int(trips[LINE][first]), field="trip_id",
            value=trips["trip_id"][first], count=int(later.sum()),
        )  # fmt: skip


def _call_hashes(reading: Reading) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Return a 64-bit number per trip that depends on all its calls in their order."""
    times = reading.frames[NAME]
    trip = times["trip"].to_numpy()
    starts = np.searchsorted(trip, np.arange(len(reading.frames["trips"])))
    mixed = (np.arange(len(trip)) - starts[trip]).astype(np.uint64)
    for name in _COLUMNS:
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX
        mixed += times[name].to_numpy().astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * _MIX
    mixed ^= mixed >> np.uint64(29)
    return np.add.reduceat(mixed, starts)
