"""Bounds promise no more than any journey keeps, and no less than they can."""

from __future__ import annotations

import heapq
from itertools import pairwise

import numpy as np
import pytest

from mobility.network.bound_kernels import FAR, HORIZON_UNITS, UNIT_S
from mobility.network.bounds import build_bounds, cells_of
from mobility.network.values import Bounds, Network
from mobility.planner import Planner
from tests.planner.nets import ByStops, Question, random_net

SEEDS = range(700, 730)


def _between(bounds: Bounds, origin: int, to: int) -> tuple[int, int]:
    at = int(bounds.cell_of[to]) * bounds.n_cells + int(bounds.cell_of[origin])
    return int(bounds.least_units[at]) * UNIT_S, int(bounds.fewest_rides[at])


@pytest.mark.parametrize("most_cells", [4096, 4])
def test_no_journey_is_faster_or_has_fewer_rides(
    most_cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobility.network.bounds.MAX_CELLS", most_cells)
    found = 0
    for seed in SEEDS:
        net = random_net(seed)
        network = net.network()
        bounds = build_bounds(network)
        assert bounds.n_cells == min(network.n_points, most_cells)
        planner = Planner(network, ByStops(network.slices(None)))
        for turn in range(4):
            q = Question(net, 1000 * seed + turn)
            origin, to = q.ends(network)
            pairs = [_between(bounds, a, b) for a in origin.stops for b in to.stops]
            least_s, rides = (min(each) for each in zip(*pairs, strict=True))
            for journey in planner.plan(origin, to, depart=q.moment, window_s=6 * 3600).journeys:
                assert journey.arrival - journey.departure >= least_s, (seed, turn)
                assert sum(leg.mode == "transit" for leg in journey.legs) >= rides, (seed, turn)
                found += 1
    assert found > len(SEEDS)


def test_least_times_are_the_shortest_paths_over_hops_and_walks() -> None:
    for seed in SEEDS:
        network = random_net(seed).network()
        least = build_bounds(network).least_units.reshape(network.n_points, -1)
        for to in range(network.n_points):
            assert least[to].tolist() == _shortest(network, to), seed


def _shortest(network: Network, to: int) -> list[int]:
    hops: dict[int, list[tuple[int, int]]] = {}
    for low, high in pairwise(network.train_event_start.tolist()):
        for at in range(low + 1, high):
            took = int(network.event_arrival_s[at] - network.event_departure_s[at - 1])
            hops.setdefault(int(network.points[at]), []).append(
                (int(network.points[at - 1]), max(took, 0) // UNIT_S)
            )
    for origin in range(network.n_points):
        for path in range(int(network.walk_start[origin]), int(network.walk_start[origin + 1])):
            hops.setdefault(int(network.walk_to[path]), []).append(
                (origin, int(network.walk_s[path]) // UNIT_S)
            )
    best, queue = {to: 0}, [(0, to)]
    while queue:
        units, point = heapq.heappop(queue)
        if units > best[point]:
            continue
        for origin, more in hops.get(point, ()):
            if units + more < best.get(origin, HORIZON_UNITS + 1):
                best[origin] = units + more
                heapq.heappush(queue, (units + more, origin))
    return [best.get(point, FAR) for point in range(network.n_points)]


def test_cells_are_of_neighbours_and_nearly_of_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mobility.network.bounds.MAX_CELLS", 4)
    network = random_net(SEEDS[0]).network()
    sizes = np.bincount(cells_of(network))
    assert len(sizes) == 4
    assert sizes.max() - sizes.min() <= 1
