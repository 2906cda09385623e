"""Comparing versions: each kind of edit is found and nothing else, whatever becomes of the ids."""

from __future__ import annotations

import copy
import csv
import io
import json
import random
import zipfile
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility.feeds import Feed, FeedConfig, read_feed
from mobility.feeds.diff.compare import FeedDiff, diff_feeds
from mobility.feeds.diff.text import aliases_csv, diff_document, headlines
from mobility.feeds.diff_align import align
from mobility.schema import TABLES

World = dict[str, list[dict[str, str]]]
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PARTS = (
    "texts", "agencies", "lines", "stops", "line_counts", "patterns", "trips", "renumbered",
    "special_days", "fares",
)  # fmt: skip


# --- worlds ---------------------------------------------------------------------------------------


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def service(
    name: str, days: str, first: str = "20270104", last: str = "20270328"
) -> dict[str, str]:
    on = {day: str(int(mark != "-")) for day, mark in zip(WEEK, days, strict=True)}
    return {"service_id": name, **on, "start_date": first, "end_date": last}


def add_trip(world: World, trip: str, route: str, days: str, start: int, stops: list[str]) -> None:
    world["trips"].append(
        {"route_id": route, "service_id": days, "trip_id": trip, "trip_short_name": ""}
    )
    world["stop_times"] += [
        {
            "trip_id": trip,
            "arrival_time": clock(start + 300 * at),
            "departure_time": clock(start + 300 * at),
            "stop_id": stop,
            "stop_sequence": str(at + 1),
        }
        for at, stop in enumerate(stops)
    ]


