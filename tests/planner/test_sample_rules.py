"""The border check and the boarding ban of the sample region, from the manifest to the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise, product
from pathlib import Path

import pytest

from mobility.api import Limits, create_app
from mobility.core.time import parse_instant
from mobility.journey import Journey
from mobility.network import compile_network, open_edition
from mobility.planner import Planner, locate
from mobility.timetables import apply_scenario, parse_scenario
from tests.web.client import AppClient

CHECKED, FREE = "2027-06-15", "2027-06-08"  # both a Tuesday; the check holds from 14 to 27 June
FREIBURG, BASEL = "de-regio:de:08311:6507", "ch-rail:8500010"
BAD_BF = "Basel Bad Bf"
GRENZACH, WYHLEN = "Grenzach, Hornacker", "Wyhlen, Siedlung"
WORDS = {"de": "Reisepass", "fr": "passeport", "en": "passport"}


@pytest.fixture(scope="module")
def planner(sample_edition: Path) -> Planner:
    opened = open_edition(sample_edition)
    return Planner(opened.network, opened.slices)


@pytest.fixture(scope="module")
def site(sample_edition: Path) -> Iterator[AppClient]:
    now = dt.datetime(2027, 6, 1, 5, 0, tzinfo=dt.UTC)
    app = create_app(sample_edition, clock=lambda: now, limits=Limits(threads=2))
    with AppClient(app) as client:
        client.wait_ready()
        yield client


def ask(planner: Planner, origin: str, destination: str, day: str) -> list[Journey]:
    """The journeys of a departure at every quarter of an hour of a morning."""
    ends = [locate(planner.network, text) for text in (origin, destination)]
    first = parse_instant(f"{day}T06:00", "Europe/Zurich")
    departures = range(first, first + 6 * 3600, 900)
    return [j for depart in departures for j in planner.plan(*ends, depart=depart).journeys]


def waits_at_the_check(planner: Planner, day: str) -> list[int]:
    """Seconds between leaving a train from Germany at the station and the next ride."""
    found = []
    for origin, destination in product(
        (FREIBURG, "Weil am Rhein Bahnhof"), ("Riehen", "ch-city:8578143")
    ):
        for journey in ask(planner, origin, destination, day):
            rides = [leg for leg in journey.legs if leg.mode == "transit"]
            for before, after in pairwise(rides):
                if before.destination.name.startswith("Basel Bad"):
                    found.append(after.departure - before.arrival)
    return found


def test_changes_at_the_check_take_its_minutes_while_it_holds(planner: Planner) -> None:
    checked, free = (waits_at_the_check(planner, day) for day in (CHECKED, FREE))
    assert checked
    assert min(checked) >= 600
    assert min(free) < 600


@pytest.mark.parametrize("language", ["de", "fr", "en"])
def test_who_rides_through_the_check_is_told_in_their_language(
    site: AppClient, language: str
) -> None:
    asked = {"from": FREIBURG, "to": BASEL, "depart": f"{CHECKED}T07:30", "language": language}
    (notice,) = site.get("/api/v1/journeys", params=asked).json()["notices"]
    assert notice["code"] == "border_check"
    assert notice["message"].startswith(f"{BAD_BF}, 10 min: ")
    assert WORDS[language] in notice["message"]


@pytest.mark.parametrize(
    ("origin", "destination", "day"),
    [
        (FREIBURG, BASEL, FREE),
        (BASEL, FREIBURG, CHECKED),
        (FREIBURG, "ch-rail:8500090", CHECKED),  # who ends there is not on the way past it
    ],
)
def test_nobody_else_is_told(site: AppClient, origin: str, destination: str, day: str) -> None:
    asked = {"from": origin, "to": destination, "depart": f"{day}T07:30"}
    answer = site.get("/api/v1/journeys", params=asked).json()
    assert answer["journeys"]
    assert not answer["notices"]


@pytest.mark.parametrize("language", ["de", "fr", "en"])
def test_the_page_shows_the_check(site: AppClient, language: str) -> None:
    asked = {"from": FREIBURG, "to": BASEL, "date": CHECKED, "time": "07:30", "lang": language}
    page = site.get("/search", params=asked)
    assert page.status_code == 200
    assert f"<small>{BAD_BF}, 10 min: " in page.text
    assert WORDS[language] in page.text


def lines(journeys: tuple[Journey, ...]) -> set[str]:
    return {leg.line for journey in journeys for leg in journey.legs}


def rides_within(planner: Planner, day: str) -> list[Journey]:
    """Journeys with a ride of the bus from one of the two stops to the other."""
    return [
        journey
        for ends in ((GRENZACH, WYHLEN), (WYHLEN, GRENZACH))
        for journey in ask(planner, *ends, day)
        for leg in journey.legs
        if leg.line == "38" and {leg.origin.name, leg.destination.name} == {GRENZACH, WYHLEN}
    ]


def test_the_bus_carries_over_the_border_but_not_within_the_other_country(
    planner: Planner,
) -> None:
    for day in (CHECKED, FREE):
        assert "38" in lines(ask(planner, "Basel, Claraplatz", WYHLEN, day))
        assert "38" in lines(ask(planner, WYHLEN, "Basel, Claraplatz", day))
        assert not rides_within(planner, day)


def test_who_could_have_taken_the_bus_is_told_why_not(planner: Planner) -> None:
    ends = [locate(planner.network, name) for name in (GRENZACH, WYHLEN)]
    depart = parse_instant(f"{FREE}T08:00", ends[0].tz)
    there = planner.plan(*ends, depart=depart, window_s=7200).notices
    (told,) = [notice for notice in there if notice.code == "boarding_ban"]
    assert told.value == "38"
    assert told.message.endswith("illustrative: no local rides outside of Switzerland")
    across = locate(planner.network, "Basel, Claraplatz")
    for pair in ((across, ends[1]), (ends[1], across)):
        assert not [n for n in planner.plan(*pair, depart=depart).notices if "ban" in n.code]


def test_the_ban_holds_after_a_scenario_too(sample_edition: Path) -> None:
    opened = open_edition(sample_edition)
    edit = {"kind": "shift_line", "line": "ch-city:38", "shift_min": 4, "from_date": "2027-06-10"}
    scenario = parse_scenario({"format": 1, "edit": [edit]}, "test")
    region, _ = apply_scenario(opened.region(), scenario)
    network = compile_network(region)
    after = Planner(network, network.slices(None))
    assert "38" in lines(ask(after, "Basel, Claraplatz", WYHLEN, CHECKED))
    assert not rides_within(after, CHECKED)
