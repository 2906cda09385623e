"""Our planner beside pynigiri: the same networks, the same questions, one run.

    python benchmarks/peers.py --networks eurail iberia --strict --ratios

Makes the kit's environment and networks under ``work/`` (kept between runs), builds our editions,
runs both planners pinned to one processor, and lets the kit's ``compare.py`` judge. Exit status 1
if any Pareto set differs under ``--strict``.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KIT = ROOT.parent / "shared" / "bench"
DATA = ROOT.parent / "shared" / "data"
NETWORKS = {
    "eurail": (
        ["--date", "2025-11-28", "--radius", "500"],
        [f"eu_rail_2025/{f}.zip" for f in ("db_fernverkehr", "sncf_voyageurs", "zssk_slovakia")],
    ),
    "iberia": (
        ["--date", "2026-08-31", "--radius", "300"],
        [
            f"iberia_2026/{f}.zip"
            for f in ("cp_portugal", "renfe_av_ld_md", "renfe_cercanias", "metro_do_porto")
        ],
    ),
    "porto": (["--date", "2026-08-31"], ["iberia_2026/metro_do_porto.zip"]),
}
KINDS = {"ea": [], "range": ["--window", "2h"], "day": ["--day-range"]}


def run(*words: object, out: Path | None = None) -> None:
    """Run a command; its stdout goes to a file where one is given."""
    command = [str(word) for word in words]
    if out is None:
        subprocess.run(command, check=True)
        return
    with out.open("wb") as file:
        subprocess.run(command, check=True, stdout=file)


def pinned() -> list[str]:
    """Return the words that pin a command to one processor, where that can be done."""
    last = (os.cpu_count() or 1) - 1
    return ["taskset", "-c", str(last)] if shutil.which("taskset") else []


def kit_python(work: Path) -> Path:
    """Return the Python of the kit's own environment, made where needed."""
    python = work / "kit" / "bin" / "python"
    if not python.exists():
        run("python3.11", "-m", "venv", work / "kit")
        run(python, "-m", "pip", "install", "-q", "-r", KIT / "requirements.txt")
    return python


def make_network(name: str, work: Path, python: Path) -> Path:
    """Return the folder of a normalised network, made where needed."""
    folder = work / name
    if not (work / f"{name}.queries.csv").exists():
        if name.startswith("synth"):
            run(python, KIT / "synth.py", folder, "--tiles", name.removeprefix("synth"))
        else:
            options, feeds = NETWORKS[name]
            run(python, KIT / "normalise.py", folder, *options, *(DATA / f for f in feeds))
    return folder


def compare(name: str, work: Path, args: argparse.Namespace) -> int:
    """Run both planners on one network and compare; returns the kit's exit status."""
    python = kit_python(work)
    folder = make_network(name, work, python)
    queries, edition = work / f"{name}.queries.csv", work / f"{name}.edition"
    mobility = Path(sys.executable).parent / "mobility"
    shutil.rmtree(edition, ignore_errors=True)
    run(mobility, "build", folder, "-o", edition, "--walk-radius", 0, "--no-merge", "--no-check")
    base = work / f"pynigiri_{name}.json"
    peer = [python, KIT / "run_pynigiri.py", folder, "--queries", queries, "--out", base]
    run(*pinned(), *peer, "--day-range", out=work / f"pynigiri_{name}.log")
    results = []
    plan = [mobility, "plan", edition, "--queries", queries, "--repeat", args.repeat, "--json"]
    for kind in args.kinds:
        document = work / f"ours_{name}_{kind}.json"
        run(*pinned(), *plan, *KINDS[kind], out=document)
        results.append(f"{kind}={document}")
    options = [f"--{word}" for word in ("ratios", "strict") if getattr(args, word)]
    print(f"--- {name}", flush=True)
    command = [python, KIT / "compare.py", queries, base, *results, *options]
    return subprocess.run([str(word) for word in command], check=False).returncode


def main() -> int:
    """Compare all networks asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=["eurail", "iberia"])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--work", type=Path, default=ROOT / "work")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--ratios", action="store_true")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    return max(compare(name, args.work, args) for name in args.networks)


if __name__ == "__main__":
    sys.exit(main())
