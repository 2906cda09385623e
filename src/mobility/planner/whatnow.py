"""What now: how a journey that was planned stands, and how to go on where it has broken.

A journey is given by its rides (trips, dates, stop sequences), as an answer named them. Each is
looked up in the running day; the first change that can no longer be made, or train that does not
run or stop, breaks the journey. From where the rider is then, on board or at a stop, the next
journeys to the destination are searched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from mobility.core.errors import InputError, UsageError
from mobility.journey import Call, Fare, Journey, Leg, Place, Section
from mobility.network import Network
from mobility.network.live.running import SKIPPED
from mobility.network.values import (
    ALIGHTING_BIT,
    ALLOWED,
    BOARDING_BIT,
    BORDER_POINT_BIT,
    UInt8s,
    call_flags,
)
from mobility.planner.assemble import Assembler
from mobility.planner.endpoint import Endpoint
from mobility.planner.fitting import Fit
from mobility.planner.locate import locate
from mobility.planner.needs import NO_NEEDS, Needs
from mobility.planner.query import Planner
from mobility.planner.realtime import live_calls, position_of
from mobility.planner.walking import OUT_OF_REACH_S

if TYPE_CHECKING:  # who plans by the timetable alone loads nothing of it
    from mobility.network.live.files import LiveVersion

MAX_RIDES = 16
MAX_STOPS_AHEAD = 30  # of the train that the rider is on
MAX_NEXT = 5
State = Literal["holds", "broken", "arrived"]
Reason = Literal["missed", "cancelled", "not_boarding", "not_alighting", "not_accessible"]
FareOf = Callable[[Journey], Fare | None]


class RideRef(NamedTuple):
    """One ridden part of a trip, as a section of an answer names it."""

    feed: str
    trip_id: str
    service_date: dt.date
    from_sequence: int
    to_sequence: int


@dataclass(frozen=True, slots=True)
class Way:
    """A way to go on.

    Parameters
    ----------
    stay_until : Call or None
        The call of the train that the rider is on at which to alight; None: from a stop.
    journey : Journey or None
        From there; None where that call is at the destination.
    """

    stay_until: Call | None
    journey: Journey | None

    @property
    def arrival(self) -> int:
        """Unix second of the arrival at the destination."""
        if self.journey is not None:
            return self.journey.arrival
        assert self.stay_until is not None  # one of the two is there
        return self.stay_until.arrival


@dataclass(frozen=True, slots=True)
class TicketHold:
    """Whether a ticket of the journey still holds.

    Parameters
    ----------
    ticket : int
        Index in the fare's tickets.
    inside : bool
        The broken connection lies inside this ticket: what it `protects` counts.
    in_time : bool
        It is still valid when the first way to go on arrives.
    """

    ticket: int
    inside: bool
    in_time: bool


@dataclass(frozen=True, slots=True)
class WhatNow:
    """How a journey stands at a moment.

    Parameters
    ----------
    state : str
    journey : Journey
        As it was chosen, with the times of the running day and cancelled legs marked.
    broken_leg : int or None
        Index of the leg that cannot be taken as planned.
    reason : str or None
        ``missed``: it leaves before one can be there; ``cancelled``; ``not_boarding`` and
        ``not_alighting``: it does not stop where it should; ``not_accessible``: it stops where
        nobody says that one in a wheelchair can board or alight.
    on_board : int or None
        Index of the leg that the rider is on.
    at : Place or None
        Where the rider is, or alights next.
    ways : tuple of Way
        How to go on, the earliest arrival first.
    tickets : tuple of TicketHold
    live : LiveVersion or None
    """

    state: State
    journey: Journey
    broken_leg: int | None
    reason: Reason | None
    on_board: int | None
    at: Place | None
    ways: tuple[Way, ...]
    tickets: tuple[TicketHold, ...]
    live: LiveVersion | None


@dataclass(frozen=True, slots=True)
class _Ride:
    """A ride as the running day has it; ``points`` and ``flags`` by call of the whole train."""

    leg: Leg
    calls: tuple[Call, ...]
    points: tuple[int, ...]
    flags: tuple[int, ...]
    board: int
    alight: int

    @property
    def boards(self) -> bool:
        return bool(self.flags[self.board] & BOARDING_BIT)

    @property
    def alights(self) -> bool:
        return bool(self.flags[self.alight] & ALIGHTING_BIT)


class Companion:
    """Answers what now, for the riders of one planner."""

    def __init__(self, planner: Planner) -> None:
        self._planner, self._network = planner, planner.network
        self._flags = call_flags(self._network.event_flags, self._network.train_event_start)
        self._places = Assembler(self._network).places

    def what_now(
        self, rides: Sequence[Sequence[RideRef]], destination: Endpoint | None, now: int,
        *, needs: Needs = NO_NEEDS, fare_of: FareOf | None = None, language: str = "en",
    ) -> WhatNow:  # fmt: skip
        """Return how a journey stands and how to go on.

        Parameters
        ----------
        rides : sequence of sequence of RideRef
            By ride, in order, the sections ridden.
        destination : Endpoint or None
            Where the journey leads; None: to the station at which the last ride ends.
        now : int
            Unix second.
        needs : Needs
            What the changes and the ways to go on must be like; no places to pass, for which of
            them the rider has passed nobody knows.
        fare_of : callable, optional
            Journey to its fare, to tell which tickets hold.

        Raises
        ------
        InputError
            A ride names a trip, date or stop that the timetable has not.
        UsageError
            The needs name an operator that the network does not have, or places to pass.
        """
        if needs.via:
            raise UsageError("via: a place to pass goes with a new journey, not with what now")
        if not 1 <= len(rides) <= MAX_RIDES:
            raise InputError(f"{len(rides)} rides: expected 1 to {MAX_RIDES}")
        version = self._planner.live
        finder = _Finder(version.network if version else self._network, self._flags, version)
        found = [finder.ride(sections) for sections in rides]
        fit = self._planner.fits.of(needs)
        journey = self._journey(found, fit)
        fare = fare_of(journey) if fare_of else None
        journey = journey.with_fare(fare)
        broken = self._first_break(found, fit)
        if broken is None:
            state: State = "arrived" if now >= journey.arrival else "holds"
            on_board = _on_board(found, now, len(found))
            return WhatNow(state, journey, None, None, on_board, None, (), (), version)
        row, reason, is_at_end = broken
        end = destination or self._station(found[-1])
        on_board = _on_board(found, now, row + is_at_end)
        if on_board is None:
            at, ready = self._waiting(found, now, row)
            ways = self._from_stop(at, ready, end, needs, language)
            place = self._places[at]
        else:
            ways = self._on_train(found[on_board], now, end, fit, language)
            stay = ways[0].stay_until if ways else found[on_board].calls[-1]
            place = (stay or found[on_board].calls[-1]).place
        legs = [index for index, leg in enumerate(journey.legs) if leg.mode == "transit"]
        tickets = _tickets(fare, legs, row, ways)
        return WhatNow(
            "broken", journey, legs[row], reason, None if on_board is None else legs[on_board],
            place, tuple(ways), tickets, version,
        )  # fmt: skip

    def _journey(self, rides: Sequence[_Ride], fit: Fit) -> Journey:
        """Return the rides as one journey, with walks between them where stops differ."""
        legs: list[Leg] = []
        for row, ride in enumerate(rides):
            if row and legs[-1].destination != ride.leg.origin:
                usual = self._planner.fits.usual
                change = rides[row - 1], ride
                walk_s, walk_m = self._walk(*change, fit) or self._walk(*change, usual) or (0, 0)
                start = legs[-1].arrival
                walk = (legs[-1].destination, ride.leg.origin, start, start + walk_s, walk_m)
                legs.append(Leg("walk", *walk))
            legs.append(ride.leg)
        walked = sum(leg.walk_m for leg in legs)
        first, last = legs[0].departure, legs[-1].arrival
        return Journey(first, last, len(rides) - 1, walked, tuple(legs))

    def _first_break(self, rides: Sequence[_Ride], fit: Fit) -> tuple[int, Reason, bool] | None:
        """Return the first ride that cannot be taken, why, and whether it is where one alights."""
        for row, ride in enumerate(rides):
            if ride.leg.cancelled:
                return row, "cancelled", False
            if not ride.boards:
                return row, "not_boarding", False
            if self._is_shut(ride.points[ride.board], fit.needs):
                return row, "not_accessible", False
            if row:
                before = rides[row - 1]
                walk = self._walk(before, ride, fit)
                if walk is None or before.leg.arrival + walk[0] > ride.leg.departure:
                    return row, "missed", False
            if not ride.alights:
                return row, "not_alighting", True
            if self._is_shut(ride.points[ride.alight], fit.needs):
                return row, "not_accessible", True
        return None

    def _is_shut(self, point: int, needs: Needs) -> bool:
        """Return whether a rider does not board or alight there, whatever train it is."""
        net = self._network
        return needs.wheelchair and int(net.stop_wheelchair[net.stop_of[point]]) != ALLOWED

    def _walk(self, before: _Ride, after: _Ride, fit: Fit) -> tuple[int, int] | None:
        """Return seconds and metres of a change, at one point or on foot to another.

        None where the rider's needs leave no way.
        """
        a, b = before.points[before.alight], after.points[after.board]
        if a == b:
            return int(fit.network.change_s[a]), 0
        walk = _footpath(fit.network, a, b)
        if walk is not None or _footpath(self._network, a, b) is not None:
            return walk
        here, there = before.leg.destination, after.leg.origin
        walk = fit.walks.between(here.lat, here.lon, there.lat, there.lon)
        return walk if walk[0] < OUT_OF_REACH_S else None

    def _end(self, reference: str) -> Endpoint:
        return locate(self._network, reference)

    def _station(self, last: _Ride) -> Endpoint:
        return self._end(last.leg.destination.station_id)

    def _waiting(self, rides: Sequence[_Ride], now: int, broken: int) -> tuple[int, int]:
        """Return the stop at which the rider waits, and from when on."""
        stop_of = self._network.stop_of
        done = [row for row in range(broken) if rides[row].leg.arrival <= now]
        if not done:
            ride = rides[0]
            return int(stop_of[ride.points[ride.board]]), now
        ride = rides[done[-1]]
        return int(stop_of[ride.points[ride.alight]]), now

    def _from_stop(
        self, stop: int, ready: int, end: Endpoint, needs: Needs, language: str
    ) -> list[Way]:
        start = self._end(self._places[stop].id)
        answer = self._planner.plan(start, end, depart=ready, needs=needs, language=language)
        ways = [Way(None, journey) for journey in answer.journeys]
        return sorted(ways, key=lambda way: (way.arrival, _changes(way)))[:MAX_NEXT]

    def _on_train(self, ride: _Ride, now: int, end: Endpoint, fit: Fit, language: str) -> list[Way]:
        """Return ways to go on from each later call of the train: by stop, then the best of all."""
        net = fit.network
        ends = set(end.stops)
        ways: list[Way] = []
        ahead = [
            pos for pos in range(ride.board + 1, len(ride.calls))
            if ride.calls[pos].arrival >= now and ride.flags[pos] & ALIGHTING_BIT
            and not self._is_shut(ride.points[pos], fit.needs)
        ]  # fmt: skip
        for pos in ahead[:MAX_STOPS_AHEAD]:
            call, point = ride.calls[pos], ride.points[pos]
            stop = int(net.stop_of[point])
            if stop in ends:
                ways.append(Way(call, None))
                continue
            start = self._end(call.place.id)
            ready = call.arrival + int(net.change_s[point])
            answer = self._planner.plan(
                start, end, depart=ready, needs=fit.needs, language=language
            )
            ways += [Way(call, journey) for journey in answer.journeys]
        return list(_best(ways))[:MAX_NEXT]


def _footpath(network: Network, origin: int, to: int) -> tuple[int, int] | None:
    """Return seconds and metres of the footpath between two points, None where there is none."""
    first = int(network.walk_start[origin])
    rows = np.flatnonzero(network.walk_to[first : int(network.walk_start[origin + 1])] == to)
    if not len(rows):
        return None
    at = first + int(rows[0])
    return int(network.walk_s[at]), int(network.walk_m[at])


def _on_board(rides: Sequence[_Ride], now: int, end: int) -> int | None:
    """Return which of the first rides the rider is on."""
    for row, ride in enumerate(rides[:end]):
        if ride.leg.departure <= now < ride.leg.arrival and ride.boards:
            return row
    return None


def _changes(way: Way) -> int:
    """Return the rides still to board."""
    return 0 if way.journey is None else sum(leg.mode == "transit" for leg in way.journey.legs)


def _best(ways: list[Way]) -> Iterator[Way]:
    """Yield the ways that none beats in arrival and rides; of equal ones that with least ahead."""
    fewest = MAX_RIDES + 1
    for way in sorted(ways, key=lambda way: (way.arrival, _changes(way))):
        if _changes(way) < fewest:
            fewest = _changes(way)
            yield way


def _tickets(
    fare: Fare | None, legs: Sequence[int], broken: int, ways: Sequence[Way]
) -> tuple[TicketHold, ...]:
    """Return how the tickets stand of which the rider still needs something."""
    if fare is None:
        return ()
    arrival = ways[0].arrival if ways else None
    before = legs[broken - 1] if broken else legs[broken]
    return tuple(
        TicketHold(
            number, legs[broken] in ticket.legs and before in ticket.legs,
            arrival is not None and arrival <= ticket.valid_until,
        )
        for number, ticket in enumerate(fare.tickets)
        if max(ticket.legs) >= legs[broken]
    )  # fmt: skip


class _Finder:
    """Looks rides up in one version of the running day."""

    def __init__(self, network: Network, flags: UInt8s, version: LiveVersion | None) -> None:
        self._net, self._flags, self._version = network, flags, version
        self._told = Assembler(network)

    def ride(self, sections: Sequence[RideRef]) -> _Ride:
        """Return a ride, its train found by its first section."""
        if not sections:
            raise InputError("a ride without a section: expected one per feed that carries it")
        trips = [self._trip(section) for section in sections]
        train, day = self._train(trips, sections)
        try:
            board = position_of(self._net, train, trips[0], sections[0].from_sequence)
            alight = position_of(self._net, train, trips[-1], sections[-1].to_sequence)
        except LookupError:
            last = sections[-1]
            raise InputError(
                f"{last.feed}:{last.trip_id} has no calls {sections[0].from_sequence} and"
                f" {last.to_sequence} on one train of {sections[0].service_date}"
            ) from None
        if board >= alight:
            raise InputError(f"{sections[0].feed}:{sections[0].trip_id}: boards after it alights")
        calls, points, flags, cancelled = self._calls(train, day)
        ridden = calls[board : alight + 1]
        # Where the whole of the part ridden does not run, it is cancelled whatever the rest does.
        cancelled = cancelled or not (
            flags[board] & BOARDING_BIT
            or flags[alight] & ALIGHTING_BIT
            or any(call.live is None or not call.live.skipped for call in ridden[1:-1])
        )
        told = self._told.trips[trips[0]]
        at = board
        parts = []
        for section, trip in zip(sections, trips, strict=True):
            end = position_of(self._net, train, trip, section.to_sequence)
            told_part = self._told.trips[trip]
            parts.append(
                Section(
                    section.feed, told_part.agency_id, told_part.route_id, section.trip_id,
                    section.service_date, section.from_sequence, section.to_sequence,
                    told_part.country, at - board, end - board,
                )
            )  # fmt: skip
            at = end
        leg = Leg(
            "transit", ridden[0].place, ridden[-1].place, ridden[0].departure, ridden[-1].arrival,
            0, told.line, told.headsign, told.color, told.vehicle, tuple(parts), ridden,
            cancelled=cancelled,
        )  # fmt: skip
        return _Ride(leg, calls, points, flags, board, alight)

    def _trip(self, section: RideRef) -> int:
        """Return the row of a trip: the ids of its feed are compared as bytes, all at once."""
        net, wanted = self._net, section.trip_id.encode()
        feeds = list(net.feed_id)
        if section.feed in feeds:
            lengths = np.diff(net.trip_id.offsets)
            of_feed = net.trip_feed == feeds.index(section.feed)
            rows = np.flatnonzero(of_feed & (lengths == len(wanted)))
            spans = net.trip_id.offsets[rows][:, None] + np.arange(len(wanted))
            same = (net.trip_id.data[spans] == np.frombuffer(wanted, np.uint8)).all(axis=1)
            if same.any():
                return int(rows[np.argmax(same)])
        raise InputError(f"{section.feed}:{section.trip_id}: no such trip")

    def _train(self, trips: Sequence[int], sections: Sequence[RideRef]) -> tuple[int, int]:
        """Return train and day of the run that a ride begins on.

        First one that carries all of it (who stays seated is on a through train), then one that
        may be boarded there.
        """
        net, trip, section = self._net, trips[0], sections[0]
        rows = np.flatnonzero((net.section_trip == trip) & ~net.section_alias)
        trains = np.searchsorted(net.section_start, rows, "right") - 1
        found = []
        for row, train in zip(rows.tolist(), trains.tolist(), strict=True):
            day = net.day_of(section.service_date) - int(net.section_day_shift[row])
            if not self._runs(train, day):
                continue
            try:
                board = position_of(net, train, trip, section.from_sequence)
            except LookupError:
                continue
            event = int(net.train_event_start[train]) + board
            ridden = net.section_trip[net.section_start[train] : net.section_start[train + 1]]
            is_whole = set(trips) <= set(ridden.tolist())
            planned = event >= len(self._flags) or self._flags[event] & BOARDING_BIT
            found.append((not is_whole, not planned, train, day))
        if not found:
            raise InputError(
                f"{section.feed}:{section.trip_id} does not run on {section.service_date}"
                f" with a call {section.from_sequence}"
            )
        *_, train, day = min(found)
        return train, day

    def _runs(self, train: int, day: int) -> bool:
        net = self._net
        service = int(net.train_service[train])
        if service < 0:  # an added train runs on the day of its change
            return self._change(train, day) is not None
        return 0 <= day < net.n_days and bool(net.service_bits[service][day >> 3] >> (day & 7) & 1)

    def _change(self, train: int, day: int) -> int | None:
        if self._version is None:
            return None
        changes = self._version.changes
        rows = np.flatnonzero((changes.train == train) & (changes.day == day))
        return int(rows[0]) if len(rows) else None

    def _calls(
        self, train: int, day: int
    ) -> tuple[tuple[Call, ...], tuple[int, ...], tuple[int, ...], bool]:
        """Return calls, points and flags of a train, and whether it does not run."""
        net, places = self._net, self._told.places
        first, end = int(net.train_event_start[train]), int(net.train_event_start[train + 1])
        borders = (net.event_flags[first:end] & BORDER_POINT_BIT != 0).tolist()
        row = self._change(train, day)
        cancelled = False
        if row is not None:
            assert self._version is not None
            changes = self._version.changes
            span = slice(int(changes.start[row]), int(changes.start[row + 1]))
            cancelled = span.start == span.stop
            if not cancelled:
                status = changes.status[span].tolist()
                live = live_calls(net, train, day, 0, status, places)
                points = tuple(changes.points[span].tolist())
                times = zip(
                    changes.arrivals_s[span].tolist(), changes.departures_s[span].tolist(),
                    strict=True,
                )  # fmt: skip
                calls = tuple(
                    Call(
                        places[point], arrival + net.epoch_s, departure + net.epoch_s, border, told
                    )
                    for point, (arrival, departure), border, told in zip(
                        points, times, borders, live, strict=True
                    )
                )  # fmt: skip
                return calls, points, tuple(changes.flags[span].tolist()), False
        origin = int(net.zone_origin_s[net.train_zone[train], day])
        points = tuple(net.points[first:end].tolist())
        arrivals = (net.event_arrival_s[first:end] + origin).tolist()
        departures = (net.event_departure_s[first:end] + origin).tolist()
        status = [SKIPPED if cancelled else 0] * len(points)
        live = live_calls(net, train, day, 0, status, places)
        calls = tuple(
            Call(places[point], arrival, departure, border, told if cancelled else None)
            for point, arrival, departure, border, told in zip(
                points, arrivals, departures, borders, live, strict=True
            )
        )
        return calls, points, tuple(self._flags[first:end].tolist()), cancelled
