"""One-to-all, isochrones and matrices over the API, on the sample region."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from mobility.api.isochrones import area
from mobility.core.stop import Stop
from mobility.core.units import WALK_SPEED_M_S, distance_m
from mobility.planner.endpoint import DETOUR

from ..web.client import AppClient
from .test_timetable import MORNING, fits


def reach(api: AppClient, **words: Any) -> dict[str, Any]:
    words = {"place": "Basel SBB", "depart": MORNING, **words}
    answer = api.get("/api/v1/one-to-all", params={k: v for k, v in words.items() if v})
    assert answer.status_code == 200, answer.text
    fits(api, answer.json(), "OneToAllDocument")
    return answer.json()


def test_travel_times_are_those_of_the_best_journeys(api: AppClient) -> None:
    document = reach(api, horizon="6h")
    assert document["reached"] == len(document["stations"])
    chosen = document["stations"][5::40]
    assert len(chosen) > 3
    depart = dt.datetime.fromisoformat(document["depart"])
    for station in chosen:
        words = {"from": "Basel SBB", "to": station["station_id"], "depart": MORNING}
        journeys = api.get("/api/v1/journeys", params=words).json()["journeys"]
        first = min(dt.datetime.fromisoformat(journey["arrival"]) for journey in journeys)
        assert (first - depart).total_seconds() == station["travel_s"], station


def test_the_nearest_come_first_and_a_limit_keeps_them(api: AppClient) -> None:
    whole = reach(api)
    seconds = [station["travel_s"] for station in whole["stations"]]
    assert seconds == sorted(seconds)
    assert seconds[0] == 0
    few = reach(api, limit=7)
    assert few["stations"] == whole["stations"][:7]
    assert few["reached"] == whole["reached"]


def test_from_where_one_is_there_in_time(api: AppClient) -> None:
    document = reach(api, depart=None, arrive="2027-05-04T09:00", horizon="3h")
    assert document["depart"] is None
    station = document["stations"][30]
    words = {"from": station["station_id"], "to": "Basel SBB", "arrive": "2027-05-04T09:00"}
    journeys = api.get("/api/v1/journeys", params=words).json()["journeys"]
    last = max(dt.datetime.fromisoformat(journey["departure"]) for journey in journeys)
    arrive = dt.datetime.fromisoformat(document["arrive"])
    assert (arrive - last).total_seconds() == station["travel_s"]


def test_isochrones_are_valid_nested_and_wound_as_geojson_asks(api: AppClient) -> None:
    words = {"place": "Basel SBB", "depart": MORNING, "minutes": "15,45,30"}
    answer = api.get("/api/v1/isochrone", params=words)
    assert answer.headers["content-type"] == "application/geo+json"
    document = answer.json()
    fits(api, document, "IsochroneDocument")
    assert [f["properties"]["minutes"] for f in document["features"]] == [45, 30, 15]
    shapes = [shape(feature["geometry"]) for feature in document["features"]]
    for outer, inner in itertools.pairwise(shapes):
        assert inner.difference(outer).area < 1e-6 * inner.area
    for found in shapes:
        assert found.is_valid
        for polygon in found.geoms:
            assert polygon.exterior.is_ccw
            assert all(not hole.is_ccw for hole in polygon.interiors)
    reached = reach(api, horizon="45m")["stations"]
    assert document["features"][0]["properties"]["stations"] == len(reached)
    for station in reached:
        left = 45 * 60 - station["travel_s"]
        if left > 60:
            assert shapely.contains_xy(shapes[0], station["lon"], station["lat"]), station


def test_an_area_is_as_wide_as_the_walk_that_is_left() -> None:
    made = area(np.array([47.5]), np.array([7.6]), np.array([600.0]), 900, Stop())
    (polygon,) = shape(made).geoms
    radius_m = 600 * WALK_SPEED_M_S / DETOUR
    for lon, lat in polygon.exterior.coords:
        assert distance_m(47.5, 7.6, lat, lon) == pytest.approx(radius_m, abs=3)


def test_a_ring_of_places_leaves_a_hole() -> None:
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    lat, lon = 47.5 + 0.02 * np.sin(turn), 7.6 + 0.02 / np.cos(np.radians(47.5)) * np.cos(turn)
    (polygon,) = shape(area(lat, lon, np.full(60, 600.0), 900, Stop())).geoms
    assert len(polygon.interiors) == 1
    assert not polygon.interiors[0].is_ccw
    assert polygon.is_valid


def test_an_area_is_cut_at_the_antimeridian() -> None:
    made = shape(area(np.array([-17.0]), np.array([179.9999]), np.array([900.0]), 900, Stop()))
    assert len(made.geoms) == 2
    west, _, east, _ = made.bounds
    assert (west, east) == (-180.0, 180.0)
    assert made.is_valid


def test_no_place_makes_an_empty_area() -> None:
    none = np.empty(0)
    assert area(none, none, none, 900, Stop()) == {"type": "MultiPolygon", "coordinates": []}


def test_a_matrix_has_the_times_of_one_to_all(api: AppClient) -> None:
    stations = [s for s in reach(api, horizon="4h")["stations"] if s["travel_s"] > 0][10::60]
    ends = [station["station_id"] for station in stations]
    asked = {"origins": ["Basel SBB", "Liestal"], "destinations": ends, "depart": MORNING}
    answer = api.post("/api/v1/matrix", json=asked)
    fits(api, answer.json(), "MatrixDocument")
    (table,) = answer.json()["tables"]
    assert table["percentile"] is None
    assert table["travel_s"][0] == [station["travel_s"] for station in stations]
    assert len(table["travel_s"]) == 2


def test_percentiles_of_a_window_lie_in_order(api: AppClient) -> None:
    asked = {
        "origins": ["Liestal"], "destinations": ["Basel SBB", "Mulhouse Ville"],
        "depart": MORNING, "window": "1h", "step": "2m", "percentiles": [5, 50, 95],
    }  # fmt: skip
    document = api.post("/api/v1/matrix", json=asked).json()
    assert document["departures"] == 30
    low, middle, high = (table["travel_s"][0] for table in document["tables"])
    assert all(a <= b <= c for a, b, c in zip(low, middle, high, strict=True))
    assert low != high


@pytest.mark.parametrize(
    "changed",
    [
        {"origins": []}, {"destinations": ["Liestal"] * 201}, {"horizon": "25h"},
        {"window": "24h", "step": "1m", "origins": ["Liestal"]}, {"step": "5s"},
        {"percentiles": [0]}, {"depart": ""}, {"more": 1},
    ],
)  # fmt: skip
def test_a_matrix_beyond_its_limits_is_refused(api: AppClient, changed: dict[str, Any]) -> None:
    asked = {"origins": ["Liestal"], "destinations": ["Basel SBB"], "depart": MORNING, **changed}
    answer = api.post("/api/v1/matrix", json=asked)
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:mobility:problem:usage"


@pytest.mark.parametrize(
    "words",
    [
        "minutes=0", "minutes=241", "minutes=1,2,3,4,5,6,7,8,9", "minutes=x", "",
        "minutes=5&walk_minutes=31", "minutes=5&depart=2027-05-04T07:00&arrive=2027-05-04T09:00",
    ],
)  # fmt: skip
def test_an_isochrone_beyond_its_limits_is_refused(api: AppClient, words: str) -> None:
    answer = api.get(f"/api/v1/isochrone?place=Liestal&{words}")
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:mobility:problem:usage"


NEEDS = {"not_modes": "bus", "min_change": "8m", "walk_speed_m_s": 0.8, "max_walk_m": 300}


def test_with_needs_travel_times_are_those_of_the_best_journeys_with_them(api: AppClient) -> None:
    usual, document = reach(api, horizon="6h"), reach(api, horizon="6h", **NEEDS)
    assert 3 < document["reached"] < usual["reached"]
    depart = dt.datetime.fromisoformat(document["depart"])
    for station in document["stations"][5::20]:
        words = {"from": "Basel SBB", "to": station["station_id"], "depart": MORNING, **NEEDS}
        journeys = api.get("/api/v1/journeys", params=words).json()["journeys"]
        first = min(dt.datetime.fromisoformat(journey["arrival"]) for journey in journeys)
        assert (first - depart).total_seconds() == station["travel_s"], station


def test_an_answer_with_needs_has_a_name_of_its_own(api: AppClient) -> None:
    words = {"place": "Basel SBB", "depart": MORNING, "horizon": "1h"}
    tags = [
        api.get("/api/v1/one-to-all", params={**words, **needs}).headers["etag"]
        for needs in ({}, {"wheelchair": True}, {"walk_speed_m_s": 0.8})
    ]
    assert len(set(tags)) == 3


def test_what_nobody_says_is_told_beside_every_kind_of_answer(api: AppClient) -> None:
    words = {"place": "Basel SBB", "depart": MORNING, "wheelchair": True}
    asked = {
        "origins": ["Liestal"],
        "destinations": ["Basel SBB"],
        "depart": MORNING,
        "wheelchair": True,
    }
    documents = (
        reach(api, **words),
        api.get("/api/v1/isochrone", params={**words, "minutes": 30}).json(),
        api.post("/api/v1/matrix", json=asked).json(),
    )
    for document in documents:
        assert {notice["code"] for notice in document["notices"]} == {"unknown_left_out"}


def test_areas_are_as_wide_as_the_rider_walks(api: AppClient) -> None:
    words = {"place": "Basel SBB", "depart": MORNING, "minutes": 10}
    areas = [
        shape(
            api.get("/api/v1/isochrone", params={**words, **needs}).json()["features"][0][
                "geometry"
            ]
        ).area
        for needs in ({}, {"walk_speed_m_s": 0.6}, {"max_walk_m": 100})
    ]
    assert areas == sorted(areas, reverse=True)
    assert areas[1] < 0.6 * areas[0]


def test_places_to_pass_are_refused(api: AppClient) -> None:
    answer = api.get("/api/v1/one-to-all?place=Liestal&via=Basel+SBB")
    assert answer.status_code == 400
    assert "via" in answer.json()["detail"]
