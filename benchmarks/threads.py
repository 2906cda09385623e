"""Throughput of two threads over one, in one process.

    python benchmarks/threads.py EDITION QUERIES [--window-s 7200 | --day-range] [--seconds 6]
        [--at-once 16]

Each thread asks the questions of the file in turn, as often as it can, one by one (`plan`) or so
many at once (`plan_all`); one thread and two in turn, five rounds, medians. Prints one JSON
document.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import statistics
import threading
import time
from pathlib import Path

from mobility.core.collector import collect_rarely
from mobility.network import open_edition
from mobility.planner import Asked, Planner
from mobility.planner.batch import read_questions

ROUNDS = 5


def asked_per_s(
    planner: Planner, questions: list[Asked], threads: int, seconds: float, at_once: int
) -> float:
    """Return the questions answered per second of wall time by so many threads."""
    counts = [0] * threads
    started = time.perf_counter()
    until = started + seconds

    def ask(own: int) -> None:
        at = own * len(questions) // threads
        while time.perf_counter() < until:
            first = at % len(questions)
            some = questions[first : first + at_once]
            if at_once == 1:
                origin, destination, depart, window_s = some[0]
                planner.plan(origin, destination, depart=depart, window_s=window_s)
            else:
                planner.plan_all(some)
            at = first + len(some)
            counts[own] += len(some)

    workers = [threading.Thread(target=ask, args=(own,)) for own in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.perf_counter() - started)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("edition", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--window-s", type=int)
    parser.add_argument("--day-range", action="store_true")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--at-once", type=int, default=1)
    asked = parser.parse_args()
    collect_rarely()  # as every program of ours does
    edition = open_edition(asked.edition)
    planner = Planner(edition.network, edition.slices)
    rows = read_questions(edition.network, asked.queries, asked.window_s, asked.day_range)
    questions = [row.asked for row in rows]
    for date in sorted({dt.datetime.fromtimestamp(q.depart, dt.UTC).date() for q in questions}):
        planner.day(date, linked=True)
    asked_per_s(planner, questions, 2, 1.0, asked.at_once)  # warm
    one, two = [], []
    for _ in range(ROUNDS):
        one.append(asked_per_s(planner, questions, 1, asked.seconds / 2, asked.at_once))
        two.append(asked_per_s(planner, questions, 2, asked.seconds / 2, asked.at_once))
    figures = [statistics.median(each) for each in (one, two)]
    print(
        json.dumps(
            {
                "edition": edition.hash[:12], "questions": len(questions),
                "at_once": asked.at_once,
                "one_thread_per_s": round(figures[0]), "two_threads_per_s": round(figures[1]),
                "ratio": round(figures[1] / figures[0], 3), "load": os.getloadavg()[0],
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
