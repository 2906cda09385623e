"""Journey planning: endpoints and a time in, the complete set of best journeys out."""

from mobility.planner.asked import read_needs
from mobility.planner.batch import run_queries
from mobility.planner.endpoint import CrowFlies, Endpoint, WalkTimes
from mobility.planner.locate import PlaceMatch, locate, station_name, suggest
from mobility.planner.needs import NO_NEEDS, Needs, Via
from mobility.planner.pages import Cursor, Page, plan_pages
from mobility.planner.query import Answer, Asked, Planner, Pricer

__all__ = [
    "NO_NEEDS",
    "Answer",
    "Asked",
    "CrowFlies",
    "Cursor",
    "Endpoint",
    "Needs",
    "Page",
    "PlaceMatch",
    "Planner",
    "Pricer",
    "Via",
    "WalkTimes",
    "locate",
    "plan_pages",
    "read_needs",
    "run_queries",
    "station_name",
    "suggest",
]