def small_world() -> World:
    """Return two agencies, three lines, 60 trips, zones and prices."""
    stops = [f"s{n}" for n in range(12)]
    world: World = {
        "agency": [
            {"agency_id": one, "agency_name": name, "agency_url": "http://x.example",
             "agency_timezone": "Europe/Zurich"}
            for one, name in (("a", "Bus"), ("b", "Boat"))
        ],
        "stops": [
            {"stop_id": stop, "stop_name": f"Stop {n}", "stop_lat": f"{47 + n / 200}",
             "stop_lon": "7.5", "zone_id": f"z{n // 4}"}
            for n, stop in enumerate(stops)
        ],
        "routes": [
            {"route_id": f"r{n}", "agency_id": "ab"[n // 2], "route_short_name": str(n + 1),
             "route_type": "3"}
            for n in range(3)
        ],
        "calendar": [
            service("wd", "MTWTF--"), service("all", "MTWTFSS"), service("sa", "-----S-")
        ],
        "calendar_dates": [{"service_id": "wd", "date": "20270201", "exception_type": "2"}],
        "trips": [],
        "stop_times": [],
        "fare_attributes": [
            {"fare_id": f"f{n}", "price": f"{2 + n}.50", "currency_type": "CHF",
             "payment_method": "0", "transfers": "", "agency_id": "a"}
            for n in range(3)
        ],
        "fare_rules": [
            {"fare_id": f"f{abs(m - n)}", "route_id": "", "origin_id": f"z{m}",
             "destination_id": f"z{n}"}
            for m in range(3)
            for n in range(3)
        ],
    }  # fmt: skip
    for n in range(20):
        start = 6 * 3600 + 1800 * n
        add_trip(world, f"t{n}", "r0", "wd" if n % 2 else "all", start, stops[:6])
        add_trip(world, f"u{n}", "r1", "sa" if n % 5 == 0 else "all", start + 60, stops[3:9])
        add_trip(world, f"v{n}", "r2", "all", start + 120, stops[11:7:-1])
    return world


def random_world(seed: int) -> World:
    """Return a world with twins of stops, lines and trips, and services cut in any way."""
    chance = random.Random(seed)
    world = small_world()
    for name in ("trips", "stop_times", "calendar", "calendar_dates"):
        world[name] = []
    for n in range(chance.randrange(4)):  # twins: only their id tells them apart
        twin = dict(chance.choice(world["stops"]), stop_id=f"twin{n}")
        world["stops"].append(twin)
    for n in range(chance.randrange(3)):
        world["routes"].append(dict(chance.choice(world["routes"]), route_id=f"more{n}"))
    for n in range(chance.randrange(1, 5)):
        days = "".join(chance.choice("X-") for _ in range(7))
        world["calendar"].append(service(f"c{n}", days if "X" in days else "X------"))
    for _ in range(chance.randrange(6)):
        on = chance.choice(["c0", "dates"])
        day = f"202701{chance.randrange(5, 31):02d}"
        kind = "1" if on == "dates" else chance.choice("12")
        if not any((d["service_id"], d["date"]) == (on, day) for d in world["calendar_dates"]):
            world["calendar_dates"].append({"service_id": on, "date": day, "exception_type": kind})
    services = sorted({row["service_id"] for row in world["calendar"] + world["calendar_dates"]})
    ids = [row["stop_id"] for row in world["stops"]]
    runs = [chance.sample(ids, chance.randrange(2, 7)) for _ in range(4)]
    for n in range(chance.randrange(3, 25)):
        route = chance.choice(world["routes"])["route_id"]
        start = chance.choice([20_000, 20_600, 21_200, 40_000]) + 300 * chance.randrange(3)
        add_trip(world, f"t{n}", route, chance.choice(services), start, chance.choice(runs))
        world["trips"][-1]["trip_short_name"] = chance.choice(["", "", str(100 + n)])
    return world


def read_world(world: World, folder) -> Feed:
    folder.mkdir(exist_ok=True)
    for name, rows in world.items():
        text = io.StringIO()
        columns = list(dict.fromkeys(column for row in rows for column in row))
        if rows:
            writer = csv.DictWriter(text, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        (folder / f"{name}.txt").write_text(text.getvalue() or "service_id,date,exception_type\n")
    if not world["calendar"]:
        (folder / "calendar.txt").unlink()
    return read_feed(FeedConfig(id="f", path=folder))


def rename_ids(world: World, seed: int, *, anew: bool) -> World:
    """Return the world with every id another one, and its rows in another order.

    The new ids are the old ones dealt out anew, or such as never were there.
    """
    chance = random.Random(seed)
    known: dict[str, set[str]] = {}
    homes = {
        (table, column.name): column.references[0]
        if column.references
        else f"{table}.{column.name}"
        for table in world
        for column in TABLES[table].columns
        if column.kind == "id"
    }
    homes |= {at: "calendar.service_id" for at in homes if at[1] == "service_id"}
    for (table, column), home in homes.items():
        known.setdefault(home, set()).update(row[column] for row in world[table] if row.get(column))
    new: dict[str, dict[str, str]] = {}
    for home, values in known.items():
        old = sorted(values)
        dealt = [f"new {n}" for n in range(len(old))] if anew else chance.sample(old, len(old))
        new[home] = dict(zip(old, dealt, strict=True))
    renamed: World = {}
    for table, rows in world.items():
        renamed[table] = [
            {
                column: new[homes[table, column]][value]
                if value and (table, column) in homes
                else value
                for column, value in row.items()
            }
            for row in rows
        ]
        if table != "stop_times":
            chance.shuffle(renamed[table])
    return renamed


# --- nothing changes ------------------------------------------------------------------------------


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6), anew=st.booleans())
def test_a_feed_whose_ids_are_all_other_ones_differs_in_nothing(tmp_path, seed, anew):
    world = random_world(seed)
    old = read_world(world, tmp_path / "old")
    new = read_world(rename_ids(world, seed, anew=anew), tmp_path / "new")
    diff = diff_feeds(old, new)
    assert {part: getattr(diff, part) for part in PARTS} == dict.fromkeys(PARTS, ())
    assert diff.is_empty
    assert headlines(diff)[0].startswith("Nothing has changed")
    if anew:
        assert set(diff.regenerated) == {"stops", "lines", "trips"}
    assert {alias.old_trip_id for alias in diff.aliases} == set(old.tables["trips"]["trip_id"])
    assert {alias.new_trip_id for alias in diff.aliases} == set(new.tables["trips"]["trip_id"])


