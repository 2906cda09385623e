"""Bad questions: problem documents with stable types, limits, headers; never a traceback."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from pathlib import Path
from typing import Any

import pytest

from mobility.api import Limits, create_app, models
from mobility.api.limits import Workbench
from mobility.api.problems import BusyError, TimeLimitError
from mobility.core.errors import InputError

from ..web.client import AppClient

PREFIX = "urn:mobility:problem:"
JOURNEYS = "/api/v1/journeys?from=Liestal&to=L%C3%B6rrach%20Hbf"


def problem(api: AppClient, address: str, status: int, kind: str) -> dict[str, Any]:
    response = api.get(address)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    models.ProblemDocument.model_validate(document)
    assert document["type"] == PREFIX + kind
    assert document["status"] == status
    assert document["trace_id"] == response.headers["trace-id"]
    assert "\n" not in document["detail"]
    return document


@pytest.mark.parametrize(
    ("address", "status", "kind"),
    [
        ("/api/v1/journeys?from=Nowhereville&to=Liestal", 404, "unknown-place"),
        (f"{JOURNEYS}&depart=2027-03-28T02:30", 422, "time"),
        (f"{JOURNEYS}&depart=2027-10-31T02:30", 422, "time"),
        (f"{JOURNEYS}&depart=soon", 422, "time"),
        (f"{JOURNEYS}&depart=2031-01-01T08:00", 422, "date-outside"),
        (f"{JOURNEYS}&depart=2027-05-04T08:00&arrive=2027-05-04T09:00", 400, "usage"),
        (f"{JOURNEYS}&depart=2027-05-04T08:00&window=25h", 400, "usage"),
        (f"{JOURNEYS}&page=none", 400, "usage"),
        (f"{JOURNEYS}&modes=zeppelin", 400, "usage"),
        (f"{JOURNEYS}&operators=nobody", 400, "usage"),
        (f"{JOURNEYS}&via=Atlantis", 404, "unknown-place"),
        (f"{JOURNEYS}&via=47.5,7.6", 400, "usage"),
        (f"{JOURNEYS}&via=Muttenz&via=Muttenz", 400, "usage"),
        (f"{JOURNEYS}&stay=30m", 400, "usage"),
        (f"{JOURNEYS}&via=Muttenz&stay=long", 422, "time"),
        (f"{JOURNEYS}&walk_speed_m_s=nan", 400, "usage"),
        (f"{JOURNEYS}&min_change=5h", 400, "usage"),
        (f"{JOURNEYS}&window=never", 400, "usage"),
        (f"{JOURNEYS}&max_transfers=99", 400, "usage"),
        (f"{JOURNEYS}&currency=euro", 400, "usage"),
        (f"{JOURNEYS}&surprise=1", 400, "usage"),
        ("/api/v1/journeys?from=Liestal", 400, "usage"),
        ("/api/v1/places?text=", 400, "usage"),
        ("/api/v1/places/nowhere", 404, "unknown-place"),
        ("/api/v1/places/47.5,7.6", 404, "unknown-place"),
        ("/api/v1/nothing", 404, "not-found"),
    ],
)
def test_bad_questions_have_stable_problem_types(
    api: AppClient, address: str, status: int, kind: str
) -> None:
    problem(api, address, status, kind)


def test_a_time_that_exists_twice_is_refused_with_both_readings(api: AppClient) -> None:
    detail = problem(api, f"{JOURNEYS}&depart=2027-10-31T02:30", 422, "time")["detail"]
    assert "2027-10-31T02:30:00+02:00" in detail
    assert "2027-10-31T02:30:00+01:00" in detail


def test_the_field_at_fault_is_named(api: AppClient) -> None:
    document = problem(api, f"{JOURNEYS}&max_transfers=many", 400, "usage")
    assert [error["field"] for error in document["errors"]] == ["max_transfers"]


def test_another_method_is_refused(api: AppClient) -> None:
    response = api.post("/api/v1/journeys")
    assert (response.status_code, response.json()["type"]) == (405, PREFIX + "usage")
    assert response.headers["allow"] == "GET"


def test_rides_that_no_journey_has_are_not_found(api: AppClient) -> None:
    ride = {"feed": "ch-rail", "trip_id": "none", "service_date": "2027-05-04"}
    asked = {
        "from": "Liestal",
        "to": "Lörrach Hbf",
        "depart": "2027-05-04T08:00",
        "rides": [{**ride, "from_sequence": 1, "to_sequence": 2}],
    }
    response = api.post("/api/v1/fares", json=asked)
    assert (response.status_code, response.json()["type"]) == (404, PREFIX + "unknown-journey")


def test_a_body_above_the_limit_is_refused_stated_or_not(api: AppClient) -> None:
    async def pieces() -> Any:
        for _ in range(100):
            yield b" " * 1000

    stated = api.post("/api/v1/fares", content=b" " * 20_001)
    streamed = api.post("/api/v1/fares", content=pieces())
    for response in (stated, streamed):
        assert (response.status_code, response.json()["type"]) == (413, PREFIX + "too-large")


def test_a_body_that_is_no_json_is_refused(api: AppClient) -> None:
    response = api.post("/api/v1/fares", content=b"{", headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["type"]) == (400, PREFIX + "usage")


def test_an_address_above_the_limit_is_refused(api: AppClient) -> None:
    response = api.get("/api/v1/places", params={"text": "x" * 5000})
    assert (response.status_code, response.json()["type"]) == (413, PREFIX + "too-large")


@pytest.mark.parametrize(
    "address", ["/", "/api/v1/region", "/api/v1/nothing", "/assets/style.css", "/search?from=x"]
)
def test_every_answer_has_the_security_headers(api: AppClient, address: str) -> None:
    headers = api.get(address).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_our_own_fault_tells_a_trace_id_and_nothing_else(
    sample_edition: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken_clock() -> dt.datetime:
        raise RuntimeError("secret")

    app = create_app(sample_edition, clock=broken_clock)
    with AppClient(app) as client:
        response = client.get(JOURNEYS)
    assert response.status_code == 500
    document = response.json()
    assert document["type"] == PREFIX + "internal"
    assert "secret" not in response.text
    assert document["trace_id"] in caplog.text
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_folder_without_edition_is_refused_before_serving(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no edition here"):
        create_app(tmp_path)


def test_more_calls_than_places_are_refused_and_the_others_answered() -> None:
    gate = threading.Event()
    bench = Workbench(Limits(threads=1, waiting=1))

    async def three() -> list[Any]:
        calls = [asyncio.create_task(bench.run(gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = asyncio.run(three())
    bench.close()
    assert answers[:2] == [True, True]
    assert isinstance(answers[2], BusyError)


def test_a_call_past_the_time_limit_is_told_so_and_keeps_its_place_until_it_ends() -> None:
    gate = threading.Event()
    bench = Workbench(Limits(threads=1, waiting=0, answer_s=0.01))

    async def late() -> None:
        with pytest.raises(TimeLimitError):
            await bench.run(gate.wait)
        with pytest.raises(BusyError):
            await bench.run(gate.wait)
        gate.set()

    asyncio.run(late())
    bench.close()


def test_calls_at_the_same_time_get_the_answers_of_calls_one_by_one(api: AppClient) -> None:
    addresses = [f"{JOURNEYS}&depart=2027-05-04T{hour:02d}:00&window=1h" for hour in range(6, 18)]
    alone = [api.get(address).content for address in addresses]
    together = api.requests([("GET", address, {}) for address in addresses])
    assert [response.content for response in together] == alone
