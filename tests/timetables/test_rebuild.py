"""A scenario gives what a full rebuild from the edited GTFS gives."""

import random
import shutil

import pytest

from mobility.cli.build import build_edition
from mobility.core.time import local_time, parse_instant
from mobility.feeds import read_manifest
from mobility.network import compile_network, open_edition
from mobility.planner import Planner, locate
from mobility.timetables import apply_scenario, parse_scenario
from tests.timetables.edited import cancel_route, edit_feed, shift_route

QUESTIONS = 200
SHIFTED = {"ch-city": {"8": 7, "16": 3}, "ch-rail": {"s6": 4}, "de-regio": {"s6": 4}}
CANCELLED = {"ch-city": ["15"], "fr-regio": ["604"]}


@pytest.fixture(scope="module")
def rebuilt(sample_region, tmp_path_factory):
    """Return the edition built from zips edited by hand."""
    folder = tmp_path_factory.mktemp("rebuilt") / "feeds" / sample_region.name
    shutil.copytree(sample_region, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    for feed in sorted({*SHIFTED, *CANCELLED}):

        def edit(tables, feed=feed):
            for route, minutes in SHIFTED.get(feed, {}).items():
                shift_route(tables, route, minutes)
            for route in CANCELLED.get(feed, ()):
                cancel_route(tables, route)

        edit_feed(sample_region / f"{feed}.zip", folder / f"{feed}.zip", edit)
    edition = folder.parent / "edition"
    build_edition(read_manifest(folder), edition)
    opened = open_edition(edition)
    return Planner(opened.network, opened.slices)


@pytest.fixture(scope="module")
def after(sample_edition, tmp_path_factory):
    """Return the planner of the scenario applied to the edition."""
    edits = [
        {"kind": "shift_line", "line": "ch-city:8", "shift_min": 7},
        {"kind": "shift_line", "line": "ch-city:16", "shift_min": 3},
        {"kind": "shift_line", "line": ["ch-rail:s6", "de-regio:s6"], "shift_min": 4},
    ]
    edits += [
        {"kind": "cancel_line", "line": f"{feed}:{route}"}
        for feed, routes in CANCELLED.items()
        for route in routes
    ]
    opened = open_edition(sample_edition)
    scenario = parse_scenario({"format": 1, "edit": edits}, "test")
    region, notices = apply_scenario(opened.region(), scenario, edition_hash=opened.hash)
    assert all(notice.code == "scenario_edit" for notice in notices)
    network = compile_network(region, walk_radius_m=opened.network.walk_radius_m)
    return Planner(network, network.slices(tmp_path_factory.mktemp("slices")))


def questions(network):
    """Return pairs of stations and departures, drawn with a fixed seed."""
    random_ = random.Random(20270504)
    stations = sorted(network.station_id)
    start = parse_instant("2027-05-04T06:00", "Europe/Zurich")
    for _ in range(QUESTIONS):
        origin, destination = random_.sample(stations, 2)
        yield origin, destination, start + random_.randrange(0, 14 * 60) * 60


def answers(planner, question):
    """Return the journeys of a question as documents."""
    origin, destination, depart = question
    ends = [locate(planner.network, text) for text in (origin, destination)]
    found = planner.plan(*ends, depart=depart, arrive=None, window_s=3600)
    return [journey.to_json() for journey in found.journeys]


def test_200_journeys_are_those_of_a_rebuild(after, rebuilt):
    found = 0
    for question in questions(rebuilt.network):
        expected = answers(rebuilt, question)
        found += bool(expected)
        where = f"{question[0]} → {question[1]} {local_time(question[2], 'Europe/Zurich')}"
        assert answers(after, question) == expected, where
    assert found > QUESTIONS / 2
