"""Border checks as arrays: which calls of which trains a check is about, and on which days.

A train comes from the country of its last call before a place and goes to that of its first call
after it; border points have no country. A check is about those who come from one country and go
on to another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mobility.core.time import find_zone
from mobility.merge.region import FeedInfo
from mobility.merge.rules import station_countries
from mobility.network.values import Bools, Int32s, Int64s, StringArray, read_only

ANY = -1  # a check that names no country on that side
UNKNOWN = -1
SIXTY_S = 60
_ALWAYS_S = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class Checks:
    """The border checks of a region.

    Parameters
    ----------
    countries : tuple of str
        Codes in order; the other fields index it.
    of_station : int32[n_stations]
        Country of each station, `UNKNOWN` for border points and where nothing says.
    station, from_country, to_country : int32
        By check: where, and which direction (`ANY`).
    minimum_s : int32
        Least seconds of a change.
    changes : bool
        Nobody stays on the train.
    from_date, until_date : tuple of date or None
        Both inclusive.
    documents : tuple of str
        JSON by language.
    """

    countries: tuple[str, ...]
    of_station: Int32s
    station: Int32s
    from_country: Int32s
    to_country: Int32s
    minimum_s: Int32s
    changes: Bools
    from_date: tuple[dt.date | None, ...]
    until_date: tuple[dt.date | None, ...]
    documents: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.station)

    def dated(self, check: int) -> bool:
        """Return whether the check holds on some dates only."""
        return self.from_date[check] is not None or self.until_date[check] is not None

    def comes(self, check: int, before: Int32s) -> Bools:
        """Return which trains, by the country they come from, the check is about."""
        return _fits(before, int(self.from_country[check]), int(self.to_country[check]))

    def goes(self, check: int, after: Int32s) -> Bools:
        """Return which trains, by the country they go to, the check is about."""
        return _fits(after, int(self.to_country[check]), int(self.from_country[check]))

    def span(self, check: int, zone: str) -> tuple[int, int]:
        """Return the half-open span of unix seconds of the check's dates in a zone."""
        first, last = self.from_date[check], self.until_date[check]
        begin = -_ALWAYS_S if first is None else _midnight(first, zone)
        end = _ALWAYS_S if last is None else _midnight(last + dt.timedelta(1), zone)
        return begin, end

    def fields(self) -> dict[str, Any]:
        """Return the fields of `Network` that say what a traveller must know."""

        def name(country: int) -> str:
            return "" if country == ANY else self.countries[country]

        dates = [
            [-1 if date is None else date.toordinal() for date in dates]
            for dates in (self.from_date, self.until_date)
        ]
        stations = self.of_station.tolist() if len(self) else []
        return {
            "station_country": StringArray.of(name(country) for country in stations),
            "check_station": read_only(self.station),
            "check_from": StringArray.of(name(country) for country in self.from_country.tolist()),
            "check_to": StringArray.of(name(country) for country in self.to_country.tolist()),
            "check_first": read_only(np.array(dates[0], np.int32)),
            "check_last": read_only(np.array(dates[1], np.int32)),
            "check_s": read_only(self.minimum_s),
            "check_documents": StringArray.of(self.documents),
        }


def read_checks(tables: Mapping[str, pl.DataFrame], feeds: Sequence[FeedInfo]) -> Checks:
    """Return the border checks of a region; none where it has no such table."""
    table = tables.get("border_checks")
    if table is None or not table.height:
        none, no = np.empty(0, np.int32), np.empty(0, np.bool_)
        return Checks((), none, none, none, none, none, no, (), (), ())
    said = station_countries(tables, [feed.country for feed in feeds])
    named = {*said, *table["from_country"].to_list(), *table["to_country"].to_list()}
    countries = tuple(sorted(one for one in named if one is not None))
    number: dict[str | None, int] = {country: row for row, country in enumerate(countries)}

    def codes(names: Sequence[str | None]) -> Int32s:
        return np.array([number.get(name, ANY) for name in names], np.int32)

    return Checks(
        countries=countries,
        of_station=codes(said),
        station=table["station"].to_numpy().astype(np.int32),
        from_country=codes(table["from_country"].to_list()),
        to_country=codes(table["to_country"].to_list()),
        minimum_s=(table["minutes"].to_numpy() * SIXTY_S).astype(np.int32),
        changes=table["change_of_vehicle"].to_numpy().astype(np.bool_),
        from_date=tuple(table["from_date"].to_list()),
        until_date=tuple(table["until_date"].to_list()),
        documents=tuple(table["documents"].to_list()),
    )


def sides(country: Int32s, starts: Int64s) -> tuple[Int32s, Int32s]:
    """Return for each event the country that its train comes from and the one it goes to.

    Parameters
    ----------
    country : int32[n_events]
        Of the stations called at; `UNKNOWN` calls are looked past.
    starts : int64[n_trains + 1]
        CSR of events by train.

    >>> before, after = sides(np.array([0, -1, 1, 1, 0]), np.array([0, 4, 5]))
    >>> before.tolist(), after.tolist()
    ([-1, 0, 0, 1, -1], [1, 1, 1, -1, -1])
    """
    n_events = len(country)
    rows = np.arange(n_events)
    lengths = np.diff(starts)
    first, end = np.repeat(starts[:-1], lengths), np.repeat(starts[1:], lengths)
    known = country != UNKNOWN
    last = np.maximum.accumulate(np.where(known, rows, -1)) if n_events else rows
    past = np.append(-1, last)[:-1][:n_events]
    backwards = np.where(known, rows, n_events)[::-1]
    following = np.minimum.accumulate(backwards)[::-1] if n_events else rows
    coming = np.append(following, n_events)[1:]
    return (
        np.where(past >= first, country[np.maximum(past, 0)], UNKNOWN).astype(np.int32),
        np.where(coming < end, country[np.minimum(coming, n_events - 1)], UNKNOWN).astype(np.int32),
    )


def _fits(country: Int32s, named: int, other: int) -> Bools:
    """Return which known countries are the one named, or any but the one on the other side."""
    meant = country == named if named != ANY else country != other
    fits: Bools = meant & (country != UNKNOWN)
    return fits


def _midnight(date: dt.date, zone: str) -> int:
    return int(dt.datetime.combine(date, dt.time(), find_zone(zone)).timestamp())
