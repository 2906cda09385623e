"""Rules about trips: impossible ones go under a code, gaps are filled, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility.core.errors import FeedError
from mobility.core.notices import count_by_code
from mobility.core.time import gtfs_time
from mobility.feeds import Feed

Read = Callable[..., Feed]
HEAD = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
GOOD = "T2,09:00:00,09:00:00,S3,1\nT2,09:05:00,09:06:00,S2,2\nT2,09:10:00,09:10:00,S1,3\n"


def calls(feed: Feed, trip_id: str) -> list[tuple[str, str, str]]:
    """Stop, arrival and departure of a trip's rows."""
    number = feed.tables["trips"]["trip_id"].to_list().index(trip_id)
    stops = feed.tables["stops"]["stop_id"]
    rows = feed.tables["stop_times"].filter(pl.col("trip") == number)
    return [
        (stops[stop], gtfs_time(arrival), gtfs_time(departure))
        for stop, arrival, departure in rows.select(
            "stop", "arrival_time", "departure_time"
        ).iter_rows()
    ]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("T1,08:00:00,08:00:00,S1,1\nT1,07:59:00,08:06:00,S2,2\n",
         "stop_time_with_arrival_before_previous_departure_time"),
        ("T1,08:00:00,08:00:00,S1,1\nT1,08:07:00,08:06:00,S2,2\n",
         "stop_time_with_departure_before_arrival_time"),
        ("T1,08:00:00,08:00:00,S1,1\nT1,eight,08:06:00,S2,2\n", "invalid_time"),
        ("T1,08:00:00,08:00:00,S1,1\nT1,08:61:00,08:62:00,S2,2\n", "invalid_time"),
        ("T1,08:00:00,08:00:00,S1,1\nT1,-1:00:00,-1:00:00,S2,2\n", "invalid_time"),
        ("T1,,,S1,1\nT1,08:05:00,08:06:00,S2,2\n", "missing_trip_edge"),
        ("T1,08:00:00,08:00:00,S1,1\nT1,,,S2,2\n", "missing_trip_edge"),
        ("T1,08:00:00,08:00:00,S1,1\nT1,08:05:00,08:06:00,,2\n", "stop_time_without_stop"),
        ("T1,08:00:00,08:00:00,S1,1\n", "unusable_trip"),
        ("T1,08:00:00,08:00:00,S1,1\nT1,08:30:00,08:30:00,S1,2\n", "unusable_trip"),
    ],
)  # fmt: skip
def test_an_impossible_trip_is_dropped_whole_under_its_code(
    read_files: Read, rows: str, code: str
) -> None:
    feed = read_files({"stop_times.txt": HEAD + rows + GOOD})
    assert feed.tables["trips"]["trip_id"].to_list() == ["T2"]
    assert len(calls(feed, "T2")) == 3
    told = {n.code: n for n in feed.notices if n.file == "trips.txt"}
    assert set(told) == {code} and told[code].row == 2
    assert told[code].severity in ("error", "warning")
    counts = feed.counts["stop_times"]
    assert (counts.kept, counts.dropped) == (3, rows.count("\n"))


def test_a_trip_without_rows_is_unused(read_files: Read) -> None:
    feed = read_files({"stop_times.txt": HEAD + GOOD})
    assert count_by_code(feed.notices) == {"unused_trip": 1}
    assert feed.counts["trips"].dropped == 1


def test_times_beyond_midnight_and_two_days_are_plain_seconds(read_files: Read) -> None:
    rows = "T1,23:50:00,23:50:00,S1,1\nT1,24:10:00,25:30:00,S2,2\nT1,49:00:01,100:00:00,S3,3\n"
    feed = read_files({"stop_times.txt": HEAD + rows + GOOD})
    assert calls(feed, "T1")[1:] == [
        ("S2", "24:10:00", "25:30:00"),
        ("S3", "49:00:01", "100:00:00"),
    ]
    assert not feed.notices


def test_missing_inner_times_are_interpolated_by_distance_and_marked(read_files: Read) -> None:
    """S1-S2-S3 are a hundredth of a degree apart, S4 two: a quarter, a half of the way."""
    rows = "T1,08:00:00,08:00:00,S1,1\nT1,,,S2,2\nT1,,,S3,3\nT1,08:40:00,08:40:00,S4,4\n"
    feed = read_files({"stop_times.txt": HEAD + rows + GOOD})
    assert [departure for _, _, departure in calls(feed, "T1")] == [
        "08:00:00", "08:10:00", "08:20:00", "08:40:00",
    ]  # fmt: skip
    assert feed.tables["stop_times"]["timepoint"].to_list() == [1, 0, 0, 1, 1, 1, 1]
    assert feed.counts["stop_times"].repaired == 2
    assert count_by_code(feed.notices) == {"time_interpolated": 2}


