"""Footpaths: near stops, stations, stated times, forbidden pairs, and chains of them."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core.errors import UsageError
from mobility.core.units import distance_m
from mobility.network.footpaths import (
    DEFAULT_CHANGE_S,
    FORBIDDEN_CHANGE_S,
    Footpaths,
    compile_footpaths,
)
from tests.network.build import Stop, Transfer, build_tables

METRE = 1 / 111_194.93  # degrees of latitude


def row_of(*metres: float, station: str = "") -> list[Stop]:
    """Stops A, B, C … at so many metres northwards of the first place."""
    return [
        Stop(name, 47.5 + at * METRE, 7.6, station=station)
        for name, at in zip("ABCDEFGH", metres, strict=False)
    ]


def footpaths(
    stops: list[Stop],
    transfers: list[Transfer] | None = None,
    *,
    radius: int = 400,
    longest: int = 1200,
) -> Footpaths:
    tables = build_tables(stops, [], transfers=transfers or [], n_days=1).tables
    return compile_footpaths(
        tables["stops"], tables["transfers"], walk_radius_m=radius, max_walk_s=longest
    )


def walks(stops: list[Stop], found: Footpaths) -> dict[str, tuple[int, int]]:
    """``"AB": (seconds, metres)`` of all footpaths."""
    return {
        stops[stop].id + stops[found.walk_to[index]].id: (
            int(found.walk_s[index]),
            int(found.walk_m[index]),
        )
        for stop in range(len(stops))
        for index in range(*found.walk_start[stop : stop + 2])
    }


def seconds(stops: list[Stop], found: Footpaths) -> dict[str, int]:
    return {pair: walk[0] for pair, walk in walks(stops, found).items()}


def test_walk_takes_its_metres_at_walking_speed_and_a_minute_at_least() -> None:
    stops = row_of(0, 240.5, 260.7)
    found = walks(stops, footpaths(stops, radius=239))
    assert found == {"BC": (60, 21), "CB": (60, 21)}
    found = walks(stops, footpaths(stops, radius=250))
    assert found["AB"] == (201, 241)


def test_chain_of_footpaths_is_a_footpath_up_to_the_longest_walk() -> None:
    stops = row_of(0, 399, 798, 1197)
    assert seconds(stops, footpaths(stops, longest=700)) == {
        "AB": 333, "BA": 333, "BC": 333, "CB": 333, "CD": 333, "DC": 333,
        "AC": 666, "CA": 666, "BD": 666, "DB": 666,
    }  # fmt: skip


def test_stops_of_one_station_are_linked_and_take_the_change_time() -> None:
    stops = row_of(0, 30, 700, station="S")
    found = seconds(stops, footpaths(stops, longest=700))
    assert found == {"AB": 120, "BA": 120, "AC": 584, "CA": 584, "BC": 559, "CB": 559}
    stated = [Transfer("B", "B", 2, 600)]
    assert seconds(stops, footpaths(stops, stated))["AB"] == 600


def test_without_a_radius_transfers_alone_count() -> None:
    stops = row_of(0, 30, 60, 90, station="S")
    rows = [Transfer("A", "B", 2, 200), Transfer("C", "A", 0), Transfer("B", "B", 2, 0)]
    found = footpaths(stops, rows, radius=0)
    assert seconds(stops, found) == {"AB": 200, "CA": 60, "CB": 260}
    assert found.change_s.tolist() == [DEFAULT_CHANGE_S, 0, DEFAULT_CHANGE_S, DEFAULT_CHANGE_S]


def test_stated_time_wins_over_the_walk_and_over_any_chain() -> None:
    stops = row_of(0, 60, 120)
    stated = [Transfer("A", "C", 2, 900), Transfer("C", "A", 2, 10)]
    found = seconds(stops, footpaths(stops, stated))
    assert (found["AC"], found["CA"], found["AB"]) == (900, 10, 60)
    assert seconds(stops, footpaths(stops, [Transfer("A", "C", 2, 5000)]))["AC"] == 5000


def test_forbidden_pair_is_no_footpath_not_even_by_a_detour() -> None:
    stops = row_of(0, 60, 120)
    found = seconds(stops, footpaths(stops, [Transfer("A", "C", 3)]))
    assert "AC" not in found
    assert {"CA", "AB", "BC"} <= set(found)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], DEFAULT_CHANGE_S),
        ([Transfer("A", "A", 2, 45)], 45),
        ([Transfer("A", "A", 0)], 0),
        ([Transfer("A", "A", 1)], 0),
        ([Transfer("A", "A", 2)], DEFAULT_CHANGE_S),
        ([Transfer("A", "A", 3)], FORBIDDEN_CHANGE_S),
        ([Transfer("A", "A", 0), Transfer("A", "A", 2, 30)], 30),
        ([Transfer("A", "A", 2, 30), Transfer("A", "A", 2, 50)], 50),
        ([Transfer("A", "A", 3), Transfer("A", "A", 2, 50)], FORBIDDEN_CHANGE_S),
        ([Transfer("A", "A", 2, 45, from_route="R")], DEFAULT_CHANGE_S),
        ([Transfer("A", "A", 4)], DEFAULT_CHANGE_S),
    ],
)
def test_change_time_is_what_the_row_from_a_stop_to_itself_says(
    rows: list[Transfer], expected: int
) -> None:
    assert footpaths(row_of(0), rows).change_s.tolist() == [expected]


def test_row_of_a_station_holds_for_its_stops_unless_a_stop_says_otherwise() -> None:
    stops = [
        Stop("S", 47.5, 7.6, station="S", location_type=1),
        Stop("A", 47.5, 7.6, station="S", parent="S"),
        Stop("B", 47.5, 7.6, station="S", parent="S"),
        Stop("a", 47.5, 7.6, station="S", parent="A", location_type=4),
        Stop("E", 47.5, 7.6, station="S", parent="S", location_type=2),
    ]
    found = footpaths(stops, [Transfer("S", "S", 2, 300), Transfer("A", "B", 2, 100)])
    assert seconds(stops, found) == {
        "AB": 100,
        "BA": 300,
        "Aa": 300,
        "aA": 300,
        "Ba": 300,
        "aB": 300,
    }
    assert found.change_s.tolist() == [120, 300, 300, 300, 120]


def test_possible_transfer_too_far_to_walk_is_no_footpath() -> None:
    stops = row_of(0, 30_000)
    assert seconds(stops, footpaths(stops, [Transfer("A", "B", 0)])) == {}
    assert seconds(stops, footpaths(stops, [Transfer("A", "B", 2, 1500)])) == {"AB": 1500}


def test_nobody_walks_to_border_points_or_places_without_position() -> None:
    stops = [*row_of(0, 20), Stop("X", 47.5, 7.6, border_point=True), Stop("Y", math.nan, 7.6)]
    assert set(seconds(stops, footpaths(stops))) == {"AB", "BA"}


@pytest.mark.parametrize(("radius", "longest"), [(-1, 0), (2001, 0), (0, -1), (0, 3601)])
def test_limits_outside_the_sensible_are_refused(radius: int, longest: int) -> None:
    with pytest.raises(UsageError, match="expected 0 to"):
        footpaths(row_of(0), radius=radius, longest=longest)


PLACES = st.lists(
    st.tuples(st.floats(-700, 700), st.floats(-700, 700)).map(
        lambda at: (round(at[0]), round(at[1]))
    ),
    min_size=1,
    max_size=14,
)
CENTRES = st.sampled_from(
    [(47.5, 7.6), (0.0, 0.0), (-36.9, 180.0), (89.999, 0.0), (64.1, -179.9999)]
)


def placed(places: list[tuple[int, int]], centre: tuple[float, float]) -> list[Stop]:
    lat, lon = centre
    found = []
    for number, (north, east) in enumerate(places):
        at = min(lat + north * METRE, 90.0)
        across = lon + east * METRE / max(math.cos(math.radians(lat)), 1e-5)
        found.append(Stop(chr(65 + number), at, (across + 180) % 360 - 180))
    return found


@settings(deadline=None, max_examples=60)
@given(PLACES, CENTRES, st.sampled_from([100, 400, 900]), st.sampled_from([300, 1200]))
def test_footpaths_equal_shortest_chains_of_all_near_pairs(
    places: list[tuple[int, int]], centre: tuple[float, float], radius: int, longest: int
) -> None:
    """Floyd's algorithm over all pairs within the radius, anywhere on earth."""
    stops = placed(places, centre)
    lat, lon = (np.array([getattr(stop, name) for stop in stops]) for name in ("lat", "lon"))
    best = {}
    for a, b in permutations(range(len(stops)), 2):
        metres = distance_m(lat[[a]], lon[[a]], lat[[b]], lon[[b]])[0]
        walk_s = max(60, math.ceil(metres / 1.2))
        if metres <= radius and walk_s <= longest:
            best[a, b] = (walk_s, math.ceil(metres))
    for via, a, b in (
        (v, a, b) for v in range(len(stops)) for a, b in permutations(range(len(stops)), 2)
    ):
        if (a, via) in best and (via, b) in best:
            first, second = best[a, via], best[via, b]
            chain = (first[0] + second[0], first[1] + second[1])
            if chain[0] <= longest and chain < best.get((a, b), (longest + 1, 0)):
                best[a, b] = chain
    expected = {stops[a].id + stops[b].id: walk for (a, b), walk in best.items()}
    assert walks(stops, footpaths(stops, radius=radius, longest=longest)) == expected


STOP_NUMBERS = st.integers(0, 13)


@settings(deadline=None, max_examples=40)
@given(
    PLACES,
    st.lists(
        st.tuples(STOP_NUMBERS, STOP_NUMBERS, st.integers(0, 3), st.integers(0, 900)), max_size=8
    ),
)
def test_order_of_the_rows_of_transfers_changes_nothing(
    places: list[tuple[int, int]], rows: list[tuple[int, int, int, int]]
) -> None:
    stops = placed(places, (47.5, 7.6))
    transfers = [
        Transfer(
            stops[a % len(stops)].id, stops[b % len(stops)].id, kind, minimum if kind == 2 else None
        )
        for a, b, kind, minimum in rows
    ]
    one, other = footpaths(stops, transfers), footpaths(stops, transfers[::-1])
    assert walks(stops, one) == walks(stops, other)
    assert one.change_s.tolist() == other.change_s.tolist()
