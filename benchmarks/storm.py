"""A storm of live messages: every trip of a date updated every second, while people ask.

    python benchmarks/storm.py EDITION --date 2025-11-18 [--seconds 40]

A poller process reads a GTFS Realtime file that changes every second: each trip of each feed has
another delay each time. This process asks for journeys, one departure each, and follows the
versions as a server does (a thread beside). The same questions are asked in a calm, with one
version of live data that stays, and in the storm; both on the live path. Times are
wall-clock and CPU, of one thread.
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
from pathlib import Path
from typing import Any

import numpy as np
from google.transit import gtfs_realtime_pb2 as pb

from mobility.api.live import LiveWatch
from mobility.core.units import DAY_S
from mobility.feeds.realtime.source import Inbox, LiveSource
from mobility.network import Edition, open_edition
from mobility.network.live.files import reader_of
from mobility.network.live.poller import Poller, give_way
from mobility.planner import Endpoint, Planner, locate

MESSAGES = 4  # prepared per feed, sent in turn
EVERY_S = 1.0
ROUNDS = 5


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
    told: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
    poller = multiprocessing.Process(target=storm, args=(path, date, folder, go, stop, told))
    poller.start()
    told.get()  # the first version is there
    watch = LiveWatch(planner)
    watch.start()
    while planner.live is None:
        time.sleep(0.05)
    ask(planner, questions, 5)  # warm
    calm, stormy, versions = [], [], 0
    for _ in range(ROUNDS):  # in turn, so that what else the machine does falls on both
        calm += ask(planner, questions, seconds / ROUNDS)[0]
        go.set()
        time.sleep(EVERY_S)
        found, met = ask(planner, questions, seconds / ROUNDS)
        stormy += found
        versions += met
        go.clear()
        time.sleep(2 * EVERY_S)
    stop.set()
    polls = told.get()
    poller.join()
    watch.close()
    figures = {"calm": summary(calm), "storm": summary(stormy)}
    return {
        "edition": edition.hash[:12], "date": date.isoformat(), "trips": n_trips,
        "runs_changed": len(planner.live.changes.train) if planner.live else 0,
        "poll_s": {"median": round(float(np.median(polls)), 3), "max": round(max(polls), 3)},
        "versions_seen": versions, **figures,
        "ratio": {
            name: round(figures["storm"][name] / figures["calm"][name], 3)
            for name in figures["calm"]
            if name != "queries"
        },
        "load": os.getloadavg()[0], "cpus": os.cpu_count(),
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
        for number in range(MESSAGES):
            message = pb.FeedMessage()
            message.header.gtfs_realtime_version = "2.0"
            message.header.timestamp = int(
                dt.datetime.combine(date, dt.time(8), dt.UTC).timestamp()
            )
            for trip in mine:
                update = message.entity.add(id=str(trip)).trip_update
                update.trip.trip_id = net.trip_id[trip]
                update.trip.start_date = date.strftime("%Y%m%d")
                update.delay = rng.choice((0, 60, 120, 300, 900))
            (folder / f"{feed}-{number}.pb").write_bytes(message.SerializeToString())
    return len(trips)


def storm(path: Path, date: dt.date, folder: Path, go: Any, stop: Any, told: Any) -> None:
    """Poll: once, then every second from `go` to `stop`."""
    give_way()
    edition = open_edition(path)
    feeds = list(edition.network.feed_id)
    morning = dt.datetime.combine(date, dt.time(8), dt.UTC)
    sources = [LiveSource(feed, str(folder / f"{feed}.pb")) for feed in feeds]

    def send(number: int) -> None:
        for feed in feeds:
            shutil.copy(folder / f"{feed}-{number % MESSAGES}.pb", folder / f"{feed}.new")
            (folder / f"{feed}.new").replace(folder / f"{feed}.pb")

    send(0)
    poller = Poller(edition, sources, folder, inbox=Inbox(), clock=lambda: morning)
    poller.poll()
    told.put([])
    took: list[float] = []
    while not stop.is_set():
        if not go.wait(0.1):
            continue
        begun = time.monotonic()
        send(len(took) + 1)
        poller.poll()
        took.append(time.monotonic() - begun)
        time.sleep(max(0.0, EVERY_S - took[-1]))
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
    planner: Planner, questions: list[tuple[Endpoint, Endpoint, int]], seconds: float
) -> tuple[list[tuple[float, float]], int]:
    """Ask again and again for so many seconds; return milliseconds and versions met.

    Of each question wall-clock time and CPU time of the thread.
    """
    times, versions = [], set()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        origin, destination, depart = questions[len(times) % len(questions)]
        begun, used = time.perf_counter(), time.thread_time()
        answer = planner.plan(origin, destination, depart=depart)
        used, begun = time.thread_time() - used, time.perf_counter() - begun
        times.append((begun * 1e3, used * 1e3))
        versions.add(answer.live.version if answer.live else "")
    return times, len(versions)


def summary(times: list[tuple[float, float]]) -> dict[str, Any]:
    """Return the figures of one phase."""
    found: dict[str, Any] = {"queries": len(times)}
    for name, values in zip(("wall", "cpu"), zip(*times, strict=True), strict=True):
        found[f"{name}_median_ms"] = round(float(np.median(values)), 3)
        found[f"{name}_p95_ms"] = round(float(np.percentile(values, 95)), 3)
    return found


if __name__ == "__main__":
    main()
