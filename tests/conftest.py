"""Fixtures that every test may use."""

import json
import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="A test that cannot run here fails, with why."
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real feeds, or skip and say so."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real feeds (../shared/data) are not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Return the root of the repository."""
    return ROOT


@dataclass(frozen=True)
class Outcome:
    """Exit status and what was printed."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error_line(self) -> str:
        """The one line that says what went wrong."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        return lines[0]


@pytest.fixture
def mobility(capfdbinary, tmp_path, monkeypatch):
    """Return a function that runs a command and gives its outcome."""
    monkeypatch.setenv("MOBILITY_HOME", str(tmp_path / "home"))

    from mobility.cli import main

    def run(*words: object) -> Outcome:
        capfdbinary.readouterr()
        status = main([str(word) for word in words])
        printed = capfdbinary.readouterr()
        return Outcome(status, printed.out.decode(), printed.err.decode())

    return run


@pytest.fixture(scope="session")
def sample_region() -> Path:
    """Return the folder of the sample region."""
    return ROOT / "feeds" / "basel"


@pytest.fixture(scope="session")
def sample_edition(sample_region: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the sample region's edition: the one given, else built once per run."""
    given = os.environ.get("MOBILITY_TEST_EDITION")
    if given:
        return Path(given)
    from mobility.cli.build import build_edition
    from mobility.feeds import read_manifest

    folder = tmp_path_factory.mktemp("sample") / "edition"
    build_edition(read_manifest(sample_region), folder)
    return folder
