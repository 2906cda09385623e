"""Every foreign key of the schema leads somewhere, after merging and after exporting.

Two feeds that hold every table lose rows at random; what is left is merged, exported, read back.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility.core.errors import MobilityError
from mobility.feeds import FeedConfig, Manifest
from mobility.merge import Region
from mobility.merge.export.region import export_region
from mobility.schema import TABLES, references_of
from mobility.schema.graph import TRANSLATED_TABLES

from .export_back import dangling, read_zip, region_of, twice, write_feed
from .export_toy import EAST, NUMBER, WEST
from .test_export_tables import with_ride, without, write_area
from .test_properties import assert_nothing_dangles

MORE = {
    "frequencies": "trip_id,start_time,end_time,headway_secs,exact_times\n"
    "T4,15:00:00,16:00:00,900,1",
    "translations": WEST["translations"].rstrip()
    + "\n        stop_times,stop_headsign,fr,Loin,T1,2,\n",
    "fare_rules": "fare_id,route_id,origin_id,destination_id,contains_id\nF1,R1,Z1,Z2,Z1",
    "fare_leg_rules": "leg_group_id,network_id,from_area_id,to_area_id,fare_product_id,"
    "from_timeframe_group_id,to_timeframe_group_id\nLEG,,AREA,AREA,SINGLE,PEAK,PEAK",
}
FEEDS = {"west": with_ride(**MORE), "east": EAST}
NAMED = {"agency": "agencies", "calendar": "services", "calendar_dates": "services"}
APART = {"flex_trips": "trips", "flex_stop_times": "stop_times"}


def region_with(folder: Path, feeds: Mapping[str, dict[str, str]]) -> Region:
    configs = []
    for place, (name, files) in enumerate(feeds.items()):
        path = write_feed(folder / name, files)
        configs.append(FeedConfig(id=name, path=path, precedence=place, train_number=NUMBER))
    write_area(folder / "west")
    document = {"format": 1, "id": "toy", "name": "Toy", "feeds": configs, "folder": folder}
    return region_of(Manifest(**document))


def ids(region: Region, table: str, column: str) -> set[tuple[int, str]]:
    """Return (feed, id) of a column of the region, whatever the region calls the table."""
    names = [NAMED.get(table, table), *(own for own, schema in APART.items() if schema == table)]
    found: set[tuple[int, str]] = set()
    for name in names:
        frame = region.tables.get(name)
        if frame is not None and column in frame.columns:
            found |= set(frame.select("feed", column).drop_nulls().iter_rows())
    return found


def dangling_in(region: Region) -> Iterator[str]:
    """Yield every reference of the schema that leads nowhere in the region's own tables."""
    for name, frame in region.tables.items():
        schema = TABLES.get(APART.get(name, name))
        if schema is None or "feed" not in frame.columns:
            continue
        for reference in references_of(schema):
            if reference.column not in frame.columns:
                continue
            known = set().union(*(ids(region, *target) for target in reference.targets))
            told = frame.select("feed", reference.column).drop_nulls().iter_rows()
            yield from (f"{name}.{reference.column} {row}" for row in told if row not in known)
    for feed, table, record in translated(region):
        key = "trip_id" if table == "stop_times" else TABLES[table].key[0]
        if (feed, record) not in ids(region, "trips" if table == "stop_times" else table, key):
            yield f"translations {table} {record}"
    areas = ids(region, "locations", "location_id")
    for row in ids(region, "flex_stop_times", "location_id"):
        if row not in areas:
            yield f"flex_stop_times.location_id {row}"
    rules = region.tables["booking_rules"].height if "booking_rules" in region.tables else 0
    calls = region.tables["stop_times"]
    for name in {"pickup_booking_rule", "drop_off_booking_rule"} & set(calls.columns):
        if not calls[name].drop_nulls().is_between(0, rules - 1).all():
            yield f"stop_times.{name}"


def translated(region: Region) -> Iterator[tuple[int, str, str]]:
    if "translations" in region.tables:
        table = region.tables["translations"].filter(pl.col("record_id").is_not_null())
        named = table.filter(pl.col("table_name").is_in(list(TRANSLATED_TABLES)))
        yield from named.select("feed", "table_name", "record_id").iter_rows()


def areas_of(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        if "locations.geojson" not in archive.namelist():
            return set()
        document = json.loads(archive.read("locations.geojson"))
    return {feature["id"] for feature in document["features"]}


cuts = st.lists(
    st.tuples(st.sampled_from(sorted(FEEDS["west"])), st.floats(0, 1, exclude_max=True)),
    max_size=14,
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return iter(tmp_path_factory.mktemp("cut") / str(number) for number in range(10_000))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(west=cuts, east=cuts)
def test_nothing_dangles_after_merge_and_after_export(west, east, folders):
    folder = next(folders)
    feeds = {"west": without(FEEDS["west"], west), "east": without(FEEDS["east"], east)}
    path = folder / "merged.zip"
    try:
        region = region_with(folder, feeds)
        export_region(region, path)
    except MobilityError:
        return  # nothing to read or nothing that runs: said in one line, nothing written
    assert list(dangling_in(region)) == []
    assert_nothing_dangles(region)
    tables = read_zip(path)
    assert dangling(tables) == []
    assert twice(tables) == []
    named = {row["location_id"] for row in tables["stop_times"] if row.get("location_id")}
    assert named <= areas_of(path)


def test_the_feeds_say_something_under_every_foreign_key(tmp_path):
    """Else the test above would promise nothing of it."""
    region = region_with(tmp_path, FEEDS)
    export_region(region, tmp_path / "merged.zip")
    tables = read_zip(tmp_path / "merged.zip")
    silent = {
        f"{name}.{reference.column}"
        for name, schema in TABLES.items()
        for reference in references_of(schema)
        if name != "frequencies"  # runs are trips
        and not any(row.get(reference.column) for row in tables.get(name, []))
    }
    assert silent == set()
    assert list(dangling_in(region)) == []
