"""Real feeds: every row accounted for, and facts that were looked up by other means."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mobility.core.time import gtfs_time, local_time, service_day_origin
from mobility.feeds import Feed, service_days
from mobility.feeds.findings import dropped_rows
from mobility.schema import TABLES

SEVEN = [
    "iberia_2026/cp_portugal.zip",
    "iberia_2026/metro_do_porto.zip",
    "iberia_2026/renfe_av_ld_md.zip",
    "iberia_2026/renfe_cercanias.zip",
    "eu_rail_2025/db_fernverkehr.zip",
    "eu_rail_2025/sncf_voyageurs.zip",
    "eu_rail_2025/zssk_slovakia.zip",
]
OTHERS = [
    "bayarea_2019/bart.zip",
    "bayarea_2019/caltrain.zip",
    "bayarea_2019/county_connection.zip",
    "bayarea_2019/napa_vine.zip",
    "bayarea_2019/caltrain_2023_rt/caltrain_2023.zip",
    "bayarea_2019/feed_versions/bart_old_2018-09.zip",
    "porto_alegre_2019/poa_eptc.zip",
    "porto_alegre_2019/poa_trensurb.zip",
    "fares/transcollines_faresv2.zip",
    "fares/google_sample-feed-1.zip",
]
Read = Callable[[str], Feed]


def csv_rows(path: Path, file: str) -> Iterator[list[str]]:
    """Rows of a member as Python's csv alone reads them, without blank ones."""
    with zipfile.ZipFile(path) as archive, archive.open(file) as raw:
        for row in csv.reader(io.TextIOWrapper(raw, "utf-8-sig", newline="")):
            if any(cell and not cell.isspace() for cell in row):
                yield row


@pytest.mark.shared
@pytest.mark.parametrize("name", SEVEN + OTHERS)
def test_every_row_read_is_kept_or_dropped_under_a_code(
    name: str, shared_data: Path, real_feed: Read
) -> None:
    feed = real_feed(name)
    with zipfile.ZipFile(shared_data / name) as archive:
        members = {m for m in archive.namelist() if m.removesuffix(".txt") in TABLES}
    assert set(feed.counts) == {member.removesuffix(".txt") for member in members}
    for table, counts in feed.counts.items():
        rows = csv_rows(shared_data / name, f"{table}.txt")
        assert counts.read == sum(1 for _ in rows) - 1, table
        assert counts.read == counts.kept + counts.dropped, table
        assert counts.dropped == dropped_rows(feed.notices, f"{table}.txt"), table
        assert 0 <= counts.repaired <= counts.kept


@pytest.mark.shared
@pytest.mark.parametrize("name", SEVEN)
def test_tables_hold_what_the_files_say(name: str, shared_data: Path, real_feed: Read) -> None:
    """The first five thousand stop_times of each feed, cell by cell, against Python's csv."""
    feed = real_feed(name)
    rows = csv_rows(shared_data / name, "stop_times.txt")
    header = [cell.strip() for cell in next(rows)]
    raw = [
        dict(zip(header, (cell.strip() for cell in row), strict=False))
        for row in islice(rows, 5_000)
    ]
    trips = {trip: i for i, trip in enumerate(feed.tables["trips"]["trip_id"])}
    stops = feed.tables["stops"]["stop_id"].to_list()
    wanted = sorted({trips[row["trip_id"]] for row in raw if row["trip_id"] in trips})
    times = feed.tables["stop_times"].filter(pl.col("trip").is_in(wanted))
    columns = ["trip", "stop_sequence", "stop", "arrival_time", "departure_time"]
    ours = {
        (trip, sequence): (stops[stop], gtfs_time(arrival), gtfs_time(departure))
        for trip, sequence, stop, arrival, departure in times.select(columns).iter_rows()
    }
    for row in raw:
        if row["trip_id"] in trips:
            arrival, departure = (row[key].zfill(8) for key in ("arrival_time", "departure_time"))
            key = trips[row["trip_id"]], int(row["stop_sequence"])
            assert ours[key] == (row["stop_id"], arrival, departure)


@pytest.mark.shared
@pytest.mark.parametrize("name", SEVEN + OTHERS)
def test_stop_times_are_as_promised(name: str, real_feed: Read) -> None:
    tables = real_feed(name).tables
    times = tables["stop_times"]
    trip, sequence = times["trip"].to_numpy(), times["stop_sequence"].to_numpy()
    key = (trip.astype(np.int64) << 32) | sequence
    assert np.all(key[1:] > key[:-1])
    assert np.array_equal(np.unique(trip), np.arange(len(tables["trips"])))
    assert np.bincount(trip).min() >= 2
    arrival, departure = times["arrival_time"].to_numpy(), times["departure_time"].to_numpy()
    assert np.all(departure >= arrival)
    assert np.all((arrival[1:] >= departure[:-1]) | (trip[1:] != trip[:-1]))
    types = {name: times.schema[name] for name in ("arrival_time", "pickup_type", "drop_off_type")}
    assert types == {"arrival_time": pl.Int32, "pickup_type": pl.Int8, "drop_off_type": pl.Int8}
    assert times.select("stop", "pickup_type", "drop_off_type").null_count().row(0) == (0, 0, 0)


