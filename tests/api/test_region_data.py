"""How the region's data stand: counts that others find too, filters, and nothing confidential."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mobility.api import Limits, create_app
from mobility.cli.build import build_edition
from mobility.core.settings import Settings
from mobility.feeds import Activation, FeedStore, FeedVersion, read_feed, read_manifest, summarise
from mobility.feeds.versions.store import FetchState
from mobility.feeds.versions.summary import trips_per_day
from mobility.merge.stations import CERTAIN
from mobility.network import open_edition

from ..border import write_border_region
from ..web.client import AppClient

BASE = "/api/v1/region"
NOW = dt.datetime(2027, 5, 4, 5, 0, tzinfo=dt.UTC)
SECRET = "https://feeds.example/timetable.zip?key=s3cret"


def document(api: AppClient, address: str, **query: Any) -> dict[str, Any]:
    response = api.get(BASE + address, params=query or None)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def first_pair(api: AppClient, **query: Any) -> tuple[str, str]:
    match = document(api, "/matches/trains", state="joined", **query)["matches"][0]
    return match["left"]["reference"], match["right"]["reference"]


def test_answers_fit_the_published_schemas(api: AppClient) -> None:
    trip, other = first_pair(api)
    station = document(api, "/matches/stations")["matches"][0]["left"]["station_id"]
    description = api.get("/api/v1/openapi.json").json()
    for address, path, query in (
        ("/status", "/status", {}),
        ("/coverage", "/coverage", {"days": 3}),
        ("/notices", "/notices", {}),
        ("/matches/stations", "/matches/stations", {}),
        ("/matches/trains", "/matches/trains", {}),
        (f"/stations/{station}", "/stations/{station_id}", {}),
        ("/trains", "/trains", {"trip": trip, "other": other}),
    ):
        answer = description["paths"][BASE + path]["get"]["responses"]["200"]
        rule = answer["content"]["application/json"]["schema"]
        checker = Draft202012Validator({**rule, "components": description["components"]})
        checker.validate(document(api, address, **query))


def test_trips_per_day_are_those_of_the_feed_alone(api: AppClient, sample_region: Path) -> None:
    told = document(api, "/coverage", first="2027-01-01", days=366)
    for config in read_manifest(sample_region).used:
        alone = trips_per_day(read_feed(config, check=False))
        days = [dt.date(2027, 1, 1) + dt.timedelta(days=n) for n in range(366)]
        found = next(feed for feed in told["feeds"] if feed["id"] == config.id)
        assert found["trips"] == [alone.on(day) for day in days]


def test_what_waits_for_a_decision_is_unsure_undecided_and_not_rejected(
    api: AppClient, sample_edition: Path
) -> None:
    told = document(api, "/status")["to_review"]
    edition = open_edition(sample_edition)
    for kind in ("station", "train"):
        asked = {
            row[:2]
            for row in edition.table(f"{kind}_matches").rows()
            if row[-3] != "rejected" and row[-2] < CERTAIN and "decided" not in json.loads(row[-1])
        }
        found = document(api, f"/matches/{kind}s", state="review", limit=200)
        sides = {(m["left"]["reference"], m["right"]["reference"]) for m in found["matches"]}
        assert sides == asked
        assert told[f"{kind}s"] == found["to_review"] == len(asked)


@pytest.mark.parametrize("kind", ["station", "train"])
def test_pages_of_a_list_hold_every_pair_once(
    api: AppClient, sample_edition: Path, kind: str
) -> None:
    found: list[tuple[str, str, str]] = []
    while True:
        page = document(api, f"/matches/{kind}s", limit=200, offset=len(found))
        if not page["matches"]:
            break
        found += [
            (m["left"]["reference"], m["right"]["reference"], m["kind"]) for m in page["matches"]
        ]
    table = open_edition(sample_edition).table(f"{kind}_matches")
    assert len(found) == page["total"] == table.height
    assert len(set(found)) == len(found)
    assert sum(pair["joined"] + pair["apart"] for pair in page["pairs"]) == table.height


def test_filters_keep_what_they_name(api: AppClient) -> None:
    pair = {"feed": "fr-regio", "other": "de-regio"}
    found = document(api, "/matches/trains", state="joined", kind="equal", limit=200, **pair)
    assert found["matches"]
    for match in found["matches"]:
        feeds = {match[side]["reference"].partition(":")[0] for side in ("left", "right")}
        assert (feeds, match["kind"], match["joined"]) == (set(pair.values()), "equal", True)
    number = found["matches"][0]["left"]["number"]
    asked = document(api, "/matches/trains", text=number)["matches"]
    assert asked
    assert all(number in json.dumps(match) for match in asked)
    assert document(api, "/matches/stations", text="no such name")["total"] == 0


def test_every_call_of_a_train_has_one_owner_and_the_rest_are_aliases(api: AppClient) -> None:
    for kind in ("equal", "contained", "overlap", "hand_over"):
        trip, other = first_pair(api, kind=kind)
        train = document(api, "/trains", trip=trip, other=other)
        owned = [
            position
            for section in train["sections"]
            if not section["alias"]
            for position in range(section["from_position"], section["to_position"])
        ]
        assert sorted(owned) == list(range(len(train["calls"]) - 1))
        feeds = {section["feed"] for section in train["sections"]}
        assert feeds >= {trip.partition(":")[0], other.partition(":")[0]}
        assert train["match"]["joined"]
        for side in (train["trip"], train["other"]):
            stations = [call["station_id"] for call in side["calls"]]
            whole = [call["station_id"] for call in train["calls"]]
            assert stations == [s for s in whole if s in stations]


def test_a_station_lists_the_stops_that_form_it_and_what_was_judged(api: AppClient) -> None:
    match = document(api, "/matches/stations", state="joined")["matches"][0]
    station = document(api, f"/stations/{match['left']['station_id']}")
    members = {member["reference"] for member in station["members"]}
    assert {match["left"]["reference"], match["right"]["reference"]} <= members
    assert match in station["matches"]
    assert all(member["distance_m"] < 2_000 for member in station["members"])


def test_unknown_and_malformed_questions_are_refused_in_one_line(api: AppClient) -> None:
    for address, query, status in (
        ("/stations/nowhere", {}, 404),
        ("/trains", {"trip": "ch-rail:none"}, 404),
        ("/trains", {}, 400),
        ("/coverage", {"first": "tomorrow"}, 400),
        ("/coverage", {"days": 9_999}, 400),
        ("/coverage", {"first": "9999-12-31"}, 400),
        ("/notices", {"severity": "bad"}, 400),
        ("/matches/trains", {"limit": 0}, 400),
        ("/matches/stations", {"offset": -1}, 400),
        ("/matches/stations", {"no_such_filter": "1"}, 400),
    ):
        response = api.get(BASE + address, params=query)
        assert response.status_code == status, address
        assert response.headers["content-type"] == "application/problem+json"
        assert "\n" not in response.json()["detail"]


@pytest.fixture(scope="module")
def guarded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the border region with a feed for answers only, a home with versions, a failure."""
    folder = tmp_path_factory.mktemp("guarded")
    region = write_border_region(folder)
    text = (region / "region.toml").read_text("utf-8")
    east = 'id = "east"\n'
    assert east in text
    text = text.replace(east, f'{east}tier = "planning"\n') + (
        '[[border_checks]]\nplace = "west:w5"\nfrom_country = "GB"\nto_country = "FR"\n'
        'minutes = 25\nuntil = 2027-06-30\ndocuments = { en = "A passport." }\n'
    )
    (region / "region.toml").write_text(text, "utf-8")
    manifest = read_manifest(region)
    build_edition(manifest, folder / "edition")
    _fill_store(folder / "home", manifest)
    return folder


