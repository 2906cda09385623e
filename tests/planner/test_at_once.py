"""Many questions at once have the answers that each has by itself."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from mobility.core.errors import DateOutsideError, UsageError
from mobility.planner import NO_NEEDS, Answer, Asked, Needs, Planner
from mobility.planner.query import AT_ONCE
from mobility.planner.scratch import Scratch
from tests.planner.nets import ByStops, Net, Question, narrow_scratch, planner_of, random_net

SEEDS = range(30)
DAY_S = 86_400


def _questions(planner: Planner, net: Net, count: int) -> list[Asked]:
    """One departure or a window, within a day or over midnight, at a station or a stop."""
    found = []
    for number in range(count):
        q = Question(net, number)
        found.append(Asked(*q.ends(planner.network), q.moment, [None, q.window_s][number % 2]))
    return found


def _one_by_one(planner: Planner, questions: list[Asked], **how: Any) -> list[Answer]:
    return [
        planner.plan(q.origin, q.destination, depart=q.depart, window_s=q.window_s, **how)
        for q in questions
    ]


@pytest.mark.parametrize("linked", [True, False])
def test_answers_at_once_are_those_of_each_question(linked: bool) -> None:
    found = over_midnight = 0
    for seed in SEEDS:
        net = random_net(seed)
        network = net.network()
        store = network.slices(None)
        planner = Planner(network, store if linked else ByStops(store))
        questions = _questions(planner, net, AT_ONCE + 8)
        for beyond in (True, False):
            answers = planner.plan_all(questions, look_beyond=beyond)
            assert answers == _one_by_one(planner, questions, look_beyond=beyond), seed
            found += sum(len(answer.journeys) for answer in answers)
        over_midnight += sum(q.depart % DAY_S + (q.window_s or 0) > DAY_S for q in questions)
    assert found > 10 * len(SEEDS)
    assert over_midnight > len(SEEDS)


def test_what_is_asked_of_all_questions_holds_for_each() -> None:
    changed = 0
    for seed in SEEDS:
        net = random_net(seed)
        planner = planner_of(net.network())
        questions = _questions(planner, net, 6)
        usual = planner.plan_all(questions)
        for needs, transfers in itertools.product((NO_NEEDS, Needs(min_change_s=600)), (0, 3)):
            how: dict[str, Any] = {"needs": needs, "max_transfers": transfers}
            answers = planner.plan_all(questions, **how)
            assert answers == _one_by_one(planner, questions, **how)
            changed += answers != usual
    assert changed > len(SEEDS) // 4


def test_answers_are_the_same_where_space_runs_out_on_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = random_net(3)
    questions = _questions(planner_of(net.network()), net, AT_ONCE)
    expected = _one_by_one(planner_of(net.network()), questions)
    assert sum(len(answer.journeys) for answer in expected) > 4

    monkeypatch.setattr(Scratch, "__init__", narrow_scratch)
    assert planner_of(net.network()).plan_all(questions) == expected


def test_a_question_at_fault_is_told_and_none_is_no_question() -> None:
    net = random_net(1)
    planner = planner_of(net.network())
    good, *_ = _questions(planner, net, 1)
    assert planner.plan_all([]) == []
    with pytest.raises(DateOutsideError):
        planner.plan_all([good, good._replace(depart=0)])
    with pytest.raises(UsageError, match="a window of 0 s"):
        planner.plan_all([good, good._replace(window_s=0)])
