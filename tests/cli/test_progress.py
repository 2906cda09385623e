"""A build shows its stages to people at a terminal, and nobody else."""

from __future__ import annotations

import io
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from mobility.cli import main, output


def build(project_root: Path, target: Path, *options: str) -> int:
    source = project_root / "feeds" / "basel" / "fr-regio.zip"
    return main(["build", str(source), "-o", str(target), "--no-check", *options])


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return what a person sees on stderr."""
    seen = io.StringIO()
    monkeypatch.setattr(output, "err", Console(file=seen, force_terminal=True, width=100))
    return seen


def test_every_stage_is_shown_at_a_terminal(
    project_root: Path, tmp_path: Path, screen: io.StringIO
) -> None:
    assert build(project_root, tmp_path / "e") == 0
    shown = screen.getvalue()
    stages = ("read fr-regio", "tables", "places", "stations", "trains", "network", "edition")
    at = [shown.find(stage) for stage in stages]
    assert -1 not in at, dict(zip(stages, at, strict=True))
    assert at == sorted(at)


def test_json_goes_alone_whatever_stderr_is(
    project_root: Path,
    tmp_path: Path,
    screen: io.StringIO,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert build(project_root, tmp_path / "e", "--json") == 0
    assert screen.getvalue() == ""
    out, err = capfdbinary.readouterr()
    assert orjson.loads(out)["feeds"][0]["id"] == "fr-regio"
    assert err == b""


def test_a_file_as_stderr_gets_no_bars(
    project_root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert build(project_root, tmp_path / "e") == 0
    assert "read fr-regio" not in capfd.readouterr().err
