"""Decisions that two trains are one, where places and minutes alone do not say so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mobility.feeds import Feed

from .build import merged, train_texts

Rail = Callable[..., Feed]
STOPS = "A,Aville,47.0,7.0\nB,Bdorf,47.1,7.0\nC,Cheim,47.2,7.0\nD,Dstadt,47.3,7.0"
SAME = {"kind": "train", "left": "a:t", "right": "b:u", "decision": "same"}


@pytest.mark.parametrize(
    ("left", "right", "apart", "joined"),
    [
        (  # out of date by two or three minutes everywhere: not even compared without a decision
            "A 08:00, B 08:10, C 08:20, D 08:30",
            "B 08:13, C 08:22",
            ["single 7", "single 7"],
            ["contained 7"],
        ),
        (  # neither is the end of one and the beginning of the other
            "A 08:00, B 08:10, C 08:20",
            "A 08:00, B 08:10, D 08:30",
            ["single 7", "single 7"],
            ["single 7", "single 7"],
        ),
        (  # one call at each other's stations
            "A 08:00, B 08:10, D 08:30",
            "B 08:10, C 08:20, D 08:30",
            ["single 7", "single 7"],
            ["overlap 7"],
        ),
    ],
)
def test_a_decision_counts_as_an_equal_number(
    rail: Rail, left: str, right: str, apart: list[str], joined: list[str]
) -> None:
    feeds = [rail("a", STOPS, {"t": f": {left}"}), rail("b", STOPS, {"u": f": {right}"})]

    def kinds(**more: object) -> list[str]:
        return sorted(text.split(":")[0] for text in train_texts(merged(*feeds, **more)))

    assert kinds() == apart
    assert kinds(decisions=[SAME]) == joined
    assert kinds(decisions=[SAME | {"decision": "different"}]) == apart
    mirrored = SAME | {"left": SAME["right"], "right": SAME["left"]}
    assert kinds(decisions=[mirrored]) == joined
