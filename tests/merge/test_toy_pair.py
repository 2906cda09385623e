"""The toy pair of feeds-and-merging, section 16: four stations, one equal train, one hand-over."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobility.feeds import Feed

from .build import NUMBER, feed_of, merged, section_texts, stations_of, train_texts
from .toy_pair import GERMAN, SWISS


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Feed, Feed]:
    swiss = feed_of(tmp_path, "ch", SWISS, country="CH", precedence=1, train_number=NUMBER)
    german = feed_of(tmp_path, "de", GERMAN, country="DE", precedence=2, train_number=NUMBER)
    return swiss, german


def test_four_stations_are_shared(pair: tuple[Feed, Feed]) -> None:
    both = {
        station: members
        for station, members in stations_of(merged(*pair)).items()
        if {member.split(":")[0] for member in members} == {"ch", "de"}
    }
    assert both == {
        "ch-8503000": ["ch:8503000", "ch:8503000:0:9", "de:ch:ZH"],
        "ch-8500010": ["ch:8500010", "ch:8500010:0:7", "ch:8500010:E", "de:ch:SBB"],
        "ch-8500090": ["ch:8500090", "ch:8500090:0:5", "de:ch:23005:6", "de:ch:23005:6:5"],
        "ch-8010005": ["ch:8010005", "de:de:08311:6507", "de:de:08311:6507:1:1"],
    }


def test_one_train_is_equal_and_one_is_handed_over(pair: tuple[Feed, Feed]) -> None:
    region = merged(*pair)
    assert region.train_counts == {"equal": 1, "contained": 0, "overlap": 0, "hand_over": 1}
    assert train_texts(region) == [
        "single 7: 8503000:0:9 12:00, 8500010:0:7 12:53",
        "single 7: 8500010:0:7 12:56, 8010005 13:30",
        "hand_over 7: 8503000:0:9 08:00, 8500010:0:7 08:53/09:06, ch:23005:6:5 09:13/09:15,"
        " de:08311:6507:1:1 09:47",
        "equal 7: 8503000:0:9 10:00, 8500010:0:7 10:53/11:06, 8500090:0:5 11:13/11:15,"
        " 8010005 11:47",
    ]


def test_sections_say_who_carries_whom(pair: tuple[Feed, Feed]) -> None:
    region = merged(*pair)
    by_kind = {kind: train for train, kind in enumerate(region.tables["trains"]["kind"])}
    assert section_texts(region, by_kind["hand_over"]) == ["ch:T1 0-2", "de:T1 2-3"]
    # Basel Bad is in Switzerland, Freiburg in Germany: the hop between goes by precedence.
    assert section_texts(region, by_kind["equal"]) == ["ch:T2 0-3", "de:T2 0-3 alias"]


def test_tables_of_one_feed_stay(pair: tuple[Feed, Feed]) -> None:
    tables = merged(*pair).tables
    assert tables["pathways"]["pathway_id"].to_list() == ["P1"]
    assert tables["levels"]["level_id"].to_list() == ["L0"]
    assert tables["translations"]["translation"].to_list() == ["Bâle CFF"]
    assert tables["feed_info"].select("feed", "feed_publisher_name").rows() == [
        (0, "Swiss publisher"),
        (1, "German publisher"),
    ]
    in_seat = tables["transfers"].row(1, named=True)
    assert (in_seat["from_trip_id"], in_seat["to_trip_id"], in_seat["feed"]) == ("T3", "T4", 0)


def test_the_order_of_feeds_changes_nothing(pair: tuple[Feed, Feed]) -> None:
    forth, back = merged(*pair), merged(*reversed(pair))
    assert forth.tables.keys() == back.tables.keys()
    for name, table in forth.tables.items():
        assert table.equals(back.tables[name]), name
    assert (forth.days == back.days).all()
    assert forth.feeds == back.feeds


def test_feeds_kept_apart_share_nothing(pair: tuple[Feed, Feed]) -> None:
    region = merged(*pair, join=False)
    assert sum(region.train_counts.values()) == 0
    assert all(
        len({member.split(":")[0] for member in members}) == 1
        for members in stations_of(region).values()
    )
    assert region.tables["trains"].height == 6
