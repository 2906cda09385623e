"""What an answer must say beside its journeys: no data, service on demand, bans, border checks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from mobility.core.errors import DateOutsideError
from mobility.core.notices import Notice
from mobility.core.time import local_date
from mobility.journey import Call, Journey
from mobility.network import Network
from mobility.planner.endpoint import Reach

ON_DEMAND = 2  # pickup_type and drop_off_type: phone agency
DROP_OFF_SHIFT = 2  # drop_off_type in event_flags
MAX_REMARKS = 50  # notices about service on demand in one answer
DEFAULT_LANGUAGE = "en"


class Coverage:
    """Which feeds speak for which dates."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._known: dict[dt.date, tuple[Notice, ...]] = {}

    def check(self, moments: tuple[int, int], zone: str) -> tuple[Notice, ...]:
        """Return a notice for every feed and date asked for that it does not cover.

        Raises
        ------
        DateOutsideError
            No feed covers any of the dates.
        """
        first = last = local_date(moments[0], zone)
        if moments[1] != moments[0]:
            last = local_date(moments[1], zone)
        if first != last:
            days = [first + dt.timedelta(n) for n in range((last - first).days + 1)]
            covered = [day for day in days if self._covered(day).any()]
            return tuple(notice for day in covered or days[:1] for notice in self._on(day))
        return self._on(first)

    def _on(self, date: dt.date) -> tuple[Notice, ...]:
        if date not in self._known:
            self._known[date] = self._notices(date)
        return self._known[date]

    def _covered(self, date: dt.date) -> npt.NDArray[np.bool_]:
        """Return for each feed whether it covers the date."""
        day = self._network.day_of(date)
        if 0 <= day < self._network.n_days:
            return self._network.coverage[:, day]
        return np.zeros(self._network.n_feeds, bool)

    def _notices(self, date: dt.date) -> tuple[Notice, ...]:
        covered = self._covered(date)
        if not covered.any():
            raise DateOutsideError(f"no feed covers {date}: {self._span()}")
        return tuple(
            Notice(
                "feed_not_covering_date",
                "warning",
                feed=self._network.feed_id[feed],
                value=date.isoformat(),
                message=f"this feed has no service on this date: {self._validity(feed)}",
            )
            for feed in np.flatnonzero(~covered).tolist()
        )

    def _validity(self, feed: int) -> str:
        days = np.flatnonzero(self._network.coverage[feed])
        if not len(days):
            return "it covers no date"
        first, last = (self._network.date_of(int(day)) for day in (days[0], days[-1]))
        return f"it is valid from {first} to {last}"

    def _span(self) -> str:
        days = np.flatnonzero(self._network.coverage.any(axis=0))
        if not len(days):
            return "there is no date with service"
        first, last = (self._network.date_of(int(day)) for day in (days[0], days[-1]))
        return f"choose a date from {first} to {last}"


