"""Random networks small enough to try every journey, with everything that can go wrong in them."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

import polars as pl

from mobility.journey import Journey, sort_key
from mobility.network import Bounds, DaySlice, Links, Network, SliceStore
from mobility.planner import Endpoint, Planner, locate
from mobility.planner.scratch import Scratch
from tests.network.build import Call, Feed, Stop, Tables, Train, Transfer, build_tables
from tests.planner.oracle import Found

FEEDS = (Feed("one", "Europe/Berlin", "DE"), Feed("two", "Europe/Lisbon", "PT"))
NIGHT_FORWARD = dt.date(2027, 3, 26)  # clocks go forward on day 2
NIGHT_BACK = dt.date(2027, 10, 29)  # and back on day 2


@dataclass(frozen=True)
class Net:
    """The parts of a network, so that it can be built in another order too."""

    stops: tuple[Stop, ...]
    trains: tuple[Train, ...]
    transfers: tuple[Transfer, ...]
    first_date: dt.date
    walk_radius_m: int
    split: frozenset[str]  # trains of which the second half is the trip of another operator

    def network(self, order: random.Random | None = None) -> Network:
        """Build it, with its rows in another order where one is given."""
        stops, trains, feeds = list(self.stops), list(self.trains), list(range(len(FEEDS)))
        if order is not None:
            order.shuffle(stops)
            order.shuffle(trains)
        tables = build_tables(
            stops, trains, feeds=[FEEDS[feed] for feed in feeds], transfers=self.transfers,
            first_date=self.first_date, n_days=4,
        )  # fmt: skip
        return self._joined(tables).network(walk_radius_m=self.walk_radius_m)

    def _joined(self, tables: Tables) -> Tables:
        """Make each split train carry two trips, of which the second is another feed's."""
        trips, sections = tables.tables["trips"], tables.tables["sections"]
        rows = []
        extra = []
        routes = list(tables.tables["routes"].select("route_id", "feed").iter_rows())
        trip_ids = trips["trip_id"].to_list()
        for row in sections.iter_rows(named=True):
            trip_id = trip_ids[row["trip"]]
            length = row["to_pos"] + 1
            if trip_id not in self.split or length < 3:
                rows.append(row)
                continue
            middle = length // 2
            feed = 1 - trips["feed"][row["trip"]]
            known = [(id_, at) for at, (id_, f) in enumerate(routes) if f == feed]
            route = min(known)[1] if known else None
            if route is None:
                rows.append(row)
                continue
            old = trips.row(row["trip"], named=True)
            second_half = {"feed": feed, "trip_id": f"{trip_id}-on", "route": route}
            extra.append({**old, **second_half, "block_id": None})
            number = trips.height + len(extra) - 1
            first = {**row, "to_pos": middle, "to_sequence": middle + 1}
            second = {
                **row, "trip": number, "from_pos": middle, "from_sequence": 1, "day_shift": -1,
                "to_sequence": row["to_sequence"] + 100,
            }  # fmt: skip
            alias = {**second, "trip": row["trip"], "alias": True}
            rows += [first, second, alias]
        tables.tables["sections"] = pl.DataFrame(rows, schema=sections.schema, orient="row")
        if extra:
            more = pl.DataFrame(extra, schema=trips.schema, orient="row")
            tables.tables["trips"] = pl.concat([trips, more])
        return tables


