"""Small feeds from inline text, through the real reader."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mobility.core.time import service_day_origin
from mobility.feeds import (
    Decision,
    Feed,
    FeedConfig,
    HandOver,
    Manifest,
    StationStatement,
    read_feed,
)
from mobility.merge import GivenIds, Region, merge_feeds

NUMBER = {"column": "trip_short_name", "pattern": "0*([0-9]+)"}
DAILY = """
# calendar.txt
service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
S1,1,1,1,1,1,1,1,20270301,20270307
"""


def write_feed(folder: Path, text: str) -> Path:
    """Write ``# name.txt`` blocks as the files of a feed."""
    folder.mkdir(parents=True, exist_ok=True)
    name, lines = "", []
    for line in [*text.strip().splitlines(), "# "]:
        if line.startswith("# "):
            if name:
                (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
            name, lines = line[2:].strip(), []
        elif line.strip():
            lines.append(line.strip())
    return folder


def feed_of(folder: Path, feed_id: str, text: str, **config: Any) -> Feed:
    """Return the feed of inline tables."""
    path = write_feed(folder / feed_id, text)
    return read_feed(FeedConfig(id=feed_id, path=path, **config))


def lines(
    stops: str,
    trips: dict[str, str],
    *,
    zone: str = "Europe/Zurich",
    calendar: str = DAILY,
    **more: Any,
) -> str:
    """Return the text of a rail feed.

    ``stops`` has ``id,name,lat,lon`` per line; a trip is ``number: A 08:00, B 08:10/08:12``.
    """
    stop_times, trip_rows = [], []
    for trip_id, run in trips.items():
        number, _, calls = run.partition(":")
        service = more.get("services", {}).get(trip_id, "S1")
        route = more.get("routes", {}).get(trip_id, "R1")
        trip_rows.append(f"{trip_id},{route},{service},{number.strip()}")
        for sequence, call in enumerate(calls.split(",")):
            stop, time = call.split()
            arrival, _, departure = time.partition("/")
            times = f"{arrival}:00,{departure or arrival}:00"
            stop_times.append(f"{trip_id},{times},{stop},{sequence}")
    rows = "\n".join(line.strip() for line in stops.strip().splitlines())
    newline = "\n"
    return f"""
# agency.txt
agency_id,agency_name,agency_url,agency_timezone
A1,Agency,https://example.org,{zone}
# stops.txt
stop_id,stop_name,stop_lat,stop_lon
{rows}
# routes.txt
route_id,agency_id,route_short_name,route_long_name,route_type
R1,A1,R,,{more.get("route_type", 102)}
R2,A1,T,,0
R3,A1,B,,3
# trips.txt
trip_id,route_id,service_id,trip_short_name
{newline.join(trip_rows)}
# stop_times.txt
trip_id,arrival_time,departure_time,stop_id,stop_sequence
{newline.join(stop_times)}
{calendar}
"""


def manifest_of(feeds: Sequence[Feed], **more: Any) -> Manifest:
    """Return a manifest of feeds, with hand-overs and decisions."""
    return Manifest(
        format=1,
        id="toy",
        name="Toy",
        feeds=tuple(feed.config for feed in feeds),
        hand_overs=tuple(HandOver(**pair) for pair in more.get("hand_overs", ())),
        decisions=tuple(Decision(**one) for one in more.get("decisions", ())),
        stations=tuple(StationStatement(**one) for one in more.get("stations", ())),
        folder=Path("/nonexistent"),
    )


def merged(*feeds: Feed, join: bool = True, given: GivenIds | None = None, **more: Any) -> Region:
    """Return the region of feeds."""
    return merge_feeds(feeds, manifest_of(feeds, **more), join=join, given=given)


def renamed(feed: Feed, feed_id: str) -> Feed:
    """Return the same feed under another id."""
    return replace(feed, config=feed.config.model_copy(update={"id": feed_id}))


def run_text(region: Region, train: int) -> str:
    """Return a train for people: its calls with times and raw stops."""
    row = region.tables["trains"].row(train, named=True)
    calls = region.tables["stop_times"].slice(row["first_event"], row["n_events"])
    stops = region.tables["stops"]["stop_id"]
    parts = []
    for call in calls.iter_rows(named=True):
        times = [
            f"{call[k] // 3600:02d}:{call[k] // 60 % 60:02d}" for k in ("arrival_s", "departure_s")
        ]
        mark = "*" if call["border_point"] else ""
        parts.append(f"{stops[call['stop']]}{mark} {'/'.join(dict.fromkeys(times))}")
    return ", ".join(parts)


def train_texts(region: Region) -> list[str]:
    """Return every train as ``kind days: calls``."""
    trains = region.tables["trains"]
    return [
        f"{kind} {int(region.days[service].sum())}: {run_text(region, train)}"
        for train, (kind, service) in enumerate(zip(trains["kind"], trains["service"], strict=True))
    ]


def section_texts(region: Region, train: int) -> list[str]:
    """Return the sections of a train as ``feed:trip from-to [alias]``."""
    trips = region.tables["trips"]
    out = []
    for row in region.tables["sections"].iter_rows(named=True):
        if row["train"] == train:
            trip = trips.row(row["trip"], named=True)
            alias = " alias" if row["alias"] else ""
            reference = f"{region.feeds[trip['feed']].id}:{trip['trip_id']}"
            out.append(f"{reference} {row['from_pos']}-{row['to_pos']}{alias}")
    return out


def stations_of(region: Region) -> dict[str, list[str]]:
    """Return the member stops of each station, as references."""
    out: dict[str, list[str]] = {}
    ids = region.tables["stations"]["station_id"].to_list()
    stops = region.tables["stops"]
    for feed, stop, station in zip(stops["feed"], stops["stop_id"], stops["station"], strict=True):
        out.setdefault(ids[station], []).append(f"{region.feeds[feed].id}:{stop}")
    return out


@dataclass(frozen=True)
class Carried:
    """One trip on one service date, or a part of it, on a train."""

    trip: str
    day: int
    from_sequence: int
    to_sequence: int
    alias: bool
    train: int
    train_day: int


def carriage(region: Region) -> list[Carried]:
    """Return which train carries which part of which trip on which service date."""
    references = [
        f"{region.feeds[feed].id}:{trip}"
        for feed, trip in region.tables["trips"].select("feed", "trip_id").iter_rows()
    ]
    services = region.tables["trains"]["service"].to_list()
    return [
        Carried(
            references[row["trip"]],
            day + row["day_shift"],
            row["from_sequence"],
            row["to_sequence"],
            row["alias"],
            row["train"],
            day,
        )
        for row in region.tables["sections"].iter_rows(named=True)
        for day in np.flatnonzero(region.days[services[row["train"]]]).tolist()
    ]


def instants(region: Region, train: int, day: int) -> list[tuple[int, int, int]]:
    """Return (station, arrival, departure) of a train on a service date, in unix seconds."""
    row = region.tables["trains"].row(train, named=True)
    origin = service_day_origin(region.first_date + dt.timedelta(days=day), row["zone"])
    calls = region.tables["stop_times"].slice(row["first_event"], row["n_events"])
    station = region.tables["stops"]["station"].to_list()
    return [
        (station[stop], origin + arrival, origin + departure)
        for stop, arrival, departure in calls.select("stop", "arrival_s", "departure_s").iter_rows()
    ]
