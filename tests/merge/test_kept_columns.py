"""Nothing is lost: every column of the schema that a feed fills is in the region and the export."""

import csv
import io

import polars as pl
import pytest

from mobility.feeds import FeedConfig, Manifest, read_feed
from mobility.merge import merge_feeds
from mobility.merge.export.region import export_region
from mobility.merge.further import REPRESENTED
from mobility.schema import TABLES
from tests.merge.export_back import dangling, read_zip, write_feed
from tests.merge.export_toy import WEST

REGION_NAMES = {"agency": "agencies"}
# What one GTFS feed says otherwise than the feeds it was made of, and why.
OTHERWISE = {
    "trips.service_id": "of the export's own: a train may be dated another day in its zone",
    "calendar": "the same days, in as few rows as say them",
    "calendar_dates": "the same days, in as few rows as say them",
    "frequencies": "runs are trips",
    "feed_info": "one row for the region; the feeds are named in attributions",
    "routes.network_id": "route_networks where a feed has it",
    "stops.stop_timezone": "stated where it differs from the parent's or the feed's",
    "translations": "of feed_info's own fields: the row is the region's",
}
# Cells that would make a row mean something else than the test is after.
BLANK = {
    ("stop_times", "location_group_id"), ("stop_times", "location_id"),
    ("stop_times", "start_pickup_drop_off_window"), ("stop_times", "end_pickup_drop_off_window"),
    ("transfers", "from_route_id"), ("transfers", "to_route_id"),
    ("transfers", "from_trip_id"), ("transfers", "to_trip_id"),
    ("transfers", "from_stop_id"), ("transfers", "to_stop_id"),
    ("attributions", "agency_id"), ("attributions", "route_id"), ("attributions", "trip_id"),
    ("translations", "record_id"), ("translations", "record_sub_id"),
    ("translations", "field_value"), ("stops", "parent_station"), ("stops", "stop_access"),
    ("trips", "block_id"), ("routes", "network_id"), ("stops", "location_type"),
    ("stops", "platform_code"),
}  # fmt: skip
MORE = {
    "calendar_dates": "service_id,date,exception_type\nS2,20261216,1",
    "frequencies": "trip_id,start_time,end_time,headway_secs,exact_times\n"
    "T9,15:00:00,16:00:00,1800,0",
}
REFERENCES = {
    "levels.level_id": "L0", "booking_rules.booking_rule_id": "BR", "areas.area_id": "AREA",
    "shapes.shape_id": "SH", "networks.network_id": "N1", "stops.zone_id": "Z1",
    "timeframes.timeframe_group_id": "PEAK", "calendar.service_id": "S1",
    "fare_leg_rules.leg_group_id": "LEG", "stops.stop_id": "8500010",
    "rider_categories.rider_category_id": "ADULT", "fare_media.fare_media_id": "PAPER",
}  # fmt: skip
SAMPLES = {
    "text": "said of {}", "id": "id-{}", "int": "3", "float": "1.5", "time": "06:00:00",
    "date": "20261214", "url": "https://west.example/{}", "color": "00AA11", "enum": "1",
    "language": "de", "zone": "Europe/Zurich", "currency": "CHF", "lat": "47.5", "lon": "7.6",
}  # fmt: skip


def full_cell(table, column, row, number):
    """Return a cell: what the feed says, else a sample that is right for its column."""
    name = f"{table}.{column.name}"
    if row.get(column.name) or (table, column.name) in BLANK:
        return row.get(column.name, "")
    if name == "stop_times.timepoint":
        return "0"
    if column.name == "shape_dist_traveled":
        return f"{number if table == 'stop_times' else 10 * number:.1f}"
    if column.references:
        return next((REFERENCES[r] for r in column.references if r in REFERENCES), "")
    return SAMPLES[column.kind].format(column.name)


