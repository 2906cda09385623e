"""Station ids that last: a station keeps its id although a feed made its own ids anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from mobility.core.units import distance_m
from mobility.merge.names import full_form
from mobility.merge.region import Region

SAME_PLACE_M = 200.0  # a station that moved further than this under new ids is another one


@dataclass(frozen=True, slots=True)
class GivenIds:
    """The station ids in use, and who had them.

    Parameters
    ----------
    members : DataFrame
        ``reference`` (``feed:stop_id``), ``station_id``.
    stations : DataFrame
        ``station_id``, ``name``, ``lat``, ``lon``.
    """

    members: pl.DataFrame
    stations: pl.DataFrame

    @classmethod
    def of(cls, region: Region) -> GivenIds:
        """Return the ids that a region's stations have."""
        stations = region.tables["stations"]
        stops = region.tables["stops"]
        members = pl.DataFrame(
            {
                "reference": _references(stops, [feed.id for feed in region.feeds]),
                "station_id": stations["station_id"].gather(stops["station"]),
            }
        )
        return cls(members, stations.select("station_id", "name", "lat", "lon"))


def keep_station_ids(
    stations: pl.DataFrame, stops: pl.DataFrame, feed_ids: list[str], given: GivenIds
) -> pl.DataFrame:
    """Return the `stations` table with the ids that its stations had before.

    A station keeps the id that most of its stops had; where none of its stops is known, the id of
    a station of equal name within `SAME_PLACE_M` that nobody else claims. An id in use before is
    never given to another station.
    """
    kept: dict[int, str] = {}
    taken: set[str] = set()
    for station, station_id in _claims(stations, stops, feed_ids, given):
        if station not in kept and station_id not in taken:
            kept[station] = station_id
            taken.add(station_id)
    taken |= set(given.stations["station_id"])
    ids = []
    for station, own in enumerate(stations["station_id"].to_list()):
        ids.append(kept[station] if station in kept else _unused(own, taken))
        taken.add(ids[-1])
    return stations.with_columns(pl.Series("station_id", ids, dtype=pl.String))


def _references(stops: pl.DataFrame, feed_ids: list[str]) -> pl.Series:
    feeds = pl.Series(feed_ids, dtype=pl.String).gather(stops["feed"])
    return (feeds + ":" + stops["stop_id"]).alias("reference")


def _claims(
    stations: pl.DataFrame, stops: pl.DataFrame, feed_ids: list[str], given: GivenIds
) -> Iterator[tuple[int, str]]:
    """Yield (station, id) in the order in which claims are heard."""
    known = pl.DataFrame({"station": stops["station"], "reference": _references(stops, feed_ids)})
    votes = (
        known.join(given.members, on="reference")
        .group_by("station", "station_id")
        .len()
        .sort(["len", "station_id", "station"], descending=[True, False, False])
    )
    yield from zip(votes["station"].to_list(), votes["station_id"].to_list(), strict=True)
    former = _form_rows(given.stations)
    for form, rows in _form_rows(stations).items():
        for station in rows:
            for before in former.get(form, ()):
                if _metres(stations, station, given.stations, before) <= SAME_PLACE_M:
                    yield station, given.stations["station_id"][before]


def _form_rows(stations: pl.DataFrame) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(stations["name"].to_list()):
        rows.setdefault(full_form(name), []).append(row)
    return rows


def _metres(left: pl.DataFrame, row: int, right: pl.DataFrame, other: int) -> float:
    places = (left["lat"][row], left["lon"][row], right["lat"][other], right["lon"][other])
    if any(value is None for value in places):
        return np.inf
    return float(distance_m(*places))


def _unused(own: str, taken: set[str]) -> str:
    """Return a new station's id; where it was another's, with a part of its own hash."""
    digest = hashlib.sha256(own.encode()).hexdigest()
    candidates = (own, *(f"{own}-{digest[: 8 * n]}" for n in range(1, 9)))
    return next(one for one in candidates if one not in taken)
