"""Fixtures that every test may use."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


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
