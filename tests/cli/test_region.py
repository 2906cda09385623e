"""`mobility region new|status`: a manifest that reads back and builds, and what is open in it."""

from __future__ import annotations

import tomllib

import pytest
from rich.console import Console

from mobility.cli import output
from mobility.cli import region as region_cli
from mobility.cli.region import ask_all
from mobility.cli.region_file import NewFeed, quoted, region_text
from mobility.feeds import FeedConfig, read_feed, read_manifest
from mobility.merge.review.propose import propose
from tests.border import write_border_region
from tests.merge.build import feed_of, lines

STOPS = "S1,Weston,47.5,7.6\nS2,Easton (Gr),47.6,7.7\nS3,Port de la Frontera,47.7,7.8"


@pytest.fixture
def feeds(tmp_path):
    """Return the two feeds of the border region, as folders."""
    region = write_border_region(tmp_path)
    (region / "region.toml").unlink()
    return region / "west", region / "east"


def test_a_region_starts_from_its_feeds_reads_back_and_builds(mobility, feeds, tmp_path):
    folder = tmp_path / "feeds" / "strait"
    made = mobility(
        *("region", "new", folder, *feeds, "--name", "The Strait", "--languages", "en,fr"),
        *("--answer", "west.licence=CC0-1.0", "--answer", "east.precedence=5"),
    )
    assert made.status == 0, made.err
    manifest = read_manifest(folder)
    west, east = sorted(manifest.feeds, key=lambda feed: feed.id, reverse=True)
    assert (manifest.id, manifest.name, manifest.languages) == (
        "strait",
        "The Strait",
        ("en", "fr"),
    )
    assert (west.id, west.licence, west.country, west.precedence) == ("west", "CC0-1.0", "GB", 10)
    assert (east.id, east.licence, east.country, east.precedence) == ("east", "", "FR", 5)
    assert west.train_number is not None
    text = (folder / "region.toml").read_text("utf-8")
    assert text.count("QUESTION: under which licence") == 1
    assert 'tier = "planning"' in text  # until somebody says who may see the rows, nobody does
    assert "# proposed: found in 100% of" in text
    built = mobility("build", folder, "-o", tmp_path / "edition", "--json")
    assert built.status == 0, built.err
    assert built.document["notices"]["manifest_question_open"] == text.count("# QUESTION:") - 1
    assert sum(built.document["trains"].values()) > 0
    told = mobility("region", "status", tmp_path / "edition", "--json")
    assert told.document["to_review"].keys() == {"stations", "trains"}


def test_what_is_there_is_not_overwritten_and_a_bad_answer_leaves_nothing(
    mobility, feeds, tmp_path
):
    folder = tmp_path / "new"
    refused = mobility("region", "new", folder, *feeds, "--answer", "west.country=Britain")
    assert refused.status == 2
    assert "country" in refused.error_line
    assert list(folder.iterdir()) == []
    assert mobility("region", "new", folder, *feeds).status == 0
    before = (folder / "region.toml").read_bytes()
    again = mobility("region", "new", folder, *feeds)
    assert (again.status, "there is a region already" in again.error_line) == (1, True)
    assert (folder / "region.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--answer", "west.colour=red"], "no such field"),
        (["--answer", "west"], "expected FEED.FIELD=VALUE"),
        (["--answer", "north.country=CH"], "no such feed"),
        (["--answer", "west.precedence=first"], "whole number"),
        (["--answer", "west.train_number=trip_id"], "COLUMN:PATTERN"),
        (["--timezone", "Mars/Base"], "timezone"),
    ],
)
def test_words_that_fit_nothing_are_told(mobility, feeds, tmp_path, words, told):
    refused = mobility("region", "new", tmp_path / "new", *feeds, *words)
    assert refused.status == 2
    assert told in refused.error_line


def test_feeds_are_needed_and_an_address_is_taken_as_it_is(mobility, tmp_path):
    assert "put them into" in mobility("region", "new", tmp_path / "none").error_line
    folder = tmp_path / "net"
    assert mobility("region", "new", folder, "https://feeds.example/north.zip").status == 0
    (feed,) = read_manifest(folder).feeds
    assert (feed.id, feed.url, feed.path) == ("north", "https://feeds.example/north.zip", None)


