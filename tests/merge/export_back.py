"""Read an exported zip the plain way, and build networks from feeds without the command line."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobility.feeds import Manifest, manifest_of_sources, read_feed
from mobility.journey import Place
from mobility.merge import Region, merge_feeds
from mobility.network import Network, compile_network
from mobility.planner import Endpoint, Planner
from mobility.schema import TABLES, references_of
from mobility.schema.graph import TRANSLATED_TABLES

Rows = list[dict[str, str]]


def read_zip(path: Path) -> dict[str, Rows]:
    """Return the tables of a GTFS zip as the standard library reads them."""
    with zipfile.ZipFile(path) as archive:
        return {
            name.removesuffix(".txt"): list(
                csv.DictReader(io.StringIO(archive.read(name).decode("utf-8")))
            )
            for name in archive.namelist()
            if name.endswith(".txt")
        }


def write_feed(folder: Path, files: dict[str, str]) -> Path:
    """Write GTFS tables, given as texts by table name, into a folder."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        lines = [line.strip() for line in text.strip().splitlines()]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def region_of(manifest: Manifest, *, join: bool = True) -> Region:
    return merge_feeds([read_feed(config) for config in manifest.feeds], manifest, join=join)


def region_of_paths(paths: Sequence[Path], *, join: bool = True) -> Region:
    return region_of(manifest_of_sources(paths), join=join)


def dangling(tables: dict[str, Rows]) -> list[str]:
    """Return every reference of the schema that leads nowhere, by table and column."""
    found = []
    for name, rows in tables.items():
        for reference in references_of(TABLES[name]):
            known = {
                row[column]
                for table, column in reference.targets
                for row in tables.get(table, [])
                if row.get(column)
            }
            found += [
                f"{name}.{reference.column} {row[reference.column]}"
                for row in rows
                if row.get(reference.column) and row[reference.column] not in known
            ]
    for row in tables.get("translations", []):
        if row.get("record_id"):
            name = row["table_name"]
            assert name in TRANSLATED_TABLES, row
            key = "trip_id" if name == "stop_times" else TABLES[name].key[0]
            if row["record_id"] not in {target[key] for target in tables.get(name, [])}:
                found.append(f"translations.record_id {row['record_id']}")
    return found


def twice(tables: dict[str, Rows]) -> list[str]:
    """Return every primary key of the schema that stands twice."""
    found = []
    for name, rows in tables.items():
        key = TABLES[name].key
        seen = set()
        for row in rows:
            value = tuple(row.get(column, "") for column in key)
            if key and any(value) and value in seen:
                found.append(f"{name} {value}")
            seen.add(value)
    return found


@dataclass(frozen=True)
class Side:
    """A region ready to be asked: its network and planner."""

    region: Region
    network: Network
    planner: Planner

    @classmethod
    def of(cls, region: Region, cache: Path) -> Side:
        network = compile_network(region)
        return cls(region, network, Planner(network, network.slices(cache)))

    def stations_of(self, before: Region) -> dict[int, int]:
        """Return the station here of each station of the region that was exported."""
        network = self.network
        here = {
            network.stop_id[stop]: int(network.stop_station[stop])
            for stop in range(network.n_stops)
        }
        there: dict[int, int] = {}
        columns = ("feed", "stop_id", "station")
        for feed, raw, station in before.tables["stops"].select(columns).iter_rows():
            reference = f"{before.feeds[feed].id}:{raw}"
            if reference in here:
                there.setdefault(station, here[reference])
        return there

    def endpoint(self, station: int) -> Endpoint:
        """Return a station as an endpoint."""
        network = self.network
        bounds = network.station_stop_start[station : station + 2]
        place = Place(
            id=network.station_id[station],
            station_id=network.station_id[station],
            name=network.station_name[station],
            lat=float(network.station_lat[station]),
            lon=float(network.station_lon[station]),
            tz=network.zone_name[network.station_tz[station]],
            platform=None,
        )
        stops = [int(stop) for stop in network.station_stops[bounds[0] : bounds[1]]]
        feeds = network.feed_id
        stops.sort(key=lambda stop: f"{feeds[network.stop_feed[stop]]}:{network.stop_id[stop]}")
        return Endpoint("station", tuple(stops), place)

    def answers(self, origin: int, destination: int, depart: int, window_s: int | None = None):
        """Return (departure, arrival, transfers) of each journey between two stations."""
        found = self.planner.plan(
            self.endpoint(origin),
            self.endpoint(destination),
            depart=depart,
            arrive=None,
            window_s=window_s,
        )
        return [(j.departure, j.arrival, j.transfers) for j in found.journeys]
