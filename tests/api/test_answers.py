"""Answers: the documents of the design, versions, ETags, and the same as the command line's."""

from __future__ import annotations

import datetime as dt
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mobility.api import models
from mobility.cli.app import make_app
from mobility.network import open_edition

from ..web.client import AppClient

END = ("from", "to")
TO_LIESTAL = {
    "from": "Lörrach Hbf",
    "to": "Liestal",
    "depart": "2027-05-04T07:00",
    "window": "2h",
    "language": "en",
}
TO_MULHOUSE = {**TO_LIESTAL, "to": "Mulhouse Ville"}


instant = dt.datetime.fromisoformat


def document(api: AppClient, address: str, **query: Any) -> dict[str, Any]:
    response = api.get(address, params=query or None)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def test_journeys_have_the_documents_of_the_design(api: AppClient) -> None:
    answer = document(api, "/api/v1/journeys", **TO_LIESTAL)
    models.JourneysDocument.model_validate(answer)
    assert answer["journeys"]
    assert answer["from"]["name"] == "Lörrach Hauptbahnhof"
    assert answer["window_s"] == 7200


def test_pages_join_to_a_longer_window_forwards_and_backwards(api: AppClient) -> None:
    whole = document(api, "/api/v1/journeys", **{**TO_MULHOUSE, "window": "6h"})["journeys"]
    pages = [document(api, "/api/v1/journeys", **TO_MULHOUSE)]
    for _ in range(2):
        pages.append(document(api, "/api/v1/journeys", **TO_MULHOUSE, page=pages[-1]["next"]))
    assert [j for page in pages for j in page["journeys"]] == whole
    back = document(api, "/api/v1/journeys", **TO_MULHOUSE, page=pages[2]["previous"])
    assert back["journeys"] == pages[1]["journeys"]
    assert back["depart"] == pages[1]["depart"]


def test_arrivals_have_pages_too(api: AppClient) -> None:
    asked = {name: word for name, word in TO_MULHOUSE.items() if name != "depart"}
    asked["arrive"] = "2027-05-04T10:00"
    last = document(api, "/api/v1/journeys", **asked)
    assert last["journeys"]
    assert all("08:00" < j["arrival"][11:16] <= "10:00" for j in last["journeys"])
    earlier = document(api, "/api/v1/journeys", **asked, page=last["previous"])
    assert all("06:00" < j["arrival"][11:16] <= "08:00" for j in earlier["journeys"])
    assert earlier["journeys"]


@pytest.mark.parametrize("moment", ["depart", "arrive"])
def test_an_answer_for_one_departure_has_pages_that_tell_nothing_of_it_again(
    api: AppClient, moment: str
) -> None:
    asked = {"from": TO_MULHOUSE["from"], "to": TO_MULHOUSE["to"], moment: "2027-05-04T10:00"}
    answer = document(api, "/api/v1/journeys", **asked)
    before, after = (
        document(api, "/api/v1/journeys", **asked, page=answer[beside])
        for beside in ("previous", "next")
    )
    told = [
        (journey["departure"], journey["arrival"], journey["transfers"])
        for page in (before, answer, after)
        for journey in page["journeys"]
    ]
    assert len(set(told)) == len(told)
    assert all(page["journeys"] for page in (before, answer, after))


def test_needs_are_asked_of_every_ride(api: AppClient, sample_edition: Path) -> None:
    asked = {**TO_LIESTAL, "from": "Liestal", "to": "Riehen"}
    usual = document(api, "/api/v1/journeys", **asked)["journeys"]
    by_road = document(api, "/api/v1/journeys", **asked, not_modes="rail")["journeys"]
    assert {leg["vehicle"] for j in by_road for leg in j["legs"]} == {"bus", "tram", None}
    takes_bikes = {
        (feed, trip): allowed
        for feed, trip, allowed in open_edition(sample_edition)
        .table("trips")
        .select("feed", "trip_id", "bikes_allowed")
        .iter_rows()
    }
    feeds = sorted({s["feed"] for j in usual for leg in j["legs"] for s in leg["sections"]})
    assert len(feeds) > 1
    numbers = {feed: row for row, feed in enumerate(open_edition(sample_edition).network.feed_id)}
    by_bike = document(api, "/api/v1/journeys", **asked, bike="true")["journeys"]
    assert by_bike
    for journey in by_bike:
        for section in (s for leg in journey["legs"] for s in leg["sections"]):
            assert takes_bikes[numbers[section["feed"]], section["trip_id"]] == 1
    assert len(by_bike) < len(usual)