def filled(name, text):
    """Return a table with every column of the schema."""
    rows = list(csv.DictReader(io.StringIO("\n".join(line.strip() for line in text.splitlines()))))
    columns = TABLES[name].columns
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    for number, row in enumerate(rows):
        writer.writerow([full_cell(name, column, row, number) for column in columns])
    return out.getvalue()


def full_feed():
    """Return the tables of a feed that says everything the schema knows."""
    files = WEST | MORE
    more = "\n        R1,S2,T9,Basel,9,,\n"
    files |= {"trips": WEST["trips"].rstrip() + more}
    rides = "\n        T9,00:00:00,00:00:00,8503000:0:9,1\n        T9,00:40:00,00:40:00,8010005,2\n"
    files |= {"stop_times": WEST["stop_times"].rstrip() + rides}
    return {name: filled(name, text.strip()) for name, text in files.items()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the feed's rows, the region, and the tables of its export."""
    folder = tmp_path_factory.mktemp("full")
    files = full_feed()
    config = FeedConfig(id="west", path=write_feed(folder / "west", files))
    document = {"format": 1, "id": "full", "name": "Full", "feeds": (config,), "folder": folder}
    feed = read_feed(config)
    region = merge_feeds([feed], Manifest(**document))
    export_region(region, folder / "merged.zip")
    rows = {name: list(csv.DictReader(io.StringIO(text))) for name, text in files.items()}
    return rows, feed, region, read_zip(folder / "merged.zip")


def test_the_feed_says_everything(made):
    rows, feed, _, _ = made
    empty = [
        f"{name}.{column.name}"
        for name, table in TABLES.items()
        for column in table.columns
        if (name, column.name) not in BLANK
        and not any(row.get(column.name) for row in rows.get(name, []))
    ]
    assert empty == []
    assert {n.code for n in feed.notices if n.severity == "error"} == set()


def test_the_region_keeps_every_column_that_a_feed_fills(made):
    _, feed, region, _ = made
    lost = []
    for name, table in TABLES.items():
        kept = region.tables.get(REGION_NAMES.get(name, name))
        for column in table.columns:
            if not {column.name, "*"}.isdisjoint(REPRESENTED.get(name, {})):
                continue
            source = feed.tables[name]
            told = (
                source.height - source[column.name].null_count()
                if column.name in source.columns
                else 0
            )
            here = 0
            if kept is not None and column.name in kept.columns:
                here = kept.height - kept[column.name].null_count()
            if here < told:
                lost.append(f"{name}.{column.name}: {here} of {told}")
    assert lost == []


def test_what_the_region_says_in_another_form_is_there(made):
    _, feed, region, _ = made
    tables = region.tables
    assert tables["services"]["service_id"].to_list() == ["S1", "S2"]
    assert region.days[tables["services"]["days"]].sum(axis=1).tolist() == [7, 1]
    services = tables["services"]["service_id"].gather(tables["trips"]["service"])
    assert services.to_list() == feed.tables["trips"]["service_id"].to_list()
    runs = tables["trips"].filter(pl.col("template_trip_id") == "T9")
    assert runs.select("trip_id", "headway_s").rows() == [
        ("T9~15:00:00", 1800),
        ("T9~15:30:00", 1800),
    ]
    rules = tables["booking_rules"]["booking_rule_id"]
    assert set(rules.gather(tables["stop_times"]["pickup_booking_rule"])) == {"BR"}


def test_the_export_says_every_column_that_a_feed_fills(made):
    rows, _, _, tables = made
    lost = []
    for name, table in TABLES.items():
        for column in table.columns:
            if name in OTHERWISE or f"{name}.{column.name}" in OTHERWISE:
                continue
            told = sum(bool(row.get(column.name)) for row in rows.get(name, []))
            here = sum(bool(row.get(column.name)) for row in tables.get(name, []))
            if here < told:
                lost.append(f"{name}.{column.name}: {here} of {told}")
    assert lost == []
    assert dangling(tables) == []
