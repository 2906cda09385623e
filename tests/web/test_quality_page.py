"""The quality sheet of a feed as a page: it stands alone and says all, in three languages."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mobility.feeds import FeedConfig, check_feed
from mobility.feeds.quality import quality_document
from mobility.web.quality_page import render_quality

MESSY = Path(__file__).parent.parent / "feeds" / "messy"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Return the check of a feed with dangling references."""
    path = MESSY / "13_dangling_references" / "feed"
    return quality_document(check_feed(FeedConfig(id="f", path=path, licence="CC0-1.0")))


def texts(page: str) -> str:
    body = page.partition("<body")[2]
    return html.unescape(re.sub(r"<[^>]*>", " ", body))


def test_the_document_has_one_list_of_all_notices(document: dict[str, Any]) -> None:
    codes = {notice["code"] for notice in document["notices"]}
    assert "foreign_key_violation" in codes  # ours
    assert "missing_recommended_file" in codes  # gtfs-guru's
    fields = {"code", "severity", "feed", "file", "row", "field", "value", "message", "count"}
    assert all(set(notice) == fields for notice in document["notices"])
    counts = document["tables"]["stop_times"]
    assert counts["read"] == counts["kept"] + counts["dropped"] == 10
    assert document["sheet"]["num_trips"] == 3 and json.loads(json.dumps(document)) == document


@pytest.mark.parametrize("language", ["de", "fr", "en"])
def test_the_page_says_every_code_count_and_figure_in_the_language(
    document: dict[str, Any], language: str
) -> None:
    page = render_quality(document, language)
    said = texts(page)
    for notice in document["notices"]:
        assert notice["code"] in said and notice["message"] in said
    for table in document["tables"]:
        assert table in said
    assert f'<html lang="{language}">' in page
    assert not re.findall(r"\b(?:quality|notices|feed|indicator|code|severity)\.[a-z_]+", said)
    assert {"de": "weggelassen", "fr": "écarté", "en": "dropped"}[language] in said


def test_the_page_stands_alone(document: dict[str, Any]) -> None:
    page = render_quality(document, "en")
    assert page.startswith("<!doctype html>")
    assert "<script" not in page and "@import" not in page
    assert not re.findall(r"""(?:src|href)\s*=|url\(""", page)
    opened: list[str] = []

    class Walk(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in ("meta", "br", "link"):
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Walk().feed(page)
    assert not opened


def test_what_a_feed_says_is_only_text(document: dict[str, Any]) -> None:
    bad = "<script>alert(1)</script>"
    notice = dict(document["notices"][0], value=bad, field=bad)
    page = render_quality({**document, "name": bad, "notices": [notice]}, "en")
    assert "<script" not in page and "&lt;script&gt;" in page


def test_many_places_of_one_code_are_cut_and_told(document: dict[str, Any]) -> None:
    notices = [dict(document["notices"][0], row=row) for row in range(1234)]
    said = texts(render_quality({**document, "notices": notices, "sheet": {}}, "en"))
    assert "1,184 more places are in the JSON file" in said and "No figures for this feed" in said


def test_the_command_writes_a_page_and_a_document_per_feed(tmp_path: Path, mobility) -> None:
    source = MESSY / "13_dangling_references" / "feed"
    folder = tmp_path / "reports" / "new"
    outcome = mobility("feeds", "check", source, "--report", folder, "--language", "fr")
    assert outcome.status == 3 and "findings are errors" in outcome.err
    assert "Fiche qualité" in (folder / "feed.html").read_text("utf-8")
    assert json.loads((folder / "feed.json").read_text("utf-8"))["id"] == "feed"
    wrong = mobility("feeds", "check", source, "--report", folder, "--language", "xx")
    assert wrong.status == 2 and "one of de, fr, en" in wrong.error_line
    (tmp_path / "file").write_text("")
    blocked = mobility("feeds", "check", source, "--report", tmp_path / "file" / "x")
    assert blocked.status == 4 and "cannot be written" in blocked.error_line
