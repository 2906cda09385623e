"""What a decision changes: two regions of the same feeds, compared train by train, day by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.region import JOINED_KINDS, Region

EXAMPLES_MAX = 6

Int64s = npt.NDArray[np.int64]
Before = tuple[int, int]  # before, after


@dataclass(frozen=True, slots=True)
class Effect:
    """What another decision makes of a region; every pair is before and after.

    Parameters
    ----------
    stations : (int, int)
    united, parted : tuple of tuple of str
        Names of the stations that become one; of those that one falls into.
    pairs : mapping of kind to (int, int)
        Pairs of trips that are one train, only kinds that change.
    runs : (int, int)
        Trains, every day of each counted.
    through : (int, int)
        Runs on which one rides from one trip into another without changing.
    calls : (int, int)
        Calls of all runs: what is listed twice and once.
    calls_moved : int
        Calls of the runs that are made anew.
    days : int
        Days on which any run is another.
    footpaths : (int, int) or None
        Ways on foot between stops, where somebody counts them.
    trips : tuple of int
        Some of the trips whose trains change, those with most days first.
    trips_touched : int
        How many there are.
    """

    stations: Before
    united: tuple[tuple[str, ...], ...]
    parted: tuple[tuple[str, ...], ...]
    pairs: Mapping[str, Before]
    runs: Before
    through: Before
    calls: Before
    calls_moved: int
    days: int
    footpaths: Before | None
    trips: tuple[int, ...]
    trips_touched: int

    @property
    def nothing(self) -> bool:
        """Whether riders see no difference at all."""
        pairs = (self.stations, self.through, self.calls, self.footpaths or (0, 0))
        moved = self.united or self.parted or self.pairs or self.calls_moved
        return not moved and all(before == after for before, after in pairs)


def compare_regions(
    before: Region, after: Region, footpaths: Callable[[Region], int] | None = None
) -> Effect:
    """Return what differs between two merges of the same feeds.

    Parameters
    ----------
    before, after : Region
        Of the same feeds and horizon: rows of stops and trips are the same in both.
    footpaths : callable, optional
        Counts the footpaths of a region.
    """
    old, new = _Runs(before), _Runs(after)
    gone, made = old.beyond(new), new.beyond(old)
    touched = _touched_trips(gone, made)
    days = gone.counts.any(axis=0) | made.counts.any(axis=0)
    pairs = {
        kind: (before.train_counts.get(kind, 0), after.train_counts.get(kind, 0))
        for kind in JOINED_KINDS
    }
    return Effect(
        stations=(before.tables["stations"].height, after.tables["stations"].height),
        united=_groupings(after, before),
        parted=_groupings(before, after),
        pairs={kind: both for kind, both in pairs.items() if both[0] != both[1]},
        runs=(old.n_runs, new.n_runs),
        through=(old.n_through, new.n_through),
        calls=(old.n_calls, new.n_calls),
        calls_moved=made.n_calls,
        days=int(days.sum()),
        footpaths=(footpaths(before), footpaths(after)) if footpaths is not None else None,
        trips=tuple(touched["trip"].head(EXAMPLES_MAX).to_list()),
        trips_touched=touched.height,
    )


@dataclass(frozen=True, slots=True)
class _Differing:
    """Trains that one region has and the other has not, or not on all days.

    ``counts`` is int64[n_kinds_of_train, n_days]: how many more of each run on each day.
    """

    trips: list[list[int]]
    counts: Int64s
    calls: Int64s

    @property
    def n_calls(self) -> int:
        return int((self.counts.sum(axis=1) * self.calls).sum())


class _Runs:
    """A region's trains, each by what it is: its calls, its sections, whatever its days."""

    def __init__(self, region: Region) -> None:
        trains, sections = region.tables["trains"], region.tables["sections"]
        self.region = region
        self.table = (
            trains.select("service", "n_events", "kind", "zone")
            .with_columns(
                pl.Series("calls", _hash_rows(region.tables["stop_times"], trains.height)),
                pl.Series("parts", _hash_rows(sections, trains.height)),
            )
            .with_row_index("train")
        )
        n_days = region.days.sum(axis=1).astype(np.int64)[self.table["service"].to_numpy()]
        self.n_runs = int(n_days.sum())
        self.n_calls = int((n_days * trains["n_events"].to_numpy()).sum())
        own = sections.filter(~pl.col("alias")).group_by("train").agg(pl.col("trip").n_unique())
        several = own.filter(pl.col("trip") > 1)["train"].to_numpy()
        self.n_through = int(n_days[several].sum())

    def beyond(self, other: _Runs) -> _Differing:
        """Return what this region has more than the other, per kind of train and day."""
        keys = ["calls", "parts", "n_events", "kind", "zone"]
        own_days, other_days = (
            side.table.with_columns(pl.Series("bits", _day_hash(side.region))) for side in
            (self, other)
        )  # fmt: skip
        counted = own_days.group_by(*keys, "bits").len().join(
            other_days.group_by(*keys, "bits").len(), on=[*keys, "bits"], how="full",
            coalesce=True, nulls_equal=True,
        )  # fmt: skip
        # Most trains are the same on the same days: only the others are counted day by day.
        unlike = counted.filter(pl.col("len").fill_null(0) != pl.col("len_right").fill_null(0))
        names = unlike.select(keys).unique(maintain_order=True).sort(keys).with_row_index("name")
        own, theirs = (side.day_counts(names, keys) for side in (self, other))
        more = np.maximum(own - theirs, 0)
        kept = np.flatnonzero(more.any(axis=1))
        found = self.table.join(names, on=keys, nulls_equal=True).sort("train")
        sections = self.region.tables["sections"].select("train", "trip")
        trips = (
            found.select("name", "train")
            .join(sections, on="train")
            .group_by("name")
            .agg(pl.col("trip").unique().sort())
        )
        of_name = dict(zip(trips["name"].to_list(), trips["trip"].to_list(), strict=True))
        return _Differing(
            trips=[of_name.get(name, []) for name in kept.tolist()],
            counts=more[kept],
            calls=names["n_events"].to_numpy().astype(np.int64)[kept],
        )

    def day_counts(self, names: pl.DataFrame, keys: list[str]) -> Int64s:
        """Return how many trains of each name run on each day; int64[n_names, n_days]."""
        out = np.zeros((names.height, self.region.n_days), np.int64)
        own = self.table.join(names, on=keys, nulls_equal=True)
        days = self.region.days[own["service"].to_numpy()]
        np.add.at(out, own["name"].to_numpy(), days.astype(np.int64))
        return out


