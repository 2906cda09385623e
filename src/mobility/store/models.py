"""The SQL tables. ``region_id`` stands in every row; journal rows are never changed.

The migrations in ``migrations/versions`` make these tables; a test shows that both agree.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all tables."""


class JournalEntry(Base):
    """One entry at its place in the chain of its region and period."""

    __tablename__ = "journal_entry"
    __table_args__ = (
        UniqueConstraint("region_id", "period", "position", name="uq_journal_entry_position"),
    )

    region_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    entry_id: Mapped[str] = mapped_column(String(256), primary_key=True)
    period: Mapped[str] = mapped_column(String(7))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(64))
    event_hash: Mapped[str] = mapped_column(String(64))
    facts: Mapped[str] = mapped_column(Text)  # JSON object; names in order
    entry_hash: Mapped[str] = mapped_column(String(64))
    chain_hash: Mapped[str] = mapped_column(String(64))


class JournalPosting(Base):
    """One posting of an entry; debits above zero, credits below."""

    __tablename__ = "journal_posting"
    __table_args__ = (
        ForeignKeyConstraint(
            ["region_id", "entry_id"],
            ["journal_entry.region_id", "journal_entry.entry_id"],
            name="fk_journal_posting_entry",
        ),
        Index("ix_journal_posting_party", "region_id", "party", "currency"),
    )

    region_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    entry_id: Mapped[str] = mapped_column(String(256), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    party: Mapped[str] = mapped_column(String(128))
    role: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(64))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class ClosedPeriod(Base):
    """A month that takes no more entries; one row per closed month."""

    __tablename__ = "closed_period"

    region_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    size: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
    root: Mapped[str] = mapped_column(String(64))
    closed_by: Mapped[str] = mapped_column(String(128))
    closed_at: Mapped[str] = mapped_column(String(40))


class ActionRow(Base):
    """A change of state that somebody made."""

    __tablename__ = "action"
    __table_args__ = (UniqueConstraint("region_id", "position", name="uq_action_position"),)

    region_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    action_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int]
    actor: Mapped[str] = mapped_column(String(128))
    at: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(64))
    period: Mapped[str] = mapped_column(String(7))
    detail: Mapped[str] = mapped_column(Text)


class Writer(Base):
    """One row per region: whoever writes to its books holds this row's lock."""

    __tablename__ = "writer"

    region_id: Mapped[str] = mapped_column(String(64), primary_key=True)
