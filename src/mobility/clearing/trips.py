"""Journeys as records: what pricing needs of a ride, kept so that shares can be recomputed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson

from mobility.journey import Call, Journey, Leg, Place, Section


def journey_record(journey: Journey) -> bytes:
    """Return the journey without its fare as JSON in one form; `read_journey` undoes it."""
    return orjson.dumps(journey.with_fare(None), _members, orjson.OPT_SORT_KEYS)


def _members(value: Any) -> dict[str, Any]:
    """Return the fields of the named tuples that a journey is made of."""
    if isinstance(value, Journey | Leg | Call | Section):
        return value._asdict()
    raise TypeError(f"{type(value).__name__} is no part of a journey")


def read_journey(record: bytes) -> Journey:
    """Return the journey of a record."""
    data = orjson.loads(record)
    return Journey(**{**data, "legs": tuple(_leg(leg) for leg in data["legs"])})


def _leg(data: dict[str, Any]) -> Leg:
    return Leg(
        **{
            **data,
            "origin": Place(**data["origin"]),
            "destination": Place(**data["destination"]),
            "calls": tuple(_call(call) for call in data["calls"]),
            "sections": tuple(_section(section) for section in data["sections"]),
        }
    )


def _call(data: dict[str, Any]) -> Call:
    return Call(**{**data, "place": Place(**data["place"])})


def _section(data: dict[str, Any]) -> Section:
    return Section(**{**data, "service_date": dt.date.fromisoformat(data["service_date"])})