def test_places_to_pass_are_passed_and_stayed_at(api: AppClient) -> None:
    asked = {**TO_LIESTAL, "from": "Liestal", "to": "Riehen", "via": "Muttenz"}
    passed = document(api, "/api/v1/journeys", **asked)["journeys"]
    assert passed
    for journey in passed:
        assert "Muttenz" in {call["name"] for leg in journey["legs"] for call in leg["stops"]}
    stayed = document(api, "/api/v1/journeys", **asked, stay="20m")["journeys"]
    assert stayed
    for journey in stayed:
        at = [leg for leg in journey["legs"] if leg["mode"] == "transit"]
        pairs = [(a, b) for a, b in pairwise(at) if a["to"]["name"] == "Muttenz"]
        assert pairs
        for before, after in pairs:
            waited = instant(after["departure"]) - instant(before["arrival"])
            assert waited >= dt.timedelta(minutes=20)


def test_what_nobody_says_of_wheelchairs_is_left_out_and_told(api: AppClient) -> None:
    answer = document(api, "/api/v1/journeys", **TO_LIESTAL, wheelchair="true")
    told = [n["message"] for n in answer["notices"] if n["code"] == "unknown_left_out"]
    assert len(told) == 1
    assert "stops are left out because nobody says wheelchair_boarding" in told[0]


def test_journeys_equal_those_of_the_command_line(api: AppClient, sample_edition: Path) -> None:
    words = ["plan", str(sample_edition), "--from", "Lörrach Hbf", "--to", "Liestal", "--depart"]
    words += ["2027-05-04T07:00", "--window", "2h", "--json"]
    ran = CliRunner().invoke(make_app(words), words)
    printed = json.loads(ran.stdout)
    answer = document(api, "/api/v1/journeys", **TO_LIESTAL)
    assert answer["journeys"] == printed["journeys"]
    assert answer["versions"] == printed["versions"]


@pytest.mark.parametrize("query", [TO_LIESTAL, TO_MULHOUSE])
def test_published_shares_add_up_to_the_price(api: AppClient, query: dict[str, str]) -> None:
    tickets = [
        ticket
        for journey in document(api, "/api/v1/journeys", **query)["journeys"]
        for ticket in journey["fare"]["tickets"]
    ]
    split = [ticket for ticket in tickets if ticket["shares"]]
    assert split
    for ticket in split:
        total = sum(share["amount_minor"] for share in ticket["shares"])
        assert total == ticket["price"]["amount_minor"]


def test_there_is_no_through_ticket_to_mulhouse_and_every_ticket_says_where_to_buy_it(
    api: AppClient,
) -> None:
    fares = [j["fare"] for j in document(api, "/api/v1/journeys", **TO_MULHOUSE)["journeys"]]
    two = [fare for fare in fares if fare["status"] == "known"]
    assert two
    for fare in two:
        assert len(fare["tickets"]) >= 2
        assert all(ticket["seller"] and ticket["channel"] for ticket in fare["tickets"])


def test_a_half_fare_card_makes_the_ride_cheaper_and_a_currency_is_obeyed(api: AppClient) -> None:
    def totals(**more: str) -> list[dict[str, Any]]:
        answer = document(api, "/api/v1/journeys", **TO_LIESTAL, currency="CHF", **more)
        found: list[dict[str, Any]] = answer["journeys"][0]["fare"]["totals"]
        return found

    (full,), (half,) = totals(), totals(cards="half-fare")
    assert full["currency"] == half["currency"] == "CHF"
    assert half["amount_minor"] < full["amount_minor"]


