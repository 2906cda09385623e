"""Real feeds: slices against the merged tables, and instants across zones."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from mobility.core.time import service_day_origin
from mobility.feeds import manifest_of_sources, read_feed
from mobility.merge import Region, merge_feeds
from mobility.network import DaySlice, Network, compile_network
from mobility.network.slices import build_slice

pytestmark = pytest.mark.shared
NIGHT = dt.date(2025, 11, 28)


@pytest.fixture(scope="module")
def region(shared_data: Path) -> Region:
    folder = shared_data / "eu_rail_2025"
    paths = [
        folder / f"{name}.zip" for name in ("db_fernverkehr", "sncf_voyageurs", "zssk_slovakia")
    ]
    manifest = manifest_of_sources(paths)
    feeds = [read_feed(config, check=False) for config in manifest.feeds]
    return merge_feeds(feeds, manifest)


@pytest.fixture(scope="module")
def network(region: Region) -> Network:
    return compile_network(region)


def expected_runs(region: Region, begin: int, end: int) -> set[tuple[int, int]]:
    """(train, day) under way in [begin, end), from the tables alone."""
    times = (
        region.tables["stop_times"]
        .group_by("train", maintain_order=True)
        .agg(pl.col("departure_s").first(), pl.col("arrival_s").last())
    )
    trains = region.tables["trains"].select("zone", "service").with_row_index("train")
    rows = trains.with_columns(pl.col("train").cast(pl.Int32)).join(times, on="train").rows()
    dates = [region.first_date + dt.timedelta(day) for day in range(region.n_days)]
    near = [
        (day, date)
        for day, date in enumerate(dates)
        if abs(service_day_origin(date, "UTC") - begin) < 6 * 86_400
    ]
    found = set()
    for train, zone, service, departure_s, arrival_s in rows:
        for day, date in near:
            origin = service_day_origin(date, zone)
            under_way = origin + departure_s < end and origin + arrival_s >= begin
            if region.days[service, day] and under_way:
                found.add((train, day))
    return found


def test_slice_of_real_trains_holds_every_run_once(region: Region, network: Network) -> None:
    found = build_slice(network, NIGHT)
    midnight = service_day_origin(NIGHT, "UTC")
    runs = list(zip(found.run_train.tolist(), found.run_day.tolist(), strict=True))
    assert len(runs) == len(set(runs)) > 7_000
    assert set(runs) == expected_runs(region, midnight - 3 * 3600, midnight + 48 * 3600)


def test_slice_of_real_trains_has_their_times(region: Region, network: Network) -> None:
    """Every call of every run, as one table, equals the stop times put to the origin of the day."""
    found = build_slice(network, NIGHT)
    origins = {
        (zone, day): service_day_origin(network.date_of(day), network.zone_name[zone])
        for zone in range(len(network.zone_name))
        for day in set(found.run_day.tolist())
    }
    runs = pl.DataFrame(
        {
            "train": found.run_train,
            "day": found.run_day,
            "origin": [
                origins[int(network.train_zone[train]), int(day)]
                for train, day in zip(found.run_train, found.run_day, strict=True)
            ],
        }
    )
    calls = region.tables["stop_times"].join(runs, on="train").select(
        "train", "day", "stop", arrival=pl.col("origin") + pl.col("arrival_s"),
        departure=pl.col("origin") + pl.col("departure_s"),
    )  # fmt: skip
    assert calls_of(found).sort(pl.all()).equals(calls.cast(pl.Int64).sort(pl.all()))


def calls_of(found: DaySlice) -> pl.DataFrame:
    rows = []
    for pattern in range(found.n_patterns):
        first, end = found.pattern_run_start[pattern : pattern + 2].tolist()
        stops = found.pattern_stops[slice(*found.pattern_stop_start[pattern : pattern + 2])]
        at = int(found.pattern_time_start[pattern])
        for position, stop in enumerate(stops.tolist()):
            for k in range(end - first):
                slot = at + position * (end - first) + k
                rows.append((first + k, stop, slot))
    table = pl.DataFrame(rows, schema=["run", "stop", "slot"], orient="row")
    run, slot = table["run"].to_numpy(), table["slot"].to_numpy()
    return pl.DataFrame(
        {
            "train": found.run_train[run],
            "day": found.run_day[run],
            "stop": table["stop"],
            "arrival": found.arrivals_s[slot].astype("int64") + found.epoch_s,
            "departure": found.departures_s[slot].astype("int64") + found.epoch_s,
        }
    ).cast(pl.Int64)


def test_train_across_zones_arrives_at_the_right_instant(shared_data: Path) -> None:
    """Renfe counts in Madrid time also in Portugal: 10:24 in Lisbon is 09:24 UTC."""
    manifest = manifest_of_sources([shared_data / "iberia_2026" / "renfe_av_ld_md.zip"])
    region = merge_feeds([read_feed(manifest.feeds[0], check=False)], manifest)
    network = compile_network(region)
    trips = region.tables["trips"]["trip_id"].to_list()
    trip = trips.index("0042012026-08-21")
    train = network.train_trip.tolist().index(trip)
    date = dt.date(2026, 8, 21)
    calls = calls_of(build_slice(network, date)).sort("arrival")
    calls = calls.filter(pl.col("train") == train, pl.col("day") == network.day_of(date))
    names = [network.stop_name[stop] for stop in calls["stop"]]
    instants = [
        dt.datetime.fromtimestamp(second, dt.UTC).strftime("%Y-%m-%dT%H:%MZ")
        for second in (calls["departure"][0], calls["arrival"][-1])
    ]
    assert (names[0].lower().startswith("vigo"), "campanh" in names[-1].lower()) == (True, True)
    assert instants == ["2026-08-21T06:58Z", "2026-08-21T09:24Z"]
