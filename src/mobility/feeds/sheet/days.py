"""Days as a timetable sheet says them: patterns of weekdays, and dates that run as another day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from mobility.feeds.raw import RawRow
from mobility.feeds.sheet.faults import Faults

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Two letters in German, three in English and French; "di" is Tuesday in one and Sunday in another
# language, so it is neither.
_NAMES = {
    name: day
    for day, names in enumerate(
        ("mo mon lun", "tue mar", "mi wed mer", "do thu jeu", "fr fri ven", "sa sat sam",
         "so sun dim")
    )
    for name in names.split()
}  # fmt: skip
_EVERY = frozenset({"daily", "täglich", "quotidien", "tous les jours"})
NONE = "none"


def parse_days(text: str) -> str:
    """Return a pattern of weekdays as digits, 1 for Monday; empty where it is none.

    >>> parse_days("Mo-Fr"), parse_days("sat+sun"), parse_days("135"), parse_days("daily")
    ('12345', '67', '135', '1234567')
    >>> parse_days("Di"), parse_days("Fr-Mo"), parse_days("")
    ('', '', '')
    """
    plain = text.strip().lower().replace("–", "-")
    if plain in _EVERY:
        return "1234567"
    if plain.isascii() and plain.isdigit():
        ordered = "".join(sorted(set(plain)))
        return ordered if ordered == plain and set(plain) <= set("1234567") else ""
    days: set[int] = set()
    for part in plain.replace("+", " ").replace(",", " ").replace(" - ", "-").split():
        ends = [_NAMES.get(name.rstrip("."), -1) for name in part.split("-")]
        if len(ends) > 2 or -1 in ends or ends[0] > ends[-1]:
            return ""
        days.update(range(ends[0], ends[-1] + 1))
    return "".join(str(day + 1) for day in sorted(days))


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """The days of one or more trips of a line.

    ``days`` as written, dates as ``YYYYMMDD`` or as written; ``head`` is the trip that first said
    it.
    """

    route_id: str
    days: str
    start: str
    end: str
    head: RawRow

    @property
    def id(self) -> str:
        """The ``service_id``."""
        return f"{self.route_id}:{parse_days(self.days) or self.days}:{self.start}:{self.end}"

    def calendar_row(self) -> RawRow:
        """Return the row of ``calendar``; days that cannot be read stand in it as written."""
        spoken = parse_days(self.days)
        flags = {
            name: (str(int(str(day) in spoken)) if spoken else self.days)
            for day, name in enumerate(WEEKDAYS, 1)
        }
        cells = {"service_id": self.id, **flags, "start_date": self.start, "end_date": self.end}
        days = self.head.places.get("days", "")
        places = dict.fromkeys(WEEKDAYS, days)
        for name in ("start_date", "end_date"):
            places[name] = self.head.places.get(name, days)
        return RawRow(cells, self.head.file, self.head.row, places)

    def runs(self, date: dt.date, as_day: int | None) -> bool:
        """Return whether it runs on a date if that counts as a weekday (None: as no day)."""
        first, last = read_date(self.start), read_date(self.end)
        if first is None or last is None or as_day is None:
            return False
        return first <= date <= last and str(as_day + 1) in parse_days(self.days)


def read_date(text: str) -> dt.date | None:
    """Return the date of ``YYYYMMDD``, None where it is none."""
    try:
        return dt.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a date has no zone)
    except ValueError:
        return None


def exception_rows(
    rows: Sequence[RawRow], services: Sequence[Service], faults: Faults
) -> list[RawRow]:
    """Return the rows of ``calendar_dates`` that make dates run as other weekdays, or not at all.

    What is said of one line goes before what is said of all. A row with a date or day that cannot
    be read, or a date that stands twice, is left out; ``faults`` is told its cells.
    """
    said = _read_exceptions(rows, services, faults)
    found = []
    for service in services:
        for date in sorted({date for date, _ in said}):
            told = said.get((date, service.route_id)) or said.get((date, ""))
            if told is None:
                continue
            as_day, row = told
            usual, then = service.runs(date, date.weekday()), service.runs(date, as_day)
            if usual != then:
                cells = {"service_id": service.id, "date": f"{date:%Y%m%d}",
                         "exception_type": "1" if then else "2"}  # fmt: skip
                found.append(RawRow(cells, row.file, row.row, row.places))
    return found


def _read_exceptions(
    rows: Sequence[RawRow], services: Sequence[Service], faults: Faults
) -> dict[tuple[dt.date, str], tuple[int | None, RawRow]]:
    """Return by date and line (empty: all) the weekday as which it runs, and its row."""
    said: dict[tuple[dt.date, str], tuple[int | None, RawRow]] = {}
    lines = {service.route_id for service in services}

    def fault(row: RawRow, column: str, told: str) -> None:
        faults.add(row.file, row.places.get(column, f"A{row.row}"), told)

    for row in rows:
        date, word = read_date(row.cells.get("date", "")), row.cells.get("runs_as", "")
        line, days = row.cells.get("route_id", ""), parse_days(word)
        readable = word.lower() == NONE or len(days) == 1
        if date is None:
            fault(row, "date", "expected a date such as 2027-12-25")
        if not readable:
            fault(row, "runs_as", f"{word!r}: expected one weekday or {NONE}")
        if lines and line and line not in lines:
            fault(row, "route_id", f"no trip of a line {line!r}")
        if (date, line) in said:
            fault(row, "date", f"{date} stands there twice")
        elif date is not None and readable:
            said[date, line] = (None if word.lower() == NONE else int(days) - 1), row
    return said
