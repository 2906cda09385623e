"""A train that one feed lists twice runs once; what only looks like it stays two trains."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mobility.feeds import Feed, FeedConfig, read_feed

from .build import NUMBER, merged, section_texts, train_texts
from .golden_lists import RealFeeds

STOPS = """
A,Aville,47.00,7.00
B,Bdorf,47.10,7.00
C,Cheim,47.20,7.00
"""
RUN = "A 08:00, B 08:10/08:12, C 08:20"
TWICE = {"t": f": {RUN}", "u": f": {RUN}"}
CALENDAR = """
# calendar.txt
service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
S1,1,1,1,1,1,1,1,20270301,20270307
WD,1,1,1,1,1,0,0,20270301,20270307
WE,0,0,0,0,0,1,1,20270301,20270307
"""
Rail = Callable[..., Feed]


@pytest.mark.parametrize("join", [True, False])
def test_the_second_listing_is_an_alias_of_the_first(rail: Rail, join: bool) -> None:
    region = merged(rail("a", STOPS, TWICE), join=join)
    assert train_texts(region) == [f"equal 7: {RUN}"]
    assert section_texts(region, 0) == ["a:t 0-2", "a:u 0-2 alias"]
    assert sum(region.train_counts.values()) == 0  # of one feed only
    (told,) = [one for one in region.notices if one.code == "trips_listed_twice"]
    assert (told.feed, told.count) == ("a", 1)
    (match,) = region.tables["train_matches"].rows(named=True)
    assert (match["left_trip"], match["right_trip"], match["days"]) == ("a:t", "a:u", 7)


def test_only_the_common_days_are_subtracted(rail: Rail) -> None:
    feed = rail("a", STOPS, TWICE, calendar=CALENDAR, services={"t": "WD"})
    assert train_texts(merged(feed)) == [f"single 2: {RUN}", f"equal 5: {RUN}"]


def test_the_same_run_on_other_days_is_no_twin(rail: Rail) -> None:
    feed = rail("a", STOPS, TWICE, calendar=CALENDAR, services={"t": "WD", "u": "WE"})
    assert train_texts(merged(feed)) == [f"single 5: {RUN}", f"single 2: {RUN}"]


def test_another_platform_of_the_station_makes_no_other_train(tmp_path: Path, rail: Rail) -> None:
    rail("a", STOPS, TWICE | {"u": ": A 08:00, B2 08:10/08:12, C 08:20"})
    (tmp_path / "a" / "stops.txt").write_text(
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,platform_code\n"
        "A,Aville,47.00,7.00,0,,\nSB,Bdorf,47.10,7.00,1,,\nB,Bdorf,47.10,7.00,0,SB,1\n"
        "B2,Bdorf,47.1001,7.00,0,SB,2\nC,Cheim,47.20,7.00,0,,\n"
    )
    region = merged(read_feed(FeedConfig(id="a", path=tmp_path / "a")))
    assert train_texts(region) == [f"equal 7: {RUN}"]


@pytest.mark.parametrize(
    ("numbers", "trains"),
    [(("17", "18"), 2), (("17", "17"), 1), (("17", ""), 1), (("IC 0017", "RE 17"), 1)],
)
@pytest.mark.parametrize("rule", [NUMBER, None])
def test_numbers_that_contradict_keep_two_trains(
    rail: Rail, numbers: tuple[str, str], trains: int, rule: object
) -> None:
    feed = rail("a", STOPS, {"t": f"{numbers[0]}: {RUN}", "u": f"{numbers[1]}: {RUN}"},
                train_number=rule)  # fmt: skip
    assert len(train_texts(merged(feed))) == trains


def test_a_trip_without_a_number_joins_one_of_two_numbers(rail: Rail) -> None:
    trips = {"x": f": {RUN}", "t": f"17: {RUN}", "u": f"18: {RUN}"}
    region = merged(rail("a", STOPS, trips))
    assert sorted(train_texts(region)) == [f"equal 7: {RUN}", f"single 7: {RUN}"]
    assert section_texts(region, 1) == ["a:t 0-2", "a:x 0-2 alias"]


def test_another_mode_or_another_minute_is_another_train(rail: Rail) -> None:
    feed = rail("a", STOPS, TWICE, routes={"u": "R3"})
    assert len(train_texts(merged(feed))) == 2
    feed = rail("b", STOPS, TWICE | {"u": ": A 08:00, B 08:10/08:13, C 08:20"})
    assert len(train_texts(merged(feed))) == 2


def test_other_rules_of_boarding_are_another_train(rail: Rail, tmp_path: Path) -> None:
    rail("a", STOPS, TWICE)
    file = tmp_path / "a" / "stop_times.txt"
    head, *rows = file.read_text().splitlines()
    marked = [row + (",1" if row.startswith("u") and ",B," in row else ",0") for row in rows]
    file.write_text("\n".join([f"{head},pickup_type", *marked]) + "\n")
    assert len(train_texts(merged(read_feed(FeedConfig(id="a", path=tmp_path / "a"))))) == 2


def test_three_listings_are_one_train(rail: Rail) -> None:
    region = merged(rail("a", STOPS, TWICE | {"v": f": {RUN}"}))
    assert train_texts(region) == [f"equal 7: {RUN}"]
    assert section_texts(region, 0) == ["a:t 0-2", "a:u 0-2 alias", "a:v 0-2 alias"]


def test_border_points_of_twins_are_one(rail: Rail) -> None:
    stops = STOPS + "g,Bdorf(Gr),47.15,7.00\n"
    run = "A 08:00, B 08:10, g 08:15, C 08:20"
    region = merged(rail("a", stops, {"t": f": {run}", "u": f": {run}"}, border_point=r"\(Gr\)$"))
    assert train_texts(region) == ["equal 7: A 08:00, B 08:10, g* 08:15, C 08:20"]


def test_twins_join_another_feeds_train_together(rail: Rail) -> None:
    east = STOPS.replace("A,", "a,").replace("B,", "b,").replace("C,", "c,")
    feeds = [
        rail("one", STOPS, TWICE, precedence=1),
        rail("two", east, {"x": ": a 08:00, b 08:10/08:12"}, precedence=2),
    ]
    region = merged(*feeds)
    assert train_texts(region) == [f"contained 7: {RUN}"]
    assert section_texts(region, 0) == ["one:t 0-2", "one:u 0-2 alias", "two:x 0-1 alias"]


def test_people_may_keep_twins_apart(rail: Rail) -> None:
    apart = {"kind": "train", "left": "a:t", "right": "a:u", "decision": "different"}
    region = merged(rail("a", STOPS, TWICE), decisions=[apart])
    assert train_texts(region) == [f"single 7: {RUN}"] * 2


def test_the_messy_feed_that_lists_a_train_twice_runs_it_once(project_root: Path) -> None:
    feed = read_feed(FeedConfig(id="a", path=project_root / "tests/feeds/messy/21_trip_twice/feed"))
    region = merged(feed)
    assert "trips_listed_twice" in {one.code for one in region.notices}
    assert region.tables["trains"].height == feed.tables["trips"].height - 1


@pytest.mark.shared
def test_through_coaches_are_trains_of_their_own_where_their_ways_part(shared_data: Path) -> None:
    """One night train's coaches to four ends: portions that share the run up to the border."""
    region = RealFeeds(shared_data).merge("zssk")
    ids = region.tables["trips"]["trip_id"]
    of = {ids[trip]: train for train, trip in enumerate(region.tables["trains"]["trip"])}
    ends = {}
    names = region.tables["stops"]["stop_name"]
    for trip in ("476", "20000476", "50000476", "80000476"):
        row = region.tables["trains"].row(of[trip], named=True)
        last = region.tables["stop_times"].row(row["first_event"] + row["n_events"] - 1, named=True)
        ends[trip] = names[last["stop"]]
    assert len(set(ends.values())) == 4
    told = region.tables["train_matches"]
    assert all(json.loads(evidence)["skipped_calls"] == 0 for evidence in told["evidence"])
