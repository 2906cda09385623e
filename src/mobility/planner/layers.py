"""Via stops as arrays: a copy of the network for each number of places passed.

Layer 0 holds riders who have passed none of the places, the last layer those who have passed all;
a journey begins in the first and ends in the last. From a layer to the next lead

- footpaths and changes of which one end is the place, with the stay added;
- where no stay is asked for, copies of the runs that call at the place: one boards before the call
  in this layer and alights after it in the next.

Exact, and paid for with as many copies of the slice and the footpaths as there are layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mobility.core.errors import UsageError
from mobility.network import DaySlice, Network
from mobility.network.copies import TO_THE_END, Copies, Copy, copied_slice
from mobility.network.footpaths import FORBIDDEN_CHANGE_S
from mobility.network.values import Bools, Int32s, Int64s
from mobility.planner.endpoint import Reach
from mobility.planner.needs import Via
from mobility.planner.values import Array

_Rows = tuple[Int32s, Int32s, Int32s, Int32s]  # CSR: starts, stops, seconds, metres
MAX_EVENTS = 30_000_000  # calls of a slice with all its layers; 240 MB
MAX_FOOTPATHS = 60_000_000  # 1.2 GB


@dataclass(frozen=True, slots=True, eq=False)
class _Walks:
    origin: Int64s
    to: Int64s
    s: Int32s
    m: Int32s


class Layers:
    """The layers of some via places over a network.

    Parameters
    ----------
    network : Network
        With changes as the rider makes them.
    back : dict
        Its footpaths by where they lead; see `reverse_walks`.
    via : sequence of Via
        In order.

    Attributes
    ----------
    network, back
        The same in layers.

    Raises
    ------
    UsageError
        There are too many footpaths for so many layers.
    """

    network: Network
    back: dict[str, Array]

    def __init__(self, network: Network, back: dict[str, Array], via: Sequence[Via]) -> None:
        self.n_points, self._last = network.n_points, len(via)
        self._at = [np.isin(network.stop_of, one.place.stops) for one in via]
        self._stay_s = [one.stay_s for one in via]
        if (self._last + 1) * len(network.walk_to) > MAX_FOOTPATHS:
            raise UsageError("via: this network has too many footpaths to plan by a place")
        self._layered(network, back)

    def origin(self, reach: Reach) -> Reach:
        """Return what an origin opens: a stop that is the first place is in both layers."""
        return self._opened(reach, 0, 0, 1)

    def destination(self, reach: Reach) -> Reach:
        """Return what a destination opens, in the last layer or, at the last place, before it."""
        return self._opened(reach, self._last, self._last - 1, -1)

    def fit(self, day: DaySlice) -> DaySlice:
        """Return the slice in layers.

        Raises
        ------
        UsageError
            It is too large.
        """
        runs = np.ones(day.n_runs, np.bool_)
        copies = Copies.whole(day, runs)
        for layer in range(1, self._last + 1):
            copies += Copies.whole(day, runs, layer * self.n_points)
        copies += Copies.of(self._crossings(day))
        lengths = np.diff(day.pattern_stop_start)[copies.pattern].astype(np.int64)
        if int(lengths @ np.diff(copies.run_start)) > MAX_EVENTS:
            raise UsageError("via: too many trains run on this day to plan by a place")
        return copied_slice(day, copies, self.network.n_points, None)

    def _opened(self, reach: Reach, layer: int, place: int, step: int) -> Reach:
        ends = reach.ends.copy()
        at = self._at[place][ends[0]] & (self._stay_s[place] == 0)
        ends[0] += layer * self.n_points
        beyond = ends[:, at]
        beyond[0] += step * self.n_points
        near = reach.near
        if near is not None:
            near = {point + layer * self.n_points: stop for point, stop in near.items()}
            for point in beyond[0].tolist():
                usual = point - step * self.n_points
                if usual in near:
                    near[point] = near[usual]
        return reach._replace(ends=np.ascontiguousarray(np.hstack([ends, beyond])), near=near)

    def _crossings(self, day: DaySlice) -> Iterator[Copy]:
        """Yield the runs with calls at a place that is passed on board, once for each call."""
        for layer in range(self._last):
            if self._stay_s[layer]:
                continue
            calls = np.flatnonzero(self._at[layer][day.pattern_stops])
            patterns = np.searchsorted(day.pattern_stop_start, calls, side="right") - 1
            positions = calls - day.pattern_stop_start[patterns]
            begin, known = 0, -1
            for pattern, position in zip(patterns.tolist(), positions.tolist(), strict=True):
                begin = begin if pattern == known else 0
                known = pattern
                yield from self._crossing(day, pattern, layer, begin, position)
                begin = position

    def _crossing(
        self, day: DaySlice, pattern: int, layer: int, begin: int, at: int
    ) -> Iterator[Copy]:
        """Yield copies boarded from `begin` on and before `at`, left after it in a later layer."""
        first, end = day.pattern_stop_start[pattern : pattern + 2].tolist()
        runs = np.arange(*day.pattern_run_start[pattern : pattern + 2].tolist(), dtype=np.int32)
        reached = layer
        while begin < at < end - first - 1 and reached < self._last:
            reached += 1
            yield Copy(
                pattern, runs, boards=(begin, at), alights=(at + 1, TO_THE_END),
                points=(layer * self.n_points, reached * self.n_points, at + 1),
            )  # fmt: skip
            if reached == self._last or self._stay_s[reached]:
                return
            later = np.flatnonzero(self._at[reached][day.pattern_stops[first + at + 1 : end]])
            if not len(later):
                return
            at += 1 + int(later[0])

    def _layered(self, network: Network, back: dict[str, Array]) -> None:
        """Lay out the footpaths of all layers, by where they begin and by where they lead."""
        n, n_layers = self.n_points, self._last + 1
        origin = np.repeat(np.arange(n, dtype=np.int64), np.diff(network.walk_start))
        plain = _Walks(origin, network.walk_to.astype(np.int64), network.walk_s, network.walk_m)
        onward = _joined(
            [walks for layer in range(self._last)
             for walks in self._onward(plain, network.change_s, layer)]
        )  # fmt: skip
        # Within a row, what leads to a later layer comes last, what comes from an earlier first.
        start, to, s, m = _inserted(
            _tiled(network.walk_start, network.walk_to, network.walk_s, network.walk_m, n_layers),
            onward.origin, onward.to, onward.s, onward.m, at_end=True,
        )  # fmt: skip
        names = ("back_start", "back_from", "back_s", "back_m")
        rows = _inserted(
            _tiled(
                back["back_start"], back["back_from"], back["back_s"], back["back_m"], n_layers
            ),
            onward.to, onward.origin, onward.s, onward.m, at_end=False,
        )  # fmt: skip
        self.back = dict(zip(names, rows, strict=True))
        self.network = replace(
            network,
            stop_of=np.tile(network.stop_of, n_layers),
            change_s=np.tile(network.change_s, n_layers),
            walk_start=start,
            walk_to=to,
            walk_s=s,
            walk_m=m,
            walk_stated=np.zeros(0, np.bool_),
        )

    def _onward(self, plain: _Walks, change_s: Int32s, layer: int) -> Iterator[_Walks]:
        """Yield the ways on foot on which the place of a layer is passed, alone or with the next.

        At a change between two of its stops the stay is part of the way, else it comes on top.
        """
        n, at, stay_s = self.n_points, self._at[layer], self._stay_s[layer]
        here, there = at[plain.origin], at[plain.to]
        inside, rows = here & there, here | there
        seconds = np.where(inside, np.maximum(plain.s, stay_s), plain.s + stay_s)
        yield _moved(plain, rows, seconds, layer * n, (layer + 1) * n)
        stops = np.flatnonzero(at & (change_s < FORBIDDEN_CHANGE_S))
        yield _Walks(
            stops + layer * n, stops + (layer + 1) * n, np.maximum(change_s[stops], stay_s),
            np.zeros(len(stops), np.int32),
        )  # fmt: skip
        if layer + 2 <= self._last:
            both = here & self._at[layer + 1][plain.to]
            seconds = plain.s + stay_s + self._stay_s[layer + 1]
            yield _moved(plain, both, seconds, layer * n, (layer + 2) * n)


def _moved(
    walks: _Walks, rows: Bools, seconds: npt.NDArray[np.integer], from_point: int, to_point: int
) -> _Walks:
    return _Walks(
        walks.origin[rows] + from_point,
        walks.to[rows] + to_point,
        seconds[rows].astype(np.int32),
        walks.m[rows],
    )


def _joined(walks: Sequence[_Walks]) -> _Walks:
    return _Walks(
        *(np.concatenate([getattr(walk, name) for walk in walks]) for name in _Walks.__slots__)
    )


def _tiled(start: Int32s, other: Int32s, s: Int32s, m: Int32s, n_layers: int) -> _Rows:
    """Return footpaths in as many layers, each within its own points."""
    n, n_rows = len(start) - 1, len(other)
    starts = [start[:-1] + layer * n_rows for layer in range(n_layers)]
    ends = [other + layer * n for layer in range(n_layers)]
    last = np.array([n_rows * n_layers], np.int32)
    tiled = (np.tile(s, n_layers), np.tile(m, n_layers))
    return (np.concatenate([*starts, last]).astype(np.int32), np.concatenate(ends), *tiled)


def _inserted(
    rows: _Rows, key: Int64s, other: Int64s, s: Int32s, m: Int32s, *, at_end: bool
) -> _Rows:
    """Return CSR rows with more items, all of them behind (before) the others of their row."""
    order = np.lexsort((other, key))
    key = key[order]
    more: tuple[npt.NDArray[Any], ...] = (other[order], s[order], m[order])
    at = rows[0][key + 1 if at_end else key]
    before = np.searchsorted(key, np.arange(len(rows[0])))
    start = (rows[0] + before).astype(np.int32)
    items = (np.insert(have, at, new) for have, new in zip(rows[1:], more, strict=True))
    to, seconds, metres = (item.astype(np.int32, copy=False) for item in items)
    return start, to, seconds, metres
