"""Which runs of a day, between which of their calls, fit a rider's needs."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from mobility.core.errors import UsageError
from mobility.network import DaySlice, Network
from mobility.network.copies import Copies, Copy, copied_slice
from mobility.network.values import ALLOWED, Bools
from mobility.planner.assemble import vehicle_of
from mobility.planner.needs import Needs


class Riding:
    """Leaves out of day slices what does not fit.

    Of a train that several trips carry, those that do not fit are left out: it becomes one run for
    each stretch of trips that do.
    """

    def __init__(self, network: Network, needs: Needs) -> None:
        self._n_points = network.n_points
        trips = _trips_that_fit(network, needs)
        self._closed = _closed_points(network) if needs.wheelchair else None
        self._whole, self._stretches = _trains_that_fit(network, trips)

    def fit(self, day: DaySlice) -> DaySlice:
        """Return the slice without what does not fit."""
        if self._closed is None and self._whole.all():
            return day
        copies = Copies.whole(day, self._whole[day.run_train])
        if self._stretches:
            copies += Copies.of(self._cut(day))
        return copied_slice(day, copies, self._n_points, self._closed)

    def _cut(self, day: DaySlice) -> list[Copy]:
        """Return for each stretch of joined trains in the slice a copy of its runs."""
        cut = np.isin(day.run_train, np.fromiter(self._stretches, np.int32))
        runs: defaultdict[tuple[int, int, int], list[int]] = defaultdict(list)
        rows = np.flatnonzero(cut)
        patterns = np.searchsorted(day.pattern_run_start, rows, side="right") - 1
        for run, pattern in zip(rows.tolist(), patterns.tolist(), strict=True):
            for first, last in self._stretches[int(day.run_train[run])]:
                runs[pattern, first, last].append(run)
        return [
            Copy(pattern, own, boards=(first, last), alights=(first + 1, last + 1))
            for (pattern, first, last), own in runs.items()
        ]


def _trips_that_fit(network: Network, needs: Needs) -> Bools:
    fits = np.ones(len(network.trip_id), np.bool_)
    if needs.wheelchair:
        fits &= network.trip_wheelchair == ALLOWED
    if needs.bike:
        fits &= network.trip_bikes == ALLOWED
    for chosen, left_out, rows in (
        (needs.modes, needs.not_modes, _routes_of_modes),
        (needs.operators, needs.not_operators, _routes_of_operators),
    ):
        if chosen:
            fits &= rows(network, chosen)[network.trip_route]
        if left_out:
            fits &= ~rows(network, left_out)[network.trip_route]
    return fits


def _routes_of_modes(network: Network, modes: frozenset[str]) -> Bools:
    kinds, kind_of = np.unique(network.route_type, return_inverse=True)
    own: Bools = np.array([vehicle_of(int(kind)) in modes for kind in kinds], np.bool_)[kind_of]
    return own


def _routes_of_operators(network: Network, operators: frozenset[str]) -> Bools:
    feeds = list(network.feed_id)
    known = {
        f"{feeds[feed]}:{agency}": row
        for row, (feed, agency) in enumerate(
            zip(network.agency_feed.tolist(), network.agency_id, strict=True)
        )
    }
    for operator in sorted(operators):
        if operator not in known:
            raise UsageError(
                f"operator {operator!r}: no such agency; expected feed:agency_id, such as"
                f" {min(known, default='feed:agency')!r}"
            )
    return np.isin(network.route_agency, [known[operator] for operator in operators])


def _closed_points(network: Network) -> Bools:
    closed: Bools = (network.stop_wheelchair != ALLOWED)[network.stop_of]
    return closed


def _trains_that_fit(
    network: Network, trips: Bools
) -> tuple[Bools, dict[int, list[tuple[int, int]]]]:
    """Return which trains fit from end to end, and for others the stretches that do."""
    train = np.repeat(np.arange(network.n_trains, dtype=np.int32), np.diff(network.section_start))
    own = np.flatnonzero(~network.section_alias)
    fits = trips[network.section_trip[own]]
    n_own, n_fit = (
        np.bincount(train[rows], minlength=network.n_trains) for rows in (own, own[fits])
    )
    stretches: dict[int, list[tuple[int, int]]] = defaultdict(list)
    joined = own[fits & ((n_fit > 0) & (n_fit < n_own))[train[own]]]
    for row in joined.tolist():
        span = int(network.section_from_pos[row]), int(network.section_to_pos[row])
        known = stretches[int(train[row])]
        if known and known[-1][1] == span[0]:
            span = (known.pop()[0], span[1])
        known.append(span)
    return n_fit == n_own, dict(stretches)
