"""The tables of GTFS Schedule: columns, kinds, keys, allowed values, references.

The one list from which typing, key checks, prefixing, pruning and closure deletion derive. Source:
GTFS Schedule reference (revision of April 2026), https://gtfs.org/documentation/schedule/reference/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from mobility.schema.reference import REFERENCE

Kind = Literal[
    "id", "text", "int", "float", "time", "date", "lat", "lon", "enum", "color", "url", "zone",
    "currency", "language",
]  # fmt: skip
OnDangling = Literal["drop", "clear"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a GTFS table.

    Parameters
    ----------
    name : str
        The column's name in the file.
    kind : str
        What a cell holds; ``time`` is seconds from the service-day origin once read.
    required : bool
        A row without a value here means nothing (conditionally required columns are not marked).
    references : tuple of str
        Columns (``table.column``) of which one must hold the value.
    on_dangling : str
        What becomes of a row whose reference leads nowhere: ``drop`` the row, or ``clear`` the
        cell where the row says the same without it.
    values : tuple of int
        Allowed values of an ``enum``; empty where they are open (extended route types).
    """

    name: str
    kind: Kind
    required: bool = False
    references: tuple[str, ...] = ()
    on_dangling: OnDangling = "drop"
    values: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One GTFS file.

    Parameters
    ----------
    name : str
        The file's stem, such as ``stop_times``.
    columns : tuple of Column
        In the order of the reference.
    key : tuple of str
        Primary key; empty where the whole row is the key.
    required : bool
        No feed makes sense without the file.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    required: bool = False

    def column(self, name: str) -> Column | None:
        """Return the column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)


def _parse_column(words: list[str]) -> Column:
    """Return the column of one line: ``name kind[:values] [!] [> ref[|ref]] [?> ref]``."""
    name, kind, *rest = words
    kind, _, values = kind.partition(":")
    if kind not in get_args(Kind):
        raise ValueError(f"{name}: unknown kind {kind!r}")
    first, _, last = values.partition("-")
    allowed = range(int(first), int(last) + 1) if values else range(0)
    arrow = next((word for word in rest if word in (">", "?>")), "")
    return Column(
        name=name,
        kind=cast(Kind, kind),
        required="!" in rest,
        references=tuple(rest[rest.index(arrow) + 1].split("|")) if arrow else (),
        on_dangling="clear" if arrow == "?>" else "drop",
        values=tuple(allowed),
    )


def parse_reference(text: str) -> dict[str, Table]:
    """Return the tables that a text in the form of `mobility.schema.reference` describes.

    >>> tables = parse_reference('''
    ... calendar* service_id
    ...     service_id id !
    ... trips service_id trip_id
    ...     service_id id ! > calendar.service_id
    ... ''')
    >>> tables["calendar"].required, tables["trips"].columns[0].references
    (True, ('calendar.service_id',))
    """
    tables: dict[str, Table] = {}
    heads: dict[str, list[str]] = {}
    columns: dict[str, list[Column]] = {}
    name = ""
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if line[0].isspace():
            columns[name].append(_parse_column(words))
        else:
            name = words[0]
            heads[name], columns[name] = words[1:], []
    for name, key in heads.items():
        stem = name.rstrip("*")
        tables[stem] = Table(stem, tuple(columns[name]), tuple(key), required=name != stem)
    return tables


TABLES: Mapping[str, Table] = parse_reference(REFERENCE)
