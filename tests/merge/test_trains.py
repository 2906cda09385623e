"""Each structural class, on the smallest feeds that show it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from mobility.feeds import Feed, read_feed

from .build import NUMBER, merged, section_texts, stations_of, train_texts

WEST = """
A,Aville,47.00,7.00
B,Bdorf,47.10,7.00
C,Cheim,47.20,7.00
D,Dstadt,47.30,7.00
"""
EAST = """
b,Bdorf,47.1003,7.0003
c,Cheim,47.2003,7.0003
d,Dstadt Hbf,47.3003,7.0003
e,Eburg,47.40,7.00
"""
Rail = Callable[..., Feed]


def both(rail: Rail, west: dict[str, str], east: dict[str, str], **more: object) -> list[Feed]:
    """Return a Swiss and a German feed with trains on the two lists of stations."""
    common = {"train_number": NUMBER} | more
    return [
        rail("west", WEST, west, country="CH", precedence=1, **common),
        rail("east", EAST, east, country="DE", precedence=2, **common),
    ]


def kinds(feeds: list[Feed], **more: object) -> list[str]:
    return sorted(text.split(":")[0] for text in train_texts(merged(*feeds, **more)))


def test_a_train_listed_whole_twice_runs_once(rail: Rail) -> None:
    west = {"t": ": B 08:00, C 08:10/08:12, D 08:20"}
    east = {"u": ": b 08:00, c 08:10/08:12, d 08:20"}
    region = merged(*both(rail, west, east, train_number=None))
    assert train_texts(region) == ["equal 7: B 08:00, C 08:10/08:12, D 08:20"]
    assert section_texts(region, 0) == ["west:t 0-2", "east:u 0-2 alias"]


def test_a_part_inside_a_longer_run_joins_it(rail: Rail) -> None:
    west = {"t": ": A 07:50, B 08:00, C 08:10/08:12, D 08:20"}
    east = {"u": ": b 08:00, c 08:10/08:12"}
    region = merged(*both(rail, west, east, train_number=None))
    assert train_texts(region) == ["contained 7: A 07:50, B 08:00, C 08:10/08:12, D 08:20"]
    assert section_texts(region, 0) == ["west:t 0-3", "east:u 1-2 alias"]


def test_the_end_of_one_and_the_start_of_the_other_become_one_line(rail: Rail) -> None:
    west = {"t": "17: A 07:50, B 08:00, C 08:10"}
    east = {"u": "00017: b 08:00, c 08:10/08:12, d 08:20, e 08:30"}
    region = merged(*both(rail, west, east))
    assert train_texts(region) == ["overlap 7: A 07:50, B 08:00, c 08:10/08:12, d 08:20, e 08:30"]
    assert section_texts(region, 0) == ["west:t 0-2", "east:u 1-2 alias", "east:u 2-4"]


def test_a_train_goes_on_under_the_other_feed_with_its_number(rail: Rail) -> None:
    west = {"t": "17: A 07:50, B 08:00, C 08:10"}
    east = {"u": "17: c 08:15, d 08:20"}
    region = merged(*both(rail, west, east))
    assert train_texts(region) == ["hand_over 7: A 07:50, B 08:00, c 08:10/08:15, d 08:20"]
    assert section_texts(region, 0) == ["west:t 0-2", "east:u 2-3"]


def test_place_and_minute_alone_never_hand_over(rail: Rail) -> None:
    west = {"t": ": A 07:50, B 08:00, C 08:10"}
    east = {"u": ": c 08:10, d 08:20"}
    region = merged(*both(rail, west, east, train_number=None))
    assert [text.split(" ")[0] for text in train_texts(region)] == ["single", "single"]
    told = region.tables["train_matches"].row(0, named=True)
    assert (told["kind"], told["decision"]) == ("hand_over", "rejected")
    assert "connection" in told["evidence"]


def test_a_hand_over_that_the_manifest_lists_is_one_train(rail: Rail) -> None:
    west = {"t": "17: A 07:50, B 08:00, C 08:10"}
    east = {"u": "94017: c 08:19, d 08:25", "v": "94019: c 08:19, d 08:25"}
    pair = {"left": "west:17", "right": "east:94017", "station": "west:C"}
    region = merged(*both(rail, west, east), hand_overs=[pair])
    assert train_texts(region) == [
        "single 7: c 08:19, d 08:25",
        "hand_over 7: A 07:50, B 08:00, c 08:10/08:19, d 08:25",
    ]


def test_other_numbers_in_the_same_minutes_stay_two_trains(rail: Rail) -> None:
    west = {"t": "17: B 08:00, C 08:10, D 08:20"}
    east = {"u": "18: b 08:00, c 08:10, d 08:20"}
    region = merged(*both(rail, west, east))
    assert kinds(both(rail, west, east)) == ["single 7", "single 7"]
    assert region.tables["train_matches"]["kind"].to_list() == ["parallel"]


def test_two_shared_stations_inside_both_are_not_enough(rail: Rail) -> None:
    west = {"t": ": A 07:50, B 08:00, C 08:10, D 08:20"}
    east = {"u": ": e 07:30, b 08:00, c 08:10, e 08:40"}
    assert kinds(both(rail, west, east, train_number=None)) == ["single 7", "single 7"]


def test_three_minutes_apart_join_only_with_equal_numbers(rail: Rail) -> None:
    west = {"t": "17: B 08:00, C 08:10, D 08:20"}
    east = {"u": "17: b 08:03, c 08:13, d 08:23"}
    assert kinds(both(rail, west, east)) == ["equal 7"]
    assert kinds(both(rail, west, east, train_number=None)) == ["single 7", "single 7"]


def test_one_minute_apart_joins_by_structure(rail: Rail) -> None:
    west = {"t": ": B 08:00, C 08:10, D 08:20"}
    east = {"u": ": b 08:01, c 08:11, d 08:21"}
    assert kinds(both(rail, west, east, train_number=None)) == ["equal 7"]


CALENDAR = """
# calendar.txt
service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
S1,1,1,1,1,1,1,1,20270301,20270307
WD,1,1,1,1,1,0,0,20270301,20270307
"""


def test_days_are_subtracted_not_the_trip(rail: Rail) -> None:
    stops = {"t": "17: A 07:50, B 08:00, C 08:10"}
    part = {"u": "17: b 08:00, c 08:10"}
    feeds = [
        rail("west", WEST, stops, train_number=NUMBER, precedence=1),
        rail("east", EAST, part, train_number=NUMBER, calendar=CALENDAR, services={"u": "WD"}),
    ]
    assert train_texts(merged(*feeds)) == [
        "single 2: A 07:50, B 08:00, C 08:10",
        "contained 5: A 07:50, B 08:00, C 08:10",
    ]


def test_zones_of_other_offsets_meet_on_instants(rail: Rail) -> None:
    """The second feed's clock shows an hour less; its day begins an hour later."""
    feeds = [
        rail(
            "west",
            WEST,
            {"t": "17: B 08:00, C 08:10, D 08:20"},
            train_number=NUMBER,
            precedence=1,
        ),
        rail(
            "east",
            EAST,
            {"u": "17: c 07:10, d 07:20, e 07:30"},
            train_number=NUMBER,
            zone="Europe/Lisbon",
        ),
    ]
    region = merged(*feeds)
    assert train_texts(region) == ["overlap 7: B 08:00, C 08:10, d 08:20, e 08:30"]
    assert region.tables["trains"]["zone"].to_list() == ["Europe/Zurich"]


