"""The published description: current, complete, and what the client's types were made from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ..web.client import AppClient


def test_the_description_in_the_repository_is_current(api: AppClient, project_root: Path) -> None:
    published = api.get("/api/v1/openapi.json").json()
    kept = json.loads((project_root / "web" / "openapi.json").read_text("utf-8"))
    assert published == kept, "run: python web/openapi.py && npm --prefix web run api:types"


def test_every_failure_is_described_as_a_problem(api: AppClient) -> None:
    document = api.get("/api/v1/openapi.json").json()
    operations = [o for methods in document["paths"].values() for o in methods.values()]
    assert operations
    for operation in operations:
        assert "application/problem+json" in operation["responses"]["default"]["content"]
        assert "422" not in operation["responses"]


@pytest.mark.parametrize(
    ("address", "schema"),
    [
        ("/api/v1/journeys?from=Liestal&to=Mulhouse%20Ville&window=3h", "JourneysDocument"),
        ("/api/v1/region", "RegionDocument"),
        ("/api/v1/nothing", "ProblemDocument"),
    ],
)
def test_answers_fit_the_published_schemas(api: AppClient, address: str, schema: str) -> None:
    document = api.get("/api/v1/openapi.json").json()
    rule = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    Draft202012Validator(rule).validate(api.get(address).json())
