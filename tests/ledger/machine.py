"""A stateful machine: any journal behaves as a plain list of balanced, unchanging entries."""

import datetime as dt

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mobility.core.errors import CheckFailed
from mobility.ledger import (
    Entry,
    Journal,
    balances,
    check_chain,
    inclusion_proof,
    merkle_root,
    reverse,
    verify_inclusion,
)
from tests.ledger.books import entries

PERIODS = ("2027-05", "2027-06")
NOW = dt.datetime(2027, 6, 1, 8, tzinfo=dt.UTC)


class JournalMachine(RuleBasedStateMachine):
    """Model: entries by period in order, the set of closed periods."""

    def make_journal(self) -> Journal:
        raise NotImplementedError

    @initialize()
    def start(self) -> None:
        self.journal = self.make_journal()
        self.model: dict[str, list[Entry]] = {period: [] for period in PERIODS}
        self.closed: dict[str, str] = {}

    def _all(self) -> dict[str, Entry]:
        return {entry.id: entry for group in self.model.values() for entry in group}

    @rule(batch=st.lists(entries(periods=PERIODS), max_size=4))
    def append(self, batch: list[Entry]) -> None:
        self._append(batch)

    @rule(data=st.data())
    def append_again(self, data: st.DataObject) -> None:
        if known := list(self._all().values()):
            self._append(data.draw(st.lists(st.sampled_from(known), max_size=3)))

    @rule(data=st.data(), period=st.sampled_from(PERIODS))
    def reverse_one(self, data: st.DataObject, period: str) -> None:
        if known := [e for e in self._all().values() if e.kind != "reversal"]:
            self._append([reverse(data.draw(st.sampled_from(known)), period=period)])

    def _append(self, batch: list[Entry]) -> None:
        known, fresh = self._all(), {}
        refused = False
        for entry in batch:
            other = fresh.get(entry.id) or known.get(entry.id)
            refused = refused or (entry != other if other else entry.period in self.closed)
            if other is None:
                fresh[entry.id] = entry
        try:
            made = self.journal.append(batch)
        except CheckFailed:
            assert refused
            return
        assert not refused
        assert {link.entry for link in made} == set(fresh.values())
        for entry in fresh.values():
            self.model[entry.period].append(entry)

    @rule(period=st.sampled_from(PERIODS))
    def close(self, period: str) -> None:
        record = self.journal.close(period, actor="clerk", at=NOW, action_id=f"close-{period}")
        assert self.closed.setdefault(period, record.root) == record.root

    @invariant()
    def the_journal_is_the_model(self) -> None:
        for period in PERIODS:
            links = self.journal.entries(period)
            assert [link.entry for link in links] == self.model[period]
            assert check_chain("r", period, links) == self.journal.head(period)
            assert sum(balances(link.entry for link in links).values()) == 0

    @invariant()
    def every_entry_of_a_closed_period_has_a_proof(self) -> None:
        for record in self.journal.periods():
            if record.state == "closed":
                leaves = [link.entry.canonical() for link in self.journal.entries(record.period)]
                assert merkle_root(leaves) == record.root == self.closed[record.period]
                for position, leaf in enumerate(leaves):
                    assert verify_inclusion(leaf, inclusion_proof(leaves, position), record.root)


JournalMachine.TestCase.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
