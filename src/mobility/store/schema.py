"""The schema's version: Alembic migrations that ship inside the package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from mobility.core.errors import EnvironmentFault
from mobility.store.engine import database_faults, open_database

MIGRATIONS = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _head() -> str:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the package ships its migrations"
    return head


SCHEMA_HEAD = _head()


def current_revision(engine: Engine) -> str | None:
    """Return the revision that the database is at, or None before the first."""
    with database_faults(engine), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(url: str) -> str:
    """Bring the database to this program's schema; return the revision.

    Raises
    ------
    EnvironmentFault
        The database cannot be reached, or was made by a newer program.
    """
    engine = open_database(url)
    try:
        upgrade_engine(engine)
    finally:
        engine.dispose()
    return SCHEMA_HEAD


def upgrade_engine(engine: Engine) -> None:
    """Bring the engine's database to this program's schema; see `upgrade`."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    revision = current_revision(engine)
    if revision == SCHEMA_HEAD:
        return
    if revision is not None and revision not in known:
        where = engine.url.render_as_string(hide_password=True)
        raise EnvironmentFault(
            f"database {where} is at revision {revision}, which this program does not know:"
            " use the newer program that made it"
        )
    config = _config()
    with (
        database_faults(engine),
        engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
    ):
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
