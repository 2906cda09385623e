"""One-to-all beside the kit's connection scan: equal arrivals, and the ratio of the times.

    python -m benchmarks.reach EDITION QUERIES SCAN.json

`SCAN.json` is what ``run_scan.py`` of the benchmark kit wrote for the same network and queries, on
the same machine and in the same hour. Both are CPU time of one thread, best of three, nothing kept
from one question for the next.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from mobility.core.time import parse_instant
from mobility.network import open_edition
from mobility.planner import locate
from mobility.planner.fitting import Fits
from mobility.planner.reaching import Reaching

REPEAT = 3


def main() -> None:
    """Compare the arrivals and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("edition", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("scan", type=Path, help="written by run_scan.py of the kit")
    args = parser.parse_args()
    edition = open_edition(args.edition)
    network, reaching = edition.network, Reaching(Fits(edition.network, edition.slices))
    kit = json.loads(args.scan.read_text())
    with args.queries.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    origins = [locate(network, row["from_stop_id"]) for row in rows]
    moments = [parse_instant(r["departure"], o.tz) for r, o in zip(rows, origins, strict=True)]
    started = time.perf_counter()
    reaching.reach(origins[0], depart=moments[0])
    print(f"first, with the connections made or mapped: {time.perf_counter() - started:.3f} s")
    best = np.full(len(rows), np.inf)
    for _ in range(REPEAT):
        for at, (origin, moment) in enumerate(zip(origins, moments, strict=True)):
            begun = time.thread_time()
            reaching.reach(origin, depart=moment)
            best[at] = min(best[at], (time.thread_time() - begun) * 1e3)
    equal = sum(_equal(reaching, result, kit["stops"]) for result in kit["results"])
    theirs = kit["summary"]["one_to_all"]
    median, p95 = float(np.median(best)), float(np.percentile(best, 95))
    print(f"arrivals equal {equal} of {len(kit['results'])}")
    print(
        f"ratio one-to-all median {median / theirs['median_ms']:.2f} "
        f"p95 {p95 / theirs['p95_ms']:.2f} (ours {median:.3f}/{p95:.3f} ms, "
        f"kit {theirs['median_ms']:.3f}/{theirs['p95_ms']:.3f} ms)"
    )


def _equal(reaching: Reaching, result: dict[str, Any], stops: list[str]) -> bool:
    network = reaching.network
    origin = locate(network, result["from_stop_id"])
    moment = parse_instant(result["departure"], origin.tz)
    found, _ = reaching.reach(origin, depart=moment)
    seconds = found.travel_s.tolist()
    ours = {
        f"{network.feed_id[int(feed)]}:{stop}": moment + s if s >= 0 else None
        for feed, stop, s in zip(network.stop_feed, network.stop_id, seconds, strict=True)
    }
    return ours == dict(zip(stops, result["arrivals"], strict=True))


if __name__ == "__main__":
    main()