class OnDemand:
    """Service that only runs when it is called for; journeys do not use it, answers mention it."""

    def __init__(self, network: Network, booking: Callable[[int], str] | None) -> None:
        self._network, self._booking = network, booking
        pickup = (network.event_flags & 3) == ON_DEMAND
        drop_off = (network.event_flags >> DROP_OFF_SHIFT & 3) == ON_DEMAND
        self._events = {"pickup_type": pickup.nonzero()[0], "drop_off_type": drop_off.nonzero()[0]}

    def notices(
        self, origin: Reach, destination: Reach, moments: tuple[int, int], zone: str
    ) -> tuple[Notice, ...]:
        """Return one notice for each line on demand at the origin or destination on those days."""
        found: dict[Notice, None] = {}
        for field, reach in (("pickup_type", origin), ("drop_off_type", destination)):
            events = self._events[field]
            if len(events):
                first, last = (local_date(moment, zone) for moment in moments)
                days = [self._network.day_of(d) for d in (first, last)]
                found |= dict.fromkeys(self._at(field, reach, days[0], days[1]))
        return tuple(sorted(found)[:MAX_REMARKS])

    def _at(self, field: str, reach: Reach, first: int, last: int) -> Iterator[Notice]:
        net = self._network
        events = self._events[field]
        here = events[np.isin(net.event_stop[events], self._stops(reach))]
        trains = np.searchsorted(net.train_event_start, here, side="right") - 1
        bits = net.service_bits[net.train_service[trains]]
        for day in range(max(first, 0), min(last, net.n_days - 1) + 1):
            runs = (bits[:, day >> 3] >> (day & 7) & 1).astype(bool)
            for event, train in zip(here[runs].tolist(), trains[runs].tolist(), strict=True):
                yield self._notice(field, event, train, day)

    def _stops(self, reach: Reach) -> list[int]:
        """Return the stops of the endpoint's stations, or those around a position."""
        net = self._network
        if not reach.endpoint.stops:
            points = reach.ends[0] % net.n_points  # the same in each layer of via places
            return [int(stop) for stop in net.stop_of[points]]
        stations = {int(net.stop_station[stop]) for stop in reach.endpoint.stops}
        start = net.station_stop_start
        return [int(s) for at in stations for s in net.station_stops[start[at] : start[at + 1]]]

    def _notice(self, field: str, event: int, train: int, day: int) -> Notice:
        net = self._network
        trip = int(net.train_trip[train])
        route = int(net.trip_route[trip])
        line = net.route_short_name[route] or net.route_long_name[route]
        stop = net.stop_name[int(net.event_stop[event])]
        told = self._booking(trip) if self._booking else ""
        return Notice(
            "on_demand_in_reach",
            "info",
            feed=net.feed_id[int(net.trip_feed[trip])],
            file="stop_times.txt",
            field=field,
            value=line,
            message=f"line {line} calls at {stop} on demand on {net.date_of(day)}"
            f": {told or 'book it with the operator before the ride'}",
        )


class BoardingBans:
    """Why a direct train is missing: it runs, but carries nobody between these two stations."""

    def __init__(self, network: Network) -> None:
        self._network = network
        of_section = np.repeat(
            np.arange(network.n_trains, dtype=np.int32), np.diff(network.section_start)
        )
        self._trains = [
            np.unique(of_section[np.isin(self._routes_of(network), routes)])
            for routes in np.split(network.ban_routes, network.ban_route_start[1:-1])
        ] if len(network.ban_first) else []  # fmt: skip

    @staticmethod
    def _routes_of(network: Network) -> npt.NDArray[np.int32]:
        routes: npt.NDArray[np.int32] = network.trip_route[network.section_trip]
        return routes

    def notices(
        self, origin: Reach, destination: Reach, moments: tuple[int, int], zone: str
    ) -> tuple[Notice, ...]:
        """Return a notice for each line that runs from the origin to the destination in vain."""
        if not self._trains:
            return ()
        net, found = self._network, dict[Notice, None]()
        first, last = (local_date(moment, zone) for moment in moments)
        ends = [self._stations(reach) for reach in (origin, destination)]
        for ban, trains in enumerate(self._trains):
            begin, until = int(net.ban_first[ban]), int(net.ban_last[ban])
            if last.toordinal() < begin or 0 <= until < first.toordinal():
                continue
            rows = slice(*net.ban_station_start[ban : ban + 2].tolist())
            pair = [np.intersect1d(end, net.ban_stations[rows]) for end in ends]
            if len(pair[0]) and len(pair[1]):
                days = [net.day_of(first), net.day_of(last)]
                for train in self._in_vain(trains, pair, days):
                    found[self._notice(ban, train, pair)] = None
        return tuple(sorted(found)[:MAX_REMARKS])

    def _stations(self, reach: Reach) -> npt.NDArray[np.int32]:
        stops = (
            reach.endpoint.stops or self._network.stop_of[reach.ends[0] % self._network.n_points]
        )
        return np.unique(self._network.stop_station[list(stops)])

    def _in_vain(
        self, trains: npt.NDArray[np.int32], pair: Sequence[npt.NDArray[Any]], days: Sequence[int]
    ) -> Iterator[int]:
        """Yield the trains that call at the one and then at the other on any of the days."""
        net = self._network
        for train in trains.tolist():
            bits = net.service_bits[int(net.train_service[train])]
            inside = range(max(days[0], 0), min(days[1], net.n_days - 1) + 1)
            if not any(bits[day >> 3] >> (day & 7) & 1 for day in inside):
                continue
            calls = slice(*net.train_event_start[train : train + 2].tolist())
            stations = net.stop_station[net.event_stop[calls]]
            here, there = (np.flatnonzero(np.isin(stations, end)) for end in pair)
            if len(here) and len(there) and here[0] < there[-1]:
                yield train

    def _notice(self, ban: int, train: int, pair: Sequence[npt.NDArray[Any]]) -> Notice:
        net = self._network
        trip = int(net.train_trip[train])
        route = int(net.trip_route[trip])
        line = net.route_short_name[route] or net.route_long_name[route]
        names = [net.station_name[int(end[0])] for end in pair]
        reason = net.ban_reason[ban]
        said = f"line {line} runs from {names[0]} to {names[1]} but carries nobody between them"
        return Notice(
            "boarding_ban", "info", feed=net.feed_id[int(net.trip_feed[trip])], value=line,
            message=f"{said}: {reason}" if reason else said,
        )  # fmt: skip


