"""The trips of two versions side by side: line, stops and times as numbers common to both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.feeds.calendar import service_days
from mobility.feeds.diff.places import Places
from mobility.feeds.feed import Feed

MAX_DAYS = 400
WEEK = 7
ALIGNED_DAYS = 28  # compared of each version where no week is in both

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are compared; where no week is in both versions, days of equal weekday."""

    old_first: dt.date
    new_first: dt.date
    n_days: int

    @property
    def same_days(self) -> bool:
        """Whether the days of both versions are the same dates."""
        return self.old_first == self.new_first

    def weekdays(self) -> Ints:
        """Return the weekday of each day, Monday being 0."""
        return ((self.new_first.weekday() + np.arange(self.n_days)) % WEEK).astype(np.int32)

    def date(self, at: int) -> dt.date:
        """Return the date of a day, in the new version."""
        return self.new_first + dt.timedelta(days=at)


def common_window(old: Feed, new: Feed) -> Window:
    """Return the days that both versions serve, or the end of one and the begin of the other."""
    first = max(old.valid_from, new.valid_from)
    last = min(old.valid_until, new.valid_until)
    n_days = (last - first).days + 1
    if n_days >= min(WEEK, _length(old), _length(new)):
        return Window(first, first, min(n_days, MAX_DAYS))
    n_days = min(ALIGNED_DAYS, _length(old), _length(new))
    old_first = old.valid_until - dt.timedelta(days=n_days - 1)
    ahead = (old_first.weekday() - new.valid_from.weekday()) % WEEK
    return Window(old_first, new.valid_from + dt.timedelta(days=ahead), n_days)


def _length(feed: Feed) -> int:
    return (feed.valid_until - feed.valid_from).days + 1


@dataclass(frozen=True, slots=True)
class Trips:
    """The trips of one version.

    Parameters
    ----------
    ids, numbers, headsigns : list of str
        ``trip_id``, ``trip_short_name`` (empty where it has none).
    line : int32[n_trips]
    pattern : list of bytes
        Stops and what can be done there: equal where a passenger sees the same stops.
    times : list of bytes
        Arrivals and departures.
    start_s, end_s : int32[n_trips]
        First departure and last arrival, in seconds from the service-day origin.
    stops : list of int32 array
        Classes of the stops, in order.
    days : bool[n_services, n_days]
        Days of the window on which each service runs.
    service : int32[n_trips]
        Row in ``days``.
    same_days : list of bytes
        Of each row of ``days``: equal where the days are.
    """

    ids: list[str]
    numbers: list[str]
    line: Ints
    pattern: list[bytes]
    times: list[bytes]
    start_s: Ints
    end_s: Ints
    stops: list[Ints]
    days: Bools
    service: Ints
    same_days: list[bytes]

    def __len__(self) -> int:
        return len(self.ids)


def read_trips(
    feed: Feed, stops: Sequence[int], lines: dict[str, int], first: dt.date, n_days: int
) -> Trips:
    """Return the trips of a feed, their stops and lines in the numbers of `Places`."""
    trips, calls = feed.tables["trips"], feed.tables["stop_times"]
    rows, days = service_days(feed, first, n_days)
    days = np.vstack([days, np.zeros((1, n_days), dtype=bool)])  # the last: of no known service
    bounds = np.searchsorted(calls["trip"].to_numpy(), np.arange(len(trips) + 1))
    stop = np.asarray(stops, dtype=np.int32)[calls["stop"].to_numpy()]
    flags = calls["pickup_type"].to_numpy() * 4 + calls["drop_off_type"].to_numpy()
    arrival, departure = calls["arrival_time"].to_numpy(), calls["departure_time"].to_numpy()
    times = np.column_stack([arrival, departure]).astype(np.int32)
    seen = np.column_stack([stop, flags]).astype(np.int32)
    spans = [slice(a, b) for a, b in pairwise(bounds)]
    services = trips["service_id"].to_list()
    idle = len(days) - 1
    return Trips(
        ids=trips["trip_id"].to_list(),
        numbers=trips["trip_short_name"].fill_null("").to_list(),
        line=np.array([lines[route] for route in trips["route_id"]], dtype=np.int32),
        pattern=[seen[span].tobytes() for span in spans],
        times=[times[span].tobytes() for span in spans],
        start_s=departure[bounds[:-1]].astype(np.int32),
        end_s=arrival[bounds[1:] - 1].astype(np.int32),
        stops=[stop[span] for span in spans],
        days=days,
        service=np.array([rows.get(service, idle) for service in services], dtype=np.int32),
        same_days=[row.tobytes() for row in np.packbits(days, axis=1)],
    )


def read_both(old: Feed, new: Feed, places: Places, window: Window) -> tuple[Trips, Trips]:
    """Return the trips of both versions."""
    n_days = window.n_days
    return (
        read_trips(old, places.old_stops, places.old_lines, window.old_first, n_days),
        read_trips(new, places.new_stops, places.new_lines, window.new_first, n_days),
    )


def stop_names(feed: Feed, classes: Sequence[int]) -> dict[int, str]:
    """Return the name of each class of stops."""
    names = feed.tables["stops"].select(pl.col("stop_name").fill_null(pl.col("stop_id")))
    return dict(zip(classes, names["stop_name"].to_list(), strict=True))
