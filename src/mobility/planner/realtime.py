"""The running day as queries see it: live slices made ready, and what was planned beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mobility.journey import Call, Leg, LiveCall
from mobility.network import Network
from mobility.network.live.running import MOVED, NEW, NO_DATA, SKIPPED, TOLD
from mobility.planner.assemble import Assembler
from mobility.planner.day import Day, prepared
from mobility.planner.values import Array, train_arrays

if TYPE_CHECKING:  # who plans by the timetable alone loads nothing of it
    from mobility.network.live.files import LiveVersion
    from mobility.network.live.patch import LiveSlice


@dataclass(frozen=True, eq=False)
class LiveView:
    """One version of the running day, ready to be searched; a query keeps the one it began with.

    ``days`` holds the dates that differ from the timetable, each with who tells of its trains.
    """

    network: Network
    version: LiveVersion | None = None
    days: Mapping[dt.date, tuple[Day, Assembler]] | None = None

    def find(self, date: dt.date) -> tuple[Day, Assembler] | None:
        """Return a date of the running day, None where the timetable holds."""
        return None if self.days is None else self.days.get(date)

    def follow(
        self, version: LiveVersion, back: dict[str, Array], assembler: Assembler
    ) -> LiveView:
        """Return the view of a newer version; slices that stay the same are taken over."""
        if self.version is not None and self.version.slices is version.slices:
            return LiveView(self.network, version, self.days)
        arrays = train_arrays(version.network)
        told = assembler if version.network is self.network else Assembler(version.network)
        days = {
            date: (
                prepared(self.network, live.day, arrays, back),
                LiveAssembler(told, version.network, live),
            )
            for date, live in version.slices.items()
        }
        return LiveView(self.network, version, days)


class LiveAssembler(Assembler):
    """Makes journeys of a live slice: each call of a live run knows what was planned."""

    def __init__(self, assembler: Assembler, network: Network, live: LiveSlice) -> None:
        self.epoch_s = assembler.epoch_s
        self.places, self.trips = assembler.places, assembler.trips
        self._dates, self._in_seat = assembler._dates, assembler._in_seat
        self._network, self._live = network, live

    def _ride(
        self, run: int, board: Call, alight: Call, calls: tuple[Call, ...], rows: list[list[int]]
    ) -> Leg:
        first = self._live.first_live_run
        if run < first:
            return super()._ride(run, board, alight, calls, rows)
        train, day = int(self._live.day.run_train[run]), int(self._live.day.run_day[run])
        pos = position_of(self._network, train, rows[0][0], rows[0][2])
        start = int(self._live.status_start[run - first]) + pos
        status = self._live.status[start : start + len(calls)].tolist()
        planned = live_calls(self._network, train, day, pos, status, self.places)
        told = tuple(call._replace(live=live) for call, live in zip(calls, planned, strict=True))
        return super()._ride(run, told[0], told[-1], told, rows)


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
