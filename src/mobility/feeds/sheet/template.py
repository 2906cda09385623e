"""Writes the empty timetable sheet: labels, explanations in three languages, no formula."""

from __future__ import annotations

import datetime as dt
import io
import os
import re
import tomllib
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

from mobility.core.errors import EnvironmentFault, InputError
from mobility.feeds.sheet.matrix import FIRST_TRIP, HEAD, MARK
from mobility.feeds.sheet.workbook import (
    EXCEPTIONS,
    LINES,
    MATRIX,
    NOTES,
    OPERATOR,
    ROUTE_TYPES,
    STOPS,
    YES_NO,
)

LANGUAGES = ("de", "fr", "en")
ROWS = 1_000  # down to here a cell offers its choices
TRIPS = 100
TEXT, DATE, TIME = "@", "yyyy-mm-dd", "[hh]:mm"
_NUMBERS = frozenset({"stop_lat", "stop_lon"})
_MADE = dt.datetime(1980, 1, 1)  # noqa: DTZ001 (bytes do not tell when; XLSX knows no zone)
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")


def write_template(path: Path) -> None:
    """Write an empty timetable sheet; the same bytes each time, whole or not at all.

    Raises
    ------
    InputError
        Something stands there: it may be a timetable that somebody has filled in.
    EnvironmentFault
        The file cannot be written.
    """
    if path.exists():
        raise InputError(f"{path}: is there already; give another name")
    content = make_template()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as fault:
        raise EnvironmentFault(f"{path}: cannot be written: {fault.strerror}") from fault
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def make_template() -> bytes:
    """Return the template as the bytes of an XLSX workbook."""
    import openpyxl

    words = _words()
    book = openpyxl.Workbook()
    book.properties.creator = "mobility"
    book.properties.created = _MADE
    _notes(book.active, words["notes"])
    fields = words["fields"]
    _operator(book.create_sheet("operator"), fields)
    _table(book.create_sheet("stops"), STOPS, fields)
    _table(book.create_sheet("lines"), LINES, fields)
    _matrix(book.create_sheet(MATRIX), fields)
    _table(book.create_sheet("exceptions"), EXCEPTIONS, fields)
    buffer = io.BytesIO()
    book.save(buffer)
    return _undated(buffer.getvalue())


def _words() -> dict[str, Any]:
    text = resources.files("mobility.feeds.sheet").joinpath("words.toml").read_text("utf-8")
    return tomllib.loads(text)


def _undated(content: bytes) -> bytes:
    """Return a workbook without the moment at which it was saved."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, _MADE.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            stamp = _MADE.isoformat().encode() + b"Z"
            new.writestr(info, _MODIFIED.sub(rb"\g<1>" + stamp, old.read(name)))
    return out.getvalue()


def _notes(sheet: Any, notes: dict[str, Any]) -> None:
    sheet.title = NOTES
    sheet.column_dimensions["A"].width = 130
    row = 1
    for language in LANGUAGES:
        _put(sheet, row, 1, notes[language]["title"], bold=True)
        for line in notes[language]["lines"]:
            row += 1
            _put(sheet, row, 1, line, wrap=True)
        row += 2


def _operator(sheet: Any, fields: dict[str, Any]) -> None:
    for row, key in enumerate(OPERATOR, 1):
        _put(sheet, row, 1, key, bold=True)
        sheet.cell(row, 2).number_format = _format_of(key)
        for column, language in enumerate(LANGUAGES, 3):
            _put(sheet, row, column, fields[key][language], grey=True)
    _widths(sheet, (20, 36, 36, 36, 36))


def _table(sheet: Any, columns: Sequence[str], fields: dict[str, Any]) -> None:
    for column, key in enumerate(columns, 1):
        _put(sheet, 1, column, key, bold=True)
    _explain(sheet, 2, columns, fields)
    first = 2 + len(LANGUAGES)
    for column, key in enumerate(columns, 1):
        _column(sheet, column).number_format = _format_of(key)
        choices = {"route_type": ROUTE_TYPES, "wheelchair_boarding": YES_NO}.get(key)
        if choices:
            _offer(sheet, column, first, list(choices))
    sheet.freeze_panes = f"A{first}"
    _widths(sheet, [30] * len(columns))


def _matrix(sheet: Any, fields: dict[str, Any]) -> None:
    for row, key in enumerate(HEAD, 1):
        _put(sheet, row, 1, key, bold=True)
        said = " / ".join(fields[key][language] for language in LANGUAGES)
        _put(sheet, row, 2, said, grey=True, wrap=True)
    mark = len(HEAD) + 1
    for column, label in enumerate((MARK, "stop_name", "arr / dep"), 1):
        _put(sheet, mark, column, label, bold=True)
    for column in range(1, FIRST_TRIP + 1 + TRIPS):
        _column(sheet, column).number_format = TEXT if column <= FIRST_TRIP else TIME
    for column in range(FIRST_TRIP + 1, FIRST_TRIP + 1 + TRIPS):
        for row, key in enumerate(HEAD, 1):
            sheet.cell(row, column).number_format = _format_of(key)
    sheet.freeze_panes = f"D{mark + 1}"
    _widths(sheet, (18, 44, 10, *[12] * TRIPS))


def _explain(sheet: Any, first: int, columns: Sequence[str], fields: dict[str, Any]) -> None:
    """Write a row of explanations per language; the mark # says that they are none of the data."""
    for row, language in enumerate(LANGUAGES, first):
        for column, key in enumerate(columns, 1):
            said = fields[key][language]
            mark = "" if column > 1 else "# "
            _put(sheet, row, column, f"{mark}{said}", grey=True, wrap=True)


def _put(
    sheet: Any, row: int, column: int, text: str, *,
    bold: bool = False, grey: bool = False, wrap: bool = False,
) -> None:  # fmt: skip
    from openpyxl.styles import Alignment, Font

    cell = sheet.cell(row, column)
    cell.value = text
    cell.data_type = "s"  # never a formula, whatever it begins with
    cell.number_format = TEXT
    cell.font = Font(bold=bold, italic=grey, color="FF595959" if grey else "FF000000")
    cell.alignment = Alignment(wrap_text=wrap, vertical="top")


def _format_of(key: str) -> str:
    """Return the format of what belongs in an empty cell."""
    if key == "date" or key.endswith("_date"):
        return DATE
    return "General" if key in _NUMBERS else TEXT


def _column(sheet: Any, column: int) -> Any:
    return sheet.column_dimensions[sheet.cell(1, column).column_letter]


def _offer(sheet: Any, column: int, first: int, choices: list[str]) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    offer = DataValidation("list", formula1=f'"{",".join(choices)}"', allow_blank=True)
    letter = sheet.cell(1, column).column_letter
    offer.add(f"{letter}{first}:{letter}{ROWS}")
    sheet.add_data_validation(offer)


def _widths(sheet: Any, widths: Sequence[int]) -> None:
    for column, width in enumerate(widths, 1):
        _column(sheet, column).width = width
