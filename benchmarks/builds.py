"""Seconds and peak memory of `mobility build` on real feeds, as Markdown rows.

python benchmarks/builds.py [--work FOLDER]
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
BUILDS = {
    "iberia_2026 (4 feeds)": sorted((DATA / "iberia_2026").glob("*.zip")),
    "eu_rail_2025 (3 feeds)": sorted((DATA / "eu_rail_2025").glob("*.zip")),
    "feeds/basel (4 feeds)": [ROOT / "feeds" / "basel"],
}


def measure(sources: list[Path], edition: Path) -> tuple[float, float]:
    """Return wall seconds and peak resident MiB of a build in a process of its own."""
    shutil.rmtree(edition, ignore_errors=True)
    command = [str(Path(sys.executable).parent / "mobility"), "build", *map(str, sources)]
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], [*command, "-o", str(edition), "--no-check"], os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"build of {sources} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    """Print one row per build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=ROOT / "work")
    work = parser.parse_args().work
    work.mkdir(parents=True, exist_ok=True)
    print("| feeds | wall s | peak MiB |\n|---|---|---|")
    for name, sources in BUILDS.items():
        if sources:
            seconds, peak_mib = measure(sources, work / "build.edition")
            print(f"| {name} | {seconds:.1f} | {peak_mib:.0f} |", flush=True)


if __name__ == "__main__":
    main()
