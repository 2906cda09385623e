"""Whatever is asked, nothing breaks: calls made from the API's own description, good and bad.

Schemathesis makes them; places and times of the region are put into some, so that more than the
door is tried.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from mobility.api import Limits, create_app

from ..conftest import ROOT
from ..web.client import AppClient
from .conftest import NOW

pytestmark = pytest.mark.slow
CALLS = 60  # of each operation
ANSWER_S = 8.0
PLACES = (
    "Basel SBB", "Liestal", "Mulhouse Ville", "47.55,7.6", "0,0", "90,180", "-90,-180",
    "ch-rail-8500010", "ch-rail:8500010", "\x00", "feed:stop", ":", ",", "٣,٤", "a" * 200,
)  # fmt: skip
TIMES = (
    "2027-05-04T07:00", "2027-05-04T07:00+02:00", "2027-03-28T02:30", "2027-10-31T02:30",
    "0001-01-01T00:00", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00-14:00", "2027-05-04",
    "20270504T0700", "2027-W18-2", "24:00", "NaN",
)  # fmt: skip
SPANS = ("1s", "2h", "24h", "1d", "0h", "-1h", "1e9h", "99999999999h", "2 h", "h")
TRIPS = ("ch-rail:s3-17305", "ch-rail:s6-17610", "de-regio:s6-17610", "x", "ch-rail:")
DATES = ("2027-05-04", "0001-01-01", "9999-12-31", "2027-02-30")
KNOWN = {
    "place": PLACES, "from": PLACES, "to": PLACES, "place_id": PLACES, "text": PLACES,
    "station_id": PLACES, "origins": PLACES, "destinations": PLACES, "depart": TIMES,
    "arrive": TIMES, "time": TIMES, "window": SPANS, "horizon": SPANS, "step": SPANS,
    "trip": TRIPS, "date": DATES, "first": DATES,
}  # fmt: skip


@pytest.fixture(scope="module")
def client(sample_edition: Path) -> Iterator[AppClient]:
    limits = Limits(answer_s=ANSWER_S)
    with AppClient(create_app(sample_edition, clock=lambda: NOW, limits=limits)) as opened:
        opened.wait_ready()
        yield opened


def _sprinkled(members: dict[str, Any], data: st.DataObject) -> None:
    """Put what the region knows, or nearly knows, in the place of some members."""
    for name in [name for name in members if name in KNOWN]:
        if not data.draw(st.integers(0, 3)):
            continue
        good, any_ = st.sampled_from(KNOWN[name][:3]), st.sampled_from(KNOWN[name])
        many = name in ("origins", "destinations")
        one = st.one_of(good, good, any_)
        members[name] = data.draw(st.lists(good, min_size=1, max_size=4) if many else one)


def _operations() -> dict[str, Any]:
    """The operations of the description in the repository, which another test keeps current."""
    schema = schemathesis.openapi.from_path(ROOT / "web" / "openapi.json")
    schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    return {found.ok().label: found.ok() for found in schema.get_all_operations()}


OPERATIONS = _operations()


def _checked(client: AppClient, case: Any) -> int:
    request = case.as_transport_kwargs(base_url="http://test")
    began = time.perf_counter()
    answer = client.request(
        request.pop("method"), request.pop("url"),
        **{name: request[name] for name in ("params", "headers", "json", "data", "content")
           if request.get(name) is not None},
    )  # fmt: skip
    took = time.perf_counter() - began
    told = f"{case.operation.label}: {answer.status_code} {answer.text[:300]}"
    patience = "request-timeout" in {name.lower() for name in case.headers or {}}
    assert answer.status_code < 500 or (patience and answer.status_code == 504), told
    assert took < ANSWER_S + 2, told
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", told
        assert answer.json()["status"] == answer.status_code
    return int(answer.status_code)


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_call_breaks_the_server_or_keeps_it_for_long(client: AppClient, label: str) -> None:
    seen: set[int] = set()

    @settings(
        max_examples=CALLS, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=OPERATIONS[label].as_strategy(), data=st.data())
    def calls(case: Any, data: st.DataObject) -> None:
        for members in (case.query, case.path_parameters, case.body):
            if isinstance(members, dict):
                _sprinkled(members, data)
        for name, value in (case.path_parameters or {}).items():
            case.path_parameters[name] = quote(value, safe="")
        seen.add(_checked(client, case))

    calls()
    assert client.get("/readyz").status_code == 200
    assert len(seen) > 1 or seen == {200}, "only the door was tried"


@pytest.mark.parametrize(
    "page", ["/", "/search", "/departures", "/trip", "/region", "/region/trains"]
)
def test_no_address_of_a_page_breaks_it(client: AppClient, page: str) -> None:
    known = {**KNOWN, "time": (*TIMES, "07:00", "25:99"), "kind": ("arrivals", "x")}
    words = {name: st.one_of(st.sampled_from(values), st.text(max_size=20))
             for name, values in known.items()}  # fmt: skip

    @settings(max_examples=CALLS, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(query=st.fixed_dictionaries({}, optional={**words, "lang": st.text(max_size=3)}))
    def calls(query: dict[str, str]) -> None:
        asked = urlencode(query, errors="surrogatepass")
        answer = client.get(f"{page}?{asked}")
        assert answer.status_code < 500, (query, answer.text[:300])

    calls()
