"""Loads the small tables of a feed: typed, with every column of the schema, keys unique."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from mobility.core.errors import FeedError
from mobility.feeds.cells import TYPES, TimeReader, type_columns
from mobility.feeds.findings import Findings, Progress
from mobility.feeds.raw import RawTables
from mobility.feeds.read import LINE, REPAIRED, TextBlock
from mobility.schema import TABLES, Table


@dataclass(slots=True)
class Reading:
    """A feed while it is read: its tables so far, what was found, and how many rows were read."""

    source: RawTables
    findings: Findings
    progress: Progress | None = None
    frames: dict[str, pl.DataFrame] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    kept_apart: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    times: TimeReader = field(default_factory=TimeReader)

    def report(self, stage: str, done: int, total: int) -> None:
        """Report progress to whoever listens."""
        if self.progress is not None:
            self.progress(stage, done, total)

    def drop(
        self,
        name: str,
        bad: pl.Series,
        code: str,
        *,
        field: str = "",
        values: pl.Series | None = None,
    ) -> int:
        """Drop the bad rows of a table under a code; return how many."""
        count = int(bad.sum())
        if count:
            frame = self.frames[name]
            first = bad.arg_max() or 0
            shown = values if values is not None else frame[field] if field else None
            value = "" if shown is None or shown[first] is None else shown[first]
            row = int(frame[LINE][first])
            self.findings.add(code, f"{name}.txt", row=row, field=field, value=value, count=count)
            self.frames[name] = frame.filter(~bad)
        return count

    def clear(self, name: str, bad: pl.Series, code: str, *, field: str) -> int:
        """Empty a field of the bad rows of a table under a code; return how many."""
        count = int(bad.sum())
        if count:
            frame = self.frames[name]
            first = bad.arg_max() or 0
            self.findings.add(
                code,
                f"{name}.txt",
                row=int(frame[LINE][first]),
                field=field,
                value=frame[field][first],
                count=count,
            )
            self.frames[name] = frame.with_columns(
                pl.when(~bad).then(pl.col(field)).alias(field), pl.col(REPAIRED) | bad
            )
        return count


def empty_frame(table: Table) -> pl.DataFrame:
    """Return a table without rows, with every column of the schema and ``line``."""
    types = {column.name: TYPES[column.kind] for column in table.columns}
    return pl.DataFrame(schema={**types, LINE: pl.Int32, REPAIRED: pl.Boolean})


def typed_block(block: TextBlock, table: Table, reading: Reading) -> pl.DataFrame:
    """Return a block's rows typed, with every column that the table requires.

    Raises
    ------
    FeedError
        A column that a required table cannot do without is missing.
    """
    frame = block.frame
    missing = [c.name for c in table.columns if c.required and c.name not in frame.columns]
    if missing and table.required:
        raise FeedError(
            f"{reading.findings.feed}: {table.name}.txt has no column {missing[0]!r};"
            f" its header is {','.join(frame.columns[:-2])!r}"
        )
    if missing:
        reading.findings.add(
            "missing_required_column", f"{table.name}.txt", field=missing[0], count=len(frame)
        )
        return empty_frame(table)
    if not len(frame):
        known = ((c.name, TYPES[c.kind]) for c in table.columns if c.name in frame.columns)
        return frame.cast(dict(known))
    return type_columns(frame, table, reading.findings, reading.times)


def load_table(name: str, reading: Reading) -> None:
    """Read one small table into ``reading.frames``; an absent one becomes empty."""
    table = TABLES[name]
    empty = empty_frame(table)
    reading.frames[name] = empty
    if name not in reading.source:
        return
    parts: list[pl.DataFrame] = []
    reading.read[name] = 0
    for block in reading.source.blocks(name, reading.findings):
        reading.read[name] += block.read
        reading.report(f"{name}.txt", block.bytes_done, reading.source.size(name))
        if len(block.frame) or not parts:
            parts.append(typed_block(block, table, reading))
    if parts:
        frame = pl.concat(parts, how="diagonal")
        absent = [column for column in empty.columns if column not in frame.columns]
        frame = frame.with_columns(pl.lit(None, empty.schema[c]).alias(c) for c in absent)
        others = [c for c in frame.columns if c not in empty.columns]
        reading.frames[name] = frame.select(*empty.columns[:-2], *others, LINE, REPAIRED)


def drop_duplicates(name: str, reading: Reading) -> None:
    """Drop rows that stand in a table twice, and later rows with the key of another row."""
    frame = reading.frames[name]
    if len(frame) < 2:
        return
    content = [column for column in frame.columns if column not in (LINE, REPAIRED)]
    key = list(TABLES[name].key)
    if key and frame.select(key).is_unique().all():
        return
    reading.drop(name, ~_is_first(frame, content), "duplicate_row", field=(key or content)[0])
    if key:
        frame = reading.frames[name]
        named = frame.select(pl.any_horizontal(pl.col(key).is_not_null()).alias("n"))["n"]
        reading.drop(name, named & ~_is_first(frame, key), "duplicate_key", field=key[0])


def _is_first(frame: pl.DataFrame, columns: list[str]) -> pl.Series:
    return frame.select(pl.struct(columns).is_first_distinct().alias("first"))["first"]


def kept_rows(reading: Reading, name: str) -> int:
    """Return how many rows that were read still stand for something."""
    return len(reading.frames[name]) + reading.kept_apart.get(name, 0)
