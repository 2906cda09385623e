"""The search from run to run gives the answers of the search by stops."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from mobility.network import Network
from mobility.planner import Planner
from tests.planner.nets import ByStops, Question, random_net

SEEDS = range(500, 620)


def _both(network: Network) -> tuple[Planner, Planner]:
    store = network.slices(None)
    return Planner(network, store), Planner(network, ByStops(store))


@pytest.mark.parametrize("kind", ["departure", "window", "arrival"])
def test_answers_from_run_to_run_equal_those_by_stops(kind: str) -> None:
    found = 0
    for seed in SEEDS:
        net = random_net(seed)
        network = net.network()
        linked, by_stops = _both(network)
        for turn in range(4):
            q = Question(net, 1000 * seed + turn)
            ends = q.ends(network)
            asked = {
                "departure": {"depart": q.moment},
                "window": {"depart": q.moment, "window_s": q.window_s},
                "arrival": {"arrive": q.moment},
            }[kind]
            answer = linked.plan(*ends, **asked)
            assert answer == by_stops.plan(*ends, **asked), (seed, turn)
            found += len(answer.journeys)
        days = linked._days.values()
        assert all(day.links is not None for day in days)
    assert found > len(SEEDS)


def test_a_day_is_linked_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mobility.network.slices.LINKED_AT_ONCE", 0)
    net = random_net(501)
    network = net.network()
    planner = Planner(network, network.slices(None))
    date = net.first_date + dt.timedelta(1)
    assert planner.day(date).links is None
    assert planner.day(date, linked=True).links is not None
    assert planner.day(date).links is not None


def test_a_server_answers_while_a_day_is_linked_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mobility.network.slices.LINKED_AT_ONCE", 0)
    net = random_net(501)
    network = net.network()
    planner = Planner(network, network.slices(None), link_behind=True)
    q = Question(net, 501_000)
    ends = q.ends(network)
    before = planner.plan(*ends, depart=q.moment)
    for thread in threading.enumerate():
        if thread.name.startswith("links "):
            thread.join()
    assert all(day.links is not None for day in planner._days.values())
    assert planner.plan(*ends, depart=q.moment) == before


def test_a_server_flags_the_links_of_a_day_that_is_asked_about_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mobility.network.slices.FLAGGED_AT_ONCE", 0)
    monkeypatch.setattr("mobility.planner.query.ASKED_OFTEN", 3)
    net = random_net(501)
    network = net.network()
    planner = Planner(network, network.slices(None), link_behind=True)
    q = Question(net, 501_000)
    answers = [planner.plan(*q.ends(network), depart=q.moment) for _ in range(3)]
    assert not any(day.is_final for day in planner._days.values())
    answers.append(planner.plan(*q.ends(network), depart=q.moment))
    for thread in threading.enumerate():
        if thread.name.startswith("links "):
            thread.join()
    assert all(day.is_final for day in planner._days.values())
    answers.append(planner.plan(*q.ends(network), depart=q.moment))
    assert all(answer == answers[0] for answer in answers)
