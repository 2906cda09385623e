"""Trips and stops of an edition by reference: what a feed lists, told from the mapped arrays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mobility.core.ids import split_reference
from mobility.core.time import local_time
from mobility.network import Edition

Document = dict[str, Any]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Run:
    """A train that carries a trip: which one, and the positions in it that the trip lists."""

    train: int
    first: int
    last: int
    shift: int


class Trips:
    """Looks trips and stops up in one edition."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.network = edition.network
        self.feeds = list(edition.network.feed_id)

    def rows(self, table: str, column: str, references: Iterable[str]) -> dict[str, int]:
        """Return the rows of references (``feed:id``) in a table; unknown ones are left out."""
        wanted = sorted({reference for reference in references if reference})
        split = [split_reference(reference, self.feeds) for reference in wanted]
        asked = pl.DataFrame(
            {
                "reference": wanted,
                "feed": [self.feeds.index(f) if f is not None else -1 for f, _ in split],
                "id": [raw for _, raw in split],
            },
            schema={"reference": pl.String, "feed": pl.Int16, "id": pl.String},
        )
        known = self.edition.table(table).select("feed", pl.col(column).alias("id"))
        found = known.with_row_index("row").join(asked, on=["feed", "id"])
        return dict(zip(found["reference"], found["row"].cast(pl.Int64), strict=True))

    def runs(self, trip: int) -> list[Run]:
        """Return the trains that carry a trip, those that run on most days first.

        Of the trains that rules made of one for the same days, only the first is told.
        """
        network = self.network
        spans: dict[tuple[int, int], list[int]] = {}
        for section in np.flatnonzero(network.section_trip == trip).tolist():
            train = int(np.searchsorted(network.section_start, section, side="right")) - 1
            if network.train_through[train]:
                continue
            span = spans.setdefault((train, int(network.section_day_shift[section])), [])
            span += [int(network.section_from_pos[section]), int(network.section_to_pos[section])]
        runs = [Run(train, min(p), max(p), shift) for (train, shift), p in spans.items()]
        runs.sort(key=lambda run: (-len(self.days(run.train)), run.first - run.last, run.train))
        same = {
            (int(network.train_of[run.train]), int(network.train_service[run.train])): run
            for run in reversed(runs)
        }
        return [run for run in runs if run in same.values()]

    def days(self, train: int) -> list[int]:
        """Return the days (numbers in the horizon) on which a train runs."""
        network = self.network
        bits = network.service_bits[int(network.train_service[train])]
        return np.flatnonzero(np.unpackbits(bits, bitorder="little")[: network.n_days]).tolist()

    def calls(self, run: Run, feed: int) -> list[Document]:
        """Return the calls of a run as the feed names them, local times of its first day."""
        network = self.network
        start = int(network.train_event_start[run.train])
        zone = int(network.train_zone[run.train])
        days = self.days(run.train)
        origin = int(network.zone_origin_s[zone, days[0] if days else 0])
        found = []
        for at in range(start + run.first, start + run.last + 1):
            stop = int(network.event_stop[at])
            shown = self._stop_of(stop, feed)
            station = int(network.stop_station[stop])
            tz = network.zone_name[int(network.stop_tz[shown])]
            arrival, departure = (
                local_time(origin + int(times[at]), tz)[11:16]
                for times in (network.event_arrival_s, network.event_departure_s)
            )
            found.append(
                {
                    "station_id": network.station_id[station],
                    "station": network.station_name[station],
                    "stop": self.stop_reference(shown),
                    "name": network.stop_name[shown],
                    "arrival": "" if at == start + run.first else arrival,
                    "departure": "" if at == start + run.last else departure,
                    "platform": network.stop_platform[shown],
                    "border_point": bool(network.event_flags[at] >> 4 & 1),
                }
            )
        return found

    def _stop_of(self, stop: int, feed: int) -> int:
        """Return the feed's own stop at the same station, else the stop itself."""
        network = self.network
        if int(network.stop_feed[stop]) == feed:
            return stop
        station = int(network.stop_station[stop])
        first, last = network.station_stop_start[station : station + 2]
        own = [
            int(one)
            for one in network.station_stops[first:last]
            if int(network.stop_feed[one]) == feed
        ]
        return min(own, default=stop)

    def stop_reference(self, stop: int) -> str:
        """Return ``feed:stop_id`` of a stop."""
        return f"{self.feeds[int(self.network.stop_feed[stop])]}:{self.network.stop_id[stop]}"

    def trip_reference(self, trip: int) -> str:
        """Return ``feed:trip_id`` of a trip."""
        return f"{self.feeds[int(self.network.trip_feed[trip])]}:{self.network.trip_id[trip]}"

    def about(self, trip: int, *, beside: int | None = None) -> Document:
        """Return what a trip is called: line, number, agency, where and when it begins and ends.

        Its calls are those of the train that it has most days with, or that it shares with the
        trip ``beside`` where there is one.
        """
        network = self.network
        route = int(network.trip_route[trip])
        agency = int(network.route_agency[route])
        runs = self.runs(trip)
        if beside is not None:
            common = {run.train for run in self.runs(beside)}
            runs.sort(key=lambda run: run.train not in common)
        calls = self.calls(runs[0], int(network.trip_feed[trip])) if runs else []
        return {
            "trip": self.trip_reference(trip),
            "feed": self.feeds[int(network.trip_feed[trip])],
            "agency": network.agency_name[agency],
            "line": network.route_short_name[route] or network.route_long_name[route],
            "number": network.trip_number[trip],
            "headsign": network.trip_headsign[trip],
            "from": calls[0]["name"] if calls else "",
            "to": calls[-1]["name"] if calls else "",
            "departure": calls[0]["departure"] if calls else "",
            "arrival": calls[-1]["arrival"] if calls else "",
            "calls": calls,
        }

    def service(self, train: int) -> Document:
        """Return on which days a train runs: how many, first, last, days of the week."""
        days = self.days(train)
        dates = [self.network.date_of(day) for day in days]
        return {
            "days": len(dates),
            "first": dates[0].isoformat() if dates else None,
            "last": dates[-1].isoformat() if dates else None,
            "weekdays": _weekdays(dates),
        }


def _weekdays(dates: Sequence[dt.date]) -> list[str]:
    found = {date.weekday() for date in dates}
    return [name for number, name in enumerate(WEEKDAYS) if number in found]
