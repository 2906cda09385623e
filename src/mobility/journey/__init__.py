"""Journeys and their fares as plain values, and the one JSON form they have."""

from mobility.journey.fare import Fare, FareStatus, Share, Ticket
from mobility.journey.journey import Call, Journey, Leg, LiveCall, Place, Section, sort_key

__all__ = [
    "Call",
    "Fare",
    "FareStatus",
    "Journey",
    "Leg",
    "LiveCall",
    "Place",
    "Section",
    "Share",
    "Ticket",
    "sort_key",
]