def test_a_night_train_dated_a_day_later_by_one_feed_is_one_train(rail: Rail) -> None:
    feeds = [
        rail("a", WEST, {"t": "17: A 23:50, B 24:10, C 24:20"}, train_number=NUMBER),
        rail("b", EAST, {"u": "17: b 00:10, c 00:20, d 00:30"}, train_number=NUMBER),
    ]
    region = merged(*feeds)
    assert train_texts(region) == [
        # The feeds begin on the same date: on the first the part from B on has no beginning, and
        # on the last the part up to C has no end.
        "single 1: A 23:50, B 24:10, C 24:20",
        "single 1: b 00:10, c 00:20, d 00:30",
        "overlap 6: A 23:50, B 24:10, c 24:20, d 24:30",
    ]
    joined = region.tables["sections"].filter(region.tables["sections"]["train"] == 2)
    assert joined["day_shift"].to_list() == [0, 1, 1]


CHANGING = """
# calendar.txt
service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
S1,1,1,1,1,1,1,1,20270313,20270402
"""


def test_days_split_where_the_offset_of_two_zones_changes(rail: Rail) -> None:
    """New York changes its clocks on 14 March 2027, Zürich on the 28th."""
    trips = {"u": ": b 02:00, c 02:10, d 02:20"}
    feeds = [
        rail("a", WEST, {"t": ": B 08:00, C 08:10, D 08:20"}, calendar=CHANGING),
        rail("b", EAST, trips, calendar=CHANGING, zone="America/New_York"),
    ]
    assert train_texts(merged(*feeds)) == [
        "single 14: B 08:00, C 08:10, D 08:20",
        "single 14: b 02:00, c 02:10, d 02:20",
        "equal 7: B 08:00, C 08:10, D 08:20",
    ]


