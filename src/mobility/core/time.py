"""Time: GTFS clock times, service-day origins, zones, and the texts that people write.

Inside, an instant is a whole number of unix seconds (UTC). A stop time is a number of seconds from
the origin of its service day: noon minus twelve hours in the agency's zone (GTFS Schedule,
"Service day"), which differs from local midnight on the two days a year when clocks change.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mobility.core.errors import TimeError

NOON_S = 43_200
Clock = Callable[[], dt.datetime]  # injected wherever "now" matters
_GTFS_TIME = re.compile(r"\s*(\d{1,3}):([0-5]?\d):([0-5]?\d)\s*")


@lru_cache(maxsize=256)
def find_zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name.

    Raises
    ------
    TimeError
        There is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TimeError(
            f"unknown time zone {name!r}: expected a name such as Europe/Zurich"
        ) from None


YEARS = (1900, 2200)  # beyond, sums of a time and a span leave what a calendar can say


def parse_gtfs_time(text: str) -> int | None:
    """Return seconds from the service-day origin, or None where the text is no GTFS time.

    >>> parse_gtfs_time("25:30:00"), parse_gtfs_time("6:05:09"), parse_gtfs_time("")
    (91800, 21909, None)
    """
    match = _GTFS_TIME.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (int(part) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def gtfs_time(seconds: int) -> str:
    """Return ``HH:MM:SS`` of seconds from the service-day origin.

    >>> gtfs_time(91800)
    '25:30:00'
    """
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@lru_cache(maxsize=65_536)
def service_day_origin(date: dt.date, zone: str) -> int:
    """Return the unix second of noon minus twelve hours of the date in the zone.

    >>> from datetime import date
    >>> iso = lambda s: dt.datetime.fromtimestamp(s, dt.UTC).isoformat()
    >>> iso(service_day_origin(date(2026, 3, 29), "Europe/Berlin"))
    '2026-03-28T22:00:00+00:00'
    """
    noon = dt.datetime.combine(date, dt.time(12), find_zone(zone))
    return int(noon.timestamp()) - NOON_S


def local_time(unix_s: int, zone: str) -> str:
    """Return an instant as RFC 3339 in the zone.

    >>> local_time(1787563440, "Europe/Lisbon")
    '2026-08-24T10:24:00+01:00'
    """
    return dt.datetime.fromtimestamp(unix_s, find_zone(zone)).isoformat()


def local_date(unix_s: int, zone: str) -> dt.date:
    """Return the calendar date of an instant in the zone."""
    return dt.datetime.fromtimestamp(unix_s, find_zone(zone)).date()


def parse_instant(text: str, zone: str) -> int:
    """Return the unix second that a text with an offset, or local in the zone, stands for.

    Raises
    ------
    TimeError
        Malformed; of a year that no timetable speaks of; or a local time that the clock skips or
        shows twice, with both readings.

    >>> parse_instant("2026-08-24T10:24:00+01:00", "Europe/Madrid")
    1787563440
    >>> parse_instant("2027-03-28 02:30", "Europe/Berlin")
    Traceback (most recent call last):
    mobility.core.errors.TimeError: 2027-03-28 02:30 does not exist in Europe/Berlin (clocks go \
forward): write 2027-03-28T01:30:00+01:00 or 2027-03-28T03:30:00+02:00
    """
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise TimeError(
            f"{text!r} is no time: expected RFC 3339, such as 2027-05-04T07:30"
            " or 2027-05-04T07:30+02:00"
        ) from None
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise TimeError(f"{text!r}: expected a year from {YEARS[0]} to {YEARS[1]}")
    if moment.tzinfo is not None:
        return int(moment.timestamp())
    readings = [moment.replace(tzinfo=find_zone(zone), fold=fold) for fold in (0, 1)]
    first, second = (int(reading.timestamp()) for reading in readings)
    if first == second:
        return first
    earlier, later = sorted((first, second))
    either = f"write {local_time(earlier, zone)} or {local_time(later, zone)}"
    if first < second:
        raise TimeError(f"{text} exists twice in {zone} (clocks go back): {either}")
    raise TimeError(f"{text} does not exist in {zone} (clocks go forward): {either}")


def parse_date(text: str) -> dt.date:
    """Return the date of ``YYYY-MM-DD`` or ``YYYYMMDD``.

    Raises
    ------
    TimeError
        The text is no such date.
    """
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise TimeError(f"{text!r} is no date: expected YYYY-MM-DD") from None


def parse_duration_s(text: str) -> int:
    """Return the seconds of a duration such as ``2h``, ``90min``, ``1h30m`` or ``45s``.

    Raises
    ------
    TimeError
        Malformed or longer than 48 hours.

    >>> parse_duration_s("1h30m"), parse_duration_s("90min")
    (5400, 5400)
    """
    match = re.fullmatch(r"\s*(?:(\d+)\s*h)?\s*(?:(\d+)\s*m(?:in)?)?\s*(?:(\d+)\s*s)?\s*", text)
    if match is None or not any(match.groups()):
        raise TimeError(f"{text!r} is no duration: expected something like 2h, 90min or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if not 0 < total <= 48 * 3600:
        raise TimeError(f"{text!r}: a duration must be above 0 and at most 48h")
    return total


def system_clock() -> dt.datetime:
    """Return now in UTC: the default of every injected clock."""
    return dt.datetime.now(dt.UTC)
