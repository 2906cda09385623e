"""Areas in reach: discs of the walking time that is left around the places reached, united.

Source: RFC 7946, sections 3.1.6 (orientation) and 3.1.9 (the antimeridian).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from mobility.core.stop import Stop
from mobility.planner import NO_NEEDS, Needs
from mobility.planner.endpoint import DETOUR, METRES_PER_DEGREE

CORNERS = 32  # of a disc; 0.5 % short of its radius between two of them
DECIMALS = 5  # about a metre
CHUNK = 400  # discs that are united before it is asked whether to stop
HIGHEST_LATITUDE = 85.0
Floats = npt.NDArray[np.float64]
Document = dict[str, Any]


def area(
    lat: Floats, lon: Floats, left_s: Floats, longest_s: int, stop: Stop, needs: Needs = NO_NEEDS
) -> Document:
    """Return the area within reach on foot of places, as a GeoJSON MultiPolygon.

    Parameters
    ----------
    lat, lon : float64
        Degrees.
    left_s : float64
        Seconds that are left at each place, of which at most `longest_s` are walked.
    needs : Needs
        How fast and how far one walks.

    Raises
    ------
    StoppedError
        It was told to stop.
    """
    walk_m = np.minimum(left_s, longest_s) * needs.walk_speed_m_s
    if needs.max_walk_m is not None:
        walk_m = np.minimum(walk_m, needs.max_walk_m)
    metres = walk_m / DETOUR
    known = np.isfinite(lat) & np.isfinite(lon) & (np.abs(lat) <= HIGHEST_LATITUDE) & (metres >= 1)
    lat, lon, metres = lat[known], lon[known], metres[known]
    order = np.lexsort((lon, np.round(lat * 5)))  # neighbours first: unions of them are small
    turn = np.arange(CORNERS) * (2 * math.pi / CORNERS)
    parts = []
    for first in range(0, len(order), CHUNK):
        stop.check()
        rows = order[first : first + CHUNK]
        north = metres[rows, None] / METRES_PER_DEGREE
        ring_lat = lat[rows, None] + north * np.sin(turn)
        ring_lon = lon[rows, None] + north / np.cos(np.radians(lat[rows, None])) * np.cos(turn)
        discs = shapely.polygons(np.stack([ring_lon, ring_lat], axis=-1))
        parts.append(shapely.union_all(discs))
    stop.check()
    whole = shapely.set_precision(_on_the_globe(shapely.union_all(parts)), 10.0**-DECIMALS)
    return {"type": "MultiPolygon", "coordinates": [_rings(part) for part in _polygons(whole)]}


def _on_the_globe(shape: Any) -> Any:
    """Cut a shape at the antimeridian and put what lies beyond on the other side."""
    if shape.is_empty:
        return shape
    west, _, east, _ = shape.bounds
    if west >= -180 and east <= 180:
        return shape
    cut = [
        shapely.transform(
            shapely.intersection(shape, shapely.box(edge - 180, -90, edge + 180, 90)),
            lambda xy, by=edge: xy - (by, 0.0),
        )
        for edge in (-360.0, 0.0, 360.0)
    ]
    return shapely.union_all(cut)


def _polygons(shape: Any) -> Iterable[Any]:
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return [shapely.orient_polygons(part, exterior_cw=False) for part in parts if not part.is_empty]


def _rings(polygon: Any) -> list[list[list[float]]]:
    rings = (polygon.exterior, *polygon.interiors)
    return [np.round(shapely.get_coordinates(ring), DECIMALS).tolist() for ring in rings]
