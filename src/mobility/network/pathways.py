"""Ways inside stations: how long they take on foot, and without a step.

Source: GTFS Schedule reference, pathways.txt and stops.txt (boarding areas).
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from mobility.core.units import WALK_SPEED_M_S, distance_m
from mobility.network.values import Int32s, read_only

STAIRS, ESCALATOR = 2, 4
PLATFORM, BOARDING_AREA = 0, 4
STEP_S = 0.6  # of one stair where nothing else is said: a hundred a minute
# ISO 21542: ramps of at most 1 in 12, doorways of at least 0.8 m.
MAX_SLOPE = 1 / 12
MIN_WIDTH_M = 0.8
NO_WAY = -1
MAX_STATION_PLATFORMS = 500  # as for footpaths: pairs grow with the square


class _Way(NamedTuple):
    to: int
    s: int
    m: int
    is_step_free: bool


@dataclass(frozen=True, slots=True, eq=False)
class Pathways:
    """Ways between platforms of stations that have pathways, in order of the pair; all int32.

    Parameters
    ----------
    from_stop, to_stop : int32
        Every ordered pair of platforms of one station, also where no way is found.
    s, m : int32
        Seconds and metres of the shortest way; `NO_WAY`.
    free_s, free_m : int32
        The same without a step.
    """

    from_stop: Int32s
    to_stop: Int32s
    s: Int32s
    m: Int32s
    free_s: Int32s
    free_m: Int32s

    def fields(self) -> dict[str, Any]:
        """Return the fields of `Network`."""
        return {
            "pathway_from": self.from_stop,
            "pathway_to": self.to_stop,
            "pathway_free_s": self.free_s,
            "pathway_free_m": self.free_m,
        }


def read_pathways(stops: pl.DataFrame, pathways: pl.DataFrame | None) -> Pathways:
    """Return the ways between the platforms of stations.

    A pathway takes its traversal time; else its length at the usual speed, at least `STEP_S` a
    stair; else the straight line. It is free of steps if it is no stairs and no escalator, and
    what is said of slope and width lets a wheelchair pass.

    Parameters
    ----------
    stops : DataFrame
        The region's: ``feed, stop_id, stop_lat, stop_lon, location_type, parent``.
    pathways : DataFrame or None
        pathways.txt of all feeds with ``feed``.
    """
    rows: list[tuple[int, ...]] = []
    if pathways is not None and pathways.height:
        ways = _ways(stops, pathways)
        for platforms in _stations(stops, ways):
            for source in platforms:
                found = [_shortest(ways, source, free) for free in (False, True)]
                rows += [
                    (source, other, *found[0].get(other, (NO_WAY, 0)),
                     *found[1].get(other, (NO_WAY, 0)))
                    for other in platforms if other != source
                ]  # fmt: skip
    table = np.array(sorted(rows), np.int32).reshape(-1, 6)
    return Pathways(*(read_only(column) for column in table.T))


def _ways(stops: pl.DataFrame, pathways: pl.DataFrame) -> dict[int, list[_Way]]:
    """Return by stop the ways that begin there; platforms and their boarding areas are one."""
    row_of = {key: row for row, key in enumerate(stops.select("feed", "stop_id").iter_rows())}
    places = list(stops.select("stop_lat", "stop_lon").iter_rows())
    ways: defaultdict[int, list[_Way]] = defaultdict(list)
    for row in pathways.iter_rows(named=True):
        ends = [row_of.get((row["feed"], row[f"{end}_stop_id"])) for end in ("from", "to")]
        if ends[0] is None or ends[1] is None:
            continue
        here, there = ends[0], ends[1]
        s, m = _effort(row, places[here], places[there])
        free = _is_step_free(row)
        ways[here].append(_Way(there, s, m, free))
        if row.get("is_bidirectional") == 1:
            ways[there].append(_Way(here, s, m, free))
    kinds, parents = (stops[name].to_list() for name in ("location_type", "parent"))
    for area, (kind, platform) in enumerate(zip(kinds, parents, strict=True)):
        if kind == BOARDING_AREA and platform is not None and (area in ways or platform in ways):
            ways[area].append(_Way(platform, 0, 0, True))
            ways[platform].append(_Way(area, 0, 0, True))
    return dict(ways)


def _effort(row: dict[str, Any], here: tuple[Any, Any], there: tuple[Any, Any]) -> tuple[int, int]:
    """Return seconds and metres of a pathway."""
    length = row.get("length")
    if length is None:
        known = None not in (*here, *there)
        length = distance_m(*here, *there) if known else 0.0
    s = row.get("traversal_time")
    if s is None or s < 0:
        stairs = abs(row.get("stair_count") or 0) * STEP_S
        s = math.ceil(max(length / WALK_SPEED_M_S, stairs))
    return int(s), math.ceil(max(length, 0.0))


def _is_step_free(row: dict[str, Any]) -> bool:
    slope, width = row.get("max_slope"), row.get("min_width")
    return (
        row["pathway_mode"] not in (STAIRS, ESCALATOR)
        and not row.get("stair_count")
        and (slope is None or abs(slope) <= MAX_SLOPE + 1e-3)
        and (width is None or width >= MIN_WIDTH_M)
    )


def _stations(stops: pl.DataFrame, ways: dict[int, list[_Way]]) -> Iterator[list[int]]:
    """Yield the platforms of each station in which there is any pathway."""
    kinds, parents = (stops[name].to_list() for name in ("location_type", "parent"))
    station_of = list(parents)
    for row, kind in enumerate(kinds):
        if kind == BOARDING_AREA and parents[row] is not None:
            station_of[row] = parents[parents[row]]
    inside = {station_of[row] for row in ways if station_of[row] is not None}
    platforms: defaultdict[int, list[int]] = defaultdict(list)
    for row, kind in enumerate(kinds):
        if (kind or 0) == PLATFORM and station_of[row] in inside:
            platforms[station_of[row]].append(row)
    for station in sorted(platforms):
        if len(platforms[station]) <= MAX_STATION_PLATFORMS:
            yield platforms[station]


def _shortest(
    ways: dict[int, list[_Way]], source: int, step_free: bool
) -> dict[int, tuple[int, int]]:
    """Return seconds and metres of the shortest ways from a place to all others (Dijkstra)."""
    best = {source: (0, 0)}
    heap = [(0, 0, source)]
    while heap:
        s, m, place = heapq.heappop(heap)
        if (s, m) != best[place]:
            continue
        for way in ways.get(place, ()):
            reached = (s + way.s, m + way.m)
            if (way.is_step_free or not step_free) and reached < best.get(way.to, (1 << 40, 0)):
                best[way.to] = reached
                heapq.heappush(heap, (*reached, way.to))
    return best
