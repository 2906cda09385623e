"""One-to-all and many-to-many beside an oracle that relaxes every run until nothing changes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from mobility.core.errors import UsageError
from mobility.core.stop import Stop, StoppedError
from mobility.network import Network, SliceStore
from mobility.planner import Endpoint, Needs, Via, locate
from mobility.planner.fitting import Fits
from mobility.planner.one_to_all import percentiles
from mobility.planner.reaching import Reaching
from tests.planner.needed import needed_net, random_needs
from tests.planner.nets import Question, planner_of, random_net
from tests.planner.oracle import DAY_S, Oracle
from tests.planner.ruled import RuledNet, ruled_net, ruled_question

SEEDS = range(700, 800)
RULED_SEEDS = range(700, 860)
NEEDED_SEEDS = range(200)


def reaching_of(network: Network) -> Reaching:
    return Reaching(Fits(network, network.slices(None)))


def _arrivals(oracle: Oracle, stops: tuple[int, ...], depart: int, horizon_s: int) -> list[int]:
    """Seconds to every stop: all rides and walks from what is known, until nothing is earlier."""
    network = oracle.network
    ready = {stop: depart + walk_s for stop, (walk_s, _) in oracle.opens(stops).items()}
    arrival = dict(ready)
    changed = True
    while changed:
        changed = False
        for run in oracle.runs:
            aboard = False
            for call in run.calls:
                if aboard and call.alighting:
                    change_s = int(network.change_s[call.stop])
                    onward = [(call.stop, call.arrival, call.arrival + change_s)]
                    for stop, walk_s, _ in oracle.walks[call.stop]:
                        onward.append((stop, call.arrival + walk_s, call.arrival + walk_s))
                    for stop, there, on in onward:
                        if on < ready.get(stop, on + 1) or there < arrival.get(stop, there + 1):
                            ready[stop] = min(on, ready.get(stop, on))
                            arrival[stop] = min(there, arrival.get(stop, there))
                            changed = True
                aboard = aboard or (
                    call.boarding and ready.get(call.stop, call.departure + 1) <= call.departure
                )
    late = depart + horizon_s
    moments = [arrival.get(stop, late + 1) for stop in range(network.n_stops)]
    return [moment - depart if moment <= late else -1 for moment in moments]


def test_arrivals_equal_those_of_relaxing_every_run() -> None:
    reached = 0
    for seed in SEEDS:
        net = random_net(seed)
        network = net.network()
        oracle, reaching = Oracle(network), reaching_of(network)
        for turn in range(3):
            q = Question(net, 1000 * seed + turn)
            origin = q.ends(network)[0]
            horizon_s = (DAY_S, 6 * 3600, 3600)[turn]
            found, _ = reaching.reach(origin, depart=q.moment, horizon_s=horizon_s)
            expected = _arrivals(oracle, origin.stops, q.moment, horizon_s)
            assert found.travel_s.tolist() == expected, (seed, turn)
            reached += sum(s > 0 for s in expected)
    assert reached > 5 * len(SEEDS)


def _all_stops(network: Network) -> list[Endpoint]:
    feeds = network.feed_id
    return [
        locate(network, f"{feeds[int(feed)]}:{stop}")
        for feed, stop in zip(network.stop_feed, network.stop_id, strict=True)
    ]


@pytest.mark.parametrize("ruled", [False, True], ids=["plain", "with every rule"])
def test_arrivals_and_departures_equal_the_best_journeys(ruled: bool) -> None:
    reached = 0
    for seed in RULED_SEEDS:
        net = ruled_net(seed) if ruled else random_net(seed)
        network = net.network()
        planner, reaching = planner_of(network), reaching_of(network)
        q = ruled_question(net, seed) if ruled else Question(net, seed)
        here = q.ends(network)[0]
        there, _ = reaching.reach(here, depart=q.moment)
        back, _ = reaching.reach(here, arrive=q.moment)
        for end in _all_stops(network):
            row = end.stops[0]
            if len(end.stops) > 1 or row in here.stops:
                continue
            journeys = planner.plan(here, end, depart=q.moment).journeys
            first = min((j.arrival - q.moment for j in journeys), default=-1)
            assert there.travel_s[row] == first, (seed, end)
            journeys = planner.plan(end, here, arrive=q.moment).journeys
            last = min((q.moment - j.departure for j in journeys), default=-1)
            assert back.travel_s[row] == last, (seed, end)
            reached += (first >= 0) + (last >= 0)
    assert reached > 2 * len(RULED_SEEDS)


def test_a_matrix_equals_the_arrivals_of_each_origin() -> None:
    for seed in range(740, 760):
        net = random_net(seed)
        network = net.network()
        reaching = reaching_of(network)
        q = Question(net, seed)
        ends = [end for end in _all_stops(network) if end.kind == "stop"]
        departures = [q.moment, q.moment + 1800]
        table, _ = reaching.matrix(ends, ends, departures, horizon_s=8 * 3600)
        for row, origin in enumerate(ends):
            for at, depart in enumerate(departures):
                found, _ = reaching.reach(origin, depart=depart, horizon_s=8 * 3600)
                expected = [int(found.travel_s[end.stops[0]]) for end in ends]
                assert table[at, row].tolist() == expected, (seed, row, at)


def test_positions_are_reached_on_foot_from_the_last_ride() -> None:
    net = random_net(701)
    network = net.network()
    planner, reaching = planner_of(network), reaching_of(network)
    q = Question(net, 701)
    for seed_stop in range(network.n_stops):
        lat, lon = float(network.stop_lat[seed_stop]), float(network.stop_lon[seed_stop])
        end = locate(network, f"{lat + 0.002:.5f},{lon:.5f}")
        origin = q.ends(network)[0]
        journeys = planner.plan(origin, end, depart=q.moment).journeys
        first = min((j.arrival - q.moment for j in journeys), default=-1)
        table, _ = reaching.matrix([origin], [end], [q.moment])
        assert table[0, 0, 0] == first


def test_stations_have_the_least_of_their_stops() -> None:
    net = random_net(702)
    network = net.network()
    found, _ = reaching_of(network).reach(_all_stops(network)[0], depart=Question(net, 702).moment)
    by_station = found.at_stations(network)
    for station in range(network.n_stations):
        seconds = found.travel_s[network.stop_station == station]
        reached = seconds[seconds >= 0]
        assert by_station[station] == (reached.min() if len(reached) else -1)


def test_percentiles_are_of_the_departures_and_count_what_is_not_reached() -> None:
    table = np.array([[600, -1], [300, 60], [900, -1], [1200, 120]], np.int32)
    assert percentiles(table, [1, 25, 50, 100]).tolist() == [
        [300, 60], [300, 60], [600, 120], [1200, -1]
    ]  # fmt: skip


def test_a_search_that_is_told_to_stop_stops() -> None:
    net = random_net(703)
    network = net.network()
    reaching, q, stop = reaching_of(network), Question(net, 703), Stop()
    stop.set()
    with pytest.raises(StoppedError):
        reaching.reach(q.ends(network)[0], depart=q.moment, stop=stop)
    with pytest.raises(StoppedError):
        reaching.matrix(q.ends(network), q.ends(network), [q.moment], stop=stop)


@pytest.mark.parametrize("horizon_s", [0, -5, DAY_S + 1])
def test_a_horizon_beyond_its_limits_is_refused(horizon_s: int) -> None:
    net = random_net(704)
    network = net.network()
    q = Question(net, 704)
    with pytest.raises(UsageError, match="24 h"):
        reaching_of(network).reach(q.ends(network)[0], depart=q.moment, horizon_s=horizon_s)


def test_connections_are_kept_as_files_and_made_anew_where_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    net = random_net(705)
    network = net.network()
    q = Question(net, 705)
    date = dt.datetime.fromtimestamp(q.moment, dt.UTC).date()
    made = SliceStore(network, tmp_path).connections(date)
    path = tmp_path / f"{date}.forwards"
    assert path.exists()
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 0xFF
    path.write_bytes(raw)
    again = SliceStore(network, tmp_path).connections(date)
    assert "made anew" in caplog.text
    for name in ("departures_s", "to_point", "run"):
        assert getattr(made, name).tolist() == getattr(again, name).tolist()
    origin = q.ends(network)[0]
    plain, _ = reaching_of(network).reach(origin, depart=q.moment)
    mapped, _ = Reaching(Fits(network, SliceStore(network, tmp_path))).reach(
        origin, depart=q.moment
    )
    assert plain.travel_s.tolist() == mapped.travel_s.tolist()


def _needed(seed: int) -> tuple[RuledNet, Network, Question, Needs]:
    net = needed_net(seed)
    network = net.network()
    needs = random_needs(net, network, seed, via=False)
    return net, network, ruled_question(net, seed), needs


def test_with_needs_arrivals_and_departures_equal_the_best_journeys() -> None:
    reached = changed = 0
    for seed in NEEDED_SEEDS:
        _, network, q, needs = _needed(seed)
        planner = planner_of(network)
        reaching = Reaching(planner.fits)
        here = q.ends(network)[0]
        there, told = reaching.reach(here, depart=q.moment, needs=needs)
        back, _ = reaching.reach(here, arrive=q.moment, needs=needs)
        usual = [
            reaching.reach(here, **asked)[0]
            for asked in ({"depart": q.moment}, {"arrive": q.moment})
        ]
        for end in _all_stops(network):
            row = end.stops[0]
            if len(end.stops) > 1 or row in here.stops:
                continue
            answer = planner.plan(here, end, depart=q.moment, needs=needs)
            # A slow walk all the way is shown though it be longer than the horizon.
            first = min((j.arrival - q.moment for j in answer.journeys), default=-1)
            first = first if first <= DAY_S else -1
            assert there.travel_s[row] == first, (seed, end, needs)
            assert [n for n in answer.notices if n in told] == list(told)
            journeys = planner.plan(end, here, arrive=q.moment, needs=needs).journeys
            last = min((q.moment - j.departure for j in journeys), default=-1)
            last = last if last <= DAY_S else -1
            assert back.travel_s[row] == last, (seed, end, needs)
            reached += (first >= 0) + (last >= 0)
            changed += first != usual[0].travel_s[row]
            changed += last != usual[1].travel_s[row]
    assert reached > len(NEEDED_SEEDS)
    assert changed > len(NEEDED_SEEDS)


def test_with_needs_a_matrix_equals_the_arrivals_of_each_origin() -> None:
    for seed in NEEDED_SEEDS[:30]:
        _, network, q, needs = _needed(seed)
        reaching = reaching_of(network)
        ends = [end for end in _all_stops(network) if end.kind == "stop"]
        departures = [q.moment, q.moment + 1800]
        table, told = reaching.matrix(ends, ends, departures, horizon_s=8 * 3600, needs=needs)
        for row, origin in enumerate(ends):
            for at, depart in enumerate(departures):
                found, notices = reaching.reach(
                    origin, depart=depart, horizon_s=8 * 3600, needs=needs
                )
                expected = [int(found.travel_s[end.stops[0]]) for end in ends]
                assert table[at, row].tolist() == expected, (seed, row, at, needs)
                assert set(notices) <= set(told)


def test_places_to_pass_are_refused_and_what_was_made_for_a_rider_is_kept() -> None:
    _, network, q, _ = _needed(706)
    reaching = reaching_of(network)
    here = q.ends(network)[0]
    station = _all_stops(network)[0]
    with pytest.raises(UsageError, match="via: a place to pass goes with a journey"):
        reaching.reach(here, depart=q.moment, needs=Needs(via=(Via(station),)))
    slow = reaching.for_rider(Needs(walk_speed_m_s=0.5))
    assert reaching.for_rider(Needs(walk_speed_m_s=0.5)) is slow
    for speed in range(8):
        reaching.for_rider(Needs(walk_speed_m_s=1 + speed / 10))
    assert reaching.for_rider(Needs(walk_speed_m_s=0.5)) is not slow
