"""Map layers out of the edition: lines and stations as GeoJSON; no tile server is needed.

A layer is a publication: it shows what the public may have, by the tiers of the manifest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from mobility.api.region_tiers import OpenRows
from mobility.core.errors import InputError
from mobility.feeds.sharing import CORE
from mobility.network import Edition, Network

MAX_LINES = 4_000  # most frequent first; larger regions will ask by box
MAX_STATIONS = 20_000
DECIMALS = 5  # about a metre

Document = dict[str, Any]
Coordinates = list[list[float]]


def collection(versions: dict[str, str], features: list[Document]) -> Document:
    """Return a GeoJSON feature collection that names its versions."""
    return {"type": "FeatureCollection", "versions": versions, "features": features}


def station_layer(edition: Edition) -> Document:
    """Return the stations as points; ``rank`` counts calls, so that busy names are drawn first."""
    network = edition.network
    calls = np.bincount(network.stop_station[network.event_stop], minlength=len(network.station_id))
    shown = _open_feeds(edition, "stops")[network.stop_feed]
    calls[np.setdiff1d(np.arange(len(calls)), network.stop_station[shown])] = 0
    order = np.argsort(-calls, kind="stable")[:MAX_STATIONS]
    features = [
        {
            "type": "Feature",
            "id": int(station),
            "geometry": {"type": "Point", "coordinates": _position(network, int(station))},
            "properties": {
                "station_id": network.station_id[int(station)],
                "name": network.station_name[int(station)],
                "rank": int(calls[station]),
            },
        }
        for station in order
        if calls[station]
    ]
    return collection(edition.versions, features)


def line_layer(edition: Edition) -> Document:
    """Return the paths of all lines, one feature per line and path; frequent ones first."""
    network = edition.network
    shapes = _Shapes(edition, _open_feeds(edition, *CORE, "shapes"))
    shown = _open_feeds(edition, *CORE)
    features: list[Document] = []
    drawn: set[tuple[int, str]] = set()
    for route, train in _paths(network):
        if not shown[network.route_feed[route]]:
            continue
        trip = int(network.train_trip[train])
        key, path = shapes.of_trip(trip)
        if not path:
            path = _stop_path(network, train)
            key = repr(path)
        if (route, key) in drawn or len(path) < 2:
            continue
        drawn.add((route, key))
        features.append(_line_feature(network, route, path, len(features)))
        if len(features) == MAX_LINES:
            break
    return collection(edition.versions, features)


def _open_feeds(edition: Edition, *tables: str) -> npt.NDArray[np.bool_]:
    """Return per feed whether anybody may have the rows of all these tables."""
    part = edition.part("region.json")
    rows = OpenRows(orjson.loads(part)["manifest"]["feeds"] if part else ())
    feeds = edition.network.feed_id
    return np.array([rows.shows(feeds[at], *tables) for at in range(len(feeds))], np.bool_)


def _line_feature(network: Network, route: int, path: Coordinates, number: int) -> Document:
    color = network.route_color[route]
    return {
        "type": "Feature",
        "id": number,
        "geometry": {"type": "LineString", "coordinates": path},
        "properties": {
            "line": network.route_short_name[route] or network.route_long_name[route],
            "color": f"#{color}" if color else None,
            "route_type": int(network.route_type[route]),
            "feed": network.feed_id[int(network.route_feed[route])],
        },
    }


def _paths(network: Network) -> Iterator[tuple[int, int]]:
    """Yield (route, a train) for every pair of route and pattern, most trains first."""
    route = network.trip_route[network.train_trip].astype(np.int64)
    pattern = network.train_pattern.astype(np.int64)
    pairs = route * (int(pattern.max(initial=0)) + 1) + pattern
    own = np.flatnonzero(~network.train_through)
    _, first, counts = np.unique(pairs[own], return_index=True, return_counts=True)
    for row in np.argsort(-counts, kind="stable"):
        train = int(own[first[row]])
        yield int(route[train]), train


def _position(network: Network, station: int) -> list[float]:
    return [
        round(float(network.station_lon[station]), DECIMALS),
        round(float(network.station_lat[station]), DECIMALS),
    ]


def _stop_path(network: Network, train: int) -> Coordinates:
    start, end = network.train_event_start[train], network.train_event_start[train + 1]
    stops = network.event_stop[start:end]
    return _coordinates(network.stop_lon[stops], network.stop_lat[stops])


def _coordinates(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> Coordinates:
    return [
        [round(x, DECIMALS), round(y, DECIMALS)]
        for x, y in zip(lon.tolist(), lat.tolist(), strict=True)
    ]


class _Shapes:
    """Shapes of the feeds by trip, where they have any and may show them."""

    def __init__(self, edition: Edition, shown: npt.NDArray[np.bool_]) -> None:
        self._paths: dict[tuple[int, str], Coordinates] = {}
        try:
            trips, shapes = edition.table("trips"), edition.table("shapes")
        except (KeyError, InputError):
            self._of_trip: list[tuple[int, str | None]] = []
            return
        if not {"shape_id", "feed"} <= set(trips.columns):
            self._of_trip = []
            return
        self._of_trip = list(trips.select("feed", "shape_id").iter_rows())
        shapes = shapes.filter(pl.Series(shown[shapes["feed"].to_numpy()]))
        ordered = shapes.sort("feed", "shape_id", "shape_pt_sequence", maintain_order=True)
        grouped = ordered.group_by("feed", "shape_id", maintain_order=True).agg(
            pl.col("shape_pt_lon"), pl.col("shape_pt_lat")
        )
        for feed, shape_id, lon, lat in grouped.iter_rows():
            self._paths[feed, shape_id] = _coordinates(np.array(lon), np.array(lat))

    def of_trip(self, trip: int) -> tuple[str, Coordinates]:
        """Return the id and the path of a trip's shape; both empty where it has none."""
        if trip >= len(self._of_trip):
            return "", []
        feed, shape_id = self._of_trip[trip]
        if shape_id is None:
            return "", []
        return f"{feed}:{shape_id}", self._paths.get((feed, shape_id), [])
