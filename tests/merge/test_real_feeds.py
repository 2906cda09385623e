"""Real operators' feeds: shared stations found, trains joined at least as the reference counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mobility.merge import Region

from .golden_lists import GOLDEN, RealFeeds, golden_csv
from .test_properties import assert_nothing_dangles

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Callable[..., Region]:
    """Return a maker of regions out of real feeds; each feed is read once."""
    return RealFeeds(shared_data).merge


@pytest.fixture(scope="module")
def eurail(real: Callable[..., Region]) -> dict[str, Region]:
    return {"sncf": real("db", "sncf"), "zssk": real("db", "zssk")}


def shared_stations(region: Region) -> dict[str, set[int]]:
    """Return stations that two feeds serve, by name, with the feeds."""
    names = region.tables["stations"]["name"].to_list()
    feeds: dict[int, set[int]] = {}
    for feed, station in region.tables["stops"].select("feed", "station").iter_rows():
        feeds.setdefault(station, set()).add(feed)
    return {names[station]: own for station, own in feeds.items() if len(own) > 1}


@pytest.mark.parametrize(("other", "contained", "overlap"), [("sncf", 55, 9), ("zssk", 40, 2)])
def test_trains_listed_in_part_are_joined(
    eurail: dict[str, Region], other: str, contained: int, overlap: int
) -> None:
    """At least what the reference counts at one minute (feeds-and-merging 5.3)."""
    counts = eurail[other].train_counts
    assert counts["contained"] >= contained
    assert counts["overlap"] >= overlap
    assert counts["hand_over"] == 0  # one feed has no numbers: place and minute never suffice


@pytest.mark.parametrize("other", ["sncf", "zssk"])
def test_hand_over_candidates_are_rejected_with_a_reason(
    eurail: dict[str, Region], other: str
) -> None:
    matches = eurail[other].tables["train_matches"]
    told = matches.filter(matches["kind"] == "hand_over")
    assert told.height >= {"sncf": 15, "zssk": 7}[other]
    assert set(told["decision"]) == {"rejected"}
    assert all("reason" in json.loads(evidence) for evidence in told["evidence"])


@pytest.mark.parametrize("other", ["sncf", "zssk"])
def test_joined_trains_run_once_and_nothing_dangles(eurail: dict[str, Region], other: str) -> None:
    region = eurail[other]
    assert_nothing_dangles(region)
    sections = region.tables["sections"]
    trains = region.tables["trains"]["service"].to_numpy()[sections["train"].to_numpy()]
    days = region.days[trains].sum(axis=1)
    owned = ~sections["alias"].to_numpy()
    # No two trains own the same hop of a trip on the same day.
    by_trip: dict[tuple[int, int, int], list[int]] = {}
    for row, (trip, low, high) in enumerate(
        sections.select("trip", "from_sequence", "to_sequence").iter_rows()
    ):
        if owned[row] and days[row]:
            by_trip.setdefault((trip, low, high), []).append(int(trains[row]))
    for rows in by_trip.values():
        assert region.days[rows].sum(axis=0).max() <= 1


@pytest.mark.parametrize(
    ("trip", "number"), [("db:227616", "9557"), ("db:228243", "9550"), ("db:862840", "9553")]
)
def test_a_train_retimed_for_works_in_one_feed_runs_once(
    eurail: dict[str, Region], trip: str, number: str
) -> None:
    """Beyond the station where the feeds part, the feed of the country says when it runs."""
    region = eurail["sncf"]
    matches = region.tables["train_matches"]
    joined = matches.filter((matches["left_trip"] == trip) & (matches["decision"] == "joined"))
    assert joined.height == 1
    assert f"OCESN{number}F" in joined["right_trip"][0]
    trips = region.tables["trips"]
    row = trips["trip_id"].index_of(trip.partition(":")[2])
    sections = region.tables["sections"]
    own = sections.filter((sections["trip"] == row) & ~sections["alias"])
    assert own.height == 1
    train = region.tables["trains"].row(own["train"][0], named=True)
    calls = region.tables["stop_times"].slice(train["first_event"], train["n_events"])
    assert (calls["arrival_s"].diff().drop_nulls() > 0).all()
    names = region.tables["stops"]["stop_name"]
    ends = {names[calls["stop"][0]], names[calls["stop"][-1]]}
    assert ends == {"Paris Est", "Frankfurt(Main)Hbf"}


def test_stations_under_other_names_are_found(eurail: dict[str, Region]) -> None:
    pairs = {
        tuple(json.loads(evidence)["names"])
        for evidence, decision in eurail["sncf"]
        .tables["station_matches"]
        .select("evidence", "decision")
        .iter_rows()
        if decision == "same"
    }
    assert {
        ("Frankfurt (Main) Hauptbahnhof", "Francfort sur le Main"),
        ("Saarbrücken Hbf", "Sarrebruck"),
        ("München Hbf", "Munich"),
        ("Hauptbahnhof (oben)", "Stuttgart Hbf"),
    } <= pairs
    assert len(shared_stations(eurail["sncf"])) >= 25


def test_a_station_far_apart_is_found_by_its_neighbours(eurail: dict[str, Region]) -> None:
    shared = shared_stations(eurail["zssk"])
    assert len(shared) >= 62
    assert "Wien Meidling" in shared  # 1,487 m apart, listed between the same two stations


def test_iberian_stations_are_shared_across_the_border(real: Callable[..., Region]) -> None:
    region = real("cp", "renfe")
    shared = shared_stations(region)
    assert len(shared) >= 5
    zones = dict(region.tables["stations"].select("name", "tz").iter_rows())
    assert {zones[name] for name in shared} <= {"Europe/Lisbon", "Europe/Madrid"}
    # The zone is the one that most members state, whatever clock the trains keep.
    assert zones["Porto Campanha"] == "Europe/Lisbon"
    assert np.array_equal(region.coverage.any(axis=1), [True, True])


def test_spanish_times_inside_portugal_are_the_instants_that_gtfs_says(
    real: Callable[..., Region],
) -> None:
    """A feed has one zone: the trains from Vigo keep it, their stations show their own."""
    region = real("cp", "renfe")
    tables = region.tables
    names = tables["stops"]["stop_name"].to_list()
    trip = tables["trips"]["trip_id"].index_of("0042112026-08-21")
    train = tables["trains"].row(tables["trains"]["trip"].index_of(trip), named=True)
    first = tables["stop_times"].row(train["first_event"], named=True)
    assert names[first["stop"]].startswith("Porto Campanha")
    assert (train["zone"], first["departure_s"]) == ("Europe/Madrid", 9 * 3_600 + 600)
    station = tables["stations"].row(tables["stops"]["station"][first["stop"]], named=True)
    assert station["tz"] == "Europe/Lisbon"  # 08:10 there


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * ("cercanias" in GOLDEN[name][1]))
        for name in sorted(GOLDEN)
    ],
)
def test_golden_lists_of_stations_and_trains(
    real: Callable[..., Region], project_root: Path, name: str
) -> None:
    """Made anew by ``python -m tests.merge.golden_lists``; look at what changes before you do."""
    kind, feeds = GOLDEN[name]
    kept = (project_root / "tests/merge/golden" / f"{name}.csv").read_text("utf-8")
    assert golden_csv(real(*feeds), kind) == kept
