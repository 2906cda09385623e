"""What a clerk does with a month, one function per step; the command line only calls these.

import_files → share_period → settle_period → statement, verify → close_period → destroy_key
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobility.clearing import keys
from mobility.clearing.events import ImportReport, import_events, load_events, period_folder
from mobility.clearing.exchange import read_rates
from mobility.clearing.keys import RandomBytes
from mobility.clearing.netting import Payment, gross_and_net, match_payments
from mobility.clearing.partitions import read_set
from mobility.clearing.rides import JourneyFinder, match_rides, suspense_notices, write_rides
from mobility.clearing.rows import Catalog
from mobility.clearing.settle import (
    live_entries,
    obligations_of,
    plan_entries,
    positions_of,
    settlement_targets,
)
from mobility.clearing.share import SHARES, read_shares, share_events, write_shares
from mobility.clearing.splitter import Splitter
from mobility.clearing.statement import Statement, list_parties, make_statement
from mobility.clearing.verify import Verification, verify_period
from mobility.core.errors import CheckFailed, InputError
from mobility.core.files import sole_writer
from mobility.core.ids import content_hash
from mobility.core.notices import Notice
from mobility.core.time import Clock
from mobility.ledger import Action, Entry, Journal, PeriodRecord, check_period


@dataclass(frozen=True, slots=True)
class Caller:
    """Who does it, when, and under which number: injected, so that runs can be repeated."""

    actor: str
    clock: Clock
    new_id: Callable[[], str]

    def action(self, name: str, period: str, detail: str = "") -> Action:
        """Return the action for the record."""
        return Action(self.new_id(), self.actor, self.clock().isoformat(), name, period, detail)


@dataclass(frozen=True, slots=True)
class ShareReport:
    """What sharing a month made: rows per kind, amounts per currency, what was found."""

    period: str
    rides: int
    journeys: int
    lines: int
    shared_minor: dict[str, int]
    suspense_minor: dict[str, int]
    versions: dict[str, str]
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class SettleReport:
    """What settling a month posted, and what is to be paid.

    ``gross`` and ``net`` are minor units per currency before exchange; ``payments`` settle what
    stands after it.
    """

    period: str
    posted: int
    reversed: int
    entries: int
    head: str
    gross: dict[str, int]
    net: dict[str, int]
    payments: dict[str, tuple[Payment, ...]]


def import_files(
    home: Path,
    journal: Journal,
    paths: Sequence[Path],
    *,
    tariff: Mapping[str, Any],
    agreements: Mapping[str, Any],
    zone: str,
    caller: Caller,
    seller: str | None = None,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> ImportReport:
    """Import sheets of sales, passes, taps, rates; importing them again changes nothing.

    Parameters
    ----------
    tariff, agreements : mapping
        Of the edition: which products and parties there are.
    zone : str
        The region's time zone, for times without an offset.
    seller : str, optional
        Whose rows these are where a sheet has no such column.

    Raises
    ------
    EventError
        A file as a whole cannot be read.
    """
    splitter = Splitter(tariff, agreements)
    if seller is not None and seller not in splitter.parties:
        raise InputError(f"seller {seller!r}: the tariff has no such party")
    report = import_events(
        home,
        journal.region_id,
        paths,
        Catalog(splitter.products, splitter.parties, splitter.riders, zone),
        closed=_closed(journal),
        seller=seller,
        random_bytes=random_bytes,
    )
    for period, set_hash in report.sets.items():
        journal.record(caller.action("import", period, set_hash))
    return report


def share_period(
    home: Path,
    journal: Journal,
    period: str,
    *,
    tariff: Mapping[str, Any],
    agreements: Mapping[str, Any],
    zone: str,
    find_journey: JourneyFinder,
    caller: Caller,
    versions: Mapping[str, str] | None = None,
) -> ShareReport:
    """Match the month's rides and divide what was taken, by tariff and agreements.

    Parameters
    ----------
    versions : mapping, optional
        Of the edition in use; its statements carry them.

    Raises
    ------
    CheckFailed
        The month is closed, or a stored file is damaged.
    """
    _check_open(journal, period)
    with sole_writer(home / "events" / journal.region_id):
        stored = load_events(home, journal.region_id, period)
        rides = match_rides(stored, find_journey)
        ride_set = write_rides(stored, rides)
        splitter = Splitter(tariff, agreements)
        shares = share_events(stored, rides, splitter, zone)
        share_set = write_shares(
            stored, ride_set, shares, splitter, {"zone": zone, "versions": dict(versions or {})}
        )
    journal.record(caller.action("share", period, share_set.hash))
    shared: dict[str, int] = {}
    suspense: dict[str, int] = {}
    for line in shares.lines:
        target = suspense if line.reason else shared
        target[line.currency] = target.get(line.currency, 0) + line.amount_minor
    return ShareReport(
        period=period,
        rides=sum(1 for _ in rides),
        journeys=len(rides.journeys),
        lines=len(shares.lines),
        shared_minor=dict(sorted(shared.items())),
        suspense_minor=dict(sorted(suspense.items())),
        versions=dict(splitter.versions),
        notices=(*suspense_notices(rides), *shares.notices),
    )


def settle_period(home: Path, journal: Journal, period: str, *, caller: Caller) -> SettleReport:
    """Post the month's shares, net them, exchange the net positions; again: only what changed.

    Raises
    ------
    CheckFailed
        The month is closed or not shared, or events came in after it was shared.
    MoneyError
        An exchange rate is missing.
    """
    _check_open(journal, period)
    entries = _planned(home, journal, period)
    made = journal.append(entries)
    if made:
        journal.record(caller.action("settle", period, journal.head(period)))
    return _settle_report(journal, period, made=[link.entry.kind for link in made])


def statement(home: Path, journal: Journal, period: str, party: str) -> Statement:
    """Return a party's own statement of the month, with the versions it rests on.

    Raises
    ------
    InputError
        The party has no movements up to this month.
    """
    return make_statement(journal, check_period(period), party, _versions(home, journal, period))


def statement_parties(journal: Journal, period: str) -> tuple[str, ...]:
    """Return the parties that have a statement for the month."""
    return list_parties(journal.entries(check_period(period)))


def verify(
    home: Path, journal: Journal, period: str, *, find_journey: JourneyFinder | None = None
) -> Verification:
    """Recompute the month from its stored inputs; see `mobility.clearing.verify`."""
    return verify_period(home, journal, check_period(period), find_journey=find_journey)


def close_period(home: Path, journal: Journal, period: str, *, caller: Caller) -> PeriodRecord:
    """Close the month for good: what comes later is booked in the next one.

    Raises
    ------
    CheckFailed
        An earlier month is open, or something is not settled yet.
    """
    for record in journal.periods():
        if record.period < period and record.state == "open":
            raise CheckFailed(f"period {record.period} is still open: close it first")
        if record.period == period and record.state == "closed":
            return record
    if _planned(home, journal, period):
        raise CheckFailed(f"period {period}: not all shares are posted: settle it first")
    return journal.close(period, actor=caller.actor, at=caller.clock(), action_id=caller.new_id())


def destroy_key(home: Path, journal: Journal, period: str, *, caller: Caller) -> bool:
    """Destroy the month's key of pseudonyms, once its disputes are over; return if there was one.

    Raises
    ------
    CheckFailed
        The month is open.
    """
    if check_period(period) not in _closed(journal):
        raise CheckFailed(f"period {period} is open: its key is still needed")
    destroyed = keys.destroy_key(home, journal.region_id, period)
    if destroyed:
        journal.record(caller.action("destroy_key", period))
    return destroyed


def _closed(journal: Journal) -> frozenset[str]:
    return frozenset(r.period for r in journal.periods() if r.state == "closed")


def _check_open(journal: Journal, period: str) -> None:
    if check_period(period) in _closed(journal):
        raise CheckFailed(f"period {period} is closed: it never changes")


def _planned(home: Path, journal: Journal, period: str) -> list[Entry]:
    """Return the entries that the month still lacks."""
    folder = period_folder(home, journal.region_id, check_period(period))
    share_set = read_set(folder, SHARES)
    if share_set is None:
        raise CheckFailed(f"period {period} is not shared yet: share it first")
    stored = load_events(home, journal.region_id, period)
    targets = settlement_targets(stored, share_set, read_shares(share_set))
    return plan_entries(journal.region_id, period, journal.entries(period), targets)


def _settle_report(journal: Journal, period: str, *, made: Sequence[str]) -> SettleReport:
    live = live_entries(journal.entries(period))
    gross, net = {}, {}
    for currency, obligations in obligations_of(live).items():
        gross[currency], net[currency] = gross_and_net(obligations)
    final: dict[str, dict[str, int]] = {}
    for (party, currency), amount in positions_of(entry.postings for entry in live).items():
        final.setdefault(currency, {})[party] = amount
    return SettleReport(
        period=period,
        posted=sum(kind != "reversal" for kind in made),
        reversed=sum(kind == "reversal" for kind in made),
        entries=len(live),
        head=journal.head(period),
        gross=gross,
        net=net,
        payments={currency: match_payments(final[currency]) for currency in sorted(final)},
    )


def _versions(home: Path, journal: Journal, period: str) -> dict[str, str]:
    """Return the content hashes that the month's figures rest on."""
    share_set = read_set(period_folder(home, journal.region_id, period), SHARES)
    versions = {"region": journal.region_id}
    if share_set is None:
        return versions
    stored = load_events(home, journal.region_id, period)
    events = stored.of_kind("rate", "currency")
    versions |= {"tariff": share_set.facts["tariff"], "agreement": share_set.facts["agreements"]}
    versions |= share_set.facts["versions"]
    versions |= {"events": stored.partition_set.hash, "shares": share_set.hash}
    versions |= {"rates": content_hash([event.hash() for event in events])}
    if read_rates(period, events).synthetic:
        versions["rates_kind"] = "synthetic"
    return versions
