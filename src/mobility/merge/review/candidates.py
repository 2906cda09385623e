"""Review: what people may decide, each candidate once, the worthiest question first.

A candidate is a pair of stations or of trains, in words (`mobility.merge.meant`): trips that are
one schedule to a rider are one candidate, whatever their calendars. A question is worth the more,
the less certain the build is and the more trains it touches.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from mobility.feeds import Decision
from mobility.merge.ground import Ground
from mobility.merge.meant import StationFinder, TrainFinder
from mobility.merge.region import Region
from mobility.merge.stations import CERTAIN

Kind = Literal["station", "train"]
Answer = Literal["same", "different"]
# ask: below certainty; decided: by people; certain: joined without doubt; rejected: with a reason.
Standing = Literal["ask", "decided", "certain", "rejected"]

# What decisions.csv holds comes first: a row that people filled in is copied there as it is.
REVIEW_COLUMNS = (
    *("kind", "left", "right", "decision", "reason", "left_is", "right_is"),
    *("proposal", "standing", "confidence", "days", "runs", "metres", "minutes", "relation"),
    "evidence",
)
_JOINED = ("joined", "portion")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two stations or two trains that may be one.

    Parameters
    ----------
    kind : str
    left, right : str
        ``feed:stop_id`` or ``feed:trip_id`` of this build; of several trips the one with most days.
    left_is, right_is : str
        The same in words, which outlive ids.
    proposal : str
        What the build makes of it: ``same`` or ``different``.
    standing : str
    confidence : float
        Of the least certain pair, 0 to 1.
    relation : str
        How two trains relate; empty for stations.
    days : int
        On which both trains run; 0 for stations.
    runs : int
        Trains, each day of each counted, that call at the less busy station, or run as both.
    evidence : mapping
        As in the region's tables of matches.
    """

    kind: Kind
    left: str
    right: str
    left_is: str
    right_is: str
    proposal: Answer
    standing: Standing
    confidence: float
    relation: str
    days: int
    runs: int
    evidence: Mapping[str, Any]

    @property
    def key(self) -> str:
        """A short name of the pair; for trains the same whichever of its trips stand for it."""
        own = (self.left, self.right) if self.kind == "station" else ()
        said = "\n".join((self.kind, self.left_is, self.right_is, *own))
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def weight(self) -> float:
        """What an answer is worth: doubt times trains touched."""
        return (1.0 - self.confidence) * (1 + self.runs)

    @property
    def metres(self) -> int | None:
        """Distance of two stations."""
        return self.evidence.get("distance_m")

    @property
    def minutes(self) -> float | None:
        """Largest difference of times in the shared run of two trains."""
        seconds = self.evidence.get("difference_s")
        return None if seconds is None else round(seconds / 60, 1)

    def decided(self, answer: Answer, reason: str) -> Decision:
        """Return the decision that answers the candidate."""
        return Decision(
            kind=self.kind,
            left=self.left,
            right=self.right,
            decision=answer,
            reason=" ".join(reason.split()),
            left_is=self.left_is,
            right_is=self.right_is,
        )


def review_candidates(region: Region, ground: Ground) -> tuple[Candidate, ...]:
    """Return every judged pair of a region as a candidate.

    Questions come first, the weightiest on top; then what was decided, rejected, certain.
    """
    found = [*_stations(region, ground), *_trains(region, ground)]
    order = ("ask", "decided", "rejected", "certain")
    return tuple(
        sorted(
            found,
            key=lambda one: (
                *(order.index(one.standing), -one.weight, one.confidence),
                *(one.kind, one.left_is, one.right_is, one.left, one.right),
            ),
        )
    )


