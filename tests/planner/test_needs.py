"""Riders' needs: as if they were asked at each ride, change and walk; with every rule on."""

from __future__ import annotations

from functools import cache

import pytest

from mobility.core.errors import UsageError
from mobility.journey import Journey
from mobility.network import Network
from mobility.planner import Endpoint, Needs, Planner
from tests.planner.needed import NeedsOracle, needed_net, on_foot, random_needs
from tests.planner.nets import Question, key_of, planner_of
from tests.planner.oracle import DAY_S, Found, arriving, departing, in_window
from tests.planner.ruled import RuledNet, ruled_question

SEEDS = range(40)
RIDES = 3
KINDS = ("departure", "window", "arrival")


@cache
def _prepared(seed: int) -> tuple[RuledNet, Network, NeedsOracle]:
    net = needed_net(seed)
    return net, net.network(), NeedsOracle(net)


def expected(kind: str, oracle: NeedsOracle, ends: list[Endpoint], q: Question) -> list[Found]:
    access, egress = oracle.opens(ends[0].stops), oracle.opens(ends[1].stops, backwards=True)
    walk, t = on_foot(oracle, ends), q.moment
    if kind == "departure":
        return departing(oracle.journeys(access, egress, t, t + DAY_S, t + DAY_S, RIDES), t, walk)
    if kind == "arrival":
        return arriving(oracle.journeys(access, egress, t - DAY_S, t, t, RIDES), t, walk)
    # What leaves later tells which of these are worth leaving for.
    end = t + q.window_s
    found = oracle.journeys(access, egress, t, end + DAY_S, end + 2 * DAY_S, RIDES)
    best = in_window([f for f in found if f.arrival - f.departure <= DAY_S], [], t, walk)
    return [f for f in best if f.departure < end]


def answer(
    kind: str, planner: Planner, ends: list[Endpoint], q: Question, needs: Needs
) -> list[Journey]:
    asked = {
        "departure": {"depart": q.moment},
        "arrival": {"arrive": q.moment},
        "window": {"depart": q.moment, "window_s": q.window_s},
    }[kind]
    return list(
        planner.plan(ends[0], ends[1], max_transfers=RIDES - 1, needs=needs, **asked).journeys
    )


def compare(seed: int, kind: str, *, via: bool) -> tuple[int, int]:
    """Compare the answers to two questions; how many journeys there are, and what needs changed."""
    net, network, oracle = _prepared(seed)
    planner, found, changed = planner_of(network), 0, 0
    for turn in range(2):
        question = ruled_question(net, 1000 * seed + turn, arriving=kind == "arrival")
        needs = random_needs(net, network, 1000 * seed + turn, via=via)
        ends = question.ends(network)
        oracle.ask(needs)
        keys = [key_of(j) for j in answer(kind, planner, ends, question, needs)]
        assert keys == expected(kind, oracle, ends, question), (seed, turn, needs)
        found += len(keys)
        changed += keys != [key_of(j) for j in answer(kind, planner, ends, question, Needs())]
    return found, changed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("via", [False, True])
def test_sets_and_choices_equal_those_of_asking_every_need(kind: str, via: bool) -> None:
    totals = [compare(seed, kind, via=via) for seed in SEEDS]
    assert sum(found for found, _ in totals) > len(SEEDS) // 2
    assert sum(changed for _, changed in totals) > len(SEEDS) // 4


@pytest.mark.slow
@pytest.mark.parametrize("via", [False, True])
def test_thousands_of_networks_with_every_rule_and_need(via: bool) -> None:
    for seed in range(10_000, 10_600):
        for kind in KINDS:
            compare(seed, kind, via=via)
        _prepared.cache_clear()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"modes": frozenset(["zeppelin"])}, "mode 'zeppelin': expected one of"),
        ({"modes": frozenset(["bus"]), "not_modes": frozenset(["bus"])}, "asked for and left out"),
        ({"walk_speed_m_s": 0.0}, "expected 0.3 to 3.0 m/s"),
        ({"walk_speed_m_s": float("nan")}, "expected 0.3 to 3.0 m/s"),
        ({"min_change_s": -1}, "expected 0 to 7200 s"),
        ({"max_walk_m": -5}, "expected 0 to 100000 m"),
    ],
)
def test_needs_out_of_their_limits_are_refused_by_name(asked: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Needs(**asked)  # type: ignore[arg-type]


def test_an_operator_that_is_not_there_is_refused_with_one_that_is() -> None:
    _, network, _ = _prepared(1)
    with pytest.raises(UsageError, match=r"operator 'one:nobody': .*such as 'one:one'"):
        planner_of(network).for_rider(Needs(operators=frozenset(["one:nobody"])))
