"""The journal: entries are appended, never changed; a closed period takes no more.

`Journal` is what clearing needs and `mobility.store` implements on SQL. `MemoryJournal` obeys the
same rules in memory: for trial runs and as the model that the SQL journal is tested against.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from mobility.core.errors import CheckFailed
from mobility.ledger.chain import Link, genesis_hash, link_entries
from mobility.ledger.entry import Entry, check_period
from mobility.ledger.proof import merkle_root

PeriodState = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class PeriodRecord:
    """How far a period is.

    Parameters
    ----------
    size, head : int, str
        Number of entries and hash of the last link.
    root : str
        Merkle root over the canonical entries; empty while the period is open.
    closed_by, closed_at : str
        Actor and RFC 3339 instant; empty while the period is open.
    """

    period: str
    state: PeriodState
    size: int
    head: str
    root: str = ""
    closed_by: str = ""
    closed_at: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A change of state that somebody made: who, when, what."""

    id: str
    actor: str
    at: str
    name: str
    period: str
    detail: str = ""


class Journal(Protocol):
    """The books of one region."""

    @property
    def region_id(self) -> str:
        """Region whose books these are."""
        ...

    def append(self, entries: Sequence[Entry]) -> tuple[Link, ...]:
        """Append all or none; entries that are there already are skipped. Return the new links.

        Raises
        ------
        CheckFailed
            An id is there with other content, or the period is closed.
        """
        ...

    def entries(self, period: str) -> tuple[Link, ...]:
        """Return the period's links in order."""
        ...

    def head(self, period: str) -> str:
        """Return the hash of the period's last link (of an empty one: its genesis hash)."""
        ...

    def periods(self) -> tuple[PeriodRecord, ...]:
        """Return every period that has entries or is closed, in order."""
        ...

    def close(self, period: str, *, actor: str, at: dt.datetime, action_id: str) -> PeriodRecord:
        """Close the period for good; closing again changes nothing."""
        ...

    def record(self, action: Action) -> None:
        """Keep who did what."""
        ...

    def actions(self) -> tuple[Action, ...]:
        """Return what was done, in order."""
        ...


def new_entries(
    region_id: str,
    entries: Sequence[Entry],
    *,
    known_hash: Callable[[str], str | None],
    is_closed: Callable[[str], bool],
) -> tuple[Entry, ...]:
    """Return the entries that are not in the journal yet; the rule that all journals share.

    Parameters
    ----------
    known_hash : callable
        Entry id to the hash of the entry with this id, or None.
    is_closed : callable
        Period to whether it is closed.

    Raises
    ------
    CheckFailed
        Another region, an id with other content, or a closed period.
    """
    fresh: dict[str, Entry] = {}
    for entry in entries:
        if entry.region_id != region_id:
            raise CheckFailed(f"entry {entry.id} is of region {entry.region_id}, not {region_id}")
        known = fresh[entry.id].hash() if entry.id in fresh else known_hash(entry.id)
        if known is None:
            if is_closed(entry.period):
                raise CheckFailed(f"period {entry.period} is closed: entry {entry.id} is refused")
            fresh[entry.id] = entry
        elif known != entry.hash():
            raise CheckFailed(f"entry {entry.id} is in the journal with other content")
    return tuple(fresh.values())


class MemoryJournal:
    """A journal that lives as long as the process."""

    def __init__(self, region_id: str) -> None:
        self._region_id = region_id
        self._links: dict[str, list[Link]] = {}
        self._hashes: dict[str, str] = {}
        self._closed: dict[str, PeriodRecord] = {}
        self._actions: list[Action] = []

    @property
    def region_id(self) -> str:
        """Region whose books these are."""
        return self._region_id

    def append(self, entries: Sequence[Entry]) -> tuple[Link, ...]:
        """Append all or none; see `Journal.append`."""
        fresh = new_entries(
            self._region_id,
            entries,
            known_hash=self._hashes.get,
            is_closed=self._closed.__contains__,
        )
        made: list[Link] = []
        for entry in fresh:
            links = self._links.setdefault(entry.period, [])
            link = link_entries(self.head(entry.period), len(links), [entry])[0]
            links.append(link)
            self._hashes[entry.id] = link.entry_hash
            made.append(link)
        return tuple(made)

    def entries(self, period: str) -> tuple[Link, ...]:
        """Return the period's links in order."""
        return tuple(self._links.get(period, ()))

    def head(self, period: str) -> str:
        """Return the hash of the period's last link."""
        links = self._links.get(period)
        return links[-1].chain_hash if links else genesis_hash(self._region_id, period)

    def periods(self) -> tuple[PeriodRecord, ...]:
        """Return every period that has entries or is closed, in order."""
        names = sorted({*self._links, *self._closed})
        return tuple(self._closed.get(name) or self._open(name) for name in names)

    def _open(self, period: str) -> PeriodRecord:
        return PeriodRecord(period, "open", len(self.entries(period)), self.head(period))

    def close(self, period: str, *, actor: str, at: dt.datetime, action_id: str) -> PeriodRecord:
        """Close the period for good; closing again changes nothing."""
        check_period(period)
        if period not in self._closed:
            self._closed[period] = replace(
                self._open(period),
                state="closed",
                root=merkle_root([link.entry.canonical() for link in self.entries(period)]),
                closed_by=actor,
                closed_at=at.isoformat(),
            )
            self.record(Action(action_id, actor, at.isoformat(), "close_period", period))
        return self._closed[period]

    def record(self, action: Action) -> None:
        """Keep who did what."""
        self._actions.append(action)

    def actions(self) -> tuple[Action, ...]:
        """Return what was done, in order."""
        return tuple(self._actions)