@pytest.fixture(scope="module")
def guarded(guarded_folder: Path) -> Iterator[AppClient]:
    """Serve that region with its home."""
    app = create_app(
        guarded_folder / "edition",
        Settings(home=guarded_folder / "home"),
        lambda: NOW,
        limits=Limits(threads=2),
    )
    with AppClient(app) as client:
        yield client


def _fill_store(home: Path, manifest: Any) -> None:
    config = next(feed for feed in manifest.used if feed.id == "west")
    store = FeedStore(home, manifest.id, config.id)
    version = FeedVersion(
        summarise(read_feed(config)), "0" * 64, 9, dt.datetime(2027, 1, 2, tzinfo=dt.UTC), SECRET
    )
    incoming = store.incoming_path()
    incoming.write_bytes(b"zip")
    store.keep(incoming, version)
    at = dt.datetime(2027, 1, 3, tzinfo=dt.UTC)
    store.record(Activation("activate", version.id, at, "a.person@office"))
    failed = dt.datetime(2027, 5, 1, tzinfo=dt.UTC)
    store.write_fetch_state(FetchState(url=SECRET, failing_since=failed, error=f"{SECRET}: 404"))


def test_versions_and_alarms_of_the_home_are_told_without_what_is_confidential(
    guarded: AppClient,
) -> None:
    status = document(guarded, "/status", language="fr")
    west = next(feed for feed in status["feeds"] if feed["id"] == "west")
    assert [version["here"] for version in west["versions"]] == [True]
    assert [line["action"] for line in west["history"]] == ["activate"]
    alarm = next(alarm for alarm in status["alarms"] if alarm["code"] == "fetch_failing")
    assert alarm["severity"] == "error"
    assert "01/05/2027" in alarm["message"]
    assert alarm["advice"]
    for address in ("/status", "/notices", "/matches/stations"):
        told = json.dumps(document(guarded, address))
        assert "s3cret" not in told
        assert "a.person" not in told


