"""Every wrong cell of a workbook that is refused; of one that is read, the tables' rules tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mobility.feeds.raw import RawRow
from mobility.feeds.sheet.days import WEEKDAYS, read_date
from mobility.feeds.sheet.faults import Faults

_TIME = re.compile(r"\d+:\d\d:\d\d")
_NUMBER = re.compile(r"[-+]?\d+([.,]\d*)?")


def judge_cells(tables: Mapping[str, Sequence[RawRow]], faults: Faults) -> None:
    """Tell every time, day, date, position and kind of line that cannot be read."""
    for row in tables["stop_times"]:
        for name in ("arrival_time", "departure_time"):
            if not _TIME.fullmatch(row.cells[name]):
                _add(row, name, "expected HH:MM", faults)
    for row in tables["stops"]:
        for name in ("stop_lat", "stop_lon"):
            if not _NUMBER.fullmatch(row.cells.get(name, "")):
                _add(row, name, "expected a number of degrees such as 47.5", faults)
    for row in tables["routes"]:
        if not row.cells.get("route_type", "").isdecimal():
            _add(row, "route_type", "not one of the words allowed here", faults)
    _judge_days(tables, faults)


def _judge_days(tables: Mapping[str, Sequence[RawRow]], faults: Faults) -> None:
    unread = {
        row.cells["service_id"]
        for row in tables["calendar"]
        if row.cells[WEEKDAYS[0]] not in ("0", "1")
    }
    for row in tables["trips"]:
        if row.cells["service_id"] in unread:
            _add(row, "service_id", "expected days such as 12345, Mo-Fr or daily", faults)
    for row in tables["calendar"]:
        for name in ("start_date", "end_date"):
            if read_date(row.cells[name]) is None:
                _add(row, name, "expected a date such as 2027-01-04", faults)


def _add(row: RawRow, column: str, told: str, faults: Faults) -> None:
    place = row.places.get(column, "")
    if place:
        faults.add(row.file, place, told)