def _stations(region: Region, ground: Ground) -> Iterable[Candidate]:
    finder = StationFinder(ground)
    place_of = {reference: place for place, reference in enumerate(ground.references)}
    runs = _runs_of_places(ground)
    rows = region.tables["station_matches"].iter_rows()
    for left, right, decision, confidence, evidence in rows:
        sides = place_of[left], place_of[right]
        said = json.loads(evidence)
        standing: Standing = "certain" if decision == "same" else "rejected"
        if "decided" in said:
            standing = "decided"
        elif confidence < CERTAIN:
            standing = "ask"
        yield Candidate(
            kind="station",
            left=left,
            right=right,
            left_is=finder.words(sides[0]).text(),
            right_is=finder.words(sides[1]).text(),
            proposal="same" if decision == "same" else "different",
            standing=standing,
            confidence=confidence,
            relation="",
            days=0,
            runs=int(min(runs[sides[0]], runs[sides[1]])),
            evidence=said,
        )


def _runs_of_places(ground: Ground) -> np.ndarray:
    """Return how many trains call at each place, every day of each counted; int64[n_places]."""
    events, services = ground.tables.events, ground.tables.trip_service
    per_trip = np.where(services >= 0, ground.days.rows.sum(axis=1)[services], 0)
    per_event = np.repeat(per_trip, np.diff(events.start))
    places = ground.places.of_stop[events.stop]
    counted = np.bincount(places, weights=per_event, minlength=len(ground.places))
    out: np.ndarray = counted.astype(np.int64)
    return out


def _trains(region: Region, ground: Ground) -> Iterable[Candidate]:
    table = region.tables["train_matches"]
    if not table.height:
        return
    finder = TrainFinder(ground)
    trips = ground.trip_of()
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in table.iter_rows(named=True):
        words = [finder.words(trips[row[side]]).text() for side in ("left_trip", "right_trip")]
        row["evidence"] = json.loads(row["evidence"])
        groups.setdefault((words[0], words[1]), []).append(row)
    for (left_is, right_is), rows in groups.items():
        yield _train(left_is, right_is, rows)


def _train(left_is: str, right_is: str, rows: Sequence[Mapping[str, Any]]) -> Candidate:
    """Return the candidate of pairs of trips of equal words: it stands as the neediest of them."""
    standings = [_train_standing(row) for row in rows]
    neediest = min(standings, key=("ask", "certain", "rejected", "decided").index)
    own = [row for row, standing in zip(rows, standings, strict=True) if standing == neediest]
    least = min(own, key=lambda row: (row["confidence"], -row["days"], row["left_trip"]))
    shown = max(own, key=lambda row: (row["days"], row["left_trip"], row["right_trip"]))
    days = sum(row["days"] for row in own)
    return Candidate(
        kind="train",
        left=shown["left_trip"],
        right=shown["right_trip"],
        left_is=left_is,
        right_is=right_is,
        proposal="same" if least["decision"] in _JOINED else "different",
        standing=neediest,
        confidence=least["confidence"],
        relation=least["kind"],
        days=days,
        runs=days,
        evidence=least["evidence"],
    )


def _train_standing(row: Mapping[str, Any]) -> Standing:
    if "decided" in row["evidence"]:
        return "decided"
    if row["decision"] == "rejected":
        return "rejected"
    return "ask" if row["confidence"] < CERTAIN else "certain"


def review_table(
    candidates: Iterable[Candidate], say: Callable[[Candidate], str] | None = None
) -> pl.DataFrame:
    """Return candidates as the sheet that people decide on, in the order given.

    Parameters
    ----------
    candidates : iterable of Candidate
    say : callable, optional
        The evidence of a candidate in words; by default it stays JSON.
    """
    rows = [
        (
            *(one.kind, one.left, one.right, "", "", one.left_is, one.right_is, one.proposal),
            *(one.standing, one.confidence, one.days, one.runs, one.metres, one.minutes),
            one.relation,
            say(one) if say else json.dumps(one.evidence, sort_keys=True, ensure_ascii=False),
        )
        for one in candidates
    ]
    numbers: dict[str, Any] = {
        **dict.fromkeys(("confidence", "minutes"), pl.Float64),
        **dict.fromkeys(("days", "runs", "metres"), pl.Int64),
    }
    schema = {name: numbers.get(name, pl.String) for name in REVIEW_COLUMNS}
    return pl.DataFrame(rows, schema=schema, orient="row")
