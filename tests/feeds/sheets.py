"""A timetable sheet filled in as an operator would."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import openpyxl

from mobility.feeds import Feed, FeedConfig, read_feed
from mobility.feeds.sheet.template import make_template

OPERATOR = {
    "agency_name": "Hill Bus", "agency_timezone": "Europe/Zurich", "agency_lang": "de",
    "start_date": dt.date(2027, 1, 4), "end_date": dt.date(2027, 1, 31),
}  # fmt: skip
STOPS = [
    ["H1", "Village", 47.50, 7.50],
    ["H2", "School", 47.51, 7.50],
    [103, "Hill Halt", "47.5201", 7.5001],
]
LINES = [["10", "10", "Village - Hill", "bus"]]
HEAD = {
    "trip_id": ["b1", "b2", None],
    "route_id": ["10", 10, "10"],
    "trip_headsign": ["Hill", "Hill", "Hill"],
    "days": ["Mo-Fr", "sat+sun", "daily"],
    "start_date": [None, None, "2027-01-11"],
}
CALLS = [
    ["H1", "Village", None, "08:00", dt.time(9, 0), dt.timedelta(hours=24, minutes=10)],
    ["H2", "School", "arr", "08:04", "|", None],
    [None, "School", "dep", "08:06", None, None],
    [103, "Hill Halt", None, "08:12:30", dt.time(9, 10), "24:20"],
]
EXCEPTIONS = [[dt.date(2027, 1, 6), "So", None]]


def filled(**changes: Any) -> openpyxl.Workbook:
    """Return the template filled in; changes name cells such as ``timetable_D10``."""
    book = openpyxl.load_workbook(io.BytesIO(make_template()))
    for row in book["operator"].iter_rows(max_col=2):
        row[1].value = OPERATOR.get(row[0].value)
    for name, rows in (("stops", STOPS), ("lines", LINES), ("exceptions", EXCEPTIONS)):
        for at, cells in enumerate(rows, 5):
            for column, value in enumerate(cells, 1):
                book[name].cell(at, column).value = value
    sheet = book["timetable"]
    labels = {sheet.cell(row, 1).value: row for row in range(1, 10)}
    for key, values in HEAD.items():
        for column, value in enumerate(values, 4):
            sheet.cell(labels[key], column).value = value
    for row, cells in enumerate(CALLS, labels["stop_id"] + 1):
        for column, value in enumerate(cells, 1):
            sheet.cell(row, column).value = value
    for place, value in changes.items():
        name, _, cell = place.rpartition("_")
        book[name][cell] = value
    return book


def save(book: openpyxl.Workbook, path: Path) -> Path:
    """Write a workbook."""
    book.save(path)
    return path


def read(path: Path) -> Feed:
    """Return the feed of a sheet."""
    return read_feed(FeedConfig(id="hill", path=path, format="sheet"))