@pytest.mark.shared
def test_cercanias_has_397_trips_without_stop_times(shared_data: Path, real_feed: Read) -> None:
    feed = real_feed("iberia_2026/renfe_cercanias.zip")
    path = shared_data / "iberia_2026/renfe_cercanias.zip"
    with zipfile.ZipFile(path) as archive, archive.open("stop_times.txt") as raw:
        with_rows = {line.partition(b",")[0].decode() for line in raw}
    trips = [row[2].strip() for row in csv_rows(path, "trips.txt")][1:]
    without = {trip for trip in trips if trip not in with_rows}
    assert len(without) == 397
    told = [n.count for n in feed.notices if n.code == "unused_trip" and n.file == "trips.txt"]
    assert told == [397]
    assert not without & set(feed.tables["trips"]["trip_id"])


@pytest.mark.shared
def test_porto_shapes_with_decimal_commas_are_repaired(shared_data: Path, real_feed: Read) -> None:
    feed = real_feed("iberia_2026/metro_do_porto.zip")
    counts = feed.counts["shapes"]
    assert (counts.read, counts.kept, counts.repaired, counts.dropped) == (346, 346, 260, 0)
    shapes = feed.tables["shapes"]
    assert shapes["shape_pt_lat"].is_between(41.0, 41.5).all()
    assert shapes["shape_pt_lon"].is_between(-8.8, -8.4).all()
    raw = list(csv_rows(shared_data / "iberia_2026/metro_do_porto.zip", "shapes.txt"))
    long = next(row for row in raw if len(row) == 7)
    wanted = float(f"{long[1]}.{long[2]}"), float(f"{long[3]}.{long[4]}"), int(long[5])
    points = shapes.filter(pl.col("shape_id") == long[0])
    assert wanted in points.select("shape_pt_lat", "shape_pt_lon", "shape_pt_sequence").rows()


@pytest.mark.shared
def test_the_train_to_porto_keeps_madrid_time(real_feed: Read) -> None:
    feed = real_feed("iberia_2026/renfe_av_ld_md.zip")
    trip = feed.tables["trips"]["trip_id"].to_list().index("0042012026-08-21")
    calls = feed.tables["stop_times"].filter(pl.col("trip") == trip)
    names = feed.tables["stops"]["stop_name"]
    assert feed.zone == "Europe/Madrid"
    assert names[calls["stop"][0]].startswith("Vigo")
    assert gtfs_time(calls["departure_time"][0]) == "08:58:00"
    origin = service_day_origin(date(2026, 8, 24), feed.zone)
    arrival = origin + calls["arrival_time"][-1]
    assert local_time(arrival, "Europe/Lisbon") == "2026-08-24T10:24:00+01:00"


@pytest.mark.shared
@pytest.mark.parametrize("name", SEVEN)
def test_validity_is_the_first_and_last_day_with_service(name: str, real_feed: Read) -> None:
    feed = real_feed(name)
    n_days = (feed.valid_until - feed.valid_from).days + 1
    rows, days = service_days(feed, feed.valid_from, n_days)
    used = days[[rows[service] for service in feed.tables["trips"]["service_id"].unique()]]
    assert used[:, 0].any() and used[:, -1].any()


@pytest.mark.shared
@pytest.mark.parametrize("name", ["iberia_2026/metro_do_porto.zip", "bayarea_2019/bart.zip"])
def test_partridge_sees_the_same_busiest_day(name: str, shared_data: Path, real_feed: Read) -> None:
    """Partridge is an independent reader: trips and stop_times of the busiest date are the same."""
    feed = real_feed(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        partridge = pytest.importorskip("partridge")
        busiest, services = partridge.read_busiest_date(str(shared_data / name))
        view = {"trips.txt": {"service_id": services}}
        theirs = partridge.load_feed(str(shared_data / name), view=view)
        theirs_times = theirs.stop_times
        theirs_trips = set(theirs.trips["trip_id"])
    rows, days = service_days(feed, busiest, 1)
    assert {service for service, row in rows.items() if days[row, 0]} == set(services)
    trips = feed.tables["trips"].with_row_index("trip").cast({"trip": pl.Int32})
    mine = trips.filter(pl.col("service_id").is_in(sorted(services)))
    assert set(mine["trip_id"]) == theirs_trips
    stops = feed.tables["stops"].select("stop_id", stop=pl.int_range(pl.len(), dtype=pl.Int32))
    ours = (
        feed.tables["stop_times"]
        .join(mine.select("trip", "trip_id"), on="trip")
        .join(stops, on="stop")
        .select("trip_id", "stop_sequence", "stop_id", "arrival_time", "departure_time")
    )
    columns = ["trip_id", "stop_sequence", "stop_id", "arrival_time", "departure_time"]
    wanted = {
        (trip, int(sequence), stop, int(arrival), int(departure))
        for trip, sequence, stop, arrival, departure in theirs_times[columns].itertuples(
            index=False, name=None
        )
    }
    assert set(ours.iter_rows()) == wanted
