"""Edit GTFS zips the slow and plain way: the independent side of the scenario test."""

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

Rows = list[dict[str, str]]
Tables = dict[str, Rows]


def edit_feed(source: Path, target: Path, edit: Callable[[Tables], None]) -> None:
    """Write a copy of a feed in which ``edit`` has changed the tables."""
    with zipfile.ZipFile(source) as archive:
        content = {name: archive.read(name).decode("utf-8") for name in archive.namelist()}
    tables = {name: list(csv.DictReader(io.StringIO(text))) for name, text in content.items()}
    headers = {name: next(csv.reader(io.StringIO(text))) for name, text in content.items()}
    edit(tables)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in tables.items():
            text = io.StringIO()
            writer = csv.DictWriter(text, headers[name], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            archive.writestr(name, text.getvalue())


def shift_route(tables: Tables, route_id: str, minutes: int) -> None:
    """Run all trips of a route some minutes later."""
    trips = {row["trip_id"] for row in tables["trips.txt"] if row["route_id"] == route_id}
    assert trips, route_id
    for row in tables["stop_times.txt"]:
        if row["trip_id"] in trips:
            for column in ("arrival_time", "departure_time"):
                row[column] = later(row[column], minutes)


def cancel_route(tables: Tables, route_id: str) -> None:
    """Leave out all trips of a route."""
    trips = {row["trip_id"] for row in tables["trips.txt"] if row["route_id"] == route_id}
    assert trips, route_id
    for name in ("trips.txt", "stop_times.txt", "frequencies.txt"):
        if name in tables:
            tables[name][:] = [row for row in tables[name] if row["trip_id"] not in trips]


def later(clock: str, minutes: int) -> str:
    """Return a GTFS time some minutes later."""
    if not clock:
        return clock
    hours, mins, seconds = (int(part) for part in clock.split(":"))
    total = hours * 3600 + mins * 60 + seconds + minutes * 60
    return f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}"
