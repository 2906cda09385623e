"""Time is right on both days on which clocks change, and doubtful times are refused."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobility.core.errors import TimeError
from mobility.core.time import (
    find_zone,
    gtfs_time,
    local_time,
    parse_date,
    parse_duration_s,
    parse_gtfs_time,
    parse_instant,
    service_day_origin,
)

zones = st.sampled_from(
    ["Europe/Zurich", "Europe/Lisbon", "Europe/London", "America/New_York", "Asia/Kolkata", "UTC"]
)
dates = st.dates(dt.date(2020, 1, 1), dt.date(2035, 12, 31))


@given(st.integers(0, 100 * 3600))
def test_gtfs_times_are_read_as_they_are_written(seconds):
    assert parse_gtfs_time(gtfs_time(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "7", "7:5", "07:60:00", "-1:00:00", "07:00:61", "7.30"])
def test_what_is_no_gtfs_time_is_none(text):
    assert parse_gtfs_time(text) is None


@given(dates, zones)
def test_a_service_day_begins_twelve_hours_before_its_noon(date, zone):
    noon = dt.datetime.combine(date, dt.time(12), find_zone(zone))
    assert service_day_origin(date, zone) + 12 * 3600 == noon.timestamp()


def test_half_past_one_of_the_night_after_is_the_same_clock_time_on_every_day():
    # 25:30:00 is 01:30 of the next day, also where that night skips or repeats an hour
    for date in (dt.date(2027, 3, 26), dt.date(2027, 10, 29)):
        instant = service_day_origin(date, "Europe/Berlin") + 91_800
        assert local_time(instant, "Europe/Berlin")[11:16] == "01:30"


def test_on_the_days_of_change_zero_is_not_midnight():
    assert local_time(
        service_day_origin(dt.date(2027, 3, 28), "Europe/Berlin"), "Europe/Berlin"
    ) == ("2027-03-27T23:00:00+01:00")
    assert local_time(
        service_day_origin(dt.date(2027, 10, 31), "Europe/Berlin"), "Europe/Berlin"
    ) == ("2027-10-31T01:00:00+02:00")


def test_a_time_that_exists_twice_is_refused_with_both_readings():
    with pytest.raises(TimeError, match=r"twice.*02:30:00\+02:00 or .*02:30:00\+01:00"):
        parse_instant("2027-10-31T02:30", "Europe/Zurich")


def test_a_time_that_does_not_exist_is_refused_with_both_readings():
    with pytest.raises(TimeError, match=r"does not exist.*01:30:00\+01:00 or .*03:30:00\+02:00"):
        parse_instant("2027-03-28T02:30", "Europe/Zurich")


@given(st.integers(1_600_000_000, 2_000_000_000), zones)
def test_an_instant_with_its_offset_is_read_back(instant, zone):
    assert parse_instant(local_time(instant, zone), "UTC") == instant


@pytest.mark.parametrize("text", ["", "tomorrow", "2027-13-01T10:00", "25:00"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(TimeError, match="is no time"):
        parse_instant(text, "Europe/Zurich")


def test_an_unknown_zone_is_refused():
    with pytest.raises(TimeError, match="'Mars/Olympus'"):
        find_zone("Mars/Olympus")


@pytest.mark.parametrize("text", ["2027-02-30", "x", ""])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(TimeError, match="is no date"):
        parse_date(text)


@pytest.mark.parametrize("text", ["", "h", "0h", "49h", "two hours"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(TimeError):
        parse_duration_s(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00", "9999-12-31T23:59+14:00"])
def test_years_that_no_timetable_speaks_of_are_refused(text: str) -> None:
    with pytest.raises(TimeError, match="expected a year from 1900 to 2200"):
        parse_instant(text, "Europe/Zurich")
