"""What in-seat links cost: a feed with vehicle blocks, with and without them.

    python benchmarks/in_seat.py FEED.zip YYYY-MM-DD [N_QUERIES]

Prints trains and events of the network, events and patterns of the day's slice, and CPU
milliseconds per query of one departure at 08:00 UTC+midnight, over the same random pairs of
stops, the better of two turns.
"""

from __future__ import annotations

import datetime as dt
import random
import sys
import time
from dataclasses import replace
from pathlib import Path

import polars as pl

from mobility.feeds import read_feed
from mobility.feeds.manifest import manifest_of_sources
from mobility.merge import Region, merge_feeds
from mobility.network import compile_network
from mobility.planner import Planner, locate


def main() -> None:
    """Measure and print one line each."""
    path, date = Path(sys.argv[1]), dt.date.fromisoformat(sys.argv[2])
    n_queries = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    manifest = manifest_of_sources([path])
    region = merge_feeds([read_feed(manifest.feeds[0], check=False)], manifest)
    for name, one in (("without", _without_blocks(region)), ("with", region)):
        _measure(name, one, date, n_queries)


def _without_blocks(region: Region) -> Region:
    trips = region.tables["trips"].with_columns(block_id=pl.lit(None, pl.String))
    return replace(region, tables={**region.tables, "trips": trips})


def _measure(name: str, region: Region, date: dt.date, n_queries: int) -> None:
    begin = time.process_time()
    network = compile_network(region)
    compile_s = time.process_time() - begin
    slices = network.slices(None)
    day, planner = slices.get(date), Planner(network, slices)
    rng = random.Random(7)
    served = sorted({int(stop) for stop in network.event_stop})
    feeds = list(network.feed_id)
    pairs = [
        [locate(network, f"{feeds[network.stop_feed[s]]}:{network.stop_id[s]}") for s in two]
        for two in (rng.sample(served, 2) for _ in range(n_queries))
    ]
    depart = int(network.zone_origin_s[0, network.day_of(date)]) + 8 * 3600
    times, n_journeys, n_seated = [], 0, 0
    for _ in range(2):
        begin = time.process_time()
        answers = [planner.plan(*pair, depart=depart).journeys for pair in pairs]
        times.append((time.process_time() - begin) / n_queries * 1000)
        n_journeys = sum(map(len, answers))
        n_seated = sum(
            any(section.stay_seated for leg in journey.legs for section in leg.sections)
            for journeys in answers
            for journey in journeys
        )
    print(
        f"{name:8} trains {network.n_trains} (through {int(network.train_through.sum())})"
        f" events {len(network.event_stop)} patterns of the slice {len(day.pattern_run_start) - 1}"
        f" compile {compile_s:.2f} s query {min(times):.3f} ms"
        f" journeys {n_journeys}, {n_seated} of them seated"
    )


main()
