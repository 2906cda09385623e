"""Verification: everything that was posted is made again from what is stored, and compared.

Nothing here needs the key of the pseudonyms: it holds after the key is destroyed. With a planner
the journeys are found again too; without one the stored journeys are taken as found.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mobility.clearing.events import EVENTS, StoredEvents, load_events, period_folder
from mobility.clearing.netting import net_positions
from mobility.clearing.partitions import PartitionSet, check_partition, manifest_path, read_set
from mobility.clearing.rides import (
    RIDES,
    JourneyFinder,
    Rides,
    match_rides,
    read_rides,
    replay_journeys,
)
from mobility.clearing.settle import (
    live_entries,
    obligations_of,
    plan_entries,
    positions_of,
    settlement_targets,
)
from mobility.clearing.share import SHARES, read_shares, share_events
from mobility.clearing.splitter import Splitter
from mobility.clearing.statement import list_parties, make_statement
from mobility.core.errors import CheckFailed, MobilityError
from mobility.core.files import read_bytes
from mobility.core.ids import content_hash
from mobility.ledger import Journal, check_chain, merkle_root


@dataclass(frozen=True, slots=True)
class Check:
    """One question that verification asks, and its answer."""

    name: str
    holds: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The answers for one month."""

    region_id: str
    period: str
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)


def verify_period(
    home: Path, journal: Journal, period: str, *, find_journey: JourneyFinder | None = None
) -> Verification:
    """Recompute the month from its stored inputs and compare with what was posted.

    Source: fares-and-clearing, invariants I1, I2, I13, I14, I16, I22.
    """
    verifier = _Verifier(home, journal, period, find_journey)
    checks = tuple(_run(name, check) for name, check in verifier.checks())
    return Verification(journal.region_id, period, checks)


