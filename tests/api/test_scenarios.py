"""Scenario comparison over HTTP: times and connections change, revenue is never told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mobility.api import models

from ..web.client import AppClient

QUESTION = {
    "from": "Basel SBB",
    "to": "Liestal",
    "depart": "2027-05-04T07:00",
    "window": "1h",
    "weight": 3,
}
SHIFT = """
format = 1
name = "one line two minutes later"
[[edit]]
kind = "shift_line"
line = "ch-rail:s3"
shift_min = 2
"""


def compare(api: AppClient, scenario: Any, status: int = 200) -> dict[str, Any]:
    asked = {"scenario": scenario, "queries": [QUESTION]}
    response = api.post("/api/v1/scenarios/compare", json=asked)
    assert response.status_code == status, response.text
    document: dict[str, Any] = response.json()
    return document


@pytest.fixture(scope="module")
def shifted(api: AppClient) -> dict[str, Any]:
    return compare(api, SHIFT)


def test_a_shift_is_seen_in_the_journeys(shifted: dict[str, Any]) -> None:
    models.ComparisonDocument.model_validate(shifted)
    assert shifted["summary"]["changed"] == 1
    (question,) = shifted["questions"]
    assert question["lost"] and question["new"]
    assert question["weight"] == 3


def test_no_revenue_is_told(shifted: dict[str, Any]) -> None:
    text = json.dumps(shifted)
    for word in ("revenue", "fare", "amount_minor", "share"):
        assert word not in text


def test_a_document_and_its_toml_are_the_same_scenario(
    api: AppClient, shifted: dict[str, Any]
) -> None:
    edit = {"kind": "shift_line", "line": "ch-rail:s3", "shift_min": 2}
    scenario = {"format": 1, "name": "one line two minutes later", "edit": [edit]}
    assert compare(api, scenario) == shifted


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ("format = ", "manifest"),
        ({"format": 7, "edit": []}, "format-version"),
        ({"format": 1, "edit": []}, "manifest"),
        (SHIFT.replace("ch-rail:s3", "ch-rail:none"), "manifest"),
        (SHIFT + 'surprise = "key"', "manifest"),
    ],
)
def test_a_bad_scenario_is_a_problem(api: AppClient, scenario: Any, kind: str) -> None:
    document = compare(api, scenario, 422)
    assert document["type"] == f"urn:mobility:problem:{kind}"
