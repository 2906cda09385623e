"""Seconds, memory and rows of `mobility build --no-check`, as Markdown rows.

    python benchmarks/builds.py                          the real feeds
    python benchmarks/builds.py synth80 year80           feeds of national size
    python benchmarks/builds.py twins20                  two wholly equal feeds: the worst to join
    python benchmarks/builds.py --growth 1 2 4 8 16 32 64 80

Synthetic feeds are made once and kept under the work folder: `synthN` with the kit (N copies of a
city beside real rail), `yearN` with `amplify.py` (N copies, services over a whole year), `twinsN`
from `synthN`. Each build is a process of its own. On a busy machine CPU seconds are the honest
figure. With `--strict` the exit status is 1 where a build misses its budget.
"""

import argparse
import json
import os
import re
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from amplify import amplify
from peers import DATA, KIT, ROOT, kit_python, run

CITY = DATA / "porto_alegre_2019" / "poa_eptc.zip"
REAL = {
    "iberia": sorted((DATA / "iberia_2026").glob("*.zip")),
    "eurail": sorted((DATA / "eu_rail_2025").glob("*.zip")),
    "basel": [ROOT / "feeds" / "basel"],
}
BUDGETS = {"iberia": (15, None), "synth80": (90, 4096), "year80": (90, 4096)}
HEAD = "| build | stop_times | wall s | CPU s | peak MiB | budget |\n|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Figures:
    """What one build took."""

    rows: int
    wall_s: float
    cpu_s: float
    peak_mib: float


def sources_of(name: str, work: Path) -> list[Path]:
    """Return what a build is made of; synthetic feeds are made where they are not there yet."""
    if name in REAL:
        return REAL[name]
    found = re.fullmatch(r"(synth|year|twins)(\d+)", name)
    if found is None:
        raise SystemExit(f"{name}: expected {', '.join(REAL)}, synthN, yearN or twinsN")
    kind, copies = found[1], int(found[2])
    if kind == "twins":
        return twins(tiles(copies, work), work)
    return [tiles(copies, work) if kind == "synth" else year(copies, work)]


def tiles(copies: int, work: Path) -> Path:
    """Return the kit's network of so many copies; one query is drawn, for that takes longest."""
    folder = work / f"tiles{copies}"
    if not (work / f"{folder.name}.queries.csv").exists():
        run(kit_python(work), KIT / "synth.py", folder, "--tiles", copies, "-n", 1)
    return folder


def year(copies: int, work: Path) -> Path:
    """Return a feed whose services run a whole year."""
    folder = work / f"year{copies}"
    if not (folder / "agency.txt").exists():
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        amplify(CITY, unfinished, copies=copies)
        unfinished.rename(folder)
    return folder


def twins(original: Path, work: Path) -> list[Path]:
    """Return two feeds that list the same, under two names."""
    copies = [work / f"{original.name}-{end}" for end in ("east", "west")]
    for copy in copies:
        if not copy.exists():
            shutil.copytree(original, copy)
    return copies


def measure(sources: list[Path], work: Path) -> Figures:
    """Return what a build takes in a process of its own."""
    edition, report = work / "build.edition", work / "build.json"
    shutil.rmtree(edition, ignore_errors=True)
    command = [str(Path(sys.executable).parent / "mobility"), "build", *map(str, sources)]
    command += ["-o", str(edition), "--no-check", "--json"]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    start = time.perf_counter()
    pid = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, report, flags, 0o644)],
    )
    _, status, usage = os.wait4(pid, 0)
    wall_s = time.perf_counter() - start
    if status:
        raise SystemExit(f"build of {', '.join(map(str, sources))} failed")
    feeds = json.loads(report.read_bytes())["feeds"]
    rows = sum(feed["tables"]["stop_times"]["read"] for feed in feeds)
    return Figures(rows, wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def judged(name: str, found: Figures) -> tuple[str, bool]:
    """Return the budget as text, and whether it is kept."""
    if name not in BUDGETS:
        return "", True
    seconds, mib = BUDGETS[name]
    kept = found.wall_s <= seconds and (mib is None or found.peak_mib <= mib)
    limit = f"{seconds} s" + (f", {mib} MiB" if mib else "")
    return f"{limit}: {'kept' if kept else 'missed'}", kept


def main() -> int:
    """Print one row per build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("builds", nargs="*", help=f"{', '.join(REAL)}, synthN, yearN, twinsN")
    parser.add_argument("--growth", nargs="+", type=int, default=[], metavar="TILES")
    parser.add_argument("--work", type=Path, default=ROOT / "work")
    parser.add_argument("--strict", action="store_true")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    names = args.builds + [f"synth{copies}" for copies in args.growth]
    print(HEAD, flush=True)
    all_kept = True
    for name in names or list(REAL):
        found = measure(sources_of(name, args.work), args.work)
        budget, kept = judged(name, found)
        all_kept &= kept
        figures = f"{found.wall_s:.1f} | {found.cpu_s:.1f} | {found.peak_mib:.0f}"
        print(f"| {name} | {found.rows:,} | {figures} | {budget} |", flush=True)
    return int(args.strict and not all_kept)


if __name__ == "__main__":
    sys.exit(main())
