"""Decisions survive new feed versions: found by what they meant, never held for something else."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility.feeds import Feed
from mobility.merge import Region
from mobility.merge.ground import Ground
from mobility.merge.meant import StationFinder, StationWords, TrainFinder, TrainWords
from mobility.merge.merge import lay_ground

from .build import NUMBER, manifest_of, merged
from .test_properties import Listing, build, listings

Rail = Callable[..., Feed]
Rename = Callable[[list[str]], list[str]]
SWISS = "z,Zentrum,47.50,7.50\nn,Nord,47.60,7.60\ns,Süd,47.40,7.40"
GERMAN = "zz,Zentrum Bf,47.5005,7.5005\nnn,Nord,47.6003,7.6003"


def reissued(feed: Feed, rename: Rename) -> Feed:
    """Return the feed with other ids of stops and trips."""
    stops, trips = feed.tables["stops"], feed.tables["trips"]
    old = stops["stop_id"].to_list()
    new = dict(zip(old, rename(old), strict=True))
    stops = stops.with_columns(
        pl.col("stop_id").replace_strict(new),
        pl.col("parent_station").replace_strict(new, default=None, return_dtype=pl.String),
    )
    trips = trips.with_columns(pl.Series("trip_id", rename(trips["trip_id"].to_list())))
    return replace(feed, tables={**feed.tables, "stops": stops, "trips": trips})


def prefixed(ids: list[str]) -> list[str]:
    return [f"v2-{one}" for one in ids]


def turned(ids: list[str]) -> list[str]:
    """Give each object the id that the next one had."""
    return ids[1:] + ids[:1]


def shape(region: Region) -> list[tuple[Any, ...]]:
    """Return every train with its days, calls and owners, by names instead of ids."""
    tables = region.tables
    names = tables["stops"]["stop_name"].to_list()
    sections = tables["sections"].partition_by("train", as_dict=True)
    out = []
    for train, row in enumerate(tables["trains"].iter_rows(named=True)):
        calls = tables["stop_times"].slice(row["first_event"], row["n_events"])
        own = sections[(train,)].drop("train").rows()
        out.append(
            (
                *(row["kind"], region.days[row["service"]].tobytes(), own),
                [(names[c[0]], *c[1:]) for c in calls.drop("train", "sequence").rows()],
            )
        )
    return out


def partition(region: Region) -> list[list[int]]:
    """Return the stops of each station by their rows."""
    stations: dict[int, list[int]] = {}
    for stop, station in enumerate(region.tables["stops"]["station"]):
        stations.setdefault(station, []).append(stop)
    return sorted(stations.values())


def ground_of(feeds: list[Feed]) -> Ground:
    return lay_ground(feeds, manifest_of(feeds))[0]


def told(region: Region) -> set[str]:
    return {n.code for n in region.notices if n.file == "decisions.csv"}


def in_words(feeds: list[Feed], kind: str, left: str, right: str, what: str) -> dict[str, str]:
    """Return a decision with the words of what it names."""
    ground = ground_of(feeds)
    row = {"kind": kind, "left": left, "right": right, "decision": what}
    for side in ("left", "right"):
        if kind == "train":
            words = TrainFinder(ground).words(ground.trip_of()[row[side]]).text()
        else:
            place = int(ground.places.of_stop[ground.stop_of()[row[side]]])
            words = StationFinder(ground).words(place).text()
        row[f"{side}_is"] = words
    return row


@given(listings(), st.integers(0, 50), st.sampled_from(["prefixed", "turned"]))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_all_ids_made_anew_give_the_same_region(
    listing: Listing, choice: int, renaming: str
) -> None:
    rename = {"prefixed": prefixed, "turned": turned}[renaming]
    with tempfile.TemporaryDirectory() as folder:
        feeds = build(Path(folder), listing)
        if len(feeds) < 2:
            return
        plain = merged(*feeds)
        matches = plain.tables["train_matches"].filter(pl.col("decision") == "joined")
        decisions = []
        if matches.height:
            left, right = matches.row(choice % matches.height)[:2]
            decisions.append(in_words(feeds, "train", left, right, "different"))
        same = plain.tables["station_matches"].filter(pl.col("decision") == "same")
        if same.height:
            left, right = same.row(choice % same.height)[:2]
            decisions.append(in_words(feeds, "station", left, right, "different"))
        before = merged(*feeds, decisions=decisions)
        after = merged(*(reissued(feed, rename) for feed in feeds), decisions=decisions)
    assert told(before) <= {"decision_found_again"}
    assert shape(after) == shape(before)
    assert partition(after) == partition(before)
    if renaming == "prefixed" and decisions:
        assert told(after) == {"decision_found_again"}


def two(rail: Rail, swiss: str = SWISS, german: str = GERMAN) -> list[Feed]:
    return [
        rail("ch", swiss, {"a": "7: n 08:00, z 08:10, s 08:30"}, train_number=NUMBER),
        rail("de", german, {"x": "9: nn 08:00, zz 08:10"}, train_number=NUMBER),
    ]


def test_a_stop_that_moved_three_kilometres_keeps_no_decision(rail: Rail) -> None:
    apart = in_words(two(rail), "station", "ch:z", "de:zz", "different")
    assert apart["left_is"] == "Zentrum @ 47.50000,7.50000"
    region = merged(*two(rail), decisions=[apart])
    assert len(partition(region)) == 4 and not told(region)
    moved = two(rail, *(stops.replace("47.50", "47.53") for stops in (SWISS, GERMAN)))
    region = merged(*moved, decisions=[apart])
    assert len(partition(region)) == 3
    assert told(region) == {"decision_without_object"}


def test_an_id_that_names_another_stop_keeps_no_decision(rail: Rail) -> None:
    apart = in_words(two(rail), "station", "ch:z", "de:zz", "different")
    swapped = SWISS.replace("z,Zentrum", "?,Nord").replace("n,Nord", "z,Zentrum")
    swapped = swapped.replace("?,Nord", "n,Nord")
    positions = swapped.replace("n,Nord,47.50,7.50", "n,Zentrum,47.50,7.50").replace(
        "z,Zentrum,47.60,7.60", "z,Nord,47.60,7.60"
    )
    region = merged(*two(rail, positions), decisions=[apart])
    assert told(region) == {"decision_found_again"}
    assert len(partition(region)) == 4  # still the centre, under the id that the north had


def test_a_name_spelt_anew_at_the_same_place_keeps_the_decision(rail: Rail) -> None:
    apart = in_words(two(rail), "station", "ch:z", "de:zz", "different")
    spelt = two(rail, SWISS.replace("Zentrum,", "Zentrumsplatz,"))
    region = merged(*spelt, decisions=[apart])
    assert not told(region)
    assert len(partition(region)) == 4


def test_two_stops_that_the_words_fit_get_no_decision(rail: Rail) -> None:
    apart = in_words(two(rail), "station", "ch:z", "de:zz", "different")
    double = SWISS.replace(
        "z,Zentrum,47.50,7.50", "p,Zentrum,47.5012,7.50\nz2,Zentrum,47.4988,7.50"
    )
    feeds = [
        rail("ch", double, {"a": "7: n 08:00, p 08:10, s 08:30", "b": "8: z2 08:10, s 08:30"}),
        rail("de", GERMAN, {"x": "9: nn 08:00, zz 08:10"}),
    ]
    region = merged(*feeds, decisions=[apart])
    assert told(region) == {"decision_without_object"}
    assert any("several" in n.message for n in region.notices)


WEEK = """
# calendar.txt
service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
WD,1,1,1,1,1,0,0,20270301,20270307
WE,0,0,0,0,0,1,1,20270301,20270307
"""


def variants(rail: Rail, second: str, calendar: str = WEEK) -> list[Feed]:
    """One train as two trips of the first feed (working days, week-end), once in the other."""
    runs = {"wd": "7: n 08:00, z 08:10, s 08:30", "we": f"7: {second}"}
    return [
        rail("ch", SWISS, runs, train_number=NUMBER, calendar=calendar,
             services={"wd": "WD", "we": "WE"}),
        rail("de", GERMAN, {"x": "7: nn 08:00, zz 08:10"}, train_number=NUMBER),
    ]  # fmt: skip


@pytest.mark.parametrize("second", ["n 08:00, z 08:10, s 08:30", "n 08:00, z 08:11, s 08:30"])
def test_a_decision_holds_for_every_calendar_variant(rail: Rail, second: str) -> None:
    feeds = variants(rail, second)
    assert merged(*feeds).train_counts["contained"] == 2
    apart = in_words(feeds, "train", "ch:wd", "de:x", "different")
    assert apart["left_is"] == "7 | Nord 08:00 → Süd 08:30"
    region = merged(*feeds, decisions=[apart])
    assert region.train_counts["contained"] == 0
    # The row of a person's hand, without words, holds for the variants too.
    bare = {key: value for key, value in apart.items() if not key.endswith("_is")}
    assert merged(*feeds, decisions=[bare]).train_counts["contained"] == 0


def test_two_trains_of_one_name_on_one_day_are_told_apart_by_the_id_alone(rail: Rail) -> None:
    daily = WEEK.replace("0,0,0,0,0,1,1", "1,1,1,1,1,1,1")
    feeds = variants(rail, "n 08:00, z 08:11, s 08:30", daily)
    apart = in_words(feeds, "train", "ch:wd", "de:x", "different")
    kept = merged(*feeds, decisions=[apart]).tables["train_matches"]
    joined = kept.filter(pl.col("decision") != "rejected")["left_trip"].to_list()
    assert joined == ["ch:we"]
    lost = merged(reissued(feeds[0], prefixed), feeds[1], decisions=[apart])
    assert told(lost) == {"decision_without_object"}


def test_a_train_that_moved_keeps_no_decision_and_one_retimed_by_minutes_does(rail: Rail) -> None:
    feeds = two(rail)
    joined = in_words(feeds, "train", "ch:a", "de:x", "same")
    assert merged(*feeds, decisions=[joined]).train_counts["contained"] == 1
    for minute, expected in ((2, set()), (20, {"decision_without_object"})):
        run = f"7: n 08:{minute:02d}, z 08:{10 + minute}, s 08:{30 + minute}"
        again = [rail(f"ch{minute}", SWISS, {"a": run}, train_number=NUMBER), feeds[1]]
        moved = joined | {"left": f"ch{minute}:a"}
        assert told(merged(*again, decisions=[moved])) == expected


def test_a_decision_that_the_calls_contradict_is_told(rail: Rail) -> None:
    feeds = [
        rail("ch", SWISS, {"a": "7: n 08:00, z 08:10, s 08:30"}, train_number=NUMBER),
        rail("de", GERMAN, {"x": "9: zz 08:00, nn 08:40"}, train_number=NUMBER),
    ]
    one = in_words(feeds, "train", "ch:a", "de:x", "same")
    region = merged(*feeds, decisions=[one])
    assert told(region) == {"decision_without_effect"}
    assert told(merged(*two(rail), decisions=[one | {"right_is": ""}])) == set()


@pytest.mark.parametrize(("kind", "left", "right"),
                         [("train", "ch:a", "de:x"), ("station", "ch:z", "de:zz")])  # fmt: skip
def test_of_rows_that_contradict_each_other_the_later_holds_and_is_told(
    rail: Rail, kind: str, left: str, right: str
) -> None:
    feeds = two(rail)
    first = in_words(feeds, kind, left, right, "different")
    region = merged(*feeds, decisions=[first, first | {"decision": "same"}])
    assert told(region) == {"decision_overruled"}
    assert region.train_counts["contained"] == (kind == "train")
    assert len(partition(region)) == 3


@given(st.text(max_size=30), st.floats(-89, 89), st.floats(-179, 179))
def test_words_of_a_station_read_back(name: str, lat: float, lon: float) -> None:
    text = StationWords(name, lat, lon).text()
    again = StationWords.read(text)
    assert again.text() == text or " @ " in name or not name.strip()


@given(st.from_regex(r"[A-Z]{0,3}[0-9]{0,4}", fullmatch=True), st.integers(0, 5999),
       st.integers(0, 5999))  # fmt: skip
def test_words_of_a_train_read_back(label: str, departure: int, arrival: int) -> None:
    words = TrainWords(label, "Frankfurt(Main)Hbf 9", departure, "Nord: 1 → 2", arrival)
    assert TrainWords.read(words.text()) == words
