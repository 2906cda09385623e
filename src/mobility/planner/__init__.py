"""Journey planning on day slices: endpoints and a time in, the complete set of best journeys out."""

from mobility.planner.endpoint import CrowFlies, Endpoint, WalkTimes
from mobility.planner.query import Answer, Planner, Pricer

__all__ = ["Answer", "CrowFlies", "Endpoint", "Planner", "Pricer", "WalkTimes"]
