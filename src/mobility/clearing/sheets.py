"""Reading sheets: CSV files whose kind is known by their columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mobility.clearing.kinds import SHEETS, Sheet, find_sheet
from mobility.core.errors import EnvironmentFault, EventError

MAX_FILE_BYTES = 256 * 2**20
MAX_COLUMNS = 200


def read_sheet(path: Path) -> tuple[Sheet, list[tuple[int, dict[str, str] | None]]]:
    """Return the kind of the file and its rows with their line numbers.

    A row of another length than the header is None. Comma or semicolon separate, UTF-8 with or
    without a byte-order mark.

    Raises
    ------
    EventError
        No such file, too large, not UTF-8, or columns of no known kind.
    EnvironmentFault
        The file cannot be read.
    """
    text = _decode(path)
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(header) > MAX_COLUMNS or len(set(header)) < len(header):
            raise EventError(f"{path}: line 1: a column stands there twice, or too many columns")
        sheet = find_sheet(header)
        if sheet is None:
            known = "; ".join(f"{s.kind}: {', '.join(s.required)}" for s in SHEETS)
            raise EventError(f"{path}: line 1: columns of no known sheet ({known})")
        return sheet, list(_rows(reader, header))
    except csv.Error as error:
        raise EventError(f"{path}: line {reader.line_num}: {error}") from None


def _rows(reader: Any, header: list[str]) -> Iterator[tuple[int, dict[str, str] | None]]:
    for fields in reader:
        if any(value.strip() for value in fields):
            same = len(fields) == len(header)
            yield reader.line_num, dict(zip(header, fields, strict=True)) if same else None


def _decode(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise EventError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise EventError(f"{path}: there is no such file") from None
    except OSError as error:
        raise EnvironmentFault(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise EventError(f"{path}: byte {error.start}: expected UTF-8") from None
