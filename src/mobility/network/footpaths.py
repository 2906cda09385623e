"""Footpaths between stops: near ones, those of one station, those that the feeds state; closed.

A footpath takes its metres at 1.2 m/s, at least a minute. Between two stops of one station it
takes at least the change time there, and as long as pathways.txt says where it says so. What
transfers.txt states wins over all; what it forbids
(type 3) is no footpath, not even by a detour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from mobility.core.errors import InputError, UsageError
from mobility.core.units import EARTH_RADIUS_M, WALK_SPEED_M_S, distance_m
from mobility.network.pathways import Pathways
from mobility.network.transfers import (
    NOT_STATED,
    TransferRules,
    boarding_places,
    read_transfer_rules,
)
from mobility.network.values import Bools, Float64s, Int32s, Int64s, read_only
from mobility.network.walk_kernels import close_walks, group_pairs, near_pairs

DEFAULT_CHANGE_S = 120  # as nigiri: planner.md, section 5
SHORTEST_WALK_S = 60
FORBIDDEN_CHANGE_S = 604_800  # a week: longer than any journey, small enough never to overflow
MAX_WALK_S = 3_600
MAX_RADIUS_M = 2_000
MAX_STATION_STOPS = 500  # larger ones get near links only: pairs grow with the square
SMALLEST_CELL_M = 50.0  # keeps the numbers of grid cells within their bits
MAX_WALKS = 200_000_000  # 2.4 GB; a nation's stops at the usual radius have a third
FORBIDDEN_WALK_S = -1


@dataclass(frozen=True, slots=True, eq=False)
class Footpaths:
    """``walk_*`` and ``change_s`` of `Network`."""

    walk_start: Int32s
    walk_to: Int32s
    walk_s: Int32s
    walk_m: Int32s
    walk_stated: Bools
    change_s: Int32s


@dataclass(frozen=True, slots=True, eq=False)
class _Links:
    """Direct footpaths in ascending order of ``key = from * n_stops + to``."""

    key: Int64s
    s: Int32s
    m: Int32s

    def where(self, rows: Bools | Int64s | slice) -> _Links:
        """Return the chosen rows."""
        return _Links(self.key[rows], self.s[rows], self.m[rows])

    def rows(self, n_stops: int) -> tuple[Int32s, Int32s, Int32s, Int32s]:
        """Return CSR starts by stop, the stops walked to, seconds and metres."""
        starts = np.searchsorted(self.key, np.arange(n_stops + 1) * n_stops).astype(np.int32)
        return starts, (self.key % max(n_stops, 1)).astype(np.int32), self.s, self.m


def compile_footpaths(
    stops: pl.DataFrame,
    transfers: pl.DataFrame | None,
    pathways: Pathways | None = None,
    *,
    walk_radius_m: int = 400,
    max_walk_s: int = 1200,
) -> Footpaths:
    """Return the footpaths of a region.

    Parameters
    ----------
    stops : DataFrame
        ``feed, stop_id, stop_lat, stop_lon, location_type, parent, station, border_point``.
    transfers : DataFrame or None
        transfers.txt of all feeds with ``feed``.
    pathways : Pathways, optional
        Ways inside stations, which know more than the straight line.
    walk_radius_m : int
        Stops at most this far apart are linked; 0: only transfers.txt counts, not even the stops
        of one station are linked without it.
    max_walk_s : int
        A chain of footpaths is one footpath up to so many seconds. Stated times may be longer.

    Raises
    ------
    UsageError
        A radius or a longest walk outside the limits.
    """
    if not 0 <= walk_radius_m <= MAX_RADIUS_M:
        raise UsageError(f"walk radius {walk_radius_m} m: expected 0 to {MAX_RADIUS_M}")
    if not 0 <= max_walk_s <= MAX_WALK_S:
        raise UsageError(f"longest walk {max_walk_s} s: expected 0 to {MAX_WALK_S}")
    rules = read_transfer_rules(stops, transfers)
    places = _Places.of(stops)
    change_s = _change_times(rules, stops.height)
    # A change takes its time between two stops of a station, save where transfers.txt is all.
    usual = np.where(change_s == FORBIDDEN_CHANGE_S, DEFAULT_CHANGE_S, change_s)
    least_s = usual if walk_radius_m else np.zeros_like(usual)
    links = _rule_links(rules, places, rules.possible_only, max_walk_s)
    stated = _rule_links(rules, places, ~rules.possible_only, None)
    if walk_radius_m:
        links = _first_wins(links, _geographic_links(places, walk_radius_m, max_walk_s))
        if pathways is not None:
            stated = _first_wins(stated, _pathway_links(pathways, least_s))
    links = _first_wins(stated, links)
    start, to, s, m = _closed(links, stated, places.station, least_s, max_walk_s)
    origin = np.repeat(np.arange(stops.height, dtype=np.int64), np.diff(start))
    timed = rules.keys(stops.height)[rules.minimum_s != NOT_STATED]
    said = _are_among(origin * stops.height + to, timed)
    return Footpaths(start, to, s, m, read_only(said), read_only(change_s))


def _are_among(keys: Int64s, ascending: Int64s) -> Bools:
    if not len(ascending):
        return np.zeros(len(keys), np.bool_)
    at = np.minimum(np.searchsorted(ascending, keys), len(ascending) - 1)
    found: Bools = ascending[at] == keys
    return found


def walk_seconds(metres: Float64s) -> Int32s:
    """Return the seconds of walks, rounded up, at least a minute.

    >>> walk_seconds(np.array([0.0, 72.0, 120.5])).tolist()
    [60, 60, 101]
    """
    return np.maximum(SHORTEST_WALK_S, np.ceil(metres / WALK_SPEED_M_S)).astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Positions (NaN where unknown), stations (-1: none) and which stops can be boarded at."""

    lat: Float64s
    lon: Float64s
    station: Int32s
    boarding: Bools

    @classmethod
    def of(cls, stops: pl.DataFrame) -> _Places:
        lat, lon = (stops[name].fill_null(np.nan).to_numpy() for name in ("stop_lat", "stop_lon"))
        station = stops["station"].fill_null(-1).to_numpy().astype(np.int32)
        # Nobody gets on or off at a border point, so nobody walks there either.
        boarding = boarding_places(stops) & ~stops["border_point"].fill_null(False).to_numpy()
        return cls(lat, lon, station, boarding)

    def metres(self, a: Int32s, b: Int32s) -> Float64s:
        """Distances between stops; NaN where a position is unknown."""
        return distance_m(self.lat[a], self.lon[a], self.lat[b], self.lon[b])


