"""Review: each doubt once, the weightiest first; what an answer changes; answers kept on file."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility.core.errors import ManifestError, UsageError
from mobility.feeds import Decision, Feed, read_feed, read_manifest
from mobility.feeds.manifest import read_decisions
from mobility.merge import Region, merge_feeds
from mobility.merge.merge import lay_ground
from mobility.merge.review.candidates import (
    REVIEW_COLUMNS,
    Answer,
    Candidate,
    review_candidates,
    review_table,
)
from mobility.merge.review.desk import Desk
from mobility.merge.review.effects import Effect, compare_regions
from mobility.merge.review.file import DecisionFile, decisions_beside

from .build import NUMBER, manifest_of, merged
from .test_properties import Listing, build, listings

Rail = Callable[..., Feed]
SWISS = "z,Zentrum,47.50,7.50\nn,Nord,47.60,7.60\ns,Süd,47.40,7.40\no,Ort,47.30,7.30"
GERMAN = "zz,Zentrum Bf,47.5005,7.5005\nnn,Nord,47.6003,7.6003\noo,Ort West,47.3009,7.3"
WEEK = """
# calendar.txt
service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
WD,1,1,1,1,1,0,0,20270301,20270307
WE,0,0,0,0,0,1,1,20270301,20270307
"""


def doubtful(rail: Rail) -> list[Feed]:
    """Two trains that share two stations, one as two calendar variants; one doubtful station."""
    runs = {
        "wd": "n 08:00, z 08:10, s 08:30",
        "we": "n 08:00, z 08:10, s 08:30",
        "o": "n 9:00, o 9:30",
    }
    return [
        rail("ch", SWISS, {trip: f": {run}" for trip, run in runs.items()}, calendar=WEEK,
             services={"wd": "WD", "we": "WE", "o": "WE"}),
        rail("de", GERMAN, {"x": "7: nn 08:00, zz 08:10", "y": "8: nn 10:00, oo 10:30"},
             train_number=NUMBER),
    ]  # fmt: skip


def desk_of(feeds: list[Feed], folder: Path, **more: Any) -> Desk:
    return Desk(feeds, manifest_of(feeds), DecisionFile(folder / "decisions.csv"), **more)


def asked(desk: Desk) -> list[Candidate]:
    return [one for one in desk.candidates() if one.standing == "ask"]


def test_calendar_variants_are_one_question_and_the_weightiest_comes_first(
    rail: Rail, tmp_path: Path
) -> None:
    desk = desk_of(doubtful(rail), tmp_path)
    questions = asked(desk)
    assert [(one.kind, one.runs) for one in questions] == [("train", 7), ("station", 2)]
    train, station = questions
    assert (train.left_is, train.right_is) == (
        "R | Nord 08:00 → Süd 08:30",
        "7 | Nord 08:00 → Zentrum Bf 08:10",
    )
    assert (train.left, train.days, train.relation, train.proposal) == (
        *("ch:wd", 7, "contained", "same"),
    )
    assert station.left_is == "Ort @ 47.30000,7.30000"
    assert [one.weight for one in questions] == sorted(
        (one.weight for one in questions), reverse=True
    )
    assert len({one.key for one in desk.candidates()}) == len(desk.candidates())


def test_rows_that_people_filled_in_are_decisions_as_they_are(rail: Rail, tmp_path: Path) -> None:
    feeds = doubtful(rail)
    manifest = manifest_of(feeds)
    ground = lay_ground(feeds, manifest)[0]
    table = review_table(review_candidates(merge_feeds(feeds, manifest), ground))
    assert tuple(table.columns) == REVIEW_COLUMNS
    filled = table.head(1).with_columns(decision=pl.lit("different"), reason=pl.lit("seen"))
    file = tmp_path / "decisions.csv"
    filled.write_csv(file)
    decisions = read_decisions(file)
    assert [(d.decision, d.reason, d.left_is) for d in decisions] == [
        ("different", "seen", "R | Nord 08:00 → Süd 08:30")
    ]
    again = merge_feeds(feeds, manifest.model_copy(update={"decisions": decisions}))
    assert again.train_counts["contained"] == 0


def test_an_answer_is_not_asked_again_and_can_be_taken_back(rail: Rail, tmp_path: Path) -> None:
    desk = desk_of(doubtful(rail), tmp_path)
    train, station = asked(desk)
    desk.decide(train, "different", "two  trains,\n I saw them")
    assert [one.key for one in asked(desk)] == [station.key]
    assert desk.region().train_counts["contained"] == 0
    kept = desk.decision_on(train)
    assert kept is not None and kept.reason == "two trains, I saw them"
    decided = next(one for one in desk.candidates() if one.key == train.key)
    assert (decided.standing, decided.proposal) == ("decided", "different")
    desk.decide(station, "same", "")
    assert not asked(desk)
    for left in (1, 2):
        desk.undo()
        assert len(asked(desk)) == left
    assert desk.undo() is None
    assert read_decisions(desk.file.path) == ()


def test_a_sitting_goes_on_where_the_last_one_ended(rail: Rail, tmp_path: Path) -> None:
    first = desk_of(doubtful(rail), tmp_path)
    first.decide(asked(first)[0], "same", "seen")
    second = desk_of(doubtful(rail), tmp_path)
    assert [one.kind for one in asked(second)] == ["station"]


def test_a_candidate_is_found_by_any_of_its_trips_and_stops(rail: Rail, tmp_path: Path) -> None:
    desk = desk_of(doubtful(rail), tmp_path)
    train, station = asked(desk)
    assert desk.find("de:x", "ch:we").key == train.key
    assert desk.find("ch:o", "de:oo").key == station.key
    with pytest.raises(UsageError, match="no candidate"):
        desk.find("ch:wd", "de:y")


def test_what_an_answer_changes_is_what_the_next_merge_makes(rail: Rail, tmp_path: Path) -> None:
    desk = desk_of(doubtful(rail), tmp_path, count_footpaths=lambda r: r.tables["stations"].height)
    train, station = asked(desk)
    effect = desk.effect(train, "different")
    assert effect.pairs == {"contained": (2, 0)}
    assert (effect.runs, effect.calls) == ((16, 23), (39, 53))
    assert effect.through == (0, 0)  # the whole of the shorter one is in the longer one
    assert (effect.days, effect.trips_touched) == (7, 3)
    assert desk.effect(train, "same").nothing
    apart = desk.effect(station, "different")
    assert (apart.parted, apart.stations) == ((("Ort", "Ort West"),), (4, 5))
    assert (apart.footpaths, apart.calls_moved) == ((4, 5), 0)
    before = desk.region()
    desk.decide(train, "different", "")
    assert compare_regions(before, desk.region()).pairs == effect.pairs


def runs_by_day(region: Region) -> Counter[tuple[Any, ...]]:
    """Count every run of every day by all that it is, the slow way."""
    tables = region.tables
    sections: dict[int, list[Any]] = {}
    for row in tables["sections"].iter_rows():
        sections.setdefault(row[0], []).append(row[1:])
    found: Counter[tuple[Any, ...]] = Counter()
    for train, row in enumerate(tables["trains"].iter_rows(named=True)):
        calls = tables["stop_times"].slice(row["first_event"], row["n_events"])
        for day in np.flatnonzero(region.days[row["service"]]).tolist():
            parts = tuple(sections[train])
            found[day, row["kind"], parts, tuple(calls.drop("train").rows())] += 1
    return found


def slow_effect(before: Region, after: Region) -> dict[str, Any]:
    old, new = runs_by_day(before), runs_by_day(after)
    gone, made = old - new, new - old

    def through(runs: Counter[tuple[Any, ...]]) -> int:
        return sum(
            n for (_, _, parts, _), n in runs.items() if len({p[0] for p in parts if not p[-1]}) > 1
        )

    def calls(runs: Counter[tuple[Any, ...]]) -> int:
        return sum(len(key[3]) * n for key, n in runs.items())

    return {
        "runs": (old.total(), new.total()),
        "through": (through(old), through(new)),
        "calls": (calls(old), calls(new)),
        "calls_moved": calls(made),
        "days": len({key[0] for key in gone | made}),
        "trips_touched": len({part[0] for key in gone | made for part in key[2]}),
    }


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(listings(), st.integers(0, 99), st.sampled_from(["same", "different"]))
def test_effects_agree_with_counting_every_run_of_every_day(
    listing: Listing, choice: int, answer: Answer
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        feeds = build(Path(folder), listing)
        if len(feeds) < 2:
            return
        desk = desk_of(feeds, Path(folder))
        if not desk.candidates():
            return
        candidate = desk.candidates()[choice % len(desk.candidates())]
        effect = desk.effect(candidate, answer)
        after = merged(*feeds, decisions=[candidate.decided(answer, "").model_dump()])
        expected = slow_effect(desk.region(), after)
    assert {name: getattr(effect, name) for name in expected} == expected
    assert isinstance(effect, Effect)


KEPT = (
    "# what we know of the north\r\n"
    "ticket,kind,left,right,decision,reason\r\n"
    '7,station,a:1,b:2,same,"one hall,\r\ntwo names"\r\n'
    "\r\n"
    "# trains\r\n"
    "8,train,a:t,b:u,different,\r\n"
)


def test_a_file_of_decisions_keeps_order_comments_and_columns_of_others(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    path.write_bytes(KEPT.encode())
    file = DecisionFile(path)
    assert [d.left for d in file.read()] == ["a:1", "a:t"]
    new = Decision(
        kind="train", left="a:n", right="b:n", decision="same", left_is="N 1:00 → M 2:00"
    )
    file.put(new)
    file.put(Decision(kind="station", left="b:2", right="a:1", decision="different", reason="no"))
    lines = path.read_bytes().decode().split("\n")
    assert lines[:2] == [
        "# what we know of the north\r",
        "ticket,kind,left,right,decision,reason,left_is,right_is\r",
    ]
    assert lines[2] == "7,station,b:2,a:1,different,no,,"
    assert lines[4:6] == ["# trains\r", "8,train,a:t,b:u,different,\r"]
    assert lines[6] == ",train,a:n,b:n,same,,N 1:00 → M 2:00,"
    assert file.read()[-1] == new
    assert [path.name for path in tmp_path.iterdir()] == ["decisions.csv"]


def test_a_change_taken_back_leaves_the_rows_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    full = KEPT.replace("decision,reason", "decision,reason,left_is,right_is")
    path.write_bytes(full.encode())
    file = DecisionFile(path)
    changes = [
        file.put(Decision(kind="station", left="a:1", right="b:2", decision="different")),
        file.put(Decision(kind="train", left="a:9", right="b:9", decision="same")),
    ]
    for change in reversed(changes):
        file.take_back(change)
    assert path.read_bytes() == full.encode()


def test_a_file_that_cannot_be_understood_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text("kind,left,right,decision\nstation,a:1,b:1,maybe\n")
    with pytest.raises(ManifestError, match="line 2"):
        DecisionFile(path).put(Decision(kind="station", left="a:1", right="b:1", decision="same"))
    assert "maybe" in path.read_text()
    with pytest.raises(ManifestError, match="--decisions"):
        decisions_beside(None, None)


def test_the_sample_region_asks_little_and_in_words(sample_region: Path) -> None:
    manifest = read_manifest(sample_region)
    feeds = [read_feed(config, check=False) for config in manifest.feeds]
    ground = lay_ground(feeds, manifest)[0]
    candidates = review_candidates(merge_feeds(feeds, manifest), ground)
    questions = [one for one in candidates if one.standing == "ask"]
    assert all(one.confidence < 0.9 and one.left_is and one.right_is for one in questions)
    decided = [one for one in candidates if one.standing == "decided"]
    assert {one.proposal for one in decided} == {"same", "different"}
    for row in review_table(candidates)["evidence"].head(20):
        assert isinstance(json.loads(row), dict)
