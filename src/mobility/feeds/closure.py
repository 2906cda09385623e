"""Closure: no row refers to a row that is not there. Derived from the schema's graph alone."""

from __future__ import annotations

import polars as pl

from mobility.feeds.load import Reading
from mobility.schema import TABLES, Reference, references_of, tables_in_order
from mobility.schema.graph import TRANSLATED_TABLES

# stop_times refer by row number and are closed while they are read.
_BY_ROW_NUMBER = "stop_times"


def close_references(reading: Reading) -> None:
    """Drop rows (or empty cells) whose reference leads nowhere, until none is left."""
    changed = True
    while changed:
        changed = False
        for name in tables_in_order():
            if name == _BY_ROW_NUMBER or not len(reading.frames[name]):
                continue
            for reference in references_of(TABLES[name]):
                changed |= _close(reference, reading)
        changed |= _close_translations(reading)


def _close(reference: Reference, reading: Reading) -> bool:
    values = reading.frames[reference.table][reference.column]
    if values.null_count() == len(values):
        return False
    targets = [reading.frames[table][column] for table, column in reference.targets]
    known = pl.concat([target.drop_nulls().unique() for target in targets]).unique()
    bad = values.is_not_null() & ~values.is_in(known.implode())
    if not bad.any():
        return False
    code, field = "foreign_key_violation", reference.column
    if reference.on_dangling == "clear":
        return bool(reading.clear(reference.table, bad, f"{code}_cleared", field=field))
    return bool(reading.drop(reference.table, bad, code, field=field))


def _close_translations(reading: Reading) -> bool:
    frame = reading.frames["translations"]
    dropped = 0
    for name in TRANSLATED_TABLES:
        frame = reading.frames["translations"]
        mine = (frame["table_name"] == name) & frame["record_id"].is_not_null()
        if not mine.any():
            continue
        key = "trip_id" if name == _BY_ROW_NUMBER else TABLES[name].key[0]
        known = reading.frames["trips" if name == _BY_ROW_NUMBER else name][key]
        bad = mine & ~frame["record_id"].is_in(known.drop_nulls().implode())
        dropped += reading.drop("translations", bad, "foreign_key_violation", field="record_id")
    return bool(dropped)
