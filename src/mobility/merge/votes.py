"""Votes of the timetable for places that may be one station.

A train that two feeds list calls at both ids in the same minute; or both ids lie between the same
stations, as far away in time.

Two schedules that share two stations within a minute on a common day (one, with equal numbers) are
taken for one train; where one calls at a place and the other, in that minute, at an unmatched
place near by, the two places get a vote. Source: feeds-and-merging 4.1, signal 4.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.calendar import Offset, offsets_between, shift_days
from mobility.merge.candidates import Candidates
from mobility.merge.places import Places
from mobility.merge.schedules import Schedules
from mobility.merge.stations import WIDE_DIAMETER_M, confidences
from mobility.merge.structure import TOLERANCE_S

VOTE_RADIUS_M = 250  # buses and trams: beyond it the next stop of the street votes too
SURE = 0.97  # pairs this certain need no vote
ANCHORS_MIN = 2
RUN_TOLERANCE_S = 120  # running times to a common neighbour may differ by so much

_MINUTE_S = 60
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


def votable(candidates: Candidates, places: Places, station: Int64s) -> pl.DataFrame:
    """Return the pairs (left, right) of places that a vote could decide.

    A pair whose left or right place already has another partner in that feed is left out.
    """
    taken: set[tuple[int, int]] = set()
    order = np.argsort(station, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(station[order])) + 1):
        feeds = places.feed[group]
        taken.update((int(p), int(f)) for p in group for f in feeds if f != places.feed[p])
    metres = np.nan_to_num(candidates.distance_m, nan=np.inf)
    limit = np.where(candidates.shared_rail, WIDE_DIAMETER_M, VOTE_RADIUS_M)
    chosen = (metres <= limit) & candidates.shared_mode & (confidences(candidates) < SURE)
    rows = []
    for at in np.flatnonzero(chosen):
        left, right = int(candidates.left[at]), int(candidates.right[at])
        partnered = (left, int(places.feed[right])) in taken or (
            (right, int(places.feed[left])) in taken
        )
        if station[left] == station[right] or not partnered:
            rows.append((left, right, int(places.feed[left]), int(places.feed[right])))
    schema = {"left": pl.Int64, "right": pl.Int64, "left_feed": pl.Int32, "right_feed": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _calls(schedules: Schedules, place_of_call: Int32s, feed: int, seconds: int) -> pl.DataFrame:
    own = schedules.feed == feed
    owner = np.repeat(np.arange(len(schedules)), np.diff(schedules.start))
    rows = np.flatnonzero(own[owner])
    return pl.DataFrame(
        {
            "schedule": owner[rows],
            "number": schedules.number[owner[rows]],
            "place": place_of_call[rows].astype(np.int64),
            "station": schedules.station[rows],
            "arrival": schedules.arrival_s[rows].astype(np.int64) + seconds,
            "departure": schedules.departure_s[rows].astype(np.int64) + seconds,
        }
    )


def _meet(left: pl.DataFrame, right: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    """Return joined rows whose arrivals or departures lie within the tolerance."""
    near = pl.concat(
        left.with_columns((pl.col("departure") // _MINUTE_S + delta).alias("minute"))
        for delta in (-1, 0, 1)
    )
    right = right.with_columns((pl.col("departure") // _MINUTE_S).alias("minute"))
    met = near.join(right, on=[*on, "minute"])
    return met.filter((pl.col("departure") - pl.col("departure_right")).abs() <= TOLERANCE_S)


def _anchored(pairs: pl.DataFrame, left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    """Return the voting rows whose schedules also share enough other stations."""
    both = pairs.select("schedule", "schedule_right").unique()
    calls = both.join(left, on="schedule").select(
        *("schedule", "schedule_right", "station", "departure", "number")
    )
    other = right.select(
        pl.col("schedule").alias("schedule_right"),
        *("station", "departure", "number"),
    )
    shared = calls.join(other, on=["schedule_right", "station"]).filter(
        (pl.col("departure") - pl.col("departure_right")).abs() <= TOLERANCE_S
    )
    anchors = pairs.join(shared, on=["schedule", "schedule_right"], suffix="_anchor").filter(
        pl.col("station") != pl.col("station_anchor")
    )
    counted = anchors.group_by("schedule", "schedule_right", "left", "right").agg(
        pl.col("station_anchor").n_unique().alias("anchors"),
        ((pl.col("number") >= 0) & (pl.col("number") == pl.col("number_right")))
        .any()
        .alias("same_number"),
    )
    enough = pl.when(pl.col("same_number")).then(1).otherwise(ANCHORS_MIN)
    return counted.filter(pl.col("anchors") >= enough)


def count_votes(
    pairs: pl.DataFrame,
    schedules: Schedules,
    place_of_call: Int32s,
    origins: list[Int64s],
) -> dict[tuple[int, int], int]:
    """Return how many schedule pairs vote for each pair of places.

    Parameters
    ----------
    pairs : DataFrame
        Of `votable`.
    schedules : Schedules
    place_of_call : int32[n_events]
    origins : list of int64[n_days]
        Per feed, the service-day origins of its zone.
    """
    found: dict[tuple[int, int], int] = {}
    for (left_feed, right_feed), own in sorted(
        pairs.partition_by("left_feed", "right_feed", as_dict=True).items()
    ):
        usual: Offset = max(
            offsets_between(origins[left_feed], origins[right_feed], shift_max=0),
            key=lambda offset: int(offset.days.sum()),
        )
        left = _calls(schedules, place_of_call, left_feed, 0)
        right = _calls(schedules, place_of_call, right_feed, usual.seconds)
        ends = left.join(own.select("left", "right"), left_on="place", right_on="left", how="inner")
        ends = ends.rename({"place": "left"}).rename({"right": "place"})
        met = _meet(ends, right, ["place"]).rename({"place": "right"})
        met = met.select("schedule", "schedule_right", "left", "right", "station").unique()
        a, b = met["schedule"].to_numpy(), met["schedule_right"].to_numpy()
        if not len(a):
            continue
        common = schedules.days[a] & shift_days(schedules.days[b], usual.shift) & usual.days
        voting = _anchored(met.filter(pl.Series(common.any(axis=1))), left, right)
        for row in voting.group_by("left", "right").len().sort("left", "right").iter_rows():
            found[(row[0], row[1])] = row[2]
    return found


def _runs(
    schedules: Schedules, place_of_call: Int32s, places: npt.NDArray[np.int64]
) -> pl.DataFrame:
    """Return the stations next to places, and the shortest running time to or from each."""
    owner = np.repeat(np.arange(len(schedules)), np.diff(schedules.start))
    here = np.flatnonzero(owner[:-1] == owner[1:])
    run = schedules.arrival_s[here + 1] - schedules.departure_s[here]
    both = pl.DataFrame(
        {
            "place": np.concatenate([place_of_call[here], place_of_call[here + 1]]).astype(
                np.int64
            ),
            "station": np.concatenate([schedules.station[here + 1], schedules.station[here]]),
            "run": np.concatenate([run, run]),
        }
    )
    wanted = both.filter(pl.col("place").is_in(places.tolist()))
    return wanted.group_by("place", "station").agg(pl.col("run").min())


def count_neighbours(
    pairs: pl.DataFrame, schedules: Schedules, place_of_call: Int32s
) -> dict[tuple[int, int], int]:
    """Return for how many stations both places of a pair are the next stop, as far away in time.

    Parameters
    ----------
    pairs : DataFrame
        Of `votable`.
    schedules : Schedules
    place_of_call : int32[n_events]
    """
    places = np.unique(np.concatenate([pairs["left"].to_numpy(), pairs["right"].to_numpy()]))
    runs = _runs(schedules, place_of_call, places)
    shared = (
        pairs.select("left", "right")
        .join(runs, left_on="left", right_on="place")
        .join(runs, left_on=["right", "station"], right_on=["place", "station"], suffix="_other")
        .filter((pl.col("run") - pl.col("run_other")).abs() <= RUN_TOLERANCE_S)
    )
    counted = shared.group_by("left", "right").len().sort("left", "right")
    return {(left, right): count for left, right, count in counted.iter_rows()}
