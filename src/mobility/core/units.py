"""Units of length and speed, and the distance between two places."""

from __future__ import annotations

from typing import overload

import numpy as np
import numpy.typing as npt

EARTH_RADIUS_M = 6_371_000  # mean radius, IUGG
WALK_SPEED_M_S = 1.2  # metres per second; the benchmark kit and the pedestrian literature agree
DAY_S = 86_400

Floats = npt.NDArray[np.float64]


@overload
def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float: ...
@overload
def distance_m(
    lat1: Floats | float, lon1: Floats | float, lat2: Floats, lon2: Floats
) -> Floats: ...
def distance_m(
    lat1: Floats | float, lon1: Floats | float, lat2: Floats | float, lon2: Floats | float
) -> Floats | float:
    """Great-circle distance in metres between places in WGS 84 degrees; numbers or arrays.

    Source: the haversine formula.

    >>> round(distance_m(47.54741, 7.58956, 47.56729, 7.60692))
    2566
    """
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    half = np.sin((phi2 - phi1) / 2) ** 2
    half = half + np.cos(phi1) * np.cos(phi2) * np.sin(np.radians(np.subtract(lon2, lon1)) / 2) ** 2
    metres = EARTH_RADIUS_M * 2 * np.arcsin(np.sqrt(half))
    return metres if isinstance(metres, np.ndarray) else float(metres)
