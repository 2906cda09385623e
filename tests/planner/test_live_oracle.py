"""The running day beside an oracle that tries every journey of trains edited by hand.

The truth comes first: how each train of a few runs really goes, drawn at random. It is told to the
program in the words of GTFS Realtime, as briefly as they allow, and applied to the oracle's trains
without them.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from mobility.feeds.realtime import Moment, StopUpdate, TripRef, TripUpdate
from mobility.network import Network
from mobility.planner import Needs
from tests.planner.live_world import LiveWorld, Said
from tests.planner.needed import NeedsOracle, random_needs, said_of
from tests.planner.nets import Question, key_of, random_net
from tests.planner.oracle import Call, Oracle, Run, Section
from tests.planner.ruled import RuledNet, hub_net, ruled_question
from tests.planner.test_needs import answer as asked
from tests.planner.test_needs import expected as needed
from tests.planner.test_oracle import _answer, _expected

SEEDS = range(40)
NEEDED_SEEDS = range(60)
DELAYS_S = (-60, 0, 0, 60, 300, 1200, 5400)


def _truth(rng: random.Random, run: Run) -> list[Call] | None:
    """Calls as they really are: piecewise delays that nowhere run backwards, some left out."""
    for _ in range(20):
        calls, delay = [], 0
        begun = rng.randrange(len(run.calls))
        for index, call in enumerate(run.calls):
            arrives = delay
            if index >= begun and rng.random() < 0.5:
                arrives = rng.choice(DELAYS_S)
                delay = rng.choice((arrives, arrives, arrives + 120))
            skipped = rng.random() < 0.1
            calls.append(
                replace(
                    call, arrival=call.arrival + arrives, departure=call.departure + delay,
                    boarding=call.boarding and not skipped,
                    alighting=call.alighting and not skipped,
                )
            )  # fmt: skip
        moments = [m for call in calls for m in (call.arrival, call.departure)]
        if moments == sorted(moments):
            return calls
    return None


def _tell(
    rng: random.Random, network: Network, run: Run, calls: list[Call], section: Section
) -> TripUpdate:
    """The section's part of the truth in the words of its feed, no more than needed."""
    feed, trip_id, date = section.reference
    stops = []
    by_sequence = rng.random() < 0.5 or len({c.stop for c in run.calls}) < len(run.calls)
    before: int | None = None
    for pos in range(section.from_pos, section.to_pos + 1):
        planned, real = run.calls[pos], calls[pos]
        skipped = (planned.boarding or planned.alighting) and not (real.boarding or real.alighting)
        arrives, leaves = real.arrival - planned.arrival, real.departure - planned.departure
        first = pos == section.from_pos
        if not skipped and before == arrives == leaves and rng.random() < 0.7:
            continue
        before = leaves
        in_time = rng.random() < 0.5

        def moment(delay: int, time: int, in_time: bool = in_time) -> Moment:
            return Moment(time=time, delay_s=777) if in_time else Moment(delay_s=delay)

        own_stop = network.feed_id[int(network.stop_feed[planned.stop])] == feed
        stops.append(
            StopUpdate(
                stop_sequence=section.sequences[pos] if by_sequence or not own_stop else None,
                stop_id=network.stop_id[planned.stop] if own_stop else "",
                arrival=None if first and rng.random() < 0.5 and arrives == 0
                else moment(arrives, real.arrival),
                departure=moment(leaves, real.departure),
                state="skipped" if skipped else "scheduled",
            )
        )  # fmt: skip
    return TripUpdate(
        TripRef(trip_id, start_date=dt.date.fromisoformat(date)), "scheduled", tuple(stops)
    )


def _change(rng: random.Random, network: Network, oracle: Oracle) -> list[Said]:
    """Change some of the oracle's runs; return what operators say of it."""
    said: list[Said] = []
    chosen = rng.sample(range(len(oracle.runs)), round(0.7 * len(oracle.runs)))
    for index in chosen:
        run = oracle.runs[index]
        if rng.random() < 0.2:
            shut = [replace(call, boarding=False, alighting=False) for call in run.calls]
            oracle.runs[index] = replace(run, calls=tuple(shut))
            for section in run.sections:
                feed, trip_id, date = section.reference
                ref = TripRef(trip_id, start_date=dt.date.fromisoformat(date))
                state = rng.choice(("canceled", "deleted"))
                said.append((feed, TripUpdate(ref, state), None))
            continue
        calls = _truth(rng, run)
        if calls is None:
            continue
        oracle.runs[index] = replace(run, calls=tuple(calls))
        for section in run.sections:
            update = _tell(rng, network, run, calls, section)
            said.append((section.reference[0], update, None))
    if rng.random() < 0.5:
        said.append(_add(rng, network, oracle))
    rng.shuffle(said)
    return said


