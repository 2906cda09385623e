"""Joins: from related schedules to pairs of trips that are one train on given days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from mobility.merge.calendar import shift_days
from mobility.merge.decisions import TripDecisions
from mobility.merge.pairs import SchedulePair
from mobility.merge.schedules import Schedules
from mobility.merge.structure import INNER_TOLERANCE_S, Relation

ACCEPT = 0.75
CERTAIN = 0.9  # below it a person is asked
SURE_TWIN = 0.99  # trips of one feed with equal calls and no contradicting numbers
REJECTED_MAX = 20_000  # rejected pairs that are told one by one

Bools = npt.NDArray[np.bool_]
Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Join:
    """Two trips that are one train on some days.

    Parameters
    ----------
    left, right : int
        Trips; the left one's feed comes first.
    relation : Relation
        Calls counted without border points.
    shift, seconds : int
        Service date of the right minus the left; origin of the right minus the left.
    days : bool[n_days]
        Service dates of the left.
    confidence : float
    strength : tuple
        Order in which joins are tried: smaller first.
    stated : bool
        People say so: a decision, or a pair in the manifest.
    """

    left: int
    right: int
    relation: Relation
    shift: int
    seconds: int
    days: Bools
    confidence: float
    strength: tuple[int | float, ...]
    stated: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of two related trips, with the evidence."""

    left: int
    right: int
    kind: str
    days: int
    decision: str
    confidence: float
    evidence: Mapping[str, object]


_ORDER = {"equal": 0, "contained": 1, "overlap": 2, "hand_over": 3}


def join_confidence(pair: SchedulePair, shared_mode: bool, rail: bool) -> float:
    """Return the confidence that two related schedules are one train, 0 to 1.

    Equal numbers settle it. Without numbers every further shared station makes chance less
    likely; on streets, where vehicles follow one another by the minute, three are the least.
    """
    relation = pair.relation
    if not relation.joins:
        return 0.0
    if pair.equal_number or pair.listed:
        return 0.99 if relation.kind != "hand_over" or pair.equal_number else 0.98
    if not shared_mode or relation.kind == "hand_over":
        return 0.0
    shared, loose = relation.shared, len(relation.pairs) - relation.shared
    if shared == 2:
        value = 0.85 if rail else 0.5
    else:
        value = 0.95 if shared == 3 else 0.97
        value -= 0.0 if rail else 0.1
    value -= 0.03 if relation.difference_s else 0.0
    value -= 0.08 if relation.difference_s > INNER_TOLERANCE_S else 0.0
    if loose:
        value -= 0.05 if loose * 2 <= shared else 0.3
    return round(value - 0.02 * min(relation.skipped, 5), 3)


def _reason(pair: SchedulePair, shared_mode: bool) -> str:
    kind = pair.relation.kind
    if kind == "parallel":
        return "other train numbers in the same minutes: portions or two trains"
    if kind == "touching":
        return "ends where the other begins, without a common number: a connection"
    if kind == "crossing":
        return "the shared run is neither all of one nor the end of one and the start of the other"
    if not shared_mode:
        return "other modes"
    return "too little in common"