def test_lists_are_read_with_commas_and_repeated(api: AppClient) -> None:
    queries = [
        [*TO_LIESTAL.items(), ("passes", "u-abo,rvl-pass")],
        [*TO_LIESTAL.items(), ("passes", "u-abo"), ("passes", "rvl-pass")],
    ]
    comma, repeated = (api.get("/api/v1/journeys", params=query).json() for query in queries)
    assert comma["journeys"] == repeated["journeys"]


def test_without_a_time_the_clock_decides(api: AppClient) -> None:
    answer = document(api, "/api/v1/journeys", **{"from": "Lörrach Hbf", "to": "Liestal"})
    assert answer["depart"] == "2027-05-04T07:00:00+02:00"
    assert answer["journeys"][0]["departure"] >= answer["depart"]


def test_arrive_by_is_told_in_the_zone_of_the_destination(api: AppClient) -> None:
    query = {"from": "Lörrach Hbf", "to": "Liestal", "arrive": "2027-05-04T09:00"}
    answer = document(api, "/api/v1/journeys", **query)
    assert answer["arrive"] == "2027-05-04T09:00:00+02:00"
    assert all(journey["arrival"] <= answer["arrive"] for journey in answer["journeys"])


def test_a_day_that_a_feed_does_not_cover_is_told(api: AppClient) -> None:
    query = {**TO_MULHOUSE, "depart": "2028-08-01T08:00"}
    codes = [(n["code"], n["feed"]) for n in document(api, "/api/v1/journeys", **query)["notices"]]
    assert ("feed_not_covering_date", "fr-regio") in codes


