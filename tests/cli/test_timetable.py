"""`mobility departures` and `mobility reach` on the sample region."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

MORNING = "2027-05-04T07:00"


def test_departures_are_told_in_order(mobility: Any, sample_edition: Any) -> None:
    told = mobility("departures", sample_edition, "--at", "Basel SBB", "--time", MORNING)
    assert told.status == 0
    lines = told.out.splitlines()
    assert len(lines) > 20
    assert lines == sorted(lines, key=lambda line: line[:5])
    asked = ("departures", sample_edition, "--at", "Basel SBB", "--time", MORNING, "--json")
    entries = mobility(*asked).document["entries"]
    assert [entry["departure"][11:16] for entry in entries] == [line[:5] for line in lines]
    assert "from " in mobility(*asked[:-1], "--arrivals").out


@pytest.mark.parametrize(
    ("words", "column"),
    [
        (("--from", "Liestal", "--depart"), "arrival"),
        (("--to", "Liestal", "--arrive"), "departure"),
    ],
)
def test_reach_is_a_table_of_stations(
    mobility: Any, sample_edition: Any, words: tuple[str, ...], column: str
) -> None:
    asked = ("reach", sample_edition, *words, MORNING, "--horizon", "2h")
    told = mobility(*asked)
    assert told.status == 0
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert [int(row["travel_s"]) for row in rows] == [
        station["travel_s"] for station in mobility(*asked, "--json").document["stations"]
    ]
    assert rows[0]["name"] == "Liestal"
    assert rows[0][column] == f"{MORNING}:00+02:00"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("departures", "--at", "Nowhere at all"), 1),
        (("departures", "--at", "Liestal", "--window", "25h"), 2),
        (("reach", "--from", "Liestal"), 2),
        (("reach", "--from", "Liestal", "--arrive", MORNING), 2),
        (("reach", "--from", "Liestal", "--depart", "soon"), 1),
    ],
)
def test_bad_words_are_one_line(
    mobility: Any, sample_edition: Any, words: tuple[str, ...], status: int
) -> None:
    told = mobility(words[0], sample_edition, *words[1:])
    assert told.status == status
    assert told.error_line


def test_reach_knows_the_needs_that_plan_knows(mobility: Any, sample_edition: Any) -> None:
    asked = ("reach", sample_edition, "--from", "Liestal", "--depart", MORNING, "--json")
    usual = mobility(*asked).document["stations"]
    needs = ("--wheelchair", "--not-mode", "bus", "--min-change", "10m", "--walk-speed", "0.8")
    document = mobility(*asked, *needs, "--max-walk", "500").document
    assert {notice["code"] for notice in document["notices"]} == {"unknown_left_out"}
    assert document["reached"] < len(usual)
    told = mobility(*asked[:-1], *needs)
    assert told.err.startswith("info: ")
    assert "nobody says" in told.err


def test_reach_refuses_needs_that_plan_refuses(mobility: Any, sample_edition: Any) -> None:
    for words in (("--mode", "zeppelin"), ("--walk-speed", "9"), ("--via", "Liestal")):
        asked = ("reach", sample_edition, "--from", "Liestal", "--depart", MORNING, *words)
        assert mobility(*asked).status == 2