def _change_times(rules: TransferRules, n_stops: int) -> Int32s:
    """Least change time at each stop: as stated, 0 where a change is only said to be possible."""
    change_s = np.full(n_stops, DEFAULT_CHANGE_S, np.int32)
    same = rules.from_stop == rules.to_stop
    minimum = np.where(rules.minimum_s == NOT_STATED, DEFAULT_CHANGE_S, rules.minimum_s)
    minimum = np.where(rules.possible_only, 0, minimum)
    minimum = np.where(rules.forbidden, FORBIDDEN_CHANGE_S, minimum)
    change_s[rules.from_stop[same]] = minimum[same]
    return change_s


def _rule_links(
    rules: TransferRules, places: _Places, chosen: Bools, longest_s: int | None
) -> _Links:
    """Footpaths of the chosen rules; without a stated time they take as long as the walk.

    A forbidden one has `FORBIDDEN_WALK_S`.
    """
    chosen = chosen & (rules.from_stop != rules.to_stop)
    metres = np.nan_to_num(places.metres(rules.from_stop[chosen], rules.to_stop[chosen]))
    stated = rules.minimum_s[chosen]
    seconds = np.where(stated == NOT_STATED, walk_seconds(metres), stated)
    seconds = np.where(rules.forbidden[chosen], FORBIDDEN_WALK_S, seconds)
    links = _Links(rules.keys(len(places.lat))[chosen], seconds, np.ceil(metres).astype(np.int32))
    # Too far to walk and no time stated: the feed means a ride that it does not describe.
    return links if longest_s is None else links.where(seconds <= longest_s)


def _pathway_links(pathways: Pathways, least_s: Int32s) -> _Links:
    """Ways inside stations; as exhaustive as they are, no detour outside is shorter."""
    a, b = pathways.from_stop, pathways.to_stop
    seconds = np.maximum(pathways.s, np.maximum(least_s[a], least_s[b]))
    links = _Links(a.astype(np.int64) * len(least_s) + b, seconds, pathways.m)
    return links.where(pathways.s >= 0)


