"""The compiled fares of the sample region, and its worked examples."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from mobility.fares import TariffPricer, compile_tariff, read_agreements, read_tariff

sys.path.insert(0, str(Path(__file__).parent))  # for fares_sketch, shared by the tests here
FOLDER = Path(__file__).resolve().parents[2] / "fares" / "basel"


@pytest.fixture(scope="session")
def fares_folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def basel_tariff() -> dict[str, Any]:
    return compile_tariff(read_tariff(FOLDER), {})


@pytest.fixture(scope="session")
def basel_agreements() -> dict[str, Any]:
    return read_agreements(FOLDER)


@pytest.fixture(scope="session")
def basel_pricer(basel_tariff: dict[str, Any], basel_agreements: dict[str, Any]) -> TariffPricer:
    return TariffPricer(basel_tariff, basel_agreements)


@pytest.fixture(scope="session")
def basel_examples() -> dict[str, Any]:
    from fares_sketch import EXAMPLES

    return EXAMPLES
