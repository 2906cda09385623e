"""Scenario comparison as it is served: times, transfers and connections, never revenue."""

from __future__ import annotations

import tempfile
import threading
import tomllib
from collections import OrderedDict
from pathlib import Path
from typing import Any

from mobility.api.problems import BusyError
from mobility.api.queries import ScenarioQuery
from mobility.api.served import Served, notice_documents
from mobility.core.errors import ManifestError
from mobility.core.ids import content_hash
from mobility.core.notices import Notice
from mobility.core.time import parse_duration_s, parse_instant
from mobility.network import compile_network
from mobility.planner import Planner, locate
from mobility.timetables import Question, Scenario, Side, apply_scenario, compare, parse_scenario

Document = dict[str, Any]
Changed = tuple[Side, tuple[Notice, ...]]
KEPT = 2  # changed timetables in memory
SOURCE = "scenario"


class ScenarioDesk:
    """Compares the edition with what a scenario makes of it; one compilation at a time."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._side: Side | None = None  # made for the first comparison
        self._lock = threading.Lock()
        self._changed: OrderedDict[str, Changed] = OrderedDict()
        self._scratch: tempfile.TemporaryDirectory[str] | None = None  # made with the first slices

    def compare(self, query: ScenarioQuery) -> Document:
        """Return what the scenario changes for the questions asked.

        Raises
        ------
        ManifestError
            The scenario is malformed or names what the edition lacks.
        BusyError
            Another scenario is being compiled.
        """
        scenario = parse_scenario(_document(query), SOURCE)
        questions = [self._question(q) for q in query.queries]
        after, notices = self._after(scenario)
        comparison = compare(self._before(), after, questions)
        return {
            "versions": self._served.versions,
            "scenario": scenario.model_dump(mode="json"),
            "notices": notice_documents(notices),
            **comparison.to_json(),
        }

    def close(self) -> None:
        """Remove what the comparisons left on disk."""
        if self._scratch is not None:
            self._scratch.cleanup()

    def _before(self) -> Side:
        if self._side is None:
            self._side = Side(self._served.planner)
        return self._side

    def _question(self, asked: Any) -> Question:
        zone = locate(self._served.edition.network, asked.from_).tz
        return Question(
            origin=asked.from_,
            destination=asked.to,
            departure=parse_instant(asked.depart, zone),
            window_s=parse_duration_s(asked.window),
            weight=asked.weight,
        )

    def _after(self, scenario: Scenario) -> Changed:
        key = content_hash(scenario.model_dump(mode="json"))
        if not self._lock.acquire(blocking=False):
            raise BusyError("another scenario is being compiled: try again in a few seconds")
        try:
            if key not in self._changed:
                self._changed[key] = self._compile(scenario, key)
            self._changed.move_to_end(key)
            while len(self._changed) > KEPT:
                self._changed.popitem(last=False)
            return self._changed[key]
        finally:
            self._lock.release()

    def _compile(self, scenario: Scenario, key: str) -> Changed:
        edition = self._served.edition
        region, notices = apply_scenario(edition.region(), scenario, edition_hash=edition.hash)
        network = compile_network(region, walk_radius_m=edition.network.walk_radius_m)
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="mobility-scenario-")
        slices = network.slices(Path(self._scratch.name) / key[:16])
        return Side(Planner(network, slices)), notices


def _document(query: ScenarioQuery) -> Document:
    if isinstance(query.scenario, dict):
        return query.scenario
    try:
        return tomllib.loads(query.scenario)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{SOURCE}: no TOML: {error}") from None
