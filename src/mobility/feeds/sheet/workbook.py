"""The timetable sheet: an XLSX workbook in which an operator without a feed hands in a timetable.

Sheets: ``operator`` (field, value), ``stops``, ``lines``, ``timetable`` (stops down, trips across;
further ones are called ``timetable 2`` …) and ``exceptions``. Columns carry GTFS names. A row whose
first cell begins with ``#`` is an explanation. `sheet_template` writes an empty one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mobility.core.errors import FeedError
from mobility.feeds.findings import Findings
from mobility.feeds.raw import HeldTables, RawRow, RawTables
from mobility.feeds.sheet.cells import Cell, Sheet, letters, read_workbook
from mobility.feeds.sheet.days import Service, exception_rows, read_date
from mobility.feeds.sheet.faults import Faults
from mobility.feeds.sheet.judge import judge_cells
from mobility.feeds.sheet.matrix import Column, read_matrix
from mobility.feeds.statements import FeedConfig

SHEETS = ("operator", "stops", "lines", "exceptions")
MATRIX = "timetable"
NOTES = "instructions"
OPERATOR = (
    "agency_name", "agency_url", "agency_timezone", "agency_lang", "agency_phone", "agency_email",
    "start_date", "end_date",
)  # fmt: skip
STOPS = (
    "stop_id", "stop_name", "stop_lat", "stop_lon", "platform_code", "parent_station",
    "wheelchair_boarding",
)  # fmt: skip
LINES = ("route_id", "route_short_name", "route_long_name", "route_type", "route_color")
EXCEPTIONS = ("date", "runs_as", "route_id")
ROUTE_TYPES = {
    "tram": "0", "metro": "1", "rail": "2", "bus": "3", "ferry": "4", "cable tram": "5",
    "cable car": "6", "funicular": "7", "trolleybus": "11", "monorail": "12", "coach": "200",
}  # fmt: skip
NEEDED = {
    "stops": ("stop_id", "stop_name", "stop_lat", "stop_lon"),
    "lines": ("route_id", "route_type"),
    "exceptions": ("date", "runs_as"),
}
YES_NO = {"yes": "1", "no": "2"}
STATION = "1"  # location_type
# Stands for an operator's date that cannot be read, so that its trips do not seem wrong as well;
# the workbook is refused all the same.
_SOME_DAY = "20270101"
HINTS = {
    "invalid_time": "expected HH:MM; trip dropped",
    "stop_time_with_arrival_before_previous_departure_time": (
        "earlier than the time above; after midnight count on: 24:10; trip dropped"
    ),
    "stop_time_with_departure_before_arrival_time": "departure before arrival; trip dropped",
    "stop_time_without_stop": "a time beside no stop_id; trip dropped",
    "missing_required_field": "is empty; expected a value; row or trip dropped",
    "missing_required_field agency.agency_url": "is empty; expected the operator's website",
    "invalid_date": "expected a date such as 2027-12-25; trips on these days dropped",
    "invalid_integer": "not one of the words allowed here; row dropped",
    "invalid_integer calendar.monday": (
        "expected days such as 12345, Mo-Fr, sat+sun or daily; its trips dropped"
    ),
    "foreign_key_violation stop_times.stop_id": "no such stop in the sheet stops; row dropped",
    "foreign_key_violation trips.route_id": "no such line in the sheet lines; trip dropped",
    "foreign_key_violation trips.service_id": "days or dates that cannot be read; trip dropped",
}


@contextmanager
def open_sheet(config: FeedConfig, findings: Findings) -> Iterator[RawTables]:
    """Open a timetable sheet as tables of GTFS.

    Where its form is broken it is read all the same, and refused once what it holds has been read:
    the error tells every wrong cell.

    Raises
    ------
    FeedError
        No workbook of this form, a formula in it, or a sheet or column is missing.
    """
    path = config.source()
    faults = Faults(str(path), config.id)
    sheets, others = read_workbook(path, _is_wanted, faults)
    for name in others:
        if name.strip().lower() != NOTES:
            findings.add("unknown_file", name)
    rows = _Book(sheets, faults).tables()
    tables = HeldTables(str(path), rows, HINTS)
    try:
        yield tables
    except FeedError:
        judge_cells(rows, faults)
        if not faults:
            raise
    if faults:
        judge_cells(rows, faults)
        raise faults.refusal(tables.locate(notice) for notice in findings.notices())


def _is_wanted(name: str) -> bool:
    """Return whether a sheet is of the template; there may be ``timetable`` and ``timetable 2``."""
    plain = name.strip().lower()
    return plain in SHEETS or plain.split(" ")[0] == MATRIX


class _Book:
    """The sheets of one workbook on their way to tables."""

    def __init__(self, sheets: list[Sheet], faults: Faults) -> None:
        self._faults = faults
        self._one = {sheet.name.strip().lower(): sheet for sheet in sheets}
        self._matrices = [s for s in sheets if s.name.strip().lower() not in SHEETS]
        missing = [name for name in SHEETS[:3] if name not in self._one]
        if not self._matrices:
            missing.append(MATRIX)
        for name in missing:
            faults.add(name, "", "is not there; expected the template's")
        if missing:
            raise faults.refusal()

    def tables(self) -> dict[str, list[RawRow]]:
        """Return the rows of every table."""
        operator = self._operator()
        columns = [
            column for sheet in self._matrices for column in read_matrix(sheet, self._faults)
        ]
        services = self._services(columns, operator)
        return {
            "agency": [_part(operator, OPERATOR[:6])],
            "stops": self._stops(),
            "routes": self._rows_of("lines", LINES, {"route_type": ROUTE_TYPES}),
            "trips": [_trip_row(column, services[id(column)]) for column in columns],
            "stop_times": [row for column in columns for row in column.calls],
            "calendar": [s.calendar_row() for s in dict.fromkeys(services.values())],
            "calendar_dates": self._exceptions(list(dict.fromkeys(services.values()))),
        }

    def _operator(self) -> RawRow:
        sheet = self._one["operator"]
        cells: dict[str, str] = {}
        places: dict[str, str] = {}
        for row in sheet.rows.values():
            key = row[0].text() if 0 in row else ""
            if key.startswith("#") or not key:
                continue
            if key not in OPERATOR:
                self._fault(sheet, row[0], f"{key!r} is none of {', '.join(OPERATOR)}")
                continue
            places[key] = f"B{row[0].place[1:]}"
            if 1 in row:
                cells[key] = row[1].date_text() if key.endswith("_date") else row[1].text()
                if key.endswith("_date") and read_date(cells[key]) is None:
                    self._fault(sheet, row[1], "expected a date such as 2027-01-04")
        for key in ("agency_name", "agency_timezone"):
            if key not in cells:
                self._faults.add(sheet.name, places.get(key, "B1"), f"{key} is empty")
        for key in ("start_date", "end_date"):
            if (sheet.name, places.get(key, "")) in self._faults:
                cells[key] = _SOME_DAY
        return RawRow(cells, sheet.name, 1, places)

    def _rows_of(
        self, name: str, columns: tuple[str, ...], words: Mapping[str, Mapping[str, str]]
    ) -> list[RawRow]:
        """Return the rows below a header of known names."""
        sheet = self._one[name]
        header: dict[int, str] = {}
        rows = []
        for number, row in sheet.rows.items():
            first = row[min(row)]
            if first.text().startswith("#"):
                continue
            if not header:
                header = self._header(sheet, row, columns)
                continue
            cells, places = {}, {}
            for at, key in header.items():
                places[key] = f"{letters(at)}{number}"
                if at in row:
                    text = row[at].date_text() if key == "date" else row[at].text()
                    cells[key] = words.get(key, {}).get(text.lower(), text)
            if cells:
                rows.append(RawRow(cells, sheet.name, number, places))
        if not header:
            self._faults.add(sheet.name, "", f"is empty; expected {columns[0]} …")
        return rows

    def _header(
        self, sheet: Sheet, row: Mapping[int, Cell], columns: tuple[str, ...]
    ) -> dict[int, str]:
        header: dict[int, str] = {}
        for at, cell in row.items():
            key = cell.text()
            if key not in columns or key in header.values():
                self._fault(sheet, cell, f"{key!r}: expected one each of {', '.join(columns)}")
            else:
                header[at] = key
        missing = [key for key in NEEDED[sheet.name.strip().lower()] if key not in header.values()]
        if missing:
            self._faults.add(sheet.name, "", f"has no column {missing[0]!r}")
        return header

    def _stops(self) -> list[RawRow]:
        rows = self._rows_of("stops", STOPS, {"wheelchair_boarding": YES_NO})
        parents = {row.cells.get("parent_station") for row in rows}
        return [
            RawRow({**row.cells, "location_type": STATION}, row.file, row.row, row.places)
            if row.cells.get("stop_id") in parents
            else row
            for row in rows
        ]

    def _services(self, columns: list[Column], operator: RawRow) -> dict[int, Service]:
        """Return the service of each trip; equal ones of a line are one."""
        known: dict[str, Service] = {}
        found: dict[int, Service] = {}
        for column in columns:
            cells = column.head.cells
            start, end = (
                cells.get(key) or operator.cells.get(key, "") for key in ("start_date", "end_date")
            )
            route, days = cells.get("route_id", ""), cells.get("days", "")
            service = Service(route, days, start, end, column.head)
            found[id(column)] = known.setdefault(service.id, service)
        return found

    def _exceptions(self, services: list[Service]) -> list[RawRow]:
        if "exceptions" not in self._one:
            return []
        rows = self._rows_of("exceptions", EXCEPTIONS, {})
        return exception_rows(rows, services, self._faults)

    def _fault(self, sheet: Sheet, cell: Cell, told: str) -> None:
        self._faults.add(sheet.name, cell.place, told)


def _part(row: RawRow, columns: tuple[str, ...]) -> RawRow:
    cells = {name: row.cells.get(name, "") for name in columns}
    return RawRow(cells, row.file, row.row, row.places)


def _trip_row(column: Column, service: Service) -> RawRow:
    head = column.head
    kept = ("route_id", "trip_id", "trip_headsign", "trip_short_name", "direction_id")
    cells = {name: head.cells[name] for name in kept if name in head.cells}
    places = {**head.places, "service_id": head.places.get("days", "")}
    return RawRow({**cells, "service_id": service.id}, head.file, head.row, places)
