"""The sample region comes out as its own page of expectations says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobility.feeds import read_feed, read_manifest
from mobility.merge import Region, merge_feeds

from .test_properties import assert_nothing_dangles


@pytest.fixture(scope="module")
def expected(project_root: Path) -> dict[str, Any]:
    return tomllib.loads((project_root / "feeds/basel/expected.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def region(project_root: Path) -> Region:
    manifest = read_manifest(project_root / "feeds/basel")
    return merge_feeds([read_feed(config) for config in manifest.feeds], manifest)


def station_of(region: Region) -> dict[str, int]:
    stops = region.tables["stops"].select("feed", "stop_id", "station")
    return {f"{region.feeds[feed].id}:{stop}": station for feed, stop, station in stops.iter_rows()}


def test_stations_are_the_same_or_different_as_promised(
    region: Region, expected: dict[str, Any]
) -> None:
    station = station_of(region)
    wrong = [
        pair
        for pair in expected["stations"]
        if (station[pair["left"]] == station[pair["right"]]) != (pair["expect"] == "same")
    ]
    assert wrong == []
    assert region.tables["stations"].height == expected["counts"]["places"]


def test_trains_are_joined_as_promised(region: Region, expected: dict[str, Any]) -> None:
    assert region.train_counts == expected["trains"]
    joined = {
        frozenset((left, right)): kind
        for left, right, kind, decision in region.tables["train_matches"]
        .select("left_trip", "right_trip", "kind", "decision")
        .iter_rows()
        if decision == "joined"
    }
    for pair in expected["pairs"]:
        key = frozenset(
            f"{pair[f'{side}_feed']}:{pair[f'{side}_trip']}" for side in ("left", "right")
        )
        assert joined.get(key, "different") == pair["expect"], pair


def test_border_points_are_no_stations_of_others(region: Region, expected: dict[str, Any]) -> None:
    stops = region.tables["stops"]
    border = {
        f"{region.feeds[feed].id}:{stop}"
        for feed, stop, point in stops.select("feed", "stop_id", "border_point").iter_rows()
        if point
    }
    assert border == {point["stop"] for point in expected["border_points"]}
    calls = region.tables["stop_times"].filter(region.tables["stop_times"]["border_point"])
    assert calls.height > 0
    assert set(calls["pickup_type"]) == set(calls["drop_off_type"]) == {1}


def test_nothing_dangles(region: Region) -> None:
    assert_nothing_dangles(region)


def test_coverage_ends_with_the_feed(region: Region) -> None:
    last = {
        info.id: int(np.flatnonzero(days)[-1])
        for info, days in zip(region.feeds, region.coverage, strict=True)
    }
    assert last["fr-regio"] < last["ch-rail"] == region.n_days - 1
