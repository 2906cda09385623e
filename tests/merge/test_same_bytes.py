"""The same feeds make the same bytes: in other folders, orders, hash seeds and thread counts."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "import sys; from mobility.cli import main; sys.exit(main(sys.argv[1:]))"
# Python's hash seed, threads of polars, threads of numba
ENVIRONMENTS = [("0", "1", "1"), ("4711", "2", "2"), ("random", "3", "1")]


def build(home: Path, sources: list[Path], seed: str, polars: str, numba: str) -> tuple[str, str]:
    """Build in a process of its own; return the edition's hash and that of its export."""
    home.mkdir()
    environment = os.environ | {
        "MOBILITY_HOME": str(home),
        "PYTHONHASHSEED": seed,
        "POLARS_MAX_THREADS": polars,
        "NUMBA_NUM_THREADS": numba,
    }
    edition, merged = home / "edition", home / "merged.zip"
    for words in (
        ["build", *sources, "-o", edition, "--no-check", "--json"],
        ["export", edition, "-o", merged],
    ):
        command = [sys.executable, "-c", PROGRAM, *map(str, words)]
        done = subprocess.run(command, env=environment, capture_output=True, check=False, cwd=home)
        assert done.returncode == 0, done.stderr.decode()
    document = json.loads((edition / "edition.json").read_text())
    return document["hash"], hashlib.sha256(merged.read_bytes()).hexdigest()


def moved_region(region: Path, folder: Path) -> Path:
    """Copy a region with its fares elsewhere, its feeds in the opposite order."""
    fares = region.parent.parent / "fares" / region.name
    shutil.copytree(fares, folder / "fares" / region.name)
    moved = folder / "feeds" / region.name
    shutil.copytree(region, moved)
    shutil.copy(region.parent / "exonyms.csv", moved.parent)
    head, *feeds = (moved / "region.toml").read_text("utf-8").split("[[feeds]]\n")
    others = feeds[-1].partition("\n[[")  # what follows the last feed
    feeds[-1], rest = others[0] + "\n", others[1] + others[2]
    assert len(feeds) > 2
    text = "".join([head, *(f"[[feeds]]\n{feed}" for feed in reversed(feeds)), rest])
    (moved / "region.toml").write_text(text, "utf-8")
    return moved


@pytest.mark.slow
def test_the_sample_region_makes_the_same_bytes_anywhere(
    sample_region: Path, tmp_path: Path
) -> None:
    elsewhere = moved_region(sample_region, tmp_path / "else where")
    made = {
        build(tmp_path / f"home{number}", [source], *environment)
        for number, (source, environment) in enumerate(
            zip((sample_region, elsewhere, elsewhere), ENVIRONMENTS, strict=True)
        )
    }
    assert len(made) == 1


@pytest.mark.slow
@pytest.mark.shared
def test_real_feeds_of_three_countries_make_the_same_bytes_in_any_order(
    shared_data: Path, tmp_path: Path
) -> None:
    feeds = sorted((shared_data / "eu_rail_2025").glob("*.zip"))
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    copies = [Path(shutil.copy(feed, elsewhere)) for feed in feeds]
    orders = (feeds, copies[::-1], copies[1:] + copies[:1])
    made = {
        build(tmp_path / f"home{number}", order, *environment)
        for number, (order, environment) in enumerate(zip(orders, ENVIRONMENTS, strict=True))
    }
    assert len(made) == 1


def test_two_hash_seeds_make_the_same_region(sample_region: Path, tmp_path: Path) -> None:
    """The small part of the tests above that runs every time."""
    program = (
        "import sys; from mobility.feeds import read_feed, read_manifest\n"
        "from mobility.merge import merge_feeds\n"
        "from mobility.network.documents import table_hash\n"
        "from pathlib import Path\n"
        "manifest = read_manifest(Path(sys.argv[1]))\n"
        "region = merge_feeds([read_feed(f, check=False) for f in manifest.feeds], manifest)\n"
        "print({name: table_hash(table) for name, table in sorted(region.tables.items())})\n"
    )
    said = set()
    for seed, polars, numba in ENVIRONMENTS[:2]:
        environment = os.environ | {
            "PYTHONHASHSEED": seed, "POLARS_MAX_THREADS": polars, "NUMBA_NUM_THREADS": numba,
        }  # fmt: skip
        command = [sys.executable, "-c", program, str(sample_region)]
        done = subprocess.run(
            command, env=environment, capture_output=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr.decode()
        said.add(done.stdout)
    assert len(said) == 1
