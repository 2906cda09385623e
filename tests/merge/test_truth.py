"""Against what was judged by reading: stations' precision and recall, and pairs of trains drawn.

The truth was made apart from the matcher (`truth_candidates`, `truth_trains`); docs/matching.md
tells how. ``unsure`` counts neither way; ``missed`` is one train that was left as two.
"""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mobility.merge import Region

from .golden_lists import RealFeeds
from .truth_candidates import PAIRS, find_pairs
from .truth_trains import DRAWN, TRUTH, draw

pytestmark = pytest.mark.shared


def slow_where_large(pairs: Sequence[tuple[str, str]]) -> list[Any]:
    """Return the pairs as parameters; one of the feeds takes its time to read."""
    return [
        pytest.param(pair, id="_".join(pair), marks=[pytest.mark.slow] * ("cercanias" in pair))
        for pair in pairs
    ]


# Verdicts "missed" among the pairs drawn; fewer is better, and then to be lowered here.
MISSED_MAX = {"db_sncf": 3, "db_zssk": 9, "cercanias_renfe": 8}
READ_SEED = 2026  # of the stations settled by number that were read all the same
READ = 60


@pytest.fixture(scope="module")
def real(shared_data: Path) -> RealFeeds:
    """Return a reader of real feeds; each feed is read, each region made once."""
    return RealFeeds(shared_data)


def verdicts(name: str) -> list[dict[str, str]]:
    """Return the rows of a truth file."""
    with (TRUTH / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def matched_stations(region: Region) -> set[frozenset[str]]:
    """Return the pairs of stations of two feeds that the merge made one; quays left out."""
    members: dict[int, list[tuple[int, str]]] = {}
    stops = region.tables["stops"]
    for feed, stop, parent, station in stops.select(
        "feed", "stop_id", "parent", "station"
    ).iter_rows():
        if parent is None:
            reference = f"{region.feeds[feed].id}:{stop}"
            members.setdefault(station, []).append((feed, reference))
    return {
        frozenset((left, right))
        for own in members.values()
        for feed, left in own
        for other, right in own
        if feed < other
    }


@pytest.mark.parametrize("pair", PAIRS, ids="_".join)
def test_every_pair_that_could_be_one_station_has_a_verdict(
    shared_data: Path, pair: tuple[str, str]
) -> None:
    judged = {(row["left"], row["right"]) for row in verdicts("stations_" + "_".join(pair))}
    found = {(one.reference, other.reference) for one, other, _ in find_pairs(shared_data, *pair)}
    assert judged == found


@pytest.mark.parametrize("pair", slow_where_large(PAIRS))
def test_stations_are_matched_precisely_and_completely(
    real: RealFeeds, pair: tuple[str, str]
) -> None:
    rows = verdicts("stations_" + "_".join(pair))
    of: dict[str, set[frozenset[str]]] = {"yes": set(), "no": set(), "unsure": set()}
    for row in rows:
        of[row["same"]].add(frozenset((row["left"], row["right"])))
    matched = matched_stations(real.merge(*pair)) - of["unsure"]
    assert matched - of["yes"] == set(), "precision"
    assert of["yes"] - matched == set(), "recall"


def test_what_a_rule_settled_was_read_by_sample() -> None:
    """In one pair most stations have the same number, name and position in both feeds."""
    settled = [
        row
        for row in verdicts("stations_renfe_cercanias")
        if row["left"].partition(":")[2] == row["right"].partition(":")[2]
    ]
    assert {row["same"] for row in settled} == {"yes"}
    read = random.Random(READ_SEED).sample(sorted(row["left"] for row in settled), READ)
    judged = {row["left"]: row["judged"] for row in settled}
    assert {judged[left] for left in read} == {"eye"}
    others = [row for row in verdicts("stations_renfe_cercanias") if row not in settled]
    assert {row["judged"] for row in others} == {"eye"}


@pytest.mark.parametrize("pair", slow_where_large(DRAWN))
def test_every_pair_of_trains_drawn_has_a_verdict_and_none_is_joined_wrongly(
    real: RealFeeds, pair: tuple[str, str]
) -> None:
    """Where this fails after a change: print the draw (`truth_trains`), look, write the verdict."""
    name = "_".join(pair)
    seen = {(row["left_trip"], row["right_trip"]): row for row in verdicts(f"draw_{name}")}
    drawn = draw(real, *pair)
    unseen = [one for one in drawn if (one.left_trip, one.right_trip) not in seen]
    assert unseen == []
    verdict = Counter()
    for one in drawn:
        row = seen[one.left_trip, one.right_trip]
        assert row["what"] == one.what, one
        assert row["seen"], one
        verdict[one.what.partition(" ")[0], row["verdict"]] += 1
    assert verdict["joined", "right"] >= 25
    left_apart = sum(n for (_, one), n in verdict.items() if one == "missed")
    assert {one for (what, one) in verdict if what in ("joined", "portion")} == {"right"}
    assert {one for _, one in verdict} <= {"right", "missed"}
    assert left_apart <= MISSED_MAX[name]


@pytest.mark.parametrize("pair", slow_where_large(DRAWN))
def test_nothing_that_only_touches_is_joined(real: RealFeeds, pair: tuple[str, str]) -> None:
    """No feed of these pairs has numbers that the other shares: one call never suffices."""
    matches = real.merge(*pair).tables["train_matches"]
    joined = matches.filter(matches["decision"].is_in(["joined", "portion"]))
    assert "hand_over" not in joined["kind"].to_list()
    assert min(json.loads(evidence)["shared_calls"] for evidence in joined["evidence"]) >= 2
