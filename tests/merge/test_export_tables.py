"""Every table of GTFS leaves with ids that lead somewhere, whatever the feeds leave out."""

import json
import zipfile

import gtfs_guru
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core.errors import MobilityError
from mobility.feeds import FeedConfig, Manifest
from mobility.merge.export.region import export_region
from mobility.schema import TABLES
from tests.merge.export_back import (
    dangling,
    read_zip,
    region_of,
    region_of_paths,
    twice,
    write_feed,
)
from tests.merge.export_toy import EAST, NUMBER, WEST

FEEDS = {"west": WEST, "east": EAST}


def toy_region(folder, feeds=FEEDS, **manifest):
    configs = [
        {
            "id": name, "path": write_feed(folder / name, files), "precedence": place,
            "country": country, "licence": "CC0-1.0", "train_number": NUMBER,
        }
        for place, (name, files, country) in enumerate(
            zip(feeds, feeds.values(), ("CH", "DE"), strict=True)
        )
    ]  # fmt: skip
    document = {"format": 1, "id": "toy", "name": "Toy", "feeds": configs, "folder": folder}
    document |= manifest
    return region_of(Manifest.model_validate(document))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    path = folder / "merged.zip"
    return path, export_region(toy_region(folder), path)


@pytest.fixture(scope="module")
def tables(exported):
    return read_zip(exported[0])


def rows_of(tables, name, **wanted):
    return [row for row in tables[name] if all(row[column] == v for column, v in wanted.items())]


def test_the_validator_finds_no_error(exported):
    result = gtfs_guru.validate(str(exported[0]), date="2026-12-14")
    assert [(e.code, e.file, e.row) for e in result.errors()] == []


def test_every_table_that_a_region_keeps_is_there(tables):
    left_out = {
        "frequencies",  # runs are trips
        "calendar_dates",  # a week says it all
    }
    assert set(tables) == set(TABLES) - left_out


def test_a_handed_over_train_is_one_trip_to_its_last_station(tables):
    calls = rows_of(tables, "stop_times", trip_id="west:T1")
    assert [row["stop_id"] for row in calls][-1] == "east:de:08311:6507:1:1"
    assert [row["stop_sequence"] for row in calls] == ["1", "2", "3", "4"]
    (trip,) = rows_of(tables, "trips", trip_id="west:T1")
    assert trip["trip_headsign"] == "Freiburg"
    assert not rows_of(tables, "trips", trip_id="east:T1")


def test_who_stays_seated_does_so_between_trips_of_the_export(tables):
    (row,) = rows_of(tables, "transfers", transfer_type="4")
    assert (row["from_trip_id"], row["to_trip_id"]) == ("west:T3", "west:T4")
    assert row["from_stop_id"] == row["to_stop_id"] == "west:8500010:0:7"


def test_who_stays_seated_does_so_on_the_days_that_both_trips_run(tmp_path):
    """Clocks in New York change on 2027-03-14, so every train becomes two trips there."""
    calendar = WEST["calendar"].replace("20261214,20261220", "20270311,20270317")
    region = toy_region(
        tmp_path, {"west": WEST | {"calendar": calendar}, "east": EAST}, timezone="America/New_York"
    )
    export_region(region, tmp_path / "merged.zip")
    rows = rows_of(read_zip(tmp_path / "merged.zip"), "transfers", transfer_type="4")
    pairs = [(row["from_trip_id"], row["to_trip_id"]) for row in rows]
    assert pairs == [("west:T3", "west:T4"), ("west:T3#2", "west:T4#2")]
    result = gtfs_guru.validate(str(tmp_path / "merged.zip"), date="2027-03-11")
    assert [(e.code, e.file, e.row) for e in result.errors()] == []


def test_a_transfer_between_trips_names_the_trips_and_stops_that_carry_them(tables):
    (row,) = rows_of(tables, "transfers", to_trip_id="east:T9")
    assert row["from_trip_id"] == "west:T1"
    calls = {r["stop_id"] for r in rows_of(tables, "stop_times", trip_id="west:T1")}
    assert row["from_stop_id"] in calls
    assert row["to_stop_id"] == "east:ch:23005:6:8"


def test_what_a_feed_says_of_its_station_holds_for_its_own_stops(tables):
    rows = [
        (row["from_stop_id"], row["to_stop_id"])
        for row in rows_of(tables, "transfers", transfer_type="2", min_transfer_time="420")
    ]
    own = ["east:ch:23005:6:5", "east:ch:23005:6:8"]
    assert sorted(rows) == [(a, b) for a in own for b in own]
    (row,) = rows_of(tables, "transfers", min_transfer_time="180")
    assert row["from_stop_id"] == row["to_stop_id"] == "west:8500090:0:5"


