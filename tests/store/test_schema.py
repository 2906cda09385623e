"""The shipped migrations make exactly the tables of the models."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from mobility.core.errors import EnvironmentFault, UsageError
from mobility.store import SCHEMA_HEAD, SqlJournal, current_revision, open_database, upgrade
from mobility.store.models import Base


def test_migrations_make_the_tables_of_the_models(database_url: str) -> None:
    assert upgrade(database_url) == SCHEMA_HEAD
    engine = open_database(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_upgrading_again_changes_nothing(database_url: str) -> None:
    assert upgrade(database_url) == upgrade(database_url)


def test_the_region_stands_in_every_row() -> None:
    for table in Base.metadata.tables.values():
        assert "region_id" in table.primary_key.columns, table.name


def test_a_database_of_a_newer_program_is_refused(database_url: str) -> None:
    upgrade(database_url)
    engine = open_database(database_url)
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(EnvironmentFault, match="at revision 9999, which this program"):
        upgrade(database_url)
    engine.dispose()


def test_a_journal_needs_the_schema(database_url: str) -> None:
    engine = open_database(database_url)
    assert current_revision(engine) is None
    with pytest.raises(EnvironmentFault, match="upgrade it first"):
        SqlJournal(engine, "r")
    engine.dispose()


def test_sqlite_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'new' / 'state.db'}")
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert inspect(engine).get_table_names() == []
    engine.dispose()


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense", ""])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="database"):
        open_database(url)
