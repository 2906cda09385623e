"""The region's pages: complete in every language, readable without script, sight or a mouse."""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi import FastAPI

from mobility.api import Limits, create_app
from mobility.core.errors import UnknownPlaceError
from mobility.feeds import RULES, Tier
from mobility.feeds.versions.coverage import AlarmCode
from mobility.feeds.versions.store import Action
from mobility.merge.region import TRAIN_KINDS
from mobility.web import LANGUAGES, install_region_pages, read_catalogue
from mobility.web.evidence import reason_key
from mobility.web.staff import STAFF_AREAS

from .client import AppClient
from .made import REGION
from .test_pages import Reader

NOW = dt.datetime(2027, 5, 4, 5, 0, tzinfo=dt.UTC)
TRAIN = "/region/train/ch-rail:s6-17601?other=de-regio:s6-17601"
PAGES = ("/region", "/region/notices", "/region/stations", "/region/trains", TRAIN)
LEVELS = ("h1", "h2", "h3", "h4")


@pytest.fixture(scope="module")
def site(sample_edition: Path) -> Iterator[AppClient]:
    """Return a client of the sample edition's pages."""
    app = create_app(sample_edition, clock=lambda: NOW, limits=Limits(threads=2))
    with AppClient(app) as client:
        client.wait_ready()
        yield client


def page_of(client: AppClient, address: str, language: str = "en", status: int = 200) -> Reader:
    mark = "&" if "?" in address else "?"
    response = client.get(f"{address}{mark}lang={language}")
    assert response.status_code == status, response.text[:300]
    assert f'<html lang="{language}"' in response.text
    return Reader(response.text)


def text_of(page: Reader) -> str:
    return " ".join(page.words)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("address", PAGES)
def test_every_page_speaks_the_language_and_shows_no_key(
    site: AppClient, address: str, language: str
) -> None:
    page = page_of(site, address, language)
    text = text_of(page)
    strings = read_catalogue(language, *STAFF_AREAS).strings
    areas = {key.partition(".")[0] for key in strings}
    named = re.findall(r"(?<![\w:/.-])([a-z]+)\.[a-z_0-9]+", text)
    assert set(named) & areas == set()
    assert "{" not in text
    assert strings["tab.trains"] in text


@pytest.mark.parametrize("address", PAGES)
def test_controls_have_labels_and_headings_their_order(site: AppClient, address: str) -> None:
    page = page_of(site, address)
    labelled = {attrs.get("for") for tag, attrs in page.tags if tag == "label"}
    headings = [LEVELS.index(tag) for tag, _ in page.tags if tag in LEVELS]
    assert headings[0] == 0
    assert headings.count(0) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    for tag, attrs in page.tags:
        if tag in ("select", "input") and attrs.get("type") != "hidden":
            assert attrs.get("id") in labelled or attrs.get("name") == "month"
        if tag == "th":
            assert attrs.get("scope")
        if tag == "svg" and attrs.get("aria-hidden") != "true":
            assert attrs.get("aria-label")
    scrolled = [attrs for tag, attrs in page.tags if attrs.get("class") == "scroll"]
    assert all(attrs.get("tabindex") == "0" for attrs in scrolled)
    assert all("aria-label" in attrs or "aria-labelledby" in attrs for attrs in scrolled)


def test_every_link_of_the_pages_leads_somewhere(site: AppClient) -> None:
    seen: set[str] = set()
    waiting = list(PAGES)
    while waiting and len(seen) < 60:
        address = waiting.pop(0)
        plain = address.partition("#")[0]
        if plain in seen:
            continue
        seen.add(plain)
        response = site.get(plain)
        assert response.status_code == 200, plain
        for tag, attrs in Reader(response.text).tags:
            target = attrs.get("href") or ""
            if tag == "a" and target.startswith("?"):
                target = plain.partition("?")[0] + target
            if tag == "a" and target.startswith("/region"):
                waiting.append(target)
    assert any(address.startswith("/region/station/") for address in seen)
    assert any(address.startswith("/region/train/") for address in seen)


def test_the_calendar_tells_each_day_as_a_number(site: AppClient) -> None:
    told = site.get("/api/v1/region/coverage?first=2027-05-01&days=31").json()
    page = site.get("/region?month=2027-05&lang=en").text
    cells = re.findall(r'<td class="(s\d|out)"><span>(.*?)</span></td>', page)
    numbers = [int(text) for _, text in cells]
    assert numbers == [trips for feed in told["feeds"] for trips in feed["trips"]]
    assert "runs on 31 of 31 days" in page
    outside = site.get("/region?month=2028-08&lang=en").text  # one of the feeds has ended
    assert "outside of the feed" in outside
    assert 'value="2028-08" selected' in outside


