"""The exact fallback: lines that a fast reader would refuse or misread, read with Python's csv.

Called per block, and only for blocks that are not plain. A record that does not fit the header is
repaired where exactly one reading fits, else dropped; every such row is told.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from mobility.feeds.findings import Findings

MAX_OPEN_LINES = 20  # a quoted field with more line ends than this is an unclosed quote
MAX_COMBINATIONS = 200
_SENTINEL = "\x1f"
_WHOLE = re.compile(r"\s*[-+]?\d{1,9}\s*")
_FRACTION = re.compile(r"\s*\d{1,20}\s*")
_FORMS = {
    "int": re.compile(r"\s*([-+]?\d{1,9})?\s*"),
    "enum": re.compile(r"\s*(\d{1,4})?\s*"),
    "float": re.compile(r"\s*([-+]?\d{1,12}(\.\d*)?)?\s*"),
    "time": re.compile(r"\s*(\d{1,3}:\d\d?:\d\d?)?\s*"),
    "date": re.compile(r"\s*(\d{8})?\s*"),
    "color": re.compile(r"\s*([0-9A-Fa-f]{6})?\s*"),
}
_LIMITS = {"lat": 90.0, "lon": 180.0}


@dataclass(frozen=True, slots=True)
class Layout:
    """What rows of a file must look like: the kind of each field in the header's order."""

    file: str
    kinds: tuple[str, ...]


@dataclass(slots=True)
class Rows:
    """Records read from a block: cells by row, their lines, which were repaired, how many read."""

    cells: list[list[str]]
    lines: list[int]
    repaired: list[bool]
    read: int = 0


def parse_records(
    text: str, first_line: int, layout: Layout, findings: Findings, *, last: bool
) -> tuple[Rows, int]:
    """Read all records of a text of whole lines.

    Returns
    -------
    rows : Rows
    left : int
        How many trailing lines begin a quoted field that may go on in the next block (0 if last).
    """
    lines = text.split("\n")[:-1]
    rows = Rows([], [], [])
    at = 0
    while at < len(lines):
        cells, used, closed = _next_record(lines, at, len(layout.kinds))
        if not closed and not last and len(lines) - at < MAX_OPEN_LINES:
            return rows, len(lines) - at
        if not closed:
            cells = _split_plain(lines[at])
        _take(cells, first_line + at, closed, layout, findings, rows)
        at += used
    return rows, 0


def _next_record(lines: Sequence[str], at: int, width: int) -> tuple[list[str], int, bool]:
    """Return the record that begins at a line, how many lines it takes, and if its quotes close."""
    line = lines[at]
    if '"' not in line:
        return line.split(","), 1, True
    for used in range(1, min(MAX_OPEN_LINES, len(lines) - at) + 1):
        reader = csv.reader([*(f"{part}\n" for part in lines[at : at + used]), _SENTINEL],
                            skipinitialspace=True)  # fmt: skip
        try:
            cells = next(reader)
        except csv.Error:
            return [], 1, False
        if reader.line_num <= used:
            fits = used == 1 or len(cells) == width
            return [cell.replace("\n", " ") for cell in cells], used if fits else 1, fits
    return [], 1, False


def _split_plain(line: str) -> list[str]:
    """Split at every comma; quotes are characters, but a pair around a cell is cut."""
    return [_unquote(cell, '"') for cell in line.split(",")]


def _unquote(cell: str, quote: str) -> str:
    bare = cell.strip()
    return bare.strip(quote) if quote in (bare[:1], bare[-1:]) else cell


def _take(
    cells: list[str], line: int, closed: bool, layout: Layout, findings: Findings, rows: Rows
) -> None:
    """Add one record to the rows, repaired where it must be, or tell that it was dropped."""
    file, width = layout.file, len(layout.kinds)
    if not any(cell.strip() for cell in cells):
        findings.add("empty_row", file, row=line)
        return
    rows.read += 1
    repair = "" if closed else "unclosed_quote"
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        cells, repair = cells[:width], repair or "trailing_delimiter"
    elif len(cells) > width:
        found = _repair_long(cells, layout)
        if found is None:
            shown = ",".join(cells)
            findings.add("invalid_row_length", file, row=line, value=shown)
            return
        cells, repair = found
    elif len(cells) < width:
        cells, repair = cells + [""] * (width - len(cells)), repair or "short_row"
    if repair:
        findings.add(repair, file, row=line, value=",".join(cells))
    rows.cells.append(cells)
    rows.lines.append(line)
    rows.repaired.append(bool(repair))


def _repair_long(cells: list[str], layout: Layout) -> tuple[list[str], str] | None:
    """Return the one reading of too long a row that fits the header, and the repair's code."""
    joined = ",".join(cells)
    if "'" in joined:
        quoted = next(csv.reader([joined], quotechar="'", skipinitialspace=True))
        if len(quoted) == len(layout.kinds):
            return quoted, "single_quotes"
    fits = list(_decimal_readings(cells, layout.kinds))
    if len(fits) > 1:  # whole degrees are the less likely reading
        places = [i for i, kind in enumerate(layout.kinds) if kind in _LIMITS]
        fits = [row for row in fits if all("." in row[i] for i in places)]
    return (fits[0], "decimal_comma") if len(fits) == 1 else None


def _decimal_readings(cells: list[str], kinds: tuple[str, ...]) -> Iterator[list[str]]:
    """Yield each way to join whole and fraction of decimal columns so that all cells fit."""
    decimal = [i for i, kind in enumerate(kinds) if kind in ("float", "lat", "lon")]
    excess = len(cells) - len(kinds)
    if excess > len(decimal):
        return
    for number, split in enumerate(combinations(decimal, excess)):
        if number >= MAX_COMBINATIONS:
            return
        row = _join_decimals(cells, len(kinds), split)
        if row is not None and all(map(_fits, row, kinds)):
            yield row


def _join_decimals(cells: list[str], width: int, split: tuple[int, ...]) -> list[str] | None:
    row: list[str] = []
    at = 0
    for column in range(width):
        if column in split:
            whole, fraction = cells[at], cells[at + 1]
            if not (_WHOLE.fullmatch(whole) and _FRACTION.fullmatch(fraction)):
                return None
            row.append(f"{whole.strip()}.{fraction.strip()}")
            at += 2
        else:
            row.append(cells[at])
            at += 1
    return row


def _fits(cell: str, kind: str) -> bool:
    """Return whether a cell could be a value of the kind (an empty cell always could)."""
    if kind in _LIMITS:
        if not cell.strip():
            return True
        return bool(_FORMS["float"].fullmatch(cell)) and abs(float(cell)) <= _LIMITS[kind]
    form = _FORMS.get(kind)
    return form is None or bool(form.fullmatch(cell))
