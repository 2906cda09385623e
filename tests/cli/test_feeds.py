"""`mobility feeds fetch|versions|activate|rollback|status`, as the region's staff use them."""

from __future__ import annotations

import pytest

from tests.border import write_border_region
from tests.feeds.versions_world import Reply, feed_zip, served

MANIFEST = """
format = 1
id = "strait"
name = "The Strait"
[[feeds]]
id = "north"
url = "{url}"
"""


@pytest.fixture
def server(monkeypatch):
    """Return a server that stands for an operator's, as a closed network would have it."""
    monkeypatch.setenv("MOBILITY_FETCH_PRIVATE", "true")
    monkeypatch.setenv("MOBILITY_NOW", "2027-01-05T09:30:00Z")
    with served() as running:
        running.base = f"http://127.0.0.1:{running.port}"
        yield running


@pytest.fixture
def region(server, tmp_path):
    folder = tmp_path / "strait"
    folder.mkdir()
    (folder / "region.toml").write_text(MANIFEST.format(url=f"{server.base}/gtfs.zip"))
    return folder


def test_from_an_address_to_an_edition_and_back(mobility, region, server, tmp_path):
    edition = tmp_path / "edition"
    refused = mobility("build", region, "-o", edition)
    assert refused.status == 1
    assert "mobility feeds fetch" in refused.error_line
    assert mobility("feeds", "status", region).status == 3

    server.say(Reply(body=feed_zip(10)))
    first = mobility("feeds", "fetch", region, "--json")
    assert first.status == 0, first.err
    assert first.document["feeds"][0]["outcome"] == "activated"
    assert mobility("build", region, "-o", edition).status == 0
    info = mobility("info", edition, "--json").document
    assert info["feeds"][0]["version"] == first.document["feeds"][0]["version"]["version"]

    server.say(Reply(body=feed_zip(5)))
    waits = mobility("feeds", "fetch", region)
    assert waits.status == 3
    assert "not used: trips drop by more than 30%" in waits.err
    status = mobility("feeds", "status", region, "--json")
    assert status.status == 0
    assert [alarm["code"] for alarm in status.document["alarms"]] == ["version_waiting"]

    again = mobility("feeds", "activate", region, "north")
    assert again.status == 3
    assert "trips drop" in again.err
    done = mobility("feeds", "activate", region, "north", "--despite", "strike until June")
    assert done.status == 0
    versions = mobility("feeds", "versions", region, "north", "--json").document["versions"]
    assert sorted(one["state"] for one in versions) == ["", "in use"]
    assert mobility("feeds", "rollback", region, "north").status == 0
    assert mobility("build", region, "-o", edition).status == 0
    assert mobility("info", edition, "--json").document["feeds"][0]["version"] in first.out
    history = mobility("feeds", "status", region, "--json").document["feeds"][0]["history"]
    assert [one["action"] for one in history] == ["activate", "refuse", "activate", "rollback"]
    assert history[2]["despite"] == "strike until June"


def test_versions_are_compared_by_file_and_by_name(mobility, region, server, tmp_path):
    for trips in (10, 11, 3):
        (tmp_path / f"{trips}.zip").write_bytes(feed_zip(trips))
    told = mobility("feeds", "diff", tmp_path / "10.zip", tmp_path / "11.zip")
    assert told.status == 0
    assert "Trips: 1 new, of 10." in told.out
    same = mobility("feeds", "diff", tmp_path / "10.zip", tmp_path / "10.zip", "--json")
    assert same.document["empty"]

    assert mobility("feeds", "diff", "--region", region, "--feed", "north").status == 2
    for trips in (10, 11):
        mobility("feeds", "fetch", region, "--file", f"north={tmp_path / f'{trips}.zip'}")
    aliases = tmp_path / "aliases.csv"
    compare = ("feeds", "diff", "--region", region, "--feed", "north", "--json")
    before = mobility(*compare, "--aliases", aliases).document
    assert (before["n_trips"], before["n_aliases"]) == ([10, 11], 10)
    assert len(aliases.read_text().splitlines()) == 11
    mobility("feeds", "fetch", region, "--file", f"north={tmp_path / '3.zip'}")
    waiting = mobility(*compare).document
    assert waiting["n_trips"] == [11, 3]
    old, new = before["old_version"], before["new_version"]
    assert mobility(*compare, new[:12], old[:12]).document["n_trips"] == [11, 10]


