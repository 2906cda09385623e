"""The running day in answers and pages: times, age, alerts, what now."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from google.transit import gtfs_realtime_pb2 as pb

from mobility.api import Limits, create_app
from mobility.api.models import AlertsDocument, JourneysDocument, WhatNowDocument
from mobility.core.settings import Settings
from mobility.feeds.realtime.source import Inbox, LiveSource
from mobility.network import open_edition
from mobility.network.live.poller import Poller

from ..web.client import AppClient

NOW = dt.datetime(2027, 5, 4, 5, 0, tzinfo=dt.UTC)  # a Tuesday, 07:00 in Basel
QUESTION = {"from": "Lörrach Hbf", "to": "Mulhouse Ville", "depart": "2027-05-04T07:00"}


class Live:
    """A served edition, and operators that say things of it."""

    def __init__(self, client: AppClient, edition: Path, folder: Path) -> None:
        self.client, self.file = client, folder / "live.pb"
        self.feeds: dict[str, Path] = {}
        self._edition, self._folder = open_edition(edition), folder
        self.version = ""

    def say(self, **messages: Any) -> None:
        """Let each feed say this, poll once, and wait until the server has taken it up."""
        for feed, message in messages.items():
            name = feed.replace("_", "-")
            self.feeds[name] = self._folder / f"{name}.pb"
            message.header.gtfs_realtime_version = "2.0"
            message.header.timestamp = int(NOW.timestamp()) - 40
            self.feeds[name].write_bytes(message.SerializeToString())
        sources = [LiveSource(name, str(path)) for name, path in self.feeds.items()]
        poller = Poller(self._edition, sources, self._folder, inbox=Inbox(), clock=lambda: NOW)
        self.version = poller.poll().version
        ends = time.monotonic() + 20
        while self.journeys()["versions"].get("realtime") != self.version:
            assert time.monotonic() < ends, "the server does not take up the running day"
            time.sleep(0.1)

    def journeys(self, **more: str) -> Any:
        return self.client.get("/api/v1/journeys", params={**QUESTION, **more}).json()

    def ride(self, journey: int = 0) -> list[Any]:
        return [leg for leg in self.journeys()["journeys"][journey]["legs"] if leg["sections"]]


@pytest.fixture
def live(sample_edition: Path, tmp_path: Path) -> Iterator[Live]:
    settings = Settings(home=tmp_path)
    limits = Limits(body_bytes=20_000, threads=2)
    app = create_app(sample_edition, settings, lambda: NOW, limits=limits)
    with AppClient(app) as client:
        client.wait_ready()
        yield Live(client, sample_edition, tmp_path)


def update(message: Any, section: Any, **trip: Any) -> Any:
    entity = message.entity.add(id=section["trip_id"])
    entity.trip_update.trip.trip_id = section["trip_id"]
    entity.trip_update.trip.start_date = section["service_date"].replace("-", "")
    for name, value in trip.items():
        setattr(entity.trip_update.trip, name, value)
    return entity.trip_update


def late(section: Any, minutes: int) -> Any:
    message = pb.FeedMessage()
    stop = update(message, section).stop_time_update.add(stop_sequence=section["from_sequence"])
    stop.departure.delay = minutes * 60
    return message


def of_feed(section: Any) -> str:
    return str(section["feed"]).replace("-", "_")


def test_without_a_poller_nothing_is_live(live: Live) -> None:
    answer = live.journeys()
    assert (answer["realtime"], answer["alerts"]) == (None, [])
    assert not any(leg["live"] for journey in answer["journeys"] for leg in journey["legs"])
    assert live.client.get("/api/v1/alerts").json()["alerts"] == []


def test_times_of_the_running_day_stand_beside_the_planned_ones(live: Live) -> None:
    first = live.ride()[0]
    live.say(**{of_feed(first["sections"][0]): late(first["sections"][0], 3)})
    answer = live.journeys()
    JourneysDocument.model_validate(answer)
    ride = next(leg for leg in answer["journeys"][0]["legs"] if leg["sections"])
    assert ride["live"]
    assert ride["planned_departure"] == first["departure"]
    delay = dt.datetime.fromisoformat(ride["departure"]) - dt.datetime.fromisoformat(
        first["departure"]
    )
    assert delay == dt.timedelta(minutes=3)
    source = answer["realtime"]["sources"][0]
    assert (source["age_s"], source["fault"], source["counts"]["matched"]) == (40, None, 1)
    page = live.client.get("/search", params={**_form(), "lang": "fr"}).text
    assert "3 min de retard" in page
    assert "il y a 40 s" in page
    assert "<s>" in page


def _form() -> dict[str, str]:
    return {
        "from": QUESTION["from"], "to": QUESTION["to"], "date": "2027-05-04", "time": "07:00",
    }  # fmt: skip


def test_alerts_are_told_in_the_riders_language(live: Live) -> None:
    section = live.ride()[0]["sections"][0]
    message = pb.FeedMessage()
    alert = message.entity.add(id="a1").alert
    alert.informed_entity.add().trip.trip_id = section["trip_id"]
    for language, text in (("de", "Störung <b>"), ("fr", "Perturbation")):
        alert.header_text.translation.add(text=text, language=language)
    other = message.entity.add(id="a2").alert
    other.informed_entity.add().route_id = "no such route"
    other.header_text.translation.add(text="Elsewhere")
    live.say(**{of_feed(section): message})
    told = live.journeys(language="fr")
    assert [one["header"] for one in told["alerts"]] == ["Perturbation"]
    assert told["journeys"][0]["alerts"] == [f"{section['feed']}:a1"]
    everything = live.client.get("/api/v1/alerts", params={"language": "de"}).json()
    AlertsDocument.model_validate(everything)
    assert [one["header"] for one in everything["alerts"]] == ["Störung <b>", "Elsewhere"]
    page = live.client.get("/search", params={**_form(), "lang": "de"}).text
    assert "Störung &lt;b&gt;" in page
    assert "Störung <b>" not in page


def test_what_now_of_a_cancelled_train_says_how_to_go_on(live: Live) -> None:
    rides = live.ride()
    cancelled = rides[1]["sections"]
    messages = {}
    for section in cancelled:
        message = messages.setdefault(of_feed(section), pb.FeedMessage())
        update(message, section, schedule_relationship=3)
    live.say(**messages)
    asked = {"rides": [leg["sections"] for leg in rides], "at": "2027-05-04T07:10:00+02:00"}
    answer = live.client.post("/api/v1/what-now", json={**asked, "language": "de"})
    assert answer.status_code == 200
    document = answer.json()
    WhatNowDocument.model_validate(document)
    assert (document["state"], document["reason"]) == ("broken", "cancelled")
    assert document["journey"]["legs"][document["broken_leg"]]["cancelled"]
    assert document["on_board"] == 0
    assert document["ways"]
    assert document["journey"]["fare"]["tickets"]
    assert document["versions"]["realtime"] == live.version
    text = json.dumps(
        [[[s[f] for f in ("feed", "trip_id", "service_date", "from_sequence", "to_sequence")]
          for s in leg["sections"]] for leg in rides]
    )  # fmt: skip
    page = live.client.get(f"/what-now?{urlencode({'rides': text, 'lang': 'de'})}")
    assert page.status_code == 200
    assert "fällt aus" in page.text
    assert "So geht es weiter" in page.text


def test_the_page_of_a_search_leads_to_what_now(live: Live) -> None:
    page = live.client.get("/search", params={**_form(), "lang": "en"}).text
    link = page.split('href="/what-now?')[1].split('"')[0].replace("&amp;", "&")
    now = live.client.get(f"/what-now?{link}")
    assert now.status_code == 200
    assert "The journey can be made." in now.text


@pytest.mark.parametrize(
    "rides", ["", "[", "{}", "[[[1]]]", "[[]]", '[[["x","y","2027-05-04",1,2]]]', "[" * 5000]
)
def test_what_is_no_journey_is_refused_without_a_traceback(live: Live, rides: str) -> None:
    page = live.client.get(f"/what-now?{urlencode({'rides': rides, 'lang': 'en'})}")
    assert page.status_code in (400, 404, 413, 422)
    assert page.status_code == 413 or "not known here" in page.text


@pytest.mark.parametrize(
    "section",
    [
        {"feed": "x", "trip_id": "y", "service_date": "2027-05-04"},
        {"feed": "x", "trip_id": "y", "service_date": "2027-13-44"},
        {"feed": "ch-rail", "trip_id": "\u0000", "service_date": "1700-01-01"},
    ],
)
def test_rides_that_do_not_exist_are_the_callers_fault(live: Live, section: Any) -> None:
    ride = {**section, "from_sequence": 1, "to_sequence": 2**40}
    answer = live.client.post("/api/v1/what-now", json={"rides": [[ride]]})
    assert answer.status_code in (400, 404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_now_goes_on_with_the_riders_needs(live: Live) -> None:
    rides = live.ride()
    messages = {}
    for section in rides[1]["sections"]:
        message = messages.setdefault(of_feed(section), pb.FeedMessage())
        update(message, section, schedule_relationship=3)
    live.say(**messages)
    asked = {"rides": [leg["sections"] for leg in rides], "at": "2027-05-04T07:10:00+02:00"}
    usual = live.client.post("/api/v1/what-now", json=asked).json()
    used = {leg["vehicle"] for way in usual["ways"] for leg in way["journey"]["legs"]} - {None}
    assert "rail" in used
    asked["not_modes"] = ["rail"]
    document = live.client.post("/api/v1/what-now", json=asked).json()
    WhatNowDocument.model_validate(document)
    legs = [leg for way in document["ways"] if way["journey"] for leg in way["journey"]["legs"]]
    assert "rail" not in {leg["vehicle"] for leg in legs}
    assert live.client.post("/api/v1/what-now", json={**asked, "via": ["x"]}).status_code == 400
    assert live.client.post("/api/v1/what-now", json={**asked, "max_walk_m": -1}).status_code == 400


def test_with_needs_journeys_are_of_the_running_day_and_lead_to_what_now(live: Live) -> None:
    first = live.ride()[0]
    live.say(**{of_feed(first["sections"][0]): late(first["sections"][0], 3)})
    answer = live.journeys(min_change="4m")
    assert answer["versions"]["realtime"] == live.version
    assert any(leg["live"] for journey in answer["journeys"] for leg in journey["legs"])
    needs = {"min_change": "4", "walk_speed_m_s": "0.8", "via": "Liestal"}
    page = live.client.get("/search", params={**_form(), **needs, "lang": "en", "via": ""}).text
    link = page.split('href="/what-now?')[1].split('"')[0].replace("&amp;", "&")
    assert "min_change=4&walk_speed_m_s=0.8" in link
    now = live.client.get(f"/what-now?{link}")
    assert now.status_code == 200
    assert "at least 4 min to change, walking speed slow (0.8 m/s)" in now.text
    wrong = live.client.get(f"/what-now?{link}&min_change=x".replace("min_change=4&", ""))
    assert wrong.status_code == 400
