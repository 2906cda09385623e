"""Journey planning: endpoints and a time in, the complete set of best journeys out."""

from mobility.planner.batch import run_queries
from mobility.planner.endpoint import CrowFlies, Endpoint, WalkTimes
from mobility.planner.locate import PlaceMatch, locate, station_name, suggest
from mobility.planner.query import Answer, Planner, Pricer

__all__ = [
    "Answer",
    "CrowFlies",
    "Endpoint",
    "PlaceMatch",
    "Planner",
    "Pricer",
    "WalkTimes",
    "locate",
    "run_queries",
    "station_name",
    "suggest",
]
