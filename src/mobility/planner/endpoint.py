"""Endpoints of a journey, and the stops within walking reach of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from mobility.core.units import WALK_SPEED_M_S, distance_m
from mobility.journey import Place
from mobility.network import Network

DETOUR = 1.3  # streets are that much longer than the straight line, in European towns
REACH_M = 1_000  # straight line from a position to the stops it opens
LONGEST_WALK_S = 1_200  # all the way on foot, where no footpath says more
METRES_PER_DEGREE = 111_195  # of latitude, on the sphere of `distance_m`

Kind = Literal["station", "stop", "position"]
Int32s = npt.NDArray[np.int32]
Access = tuple[int, int, int]  # stop, seconds, metres


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a journey begins or ends: a station, one stop, or a position on the map.

    ``stops`` are rows of the network's stops, in order of their references: all stops of the
    station, the one stop, or none.
    """

    kind: Kind
    stops: tuple[int, ...]
    place: Place

    @property
    def tz(self) -> str:
        """The zone in which local times at the endpoint are told."""
        return self.place.tz


class WalkTimes(Protocol):
    """Who knows how long it takes to walk to the stops around a position."""

    def access(self, lat: float, lon: float) -> Sequence[Access]:
        """Return the points of stops in reach (`Network.stop_of`), with seconds and metres."""
        ...

    def between(self, lat1: float, lon1: float, lat2: float, lon2: float) -> tuple[int, int]:
        """Return seconds and metres of the walk between two positions."""
        ...


class CrowFlies:
    """Walks along the straight line, lengthened by a detour, at the usual speed.

    >>> CrowFlies.walk(120.0)
    (130, 156)
    """

    def __init__(self, network: Network) -> None:
        served = np.zeros(network.n_stops, bool)
        served[network.station_stops] = True
        lat, lon = (field[network.stop_of] for field in (network.stop_lat, network.stop_lon))
        rows = np.flatnonzero(served[network.stop_of] & np.isfinite(lat))
        order = np.argsort(lat[rows], kind="stable")
        self._points = rows[order]
        self._lat, self._lon = lat[self._points], lon[self._points]

    @staticmethod
    def walk(metres: float) -> tuple[int, int]:
        """Return seconds and metres on foot over a straight line of so many metres."""
        walk_m = math.ceil(metres * DETOUR - 1e-9)
        return math.ceil(walk_m / WALK_SPEED_M_S), walk_m

    def access(self, lat: float, lon: float) -> list[Access]:
        """Return the points in reach by row, with seconds and metres."""
        margin = REACH_M / METRES_PER_DEGREE * 1.01
        low, high = np.searchsorted(self._lat, (lat - margin, lat + margin))
        metres: npt.NDArray[np.float64] = distance_m(
            lat, lon, self._lat[low:high], self._lon[low:high]
        )
        near = np.flatnonzero(metres <= REACH_M)
        found = zip(self._points[low:high][near].tolist(), metres[near].tolist(), strict=True)
        return sorted((stop, *self.walk(distance)) for stop, distance in found)

    def between(self, lat1: float, lon1: float, lat2: float, lon2: float) -> tuple[int, int]:
        """Return seconds and metres of the walk between two positions."""
        return self.walk(distance_m(lat1, lon1, lat2, lon2))


class Reach(NamedTuple):
    """The stops that an endpoint opens to a search.

    Parameters
    ----------
    ends : int32[3, n]
        Points, each once, with seconds and metres on foot.
    near : mapping of int to int, optional
        For each point the stop of the endpoint from or to which one walks; empty for a position,
        None where the endpoint is one stop: then it is that.
    """

    endpoint: Endpoint
    ends: npt.NDArray[np.int32]
    near: Mapping[int, int] | None

    def stop_beside(self, point: int) -> int | None:
        """Return the stop of the endpoint from or to which one walks to one of the points."""
        return self.endpoint.stops[0] if self.near is None else self.near.get(point)

    def place_beside(self, point: int, places: Mapping[int, Place]) -> Place:
        """Return the end of the walk that the endpoint has to one of the points."""
        stop = self.stop_beside(point)
        return self.endpoint.place if stop is None else places[stop]


