"""Import: sheets of sales, passes, taps and rates become pseudonymised, immutable events.

An event's identity is (kind, producer, the producer's id). The same event again is nothing new;
the same identity with other content puts *all* its versions in quarantine, whichever came first.
So the stored set is a plain union: it does not depend on order, on repetition or on how the rows
were cut into files. Rows that cannot be read are refused with file, line and field.

A closed month takes nothing more: what comes late is booked in the next open month and remembers
where it belongs (``period`` of the event; ``booked_in`` of the row). Rates and settlement
currencies are those of their month alone: where it is closed they are refused.
"""

from __future__ import annotations

import hmac
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from mobility.clearing.keys import RandomBytes, find_key, open_key, pseudonym
from mobility.clearing.kinds import (
    EVENT_SCHEMA,
    REFUSED_SCHEMA,
    SHEETS,
    Event,
    Sheet,
    event_table,
    events_of,
)
from mobility.clearing.partitions import PartitionKey, PartitionSet, read_set, write_set
from mobility.clearing.rows import (
    Catalog,
    Draft,
    RowRefused,
    is_period,
    parse_row,
    with_token,
)
from mobility.clearing.sheets import read_sheet
from mobility.core.errors import EventError
from mobility.core.files import sole_writer
from mobility.core.ids import canonical_json, content_hash
from mobility.core.notices import Notice

MAX_LATE_MONTHS = 120
EVENTS = "events"
REFUSED = "refused"
OF_ONE_MONTH = ("rate", "currency")  # kinds that say nothing about another month

EventKey = tuple[str, str, str]  # kind, producer, event id
Refused = tuple[str, str, str, str]  # kind, code, field, digest


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the rows: read = new + duplicate + refused.

    ``late`` counts the new rows that a closed month had to pass on; ``quarantined`` the identities
    with contradictory versions that now lie in the months touched. ``sets`` are the hashes of
    those months' event sets.
    """

    read: int
    new: int
    duplicate: int
    refused: int
    late: int
    quarantined: int
    sets: dict[str, str]
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class StoredEvents:
    """The events of a month that count, and those in quarantine."""

    partition_set: PartitionSet
    accepted: dict[str, tuple[Event, ...]]  # by prefix
    quarantined: tuple[Event, ...]

    def of_kind(self, *kinds: str) -> tuple[Event, ...]:
        """Return the accepted events of these kinds, in order of kind, producer and id."""
        found = [e for events in self.accepted.values() for e in events if e.kind in kinds]
        return tuple(sorted(found, key=lambda e: (*event_key(e), e.hash())))


@dataclass(slots=True)
class _Month:
    """A month's events while rows are added to them."""

    period: str
    events: dict[EventKey, dict[str, Event]] = field(default_factory=dict)
    refused: set[Refused] = field(default_factory=set)
    changed: bool = False

    def add(self, event: Event) -> bool:
        versions = self.events.setdefault(event_key(event), {})
        fresh = event.hash() not in versions
        versions[event.hash()] = event
        self.changed = self.changed or fresh
        return fresh


def event_key(event: Event) -> EventKey:
    """Return the identity of an event."""
    return event.kind, event.producer, event.event_id


def period_folder(home: Path, region_id: str, period: str) -> Path:
    """Return the folder of a month's partition sets."""
    return home / "events" / region_id / period


def next_period(period: str) -> str:
    """Return the month after.

    >>> next_period("2027-12")
    '2028-01'
    """
    year, month = divmod(int(period[:4]) * 12 + int(period[5:]), 12)
    return f"{year:04d}-{month + 1:02d}"


