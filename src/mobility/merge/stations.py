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
import polars as pl

from mobility.core.units import distance_m
from mobility.merge.names import jaccard, similarity
from mobility.merge.places import METRES_PER_DEGREE, RAIL, Forms, Places

DIAMETER_M = 1_000  # issue 3, stations
WIDE_DIAMETER_M = 2_000  # only with equal code, or equal name and votes
NEAR_M = 150
CLOSE_M = 500
FUZZY_RAIL_M = 1_500
ALIKE = 0.6  # trigram likeness from which names are variants of one another
HARDLY_ALIKE = 0.3
ACCEPT = 0.75
CERTAIN = 0.9  # below it a person is asked
REVIEW = 0.4  # below it nobody is bothered
VOTES_MIN = 2

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs of places of different feeds (left before right) with their evidence.

    All arrays have one entry per pair. `likeness` counts a name that is part of the other,
    `variant` does not; `same_name` is equality with what stands in brackets; `votes` counts trains
    that call at both in the same minute, `neighbours` the stations next to both, as far away in
    time. Where nothing calls at one of the two, the mode counts as shared.
    """

    left: Int64s
    right: Int64s
    distance_m: Floats
    code: Bools
    likeness: Floats
    variant: Floats
    same_name: Bools
    shared_mode: Bools
    shared_rail: Bools
    nearest: Bools
    votes: Int64s
    neighbours: Int64s


@dataclass(frozen=True, slots=True)
class Match:
    """One judged pair of places."""

    left: int
    right: int
    accepted: bool
    confidence: float
    evidence: Mapping[str, object] = field(default_factory=dict)


def _codes_join(places: Places) -> tuple[Int64s, Int64s]:
    rows = [(place, code) for place, codes in enumerate(places.codes) for code in sorted(codes)]
    table = pl.DataFrame(rows, schema={"place": pl.Int64, "code": pl.String}, orient="row")
    pairs = table.join(table, on="code").filter(pl.col("place") < pl.col("place_right"))
    pairs = pairs.unique(["place", "place_right"])
    return pairs["place"].to_numpy(), pairs["place_right"].to_numpy()


def _cells(places: Places, nodes: Int64s, radius_m: float) -> pl.DataFrame:
    height = radius_m / METRES_PER_DEGREE
    top = min(float(np.abs(places.lat[nodes]).max(initial=0.0)), 89.0)
    width = height / max(0.01, float(np.cos(np.radians(top))))
    return pl.DataFrame(
        {
            "place": nodes,
            "feed": places.feed[nodes],
            "row": np.floor(places.lat[nodes] / height).astype(np.int64),
            "column": np.floor(places.lon[nodes] / width).astype(np.int64),
        }
    )


def _around(left: pl.DataFrame, right: pl.DataFrame, keys: Sequence[str]) -> tuple[Int64s, Int64s]:
    """Return pairs of different feeds in the same or neighbouring cells with equal keys."""
    parts = [
        left.with_columns(pl.col("row") + row, pl.col("column") + column)
        .join(right, on=["row", "column", *keys])
        .filter(pl.col("feed") != pl.col("feed_right"))
        .filter(pl.col("place") < pl.col("place_right"))
        .select("place", "place_right")
        for row in (-1, 0, 1)
        for column in (-1, 0, 1)
    ]
    pairs = pl.concat(parts).unique()
    return pairs["place"].to_numpy(), pairs["place_right"].to_numpy()


def _located(places: Places) -> Bools:
    return ~np.isnan(places.lat) & ~np.isnan(places.lon) & ~places.border_point


def _within(places: Places, pairs: tuple[Int64s, Int64s], radius_m: float) -> tuple[Int64s, Int64s]:
    left, right = pairs
    near = place_distance_m(places, left, right) <= radius_m
    return left[near], right[near]


def place_distance_m(places: Places, left: Int64s, right: Int64s) -> Floats:
    """Return the distance of each pair in metres; NaN where a position is unknown."""
    return np.asarray(
        distance_m(places.lat[left], places.lon[left], places.lat[right], places.lon[right])
    )


def _names_join(places: Places, forms: Sequence[Forms]) -> tuple[Int64s, Int64s]:
    located = _located(places)
    rows = [(p, form) for p, known in enumerate(forms) if located[p] for form in known.any]
    names = pl.DataFrame(rows, schema={"place": pl.Int64, "form": pl.String}, orient="row")
    cells = _cells(places, np.flatnonzero(located), WIDE_DIAMETER_M).join(names, on="place")
    return _around(cells, cells, ["form"])


def _near_join(places: Places, radius_m: float, modes: int | None) -> tuple[Int64s, Int64s]:
    chosen = _located(places) & (places.modes != 0)
    if modes is not None:
        chosen &= (places.modes & modes) != 0
    cells = _cells(places, np.flatnonzero(chosen), radius_m)
    left, right = _around(cells, cells, [])
    shared = (places.kinds[left] & places.kinds[right]) != 0
    return left[shared], right[shared]


def find_candidates(
    places: Places,
    forms: Sequence[Forms],
    votes: Mapping[tuple[int, int], tuple[int, int]],
    decided: Sequence[tuple[int, int]] = (),
) -> Candidates:
    """Return every pair of places that any signal suggests, with all signals.

    Parameters
    ----------
    places : Places
    forms : sequence of tuple of str
        Normal forms per place.
    votes : mapping of (left, right) to (trains, neighbours)
        Trains that call at both places in the same minute; stations that are next to both.
    decided : sequence of pairs
        Pairs that the staff decided on; listed whatever the signals say.
    """
    extra = sorted(set(votes) | {(min(pair), max(pair)) for pair in decided})
    sources = [
        _codes_join(places),
        _within(places, _names_join(places, forms), WIDE_DIAMETER_M),
        _within(places, _near_join(places, CLOSE_M, None), CLOSE_M),
        _within(places, _near_join(places, FUZZY_RAIL_M, RAIL), FUZZY_RAIL_M),
        (
            np.array([pair[0] for pair in extra], np.int64),
            np.array([pair[1] for pair in extra], np.int64),
        ),
    ]
    n_places = len(places)
    keys = np.unique(np.concatenate([left * n_places + right for left, right in sources]))
    left, right = keys // max(1, n_places), keys % max(1, n_places)
    wanted = (places.feed[left] != places.feed[right]) & ~places.border_point[left]
    wanted &= ~places.border_point[right]
    forced = set(extra)
    wanted |= np.array(
        [pair in forced for pair in zip(left.tolist(), right.tolist(), strict=True)], bool
    )
    return _with_signals(places, forms, votes, left[wanted], right[wanted])


def _with_signals(
    places: Places,
    forms: Sequence[Forms],
    votes: Mapping[tuple[int, int], tuple[int, int]],
    left: Int64s,
    right: Int64s,
) -> Candidates:
    pairs = list(zip(left.tolist(), right.tolist(), strict=True))
    likeness, variant = np.zeros(len(pairs)), np.zeros(len(pairs))
    code, same_name = np.zeros(len(pairs), np.bool_), np.zeros(len(pairs), np.bool_)
    for at, (a, b) in enumerate(pairs):
        both = [(x, y) for x in forms[a].any for y in forms[b].any]
        likeness[at] = max((similarity(x, y) for x, y in both), default=0.0)
        variant[at] = max((jaccard(x, y) for x, y in both), default=0.0)
        code[at] = not places.codes[a].isdisjoint(places.codes[b])
        same_name[at] = not forms[a].full.isdisjoint(forms[b].full)
    distance = place_distance_m(places, left, right)
    return Candidates(
        left=left,
        right=right,
        distance_m=distance,
        code=code,
        likeness=likeness,
        variant=variant,
        same_name=same_name,
        shared_mode=((places.kinds[left] & places.kinds[right]) != 0)
        | (places.kinds[left] == 0)
        | (places.kinds[right] == 0),
        shared_rail=(places.modes[left] & places.modes[right] & RAIL) != 0,
        nearest=_mutually_nearest(places, left, right, distance),
        votes=np.array([votes.get(pair, (0, 0))[0] for pair in pairs], np.int64),
        neighbours=np.array([votes.get(pair, (0, 0))[1] for pair in pairs], np.int64),
    )


def _mutually_nearest(places: Places, left: Int64s, right: Int64s, distance: Floats) -> Bools:
    """Return whether each of the two has no nearer candidate in the other's feed."""
    pairs = pl.DataFrame(
        {
            "left": left,
            "right": right,
            "left_feed": places.feed[left],
            "right_feed": places.feed[right],
            "distance": np.nan_to_num(distance, nan=np.inf),
        }
    )
    best = pairs.select(
        (pl.col("distance") <= pl.col("distance").min().over("left", "right_feed"))
        & (pl.col("distance") <= pl.col("distance").min().over("right", "left_feed"))
    )
    return best.to_series().to_numpy()


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
        evidence["code"] = codes[0]
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