def random_net(seed: int) -> Net:
    """A few stops, some in walking distance, and trains at all hours."""
    rng = random.Random(seed)
    n_stops = rng.randint(4, 7)
    stops = []
    for number in range(n_stops):
        close = rng.random() < 0.4 and stops
        base = rng.choice(stops) if close else None
        stops.append(
            Stop(
                f"S{number}",
                (base.lat + rng.uniform(-0.003, 0.003)) if base else 45 + number * 0.1,
                (base.lon + rng.uniform(-0.003, 0.003)) if base else 7 + rng.random(),
                feed=rng.randint(0, 1),
                station=(base.station or base.id) if base and rng.random() < 0.3 else "",
                border_point=rng.random() < 0.06,
            )
        )
    ids = [stop.id for stop in stops]
    grid_s = rng.choice((60, 300, 900))  # a coarse clock makes ties
    trains = [_train(rng, number, ids, grid_s) for number in range(rng.randint(5, 11))]
    transfers = []
    for _ in range(rng.randint(0, 5)):
        a, b = rng.choice(stops), rng.choice(stops)
        kind = 2 if a is b else rng.choice((0, 2, 2, 3))
        minimum = rng.choice((0, 60, 300, 600)) if kind == 2 else None
        transfers.append(Transfer(a.id, b.id, kind, minimum, a.feed))
    split = frozenset(train.id for train in trains if rng.random() < 0.2)
    return Net(
        tuple(stops), tuple(trains), tuple(transfers),
        rng.choice((NIGHT_FORWARD, NIGHT_BACK)), rng.choice((0, 400)), split,
    )  # fmt: skip


def _train(rng: random.Random, number: int, ids: list[str], grid_s: int) -> Train:
    path = rng.sample(ids, rng.randint(2, min(5, len(ids))))
    if rng.random() < 0.15:
        path.append(path[0])  # a loop
    moment = rng.randrange(16 * 3600, 27 * 3600, grid_s)
    calls = []
    for stop in path:
        wait = rng.choice((0, 0, grid_s))
        kind = rng.choices((0, 1, 2, 3), (12, 1, 1, 1), k=2)
        calls.append(Call(stop, moment, moment + wait, *kind))
        moment += wait + rng.choice((0, grid_s, 2 * grid_s, 7 * grid_s))
    feed = rng.randint(0, 1)
    days = tuple(day for day in range(4) if rng.random() < 0.6) or (1,)
    return Train(
        f"t{number}", calls, days=days if number else None, route=f"L{rng.randint(0, 2)}", feed=feed
    )


def planner_of(network: Network) -> Planner:
    return Planner(network, network.slices(None))


def key_of(journey: Journey) -> Found:
    return Found(*sort_key(journey))


def end(network: Network, stop_id: str, *, whole_station: bool = False) -> Endpoint:
    """The stop, or its station."""
    feed = network.stop_feed[list(network.stop_id).index(stop_id)]
    endpoint = locate(network, f"{network.feed_id[int(feed)]}:{stop_id}")
    return locate(network, endpoint.place.station_id) if whole_station else endpoint


def narrow_scratch(self: Scratch, n_stops: int, n_patterns: int, n_cells: int) -> None:
    """Begin with room for one of each (instead of `Scratch.__init__`)."""
    self.n_stops, self.n_patterns, self.n_cells = n_stops, n_patterns, n_cells
    self._events = self._segments = self._nodes = self._labels = self._room = 1
    self._new_state()
    self._new_choice()
    self._new_found()


class ByStops:
    """Slices that never have links."""

    def __init__(self, store: SliceStore) -> None:
        self._store = store

    def get(self, date: dt.date) -> DaySlice:
        return self._store.get(date)

    def links(self, date: dt.date, *, at_any_cost: bool = False) -> Links | None:
        return None

    def bounds(self, *, at_any_cost: bool = False) -> Bounds | None:
        return None

    def flags(self, date: dt.date, *, at_any_cost: bool = False) -> None:
        return None


class Question:
    """Two places and a moment, drawn for a network."""

    def __init__(self, net: Net, seed: int) -> None:
        rng = random.Random(f"question {seed}")
        self.ids = [rng.choice(net.stops).id for _ in range(2)]
        self.whole = [rng.random() < 0.3 for _ in range(2)]
        midnight = dt.datetime.combine(net.first_date, dt.time(), dt.UTC)
        hours = dt.timedelta(hours=24 + rng.randint(10, 40), minutes=rng.choice((0, 15, 52)))
        self.moment = int((midnight + hours).timestamp())
        self.window_s = rng.choice((1, 3600, 7200, 6 * 3600, 20 * 3600))

    def ends(self, network: Network) -> list[Endpoint]:
        return [
            end(network, stop, whole_station=whole)
            for stop, whole in zip(self.ids, self.whole, strict=True)
        ]