def import_events(
    home: Path,
    region_id: str,
    paths: Sequence[Path],
    catalog: Catalog,
    *,
    closed: Collection[str] = (),
    seller: str | None = None,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> ImportReport:
    """Add the rows of the files to the region's stored events.

    Parameters
    ----------
    paths : sequence of Path
        CSV files; their kind is known by their columns (`mobility.clearing.kinds.SHEETS`).
    closed : collection of str
        Months that take nothing more.
    seller : str, optional
        Whose rows these are where a sheet has no such column.

    Raises
    ------
    EventError
        A file as a whole cannot be read; nothing is stored.
    EnvironmentFault
        The disk or the permissions do not allow it, or another process is importing.

    Source: fares-and-clearing, 7.1 (identity, conflicts), invariants I2 to I4.
    """
    files = [(path, *read_sheet(path)) for path in sorted(paths)]
    with sole_writer(home / "events" / region_id):
        importer = _Importer(home, region_id, catalog, frozenset(closed), seller, random_bytes)
        for path, sheet, rows in files:
            for line, row in rows:
                importer.add(path.name, line, sheet, row)
        return importer.finish()


class _Importer:
    """Adds rows to the months they belong to, then writes the months that changed."""

    def __init__(
        self,
        home: Path,
        region_id: str,
        catalog: Catalog,
        closed: frozenset[str],
        seller: str | None,
        random_bytes: RandomBytes,
    ) -> None:
        self.home, self.region_id, self.catalog = home, region_id, catalog
        self.closed, self.seller, self.random_bytes = closed, seller, random_bytes
        self.months: dict[str, _Month] = {}
        self.keys: dict[str, bytes] = {}
        self.notices: list[Notice] = []
        self.read = self.new = self.duplicate = self.refused = self.late = 0

    def add(self, file: str, line: int, sheet: Sheet, row: dict[str, str] | None) -> None:
        """Add one row (None: it does not have the header's number of fields)."""
        self.read += 1
        try:
            if row is None:
                raise RowRefused("ragged_row", "", "", "as many fields as the header has")
            draft = parse_row(sheet, row, self.catalog, self.seller)
        except RowRefused as refusal:
            self._refuse(file, line, sheet, row, refusal)
            return
        self._book(file, line, sheet, row, draft)

    def _book(self, file: str, line: int, sheet: Sheet, row: dict[str, str], draft: Draft) -> None:
        period = draft.event.period
        for _ in range(MAX_LATE_MONTHS):
            if period not in self.closed:
                break
            known = self._known(period, draft)
            if known == "same":
                self.duplicate += 1
                return
            if known == "other":
                reason = f"{period} is closed with other content under this id"
                refusal = RowRefused("conflict_closed", "", draft.event.event_id, reason)
                self._refuse(file, line, sheet, row, refusal)
                return
            if draft.event.kind in OF_ONE_MONTH:
                refusal = RowRefused("closed_period", "period", period, "an open month")
                self._refuse(file, line, sheet, row, refusal)
                return
            period = next_period(period)
        event = self._pseudonymised(period, draft)
        if not self._month(period).add(event):
            self.duplicate += 1
            return
        self.new += 1
        if period != event.period:
            self.late += 1
            text = f"{event.period} is closed: booked in {period}"
            self.notices.append(Notice("late_event", "info", file=file, row=line, message=text))

    def _known(self, period: str, draft: Draft) -> str:
        """Return whether a closed month has the event: ``same``, ``other`` or ``no``."""
        versions = self._month(period).events.get(event_key(draft.event))
        if not versions:
            return "no"
        if draft.card and find_key(self.home, self.region_id, period) is None:
            # The key is destroyed: the card cannot be compared any more, all else can.
            same = any(replace(event, token=None) == draft.event for event in versions.values())
        else:
            same = self._pseudonymised(period, draft).hash() in versions
        return "same" if same else "other"

    def _pseudonymised(self, period: str, draft: Draft) -> Event:
        if not draft.card:
            return draft.event
        return with_token(draft.event, pseudonym(self._key(period), draft.card))

    def _key(self, period: str) -> bytes:
        if period not in self.keys:
            self.keys[period] = open_key(
                self.home, self.region_id, period, random_bytes=self.random_bytes
            )
        return self.keys[period]

    def _month(self, period: str) -> _Month:
        if period not in self.months:
            month = self.months[period] = _Month(period)
            stored = read_set(period_folder(self.home, self.region_id, period), EVENTS)
            if stored is not None:
                for event in _all_events(stored):
                    month.add(event)
                for table in stored.read(REFUSED, REFUSED_SCHEMA).values():
                    month.refused.update(table.iter_rows())
                month.changed = False
        return self.months[period]

    def _refuse(
        self,
        file: str,
        line: int,
        sheet: Sheet,
        row: dict[str, str] | None,
        refusal: RowRefused,
    ) -> None:
        self.refused += 1
        shown = "" if refusal.field == sheet.card_column else refusal.value[:200]
        self.notices.append(
            Notice(
                refusal.code,
                "error",
                file=file,
                row=line,
                field=refusal.field,
                value=shown,
                message=f"{refusal.expected}; the row is in quarantine",
            )
        )
        period = self._period_of_refused(row)
        if period is not None:
            digest = hmac.new(self._key(period), canonical_json(row), "sha256").hexdigest()
            month = self._month(period)
            before = len(month.refused)
            month.refused.add((sheet.kind, refusal.code, refusal.field, digest))
            month.changed = month.changed or len(month.refused) > before

    def _period_of_refused(self, row: dict[str, str] | None) -> str | None:
        """Return the open month that a refused row names somewhere, or None."""
        for name in ("period", "service_date", "sold_at", "valid_from"):
            period = (row or {}).get(name, "").strip()[:7]
            if is_period(period):
                while period in self.closed:
                    period = next_period(period)
                return period
        return None

    def finish(self) -> ImportReport:
        """Write the months that changed; report."""
        sets, quarantined = {}, 0
        for period, month in sorted(self.months.items()):
            if period in self.closed:
                continue
            folder = period_folder(self.home, self.region_id, period)
            stored = write_set(folder, EVENTS, _tables(month), self._facts(period))
            sets[period] = stored.hash
            conflicts = [key for key, versions in month.events.items() if len(versions) > 1]
            quarantined += len(conflicts)
            self.notices.extend(_conflict_notice(key) for key in sorted(conflicts))
        return ImportReport(
            read=self.read,
            new=self.new,
            duplicate=self.duplicate,
            refused=self.refused,
            late=self.late,
            quarantined=quarantined,
            sets=sets,
            notices=tuple(self.notices),
        )

    def _facts(self, period: str) -> dict[str, str]:
        return {"region_id": self.region_id, "period": period}


def load_events(home: Path, region_id: str, period: str) -> StoredEvents:
    """Return the month's events, checked against their hashes.

    Raises
    ------
    EventError
        Nothing was imported for the month.
    CheckFailed
        A partition is missing or changed.
    """
    stored = read_set(period_folder(home, region_id, period), EVENTS)
    if stored is None:
        raise EventError(f"region {region_id}, period {period}: nothing was imported")
    versions: defaultdict[EventKey, list[Event]] = defaultdict(list)
    for event in _all_events(stored):
        versions[event_key(event)].append(event)
    accepted: defaultdict[str, list[Event]] = defaultdict(list)
    quarantined: list[Event] = []
    for _, events in sorted(versions.items()):
        if len(events) > 1:
            quarantined.extend(sorted(events, key=Event.hash))
        else:
            accepted[prefix_of(events[0])].append(events[0])
    return StoredEvents(
        stored,
        {prefix: tuple(events) for prefix, events in sorted(accepted.items())},
        tuple(quarantined),
    )


def prefix_of(event: Event) -> str:
    """Return the partition of an event: of its card where it has one, else of its identity."""
    return (event.token or content_hash(list(event_key(event))))[0]


def _all_events(stored: PartitionSet) -> Iterator[Event]:
    for sheet in SHEETS:
        for table in stored.read(sheet.kind, EVENT_SCHEMA).values():
            yield from events_of(table)


def _tables(month: _Month) -> dict[PartitionKey, pl.DataFrame]:
    grouped: defaultdict[PartitionKey, list[tuple[str, Event]]] = defaultdict(list)
    for versions in month.events.values():
        for event in versions.values():
            grouped[event.kind, prefix_of(event)].append((month.period, event))
    tables = {key: event_table(events) for key, events in grouped.items()}
    if month.refused:
        refused = sorted(month.refused)
        tables[REFUSED, "0"] = pl.DataFrame(refused, schema=REFUSED_SCHEMA, orient="row")
    return tables


def _conflict_notice(key: EventKey) -> Notice:
    kind, producer, event_id = key
    return Notice(
        "conflicting_event",
        "error",
        feed=producer,
        field=kind,
        value=event_id,
        message="one id with contradictory contents: all versions are in quarantine",
    )