def test_a_chain_over_three_feeds_is_one_train(rail: Rail) -> None:
    middle = "c,Cheim,47.2003,7.0003\nd,Dstadt,47.3003,7.0003\ne,Eburg,47.4003,7.0003"
    south = "E,Eburg,47.40,7.00\nF,Fau,47.50,7.00"
    feeds = [
        rail("a", WEST, {"t": "17: A 07:50, B 08:00, C 08:10"}, train_number=NUMBER),
        rail("b", middle, {"u": "17: c 08:12, d 08:20, e 08:30"}, train_number=NUMBER),
        rail("c", south, {"v": "17: E 08:35, F 08:50"}, train_number=NUMBER),
    ]
    for order in (feeds, feeds[::-1]):
        region = merged(*order)
        assert train_texts(region) == [
            "hand_over 7: A 07:50, B 08:00, c 08:10/08:12, d 08:20, E 08:30/08:35, F 08:50"
        ]
        assert section_texts(region, 0) == ["a:t 0-2", "b:u 2-4", "c:v 4-5"]


SOUTH = "C3,Cheim,47.2001,7.0001\nD3,Dstadt,47.3001,7.0001\ne3,Eburg,47.4001,7.0001\n"


def test_a_run_that_three_feeds_list_runs_once(rail: Rail) -> None:
    west = {"t": "17: B 08:00, C 08:10/08:12, D 08:20"}
    east = {"u": "17: b 08:00, c 08:10/08:12, d 08:20, e 08:30"}
    feeds = [*both(rail, west, east), rail("south", SOUTH, {"v": "17: C3 08:12, D3 08:20"},
                                           train_number=NUMBER)]  # fmt: skip
    region = merged(*feeds)
    assert train_texts(region) == ["contained 7: B 08:00, C 08:10/08:12, d 08:20, e 08:30"]
    assert sorted(section_texts(region, 0)) == [
        "east:u 0-2 alias", "east:u 2-3", "south:v 1-2 alias", "west:t 0-2",
    ]  # fmt: skip


def test_a_train_is_joined_on_both_its_ends(rail: Rail) -> None:
    """One feed lists the middle, two others its ends and some of the middle each."""
    west = {"t": "17: A 07:50, B 08:00, C 08:10"}
    middle = {"u": "17: b 08:00, c 08:10, d 08:20"}
    end = {"v": "17: C3 08:10, D3 08:20, e3 08:30"}
    feeds = [*both(rail, west, middle), rail("south", SOUTH, end, train_number=NUMBER)]
    (text,) = train_texts(merged(*feeds))
    assert text.split(": ")[1].split(", ")[0] == "A 07:50"
    assert [call.split()[1] for call in text.split(": ")[1].split(", ")] == [
        "07:50", "08:00", "08:10", "08:20", "08:30",
    ]  # fmt: skip


def test_an_overlap_with_several_portions_joins_one_and_tells_the_others(rail: Rail) -> None:
    """Coaches to two ends leave together; the other feed lists the common run and its beginning."""
    west = {"t": ": A 07:50, B 08:00, C 08:10"}
    east = {
        "u": ": b 08:00, c 08:10, d 08:20",
        "v": ": b 08:00, c 08:10, e 08:40",
    }
    region = merged(*both(rail, west, east, train_number=None))
    told = region.tables["train_matches"].select("left_trip", "right_trip", "decision").rows()
    assert told == [("east:u", "west:t", "joined"), ("east:v", "west:t", "portion")]
    assert sorted(train_texts(region)) == [
        "overlap 7: A 07:50, b 08:00, c 08:10, d 08:20",
        "overlap 7: b 08:00, c 08:10, e 08:40",
    ]
    assert section_texts(region, 1) == ["east:v 0-2", "west:t 0-1 alias"]


def test_what_a_feed_itself_lists_as_two_trains_is_not_handed_over(rail: Rail) -> None:
    """Else a second copy of a feed would join what the feed keeps apart."""
    west = {"t": "17: A 07:50, B 08:00, C 08:10", "v": "17: C 08:15, D 08:20"}
    east = {"u": "17: c 08:15, d 08:20"}
    feeds = both(rail, west, east)
    assert kinds(feeds) == ["equal 7", "single 7"]
    told = merged(*feeds).tables["train_matches"].filter(pl.col("kind") == "hand_over")
    assert told["decision"].to_list() == ["rejected"]
    assert "lists both sides" in told["evidence"][0]
    pair = {"left": "west:17", "right": "east:17", "station": "west:C"}
    assert kinds(feeds, hand_overs=[pair]) == ["hand_over 7"]


