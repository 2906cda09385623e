"""Journey, Leg, Section, Place: what the planner answers and fares price."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from mobility.core.time import local_time
from mobility.journey.fare import Fare

Mode = Literal[
    "transit", "walk", "bike", "car", "on_demand"
]  # a transit leg's kind of vehicle is in `vehicle`


@dataclass(frozen=True, slots=True)
class Place:
    """A stop, or a position on the map.

    ``id`` is ``feed:raw_id`` of the stop, ``station_id`` our id of the merged station; both are
    empty for a bare position. ``tz`` is the zone its times are told in.
    """

    id: str
    station_id: str
    name: str
    lat: float
    lon: float
    tz: str
    platform: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the document P of the design."""
        return {
            "id": self.id or None,
            "station_id": self.station_id or None,
            "name": self.name,
            "lat": self.lat,
            "lon": self.lon,
            "tz": self.tz,
            "platform": self.platform,
        }


class LiveCall(NamedTuple):
    """What the timetable says of a call that live data are about; instants in unix seconds.

    Parameters
    ----------
    planned_arrival, planned_departure : int or None
        None where the timetable knows nothing of the call: an added train.
    told : bool
        The operator says the time, or it follows from one that was said; else the timetable's
        stands.
    skipped : bool
        The train does not stop here.
    planned_platform : str or None
        Where the stop or platform is another than planned: the planned one, as far as it has a
        name.
    moved : bool
    """

    planned_arrival: int | None
    planned_departure: int | None
    told: bool = True
    skipped: bool = False
    moved: bool = False
    planned_platform: str | None = None


class Call(NamedTuple):
    """A train's stop at a place; instants in unix seconds, as the train really runs.

    ``live`` tells what was planned where live data are about the train.
    """

    place: Place
    arrival: int
    departure: int
    border_point: bool = False
    live: LiveCall | None = None

    @property
    def planned(self) -> tuple[int | None, int | None]:
        """Planned arrival and departure; those of the call itself where nothing is live."""
        if self.live is None:
            return self.arrival, self.departure
        return self.live.planned_arrival, self.live.planned_departure

    def to_json(self) -> dict[str, Any]:
        """Return the place with its times."""
        live, zone = self.live, self.place.tz
        arrival, departure = local_time(self.arrival, zone), local_time(self.departure, zone)
        return {
            **self.place.to_json(),
            "arrival": arrival,
            "departure": departure,
            "planned_arrival": arrival if live is None else _text(live.planned_arrival, zone),
            "planned_departure": departure if live is None else _text(live.planned_departure, zone),
            "border_point": self.border_point,
            "live": live is not None and live.told,
            "skipped": live is not None and live.skipped,
            "moved": live is not None and live.moved,
            "planned_platform": None if live is None else live.planned_platform,
        }


