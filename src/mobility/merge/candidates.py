"""Candidates: pairs of places that any signal suggests, with all signals.

Signals: codes in ids, equal names within two kilometres, nearness, and whatever the timetable has
voted for so far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.units import distance_m
from mobility.merge.names import jaccard, similarity
from mobility.merge.places import METRES_PER_DEGREE, RAIL, Forms, Places

WIDE_M = 2_000
NEAR_M = 150
CLOSE_M = 500
ALIKE = 0.6  # trigram likeness from which names are variants of one another
FUZZY_RAIL_M = 1_500

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
    cells = _cells(places, np.flatnonzero(located), WIDE_M).join(names, on="place")
    return _around(cells, cells, ["form"])


def _near_join(places: Places, radius_m: float, modes: int | None) -> tuple[Int64s, Int64s]:
    chosen = _located(places) & (places.modes != 0)
    if modes is not None:
        chosen &= (places.modes & modes) != 0
    cells = _cells(places, np.flatnonzero(chosen), radius_m)
    left, right = _around(cells, cells, [])
    shared = (places.kinds[left] & places.kinds[right]) != 0
    return _within(places, (left[shared], right[shared]), radius_m)


def _unserved_join(
    places: Places, forms: Sequence[Forms], radius_m: float
) -> tuple[Int64s, Int64s]:
    """Return near pairs of like names of which nothing calls at one: its mode says nothing."""
    everywhere = _cells(places, np.flatnonzero(_located(places)), radius_m)
    unserved = everywhere.filter(pl.Series(places.modes[everywhere["place"].to_numpy()] == 0))
    both = _around(everywhere, unserved, []), _around(unserved, everywhere, [])
    left, right = _within(
        places,
        (np.concatenate([a for a, _ in both]), np.concatenate([b for _, b in both])),
        radius_m,
    )
    like = np.array(
        [
            any(similarity(x, y) >= ALIKE for x in forms[a].any for y in forms[b].any)
            for a, b in zip(left.tolist(), right.tolist(), strict=True)
        ],
        np.bool_,
    )
    return left[like], right[like]


def _settled(places: Places, pairs: tuple[Int64s, Int64s]) -> set[tuple[int, int]]:
    """Return (place, other feed) where that feed has a place of equal name and kind near by."""
    left, right = pairs
    shared = (places.kinds[left] & places.kinds[right]) != 0
    left, right = left[shared], right[shared]
    here = zip(left.tolist(), places.feed[right].tolist(), strict=True)
    return {*here, *zip(right.tolist(), places.feed[left].tolist(), strict=True)}


def _open(
    places: Places, settled: set[tuple[int, int]], pairs: tuple[Int64s, Int64s]
) -> tuple[Int64s, Int64s]:
    """Return the pairs of which at least one place looks for a partner under another name."""
    feeds = places.feed.tolist()
    wanted = [
        (left, right)
        for left, right in zip(pairs[0].tolist(), pairs[1].tolist(), strict=True)
        if (left, feeds[right]) not in settled or (right, feeds[left]) not in settled
    ]
    table = np.array(wanted, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


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
    named = _within(places, _names_join(places, forms), WIDE_M)
    settled = _settled(places, _within(places, named, NEAR_M))
    sources = [
        _codes_join(places),
        named,
        _open(places, settled, _near_join(places, CLOSE_M, None)),
        _open(places, settled, _near_join(places, FUZZY_RAIL_M, RAIL)),
        _open(places, settled, _unserved_join(places, forms, CLOSE_M)),
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
    known: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[float, float]] = {}
    code, same_name = np.zeros(len(pairs), np.bool_), np.zeros(len(pairs), np.bool_)
    for at, (a, b) in enumerate(pairs):
        names = forms[a].any, forms[b].any
        if names not in known:
            both = [(x, y) for x in names[0] for y in names[1]]
            known[names] = (
                max((similarity(x, y) for x, y in both), default=0.0),
                max((jaccard(x, y) for x, y in both), default=0.0),
            )
        likeness[at], variant[at] = known[names]
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
