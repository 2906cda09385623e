"""Every instant of every train is the same in the one zone of the export."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core.errors import InputError
from mobility.feeds import Manifest
from mobility.merge import Region
from mobility.merge.export.region import export_region
from tests.merge.export_back import read_zip
from tests.network.build import Call, Feed, Stop, Train, build_tables

ZONES = (
    "Europe/Berlin",
    "Europe/Lisbon",
    "America/New_York",  # clocks change on other days than in Europe
    "Asia/Tokyo",  # they never change
    "Pacific/Auckland",  # a day ahead, and they change the other way round
)
STOPS = [Stop("A", 47.5, 7.6), Stop("B", 47.6, 7.6), Stop("C", 47.7, 7.6)]
N_DAYS = 9
FIRST_DATES = (dt.date(2027, 3, 10), dt.date(2027, 3, 24), dt.date(2027, 10, 27))


def region_with(trains, zone, export_zone, first_date=FIRST_DATES[0]):
    tables = build_tables(
        STOPS, trains, feeds=[Feed("one", zone)], first_date=first_date, n_days=N_DAYS
    )
    manifest = Manifest.model_validate(
        {
            "format": 1, "id": "toy", "name": "Toy", "timezone": export_zone,
            "feeds": [{"id": "one", "path": "one"}], "folder": Path(),
        }
    )  # fmt: skip
    kinds = {"equal": 0, "contained": 0, "overlap": 0, "hand_over": 0}
    return Region(
        manifest, tables.feeds, tables.first_date, tables.days, tables.coverage, tables.tables,
        (), kinds,
    )  # fmt: skip


def origin(date, zone):
    """Return noon minus twelve hours (GTFS Schedule, "Service day")."""
    noon = dt.datetime.combine(date, dt.time(12), ZoneInfo(zone))
    return int(noon.timestamp()) - 43_200


def seconds(clock):
    hours, minutes, rest = (int(part) for part in clock.split(":"))
    return hours * 3600 + minutes * 60 + rest


def service_dates(tables):
    """Return the dates of each service, as calendar.txt and calendar_dates.txt say them."""
    dates = {}
    for row in tables.get("calendar", []):
        day, last = (dt.date.fromisoformat(row[name]) for name in ("start_date", "end_date"))
        own = dates.setdefault(row["service_id"], set())
        while day <= last:
            if row[f"{day:%A}".lower()] == "1":
                own.add(day)
            day += dt.timedelta(1)
    for row in tables.get("calendar_dates", []):
        own = dates.setdefault(row["service_id"], set())
        change = own.add if row["exception_type"] == "1" else own.remove
        change(dt.date.fromisoformat(row["date"]))
    return dates


def told(path):
    """Return every event of an exported zip: train, stop, arrival, departure in unix seconds."""
    tables = read_zip(path)
    zone = tables["agency"][0]["agency_timezone"]
    dates = service_dates(tables)
    trips = {row["trip_id"]: row["service_id"] for row in tables["trips"]}
    found = []
    for row in tables["stop_times"]:
        times = [seconds(row[name]) for name in ("arrival_time", "departure_time")]
        assert min(times) >= 0
        for date in dates[trips[row["trip_id"]]]:
            start = origin(date, zone)
            train = row["trip_id"].partition("#")[0]
            found.append((train, row["stop_id"], *(start + time for time in times)))
    return sorted(found)


def true(trains, zone, first_date):
    """Return every event of the trains as they were made."""
    found = []
    for train in trains:
        for day in range(N_DAYS) if train.days is None else train.days:
            start = origin(first_date + dt.timedelta(day), zone)
            for call in train.calls:
                times = (start + call.arrival_s, start + call.departure_s)
                found.append((f"one:{train.id}", f"one:{call.stop}", *times))
    return sorted(found)


@st.composite
def made_trains(draw):
    trains = []
    for number in range(draw(st.integers(1, 4))):
        times = sorted(draw(st.lists(st.integers(0, 30 * 3600), min_size=4, max_size=4)))
        calls = [
            Call("A", times[0], times[0]),
            Call("B", times[1], times[2]),
            Call("C", times[3], times[3]),
        ]
        days = draw(st.sets(st.integers(0, N_DAYS - 1), min_size=1))
        trains.append(Train(f"t{number}", calls, days=sorted(days)))
    return trains


@settings(max_examples=15, deadline=None)
@given(
    trains=made_trains(),
    zone=st.sampled_from(ZONES),
    export_zone=st.sampled_from(ZONES),
    first_date=st.sampled_from(FIRST_DATES),
)
def test_every_instant_stays_what_it_was(trains, zone, export_zone, first_date, tmp_path_factory):
    path = tmp_path_factory.mktemp("zones") / "merged.zip"
    export_region(region_with(trains, zone, export_zone, first_date), path)
    assert told(path) == true(trains, zone, first_date)


def test_a_train_becomes_two_trips_where_clocks_change_on_other_days(tmp_path):
    train = Train("t", "A 12:00 C 13:00")
    region = region_with([train], "Europe/Berlin", "America/New_York")  # from 10 March on
    export_region(region, tmp_path / "merged.zip")
    tables = read_zip(tmp_path / "merged.zip")
    departures = {
        row["trip_id"]: row["departure_time"]
        for row in tables["stop_times"]
        if row["stop_id"] == "one:A"
    }
    assert departures == {"one:t": "06:00:00", "one:t#2": "07:00:00"}
    dates = service_dates(tables)
    first, second = (dates[row["service_id"]] for row in tables["trips"])
    assert len(first | second) == N_DAYS and not first & second
    assert min(second) == dt.date(2027, 3, 14)


def test_a_time_before_the_day_belongs_to_the_day_before(tmp_path):
    train = Train("t", "A 00:30 C 02:00", days=(3,))
    region = region_with([train], "Europe/Berlin", "Europe/Lisbon")
    export_region(region, tmp_path / "merged.zip")
    tables = read_zip(tmp_path / "merged.zip")
    assert [row["departure_time"] for row in tables["stop_times"]] == ["23:30:00", "25:00:00"]
    assert list(service_dates(tables).values()) == [{dt.date(2027, 3, 12)}]


def test_zones_of_equal_clocks_split_no_train(tmp_path):
    trains = [Train("t", "A 00:30 C 02:00"), Train("u", "A 23:30 C 25:00")]
    first_date = FIRST_DATES[1]
    region = region_with(trains, "Europe/Berlin", "Europe/Zurich", first_date)
    export_region(region, tmp_path / "merged.zip")
    tables = read_zip(tmp_path / "merged.zip")
    assert [row["trip_id"] for row in tables["trips"]] == ["one:t", "one:u"]
    assert len(tables["calendar"]) == 1 and "calendar_dates" not in tables


def test_stops_keep_the_zone_that_their_times_are_told_in(tmp_path):
    region = region_with([Train("t", "A 08:00 C 09:00")], "Europe/Berlin", "Europe/Lisbon")
    stops = region.tables["stops"]
    tz = ["Europe/Berlin"] * stops.height
    region = Region(
        region.manifest, region.feeds, region.first_date, region.days, region.coverage,
        {**region.tables, "stops": stops.with_columns(tz=stops["stop_id"].replace_strict(
            dict(zip(stops["stop_id"].to_list(), tz, strict=True))))},
        (), region.train_counts,
    )  # fmt: skip
    export_region(region, tmp_path / "merged.zip")
    tables = read_zip(tmp_path / "merged.zip")
    assert {row["agency_timezone"] for row in tables["agency"]} == {"Europe/Lisbon"}
    assert {row["stop_timezone"] for row in tables["stops"]} == {"Europe/Berlin"}


def test_a_region_without_service_cannot_be_exported(tmp_path):
    region = region_with([Train("t", "A 08:00 C 09:00", days=())], "Europe/Berlin", "Asia/Tokyo")
    with pytest.raises(InputError, match="no train runs"):
        export_region(region, tmp_path / "merged.zip")
    assert not (tmp_path / "merged.zip").exists()


@pytest.fixture
def small_region():
    return region_with([Train("t", "A 08:00 C 09:00")], "Europe/Berlin", "Europe/Berlin")


def test_progress_ends_with_all_rows(small_region, tmp_path):
    told_ = []
    export_region(small_region, tmp_path / "a.zip", progress=lambda *words: told_.append(words))
    rows = sum(len(table) for table in read_zip(tmp_path / "a.zip").values())
    assert told_[-1] == ("export", rows, rows)


def test_a_fault_leaves_the_file_that_stood_there(small_region, tmp_path):
    path = tmp_path / "merged.zip"
    path.write_bytes(b"before")

    def fail(stage, done, total):
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        export_region(small_region, path, progress=fail)
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["merged.zip"]


def test_a_folder_is_no_place_for_a_zip(small_region, tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        export_region(small_region, tmp_path)
    assert list(tmp_path.iterdir()) == []
