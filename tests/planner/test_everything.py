"""Every rule at once: as if all of them were asked at each ride, change, walk and turn."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from mobility.journey import Journey
from mobility.network import Network
from mobility.planner import NO_NEEDS
from tests.planner.everything import EverythingOracle, everything_net, everything_question
from tests.planner.needed import random_needs
from tests.planner.nets import key_of, planner_of
from tests.planner.ruled import RuledNet
from tests.planner.test_needs import KINDS, answer, expected

SEEDS = range(18)


@cache
def _prepared(seed: int) -> tuple[RuledNet, Network, Network, EverythingOracle]:
    net = everything_net(seed)
    lax = replace(net, checks=(), bans=(), ban_routes=(), ban_stations=())
    return net, net.network(), lax.network(), EverythingOracle(net)


def _stays_seated(journeys: list[Journey]) -> bool:
    return any(s.stay_seated for j in journeys for leg in j.legs for s in leg.sections)


def compare(seed: int, kind: str) -> Counter[str]:
    """Compare an answer without needs, one with needs, and one by places; count what was met."""
    net, network, lax, oracle = _prepared(seed)
    planner, free, met = planner_of(network), planner_of(lax), Counter[str]()
    for turn in range(3):
        question = everything_question(net, 1000 * seed + turn, arriving=kind == "arrival")
        ends = question.ends(network)
        needs = NO_NEEDS
        if turn:
            needs = random_needs(net, network, 1000 * seed + turn, via=turn == 2)
        oracle.ask(needs)
        journeys = answer(kind, planner, ends, question, needs)
        keys = [key_of(journey) for journey in journeys]
        assert keys == expected(kind, oracle, ends, question), (seed, turn, needs)
        without = answer(kind, free, question.ends(lax), question, NO_NEEDS)
        met["journeys"] += len(keys)
        met["seated"] += _stays_seated(journeys)
        met["not seated by a rule or need"] += _stays_seated(without) and keys != [
            key_of(journey) for journey in without
        ]
        met["joined"] += any(
            "-on" in s.trip_id for j in journeys for g in j.legs for s in g.sections
        )
    return met


def test_sets_and_choices_equal_those_of_asking_everything() -> None:
    met = sum((compare(seed, kind) for seed in SEEDS for kind in KINDS), Counter[str]())
    assert met["journeys"] > len(SEEDS)
    assert min(met["seated"], met["not seated by a rule or need"], met["joined"]) > 3, met


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_hundreds_of_networks_with_everything_at_once(kind: str) -> None:
    for seed in range(20_000, 20_250):
        compare(seed, kind)
        _prepared.cache_clear()
