"""Small random worlds: trains on a line with a branch, listed in part or twice by three feeds."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from mobility.core.time import service_day_origin
from mobility.feeds import Feed, service_days
from mobility.merge import Region

from .build import NUMBER, feed_of, lines

LINE, BRANCH = "ABCDEFG", "XY"
HOP_MIN = 11
ZONES = {"a": "Europe/Zurich", "b": "Europe/Lisbon", "c": "Europe/Berlin"}
CALENDAR = """
# calendar.txt
service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
ALL,1,1,1,1,1,1,1,20270325,20270401
WD,1,1,1,1,1,0,0,20270325,20270401
WE,0,0,0,0,0,1,1,20270325,20270401
"""


@dataclass(frozen=True)
class Listed:
    """What one feed says of one train: calls as (station, minute), in the first zone's time."""

    number: str
    calls: tuple[tuple[str, int], ...]
    service: str


World = dict[str, list[Listed]]


@st.composite
def listings(draw: st.DrawFn, train: int) -> Listed:
    """Draw what a feed says of a train: some part of its way, perhaps into the branch."""
    start = draw(st.sampled_from([300, 301, 303, 310, 1430])) + 120 * train
    first = draw(st.integers(0, 5))
    last = draw(st.integers(first + 1, 6))
    way = LINE[first : last + 1]
    if last < 6 and draw(st.integers(0, 3)) == 0:
        way += BRANCH
    late = draw(st.sampled_from([0, 0, 0, 1]))
    calls = tuple((name, start + HOP_MIN * (first + at) + late) for at, name in enumerate(way))
    number = draw(st.sampled_from(["", str(train + 1), str(train + 1), str(train + 90)]))
    return Listed(number, calls, draw(st.sampled_from(["ALL", "ALL", "WD", "WE"])))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw the listings of each feed; a train may stand in a feed several times."""
    world: World = {feed: [] for feed in ZONES}
    for train in range(draw(st.integers(1, 2))):
        for own in world.values():
            own.extend(draw(st.lists(listings(train), max_size=2)))
    return world


def build(folder: Path, world: World) -> list[Feed]:
    """Return the feeds of a world, each in its own zone."""
    feeds = []
    for feed, listed in world.items():
        if not listed:
            continue
        shift = -60 if ZONES[feed] == "Europe/Lisbon" else 0
        east = {"X": 0.05, "Y": 0.1}
        stops = "\n".join(
            f"{feed}{name},Town {name},{47 + at / 10:.3f},"
            f"{7 + east.get(name, 0) + ord(feed) / 1e5:.5f}"
            for at, name in enumerate(LINE + BRANCH)
        )
        trips, services = {}, {}
        for at, one in enumerate(listed):
            times = [(name, minute + shift) for name, minute in one.calls]
            calls = [f"{feed}{name} {t // 60:02d}:{t % 60:02d}" for name, t in times]
            trips[f"t{at}"] = f"{one.number}: {', '.join(calls)}"
            services[f"t{at}"] = one.service
        text = lines(stops, trips, zone=ZONES[feed], calendar=CALENDAR, services=services)
        feeds.append(feed_of(folder, feed, text, train_number=NUMBER))
    return feeds


@dataclass(frozen=True)
class Run:
    """One trip on one service day: (sequence, stop, arrival, departure) in unix seconds."""

    feed: str
    trip: str
    number: str
    day: int
    calls: tuple[tuple[int, str, int, int], ...]

    @property
    def reference(self) -> str:
        """``feed:trip_id``."""
        return f"{self.feed}:{self.trip}"


def runs_of(feeds: list[Feed], region: Region) -> Iterator[Run]:
    """Yield every run of every feed on the days of the region, straight from the feeds."""
    for feed in feeds:
        names, days = service_days(feed, region.first_date, region.n_days)
        stops = feed.tables["stops"]["stop_id"].to_list()
        trips = feed.tables["trips"].select("trip_id", "service_id", "trip_short_name")
        for row, (trip, service, number) in enumerate(trips.iter_rows()):
            own = feed.tables["stop_times"].filter(feed.tables["stop_times"]["trip"] == row)
            columns = ("stop_sequence", "stop", "arrival_time", "departure_time")
            for day in np.flatnonzero(days[names[service]]).tolist():
                origin = service_day_origin(region.first_date + dt.timedelta(days=day), feed.zone)
                calls = tuple(
                    (sequence, f"{feed.config.id}:{stops[stop]}", origin + arrival, origin + leave)
                    for sequence, stop, arrival, leave in own.select(columns).iter_rows()
                )
                yield Run(feed.config.id, trip, number or "", day, calls)


def train_runs(region: Region) -> Counter[tuple[tuple[str, int, int], ...]]:
    """Return what a passenger sees: how often each sequence of (stop, arrival, departure) runs."""
    stops = [
        f"{region.feeds[feed].id}:{stop}"
        for feed, stop in region.tables["stops"].select("feed", "stop_id").iter_rows()
    ]
    found: Counter[tuple[tuple[str, int, int], ...]] = Counter()
    for row in region.tables["trains"].iter_rows(named=True):
        calls = region.tables["stop_times"].slice(row["first_event"], row["n_events"])
        for day in np.flatnonzero(region.days[row["service"]]).tolist():
            origin = service_day_origin(region.first_date + dt.timedelta(days=day), row["zone"])
            times = calls.select("stop", "arrival_s", "departure_s").iter_rows()
            found[tuple((stops[s], origin + a, origin + d) for s, a, d in times)] += 1
    return found