def test_the_common_run_of_a_train_is_marked_on_both_sides(site: AppClient) -> None:
    text = site.get(f"{TRAIN}&lang=en").text
    rows = re.findall(r"<tr( class=\"common\")?>\s*<th scope=\"row\">([^<]+)", text)
    common = [name for mark, name in rows if mark]
    told = site.get("/api/v1/region/trains?trip=ch-rail:s6-17601&other=de-regio:s6-17601").json()
    sides = [[call["station_id"] for call in told[side]["calls"]] for side in ("trip", "other")]
    assert len(common) == len(set(sides[0]) & set(sides[1]))
    assert len(common) == told["match"]["evidence"]["shared_calls"]


def test_what_is_not_there_and_what_is_malformed_is_a_page_too(site: AppClient) -> None:
    for address, status in (
        ("/region/station/nowhere", 404),
        ("/region/station/" + "x" * 500, 404),
        ("/region/train/nowhere:1", 404),
        ("/region?month=May", 400),
        ("/region?month=9999-12", 400),
        ("/region/trains?state=odd", 400),
    ):
        page = page_of(site, address, status=status)
        assert "Overview" in text_of(page)
    assert page_of(site, "/region/trains?offset=-1&text=%00%27%3Cscript%3E")


class HostileBackend:
    """Answers with markup where names are expected."""

    EVIL = '<script>alert("1")</script>'

    def region(self) -> dict[str, Any]:
        """Return the region."""
        return {**REGION, "name": self.EVIL}

    async def station(self, station_id: str) -> dict[str, Any]:
        """Return a station whose every text is markup."""
        stop = {"reference": self.EVIL, "name": self.EVIL, "station_id": self.EVIL}
        evidence = {"refused": self.EVIL, "decided": self.EVIL, "code": self.EVIL, "distance_m": 9}
        member = {
            "reference": self.EVIL, "feed": self.EVIL, "name": self.EVIL, "code": None,
            "platform": self.EVIL, "part": False, "lat": 47.5, "lon": 7.6, "distance_m": 3,
        }  # fmt: skip
        return {
            "versions": {}, "id": self.EVIL, "name": self.EVIL, "lat": 47.5, "lon": 7.6,
            "tz": self.EVIL, "members": [member, {**member, "feed": "b", "lat": 47.6}],
            "hidden": 0, "others": [],
            "matches": [
                {
                    "left": stop, "right": stop, "kind": "", "days": None, "decision": "same",
                    "confidence": 0.5, "joined": True, "review": True, "evidence": evidence,
                }
            ],
        }  # fmt: skip

    async def train(self, trip: str, other: str) -> Mapping[str, Any]:
        """Refuse in words of the address."""
        raise UnknownPlaceError(f"{trip} {other}")


def test_text_from_data_and_addresses_is_escaped() -> None:
    app = FastAPI()
    install_region_pages(app, HostileBackend())  # type: ignore[arg-type]  # two pages are enough
    with AppClient(app) as client:
        for address in ("/region/station/x", "/region/train/%3Cscript%3E?other=%3Cscript%3E"):
            text = client.get(address).text
            assert "<script" not in text
            assert "&lt;script" in text


def codes_in_source(root: Path) -> set[str]:
    """Return the codes that packages up to the edition give to notices in so many words."""
    found: set[str] = set()
    for package in ("feeds", "merge", "network", "fares"):
        for path in sorted((root / "src" / "mobility" / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                    "Notice", "_notice",
                ):  # fmt: skip
                    first = node.args[0] if node.args else None
                    inner = first.value if isinstance(first, ast.Starred) else first
                    if isinstance(inner, ast.Tuple):
                        inner = inner.elts[0]
                    if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                        found.add(inner.value)
    return found


def test_every_code_of_a_finding_is_explained(project_root: Path) -> None:
    strings = read_catalogue("en", *STAFF_AREAS).strings
    codes = set(RULES) | codes_in_source(project_root)
    assert len(codes) > len(RULES)
    assert {code for code in codes if f"code.{code}" not in strings} == set()


def test_every_alarm_action_and_tier_has_its_words() -> None:
    strings = read_catalogue("en", *STAFF_AREAS).strings
    wanted = {f"alarm.{code}{end}" for code in get_args(AlarmCode) for end in ("", ".do")}
    wanted |= {f"history.{action}" for action in get_args(Action)}
    wanted |= {f"tier.{tier}" for tier in get_args(Tier)}
    wanted |= {f"kind.{kind}" for kind in TRAIN_KINDS}
    assert wanted - set(strings) == set()


def test_every_reason_of_the_merge_is_worded(site: AppClient) -> None:
    for kind in ("stations", "trains"):
        offset, total = 0, 1
        while offset < total:
            page = site.get(f"/api/v1/region/matches/{kind}?limit=200&offset={offset}").json()
            offset, total = offset + 200, page["total"]
            for match in page["matches"]:
                said = match["evidence"].get("reason") or match["evidence"].get("refused")
                if said:
                    assert reason_key(said) in read_catalogue("en", *STAFF_AREAS).strings, said