def test_a_platform_of_another_feed_is_linked_to_the_stations_pathways(tables):
    added = [row for row in tables["pathways"] if row["pathway_id"].startswith("walk/")]
    ends = [(row["from_stop_id"], row["to_stop_id"]) for row in added]
    assert ends == [("east:ch:SBB", "west:8500010:0:7")]
    assert float(added[0]["length"]) > 0 and int(added[0]["traversal_time"]) > 0


def test_translations_follow_the_rows_that_they_name(tables):
    told = {
        (row["table_name"], row["record_id"] or row["field_value"]): row["translation"]
        for row in tables["translations"]
    }
    assert told["stops", "west-8500010"] == "Bâle CFF"
    assert told["stops", "west-8500090"] == "Bâle Badischer Bahnhof"
    assert told["stops", "Zürich HB"] == "Zurich gare"
    assert told["trips", "west:T2"] == "Fribourg-en-Brisgau"
    assert told["routes", "west:R1"] == "Zurich - Fribourg"
    assert told["agency", "west:A1"] == "Rail Ouest"
    assert not any(table == "feed_info" for table, _ in told)


def test_attributions_of_a_trip_follow_the_train(tables):
    of_trips = [row for row in tables["attributions"] if row["trip_id"]]
    assert [(row["attribution_id"], row["trip_id"]) for row in of_trips] == [("west:AT", "west:T1")]
    assert rows_of(tables, "attributions", attribution_id="east:AT")[0]["agency_id"] == "east:A1"


def test_a_rule_for_any_network_stays_with_its_own_feed(tables):
    networks = {row["network_id"] for row in tables["fare_leg_rules"]}
    assert networks == {"west:N1", "east:N1", "east:*"}
    of_route = {row["route_id"]: row["network_id"] for row in tables["route_networks"]}
    assert of_route == {"west:R1": "west:N1", "east:R1": "east:N1", "east:R2": "east:*"}
    assert "network_id" not in tables["routes"][0]


def test_amounts_have_the_decimals_of_their_currency(tables):
    assert {row["amount"] for row in tables["fare_products"]} == {"2.50"}
    assert {row["price"] for row in tables["fare_attributes"]} == {"2.50"}


def test_what_cannot_be_said_is_told(exported):
    told = {(notice.code, notice.file) for notice in exported[1].notices}
    assert told == {("export_row_dropped", "translations.txt")}


def test_services_that_fares_and_bookings_name_keep_their_days(tables):
    weeks = {row["service_id"]: (row["start_date"], row["end_date"]) for row in tables["calendar"]}
    assert weeks["west:S1"] == weeks["east:S1"] == ("20261214", "20261220")
    assert {row["service_id"] for row in tables["timeframes"]} == {"west:S1", "east:S1"}
    assert tables["booking_rules"][0]["prior_notice_service_id"] == "west:S1"


RIDE = "location_group_id,start_pickup_drop_off_window,end_pickup_drop_off_window"


def with_ride(**more):
    """Return the western feed with a trip on demand among the villages."""
    head, *calls = [line.strip() for line in WEST["stop_times"].strip().splitlines()]
    columns = f"{RIDE},location_id,pickup_type,drop_off_type,pickup_booking_rule_id"
    columns += ",drop_off_booking_rule_id"
    places = [("G1", ""), ("", "zone")]
    ride = [
        f"T5,,,,{number},{group},08:00:00,18:00:00,{area},{pickup},{drop},BR,BR"
        for number, ((group, area), pickup, drop) in enumerate(
            zip(places, (2, 1), (1, 2), strict=True), start=1
        )
    ]
    return WEST | {
        "stop_times": "\n".join([f"{head},{columns}", *(f"{c},,,,,,,," for c in calls), *ride]),
        "trips": WEST["trips"].rstrip() + "\n    R1,S1,T5,Villages,,,\n",
    } | more  # fmt: skip


def write_area(folder):
    """Put an area beside the tables of a feed."""
    ring = [[7.8, 47.9], [7.9, 47.9], [7.9, 48.1], [7.8, 48.1], [7.8, 47.9]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "id": "zone", "properties": {}, "geometry": shape}
    document = {"type": "FeatureCollection", "features": [feature]}
    (folder / "locations.geojson").write_text(json.dumps(document))


