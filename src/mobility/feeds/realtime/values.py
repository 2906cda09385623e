"""What operators say of the day as it runs: plain values, whatever format said it.

A decoder (`decoders.DECODERS`) makes a `Message` of bytes; all that comes after reads these values
alone. Names are those of GTFS Realtime; SIRI ET, SX and VM say the same in other words.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

TripState = Literal[
    "scheduled", "canceled", "deleted", "added", "replacement", "duplicated", "unscheduled"
]
StopState = Literal["scheduled", "skipped", "no_data", "unscheduled"]
Texts = tuple[tuple[str, str], ...]  # language (lower case, empty: not said) and text


@dataclass(frozen=True, slots=True)
class TripRef:
    """Which run is meant: a trip of the feed's timetable and its service date.

    ``start_date`` is None where the feed leaves it to be inferred; ``start_time_s``, seconds from
    the origin of the service day, tells the runs of a frequency apart. ``direction`` is 0 or 1.
    """

    trip_id: str = ""
    route_id: str = ""
    start_date: dt.date | None = None
    start_time_s: int | None = None
    direction: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """An arrival or a departure: unix seconds, or seconds of delay; of both the time counts."""

    time: int | None = None
    delay_s: int | None = None


@dataclass(frozen=True, slots=True)
class StopUpdate:
    """What is said of one call, named by ``stop_sequence``, by ``stop_id`` or by both.

    ``assigned_stop_id`` is the stop (a platform) that takes the place of the planned one.
    ``pickup_type`` and ``drop_off_type`` are GTFS values where they are said.
    """

    stop_sequence: int | None = None
    stop_id: str = ""
    arrival: Moment | None = None
    departure: Moment | None = None
    state: StopState = "scheduled"
    assigned_stop_id: str = ""
    pickup_type: int | None = None
    drop_off_type: int | None = None


@dataclass(frozen=True, slots=True)
class TripUpdate:
    """What is said of one run.

    ``delay_s`` holds until the first call with a time of its own. ``new_*`` describe the run of a
    trip that is added, replaced or duplicated.
    """

    trip: TripRef
    state: TripState = "scheduled"
    stops: tuple[StopUpdate, ...] = ()
    delay_s: int | None = None
    timestamp: int | None = None
    new_trip: TripRef | None = None
    new_headsign: str = ""
    new_number: str = ""


@dataclass(frozen=True, slots=True)
class Informed:
    """What an alert is about; all that is said must fit."""

    agency_id: str = ""
    route_id: str = ""
    route_type: int | None = None
    direction: int | None = None
    trip: TripRef | None = None
    stop_id: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """A message to travellers.

    ``periods`` are half-open spans of unix seconds, None leaving an end open; none at all: always.
    ``cause`` and ``effect`` are GTFS Realtime's names in lower case, empty where not said.
    """

    id: str
    informed: tuple[Informed, ...]
    header: Texts
    description: Texts = ()
    url: Texts = ()
    periods: tuple[tuple[int | None, int | None], ...] = ()
    cause: str = ""
    effect: str = ""
    severity: str = ""


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Where a vehicle is: degrees, and the call that it is at or on its way to."""

    trip: TripRef
    lat: float
    lon: float
    bearing: float | None = None
    stop_id: str = ""
    stop_sequence: int | None = None
    timestamp: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """All that one source says at one moment.

    ``timestamp`` is the unix second at which it was made; ``left_out`` counts by code what could
    not be used.
    """

    timestamp: int | None
    trip_updates: tuple[TripUpdate, ...] = ()
    alerts: tuple[Alert, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)
