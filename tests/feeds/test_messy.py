"""The ways in which real feeds are broken, one small feed each, with what is promised of it."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mobility.core.errors import FeedError
from mobility.core.notices import count_by_code
from mobility.feeds import Feed, FeedConfig, read_feed
from mobility.feeds import read as reading

MESSY = Path(__file__).parent / "messy"
CASES = sorted(folder.name for folder in MESSY.iterdir() if folder.is_dir())
CONFIG = ("default_timezone", "border_point")


def read_case(case: str) -> tuple[dict[str, Any], FeedConfig]:
    folder = MESSY / case
    expected = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))
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
def test_fast_path_and_csv_agree_on_every_fixture(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, config = read_case(case)
    if "error" in expected:
        return
    fast = read_feed(config)
    monkeypatch.setattr(reading, "is_plain", lambda data, width: None)
    exact = read_feed(config)
    assert fast.counts == exact.counts and fast.version == exact.version
    assert all(fast.tables[name].equals(exact.tables[name]) for name in fast.tables)
