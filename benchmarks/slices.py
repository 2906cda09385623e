"""Measure an edition: opening it, its day slice, and the memory of a second worker.

    python benchmarks/slices.py EDITION DATE [--repeat 5]

Prints one JSON document. Wall times are the best of the repeats; `slice_cpu_s` is the least CPU
time, for busy machines. `slice_s` makes the slice and writes its file, `slice_first_s` is the first
of these, `slice_from_file_s` opens the edition and maps a slice that another process made.
`second_worker_pct` is the private memory that a process adds by opening the edition and reading
every array of it and of its slice, as a part of what it maps.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mobility.network import Network, open_edition
from mobility.network.file import arrays_of
from mobility.network.slices import SliceStore, build_slice


def best_s(repeat: int, call: Callable[[], Any]) -> float:
    """Return the least wall time of a call in seconds."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return round(min(times), 4)


def private_kb() -> int:
    """Return the memory of this process that no other can share, in kB (Linux).

    Clean pages of mapped files are not counted: the machine holds them once for all processes.
    """
    rows = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("Private_Dirty"))


def second_worker(folder: Path, date: dt.date) -> dict[str, Any]:
    """Return what a fresh process adds that opens the edition and reads all of it."""
    before = private_kb()
    edition = open_edition(folder)
    found = edition.slices.get(date)
    arrays = [*arrays_of(edition.network).values(), *arrays_of(found).values()]
    for array in arrays:
        array.any()
    mapped_kb = sum(array.nbytes for array in arrays) // 1024
    private = private_kb() - before
    return {
        "mapped_mb": round(mapped_kb / 1024, 1),
        "second_worker_private_mb": round(private / 1024, 1),
        "second_worker_pct": round(100 * private / mapped_kb, 2),
    }


def fresh_slice_s(network: Network, date: dt.date) -> tuple[float, float]:
    """Return wall and CPU seconds to make a slice and write its file."""
    folder = Path(tempfile.mkdtemp())
    start, start_cpu = time.perf_counter(), time.process_time()
    SliceStore(network, folder).get(date)
    taken = time.perf_counter() - start, time.process_time() - start_cpu
    shutil.rmtree(folder)
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("edition", type=Path)
    parser.add_argument("date", type=dt.date.fromisoformat)
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    open_s = best_s(args.repeat, lambda: open_edition(args.edition))
    edition = open_edition(args.edition)
    network = edition.network
    runs = [fresh_slice_s(network, args.date) for _ in range(args.repeat)]
    edition.slices.get(args.date)
    found = build_slice(network, args.date)
    os.sync()  # pages that no disk has yet would count as private
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        memory = pool.apply(second_worker, (args.edition, args.date))
    report = {
        "stops": network.n_stops,
        "trains": network.n_trains,
        "stop_times": len(network.event_stop),
        "footpaths": len(network.walk_to),
        "slice_runs": found.n_runs,
        "slice_patterns": found.n_patterns,
        "slice_stop_times": len(found.arrivals_s),
        "open_s": open_s,
        "slice_first_s": round(runs[0][0], 4),
        "slice_first_cpu_s": round(runs[0][1], 4),
        "slice_s": round(min(wall for wall, _ in runs), 4),
        "slice_cpu_s": round(min(cpu for _, cpu in runs), 4),
        "slice_from_file_s": best_s(
            args.repeat, lambda: open_edition(args.edition).slices.get(args.date)
        ),
        **memory,
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
