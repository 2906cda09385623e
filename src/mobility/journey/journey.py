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


class Call(NamedTuple):
    """A train's stop at a place; instants in unix seconds."""

    place: Place
    arrival: int
    departure: int
    border_point: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the place with its times."""
        return {
            **self.place.to_json(),
            "arrival": local_time(self.arrival, self.place.tz),
            "departure": local_time(self.departure, self.place.tz),
            "border_point": self.border_point,
        }


class Section(NamedTuple):
    """The part of a train that one feed's trip carries, as ridden.

    ``from_sequence`` and ``to_sequence`` are stop_sequence values of that trip; ``from_call`` and
    ``to_call`` index the leg's calls. ``route_id`` and ``agency_id`` are raw ids of the feed.
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

    def to_json(self) -> dict[str, Any]:
        """Return the document L of the design."""
        return {
            "mode": self.mode,
            "from": self.origin.to_json(),
            "to": self.destination.to_json(),
            "departure": local_time(self.departure, self.origin.tz),
            "arrival": local_time(self.arrival, self.destination.tz),
            "line": self.line or None,
            "headsign": self.headsign or None,
            "color": self.color or None,
            "vehicle": self.vehicle or None,
            "walk_m": self.walk_m,
            "headway_s": self.headway_s or None,
            "sections": [section.to_json() for section in self.sections],
            "stops": [call.to_json() for call in self.calls],
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