class Section(NamedTuple):
    """The part of a train that one feed's trip carries, as ridden.

    ``from_sequence`` and ``to_sequence`` are stop_sequence values of that trip; ``from_call`` and
    ``to_call`` index the leg's calls. ``route_id`` and ``agency_id`` are raw ids of the feed.
    ``stay_seated``: the vehicle goes on as this trip after the one of the section before; nobody
    changes.
    """

    feed: str
    agency_id: str
    route_id: str
    trip_id: str
    service_date: dt.date
    from_sequence: int
    to_sequence: int
    country: str | None
    from_call: int
    to_call: int
    stay_seated: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the document S of the design."""
        return {
            "feed": self.feed,
            "agency_id": self.agency_id,
            "trip_id": self.trip_id,
            "service_date": self.service_date.isoformat(),
            "from_sequence": self.from_sequence,
            "to_sequence": self.to_sequence,
            "country": self.country,
            "from_call": self.from_call,
            "stay_seated": self.stay_seated,
        }


class Leg(NamedTuple):
    """One ride on one train, or one walk; instants in unix seconds.

    Parameters
    ----------
    calls : tuple of Call
        Transit: every stop from boarding to alighting, both included. Walk: empty.
    sections : tuple of Section
        Transit: one per feed that carries a part, in order. Walk: empty.
    vehicle : str
        Kind of vehicle of a transit leg: rail, tram, bus, ... ; empty for a walk.
    line, headsign, color : str
        As published; color is ``RRGGBB`` or empty.
    headway_s : int
        Where a feed only promises a vehicle every so many seconds, not at these times; else 0.
    cancelled : bool
        The train does not run; such a leg stands only in what was planned before.
    """

    mode: Mode
    origin: Place
    destination: Place
    departure: int
    arrival: int
    walk_m: int = 0
    line: str = ""
    headsign: str = ""
    color: str = ""
    vehicle: str = ""
    sections: tuple[Section, ...] = ()
    calls: tuple[Call, ...] = ()
    headway_s: int = 0
    cancelled: bool = False

    @property
    def added(self) -> bool:
        """Whether no timetable knows the train."""
        return bool(self.calls) and self.calls[0].planned == (None, None)

    def to_json(self) -> dict[str, Any]:
        """Return the document L of the design."""
        calls = self.calls
        departure = local_time(self.departure, self.origin.tz)
        arrival = local_time(self.arrival, self.destination.tz)
        planned_departure: str | None = departure
        planned_arrival: str | None = arrival
        if calls and calls[0].live is not None:
            planned_departure = _text(calls[0].live.planned_departure, self.origin.tz)
        if calls and calls[-1].live is not None:
            planned_arrival = _text(calls[-1].live.planned_arrival, self.destination.tz)
        return {
            "mode": self.mode,
            "from": self.origin.to_json(),
            "to": self.destination.to_json(),
            "departure": departure,
            "arrival": arrival,
            "planned_departure": planned_departure,
            "planned_arrival": planned_arrival,
            "live": any(call.live is not None and call.live.told for call in calls),
            "cancelled": self.cancelled,
            "added": self.added,
            "line": self.line or None,
            "headsign": self.headsign or None,
            "color": self.color or None,
            "vehicle": self.vehicle or None,
            "walk_m": self.walk_m,
            "headway_s": self.headway_s or None,
            "sections": [section.to_json() for section in self.sections],
            "stops": [call.to_json() for call in calls],
        }


class Journey(NamedTuple):
    """One way to travel; ``transfers`` counts changes between transit legs (0 for a walk).

    ``departure`` is the latest moment to leave the origin.
    """

    departure: int
    arrival: int
    transfers: int
    walk_m: int
    legs: tuple[Leg, ...]
    fare: Fare | None = None

    def with_fare(self, fare: Fare | None) -> Journey:
        """Return the journey with its fare."""
        return self._replace(fare=fare)

    def to_json(self) -> dict[str, Any]:
        """Return the document J of the design."""
        return {
            "departure": local_time(self.departure, self.legs[0].origin.tz),
            "arrival": local_time(self.arrival, self.legs[-1].destination.tz),
            "transfers": self.transfers,
            "walk_m": self.walk_m,
            "legs": [leg.to_json() for leg in self.legs],
            "fare": None if self.fare is None else self.fare.to_json(),
        }


def _text(instant: int | None, zone: str) -> str | None:
    return None if instant is None else local_time(instant, zone)


def sort_key(journey: Journey) -> tuple[Any, ...]:
    """Return the total order of answers.

    Departure, arrival, transfers; among equals less walking, then fewer operators, then the
    smallest sequence of stable trip references (design, settled decision 5).
    """
    trips = tuple(
        (s.feed, s.trip_id, s.service_date.isoformat(), s.from_sequence, s.to_sequence)
        for leg in journey.legs
        for s in leg.sections
    )
    operators = {(s.feed, s.agency_id) for leg in journey.legs for s in leg.sections}
    return (
        journey.departure,
        journey.arrival,
        journey.transfers,
        journey.walk_m,
        len(operators),
        trips,
    )
