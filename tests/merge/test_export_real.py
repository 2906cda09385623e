"""Real feeds of three countries leave as one feed without errors."""

import random

import gtfs_guru
import pytest

from mobility.core.time import parse_instant
from mobility.merge.export.region import export_region
from tests.merge.export_back import Side, dangling, read_zip, region_of_paths, twice

pytestmark = pytest.mark.shared

QUESTIONS = 60


@pytest.fixture(scope="module")
def region(shared_data):
    return region_of_paths(sorted((shared_data / "eu_rail_2025").glob("*.zip")))


@pytest.fixture(scope="module")
def exported(region, tmp_path_factory):
    path = tmp_path_factory.mktemp("real") / "merged.zip"
    export_region(region, path)
    return path


def test_the_validator_finds_no_error(exported):
    result = gtfs_guru.validate(str(exported), date="2025-09-10")
    assert [(e.code, e.file, e.row) for e in result.errors()] == []


def test_nothing_dangles_and_no_key_stands_twice(exported):
    tables = read_zip(exported)
    assert dangling(tables) == []
    assert twice(tables) == []


def test_read_back_it_has_the_same_stations_trains_and_answers(region, exported, tmp_path):
    again = region_of_paths([exported], join=False)
    for name in ("stations", "trains", "stop_times"):
        assert again.tables[name].height == region.tables[name].height, name
    before, after = Side.of(region, tmp_path / "a"), Side.of(again, tmp_path / "b")
    there = after.stations_of(region)
    random_ = random.Random(20250910)
    start = parse_instant("2025-09-10T05:00", "Europe/Paris")
    found = 0
    for _ in range(QUESTIONS):
        ends = random_.sample(sorted(there), 2)
        depart = start + random_.randrange(0, 18 * 60) * 60
        expected = before.answers(*ends, depart)
        found += bool(expected)
        assert after.answers(*(there[end] for end in ends), depart) == expected, ends
    assert found > QUESTIONS / 10
