"""Networks from a few lines: stops with positions, trains with times and days.

    network = build_network(
        [Stop("A", 47.50, 7.60), Stop("B", 47.60, 7.60)],
        [Train("t1", "A 08:00 B 08:10/08:12 C 08:30", days=(0, 1))],
    )

The tables are those that a merge makes (docs/interfaces.md), one trip and one section a train.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from mobility.core.notices import Notice
from mobility.core.time import parse_gtfs_time
from mobility.feeds.feed import TableCounts
from mobility.feeds.manifest import manifest_of_sources
from mobility.merge import FeedInfo, Region
from mobility.network import Network
from mobility.network.compile import network_from_tables

FIRST_DATE = dt.date(2027, 3, 26)  # a Friday; clocks in Europe go forward on day 2


@dataclass(frozen=True)
class Feed:
    id: str = "one"
    zone: str = "Europe/Berlin"
    country: str = "DE"


@dataclass(frozen=True)
class Stop:
    """``station`` names what the stop belongs to; empty: a station of its own."""

    id: str
    lat: float
    lon: float
    name: str = ""
    station: str = ""
    feed: int = 0
    tz: str | None = None
    border_point: bool = False
    location_type: int = 0
    parent: str | None = None
    platform: str | None = None
    wheelchair: int | None = None


@dataclass(frozen=True)
class Call:
    stop: str
    arrival_s: int
    departure_s: int
    pickup_type: int = 0
    drop_off_type: int = 0


@dataclass(frozen=True)
class Train:
    """``calls`` as a text (``A 08:00 B 08:10/08:12``) or as values; ``days`` None: every day."""

    id: str
    calls: str | Sequence[Call]
    days: Collection[int] | None = None
    route: str = "R"
    feed: int = 0
    zone: str = ""
    number: str = ""
    headsign: str = ""
    wheelchair: int | None = None
    bikes: int | None = None
    headway_s: int | None = None
    route_type: int = 2
    block: str = ""


@dataclass(frozen=True)
class Transfer:
    from_stop: str
    to_stop: str
    type: int = 2
    minimum_s: int | None = None
    feed: int = 0
    from_route: str = ""
    to_route: str = ""
    from_trip: str = ""
    to_trip: str = ""


@dataclass(frozen=True)
class Tables:
    """The parts of a region that a network is made of."""

    tables: dict[str, pl.DataFrame]
    feeds: tuple[FeedInfo, ...]
    first_date: dt.date
    days: np.ndarray
    coverage: np.ndarray

    def region(self, paths: Sequence[str] = ()) -> Region:
        """The whole region; ``paths``: where the manifest says the feeds are, by their order."""
        counts = {"trips": TableCounts(read=3, kept=2, repaired=1, dropped=1)}
        return Region(
            manifest=manifest_of_sources([Path(path) for path in paths or self._feed_ids()]),
            feeds=tuple(replace(feed, counts=counts) for feed in self.feeds),
            first_date=self.first_date,
            days=self.days,
            coverage=self.coverage,
            tables=self.tables,
            notices=(Notice("empty_trip", "error", self.feeds[0].id, "trips.txt", 4, count=2),),
            train_counts=dict.fromkeys(("equal", "contained", "overlap", "hand_over"), 0),
        )

    def _feed_ids(self) -> list[str]:
        return [feed.id for feed in self.feeds]

    def network(self, *, walk_radius_m: int = 0, max_walk_s: int = 1200) -> Network:
        return network_from_tables(
            self.tables,
            feeds=self.feeds,
            first_date=self.first_date,
            days=self.days,
            coverage=self.coverage,
            walk_radius_m=walk_radius_m,
            max_walk_s=max_walk_s,
        )


def build_network(
    stops: Sequence[Stop],
    trains: Sequence[Train],
    *,
    feeds: Sequence[Feed] = (Feed(),),
    transfers: Sequence[Transfer] = (),
    first_date: dt.date = FIRST_DATE,
    n_days: int = 4,
    walk_radius_m: int = 0,
    max_walk_s: int = 1200,
) -> Network:
    tables = build_tables(
        stops, trains, feeds=feeds, transfers=transfers, first_date=first_date, n_days=n_days
    )
    return tables.network(walk_radius_m=walk_radius_m, max_walk_s=max_walk_s)


def build_tables(
    stops: Sequence[Stop],
    trains: Sequence[Train],
    *,
    feeds: Sequence[Feed] = (Feed(),),
    transfers: Sequence[Transfer] = (),
    first_date: dt.date = FIRST_DATE,
    n_days: int = 4,
) -> Tables:
    day_rows = [
        tuple(train.days is None or day in train.days for day in range(n_days)) for train in trains
    ]
    services = sorted(set(day_rows))
    coverage = np.zeros((len(feeds), n_days), bool)
    for train, days in zip(trains, day_rows, strict=True):
        coverage[train.feed] |= np.array(days, bool)
    tables = _stop_tables(stops, feeds) | _line_tables(trains, feeds)
    tables |= _train_tables(
        trains, [services.index(row) for row in day_rows], tables["stops"], feeds
    )
    tables["transfers"] = _transfer_table(transfers)
    last_date = first_date + dt.timedelta(n_days - 1)
    return Tables(
        tables=tables,
        feeds=tuple(
            FeedInfo(
                id=feed.id,
                version="0" * 64,
                country=feed.country,
                zone=feed.zone,
                valid_from=first_date,
                valid_until=last_date,
                precedence=number,
                licence="CC0-1.0",
                attribution="made up",
                counts={},
                name=feed.id,
            )
            for number, feed in enumerate(feeds)
        ),
        first_date=first_date,
        days=np.array(services, bool).reshape(len(services), n_days),
        coverage=coverage,
    )


def read_calls(text: str) -> list[Call]:
    """``A 08:00 B 08:10/08:12``; ``B!`` is a stop without boarding, ``B?`` without alighting."""
    words = text.split()
    calls = []
    for stop, times in zip(words[::2], words[1::2], strict=True):
        arrival, _, departure = times.partition("/")
        at_s = [parse_gtfs_time(f"{time}:00") for time in (arrival, departure or arrival)]
        calls.append(
            Call(
                stop.rstrip("!?"),
                *(int(time or 0) for time in at_s),
                pickup_type=int("!" in stop),
                drop_off_type=int("?" in stop),
            )
        )
    return calls


def _stop_tables(stops: Sequence[Stop], feeds: Sequence[Feed]) -> dict[str, pl.DataFrame]:
    station_ids = list(dict.fromkeys(stop.station or stop.id for stop in stops))
    first = {stop.station or stop.id: stop for stop in reversed(stops)}
    rows = {stop.id: row for row, stop in enumerate(stops)}
    return {
        "stops": pl.DataFrame(
            [
                (
                    stop.feed, stop.id, stop.name or stop.id, None, stop.lat, stop.lon,
                    stop.platform, stop.location_type,
                    None if stop.parent is None else rows[stop.parent],
                    station_ids.index(stop.station or stop.id), stop.tz, None, stop.wheelchair,
                    stop.border_point,
                )
                for stop in stops
            ],
            schema={
                "feed": pl.Int16, "stop_id": pl.String, "stop_name": pl.String,
                "stop_code": pl.String, "stop_lat": pl.Float64, "stop_lon": pl.Float64,
                "platform_code": pl.String, "location_type": pl.Int32, "parent": pl.Int32,
                "station": pl.Int32, "tz": pl.String, "zone_id": pl.String,
                "wheelchair_boarding": pl.Int32, "border_point": pl.Boolean,
            },
            orient="row",
        ),
        "stations": pl.DataFrame(
            [
                (id_, first[id_].name or id_, first[id_].lat, first[id_].lon,
                 first[id_].tz or feeds[first[id_].feed].zone)
                for id_ in station_ids
            ],
            schema={
                "station_id": pl.String, "name": pl.String, "lat": pl.Float64,
                "lon": pl.Float64, "tz": pl.String,
            },
            orient="row",
        ),
    }  # fmt: skip


def _routes(trains: Sequence[Train]) -> list[tuple[int, str]]:
    return list(dict.fromkeys((train.feed, train.route) for train in trains))


def _line_tables(trains: Sequence[Train], feeds: Sequence[Feed]) -> dict[str, pl.DataFrame]:
    kinds = {(train.feed, train.route): train.route_type for train in reversed(trains)}
    return {
        "agencies": pl.DataFrame(
            {
                "feed": pl.Series(range(len(feeds)), dtype=pl.Int16),
                "agency_id": [feed.id for feed in feeds],
                "agency_name": [feed.id.title() for feed in feeds],
                "agency_url": ["https://example.org"] * len(feeds),
                "agency_timezone": [feed.zone for feed in feeds],
            }
        ),
        "routes": pl.DataFrame(
            [
                (feed, route, feed, route, None, kinds[feed, route], None, None, None)
                for feed, route in _routes(trains)
            ],
            schema={
                "feed": pl.Int16, "route_id": pl.String, "agency": pl.Int32,
                "route_short_name": pl.String, "route_long_name": pl.String,
                "route_type": pl.Int32, "route_color": pl.String,
                "route_text_color": pl.String, "network_id": pl.String,
            },
            orient="row",
        ),
        "trips": pl.DataFrame(
            [
                (train.feed, train.id, _routes(trains).index((train.feed, train.route)),
                 train.headsign or None, None, 0, train.block or None, None, train.wheelchair,
                 train.bikes,
                 train.number or None, train.headway_s)
                for train in trains
            ],
            schema={
                "feed": pl.Int16, "trip_id": pl.String, "route": pl.Int32,
                "trip_headsign": pl.String, "trip_short_name": pl.String,
                "direction_id": pl.Int32, "block_id": pl.String, "shape_id": pl.String,
                "wheelchair_accessible": pl.Int32, "bikes_allowed": pl.Int32,
                "number": pl.String, "headway_s": pl.Int32,
            },
            orient="row",
        ),
    }  # fmt: skip


def _train_tables(
    trains: Sequence[Train], services: Sequence[int], stops: pl.DataFrame, feeds: Sequence[Feed]
) -> dict[str, pl.DataFrame]:
    row_of = {stop_id: row for row, stop_id in enumerate(stops["stop_id"])}
    border = stops["border_point"].to_list()
    train_rows, event_rows, section_rows = [], [], []
    for number, train in enumerate(trains):
        calls = read_calls(train.calls) if isinstance(train.calls, str) else train.calls
        zone = train.zone or feeds[train.feed].zone
        train_rows.append((number, zone, services[number], len(event_rows), len(calls), "single"))
        section_rows.append((number, number, 0, 0, len(calls) - 1, 1, len(calls), False))
        for sequence, call in enumerate(calls, start=1):
            stop = row_of[call.stop]
            event_rows.append(
                (number, stop, call.arrival_s, call.departure_s, call.pickup_type,
                 call.drop_off_type, border[stop], sequence)
            )  # fmt: skip
    return {
        "trains": pl.DataFrame(
            train_rows,
            schema={
                "trip": pl.Int32, "zone": pl.String, "service": pl.Int32,
                "first_event": pl.Int64, "n_events": pl.Int32, "kind": pl.String,
            },
            orient="row",
        ),
        "stop_times": pl.DataFrame(
            event_rows,
            schema={
                "train": pl.Int32, "stop": pl.Int32, "arrival_s": pl.Int32,
                "departure_s": pl.Int32, "pickup_type": pl.Int8, "drop_off_type": pl.Int8,
                "border_point": pl.Boolean, "sequence": pl.Int32,
            },
            orient="row",
        ),
        "sections": pl.DataFrame(
            section_rows,
            schema={
                "train": pl.Int32, "trip": pl.Int32, "day_shift": pl.Int16,
                "from_pos": pl.Int32, "to_pos": pl.Int32, "from_sequence": pl.Int32,
                "to_sequence": pl.Int32, "alias": pl.Boolean,
            },
            orient="row",
        ),
    }  # fmt: skip


def _transfer_table(transfers: Sequence[Transfer]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (row.feed, row.from_stop, row.to_stop, row.type, row.minimum_s, row.from_route or None,
             row.to_route or None, row.from_trip or None, row.to_trip or None)
            for row in transfers
        ],
        schema={
            "feed": pl.Int16, "from_stop_id": pl.String, "to_stop_id": pl.String,
            "transfer_type": pl.Int32, "min_transfer_time": pl.Int32, "from_route_id": pl.String,
            "to_route_id": pl.String, "from_trip_id": pl.String, "to_trip_id": pl.String,
        },
        orient="row",
    )  # fmt: skip
