"""Departures and whole runs over the API, on the sample region."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ..web.client import AppClient

MORNING = "2027-05-04T07:00"


def fits(api: AppClient, document: Any, schema: str) -> None:
    """Check a document against the published schema."""
    components = api.get("/api/v1/openapi.json").json()["components"]
    rule = {"$ref": f"#/components/schemas/{schema}", "components": components}
    Draft202012Validator(rule).validate(document)


def board(api: AppClient, place: str, **words: Any) -> dict[str, Any]:
    answer = api.get("/api/v1/departures", params={"place": place, "time": MORNING, **words})
    assert answer.status_code == 200, answer.text
    document = answer.json()
    fits(api, document, "BoardDocument")
    return document


@pytest.mark.parametrize("kind", ["departures", "arrivals"])
def test_a_board_is_in_order_of_time_and_fits_its_schema(api: AppClient, kind: str) -> None:
    document = board(api, "Basel SBB", kind=kind)
    name = kind.removesuffix("s")
    times = [entry[name] for entry in document["entries"]]
    assert times == sorted(times)
    assert len(times) > 10
    assert all(document["time"] <= time < document["until"] for time in times)
    stations = {entry["place"]["station_id"] for entry in document["entries"]}
    assert stations == {document["place"]["station_id"]}


def test_a_joined_train_stands_there_once_with_both_operators(api: AppClient) -> None:
    entries = board(api, "Basel SBB", limit=200)["entries"]
    joined = [entry for entry in entries if len(entry["sections"]) > 1]
    assert joined
    for entry in joined:
        assert len({operator["feed"] for operator in entry["operators"]}) > 1
    keys = [(e["place"]["id"], e["departure"], e["line"], e["to"]["id"]) for e in entries]
    assert len(set(keys)) == len(keys)


def test_asking_on_from_next_gives_the_rest(api: AppClient) -> None:
    whole = board(api, "Liestal", window="3h", limit=200)
    assert whole["next"] is None
    found, time = [], MORNING
    while time is not None:
        page = board(api, "Liestal", window="3h", limit=5, time=time)
        found += [entry for entry in page["entries"] if entry["departure"] < whole["until"]]
        time = page["next"] if page["next"] and page["next"] < whole["until"] else None
    assert found == whole["entries"]


def test_the_trip_of_a_departure_is_the_whole_run(api: AppClient) -> None:
    entry = next(e for e in board(api, "Basel SBB")["entries"] if len(e["sections"]) > 1)
    legs = []
    for section in entry["sections"]:
        words = {"trip": f"{section['feed']}:{section['trip_id']}", "date": section["service_date"]}
        answer = api.get("/api/v1/trip", params=words)
        fits(api, answer.json(), "TripRunsDocument")
        (run,) = answer.json()["runs"]
        legs.append(run["run"])
    assert all(leg == legs[0] for leg in legs)  # by either feed's name it is the same train
    assert legs[0]["sections"] == entry["sections"]
    assert legs[0]["from"] == entry["from"]
    assert legs[0]["to"] == entry["to"]
    assert entry["place"]["id"] in [call["id"] for call in legs[0]["stops"]]


def test_a_journeys_leg_lies_on_the_whole_run(api: AppClient) -> None:
    words = {"from": "Liestal", "to": "Basel SBB", "depart": MORNING, "window": "1h"}
    journeys = api.get("/api/v1/journeys", params=words).json()["journeys"]
    leg = next(leg for leg in journeys[0]["legs"] if leg["mode"] == "transit")
    section = leg["sections"][0]
    words = {"trip": f"{section['feed']}:{section['trip_id']}", "date": section["service_date"]}
    run = api.get("/api/v1/trip", params=words).json()["runs"][0]["run"]
    stops = run["stops"]
    at = next(k for k, call in enumerate(stops) if call == leg["stops"][0])
    assert stops[at : at + len(leg["stops"])] == leg["stops"]


@pytest.mark.parametrize(
    ("address", "status", "problem"),
    [
        ("departures?place=nowhere-at-all", 404, "unknown-place"),
        ("departures?place=47.5,7.6", 400, "usage"),
        ("departures?place=Liestal&window=25h", 400, "usage"),
        ("departures?place=Liestal&limit=0", 400, "usage"),
        ("departures?place=Liestal&time=2031-01-01T00:00", 422, "date-outside"),
        ("departures?place=Liestal&time=soon", 422, "time"),
        ("departures?place=Liestal&kind=both", 400, "usage"),
        ("trip?trip=ch-rail:none&date=2027-05-04", 404, "unknown-trip"),
        ("trip?trip=ch-rail:none&date=2027-13-04", 400, "usage"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(
    api: AppClient, address: str, status: int, problem: str
) -> None:
    answer = api.get(f"/api/v1/{address}")
    assert answer.status_code == status
    assert answer.json()["type"] == f"urn:mobility:problem:{problem}"


def test_a_known_board_is_not_sent_again(api: AppClient) -> None:
    address = f"/api/v1/departures?place=Liestal&time={MORNING}"
    tag = api.get(address).headers["etag"]
    assert api.get(address, headers={"If-None-Match": tag}).status_code == 304
