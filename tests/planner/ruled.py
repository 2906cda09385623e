"""Small networks with every rule of travellers switched on, and the search that takes it literally.

The oracle reads the region's tables: it cuts no train, splits no stop and doubles nothing. At each
ride and at each change it asks the rules.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from mobility.core.time import local_date
from mobility.core.units import distance_m
from mobility.merge.rules import BAN_ROUTES, BAN_STATIONS, BANS, CHECKS
from mobility.network import Network
from tests.network.build import Call, Stop, Tables, Train, Transfer, build_tables
from tests.planner.nets import FEEDS, NIGHT_BACK, NIGHT_FORWARD, Net, Question, random_net
from tests.planner.oracle import Access, Found, Oracle, Run, found_by
from tests.planner.oracle import Call as RunCall

SPECIAL = ("from_route_id", "to_route_id", "from_trip_id", "to_trip_id")
RANKS = {(2, 0): 1, (1, 1): 2, (1, 0): 3, (0, 2): 4, (0, 1): 5}
COUNTRIES = (None, "DE", "PT")
N_DAYS = 4
MAX_WALK_S = 1200


@dataclass(frozen=True)
class RuledNet(Net):
    """A network with border checks and boarding bans, as rows of the region's tables."""

    checks: tuple[tuple[Any, ...], ...] = ()
    bans: tuple[tuple[Any, ...], ...] = ()
    ban_routes: tuple[tuple[int, int], ...] = ()
    ban_stations: tuple[tuple[int, int], ...] = ()

    def tables(self) -> Tables:
        made = self._joined(
            build_tables(
                self.stops, self.trains, feeds=FEEDS, transfers=self.transfers,
                first_date=self.first_date, n_days=N_DAYS,
            )
        )  # fmt: skip
        for name, rows, schema in (
            ("border_checks", self.checks, CHECKS),
            ("boarding_bans", self.bans, BANS),
            ("boarding_ban_routes", self.ban_routes, BAN_ROUTES),
            ("boarding_ban_stations", self.ban_stations, BAN_STATIONS),
        ):
            made.tables[name] = pl.DataFrame(rows, schema=schema, orient="row")
        return made

    def network(self, order: random.Random | None = None) -> Network:
        assert order is None, "rules name rows"
        return self.tables().network(walk_radius_m=self.walk_radius_m)


def ruled_net(seed: int) -> RuledNet:
    """A random network with rules that its trains run into."""
    rng = random.Random(f"rules {seed}")
    plain = random_net(seed) if seed % 4 == 0 else hub_net(rng)
    transfers = [*plain.transfers, *special_transfers(plain, rng)]
    net = RuledNet(
        plain.stops, plain.trains, tuple(transfers), plain.first_date, plain.walk_radius_m,
        plain.split,
    )  # fmt: skip
    tables = net.tables().tables
    n_stations, n_routes = tables["stations"].height, tables["routes"].height
    checks = []
    for number in range(rng.choice((0, 1, 1, 2))):
        dates = _dates(rng, plain.first_date)
        place = 0 if seed % 4 and rng.random() < 0.7 else rng.randrange(n_stations)
        checks.append(
            (
                number, place, rng.choice(COUNTRIES), rng.choice(COUNTRIES), *dates,
                rng.choice((0, 5, 10, 20)), rng.random() < 0.5, "{}",
            )
        )  # fmt: skip
    bans, routes, stations = [], [], []
    for number in range(rng.choice((0, 0, 1, 2))):
        bans.append((number, *_dates(rng, plain.first_date), ""))
        routes += [(number, route) for route in range(n_routes) if rng.random() < 0.6]
        section = rng.sample(range(n_stations), rng.randint(2, 3))
        stations += [(number, station) for station in sorted(section)]
    return replace(
        net, checks=tuple(checks), bans=tuple(bans), ban_routes=tuple(routes),
        ban_stations=tuple(stations),
    )  # fmt: skip


