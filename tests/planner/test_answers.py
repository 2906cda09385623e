"""What an answer promises beyond its set: order, zones, notices, walks, limits."""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from mobility.core.errors import DateOutsideError, UsageError
from mobility.journey import Fare, Journey
from mobility.network import Network
from mobility.planner import Answer, Planner, locate
from mobility.planner.scratch import Scratch
from tests.network.build import Call, Feed, Stop, Train, build_network
from tests.planner.nets import end, key_of, narrow_scratch, planner_of, random_net

BERLIN, LISBON = "Europe/Berlin", "Europe/Lisbon"
FRIDAY = dt.date(2027, 3, 26)


def at(hour: int, minute: int = 0, day: int = 0, zone_h: int = 1) -> int:
    """Unix second of a local time in a zone so many hours ahead of UTC."""
    midnight = dt.datetime.combine(FRIDAY, dt.time(), dt.UTC)
    return int((midnight + dt.timedelta(day, hours=hour - zone_h, minutes=minute)).timestamp())


def plan(network: Network, origin: str, destination: str, **asked: int) -> Answer:
    planner = planner_of(network)
    return planner.plan(locate(network, origin), locate(network, destination), **asked)


LINE = [Stop("A", 47.5, 7.6), Stop("B", 47.6, 7.6), Stop("C", 47.7, 7.6), Stop("D", 47.8, 7.6)]


def test_equal_journeys_are_told_apart_by_walking_then_operators_then_trips() -> None:
    stops = [*LINE, Stop("B2", 47.601, 7.6, feed=1)]
    trains = [
        Train("a1", "A 08:00 B 08:10"),
        Train("a2", "A 08:00 B2 08:10"),  # further to walk
        Train("z9", "B 08:20 C 08:40", feed=1),  # another operator
        Train("m2", "B 08:20 C 08:40"),
        Train("m1", "B 08:20 C 08:40"),
    ]
    feeds = (Feed("one"), Feed("two"))
    network = build_network(stops, trains, feeds=feeds, walk_radius_m=300)
    (journey,) = plan(network, "one:A", "one:C", depart=at(7)).journeys
    assert [leg.sections[0].trip_id for leg in journey.legs] == ["a1", "m1"]


@pytest.mark.parametrize("seed", range(12))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    net = random_net(seed)
    ids = [stop.id for stop in net.stops]
    evening = dt.datetime.combine(net.first_date, dt.time(19), dt.UTC) + dt.timedelta(1)
    moment = int(evening.timestamp())
    answers = []
    for order in (None, random.Random(1), random.Random(2)):
        network = net.network(order)
        planner = planner_of(network)
        answers.append(
            [
                planner.plan(
                    end(network, a), end(network, b, whole_station=True), depart=moment, **asked
                )
                for a, b in zip(ids, reversed(ids), strict=True)
                for asked in ({}, {"window_s": 6 * 3600})
            ]
        )
    assert answers[0] == answers[1] == answers[2]


def test_threads_change_nothing() -> None:
    net = random_net(3)
    network = net.network()
    planner = planner_of(network)
    ids = [stop.id for stop in net.stops]
    pairs = [(end(network, a), end(network, b)) for a in ids for b in ids] * 4

    def ask(pair: tuple[object, object]) -> Answer:
        return planner.plan(*pair, depart=at(20, day=1), window_s=12 * 3600)  # type: ignore[arg-type]  # a pair of endpoints

    alone = [ask(pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, pairs)) == alone


