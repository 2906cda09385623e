"""The readers of operators' formats: GTFS, the timetable sheet, and whoever joins `READERS`.

A reader opens a source and hands on `RawTables`; everything after that (`reader.read_feed`) is the
same for all formats. The manifest names the reader of a feed by ``format``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mobility.core.errors import FeedError
from mobility.core.notices import Notice
from mobility.feeds.findings import Findings
from mobility.feeds.gate import LOCATIONS, Source, open_source
from mobility.feeds.raw import RawTables
from mobility.feeds.read import TextBlock, read_text
from mobility.feeds.sheet.workbook import open_sheet
from mobility.feeds.statements import FeedConfig
from mobility.schema import TABLES

CALENDARS = ("calendar", "calendar_dates")
MAX_LOCATIONS_BYTES = 256 << 20


class Reader(Protocol):
    """Opens the source of a feed in one format."""

    def __call__(self, config: FeedConfig, findings: Findings) -> AbstractContextManager[RawTables]:
        """Open it; raise FeedError where it cannot be read at all."""
        ...


@dataclass(frozen=True, slots=True)
class GtfsTables:
    """The tables of a GTFS zip or folder; see `RawTables`."""

    source: Source

    @property
    def place(self) -> str:
        """The path as given."""
        return self.source.place

    def __contains__(self, table: str) -> bool:
        return f"{table}.txt" in self.source

    def size(self, table: str) -> int:
        """Return the stated size of the table's file in bytes."""
        return self.source.sizes[f"{table}.txt"]

    def blocks(self, table: str, findings: Findings) -> Iterator[TextBlock]:
        """Yield the rows of a file, block by block."""
        with self.source.open(f"{table}.txt") as stream:
            yield from read_text(stream, TABLES[table], findings)

    def locations(self) -> bytes | None:
        """Return ``locations.geojson`` as it came, or None."""
        if LOCATIONS not in self.source:
            return None
        with self.source.open(LOCATIONS) as stream:
            return stream.read_up_to(MAX_LOCATIONS_BYTES)

    def version(self) -> str:
        """Return the SHA-256 over names and bytes of the files."""
        return self.source.version()

    def locate(self, notice: Notice) -> Notice:
        """Return the notice: files and lines are the author's own."""
        return notice

    def write_files(self, folder: Path) -> None:
        """Write the files as they are, under their right names: no other packing matters."""
        for file in self.source.sizes:
            with self.source.open(file) as stream, (folder / file).open("wb") as target:
                while data := stream.read():
                    target.write(data)


@contextmanager
def open_gtfs(config: FeedConfig, findings: Findings) -> Iterator[RawTables]:
    """Open a GTFS zip or folder.

    Raises
    ------
    FeedError
        It cannot be opened, or a file is missing without which there is no timetable.
    """
    with open_source(config.source(), findings) as source:
        tables = GtfsTables(source)
        if not any(name in tables for name in CALENDARS):
            raise FeedError(f"{source.place}: there is neither calendar.txt nor calendar_dates.txt")
        for name, table in TABLES.items():
            if table.required and name not in tables and name != "agency":
                raise FeedError(f"{source.place}: there is no {name}.txt; expected a GTFS feed")
        yield tables


# By the name that a manifest gives as ``format``.
READERS: dict[str, Reader] = {"gtfs": open_gtfs, "sheet": open_sheet}


def open_feed(config: FeedConfig, findings: Findings) -> AbstractContextManager[RawTables]:
    """Open a feed's source with the reader of its format.

    Raises
    ------
    FeedError
        No reader has that name.
    """
    reader = READERS.get(config.format)
    if reader is None:
        known = ", ".join(sorted(READERS))
        raise FeedError(f"feed {config.id}: format {config.format!r} is not known; one of {known}")
    return reader(config, findings)