class Judge:
    """Turns related schedules into joins and judgements.

    Parameters
    ----------
    schedules : Schedules
    trip_days : bool[n_services, n_days]
        Rows of services.
    trip_service, trip_mode : int32[n_trips]
        Row of days; bits of the kinds of mode.
    rail : int
        The mode bit of rail.
    decisions : TripDecisions
        (left trip, right trip) to (decision, reason).
    """

    def __init__(
        self,
        schedules: Schedules,
        rows: Bools,
        trip_service: Int32s,
        trip_mode: Int32s,
        rail: int,
        decisions: TripDecisions,
    ) -> None:
        self.schedules = schedules
        self.rows = rows
        self.trip_service = trip_service
        self.trip_mode = trip_mode
        self.rail = rail
        self.decisions = decisions
        self.joins: list[Join] = []
        self.rejected: list[Judgement] = []
        self.n_rejected = 0

    def hear(self, pairs: Iterable[SchedulePair]) -> None:
        """Judge every pair of schedules, trip by trip."""
        for pair in pairs:
            left, right = self._trips(pair.left), self._trips(pair.right)
            modes = int(self.trip_mode[left[0]]), int(self.trip_mode[right[0]])
            shared_mode = bool(modes[0] & modes[1])
            confidence = join_confidence(pair, shared_mode, bool(modes[0] & self.rail))
            decided = self._decided(left, right)
            possible = pair.relation.shape in _ORDER
            if confidence >= ACCEPT or ("same" in decided.values() and possible):
                self._join(pair, left, right, confidence, decided)
            elif _worth_telling(pair.relation) and self.n_rejected < REJECTED_MAX:
                self._reject(pair, left, right, confidence, _reason(pair, shared_mode))

    def _trips(self, schedule: int) -> Int32s:
        bounds = self.schedules.trip_start[schedule : schedule + 2]
        return self.schedules.trip[bounds[0] : bounds[1]]

    def _decided(self, left: Int32s, right: Int32s) -> dict[tuple[int, int], str]:
        if not self.decisions:
            return {}
        lefts = [trip for trip in left.tolist() if self.decisions.touches(trip)]
        rights = [trip for trip in right.tolist() if self.decisions.touches(trip)]
        found = ((pair, self.decisions.get(pair)) for pair in product(lefts, rights))
        return {pair: decided[0] for pair, decided in found if decided is not None}

    def _common_days(self, pair: SchedulePair, left: int, right: Int32s) -> Bools:
        own = self.rows[self.trip_service[left]] & pair.offset.days
        shifted = shift_days(self.rows[self.trip_service[right]], pair.offset.shift)
        common: Bools = shifted & own
        return common

    def _join(
        self,
        pair: SchedulePair,
        left: Int32s,
        right: Int32s,
        confidence: float,
        decided: Mapping[tuple[int, int], str],
    ) -> None:
        # A decision to join makes of parallel or touching runs what their places and times say.
        relation = pair.relation
        if not relation.joins:
            relation = replace(relation, kind=relation.shape)
        for a in left.tolist():
            common = self._common_days(pair, a, right)
            for b, days in zip(right.tolist(), common, strict=True):
                what = decided.get((a, b))
                if not days.any() or (what is None and confidence < ACCEPT):
                    continue
                if what == "different":
                    said = relation_evidence(relation) | {"reason": "decided as different"}
                    n_days = int(days.sum())
                    self.rejected.append(
                        Judgement(a, b, relation.kind, n_days, "rejected", 1.0, said)
                    )
                    continue
                value = 1.0 if what == "same" else confidence
                strength = (
                    *(what != "same", _ORDER[relation.kind], not pair.equal_number),
                    *(-relation.shared, relation.difference_s, a, b),
                )
                self.joins.append(
                    Join(
                        *(a, b, relation, pair.offset.shift, pair.offset.seconds, days),
                        *(value, strength, what == "same" or pair.listed),
                    )
                )

    def _reject(
        self, pair: SchedulePair, left: Int32s, right: Int32s, confidence: float, reason: str
    ) -> None:
        kind = "hand_over" if pair.relation.kind == "touching" else pair.relation.kind
        evidence = relation_evidence(pair.relation) | {"reason": reason}
        decision = "review" if confidence > 0 else "rejected"
        for a in left.tolist():
            common = self._common_days(pair, a, right)
            for b, days in zip(right.tolist(), common.sum(axis=1).tolist(), strict=True):
                if not days:
                    continue
                self.n_rejected += 1
                if self.n_rejected <= REJECTED_MAX:
                    self.rejected.append(
                        Judgement(a, b, kind, days, decision, confidence, evidence)
                    )


def _worth_telling(relation: Relation) -> bool:
    """Whether a rejected pair looks enough like one train that a person may ask about it."""
    if relation.kind == "touching":
        return relation.dwell_s is not None
    return relation.kind in ("parallel", "crossing", "equal", "contained", "overlap")


def relation_evidence(relation: Relation) -> dict[str, object]:
    """Return what the structure says, for people."""
    evidence: dict[str, object] = {
        "shared_calls": relation.shared,
        "difference_s": relation.difference_s,
        "skipped_calls": relation.skipped,
    }
    if relation.kind in ("hand_over", "touching"):
        evidence["dwell_s"] = relation.dwell_s
    return evidence


def pair_days(joins: Sequence[Join]) -> dict[tuple[int, int], int]:
    """Return the number of days of each joined pair of trips."""
    days: dict[tuple[int, int], int] = {}
    for join in joins:
        key = (join.left, join.right)
        days[key] = days.get(key, 0) + int(join.days.sum())
    return days
