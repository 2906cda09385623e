"""A passenger sees a joined train once and rides through without a transfer, whatever its kind.

On real trains where the real feeds have the kind, else on the sample region.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mobility.core.time import service_day_origin
from mobility.feeds import read_manifest
from mobility.journey import Journey
from mobility.merge import Region

from .export_back import Side, region_of
from .golden_lists import RealFeeds

TRAINS = 4  # of each kind, spread over all
Find = Callable[[str], Side]


@pytest.fixture(scope="module")
def side(
    request: pytest.FixtureRequest, sample_region: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Find]:
    """Return a maker of networks by name, each made once."""
    made: dict[str, Side] = {}

    def find(name: str) -> Side:
        if name not in made:
            if name == "sample":
                region = region_of(read_manifest(sample_region))
            else:
                data = request.getfixturevalue("shared_data")
                region = RealFeeds(data).merge(*name.split("+"))
            made[name] = Side.of(region, tmp_path_factory.mktemp("slices"))
        return made[name]

    yield find


def some(trains: list[int]) -> list[int]:
    """Return a few of them: first, last and between."""
    return [trains[round(at)] for at in np.linspace(0, len(trains) - 1, min(TRAINS, len(trains)))]


def of_kind(region: Region, kind: str) -> list[int]:
    return np.flatnonzero((region.tables["trains"]["kind"] == kind).to_numpy()).tolist()


def owners(region: Region, train: int) -> list[tuple[str, str]]:
    """Return (feed, trip) of each section of a train, in order."""
    rows = region.tables["sections"].filter((pl.col("train") == train) & ~pl.col("alias"))
    trips = region.tables["trips"].select("feed", "trip_id")
    named = [trips.row(trip) for trip in rows.sort("from_pos")["trip"]]
    return [(region.feeds[feed].id, trip_id) for feed, trip_id in named]


def ride(side: Side, train: int) -> tuple[list[Journey], int, int]:
    """Ask for a train's whole way at its own minute; return the answers and its two times."""
    region = side.region
    row = region.tables["trains"].row(train, named=True)
    calls = region.tables["stop_times"].slice(row["first_event"], row["n_events"])
    calls = calls.filter(~pl.col("border_point"))
    day = int(np.flatnonzero(region.days[row["service"]])[0])
    origin = service_day_origin(region.first_date + dt.timedelta(days=day), row["zone"])
    station = region.tables["stops"]["station"]
    leave, arrive = origin + calls["departure_s"][0], origin + calls["arrival_s"][-1]
    found = side.planner.plan(
        side.endpoint(station[calls["stop"][0]]),
        side.endpoint(station[calls["stop"][-1]]),
        depart=leave,
        arrive=None,
        window_s=60,
        max_transfers=0,
        look_beyond=False,
    )
    return list(found.journeys), leave, arrive


@pytest.mark.shared
@pytest.mark.parametrize(
    ("feeds", "kind"),
    [("db+sncf", "contained"), ("db+sncf", "overlap"), ("db+zssk", "contained"),
     ("db+zssk", "overlap"), ("cp+renfe", "equal")],
)  # fmt: skip
def test_a_real_joined_train_is_one_ride(side: Find, feeds: str, kind: str) -> None:
    assert_rides_through(side(feeds), of_kind(side(feeds).region, kind))


@pytest.mark.parametrize("kind", ["equal", "contained", "overlap", "hand_over"])
def test_a_joined_train_of_the_sample_region_is_one_ride(side: Find, kind: str) -> None:
    assert_rides_through(side("sample"), of_kind(side("sample").region, kind))


@pytest.mark.shared
def test_a_portion_is_one_ride_on_its_own_train(side: Find) -> None:
    """Coaches that one feed lists by their ends and the other up to the border."""
    made = side("db+zssk")
    matches = made.region.tables["train_matches"]
    portions = matches.filter(pl.col("decision") == "portion")["right_trip"].unique().sort()
    trips = made.region.tables["trips"]
    references = (
        pl.Series([made.region.feeds[f].id for f in trips["feed"]]) + ":" + trips["trip_id"]
    )
    rows = np.flatnonzero(references.is_in(portions.implode()).to_numpy())
    lead = made.region.tables["trains"]["trip"].to_numpy()
    kept = np.flatnonzero(np.isin(lead, rows)).tolist()
    assert kept
    assert_rides_through(made, kept)


def assert_rides_through(side: Side, trains: list[int]) -> None:
    judged = several = 0
    for train in some(trains):
        journeys, leave, arrive = ride(side, train)
        seen = [(j.departure, j.arrival, j.transfers) for j in journeys]
        assert len(seen) == len(set(seen)), "seen once"
        if (leave, arrive, 0) not in seen:  # another train leaves with it and is there earlier
            assert any(d >= leave and a < arrive for d, a, _ in seen)
            continue
        (leg,) = journeys[seen.index((leave, arrive, 0))].legs
        told = [(section.feed, section.trip_id) for section in leg.sections]
        possible = [owners(side.region, one) for one in alike(side.region, train)]
        assert any(told == own[at : at + len(told)] for own in possible for at in range(len(own)))
        judged += 1
        several += len({feed for feed, _ in told}) > 1
    assert judged
    kinds = set(side.region.tables["trains"]["kind"].gather(trains))
    assert several or not kinds & {"overlap", "hand_over"}


def alike(region: Region, train: int) -> list[int]:
    """Return the trains that ride between the same ends at the same times, itself included."""
    row, calls = region.tables["trains"].row(train, named=True), region.tables["stop_times"]
    at = calls.with_columns(station=region.tables["stops"]["station"].gather(calls["stop"]))
    own = at.slice(row["first_event"], row["n_events"])
    first, last = own.row(0, named=True), own.row(-1, named=True)
    leaving, arriving = (
        at.filter((pl.col("station") == end["station"]) & (pl.col(name) == end[name]))["train"]
        for end, name in ((first, "departure_s"), (last, "arrival_s"))
    )
    return sorted(set(leaving) & set(arriving))
