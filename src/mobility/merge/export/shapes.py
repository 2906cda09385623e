"""Shapes of the export: a trip's own where it runs whole, pieces laid end to end where joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.export.runs import Runs
from mobility.merge.export.trips import calls_of, scoped_ids
from mobility.merge.further import DISTANCE
from mobility.merge.region import Region

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

_SCHEMA = {
    "shape_id": pl.String,
    "shape_pt_lat": pl.Float64,
    "shape_pt_lon": pl.Float64,
    "shape_pt_sequence": pl.Int32,
    DISTANCE: pl.Float64,
}


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a joined train: a shape (empty: none) from one stop to another."""

    shape: str
    stops: tuple[int, ...]


def export_shapes(region: Region, runs: Runs) -> tuple[pl.Series, pl.DataFrame | None]:
    """Return the shape of each run, and ``shapes``: those in use.

    Where pieces meet, ``shape_dist_traveled`` would not go on: a spliced shape has none.
    """
    none = pl.Series([None] * len(runs), dtype=pl.String)
    if "shapes" not in region.tables or not region.tables["shapes"].height:
        return none, None
    raw = region.tables["shapes"].select(
        shape_id=scoped_ids(region, "shapes", "shape_id"),
        shape_pt_lat="shape_pt_lat",
        shape_pt_lon="shape_pt_lon",
        shape_pt_sequence=pl.col("shape_pt_sequence").cast(pl.Int32),
        shape_dist_traveled=pl.col(DISTANCE).cast(pl.Float64),
    )
    known = raw["shape_id"].unique().implode()
    trips = scoped_ids(region, "trips", "shape_id")
    trips = trips.zip_with(trips.is_in(known).fill_null(False), trips.clear(len(trips)))
    owner = _owners(region)
    of_train = trips.gather(owner.cast(pl.UInt32))
    several = np.flatnonzero(owner.is_null().to_numpy())
    joined = np.intersect1d(several, runs.train).astype(np.int32)
    pieces = _pieces_of(region, joined, trips.to_list())
    spliced = _splice_all(region, raw, pieces)
    ids = of_train.to_list()
    for train, (name, _) in spliced.items():
        ids[train] = name
    shape_of_run = pl.Series(ids, dtype=pl.String).gather(pl.Series(runs.train).cast(pl.UInt32))
    made = dict(spliced.values())
    used = raw.filter(pl.col("shape_id").is_in(shape_of_run.drop_nulls().implode()))
    table = pl.concat([used, *(made[name] for name in sorted(made))])
    return shape_of_run, table.sort("shape_id", "shape_pt_sequence", maintain_order=True)


def _owners(region: Region) -> pl.Series:
    """Return the trip that owns all of each train, null where several own parts."""
    own = region.tables["sections"].filter(~pl.col("alias"))
    several = pl.col("trip").min() < pl.col("trip").max()
    trips = own.group_by("train", maintain_order=True).agg(
        pl.when(~several).then(pl.col("trip").min()).alias("trip")
    )
    trains = pl.DataFrame({"train": np.arange(region.tables["trains"].height, dtype=np.int32)})
    return trains.join(trips, on="train", how="left", maintain_order="left")["trip"]


def _pieces_of(
    region: Region, trains: npt.NDArray[np.int32], shape_of_trip: list[str | None]
) -> dict[int, tuple[_Piece, ...]]:
    """Return the stretches of each joined train that has a shape anywhere."""
    chosen = pl.Series(trains).implode()
    sections = region.tables["sections"].filter(~pl.col("alias") & pl.col("train").is_in(chosen))
    calls = calls_of(region, trains)
    stops: dict[int, list[int]] = {}
    for train, stop in calls.select("train", "stop").iter_rows():
        stops.setdefault(train, []).append(stop)
    found: dict[int, list[_Piece]] = {}
    columns = ("train", "trip", "from_pos", "to_pos")
    for train, trip, first, last in sections.sort("train", "from_pos").select(columns).iter_rows():
        piece = _Piece(shape_of_trip[trip] or "", tuple(stops[train][first : last + 1]))
        found.setdefault(train, []).append(piece)
    return {
        train: tuple(pieces)
        for train, pieces in found.items()
        if any(piece.shape for piece in pieces)
    }


def _splice_all(
    region: Region, raw: pl.DataFrame, pieces: dict[int, tuple[_Piece, ...]]
) -> dict[int, tuple[str, pl.DataFrame]]:
    """Return name and points of each joined train's shape; equal stretches share one."""
    wanted = sorted({piece.shape for own in pieces.values() for piece in own if piece.shape})
    points = {
        name: table.sort("shape_pt_sequence").select("shape_pt_lat", "shape_pt_lon").to_numpy()
        for (name,), table in raw.filter(pl.col("shape_id").is_in(wanted))
        .partition_by("shape_id", as_dict=True)
        .items()
    }
    stops = region.tables["stops"].select("stop_lat", "stop_lon").fill_null(np.nan).to_numpy()
    taken = set(raw["shape_id"].unique().to_list())
    made: dict[tuple[_Piece, ...], tuple[str, pl.DataFrame]] = {}
    count: dict[str, int] = {}
    out: dict[int, tuple[str, pl.DataFrame]] = {}
    for train, own in sorted(pieces.items()):
        if own not in made:
            base = "+".join(dict.fromkeys(piece.shape for piece in own if piece.shape))
            count[base] = count.get(base, 0) + 1
            while f"{base}~{count[base]}" in taken:
                count[base] += 1
            name = f"{base}~{count[base]}"
            made[own] = name, _shape_table(name, splice(own, points, stops))
        out[train] = made[own]
    return out


def _shape_table(name: str, line: Floats) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "shape_id": [name] * len(line),
            "shape_pt_lat": line[:, 0],
            "shape_pt_lon": line[:, 1],
            "shape_pt_sequence": np.arange(1, len(line) + 1, dtype=np.int32),
            DISTANCE: [None] * len(line),
        },
        schema=_SCHEMA,
    )


def splice(pieces: tuple[_Piece, ...], points: dict[str, Floats], stops: Floats) -> Floats:
    """Return the line of a joined train: float64[n, 2], latitude and longitude.

    Each piece is its shape between the points nearest to the stretch's ends, straight from stop to
    stop where the feed draws none.
    """
    parts = []
    for piece in pieces:
        calls = stops[list(piece.stops)]
        calls = calls[~np.isnan(calls).any(axis=1)]
        if piece.shape and len(calls):
            parts.append(cut(points[piece.shape], calls[0], calls[-1]))
        else:
            parts.append(calls)
    line = np.concatenate(parts)
    again = np.zeros(len(line), np.bool_)
    again[1:] = (line[1:] == line[:-1]).all(axis=1)
    return line[~again]


def cut(line: Floats, start: Floats, end: Floats) -> Floats:
    """Return the part of a line between its points nearest to two places.

    The end is looked for after the start, so a line that runs there and back gives the way there.

    >>> line = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, 3.0]])
    >>> cut(line, np.array([0.1, 1.1]), np.array([0.0, 2.4]))[:, 1].tolist()
    [1.0, 2.0]
    """
    scale = np.array([1.0, np.cos(np.radians(start[0]))])

    def nearest(part: Floats, place: Floats) -> int:
        return int((((part - place) * scale) ** 2).sum(axis=1).argmin())

    first = nearest(line, start)
    last = first + nearest(line[first:], end)
    return line[first : last + 1]