def test_every_answer_names_its_versions(api: AppClient) -> None:
    for address in (
        "/api/v1/journeys?from=Liestal&to=L%C3%B6rrach%20Hbf",
        "/api/v1/places?text=Basel",
        "/api/v1/region",
        "/api/v1/health",
        "/api/v1/map/lines",
        "/api/v1/map/stations",
    ):
        versions = document(api, address)["versions"]
        assert {"region", "edition", "network", "tariff", "agreement"} <= versions.keys()


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/journeys?from=Liestal&to=L%C3%B6rrach%20Hbf&depart=2027-05-04T07:00",
        "/api/v1/places?text=Basel",
        "/api/v1/map/lines",
        "/api/v1/region",
    ],
)
def test_a_known_answer_is_not_sent_again(api: AppClient, address: str) -> None:
    first = api.get(address)
    tag = first.headers["etag"]
    again = api.get(address, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag


def test_the_language_changes_the_etag_and_the_names(api: AppClient) -> None:
    address = "/api/v1/journeys?from=Liestal&to=L%C3%B6rrach%20Hbf&depart=2027-05-04T07:00"
    german, french = (
        api.get(address, headers={"Accept-Language": code}) for code in ("de", "fr-CH")
    )
    assert german.headers["etag"] != french.headers["etag"]
    names = [a.json()["journeys"][0]["fare"]["tickets"][0]["protects"] for a in (german, french)]
    assert names[0] != names[1]


def test_fares_of_one_journey_are_found_by_its_rides(api: AppClient) -> None:
    journey = document(api, "/api/v1/journeys", **TO_LIESTAL)["journeys"][1]
    rides = [section for leg in journey["legs"] for section in leg["sections"]]
    asked = api.post("/api/v1/fares", json={**TO_LIESTAL, "rides": rides})
    assert asked.status_code == 200, asked.text
    models.FaresDocument.model_validate(asked.json())
    (found,) = asked.json()["fares"]
    assert found["fare"] == journey["fare"]
    assert found["sections"] == rides


def test_fares_of_a_question_are_those_of_its_journeys(api: AppClient) -> None:
    journeys = document(api, "/api/v1/journeys", **TO_LIESTAL)["journeys"]
    fares = api.post("/api/v1/fares", json=TO_LIESTAL).json()["fares"]
    assert [fare["fare"] for fare in fares] == [journey["fare"] for journey in journeys]


def test_places_forgive_typing_and_accents(api: AppClient) -> None:
    for text, name in (("lorrach h", "Lörrach Hauptbahnhof"), ("Liesstal", "Liestal")):
        answer = document(api, "/api/v1/places", text=text)
        models.PlacesDocument.model_validate(answer)
        assert name in [place["name"] for place in answer["places"]]


def test_a_station_tells_the_stops_that_form_it(api: AppClient) -> None:
    place = document(api, "/api/v1/places", text="Basel SBB")["places"][0]
    station = document(api, f"/api/v1/places/{place['id']}")
    models.StationDocument.model_validate(station)
    assert station["name"] == place["name"]
    feeds = {stop["id"].split(":")[0] for stop in station["stops"]}
    assert len(feeds) > 1


def test_the_region_tells_validity_choices_and_parties(api: AppClient) -> None:
    region = document(api, "/api/v1/region", language="fr")
    models.RegionDocument.model_validate(region)
    assert region["nearest_is_today"] is True
    assert region["notice"].keys() == {"de", "fr", "en"}
    assert "half-fare" in [card["id"] for card in region["cards"]]
    assert region["currencies"] == ["CHF", "EUR"]
    parties = {party["id"] for party in region["parties"]}
    journeys = document(api, "/api/v1/journeys", **TO_LIESTAL)["journeys"]
    shares = {s["party"] for j in journeys for t in j["fare"]["tickets"] for s in t["shares"]}
    assert shares <= parties


def test_map_layers_hold_every_line_and_station_once(api: AppClient) -> None:
    lines = document(api, "/api/v1/map/lines")
    models.GeoDocument.model_validate(lines)
    assert {f["properties"]["feed"] for f in lines["features"]} >= {"ch-city", "de-regio"}
    assert all(len(f["geometry"]["coordinates"]) > 1 for f in lines["features"])
    stations = document(api, "/api/v1/map/stations")["features"]
    ids = [f["properties"]["station_id"] for f in stations]
    assert len(ids) == len(set(ids)) > 100
    ranks = [f["properties"]["rank"] for f in stations]
    assert ranks == sorted(ranks, reverse=True)


def test_health_tells_ready_and_versions(api: AppClient) -> None:
    assert document(api, "/livez") == {"status": "ok"}
    assert document(api, "/readyz") == {"status": "ok"}
    models.HealthDocument.model_validate(document(api, "/api/v1/health"))


def test_the_page_shows_the_answer_of_the_api(api: AppClient) -> None:
    page = api.get("/search?from=L%C3%B6rrach%20Hbf&to=Liestal&date=2027-05-04&time=07:00&lang=en")
    assert page.status_code == 200
    journey = document(api, "/api/v1/journeys", **TO_LIESTAL)["journeys"][0]
    assert journey["departure"][11:16] in page.text
    total = journey["fare"]["totals"][0]
    assert f"{total['currency']} {total['amount_minor'] / 100:.2f}" in page.text


def test_a_station_has_one_name_whoever_runs_the_train(api: AppClient) -> None:
    answer = document(api, "/api/v1/journeys", **{**TO_LIESTAL, "to": "Mulhouse Ville"})
    ends = [leg[end] for journey in answer["journeys"] for leg in journey["legs"] for end in END]
    assert {place["station_id"] for place in ends} <= answer["stations"].keys()
    french = [place for place in ends if place["name"] == "Bâle"]
    assert {answer["stations"][place["station_id"]] for place in french} == {"Basel SBB"}


def test_a_line_on_demand_is_told_with_its_telephone_number(api: AppClient) -> None:
    ends = {"from": "Kandern, Busbahnhof", "to": "Marzell, Klinik"}
    notices = document(api, "/api/v1/journeys", **{**TO_LIESTAL, **ends})["notices"]
    told = [n["message"] for n in notices if n["code"] == "on_demand_in_reach"]
    assert told
    assert all("phone +49 30 23125 010" in message for message in told)


def test_head_says_what_get_would_without_the_body(api: AppClient) -> None:
    asked, told = (
        api.request(method, "/api/v1/journeys", params=TO_LIESTAL) for method in ("GET", "HEAD")
    )
    assert told.status_code == 200
    assert told.headers["etag"] == asked.headers["etag"]
    assert told.headers["content-length"] == str(len(asked.content))
    assert not told.content
