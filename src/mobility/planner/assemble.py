"""From the rows that the kernels write to `Journey` values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from itertools import repeat
from typing import NamedTuple

from mobility.journey import Call, Journey, Leg, Place, Section
from mobility.network import Network
from mobility.planner.endpoint import Reach
from mobility.planner.values import Found

# GTFS route types, basic and extended, by kind of vehicle; the hundreds of an extended type say it.
BASIC_VEHICLES = {
    0: "tram", 1: "subway", 2: "rail", 3: "bus", 4: "ferry", 5: "cable_tram", 6: "aerial_lift",
    7: "funicular", 11: "trolleybus", 12: "monorail",
}  # fmt: skip
EXTENDED_VEHICLES = {
    1: "rail", 2: "coach", 3: "rail", 4: "subway", 5: "subway", 6: "subway", 7: "bus",
    8: "trolleybus", 9: "tram", 10: "ferry", 11: "air", 12: "ferry", 13: "aerial_lift",
    14: "funicular", 15: "taxi",
}  # fmt: skip
URBAN_MONORAIL = 405
OTHER_VEHICLE = "other"


def vehicle_of(route_type: int) -> str:
    """Return the kind of vehicle of a GTFS route type, also of the extended ones.

    >>> vehicle_of(2), vehicle_of(109), vehicle_of(900), vehicle_of(702), vehicle_of(1700)
    ('rail', 'rail', 'tram', 'bus', 'other')
    """
    if route_type == URBAN_MONORAIL:
        return "monorail"
    if route_type < 100:
        return BASIC_VEHICLES.get(route_type, OTHER_VEHICLE)
    return EXTENDED_VEHICLES.get(route_type // 100, OTHER_VEHICLE)


# half the time of Call(...), and so on, for the many values of an answer; takes every field
_new_call = partial(tuple.__new__, Call)
_new_section = partial(tuple.__new__, Section)
_new_leg = partial(tuple.__new__, Leg)


class _Trip(NamedTuple):
    """What a leg or section tells of a trip."""

    feed: str
    agency_id: str
    route_id: str
    trip_id: str
    country: str | None
    line: str
    headsign: str
    color: str
    vehicle: str
    headway_s: int


class _Places(dict[int, Place]):
    """The place of each point, which is that of its stop; made when it is first asked for."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network
        self._feeds = list(network.feed_id)
        self._zones = list(network.zone_name)

    def __missing__(self, point: int) -> Place:
        net = self._network
        stop = int(net.stop_of[point])
        if stop != point:
            return self.setdefault(point, self[stop])
        feed = self._feeds[net.stop_feed[stop]]
        place = Place(
            id=f"{feed}:{net.stop_id[stop]}",
            station_id=net.station_id[int(net.stop_station[stop])],
            name=net.stop_name[stop],
            lat=float(net.stop_lat[stop]),
            lon=float(net.stop_lon[stop]),
            tz=self._zones[net.stop_tz[stop]],
            platform=net.stop_platform[stop] or None,
        )
        return self.setdefault(stop, place)  # one place per stop, whichever thread made it


class _Trips(dict[int, _Trip]):
    """What is told of each trip, made when it is first asked for."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network
        self._feeds = list(network.feed_id)
        self._countries = list(network.feed_country)

    def __missing__(self, trip: int) -> _Trip:
        net = self._network
        feed, route = int(net.trip_feed[trip]), int(net.trip_route[trip])
        told = _Trip(
            feed=self._feeds[feed],
            agency_id=net.agency_id[int(net.route_agency[route])],
            route_id=net.route_id[route],
            trip_id=net.trip_id[trip],
            country=self._countries[feed] or None,
            line=net.route_short_name[route] or net.route_long_name[route],
            headsign=net.trip_headsign[trip],
            color=net.route_color[route],
            vehicle=vehicle_of(int(net.route_type[route])),
            headway_s=int(net.trip_headway_s[trip]),
        )
        return self.setdefault(trip, told)


class _Dates(dict[int, dt.date]):
    """The date of each day of the horizon."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    def __missing__(self, day: int) -> dt.date:
        date = self[day] = self._network.date_of(day)
        return date


