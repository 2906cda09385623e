"""What a reader of any format hands on: tables of text in the shape of GTFS.

A reader of a new format turns its source into rows of cells under GTFS column names and says where
each came from. Typing, keys, closure, repair and the accounts are the same for all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import polars as pl

from mobility.core.ids import canonical_json
from mobility.core.notices import Notice
from mobility.feeds.findings import Findings
from mobility.feeds.read import LINE, REPAIRED, TextBlock


class RawTables(Protocol):
    """An open source of one operator's feed, table by table (names of the schema) as text."""

    @property
    def place(self) -> str:
        """Where the feed is, as it was given, for messages."""
        ...

    def __contains__(self, table: str) -> bool: ...

    def size(self, table: str) -> int:
        """Return how much there is to read of a table, in the units of `TextBlock.bytes_done`."""
        ...

    def blocks(self, table: str, findings: Findings) -> Iterator[TextBlock]:
        """Yield the rows of a table; the first block has all columns even if it has no row.

        Raises
        ------
        FeedError
            The source is damaged here.
        """
        ...

    def locations(self) -> bytes | None:
        """Return ``locations.geojson`` as it came, or None."""
        ...

    def version(self) -> str:
        """Return the SHA-256 over all that is read, however it was packed."""
        ...

    def locate(self, notice: Notice) -> Notice:
        """Return a notice about a row of a table with the place that its author knows."""
        ...

    def write_files(self, folder: Path) -> None:
        """Write the feed as GTFS text files, for programs that read nothing else."""
        ...


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row of a table and where its cells came from.

    Parameters
    ----------
    cells : mapping of GTFS column to text
        A missing or blank cell is an empty one.
    file : str
        The file or sheet that a notice names.
    row : int
        Its line or row there, from 1.
    places : mapping of GTFS column to str
        Where in the file a cell stands, such as ``D7``, where it has a place of its own.
    """

    cells: Mapping[str, str]
    file: str
    row: int
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeldTables:
    """Tables of a source that was read as a whole, such as a sheet; see `RawTables`.

    Parameters
    ----------
    place : str
    rows : mapping of table name to rows
        The line of a row, while it goes on its way, is its line in `write_files`.
    hints : mapping of notice code, or ``code table.column``, to str
        What to expect in the words of the format, in place of the rule's.
    """

    place: str
    rows: Mapping[str, Sequence[RawRow]]
    hints: Mapping[str, str] = field(default_factory=dict)

    def __contains__(self, table: str) -> bool:
        return table in self.rows

    def size(self, table: str) -> int:
        """Return the number of rows."""
        return len(self.rows[table])

    def blocks(self, table: str, findings: Findings) -> Iterator[TextBlock]:
        """Yield the rows, in one block."""
        frame = self._frame(table)
        yield TextBlock(frame, len(frame), len(self.rows[table]))

    def _frame(self, table: str) -> pl.DataFrame:
        rows = self.rows[table]
        names = list(dict.fromkeys(name for row in rows for name in row.cells))
        texts = {name: [(row.cells.get(name) or "").strip() or None for row in rows]
                 for name in names}  # fmt: skip
        frame = pl.DataFrame(texts, schema=dict.fromkeys(names, pl.String))
        return frame.with_columns(
            pl.int_range(2, len(rows) + 2, dtype=pl.Int32, eager=True).alias(LINE),
            pl.Series(REPAIRED, [False] * len(rows), dtype=pl.Boolean),
        )

    def locations(self) -> bytes | None:
        """Return None: such formats draw no areas."""
        return None

    def version(self) -> str:
        """Return the SHA-256 over names and cells of all tables."""
        cells = {name: [dict(row.cells) for row in rows] for name, rows in self.rows.items()}
        return hashlib.sha256(canonical_json(cells)).hexdigest()

    def locate(self, notice: Notice) -> Notice:
        """Return a notice with file, row and column of the source, and its own words."""
        table = notice.file.removesuffix(".txt")
        if not 2 <= notice.row < len(self.rows.get(table, ())) + 2:
            return notice
        raw = self.rows[table][notice.row - 2]
        place = raw.places.get(notice.field, "")
        hint = self.hints.get(f"{notice.code} {table}.{notice.field}")
        hint = hint or self.hints.get(notice.code, "")
        message = hint or notice.message
        if place:
            message = f"{raw.file}!{place}: {message}"
        digits = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        return replace(
            notice,
            file=raw.file,
            row=int(digits) if digits.isdigit() else raw.row,
            field=place or notice.field,
            message=message,
        )

    def write_files(self, folder: Path) -> None:
        """Write each table as CSV."""
        for table in self.rows:
            self._frame(table).drop(LINE, REPAIRED).write_csv(folder / f"{table}.txt")
