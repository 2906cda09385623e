"""The sample edition, served in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobility.api import Limits, create_app

from ..web.client import AppClient

NOW = dt.datetime(2027, 5, 4, 5, 0, tzinfo=dt.UTC)  # a Tuesday, 07:00 in Basel


@pytest.fixture(scope="session")
def api(sample_edition: Path) -> Iterator[AppClient]:
    """Return a client of the sample edition on a fixed morning."""
    limits = Limits(body_bytes=20_000, threads=2)
    with AppClient(create_app(sample_edition, clock=lambda: NOW, limits=limits)) as client:
        client.wait_ready()
        yield client
