"""What holds for any feeds: every run is carried once, at its own time; nothing dangles."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility.core.time import service_day_origin
from mobility.feeds import Feed, service_days
from mobility.merge import Region

from .build import NUMBER, carriage, feed_of, instants, lines, merged, renamed

STATIONS = "ABCDEFG"
CALENDAR = """
# calendar.txt
service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
ALL,1,1,1,1,1,1,1,20270322,20270404
WD,1,1,1,1,1,0,0,20270322,20270404
WE,0,0,0,0,0,1,1,20270322,20270404
"""
Listing = dict[str, list[tuple[int, int, int, int, str, bool]]]
ZONES = {"a": "Europe/Zurich", "b": "Europe/Lisbon", "c": "Europe/Berlin"}


@st.composite
def listings(draw: st.DrawFn) -> Listing:
    """Draw physical trains and which part of each every feed lists, on which days.

    Each entry is (train, first station, last station, departure in minutes, service, number).
    """
    feeds: Listing = {feed: [] for feed in ZONES}
    for train in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, 4)) * 300 + train * 37
        numbered = draw(st.booleans())
        for own in feeds.values():
            if draw(st.integers(0, 3)):
                first = draw(st.integers(0, len(STATIONS) - 2))
                last = draw(st.integers(first + 1, len(STATIONS) - 1))
                service = draw(st.sampled_from(["ALL", "WD", "WE"]))
                own.append((train, first, last, start, service, numbered))
    return feeds


def build(folder: Path, listing: Listing) -> list[Feed]:
    feeds = []
    for feed, runs in listing.items():
        if not runs:
            continue
        shift = -60 if ZONES[feed] == "Europe/Lisbon" else 0
        stops = "\n".join(
            f"{feed}{name},Town {name},{47 + at / 10:.3f},{7 + ord(feed) / 1e5:.5f}"
            for at, name in enumerate(STATIONS)
        )
        trips, services = {}, {}
        for train, first, last, start, service, numbered in runs:
            minutes = {at: start + 60 + at * 11 + shift for at in range(first, last + 1)}
            calls = [
                f"{feed}{STATIONS[at]} {minute // 60:02d}:{minute % 60:02d}"
                for at, minute in minutes.items()
            ]
            trips[f"t{train}"] = f"{train + 1 if numbered else ''}: {', '.join(calls)}"
            services[f"t{train}"] = service
        text = lines(stops, trips, zone=ZONES[feed], calendar=CALENDAR, services=services)
        feeds.append(feed_of(folder, feed, text, train_number=NUMBER))
    return feeds


def raw_runs(feeds: list[Feed], region: Region) -> dict[tuple[str, int], list[tuple[int, int]]]:
    """Return (sequence, instant of departure) of each trip and service day, from the feeds."""
    out = {}
    for feed in feeds:
        names, days = service_days(feed, region.first_date, region.n_days)
        trips = feed.tables["trips"]
        calls = feed.tables["stop_times"]
        for row, (trip, service) in enumerate(trips.select("trip_id", "service_id").iter_rows()):
            own = calls.filter(calls["trip"] == row)
            times = own.select("stop_sequence", "departure_time").rows()
            for day in np.flatnonzero(days[names[service]]).tolist():
                origin = service_day_origin(region.first_date + dt.timedelta(days=day), feed.zone)
                out[f"{feed.config.id}:{trip}", day] = [(s, origin + t) for s, t in times]
    return out


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(listings(), st.randoms(use_true_random=False))
def test_any_feeds_merge_whole_in_any_order(listing: Listing, random: Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        feeds = build(Path(folder), listing)
        if not feeds:
            return
        region = merged(*feeds)
        assert_every_run_is_carried_once_at_its_own_time(feeds, region)
        assert_nothing_dangles(region)
        shuffled = feeds[:]
        random.shuffle(shuffled)
        assert_same(region, merged(*shuffled))


def assert_every_run_is_carried_once_at_its_own_time(feeds: list[Feed], region: Region) -> None:
    expected = raw_runs(feeds, region)
    hops: Counter[tuple[str, int, int]] = Counter()
    trains: dict[tuple[str, int], set[tuple[int, int]]] = {}
    for part in carriage(region):
        trains.setdefault((part.trip, part.day), set()).add((part.train, part.train_day))
        for sequence in range(part.from_sequence, part.to_sequence):
            hops[part.trip, part.day, sequence] += 1
    assert set(trains) == set(expected)
    assert all(len(carriers) == 1 for carriers in trains.values())
    assert hops == Counter(
        (trip, day, sequence)
        for (trip, day), calls in expected.items()
        for sequence, _ in calls[:-1]
    )
    for run, calls in expected.items():
        train, train_day = next(iter(trains[run]))
        departures = {departure for _, _, departure in instants(region, train, train_day)}
        assert {departure for _, departure in calls} <= departures


def assert_same(left: Region, right: Region) -> None:
    assert left.tables.keys() == right.tables.keys()
    for name, table in left.tables.items():
        assert table.equals(right.tables[name]), name
    assert np.array_equal(left.days, right.days)
    assert np.array_equal(left.coverage, right.coverage)


INDEX_COLUMNS = [
    ("stops", "parent", "stops"),
    ("stops", "station", "stations"),
    ("routes", "agency", "agencies"),
    ("trips", "route", "routes"),
    ("trips", "service", "services"),
    ("trains", "trip", "trips"),
    ("stop_times", "train", "trains"),
    ("stop_times", "stop", "stops"),
    ("sections", "train", "trains"),
    ("sections", "trip", "trips"),
]


def assert_nothing_dangles(region: Region) -> None:
    """Check every index column, the events of trains, and positions of sections."""
    tables = region.tables
    for table, column, target in INDEX_COLUMNS:
        values = tables[table][column].drop_nulls().to_numpy()
        assert ((values >= 0) & (values < tables[target].height)).all(), (table, column)
    for name, table in tables.items():
        if "feed" in table.columns:
            assert table["feed"].is_between(0, len(region.feeds) - 1).all(), name
    trains = tables["trains"]
    assert (trains["service"].to_numpy() < len(region.days)).all()
    ends = (trains["first_event"] + trains["n_events"]).to_list()
    assert trains["first_event"].to_list() == [0, *ends][:-1]
    assert (ends or [0])[-1] == tables["stop_times"].height
    counts = trains["n_events"].to_numpy()[tables["sections"]["train"].to_numpy()]
    assert (
        tables["sections"]["from_pos"].to_numpy() < tables["sections"]["to_pos"].to_numpy()
    ).all()
    assert (tables["sections"]["to_pos"].to_numpy() < counts).all()
    owned = tables["sections"].filter(~tables["sections"]["alias"])
    length = (owned["to_pos"] - owned["from_pos"]).to_numpy()
    hops = np.bincount(owned["train"].to_numpy(), weights=length, minlength=trains.height)
    assert (hops == trains["n_events"].to_numpy() - 1).all()
    assert len(np.unique(region.days, axis=0)) == len(region.days)


def test_merging_one_feed_is_that_feed(tmp_path: Path) -> None:
    listing = {"a": [(0, 0, 6, 300, "ALL", True), (1, 2, 4, 900, "WD", False)], "b": [], "c": []}
    feeds = build(tmp_path, listing)
    region = merged(*feeds)
    calls = feeds[0].tables["stop_times"]
    merged_calls = region.tables["stop_times"]
    for ours, theirs in (
        ("train", "trip"),
        ("stop", "stop"),
        ("arrival_s", "arrival_time"),
        ("departure_s", "departure_time"),
        ("sequence", "stop_sequence"),
    ):
        assert merged_calls[ours].to_list() == calls[theirs].to_list()
    assert region.tables["trains"]["kind"].to_list() == ["single", "single"]
    assert_same(region, merged(*feeds, join=False))


def test_a_feed_given_twice_runs_every_train_once(tmp_path: Path) -> None:
    listing = {"a": [(0, 0, 6, 300, "ALL", True), (1, 2, 4, 900, "WD", False)], "b": [], "c": []}
    (feed,) = build(tmp_path, listing)
    region = merged(feed, renamed(feed, "z"))
    assert region.train_counts["equal"] == 2
    assert region.tables["trains"]["kind"].to_list() == ["equal", "equal"]
    assert region.tables["stations"].height == len(STATIONS)
    alone = merged(feed)
    for column in ("arrival_s", "departure_s", "stop"):
        assert region.tables["stop_times"][column].to_list() == (
            alone.tables["stop_times"][column].to_list()
        )
