"""The sample region is what its generator makes, is sound, and keeps the promises of its README."""

import csv
import re
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from datetime import timedelta
from itertools import product
from math import cos, hypot, radians

import gtfs_guru
import pytest

FEED_IDS = ("ch-city", "ch-rail", "de-regio", "fr-regio")
ZIP_LIMIT = 1_000_000
TRAIN_FEEDS = ("ch-rail", "de-regio", "fr-regio")
METRES_PER_DEGREE = 111_195


def number_of(region, feed_id, trip_id):
    return int(region.feeds[feed_id].trips[trip_id]["trip_short_name"])


def hand_over_numbers(region):
    manifest = tomllib.loads((region.folder / "region.toml").read_text(encoding="utf-8"))
    return {(pair["left"], pair["right"]) for pair in manifest["hand_overs"]}


def same_run(left, right):
    """Whether two lists of calls are the same places in the same minutes, their ends apart."""
    inner = all(a[1:] == b[1:] for a, b in list(zip(left, right, strict=True))[1:-1])
    return (
        inner
        and [a[0] for a in left] == [b[0] for b in right]
        and left[0][2] == right[0][2]
        and left[-1][1] == right[-1][1]
    )


def structure(left, right):
    """Class of two runs by places and minutes alone; None if they share no run."""
    if len(left) == len(right) and same_run(left, right):
        return "equal"
    short, long = sorted((left, right), key=len)
    for start in range(len(long) - len(short) + 1):
        if same_run(short, long[start : start + len(short)]):
            return "contained"
    for earlier, later in ((left, right), (right, left)):
        for size in range(2, min(len(left), len(right))):
            if same_run(earlier[-size:], later[:size]):
                return "overlap"
        dwell_s = later[0][2] - earlier[-1][1]
        if earlier[-1][0] == later[0][0] and 0 <= dwell_s <= 1800:
            return "hand_over"
    return None


def one_train(region, left, right):
    """Whether the numbers (or the manifest's pairs) say that two trips are one train."""
    numbers = [number_of(region, *trip) for trip in (left, right)]
    names = [f"{feed}:{number}" for (feed, _), number in zip((left, right), numbers, strict=True)]
    pairs = hand_over_numbers(region)
    return numbers[0] == numbers[1] or tuple(names) in pairs or tuple(names[::-1]) in pairs


def distance_m(a, b):
    lat, lon = ((float(a[c]) - float(b[c])) for c in ("stop_lat", "stop_lon"))
    return METRES_PER_DEGREE * hypot(lat, lon * cos(radians(float(a["stop_lat"]))))


@pytest.fixture(scope="module")
def rail_trips(region):
    return [
        (feed_id, trip_id)
        for feed_id in TRAIN_FEEDS
        for trip_id, trip in region.feeds[feed_id].trips.items()
        if trip["trip_short_name"]
    ]


@pytest.fixture(scope="module")
def near_pairs(region, rail_trips):
    """Pairs of trips of different feeds that meet at a place within half an hour."""
    at = {}
    for feed_id, trip_id in rail_trips:
        calls = region.events(feed_id, trip_id)
        for index, (place, arrival_s, departure_s) in enumerate(calls):
            end = index in (0, len(calls) - 1)
            at.setdefault(place, []).append((arrival_s, departure_s, end, feed_id, trip_id))
    pairs = set()
    for events in at.values():
        events.sort()
        for i, (arrival_s, _, end, *trip) in enumerate(events):
            for other_s, _, other_end, *other in events[i + 1 :]:
                gap_s = other_s - arrival_s
                if gap_s > 1800:
                    break
                if trip[0] != other[0] and (gap_s <= 900 or (end and other_end)):
                    pairs.add(tuple(sorted((tuple(trip), tuple(other)))))
    return sorted(pairs)