def test_an_alias_leads_to_the_trip_that_runs_the_same(tmp_path):
    world = small_world()
    old = read_world(world, tmp_path / "old")
    new = read_world(rename_ids(world, 1, anew=True), tmp_path / "new")
    diff = diff_feeds(old, new)

    def runs(feed: Feed) -> dict[str, list[tuple[int, float]]]:
        times = feed.tables["stop_times"]
        lat = feed.tables["stops"]["stop_lat"].to_list()
        found: dict[str, list[tuple[int, float]]] = {}
        ids = feed.tables["trips"]["trip_id"].to_list()
        for trip, stop, at in times.select("trip", "stop", "departure_time").iter_rows():
            found.setdefault(ids[trip], []).append((at, lat[stop]))
        return found

    before, after = runs(old), runs(new)
    assert len(diff.aliases) == 60
    for alias in diff.aliases:
        assert alias.kind == "same"
        assert before[alias.old_trip_id] == after[alias.new_trip_id]
    rows = list(csv.DictReader(io.StringIO(aliases_csv(diff))))
    assert [row["old_trip_id"] for row in rows] == [alias.old_trip_id for alias in diff.aliases]


def test_a_trip_cut_into_services_of_other_days_is_the_same_trip(tmp_path):
    world = small_world()
    cut = copy.deepcopy(world)
    cut["calendar"] += [service("early", "MTW----"), service("late", "---TFSS")]
    for trip in [t for t in cut["trips"] if t["service_id"] == "all"]:
        trip["service_id"] = "early"
        twin = f"{trip['trip_id']}-2"
        cut["trips"].append(dict(trip, trip_id=twin, service_id="late"))
        cut["stop_times"] += [
            dict(row, trip_id=twin)
            for row in cut["stop_times"]
            if row["trip_id"] == trip["trip_id"]
        ]
    diff = diff_feeds(read_world(world, tmp_path / "old"), read_world(cut, tmp_path / "new"))
    assert diff.is_empty
    assert {a.new_trip_id for a in diff.aliases if a.old_trip_id == "t0"} == {"t0", "t0-2"}


# --- each kind of edit ----------------------------------------------------------------------------

Edit = Callable[[World], object]


def of(world: World, table: str, **wanted: str) -> list[dict[str, str]]:
    return [r for r in world[table] if all(r.get(k) == v for k, v in wanted.items())]


def shift(world: World, trips: list[str], seconds: int, after: int = 0) -> None:
    for row in world["stop_times"]:
        if row["trip_id"] in trips and int(row["stop_sequence"]) > after:
            h, m, s = map(int, row["departure_time"].split(":"))
            row["arrival_time"] = row["departure_time"] = clock(h * 3600 + m * 60 + s + seconds)


def drop(world: World, trips: list[str]) -> None:
    world["trips"] = [row for row in world["trips"] if row["trip_id"] not in trips]
    world["stop_times"] = [row for row in world["stop_times"] if row["trip_id"] not in trips]