def test_portions_of_one_feed_keep_their_trains_and_share_the_partner(rail: Rail) -> None:
    """Through coaches: the same run twice in one feed, once in the other."""
    west = {
        "t": ": A 07:50, B 08:00, C 08:10, D 08:20",
        "v": ": B 08:00, C 08:10, D 08:20, A 09:00",
    }
    east = {"u": ": b 08:00, c 08:10, d 08:20"}
    region = merged(*both(rail, west, east, train_number=None))
    assert train_texts(region) == [
        "contained 7: A 07:50, B 08:00, C 08:10, D 08:20",
        "contained 7: B 08:00, C 08:10, D 08:20, A 09:00",
    ]
    assert section_texts(region, 0) == ["west:t 0-3", "east:u 1-3 alias"]
    assert section_texts(region, 1) == ["west:v 0-3", "east:u 0-2 alias"]
    assert region.tables["train_matches"]["decision"].to_list() == ["joined", "portion"]


def test_border_points_stay_with_their_time_and_nobody_boards(rail: Rail) -> None:
    east = EAST + "g,Bdorf(Gr),47.15,7.00\n"
    feeds = [
        rail("west", WEST, {"t": ": A 07:50, B 08:00, C 08:10"}, country="CH", precedence=1),
        rail("east", east, {"u": ": b 08:00, g 08:05, c 08:10, d 08:20"}, country="DE",
             border_point=r"\(Gr\)$"),
    ]  # fmt: skip
    region = merged(*feeds)
    assert train_texts(region) == ["overlap 7: A 07:50, B 08:00, g* 08:05, c 08:10, d 08:20"]
    border = region.tables["stop_times"].row(2, named=True)
    assert (border["border_point"], border["pickup_type"], border["drop_off_type"]) == (True, 1, 1)
    assert ["east:g"] in stations_of(region).values()
    assert section_texts(region, 0) == ["west:t 0-3", "east:u 1-3 alias", "east:u 3-4"]


@pytest.mark.parametrize("owner", ["CH", "DE"])
def test_the_country_of_a_section_decides_before_precedence(rail: Rail, owner: str) -> None:
    west = WEST.replace("B,", "8500001,").replace("C,", "8500002,").replace("D,", "8500003,")
    feeds = [
        rail("west", west, {"t": ": 8500001 08:00, 8500002 08:10, 8500003 08:20"}, country=owner,
             precedence=9),
        rail("east", EAST, {"u": ": b 08:00, c 08:10, d 08:20"}, country="FR", precedence=1),
    ]  # fmt: skip
    region = merged(*feeds)
    expected = {
        "CH": ["west:t 0-2", "east:u 0-2 alias"],
        "DE": ["east:u 0-2", "west:t 0-2 alias"],
    }
    assert section_texts(region, 0) == expected[owner]


def test_calls_that_the_other_feed_passes_without_boarding_are_no_contradiction(
    rail: Rail, tmp_path: Path
) -> None:
    feeds = both(
        rail,
        {"t": ": A 07:50, B 08:00, D 08:20"},
        {"u": ": b 08:00, c 08:10, d 08:20"},
        train_number=None,
    )
    assert kinds(feeds) == ["single 7", "single 7"]
    passing = tmp_path / "east" / "stop_times.txt"
    rows = passing.read_text().splitlines()
    rows = [rows[0] + ",pickup_type,drop_off_type"] + [
        row + (",1,1" if ",c," in row else ",0,0") for row in rows[1:]
    ]
    passing.write_text("\n".join(rows) + "\n")
    again = [feeds[0], read_feed(feeds[1].config)]
    assert kinds(again) == ["overlap 7"]


def test_a_decision_beats_the_evidence(rail: Rail) -> None:
    west = {"t": "17: B 08:00, C 08:10, D 08:20"}
    east = {"u": "17: b 08:00, c 08:10, d 08:20"}
    apart = {"kind": "train", "left": "west:t", "right": "east:u", "decision": "different"}
    assert kinds(both(rail, west, east), decisions=[apart]) == ["single 7", "single 7"]
    east = {"u": "18: b 08:00, c 08:10, d 08:20"}
    one = apart | {"decision": "same"}
    region = merged(*both(rail, west, east), decisions=[one])
    assert [text.split(":")[0] for text in train_texts(region)] == ["equal 7"]


def test_a_decision_about_nothing_is_told(rail: Rail) -> None:
    apart = {"kind": "train", "left": "west:gone", "right": "east:u", "decision": "different"}
    region = merged(*both(rail, {"t": ": A 07:00, B 08:00"}, {"u": ": b 08:00, c 08:10"}),
                    decisions=[apart])  # fmt: skip
    assert "decision_without_object" in {notice.code for notice in region.notices}