def hub_net(rng: random.Random) -> Net:
    """Lines of two countries that meet at a station of two stops, with a third one next to it."""
    hub = [
        Stop("H", 46.0, 7.0),
        Stop("H2", 46.0006, 7.0, feed=1, station="H"),
        Stop("K", 46.001, 7.0005, feed=rng.randint(0, 1)),
    ]
    outer = [Stop(f"D{i}", 46.5, 7 + i / 10, feed=0) for i in range(rng.randint(1, 2))]
    outer += [Stop(f"P{i}", 45.5, 7 + i / 10, feed=1) for i in range(rng.randint(1, 2))]
    if rng.random() < 0.3:
        outer.append(Stop("X", 45.9, 7.0, feed=1, border_point=True))
    trains = []
    for number in range(rng.randint(12, 18)):
        ends = rng.sample([stop.id for stop in outer], 2)
        path = [ends[0], rng.choices(("H", "H2", "K"), (6, 3, 1))[0], ends[1]]
        shape = rng.random()
        if "X" not in ends:
            path = path[:2] if shape < 0.4 else path[1:] if shape < 0.8 else path
        else:
            path = [rng.choice(outer[:2]).id, *path[1:]] if ends[1] == "X" else path
            path = [path[0], "X", "H", rng.choice(outer[:2]).id][: rng.choice((3, 4))]
            if path[0] in ("X", path[-1]):
                path = path[1:3]
        moment = rng.randrange(16 * 3600, 18 * 3600, 300) + (1800 if path[0] in "HH2K" else 0)
        calls = []
        for stop in path:
            wait = rng.choice((0, 60, 300, 600, 1200)) if len(path) == 3 else 0
            kind = rng.choices((0, 1, 3), (12, 1, 1), k=2)
            calls.append(Call(stop, moment, moment + wait, *kind))
            moment += wait + rng.choice((300, 600, 900))
        days = tuple(day for day in range(N_DAYS) if rng.random() < 0.9) or (1,)
        trains.append(
            Train(
                f"t{number}", calls, zone="Europe/Berlin", days=days if number else None,
                route=f"L{rng.randint(0, 2)}", feed=rng.choice((0, 0, 1)),
            )
        )  # fmt: skip
    transfers = []
    for _ in range(rng.randint(0, 2)):
        stop, other = rng.choice(hub), rng.choice(hub)
        kind = rng.choice((0, 2, 2, 3))
        minimum = rng.choice((60, 300, 600)) if kind == 2 else None
        transfers.append(Transfer(stop.id, other.id, kind, minimum, stop.feed))
    split = frozenset(train.id for train in trains if rng.random() < 0.3)
    return Net(
        (*hub, *outer), tuple(trains), tuple(transfers), rng.choice((NIGHT_FORWARD, NIGHT_BACK)),
        rng.choice((0, 400, 400, 400)), split,
    )  # fmt: skip


def ruled_question(net: RuledNet, seed: int, *, arriving: bool = False) -> Question:
    """Two places, mostly outer ones of a hub, and a moment before (after) most trains."""
    question = Question(net, seed)
    rng = random.Random(f"ruled question {seed}")
    outer = [stop.id for stop in net.stops if stop.id[0] in "DP"]
    if outer:
        question.ids = rng.sample(outer, 2)
        midnight = dt.datetime.combine(net.first_date, dt.time(), dt.UTC)
        hours = dt.timedelta(rng.choice((1, 2)), hours=18 if arriving else 14)
        question.moment = int((midnight + hours).timestamp())
        question.window_s = 4 * 3600
        if rng.random() < 0.2:
            question.ids[rng.randint(0, 1)] = rng.choice(("H", "H2", "K"))
    return question


def _dates(rng: random.Random, first: dt.date) -> tuple[dt.date | None, dt.date | None]:
    if rng.random() < 0.4:
        return None, None
    begin = first + dt.timedelta(rng.randrange(N_DAYS))
    until = begin + dt.timedelta(rng.randrange(2))
    return rng.choice(((begin, until), (begin, None), (None, until)))


