"""The pages as the server makes them: complete, escaped, in every language, without JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from mobility.web import LANGUAGES, install_pages
from mobility.web.pages import json_for_page

from .client import AppClient
from .made import MadeBackend, to_liestal, to_mulhouse

SEARCH = "/search?from=L%C3%B6rrach+Hbf&to={to}&date=2027-05-04&time=07:00&lang={lang}"


def client_of(backend: MadeBackend, static: Path) -> AppClient:
    app = FastAPI()
    install_pages(app, backend, static=static)
    return AppClient(app)


@pytest.fixture
def backend() -> MadeBackend:
    return MadeBackend()


@pytest.fixture
def client(backend: MadeBackend, tmp_path: Path) -> Iterator[AppClient]:
    with client_of(backend, tmp_path / "missing") as client:
        yield client


class Reader(HTMLParser):
    """Reads a page's text and checks that its elements are closed in order."""

    VOID = ("meta", "link", "input", "img", "br", "path", "circle")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def read(client: AppClient, address: str, status: int = 200) -> Reader:
    response = client.get(address)
    assert response.status_code == status
    return Reader(response.text)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_page_has_the_form_in_the_language_asked_for(
    client: AppClient, lang: str
) -> None:
    page = read(client, f"/?lang={lang}")
    assert ("html", {"lang": lang}) in page.tags
    names = {attrs.get("name") for tag, attrs in page.tags if tag in ("input", "select", "button")}
    assert {"from", "to", "date", "time", "by", "card", "pass", "currency", "swap"} <= names
    assert "{" not in page.text


def test_the_browsers_language_is_used_where_none_is_asked_for(client: AppClient) -> None:
    page = Reader(client.get("/", headers={"Accept-Language": "it, fr;q=0.9"}).text)
    assert ("html", {"lang": "fr"}) in page.tags


def test_every_label_names_a_field(client: AppClient) -> None:
    page = read(client, "/")
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    labels = {attrs["for"] for tag, attrs in page.tags if tag == "label" and "for" in attrs}
    assert labels == {
        *("from", "to", "date", "time"),
        *("via", "stay", "min_change", "max_walk_m", "walk_speed_m_s"),
    }
    assert labels <= ids


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_result_shows_times_change_price_and_who_gets_what(client: AppClient, lang: str) -> None:
    text = read(client, SEARCH.format(to="Liestal", lang=lang)).text
    assert "07:02 → 07:45" in text
    assert "Basel SBB ( 9 min )" in text or "Basel SBB (9 min)" in text
    assert "CHF 7.50" in text
    for part in ("Rail CH CHF 4.12", "Zones CH CHF 2.18", "Zones DE CHF 1.20"):
        assert part in text


def test_shares_on_the_page_add_up_to_the_price(client: AppClient) -> None:
    page = client.get(SEARCH.format(to="Liestal", lang="en")).text
    tables = re.findall(r"<tbody>(.*?)</tbody>.*?<tfoot>(.*?)</tfoot>", page, re.S)
    assert tables
    for rows, foot in tables:
        amounts = [int(m.replace(".", "")) for m in re.findall(r"CHF (\d+\.\d\d)", rows)]
        assert sum(amounts) == int(re.findall(r"CHF (\d+\.\d\d)", foot)[0].replace(".", ""))


def test_two_tickets_in_two_currencies_and_no_protection_between_them(client: AppClient) -> None:
    text = read(client, SEARCH.format(to="Mulhouse+Ville", lang="en")).text
    assert "CHF 4.70 + EUR 8.30" in text
    assert "The connection between these tickets is not protected." in text
    assert "No split is published for this ticket." in text


def test_an_unknown_price_is_said_and_never_shown_as_nothing(client: AppClient) -> None:
    text = read(client, SEARCH.format(to="Liestal", lang="en")).text
    assert "Price unknown" in text
    assert "0.00" not in text


def test_text_from_data_is_escaped(client: AppClient) -> None:
    page = client.get(SEARCH.format(to="%3Cscript%3Ealert(1)%3C/script%3E", lang="en"))
    assert page.status_code == 404
    assert "<script>alert" not in page.text
    assert "<b>crossed</b>" not in client.get(SEARCH.format(to="Liestal", lang="en")).text


def test_an_unknown_place_offers_what_may_have_been_meant(client: AppClient) -> None:
    page = read(client, SEARCH.format(to="Lisstal", lang="en"), 404)
    assert "We do not know this place." in page.text
    links = [attrs["href"] or "" for tag, attrs in page.tags if tag == "a" and "href" in attrs]
    assert any("to_id=liestal" in link for link in links)


def test_a_missing_end_is_said(client: AppClient) -> None:
    assert "incomplete" in read(client, "/search?from=Riehen&lang=en", 400).text


def test_an_answer_that_had_to_reach_further_says_so(client: AppClient) -> None:
    text = read(client, SEARCH.format(to="Riehen", lang="en")).text
    assert "Nothing leaves within two hours" in text
    assert "Nothing leaves" not in read(client, SEARCH.format(to="Liestal", lang="en")).text


def test_no_journey_at_all_is_said(client: AppClient) -> None:
    assert "No journey found" in read(client, SEARCH.format(to="Saint-Louis", lang="en")).text