class Assembler:
    """Makes journeys of a network; keeps places and trips it has told of before."""

    def __init__(self, network: Network) -> None:
        self.epoch_s = network.epoch_s
        self.places = _Places(network)
        self.trips = _Trips(network)
        self._dates = _Dates(network)
        pairs = zip(network.in_seat_from.tolist(), network.in_seat_to.tolist(), strict=True)
        self._in_seat = frozenset(pairs)

    def answers(
        self, found: Found, written: list[list[int]], ends: list[tuple[Reach, Reach]]
    ) -> Iterator[list[Journey]]:
        """Yield the journeys of each question, the rows of one after those of the other, in order.

        Parameters
        ----------
        written : list of list of int
            After each question, how many rows of journeys, rides, sections and calls there are.
        ends : list of tuple
            Origin and destination of each.
        """
        n_journeys, n_rides, n_sections, n_calls = written[-1]
        rides, epoch_s = found.rides[:n_rides].tolist(), self.epoch_s
        stops = found.call_stop[:n_calls].tolist()
        cells = zip(
            map(self.places.__getitem__, stops),
            found.call_arrival[:n_calls].tolist(),
            found.call_departure[:n_calls].tolist(),
            found.call_border[:n_calls].tolist(),
            repeat(None),  # not live: `LiveView` adds that
        )
        calls = list(map(_new_call, cells))
        sections = found.sections[:n_sections].tolist()
        rows, first_row = found.journeys[:n_journeys].tolist(), 0
        for (past_row, *_), (origin, destination) in zip(written, ends, strict=True):
            journeys = []
            for departure, arrival, n, first, walk_s, walk_m in rows[first_row:past_row]:
                ridden = rides[first : first + n]
                journeys.append(
                    self._journey(
                        departure + epoch_s, arrival + epoch_s, ridden, calls, sections,
                        origin.place_beside(stops[ridden[0][1]], self.places),
                        destination.place_beside(stops[ridden[-1][2] - 1], self.places),
                        walk_s, walk_m,
                    )
                )  # fmt: skip
            first_row = past_row
            yield sorted(journeys, key=lambda j: (j.departure, j.arrival, j.transfers))

    def _journey(
        self, departure: int, arrival: int, rides: list[list[int]], calls: list[Call],
        sections: list[list[int]], origin: Place, destination: Place, walk_s: int, walk_m: int,
    ) -> Journey:  # fmt: skip
        legs: list[Leg] = []
        total_m = walk_m
        here, moment = origin, departure
        for run, first, end, first_section, end_section, foot_s, foot_m in rides:
            ridden = tuple(calls[first:end])
            board, alight = ridden[0], ridden[-1]
            if here is not board.place:
                legs.append(Leg("walk", here, board.place, moment, moment + foot_s, foot_m))
                total_m += foot_m
            rows = sections[first_section:end_section]
            legs.append(self._ride(run, board, alight, ridden, rows))
            here, moment = alight.place, alight.arrival
        if here is not destination:
            legs.append(Leg("walk", here, destination, moment, moment + walk_s, walk_m))
        return Journey(departure, arrival, len(rides) - 1, total_m, tuple(legs))

    def _ride(
        self, run: int, board: Call, alight: Call, calls: tuple[Call, ...], rows: list[list[int]]
    ) -> Leg:  # `run` is the slice's: the running day knows more of it
        trips, dates = self.trips, self._dates
        sections, before = [], -1
        for trip, day, from_sequence, to_sequence, from_call, to_call in rows:
            told = trips[trip]
            cells = (
                told.feed, told.agency_id, told.route_id, told.trip_id, dates[day],
                from_sequence, to_sequence, told.country, from_call, to_call,
                (before, trip) in self._in_seat,
            )  # fmt: skip
            sections.append(_new_section(cells))
            before = trip
        first = trips[rows[0][0]]
        return _new_leg(
            (
                "transit", board.place, alight.place, board.departure, alight.arrival, 0,
                first.line, first.headsign, first.color, first.vehicle, tuple(sections), calls,
                first.headway_s, False,
            )
        )  # fmt: skip
