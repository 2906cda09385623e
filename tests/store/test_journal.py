"""The SQL journal keeps the ledger's rules, survives tampering attempts and says what fails."""

import datetime as dt
import threading
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mobility.core.errors import CheckFailed, EnvironmentFault, MoneyError
from mobility.ledger import Action, check_chain, reverse
from mobility.store import SqlJournal, open_database
from tests.ledger.books import entry
from tests.ledger.machine import JournalMachine

NOW = dt.datetime(2027, 6, 1, 8, tzinfo=dt.UTC)
PERIOD = "2027-05"


class SqliteMachine(JournalMachine):
    def make_journal(self) -> SqlJournal:
        self.sql = SqlJournal.open("sqlite://", "r")
        return self.sql

    def teardown(self) -> None:
        if hasattr(self, "sql"):
            self.sql.dispose()


TestSqliteJournal = SqliteMachine.TestCase
TestSqliteJournal.settings = settings(max_examples=6, stateful_step_count=8, deadline=None)


def test_what_is_appended_is_read_back_in_order_by_another_connection(
    journal: SqlJournal, database_url: str
) -> None:
    made = journal.append([entry("b"), entry("a", 7), reverse(entry("b"))])
    other = SqlJournal.open(database_url, "r")
    assert other.entries(PERIOD) == made
    assert other.head(PERIOD) == check_chain("r", PERIOD, made)
    other.dispose()


def test_a_refused_batch_leaves_nothing(journal: SqlJournal) -> None:
    journal.append([entry("e1", 5)])
    with pytest.raises(CheckFailed, match="other content"):
        journal.append([entry("e2"), entry("e1", 6)])
    assert [link.entry.id for link in journal.entries(PERIOD)] == ["e1"]


def test_a_fault_between_entries_and_postings_leaves_nothing(
    journal: SqlJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = SqlJournal._insert

    def fail_after(self: SqlJournal, connection: object, links: object) -> None:
        insert(self, connection, links)
        raise KeyboardInterrupt

    monkeypatch.setattr(SqlJournal, "_insert", fail_after)
    with pytest.raises(KeyboardInterrupt):
        journal.append([entry("e1")])
    assert journal.entries(PERIOD) == ()


def test_regions_do_not_see_each_other(journal: SqlJournal, database_url: str) -> None:
    other = SqlJournal.open(database_url, "q")
    journal.append([entry("e1", 5)])
    other.append([entry("e1", 6, region_id="q")])
    assert [link.entry.region_id for link in journal.entries(PERIOD)] == ["r"]
    other.close(PERIOD, actor="clerk", at=NOW, action_id="a1")
    assert journal.append([entry("e2")])
    other.dispose()


def test_a_closed_period_is_closed_for_everybody(journal: SqlJournal, database_url: str) -> None:
    journal.append([entry("e1")])
    record = journal.close(PERIOD, actor="clerk", at=NOW, action_id="a1")
    other = SqlJournal.open(database_url, "r")
    assert other.periods() == (record,)
    with pytest.raises(CheckFailed, match="is closed"):
        other.append([entry("e2")])
    other.dispose()


@pytest.mark.parametrize("table", ["journal_entry", "journal_posting", "closed_period", "action"])
@pytest.mark.parametrize("change", ["UPDATE {} SET region_id = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_the_books(
    journal: SqlJournal, database_url: str, table: str, change: str
) -> None:
    journal.append([entry("e1")])
    journal.close(PERIOD, actor="clerk", at=NOW, action_id="a1")
    engine = open_database(database_url)
    with engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text(change.format(table)))
    engine.dispose()


def test_a_cent_moved_behind_the_triggers_is_found(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    journal = SqlJournal.open(url, "r")
    journal.append([entry("e1"), entry("e2"), entry("e3")])
    engine = open_database(url)
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("DROP TRIGGER journal_posting_no_update"))
        connection.execute(
            text("UPDATE journal_posting SET amount_minor = amount_minor * 2 WHERE entry_id = 'e2'")
        )
    with pytest.raises(CheckFailed, match=r"entry 1 \(e2\): its content"):
        check_chain("r", PERIOD, journal.entries(PERIOD))
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(
            text("UPDATE journal_posting SET amount_minor = 1 WHERE entry_id = 'e2' AND line = 0")
        )
    with pytest.raises(MoneyError, match="entry e2 does not balance"):
        journal.entries(PERIOD)
    engine.dispose()
    journal.dispose()


def test_many_writers_at_once_make_one_chain(journal: SqlJournal, database_url: str) -> None:
    def write(name: str) -> None:
        mine = SqlJournal.open(database_url, "r")
        for index in range(5):
            mine.append([entry(f"{name}{index}", index), entry("shared", 1)])
        mine.dispose()

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    links = journal.entries(PERIOD)
    assert len(links) == 4 * 5 + 1
    check_chain("r", PERIOD, links)


def test_who_did_what_is_kept_in_order(journal: SqlJournal) -> None:
    actions = [
        Action(f"a{index}", "clerk", NOW.isoformat(), "import", PERIOD, "x") for index in range(3)
    ]
    for action in reversed(actions):
        journal.record(action)
    assert journal.actions() == tuple(reversed(actions))


def test_a_database_that_is_no_database_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(EnvironmentFault, match=r"state\.db: file is not a database"):
        SqlJournal.open(f"sqlite:///{path}", "r")


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(EnvironmentFault) as caught:
        SqlJournal.open("postgresql://me:secret@127.0.0.1:1/none", "r")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
