"""Opens an XLSX workbook that anybody may have sent: sheets as cells, within limits.

Nothing in it is evaluated, fetched or believed: a formula or an error value is refused with its
cell, a document type (the door to external entities) too, and the bytes are counted while they
inflate, before a library sees them.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers import expat

from mobility.core.errors import FeedError
from mobility.feeds.sheet.faults import Faults

MIB = 1 << 20
MAX_FILE_BYTES = 16 * MIB
MAX_INFLATED_BYTES = 128 * MIB
MAX_MEMBERS = 1_000
MAX_SHEETS = 100
MAX_ROWS = 20_000
MAX_CELLS = 2_000_000
MAX_TEXT = 2_000
TIME_DAYS_MAX = 4.0  # a number of days that still is a time of day, counted on after midnight
DAY_S = 86_400
_TIME = re.compile(r"(\d{1,3}):(\d\d)(?::(\d\d))?")
_NO_VALUE = "holds a formula or an error; expected a value: copy, then paste as values"
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")

Value = str | int | float | bool | dt.date | dt.time | dt.timedelta | None


def letters(column: int) -> str:
    """Return the name of a column, from 0.

    >>> letters(0), letters(27)
    ('A', 'AB')
    """
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that is not empty: its place such as ``D7``, and its value."""

    place: str
    value: Value

    def text(self) -> str:
        """Return the value as text, numbers without a needless fraction.

        >>> Cell("A1", 12.0).text(), Cell("A1", " x ").text()
        ('12', 'x')
        """
        if isinstance(self.value, float) and self.value.is_integer():
            return str(int(self.value))
        if isinstance(self.value, dt.datetime) and self.value.time() == dt.time():
            return self.value.date().isoformat()
        return str(self.value).strip()

    def time_text(self) -> str:
        """Return a time as ``HH:MM:SS``, hours counting on after midnight; else what stands there.

        >>> Cell("D7", dt.timedelta(hours=25)).time_text(), Cell("D7", "8:15").time_text()
        ('25:00:00', '08:15:00')
        """
        seconds = _seconds(self.value)
        if seconds is None:
            return self.text()
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def is_time(self) -> bool:
        """Return whether the value is a time of day."""
        return _seconds(self.value) is not None

    def date_text(self) -> str:
        """Return a date as ``YYYYMMDD``; else what stands there.

        >>> Cell("B9", "2027-01-04").date_text(), Cell("B9", "4.1.27").date_text()
        ('20270104', '4.1.27')
        """
        text = self.text()
        return re.sub(_DATE, r"\1\2\3", text) if _DATE.fullmatch(text) else text


def _seconds(value: Value) -> int | None:
    """Return a time of day in seconds, None where the value is none."""
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        return seconds if 0 <= seconds < TIME_DAYS_MAX * DAY_S else None
    if isinstance(value, dt.time):
        return round(value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6)
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or int(match[2]) > 59 or int(match[3] or 0) > 59:
        return None
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: rows by number (from 1) of cells by column (from 0), only those that say anything.

    ``name`` is as in the workbook.
    """

    name: str
    rows: Mapping[int, Mapping[int, Cell]]


def read_workbook(
    path: Path, wanted: Callable[[str], bool], faults: Faults
) -> tuple[list[Sheet], list[str]]:
    """Return the sheets whose names are wanted, and the names of the others.

    A cell that holds a formula, an error or too long a text is left out and told to ``faults``.

    Raises
    ------
    FeedError
        No XLSX, damaged, or beyond a limit.
    """
    import openpyxl

    content = _inspect(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that are not kept
        try:
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
            try:
                names = list(book.sheetnames)
                if len(names) > MAX_SHEETS:
                    raise FeedError(f"{path}: {len(names)} sheets; at most {MAX_SHEETS}")
                mine = [name for name in names if wanted(name)]
                sheets = [_read_sheet(path, book[name], book.epoch, faults) for name in mine]
            finally:
                book.close()
        except FeedError:
            raise
        except Exception as fault:  # the library may fail in any way on bad data
            told = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
            raise FeedError(f"{path}: is no readable XLSX workbook: {told}") from None
    return sheets, [name for name in names if name not in mine]


def _read_sheet(path: Path, sheet: Any, epoch: dt.datetime, faults: Faults) -> Sheet:
    rows: dict[int, dict[int, Cell]] = {}
    seen = 0
    for number, row in enumerate(_rows(sheet), 1):
        seen += len(row)
        if number > MAX_ROWS or seen > MAX_CELLS:
            raise FeedError(
                f"{path}: sheet {sheet.title!r} has more than {MAX_ROWS:,} rows or"
                f" {MAX_CELLS:,} cells; refused"
            )
        cells: dict[int, Cell] = {}
        for column, cell in enumerate(row):
            if cell.value is None or (isinstance(cell.value, str) and not cell.value.strip()):
                continue
            place = f"{letters(column)}{number}"
            if cell.data_type in ("f", "e"):
                faults.add(sheet.title, place, _NO_VALUE)
            elif isinstance(cell.value, str) and len(cell.value) > MAX_TEXT:
                faults.add(sheet.title, place, f"over {MAX_TEXT} characters")
            else:
                cells[column] = Cell(place, _whole(cell.value, epoch))
        if cells:
            rows[number] = cells
    return Sheet(sheet.title, rows)


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()  # what the file says of its size is not believed
    yield from sheet.iter_rows()


def _whole(value: Any, epoch: dt.datetime) -> Value:
    """Return a time past midnight, which reads as a date near the epoch, as a duration."""
    if isinstance(value, dt.datetime):
        from openpyxl.utils.datetime import to_excel

        days = float(to_excel(value, epoch))
        if days < TIME_DAYS_MAX:
            return dt.timedelta(seconds=round(days * DAY_S))
    return value if isinstance(value, Value) else str(value)


def _inspect(path: Path) -> bytes:
    """Return the bytes of a workbook; refuse what is no zip of plain XML within the limits."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise FeedError(f"{path}: more bytes than {MAX_FILE_BYTES // MIB} MiB; refused")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _inspect_members(path, archive)
        return content
    except FileNotFoundError:
        raise FeedError(f"{path}: there is no such file") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
            ValueError) as fault:  # fmt: skip
        raise FeedError(f"{path}: is no XLSX workbook, or damaged: {fault}") from None
    except OSError as fault:
        raise FeedError(f"{path}: cannot be read: {fault.strerror or fault}") from None


def _inspect_members(path: Path, archive: zipfile.ZipFile) -> None:
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise FeedError(f"{path}: {len(infos)} members; at most {MAX_MEMBERS}")
    total = 0
    for info in infos:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _refuse_doctype
        is_xml = info.filename.lower().endswith((".xml", ".rels", ".vml"))
        with archive.open(info) as stream:
            while data := stream.read(MIB):
                total += len(data)
                if total > MAX_INFLATED_BYTES:
                    raise FeedError(f"{path}: inflates beyond {MAX_INFLATED_BYTES // MIB} MiB")
                if is_xml:
                    _feed(path, info.filename, parser, data)


def _feed(path: Path, name: str, parser: expat.XMLParserType, data: bytes) -> None:
    try:
        parser.Parse(data, False)
    except expat.ExpatError as fault:
        raise FeedError(f"{path}: {name} is no plain XML: {fault}") from None


def _refuse_doctype(*_: object) -> None:
    raise ValueError("a document type in its XML")
