"""What a version of a feed holds, in a few numbers: enough to judge it without reading it again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from mobility.feeds.calendar import service_days
from mobility.feeds.feed import Feed, TableCounts

Box = tuple[float, float, float, float]  # south, west, north, east in degrees


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Trips per service day, from ``first`` on without gaps.

    >>> counts = DayCounts(dt.date(2027, 5, 4), (12, 0, 9))
    >>> counts.last, counts.on(dt.date(2027, 5, 6)), counts.on(dt.date(2027, 6, 1))
    (datetime.date(2027, 5, 6), 9, 0)
    >>> counts.gaps()
    (datetime.date(2027, 5, 5),)
    """

    first: dt.date
    trips: tuple[int, ...]

    @property
    def last(self) -> dt.date:
        """The last day that is counted."""
        return self.first + dt.timedelta(days=len(self.trips) - 1)

    def on(self, day: dt.date) -> int:
        """Return the trips of a day; 0 outside."""
        at = (day - self.first).days
        return self.trips[at] if 0 <= at < len(self.trips) else 0

    def gaps(self) -> tuple[dt.date, ...]:
        """Return the days inside on which nothing runs."""
        return tuple(
            self.first + dt.timedelta(days=at) for at, trips in enumerate(self.trips) if not trips
        )


@dataclass(frozen=True, slots=True)
class FeedSummary:
    """One version of a feed in numbers.

    Parameters
    ----------
    version : str
        `Feed.version`.
    zone : str
        IANA name of the zone in which its times count.
    agencies : tuple of (agency_id, agency_name)
    box : tuple of float or None
        South, west, north, east of the stops that are served, in degrees.
    days : DayCounts
        Trips per day from the first to the last day with service.
    tables : dict of str to TableCounts
    notices : dict of str to int
        Rows per notice code.
    errors : int
        Rows under notices of severity error.
    """

    version: str
    zone: str
    agencies: tuple[tuple[str, str], ...]
    box: Box | None
    days: DayCounts
    tables: dict[str, TableCounts]
    notices: dict[str, int]
    errors: int

    @property
    def valid_from(self) -> dt.date:
        """First day with service."""
        return self.days.first

    @property
    def valid_until(self) -> dt.date:
        """Last day with service."""
        return self.days.last

    def document(self) -> dict[str, Any]:
        """Return the summary as a document."""
        return {
            "version": self.version,
            "zone": self.zone,
            "valid_from": self.valid_from.isoformat(),
            "valid_until": self.valid_until.isoformat(),
            "agencies": [list(agency) for agency in self.agencies],
            "box": list(self.box) if self.box else None,
            "trips_per_day": list(self.days.trips),
            "tables": {name: asdict(counts) for name, counts in self.tables.items()},
            "notices": self.notices,
            "errors": self.errors,
        }


def read_summary(document: dict[str, Any]) -> FeedSummary:
    """Return the summary of its document; KeyError, TypeError or ValueError where it is none."""
    box = document["box"]
    return FeedSummary(
        version=str(document["version"]),
        zone=str(document["zone"]),
        agencies=tuple((str(one), str(name)) for one, name in document["agencies"]),
        box=(float(box[0]), float(box[1]), float(box[2]), float(box[3])) if box else None,
        days=DayCounts(
            dt.date.fromisoformat(document["valid_from"]),
            tuple(map(int, document["trips_per_day"])),
        ),
        tables={name: TableCounts(**counts) for name, counts in document["tables"].items()},
        notices={str(code): int(rows) for code, rows in document["notices"].items()},
        errors=int(document["errors"]),
    )


def summarise(feed: Feed) -> FeedSummary:
    """Return a feed's summary."""
    agency = feed.tables["agency"]
    names = agency["agency_name"].fill_null(agency["agency_id"])
    notices: dict[str, int] = {}
    for notice in feed.notices:
        notices[notice.code] = notices.get(notice.code, 0) + notice.count
    return FeedSummary(
        version=feed.version,
        zone=feed.zone,
        agencies=tuple(sorted(zip(agency["agency_id"].to_list(), names.to_list(), strict=True))),
        box=_box(feed),
        days=trips_per_day(feed),
        tables=dict(sorted(feed.counts.items())),
        notices=dict(sorted(notices.items())),
        errors=sum(notice.count for notice in feed.notices if notice.severity == "error"),
    )


def trips_per_day(feed: Feed) -> DayCounts:
    """Return how many trips a feed runs on each day of its validity."""
    n_days = (feed.valid_until - feed.valid_from).days + 1
    rows, days = service_days(feed, feed.valid_from, n_days)
    trips = np.zeros(len(rows), dtype=np.int64)
    used = feed.tables["trips"].group_by("service_id").len()
    for service, count in used.iter_rows():
        if service in rows:
            trips[rows[service]] = count
    return day_counts(feed.valid_from, trips, days)


def day_counts(first: dt.date, trips: Sequence[int] | np.ndarray, days: np.ndarray) -> DayCounts:
    """Return trips per day of services.

    Parameters
    ----------
    trips : int[n_services]
        Trips of each service.
    days : bool[n_services, n_days]
        Its days from ``first`` on.
    """
    counted = np.asarray(trips, dtype=np.int64) @ days.astype(np.int64)
    return DayCounts(first, tuple(int(count) for count in counted))


def _box(feed: Feed) -> Box | None:
    served = feed.tables["stop_times"]["stop"].unique()
    stops = feed.tables["stops"][served.to_numpy()]
    stops = stops.filter(pl.col("stop_lat").is_not_null() & pl.col("stop_lon").is_not_null())
    if not len(stops):
        return None
    lat, lon = stops["stop_lat"].to_numpy(), stops["stop_lon"].to_numpy()
    return float(lat.min()), float(lon.min()), float(lat.max()), float(lon.max())