def test_arrive_by_is_departure_in_the_mirrored_network() -> None:
    """Times put to their negative and paths turned round: departures become arrivals."""
    noon_s, day = 24 * 3600, 1
    for seed in range(25):
        net = random_net(seed)
        trains = [t for t in net.trains if not isinstance(t.calls, str)]
        mirrored = [
            Train(
                t.id,
                [
                    Call(c.stop, 2 * noon_s - c.departure_s, 2 * noon_s - c.arrival_s,
                         c.drop_off_type, c.pickup_type)
                    for c in reversed(t.calls)
                ],
                days=(day,),
            )
            for t in trains
        ]  # fmt: skip
        forward = [Train(t.id, t.calls, days=(day,)) for t in trains]
        daily = Train("daily", "Y 12:00 Z 12:10")  # so that every date is covered
        stops = [Stop(s.id, s.lat, s.lon) for s in net.stops]
        stops += [Stop("Y", 50, 7), Stop("Z", 51, 7)]
        there, back = (
            build_network(stops, [*rows, daily], first_date=dt.date(2027, 5, 3), walk_radius_m=400)
            for rows in (forward, mirrored)
        )
        axis = int(there.zone_origin_s[0, day]) + noon_s
        moment = axis + random.Random(seed).randrange(-3, 4) * 3600
        for a, b in zip(net.stops, net.stops[1:], strict=False):
            by = plan(there, a.id, b.id, arrive=moment).journeys
            turned = plan(back, b.id, a.id, depart=2 * axis - moment).journeys
            assert sorted((2 * axis - j.departure, j.transfers) for j in by) == sorted(
                (j.arrival, j.transfers) for j in turned
            )


def test_times_are_told_in_each_places_own_zone() -> None:
    feeds = (Feed("es", "Europe/Madrid", "ES"),)
    stops = [Stop("V", 42.23, -8.71), Stop("P", 41.15, -8.58, tz=LISBON)]
    network = build_network(stops, [Train("422", "V 08:58 P 11:24")], feeds=feeds)
    (journey,) = plan(network, "V", "P", depart=at(8)).journeys
    document = journey.to_json()
    assert document["departure"] == "2027-03-26T08:58:00+01:00"
    assert document["arrival"] == "2027-03-26T10:24:00+00:00"


@pytest.mark.parametrize("date", [dt.date(2027, 3, 26), dt.date(2027, 10, 29)])
def test_trains_keep_their_length_in_the_night_the_clocks_change(date: dt.date) -> None:
    train = Train("n", "A 25:30 B 28:30", days=(1,))
    network = build_network(LINE[:2], [train], first_date=date)
    moment = int(dt.datetime.combine(date, dt.time(20), dt.UTC).timestamp()) + 86_400
    (journey,) = plan(network, "A", "B", depart=moment).journeys
    assert journey.arrival - journey.departure == 3 * 3600
    assert journey.legs[0].sections[0].service_date == date + dt.timedelta(1)


def test_a_stop_opens_its_footpaths_and_a_walk_has_its_own_leg() -> None:
    stops = [*LINE[:2], Stop("A2", 47.501, 7.6), Stop("B2", 47.599, 7.6)]
    network = build_network(stops, [Train("t", "A2 08:10 B2 08:30")], walk_radius_m=300)
    (journey,) = plan(network, "A", "B", depart=at(8)).journeys
    assert [leg.mode for leg in journey.legs] == ["walk", "transit", "walk"]
    walk = journey.legs[0]
    assert (walk.origin.id, walk.destination.id) == ("one:A", "one:A2")
    assert walk.departure == journey.departure == at(8, 10) - (walk.arrival - walk.departure)
    assert journey.walk_m == walk.walk_m + journey.legs[2].walk_m > 0


def test_a_station_opens_all_its_stops() -> None:
    stops = [Stop("A1", 47.5, 7.6, station="A"), Stop("A2", 47.501, 7.6, station="A"), LINE[1]]
    trains = [Train("t1", "A1 08:10 B 08:40"), Train("t2", "A2 08:20 B 08:35")]
    network = build_network(stops, trains)
    (journey,) = plan(network, "A", "B", depart=at(8)).journeys
    assert journey.legs[0].origin.id == "one:A2"
    assert journey.walk_m == 0


