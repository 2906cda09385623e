"""The words of ``lines.toml`` as values: runs, departures, service days.

Nothing here knows GTFS; ``make_region.py`` turns these values into feeds.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

DAY_TYPES = "wshn"  # Monday-Friday, Saturday, Sunday and holidays, Friday and Saturday nights
SERVICE_NAMES = {
    "wsh": "daily",
    "ws": "mo-sa",
    "sh": "sa-su-hol",
    "wh": "mo-fr-su-hol",
    "w": "mo-fr",
    "s": "sa",
    "h": "su-hol",
    "n": "fr-sa-nights",
}
WEEKDAYS = {"w": (0, 1, 2, 3, 4), "s": (5,), "h": (6,), "n": (4, 5)}
RUN_ROW = re.compile(
    r"(?P<minute>\d+)(?:\+(?P<dwell>\d+))?\s+(?P<place>.+?)"
    r"(?:\s+@(?P<out>[0-9A-Z]+)(?:\|(?P<back>[0-9A-Z]+))?)?$"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A train at a place, in seconds since the start of its run."""

    place: str
    arrival_s: int
    departure_s: int
    platform: str | None
    stops: bool  # False: passes, and only shapes the line on the map


@dataclass(frozen=True, slots=True)
class Band:
    """Departures from ``start_s`` up to but not including ``end_s``, every ``headway_s``."""

    start_s: int
    end_s: int
    headway_s: int


def parse_clock(text: str) -> int:
    """Seconds of ``HH:MM``; hours may exceed 23.

    >>> parse_clock("25:30")
    91800
    """
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def parse_bands(text: str) -> list[Band]:
    """Bands of departures in ``"05:00 /15 06:00 /7.5 20:00"``; a lone time is a band of one.

    >>> [(b.start_s, b.end_s, b.headway_s) for b in parse_bands("05:00 /30 06:00")]
    [(18000, 21600, 1800), (21600, 21601, 1800)]
    """
    tokens = text.split()
    bands = []
    for i, token in enumerate(tokens):
        if token.startswith("/"):
            continue
        start_s = parse_clock(token)
        if i + 2 < len(tokens) and tokens[i + 1].startswith("/"):
            headway_s = round(float(tokens[i + 1][1:]) * 60)
            bands.append(Band(start_s, parse_clock(tokens[i + 2]), headway_s))
        else:
            bands.append(Band(start_s, start_s + 1, 1800))
    return bands


def list_departures(days: dict[str, str]) -> dict[int, str]:
    """Day types (``"wsh"`` order) on which each departure runs, by seconds, in order of time.

    >>> list_departures({"ws": "05:00 /30 06:00", "s": "05:30", "h": "06:00"})
    {18000: 'ws', 19800: 'ws', 21600: 'wsh'}
    """
    found: dict[int, set[str]] = {}
    for mask, text in days.items():
        for band in parse_bands(text):
            for second in range(band.start_s, band.end_s, band.headway_s):
                found.setdefault(second, set()).update(mask)
    return {
        second: "".join(day for day in DAY_TYPES if day in found[second])
        for second in sorted(found)
    }


def parse_run(text: str) -> list[Call]:
    """Read the calls of a run on the way out."""
    calls: list[Call] = []
    for line in filter(None, (row.strip() for row in text.splitlines())):
        if line.startswith("~"):
            at_s = calls[-1].departure_s if calls else 0
            calls.append(Call(line[1:].strip(), at_s, at_s, None, stops=False))
            continue
        match = RUN_ROW.match(line)
        if match is None:
            raise ValueError(f"not a row of a run: {line!r}")
        arrival_s = int(match["minute"]) * 60
        departure_s = arrival_s + int(match["dwell"] or 0) * 60
        calls.append(Call(match["place"], arrival_s, departure_s, match["out"], stops=True))
    return calls


def parse_back_run(text: str) -> list[Call]:
    """Read a run on the way back: the minutes in reverse, the platforms after ``|``."""
    out = parse_run(text)
    matches = (RUN_ROW.match(row.strip()) for row in text.splitlines())
    platforms = {m["place"]: m["back"] or m["out"] for m in matches if m}
    end_s = max(call.arrival_s for call in out)
    return [
        replace(
            call,
            arrival_s=max(end_s - call.departure_s, 0),
            departure_s=end_s - call.arrival_s,
            platform=platforms.get(call.place),
        )
        for call in reversed(out)
    ]


def easter_sunday(year: int) -> dt.date:
    """Easter Sunday of the Gregorian calendar.

    Source: Anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, chapter 8).

    >>> easter_sunday(2027), easter_sunday(2028)
    (datetime.date(2027, 3, 28), datetime.date(2028, 4, 16))
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return dt.date(year, month, day + 1)


# Days after Easter Sunday: Good Friday, Monday, Ascension, Whit Monday (, Corpus Christi)
MOVING = {"CH": (-2, 1, 39, 50), "DE": (-2, 1, 39, 50, 60), "FR": (-2, 1, 39, 50)}
FIXED = {
    # Basel-Stadt and Basel-Landschaft
    "CH": ((1, 1), (5, 1), (8, 1), (12, 25), (12, 26)),
    # Baden-Württemberg
    "DE": ((1, 1), (1, 6), (5, 1), (10, 3), (11, 1), (12, 25), (12, 26)),
    # Alsace: the national days, Good Friday and 26 December
    "FR": ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25), (12, 26)),
}


def list_holidays(country: str, first: dt.date, last: dt.date) -> list[dt.date]:
    """Public holidays of the country's part of the region, in order."""
    days = set()
    for year in range(first.year, last.year + 1):
        easter = easter_sunday(year)
        days |= {easter + dt.timedelta(days=after) for after in MOVING[country]}
        days |= {dt.date(year, month, day) for month, day in FIXED[country]}
    return sorted(day for day in days if first <= day <= last)


def weekdays_of(mask: str) -> list[int]:
    """Weekdays (0 = Monday) of a set of day types, holidays apart."""
    return sorted({weekday for day in mask for weekday in WEEKDAYS[day]})


def exceptions_of(mask: str, holidays: Iterable[dt.date]) -> list[tuple[dt.date, int]]:
    """(date, GTFS exception_type) of the holidays on which the weekday alone would be wrong."""
    if "n" in mask:
        return []
    usual = weekdays_of(mask)
    runs = "h" in mask
    return [(day, 1 if runs else 2) for day in holidays if (day.weekday() in usual) is not runs]