def test_service_on_demand_leaves_with_its_days_places_and_booking_rules(tmp_path):
    west, east = (
        FeedConfig(id=name, path=write_feed(tmp_path / name, files))
        for name, files in (("west", with_ride()), ("east", EAST))
    )
    write_area(tmp_path / "west")
    document = {"format": 1, "id": "toy", "name": "Toy", "feeds": (west, east), "folder": tmp_path}
    done = export_region(region_of(Manifest(**document)), tmp_path / "merged.zip")
    assert "export_on_demand_left_out" not in {notice.code for notice in done.notices}
    tables = read_zip(tmp_path / "merged.zip")
    (trip,) = rows_of(tables, "trips", trip_id="west:T5")
    assert trip["service_id"] == "west:S1"
    calls = rows_of(tables, "stop_times", trip_id="west:T5")
    assert [(c["location_group_id"], c["location_id"]) for c in calls] == [
        ("west:G1", ""), ("", "west:zone"),
    ]  # fmt: skip
    assert {call["start_pickup_drop_off_window"] for call in calls} == {"08:00:00"}
    assert {call["pickup_booking_rule_id"] for call in calls} == {"west:BR"}
    with zipfile.ZipFile(tmp_path / "merged.zip") as archive:
        (area,) = json.loads(archive.read("locations.geojson"))["features"]
    assert area["id"] == "west:zone"
    assert dangling(tables) == []
    result = gtfs_guru.validate(str(tmp_path / "merged.zip"), date="2026-12-14")
    assert [(e.code, e.file, e.row) for e in result.errors()] == []
    again = region_of_paths([tmp_path / "merged.zip"])
    assert again.tables["flex_stop_times"].height == 2
    assert again.tables["locations"]["location_id"].to_list() == ["west:zone"]


def test_service_on_demand_without_its_area_is_left_out_and_told(tmp_path):
    region = toy_region(tmp_path, {"west": with_ride(), "east": EAST})
    done = export_region(region, tmp_path / "merged.zip")
    assert "export_on_demand_left_out" in {notice.code for notice in done.notices}
    tables = read_zip(tmp_path / "merged.zip")
    assert not rows_of(tables, "trips", trip_id="west:T5")
    assert dangling(tables) == []


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return iter(tmp_path_factory.mktemp("cut") / str(number) for number in range(10_000))


def without(files, cuts):
    """Return the files without some of their rows; a cut is a fraction of the table."""
    out = {}
    for name, text in files.items():
        head, *rows = text.strip().splitlines()
        gone = {int(at * len(rows)) for table, at in cuts if table == name}
        out[name] = "\n".join([head, *(row for at, row in enumerate(rows) if at not in gone)])
    return out


cuts = st.lists(
    st.tuples(st.sampled_from(sorted(WEST)), st.floats(0, 1, exclude_max=True)), max_size=12
)


@settings(max_examples=8, deadline=None)
@given(west=cuts, east=cuts)
def test_nothing_dangles_whatever_the_feeds_leave_out(west, east, folders):
    folder = next(folders)
    feeds = {"west": without(WEST, west), "east": without(EAST, east)}
    try:
        export_region(toy_region(folder, feeds), folder / "merged.zip")
    except MobilityError:
        return  # nothing to read or nothing that runs: said in one line, nothing written
    tables = read_zip(folder / "merged.zip")
    assert dangling(tables) == []
    assert twice(tables) == []


@pytest.mark.parametrize("name", FEEDS)
def test_a_region_of_one_feed_is_that_feed(name, tmp_path):
    """merge(A) = A: every row is there; ids are scoped, stations have ours."""
    feed = write_feed(tmp_path / name, FEEDS[name])
    region = region_of_paths([feed])
    export_region(region, tmp_path / "merged.zip")
    before = {
        key: [line.strip() for line in text.strip().splitlines()][1:]
        for key, text in FEEDS[name].items()
    }
    after = read_zip(tmp_path / "merged.zip")
    for table in ("agency", "routes", "trips", "stop_times", "shapes", "pathways", "areas"):
        assert len(after.get(table, [])) == len(before.get(table, [])), table
    for row, line in zip(after["stop_times"], before["stop_times"], strict=True):
        trip, arrival, departure, stop, sequence = line.split(",")
        assert row["trip_id"] == f"{name}:{trip}" and row["stop_id"] == f"{name}:{stop}"
        assert (row["arrival_time"], row["departure_time"]) == (arrival, departure)
        assert row["stop_sequence"] == sequence
    again = region_of_paths([tmp_path / "merged.zip"])
    for table in ("agencies", "routes", "trips", "stop_times", "trains", "stations"):
        assert again.tables[table].height == region.tables[table].height, table
    assert (again.days == region.days).all() and again.first_date == region.first_date
    export_region(again, tmp_path / "twice.zip")
    twice_exported = read_zip(tmp_path / "twice.zip")
    for table in after:
        more = table == "attributions"  # the export names its own source
        assert len(twice_exported[table]) == len(after[table]) + more, table