def test_notices_of_the_answer_are_shown(client: AppClient) -> None:
    text = read(client, SEARCH.format(to="Liestal", lang="en")).text
    assert "The data of made does not cover this day" in text


@pytest.mark.parametrize(
    ("lang", "cheapest", "why"),
    [
        ("de", "Am günstigsten", "Von 1 von 2 Verbindungen ist nicht der ganze Preis bekannt"),
        ("fr", "Le moins cher", "Prix en partie inconnu pour 1 sur 2 itinéraires"),
        ("en", "Cheapest", "The price of 1 of 2 journeys is not wholly known"),
    ],
)
def test_labels_are_read_as_text_and_say_what_is_not_known(
    client: AppClient, lang: str, cheapest: str, why: str
) -> None:
    page = read(client, SEARCH.format(to="Liestal", lang=lang))
    assert cheapest in page.text and "CHF 7.50" in page.text
    assert why in page.text
    assert not re.search(r"\{\w+\}|label\.|emissions\.|risk\.", page.text)


def test_emissions_name_factor_source_and_car_and_changes_their_risk(client: AppClient) -> None:
    text = read(client, SEARCH.format(to="Liestal", lang="en")).text
    assert "CO₂e per person" in text and "By car" in text
    assert "TREMOD" in text and "figure from memory, not looked up" in text
    # 07:22 to 07:31 less 4 min on foot leave 5 min; both rides Swiss at that end.
    assert "5 min to spare, risk of missing it" in text
    assert "S6: 93 % less than 3 min late. SBB" in text


def test_swap_works_without_javascript(client: AppClient) -> None:
    page = read(client, "/search?from=Liestal&to=Riehen&swap=1&lang=en")
    values = {attrs.get("name"): attrs.get("value") for tag, attrs in page.tags if tag == "input"}
    assert (values["from"], values["to"]) == ("Riehen", "Liestal")


def test_the_nearest_valid_day_is_filled_in_and_said(tmp_path: Path) -> None:
    backend = MadeBackend(nearest_is_today=False, nearest_date="2026-12-13")
    with client_of(backend, tmp_path) as client:
        page = read(client, "/?lang=en")
    assert "The date filled in is the nearest valid day: 2026-12-13." in page.text
    dates = [attrs["value"] for tag, attrs in page.tags if attrs.get("name") == "date"]
    assert dates == ["2026-12-13"]


def test_the_answer_is_asked_with_the_words_of_the_api(
    client: AppClient, backend: MadeBackend
) -> None:
    client.get(
        SEARCH.format(to="Liestal", lang="fr") + "&card=half-fare&pass=zone-pass&currency=EUR"
        "&from_id=l%C3%B6rrach-hbf&by=arrive"
    )
    assert backend.asked[-1] == {
        "from": "lörrach-hbf",
        "to": "Liestal",
        "arrive": "2027-05-04T07:00",
        "window": "2h",
        "page": None,
        "cards": ["half-fare"],
        "passes": ["zone-pass"],
        "currency": "EUR",
        "language": "fr",
    }


def test_earlier_and_later_are_links_to_the_pages_beside(
    client: AppClient, backend: MadeBackend
) -> None:
    page = read(client, SEARCH.format(to="Liestal", lang="en"))
    links = [attrs.get("href") or "" for _, attrs in page.tags]
    later = [link for link in links if "page=LATER" in link]
    assert len(later) == 1
    assert any("page=EARLIER" in link for link in links)
    client.get(later[0])
    assert backend.asked[-1]["page"] == "LATER"
    assert backend.asked[-1]["depart"] == backend.asked[0]["depart"]


def test_without_a_bundle_no_script_is_loaded_and_the_page_says_it_is_plain(
    client: AppClient,
) -> None:
    page = read(client, "/?lang=en")
    assert not [tag for tag, _ in page.tags if tag == "script"]
    assert "Plain view" in page.text


def test_with_a_bundle_the_page_brings_its_answer_along(
    backend: MadeBackend, tmp_path: Path
) -> None:
    manifest = {"src/main.ts": {"file": "main-1.js", "css": ["main-1.css"]}}
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(manifest))
    with client_of(backend, tmp_path) as client:
        page = client.get(SEARCH.format(to="Liestal", lang="de")).text
    assert '<script type="module" src="/static/main-1.js"></script>' in page
    state = re.search(r'<script type="application/json" id="state">(.*?)</script>', page, re.S)
    assert state
    document: dict[str, Any] = json.loads(state[1])
    assert document["answer"]["journeys"][0].items() >= to_liestal().to_json().items()
    assert document["languages"] == ["de", "fr", "en"]


def test_json_in_a_page_cannot_end_its_element() -> None:
    text = json_for_page({"a": "</script><!--&"})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"a": "</script><!--&"}


def test_assets_are_served(client: AppClient) -> None:
    assert client.get("/assets/style.css").headers["content-type"].startswith("text/css")
    assert client.get("/assets/icon.svg").status_code == 200


def test_made_shares_add_up() -> None:
    for journey in (to_liestal(), to_mulhouse()):
        assert journey.fare is not None
        for ticket in journey.fare.tickets:
            if ticket.shares:
                assert sum(s.amount_minor for s in ticket.shares) == ticket.price.amount_minor
