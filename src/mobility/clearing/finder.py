"""The planner as clearing asks it: one question, one journey."""

from __future__ import annotations

from functools import lru_cache

from mobility.clearing.rides import JourneyFinder
from mobility.journey import Journey
from mobility.network import Network
from mobility.planner import Planner, locate

PLACES_KEPT = 10_000


def journey_finder(planner: Planner, network: Network) -> JourneyFinder:
    """Return a finder that takes the first arrival by public transport from a moment on."""
    place = lru_cache(maxsize=PLACES_KEPT)(lambda text: locate(network, text))

    def find(origin: str, destination: str, depart_s: int) -> Journey | None:
        answer = planner.plan(place(origin), place(destination), depart=depart_s, arrive=None)
        ridden = [
            journey
            for journey in answer.journeys
            if any(leg.mode == "transit" for leg in journey.legs)
        ]
        return min(ridden, key=lambda journey: (journey.arrival, journey.transfers), default=None)

    return find
