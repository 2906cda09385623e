"""Service days: which services run on which dates, from calendar and calendar_dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.feeds.feed import Feed

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ADDED, REMOVED = 1, 2
CHUNK_SERVICES = 2_000
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)

Bools = npt.NDArray[np.bool_]


def service_days(feed: Feed, first: date, n_days: int) -> tuple[dict[str, int], Bools]:
    """Return which services of a feed run on which of ``n_days`` days from ``first`` on.

    Returns
    -------
    services : dict
        service_id to row, in order of the service_id.
    days : bool[n_services, n_days]

    Source: GTFS Schedule, calendar.txt and calendar_dates.txt: weekdays within the range, plus
    dates of exception type 1, less dates of type 2.
    """
    services = service_ids(feed.tables)
    return {service: row for row, service in enumerate(services)}, _days(
        feed.tables, services, first, n_days
    )


def service_ids(tables: Mapping[str, pl.DataFrame]) -> list[str]:
    """Return all services of calendar and calendar_dates, sorted."""
    ids = pl.concat([tables[name]["service_id"] for name in ("calendar", "calendar_dates")])
    return sorted(ids.unique().to_list())


def _days(
    tables: Mapping[str, pl.DataFrame], services: list[str], first: date, n_days: int
) -> Bools:
    rows = pl.DataFrame(
        {"service_id": services, "row": range(len(services))},
        schema={"service_id": pl.String, "row": pl.Int32},
    )
    days = np.zeros((len(services), n_days), dtype=bool)
    _set_weeks(days, tables["calendar"].join(rows, on="service_id"), first)
    dates = (
        tables["calendar_dates"]
        .join(rows, on="service_id")
        .with_columns(((pl.col("date") - first).dt.total_days()).alias("day"))
    )
    dates = dates.filter(pl.col("day").is_between(0, n_days - 1))
    for kind in (ADDED, REMOVED):
        chosen = dates.filter(pl.col("exception_type") == kind)
        days[chosen["row"].to_numpy(), chosen["day"].to_numpy()] = kind == ADDED
    return days


def _set_weeks(days: Bools, calendar: pl.DataFrame, first: date) -> None:
    """Set the weekdays of each calendar row within its range."""
    n_days = days.shape[1]
    day = np.arange(n_days)
    weekday = (first.weekday() + day) % 7
    begin = (calendar["start_date"] - first).dt.total_days().to_numpy()
    end = (calendar["end_date"] - first).dt.total_days().to_numpy()
    runs = calendar.select(WEEKDAYS).to_numpy() == 1
    for at in range(0, len(calendar), CHUNK_SERVICES):
        part = slice(at, at + CHUNK_SERVICES)
        inside = (day >= begin[part, None]) & (day <= end[part, None])
        days[calendar["row"].to_numpy()[part]] |= inside & runs[part][:, weekday]


def service_span(tables: Mapping[str, pl.DataFrame]) -> tuple[date, date] | None:
    """Return the first and last day on which a service runs that a trip uses; None without one."""
    used = tables["trips"]["service_id"].unique()
    frames = {
        name: tables[name].filter(pl.col("service_id").is_in(used.implode()))
        for name in ("calendar", "calendar_dates")
    }
    bounds = [
        value
        for name, column in (
            ("calendar", "start_date"), ("calendar", "end_date"), ("calendar_dates", "date"),
        )
        for value in (frames[name][column].min(), frames[name][column].max())
        if isinstance(value, date)
    ]  # fmt: skip
    if not bounds:
        return None
    first, last = max(min(bounds), EARLIEST), min(max(bounds), LATEST)
    n_days = (last - first).days + 1
    active = np.zeros(max(n_days, 0), dtype=bool)
    for services in _chunks(service_ids(frames)):
        active |= _days(frames, services, first, n_days).any(axis=0)
    found = np.flatnonzero(active)
    if not len(found):
        return None
    return first + timedelta(days=int(found[0])), first + timedelta(days=int(found[-1]))


def _chunks(services: list[str]) -> Iterator[list[str]]:
    for at in range(0, len(services), CHUNK_SERVICES):
        yield services[at : at + CHUNK_SERVICES]
