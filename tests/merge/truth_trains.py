"""Pairs of trains drawn at random to be looked at, and their timetables side by side.

``python -m tests.merge.truth_trains db sncf`` prints what is drawn. The draw ranks pairs by a hash
of the seed and their ids, so that a pair more or less in a feed does not change the others.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from mobility.core.time import gtfs_time
from mobility.feeds import Feed, service_days
from mobility.merge import Region

from .golden_lists import FOLDER, RealFeeds

SEED = "2026-11-23"
SAMPLE = 20
SAMPLED = "unjoined touching"  # of two lines that meet at a station there are many
DRAWN = (("db", "sncf"), ("db", "zssk"), ("cercanias", "renfe"))
# Trips of one train on other days: drawn once.
TRAIN_OF = {"cercanias": r"^\d{4}[A-Z](\d{5})", "renfe": r"^(\d{5})"}
TRUTH = Path(__file__).parent / "truth"


@dataclass(frozen=True, order=True)
class Drawn:
    """A pair of trips and what became of it; `what` is a decision and a kind."""

    what: str
    left_trip: str
    right_trip: str


def rank(*words: str) -> str:
    """Return the place of something in the draw."""
    return hashlib.sha256("|".join((SEED, *words)).encode()).hexdigest()


def train_of(reference: str) -> str:
    """Return the train of a trip, as far as its id names one."""
    feed, _, trip = reference.partition(":")
    found = re.match(TRAIN_OF.get(feed, r"(.*)"), trip)
    return found[1] if found else trip


def sample(pairs: list[Drawn], size: int | None) -> list[Drawn]:
    """Return one pair of each of so many trains, those that the hash ranks first."""
    first: dict[tuple[str, str], Drawn] = {}
    for pair in sorted(pairs, key=lambda pair: rank(pair.left_trip, pair.right_trip)):
        first.setdefault((train_of(pair.left_trip), train_of(pair.right_trip)), pair)
    ranked = sorted(first, key=lambda trains: rank(*trains))
    return [first[trains] for trains in ranked[:size]]


def draw(real: RealFeeds, left: str, right: str) -> list[Drawn]:
    """Return the pairs to be judged: of the pairs with the German feed nearly all.

    Joined, portions and rejected come from what the merge tells; pairs that merely meet, which the
    merge does not tell, are found here.
    """
    region = real.merge(left, right)
    told = [
        Drawn(f"{decision} {kind}", a, b)
        for a, b, kind, decision in region.tables["train_matches"]
        .select("left_trip", "right_trip", "kind", "decision")
        .iter_rows()
    ]
    known = {(pair.left_trip, pair.right_trip) for pair in told}
    everything = told
    if left == "db":
        everything = told + [
            pair
            for pair in meetings(real, left, right)
            if (pair.left_trip, pair.right_trip) not in known
        ]
    by_what: dict[str, list[Drawn]] = {}
    for pair in everything:
        by_what.setdefault(pair.what, []).append(pair)
    return sorted(
        pair
        for what, pairs in by_what.items()
        for pair in sample(pairs, SAMPLE if left != "db" or what == SAMPLED else None)
    )


def meetings(real: RealFeeds, left: str, right: str) -> Iterator[Drawn]:
    """Yield the pairs of trips that call at a shared station in the same minute on a common day."""
    region = real.merge(left, right)
    first, n_days = region.first_date, region.days.shape[1]
    both = [_calls(real.feed(feed), region) for feed in (left, right)]
    days = [service_days(real.feed(feed), first, n_days) for feed in (left, right)]
    met = pl.concat(
        both[0]
        .with_columns((pl.col(time) // 60 + minute).alias("minute"))
        .join(both[1].with_columns((pl.col(time) // 60).alias("minute")), on=["station", "minute"])
        .filter((pl.col(time) - pl.col(f"{time}_right")).abs() <= 60)
        .select("trip", "service", "trip_right", "service_right", "station")
        for time in ("arrival_time", "departure_time")
        for minute in (-1, 0, 1)
    )
    shared = met.group_by("trip", "service", "trip_right", "service_right").agg(
        pl.col("station").n_unique()
    )
    for a, own, b, other, stations in shared.iter_rows():
        if (days[0][1][days[0][0][own]] & days[1][1][days[1][0][other]]).any():
            what = "unjoined touching" if stations == 1 else "unjoined beside"
            yield Drawn(what, f"{left}:{a}", f"{right}:{b}")


def _calls(feed: Feed, region: Region) -> pl.DataFrame:
    """Return the calls of a feed's trips at stations, border points left out."""
    index = [info.id for info in region.feeds].index(feed.config.id)
    stops = region.tables["stops"].filter((pl.col("feed") == index) & ~pl.col("border_point"))
    trips = feed.tables["trips"].select("trip_id", "service_id").with_row_index("row")
    ids = feed.tables["stops"].select("stop_id").with_row_index("row")
    return (
        feed.tables["stop_times"]
        .select("trip", "stop", "arrival_time", "departure_time")
        .join(trips.cast({"row": pl.Int32}), left_on="trip", right_on="row")
        .join(ids.cast({"row": pl.Int32}), left_on="stop", right_on="row")
        .join(stops.select("stop_id", "station"), on="stop_id")
        .select(
            *(pl.col("trip_id").alias("trip"), pl.col("service_id").alias("service")),
            *("station", "arrival_time", "departure_time"),
        )
    )


class Timetables:
    """Prints trips of real feeds."""

    def __init__(self, real: RealFeeds) -> None:
        self.real = real

    def line(self, reference: str) -> str:
        """Return a trip as one line: its route, then its calls with times."""
        feed_id, _, trip_id = reference.partition(":")
        tables = self.real.feed(feed_id).tables
        at = tables["trips"]["trip_id"].index_of(trip_id)
        trip = tables["trips"].row(at, named=True)
        route = tables["routes"].filter(pl.col("route_id") == trip["route_id"]).row(0, named=True)
        trips = tables["stop_times"]["trip"].to_numpy()
        low, high = np.searchsorted(trips, [at, at + 1])
        names = tables["stops"]["stop_name"]
        calls = []
        for row in tables["stop_times"].slice(low, high - low).iter_rows(named=True):
            times = [gtfs_time(row[f"{time}_time"])[:5] for time in ("arrival", "departure")]
            calls.append(f"{names[row['stop']]} {'/'.join(dict.fromkeys(times))}")
        return f"{reference} [{route['route_short_name'] or trip['trip_short_name']}] " + ", ".join(
            calls
        )


def main(left: str, right: str) -> None:
    """Print what is drawn for a pair of feeds."""
    real = RealFeeds(FOLDER.parents[2].parent / "shared" / "data")
    timetables = Timetables(real)
    for pair in draw(real, left, right):
        lines = (timetables.line(reference) for reference in (pair.left_trip, pair.right_trip))
        sys.stdout.write("\n    ".join((pair.what, *lines)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
