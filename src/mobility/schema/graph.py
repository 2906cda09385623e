"""The graph of foreign keys, from which prefixing, pruning and closure deletion derive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mobility.schema.tables import TABLES, Column, OnDangling, Table

if TYPE_CHECKING:
    import networkx as nx

# translations.record_id names a row of the table that table_name says (GTFS Schedule,
# translations.txt): the first key column of that table; record_sub_id its second.
TRANSLATED_TABLES = (
    "agency", "stops", "routes", "trips", "stop_times", "pathways", "levels", "attributions",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reference:
    """One foreign key: a column and the columns of which one must hold its value.

    ``targets`` are pairs of table and column.
    """

    table: str
    column: str
    targets: tuple[tuple[str, str], ...]
    on_dangling: OnDangling


def references_of(table: Table) -> tuple[Reference, ...]:
    """Return the foreign keys of a table, in the order of its columns."""
    return tuple(
        Reference(table.name, column.name, _targets(column), column.on_dangling)
        for column in table.columns
        if column.references
    )


def _targets(column: Column) -> tuple[tuple[str, str], ...]:
    parts = (reference.partition(".") for reference in column.references)
    return tuple((table, name) for table, _, name in parts)


def foreign_key_graph(tables: Mapping[str, Table] = TABLES) -> nx.DiGraph:
    """Return the graph of foreign keys: an edge from each table to each that it refers to.

    Edge attribute ``columns``: pairs of referring and referred column. Every table is a node, with
    its ``Table`` as attribute ``table``.

    >>> foreign_key_graph().edges["trips", "routes"]["columns"]
    (('route_id', 'route_id'),)
    """
    import networkx as nx  # a tenth of a server's start, which needs no graph

    graph = nx.DiGraph()
    for table in tables.values():
        graph.add_node(table.name, table=table)
    for table in tables.values():
        for reference in references_of(table):
            for target, column in reference.targets:
                known = graph.get_edge_data(table.name, target, {"columns": ()})["columns"]
                pair = (reference.column, column)
                graph.add_edge(table.name, target, columns=(*known, pair))
    return graph


@lru_cache(maxsize=1)
def tables_in_order() -> tuple[str, ...]:
    """Return all tables so that each comes after the tables that it refers to.

    >>> order = tables_in_order()
    >>> order.index("routes") < order.index("trips") < order.index("stop_times")
    True
    """
    import networkx as nx

    graph = foreign_key_graph()
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    position = {name: i for i, name in enumerate(TABLES)}
    order = nx.lexicographical_topological_sort(graph.reverse(copy=False), key=position.__getitem__)
    return tuple(order)


def scoped_columns(table: Table) -> tuple[str, ...]:
    """Return the columns whose values are ids within one feed: what namespacing must prefix.

    All of kind ``id``: keys, references, and free ids such as ``zone_id`` and ``block_id``.

    >>> scoped_columns(TABLES["trips"])
    ('route_id', 'service_id', 'trip_id', 'block_id', 'shape_id')
    """
    return tuple(column.name for column in table.columns if column.kind == "id")
