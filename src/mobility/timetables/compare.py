"""Compare two timetables on the same questions: what changes for whom.

Both sides are asked the very same questions; what is reported is the difference, so that effect and
noise cannot be taken for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mobility.core.time import local_time
from mobility.journey import Journey, Leg

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


class Ask(Protocol):
    """One side of the comparison: the journeys for a question."""

    def __call__(self, question: Question) -> Sequence[Journey]:
        """Return the Pareto set of the question's window."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A change between two trains at a station; ``slack_s`` is what remains after walking."""

    station: str
    from_line: str
    to_line: str
    from_trip: str
    to_trip: str
    arrival: int
    departure: int
    slack_s: int
    tz: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when times change: station and the two trips."""
        return (self.station, self.from_trip, self.to_trip)

    def to_json(self) -> dict[str, Any]:
        """Return the connection as a document."""
        return {
            "station": self.station,
            "from_line": self.from_line,
            "to_line": self.to_line,
            "from_trip": self.from_trip,
            "to_trip": self.to_trip,
            "arrival": local_time(self.arrival, self.tz),
            "departure": local_time(self.departure, self.tz),
            "slack_s": self.slack_s,
        }


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
    broken: tuple[Connection, ...]
    made: tuple[Connection, ...]

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
            "connections_broken": len({c.key for d in self.differences for c in d.broken}),
            "connections_new": len({c.key for d in self.differences for c in d.made}),
        }


def compare(
    before: Ask,
    after: Ask,
    questions: Sequence[Question],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Ask both sides every question and return what differs."""
    differences = []
    for number, question in enumerate(questions, start=1):
        differences.append(_difference(question, tuple(before(question)), tuple(after(question))))
        if progress is not None:
            progress(number, len(questions))
    return Comparison(tuple(differences))


def _difference(
    question: Question, before: tuple[Journey, ...], after: tuple[Journey, ...]
) -> Difference:
    keys_before, keys_after = ({_key(j) for j in side} for side in (before, after))
    links_before, links_after = (
        {c.key: c for j in side for c in connections(j)} for side in (before, after)
    )
    return Difference(
        question,
        before,
        after,
        _change(before, after, lambda j: j.arrival),
        _change(before, after, lambda j: j.arrival - j.departure),
        _change(before, after, lambda j: j.transfers),
        tuple(sorted(keys_before - keys_after)),
        tuple(sorted(keys_after - keys_before)),
        tuple(links_before[key] for key in sorted(links_before.keys() - links_after.keys())),
        tuple(links_after[key] for key in sorted(links_after.keys() - links_before.keys())),
    )


def _key(journey: Journey) -> Key:
    return (journey.departure, journey.arrival, journey.transfers)


def _change(
    before: Sequence[Journey], after: Sequence[Journey], measure: Callable[[Journey], int]
) -> int | None:
    if not before or not after:
        return None
    return min(map(measure, after)) - min(map(measure, before))


def connections(journey: Journey) -> list[Connection]:
    """Return the changes of a journey with the slack that each leaves after walking, in seconds."""
    found: list[Connection] = []
    ride: Leg | None = None
    walk_s = 0
    for leg in journey.legs:
        if leg.mode != "transit":
            walk_s += leg.arrival - leg.departure
            continue
        if ride is not None:
            found.append(_connection(ride, leg, walk_s))
        ride, walk_s = leg, 0
    return found


def _connection(ride: Leg, following: Leg, walk_s: int) -> Connection:
    place = following.origin
    return Connection(
        station=place.name,
        from_line=ride.line,
        to_line=following.line,
        from_trip=_trip(ride),
        to_trip=_trip(following),
        arrival=ride.arrival,
        departure=following.departure,
        slack_s=following.departure - ride.arrival - walk_s,
        tz=place.tz,
    )


def _trip(leg: Leg) -> str:
    section = leg.sections[0]
    return f"{section.feed}:{section.trip_id}@{section.service_date.isoformat()}"
