"""The rules of the journal, in memory; tests/store runs the same machine on SQL."""

import datetime as dt

import pytest

from mobility.core.errors import CheckFailed
from mobility.ledger import MemoryJournal, check_chain, reverse
from tests.ledger.books import entry
from tests.ledger.machine import JournalMachine

NOW = dt.datetime(2027, 6, 1, 8, tzinfo=dt.UTC)


class MemoryMachine(JournalMachine):
    def make_journal(self) -> MemoryJournal:
        return MemoryJournal("r")


TestMemoryJournal = MemoryMachine.TestCase


def test_appending_again_changes_nothing() -> None:
    journal = MemoryJournal("r")
    journal.append([entry("e1"), entry("e1"), entry("e2")])
    before = journal.entries("2027-05")
    assert journal.append([entry("e2"), entry("e1")]) == ()
    assert journal.entries("2027-05") == before


def test_an_id_has_one_content_for_ever_and_a_refused_batch_leaves_nothing() -> None:
    journal = MemoryJournal("r")
    journal.append([entry("e1", 5)])
    with pytest.raises(CheckFailed, match="entry e1 is in the journal with other content"):
        journal.append([entry("e2"), entry("e1", 6)])
    assert [link.entry.id for link in journal.entries("2027-05")] == ["e1"]


def test_nothing_is_reversed_twice() -> None:
    journal = MemoryJournal("r")
    journal.append([entry("e1")])
    assert len(journal.append([reverse(entry("e1"))])) == 1
    assert journal.append([reverse(entry("e1"))]) == ()


def test_a_closed_period_takes_no_entry_and_keeps_its_root() -> None:
    journal = MemoryJournal("r")
    journal.append([entry("e1")])
    record = journal.close("2027-05", actor="clerk", at=NOW, action_id="a1")
    with pytest.raises(CheckFailed, match="period 2027-05 is closed: entry e2 is refused"):
        journal.append([entry("e2")])
    assert journal.append([entry("e1")]) == ()  # what is there already may come again
    assert journal.close("2027-05", actor="other", at=NOW, action_id="a2") == record
    assert record.head == check_chain("r", "2027-05", journal.entries("2027-05"))
    assert [action.name for action in journal.actions()] == ["close_period"]


def test_entries_of_another_region_are_refused() -> None:
    with pytest.raises(CheckFailed, match="of region q, not r"):
        MemoryJournal("r").append([entry("e1", region_id="q")])
