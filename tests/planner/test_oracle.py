"""The planner beside an oracle that tries every journey: equal sets, equal choice among equals."""

from __future__ import annotations

import pytest

from mobility.journey import Journey
from mobility.network import Network
from mobility.planner import Endpoint, Planner
from tests.planner.nets import Question, key_of, planner_of, random_net
from tests.planner.oracle import DAY_S, Found, Oracle, arriving, departing, in_window

SEEDS = range(150)
RIDES = 3


def _walk(oracle: Oracle, ends: list[Endpoint]) -> tuple[int, int] | None:
    near = oracle.opens(ends[0].stops)
    return min((near[stop] for stop in ends[1].stops if stop in near), default=None)


def _expected(kind: str, oracle: Oracle, ends: list[Endpoint], q: Question) -> list[Found]:
    access, egress = oracle.opens(ends[0].stops), oracle.opens(ends[1].stops, backwards=True)
    walk = _walk(oracle, ends)
    t = q.moment
    if kind == "departure":
        found = oracle.journeys(access, egress, t, t + DAY_S, t + DAY_S, RIDES)
        return departing(found, t, walk)
    if kind == "arrival":
        found = oracle.journeys(access, egress, t - DAY_S, t, t, RIDES)
        return arriving(found, t, walk)
    last = t + q.window_s - 1
    found = oracle.journeys(access, egress, t, last, last + DAY_S, RIDES)
    after = oracle.journeys(access, egress, last + 1, last + DAY_S, last + 1 + DAY_S, RIDES)
    return in_window([f for f in found if f.arrival - f.departure <= DAY_S], after, t, walk)


def _answer(kind: str, planner: Planner, ends: list[Endpoint], q: Question) -> list[Journey]:
    asked = {
        "departure": {"depart": q.moment},
        "arrival": {"arrive": q.moment},
        "window": {"depart": q.moment, "window_s": q.window_s},
    }[kind]
    return list(planner.plan(ends[0], ends[1], max_transfers=RIDES - 1, **asked).journeys)


def _check_legs(journey: Journey, network: Network) -> None:
    """The legs join without a gap in place, in an order that time and change times allow."""
    change = dict(zip(range(network.n_stops), network.change_s.tolist(), strict=True))
    rows = {f"{network.feed_id[int(f)]}:{s}": i for i, (f, s) in
            enumerate(zip(network.stop_feed, network.stop_id, strict=True))}  # fmt: skip
    assert journey.departure == journey.legs[0].departure
    assert journey.arrival == journey.legs[-1].arrival
    assert journey.walk_m == sum(leg.walk_m for leg in journey.legs)
    assert journey.transfers == max(0, sum(leg.mode == "transit" for leg in journey.legs) - 1)
    for before, after in zip(journey.legs, journey.legs[1:], strict=False):
        assert before.destination == after.origin
        needed = 0
        if before.mode == after.mode == "transit":
            needed = change[rows[after.origin.id]]
        assert before.arrival + needed <= after.departure
    for leg in journey.legs:
        if leg.mode == "transit":
            assert leg.calls[0].place == leg.origin
            assert leg.calls[-1].place == leg.destination
            assert leg.calls[0].departure == leg.departure
            assert leg.calls[-1].arrival == leg.arrival
            assert leg.sections[0].from_call == 0
            assert leg.sections[-1].to_call == len(leg.calls) - 1
        else:
            assert not leg.calls
            assert not leg.sections


@pytest.mark.parametrize("kind", ["departure", "window", "arrival"])
def test_sets_and_choices_equal_those_of_trying_everything(kind: str) -> None:
    found = 0
    for seed in SEEDS:
        net = random_net(seed)
        network = net.network()
        oracle, planner = Oracle(network), planner_of(network)
        for turn in range(3):
            question = Question(net, 1000 * seed + turn)
            ends = question.ends(network)
            journeys = _answer(kind, planner, ends, question)
            expected = _expected(kind, oracle, ends, question)
            assert [key_of(j) for j in journeys] == expected, (seed, turn)
            for journey in journeys:
                _check_legs(journey, network)
            found += len(journeys)
    assert found > len(SEEDS)  # the networks are not so sparse that nothing is compared