class BorderChecks:
    """Checks that travellers pass: on a train that goes on, or where they change.

    Who boards or alights for good at the place is not on the way past it.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._documents: list[dict[str, str]] = [json.loads(t) for t in network.check_documents]
        self._stations = {}
        if self._documents:
            self._stations = {id_: row for row, id_ in enumerate(network.station_id)}
            self._country = list(network.station_country)
            self._sides = list(zip(network.check_from, network.check_to, strict=True))

    def notices(self, journeys: Iterable[Journey], language: str) -> tuple[Notice, ...]:
        """Return a notice for each check on any of the journeys, in the language if it can be."""
        if not self._documents:
            return ()
        passed = {check for journey in journeys for check in self._passed(journey)}
        return tuple(self._notice(check, language) for check in sorted(passed))

    def _passed(self, journey: Journey) -> Iterator[int]:
        rides = [leg.calls for leg in journey.legs if leg.mode == "transit"]
        for calls in rides:
            for at in range(1, len(calls) - 1):
                yield from self._at(calls[: at + 1], calls[at:])
        for before, after in pairwise(rides):
            yield from self._at(before, after)

    def _at(self, before: Sequence[Call], after: Sequence[Call]) -> Iterator[int]:
        """Yield the checks between the last call of one ride and the first of the next."""
        here = {self._stations[call.place.station_id] for call in (before[-1], after[0])}
        checks = [row for row, at in enumerate(self._network.check_station) if int(at) in here]
        if not checks:
            return
        comes, goes = self._first_country(reversed(before[:-1])), self._first_country(after[1:])
        date = local_date(before[-1].arrival, before[-1].place.tz).toordinal()
        for check in checks:
            from_country, to_country = self._sides[check]
            first, last = (
                int(field[check]) for field in (self._network.check_first, self._network.check_last)
            )
            meant = comes and goes and comes != goes
            meant = meant and from_country in ("", comes) and to_country in ("", goes)
            if meant and first <= date and (last < 0 or date <= last):
                yield check

    def _first_country(self, calls: Iterable[Call]) -> str:
        countries = (self._country[self._stations[call.place.station_id]] for call in calls)
        return next((country for country in countries if country), "")

    def _notice(self, check: int, language: str) -> Notice:
        net, texts = self._network, self._documents[check]
        spoken = [one for one in (language, DEFAULT_LANGUAGE, *sorted(texts)) if one in texts]
        place = net.station_name[int(net.check_station[check])]
        minutes = int(net.check_s[check]) // 60
        said = f"{place}, {minutes} min" if minutes else place
        message = f"{said}: {texts[spoken[0]]}" if spoken else said
        return Notice("border_check", "info", message=message)
