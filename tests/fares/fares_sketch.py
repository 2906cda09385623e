"""Journeys by hand: stops and minutes from a sketch, positions from the sample region's feeds."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mobility.journey import Call, Journey, Leg, Place, Section

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES: dict[str, Any] = tomllib.loads(
    (ROOT / "fares" / "basel" / "examples.toml").read_text(encoding="utf-8")
)
ZONE = "Europe/Zurich"  # the sketches' clock; Berlin and Paris show the same time


@lru_cache(maxsize=1)
def sample_places() -> dict[str, Place]:
    """Return the places of the sample region by reference."""
    places = {}
    for path in sorted((ROOT / "feeds" / "basel").glob("*.zip")):
        with zipfile.ZipFile(path) as archive, archive.open("stops.txt") as file:
            for row in csv.DictReader(io.TextIOWrapper(file, "utf-8-sig")):
                reference = f"{path.stem}:{row['stop_id']}"
                lat, lon = float(row["stop_lat"]), float(row["stop_lon"])
                places[reference] = Place(reference, "", row["stop_name"], lat, lon, ZONE)
    return places


def sample_lines() -> list[tuple[str, str, Leg]]:
    """Return feed, route and the whole ride of one trip per route and direction, at 08:00."""
    rides = []
    for path in sorted((ROOT / "feeds" / "basel").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            tables = {
                name: list(
                    csv.DictReader(io.TextIOWrapper(archive.open(f"{name}.txt"), "utf-8-sig"))
                )
                for name in ("routes", "trips", "stop_times")
            }
        routes = {row["route_id"]: row for row in tables["routes"]}
        first = {(row["route_id"], row["direction_id"]): row for row in reversed(tables["trips"])}
        for (route_id, _), trip in sorted(first.items()):
            calls = [row for row in tables["stop_times"] if row["trip_id"] == trip["trip_id"]]
            calls.sort(key=lambda row: int(row["stop_sequence"]))
            stops = [f"{path.stem}:{row['stop_id']}" for row in calls]
            route = routes[route_id]
            sketch = {
                "line": route["route_short_name"],
                "departs": "08:00",
                "stops": stops,
                "minutes": [2 * i for i in range(len(stops))],
                "border_points": [s for s in stops if "(Gr)" in sample_places()[s].name],
                "sections": [{"feed": path.stem, "agency": route["agency_id"], "route": route_id}],
            }
            rides.append((path.stem, route_id, make_leg(sketch, dt.date(2027, 5, 4))))
    return rides


def make_leg(
    sketch: Mapping[str, Any], date: dt.date, places: Mapping[str, Place] | None = None
) -> Leg:
    """Return the transit leg of a sketch: ``departs``, ``minutes``, ``stops``, ``sections``."""
    known = sample_places() if places is None else places
    start = dt.datetime.combine(
        date, dt.time.fromisoformat(sketch["departs"]), ZoneInfo(ZONE)
    ).timestamp()
    border = set(sketch.get("border_points", ()))
    calls = tuple(
        Call(known[stop], int(start) + 60 * minute, int(start) + 60 * minute, stop in border)
        for stop, minute in zip(sketch["stops"], sketch["minutes"], strict=True)
    )
    sections = tuple(
        Section(
            feed=part["feed"],
            agency_id=part["agency"],
            route_id=part["route"],
            trip_id="trip",
            service_date=date,
            from_sequence=part.get("from", 0),
            to_sequence=part.get("to", len(calls) - 1),
            country=part.get("country"),
            from_call=part.get("from", 0),
            to_call=part.get("to", len(calls) - 1),
        )
        for part in sketch["sections"]
    )
    return Leg(
        mode="transit",
        origin=calls[0].place,
        destination=calls[-1].place,
        departure=calls[0].departure,
        arrival=calls[-1].arrival,
        line=sketch.get("line", ""),
        sections=sections,
        calls=calls,
    )


def cut_sketch(sketch: Mapping[str, Any], ride: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a ride uses of a leg: ``reverse`` first, then its stops up to ``last``."""
    stops, minutes = list(sketch["stops"]), list(sketch["minutes"])
    end = len(stops) - 1
    parts = [
        {**part, "from": part.get("from", 0), "to": part.get("to", end)}
        for part in sketch["sections"]
    ]
    if ride.get("reverse"):
        stops.reverse()
        minutes = [minutes[-1] - minute for minute in reversed(minutes)]
        parts = [
            {**part, "from": end - part["to"], "to": end - part["from"]} for part in reversed(parts)
        ]
    last = ride.get("last", end)
    return {
        **sketch,
        "departs": ride["departs"],
        "stops": stops[: last + 1],
        "minutes": minutes[: last + 1],
        "sections": [{**p, "to": min(p["to"], last)} for p in parts if p["from"] < last],
    }


def walk(origin: Place, destination: Place, departure: int, seconds: int = 180) -> Leg:
    """Return a walk of some minutes."""
    return Leg("walk", origin, destination, departure, departure + seconds, walk_m=200)


def make_journey(legs: Sequence[Leg]) -> Journey:
    """Return the journey of the legs."""
    rides = sum(leg.mode == "transit" for leg in legs)
    return Journey(
        departure=legs[0].departure,
        arrival=legs[-1].arrival,
        transfers=max(0, rides - 1),
        walk_m=sum(leg.walk_m for leg in legs),
        legs=tuple(legs),
    )