def test_positions_open_the_stops_around_them() -> None:
    network = build_network(LINE[:2], [Train("t", "A 08:10 B 08:30")])
    answer = plan(network, "47.5050,7.6", "47.6,7.6", depart=at(7, 30))
    (journey,) = answer.journeys
    access, ride, egress = journey.legs
    assert 720 <= access.walk_m <= 724  # 556 m in a straight line, 1.3 times as long on foot
    assert access.arrival - access.departure == -(-access.walk_m * 10 // 12)
    assert access.origin.id == ""
    assert access.arrival == ride.departure
    assert egress.walk_m == 0
    assert not plan(network, "47.52,7.6", "47.6,7.6", depart=at(7, 30)).journeys


@pytest.mark.parametrize("asked", [{"depart": at(8)}, {"depart": at(8), "window_s": 3600}])
def test_near_places_are_answered_on_foot(asked: dict[str, int]) -> None:
    stops = [*LINE[:2], Stop("A2", 47.503, 7.6)]
    trains = [Train("slow", "A 08:10 A2 08:20"), Train("t", "A 08:10 B 08:30")]
    network = build_network(stops, trains, walk_radius_m=400)
    for ends in (("A", "A2"), ("47.5,7.6", "47.5030,7.6"), ("A", "47.5030,7.6")):
        (journey,) = plan(network, *ends, **asked).journeys
        (leg,) = journey.legs
        assert (leg.mode, journey.transfers, leg.departure) == ("walk", 0, at(8))
    (journey,) = plan(network, "A", "A2", arrive=at(9)).journeys
    assert journey.arrival == at(9)
    assert plan(network, "A", "A", depart=at(8)).journeys[0].walk_m == 0


def test_a_fast_ride_stands_beside_the_walk_it_does_not_beat() -> None:
    stops = [LINE[0], Stop("A2", 47.503, 7.6)]
    network = build_network(stops, [Train("t", "A 08:02 A2 08:04")], walk_radius_m=400)
    journeys = plan(network, "A", "A2", depart=at(8), window_s=3600).journeys
    assert [leg.mode for j in journeys for leg in j.legs] == ["transit"]
    journeys = plan(network, "A", "A2", depart=at(8, 1), window_s=3600).journeys
    assert [leg.mode for j in journeys for leg in j.legs] == ["transit"]
    journeys = plan(network, "A", "A2", depart=at(7), window_s=3 * 3600).journeys
    assert [leg.mode for j in journeys for leg in j.legs] == ["walk", "transit"]


def test_windows_are_half_open_and_reach_over_midnight_in_utc() -> None:
    trains = [Train(f"t{h}", f"A {h}:00 B {h}:30") for h in range(20, 30)]
    network = build_network(LINE[:2], trains)
    found = plan(network, "A", "B", depart=at(22), window_s=4 * 3600).journeys
    assert [j.departure for j in found] == [at(hour) for hour in (22, 23, 24, 25)]
    assert {j.legs[0].sections[0].service_date for j in found} == {FRIDAY}


def test_a_window_alone_is_not_thinned_by_what_leaves_after_it() -> None:
    network = build_network(
        LINE[:2], [Train("slow", "A 08:00 B 10:00"), Train("f", "A 09:00 B 09:30")]
    )
    asked = {"depart": at(8), "window_s": 1800}
    (journey,) = plan(network, "A", "B", **asked, look_beyond=False).journeys
    assert journey.legs[0].sections[0].trip_id == "slow"
    assert not plan(network, "A", "B", **asked).journeys


def test_journeys_take_at_most_the_time_allowed() -> None:
    network = build_network(LINE[:2], [Train("t", "A 08:00 B 10:00")])
    assert plan(network, "A", "B", depart=at(8), max_travel_s=7200).journeys
    assert not plan(network, "A", "B", depart=at(8), max_travel_s=7199).journeys
    assert not plan(network, "A", "B", arrive=at(10), max_travel_s=7199).journeys
    assert not plan(network, "A", "B", depart=at(7), window_s=7200, max_travel_s=7199).journeys


def test_border_points_are_shown_but_neither_boarded_nor_alighted_at() -> None:
    stops = [LINE[0], Stop("X", 47.55, 7.6, border_point=True), LINE[1]]
    network = build_network(stops, [Train("t", "A 08:00 X 08:10 B 08:20")])
    (journey,) = plan(network, "A", "B", depart=at(7)).journeys
    assert [call.border_point for call in journey.legs[0].calls] == [False, True, False]
    assert not plan(network, "one:X", "B", depart=at(7)).journeys


def test_an_answer_names_the_feeds_that_do_not_cover_its_day() -> None:
    feeds = (Feed("one"), Feed("two"))
    trains = [Train("t", "A 08:00 B 08:20"), Train("u", "C 08:00 D 08:10", feed=1, days=(0, 1))]
    network = build_network(LINE, trains, feeds=feeds)
    assert plan(network, "A", "B", depart=at(7)).notices == ()
    (notice,) = plan(network, "A", "B", depart=at(7, day=2)).notices
    assert (notice.code, notice.feed) == ("feed_not_covering_date", "two")
    assert "2027-03-26 to 2027-03-27" in notice.message
    with pytest.raises(DateOutsideError, match="from 2027-03-26 to 2027-03-29"):
        plan(network, "A", "B", depart=at(7, day=9))


def test_on_demand_service_is_mentioned_and_not_used() -> None:
    calls = [Call("A", 28_800, 28_800, pickup_type=2), Call("B", 30_000, 30_000)]
    network = build_network(LINE[:2], [Train("d", calls, days=(0,), route="Rufbus")])
    planner = Planner(network, network.slices(None), booking=lambda trip: f"call 0800 {trip}")
    ends = [locate(network, place) for place in ("A", "B")]
    answer = planner.plan(*ends, depart=at(7))
    assert not answer.journeys
    (notice,) = answer.notices
    assert (notice.code, notice.value, notice.feed) == ("on_demand_in_reach", "Rufbus", "one")
    assert "A on demand" in notice.message
    assert "call 0800 0" in notice.message
    assert "book it" in plan(network, "A", "B", depart=at(7)).notices[0].message
    assert not plan(network, "B", "A", depart=at(7)).notices


def test_the_pricer_judges_every_journey() -> None:
    class Priced:
        def price(self, journey: Journey) -> Fare:
            return Fare(unknown_legs=tuple(range(len(journey.legs))))

    network = build_network(LINE[:2], [Train("t", "A 08:00 B 10:00")])
    planner = Planner(network, network.slices(None), pricer=Priced())
    ends = [locate(network, place) for place in ("A", "B")]
    assert planner.plan(*ends, depart=at(7)).journeys[0].fare == Fare(unknown_legs=(0,))


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"depart": 0, "arrive": 0},
        {"arrive": at(8), "window_s": 60},
        {"depart": at(8), "window_s": 0},
        {"depart": at(8), "window_s": 49 * 3600},
        {"depart": at(8), "max_transfers": -1},
        {"depart": at(8), "max_transfers": 16},
        {"depart": at(8), "max_travel_s": 86_401},
    ],
)
def test_contradictions_and_excess_are_refused(asked: dict[str, int]) -> None:
    network = build_network(LINE[:2], [Train("t", "A 08:00 B 10:00")])
    with pytest.raises(UsageError):
        plan(network, "A", "B", **asked)


