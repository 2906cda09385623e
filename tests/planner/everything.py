"""Small networks with every rule at once, and the search that takes all of them literally.

Vehicles go on as other trips where borders are checked, boarding is banned, changes have rules
of their own and trains are joined; and the riders have needs.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace

from tests.network.build import Call as Stated
from tests.network.build import Train, Transfer
from tests.planner.needed import NeedsOracle, said_of
from tests.planner.nets import Question
from tests.planner.oracle import DAY_S, Call, Run, Section
from tests.planner.ruled import (
    N_DAYS,
    RuledNet,
    ruled_net,
    ruled_question,
    special_transfers,
)
from tests.planner.seated import links_of

KEPT_TRAINS = 9  # of the network with rules, so that every journey can still be tried


def everything_net(seed: int) -> RuledNet:
    """A network with rules, with vehicles among its trains that turn or go on at its hub."""
    rng = random.Random(f"everything {seed}")
    ruled = ruled_net(seed)
    trains = list(ruled.trains[:KEPT_TRAINS])
    trains += [
        train for number in range(rng.randint(1, 3)) for train in _vehicle(ruled, number, rng)
    ]
    named = {train.id for train in trains}
    kept = [
        row
        for row in ruled.transfers
        if all(not trip or trip in named for trip in (row.from_trip, row.to_trip))
    ]
    net = replace(
        ruled, trains=tuple(trains),
        split=frozenset(
            train.id
            for train in trains
            if train.id in ruled.split or (train.block and rng.random() < 0.15)
        ),
    )  # fmt: skip
    kept += [*special_transfers(net, rng)[:5], *_in_seat_rows(trains, rng)]
    return said_of(replace(net, transfers=tuple(kept)), seed)


def _vehicle(net: RuledNet, number: int, rng: random.Random) -> list[Train]:
    """The trips of one vehicle, each from where the one before ends, mostly."""
    hubs = [stop.id for stop in net.stops if stop.id[0] == "H"]
    others = [stop.id for stop in net.stops if stop.id not in hubs]
    feed, moment = rng.randint(0, 1), rng.randrange(15 * 3600 + 1800, 17 * 3600, 300)
    here = rng.choice(others)
    trains = []
    for trip in range(rng.randint(2, 4)):
        if hubs:  # in to the hub and out again
            there = rng.choice(hubs) if here not in hubs else rng.choice(others)
        else:
            there = rng.choice([stop for stop in others if stop != here])
        path = [here, there]
        if rng.random() < 0.35:
            between = [stop for stop in (*others, *hubs) if stop not in path]
            path.insert(1, rng.choice(between))
        calls = []
        for stop in path:
            kind = rng.choices((0, 1), (14, 1), k=2)
            calls.append(Stated(stop, moment, moment + rng.choice((0, 60)), *kind))
            moment += rng.choice((300, 600, 900))
        moment += rng.choice((-900, -300, -300, -300, 0))
        days = tuple(day for day in range(N_DAYS) if rng.random() < 0.95) or (1,)
        trains.append(
            Train(
                f"b{number}-{trip}", calls, zone="Europe/Berlin", days=days,
                route=f"L{rng.randint(0, 2)}", feed=feed,
                block=f"B{number}" if rng.random() < 0.9 else "",
            )
        )  # fmt: skip
        here = there
        if len(hubs) > 1 and here in hubs and rng.random() < 0.2:
            here = rng.choice(hubs)
    return trains


def _in_seat_rows(trains: list[Train], rng: random.Random) -> list[Transfer]:
    rows = []
    for _ in range(rng.randint(0, 4)):
        a, b = rng.sample(trains, 2)
        if a.feed == b.feed:
            ends = a.calls[-1].stop, b.calls[0].stop
            kind = rng.choice((4, 4, 5))
            rows.append(Transfer(*ends, kind, None, a.feed, from_trip=a.id, to_trip=b.id))
    return rows


def everything_question(net: RuledNet, seed: int, *, arriving: bool) -> Question:
    """Mostly from a stop of one trip of a vehicle to one of a later trip, around its time."""
    question = ruled_question(net, seed, arriving=arriving)
    rng = random.Random(f"everything question {seed}")
    trips = [train for train in net.trains if train.id.startswith("b")]
    number = rng.choice(trips).id.partition("-")[0]
    vehicle = [train for train in trips if train.id.startswith(f"{number}-")]
    for _ in range(40 if rng.random() < 0.8 else 0):
        first = rng.randrange(len(vehicle) - 1)
        one, other = vehicle[first : first + 2]
        ids = [rng.choice(one.calls[:-1]).stop, rng.choice(other.calls[1:]).stop]
        if ids[0] not in {c.stop for c in other.calls} and ids[1] not in {
            c.stop for c in one.calls
        }:
            question.ids = ids
            midnight = dt.datetime.combine(net.first_date, dt.time(), dt.UTC).timestamp()
            moment = (
                other.calls[-1].arrival_s + 600 if arriving else one.calls[0].departure_s - 7200
            )
            question.moment = int(midnight) + rng.choice((1, 2)) * DAY_S + moment
            break
    return question


class EverythingOracle(NeedsOracle):
    """Tries every journey, also on what a vehicle carries one after the other, and asks each rule.

    The runs of a vehicle end to end are one more run, boarded in the first and left in the last.
    Where two of them meet is one call: who stays seated sees no other.
    """

    def __init__(self, net: RuledNet) -> None:
        super().__init__(net)
        following = {
            key: [self.number[id(run)] for run in runs]
            for key, runs in links_of(net, self.network, self.runs).items()
        }
        self._further = [following.get(id(run), []) for run in self.runs]
        for row in range(len(self._further)):
            self._go_on((row,))

    def _go_on(self, rows: tuple[int, ...]) -> None:
        begins = self.runs[rows[0]].calls[0].departure
        for following in self._further[rows[-1]]:
            if self.runs[following].calls[0].departure - begins < DAY_S:  # as journeys are
                self._add((*rows, following))
                self._go_on((*rows, following))

    def _add(self, rows: tuple[int, ...]) -> None:
        """Add the runs of those rows, end to end."""
        train = len(self.runs)  # there are no more trains than runs: a number of its own
        calls: list[Call] = []
        sections: list[Section] = []
        for number, row in enumerate(rows):
            run = self.runs[row]
            shift = len(calls) - 1 if number else 0
            if number:
                calls[-1] = replace(calls[-1], departure=run.calls[0].departure)
            is_first, is_last = number == 0, number == len(rows) - 1
            for at, call in enumerate(run.calls[1:] if number else run.calls):
                boards = is_first and at < len(run.calls) - 1
                calls.append(
                    replace(
                        call, boarding=call.boarding and boards,
                        alighting=call.alighting and is_last,
                    )
                )  # fmt: skip
            sections += [
                replace(
                    section, from_pos=section.from_pos + shift, to_pos=section.to_pos + shift,
                    sequences={at + shift: said for at, said in section.sequences.items()},
                )
                for section in run.sections
            ]  # fmt: skip
            self.sections += [
                {
                    **section, "train": train, "from_pos": section["from_pos"] + shift,
                    "to_pos": section["to_pos"] + shift,
                }
                for section in self.sections
                if section["train"] == self.train_of_run[row]
            ]  # fmt: skip
        through = Run(tuple(calls), tuple(sections))
        self.number[id(through)] = len(self.runs)
        self.runs.append(through)
        self.train_of_run.append(train)
        self.day_of_run.append(self.day_of_run[rows[0]])
