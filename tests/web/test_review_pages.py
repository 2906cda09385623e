"""The review's pages without a browser: what they say, what they take, whom they refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mobility.api.review import review_app
from mobility.merge.review.desk import Desk
from mobility.web import LANGUAGES

from .client import AppClient
from .review_desk import small_desk

TOKEN = "t0ken"
HOST = {"host": "127.0.0.1:8123"}
ORIGIN = {**HOST, "origin": "http://127.0.0.1:8123"}
FORM = {**ORIGIN, "content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return small_desk(tmp_path)


@pytest.fixture
def client(desk: Desk) -> Iterator[AppClient]:
    with AppClient(review_app(desk, port=8123, token=TOKEN)) as opened:
        yield opened


def get(client: AppClient, path: str, **headers: str) -> Any:
    return client.get(f"/{TOKEN}{path}", headers={**HOST, **headers})


def csrf(client: AppClient) -> str:
    page = get(client, f"/c/{questions(client)[0]}").text
    return re.findall(r'name="csrf" value="([^"]+)"', page)[0]


def questions(client: AppClient) -> list[str]:
    return list(dict.fromkeys(re.findall(r"/c/(\w+)\?lang", get(client, "/?standing=ask").text)))


def keys(desk: Desk) -> tuple[str, str]:
    """Return the open train and the open station."""
    of_kind = {one.kind: one.key for one in desk.candidates() if one.standing == "ask"}
    return of_kind["train"], of_kind["station"]


def post(client: AppClient, path: str, body: str, headers: dict[str, str] = FORM) -> Any:
    return client.post(f"/{TOKEN}{path}", content=body, headers=headers)


def told(client: AppClient, key: str) -> str:
    """Return what an answer changes, once it has been worked out."""
    while (answer := get(client, f"/c/{key}/effect?lang=en")).status_code == 202:
        pass
    return str(answer.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_says_what_is_open_in_every_language(client: AppClient, language: str) -> None:
    answer = get(client, f"/?lang={language}")
    assert answer.status_code == 200
    assert f'lang="{language}"' in answer.text
    assert "Nord &lt;b&gt;" in answer.text and "Nord <b>" not in answer.text
    assert not re.findall(r">[a-z]+\.[a-z_.]+<", answer.text)  # no key without its string
    assert len(questions(client)) == 2


def test_a_page_shows_evidence_both_timetables_and_a_plan(client: AppClient, desk: Desk) -> None:
    train, place = keys(desk)
    page = get(client, f"/c/{train}?lang=en").text
    assert "Is this one train?" in page
    assert page.count('class="common"') == 2  # both call at two stations
    assert "2 stations in common at the same minutes." in page
    assert '<svg viewBox="0 0 640 360" role="img" aria-label="R · Nord &lt;b&gt; 08:00' in page
    station = get(client, f"/c/{place}?lang=en").text
    assert "Are these one station?" in station and "Ort West lies 100 m north of Ort." in station
    assert "Trains at both on" in station


def test_the_page_says_what_each_answer_changes(client: AppClient, desk: Desk) -> None:
    train, station = keys(desk)
    said = told(client, train)
    assert "Nothing changes: it is built this way." in said
    assert "1 pair of trips is parted (one lies inside the other)." in said
    assert "Riders see 7 train runs more" in said
    assert "One station falls into Ort + Ort West." in told(client, station)
    assert "There is 1 way on foot between stops more." in told(client, station)


def test_answers_are_kept_lead_on_and_can_be_taken_back(client: AppClient, desk: Desk) -> None:
    token, (train, station) = csrf(client), keys(desk)
    body = f"csrf={token}&lang=de&key={train}&answer=different&reason=zwei+Z%C3%BCge"
    answer = post(client, "/answer", body)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"/{TOKEN}/c/{station}?lang=de&noted={train}")
    page = client.get(answer.headers["location"], headers=HOST).text
    assert "Notiert als «Verschieden»" in page and "1 von 2 entschieden" in page
    assert [(d.decision, d.reason) for d in desk.file.read()] == [("different", "zwei Züge")]
    later = post(client, "/answer", f"csrf={token}&lang=de&key={station}&answer=later&reason=")
    assert later.headers["location"] == f"/{TOKEN}/?lang=de"
    undone = post(client, "/undo", f"csrf={token}&lang=de")
    assert "undone=1" in undone.headers["location"]
    assert "Zurückgenommen" in client.get(undone.headers["location"], headers=HOST).text
    assert desk.file.read() == () and set(questions(client)) == {train, station}


def test_lists_are_filtered(client: AppClient) -> None:
    def shown(query: str) -> int:
        listed = get(client, f"/?{query}").text.partition("<ol")[2]
        return len(set(re.findall(r"/c/(\w+)\?", listed)))

    assert shown("standing=ask&kind=station") == 1
    assert shown("standing=ask&text=paris") == 0
    assert shown("standing=all") >= 4
    assert shown("standing=all&text=7%20%7C") == 1
    assert "Kein Paar" in get(client, "/?standing=decided&lang=de").text
    assert get(client, "/?offset=x").status_code == 422


def test_nobody_gets_in_without_the_token(client: AppClient) -> None:
    for path in ("/", "/c/x", "/t0ke/", "/t0kenn/", f"/x/{TOKEN}/"):
        answer = client.get(path, headers=HOST)
        assert answer.status_code == 404 and TOKEN not in answer.text
    assert client.get("/assets/review.css", headers=HOST).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8123", "127.0.0.1:80", ""])
def test_a_foreign_host_name_is_refused(client: AppClient, host: str) -> None:
    assert client.get(f"/{TOKEN}/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**FORM, "origin": "http://evil.example"}, 403),
        ({**FORM, "origin": "null"}, 403),
        ({name: value for name, value in FORM.items() if name != "origin"}, 403),
        ({**ORIGIN, "content-type": "text/plain"}, 400),
    ],
)
def test_answers_of_other_pages_are_refused(
    client: AppClient, desk: Desk, headers: dict[str, str], status: int
) -> None:
    key = questions(client)[0]
    body = f"csrf={csrf(client)}&key={key}&answer=different&reason="
    assert post(client, "/answer", body, headers).status_code == status
    assert post(client, "/answer", body.replace("csrf=", "csrf=x")).status_code == 403
    assert post(client, "/undo", "csrf=").status_code == 403
    assert desk.file.read() == ()


@pytest.mark.parametrize("body", ["answer=maybe", "answer=same&reason=" + "x" * 501])
def test_malformed_answers_are_told(client: AppClient, desk: Desk, body: str) -> None:
    key = questions(client)[0]
    answer = post(client, "/answer", f"csrf={csrf(client)}&key={key}&{body}")
    assert answer.status_code == 400
    assert desk.file.read() == ()
    gone = post(client, "/answer", f"csrf={csrf(client)}&key=gone&answer=same&reason=")
    assert "gone=1" in gone.headers["location"]


def test_headers_keep_the_token_here(client: AppClient) -> None:
    headers = get(client, "/").headers
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "<script>" not in get(client, f"/c/{questions(client)[0]}").text


def test_where_merging_takes_long_it_is_done_on_demand(
    client: AppClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, station = keys(desk)
    monkeypatch.setattr("mobility.merge.review.desk.QUICK_S", -1.0)
    page = get(client, f"/c/{train}?lang=en").text
    assert "Work out what changes" in page and "data-wait" not in page
    assert "Work out what changes" in told(client, train)
    made = desk.merges
    body = f"csrf={csrf(client)}&lang=en&key={train}&answer=different&reason="
    assert post(client, "/answer", body).headers["location"].startswith(f"/{TOKEN}/c/{station}")
    assert "1 of 2 decided" in get(client, "/?lang=en").text
    assert desk.merges == made  # the answer lies over what was merged before
    get(client, f"/c/{station}?lang=en&work=1")
    assert "One station falls into Ort + Ort West." in told(client, station)
    assert "1 of 2 decided" in get(client, "/?lang=en").text
    post(client, "/undo", f"csrf={csrf(client)}&lang=en")
    assert "0 of 2 decided" in get(client, "/?lang=en").text
