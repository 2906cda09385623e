"""`mobility feeds check` of feeds that cannot be read: all is told once, and on a page to send."""

from __future__ import annotations

import json

import pytest

from tests.feeds.sheets import filled, save


@pytest.fixture
def sheet(tmp_path):
    """Return a workbook with two wrong cells."""
    book = filled(stops_B5="=A1", exceptions_A5="6 January")
    return save(book, tmp_path / "timetable.xlsx")


def test_every_wrong_cell_is_told_once_and_the_last_line_counts_them(mobility, sheet):
    outcome = mobility("feeds", "check", sheet)
    assert outcome.status == 1
    assert outcome.err.count("stops!B5") == outcome.err.count("exceptions!A5") == 1
    assert outcome.error_line.endswith("2 cells are wrong; nothing of it is read")


@pytest.mark.parametrize("content", [None, b"no workbook"])
def test_a_failure_without_places_is_one_line(mobility, sheet, content):
    if content is None:
        save(filled(stops_B5="=A1"), sheet)
    else:
        sheet.write_bytes(content)
    outcome = mobility("feeds", "check", sheet)
    assert outcome.status == 1
    assert len(outcome.err.splitlines()) == 1 and outcome.out == ""


@pytest.mark.parametrize(
    ("language", "lead"),
    [("de", "nicht gelesen werden"), ("fr", "ne peut pas être lu"), ("en", "cannot be read")],
)
def test_a_feed_that_cannot_be_read_has_a_page_of_its_findings(
    mobility, sheet, tmp_path, language, lead
):
    words = ("--report", tmp_path / "out", "--language", language, "--json")
    outcome = mobility("feeds", "check", sheet, *words)
    assert outcome.status == 1
    page = (tmp_path / "out" / "timetable.html").read_text()
    assert "stops!B5" in page and "exceptions!A5" in page and lead in page
    assert 'aria-labelledby="counts"' not in page and 'aria-labelledby="figures"' not in page
    document = json.loads((tmp_path / "out" / "timetable.json").read_text())
    assert document["refused"] and document["notices"] == outcome.document["notices"]
    assert [n["code"] for n in document["notices"]] == ["unreadable_cell"] * 2


def test_the_other_feeds_are_checked_all_the_same(mobility, sheet, tmp_path):
    good = save(filled(), tmp_path / "good.xlsx")
    outcome = mobility("feeds", "check", sheet, good, "--report", tmp_path / "out", "--json")
    assert outcome.status == 1
    assert [bool(feed["refused"]) for feed in outcome.document["feeds"]] == [True, False]
    assert sorted(p.name for p in (tmp_path / "out").glob("*.html")) == [
        "good.html",
        "timetable.html",
    ]