EDITS: dict[str, tuple[Edit, dict[str, object]]] = {
    "an agency has another name": (
        lambda w: w["agency"][0].update(agency_name="Coach"),
        {"agencies": [("changed", "Bus")]},
    ),
    "a stop has another name": (
        lambda w: w["stops"][4].update(stop_name="Market"),
        {"stops": [("changed", "Stop 4")]},
    ),
    "a stop has moved": (
        lambda w: w["stops"][4].update(stop_lon="7.502"),
        {"stops": [("changed", "Stop 4")]},
    ),
    "a stop is new": (
        lambda w: w["stops"].append(
            {"stop_id": "s99", "stop_name": "New", "stop_lat": "47.9", "stop_lon": "7.9"}
        ),
        {"stops": [("new", "New")]},
    ),
    "a line has another name": (
        lambda w: w["routes"][1].update(route_short_name="22"),
        {"lines": [("changed", "2")]},
    ),
    "a line is gone": (
        lambda w: (drop(w, [f"v{n}" for n in range(20)]), w["routes"].pop(2), w["agency"].pop(1)),
        {"lines": [("gone", "3")], "agencies": [("gone", "Boat")]},
    ),
    "a trip is gone": (
        lambda w: drop(w, ["v3"]),
        {"trips": [("gone", "3", 0, "daily")], "line_counts": [("3", 20, 19)] * 3},
    ),
    "a trip is new": (
        lambda w: add_trip(w, "extra", "r2", "sa", 90_000, ["s11", "s10", "s9", "s8"]),
        {"trips": [("new", "3", 0, "Sat")], "line_counts": [("3", 20, 21)]},
    ),
    "a trip leaves later": (
        lambda w: shift(w, ["u7"], 240),
        {"trips": [("shifted", "2", 240, "daily")]},
    ),
    "a whole line leaves earlier": (
        lambda w: shift(w, [f"u{n}" for n in range(20)], -600),
        {"trips": [("shifted", "2", -600, "Sat")] * 4 + [("shifted", "2", -600, "daily")] * 16},
    ),
    "a trip takes longer on the way": (
        lambda w: shift(w, ["t4"], 120, after=3),
        {"trips": [("retimed", "1", 0, "daily")]},
    ),
    "a trip leaves a stop out": (
        lambda w: w["stop_times"].remove(of(w, "stop_times", trip_id="t4", stop_id="s2")[0]),
        {"trips": [("rerouted", "1", 0, "daily")], "patterns": [("new", "1", 5, 1)]},
    ),
    "a trip runs on other days": (
        lambda w: of(w, "trips", trip_id="t4")[0].update(service_id="wd"),
        {
            "trips": [("days", "1", 0, "Sat, Sun, 2027-02-01")],
            "line_counts": [("1", 10, 9)] * 2,
        },
    ),
    "a day has a timetable of its own": (
        lambda w: w["calendar_dates"].append(
            {"service_id": "wd", "date": "20270304", "exception_type": "2"}
        ),
        {"special_days": [("2027-03-04", 56, 46)]},
    ),
    "a train has another number": (
        lambda w: of(w, "trips", trip_id="t0")[0].update(trip_short_name="8"),
        {"renumbered": [("t0",)]},
    ),
    "a price has risen": (
        lambda w: w["fare_attributes"][2].update(price="5.00"),
        {
            "fares": [
                ("changed", "z0 to z2", "4.5 CHF", "5.0 CHF"),
                ("changed", "z2 to z0", "4.5 CHF", "5.0 CHF"),
            ]
        },
    ),
    "a way has come into another price": (
        lambda w: of(w, "fare_rules", origin_id="z0", destination_id="z2")[0].update(fare_id="f1"),
        {"fares": [("changed", "z0 to z2", "4.5 CHF", "3.5 CHF")]},
    ),
    "the timetable holds longer": (
        lambda w: [row.update(end_date="20270411") for row in w["calendar"]],
        {},
    ),
}  # fmt: skip


