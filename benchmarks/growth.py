"""How building, the day slice and queries grow with the network: copies of a city beside rail.

    python benchmarks/growth.py --tiles 1 2 4 8 16 32 40 64 80 --minutes 30
    python benchmarks/growth.py --plot

Each point is appended to ``work/growth.jsonl`` as soon as it is measured, and those that stand
there are not measured again; no new one is begun after the minutes. ``--plot`` writes
``docs/growth.svg`` from them and prints the table and the exponents of the growth. The networks are
the kit's (``synth.py``); `peers.py` makes its environment.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mobility.network import open_edition
from mobility.network.bounds import build_bounds
from mobility.network.links import build_links
from mobility.network.slices import build_slice
from mobility.planner import Planner
from mobility.planner.batch import run_queries

ROOT = Path(__file__).resolve().parent.parent
KIT = ROOT.parent / "shared" / "bench"
RESULTS = ROOT / "work" / "growth.jsonl"
PLOT = ROOT / "docs" / "growth.svg"
DATE = dt.date(2025, 11, 28)
KINDS: dict[str, dict[str, Any]] = {
    "departure": {}, "window_2h": {"window_s": 7200}, "day": {"day_range": True},
}  # fmt: skip
LINES = {  # field of a point: its name on the plot, its colour, and what makes it milliseconds
    "build_s": ("build of the edition", "#1b5e9b", 1e3),
    "slice_s": ("day slice", "#0b7a5a", 1e3),
    "links_s": ("links", "#7a5a0b", 1e3),
    "bounds_s": ("bounds, once per edition", "#8a8a8a", 1e3),
    "departure_ms": ("one departure, median", "#c0392b", 1.0),
    "window_2h_ms": ("two-hour window, median", "#d9822b", 1.0),
    "day_ms": ("06–20 h, median", "#7b3fa0", 1.0),
}


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call returns and its wall time in seconds."""
    started = time.perf_counter()
    made = call()
    return made, round(time.perf_counter() - started, 3)


def make_network(tiles: int) -> tuple[Path, float]:
    """Make the network and build its edition where they are not there; returns it and the time."""
    network = ROOT / "work" / f"synth{tiles}"
    edition = network.with_suffix(".edition")
    kit = ROOT / "work" / "kit" / "bin" / "python"
    if not network.with_suffix(".queries.csv").exists():
        command = [kit, KIT / "synth.py", network, "--tiles", tiles]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    build = [
        Path(sys.executable).with_name("mobility"), "build", network, "-o", edition,
        "--walk-radius", 0, "--no-merge",
    ]  # fmt: skip
    _, build_s = timed(
        lambda: subprocess.run(list(map(str, build)), check=True, stdout=subprocess.DEVNULL)
    )
    return edition, build_s


