"""Writes tables as one GTFS zip: the same tables, the same bytes; whole or not at all."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import polars as pl

from mobility.core.errors import EnvironmentFault, InputError
from mobility.core.money import MINOR_DIGITS
from mobility.core.time import gtfs_time
from mobility.feeds import Progress
from mobility.merge.locations import FILE as LOCATIONS
from mobility.schema import TABLES, Column, Table

CHUNK_ROWS = 500_000
PACKED_ON = (1980, 1, 1, 0, 0, 0)  # the zip format's first moment: bytes do not tell when
FILE_MODE = 0o644
_AMOUNTS = {"price": "currency_type", "amount": "currency"}


def write_gtfs(
    path: Path,
    tables: Mapping[str, pl.DataFrame],
    progress: Progress | None,
    *,
    locations: bytes | None = None,
) -> None:
    """Write tables in the form of `Feed.tables` as a zip; until all is written nothing changes.

    Raises
    ------
    InputError
        The path is a folder.
    EnvironmentFault
        It cannot be written.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder: give the name of a zip to write")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            _write_zip(file, tables, locations, progress)
        temporary.replace(path)
    except OSError as error:
        raise EnvironmentFault(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):  # where its folder is none, it was never made
            temporary.unlink(missing_ok=True)


def _write_zip(
    file: IO[bytes],
    tables: Mapping[str, pl.DataFrame],
    locations: bytes | None,
    progress: Progress | None,
) -> None:
    names = [name for name in TABLES if name in tables and tables[name].height]
    total = sum(tables[name].height for name in names)
    done = 0
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            with archive.open(_member(f"{name}.txt"), "w", force_zip64=True) as member:
                for chunk, header in _chunks(tables, name):
                    chunk.write_csv(member, include_header=header, line_terminator="\n")
                    done += chunk.height
                    if progress is not None:
                        progress("export", done, total)

        if locations is not None:
            archive.writestr(_member(LOCATIONS), locations)


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, PACKED_ON)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = FILE_MODE << 16
    info.create_system = 3  # the same bytes whatever system writes them
    return info


def _chunks(tables: Mapping[str, pl.DataFrame], name: str) -> Iterator[tuple[pl.DataFrame, bool]]:
    """Yield a table as text, some rows at a time, and whether it is the first part."""
    table = tables[name]
    shown = _shown_columns(TABLES[name], table)
    clock = Clock.of(table, shown)
    for start in range(0, table.height, CHUNK_ROWS):
        part = table[start : start + CHUNK_ROWS]
        if name == "stop_times":
            part = _with_ids(part, tables)
        texts = [as_text(column, part, clock) for column in shown]
        yield pl.DataFrame(texts), start == 0


def _shown_columns(schema: Table, table: pl.DataFrame) -> list[Column]:
    """Return the columns that say anything, and those without which a file is none."""
    by_row = {"trip_id": "trip", "stop_id": "stop"} if schema.name == "stop_times" else {}
    shown = []
    for column in schema.columns:
        source = by_row.get(column.name, column.name)
        if source in table.columns and (
            column.required or table[source].null_count() < table.height
        ):
            shown.append(column)
    return shown


def _with_ids(part: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    return part.with_columns(
        trip_id=tables["trips"]["trip_id"].gather(part["trip"].cast(pl.UInt32)),
        stop_id=tables["stops"]["stop_id"].gather(part["stop"].cast(pl.UInt32)),
    )


class Clock:
    """Texts of GTFS times by second: looked up, not made anew for each of millions of cells."""

    def __init__(self, latest_s: int) -> None:
        self._texts = pl.Series([gtfs_time(s) for s in range(latest_s + 1)], dtype=pl.String)

    @classmethod
    def of(cls, table: pl.DataFrame, columns: list[Column]) -> Clock:
        """Return a clock that reaches to the latest time of a table."""
        times = [table[column.name].max() for column in columns if column.kind == "time"]
        known = [int(time) for time in times if isinstance(time, int)]
        return cls(max(known, default=-1))

    def texts(self, seconds: pl.Series) -> pl.Series:
        """Return ``HH:MM:SS`` of each number of seconds.

        >>> Clock(90_000).texts(pl.Series([5, None, 90_000])).to_list()
        ['00:00:05', None, '25:00:00']
        """
        return self._texts.gather(seconds.cast(pl.UInt32))


def as_text(column: Column, table: pl.DataFrame, clock: Clock) -> pl.Series:
    """Return a column as it stands in the file."""
    values = table[column.name]
    if column.kind == "time":
        return clock.texts(values).alias(column.name)
    if column.kind == "date":
        return values.dt.strftime("%Y%m%d")
    if column.name in _AMOUNTS and column.kind == "float":
        return _amounts(values, table[_AMOUNTS[column.name]])
    return values


def _amounts(values: pl.Series, currencies: pl.Series) -> pl.Series:
    """Return amounts with as many decimals as their currency has (fare_products.amount)."""
    texts = []
    for value, currency in zip(values.to_list(), currencies.to_list(), strict=True):
        text = None if value is None else f"{value:.{MINOR_DIGITS.get(currency, 2)}f}"
        exact = text is None or float(text) == value
        texts.append(text if exact else repr(value))
    return pl.Series(values.name, texts, dtype=pl.String)
