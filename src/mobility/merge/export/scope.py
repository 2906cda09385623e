"""Ids of one feed become ids of the export, and rows that lead nowhere fall away.

Both derive from the schema: what is an id, and what refers to what, stands there once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from mobility.core.notices import Notice
from mobility.merge.export.stops import ExportedStops
from mobility.merge.region import Region
from mobility.schema import TABLES, Reference, references_of, scoped_columns, tables_in_order
from mobility.schema.graph import TRANSLATED_TABLES

BY_ROW = "stop_times"  # refers by row number to what stands there by construction


@dataclass(slots=True)
class Findings:
    """What the export could not say in one feed, by code and file."""

    counts: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def add(self, code: str, file: str, message: str, count: int) -> None:
        """Count rows."""
        if count:
            key = (code, file, message)
            self.counts[key] = self.counts.get(key, 0) + count

    def notices(self) -> tuple[Notice, ...]:
        """Return one notice per code and file."""
        return tuple(
            Notice(code, "warning", file=f"{file}.txt", message=message, count=count)
            for (code, file, message), count in sorted(self.counts.items())
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """Maps ids of the region's feeds to ids of the export.

    Parameters
    ----------
    feeds : tuple of str
        Feed ids in the order of the region.
    precedence : tuple of int
        Per feed; lower wins.
    stops : DataFrame
        ``feed``, ``raw``, ``at`` (row of the region's stops), ``stop_id`` (of the export).
    """

    feeds: tuple[str, ...]
    precedence: tuple[int, ...]
    stops: pl.DataFrame

    @classmethod
    def of(cls, region: Region, stops: ExportedStops) -> Scope:
        """Return the scope of a region whose stops are made."""
        table = region.tables["stops"].select("feed", raw=pl.col("stop_id"))
        row = pl.Series(stops.row).cast(pl.UInt32)
        table = table.with_columns(
            at=pl.int_range(pl.len(), dtype=pl.Int32), stop_id=stops.table["stop_id"].gather(row)
        ).unique(["feed", "raw"], keep="first", maintain_order=True)
        return cls(
            tuple(feed.id for feed in region.feeds),
            tuple(feed.precedence for feed in region.feeds),
            table,
        )

    def prefixes(self, table: pl.DataFrame) -> pl.Series:
        """Return ``feed:`` of each row."""
        ids = pl.Series([f"{feed}:" for feed in self.feeds], dtype=pl.String)
        return ids.gather(table["feed"].cast(pl.UInt32))

    def ranks(self, table: pl.DataFrame) -> pl.Series:
        """Return the precedence of each row's feed."""
        return pl.Series(self.precedence).gather(table["feed"].cast(pl.UInt32))

    def find_stops(self, table: pl.DataFrame, column: str, found: str = "stop_id") -> pl.Series:
        """Return the stop of the export (or ``at``: of the region) that a column names, or null."""
        keys = table.select(pl.col("feed").cast(pl.Int16), raw=pl.col(column).cast(pl.String))
        return keys.join(self.stops, on=["feed", "raw"], how="left", maintain_order="left")[found]

    def apply(self, name: str, table: pl.DataFrame) -> pl.DataFrame:
        """Return a table's schema columns with ids of the export, and ``feed``.

        A reference to a stop takes the stop's id in the export; every other id, ``feed:`` before
        it. A reference that finds nothing keeps such an id, for `drop_dangling` to see.
        """
        known = [column.name for column in TABLES[name].columns if column.name in table.columns]
        prefix = self.prefixes(table)
        stops = {r.column for r in references_of(TABLES[name]) if ("stops", "stop_id") in r.targets}
        columns = {}
        for column in scoped_columns(TABLES[name]):
            if column in known:
                scoped = prefix + table[column].cast(pl.String)
                at = self.find_stops(table, column) if column in stops else None
                columns[column] = scoped if at is None else at.fill_null(scoped)
        return table.select("feed", *known).with_columns(
            **{column: values.alias(column) for column, values in columns.items()}
        )


def drop_dangling(tables: dict[str, pl.DataFrame], findings: Findings) -> dict[str, pl.DataFrame]:
    """Return the tables without rows (or cells) that refer to what the export does not have.

    Source: the references of `mobility.schema`, followed until nothing changes.
    """
    out = dict(tables)
    changed = True
    while changed:
        changed = False
        for name in tables_in_order():
            if name in out and name != BY_ROW and out[name].height:
                for reference in references_of(TABLES[name]):
                    changed |= _close(reference, out, findings)
        changed |= _close_translations(out, findings)
    return out


def _close(reference: Reference, tables: dict[str, pl.DataFrame], findings: Findings) -> bool:
    name, column = reference.table, reference.column
    if column not in tables[name].columns:
        return False
    values = tables[name][column]
    known = [
        tables[table][target].drop_nulls()
        for table, target in reference.targets
        if table in tables and target in tables[table].columns
    ]
    ids = pl.concat(known).unique() if known else pl.Series([], dtype=pl.String)
    bad = values.is_not_null() & ~values.is_in(ids.implode())
    if not bad.any():
        return False
    count = int(bad.sum())
    if reference.on_dangling == "clear":
        findings.add(
            "export_reference_cleared", name, f"{column} names what no feed kept: emptied", count
        )
        tables[name] = tables[name].with_columns(pl.when(~bad).then(pl.col(column)).alias(column))
    else:
        findings.add(
            "export_row_dropped", name, f"{column} names what one feed cannot hold: dropped", count
        )
        tables[name] = tables[name].filter(~bad)
    return True


def _close_translations(tables: dict[str, pl.DataFrame], findings: Findings) -> bool:
    """Drop translations of rows that the export does not have."""
    table = tables.get("translations")
    if table is None or not table.height:
        return False
    bad = ~table["table_name"].is_in(list(TRANSLATED_TABLES)) & table["record_id"].is_not_null()
    for name in TRANSLATED_TABLES:
        key = "trips" if name == BY_ROW else name
        ids = tables[key][TABLES[key].key[0]] if key in tables else pl.Series([], dtype=pl.String)
        named = (table["table_name"] == name) & table["record_id"].is_not_null()
        bad |= named & ~table["record_id"].is_in(ids.drop_nulls().implode())
    count = int(bad.sum())
    findings.add(
        "export_row_dropped", "translations", "record_id names what is not there: dropped", count
    )
    tables["translations"] = table.filter(~bad)
    return count > 0


def first_by_key(
    table: pl.DataFrame, key: Sequence[str], order: Sequence[pl.Expr | str], findings: Findings,
    name: str,
) -> pl.DataFrame:  # fmt: skip
    """Return the first row of each key in an order; rows keep their places."""
    place = pl.int_range(pl.len()).alias("_place")
    kept = (
        table.with_columns(place)
        .sort(*order, "_place")
        .unique(list(key), keep="first", maintain_order=True)
        .sort("_place")
        .drop("_place")
    )
    findings.add(
        "export_row_twice", name, "said by two feeds of one thing: the first by precedence counts",
        table.height - kept.height,
    )  # fmt: skip
    return kept
