"""Structure: runs that differ in a call or at an end, and may still be one train."""

from __future__ import annotations

import pytest

from mobility.merge.structure import Call, Relation, relate


def run(text: str) -> list[Call]:
    """Return calls of ``station minute`` words; a station is a letter."""
    words = text.split()
    return [
        (ord(station), int(minute) * 60, int(minute) * 60 + 30, False)
        for station, minute in zip(words[::2], words[1::2], strict=True)
    ]


def of(a: str, b: str) -> Relation:
    """Return how two runs without numbers relate."""
    return relate(run(a), run(b), equal_number=False, known_numbers=False)


LONG = "P 0 A 60 B 70 C 80 D 90"


@pytest.mark.parametrize(
    ("short", "kind", "difference_s"),
    [
        ("A 60 B 70 C 80 D 90", "contained", 0),
        ("A 60 B 70 C 80 D 115", "contained", 1_500),  # works before the terminus
        ("A 60 B 70 C 80 D 121", "crossing", 0),  # more than half an hour
        ("A 60 B 70 D 115", "crossing", 0),  # only two calls fit
        ("A 60 B 70 C 80 E 95", "crossing", 0),  # ends elsewhere
        ("A 60 B 70 C 80 X 85 D 115", "crossing", 0),  # and calls elsewhere too
    ],
)
def test_one_feed_may_be_out_of_date_where_both_end(
    short: str, kind: str, difference_s: int
) -> None:
    relation = of(LONG, short)
    assert relation.kind == kind
    if relation.joins:
        assert relation.difference_s == difference_s
        assert relation.shared == (3 if difference_s else 4)


def test_one_feed_may_be_out_of_date_where_both_begin() -> None:
    relation = of("A 45 B 70 C 80 D 90 Q 120", "A 60 B 70 C 80 D 90")
    assert (relation.kind, relation.shared, len(relation.pairs)) == ("contained", 3, 4)


def test_other_stations_before_a_common_end_are_a_contradiction() -> None:
    assert of("A 60 B 70 C 80 X 85 D 90", "A 60 B 70 C 80 Y 99 D 115").kind == "crossing"


@pytest.mark.parametrize(
    ("right", "kind"),
    [
        ("A 60 B 70 C 80 D 90 E 100", "overlap"),
        ("A 60 B 70 x 75 C 80 D 90 E 100", "overlap"),  # four fit, one is left out
        ("A 60 x 65 B 70 x 75 C 80 D 90 E 100", "crossing"),  # four fit, two are left out
        ("B 70 x 75 C 80 D 90 E 100", "crossing"),  # three fit, one is left out
    ],
)
def test_in_an_overlap_a_call_may_be_left_out_where_many_fit(right: str, kind: str) -> None:
    assert of(LONG, right).kind == kind
