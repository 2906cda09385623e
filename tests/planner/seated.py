"""Small networks whose vehicles go on as other trips, and the search that tries every way on."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from mobility.core.units import distance_m
from mobility.network import Network
from tests.network.build import Call as Stated
from tests.network.build import Train, Transfer
from tests.planner.nets import Net, Question, random_net
from tests.planner.oracle import Call, Oracle, Part, Run

DAY_S = 86_400


def seated_net(seed: int) -> Net:
    """A random network with vehicles that carry trips one after the other, and rules for them."""
    rng = random.Random(f"seated {seed}")
    plain = random_net(seed)
    ids = [stop.id for stop in plain.stops]
    trains = list(plain.trains[:5])
    for block in range(rng.randint(1, 3)):
        feed, here = rng.randint(0, 1), rng.choice(ids)
        moment = rng.randrange(15 * 3600, 20 * 3600, 300)
        back: list[str] = []
        for number in range(rng.randint(2, 5)):
            path = [here, *rng.sample([i for i in ids if i != here], rng.randint(1, 3))]
            if back and rng.random() < 0.4:
                path = back[::-1]  # there and back, as most vehicles go
            elsewhere = [i for i in ids if i not in path]
            if elsewhere and rng.random() < 0.15:
                path[0] = rng.choice(elsewhere)
            calls = []
            for stop in path:
                kind = rng.choices((0, 1), (14, 1), k=2)
                calls.append(Stated(stop, moment, moment + rng.choice((0, 60)), *kind))
                moment += rng.choice((300, 600, 900))
            moment += rng.choice((-1500, -300, -300, -300, -300, -300, 0, 0))
            days = tuple(day for day in range(4) if rng.random() < 0.95) or (1,)
            trains.append(
                Train(
                    f"b{block}-{number}", calls, days=days, route=f"L{rng.randint(0, 2)}",
                    feed=feed, block=f"B{block}" if rng.random() < 0.85 else "",
                )
            )  # fmt: skip
            here, back = path[-1], path
    transfers = list(plain.transfers)
    for _ in range(rng.randint(0, 5)):
        a, b = rng.choice(trains), rng.choice(trains)
        if a.feed == b.feed and a is not b:
            ends = [train.calls[at].stop for train, at in ((a, -1), (b, 0))]
            kind = rng.choice((4, 4, 5))
            transfers.append(Transfer(*ends, kind, None, a.feed, from_trip=a.id, to_trip=b.id))
    return replace(
        plain, trains=tuple(trains), transfers=tuple(transfers), split=frozenset()
    )  # fmt: skip


def seated_question(net: Net, seed: int, *, arriving: bool) -> Question:
    """From a stop of one trip of a vehicle to one of a later trip, around the time it goes."""
    question, rng = Question(net, seed), random.Random(f"seated question {seed}")
    vehicle = [train for train in net.trains if train.id.startswith("b0-")]
    for _ in range(40):
        first = rng.randrange(len(vehicle) - 1)
        one, other = vehicle[first], rng.choice(vehicle[first + 1 : first + 3])
        question.ids = [rng.choice(one.calls[:-1]).stop, rng.choice(other.calls[1:]).stop]
        origin, target = question.ids
        if origin not in {call.stop for call in other.calls} and target not in {
            call.stop for call in one.calls
        }:
            break
    midnight = dt.datetime.combine(net.first_date, dt.time(), dt.UTC)
    moment = other.calls[-1].arrival_s + 600 if arriving else one.calls[0].departure_s - 7200
    question.moment = int(midnight.timestamp()) + rng.choice((1, 2)) * DAY_S + moment
    question.window_s = 4 * 3600
    return question


class SeatedOracle(Oracle):
    """Tries every journey, and of each ride every way on that the vehicle takes.

    Reads the trips, blocks and rows of transfers.txt literally, day by day.
    """

    def __init__(self, net: Net) -> None:
        bare = [row for row in net.transfers if row.type < 4]
        trains = [replace(train, block="") for train in net.trains]
        network = replace(net, transfers=tuple(bare), trains=tuple(trains)).network()
        super().__init__(network)
        self.next = links_of(net, network, self.runs)

    def rides(self, run: Run, board: int, by: int) -> Iterator[tuple[Call, list[Part]]]:
        yield from super().rides(run, board, by)
        if run.calls[-1].arrival > by:
            return
        seated = (run, board, len(run.calls) - 1)
        for other in self.next.get(id(run), ()):
            for there, parts in self.rides(other, 0, by):
                yield there, [seated, *parts]


def links_of(net: Net, network: Network, runs: list[Run]) -> dict[int, list[Run]]:
    """By the identity of a run those as which its vehicle goes on.

    A trip that a joined train carries on as another feed's is not the end of a run.
    """
    train_of = {train.id: train for train in net.trains}
    run_of = {run.sections[0].reference: run for run in runs}
    found: dict[int, list[Run]] = {}
    stated: set[tuple[str, Any]] = set()
    pairs = {t: {(r.from_trip, r.to_trip) for r in net.transfers if r.type == t} for t in (4, 5)}
    dates = sorted({ref[2] for ref in run_of})
    all_dates = dict(enumerate(dates))
    following = {date: all_dates.get(at + 1) for at, date in enumerate(dates)}

    def get(trip: str, date: Any) -> Run | None:
        return run_of.get((network.feed_id[train_of[trip].feed], trip, date))

    for a, b in sorted(pairs[4] - pairs[5]):
        for date in dates:
            one, other = get(a, date), get(b, date)
            if one is None or not _ends(one):
                continue
            nominal = train_of[b].calls[0].departure_s - train_of[a].calls[-1].arrival_s
            if nominal < 0:
                other = get(b, following[date])
            if other is None or not 0 <= _wait(one, other) <= DAY_S:
                continue
            found.setdefault(id(one), []).append(other)
            stated |= {("from", id(one)), ("to", id(other))}
    for block in sorted({(t.feed, t.block) for t in net.trains if t.block}):
        for date in dates:
            trips = [t.id for t in net.trains if (t.feed, t.block) == block]
            here = [(trip, run) for trip in trips if (run := get(trip, date))]
            here.sort(key=lambda row: (row[1].calls[0].departure, _trip_end(row[1])))
            for (a, one), (b, other) in pairwise(here):
                if (
                    (a, b) not in pairs[5]
                    and _ends(one)
                    and _wait(one, other) >= 0
                    and ("from", id(one)) not in stated
                    and ("to", id(other)) not in stated
                    and _near(network, one.calls[-1].stop, other.calls[0].stop)
                ):
                    found.setdefault(id(one), []).append(other)
    return found


def _ends(run: Run) -> bool:
    """Whether the run ends with the trip that it begins with."""
    return len(run.sections) == 1


def _trip_end(run: Run) -> int:
    return run.calls[run.sections[0].to_pos].arrival


def _near(network: Network, a: int, b: int) -> bool:
    spots = [(float(network.stop_lat[s]), float(network.stop_lon[s])) for s in (a, b)]
    return (
        network.stop_station[a] == network.stop_station[b]
        or distance_m(*spots[0], *spots[1]) <= 200
    )


def _wait(one: Run, other: Run) -> int:
    return other.calls[0].departure - one.calls[-1].arrival


def without_blocks(net: Net) -> Net:
    """The network as if nobody said how its vehicles go on."""
    return replace(
        net,
        trains=tuple(replace(train, block="") for train in net.trains),
        transfers=tuple(row for row in net.transfers if row.type < 4),
    )
