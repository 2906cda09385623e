"""Ways inside stations: their time, their steps, and what becomes of changes there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from mobility.network import Network
from mobility.network.pathways import read_pathways
from mobility.planner import Needs
from tests.network.build import Stop, Tables, Train, build_tables
from tests.planner.nets import end, planner_of

COLUMNS = {
    "feed": pl.Int16, "from_stop_id": pl.String, "to_stop_id": pl.String, "pathway_mode": pl.Int32,
    "is_bidirectional": pl.Int32, "length": pl.Float64, "traversal_time": pl.Int32,
    "stair_count": pl.Int32, "max_slope": pl.Float64, "min_width": pl.Float64,
}  # fmt: skip
WALKWAY, STAIRS, ESCALATOR, ELEVATOR = 1, 2, 4, 5
STOPS = (
    Stop("A", 47.0, 7.0, wheelchair=1),
    Stop("hub", 47.5, 7.6, location_type=1, wheelchair=1, station="hub"),
    Stop("P1", 47.5, 7.6, station="hub", parent="hub"),
    Stop("P2", 47.5001, 7.6, station="hub", parent="hub"),
    Stop("hall", 47.50005, 7.6, location_type=3, parent="hub", station="hub"),
    Stop("B", 48.0, 7.0, wheelchair=1),
)
TRAINS = (
    Train("to", "A 08:00 P1 08:30", wheelchair=1),
    *(Train(f"on{m}", f"P2 08:{m} B 09:{m}", wheelchair=1) for m in (33, 36, 45)),
)


def way(a: str, b: str, mode: int, *, both: int = 1, **said: Any) -> dict[str, Any]:
    empty = dict.fromkeys(COLUMNS)
    ends = {"feed": 0, "from_stop_id": a, "to_stop_id": b}
    return {**empty, **ends, "pathway_mode": mode, "is_bidirectional": both, **said}


def tables_with(*ways: dict[str, Any]) -> Tables:
    tables = build_tables(STOPS, TRAINS)
    pathways = pl.DataFrame(list(ways), schema=COLUMNS)
    return replace(tables, tables={**tables.tables, "pathways": pathways})


def departure(network: Network, needs: Needs) -> list[str]:
    planner, ends = planner_of(network), [end(network, stop) for stop in "AB"]
    found = planner.plan(*ends, depart=network.epoch_s + 86_400, needs=needs).journeys
    return [leg.sections[0].trip_id for j in found for leg in j.legs if leg.sections][1:]


@pytest.mark.parametrize(
    ("ways", "usual", "rolling"),
    [
        ((), "on33", "on33"),
        # Five minutes by the walkway; nothing says that there is a step.
        ((way("P1", "P2", WALKWAY, traversal_time=300),), "on36", "on36"),
        # Stairs are quick, the elevator is not.
        (
            (
                way("P1", "P2", STAIRS, stair_count=40),
                way("P1", "hall", WALKWAY, length=60.0),
                way("hall", "P2", ELEVATOR, traversal_time=400),
            ),
            "on33",
            "on45",
        ),
        ((way("P1", "P2", STAIRS),), "on33", None),
        ((way("P1", "P2", ESCALATOR, both=0, traversal_time=30),), "on33", None),
        ((way("P1", "P2", WALKWAY, max_slope=0.2),), "on33", None),
        ((way("P1", "P2", WALKWAY, max_slope=-0.083),), "on33", "on33"),
        ((way("P1", "P2", WALKWAY, min_width=0.6),), "on33", None),
        ((way("P2", "P1", WALKWAY, both=0),), "on33", None),
    ],
)  # fmt: skip
def test_changes_take_the_ways_that_a_station_has(
    ways: tuple[dict[str, Any], ...], usual: str, rolling: str | None
) -> None:
    network = tables_with(*ways).network(walk_radius_m=400)
    assert departure(network, Needs()) == [usual]
    assert departure(network, Needs(wheelchair=True)) == ([] if rolling is None else [rolling])


def test_ways_lead_through_boarding_areas_and_end_where_nothing_joins() -> None:
    stops = (
        *STOPS,
        Stop("P2a", 47.5001, 7.6, station="hub", parent="P2", location_type=4),
        Stop("P3", 47.5002, 7.6, station="hub", parent="hub"),
    )
    tables = build_tables(stops, TRAINS).tables
    ways = pl.DataFrame([way("P1", "P2a", WALKWAY, traversal_time=77)], schema=COLUMNS)
    found = read_pathways(tables["stops"], ways)
    rows = {
        (STOPS_ID[a], STOPS_ID[b]): (s, free_s)
        for a, b, s, free_s in zip(
            *(x.tolist() for x in (found.from_stop, found.to_stop, found.s, found.free_s)),
            strict=True,
        )
        for STOPS_ID in ([stop.id for stop in stops],)
    }
    assert rows["P1", "P2"] == rows["P2", "P1"] == (77, 77)
    assert rows["P1", "P3"] == rows["P3", "P2"] == (-1, -1)
    assert len(rows) == 6


def test_a_pathway_to_nowhere_is_no_way() -> None:
    tables = tables_with(way("P1", "nowhere", WALKWAY)).tables
    assert not len(read_pathways(tables["stops"], tables["pathways"]).from_stop)
