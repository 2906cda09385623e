"""Opening a database: SQLite that survives a pulled plug, or PostgreSQL, by the same URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError

from mobility.core.errors import EnvironmentFault, UsageError

BUSY_TIMEOUT_MS = 30_000  # how long a second writer waits for the first one
LOCK_TIMEOUT_S = 30


def parse_url(url: str) -> URL:
    """Return the URL with our driver filled in.

    Raises
    ------
    UsageError
        Neither SQLite nor PostgreSQL.

    >>> parse_url("postgresql://db/mobility").drivername
    'postgresql+psycopg'
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise UsageError(f"{url!r} is no database URL, such as sqlite:///state.db") from None
    if parsed.drivername in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise UsageError(f"database {parsed.drivername}: expected sqlite:///… or postgresql://…")
    return parsed


def open_database(url: str) -> Engine:
    """Return an engine on the database, making the folder of an SQLite file.

    SQLite runs in WAL mode with ``synchronous=FULL``: what was acknowledged is on the disk.

    Raises
    ------
    EnvironmentFault
        The folder cannot be made.
    UsageError
        Not a URL that we know.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        try:
            return create_engine(parsed, pool_pre_ping=True)
        except ModuleNotFoundError:
            raise UsageError(
                "PostgreSQL needs the extra: pip install 'mobility[postgres]'"
            ) from None
    if parsed.database and parsed.database != ":memory:":
        try:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFault(f"{parsed.database}: {error.strerror}") from error
    engine = create_engine(parsed)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: it would take the write lock too late.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection on one consistent state of the database."""
    with database_faults(engine):
        options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine, region_id: str) -> Iterator[Connection]:
    """Give the one writing connection of the region; all that is done commits or nothing does."""
    with (
        database_faults(engine),
        engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
    ):
        parameters = {"region": region_id}
        connection.execute(
            text("INSERT INTO writer (region_id) VALUES (:region) ON CONFLICT DO NOTHING"),
            parameters,
        )
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
            connection.execute(
                text("SELECT region_id FROM writer WHERE region_id = :region FOR UPDATE"),
                parameters,
            )
        yield connection


@contextmanager
def database_faults(engine: Engine) -> Iterator[None]:
    """Tell faults of the database in one line, without its password.

    Raises
    ------
    EnvironmentFault
        Instead of the driver's error.
    """
    try:
        yield
    except (OperationalError, IntegrityError, DBAPIError) as error:
        where = engine.url.render_as_string(hide_password=True)
        reason = " ".join(str(error.orig).split())
        raise EnvironmentFault(f"database {where}: {reason}") from error