def test_statements_of_the_manifest_name_the_station(guarded: AppClient) -> None:
    check = document(guarded, "/status")["border_checks"][0]
    assert (check["place_name"], check["minutes"], check["until"]) == ("Harbour", 25, "2027-06-30")


def test_rows_of_a_feed_that_is_not_public_are_counted_and_not_shown(guarded: AppClient) -> None:
    for kind in ("station", "train"):
        found = document(guarded, f"/matches/{kind}s")
        assert found["matches"] == []
        assert found["hidden"] == sum(pair["joined"] + pair["apart"] for pair in found["pairs"])
        assert found["hidden"] > 0
    east = next(f for f in document(guarded, "/status")["feeds"] if f["id"] == "east")
    assert (east["tier"], east["counts"]["read"] > 0) == ("planning", True)
    assert guarded.get(f"{BASE}/trains", params={"trip": "east:E77"}).status_code == 404
    west = document(guarded, "/trains", trip="west:W77")
    assert {section["feed"] for section in west["sections"]} == {"west"}
    for place in guarded.get("/api/v1/places?text=Harbour").json()["places"]:
        station = document(guarded, f"/stations/{place['id']}")
        assert {member["feed"] for member in station["members"]} <= {"west"}


def test_a_feed_of_which_only_totals_appear_has_its_name_and_counts(tmp_path: Path) -> None:
    region = write_border_region(tmp_path)
    manifest = region / "region.toml"
    manifest.write_text(
        manifest.read_text("utf-8").replace('id = "east"\n', 'id = "east"\ntier = "totals"\n')
    )
    build_edition(read_manifest(region), tmp_path / "edition")
    with AppClient(create_app(tmp_path / "edition", clock=lambda: NOW)) as client:
        east = document(client, "/status")["feeds"][0]
        days = document(client, "/coverage", days=3)["feeds"][0]
        assert (east["id"], east["tier"], east["counts"]["read"] > 0) == ("east", "totals", True)
        assert (days["id"], days["known"]) == ("east", False)
        assert "only totals are known" in client.get("/region?lang=en").text
        for kind in ("stations", "trains"):
            assert "east:" not in json.dumps(document(client, f"/matches/{kind}"))


def test_an_edition_that_is_shorter_than_its_feeds_blames_no_operator(tmp_path: Path) -> None:
    manifest = read_manifest(write_border_region(tmp_path))
    first, last = dt.date(2027, 5, 1), dt.date(2027, 5, 10)
    build_edition(manifest, tmp_path / "edition", first=first, last=last)
    for moment, severity in ((NOW, "warning"), (NOW + dt.timedelta(days=30), "error")):
        with AppClient(create_app(tmp_path / "edition", clock=lambda at=moment: at)) as client:
            alarms = document(client, "/status", language="en")["alarms"]
        assert [(alarm["code"], alarm["severity"]) for alarm in alarms] == [
            ("horizon_ends", severity)
        ]
        assert "2027-05-10" in alarms[0]["message"]


@pytest.mark.parametrize(
    ("moment", "code"),
    [("2027-12-25", "ends_soon"), ("2028-02-01", "ended"), ("2026-11-01", "future")],
)
def test_alarms_follow_the_clock(guarded_folder: Path, moment: str, code: str) -> None:
    now = dt.datetime.fromisoformat(f"{moment}T12:00:00+00:00")
    with AppClient(create_app(guarded_folder / "edition", clock=lambda: now)) as client:
        alarms = document(client, "/status", language="en")["alarms"]
    assert {alarm["feed"] for alarm in alarms if alarm["code"] == code} == {"west", "east"}
    assert all(alarm["message"] and alarm["advice"] for alarm in alarms)