def measure(tiles: int) -> dict[str, Any]:
    """Return one point, measured in this process."""
    folder, build_s = make_network(tiles)
    network = open_edition(folder).network
    day, slice_s = timed(lambda: build_slice(network, DATE))
    events = len(day.arrivals_s)
    links, links_s = timed(lambda: build_links(network, day))
    _, bounds_s = timed(lambda: build_bounds(network))
    n_links = 0 if links is None else len(links.links)
    point: dict[str, Any] = {
        "tiles": tiles, "stops": network.n_stops, "slice_events": events, "links": n_links,
        "build_s": build_s, "slice_s": slice_s, "links_s": links_s, "bounds_s": bounds_s,
    }  # fmt: skip
    edition = open_edition(folder)
    Planner(edition.network, edition.slices).day(DATE, linked=True)  # files are made once
    for kind, asked in KINDS.items():
        queries = folder.with_suffix(".queries.csv")
        timing = run_queries(edition.network, edition.slices, queries, repeat=2, **asked)["timing"]
        point[f"{kind}_ms"], point[f"{kind}_p95_ms"] = timing["median_ms"], timing["p95_ms"]
    point["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return point


def points() -> list[dict[str, Any]]:
    """Return what was measured so far, by size."""
    rows = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    return sorted((json.loads(row) for row in rows), key=lambda point: point["slice_events"])


def exponent(found: list[dict[str, Any]], field: str) -> float:
    """Return b of a least-squares fit of a * events^b."""
    pairs = [(math.log(p["slice_events"]), math.log(p[field])) for p in found if p[field] > 0]
    x, y = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
    return sum((a - x) * (b - y) for a, b in pairs) / sum((a - x) ** 2 for a, _ in pairs)


def draw(found: list[dict[str, Any]]) -> str:
    """Return the plot as SVG: milliseconds over calls of the slice, both logarithmic."""
    width, height, left, top, right, bottom = 760, 460, 70, 20, 240, 50
    xs = [p["slice_events"] for p in found]
    ys = [max(p[field] * scale, 0.1) for p in found for field, (_, _, scale) in LINES.items()]
    x0, x1 = math.floor(math.log10(min(xs))), math.ceil(math.log10(max(xs)))
    y0, y1 = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))

    def x_of(value: float) -> float:
        return left + (math.log10(value) - x0) / (x1 - x0) * (width - left - right)

    def y_of(value: float) -> float:
        return height - bottom - (math.log10(value) - y0) / (y1 - y0) * (height - top - bottom)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>Growth with the network</title>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
    ]
    for power in range(y0, y1 + 1):
        y = y_of(10**power)
        label = f"{10**power:g} ms" if power < 3 else f"{10 ** (power - 3):g} s"
        parts.append(
            f'<path d="M{left} {y:.1f}H{width - right}" stroke="#ddd"/>'
            f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
        )
    for power in range(x0, x1 + 1):
        x = x_of(10**power)
        parts.append(
            f'<path d="M{x:.1f} {top}V{height - bottom}" stroke="#ddd"/>'
            f'<text x="{x:.1f}" y="{height - bottom + 18}" text-anchor="middle">'
            f"{10**power:,}</text>"
        )
    parts.append(
        f'<text x="{(left + width - right) / 2}" y="{height - 10}" text-anchor="middle">'
        "calls in the day slice</text>"
    )
    for row, (field, (name, colour, scale)) in enumerate(LINES.items()):
        places = [(x_of(p["slice_events"]), y_of(max(p[field] * scale, 0.1))) for p in found]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        y = top + 20 + 22 * row
        parts.append(
            f'<path d="M{width - right + 15} {y}h22" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{width - right + 44}" y="{y + 4}">{name} '
            f"({exponent(found, field):.2f})</text>"
        )
    return "\n".join([*parts, "</svg>\n"])


def report(found: list[dict[str, Any]]) -> None:
    """Write the plot and print the table."""
    PLOT.write_text(draw(found), encoding="utf-8")
    fields = [
        "tiles", "stops", "slice_events", "links", *LINES, "departure_p95_ms", "day_p95_ms",
        "peak_mb",
    ]  # fmt: skip
    print("| " + " | ".join(fields) + " |\n|" + "---|" * len(fields))
    for point in found:
        print("| " + " | ".join(f"{point[field]:,}" for field in fields) + " |")


def main() -> None:
    """Measure what is missing, or plot what there is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--plot", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:  # a process of its own, so that peak memory is of one point
        print(json.dumps(measure(options.one)))
        return
    until = time.monotonic() + 60 * options.minutes
    known = {point["tiles"] for point in points()}
    for tiles in [] if options.plot else sorted(set(options.tiles) - known):
        if time.monotonic() > until:
            print(f"no time left for {tiles} tiles", file=sys.stderr)
            break
        command = [sys.executable, __file__, "--one", str(tiles)]
        made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        with RESULTS.open("a") as stream:
            stream.write(made)
        print(made, end="", file=sys.stderr)
    if len(found := points()) > 1:
        report(found)


if __name__ == "__main__":
    main()
