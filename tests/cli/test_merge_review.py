"""`mobility merge review` in a terminal, for scripts, and where nobody is there to answer."""

from __future__ import annotations

import csv
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mobility.cli.review_terminal import run_review
from mobility.feeds.manifest import read_decisions
from mobility.web.catalogue import read_catalogue
from mobility.web.review_words import REVIEW_AREAS

from ..merge.build import lines, write_feed
from ..web.review_desk import NORTH, SOUTH, small_desk

Mobility = Callable[..., Any]
MANIFEST = """
format = 1
id = "small"
name = "Small"
[[feeds]]
id = "north"
path = "north"
[[feeds]]
id = "south"
path = "south"
train_number = { column = "trip_short_name", pattern = "0*([0-9]+)" }
"""


@pytest.fixture
def region(tmp_path: Path) -> Path:
    """Return the folder of a region with one doubtful train and one doubtful station."""
    folder = tmp_path / "small"
    north = {"a": ": n 08:00, z 08:10, s 08:30", "o": ": n 09:00, o 09:30"}
    south = {"x": "7: nn 08:00, zz 08:10", "y": "8: zz 09:40, oo 10:30"}
    write_feed(folder / "north", lines(NORTH, north))
    write_feed(folder / "south", lines(SOUTH, south))
    (folder / "region.toml").write_text(MANIFEST)
    return folder


def test_where_nobody_can_answer_the_list_is_printed(mobility: Mobility, region: Path) -> None:
    outcome = mobility("merge", "review", region)
    assert outcome.status == 0
    assert "Review of the merge" in outcome.out and "north:a" in outcome.out
    assert not (region / "decisions.csv").exists()


def test_the_list_is_written_with_the_evidence_in_words(
    mobility: Mobility, region: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "review.csv"
    assert mobility("merge", "review", region, "--list", "-o", sheet).status == 0
    rows = list(csv.DictReader(sheet.read_text("utf-8").splitlines()))
    assert {row["kind"] for row in rows} == {"station", "train"}
    train = next(row for row in rows if row["kind"] == "train")
    assert train["left_is"] == "R | Nord <b> 08:00 → Süd 08:30"
    assert (train["proposal"], train["runs"], train["minutes"]) == ("same", "7", "0.0")
    assert "+ 2 stations in common at the same minutes." in train["evidence"]
    every = mobility("merge", "review", region, "--all", "--json").document["candidates"]
    assert len(every) > len(rows)
    assert {row["standing"] for row in every} >= {"ask", "certain"}


def test_a_script_decides_and_the_build_obeys(
    mobility: Mobility, region: Path, tmp_path: Path
) -> None:
    before = mobility("build", region, "-o", tmp_path / "one", "--no-check", "--json").document
    assert before["trains"]["contained"] == 1
    said = mobility("merge", "review", region, "--decide", "north:a", "south:x", "different",
                    "--reason", "two trains", "--json")  # fmt: skip
    assert (said.status, said.document["decision"]["reason"]) == (0, "two trains")
    decisions = read_decisions(region / "decisions.csv")
    assert [(d.left_is, d.decision) for d in decisions] == [
        ("R | Nord <b> 08:00 → Süd 08:30", "different")
    ]
    after = mobility("build", region, "-o", tmp_path / "two", "--no-check", "--json").document
    assert after["trains"]["contained"] == 0
    assert "decision_without_object" not in after["notices"]
    left = mobility("merge", "review", region, "--json").document["candidates"]
    assert [one["kind"] for one in left] == ["station"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--decide", "a", "b", "same"), 2, "no candidate"),
        (("--decide", "north:a", "south:x", "maybe"), 2, "same or different"),
        (("--language", "xx"), 2, "expected one of de, fr, en"),
        (("--list", "-o", "/"), 2, "no file"),
    ],
)
def test_wrong_words_are_told_in_one_line(
    mobility: Mobility, region: Path, words: tuple[str, ...], status: int, said: str
) -> None:
    outcome = mobility("merge", "review", region, *words)
    assert outcome.status == status
    assert said in outcome.error_line
    assert not (region / "decisions.csv").exists()


def test_feeds_alone_need_a_file_for_decisions(
    mobility: Mobility, region: Path, tmp_path: Path
) -> None:
    feeds = region / "north", region / "south"
    assert mobility("merge", "review", *feeds, "--list").status == 0
    answer = ("--decide", "north:a", "south:x", "different")
    assert "--decisions" in mobility("merge", "review", *feeds, *answer).error_line
    file = tmp_path / "kept" / "decisions.csv"
    assert mobility("merge", "review", *feeds, *answer, "--decisions", file).status == 0
    assert len(read_decisions(file)) == 1


def asked(*typed: str) -> Callable[[str], str]:
    """Return what a person types, line by line; the end of the input at its end."""
    lines_typed: Iterator[str] = iter(typed)

    def ask(_: str) -> str:
        for line in lines_typed:
            return line
        raise EOFError

    return ask


def test_questions_are_answered_put_off_and_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk, strings = small_desk(tmp_path), read_catalogue("en", *REVIEW_AREAS)
    run_review(desk, strings, asked("?", "l", "w", "d", "I saw two", "u", "s at once", "q"))
    decisions = desk.file.read()
    assert [(d.decision, d.reason) for d in decisions] == [("same", "at once")]
    printed = capsys.readouterr().out
    assert "Are these one station?" in printed and "Is this one train?" in printed
    assert "Nothing changes" in printed
    assert "1 question is open" in printed
    run_review(small_desk(tmp_path), strings, asked("s", ""))
    assert len(desk.file.read()) == 2
    assert "Nothing is left to decide." in capsys.readouterr().out


def test_a_real_terminal_is_asked(region: Path) -> None:
    ours, theirs = pty.openpty()
    program = "import sys; from mobility.cli import main; sys.exit(main())"
    words = [sys.executable, "-c", program, "merge", "review", str(region)]
    running = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    os.write(ours, b"s seen\nq\n")
    printed = b""
    while True:
        try:
            chunk = os.read(ours, 65_536)
        except OSError:  # the other end is closed: the program has ended
            break
        printed += chunk
    os.close(ours)
    assert running.wait() == 0, printed
    assert [d.reason for d in read_decisions(region / "decisions.csv")] == ["seen"]
    assert b"1 question is open" in printed
