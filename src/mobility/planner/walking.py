"""A rider's walks: other seconds for the footpaths of a network, fewer of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mobility.core.units import WALK_SPEED_M_S
from mobility.network import Network
from mobility.network.footpaths import DEFAULT_CHANGE_S, FORBIDDEN_CHANGE_S, SHORTEST_WALK_S
from mobility.network.values import Bools, Int32s
from mobility.planner.endpoint import Access, WalkTimes
from mobility.planner.needs import Needs

_ROUNDING = 1e-9
OUT_OF_REACH_S = 1 << 30


def walked_network(network: Network, needs: Needs) -> Network:
    """Return the network with the walks to its stops and between them as the rider walks."""
    keep = np.ones(len(network.walk_s), np.bool_)
    if needs.wheelchair and len(network.pathway_from):
        network, keep = _step_free(network)
    seconds = _paced(network, needs.walk_speed_m_s)
    if needs.max_walk_m is not None:
        keep &= network.walk_m <= needs.max_walk_m
    return _with_walks(network, seconds, keep)


def changed_network(network: Network, needs: Needs) -> Network:
    """Return the network in which a change, on foot or not, takes the least that is asked for."""
    if not needs.min_change_s:
        return network
    least = np.int32(needs.min_change_s)
    return replace(
        network,
        walk_s=np.maximum(network.walk_s, least),
        change_s=np.maximum(network.change_s, least),
    )


def _step_free(network: Network) -> tuple[Network, Bools]:
    """Return the network with the ways inside stations that have no step, and which there are.

    They take no less than before: a change keeps its time.
    """
    origin = np.repeat(np.arange(network.n_points), np.diff(network.walk_start))
    n_stops = network.n_stops
    pair = network.stop_of[origin] * np.int64(n_stops) + network.stop_of[network.walk_to]
    told = network.pathway_from * np.int64(n_stops) + network.pathway_to
    at = np.minimum(np.searchsorted(told, pair), len(told) - 1)
    inside = told[at] == pair
    free_s, free_m = network.pathway_free_s[at], network.pathway_free_m[at]
    seconds = np.where(inside, np.maximum(network.walk_s, free_s), network.walk_s)
    metres = np.where(inside & (free_s >= 0), free_m, network.walk_m)
    return replace(network, walk_s=seconds, walk_m=metres), ~inside | (free_s >= 0)


def _with_walks(network: Network, seconds: Int32s, keep: Bools) -> Network:
    if keep.all():
        return replace(network, walk_s=seconds)
    before = np.zeros(len(keep) + 1, np.int32)
    np.cumsum(keep, out=before[1:])
    return replace(
        network,
        walk_start=before[network.walk_start],
        walk_to=network.walk_to[keep],
        walk_s=seconds[keep],
        walk_m=network.walk_m[keep],
        walk_stated=network.walk_stated[keep],
    )


def _paced(network: Network, speed_m_s: float) -> Int32s:
    """Return the seconds of all footpaths at a speed."""
    usual = network.walk_s
    if speed_m_s < WALK_SPEED_M_S:
        own = np.ceil(network.walk_m / speed_m_s - _ROUNDING)
        return np.maximum(usual, own).astype(np.int32)
    if speed_m_s == WALK_SPEED_M_S:
        return usual
    origin = np.repeat(np.arange(network.n_points), np.diff(network.walk_start))
    here, there = network.stop_of[origin], network.stop_of[network.walk_to]
    change_s = np.where(network.change_s == FORBIDDEN_CHANGE_S, DEFAULT_CHANGE_S, network.change_s)
    inside = network.stop_station[here] == network.stop_station[there]
    least = np.where(inside, np.maximum(change_s[here], change_s[there]), SHORTEST_WALK_S)
    own = np.ceil(usual * (WALK_SPEED_M_S / speed_m_s) - _ROUNDING)
    own = np.minimum(usual, np.maximum(own, least))
    fixed = network.walk_stated | (here == there)  # nobody walks between points of one stop
    return np.where(fixed, usual, own).astype(np.int32)


class RiderWalks:
    """Walks from and to positions as the rider walks them; `WalkTimes`."""

    def __init__(self, walks: WalkTimes, needs: Needs) -> None:
        self._walks = walks
        self._slower = WALK_SPEED_M_S / needs.walk_speed_m_s
        self._max_m = needs.max_walk_m

    def access(self, lat: float, lon: float) -> Sequence[Access]:
        """Return the points in reach, with seconds and metres."""
        found = self._walks.access(lat, lon)
        return [(stop, self._seconds(s), m) for stop, s, m in found if self._is_short(m)]

    def between(self, lat1: float, lon1: float, lat2: float, lon2: float) -> tuple[int, int]:
        """Return seconds and metres of the walk between two positions."""
        walk_s, walk_m = self._walks.between(lat1, lon1, lat2, lon2)
        return (self._seconds(walk_s) if self._is_short(walk_m) else OUT_OF_REACH_S), walk_m

    def _is_short(self, metres: int) -> bool:
        return self._max_m is None or metres <= self._max_m

    def _seconds(self, usual_s: int) -> int:
        return int(np.ceil(usual_s * self._slower - _ROUNDING))
