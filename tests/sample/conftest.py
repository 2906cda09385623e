"""The sample region as its files say it, read with nothing but the standard library."""

import csv
import io
import tomllib
import zipfile
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

Row = dict[str, str]


def seconds(clock: str) -> int:
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


@dataclass
class GtfsFeed:
    """The tables of one zip, and what the tests ask of them."""

    tables: dict[str, list[Row]]

    @cached_property
    def stops(self) -> dict[str, Row]:
        return {row["stop_id"]: row for row in self.tables["stops"]}

    @cached_property
    def trips(self) -> dict[str, Row]:
        return {row["trip_id"]: row for row in self.tables["trips"]}

    @cached_property
    def calls(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.tables["stop_times"]:
            found.setdefault(row["trip_id"], []).append(row)
        return found

    def station_id(self, stop_id: str) -> str:
        return self.stops[stop_id]["parent_station"] or stop_id

    def runs_on(self, trip_id: str, day: date) -> bool:
        service = self.trips[trip_id]["service_id"]
        stamp = f"{day:%Y%m%d}"
        for row in self.tables["calendar_dates"]:
            if row["service_id"] == service and row["date"] == stamp:
                return row["exception_type"] == "1"
        row = next(r for r in self.tables["calendar"] if r["service_id"] == service)
        in_force = row["start_date"] <= stamp <= row["end_date"]
        return in_force and row[f"{day:%A}".lower()] == "1"

    def headways(self, trip_id: str) -> list[range]:
        """Return the departures, in seconds, of each row of frequencies.txt of a trip."""
        return [
            range(seconds(row["start_time"]), seconds(row["end_time"]), int(row["headway_secs"]))
            for row in self.tables["frequencies"]
            if row["trip_id"] == trip_id
        ]

    def instant(self, clock: str, day: date) -> datetime:
        """Return the instant of a time of a service date (GTFS: noon minus twelve hours)."""
        zone = ZoneInfo(self.tables["agency"][0]["agency_timezone"])
        noon = datetime.combine(day, time(12), zone).astimezone(UTC)
        return noon - timedelta(hours=12) + timedelta(seconds=seconds(clock))


@dataclass
class Region:
    """The four feeds, the promises, and the true name of every place."""

    folder: Path
    feeds: dict[str, GtfsFeed]
    expected: dict[str, Any]
    place_of: dict[tuple[str, str], str]

    def split(self, reference: str) -> tuple[str, str]:
        feed_id, raw_id = reference.split(":", 1)
        assert feed_id in self.feeds, reference
        return feed_id, raw_id

    def place(self, feed_id: str, stop_id: str) -> str:
        return self.place_of[feed_id, self.feeds[feed_id].station_id(stop_id)]

    def is_border_point(self, feed_id: str, stop_id: str) -> bool:
        return self.feeds[feed_id].stops[stop_id]["stop_name"].endswith("(Gr)")

    def events(self, feed_id: str, trip_id: str) -> list[tuple[str, int, int]]:
        """Return place, arrival and departure of each call but border points."""
        return [
            (
                self.place(feed_id, row["stop_id"]),
                seconds(row["arrival_time"]),
                seconds(row["departure_time"]),
            )
            for row in self.feeds[feed_id].calls[trip_id]
            if not self.is_border_point(feed_id, row["stop_id"])
        ]


def read_feed(path: Path) -> GtfsFeed:
    with zipfile.ZipFile(path) as archive:
        return GtfsFeed(
            {
                name.removesuffix(".txt"): list(
                    csv.DictReader(io.StringIO(archive.read(name).decode("utf-8")))
                )
                for name in archive.namelist()
            }
        )


@pytest.fixture(scope="session")
def sample_folder(project_root: Path) -> Path:
    return project_root / "feeds" / "basel"


@pytest.fixture(scope="session")
def region(sample_folder: Path) -> Region:
    manifest = tomllib.loads((sample_folder / "region.toml").read_text(encoding="utf-8"))
    with (sample_folder / "places.csv").open(encoding="utf-8", newline="") as file:
        place_of = {(row["feed"], row["stop_id"]): row["place"] for row in csv.DictReader(file)}
    return Region(
        sample_folder,
        {feed["id"]: read_feed(sample_folder / feed["path"]) for feed in manifest["feeds"]},
        tomllib.loads((sample_folder / "expected.toml").read_text(encoding="utf-8")),
        place_of,
    )