def test_running_the_generator_gives_the_shipped_tables(sample_folder, tmp_path):
    command = [sys.executable, "-B", str(sample_folder / "make_region.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    for feed_id in FEED_IDS:
        with (
            zipfile.ZipFile(sample_folder / f"{feed_id}.zip") as shipped,
            zipfile.ZipFile(tmp_path / f"{feed_id}.zip") as made,
        ):
            assert made.namelist() == shipped.namelist()
            for name in made.namelist():
                assert made.read(name) == shipped.read(name), f"{feed_id}/{name}"


def test_the_examples_in_the_generator_hold(sample_folder):
    command = [sys.executable, "-B", "-m", "doctest", "timetable.py"]
    subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=sample_folder)


@pytest.mark.parametrize("feed_id", FEED_IDS)
def test_each_feed_is_small_and_says_nothing_about_when_it_was_packed(sample_folder, feed_id):
    path = sample_folder / f"{feed_id}.zip"
    assert path.stat().st_size < ZIP_LIMIT
    with zipfile.ZipFile(path) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("feed_id", FEED_IDS)
def test_the_validator_finds_no_error(sample_folder, feed_id):
    result = gtfs_guru.validate(str(sample_folder / f"{feed_id}.zip"), date="2027-03-10")
    assert [(e.code, e.file, e.row) for e in result.errors()] == []


def test_the_counts_of_the_readme_hold(region):
    counts = region.expected["counts"]
    lines = tomllib.loads((region.folder / "lines.toml").read_text(encoding="utf-8"))["line"]
    listed = [
        (feed_id, row["stop_id"])
        for feed_id, feed in region.feeds.items()
        for row in feed.tables["stops"]
        if not row["parent_station"]
    ]
    names = [region.feeds[feed_id].stops[stop_id]["stop_name"] for feed_id, stop_id in listed]
    day = counts["weekday"]
    services = Counter(
        trip["service_id"] == "fr-sa-nights"
        for feed in region.feeds.values()
        for trip in feed.tables["trips"]
    )
    assert {
        "feeds": len(region.feeds),
        "lines": len(lines),
        "places": len({region.place_of[key] for key in listed}),
        "border_points": sum(name.endswith("(Gr)") for name in names),
        "stops_listed": len(listed),
        "weekday": day,
        "weekday_trips": sum(
            feed.runs_on(trip_id, day) for feed in region.feeds.values() for trip_id in feed.trips
        ),
        "night_trips": services[True],
    } == counts


def test_every_position_is_from_the_federal_list_or_flagged_as_estimated(region):
    with (region.folder / "places.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        from_list = row["source"].startswith("FOT stop list")
        assert (row["estimated"] == "0") is from_list, row["stop_id"]
        stop = region.feeds[row["feed"]].stops.get(row["stop_id"])
        assert stop is None or (stop["stop_desc"] == "Position estimated") is not from_list


def test_every_line_has_shapes_colours_and_accessibility(region):
    for feed in region.feeds.values():
        shapes = {row["shape_id"] for row in feed.tables["shapes"]}
        assert all(re.fullmatch("[0-9A-F]{6}", r["route_color"]) for r in feed.tables["routes"])
        assert all(trip["shape_id"] in shapes for trip in feed.tables["trips"])
        assert all(trip["wheelchair_accessible"] in "12" for trip in feed.tables["trips"])
        assert all(
            agency["agency_name"].endswith("(illustrative)") for agency in feed.tables["agency"]
        )


def test_station_pairs_of_the_expectation_are_what_the_places_say(region):
    for pair in region.expected["stations"]:
        left, right = (region.split(pair[side]) for side in ("left", "right"))
        stops = [region.feeds[feed].stops[raw] for feed, raw in (left, right)]
        is_same = region.place_of[left] == region.place_of[right]
        assert is_same is (pair["expect"] == "same"), pair
        if is_same:
            assert 20 <= distance_m(*stops) <= 150, pair


def test_decisions_agree_with_the_expectation(region):
    known = {(p["left"], p["right"]): p["expect"] for p in region.expected["stations"]}
    with (region.folder / "decisions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert all(known[row["left"], row["right"]] == row["decision"] for row in rows)


def test_train_pairs_of_the_expectation_are_in_the_data(region):
    for pair in region.expected["pairs"]:
        left, right = ((pair[f"{s}_feed"], pair[f"{s}_trip"]) for s in ("left", "right"))
        shape = structure(region.events(*left), region.events(*right))
        if pair["expect"] == "different":
            assert shape in {"equal", "contained", "overlap", "hand_over"}, pair
            assert not one_train(region, left, right), pair
        else:
            assert shape == pair["expect"], pair
            assert one_train(region, left, right), pair


def test_the_classes_of_shared_trains_are_counted_right_and_complete(region, near_pairs):
    """Every pair of one number is a promised one; every structural match is decided by number."""
    found = Counter()
    different = set()
    for left, right in near_pairs:
        shape = structure(region.events(*left), region.events(*right))
        if one_train(region, left, right):
            assert shape is not None, (left, right)
            found[shape] += 1
        elif shape in {"equal", "contained", "overlap"}:
            different.add((left, right))
    assert dict(found) == region.expected["trains"]
    promised = {
        tuple(sorted(((p["left_feed"], p["left_trip"]), (p["right_feed"], p["right_trip"]))))
        for p in region.expected["pairs"]
        if p["expect"] == "different"
    }
    assert different <= promised


def test_a_number_stands_for_one_train_only(region, rail_trips, near_pairs):
    for feed_id in TRAIN_FEEDS:
        numbers = [number_of(region, f, trip_id) for f, trip_id in rail_trips if f == feed_id]
        assert len(numbers) == len(set(numbers)), feed_id
    near = set(near_pairs)
    for left, right in product(rail_trips, rail_trips):
        if left < right and left[0] != right[0]:
            numbers = {number_of(region, *left), number_of(region, *right)}
            assert len(numbers) == 2 or (left, right) in near, (left, right)


def test_the_equal_trains_write_their_number_in_two_ways(region):
    numbers = [region.feeds[f].trips["re7-31"]["trip_short_name"] for f in ("ch-rail", "de-regio")]
    assert numbers == ["31", "00031"]


def test_border_points_are_listed_with_times_but_without_boarding(region):
    for point in region.expected["border_points"]:
        feed_id, stop_id = region.split(point["stop"])
        _, trip_id = region.split(point["trip"])
        calls = region.feeds[feed_id].calls[trip_id]
        [row] = [row for row in calls if row["stop_id"] == stop_id]
        assert row["arrival_time"], point
        assert (row["pickup_type"], row["drop_off_type"]) == ("1", "1")
        assert region.is_border_point(feed_id, stop_id)


def test_trams_and_buses_cross_the_border(region):
    for trip in region.expected["across"]:
        feed_id, trip_id = region.split(trip["trip"])
        feed = region.feeds[feed_id]
        stations = [feed.station_id(row["stop_id"]) for row in feed.calls[trip_id]]
        start, end = (region.split(trip[side])[1] for side in ("from", "to"))
        assert stations.index(start) < stations.index(end)
        zones = {feed.stops[station]["stop_timezone"] for station in stations}
        assert len(zones) == 2, "stops on both sides of the border"


def test_night_trips_run_through_the_hours_that_the_clock_skips_or_repeats(region):
    for item in region.expected["instants"]:
        feed_id, trip_id = region.split(item["trip"])
        feed, day = region.feeds[feed_id], item["service_date"]
        first, last = feed.calls[trip_id][0], feed.calls[trip_id][-1]
        assert feed.runs_on(trip_id, day)
        assert first["departure_time"] > "24:00:00"
        assert feed.instant(first["departure_time"], day) == item["first_departure"]
        assert feed.instant(last["arrival_time"], day) == item["last_arrival"]


def test_each_feed_keeps_its_own_holidays_and_end(region):
    for item in region.expected["service"]:
        feed_id, trip_id = region.split(item["trip"])
        assert region.feeds[feed_id].runs_on(trip_id, item["date"]) is item["runs"], item


def test_the_bus_on_demand_says_only_where_to_phone(region):
    item = region.expected["on_demand"]
    feed_id, route_id = region.split(item["route"])
    feed = region.feeds[feed_id]
    [rule] = feed.tables["booking_rules"]
    assert (rule["booking_rule_id"], rule["phone_number"]) == (
        item["booking_rule"],
        item["phone_number"],
    )
    rows = [
        row
        for trip_id, trip in feed.trips.items()
        if trip["route_id"] == route_id
        for row in feed.calls[trip_id]
    ]
    assert rows
    for row in rows:
        assert (row["pickup_type"], row["drop_off_type"]) == ("2", "2")
        assert row["pickup_booking_rule_id"] == item["booking_rule"]


def test_the_airport_bus_runs_by_exact_frequencies(region):
    item = region.expected["frequency"]
    feed_id, trip_id = region.split(item["trip"])
    headways = region.feeds[feed_id].headways(trip_id)
    assert sum(len(times) for times in headways) == item["departures"]
    rows = region.feeds[feed_id].tables["frequencies"]
    assert {row["exact_times"] for row in rows} == {"1"}


def departures_of(region, lines, start, end, day):
    """Times (departure at start, arrival at end) of a day's trips of some lines, in order."""
    times = []
    for feed_id, route_id in map(region.split, lines):
        feed = region.feeds[feed_id]
        for trip_id, trip in feed.trips.items():
            if trip["route_id"] != route_id or not feed.runs_on(trip_id, day):
                continue
            calls = {feed.station_id(row["stop_id"]): row for row in feed.calls[trip_id]}
            if {start, end} <= calls.keys():
                leaves = feed.instant(calls[start]["departure_time"], day)
                arrives = feed.instant(calls[end]["arrival_time"], day)
                if leaves < arrives:
                    times.append((leaves, arrives))
    return sorted(times)


def test_commuters_find_a_connection_after_every_arrival(region):
    for item in region.expected["connections"]:
        day = item["date"]
        places = {
            key: region.split(item[key])[1]
            for key in ("arriving_from", "at_arrival", "at_departure", "departing_to")
        }
        arriving = departures_of(
            region, [item["arriving"]], places["arriving_from"], places["at_arrival"], day
        )
        departing = departures_of(
            region, item["departing"], places["at_departure"], places["departing_to"], day
        )
        feed = region.feeds[region.split(item["arriving"])[0]]
        first, last = (feed.instant(f"{item[key]}:00", day) for key in ("first", "last"))
        checked = [arrival for _, arrival in arriving if first <= arrival <= last]
        assert len(checked) >= 17, item
        shortest, longest = (timedelta(minutes=item[f"{k}_minutes"]) for k in ("min", "max"))
        for arrival in checked:
            waits = [leave - arrival for leave, _ in departing if leave - arrival >= shortest]
            assert waits, (item, arrival)
            assert min(waits) <= longest, (item, arrival)


def test_the_readme_documents_every_case_that_the_expectation_names(region):
    readme = (region.folder / "README.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| ([a-l]) \|", readme, flags=re.MULTILINE))
    assert rows == set("abcdefghijkl")
    assert {pair["case"] for pair in region.expected["pairs"]} <= rows
    for pair in region.expected["pairs"]:
        assert pair["left_trip"] in readme, pair
