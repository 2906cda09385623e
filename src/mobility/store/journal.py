"""The journal on SQL: the rules of `mobility.ledger`, one writer at a time, all or nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select

from mobility.core.errors import EnvironmentFault
from mobility.ledger import (
    Account,
    Action,
    Entry,
    Link,
    PeriodRecord,
    Posting,
    check_period,
    genesis_hash,
    link_entries,
    merkle_root,
    new_entries,
)
from mobility.store.engine import open_database, reading, writing
from mobility.store.models import ActionRow, ClosedPeriod, JournalEntry, JournalPosting
from mobility.store.schema import SCHEMA_HEAD, current_revision, upgrade_engine

ENTRY, POSTING = JournalEntry.__table__, JournalPosting.__table__
CLOSED, ACTION = ClosedPeriod.__table__, ActionRow.__table__


class SqlJournal:
    """The books of one region in a database; implements `mobility.ledger.Journal`."""

    def __init__(self, engine: Engine, region_id: str) -> None:
        if current_revision(engine) != SCHEMA_HEAD:
            raise EnvironmentFault("the database has another schema: upgrade it first")
        self._engine = engine
        self._region_id = region_id

    @classmethod
    def open(cls, url: str, region_id: str) -> SqlJournal:
        """Return the journal of the region, bringing the database's schema up to date."""
        engine = open_database(url)
        upgrade_engine(engine)
        return cls(engine, region_id)

    def dispose(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @property
    def region_id(self) -> str:
        """Region whose books these are."""
        return self._region_id

    def append(self, entries: Sequence[Entry]) -> tuple[Link, ...]:
        """Append all or none; see `mobility.ledger.Journal.append`."""
        with writing(self._engine, self._region_id) as connection:
            fresh = new_entries(
                self._region_id,
                entries,
                known_hash=lambda entry_id: self._known_hash(connection, entry_id),
                is_closed=lambda period: self._closed(connection, period) is not None,
            )
            by_period: defaultdict[str, list[Entry]] = defaultdict(list)
            for entry in fresh:
                by_period[entry.period].append(entry)
            made: list[Link] = []
            for period, group in by_period.items():
                size, head = self._tail(connection, period)
                made += link_entries(head, size, group)
            self._insert(connection, made)
        return tuple(made)

    def _insert(self, connection: Connection, links: Sequence[Link]) -> None:
        if not links:
            return
        connection.execute(
            insert(JournalEntry),
            [
                {
                    "region_id": self._region_id,
                    "entry_id": link.entry.id,
                    "period": link.entry.period,
                    "position": link.position,
                    "kind": link.entry.kind,
                    "event_hash": link.entry.event_hash,
                    "facts": json.dumps(dict(link.entry.facts), ensure_ascii=False),
                    "entry_hash": link.entry_hash,
                    "chain_hash": link.chain_hash,
                }
                for link in links
            ],
        )
        connection.execute(
            insert(JournalPosting),
            [
                {
                    "region_id": self._region_id,
                    "entry_id": link.entry.id,
                    "line": line,
                    **asdict(posting.account),
                    "amount_minor": posting.amount_minor,
                }
                for link in links
                for line, posting in enumerate(link.entry.postings)
            ],
        )

    def entries(self, period: str) -> tuple[Link, ...]:
        """Return the period's links in order."""
        with reading(self._engine) as connection:
            return self._links(connection, period)

    def _links(self, connection: Connection, period: str) -> tuple[Link, ...]:
        mine = (JournalEntry.region_id == self._region_id) & (JournalEntry.period == period)
        postings: defaultdict[str, list[Posting]] = defaultdict(list)
        of_period = (
            select(POSTING)
            .join(ENTRY)
            .where(mine)
            .order_by(JournalPosting.entry_id, JournalPosting.line)
        )
        for row in connection.execute(of_period):
            account = Account(row.party, row.role, row.kind, row.currency)
            postings[row.entry_id].append(Posting(account, row.amount_minor))
        rows = connection.execute(select(ENTRY).where(mine).order_by(JournalEntry.position))
        return tuple(_link(row, postings[row.entry_id]) for row in rows)

    def head(self, period: str) -> str:
        """Return the hash of the period's last link."""
        with reading(self._engine) as connection:
            return self._tail(connection, period)[1]

    def _tail(self, connection: Connection, period: str) -> tuple[int, str]:
        """Return the number of links and the last link's hash."""
        row = connection.execute(
            select(JournalEntry.position, JournalEntry.chain_hash)
            .where(JournalEntry.region_id == self._region_id, JournalEntry.period == period)
            .order_by(JournalEntry.position.desc())
            .limit(1)
        ).one_or_none()
        return (row[0] + 1, row[1]) if row else (0, genesis_hash(self._region_id, period))

    def _known_hash(self, connection: Connection, entry_id: str) -> str | None:
        return connection.execute(
            select(JournalEntry.entry_hash).where(
                JournalEntry.region_id == self._region_id, JournalEntry.entry_id == entry_id
            )
        ).scalar_one_or_none()

    def _closed(self, connection: Connection, period: str) -> PeriodRecord | None:
        row = connection.execute(
            select(CLOSED).where(
                ClosedPeriod.region_id == self._region_id, ClosedPeriod.period == period
            )
        ).one_or_none()
        if row is None:
            return None
        return PeriodRecord(
            period, "closed", row.size, row.head, row.root, row.closed_by, row.closed_at
        )

    def periods(self) -> tuple[PeriodRecord, ...]:
        """Return every period that has entries or is closed, in order."""
        with reading(self._engine) as connection:
            used = select(JournalEntry.period).where(JournalEntry.region_id == self._region_id)
            closed = select(ClosedPeriod.period).where(ClosedPeriod.region_id == self._region_id)
            names = sorted(set(connection.scalars(used.union(closed))))
            return tuple(self._period(connection, name) for name in names)

    def _period(self, connection: Connection, period: str) -> PeriodRecord:
        size, head = self._tail(connection, period)
        return self._closed(connection, period) or PeriodRecord(period, "open", size, head)

    def close(self, period: str, *, actor: str, at: dt.datetime, action_id: str) -> PeriodRecord:
        """Close the period for good; closing again changes nothing."""
        check_period(period)
        with writing(self._engine, self._region_id) as connection:
            record = self._closed(connection, period)
            if record is not None:
                return record
            links = self._links(connection, period)
            record = PeriodRecord(
                period,
                "closed",
                len(links),
                links[-1].chain_hash if links else genesis_hash(self._region_id, period),
                merkle_root([link.entry.canonical() for link in links]),
                actor,
                at.isoformat(),
            )
            row = asdict(record)
            del row["state"]
            connection.execute(insert(ClosedPeriod), {"region_id": self._region_id, **row})
            self._record(
                connection, Action(action_id, actor, at.isoformat(), "close_period", period)
            )
        return record

    def record(self, action: Action) -> None:
        """Keep who did what."""
        with writing(self._engine, self._region_id) as connection:
            self._record(connection, action)

    def _record(self, connection: Connection, action: Action) -> None:
        row = asdict(action)
        mine = ActionRow.region_id == self._region_id
        position = connection.scalar(select(func.count()).select_from(ACTION).where(mine))
        connection.execute(
            insert(ActionRow),
            {
                "region_id": self._region_id,
                "action_id": row.pop("id"),
                "position": position,
                **row,
            },
        )

    def actions(self) -> tuple[Action, ...]:
        """Return what was done, in order."""
        mine = ActionRow.region_id == self._region_id
        with reading(self._engine) as connection:
            rows = connection.execute(select(ACTION).where(mine).order_by(ActionRow.position))
            return tuple(
                Action(row.action_id, row.actor, row.at, row.name, row.period, row.detail)
                for row in rows
            )


def _link(row: Any, postings: Sequence[Posting]) -> Link:
    facts = json.loads(row.facts)
    entry = Entry(
        id=row.entry_id,
        kind=row.kind,
        region_id=row.region_id,
        period=row.period,
        event_hash=row.event_hash,
        postings=tuple(postings),
        facts=tuple((name, tuple(v) if isinstance(v, list) else v) for name, v in facts.items()),
    )
    return Link(row.position, entry, row.entry_hash, row.chain_hash)
