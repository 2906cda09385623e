"""Databases for tests: SQLite always, PostgreSQL where a server is given."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from mobility.store import SqlJournal, open_database

POSTGRES_URL = "MOBILITY_TEST_POSTGRES_URL"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    url = os.environ.get(POSTGRES_URL)
    if not url:
        pytest.skip(f"no PostgreSQL server: {POSTGRES_URL} is not set")
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.fixture
def journal(database_url: str) -> Iterator[SqlJournal]:
    """Return an empty journal of region ``r``."""
    journal = SqlJournal.open(database_url, "r")
    yield journal
    journal.dispose()
