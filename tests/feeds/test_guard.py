"""The guard: each thing that speaks against a version is told, and nothing else."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from mobility.feeds.versions.guard import guard
from mobility.feeds.versions.summary import DayCounts, FeedSummary, read_summary

TODAY = dt.date(2027, 5, 4)
GOOD = FeedSummary(
    version="a" * 64,
    zone="Europe/Zurich",
    agencies=(("1", "Bus"), ("2", "Boat")),
    box=(47.0, 7.0, 47.5, 8.0),
    days=DayCounts(TODAY - dt.timedelta(days=30), (100,) * 90),
    tables={},
    notices={},
    errors=3,
)


def with_days(*trips: int, first: dt.date = TODAY) -> FeedSummary:
    return replace(GOOD, days=DayCounts(first, trips))


def test_a_version_like_the_one_before_passes():
    assert guard(GOOD, GOOD, TODAY) == ()


def test_the_first_version_passes_unless_it_has_ended():
    assert guard(None, GOOD, TODAY) == ()
    assert guard(None, with_days(9, first=TODAY - dt.timedelta(days=1)), TODAY) == (
        "it ended on 2027-05-03: nothing of it runs any more",
    )


@pytest.mark.parametrize(("ahead", "refused"), [(0, True), (13, True), (14, False), (-1, False)])
def test_trips_must_not_drop_on_any_of_the_next_14_days(ahead, refused):
    trips = [100] * 90
    trips[30 + ahead] = 69
    new = with_days(*trips, first=GOOD.days.first)
    reasons = guard(GOOD, new, TODAY)
    day = TODAY + dt.timedelta(days=ahead)
    told = (f"trips drop by more than 30% on 1 of the next 14 days; worst {day}: 100 to 69 (-31%)",)
    assert reasons == (told if refused else ())


def test_a_drop_by_30_percent_is_allowed_and_a_rise_too():
    assert guard(GOOD, with_days(*[70] * 30), TODAY) == ()
    assert guard(GOOD, with_days(*[400] * 30), TODAY) == ()


def test_days_that_the_version_before_does_not_serve_are_free():
    old = with_days(*[100] * 5)
    assert guard(old, with_days(*[100] * 5, *[1] * 30), TODAY) == ()


def test_a_version_that_begins_too_late_drops_all_trips():
    (reason,) = guard(GOOD, with_days(*[100] * 30, first=TODAY + dt.timedelta(days=3)), TODAY)
    assert reason.startswith("trips drop by more than 30% on 3 of the next 14 days; worst 2027-05")


def test_agencies_must_not_vanish_but_may_change_their_id_or_their_name():
    assert guard(GOOD, replace(GOOD, agencies=(("9", "bus"), ("2", "Ferry"))), TODAY) == ()
    gone = replace(GOOD, agencies=(("1", "Bus"),))
    assert guard(GOOD, gone, TODAY) == ("agencies vanish: Boat",)


@pytest.mark.parametrize(
    ("box", "refused"),
    [
        ((47.0, 7.0, 47.5, 8.6), False),
        ((47.0, 7.0, 47.5, 8.8), True),
        ((0.0, 0.0, 47.5, 8.0), True),
        ((47.2, 7.4, 47.3, 7.6), False),
        (None, True),
    ],
)
def test_the_served_area_must_not_jump(box, refused):
    assert bool(guard(GOOD, replace(GOOD, box=box), TODAY)) == refused


def test_errors_must_not_rise():
    assert guard(GOOD, replace(GOOD, errors=3), TODAY) == ()
    assert guard(GOOD, replace(GOOD, errors=4), TODAY) == ("rows with errors rise from 3 to 4",)


def test_the_zone_must_not_change():
    assert guard(GOOD, replace(GOOD, zone="Europe/London"), TODAY) == (
        "the time zone changes from Europe/Zurich to Europe/London",
    )


def test_all_reasons_are_told_at_once():
    bad = replace(with_days(10), zone="Asia/Tokyo", agencies=(), errors=9, box=(0, 0, 1, 1))
    assert len(guard(GOOD, bad, TODAY)) == 5


def test_a_summary_comes_back_from_its_document():
    assert read_summary(GOOD.document()) == GOOD
