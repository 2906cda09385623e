"""Whole runs of trains: what is told of one from its first call to its last.

Rules for travellers make several trains of one (`mobility.network.divide`); here it is one again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from mobility.core.errors import UnknownTripError
from mobility.core.ids import split_reference
from mobility.journey import Call, Leg, Place, Section
from mobility.network import Network
from mobility.planner.assemble import Assembler

KEPT_RUNS = 2_048  # boards of busy stations tell the same trains again and again
_Event = tuple[int, int, int, int]  # stop, arrival, departure, whether a border point


@dataclass(frozen=True, slots=True)
class Operator:
    """Who carries a part of a train."""

    feed: str
    agency_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Sign:
    """What one feed calls the train on its section; color is ``RRGGBB`` or empty."""

    line: str
    headsign: str
    color: str


@dataclass(frozen=True, slots=True)
class WholeRun:
    """One train on one service day, as the operators' timetables have it.

    Parameters
    ----------
    leg : Leg
        A ride from the first call to the last, with one section per feed that carries a part.
    aliases : tuple of Section
        Trips that list this run too, where another trip has precedence.
    operators : tuple of Operator
        Of the sections, each once, in order.
    signs : tuple of Sign
        One per section.
    """

    train: int
    day: int
    leg: Leg
    aliases: tuple[Section, ...]
    operators: tuple[Operator, ...]
    signs: tuple[Sign, ...]

    def section_of(self, at: int, *, arriving: bool = False) -> int:
        """Return which section carries the train on from a call, or to it."""
        sections = self.leg.sections
        if arriving:
            found = [k for k, s in enumerate(sections) if s.from_call < at <= s.to_call]
        else:
            found = [k for k, s in enumerate(sections) if s.from_call <= at < s.to_call]
        return found[0] if found else 0


@dataclass(slots=True)
class _Stretch:
    """The part of a run that a trip carries, by calls of the whole run."""

    trip: int
    shift: int
    alias: bool
    first: int
    last: int
    from_sequence: int
    to_sequence: int

    def extend(self, other: _Stretch) -> None:
        """Take in another part of the same trip."""
        if other.first < self.first:
            self.first, self.from_sequence = other.first, other.from_sequence
        if other.last > self.last:
            self.last, self.to_sequence = other.last, other.to_sequence


class Runs:
    """Finds and tells the runs of one network; serves all threads."""

    def __init__(self, network: Network, assembler: Assembler) -> None:
        self._network, self._assembler = network, assembler
        self._feeds = {feed: row for row, feed in enumerate(network.feed_id)}
        self._kept = lru_cache(maxsize=KEPT_RUNS)(self._tell)

    @cached_property
    def _by_region_train(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """CSR of the network's trains by the train of the region that they are made of."""
        train_of = self._network.train_of
        order = np.argsort(train_of, kind="stable")
        ends = np.arange(int(train_of.max(initial=-1)) + 2)
        return np.searchsorted(train_of[order], ends), order

    def find(self, reference: str, date: dt.date) -> list[tuple[int, int]]:
        """Return train and day of every run that carries a trip on its service date.

        Parameters
        ----------
        reference : str
            ``feed:trip_id``; a trip_id alone where it is unambiguous.

        Raises
        ------
        UnknownTripError
            No such trip, or it does not run on the date.
        """
        net = self._network
        feed, raw = split_reference(reference, self._feeds)
        rows = net.trip_id.find(raw) if len(raw) <= 1_000 else []
        if feed is not None:
            rows = [row for row in rows if net.trip_feed[row] == self._feeds[feed]]
        if not rows:
            raise UnknownTripError(f"no trip {reference!r}: expected feed:trip_id")
        if len(rows) > 1:
            feeds = ", ".join(net.feed_id[int(net.trip_feed[row])] for row in rows[:8])
            raise UnknownTripError(f"several trips {raw!r}: name the feed, one of {feeds}")
        found: dict[tuple[int, int], tuple[int, int]] = {}
        for section in np.flatnonzero(net.section_trip == rows[0]).tolist():
            train = int(np.searchsorted(net.section_start, section, side="right")) - 1
            day = net.day_of(date) - int(net.section_day_shift[section])
            if self._runs_on(train, day) and not net.train_through[train]:
                found.setdefault((int(net.train_of[train]), day), (train, day))
        if not found:
            raise UnknownTripError(f"trip {reference!r} does not run on {date}")
        return sorted(found.values())

    def place(self, stop: int) -> Place:
        """Return the place of a stop, the same value as in the runs."""
        return self._assembler.places[stop]

    def tell(self, train: int, day: int) -> WholeRun:
        """Return the whole run of a train on a day of the horizon; the last few are kept."""
        return self._kept(train, day)

    def _tell(self, train: int, day: int) -> WholeRun:
        events: list[_Event] = []
        stretches: dict[tuple[int, int, bool], _Stretch] = {}
        for part in self._parts(train, day):
            self._add(part, events, stretches)
        net = self._network
        origin_s = int(net.zone_origin_s[int(net.train_zone[train]), day])
        places = self._assembler.places
        calls = tuple(
            Call(places[stop], origin_s + arrival, origin_s + departure, bool(border))
            for stop, arrival, departure, border in events
        )
        in_order = sorted(stretches.values(), key=lambda s: (s.first, s.last, s.trip))
        carried = [stretch for stretch in in_order if not stretch.alias]
        sections = tuple(self._section(stretch, day) for stretch in carried)
        told = self._assembler.trips[carried[0].trip if carried else int(net.train_trip[train])]
        leg = Leg(
            "transit", calls[0].place, calls[-1].place, calls[0].departure, calls[-1].arrival, 0,
            told.line, told.headsign, told.color, told.vehicle, sections, calls,
        )  # fmt: skip
        aliases = tuple(self._section(stretch, day) for stretch in in_order if stretch.alias)
        operators = dict.fromkeys(self._operator(stretch.trip) for stretch in carried)
        signs = tuple(self._sign(stretch.trip) for stretch in carried)
        return WholeRun(train, day, leg, aliases, tuple(operators), signs)

    def _parts(self, train: int, day: int) -> list[int]:
        """Return the trains that are together the region's train on the day, in order."""
        net = self._network
        start, order = self._by_region_train
        of = int(net.train_of[train])
        own = order[start[of] : start[of + 1]]
        own = own[~net.train_through[own]]
        same = [int(t) for t in own if self._runs_on(int(t), day)]

        def first(part: int) -> tuple[int, int, int]:
            begin, end = (int(e) for e in net.train_event_start[part : part + 2])
            return int(net.event_departure_s[begin]), int(net.event_arrival_s[end - 1]), part

        return sorted(same, key=first)

    def _add(
        self, part: int, events: list[_Event], stretches: dict[tuple[int, int, bool], _Stretch]
    ) -> None:
        net = self._network
        begin, end = (int(e) for e in net.train_event_start[part : part + 2])
        columns = (net.event_stop, net.event_arrival_s, net.event_departure_s)
        rows = list(
            zip(
                *(column[begin:end].tolist() for column in columns),
                (net.event_flags[begin:end] >> 4 & 1).tolist(),
                strict=True,
            )
        )
        known = {event: row for row, event in enumerate(events)}  # of the parts before
        at = []
        for event in rows:
            if event in known:
                at.append(known[event])
            else:
                at.append(len(events))
                events.append(event)
        for row in range(int(net.section_start[part]), int(net.section_start[part + 1])):
            stretch = _Stretch(
                int(net.section_trip[row]), int(net.section_day_shift[row]),
                bool(net.section_alias[row]), at[int(net.section_from_pos[row])],
                at[int(net.section_to_pos[row])], int(net.section_from_sequence[row]),
                int(net.section_to_sequence[row]),
            )  # fmt: skip
            key = (stretch.trip, stretch.shift, stretch.alias)
            if key in stretches:
                stretches[key].extend(stretch)
            else:
                stretches[key] = stretch

    def _section(self, stretch: _Stretch, day: int) -> Section:
        told = self._assembler.trips[stretch.trip]
        return Section(
            told.feed, told.agency_id, told.route_id, told.trip_id,
            self._network.date_of(day + stretch.shift), stretch.from_sequence,
            stretch.to_sequence, told.country, stretch.first, stretch.last,
        )  # fmt: skip

    def _operator(self, trip: int) -> Operator:
        net, told = self._network, self._assembler.trips[trip]
        agency = int(net.route_agency[int(net.trip_route[trip])])
        return Operator(told.feed, told.agency_id, net.agency_name[agency])

    def _sign(self, trip: int) -> Sign:
        told = self._assembler.trips[trip]
        return Sign(told.line, told.headsign, told.color)

    def _runs_on(self, train: int, day: int) -> bool:
        net = self._network
        if not 0 <= day < net.n_days:
            return False
        return bool(net.service_bits[int(net.train_service[train]), day // 8] >> (day % 8) & 1)
