"""The sample region leaves as one feed, and that feed says what the region says."""

import csv
import hashlib
import random
import zipfile

import gtfs_guru
import pytest

from mobility.core.time import local_time, parse_instant
from mobility.feeds import read_manifest
from mobility.merge.export.region import export_region
from tests.merge.export_back import Side, dangling, read_zip, region_of, region_of_paths, twice

QUESTIONS = 200
DAYS = ("2027-05-04", "2027-10-31", "2028-08-01")  # usual; clocks go back; one country's holiday


@pytest.fixture(scope="module")
def region(sample_region):
    return region_of(read_manifest(sample_region))


@pytest.fixture(scope="module")
def exported(region, tmp_path_factory):
    """Return the zip and what was written into it."""
    path = tmp_path_factory.mktemp("export") / "merged.zip"
    return path, export_region(region, path, versions={"edition": "f" * 64})


@pytest.fixture(scope="module")
def tables(exported):
    return read_zip(exported[0])


@pytest.fixture(scope="module")
def again(exported):
    """Return the region of the exported zip alone."""
    return region_of_paths([exported[0]], join=False)


def test_the_validator_finds_no_error(exported):
    result = gtfs_guru.validate(str(exported[0]), date="2027-03-10")
    assert [(e.code, e.file, e.row) for e in result.errors()] == []


def test_nothing_dangles_and_no_key_stands_twice(tables):
    assert dangling(tables) == []
    assert twice(tables) == []


def test_read_back_it_has_the_same_stations_and_trains(region, again):
    for name in ("stations", "trains", "stop_times"):
        assert again.tables[name].height == region.tables[name].height, name
    assert sum(region.train_counts.values()) > 0
    assert sum(again.train_counts.values()) == 0


def test_read_back_no_row_is_dropped(again):
    counts = {name: rows.dropped for name, rows in again.feeds[0].counts.items()}
    assert {name: n for name, n in counts.items() if n} == {}
    assert [n.line() for n in again.notices if n.severity == "error"] == []


def test_read_back_it_gives_the_same_answers_to_200_questions(region, again, exported, tmp_path):
    before, after = Side.of(region, tmp_path / "a"), Side.of(again, tmp_path / "b")
    there = after.stations_of(region)
    random_ = random.Random(20270504)
    found = 0
    for number in range(QUESTIONS):
        ends = random_.sample(sorted(there), 2)
        start = parse_instant(f"{DAYS[number % 3]}T05:00", "Europe/Zurich")
        depart = start + random_.randrange(0, 18 * 60) * 60
        window_s = 3600 if number % 2 else None
        expected = before.answers(*ends, depart, window_s)
        found += bool(expected)
        where = f"{ends} {local_time(depart, 'Europe/Zurich')} {window_s}"
        assert after.answers(*(there[end] for end in ends), depart, window_s) == expected, where
    assert found > QUESTIONS / 2


def test_a_train_of_two_feeds_is_one_trip(region, tables):
    joined = region.tables["trains"].filter(region.tables["trains"]["kind"] != "single")
    assert joined.height > 100
    assert len(tables["trips"]) == region.tables["trains"].height
    calls = {}
    for row in tables["stop_times"]:
        calls.setdefault(row["trip_id"], []).append(row["stop_id"].split(":")[0])
    both = [trip for trip, feeds in calls.items() if {"ch-rail", "de-regio"} <= set(feeds)]
    assert len(both) >= 84, "the overlapping trains of the sample region"


def test_ids_are_scoped_and_stations_have_ours(region, tables):
    feeds = {feed.id for feed in region.feeds}
    stations = set(region.tables["stations"]["station_id"])
    for row in tables["stops"]:
        if row["location_type"] == "1":
            assert row["stop_id"] in stations
            assert row["parent_station"] == ""
        else:
            assert row["stop_id"].split(":")[0] in feeds
    for name, column in (("agency", "agency_id"), ("routes", "route_id"), ("trips", "trip_id")):
        assert {row[column].split(":")[0] for row in tables[name]} <= feeds


def test_a_merged_station_is_the_parent_of_every_feeds_stops(tables):
    children = {}
    for row in tables["stops"]:
        children.setdefault(row["parent_station"], set()).add(row["stop_id"].split(":")[0])
    assert children["ch-rail-8500010"] == {"ch-rail", "de-regio", "fr-regio"}


def test_nobody_gets_on_or_off_at_a_border_point(region, tables):
    stops = region.tables["stops"].filter(region.tables["stops"]["border_point"])
    feeds = region.feeds
    border = {f"{feeds[feed].id}:{raw}" for feed, raw in stops.select("feed", "stop_id").rows()}
    calls = [row for row in tables["stop_times"] if row["stop_id"] in border]
    assert calls
    assert {(row["pickup_type"], row["drop_off_type"]) for row in calls} == {("1", "1")}


def test_each_source_is_named_with_its_licence(region, tables):
    producers = {r["attribution_id"]: r for r in tables["attributions"] if r["is_producer"] == "1"}
    for feed in region.feeds:
        assert feed.licence in producers[feed.id]["organization_name"]
        assert feed.attribution in producers[feed.id]["organization_name"]
    assert len(tables["attributions"]) == len(region.feeds) + region.tables["attributions"].height


def test_feed_info_tells_every_version(region, tables):
    (row,) = tables["feed_info"]
    assert "edition ffffffffffff" in row["feed_version"]
    assert all(f"{feed.id} {feed.version[:12]}" in row["feed_version"] for feed in region.feeds)
    assert (row["feed_start_date"], row["feed_end_date"]) == ("20261213", "20281209")


def test_a_joined_train_has_one_line_on_the_map(region, tables):
    of_trip = {row["trip_id"]: row["shape_id"] for row in tables["trips"]}
    points = {}
    for row in tables["shapes"]:
        points.setdefault(row["shape_id"], []).append(row)
    spliced = {shape for shape in of_trip.values() if "+" in shape}
    assert spliced
    assert set(filter(None, of_trip.values())) == set(points)
    lines = region.tables["trips"]["shape_id"].null_count()
    assert sum(not shape for shape in of_trip.values()) <= lines


def test_the_same_region_gives_the_same_bytes(region, exported, tmp_path):
    path = tmp_path / "elsewhere" / "again.zip"
    export_region(region, path, versions={"edition": "f" * 64})
    first, second = (hashlib.sha256(p.read_bytes()).hexdigest() for p in (exported[0], path))
    assert first == second
    with zipfile.ZipFile(path) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_every_cell_survives_a_csv_reader(exported):
    with zipfile.ZipFile(exported[0]) as archive:
        for name in archive.namelist():
            rows = csv.reader(archive.read(name).decode("utf-8").splitlines())
            assert len({len(row) for row in rows}) == 1, name