def test_a_feed_that_cannot_be_fetched_does_not_stop_the_others(mobility, region, server):
    (region / "region.toml").write_text(
        MANIFEST.format(url=f"{server.base}/gtfs.zip")
        + f'[[feeds]]\nid = "south"\nurl = "{server.base}/south.zip"\n'
    )
    server.say(Reply(404), Reply(body=feed_zip()))
    outcome = mobility("feeds", "fetch", region, "--json")
    assert outcome.status == 1
    assert "404" in outcome.error_line
    assert [one["outcome"] for one in outcome.document["feeds"]] == ["failed", "activated"]
    status = mobility("feeds", "status", region, "--json")
    assert status.status == 3
    codes = [(alarm["feed"], alarm["code"]) for alarm in status.document["alarms"]]
    assert codes == [("north", "never_fetched"), ("north", "fetch_failing")]


def test_a_file_that_was_mailed_is_taken_in(mobility, region, server, tmp_path):
    file = tmp_path / "mailed.zip"
    file.write_bytes(feed_zip())
    assert mobility("feeds", "fetch", region, "--file", f"north={file}").status == 0
    file.write_bytes(feed_zip(12))
    assert mobility("feeds", "activate", region, "north", "--file", file).status == 0
    document = mobility("feeds", "status", region, "--json").document
    assert document["feeds"][0]["active"]["trips_per_day"][0] == 12
    assert server.requests == []


def test_a_feed_of_a_path_is_kept_as_a_version_but_built_from_its_path(
    mobility, tmp_path, monkeypatch
):
    monkeypatch.setenv("MOBILITY_NOW", "2027-01-05T09:30:00Z")
    region = write_border_region(tmp_path)
    outcome = mobility("feeds", "fetch", region, "--json")
    assert outcome.status == 0
    assert [one["outcome"] for one in outcome.document["feeds"]] == ["activated", "activated"]
    again = mobility("feeds", "activate", region, "west")
    assert again.status == 0
    assert "built from its path" in again.err


def test_private_addresses_need_the_setting(mobility, region, server, monkeypatch):
    server.say(Reply(body=feed_zip()))
    monkeypatch.setenv("MOBILITY_FETCH_PRIVATE", "false")
    outcome = mobility("feeds", "fetch", region)
    assert outcome.status == 1
    assert "https" in outcome.error_line
    text = (region / "region.toml").read_text().replace("http://", "https://")
    (region / "region.toml").write_text(text)
    outcome = mobility("feeds", "fetch", region)
    assert outcome.status == 1
    assert "not of the open internet" in outcome.error_line
    assert server.requests == []


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("fetch", "nobody"), 2, "no feed of strait"),
        (("fetch", "--file", "north"), 2, "FEED=PATH"),
        (("fetch", "--file", "north=none.zip"), 1, "none.zip"),
        (("activate", "north"), 2, "mobility feeds fetch"),
        (("activate", "north", "abc"), 2, "no version begins with 'abc'"),
        (("rollback", "north"), 2, "nothing to go to"),
        (("versions", "nobody"), 2, "its feeds are north"),
        (("diff",), 2, "give two feeds"),
    ],
)
def test_a_mistake_is_told_in_one_line(mobility, region, words, status, told):
    command, *rest = words
    outcome = mobility("feeds", command, region, *rest)
    assert "Traceback" not in outcome.err
    assert outcome.status == status
    assert told in outcome.error_line
