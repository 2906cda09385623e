"""Compare two timetables on the same questions: what changes for whom.

Both sides are asked the very same questions; what is reported is the difference, so that effect and
noise cannot be taken for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mobility.core.time import local_time
from mobility.journey import Journey
from mobility.planner import Planner, locate
from mobility.timetables.connections import Connection, RideTimes, connections

Key = tuple[int, int, int]  # departure, arrival, transfers


@dataclass(frozen=True, slots=True)
class Question:
    """One trip that people make: references of the ends, a window of departures, and a weight.

    ``departure`` is a unix second; ``weight`` says how many people make it (1 where unknown).
    """

    origin: str
    destination: str
    departure: int
    window_s: int
    weight: int = 1


class Side:
    """One timetable of the comparison: a planner, and when its rides call where."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self.rides = RideTimes(planner.network)

    def journeys(self, question: Question) -> tuple[Journey, ...]:
        """Return the Pareto set of the question's window."""
        network = self._planner.network
        return self._planner.plan(
            locate(network, question.origin),
            locate(network, question.destination),
            depart=question.departure,
            arrive=None,
            window_s=question.window_s,
            look_beyond=False,
        ).journeys


@dataclass(frozen=True, slots=True)
class ChangedConnection:
    """A connection that only one side offers; ``other_slack_s`` is what the other side leaves.

    None: one of the two trains does not run there. Below zero: it is missed by so many seconds.
    """

    connection: Connection
    other_slack_s: int | None

    def to_json(self) -> dict[str, Any]:
        """Return the connection with the other side's slack as a document."""
        return {**self.connection.to_json(), "other_slack_s": self.other_slack_s}


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes for one question.

    Changes are after minus before; None where one side has no journey. ``arrival_change_s`` is that
    of the earliest arrival, ``duration_change_s`` that of the shortest ride, in seconds.
    """

    question: Question
    before: tuple[Journey, ...]
    after: tuple[Journey, ...]
    arrival_change_s: int | None
    duration_change_s: int | None
    transfers_change: int | None
    lost: tuple[Key, ...]
    new: tuple[Key, ...]
    broken: tuple[ChangedConnection, ...]
    made: tuple[ChangedConnection, ...]

    @property
    def changed(self) -> bool:
        """Whether the answers differ at all."""
        return bool(self.lost or self.new or self.broken or self.made)

    def to_json(self) -> dict[str, Any]:
        """Return the difference as a document."""
        tz = next((j.legs[0].origin.tz for j in (*self.before, *self.after)), "UTC")
        return {
            "from": self.question.origin,
            "to": self.question.destination,
            "departure": local_time(self.question.departure, tz),
            "window_s": self.question.window_s,
            "weight": self.question.weight,
            "journeys_before": len(self.before),
            "journeys_after": len(self.after),
            "arrival_change_s": self.arrival_change_s,
            "duration_change_s": self.duration_change_s,
            "transfers_change": self.transfers_change,
            "lost": [_key_json(key, tz) for key in self.lost],
            "new": [_key_json(key, tz) for key in self.new],
            "connections_broken": [c.to_json() for c in self.broken],
            "connections_new": [c.to_json() for c in self.made],
        }


def _key_json(key: Key, tz: str) -> dict[str, Any]:
    departure, arrival, transfers = key
    return {
        "departure": local_time(departure, tz),
        "arrival": local_time(arrival, tz),
        "transfers": transfers,
    }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences of all questions, in the order of the questions."""

    differences: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """Return summary and differences as a document."""
        return {
            "summary": self.summary(),
            "questions": [difference.to_json() for difference in self.differences],
        }

    def summary(self) -> dict[str, int]:
        """Return counts over all questions; winners and losers by the shortest ride."""
        changes = [(d, d.duration_change_s) for d in self.differences]
        return {
            "questions": len(self.differences),
            "changed": sum(d.changed for d in self.differences),
            "faster": sum(d.question.weight for d, s in changes if s is not None and s < 0),
            "slower": sum(d.question.weight for d, s in changes if s is not None and s > 0),
            "no_longer_possible": sum(
                d.question.weight for d in self.differences if d.before and not d.after
            ),
            "newly_possible": sum(
                d.question.weight for d in self.differences if d.after and not d.before
            ),
            "connections_broken": len(
                {c.connection.key for d in self.differences for c in d.broken}
            ),
            "connections_new": len({c.connection.key for d in self.differences for c in d.made}),
        }


def compare(
    before: Side,
    after: Side,
    questions: Sequence[Question],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Ask both sides every question and return what differs."""
    differences = []
    for number, question in enumerate(questions, start=1):
        differences.append(_difference(question, before, after))
        if progress is not None:
            progress(number, len(questions))
    return Comparison(tuple(differences))


def _difference(question: Question, before: Side, after: Side) -> Difference:
    old, new = before.journeys(question), after.journeys(question)
    old_keys, new_keys = ({_key(journey) for journey in side} for side in (old, new))
    return Difference(
        question,
        old,
        new,
        _change(old, new, lambda j: j.arrival),
        _change(old, new, lambda j: j.arrival - j.departure),
        _change(old, new, lambda j: j.transfers),
        tuple(sorted(old_keys - new_keys)),
        tuple(sorted(new_keys - old_keys)),
        _only_here(old, after.rides),
        _only_here(new, before.rides),
    )


def _only_here(journeys: Sequence[Journey], other: RideTimes) -> tuple[ChangedConnection, ...]:
    """Return the connections of journeys that the other timetable does not offer."""
    found = {c.key: c for journey in journeys for c in connections(journey)}
    changed = (ChangedConnection(found[key], other.slack_s(found[key])) for key in sorted(found))
    return tuple(c for c in changed if c.other_slack_s is None or c.other_slack_s < 0)


def _key(journey: Journey) -> Key:
    return (journey.departure, journey.arrival, journey.transfers)


def _change(
    before: Sequence[Journey], after: Sequence[Journey], measure: Callable[[Journey], int]
) -> int | None:
    if not before or not after:
        return None
    return min(map(measure, after)) - min(map(measure, before))
