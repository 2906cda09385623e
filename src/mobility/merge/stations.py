"""Stations: which places of different feeds are one, on what evidence, how certain.

Signals in order of trust: a decision of the region's staff, codes, names in normal form with
distance, votes of the timetable. Pairs are accepted from the most certain down, at most one place
per feed in a station, and never wider than the diameter that their evidence allows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mobility.merge.candidates import (
    ALIKE,
    CLOSE_M,
    FUZZY_RAIL_M,
    NEAR_M,
    Candidates,
    place_distance_m,
)
from mobility.merge.places import Places

DIAMETER_M = 1_000  # issue 3, stations
WIDE_DIAMETER_M = 2_000  # only with equal code, or equal name and votes
HARDLY_ALIKE = 0.3
ACCEPT = 0.75
CERTAIN = 0.9  # below it a person is asked
REVIEW = 0.4  # below it nobody is bothered
VOTES_MIN = 2

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Match:
    """One judged pair of places."""

    left: int
    right: int
    accepted: bool
    confidence: float
    evidence: Mapping[str, object] = field(default_factory=dict)


def confidences(candidates: Candidates) -> Floats:
    """Return the confidence of each pair, 0 to 1; rules in order, the first that fits decides.

    Stops of modes that share neither street nor track are never one place unless a code says so:
    the tram stop in front of the station often has its name. What stands in brackets tells places
    apart that lie apart: a town on each bank of a river.

    Source: feeds-and-merging 4.1 to 4.3.
    """
    c = candidates
    metres = np.nan_to_num(c.distance_m, nan=np.inf)
    stripped = c.likeness >= 1.0
    voted = (c.votes >= VOTES_MIN) | (stripped & (c.neighbours >= VOTES_MIN))
    alike = c.likeness >= ALIKE
    rules: list[tuple[Bools, float]] = [
        (c.code & (metres <= CLOSE_M) & (c.shared_mode | (c.likeness >= HARDLY_ALIKE)), 0.99),
        (c.code & (metres <= WIDE_DIAMETER_M) & ((c.likeness >= HARDLY_ALIKE) | voted), 0.97),
        (c.code & (metres <= WIDE_DIAMETER_M), 0.6),
        (~c.shared_mode & c.same_name & (metres <= NEAR_M), 0.4),
        (~c.shared_mode, 0.0),
        (c.same_name & (metres <= NEAR_M), 0.98),
        (c.same_name & (metres <= DIAMETER_M) & voted, 0.97),
        (stripped & (metres <= NEAR_M), 0.95),
        (alike & (metres <= DIAMETER_M) & voted, 0.95),
        (c.same_name & (metres <= DIAMETER_M), 0.93),
        (stripped & (metres <= WIDE_DIAMETER_M) & voted, 0.9),
        (stripped & (metres <= WIDE_DIAMETER_M), 0.5),
        ((metres <= DIAMETER_M) & voted, 0.9),
        ((c.variant >= ALIKE) & (metres <= NEAR_M), 0.92),
        (alike & (metres <= NEAR_M), 0.85),
        ((c.variant >= ALIKE) & (metres <= CLOSE_M), 0.8),
        (c.shared_rail & c.nearest & (metres <= NEAR_M), 0.8),
        (c.nearest & (metres <= NEAR_M), 0.4),
        (alike & (metres <= CLOSE_M), 0.5),
        ((c.variant >= ALIKE) & c.shared_rail & (metres <= FUZZY_RAIL_M), 0.45),
    ]
    return np.select([rule for rule, _ in rules], [value for _, value in rules], 0.0)


def _evidence(candidates: Candidates, places: Places, at: int) -> dict[str, object]:
    left, right = int(candidates.left[at]), int(candidates.right[at])
    metres = candidates.distance_m[at]
    evidence: dict[str, object] = {
        "distance_m": None if np.isnan(metres) else round(float(metres)),
        "likeness": round(float(candidates.likeness[at]), 2),
        "names": [places.names[side][0] if places.names[side] else "" for side in (left, right)],
        "shared_mode": bool(candidates.shared_mode[at]),
        "votes": int(candidates.votes[at]),
        "neighbours": int(candidates.neighbours[at]),
    }
    codes = sorted(places.codes[left] & places.codes[right])
    if codes:
        evidence["code"] = codes[-1]  # a UIC or IFOPT code where there is one
    return evidence


class _Stations:
    """Places united so far; refuses a union that breaks a rule."""

    def __init__(self, places: Places, apart: set[tuple[int, int]]) -> None:
        self.places = places
        self.apart = apart
        self.of = np.arange(len(places))
        self.members: dict[int, list[int]] = {}

    def group(self, place: int) -> list[int]:
        return self.members.get(int(self.of[place]), [place])

    def partnered(self, place: int, other: int) -> bool:
        """Whether the place already has a partner in the other's feed."""
        feed = self.places.feed[other]
        return any(self.places.feed[own] == feed for own in self.group(place))

    def refusal(self, left: int, right: int, diameter_m: float, coded: bool) -> str | None:
        """Return why the two groups may not become one, or None."""
        a, b = self.group(left), self.group(right)
        feeds = [int(self.places.feed[place]) for place in a + b]
        if len(set(feeds)) < len(feeds):
            return "another pair of the same feeds is more certain"
        if any((min(x, y), max(x, y)) in self.apart for x in a for y in b):
            return "decided as different"
        kinds = self.places.kinds
        beside = any(kinds[x] and kinds[y] and not kinds[x] & kinds[y] for x in a for y in b)
        if beside and not coded:
            return "stops of other modes beside it"
        across = [
            place_distance_m(self.places, np.array([x]), np.array([y]))[0] for x in a for y in b
        ]
        if any(metres > diameter_m for metres in across):
            return f"the station would be wider than {diameter_m:.0f} m"
        return None

    def unite(self, left: int, right: int) -> None:
        a, b = self.group(left), self.group(right)
        if a is b:
            return
        merged = sorted({*a, *b})
        self.of[merged] = merged[0]
        self.members[merged[0]] = merged


