"""Timetables: scenarios, and what a change of the timetable does to journeys."""

from mobility.timetables.compare import (
    ChangedConnection,
    Comparison,
    Difference,
    Question,
    Side,
    compare,
)
from mobility.timetables.connections import Connection, RideTimes, connections
from mobility.timetables.scenario import Scenario, apply_scenario, parse_scenario, read_scenario

__all__ = [
    "ChangedConnection",
    "Comparison",
    "Connection",
    "Difference",
    "Question",
    "RideTimes",
    "Scenario",
    "Side",
    "apply_scenario",
    "compare",
    "connections",
    "parse_scenario",
    "read_scenario",
]
