"""One-to-all on real feeds beside the connection scan of the benchmark kit, stop by stop."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mobility.core.time import parse_instant
from mobility.network import Edition, open_edition
from mobility.planner import locate
from mobility.planner.fitting import Fits
from mobility.planner.reaching import Reaching

pytestmark = [pytest.mark.shared, pytest.mark.slow]
NETWORKS = {
    "eurail": (
        "2025-11-28", "500",
        ("eu_rail_2025/db_fernverkehr", "eu_rail_2025/sncf_voyageurs",
         "eu_rail_2025/zssk_slovakia"),
    ),
    "iberia": (
        "2026-08-31", "300",
        ("iberia_2026/cp_portugal", "iberia_2026/renfe_av_ld_md", "iberia_2026/renfe_cercanias",
         "iberia_2026/metro_do_porto"),
    ),
}  # fmt: skip


def _kit(shared_data: Path, script: str, *words: object) -> None:
    path = shared_data.parent / "bench" / script
    if not path.exists():
        pytest.skip("the benchmark kit (../shared/bench) is not here")
    done = subprocess.run(
        [sys.executable, "-B", str(path), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NETWORKS)
def test_arrivals_on_real_feeds_equal_those_of_the_kit(
    name: str, shared_data: Path, tmp_path: Path, mobility: Any
) -> None:
    date, radius, feeds = NETWORKS[name]
    folder, queries = tmp_path / name, tmp_path / f"{name}.queries.csv"
    archives = [shared_data / f"{feed}.zip" for feed in feeds]
    _kit(shared_data, "normalise.py", folder, "--date", date, "--radius", radius, *archives)
    scan = tmp_path / "scan.json"
    words = ("--queries", queries, "--out", scan, "--repeat", 1, "--limit", 20)
    _kit(shared_data, "run_scan.py", folder, *words)
    words = ("-o", tmp_path / "edition", "--walk-radius", 0, "--no-merge")
    assert mobility("build", folder, *words).status == 0
    kit = json.loads(scan.read_text())
    edition = open_edition(tmp_path / "edition")
    reaching = Reaching(Fits(edition.network, edition.slices))
    reached = 0
    for result in kit["results"]:
        ours = _arrivals(edition, reaching, result)
        assert ours == dict(zip(kit["stops"], result["arrivals"], strict=True))
        reached += sum(arrival is not None for arrival in ours.values())
    assert len(kit["results"]) == 20
    assert reached > 10_000


def _arrivals(
    edition: Edition, reaching: Reaching, result: dict[str, Any]
) -> dict[str, int | None]:
    network = edition.network
    origin = locate(network, result["from_stop_id"])
    moment = parse_instant(result["departure"], origin.tz)
    found, _ = reaching.reach(origin, depart=moment)
    return {
        f"{network.feed_id[int(feed)]}:{stop}": moment + seconds if seconds >= 0 else None
        for feed, stop, seconds in zip(
            network.stop_feed, network.stop_id, found.travel_s.tolist(), strict=True
        )
    }
