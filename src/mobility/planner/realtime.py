"""The running day as queries see it: live slices made ready, and what was planned beside it."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mobility.journey import Call, Leg, LiveCall
from mobility.network import DaySlice, Network
from mobility.network.live.running import MOVED, NEW, NO_DATA, SKIPPED, TOLD
from mobility.network.values import Int32s, Int64s
from mobility.planner.assemble import Assembler
from mobility.planner.day import Day, prepared
from mobility.planner.fitting import Fit, Steps
from mobility.planner.values import Array, train_arrays

if TYPE_CHECKING:  # who plans by the timetable alone loads nothing of it
    from mobility.network.live.files import LiveVersion
    from mobility.network.live.patch import LiveSlice


@dataclass(frozen=True, eq=False)
class LiveView:
    """One version of the running day, ready to be searched; a query keeps the one it began with.

    Parameters
    ----------
    network : Network
    version : LiveVersion, optional
    days : mapping, optional
        The dates that differ from the timetable, each with who tells of its trains.
    trains : dict, optional
        Of `values.train_arrays`, with the trains that the version adds.
    told : Assembler, optional
        Who tells of them.
    """

    network: Network
    version: LiveVersion | None = None
    days: Mapping[dt.date, tuple[Day, Assembler]] | None = None
    trains: dict[str, Array] | None = None
    told: Assembler | None = None

    def find(self, date: dt.date) -> tuple[Day, Assembler] | None:
        """Return a date of the running day, None where the timetable holds."""
        return None if self.days is None else self.days.get(date)

    def follow(
        self, version: LiveVersion, back: dict[str, Array], assembler: Assembler
    ) -> LiveView:
        """Return the view of a newer version; slices that stay the same are taken over."""
        if self.version is not None and self.version.slices is version.slices:
            return replace(self, version=version)
        trains = train_arrays(version.network)
        told = assembler if version.network is self.network else Assembler(version.network)
        days = {
            date: (
                prepared(self.network, live.day, trains, back),
                LiveAssembler(told, assembler, version.network, live, live.day),
            )
            for date, live in version.slices.items()
        }
        return LiveView(self.network, version, days, trains, told)

    def for_rider(self, fit: Fit, assembler: Assembler, before: LiveView | None) -> LiveView:
        """Return the same version as a rider finds it.

        Parameters
        ----------
        fit : Fit
        assembler : Assembler
            Of its network.
        before : LiveView, optional
            What this rider found last; slices that stay the same are taken over.
        """
        version = self.version
        if version is None:
            return LiveView(fit.network)
        if before and before.version and before.version.slices is version.slices:
            return replace(before, version=version)
        return LiveView(fit.network, version, _FittedDays(self, version, fit, assembler))


class _FittedDays(Mapping[dt.date, tuple[Day, Assembler]]):
    """The live slices of a version as a rider finds them, each fitted when it is asked for."""

    def __init__(
        self, view: LiveView, version: LiveVersion, fit: Fit, assembler: Assembler
    ) -> None:
        self._view, self._version, self._fit, self._assembler = view, version, fit, assembler
        self._made: dict[dt.date, tuple[Day, Assembler]] = {}
        self._lock = threading.Lock()

    @cached_property
    def _steps(self) -> Steps:
        return self._fit.steps(self._version.network)

    def __getitem__(self, date: dt.date) -> tuple[Day, Assembler]:
        live = self._version.slices[date]
        with self._lock:
            if date not in self._made:
                self._made[date] = self._make(live)
            return self._made[date]

    def __iter__(self) -> Iterator[dt.date]:
        return iter(self._version.slices)

    def __len__(self) -> int:
        return len(self._version.slices)

    def _make(self, live: LiveSlice) -> tuple[Day, Assembler]:
        trains, told = self._view.trains, self._view.told
        assert trains is not None  # they come with a version
        assert told is not None
        day = live.day
        for step in self._steps:
            day = step(day)
        return (
            prepared(self._fit.network, day, trains, self._fit.back),
            LiveAssembler(told, self._assembler, self._version.network, live, day),
        )


class LiveAssembler(Assembler):
    """Makes journeys of a live slice: each call of a live run knows what was planned.

    Parameters
    ----------
    told, assembler : Assembler
        Who tells of the trips of the version, and of the places of the network searched.
    network : Network
        Of the version.
    live : LiveSlice
    day : DaySlice
        What is searched: the live slice, or what fits a rider of it.
    """

    def __init__(
        self, told: Assembler, assembler: Assembler, network: Network, live: LiveSlice,
        day: DaySlice,
    ) -> None:  # fmt: skip
        self.epoch_s = told.epoch_s
        self.places, self.trips = assembler.places, told.trips
        self._dates, self._in_seat = told._dates, told._in_seat
        self._network, self._live, self._day = network, live, day
        self._live_of = _live_runs(live, day)

    def _ride(
        self, run: int, board: Call, alight: Call, calls: tuple[Call, ...], rows: list[list[int]]
    ) -> Leg:
        row = int(self._live_of[run])
        if row < 0:
            return super()._ride(run, board, alight, calls, rows)
        train, day = int(self._day.run_train[run]), int(self._day.run_day[run])
        pos = position_of(self._network, train, rows[0][0], rows[0][2])
        start = int(self._live.status_start[row]) + pos
        status = self._live.status[start : start + len(calls)].tolist()
        planned = live_calls(self._network, train, day, pos, status, self.places)
        told = tuple(call._replace(live=live) for call, live in zip(calls, planned, strict=True))
        return super()._ride(run, told[0], told[-1], told, rows)


def _live_runs(live: LiveSlice, day: DaySlice) -> Int32s:
    """Return for each run of a slice which of the live runs it is, -1 where it is none."""
    known = _run_keys(live.day)[live.first_live_run :]
    if not len(known):
        return np.full(day.n_runs, -1, np.int32)
    order, keys = np.argsort(known), _run_keys(day)
    at = order[np.minimum(np.searchsorted(known, keys, sorter=order), len(known) - 1)]
    return np.where(known[at] == keys, at, -1).astype(np.int32)


def _run_keys(day: DaySlice) -> Int64s:
    """Return a number for each run, by its train and day."""
    return day.run_train.astype(np.int64) << 16 | day.run_day.astype(np.int64)


def position_of(network: Network, train: int, trip: int, sequence: int) -> int:
    """Return the position of a train at which one of its trips has a stop_sequence."""
    first = int(network.train_event_start[train])
    for section in range(int(network.section_start[train]), int(network.section_start[train + 1])):
        if int(network.section_trip[section]) != trip or network.section_alias[section]:
            continue
        low, high = int(network.section_from_pos[section]), int(network.section_to_pos[section])
        if sequence == int(network.section_from_sequence[section]):
            return low
        if sequence == int(network.section_to_sequence[section]):
            return high
        inside = network.event_sequence[first + low + 1 : first + high]
        found = np.flatnonzero(inside == sequence)
        if len(found):
            return low + 1 + int(found[0])
    raise LookupError(f"train {train} has no call {sequence} of trip {trip}")


def live_calls(
    network: Network, train: int, day: int, pos: int, status: list[int], places: Mapping[int, Any]
) -> list[LiveCall]:
    """Return what was planned of the calls of a train, from a position on, by their status."""
    origin = 0
    if not status or not status[0] & NEW:
        origin = int(network.zone_origin_s[network.train_zone[train], day])
    found = []
    for event, bits in enumerate(status, int(network.train_event_start[train]) + pos):
        arrival: int | None = None
        departure: int | None = None
        platform = None
        if not bits & NEW:
            arrival = int(network.event_arrival_s[event]) + origin
            departure = int(network.event_departure_s[event]) + origin
        if bits & MOVED:
            platform = places[int(network.event_stop[event])].platform
        found.append(
            LiveCall(
                arrival, departure, bool(bits & TOLD) and not bits & NO_DATA,
                bool(bits & SKIPPED), bool(bits & MOVED), platform,
            )
        )  # fmt: skip
    return found
