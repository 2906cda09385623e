"""The planner as clearing asks it: one question, one journey."""

from __future__ import annotations

from mobility.clearing.rides import JourneyFinder
from mobility.journey import Journey
from mobility.network import Network
from mobility.planner import Planner, locate


def journey_finder(planner: Planner, network: Network) -> JourneyFinder:
    """Return a finder that takes the planner's first journey that leaves at or after a moment."""

    def find(origin: str, destination: str, depart_s: int) -> Journey | None:
        answer = planner.plan(
            locate(network, origin), locate(network, destination), depart=depart_s, arrive=None
        )
        return min(answer.journeys, key=lambda j: (j.arrival, j.transfers), default=None)

    return find
