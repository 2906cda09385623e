"""A storm of live messages: every trip of a date updated every second, while people ask.

    python benchmarks/storm.py EDITION --date 2025-11-18 [--seconds 40]

A poller process reads a GTFS Realtime file that changes every second: each trip of each feed has
another delay each time. This process asks for journeys, one departure each, and follows the
versions as a server does (a thread beside). The same questions are asked in a calm, with one
version of live data that stays, and in the storm; both on the live path. Times are
wall-clock and CPU, of one thread.

A p95 that stays says nothing where the poller does not come through, so the report tells this too:
``versions.published`` by the poller and ``versions.met`` by answers, of as many as were ``due``;
the seconds between two in answers of one round (``interval_s``; a server looks every half second);
and in how many runs the times of one version differ from those of the one before (``runs_moved``).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import os
import random
import shutil
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from google.transit import gtfs_realtime_pb2 as pb

from mobility.api.live import LiveWatch
from mobility.core.units import DAY_S
from mobility.feeds.realtime.source import Inbox, LiveSource
from mobility.network import Edition, open_edition
from mobility.network.live.files import reader_of
from mobility.network.live.patch import Changes
from mobility.network.live.poller import Poller, give_way
from mobility.planner import Endpoint, Planner, locate

DELAYS_S = (0, 60, 300, 900)  # a trip has each in turn, so that none stays as it was
EVERY_S = 1.0
ROUNDS = 5


class Asked(NamedTuple):
    """What asking for a while came to: wall-clock and CPU milliseconds, and versions as met."""

    times: list[tuple[float, float]]
    versions: list[tuple[float, str, Changes]]  # when an answer named it first
    stood: str  # the version before the poller went on


def main() -> None:
    """Measure, and print one JSON document."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("edition", type=Path)
    parser.add_argument("--date", type=dt.date.fromisoformat, required=True)
    parser.add_argument("--seconds", type=float, default=40)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mobility-storm-") as folder:
        print(json.dumps(measure(asked.edition, asked.date, asked.seconds, Path(folder)), indent=2))


def measure(path: Path, date: dt.date, seconds: float, folder: Path) -> dict[str, Any]:
    """Return the figures of calm and storm."""
    edition = open_edition(path)
    n_trips = prepare(edition, date, folder)
    planner = Planner(
        edition.network, edition.slices, live=reader_of(edition, folder), link_behind=False
    )
    questions = draw(edition, date, 400)
    go, stop = multiprocessing.Event(), multiprocessing.Event()
    told: multiprocessing.Queue[list[tuple[float, float]]] = multiprocessing.Queue()
    poller = multiprocessing.Process(target=storm, args=(path, date, folder, go, stop, told))
    poller.start()
    told.get()  # the first version is there
    watch = LiveWatch(planner)
    watch.start()
    while planner.live is None:
        time.sleep(0.05)
    ask(planner, questions, 5)  # warm
    calm, rounds, stormy_s = [], [], 0.0
    for _ in range(ROUNDS):  # in turn, so that what else the machine does falls on both
        calm += ask(planner, questions, seconds / ROUNDS).times
        begun, stood = time.monotonic(), planner.live.version
        go.set()
        time.sleep(EVERY_S)
        rounds.append(ask(planner, questions, seconds / ROUNDS, stood))
        go.clear()
        stormy_s += time.monotonic() - begun
        time.sleep(2 * EVERY_S)
    stop.set()
    polls = told.get()
    poller.join()
    watch.close()
    figures = {
        "calm": summary(calm), "storm": summary([one for found in rounds for one in found.times])
    }  # fmt: skip
    return {
        "edition": edition.hash[:12], "date": date.isoformat(), "trips": n_trips,
        "poll_s": spread([wall for wall, _ in polls]),
        "poll_cpu_s": spread([cpu for _, cpu in polls]),
        "versions": {"due": int(stormy_s / EVERY_S), "published": len(polls), **met(rounds)},
        **figures,
        "ratio": {
            name: round(figures["storm"][name] / figures["calm"][name], 3)
            for name in figures["calm"]
            if name != "queries"
        },
        "load": os.getloadavg()[0], "cpus": os.cpu_count(),
    }  # fmt: skip


def met(rounds: list[Asked]) -> dict[str, Any]:
    """Return how many new versions answers named, how far apart, and how far they differed.

    Only versions of one round are next to each other: between rounds the poller rests.
    """
    pairs = [pair for found in rounds for pair in pairwise(found.versions)]
    moved = [runs_moved(before[2], after[2]) for before, after in pairs]
    gaps = [after[0] - before[0] for before, after in pairs]
    return {
        "met": sum(
            len(found.versions) - (found.versions[0][1] == found.stood) for found in rounds
        ),
        "interval_s": spread(gaps), "runs_moved": spread([float(one) for one in moved]),
    }  # fmt: skip


def runs_moved(before: Changes, after: Changes) -> int:
    """Return how many runs of one version have other times than in the version before."""
    old, new = times_of(before), times_of(after)
    return sum(old.get(run) != times for run, times in new.items()) + len(old.keys() - new.keys())


