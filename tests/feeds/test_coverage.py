"""Coverage and alarms: who runs on which day, and what a person is told to do."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobility.feeds import (
    DayCounts,
    FeedConfig,
    FeedStatus,
    FeedStore,
    FeedSummary,
    Manifest,
    coverage_calendar,
    read_feed,
    region_coverage,
    region_status,
    service_days,
    status_document,
)
from mobility.feeds.versions.coverage import AlarmLimits, alarms, gap_spans
from mobility.feeds.versions.fetch import take_file
from mobility.feeds.versions.store import Activation, FeedVersion, FetchState

from .versions_world import NOW, Now, feed_files, feed_zip, zip_of

TODAY = dt.date(2027, 5, 4)


def status(first: dt.date, *trips: int, **more: object) -> FeedStatus:
    summary = FeedSummary(
        "a" * 64, "Europe/Rome", (("1", "Bus"),), None, DayCounts(first, trips), {}, {}, 0
    )
    fetched = dt.datetime.combine(TODAY - dt.timedelta(days=9), dt.time(), dt.UTC)
    version = FeedVersion(summary, "", 1, fetched, "")
    plain = FeedStatus(
        id="north", url="https://n.example/a.zip", skip="", active=version, waiting=None,
        versions=(version,), history=(), fetch=FetchState(),
    )  # fmt: skip
    return replace(plain, **more)


def codes(feed: FeedStatus, **limits: int) -> list[tuple[str, str]]:
    found = alarms(feed, TODAY, limits=AlarmLimits(**limits))
    for alarm in found:
        assert alarm.message
        assert alarm.advice
        assert alarm.feed == "north"
    return [(alarm.code, alarm.severity) for alarm in found]


WHOLE = (9,) * 90


def test_a_feed_that_runs_for_long_raises_no_alarm():
    assert codes(status(TODAY, *WHOLE)) == []


@pytest.mark.parametrize(
    ("left", "code"),
    [
        (-1, [("ended", "error")]),
        (0, [("ends_soon", "warning")]),
        (14, [("ends_soon", "warning")]),
        (15, []),
    ],
)
def test_the_alarm_comes_14_days_before_a_feed_ends(left, code):
    first = TODAY + dt.timedelta(days=left - 29)
    assert codes(status(first, *[9] * 30)) == code


def test_when_the_alarm_comes_can_be_set():
    feed = status(TODAY - dt.timedelta(days=10), *[9] * 31)
    assert codes(feed, ends_within_days=20) == [("ends_soon", "warning")]
    assert codes(feed, ends_within_days=19) == []


def test_a_feed_that_has_not_begun_says_so():
    feed = status(TODAY + dt.timedelta(days=1), *WHOLE)
    assert codes(feed) == [("future", "warning")]
    assert "operator" in alarms(feed, TODAY)[0].advice
    two = replace(feed, versions=feed.versions * 2)
    assert "rollback REGION north" in alarms(two, TODAY)[0].advice


def test_days_without_any_trip_are_gaps_but_not_the_weekdays_on_which_nothing_ever_runs():
    trips = [0 if (TODAY + dt.timedelta(days=n)).weekday() > 4 else 9 for n in range(60)]
    assert codes(status(TODAY, *trips)) == []
    trips[9] = 0
    assert codes(status(TODAY, *trips)) == [("gap", "info")]
    trips[10] = trips[13] = 0  # a Thursday, a Friday, and the Monday after
    (gap,) = alarms(status(TODAY, *trips), TODAY)
    assert (gap.severity, gap.values["days"]) == ("warning", "5")
    assert gap.message == "nothing runs from 2027-05-13 to 2027-05-17, 5 days"


def test_gaps_of_the_past_are_past():
    trips = list(WHOLE)
    trips[3] = 0
    assert codes(status(TODAY - dt.timedelta(days=4), *trips)) == []


@given(st.lists(st.integers(0, 3), min_size=1, max_size=80))
def test_every_gap_is_without_trips_and_in_order(trips):
    days = DayCounts(TODAY, tuple(trips))
    spans = gap_spans(days, TODAY)
    told = [day for span in spans for day in span]
    assert told == sorted(told)
    for first, last in spans:
        for n in range((last - first).days + 1):
            assert days.on(first + dt.timedelta(days=n)) == 0


def test_a_feed_that_fails_says_since_when_and_gets_worse():
    since = dt.datetime(2027, 5, 3, 8, tzinfo=dt.UTC)
    feed = status(TODAY, *WHOLE, fetch=FetchState(failing_since=since, error="404 Not Found"))
    (alarm,) = alarms(feed, TODAY)
    assert (alarm.code, alarm.severity) == ("fetch_failing", "warning")
    assert alarm.message == "cannot be fetched since 2027-05-03: 404 Not Found"
    assert "--file north=PATH" in alarm.advice
    assert alarms(feed, TODAY + dt.timedelta(days=2))[0].severity == "error"


def test_an_old_version_of_a_feed_that_is_fetched_is_told():
    old = status(TODAY, *WHOLE)
    assert codes(old, old_after_days=8) == [("old_version", "info")]
    assert codes(old, old_after_days=9) == []
    assert codes(replace(old, url=""), old_after_days=1) == []


def test_a_version_that_waits_says_why_and_how_to_let_it_in():
    feed = status(TODAY, *WHOLE)
    refusal = Activation("refuse", "a" * 64, NOW, "ana", ("trips drop", "agencies vanish"))
    waiting = replace(feed, waiting=feed.active, history=(refusal,))
    (alarm,) = alarms(waiting, TODAY, region="strait")
    assert alarm.code == "version_waiting"
    assert alarm.values["why"] == "trips drop; agencies vanish"
    assert "mobility feeds activate strait north aaaaaaaaaaaa --despite REASON" in alarm.advice


def test_a_feed_of_which_nothing_is_in_use_says_how_to_fetch_it():
    assert codes(status(TODAY, 9, active=None)) == [("never_fetched", "error")]


def test_a_feed_that_is_left_out_raises_no_alarm():
    assert codes(status(TODAY, 9, active=None, skip="no licence yet")) == []


def test_trips_are_counted_as_they_run_by_day(tmp_path):
    path = tmp_path / "f.zip"
    dates = "service_id,date,exception_type\nWD,20270106,2\nX,20270107,1\n"
    files = feed_files(4, calendar_dates=dates)
    files["trips.txt"] = files["trips.txt"].replace("R1,WD,T3", "R1,X,T3")
    path.write_bytes(zip_of(files))
    feed = read_feed(FeedConfig(id="f", path=path))
    days = coverage_calendar([feed])["f"]
    assert days.first == dt.date(2027, 1, 4)
    assert days.trips[:5] == (3, 3, 0, 4, 3)
    rows, running = service_days(feed, days.first, len(days.trips))
    used = [feed.tables["trips"]["service_id"].to_list().count(service) for service in rows]
    for day, count in enumerate(days.trips):
        assert count == sum(n for n, runs in zip(used, running[:, day], strict=True) if runs)


def test_a_region_has_the_coverage_of_its_feeds(sample_region, sample_edition):
    from mobility.feeds import read_manifest
    from mobility.network import open_edition

    edition = open_edition(sample_edition)
    region = edition.region()
    ids = [feed.id for feed in region.feeds]
    merged = region_coverage(ids, region.first_date, region.days, region.tables)
    for config in read_manifest(sample_region).feeds:
        alone = coverage_calendar([read_feed(config)])[config.id]
        for ahead in range(0, 60):
            day = region.first_date + dt.timedelta(days=ahead + 2)
            assert merged[config.id].on(day) == alone.on(day), (config.id, day)


# --- a region as it stands ------------------------------------------------------------------------


@pytest.fixture
def manifest(tmp_path):
    (tmp_path / "strait").mkdir()
    (tmp_path / "strait" / "south.zip").write_bytes(feed_zip())
    feeds = (
        FeedConfig(id="north", url="https://n.example/a.zip"),
        FeedConfig(id="south", path=tmp_path / "strait" / "south.zip"),
        FeedConfig(id="west", path=tmp_path / "strait" / "west.zip"),
        FeedConfig(id="east", url="https://e.example/a.zip", skip="no licence yet"),
    )
    return Manifest(format=1, id="strait", name="S", feeds=feeds, folder=tmp_path / "strait")


def test_the_status_of_a_region_names_each_feed_and_what_to_see_to(manifest, tmp_path):
    home = tmp_path / "home"
    before = region_status(manifest, home, NOW.date())
    assert [feed.id for feed in before.feeds] == ["north", "south", "west", "east"]
    assert [(a.feed, a.code) for a in before.alarms] == [
        ("north", "never_fetched"), ("west", "unreadable"),
    ]  # fmt: skip
    file = tmp_path / "mailed.zip"
    file.write_bytes(feed_zip(12))
    take_file(manifest.feeds[0], file, FeedStore(home, "strait", "north"), Now().by())
    after = region_status(manifest, home, NOW.date())
    assert after.feeds[0].days.on(NOW.date()) == 12
    assert after.feeds[1].days.on(NOW.date()) == 10
    assert [(a.feed, a.code) for a in after.alarms] == [("west", "unreadable")]
    document = status_document(after)
    assert document["feeds"][0]["active"]["trips_per_day"][0] == 12
    assert document["feeds"][0]["history"][0]["actor"] == "ana"


def test_a_feed_under_a_path_is_read_again_when_it_changes_and_only_then(
    manifest, tmp_path, monkeypatch
):
    home = tmp_path / "home"
    region_status(manifest, home, NOW.date())
    with monkeypatch.context() as patched:
        patched.setattr(
            "mobility.feeds.versions.status.read_feed", lambda config: pytest.fail("read")
        )
        assert region_status(manifest, home, NOW.date()).feeds[1].days.trips[0] == 10
    (tmp_path / "strait" / "south.zip").write_bytes(feed_zip(11))
    assert region_status(manifest, home, NOW.date()).feeds[1].days.trips[0] == 11
    (home / "feeds" / "strait" / "south" / "path.json").write_text("{broken")
    assert region_status(manifest, home, NOW.date()).feeds[1].days.trips[0] == 11
