"""GTFS Schedule as data: tables, columns, kinds and the one graph of foreign keys."""

from mobility.schema.graph import (
    Reference,
    foreign_key_graph,
    references_of,
    scoped_columns,
    tables_in_order,
)
from mobility.schema.tables import TABLES, Column, Table

__all__ = [
    "TABLES",
    "Column",
    "Reference",
    "Table",
    "foreign_key_graph",
    "references_of",
    "scoped_columns",
    "tables_in_order",
]