def test_every_question_of_the_terminal_can_be_left_open(feeds):
    proposals = {
        path.name: propose(read_feed(FeedConfig(id=path.name, path=path))) for path in feeds
    }
    new = [NewFeed(name, name, "gtfs", proposal) for name, proposal in proposals.items()]
    asked: list[str] = []

    def ask(question: str, proposed: str) -> str:
        asked.append(question)
        return proposed

    said, answered = ask_all({"id": "x", "name": "", "timezone": "", "languages": ""}, new, ask)
    assert said["timezone"] == "Europe/London"
    assert [feed.answers["country"] for feed in answered] == ["GB", "FR"]
    assert len(asked) == 3 + 2 * 3
    document = tomllib.loads(region_text(said, answered, "x"))
    assert document["name"] == "x"
    assert [feed["licence"] for feed in document["feeds"]] == ["", ""]


def test_proposals_say_what_the_data_say(tmp_path):
    trips = {f"T{n}": f"IC {n} Name: S1 08:00, S2 08:10, S3 08:20" for n in (101, 102, 103)}
    found = propose(feed_of(tmp_path, "rail", lines(STOPS, trips)))
    assert found.country is not None
    assert (found.country.country, found.country.certain) == ("CH", False)
    assert found.number is not None
    assert (found.number.rule.column, found.number.rate) == ("trip_short_name", 1.0)
    assert found.number.numbers == 3
    assert found.border is not None
    assert (found.border.stops, found.border.example) == (1, "Easton (Gr)")
    bus = {"B1": ": S1 08:00, S3 08:10"}
    plain = propose(feed_of(tmp_path, "bus", lines(STOPS.replace(" (Gr)", ""), bus)))
    assert (plain.number, plain.border) == (None, None)


def test_text_of_a_feed_cannot_break_the_file(tmp_path):
    hostile = lines(STOPS, {"T1": "1: S1 08:00, S2 08:10"}).replace(
        "A1,Agency", 'A1,"x"" ] \u2028 = \u0085[[feeds]]"'
    )
    proposal = propose(feed_of(tmp_path, "odd", hostile))
    text = region_text({"id": "x"}, [NewFeed("odd", "odd", "gtfs", proposal)], "x")
    assert len(tomllib.loads(text)["feeds"]) == 1
    assert tomllib.loads(f"a = {quoted(chr(127) + chr(9) + chr(34))}")["a"] == '\x7f\t"'


def test_status_tells_alarms_and_counts(mobility, tmp_path, monkeypatch):
    region = write_border_region(tmp_path)
    monkeypatch.setenv("MOBILITY_NOW", "2027-12-25T09:00:00Z")
    told = mobility("region", "status", region)
    assert told.status == 0, told.err
    assert "west: ends on 2027-12-31, in 6 days" in told.err
    assert "CC0-1.0" in told.out
    monkeypatch.setenv("MOBILITY_NOW", "2028-02-01T09:00:00Z")
    ended = mobility("region", "status", region, "--json")
    assert ended.status == 3
    assert {alarm["code"] for alarm in ended.document["alarms"]} == {"ended"}
    assert all(feed["counts"]["read"] > 0 for feed in ended.document["feeds"])


@pytest.mark.parametrize("command", [("region", "status"), ("feeds", "status")])
def test_a_narrow_terminal_cuts_no_id_and_no_date(mobility, tmp_path, monkeypatch, command):
    monkeypatch.setenv("MOBILITY_NOW", "2027-01-05T09:30:00Z")
    region = write_border_region(tmp_path)
    wide = mobility(*command, region, "--json").document
    monkeypatch.setattr(output, "out", Console(width=40, soft_wrap=True))
    monkeypatch.setattr(region_cli, "out", output.out)
    told = mobility(*command, region)
    for feed in wide["feeds"]:
        assert f"feed         {feed['id']}" in told.out or f"feed       {feed['id']}" in told.out
        assert str(feed.get("valid_from") or "") in told.out
    assert "…" not in told.out


def test_numbers_have_the_noun_that_fits(mobility, feeds, tmp_path):
    told = mobility("region", "new", tmp_path / "one", feeds[0], "--no-ask")
    assert "1 feed; questions" in told.out
