"""Riders' needs in the search form: each reaches the planner, and none is lost in silence."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mobility.api import create_app
from mobility.web import LANGUAGES

from .client import AppClient
from .test_pages import Reader

NOW = dt.datetime(2027, 5, 4, 5, 0, tzinfo=dt.UTC)  # 07:00 in Basel
TO_RIEHEN = {"from": "Liestal", "to": "Riehen", "date": "2027-05-04", "time": "07:00", "lang": "en"}
TO_WEIL = {**TO_RIEHEN, "from": "Basel SBB", "to": "Weil am Rhein"}
Words = dict[str, str | list[str]]
ALL: dict[str, list[str]] = {
    "wheelchair": ["true"], "bike": ["true"], "min_change": ["15"], "walk_speed_m_s": ["0.8"],
    "max_walk_m": ["500"], "via": ["Muttenz", "Basel SBB"], "stay": ["5", "20"],
    "modes": ["rail", "tram"], "not_modes": ["bus"], "operators": ["ch-rail:sbahn"],
    "not_operators": ["ch-city:land"],
}  # fmt: skip


@pytest.fixture(scope="module")
def client(sample_edition: Path) -> Iterator[AppClient]:
    with AppClient(create_app(sample_edition, clock=lambda: NOW)) as client:
        client.wait_ready()
        yield client


def page_of(
    client: AppClient, asked: Words, status: int = 200, path: str = "/search"
) -> tuple[str, Reader]:
    response = client.get(path, params=asked)
    assert response.status_code == status, response.text
    text = re.sub(r"<script.*?</script>", "", response.text, flags=re.S)  # the client's own state
    return text, Reader(text)


def times(page: str) -> list[tuple[str, str]]:
    return re.findall(r'class="times"><time>(.*?)</time>.*?<time>(.*?)</time>', page)


def fields(page: Reader) -> dict[str, list[str]]:
    """Return what the form would send: as a browser does, without what is empty."""
    found: dict[str, list[str]] = {}
    selected = ""
    for tag, attrs in page.tags:
        name, value = attrs.get("name") or "", attrs.get("value") or ""
        if tag == "select":
            selected = name
        chosen = attrs.get("type") not in ("checkbox", "radio") or "checked" in attrs
        if tag == "option" and "selected" in attrs:
            found.setdefault(selected, []).append(value)
        elif tag == "input" and name and chosen:
            found.setdefault(name, []).append(value)
    return {name: kept for name, values in found.items() if (kept := [v for v in values if v])}


def links(page: Reader, mark: str) -> list[dict[str, list[str]]]:
    addresses = [attrs.get("href") or "" for tag, attrs in page.tags if tag == "a"]
    return [parse_qs(urlsplit(address).query) for address in addresses if mark in address]


def needs_open(page: Reader) -> bool:
    return any(
        tag == "details" and attrs.get("class") == "needs" and "open" in attrs
        for tag, attrs in page.tags
    )


@pytest.mark.parametrize(
    ("trip", "needs", "told"),
    [
        (TO_WEIL, {"wheelchair": "true"}, "wheelchair"),
        (TO_RIEHEN, {"bike": "true"}, "bike"),
        (TO_RIEHEN, {"modes": ["bus", "tram"]}, "only Bus, Tram"),
        (TO_RIEHEN, {"not_modes": "rail"}, "without Train"),
        (TO_RIEHEN, {"not_operators": "ch-rail:sbahn"}, "without ch-rail:sbahn"),
        (TO_RIEHEN, {"via": "Muttenz"}, "via Muttenz"),
        (TO_RIEHEN, {"via": "Muttenz", "stay": "20"}, "via Muttenz (20 min there)"),
        (TO_RIEHEN, {"min_change": "15"}, "at least 15 min to change"),
        (TO_RIEHEN, {"max_walk_m": "100"}, "at most 100 m on foot at a time"),
        (TO_RIEHEN, {"walk_speed_m_s": "0.8"}, "walking speed slow (0.8 m/s)"),
        (TO_RIEHEN, {"walk_speed_m_s": "1"}, "walking speed 1 m/s"),
    ],
)
def test_each_need_changes_the_journeys_and_is_told(
    client: AppClient, trip: Words, needs: Words, told: str
) -> None:
    usual, plain = page_of(client, trip)
    assert not needs_open(plain)
    assert "Asked for" not in plain.text
    text, page = page_of(client, {**trip, **needs})
    assert times(text) and times(text) != times(usual)
    assert f"Asked for: {told}." in page.text
    assert ("goes on without the places" in page.text) == ("via" in needs)
    assert needs_open(page)


def test_what_nobody_says_is_left_out_and_the_page_says_so(client: AppClient) -> None:
    _, page = page_of(client, {**TO_WEIL, "wheelchair": "true"})
    assert "Some services are left out because nobody says whether they suit you." in page.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_needs_are_told_in_every_language_also_where_there_is_no_journey(
    client: AppClient, lang: str
) -> None:
    asked = {**TO_RIEHEN, "modes": "ferry", "walk_speed_m_s": "1.6", "lang": lang}
    _, page = page_of(client, asked)
    assert not re.search(r"(needs|vehicle)\.\w", page.text)
    told = {"de": "Gefragt für: Gehtempo schnell (1,6 m/s), nur Schiff.",
            "fr": "Demandé pour : marche rapide (1,6 m/s), seulement Bateau.",
            "en": "Asked for: walking speed fast (1.6 m/s), only Ferry."}  # fmt: skip
    assert told[lang] in page.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"wheelchair": "maybe"},
        {"bike": "maybe"},
        {"modes": "zeppelin"},
        {"modes": ["rail"] * 30},
        {"not_modes": "zeppelin"},
        {"operators": "ch-city:nobody"},
        {"via": ["Muttenz", "Liestal", "Riehen"]},
        {"via": "47.5,7.6"},
        {"stay": "20"},
        {"via": "Muttenz", "stay": "long"},
        {"via": "Muttenz", "stay": "721"},
        {"min_change": "8m"},
        {"min_change": "-1"},
        {"min_change": "121"},
        {"min_change": "²"},
        {"min_change": "9" * 3000},
        {"max_walk_m": "9" * 3000},
        {"walk_speed_m_s": "fast"},
        {"walk_speed_m_s": "nan"},
        {"walk_speed_m_s": "9"},
        {"max_walk_m": "-1"},
        {"max_walk_m": "1.5"},
    ],
)
def test_a_wrong_need_is_told_beside_the_form_and_stands_in_its_field(
    client: AppClient, wrong: Words
) -> None:
    text, page = page_of(client, {**TO_RIEHEN, **wrong}, 400)
    assert 'class="problem" role="alert"' in text and not times(text)
    assert "a value in it does not fit" in page.text
    assert needs_open(page)
    sent = fields(page)
    for name, value in wrong.items():
        values = [value] if isinstance(value, str) else value
        if name in ("wheelchair", "bike"):
            values = ["true"]  # a box is checked or not
        assert sent[name] == list(dict.fromkeys(values))


def test_a_place_to_pass_that_is_not_known_offers_what_may_have_been_meant(
    client: AppClient,
) -> None:
    asked: Words = {**TO_RIEHEN, "via": ["Basel SBB", "Muttnz"], "stay": ["5"]}
    _, page = page_of(client, asked, 404)
    assert "Via “Muttnz”. Did you mean:" in page.text
    meant = links(page, "Muttenz")[0]
    assert meant["via"][0] == "Basel SBB" and meant["via"][1].startswith("Muttenz")
    assert meant["stay"] == ["5", "0"]
    page_of(client, meant)


def test_needs_survive_in_the_form_and_in_every_link(client: AppClient) -> None:
    _, page = page_of(client, {**TO_RIEHEN, **ALL})
    kept = [
        fields(page),
        *(link for link in links(page, "/search?") if link.keys() & {"page", "edition", "lang"}),
    ]
    assert len(kept) >= 1 + len(LANGUAGES) + 3  # languages, earlier, later, link to this answer
    for words in kept:
        assert {name: words[name] for name in ALL} == ALL


def test_earlier_and_later_pages_are_answered_for_the_same_needs(client: AppClient) -> None:
    _, page = page_of(client, {**TO_RIEHEN, "modes": ["bus", "tram"]})
    later = [link for link in links(page, "page=") if link["page"][0]]
    assert len(later) == 2
    for link in later:
        text, beside = page_of(client, dict(link))
        assert "Asked for: only Bus, Tram." in beside.text
        assert times(text) and "Train" not in re.sub(r"<form.*?</form>", "", text, flags=re.S)


def test_swapping_the_ends_turns_the_places_to_pass_around(client: AppClient) -> None:
    asked = {**TO_RIEHEN, "via": ["Muttenz", "Basel SBB"], "stay": ["5", "0"], "swap": "1"}
    _, page = page_of(client, asked)
    sent = fields(page)
    assert sent["from"] == ["Riehen"]
    assert sent["via"] == ["Basel SBB", "Muttenz"]
    assert links(page, "page=")[0]["stay"] == ["0", "5"]


def test_what_asks_for_nothing_is_no_need(client: AppClient) -> None:
    usual, _ = page_of(client, TO_RIEHEN)
    nothing: Words = {
        "wheelchair": "false", "bike": "0", "via": "", "stay": "", "min_change": "0",
        "walk_speed_m_s": "1.2", "max_walk_m": "",
    }  # fmt: skip
    text, page = page_of(client, {**TO_RIEHEN, **nothing})
    assert times(text) == times(usual)
    assert not needs_open(page) and "Asked for" not in page.text


def test_the_first_page_keeps_needs_too(client: AppClient) -> None:
    _, page = page_of(client, {"lang": "en", "bike": "true", "via": "Muttenz"}, path="/")
    assert needs_open(page)
    assert fields(page)["bike"] == ["true"] and fields(page)["via"] == ["Muttenz"]
    modes = [a["value"] for tag, a in page.tags if tag == "input" and a.get("name") == "modes"]
    assert modes == ["bus", "rail", "tram"]  # those that the region has