def special_transfers(net: Net, rng: random.Random) -> list[Transfer]:
    made = []
    for _ in range(rng.randint(0, 12)):
        feed = rng.choice((0, 0, 1))
        own = [stop.id for stop in net.stops if stop.feed == feed]
        trains = [train for train in net.trains if train.feed == feed]
        if not own or not trains:
            continue
        named: dict[str, str] = {}
        for end in ("from", "to"):
            train, what = rng.choice(trains), rng.choice(("trip", "route", "route", ""))
            if what:
                named[f"{end}_{what}"] = train.id if what == "trip" else train.route
        own = [stop for stop in own if stop[0] in "HKS"] or own
        a = rng.choice(own)
        b = a if rng.random() < 0.6 else rng.choice(own)
        kind = rng.choice((0, 1, 2, 2, 2, 3))
        minimum = rng.choice((None, 0, 300, 900, 1800, 3600)) if kind == 2 else None
        if named:
            made.append(Transfer(a, b, kind, minimum, feed, **named))
    return made


class RuledOracle(Oracle):
    """Tries every journey; asks the rules at each ride and each change."""

    def __init__(self, net: RuledNet) -> None:
        tables = net.tables()
        self.tables = dict(tables.tables)
        plain = dict(tables.tables)
        for name in ("border_checks", "boarding_bans"):
            del plain[name]
        transfers = plain["transfers"]
        is_plain = pl.all_horizontal(pl.col(name).is_null() for name in SPECIAL)
        plain["transfers"] = transfers.filter(is_plain)
        self.special = transfers.filter(~is_plain & (pl.col("transfer_type") < 4)).to_dicts()
        plain["trips"] = plain["trips"].with_columns(block_id=pl.lit(None, pl.String))
        super().__init__(replace(tables, tables=plain).network(walk_radius_m=net.walk_radius_m))
        network = self.network
        self.train_of_run: list[int] = []
        self.day_of_run: list[int] = []
        for train in range(network.n_trains):
            bits = network.service_bits[int(network.train_service[train])]
            for day in range(network.n_days):
                if bits[day // 8] >> (day % 8) & 1:
                    self.train_of_run.append(train)
                    self.day_of_run.append(day)
        self.stated_walks = {
            stop: [(*way, self._is_timed(stop, way[0])) for way in ways]
            for stop, ways in self.walks.items()
        }
        self.number = {id(run): row for row, run in enumerate(self.runs)}
        assert len(self.runs) == len(self.train_of_run)
        self.sections = self.tables["sections"].to_dicts()
        self.checks = self.tables["border_checks"].to_dicts()
        self.bans = self.tables["boarding_bans"].to_dicts()
        self.banned = {
            what: self.tables[f"boarding_ban_{what}s"].to_dicts() for what in ("route", "station")
        }
        self.trips, self.routes = (self.tables[name].to_dicts() for name in ("trips", "routes"))
        self.stop_row = {
            (stop["feed"], stop["stop_id"]): row
            for row, stop in enumerate(self.tables["stops"].to_dicts())
        }
        self.country = self._countries()
        self.change = cache(self._change)
        self.may_ride = cache(self._may_ride)

    def _countries(self) -> list[str | None]:
        """Each station's country: that of the feed which calls there most."""
        stops = self.tables["stops"].to_dicts()
        calls: dict[int, Counter[int]] = {}
        for stop in stops:
            if not stop["border_point"]:
                calls.setdefault(stop["station"], Counter())[stop["feed"]] += 0
        for row in self.tables["stop_times"]["stop"].to_list():
            if not stops[row]["border_point"]:
                calls[stops[row]["station"]][stops[row]["feed"]] += 1
        found: list[str | None] = []
        for station in range(self.tables["stations"].height):
            own = calls.get(station)
            feed = min(own, key=lambda f: (-own[f], f)) if own else None
            found.append(None if feed is None else FEEDS[feed].country)
        return found

    def _is_timed(self, stop: int, other: int) -> bool:
        net = self.network
        rows = range(int(net.walk_start[stop]), int(net.walk_start[stop + 1]))
        return any(net.walk_to[row] == other and net.walk_stated[row] for row in rows)

    def _station(self, stop: int) -> int:
        return int(self.network.stop_station[stop])

    def _beside(self, run: Run, pos: int, step: int) -> str | None:
        """The country of the next call in one direction that has any."""
        pos += step
        while 0 <= pos < len(run.calls):
            country = self.country[self._station(run.calls[pos].stop)]
            if country is not None:
                return country
            pos += step
        return None

    def _on(self, call: RunCall, check: dict[str, Any]) -> bool:
        zone = self.network.zone_name[int(self.network.stop_tz[call.stop])]
        return _within(local_date(call.arrival, zone), check)

    def _may_ride(self, row: int, board: int, alight: int) -> bool:
        run = self.runs[row]
        for check in self.checks:
            for pos in range(board + 1, alight):
                call = run.calls[pos]
                if (
                    check["change_of_vehicle"]
                    and self._station(call.stop) == check["station"]
                    and self._on(call, check)
                    and _meant(check, self._beside(run, pos, -1), self._beside(run, pos, 1))
                ):
                    return False
        ends = {self._station(run.calls[pos].stop) for pos in (board, alight)}
        date = self.network.date_of(self.day_of_run[row])
        for ban in self.bans:
            routes, section = (
                {r[what] for r in self.banned[what] if r["ban"] == ban["ban"]}
                for what in ("route", "station")
            )
            own = {
                self.trips[section_row["trip"]]["route"]
                for section_row in self.sections
                if section_row["train"] == self.train_of_run[row]
            }
            if own & routes and ends <= section and _within(date, ban):
                return False
        return True

    def accepts(self, legs: list[tuple[Run, int, int]]) -> bool:
        """Whether a journey of these rides is one that is asked for."""
        return True

    def _change(self, row: int, alight: int, other: int, board: int) -> tuple[int, int] | None:
        """Seconds and metres of a change between two rides; None where there is no way."""
        a, b = self.runs[row].calls[alight], self.runs[other].calls[board]
        if a.stop == b.stop:
            base = (int(self.network.change_s[a.stop]), 0, True)
            usual = None if base[0] >= 604_800 else base
        else:
            usual = next((way for to, *way in self.stated_walks[a.stop] if to == b.stop), None)
        ruled = self._stated(row, alight, other, board)
        found = usual if ruled is None else ruled[0]
        if found is None:
            return None
        least, metres, timed = found
        for check in self.checks:
            before = self._beside(self.runs[row], alight, -1)
            after = self._beside(self.runs[other], board, 1)
            here = check["station"] in (self._station(a.stop), self._station(b.stop))
            if here and _meant(check, before, after) and self._on(a, check):
                least = max(least, 60 * check["minutes"])
                timed = timed or check["minutes"] > 0
        return self.walked(a.stop, b.stop, least, metres, timed)

    def walked(
        self, a: int, b: int, seconds: int, metres: int, timed: bool
    ) -> tuple[int, int] | None:
        """What the rider makes of a change; `timed`: a rule or a check says how long it takes."""
        return seconds, metres

    def _stated(
        self, row: int, alight: int, other: int, board: int
    ) -> tuple[tuple[int, int, bool] | None] | None:
        """What the most specific rule for these two trains says, if there is any."""
        found = []
        a, b = self.runs[row].calls[alight].stop, self.runs[other].calls[board].stop
        net = self.network
        metres = 0.0
        if a != b:
            metres = float(
                distance_m(*(float(x) for x in (
                    net.stop_lat[a], net.stop_lon[a], net.stop_lat[b], net.stop_lon[b])))
            )  # fmt: skip
        walk_s = max(60, int(np.ceil(metres / 1.2)))
        for rule in self.special:
            left = self._fits(rule, "from", row, alight)
            right = self._fits(rule, "to", other, board)
            if left is None or right is None:
                continue
            kind, minimum = rule["transfer_type"], rule["min_transfer_time"]
            minimum = minimum if kind == 2 and minimum is not None else -1
            if kind < 2 and a != b and walk_s > MAX_WALK_S:
                continue
            named = [
                "trip" if rule[f"{end}_trip_id"] else "route" if rule[f"{end}_route_id"] else ""
                for end in ("from", "to")
            ]
            rank = RANKS[named.count("trip"), named.count("route")]
            strict = 2**31 if kind == 3 else minimum
            if kind == 3:
                taken = None
            elif minimum >= 0:
                taken = minimum
            elif a == b:
                taken = 0 if kind < 2 else 120
            else:
                taken = walk_s
            walk_m = 0 if a == b else int(np.ceil(metres))
            said = None if taken is None else (taken, walk_m, minimum >= 0)
            found.append(((rank, left + right, -strict, kind), said))
        return (min(found, key=lambda one: one[0])[1],) if found else None

    def _fits(self, rule: dict[str, Any], end: str, row: int, pos: int) -> int | None:
        """0 where the rule names the train at the stop, 1 where by another feed's listing."""
        call = self.runs[row].calls[pos]
        named = self.stop_row[rule["feed"], rule[f"{end}_stop_id"]]
        trip, route = rule[f"{end}_trip_id"], rule[f"{end}_route_id"]
        best = None
        for section in self.sections:
            if section["train"] != self.train_of_run[row]:
                continue
            low, high = section["from_pos"], section["to_pos"]
            if not (low < pos <= high if end == "from" else low <= pos < high):
                continue
            own = self.trips[section["trip"]]
            if trip:
                match = (own["feed"], own["trip_id"]) == (rule["feed"], trip)
            elif route:
                of = self.routes[own["route"]]
                match = (of["feed"], of["route_id"]) == (rule["feed"], route)
            else:
                match = not section["alias"]
            same_stop = call.stop == named
            same_station = self._station(call.stop) == self._station(named)
            if match and not section["alias"] and same_stop:
                return 0
            if match and section["alias"] and same_station:
                best = 1
        return best

    def journeys(
        self, access: Access, egress: Access, first: int, last: int, by: int, rides: int
    ) -> list[Found]:
        found: list[Found] = []

        def ride(row: int, board: int, leave: int, walked: int, legs: list[Any]) -> None:
            run = self.runs[row]
            for alight in range(board + 1, len(run.calls)):
                there = run.calls[alight]
                if there.arrival > by:
                    break
                if there.alighting and self.may_ride(row, board, alight):
                    go_on(row, alight, leave, walked, [*legs, (run, board, alight)])

        def go_on(row: int, alight: int, leave: int, walked: int, legs: list[Any]) -> None:
            call = self.runs[row].calls[alight]
            if call.stop in egress:
                walk_s, walk_m = egress[call.stop]
                if call.arrival + walk_s <= by and self.accepts(legs):
                    parts = [[leg] for leg in legs]
                    found.append(found_by(leave, call.arrival + walk_s, walked + walk_m, parts))
            if len(legs) == rides:
                return
            for other, run in enumerate(self.runs):
                for board, there in enumerate(run.calls[:-1]):
                    if there.boarding and there.departure >= call.arrival:
                        way = self.change(row, alight, other, board)
                        if way is not None and there.departure >= call.arrival + way[0]:
                            ride(other, board, leave, walked + way[1], legs)

        for row, run in enumerate(self.runs):
            for board, call in enumerate(run.calls[:-1]):
                if call.boarding and call.stop in access:
                    walk_s, walk_m = access[call.stop]
                    leave = call.departure - walk_s
                    if first <= leave <= last:
                        ride(row, board, leave, walk_m, [])
        return found


def _within(date: dt.date, statement: dict[str, Any]) -> bool:
    first, last = statement["from_date"], statement["until_date"]
    return (first is None or date >= first) and (last is None or date <= last)


def _meant(check: dict[str, Any], before: str | None, after: str | None) -> bool:
    if before is None or after is None or before == after:
        return False
    return check["from_country"] in (None, before) and check["to_country"] in (None, after)
