"""Departures of a stop and the whole run of a train as pages: complete without JavaScript."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobility.api import create_app
from mobility.web import LANGUAGES, read_catalogue
from mobility.web.timetable_pages import AREA

from .client import AppClient
from .test_pages import Reader

NOW = dt.datetime(2027, 5, 4, 5, 0, tzinfo=dt.UTC)
BOARD = "/departures?place=Basel+SBB&date=2027-05-04&time=07:00"


@pytest.fixture(scope="module")
def site(sample_edition: Path) -> Iterator[AppClient]:
    with AppClient(create_app(sample_edition, clock=lambda: NOW)) as client:
        yield client


def links(page: Reader, start: str) -> list[str]:
    hrefs = [attrs.get("href") or "" for tag, attrs in page.tags if tag == "a"]
    return [href for href in hrefs if href.startswith(start)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_board_says_everything_in_the_readers_language(site: AppClient, language: str) -> None:
    answer = site.get(f"{BOARD}&lang={language}")
    assert answer.status_code == 200
    page = Reader(answer.text)
    strings = read_catalogue(language, AREA)
    text = " ".join(page.words)
    assert strings.text("timetable.departures_from", place="Basel SBB") in text
    assert not re.search(r"\b(timetable|trip|departures)\.\w", text)  # no key stands for a string
    assert not [tag for tag, _ in page.tags if tag == "script"]
    assert len(links(page, "/trip?")) > 20
    assert all(f"lang={language}" in href for href in links(page, "/trip?"))


def test_every_departure_leads_to_its_run_and_every_stop_of_that_to_its_departures(
    site: AppClient,
) -> None:
    board = Reader(site.get(f"{BOARD}&lang=en").text)
    for href in links(board, "/trip?")[:8]:
        answer = site.get(href)
        assert answer.status_code == 200
        run = Reader(answer.text)
        stops = links(run, "/departures?place=")
        assert len(stops) >= 2
        again = site.get(stops[0])
        assert again.status_code == 200
        nearest = links(Reader(again.text), "/trip?")[:6]
        assert run.words in [Reader(site.get(near).text).words for near in nearest]


def test_a_joined_train_shows_both_operators(site: AppClient) -> None:
    page = " ".join(
        Reader(site.get("/trip?trip=ch-rail:s6-17610&date=2027-05-04&lang=en").text).words
    )
    other = Reader(site.get("/trip?trip=de-regio:s6-17610&date=2027-05-04&lang=en").text)
    assert page == " ".join(other.words)
    assert read_catalogue("en", AREA).text("trip.joined") in page


def test_earlier_and_later_lead_on(site: AppClient) -> None:
    page = Reader(site.get(f"{BOARD}&lang=en").text)
    earlier, later = (href for href in links(page, "/departures?place=ch-rail-8500010"))
    assert "time=06%3A00" in earlier
    assert site.get(later).status_code == 200


def test_arrivals_are_told_where_they_are_asked_for(site: AppClient) -> None:
    text = " ".join(Reader(site.get(f"{BOARD}&kind=arrivals&lang=en").text).words)
    assert "Arrivals at Basel SBB" in text


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/departures?place=Bsael+SBB", 404, "Basel SBB"),
        ("/departures?place=Liestal&date=2031-01-01", 422, "not valid on this day"),
        ("/departures?place=Liestal&time=25:99", 422, "This time does not exist"),
        ("/departures?place=47.5,7.6", 400, "position"),
        ("/departures?place=%3Cscript%3Ealert(1)%3C/script%3E", 404, "alert(1)"),
        ("/trip?trip=x:1&date=2027-05-04", 404, "do not know this train"),
        ("/trip?trip=&date=", 400, "trip"),
        ("/trip", 400, "trip"),
    ],
)
def test_what_cannot_be_shown_is_said(
    site: AppClient, address: str, status: int, said: str
) -> None:
    answer = site.get(address, headers={"Accept-Language": "en"})
    assert answer.status_code == status
    page = Reader(answer.text)
    assert said in " ".join(page.words)
    assert not [tag for tag, _ in page.tags if tag == "script"]


def test_the_empty_page_asks_for_a_stop(site: AppClient) -> None:
    answer = site.get("/departures")
    assert answer.status_code == 200
    names = [attrs.get("name") for tag, attrs in Reader(answer.text).tags if tag == "input"]
    assert {"place", "date", "time", "kind"} <= set(names)


def test_a_journey_leads_to_departures_and_to_whole_runs(site: AppClient) -> None:
    address = "/search?from=Liestal&to=Mulhouse+Ville&date=2027-05-04&time=07:00&lang=de"
    page = Reader(site.get(address).text)
    for href in links(page, "/departures?place=")[:3] + links(page, "/trip?")[:3]:
        assert site.get(href).status_code == 200
    assert links(page, "/departures?lang=de")