def times_of(changes: Changes) -> dict[tuple[int, int], bytes]:
    """Return the departures of each changed run, by train and day."""
    spans = pairwise(changes.start.tolist())
    runs = zip(changes.train.tolist(), changes.day.tolist(), strict=True)
    return {
        run: changes.departures_s[first:end].tobytes()
        for run, (first, end) in zip(runs, spans, strict=True)
    }


def spread(values: list[float]) -> dict[str, float]:
    """Return the least, the median and the most; nothing of no values."""
    if not values:
        return {}
    return {
        "least": round(min(values), 3), "median": round(float(np.median(values)), 3),
        "most": round(max(values), 3),
    }  # fmt: skip


def prepare(edition: Edition, date: dt.date, folder: Path) -> int:
    """Write the messages of each feed; return how many trips they are about."""
    net = edition.network
    rng = random.Random(1)
    trips: set[int] = set()
    for section in range(len(net.section_trip)):
        train = int(np.searchsorted(net.section_start, section, "right")) - 1
        day = net.day_of(date) - int(net.section_day_shift[section])
        bits = net.service_bits[int(net.train_service[train])]
        if 0 <= day < net.n_days and bits[day >> 3] >> (day & 7) & 1:
            trips.add(int(net.section_trip[section]))
    for row, feed in enumerate(net.feed_id):
        mine = [trip for trip in sorted(trips) if int(net.trip_feed[trip]) == row]
        first = [rng.randrange(len(DELAYS_S)) for _ in mine]
        for number in range(len(DELAYS_S)):
            message = pb.FeedMessage()
            message.header.gtfs_realtime_version = "2.0"
            message.header.timestamp = int(
                dt.datetime.combine(date, dt.time(8), dt.UTC).timestamp()
            )
            for trip, turn in zip(mine, first, strict=True):
                update = message.entity.add(id=str(trip)).trip_update
                update.trip.trip_id = net.trip_id[trip]
                update.trip.start_date = date.strftime("%Y%m%d")
                update.delay = DELAYS_S[(turn + number) % len(DELAYS_S)]
            (folder / f"{feed}-{number}.pb").write_bytes(message.SerializeToString())
    return len(trips)


def storm(path: Path, date: dt.date, folder: Path, go: Any, stop: Any, told: Any) -> None:
    """Poll: once, then every second while `go` is set; tell the seconds of each, wall and CPU."""
    give_way()
    edition = open_edition(path)
    feeds = list(edition.network.feed_id)
    morning = dt.datetime.combine(date, dt.time(8), dt.UTC)
    sources = [LiveSource(feed, str(folder / f"{feed}.pb")) for feed in feeds]

    def send(number: int) -> None:
        for feed in feeds:
            shutil.copy(folder / f"{feed}-{number % len(DELAYS_S)}.pb", folder / f"{feed}.new")
            (folder / f"{feed}.new").replace(folder / f"{feed}.pb")

    send(0)
    poller = Poller(edition, sources, folder, inbox=Inbox(), clock=lambda: morning)
    poller.poll()
    told.put([])
    took: list[tuple[float, float]] = []
    while not stop.is_set():
        if not go.wait(0.1):
            continue
        begun, used = time.monotonic(), time.process_time()
        send(len(took) + 1)
        poller.poll()
        took.append((time.monotonic() - begun, time.process_time() - used))
        time.sleep(max(0.0, EVERY_S - took[-1][0]))
    told.put(took)


def draw(edition: Edition, date: dt.date, n: int) -> list[tuple[Endpoint, Endpoint, int]]:
    """Return questions between stations with trains, at all hours of the date."""
    net = edition.network
    rng = random.Random(2)
    calls = np.bincount(net.stop_station[net.event_stop], minlength=net.n_stations)
    busy = np.argsort(-calls, kind="stable")[:400].tolist()
    midnight = int(dt.datetime.combine(date, dt.time(), dt.UTC).timestamp())
    found = []
    for _ in range(n):
        a, b = rng.sample(busy, 2)
        ends = (locate(net, net.station_id[a]), locate(net, net.station_id[b]))
        found.append((*ends, midnight + rng.randrange(5 * 3600, DAY_S - 4 * 3600)))
    return found


def ask(
    planner: Planner,
    questions: list[tuple[Endpoint, Endpoint, int]],
    seconds: float,
    stood: str = "",
) -> Asked:
    """Ask again and again for so many seconds."""
    times: list[tuple[float, float]] = []
    versions: list[tuple[float, str, Changes]] = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        origin, destination, depart = questions[len(times) % len(questions)]
        begun, used = time.perf_counter(), time.thread_time()
        answer = planner.plan(origin, destination, depart=depart)
        used, begun = time.thread_time() - used, time.perf_counter() - begun
        times.append((begun * 1e3, used * 1e3))
        live = answer.live
        if live is not None and (not versions or versions[-1][1] != live.version):
            versions.append((time.monotonic(), live.version, live.changes))
    return Asked(times, versions, stood)


def summary(times: list[tuple[float, float]]) -> dict[str, Any]:
    """Return the figures of one phase."""
    found: dict[str, Any] = {"queries": len(times)}
    for name, values in zip(("wall", "cpu"), zip(*times, strict=True), strict=True):
        found[f"{name}_median_ms"] = round(float(np.median(values)), 3)
        found[f"{name}_p95_ms"] = round(float(np.percentile(values, 95)), 3)
    return found


if __name__ == "__main__":
    main()