def _run(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except MobilityError as error:
        return Check(name, False, str(error))


class _Verifier:
    def __init__(
        self, home: Path, journal: Journal, period: str, find_journey: JourneyFinder | None
    ) -> None:
        self.home, self.journal, self.period = home, journal, period
        self.find_journey = find_journey
        self.folder = period_folder(home, journal.region_id, period)

    def checks(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "partitions", self.partitions
        yield "inputs", self.inputs
        yield "rides", self.rides
        yield "shares", self.shares
        yield "journal", self.chain
        yield "postings", self.postings
        yield "netting", self.netting
        yield "statements", self.statements

    def _set(self, name: str) -> PartitionSet:
        found = read_set(self.folder, name)
        if found is None:
            raise CheckFailed(f"{manifest_path(self.folder, name)}: missing")
        return found

    def _events(self) -> StoredEvents:
        self._set(EVENTS)
        return load_events(self.home, self.journal.region_id, self.period)

    def partitions(self) -> str:
        """Compare every file with its name."""
        count = 0
        for name in (EVENTS, RIDES, SHARES):
            partition_set = self._set(name)
            for partition in partition_set.partitions:
                check_partition(partition_set, partition)
                count += 1
        return f"{count} files are what their names say"

    def inputs(self) -> str:
        """Check that the sets rest on each other, and the journal on the last of them."""
        events, rides, shares = (self._set(name) for name in (EVENTS, RIDES, SHARES))
        for later, fact, earlier in (
            (rides, "events", events),
            (shares, "events", events),
            (shares, "rides", rides),
        ):
            if later.facts.get(fact) != earlier.hash:
                path = manifest_path(self.folder, earlier.name)
                raise CheckFailed(f"{path}: not what {later.name} were made from")
        for name in ("tariff", "agreements"):
            self._document(shares, name)
        for entry in live_entries(self.journal.entries(self.period)):
            if entry.kind == "net" and entry.event_hash != shares.hash:
                path = manifest_path(self.folder, SHARES)
                raise CheckFailed(f"{path}: not what entry {entry.id} was posted from")
        return f"events {events.hash[:16]}, rides {rides.hash[:16]}, shares {shares.hash[:16]}"

    def _document(self, shares: PartitionSet, name: str) -> bytes:
        version = str(shares.facts[name])
        path = self.folder / f"{name}-{version}.json"
        content = read_bytes(path)
        if content_hash(content) != version:
            raise CheckFailed(f"{path}: changed: its bytes hash to {content_hash(content)[:16]}…")
        return content

    def _found(self, stored: StoredEvents) -> Rides:
        find = self.find_journey or replay_journeys(self._set(RIDES))
        return match_rides(stored, find)

    def rides(self) -> str:
        """Make the rides again from the events."""
        kept, made = read_rides(self._set(RIDES)), self._found(self._events())
        for prefix in sorted({*kept.by_prefix, *made.by_prefix}):
            if kept.by_prefix.get(prefix, ()) != made.by_prefix.get(prefix, ()):
                raise CheckFailed(f"rides of partition {prefix} differ from those made anew")
        how = "planned anew" if self.find_journey else "journeys as stored"
        return f"{sum(1 for _ in kept)} rides made anew are the same ({how})"

    def shares(self) -> str:
        """Make the share lines again from events, rides, tariff and agreements."""
        stored, share_set = self._events(), self._set(SHARES)
        splitter = Splitter(
            json.loads(self._document(share_set, "tariff")),
            json.loads(self._document(share_set, "agreements")),
        )
        rides = read_rides(self._set(RIDES))
        made = share_events(stored, rides, splitter, str(share_set.facts["zone"])).by_prefix
        kept = read_shares(share_set)
        for prefix in sorted({*kept, *made}):
            if kept.get(prefix, ()) != made.get(prefix, ()):
                raise CheckFailed(f"shares of partition {prefix} differ from those made anew")
        return f"{sum(map(len, kept.values()))} share lines made anew are the same"

    def chain(self) -> str:
        """Recompute the chain and, of a closed month, the root it was closed with."""
        links = self.journal.entries(self.period)
        head = check_chain(self.journal.region_id, self.period, links)
        for record in self.journal.periods():
            if record.period == self.period and record.state == "closed":
                root = merkle_root([link.entry.canonical() for link in links])
                if (record.size, record.head, record.root) != (len(links), head, root):
                    raise CheckFailed(f"journal {self.period}: not what was closed")
        return f"{len(links)} entries up to {head[:16]}"

    def postings(self) -> str:
        """Make the entries again from the share lines."""
        share_set = self._set(SHARES)
        targets = settlement_targets(self._events(), share_set, read_shares(share_set))
        links = self.journal.entries(self.period)
        missing = plan_entries(self.journal.region_id, self.period, links, targets)
        if missing:
            raise CheckFailed(
                f"journal {self.period}: {len(missing)} entries differ, first {missing[0].id}"
            )
        return f"{len(targets)} entries made anew are those posted"

    def netting(self) -> str:
        """Compare obligations, net positions and accounts."""
        entries = live_entries(self.journal.entries(self.period))
        posted = positions_of(entry.postings for entry in entries if entry.kind == "share")
        for currency, obligations in obligations_of(entries).items():
            for party, amount in net_positions(obligations).items():
                if posted.get((party, currency), 0) != amount:
                    raise CheckFailed(f"netting: {party} {currency} differs from its obligations")
        netted = {
            (posting.account.party, posting.currency): -posting.amount_minor
            for entry in entries
            if entry.kind == "net"
            for posting in entry.postings[1:]
        }
        if netted != {key: amount for key, amount in posted.items() if amount}:
            raise CheckFailed("netting: the net entries are not the positions")
        return f"{len(netted)} net positions, sum zero"

    def statements(self) -> str:
        """Add up each statement, and all of them to zero."""
        total: dict[str, int] = {}
        parties = list_parties(self.journal.entries(self.period))
        for party in parties:
            statement = make_statement(self.journal, self.period, party, {})
            for part in statement.currencies:
                moved = sum(movement.amount_minor for movement in part.movements)
                if part.opening_minor + moved != part.closing_minor:
                    raise CheckFailed(f"statement of {party} {part.currency} does not add up")
                total[part.currency] = total.get(part.currency, 0) + moved
        for currency, amount in total.items():
            if amount:
                raise CheckFailed(f"statements: {currency} is off by {amount}")
        return f"{len(parties)} statements add up"
