"""Rules for single trains, border checks and boarding bans: as if they were asked at each step."""

from __future__ import annotations

from functools import cache

import pytest

from mobility.network import Network
from tests.planner.nets import key_of, planner_of
from tests.planner.ruled import RuledNet, RuledOracle, ruled_net, ruled_question
from tests.planner.test_oracle import _answer, _expected

SEEDS = (*range(70), 1077)  # the last: a rule for a stop beside one for its station


@cache
def _prepared(seed: int) -> tuple[RuledNet, Network, RuledOracle]:
    net = ruled_net(seed)
    return net, net.network(), RuledOracle(net)


@pytest.mark.parametrize("kind", ["departure", "window", "arrival"])
def test_sets_and_choices_equal_those_of_asking_every_rule(kind: str) -> None:
    found = changed = 0
    for seed in SEEDS:
        net, network, oracle = _prepared(seed)
        planner, free = planner_of(network), planner_of(oracle.network)
        for turn in range(2):
            question = ruled_question(net, 1000 * seed + turn, arriving=kind == "arrival")
            ends = question.ends(network)
            keys = [key_of(j) for j in _answer(kind, planner, ends, question)]
            assert keys == _expected(kind, oracle, ends, question), (seed, turn)
            found += len(keys)
            changed += keys != [key_of(j) for j in _answer(kind, free, ends, question)]
    assert found > len(SEEDS)
    assert changed > len(SEEDS) // 10  # the rules are not such that nothing runs into them
