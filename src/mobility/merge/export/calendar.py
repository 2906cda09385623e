"""Calendars of the export: the days of its trips, and of services that other tables name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.export.runs import DAYS_BACK, Runs, service_ids
from mobility.merge.export.trips import scoped_ids
from mobility.merge.region import Region
from mobility.schema import TABLES, references_of

CALENDAR = ("calendar", "service_id")

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]


def export_calendar(
    region: Region, runs: Runs, tables: Mapping[str, pl.DataFrame]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ``calendar`` and ``calendar_dates`` of all services that the other tables name.

    Trips have services of the export's own, since a train may be dated another day in its zone;
    fares and bookings keep the feeds' services, whose days are the dates that passengers read.
    """
    ids, days = service_ids(runs), runs.days
    if "services" in region.tables:
        names = scoped_ids(region, "services", "service_id")
        named = _named_services(tables)
        chosen = np.flatnonzero(names.is_in(list(named)).to_numpy())
        rows = region.tables["services"]["days"].to_numpy()[chosen]
        more = np.zeros((len(chosen), days.shape[1]), np.bool_)
        more[:, DAYS_BACK:] = region.days[rows]
        ids, days = ids + names.gather(chosen).to_list(), np.concatenate([days, more])
    return calendar_tables(ids, days, runs.first_date)


def _named_services(tables: Mapping[str, pl.DataFrame]) -> set[str]:
    """Return the service ids that any table but the calendars refers to."""
    found: set[str] = set()
    for name, table in tables.items():
        for reference in references_of(TABLES[name]):
            if CALENDAR in reference.targets and reference.column in table.columns:
                found |= set(table[reference.column].drop_nulls().unique().to_list())
    return found


def calendar_tables(
    ids: Sequence[str], days: Bools, first_date: dt.date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ``calendar`` and ``calendar_dates``: together exactly the days of each service.

    A service has a week where that says it in fewer rows than its dates do; one without days has
    no row.

    Parameters
    ----------
    ids : sequence of str
    days : bool[n_services, n_days]
    first_date : date
        Day 0.

    Source: GTFS Schedule reference, calendar.txt and calendar_dates.txt.
    """
    weeks: list[tuple[object, ...]] = []
    dates: list[tuple[str, dt.date, int]] = []
    for service, row in zip(ids, days, strict=True):
        active = np.flatnonzero(row)
        if not len(active):
            continue
        first = first_date + dt.timedelta(days=int(active[0]))
        span = row[active[0] : active[-1] + 1]
        week, added, removed = week_of(span, first.weekday())
        exceptions = [(int(day), 1) for day in added] + [(int(day), 2) for day in removed]
        if len(exceptions) < len(active):
            last = first + dt.timedelta(days=len(span) - 1)
            weeks.append((service, *week.astype(int).tolist(), first, last))
        else:
            exceptions = [(int(day), 1) for day in np.flatnonzero(span)]
        dates.extend(
            (service, first + dt.timedelta(days=day), kind) for day, kind in sorted(exceptions)
        )
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    calendar = pl.DataFrame(
        weeks,
        schema={"service_id": pl.String}
        | dict.fromkeys(names, pl.Int32)
        | {"start_date": pl.Date, "end_date": pl.Date},
        orient="row",
    )
    schema = {"service_id": pl.String, "date": pl.Date, "exception_type": pl.Int32}
    return calendar, pl.DataFrame(dates, schema=schema, orient="row")


def week_of(span: Bools, weekday: int) -> tuple[Bools, Int64s, Int64s]:
    """Return the week that fits a span of days best, and the days it lacks and has too many.

    Parameters
    ----------
    span : bool[n]
        Days of service; the first is on ``weekday`` (0 = Monday).

    >>> span = np.array([1, 1, 1, 1, 1, 0, 0, 1, 0, 1, 1, 1, 1, 0], bool)
    >>> [part.tolist() for part in week_of(span, 0)]
    [[True, False, True, True, True, False, False], [1, 12], []]
    """
    days = (np.arange(len(span)) + weekday) % 7
    on = np.bincount(days, weights=span, minlength=7)
    week = 2 * on > np.bincount(days, minlength=7)
    stated = week[days]
    return week, np.flatnonzero(span & ~stated), np.flatnonzero(~span & stated)