def _hash_rows(table: pl.DataFrame, n_trains: int) -> pl.Series:
    """Return a hash per train of its rows in their order; they are sorted by train."""
    rows = table.select(
        "train",
        pl.struct(pl.all().exclude("train"), pl.int_range(pl.len()).over("train").alias("at"))
        .hash()
        .alias("hash"),
    )
    sums = rows.group_by("train").agg(pl.col("hash").sum())
    out = np.zeros(n_trains, np.uint64)
    out[sums["train"].to_numpy()] = sums["hash"].to_numpy()
    return pl.Series(out)


def _day_hash(region: Region) -> list[bytes]:
    rows = [row.tobytes() for row in np.packbits(region.days, axis=1)]
    return [rows[service] for service in region.tables["trains"]["service"].to_list()]


def _touched_trips(gone: _Differing, made: _Differing) -> pl.DataFrame:
    """Return the trips whose trains differ, those with most days first."""
    rows = [
        (trip, int(days))
        for side in (gone, made)
        for trips, days in zip(side.trips, side.counts.sum(axis=1), strict=True)
        for trip in trips
    ]
    table = pl.DataFrame(rows, schema={"trip": pl.Int64, "days": pl.Int64}, orient="row")
    return (
        table.group_by("trip")
        .agg(pl.col("days").max())
        .sort(["days", "trip"], descending=[True, False])
    )


def _groupings(whole: Region, parts: Region) -> tuple[tuple[str, ...], ...]:
    """Return, for each station of one region that is several of the other, the others' names."""
    stations = pl.DataFrame(
        {"whole": whole.tables["stops"]["station"], "part": parts.tables["stops"]["station"]}
    ).unique()
    several = (
        stations.group_by("whole")
        .agg(pl.col("part").unique().sort())
        .filter(pl.col("part").list.len() > 1)
        .sort("whole")
    )
    names = parts.tables["stations"]["name"].to_list()
    return tuple(tuple(names[part] for part in own) for own in several["part"].to_list())