def match_stations(
    places: Places,
    candidates: Candidates,
    decisions: Mapping[tuple[int, int], tuple[str, str]],
    references: Sequence[str],
) -> tuple[Int64s, list[Match]]:
    """Return for each place the first place of its station, and every judged pair.

    Parameters
    ----------
    places : Places
    candidates : Candidates
    decisions : mapping of (left, right) to (decision, reason)
        ``same`` or ``different``; beats every signal.
    references : sequence of str
        ``feed:stop_id`` per place: the tie-break that no feed order changes.
    """
    confidence = confidences(candidates)
    apart = {pair for pair, (what, _) in decisions.items() if what == "different"}
    same = {pair for pair, (what, _) in decisions.items() if what == "same"}
    stations = _Stations(places, apart)
    pairs = list(zip(candidates.left.tolist(), candidates.right.tolist(), strict=True))
    metres = np.nan_to_num(candidates.distance_m, nan=np.inf)
    order = sorted(
        (at for at in range(len(pairs)) if confidence[at] >= REVIEW or pairs[at] in decisions),
        key=lambda at: (
            pairs[at] not in same,
            -confidence[at],
            metres[at],
            references[pairs[at][0]],
            references[pairs[at][1]],
        ),
    )
    matches = []
    for at in order:
        left, right = pairs[at]
        evidence = _evidence(candidates, places, at)
        if pairs[at] in decisions:
            what, reason = decisions[pairs[at]]
            evidence["decided"] = reason
            if what == "same":
                stations.unite(left, right)
            matches.append(Match(left, right, what == "same", 1.0, evidence))
            continue
        value = float(confidence[at])
        refusal: str | None = "below certainty" if value < ACCEPT else None
        if refusal is None and stations.of[left] != stations.of[right]:
            timetable = max(candidates.votes[at], candidates.neighbours[at]) >= VOTES_MIN
            wide = candidates.code[at] or (candidates.likeness[at] >= 1.0 and timetable)
            refusal = stations.refusal(
                left, right, WIDE_DIAMETER_M if wide else DIAMETER_M, bool(candidates.code[at])
            )
        if refusal is None:
            stations.unite(left, right)
        elif stations.partnered(left, right) and stations.partnered(right, left):
            continue  # both have a more certain partner: nothing to ask
        else:
            evidence["refused"] = refusal
        matches.append(Match(left, right, refusal is None, value, evidence))
    return stations.of, matches


def evidence_json(evidence: Mapping[str, object]) -> str:
    """Return the evidence as one line of JSON with sorted keys."""
    return json.dumps(evidence, sort_keys=True, ensure_ascii=False)
