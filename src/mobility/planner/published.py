"""Tables of published figures (``feeds/emission_factors.csv``, ``feeds/delays.csv``), as read.

A row is about the vehicles of a kind in a country, or of an operator (``feed:agency_id``, or a feed
as a whole), and names its source. A region may have tables of its own beside its manifest; their
rows come first. Where a country has no row, ``EU`` speaks.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mobility.core.errors import ManifestError
from mobility.core.files import find_shipped_table
from mobility.journey import Section

FACTORS_FILE, DELAYS_FILE = "emission_factors.csv", "delays.csv"
PUBLISHED_PART = "published.json"  # of an edition: the region's own tables as they are written
EVERYWHERE = "EU"  # what speaks for a country without rows of its own
MAX_ROWS = 10_000
MAX_TEXT = 400
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its cells by column, and where it stands."""

    file: str
    line: int
    cells: Mapping[str, str]

    def fail(self, column: str, expected: str) -> ManifestError:
        """Return the error about a cell: file, line, column, value, expectation."""
        value = self.cells[column]
        return ManifestError(f"{self.file} line {self.line}: {column} {value!r}: {expected}")

    def text(self, column: str, *, needed: bool = True) -> str:
        """Return a cell's text."""
        value = self.cells[column]
        if needed and not value:
            raise self.fail(column, "expected a text")
        if len(value) > MAX_TEXT:
            raise self.fail(column, f"expected at most {MAX_TEXT} characters")
        return value

    def among(self, column: str, known: tuple[str, ...]) -> str:
        """Return a cell that is one of some words."""
        if self.cells[column] not in known:
            raise self.fail(column, f"expected one of {', '.join(known)}")
        return self.cells[column]

    def country(self) -> str:
        """Return the country of the row: two capital letters."""
        if not _COUNTRY.fullmatch(self.cells["country"]):
            raise self.fail("country", f"expected an ISO 3166 code or {EVERYWHERE}")
        return self.cells["country"]

    def speaker(self) -> str:
        """Return whom the row is about: the operator or feed that it names, else the country."""
        return self.text("agency", needed=False) or self.country()

    def year(self) -> int:
        """Return the year that the figure is about."""
        return int(self.number("year", 1950, 2100))

    def number(self, column: str, least: float, most: float) -> float:
        """Return a cell's number, which must lie within the bounds."""
        expected = f"expected a number from {least:g} to {most:g}"
        try:
            value = float(self.cells[column])
        except ValueError:
            raise self.fail(column, expected) from None
        if not math.isfinite(value) or not least <= value <= most:
            raise self.fail(column, expected)
        return value

    def optional(self, column: str, least: float, most: float) -> float | None:
        """Return a cell's number; None where it is empty."""
        return self.number(column, least, most) if self.cells[column] else None


@dataclass(frozen=True, slots=True)
class Published:
    """The rows of both tables in force, those of the region first."""

    factors: tuple[Row, ...]
    delays: tuple[Row, ...]


def speakers(section: Section | None, country: str | None) -> tuple[str, ...]:
    """Return whose rows are about a ride in a country, the first that has any decides."""
    owners = (f"{section.feed}:{section.agency_id}", section.feed) if section else ()
    return (*owners, *((country,) if country else ()), EVERYWHERE)


FACTOR_COLUMNS = (
    "country", "vehicle", "agency", "traction", "year", "g_per_pkm", "scope", "occupancy",
    "checked", "source",
)  # fmt: skip
DELAY_COLUMNS = (
    "country", "vehicle", "agency", "year", "within_s", "share_within", "within2_s",
    "share_within2", "checked", "source",
)  # fmt: skip


def read_rows(text: str, file: str, columns: tuple[str, ...]) -> tuple[Row, ...]:
    """Return the rows of a table.

    Raises
    ------
    ManifestError
        A column is missing, a row has too few or too many cells, or there are too many rows.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise ManifestError(f"{file}: expected the columns {', '.join(columns)}")
    rows: list[Row] = []
    for cells in reader:
        if None in cells or None in cells.values():
            raise ManifestError(f"{file} line {reader.line_num}: expected {len(columns)} cells")
        if len(rows) == MAX_ROWS:
            raise ManifestError(f"{file}: more than {MAX_ROWS} rows")
        rows.append(Row(file, reader.line_num, {k: cells[k].strip() for k in columns}))
    return tuple(rows)


def region_tables(folder: Path) -> dict[str, str]:
    """Return the texts of a region's own tables by file name, where it has any.

    Raises
    ------
    ManifestError
        One of them is not UTF-8.
    """
    texts = {}
    for name in (FACTORS_FILE, DELAYS_FILE):
        path = folder / name
        if path.is_file():
            try:
                texts[name] = path.read_text("utf-8")
            except UnicodeDecodeError:
                raise ManifestError(f"{name}: expected UTF-8") from None
    return texts


def read_published(own: Mapping[str, str] | bytes | None = None) -> Published:
    """Return the tables in force: the region's own (texts, or the edition's part), the shipped."""
    texts: Mapping[str, str] = json.loads(own) if isinstance(own, bytes) else own or {}

    def rows(name: str, columns: tuple[str, ...]) -> tuple[Row, ...]:
        shipped = find_shipped_table(name)
        found = read_rows(texts[name], name, columns) if name in texts else ()
        if shipped is None:
            return found
        return found + read_rows(shipped.read_text("utf-8"), name, columns)

    return Published(rows(FACTORS_FILE, FACTOR_COLUMNS), rows(DELAYS_FILE, DELAY_COLUMNS))
