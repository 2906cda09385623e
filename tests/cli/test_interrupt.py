"""An interrupted build says so by its exit status and leaves nothing behind."""

from __future__ import annotations

import fcntl
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mobility.cli import main

WAIT_S = 60
# The signal comes when the finished edition is to take its place: nothing depends on timing.
PROGRAM = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from mobility.cli import main
real = os.rename
def interrupted(*args, **kwargs):
    os.kill(os.getpid(), signal.{signal})
    return real(*args, **kwargs)
os.rename = interrupted
sys.argv = ["mobility", "build", sys.argv[1], "-o", sys.argv[2], "--no-check"]
sys.exit(main())
"""
STAGES = (
    "mobility.feeds.reader:load_stop_times",
    "mobility.feeds.reader:judge_trips",
    "mobility.merge.merge:assemble",
    "mobility.merge.merge:find_places",
    "mobility.merge.merge:build_trains",
    "mobility.network.compile:compile_footpaths",
    "mobility.network.edition:write_network",
    "polars:DataFrame.write_parquet",
    "mobility.network.documents:table_hash",
    "pathlib:Path.rename",
)


def run_killed(program: str, source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, str(source), str(target)],
        capture_output=True, text=True, timeout=WAIT_S, check=False,
        env={**os.environ, "MOBILITY_HOME": str(target.parent.parent / "home")},
    )  # fmt: skip


@pytest.fixture(autouse=True)
def interrupts() -> Iterator[None]:
    """Hear SIGINT also where the tests were started in the background, with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def source(project_root: Path) -> Path:
    return project_root / "feeds" / "basel" / "fr-regio.zip"


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOBILITY_HOME", str(tmp_path / "home"))
    path = tmp_path / "out" / "made.edition"
    path.parent.mkdir()
    return path


def build(source: Path, target: Path) -> int:
    return main(["build", str(source), "-o", str(target), "--no-check", "--json"])


def hidden(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path.name.startswith("."))


def test_an_interrupted_build_exits_130_and_leaves_nothing(source: Path, target: Path) -> None:
    done = run_killed(PROGRAM.format(signal="SIGINT"), source, target)
    assert done.returncode == 128 + signal.SIGINT, done.stderr
    assert "Traceback" not in done.stderr
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("stage", STAGES)
def test_an_interrupt_in_any_stage_leaves_nothing(
    stage: str, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    module, _, name = stage.partition(":")
    *parents, last = name.split(".")
    owner: Any = importlib.import_module(module)
    for parent in parents:
        owner = getattr(owner, parent)
    real = getattr(owner, last)

    def interrupted(*args: object, **kwargs: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, last, interrupted)
    assert build(source, target) == 128 + signal.SIGINT
    assert capsys.readouterr().err == "error: interrupted\n"
    assert list(target.parent.iterdir()) == []


def test_an_interrupt_keeps_the_edition_that_was_there(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert build(source, target) == 0
    before = (target / "edition.json").read_bytes()
    real = Path.rename

    def interrupted(path: Path, to: Path) -> Path:
        moved = real(path, to)
        if path == target:  # the old edition is aside, the new one not yet in its place
            signal.raise_signal(signal.SIGINT)
        return moved

    monkeypatch.setattr(Path, "rename", interrupted)
    assert build(source, target) == 128 + signal.SIGINT
    assert (target / "edition.json").read_bytes() == before
    assert hidden(target) == []


def test_the_next_build_removes_what_a_killed_one_left(source: Path, target: Path) -> None:
    done = run_killed(PROGRAM.format(signal="SIGKILL"), source, target)
    assert done.returncode == -signal.SIGKILL
    assert len(hidden(target)) == 1
    assert not target.exists()
    assert build(source, target) == 0
    assert hidden(target) == []


def test_the_next_build_puts_back_what_a_killed_one_moved_aside(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert build(source, target) == 0
    before = (target / "edition.json").read_bytes()
    target.rename(target.with_name(f".{target.name}.1.old"))
    monkeypatch.setattr("mobility.network.edition.write_network", lambda *_: 1 / 0)
    assert build(source, target) == 70
    assert (target / "edition.json").read_bytes() == before
    assert hidden(target) == []


def test_a_build_leaves_the_unfinished_work_of_another_alone(source: Path, target: Path) -> None:
    other = target.with_name(f".{target.name}.1.new")
    other.mkdir()
    descriptor = os.open(other, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert build(source, target) == 0
        assert hidden(target) == [other.name]
    finally:
        os.close(descriptor)
    assert build(source, target) == 0
    assert hidden(target) == []
