"""Journeys by hand for what is judged after planning: emissions, risk, labels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from mobility.core.money import Money
from mobility.journey import Call, Fare, Journey, Leg, Place, Section, Ticket

DATE = dt.date(2027, 5, 4)
NOON = 1_809_345_600  # unix seconds
KM_LAT = 360 / (2 * 3.141592653589793 * 6371.0)  # degrees of latitude in a kilometre


def place(name: str, north_km: float = 0.0) -> Place:
    """Return a place so many kilometres north of the equator: distances are then exact."""
    return Place(f"f:{name}", name, name, north_km * KM_LAT, 7.5, "UTC")


def ride(
    calls: Sequence[tuple[Place, int]],
    *,
    country: str | None = "CH",
    vehicle: str = "rail",
    borders: Sequence[str] = (),
    agency: str = "a",
) -> Leg:
    """Return a ride that calls at places at minutes after noon."""
    told = tuple(
        Call(where, NOON + 60 * minute, NOON + 60 * minute, where.name in borders)
        for where, minute in calls
    )
    last = len(told) - 1
    section = Section("f", agency, "r", "t", DATE, 0, last, country, 0, last)
    return Leg(
        "transit", told[0].place, told[-1].place, told[0].departure, told[-1].arrival,
        vehicle=vehicle, sections=(section,), calls=told,
    )  # fmt: skip


def walk(origin: Place, destination: Place, minute: int, minutes: int, metres: int = 100) -> Leg:
    """Return a walk that begins so many minutes after noon."""
    start = NOON + 60 * minute
    return Leg("walk", origin, destination, start, start + 60 * minutes, metres)


def journey(*legs: Leg, fare: Fare | None = None) -> Journey:
    """Return the journey of some legs."""
    rides = sum(leg.mode == "transit" for leg in legs)
    return Journey(
        legs[0].departure, legs[-1].arrival, max(rides - 1, 0), sum(leg.walk_m for leg in legs),
        legs, fare,
    )  # fmt: skip


def ticket(legs: Sequence[int], amount: int, currency: str = "EUR", **other: Any) -> Ticket:
    """Return a ticket for some legs."""
    return Ticket(
        "p", "Ticket", "s", "app", tuple(legs), Money(amount, currency), NOON, NOON + 3600, "UTC",
        "", **other,
    )  # fmt: skip