@pytest.mark.parametrize("rows_at_a_time", [1, 4, 5, 100])
def test_gaps_are_filled_alike_however_many_rows_are_measured_at_a_time(
    read_files: Read, monkeypatch: pytest.MonkeyPatch, rows_at_a_time: int
) -> None:
    monkeypatch.setattr("mobility.feeds.trip_times._CHUNK", rows_at_a_time)
    one = "T1,08:00:00,08:00:00,S1,1\nT1,,,S2,2\nT1,,,S3,3\nT1,08:40:00,08:40:00,S4,4\n"
    two = "T2,09:00:00,09:00:00,S3,1\nT2,,,S2,2\nT2,09:10:00,09:10:00,S1,3\n"
    feed = read_files({"stop_times.txt": HEAD + one + two})
    assert [departure for _, _, departure in calls(feed, "T1")[1:3]] == ["08:10:00", "08:20:00"]
    assert calls(feed, "T2")[1] == ("S2", "09:05:00", "09:05:00")


def test_the_feeds_own_distances_come_before_straight_lines(read_files: Read) -> None:
    rows = "T1,08:00:00,08:00:00,S1,1,0\nT1,,,S2,2,3\nT1,08:40:00,08:40:00,S3,3,4\n"
    good = GOOD.replace("\n", ",\n")
    head = HEAD.strip() + ",shape_dist_traveled\n"
    feed = read_files({"stop_times.txt": head + rows + good})
    assert calls(feed, "T1")[1] == ("S2", "08:30:00", "08:30:00")


def test_one_given_time_stands_for_both(read_files: Read) -> None:
    rows = "T1,,08:00:00,S1,1\nT1,08:05:00,,S2,2\n"
    feed = read_files({"stop_times.txt": HEAD + rows + GOOD})
    assert calls(feed, "T1") == [("S1", "08:00:00", "08:00:00"), ("S2", "08:05:00", "08:05:00")]
    assert count_by_code(feed.notices) == {"stop_time_with_only_arrival_or_departure_time": 2}


def test_the_same_stop_in_a_row_is_one_dwell(read_files: Read) -> None:
    head = HEAD.strip() + ",pickup_type,drop_off_type\n"
    rows = (
        "T1,08:00:00,08:00:00,S1,1,0,1\nT1,08:05:00,08:06:00,S2,2,1,0\n"
        "T1,08:08:00,08:09:00,S2,3,0,1\nT1,08:20:00,08:20:00,S3,4,1,0\n"
    )
    feed = read_files({"stop_times.txt": head + rows + GOOD.replace("\n", ",,\n")})
    assert calls(feed, "T1")[1] == ("S2", "08:05:00", "08:09:00")
    row = feed.tables["stop_times"].row(1, named=True)
    assert (row["pickup_type"], row["drop_off_type"], row["stop_sequence"]) == (0, 0, 2)
    assert feed.counts["stop_times"].dropped == 1


def test_rows_out_of_order_are_sorted_and_doubled_ones_told(read_files: Read) -> None:
    rows = (
        "T1,08:10:00,08:10:00,S3,30\nT1,08:00:00,08:00:00,S1,1\n"
        "T1,08:00:00,08:00:00,S1,1\nT1,08:02:00,08:02:00,S4,30\n"
    )
    feed = read_files({"stop_times.txt": HEAD + GOOD + rows})
    assert [stop for stop, _, _ in calls(feed, "T1")] == ["S1", "S3"]
    assert count_by_code(feed.notices) == {"duplicate_key": 1, "duplicate_row": 1}


def test_unknown_trips_and_stops_are_told_apart(read_files: Read) -> None:
    rows = GOOD + "T9,08:00:00,08:00:00,S1,1\nT2,09:20:00,09:20:00,S9,4\n"
    feed = read_files({"stop_times.txt": HEAD + rows})
    told = {n.field: n for n in feed.notices if n.code == "foreign_key_violation"}
    assert {field: (n.row, n.value) for field, n in told.items()} == {
        "trip_id": (5, "T9"), "stop_id": (6, "S9"),
    }  # fmt: skip


def test_local_times_across_a_border_are_suspected(read_files: Read) -> None:
    rows = "T1,08:30:00,08:30:00,S1,1\nT1,07:30:00,07:31:00,S2,2\n"
    feed = read_files({"stop_times.txt": HEAD + rows + GOOD})
    assert "local_times_entered" in count_by_code(feed.notices)


def test_a_feed_without_any_usable_trip_is_refused_with_the_commonest_reason(
    read_files: Read,
) -> None:
    with pytest.raises(FeedError, match=r"no trip of this feed runs on any day.*unused_trip") as at:
        read_files({"stop_times.txt": HEAD})
    assert "\n" not in str(at.value)