class Footpaths:
    """The footpaths of a network in one direction, laid out by point as a search takes them.

    Parameters
    ----------
    start, stop, walk_s, walk_m : int32
        CSR by point, as in `Network`.

    Examples
    --------
    >>> paths = Footpaths(*(np.array(row, np.int32) for row in ([0, 1, 1], [1], [60], [70])))
    >>> paths.ends_of(0).tolist(), paths.ends_of(1).tolist()
    ([[0, 1], [0, 60], [0, 70]], [[1], [0], [0]])
    """

    def __init__(self, start: Int32s, stop: Int32s, walk_s: Int32s, walk_m: Int32s) -> None:
        self.start, self.stop, self.walk_s = start, stop, walk_s
        degree = np.diff(start).astype(np.int64)
        points = np.arange(len(degree))
        first = np.concatenate([[0], np.cumsum(3 * (degree + 1))])
        width = np.repeat(degree + 1, degree)
        at = np.repeat(first[:-1], degree) + np.arange(len(stop)) - np.repeat(start[:-1], degree)
        self._table = np.zeros(first[-1], np.int32)
        self._table[first[:-1]] = points
        for row, values in enumerate((stop, walk_s, walk_m)):
            self._table[at + 1 + row * width] = values
        self._first = first

    def ends_of(self, point: int) -> Int32s:
        """Return the point itself and where its footpaths lead: int32[3, n] as `Reach.ends`."""
        first = self._first
        ends: Int32s = self._table[first[point] : first[point + 1]].reshape(3, -1)
        return ends


def reach_of(endpoint: Endpoint, paths: Footpaths, walks: WalkTimes) -> Reach:
    """Return the stops that an endpoint opens.

    Parameters
    ----------
    paths : Footpaths
        From the endpoint on for an origin, to it for a destination.
    """
    if endpoint.kind == "position":
        rows = walks.access(endpoint.place.lat, endpoint.place.lon)
        return Reach(endpoint, _columns(rows), {})
    if len(endpoint.stops) == 1:
        return Reach(endpoint, paths.ends_of(endpoint.stops[0]), None)
    best: dict[int, tuple[int, int, int]] = {}
    for rank, member in enumerate(endpoint.stops):
        for stop, walk_s, walk_m in paths.ends_of(member).T.tolist():
            found = (walk_s, walk_m, rank)
            if stop not in best or found < best[stop]:
                best[stop] = found
    ends = _columns((stop, walk_s, walk_m) for stop, (walk_s, walk_m, _) in best.items())
    return Reach(
        endpoint, ends, {stop: endpoint.stops[rank] for stop, (_, _, rank) in best.items()}
    )


def direct_walk(
    network: Network, walks: WalkTimes, origin: Endpoint, destination: Endpoint, start: Reach
) -> tuple[int, int] | None:
    """Return seconds and metres of walking all the way, where that is in reach.

    Parameters
    ----------
    start : Reach
        Of the origin.
    """
    if origin.stops and destination.stops:
        if set(destination.stops).isdisjoint(start.ends[0].tolist()):
            return None
        near = np.isin(start.ends[0], destination.stops).nonzero()[0]
        return min((int(start.ends[1, i]), int(start.ends[2, i])) for i in near)
    points = [
        [(float(network.stop_lat[s]), float(network.stop_lon[s])) for s in end.stops]
        or [(end.place.lat, end.place.lon)]
        for end in (origin, destination)
    ]
    walk = min(walks.between(*a, *b) for a in points[0] for b in points[1])
    return walk if walk[0] <= LONGEST_WALK_S else None


def _columns(rows: Iterable[Access]) -> npt.NDArray[np.int32]:
    table = np.array(list(rows), np.int32).reshape(-1, 3)
    return np.ascontiguousarray(table.T)
