"""Timetables: scenarios, and what a change of the timetable does to journeys."""

from mobility.timetables.compare import Ask, Comparison, Connection, Difference, Question, compare
from mobility.timetables.scenario import Scenario, apply_scenario, parse_scenario, read_scenario

__all__ = [
    "Ask",
    "Comparison",
    "Connection",
    "Difference",
    "Question",
    "Scenario",
    "apply_scenario",
    "compare",
    "parse_scenario",
    "read_scenario",
]