def _geographic_links(places: _Places, radius_m: int, max_walk_s: int) -> _Links:
    """Footpaths between stops within the radius or of one station, both ways."""
    n_stops = len(places.lat)
    known = places.boarding & np.isfinite(places.lat) & np.isfinite(places.lon)
    rows = np.flatnonzero(known).astype(np.int32)
    reach_m = radius_m * (1 + 1e-9) + 1e-3  # rounding must not lose what is on the limit
    points = _points_m(places.lat[rows], places.lon[rows])
    a, b = near_pairs(points, reach_m, max(reach_m, SMALLEST_CELL_M))
    near = places.metres(rows[a], rows[b]) <= radius_m
    key = rows[a[near]].astype(np.int64) * n_stops + rows[b[near]]
    key = _ascending(np.concatenate([key, _station_pairs(rows, places.station, n_stops)]))
    metres = places.metres(*np.divmod(key, max(n_stops, 1)))
    links = _Links(key, walk_seconds(metres), np.ceil(metres).astype(np.int32))
    return links.where(links.s <= max_walk_s)


def _ascending(keys: Int64s) -> Int64s:
    """Return the keys in order, each once (`np.unique` hashes millions, which takes far longer)."""
    keys = np.sort(keys)
    first = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    return keys[first]


def _points_m(lat: Float64s, lon: Float64s) -> Float64s:
    """Return float64[n, 3]: positions in space, metres from the earth's centre."""
    phi, lam = np.radians(lat), np.radians(lon)
    unit = np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
    return np.ascontiguousarray(unit * EARTH_RADIUS_M)


def _station_pairs(rows: Int32s, station: Int32s, n_stops: int) -> Int64s:
    """Keys of all ordered pairs of stops of one station."""
    inside = rows[station[rows] >= 0]
    members = inside[np.argsort(station[inside], kind="stable")]
    _, counts = np.unique(station[members], return_counts=True)
    return group_pairs(members, counts.astype(np.int64), MAX_STATION_STOPS, n_stops)


def _closed(
    links: _Links, fixed: _Links, station: Int32s, least_s: Int32s, max_walk_s: int
) -> tuple[Int32s, Int32s, Int32s, Int32s]:
    """Return all chains of links of at most ``max_walk_s`` together, as CSR, seconds, metres.

    Fixed ones are as they are; see `close_walks`.
    """
    n_stops = len(station)
    links = links.where(links.s >= 0)
    best_s, best_m = np.full(n_stops, -1, np.int32), np.zeros(n_stops, np.int32)
    reached, heap = np.empty(n_stops, np.int32), np.empty(len(links.key) + 1, np.int64)
    start = np.zeros(n_stops + 1, np.int64)
    walks = [np.empty(len(links.key) + n_stops, np.int32) for _ in range(3)]  # to, s, m
    linked, stated = links.rows(n_stops), fixed.rows(n_stops)
    source = 0
    while source < n_stops:
        source = close_walks(
            source, max_walk_s, *linked, station, least_s, *stated,
            best_s, best_m, reached, heap, start, *walks,
        )  # fmt: skip
        used = int(start[source])
        if used > MAX_WALKS:
            raise InputError(
                f"more than {MAX_WALKS} footpaths: give a smaller --walk-radius or longest walk"
            )
        # Grown in place: footpaths of a nation are most of its memory.
        size = used if source == n_stops else used + used // 2 + n_stops
        for array in walks:
            array.resize(size, refcheck=False)
    to, s, m = (read_only(array) for array in walks)
    return read_only(start.astype(np.int32)), to, s, m


def _first_wins(first: _Links, second: _Links) -> _Links:
    """Return both, in order of the key; of a pair that is in both, the first."""
    at = np.minimum(np.searchsorted(first.key, second.key), max(len(first.key) - 1, 0))
    if len(first.key):
        second = second.where(first.key[at] != second.key)
    both = _Links(
        np.concatenate([first.key, second.key]),
        np.concatenate([first.s, second.s]),
        np.concatenate([first.m, second.m]),
    )
    return both.where(np.argsort(both.key, kind="stable"))
