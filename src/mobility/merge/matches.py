"""The tables of judged pairs: what was joined or not, on what evidence."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mobility.merge.ground import Ground
from mobility.merge.joins import Judge, Judgement, pair_days, relation_evidence
from mobility.merge.region import JOINED_KINDS
from mobility.merge.splice import Splicer
from mobility.merge.stations import Match, evidence_json

LISTS_BOTH = "one feed lists both sides as two trains: a connection"


def station_matches(ground: Ground, matches: Sequence[Match]) -> pl.DataFrame:
    """Return the `station_matches` table."""
    rows = [
        (
            ground.references[match.left],
            ground.references[match.right],
            "same" if match.accepted else "different",
            round(match.confidence, 3),
            evidence_json(match.evidence),
        )
        for match in matches
    ]
    schema = {
        **dict.fromkeys(("left", "right", "decision"), pl.String),
        "confidence": pl.Float64,
        "evidence": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("left", "right")


def train_matches(
    ground: Ground, splicer: Splicer, judge: Judge | None
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the `train_matches` table and how many trips of two feeds are joined, by kind.

    What one feed lists twice is in the table, but is no train that crosses from feed to feed.
    """
    told: list[Judgement] = list(judge.rejected) if judge is not None else []
    counts = dict.fromkeys(JOINED_KINDS, 0)
    days = pair_days(splicer.joins)
    decisions = judge.decisions if judge is not None else {}
    feeds = ground.tables.trip_feed.tolist()
    for (left, right), (join, decision) in sorted(splicer.kept.items()):
        kind = join.relation.kind
        counts[kind] += feeds[left] != feeds[right]
        said = relation_evidence(join.relation)
        told.append(
            Judgement(left, right, kind, days[left, right], decision, join.confidence, said)
        )
    for (left, right), join in sorted(splicer.refused.items()):
        if (left, right) not in splicer.kept:
            said = relation_evidence(join.relation) | {"reason": LISTS_BOTH}
            told.append(
                Judgement(left, right, "hand_over", days[left, right], "rejected", 0.0, said)
            )
    ids, numbers = ground.tables.trips["trip_id"].to_list(), ground.tables.trips["number"].to_list()
    rows = []
    for one in told:
        evidence = {**one.evidence, "numbers": [numbers[one.left], numbers[one.right]]}
        decided = decisions.get((one.left, one.right))
        if decided is not None:
            evidence["decided"] = decided[1]
        rows.append(
            (
                f"{ground.ids[feeds[one.left]]}:{ids[one.left]}",
                f"{ground.ids[feeds[one.right]]}:{ids[one.right]}",
                *(one.kind, one.days, one.decision),
                1.0 if decided is not None else round(one.confidence, 3),
                evidence_json(evidence),
            )
        )
    schema = {
        **dict.fromkeys(("left_trip", "right_trip", "kind"), pl.String),
        "days": pl.Int32,
        "decision": pl.String,
        "confidence": pl.Float64,
        "evidence": pl.String,
    }
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return table.sort("left_trip", "right_trip", "kind", "decision"), counts