def found(diff: FeedDiff) -> dict[str, object]:
    """Return what a comparison found, by part, cut down to what the tests above say."""
    told = {
        "agencies": [(one.kind, one.name) for one in diff.agencies],
        "lines": [(one.kind, one.name) for one in diff.lines],
        "stops": [(one.kind, one.name) for one in diff.stops],
        "line_counts": [(one.line, one.old, one.new) for one in diff.line_counts],
        "patterns": [(one.kind, one.line, one.stops, one.trips) for one in diff.patterns],
        "trips": [(one.kind, one.line, one.shift_s, one.days) for one in diff.trips],
        "renumbered": [(one.old_trip_id,) for one in diff.renumbered],
        "special_days": [(str(one.day), one.old, one.new) for one in diff.special_days],
        "fares": [(one.kind, one.what, one.old, one.new) for one in diff.fares],
        "texts": list(diff.texts),
    }
    return {part: what for part, what in told.items() if what}


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> tuple[World, Feed]:
    """Return the world that is edited, and the feed of it."""
    world = small_world()
    of(world, "trips", trip_id="t0")[0].update(trip_short_name="7")
    return world, read_world(world, tmp_path_factory.mktemp("before") / "old")


@pytest.mark.parametrize("ids", ["kept", "dealt out anew", "made anew"])
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_found_and_nothing_else(before, tmp_path, edit, ids):
    change, expected = EDITS[edit]
    world, old = before
    edited = copy.deepcopy(world)
    change(edited)
    if ids != "kept":
        edited = rename_ids(edited, 5, anew=ids == "made anew")
    new = read_world(edited, tmp_path / "new")
    diff = diff_feeds(old, new)
    assert found(diff) == expected
    assert not diff.is_empty
    json.dumps(diff_document(diff))
    if ids == "kept":
        back = diff_feeds(new, old)
        assert {part: len(what) for part, what in found(back).items()} == {
            part: len(what) for part, what in expected.items()
        }


def test_what_has_moved_is_said_in_metres(tmp_path):
    world = small_world()
    edited = copy.deepcopy(world)
    edited["stops"][4]["stop_lon"] = "7.502"
    (moved,) = diff_feeds(
        read_world(world, tmp_path / "old"), read_world(edited, tmp_path / "new")
    ).stops
    assert 145 < moved.moved_m < 156
    assert moved.fields == {}


def test_versions_without_a_common_week_are_compared_by_weekday(tmp_path):
    world = small_world()
    later = copy.deepcopy(world)
    for row in later["calendar"]:
        row.update(start_date="20270401", end_date="20270630")
    later["calendar_dates"] = []
    shift(later, ["u7"], 240)
    diff = diff_feeds(read_world(world, tmp_path / "old"), read_world(later, tmp_path / "new"))
    assert not diff.same_days
    assert diff.compared_from.weekday() == 0
    assert found(diff) == {"trips": [("shifted", "2", 240, "daily")]}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=6), st.lists(st.integers(0, 60), max_size=6))
