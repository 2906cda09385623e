"""The ways in which real feeds are broken, one small feed each, with what is promised of it."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core.errors import FeedError
from mobility.core.notices import count_by_code
from mobility.feeds import Feed, FeedConfig, Manifest, read_feed, read_manifest
from mobility.feeds import read as reading
from mobility.feeds.findings import dropped_rows
from mobility.merge import merge_feeds
from tests.merge.build import manifest_of

MESSY = Path(__file__).parent / "messy"
ALL = sorted(folder.name for folder in MESSY.iterdir() if folder.is_dir())
CASES = [name for name in ALL if not (MESSY / name / "region.toml").is_file()]
CONFIG = ("default_timezone", "border_point")


def promise(case: str) -> dict[str, Any]:
    return tomllib.loads((MESSY / case / "expected.toml").read_text(encoding="utf-8"))


def read_case(case: str) -> tuple[dict[str, Any], FeedConfig]:
    folder, expected = MESSY / case, promise(case)
    config = {name: expected[name] for name in CONFIG if name in expected}
    return expected, FeedConfig(id="f", path=folder / expected.get("source", "feed"), **config)


@pytest.mark.parametrize("case", CASES)
def test_a_broken_feed_is_read_as_promised(case: str) -> None:
    expected, config = read_case(case)
    if "error" in expected:
        with pytest.raises(FeedError) as caught:
            read_feed(config)
        assert expected["error"] in str(caught.value) and "\n" not in str(caught.value)
        return
    feed = read_feed(config)
    assert count_by_code(feed.notices) == expected.get("notices", {})
    for table, counts in expected.get("counts", {}).items():
        got = feed.counts[table]
        assert counts == {name: getattr(got, name) for name in counts}
    for row in expected.get("rows", []):
        check_row(feed, row)
    assert feed.zone == expected.get("zone", "Europe/Zurich")
    assert feed.valid_from == expected.get("valid_from", date(2027, 1, 4))
    assert feed.valid_until == expected.get("valid_until", date(2027, 1, 29))


def check_row(feed: Feed, row: dict[str, Any]) -> None:
    frame = feed.tables[row["table"]]
    found = frame.filter(*(pl.col(name) == value for name, value in row["where"].items()))
    assert len(found) == 1, row
    got = found.row(0, named=True)
    assert {name: got[name] for name in row["expect"]} == row["expect"]
    assert all(got[name] is None for name in row.get("missing", []))


@pytest.mark.parametrize("case", CASES)
def test_fast_path_and_csv_agree_on_every_fixture(case: str) -> None:
    expected, config = read_case(case)
    if "error" in expected:
        return
    fast, exact = read_feed(config), read_exactly(config)
    assert fast.counts == exact.counts and fast.version == exact.version
    assert all(fast.tables[name].equals(exact.tables[name]) for name in fast.tables)


def read_exactly(config: FeedConfig) -> Feed:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "is_plain", lambda data, width: None)
        return read_feed(config)


def manifest_of_case(case: str) -> Manifest:
    if (MESSY / case / "region.toml").is_file():
        return read_manifest(MESSY / case)
    return manifest_of([read_feed(read_case(case)[1])])


@pytest.mark.parametrize("case", [name for name in ALL if "region" in promise(name)])
def test_a_region_of_broken_feeds_is_merged_as_promised(case: str) -> None:
    expected = promise(case)["region"]
    manifest = manifest_of_case(case)
    region = merge_feeds([read_feed(config) for config in manifest.used], manifest)
    trains, trips, stops = (region.tables[name] for name in ("trains", "trips", "stops"))
    assert dict(Counter(trains["kind"])) == expected["kinds"]
    if "leads" in expected:
        leads = trips[trains["trip"].to_list()].select("feed", "trip_id").iter_rows()
        assert sorted(f"{region.feeds[feed].id}:{raw}" for feed, raw in leads) == expected["leads"]
    border = stops.filter("border_point").select("feed", "stop_id").iter_rows()
    found = [f"{region.feeds[feed].id}:{raw}" for feed, raw in border]
    assert found == expected.get("border_points", [])
    counts = count_by_code(region.notices)
    assert {code: counts.get(code) for code in expected.get("notices", {})} == expected.get(
        "notices", {}
    )


@pytest.mark.parametrize("case", [name for name in ALL if name not in CASES])
def test_fast_path_and_csv_agree_on_every_feed_of_a_region(case: str) -> None:
    for config in read_manifest(MESSY / case).used:
        fast, exact = read_feed(config), read_exactly(config)
        assert fast.counts == exact.counts and fast.version == exact.version
        assert all(fast.tables[name].equals(exact.tables[name]) for name in fast.tables)


def test_all_31_ways_are_here() -> None:
    assert {int(name[:2]) for name in ALL} == set(range(1, 32))


DAMAGE = [b",", b'"', b"\n", b"\r", b"\x00", b"\xff", b" ", b"\t", b"'", b'""', b",,", b"\n\n",
          b"99999999999999999999", b"nan", b"-1:00:00", b"\xef\xbb\xbf", b"\x1a"]  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_both_paths_agree_on_every_fixture_whatever_happens_to_its_bytes(
    data: st.DataObject,
) -> None:
    case = data.draw(st.sampled_from([name for name in CASES if "source" not in promise(name)]))
    _, config = read_case(case)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "feed"
        shutil.copytree(config.source(), folder)
        for _ in range(data.draw(st.integers(1, 3))):
            file = data.draw(st.sampled_from(sorted(folder.iterdir())))
            content = file.read_bytes()
            at = data.draw(st.integers(0, len(content)))
            cut = data.draw(st.integers(0, 6))
            piece = data.draw(st.sampled_from(DAMAGE))
            file.write_bytes(content[:at] + piece + content[at + cut :])
        damaged = config.model_copy(update={"path": folder})
        outcomes = [outcome(read, damaged) for read in (read_feed, read_exactly)]
    assert outcomes[0] == outcomes[1]


def outcome(read: Callable[[FeedConfig], Feed], config: FeedConfig) -> Any:
    """Return all that a reading says: its error, or version, accounts, rows and notices."""
    try:
        feed = read(config)
    except FeedError as error:
        return str(error)
    rows = {name: table.rows() for name, table in feed.tables.items()}
    dropped = {name: dropped_rows(feed.notices, f"{name}.txt") for name in feed.counts}
    told = count_by_code(feed.notices)
    told.pop("leading_or_trailing_whitespaces", None)  # of the form, told by the fast path alone
    return feed.version, feed.counts, rows, dropped, told
