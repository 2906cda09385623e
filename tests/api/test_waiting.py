"""Connections that cannot be missed: which rows of transfers.txt say so, for which rides."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from mobility.api.waiting import waiting_connections
from mobility.journey import Leg

from ..planner.sketched import place, ride

A, B, C = (place(name, at) for at, name in enumerate("ABC"))
COLUMNS = (
    "from_stop_id", "to_stop_id", "from_route_id", "to_route_id", "from_trip_id", "to_trip_id",
)  # fmt: skip


def edition(kind: int, feed: int = 0, **named: str) -> Any:
    """Return what is asked of an edition of one feed whose stop B stands in the station S."""
    transfers = pl.DataFrame(
        [{"feed": feed, "transfer_type": kind, **dict.fromkeys(COLUMNS), **named}],
        schema_overrides=dict.fromkeys(COLUMNS, pl.String),
    )
    stops = pl.DataFrame(
        {"feed": [0, 0, 0, 0], "stop_id": ["A", "B", "C", "S"], "parent": [None, 3, None, None]}
    )
    tables = {"transfers": transfers, "stops": stops}
    return SimpleNamespace(
        table_names=tuple(tables),
        columns_of=lambda name: tuple(tables[name].columns),
        rows_where=lambda name, predicate: tables[name].filter(predicate),
        network=SimpleNamespace(feed_id=["f", "g"]),
    )


def rides() -> tuple[Leg, Leg]:
    return ride([(A, 0), (B, 10)]), ride([(B, 12), (C, 20)])


@pytest.mark.parametrize(
    ("named", "waits"),
    [
        ({"from_stop_id": "B", "to_stop_id": "B"}, True),
        ({"from_stop_id": "S", "to_stop_id": "S"}, True),  # a station holds for its stops
        ({"from_stop_id": "B", "to_stop_id": "C"}, False),
        ({"from_stop_id": "B", "to_stop_id": "B", "from_route_id": "r"}, True),
        ({"from_stop_id": "B", "to_stop_id": "B", "to_route_id": "other"}, False),
        ({"from_trip_id": "t", "to_trip_id": "t"}, True),  # in-seat rows may name no stop
        ({"from_trip_id": "other", "to_trip_id": "t"}, False),
    ],
)
def test_a_row_holds_for_what_it_names(named: dict[str, str], waits: bool) -> None:
    for kind in (1, 4):
        says = waiting_connections(edition(kind, **named))
        assert says is not None and says(*rides()) is waits


def test_only_rows_that_wait_and_of_the_rides_own_feed_count() -> None:
    named = {"from_stop_id": "B", "to_stop_id": "B"}
    assert waiting_connections(edition(2, **named)) is None
    other = waiting_connections(edition(1, feed=1, **named))
    assert other is not None and not other(*rides())
    plain = edition(1, **named)
    plain.columns_of = lambda name: ("feed", "from_stop_id", "to_stop_id")
    assert waiting_connections(plain) is None
    assert waiting_connections(SimpleNamespace(table_names=())) is None  # type: ignore[arg-type]
