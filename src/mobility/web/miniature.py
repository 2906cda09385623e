"""A small plan without tiles: points and tracks in an SVG's coordinates, a scale bar, words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mobility.core.units import distance_m
from mobility.web.catalogue import Catalogue

Document = dict[str, Any]
WIDTH, HEIGHT = 640, 360
MARGIN = 56  # room for labels, scale and north
LEAST_M = 120.0  # a plan shows no less, so that two equal positions are not blown up
BAR_PX = 160  # the scale bar is at most this long
LABEL_LENGTH = 34


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the plan; ``side`` 0 and 1 are the two that are compared, 2 all others."""

    lat: float
    lon: float
    label: str = ""
    side: int = 2
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """A line on the plan through positions (lat, lon)."""

    positions: tuple[tuple[float, float], ...]
    side: int = 2


def draw_map(
    spots: Sequence[Spot], strings: Catalogue, *, tracks: Sequence[Track] = ()
) -> Document | None:
    """Return the plan for the macro ``small_map``; None without any position.

    The frame is that of the spots: tracks may leave it. Metres east and north are those of the
    tangent plane at the middle, exact enough for what fits on such a plan.
    """
    if not spots:
        return None
    frame = _Frame(spots)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "points": [_point(spot, frame) for spot in sorted(spots, key=lambda s: not s.minor)],
        "lines": [
            {"side": t.side, "points": " ".join(f"{x},{y}" for x, y in map(frame.at, t.positions))}
            for t in tracks
        ],
        **_bar(frame),
        "text": _words(spots, strings),
    }


class _Frame:
    """From positions to the SVG's coordinates, north up, the same scale both ways."""

    def __init__(self, spots: Sequence[Spot]) -> None:
        self.lat = (min(s.lat for s in spots) + max(s.lat for s in spots)) / 2
        self.lon = (min(s.lon for s in spots) + max(s.lon for s in spots)) / 2
        self.east_m = distance_m(self.lat, self.lon, self.lat, self.lon + 0.01) * 100
        self.north_m = distance_m(self.lat, self.lon, self.lat + 0.01, self.lon) * 100
        wide = max(abs(s.lon - self.lon) for s in spots) * 2 * self.east_m
        high = max(abs(s.lat - self.lat) for s in spots) * 2 * self.north_m
        self.px_per_m = min(
            (WIDTH - 2 * MARGIN) / max(wide, LEAST_M), (HEIGHT - 2 * MARGIN) / max(high, LEAST_M)
        )

    def at(self, position: tuple[float, float]) -> tuple[float, float]:
        lat, lon = position
        x = WIDTH / 2 + (lon - self.lon) * self.east_m * self.px_per_m
        y = HEIGHT / 2 - (lat - self.lat) * self.north_m * self.px_per_m
        return round(x, 1), round(y, 1)


def _point(spot: Spot, frame: _Frame) -> Document:
    x, y = frame.at((spot.lat, spot.lon))
    left = x > WIDTH * 0.6
    label = spot.label if len(spot.label) <= LABEL_LENGTH else spot.label[: LABEL_LENGTH - 1] + "…"
    return {
        "x": x,
        "y": y,
        "side": spot.side,
        "minor": spot.minor,
        "label": label,
        "label_x": round(x - 12 if left else x + 12, 1),
        "label_y": round(y - 8 if spot.side == 0 else y + 18, 1),
        "anchor": "end" if left else "start",
    }


def scale_step(metres: float) -> float:
    """Return the longest of 1, 2, 5, 10, … that is not above the metres.

    >>> scale_step(380), scale_step(9_900)
    (200.0, 5000.0)
    """
    power = 10.0 ** math.floor(math.log10(metres))
    return next(step * power for step in (5.0, 2.0, 1.0) if step * power <= metres)


def _bar(frame: _Frame) -> Document:
    metres = scale_step(BAR_PX / frame.px_per_m)
    text = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    return {
        "bar_x": 16,
        "bar_y": HEIGHT - 14,
        "bar_px": round(metres * frame.px_per_m, 1),
        "bar_text": text,
    }


def _words(spots: Sequence[Spot], strings: Catalogue) -> str:
    """Return what the plan shows to those who do not see it."""
    named = [spot for spot in spots if spot.label and not spot.minor]
    first = next((spot for spot in named if spot.side == 0), None)
    second = next((spot for spot in named if spot.side == 1), None)
    others = [spot.label for spot in named if spot not in (first, second)]
    parts = []
    if first and second:
        metres = round(float(distance_m(first.lat, first.lon, second.lat, second.lon)))
        parts.append(
            strings.text(
                "map.pair", left=first.label, right=second.label, n=metres,
                way=strings.text("map.way." + _way(first, second)),
            )
        )  # fmt: skip
    if others:
        parts.append(strings.text("map.others", names=", ".join(others)))
    return " ".join(parts) or strings.text("map.plan")


def _way(first: Spot, second: Spot) -> str:
    """Return in which of eight directions the second lies from the first."""
    east = (second.lon - first.lon) * math.cos(math.radians(first.lat))
    angle = math.degrees(math.atan2(east, second.lat - first.lat)) % 360
    return ("n", "ne", "e", "se", "s", "sw", "w", "nw")[round(angle / 45) % 8]