def test_rows_on_demand_within_a_window_are_kept_apart(read_files: Read) -> None:
    head = (
        HEAD.strip()
        + ",location_group_id,start_pickup_drop_off_window,end_pickup_drop_off_window,pickup_type\n"
    )
    rows = "T1,,,,1,G,08:00:00,18:00:00,2\nT1,,,,2,G,08:00:00,18:00:00,2\n"
    feed = read_files(
        {
            "stop_times.txt": head + rows + GOOD.replace("\n", ",,,,\n"),
            "location_groups.txt": "location_group_id\nG\n",
        }
    )
    assert feed.tables["flex_trips"]["trip_id"].to_list() == ["T1"]
    assert len(feed.tables["flex_stop_times"]) == 2
    counts = feed.counts["stop_times"]
    assert (counts.read, counts.kept, counts.dropped) == (5, 5, 0)
    assert feed.counts["trips"].kept == 2


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.integers(0, 90_000), st.integers(0, 7_200), st.integers(1, 3_000),
                  st.sampled_from(["", "0", "1"])),
        min_size=1, max_size=4, unique_by=lambda row: row[0],
    )
)  # fmt: skip
def test_runs_start_while_before_the_end(
    read_files: Read, windows: list[tuple[int, int, int, str]]
) -> None:
    """Against the plain loop of the specification: start + k * headway while before end."""
    lines = [
        f"T1,{gtfs_time(start)},{gtfs_time(start + length)},{headway},{exact}\n"
        for start, length, headway, exact in windows
    ]
    wanted: dict[int, int | None] = {}
    for start, length, headway, exact in windows:
        at = start
        while at < start + length:
            wanted.setdefault(at, None if exact == "1" else headway)
            at += headway
        assert ceil(length / headway) == len(range(start, start + length, headway))
    head = "trip_id,start_time,end_time,headway_secs,exact_times\n"
    feed = read_files({"frequencies.txt": head + "".join(lines)})
    runs = feed.tables["trips"].filter(pl.col("template_trip_id") == "T1")
    got = dict(zip(runs["trip_id"], runs["headway_s"], strict=True))
    assert got == {f"T1~{gtfs_time(start)}": headway for start, headway in wanted.items()}
    if wanted:
        assert "T1" not in feed.tables["trips"]["trip_id"].to_list()
        for start in wanted:
            assert calls(feed, f"T1~{gtfs_time(start)}") == [
                ("S1", gtfs_time(start), gtfs_time(start)),
                ("S2", gtfs_time(start + 300), gtfs_time(start + 360)),
                ("S3", gtfs_time(start + 600), gtfs_time(start + 600)),
            ]
    assert len(calls(feed, "T2")) == 3
    counts = feed.counts
    assert counts["trips"].kept == 2 and counts["stop_times"].kept == 6
    assert counts["frequencies"].kept == sum(length > 0 for _, length, _, _ in windows)


def test_what_is_said_of_a_template_is_said_of_its_runs(read_files: Read) -> None:
    feed = read_files(
        {
            "frequencies.txt": (
                "trip_id,start_time,end_time,headway_secs,exact_times\nT1,08:00:00,09:00:00,1800,1\n"
            ),
            "translations.txt": (
                "table_name,field_name,language,translation,record_id,record_sub_id\n"
                "trips,trip_headsign,fr,Un,T1,\nstop_times,stop_headsign,fr,Deux,T2,1\n"
            ),
            "attributions.txt": "attribution_id,trip_id,organization_name\n1,T1,O\n2,,O\n",
            "transfers.txt": (
                "from_stop_id,to_stop_id,from_trip_id,to_trip_id,transfer_type\n"
                "S3,S3,T1,T2,1\nS1,S2,,,2\n"
            ),
        }
    )
    translations = feed.tables["translations"].select("record_id", "translation").rows()
    assert translations == [("T2", "Deux"), ("T1~08:00:00", "Un"), ("T1~08:30:00", "Un")]
    named = feed.tables["attributions"]["trip_id"].to_list()
    assert named == [None, "T1~08:00:00", "T1~08:30:00"]
    kept = {name: (feed.counts[name].kept, feed.counts[name].dropped) for name in feed.counts}
    assert kept["translations"] == kept["attributions"] == (2, 0)
    assert kept["transfers"] == (1, 1)
    assert count_by_code(feed.notices) == {"frequency_template": 1, "transfer_at_template": 1}


def test_more_runs_than_any_timetable_has_are_refused(
    read_files: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobility.feeds.frequencies.MAX_RUNS", 100)
    row = "trip_id,start_time,end_time,headway_secs\nT1,00:00:00,24:00:00,1\n"
    with pytest.raises(FeedError, match="86400 runs; at most 100"):
        read_files({"frequencies.txt": row})
