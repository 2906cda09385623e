"""Who stays seated in a vehicle that goes on as another trip: no change, and nothing missed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from mobility.feeds.realtime import TripRef, TripUpdate
from mobility.merge.rules import BAN_ROUTES, BAN_STATIONS, BANS
from mobility.network import Network
from mobility.network.in_seat import MAX_TRIPS
from mobility.planner import Planner
from mobility.planner.board import Boards
from mobility.planner.reaching import Reaching
from tests.network.build import FIRST_DATE, Stop, Train, Transfer, build_network, build_tables
from tests.planner.live_world import LiveWorld
from tests.planner.nets import ByStops, end, key_of, planner_of
from tests.planner.seated import SeatedOracle, seated_net, seated_question, without_blocks
from tests.planner.test_oracle import _answer, _expected

SEEDS = range(40)
STOPS = [Stop("A", 46.0, 7.0), Stop("B", 46.1, 7.0), Stop("C", 46.2, 7.0), Stop("D", 46.3, 7.0)]
TRAINS = [
    Train("one", "A 08:00 B 08:10", block="v"),
    Train("two", "B 08:20 C 08:25", block="v", route="S"),
    Train("three", "C 08:26 D 08:30", block="v"),
]


@pytest.mark.parametrize("kind", ["departure", "window", "arrival"])
def test_answers_equal_those_of_trying_every_way_on(kind: str) -> None:
    found = changed = 0
    for seed in SEEDS:
        net = seated_net(seed)
        network, oracle = net.network(), SeatedOracle(net)
        planner, free = planner_of(network), planner_of(without_blocks(net).network())
        by_stops = Planner(network, ByStops(network.slices(None)))
        for turn in range(3):
            question = seated_question(net, 1000 * seed + turn, arriving=kind == "arrival")
            ends = question.ends(network)
            keys = [key_of(j) for j in _answer(kind, planner, ends, question)]
            expected = _expected(kind, oracle, ends, question)
            # Among equals the trips may differ: rides that pass their own ends are left out.
            assert [key[:5] for key in keys] == [key[:5] for key in expected], (seed, turn)
            assert keys == [key_of(j) for j in _answer(kind, by_stops, ends, question)]
            found += len(keys)
            changed += keys != [key_of(j) for j in _answer(kind, free, ends, question)]
    assert found > len(SEEDS)
    assert changed > len(SEEDS) // 8  # some of the journeys do stay seated


def _journeys(network: Network, origin: str, destination: str) -> list[str]:
    """Transfers, and the trips of each leg; ``+`` where one stays seated."""
    midnight = network.zone_origin_s[0, 1]
    answer = planner_of(network).plan(
        end(network, origin), end(network, destination), depart=int(midnight) + 7 * 3600
    )
    return [
        " ".join(
            "".join(("+" if s.stay_seated else "") + s.trip_id for s in leg.sections)
            for leg in journey.legs
        )
        + f" {journey.transfers}"
        for journey in answer.journeys
    ]


def test_a_vehicle_that_goes_on_is_one_ride_with_a_section_per_trip() -> None:
    network = build_network(STOPS, TRAINS)
    assert _journeys(network, "A", "C") == ["one+two 0"]
    assert _journeys(network, "A", "D") == ["one+two+three 0"]
    assert _journeys(network, "B", "D") == ["two+three 0"]


def test_type_5_forbids_to_stay_and_type_4_links_trips_without_a_block() -> None:
    forbidden = Transfer("B", "B", 5, from_trip="one", to_trip="two")
    assert _journeys(build_network(STOPS, TRAINS, transfers=[forbidden]), "A", "C") == ["one two 1"]
    bare = [Train(t.id, t.calls, route=t.route) for t in TRAINS]
    stated = Transfer("C", "C", 4, from_trip="two", to_trip="three")
    network = build_network(STOPS, bare, transfers=[stated])
    assert _journeys(network, "B", "D") == ["two+three 0"]
    assert _journeys(network, "A", "D") == ["one two+three 1"]


def test_a_through_coach_goes_on_with_either_of_two_trains() -> None:
    trains = [
        Train("stem", "A 08:00 B 08:10"),
        Train("left", "B 08:12 C 08:20"),
        Train("right", "B 08:12 D 08:20"),
    ]
    rows = [Transfer("B", "B", 4, from_trip="stem", to_trip=to) for to in ("left", "right")]
    network = build_network(STOPS, trains, transfers=rows)
    assert _journeys(network, "A", "C") == ["stem+left 0"]
    assert _journeys(network, "A", "D") == ["stem+right 0"]


def test_who_leaves_before_the_trip_that_a_ban_is_about_may_stay_seated() -> None:
    """Found by trying everything at once (`test_everything.py`)."""
    banned = [
        Train(t.id, t.calls, block="v", route="X" if t.id == "three" else "R") for t in TRAINS
    ]
    tables = build_tables(STOPS, banned)
    route = tables.tables["routes"]["route_id"].to_list().index("X")
    stations = tables.tables["stations"]["station_id"].to_list()
    for name, rows, schema in (
        ("boarding_bans", [(0, None, None, "")], BANS),
        ("boarding_ban_routes", [(0, route)], BAN_ROUTES),
        ("boarding_ban_stations", [(0, stations.index(s)) for s in "ACD"], BAN_STATIONS),
    ):
        tables.tables[name] = pl.DataFrame(rows, schema=schema, orient="row")
    network = tables.network()
    assert _journeys(network, "A", "C") == ["one+two 0"]
    assert _journeys(network, "A", "D") == ["one two+three 1"]  # from B one may


def test_trips_of_a_block_that_overlap_or_begin_elsewhere_are_not_linked() -> None:
    overlapping = [
        Train("one", "A 08:00 B 08:10", block="v"), Train("two", "B 08:05 C 08:20", block="v"),
    ]  # fmt: skip
    assert not build_network(STOPS, overlapping).train_through.any()
    elsewhere = [
        Train("one", "A 08:00 B 08:10", block="v"), Train("two", "C 08:30 D 08:40", block="v"),
    ]  # fmt: skip
    assert not build_network(STOPS, elsewhere).train_through.any()


def test_a_day_of_there_and_back_has_no_more_through_trains_than_a_short_one_per_trip() -> None:
    def events(n_trips: int) -> float:
        there, back = "A 0{0}:00 B 0{0}:10", "B 0{0}:30 A 0{0}:40"
        trains = []
        for hour in range(n_trips // 2):
            hour_text = f"{hour + 4:02d}"
            for number, path in enumerate((there, back)):
                calls = path.replace("0{0}", hour_text)
                trains.append(Train(f"{hour}-{number}", calls, block="v"))
        network = build_network(STOPS, trains)
        return len(network.event_stop) / n_trips

    assert events(36) <= events(8) + 2


def test_a_vehicle_that_goes_on_further_than_is_followed_is_told_of() -> None:
    ids = [f"S{n}" for n in range(12)]
    stops = [Stop(stop, 46.0 + n / 10, 7.0) for n, stop in enumerate(ids)]
    calls = [f"{a} {8 + n:02}:00 {b} {8 + n:02}:30" for n, (a, b) in enumerate(pairwise(ids))]
    trains = [Train(f"t{n}", text, block="v") for n, text in enumerate(calls)]
    network = build_network(stops, trains)
    assert network.n_cut_trains == len(trains) - MAX_TRIPS
    assert build_network(STOPS, TRAINS).n_cut_trains == 0


def test_one_to_all_arrives_as_the_first_of_the_journeys_does() -> None:
    reached = 0
    for seed in range(15):
        net = seated_net(seed)
        network = net.network()
        planner = planner_of(network)
        reaching = Reaching(planner.fits)
        question = seated_question(net, seed, arriving=False)
        origin = end(network, question.ids[0])
        found, _ = reaching.reach(origin, depart=question.moment, horizon_s=86_400)
        for stop in net.stops:
            target = end(network, stop.id)
            if stop.id == question.ids[0]:
                continue
            journeys = planner.plan(origin, target, depart=question.moment).journeys
            first = min((j.arrival - question.moment for j in journeys), default=-1)
            assert found.travel_s[target.stops[0]] == first, (seed, stop.id)
            reached += first > 0
    assert reached > 15


def test_a_cancelled_trip_carries_nobody_on(tmp_path: Path) -> None:
    network = build_network(STOPS, TRAINS)
    midnight = int(network.zone_origin_s[0, 0])
    world = LiveWorld(network, tmp_path, midnight + 7 * 3600)
    ends = end(network, "A"), end(network, "C")
    asked = {"depart": midnight + 7 * 3600 + 1800}
    assert [j.transfers for j in world.planner.plan(*ends, **asked).journeys] == [0]
    gone = TripUpdate(TripRef("two", start_date=FIRST_DATE), "canceled")
    world.say([("one", gone, None)])
    answer = world.planner.plan(*ends, **asked).journeys
    assert all(j.departure >= midnight + 86_400 for j in answer)


def test_a_board_tells_each_train_once_and_a_trip_ends_where_it_ends() -> None:
    network = build_network(STOPS, TRAINS)
    boards = Boards(network, network.slices(None))
    start = int(network.zone_origin_s[0, 0]) + 7 * 3600
    board, _ = boards.board(end(network, "A"), start, span_s=4 * 3600, limit=50)
    assert [len(entry.run.leg.calls) for entry in board.entries] == [2]
