"""Riders with needs in small networks with every rule, and the search that asks them each time."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

from mobility.network import Network
from mobility.planner import Endpoint, Needs, Via
from tests.planner.nets import end
from tests.planner.oracle import Access, Run
from tests.planner.ruled import RuledNet, RuledOracle, ruled_net

SAID = (None, 0, 1, 1, 1, 1, 1, 2)
KINDS = (0, 2, 3)
VEHICLES = {0: "tram", 2: "rail", 3: "bus"}


def needed_net(seed: int) -> RuledNet:
    """A network with rules whose trips and stops say whom they take, or do not."""
    return said_of(ruled_net(seed), seed)


def said_of(net: RuledNet, seed: int) -> RuledNet:
    """The network with what its trips and stops say of whom they take."""
    rng = random.Random(f"said {seed}")
    kinds = {(train.feed, train.route): rng.choice(KINDS) for train in net.trains}
    trains = tuple(
        replace(
            train, wheelchair=rng.choice(SAID), bikes=rng.choice(SAID),
            route_type=kinds[train.feed, train.route],
        )
        for train in net.trains
    )  # fmt: skip
    stops = tuple(replace(stop, wheelchair=rng.choice(SAID)) for stop in net.stops)
    return replace(net, trains=trains, stops=stops)


def random_needs(net: RuledNet, network: Network, seed: int, *, via: bool) -> Needs:
    rng = random.Random(f"needs {seed}")
    asked: dict[str, Any] = {}
    if rng.random() < 0.2:
        asked["wheelchair"] = True
    if rng.random() < 0.2:
        asked["bike"] = True
    if rng.random() < 0.4:
        modes = frozenset(rng.sample(sorted(VEHICLES.values()), rng.randint(1, 2)))
        asked[rng.choice(("modes", "not_modes"))] = modes
    if rng.random() < 0.3:
        agency = rng.choice(("one:one", "two:two"))
        asked[rng.choice(("operators", "not_operators"))] = frozenset([agency])
    if rng.random() < 0.4:
        asked["min_change_s"] = rng.choice((60, 180, 300, 600))
    if rng.random() < 0.5:
        asked["walk_speed_m_s"] = rng.choice((0.5, 0.9, 1.2, 1.7, 2.6))
    if rng.random() < 0.3:
        asked["max_walk_m"] = rng.choice((0, 60, 150, 400))
    if via:
        hubs = [stop.id for stop in net.stops if stop.id[0] in "HK"]
        places = rng.sample(hubs or [stop.id for stop in net.stops], rng.choice((1, 1, 2)))
        ends = [end(network, place, whole_station=rng.random() < 0.4) for place in places]
        if len(ends) == 2 and set(ends[0].stops) & set(ends[1].stops):
            ends.pop()
        asked["via"] = tuple(Via(one, rng.choice((0, 0, 0, 300, 900))) for one in ends)
        if rng.random() < 0.6:
            asked = {"via": asked["via"]}
    return Needs(**asked)


class NeedsOracle(RuledOracle):
    """Tries every journey and asks the needs at each ride, change and walk, and at the end."""

    def ask(self, needs: Needs) -> None:
        self.needs = needs
        self.change.cache_clear()
        self.may_ride.cache_clear()

    def opens(self, stops: tuple[int, ...], *, backwards: bool = False) -> Access:
        usual, self.walks = self.walks, self._rider_walks()
        try:
            return super().opens(stops, backwards=backwards)
        finally:
            self.walks = usual

    def _rider_walks(self) -> dict[int, list[tuple[int, int, int]]]:
        found: dict[int, list[tuple[int, int, int]]] = {}
        for a, ways in self.stated_walks.items():
            walked = [(b, self._on_foot(a, b, s, m, timed)) for b, s, m, timed in ways]
            found[a] = [(b, *way) for b, way in walked if way is not None]
        return found

    def _on_foot(self, a: int, b: int, s: int, m: int, timed: bool) -> tuple[int, int] | None:
        needs, net = self.needs, self.network
        if needs.max_walk_m is not None and m > needs.max_walk_m:
            return None
        if needs.walk_speed_m_s < 1.2:
            return max(s, math.ceil(m / needs.walk_speed_m_s - 1e-9)), m
        if timed:
            return s, m
        least = 60
        if self._station(a) == self._station(b):
            times = [int(net.change_s[stop]) for stop in (a, b)]
            least = max(120 if time >= 604_800 else time for time in times)
        return min(s, max(least, math.ceil(s * (1.2 / needs.walk_speed_m_s) - 1e-9))), m

    def walked(
        self, a: int, b: int, seconds: int, metres: int, timed: bool
    ) -> tuple[int, int] | None:
        way = (seconds, metres) if a == b else self._on_foot(a, b, seconds, metres, timed)
        return None if way is None else (max(way[0], self.needs.min_change_s), way[1])

    def _may_ride(self, row: int, board: int, alight: int) -> bool:
        needs, run = self.needs, self.runs[row]
        stops = self.tables["stops"]
        if needs.wheelchair and any(
            stops["wheelchair_boarding"][run.calls[pos].stop] != 1 for pos in (board, alight)
        ):
            return False
        for section in self.sections:
            own = section["train"] == self.train_of_run[row] and not section["alias"]
            ridden = own and section["from_pos"] < alight and section["to_pos"] > board
            if ridden and not self._trip_fits(section["trip"]):
                return False
        return super()._may_ride(row, board, alight)

    def _trip_fits(self, trip: int) -> bool:
        needs = self.needs
        row = self.tables["trips"].row(trip, named=True)
        route = self.tables["routes"].row(row["route"], named=True)
        agency = self.tables["agencies"].row(route["agency"], named=True)
        feeds = list(self.network.feed_id)
        operator = f"{feeds[agency['feed']]}:{agency['agency_id']}"
        mode = VEHICLES[route["route_type"]]
        return (
            not (needs.wheelchair and row["wheelchair_accessible"] != 1)
            and not (needs.bike and row["bikes_allowed"] != 1)
            and (not needs.modes or mode in needs.modes)
            and mode not in needs.not_modes
            and (not needs.operators or operator in needs.operators)
            and operator not in needs.not_operators
        )

    def accepts(self, legs: list[tuple[Run, int, int]]) -> bool:
        """Whether the places can be passed in order, each with its stay, in the time there is."""
        via = self.needs.via

        def from_ride(number: int, passed: int) -> bool:
            run, board, alight = legs[number]
            reachable = {passed}
            for position in range(board, alight + 1):
                last = max(reachable)
                ahead = [one for one in via[last : last + 1] if not one.stay_s]
                if any(run.calls[position].stop in one.place.stops for one in ahead):
                    reachable.add(last + 1)
            if number + 1 == len(legs):
                return len(via) in reachable
            return any(from_change(number, before) for before in reachable)

        def from_change(number: int, passed: int) -> bool:
            run, _, alight = legs[number]
            other, board, _ = legs[number + 1]
            a, b = run.calls[alight], other.calls[board]
            way = self.change(self.number[id(run)], alight, self.number[id(other)], board)
            assert way is not None
            for more in range(len(via) - passed + 1):
                chosen = via[passed : passed + more]
                ends = [[stop in one.place.stops for one in chosen] for stop in (a.stop, b.stop)]
                # The first so many at the one stop, the rest at the other.
                if not any(
                    all(ends[0][:split]) and all(ends[1][split:]) for split in range(more + 1)
                ):
                    continue
                needed = way[0] + sum(one.stay_s for one in chosen)
                if more == 1 and ends[0][0] and ends[1][0]:
                    needed = max(way[0], chosen[0].stay_s)
                if a.arrival + needed <= b.departure and from_ride(number + 1, passed + more):
                    return True
            return False

        return not via or from_ride(0, 0)


def on_foot(oracle: NeedsOracle, ends: list[Endpoint]) -> tuple[int, int] | None:
    """The walk all the way, if it passes what is to be passed."""
    if oracle.needs.via:
        return None
    near = oracle.opens(ends[0].stops)
    return min((near[stop] for stop in ends[1].stops if stop in near), default=None)