def _add(rng: random.Random, network: Network, oracle: Oracle) -> Said:
    """A train that no timetable knows, over the stops of one that it does, some minutes later."""
    like = rng.choice(oracle.runs)
    feed, trip_id, date = like.sections[0].reference
    own = [c for c in like.calls if network.feed_id[int(network.stop_feed[c.stop])] == feed]
    if len(own) < 2:
        own = list(like.calls)
    later = rng.choice((60, 600, 4000))
    served = [
        Call(c.stop, c.arrival + later, c.departure + later, at < len(own) - 1, at > 0)
        for at, c in enumerate(own)
    ]
    trip = list(network.trip_id).index(trip_id)
    route = int(network.trip_route[trip])
    section = Section(
        (feed, "extra", date), like.sections[0].operator, 0, len(own) - 1,
        {at: at + 1 for at in range(len(own))},
    )  # fmt: skip
    if all(network.feed_id[int(network.stop_feed[c.stop])] == feed for c in own):
        oracle.runs.append(Run(tuple(served), (section,)))
    stops = tuple(
        StopUpdate(
            stop_id=network.stop_id[call.stop], arrival=Moment(call.arrival),
            departure=Moment(call.departure),
        )
        for call in served
    )  # fmt: skip
    ref = TripRef("extra", network.route_id[route], dt.date.fromisoformat(date))
    return feed, TripUpdate(ref, "added", stops), None


@pytest.mark.parametrize("kind", ["departure", "window", "arrival"])
def test_journeys_of_the_running_day_equal_those_of_trying_everything(
    kind: str, tmp_path: Path
) -> None:
    found = changed = 0
    for seed in SEEDS:
        net = random_net(seed)
        network = net.network()
        oracle = Oracle(network)
        rng = random.Random(f"live {seed}")
        said = _change(rng, network, oracle)
        midnight = dt.datetime.combine(net.first_date, dt.time(), dt.UTC)
        world = LiveWorld(network, tmp_path / f"{seed}", int(midnight.timestamp()))
        world.say(said)
        for number in range(3):
            question = Question(net, seed * 1000 + number)
            ends = question.ends(network)
            if ends[0].place.station_id == ends[1].place.station_id:
                continue
            expected = _expected(kind, oracle, ends, question)
            answer = _answer(kind, world.planner, ends, question)
            assert [key_of(journey) for journey in answer] == expected, (seed, number)
            found += len(answer)
            changed += sum(
                call.live is not None and call.planned != (call.arrival, call.departure)
                for journey in answer
                for leg in journey.legs
                for call in leg.calls
            )
    assert found > len(SEEDS) / 2
    assert changed > len(SEEDS) / 4, "the changes must matter to be proved"


def _said_net(seed: int) -> RuledNet:
    """A random network whose trips and stops say whom they take, or do not."""
    net = hub_net(random.Random(f"hub {seed}")) if seed % 4 else random_net(seed)
    plain = RuledNet(
        net.stops, net.trains, net.transfers, net.first_date, net.walk_radius_m, net.split
    )
    return said_of(plain, seed)


def _know_added(oracle: NeedsOracle, said: list[Said]) -> None:
    """Let the oracle know the trip of a train that was added: nobody says whom it takes."""
    oracle.number = {id(run): row for row, run in enumerate(oracle.runs)}
    trips, routes = oracle.tables["trips"], oracle.tables["routes"]
    for run in oracle.runs[len(oracle.train_of_run) :]:
        update = next(update for _, update, _ in said if update.trip.trip_id == "extra")
        feed = list(oracle.network.feed_id).index(run.sections[0].reference[0])
        mine = (pl.col("feed") == feed) & (pl.col("route_id") == update.trip.route_id)
        (route,) = routes.with_row_index("row").filter(mine)["row"]
        like = trips.filter(pl.col("route") == route).row(0, named=True)
        silent = {**like, "wheelchair_accessible": None, "bikes_allowed": None}
        oracle.tables["trips"] = pl.concat([trips, pl.DataFrame([silent], schema=trips.schema)])
        section = {"train": -1, "trip": trips.height, "alias": False, "from_pos": 0}
        oracle.sections.append({**section, "to_pos": len(run.calls) - 1})
        oracle.train_of_run.append(-1)
        oracle.day_of_run.append(0)


@pytest.mark.parametrize("via", [False, True], ids=["without places", "by a place"])
@pytest.mark.parametrize("kind", ["departure", "window", "arrival"])
def test_with_needs_journeys_of_the_running_day_equal_those_of_trying_everything(
    kind: str, via: bool, tmp_path: Path
) -> None:
    found = changed = fitted = 0
    for seed in NEEDED_SEEDS:
        net = _said_net(seed)
        network = net.network()
        oracle = NeedsOracle(net)
        rng = random.Random(f"live {seed}")
        said = _change(rng, network, oracle)
        _know_added(oracle, said)
        midnight = dt.datetime.combine(net.first_date, dt.time(), dt.UTC)
        world = LiveWorld(network, tmp_path / f"{seed}", int(midnight.timestamp()))
        world.say(said)
        for number in range(3):
            question = ruled_question(net, 1000 * seed + number, arriving=kind == "arrival")
            ends = question.ends(network)
            if ends[0].place.station_id == ends[1].place.station_id:
                continue
            needs = random_needs(net, network, seed * 1000 + number, via=via)
            oracle.ask(needs)
            expected = needed(kind, oracle, ends, question)
            answer = asked(kind, world.planner, ends, question, needs)
            assert [key_of(journey) for journey in answer] == expected, (seed, number, needs)
            found += len(answer)
            usual = asked(kind, world.planner, ends, question, Needs())
            fitted += expected != [key_of(journey) for journey in usual]
            changed += sum(
                call.live is not None and call.planned != (call.arrival, call.departure)
                for journey in answer
                for leg in journey.legs
                for call in leg.calls
            )
    assert min(found, fitted) > len(NEEDED_SEEDS) / 3
    assert changed > len(NEEDED_SEEDS) / 3, "the changes must matter to be proved"
