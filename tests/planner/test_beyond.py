"""A window for people leaves out what waiting until after it would beat."""

from mobility.planner import Planner, locate
from tests.network.build import Stop, Train, build_network

STOPS = [Stop("A", 47.0, 7.0), Stop("B", 47.2, 7.0), Stop("C", 47.1, 7.1)]
TRAINS = [
    Train("away", "A 00:10 C 00:20"),
    Train("back", "C 00:25 A 00:40"),
    Train("morning", "A 05:30 B 06:00"),
]


def answers(start, end, *, look_beyond):
    network = build_network(STOPS, TRAINS)
    planner = Planner(network, network.slices(None))
    midnight = int(network.zone_origin_s[0, 1])
    found = planner.plan(
        locate(network, "A"),
        locate(network, "B"),
        depart=midnight + start,
        window_s=end - start,
        look_beyond=look_beyond,
    )
    return [((j.departure - midnight) // 60, (j.arrival - midnight) // 60) for j in found.journeys]


def test_a_ride_away_and_back_to_the_train_of_the_morning_is_left_out():
    # within the window only riding away and back leads to the train of the morning
    assert answers(0, 25 * 60, look_beyond=False) == [(10, 360)]
    assert answers(0, 25 * 60, look_beyond=True) == []


def test_a_train_that_nothing_later_beats_stays():
    window = (5 * 3600, 6 * 3600)
    assert answers(*window, look_beyond=True) == answers(*window, look_beyond=False) == [(330, 360)]
