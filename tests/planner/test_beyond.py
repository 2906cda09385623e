"""A window leaves out what waiting until after it would beat."""

import pytest

from mobility.planner import Planner, locate
from tests.network.build import Stop, Train, build_network
from tests.planner.nets import ByStops

STOPS = [Stop("A", 47.0, 7.0), Stop("B", 47.2, 7.0), Stop("C", 47.1, 7.1)]
TRAINS = [
    Train("away", "A 00:10 C 00:20"),
    Train("back", "C 00:25 A 00:40"),
    Train("morning", "A 05:30 B 06:00"),
]


def answers(start, end, *, linked):
    network = build_network(STOPS, TRAINS)
    store = network.slices(None)
    planner = Planner(network, store if linked else ByStops(store))
    midnight = int(network.zone_origin_s[0, 1])
    found = planner.plan(
        locate(network, "A"),
        locate(network, "B"),
        depart=midnight + start,
        window_s=end - start,
    )
    return [((j.departure - midnight) // 60, (j.arrival - midnight) // 60) for j in found.journeys]


@pytest.mark.parametrize("linked", [True, False])
def test_a_ride_away_and_back_to_the_train_of_the_morning_is_left_out(linked):
    # within the first window only riding away and back leads to the train of the morning
    assert answers(0, 25 * 60, linked=linked) == []
    assert answers(5 * 3600, 6 * 3600, linked=linked) == [(330, 360)]


@pytest.mark.parametrize("linked", [True, False])
def test_windows_side_by_side_hold_what_one_long_window_does(linked):
    hour = 3600
    parts = [one for h in range(7) for one in answers(h * hour, (h + 1) * hour, linked=linked)]
    assert parts == answers(0, 7 * hour, linked=linked) == [(330, 360)]
