"""Turns text cells into typed ones: seconds, dates, numbers; tells what could not be turned."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from mobility.core.errors import TimeError
from mobility.core.time import find_zone, parse_gtfs_time
from mobility.feeds.findings import Findings
from mobility.feeds.read import LINE, REPAIRED
from mobility.schema import Column, Table

_TEXT = ("id", "text", "color", "url", "zone", "currency", "language")
TYPES: dict[str, pl.DataType] = {
    **{kind: pl.String() for kind in _TEXT},
    **{kind: pl.Int32() for kind in ("int", "enum", "time")},
    **{kind: pl.Float64() for kind in ("float", "lat", "lon")},
    "date": pl.Date(),
}
CODES = {
    "int": "invalid_integer", "enum": "invalid_integer", "float": "invalid_float",
    "lat": "invalid_float", "lon": "invalid_float", "date": "invalid_date", "time": "invalid_time",
    "color": "invalid_color", "zone": "invalid_timezone",
}  # fmt: skip
LIMITS = {"lat": 90.0, "lon": 180.0}
_UNSIGNED = {"int", "float"}  # no whole number or distance of GTFS is below 0, but for these:
_SIGNED = {"level_index", "stair_count", "max_slope", "amount", "price", "transfer_count"}


class TimeReader:
    """Reads clock times; each text once per feed."""

    def __init__(self) -> None:
        self._seconds: dict[str, int | None] = {}

    def read(self, texts: pl.Series) -> pl.Series:
        """Return Int32 seconds from the service-day origin, null where the text is no time."""
        unique = texts.drop_nulls().unique()
        for text in unique.to_list():
            if text not in self._seconds:
                self._seconds[text] = parse_gtfs_time(text)
        values = pl.Series([self._seconds[text] for text in unique.to_list()], dtype=pl.Int32)
        return texts.replace_strict(unique, values, default=None, return_dtype=pl.Int32)


def type_columns(
    frame: pl.DataFrame, table: Table, findings: Findings, times: TimeReader
) -> pl.DataFrame:
    """Return the frame with typed columns; rows without a required value are gone and told."""
    for column in table.columns:
        if column.name in frame.columns:
            frame = _type_column(frame, column, f"{table.name}.txt", findings, times)
    return frame


def _type_column(
    frame: pl.DataFrame, column: Column, file: str, findings: Findings, times: TimeReader
) -> pl.DataFrame:
    name, text = column.name, frame[column.name]
    typed, repaired = _convert(text, column, times)
    if repaired is not None and repaired.any():
        frame = _tell(frame, repaired, text, column, "decimal_comma", file, findings)
        frame = _mark_repaired(frame, repaired)
    frame = frame.with_columns(typed.alias(name))
    if typed is not text:
        bad = typed.is_null() & text.is_not_null()
        frame, text = _judge(frame, bad, text, column, CODES.get(column.kind, ""), file, findings)
    outside = _outside(frame[name], column)
    if outside is not None:
        code = "unexpected_enum_value" if column.kind == "enum" else "number_out_of_range"
        frame, text = _judge(frame, outside, text, column, code, file, findings)
    if column.required and frame[name].null_count():
        missing = frame[name].is_null()
        frame = _tell(frame, missing, text, column, "missing_required_field", file, findings)
        frame = frame.filter(~missing)
    return frame


def _judge(
    frame: pl.DataFrame,
    bad: pl.Series,
    text: pl.Series,
    column: Column,
    code: str,
    file: str,
    findings: Findings,
) -> tuple[pl.DataFrame, pl.Series]:
    """Tell bad cells; drop their rows where the column is required, else empty the cells.

    A bad time is left empty without a word here: what it does to the trip is decided later.
    """
    if not bad.any():
        return frame, text
    if column.required:
        _tell(frame, bad, text, column, code, file, findings)
        return frame.filter(~bad), text.filter(~bad)
    if column.kind == "time" and file == "stop_times.txt":
        marked = pl.when(bad).then(BAD_TIME).otherwise(pl.col(column.name))
        return frame.with_columns(marked.alias(column.name)), text
    cleared = f"{code}_cleared"
    _tell(frame, bad, text, column, cleared, file, findings)
    emptied = pl.when(~bad).then(pl.col(column.name)).alias(column.name)
    return _mark_repaired(frame.with_columns(emptied), bad), text


BAD_TIME = -1  # stands for a time of stop_times that could not be read, until its trip is judged


def _tell(
    frame: pl.DataFrame,
    bad: pl.Series,
    text: pl.Series,
    column: Column,
    code: str,
    file: str,
    findings: Findings,
) -> pl.DataFrame:
    first = bad.arg_max() or 0
    findings.add(
        code,
        file,
        row=int(frame[LINE][first]),
        field=column.name,
        value=text[first] or "",
        count=int(bad.sum()),
    )
    return frame


def _mark_repaired(frame: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    return frame.with_columns((pl.col(REPAIRED) | rows).alias(REPAIRED))


def _convert(
    text: pl.Series, column: Column, times: TimeReader
) -> tuple[pl.Series, pl.Series | None]:
    """Return the typed series (null where it fails), and which cells needed a repair to be read."""
    kind = column.kind
    if text.null_count() == len(text):
        return pl.Series(text.name, [None] * len(text), dtype=TYPES[kind]), None
    if kind in ("int", "enum"):
        return _to_int(text), None
    if kind in ("float", "lat", "lon"):
        return _to_float(text)
    if kind == "time":
        return times.read(text), None
    convert = _CONVERTERS.get(kind)
    return (convert(text) if convert else text), None


def _to_int(text: pl.Series) -> pl.Series:
    number = text.cast(pl.Int32, strict=False)
    if number.null_count() == text.null_count():
        return number
    whole = text.cast(pl.Float64, strict=False)  # "1.0" as some spreadsheets write it
    exact = whole.is_finite() & (whole == whole.floor()) & (whole.abs() < 2**31)
    return number.zip_with(number.is_not_null() | ~exact.fill_null(value=False),
                           whole.cast(pl.Int32, strict=False))  # fmt: skip


def _to_float(text: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    number = text.cast(pl.Float64, strict=False)
    number = number.zip_with(number.is_finite().fill_null(value=True),
                             pl.Series([None], dtype=pl.Float64))  # fmt: skip
    if number.null_count() == text.null_count():
        return number, None
    comma = number.is_null() & text.str.contains(r"^[-+]?\d+,\d+$")
    repaired = comma.fill_null(value=False)
    if not repaired.any():
        return number, None
    pointed = text.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return number.zip_with(~repaired, pointed), repaired


def _to_date(text: pl.Series) -> pl.Series:
    digits = text.str.contains(r"^\d{8}$")
    plain = text.zip_with(digits.fill_null(value=False), pl.Series([None], dtype=pl.String))
    return plain.str.to_date("%Y%m%d", strict=False)


def _to_color(text: pl.Series) -> pl.Series:
    color = text.str.strip_prefix("#").str.to_uppercase()
    good = color.str.contains(r"^[0-9A-F]{6}$").fill_null(value=False)
    return color.zip_with(good, pl.Series([None], dtype=pl.String))


def _to_zone(text: pl.Series) -> pl.Series:
    known = [name for name in text.drop_nulls().unique().to_list() if is_zone(name)]
    return text.zip_with(text.is_in(known), pl.Series([None], dtype=pl.String))


def _to_upper(text: pl.Series) -> pl.Series:
    return text.str.to_uppercase()


def is_zone(name: str) -> bool:
    """Return whether a text names a time zone."""
    try:
        find_zone(name)
    except TimeError:
        return False
    return True


_CONVERTERS: dict[str, Callable[[pl.Series], pl.Series]] = {
    "date": _to_date,
    "color": _to_color,
    "zone": _to_zone,
    "currency": _to_upper,
}


def _outside(values: pl.Series, column: Column) -> pl.Series | None:
    """Return which values are outside what the column allows, or None if none is."""
    if column.values:
        bad = ~values.is_in(list(column.values))
    elif column.kind in LIMITS:
        bad = values.abs() > LIMITS[column.kind]
    elif column.kind in _UNSIGNED and column.name not in _SIGNED:
        bad = values < 0
    else:
        return None
    bad = bad.fill_null(value=False)
    return bad if bad.any() else None
