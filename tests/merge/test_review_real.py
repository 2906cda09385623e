"""Review on real operators' feeds: every decision outlives new ids, and the build obeys it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobility.feeds import Feed
from mobility.merge import merge_feeds
from mobility.merge.review.desk import Desk
from mobility.merge.review.file import DecisionFile

from .build import manifest_of
from .golden_lists import RealFeeds
from .test_review_decisions import Rename, partition, prefixed, reissued, shape, told, turned

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def feeds(shared_data: Path) -> list[Feed]:
    real = RealFeeds(shared_data)
    return [real.feed(feed_id) for feed_id in ("db", "sncf")]


@pytest.fixture
def desk(feeds: list[Feed], tmp_path: Path) -> Desk:
    return Desk(feeds, manifest_of(feeds), DecisionFile(tmp_path / "decisions.csv"))


def test_each_doubt_is_asked_once(desk: Desk) -> None:
    asked = [one for one in desk.candidates() if one.standing == "ask"]
    words = [(one.left_is, one.right_is) for one in asked]
    assert 5 <= len(asked) == len(set(words))
    rows = desk.region().tables["train_matches"]
    assert len(asked) < rows.filter(rows["confidence"] < 0.9).height  # variants are one question


@pytest.mark.parametrize("rename", [turned, pytest.param(prefixed, marks=pytest.mark.slow)])
def test_every_decision_outlives_ids_made_anew(
    desk: Desk, feeds: list[Feed], rename: Rename
) -> None:
    """All open questions decided against the build; then every id of stops and trips changes."""
    before = desk.region().train_counts
    asked = [one for one in desk.candidates() if one.standing == "ask"]
    for one in asked:
        desk.decide(one, "different" if one.proposal == "same" else "same", "to try")
    decided = desk.region()
    assert decided.train_counts != before
    assert not told(decided)
    manifest = desk.manifest.model_copy(update={"decisions": desk.file.read()})
    again = merge_feeds([reissued(feed, rename) for feed in feeds], manifest)
    assert told(again) == {"decision_found_again"}
    assert partition(again) == partition(decided)
    assert shape(again) == shape(decided)


def test_an_answer_changes_what_was_said_it_would(desk: Desk, feeds: list[Feed]) -> None:
    for kind in ("train", "station"):
        candidate = next(one for one in desk.candidates() if one.kind == kind)
        answer = "different" if candidate.proposal == "same" else "same"
        effect = desk.effect(candidate, answer)
        before = desk.region()
        desk.decide(candidate, answer, "")
        manifest = desk.manifest.model_copy(update={"decisions": desk.file.read()})
        after = merge_feeds(feeds, manifest)
        assert effect.stations == (
            before.tables["stations"].height,
            after.tables["stations"].height,
        )
        assert effect.runs[1] == int(
            after.days.sum(axis=1)[after.tables["trains"]["service"]].sum()
        )
        changed = {k for k, n in after.train_counts.items() if before.train_counts[k] != n}
        assert set(effect.pairs) == changed
        desk.undo()
