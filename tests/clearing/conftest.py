"""The toy region's office for every test of clearing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clearing.region import Office, documents


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the toy region's tariff and agreements."""
    return documents(tmp_path_factory.mktemp("toy"))


@pytest.fixture
def office(tmp_path: Path, toy: tuple[dict[str, Any], dict[str, Any]]) -> Office:
    """Return an office with an empty home."""
    return Office(tmp_path / "home", *toy)


@pytest.fixture
def make_office(
    tmp_path_factory: pytest.TempPathFactory, toy: tuple[dict[str, Any], dict[str, Any]]
) -> Callable[..., Office]:
    """Return a maker of offices, each with a home of its own."""

    def make(**options: Any) -> Office:
        return Office(tmp_path_factory.mktemp("office") / "home", *toy, **options)

    return make