def test_scratch_space_grows_when_it_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = [Stop(f"S{n}", 47 + n / 10, 7.6) for n in range(6)]
    trains = [
        Train(
            f"t{start}{hour}{copy}",
            " ".join(f"S{n} {hour:02d}:{10 * n:02d}" for n in range(start, start + 3)),
            route=f"R{copy}",
        )
        for start in range(4)
        for hour in range(5, 20)
        for copy in range(3)
    ]  # fmt: skip
    network = build_network(grid, trains)
    ends = [locate(network, place) for place in ("S0", "S5")]
    asked = {"depart": at(5), "window_s": 10 * 3600}
    expected = planner_of(network).plan(*ends, **asked)
    assert len(expected.journeys) == 10

    monkeypatch.setattr(Scratch, "__init__", narrow_scratch)
    assert planner_of(network).plan(*ends, **asked) == expected
    monkeypatch.setattr("mobility.planner.query.MAX_LABELS", 16)
    thin = planner_of(network).plan(*ends, **asked)
    assert [key_of(j)[:3] for j in thin.journeys] == [key_of(j)[:3] for j in expected.journeys]


def test_importing_the_planner_loads_no_tables_databases_or_servers() -> None:
    code = (
        "import sys, mobility.planner; "
        "print([m for m in ('pandas', 'sqlalchemy', 'fastapi') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
