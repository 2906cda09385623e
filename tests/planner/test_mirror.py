"""Arriving is departing in a mirror: times run backwards, from and to change places."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from mobility.planner import Endpoint, Needs, Planner
from tests.network.build import Call, Train, Transfer
from tests.planner.needed import needed_net, random_needs
from tests.planner.nets import Net, Question, planner_of
from tests.planner.oracle import DAY_S

SUMMER = dt.date(2027, 6, 1)  # no clock changes
N_DAYS = 4
SEEDS = range(60)
RIDES = 4


def plain(net: Net) -> Net:
    """The network in one zone, without the last day, with trains of one trip."""
    trains = tuple(
        replace(
            train,
            zone="Europe/Berlin",
            days=[day for day in range(N_DAYS - 1) if train.days is None or day in train.days],
        )
        for train in net.trains
    )
    return Net(net.stops, trains, net.transfers, SUMMER, net.walk_radius_m, frozenset())


def mirrored(net: Net) -> Net:
    """The same trains from their last call to their first."""
    return replace(
        net,
        trains=tuple(_backwards(train) for train in net.trains),
        transfers=tuple(_swapped(transfer) for transfer in net.transfers),
    )


def _backwards(train: Train) -> Train:
    assert not isinstance(train.calls, str)
    calls = [
        Call(
            call.stop, 2 * DAY_S - call.departure_s, 2 * DAY_S - call.arrival_s,
            pickup_type=call.drop_off_type, drop_off_type=call.pickup_type,
        )
        for call in reversed(train.calls)
    ]  # fmt: skip
    return replace(train, calls=calls, days=[N_DAYS - 2 - day for day in train.days or ()])


def _swapped(transfer: Transfer) -> Transfer:
    return replace(
        transfer,
        from_stop=transfer.to_stop,
        to_stop=transfer.from_stop,
        from_route=transfer.to_route,
        to_route=transfer.from_route,
        from_trip=transfer.to_trip,
        to_trip=transfer.from_trip,
    )


def midnight(planner: Planner) -> int:
    """The origin of the first day."""
    zones = list(planner.network.zone_name)
    return int(planner.network.zone_origin_s[zones.index("Europe/Berlin"), 0])


def ends(planner: Planner, question: Question) -> list[Endpoint]:
    return question.ends(planner.network)


@pytest.mark.parametrize("needy", [False, True])
def test_arrive_by_equals_the_earliest_arrival_of_the_reversed_timetable(needy: bool) -> None:
    found = 0
    for seed in SEEDS:
        ruled = needed_net(seed)
        net = plain(ruled)
        there, back = planner_of(net.network()), planner_of(mirrored(net).network())
        question = Question(ruled, seed)
        needs = random_needs(ruled, there.network, seed, via=seed % 2 == 0) if needy else Needs()
        moment = midnight(there) + DAY_S + 20 * 3600 + question.moment % (8 * 3600)
        # A moment m of the one is turned - m of the other.
        turned = midnight(there) + midnight(back) + N_DAYS * DAY_S
        a, b = ends(there, question)
        arriving = there.plan(a, b, arrive=moment, max_transfers=RIDES - 1, needs=needs)
        b, a = reversed(ends(back, question))
        departing = back.plan(
            b, a, depart=turned - moment, max_transfers=RIDES - 1,
            needs=replace(needs, via=tuple(reversed(needs.via))),
        )  # fmt: skip
        expected = sorted(
            (turned - j.arrival, turned - j.departure, j.transfers) for j in departing.journeys
        )
        assert [(j.departure, j.arrival, j.transfers) for j in arriving.journeys] == expected, seed
        found += len(expected)
    assert found > len(SEEDS) // 4
