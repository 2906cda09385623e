"""Judged pairs of stations and of trains: lists with filters, and one station or train whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from mobility.api.problems import NotFoundError
from mobility.api.region_queries import MatchesQuery
from mobility.api.region_tiers import OpenRows
from mobility.api.region_trips import Run, Trips
from mobility.core.errors import UnknownPlaceError
from mobility.core.units import distance_m
from mobility.merge.stations import CERTAIN
from mobility.network import Edition

Document = dict[str, Any]
STATION_TABLES = ("stops",)
TRAIN_TABLES = ("stops", "trips", "stop_times")
JOINED = ("joined", "portion")
SHOWN_MATCHES = 40  # of one station or train
SHOWN_MEMBERS = 200


def _feed(column: str) -> pl.Expr:
    return pl.col(column).str.splitn(":", 2).struct[0]


class MatchDesk:
    """Tells what the merge joined, what it kept apart, and what a person should decide."""

    def __init__(self, edition: Edition, rows: OpenRows) -> None:
        self._edition = edition
        self._rows = rows
        self._trips = Trips(edition)

    def _table(self, kind: str) -> pl.DataFrame:
        """Return the judged pairs under common names, with their state; hidden rows included."""
        name, sides = f"{kind}_matches", ("left", "right")
        if name not in self._edition.table_names:
            return pl.DataFrame(schema=_SCHEMA)
        table = self._edition.table(name)
        if kind == "train":
            table = table.rename({f"{side}_trip": side for side in sides})
            joined = pl.col("decision").is_in(JOINED)
            asked = joined | (pl.col("decision") == "review")
        else:
            table = table.with_columns(kind=pl.lit(""), days=pl.lit(None, pl.Int32))
            joined, asked = pl.col("decision") == "same", pl.lit(True)
        undecided = ~pl.col("evidence").str.contains('"decided"', literal=True)
        tables = STATION_TABLES if kind == "station" else TRAIN_TABLES
        return table.select(
            *("left", "right", "kind", "days", "decision", "confidence", "evidence"),
            joined.alias("joined"),
            (asked & undecided & (pl.col("confidence") < CERTAIN)).alias("review"),
            _feed("left").alias("left_feed"),
            _feed("right").alias("right_feed"),
        ).with_columns(shown=self._rows.shows_pair("left_feed", "right_feed", tables))

    def matches(self, kind: str, query: MatchesQuery) -> Document:
        """Return judged pairs: counts of all, and those asked for."""
        table = self._table(kind)
        asked = table.filter(_asked(query))
        shown = asked.filter("shown").sort(
            *("review", "joined", "confidence", "left", "right", "kind"),
            descending=[True, True, False, False, False, False],
        )
        page = shown.slice(query.offset, query.limit).to_dicts()
        return {
            "versions": self._edition.versions,
            "kind": kind,
            "pairs": _pairs(table),
            "to_review": int(table["review"].sum()),
            "total": shown.height,
            "hidden": asked.height - shown.height,
            "matches": self._documents(kind, page),
        }

    def to_review(self) -> dict[str, int]:
        """Return how many stations and trains wait for a decision."""
        return {f"{kind}s": int(self._table(kind)["review"].sum()) for kind in ("station", "train")}

    def stop_names(self, references: Sequence[str]) -> dict[str, str]:
        """Return what stations are called that stops belong to; unknown stops are left out."""
        network, rows = self._edition.network, self._trips.rows("stops", "stop_id", references)
        return {
            reference: network.station_name[int(network.stop_station[row])]
            for reference, row in rows.items()
        }

    def _documents(self, kind: str, rows: list[Document]) -> list[Document]:
        references = [row[side] for row in rows for side in ("left", "right")]
        if kind == "station":
            known = self._trips.rows("stops", "stop_id", references)
            sides = {one: self._stop(known.get(one), one) for one in references}
        else:
            known = self._trips.rows("trips", "trip_id", references)
            sides = {one: self._trip(known.get(one), one) for one in references}
        return [
            {
                "left": sides[row["left"]],
                "right": sides[row["right"]],
                **{name: row[name] for name in ("kind", "days", "decision", "confidence")},
                "joined": row["joined"],
                "review": row["review"],
                "evidence": json.loads(row["evidence"]),
            }
            for row in rows
        ]

    def _stop(self, row: int | None, reference: str) -> Document:
        if row is None:
            return {"reference": reference, "name": "", "station_id": None}
        stop = self._edition.table("stops").row(row, named=True)
        station = self._edition.network.station_id[stop["station"]]
        name = stop["stop_name"] or ""
        return {"reference": reference, "name": name, "station_id": station}

    def _trip(self, row: int | None, reference: str) -> Document:
        names = ("line", "number", "from", "to", "departure", "arrival")
        about = self._trips.about(row) if row is not None else dict.fromkeys(names, "")
        return {"reference": reference, **{name: about[name] for name in names}}

    def station(self, station_id: str) -> Document:
        """Return a station: the stops that form it, and what was judged of them.

        Raises
        ------
        UnknownPlaceError
            The edition has no such station.
        """
        stations = self._edition.table("stations").with_row_index("row")
        found = stations.filter(pl.col("station_id") == station_id)
        if not found.height:
            raise UnknownPlaceError(f"no station has the id {station_id!r}")
        place = found.row(0, named=True)
        members = self._members(int(place["row"]), place["lat"], place["lon"])
        shown = [member for member in members if member.pop("shown")]
        references = [member["reference"] for member in shown]
        table = self._table("station").filter(
            pl.col("shown") & (pl.col("left").is_in(references) | pl.col("right").is_in(references))
        )
        judged = table.sort(
            "joined", "confidence", "left", "right", descending=[True] * 2 + [False] * 2
        )
        return {
            "versions": self._edition.versions,
            **{name: place[name] for name in ("name", "lat", "lon", "tz")},
            "id": station_id,
            "members": shown[:SHOWN_MEMBERS],
            "hidden": len(members) - len(shown[:SHOWN_MEMBERS]),
            "matches": self._documents("station", judged.head(SHOWN_MATCHES).to_dicts()),
            "others": self._others(judged.head(SHOWN_MATCHES), references),
        }

    def _members(self, station: int, lat: float, lon: float) -> list[Document]:
        stops = self._edition.table("stops").filter(pl.col("station") == station)
        found = []
        for stop in stops.sort("feed", "location_type", "stop_id").to_dicts():
            feed = self._trips.feeds[stop["feed"]]
            known = None not in (stop["stop_lat"], stop["stop_lon"], lat, lon)
            found.append(
                {
                    "shown": self._rows.shows(feed, *STATION_TABLES),
                    "reference": f"{feed}:{stop['stop_id']}",
                    "feed": feed,
                    "name": stop["stop_name"] or "",
                    "code": stop["stop_code"],
                    "platform": stop["platform_code"],
                    "part": stop["parent"] is not None,
                    "lat": stop["stop_lat"],
                    "lon": stop["stop_lon"],
                    "distance_m": round(distance_m(lat, lon, stop["stop_lat"], stop["stop_lon"]))
                    if known
                    else None,
                }
            )
        return found

    def _others(self, judged: pl.DataFrame, members: list[str]) -> list[Document]:
        """Return the stops outside the station that were judged with one inside, with positions."""
        outside = {*judged["left"], *judged["right"]} - set(members)
        rows = self._trips.rows("stops", "stop_id", outside)
        table = self._edition.table("stops")
        stops = {reference: table.row(row, named=True) for reference, row in sorted(rows.items())}
        return [
            {
                "reference": reference,
                "name": stop["stop_name"] or "",
                "lat": stop["stop_lat"],
                "lon": stop["stop_lon"],
            }
            for reference, stop in stops.items()
        ]

    def train(self, trip: str, other: str) -> Document:
        """Return the train that carries a trip: timetable, sections, what it was compared with.

        Raises
        ------
        NotFoundError
            The edition has no such trip, or its rows are not open to all.
        """
        rows = self._trips.rows("trips", "trip_id", (trip, other))
        for reference in filter(None, (trip, other)):
            feed = reference.partition(":")[0]
            if reference not in rows or not self._rows.shows(feed, *TRAIN_TABLES):
                raise NotFoundError(f"no trip {reference!r} is open to all here")
        runs = self._trips.runs(rows[trip])
        if not runs:
            raise NotFoundError(f"no train of this edition carries {trip!r}")
        judged = self._table("train").filter(
            pl.col("shown") & ((pl.col("left") == trip) | (pl.col("right") == trip))
        )
        order = judged.sort(
            "joined", "confidence", "left", "right", descending=[True] * 2 + [False] * 2
        )
        pair = order.filter((pl.col("left") == other) | (pl.col("right") == other))
        whole = Run(runs[0].train, 0, self._length(runs[0].train) - 1, 0)
        return {
            "versions": self._edition.versions,
            "trip": self._trips.about(rows[trip], beside=rows.get(other)),
            "other": self._trips.about(rows[other], beside=rows[trip]) if other else None,
            "match": next(iter(self._documents("train", pair.head(1).to_dicts())), None),
            "matches": self._documents("train", order.head(SHOWN_MATCHES).to_dicts()),
            "variants": [
                {"kind": self._kind(run.train), **self._trips.service(run.train)} for run in runs
            ],
            "calls": self._trips.calls(whole, int(self._edition.network.trip_feed[rows[trip]])),
            "sections": self._sections(runs[0].train),
        }

    def _length(self, train: int) -> int:
        return int(np.diff(self._edition.network.train_event_start[train : train + 2])[0])

    def _kind(self, train: int) -> str:
        listed = int(self._edition.network.train_of[train])
        kind: str = self._edition.table("trains")["kind"][listed]
        return kind

    def _sections(self, train: int) -> list[Document]:
        network = self._edition.network
        first, last = network.section_start[train : train + 2].tolist()
        start = int(network.train_event_start[train])
        found = []
        for at in range(first, last):
            trip = int(network.section_trip[at])
            feed = int(network.trip_feed[trip])
            if not self._rows.shows(self._trips.feeds[feed], *TRAIN_TABLES):
                continue
            ends = (int(network.section_from_pos[at]), int(network.section_to_pos[at]))
            names = [
                network.station_name[int(network.stop_station[network.event_stop[start + pos]])]
                for pos in ends
            ]
            agency = int(network.route_agency[int(network.trip_route[trip])])
            found.append(
                {
                    "trip": self._trips.trip_reference(trip),
                    "feed": self._trips.feeds[feed],
                    "agency": network.agency_name[agency],
                    "country": network.feed_country[feed] or None,
                    "number": network.trip_number[trip],
                    "alias": bool(network.section_alias[at]),
                    "from_position": ends[0],
                    "to_position": ends[1],
                    "from": names[0],
                    "to": names[1],
                }
            )
        return found


_SCHEMA = {
    **dict.fromkeys(("left", "right", "kind"), pl.String),
    "days": pl.Int32,
    "decision": pl.String,
    "confidence": pl.Float64,
    "evidence": pl.String,
    **dict.fromkeys(("joined", "review"), pl.Boolean),
    **dict.fromkeys(("left_feed", "right_feed"), pl.String),
    "shown": pl.Boolean,
}


def _asked(query: MatchesQuery) -> pl.Expr:
    asked = {
        "": pl.lit(True),
        "joined": pl.col("joined"),
        "apart": ~pl.col("joined"),
        "review": pl.col("review"),
    }[query.state]
    feeds = [feed for feed in (query.feed, query.other) if feed]
    for feed in feeds:
        asked &= (pl.col("left_feed") == feed) | (pl.col("right_feed") == feed)
    if query.kind:
        asked &= pl.col("kind") == query.kind
    if query.text.strip():
        text = query.text.strip().lower()
        parts = [
            pl.col(name).str.to_lowercase().str.contains(text, literal=True)
            for name in ("left", "right", "evidence")
        ]
        asked &= pl.any_horizontal(*parts)
    return asked


def _pairs(table: pl.DataFrame) -> list[Document]:
    """Return counts per pair of feeds and kind: joined, kept apart, to be reviewed."""
    counts = table.group_by("left_feed", "right_feed", "kind").agg(
        pl.col("joined").sum(), (~pl.col("joined")).sum().alias("apart"), pl.col("review").sum()
    )
    return counts.sort("left_feed", "right_feed", "kind").to_dicts()