def test_departures_are_paired_in_order_at_the_least_cost(left, right):
    limit = 20
    pairs = align(left, right, limit)
    assert all(abs(left[i] - right[j]) <= limit for i, j in pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    ordered = sorted((left[i], right[j]) for i, j in pairs)
    assert [b for _, b in ordered] == sorted(b for _, b in ordered)

    def cost(chosen: list[tuple[int, int]]) -> float:
        alone = len(left) + len(right) - 2 * len(chosen)
        return sum(abs(a - b) for a, b in chosen) + alone * (limit / 2 + 1)

    def least(a: list[int], b: list[int]) -> float:
        if not a or not b:
            return (len(a) + len(b)) * (limit / 2 + 1)
        best = min(least(a[1:], b), least(a, b[1:])) + limit / 2 + 1
        if abs(a[0] - b[0]) <= limit:
            best = min(best, least(a[1:], b[1:]) + abs(a[0] - b[0]))
        return best

    assert cost([(left[i], right[j]) for i, j in pairs]) == least(sorted(left), sorted(right))


# --- Fares v2 -------------------------------------------------------------------------------------


@pytest.fixture
def transcollines(shared_data) -> World:
    """Return a real feed with Fares v2, as rows."""
    world: World = {}
    with zipfile.ZipFile(shared_data / "fares" / "transcollines_faresv2.zip") as archive:
        for member in archive.namelist():
            table = member.removesuffix(".txt")
            if table in TABLES and table not in ("shapes", "translations", "attributions"):
                text = archive.read(member).decode("utf-8-sig")
                world[table] = list(csv.DictReader(io.StringIO(text)))
    return world


def test_a_real_feed_with_fares_v2_whose_ids_are_all_other_ones_differs_in_nothing(
    transcollines, tmp_path
):
    old = read_world(transcollines, tmp_path / "old")
    new = read_world(rename_ids(transcollines, 3, anew=True), tmp_path / "new")
    assert found(diff_feeds(old, new)) == {}


def test_a_price_of_fares_v2_is_told_by_what_it_is_for(transcollines, tmp_path):
    edited = copy.deepcopy(transcollines)
    (product,) = of(edited, "fare_products", fare_product_id="PS-2000")
    product["amount"] = "22.00"
    (rule,) = of(edited, "fare_leg_rules", from_area_id="COL", to_area_id="COL")
    rule["fare_product_id"] = "PS-2000"
    edited = rename_ids(edited, 3, anew=True)
    old, new = read_world(transcollines, tmp_path / "old"), read_world(edited, tmp_path / "new")
    diff = diff_feeds(old, new)
    assert set(found(diff)) == {"fares"}
    assert {(fare.kind, fare.old, fare.new) for fare in diff.fares} == {
        ("changed", "20.0 CAD", "22.0 CAD"),
        ("changed", "5.0 CAD", "22.0 CAD"),
    }
    assert any("from Ville de Gatineau to " in fare.what for fare in diff.fares)


# --- real versions --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bart(shared_data) -> FeedDiff:
    folder = shared_data / "bayarea_2019" / "feed_versions"
    old, new = (
        read_feed(FeedConfig(id="bart", path=folder / name))
        for name in ("bart_old_2018-09.zip", "bart_new_2019-02.zip")
    )
    return diff_feeds(old, new)


def test_the_lines_of_two_real_versions_are_the_same_under_new_ids_and_names(bart):
    assert bart.regenerated == ("lines", "trips")
    lines = {(one.kind, one.name): one for one in bart.lines}
    assert set(lines) == {
        ("changed", "Yellow"), ("changed", "Blue"), ("changed", "Beige"), ("new", "Blue-Sun"),
        ("new", "Purple"),
    }  # fmt: skip
    assert lines["changed", "Blue"].fields == {"route_short_name": ("Blue", "Blue-Wkd/Sat")}
    assert (lines["changed", "Yellow"].old_id, lines["changed", "Yellow"].new_id) == ("01", "1")


def test_every_station_of_two_real_versions_is_found_again_though_all_are_renamed(bart):
    assert Counter(one.kind for one in bart.stops) == {"changed": 48}
    assert all(one.old_id == one.new_id and not one.moved_m for one in bart.stops)


def test_the_trips_of_two_real_versions(bart):
    kinds = Counter(trip.kind for trip in bart.trips)
    assert kinds == {
        "retimed": 462, "rerouted": 107, "days": 98, "shifted": 86, "gone": 50, "new": 19,
    }  # fmt: skip
    assert {(c.line, c.day_type): (c.old, c.new) for c in bart.line_counts}[
        "Blue-Wkd/Sat", "Sun"
    ] == (100, 0)
    holidays = ["2019-02-18", "2019-05-27", "2019-07-04", "2019-09-02"]
    assert [str(one.day) for one in bart.special_days] == holidays
    assert bart.fares == ()


def test_what_has_become_of_every_real_trip_is_said(bart, shared_data):
    """Each old trip that runs on the compared days has an alias or is gone, or its line is."""
    told = {alias.old_trip_id for alias in bart.aliases}
    told |= {trip.old_trip_id for trip in bart.trips}
    folder = shared_data / "bayarea_2019" / "feed_versions"
    old = read_feed(FeedConfig(id="bart", path=folder / "bart_old_2018-09.zip"))
    assert set(old.tables["trips"]["trip_id"]) <= told
