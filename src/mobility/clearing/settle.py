"""Settlement: share lines become journal entries, positions are netted, then exchanged once.

Every entry follows from stored inputs alone, so that anybody can make it again. Settling anew
after more events reverses the entries that changed and posts them afresh; what did not change
stays. A share entry concerns two parties only, the seller who holds the cash and the one who
earned the share: its proof shows nothing of others.

    share     seller: cash_held +x                party: share −x
    net       party: cleared +n                   party: net −n
    exchange  party: net +n  _clearing: fx −n     party: net −m  _clearing: fx +m   (other currency)
    rounding  _clearing: fx −r                    _clearing: fx_rounding +r
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mobility.clearing.events import StoredEvents
from mobility.clearing.exchange import Exchange, Rates, exchange_positions, read_rates
from mobility.clearing.partitions import PartitionSet
from mobility.clearing.share import ShareLine
from mobility.core.errors import CheckFailed
from mobility.core.ids import content_hash
from mobility.ledger import Account, Entry, Fact, Link, Posting, reverse

CLEARING_PARTY = "_clearing"
CLEARING_ROLE = "clearing_house"
PARTICIPANT_ROLE = "participant"


@dataclass(frozen=True, slots=True)
class Target:
    """An entry as it should stand in the journal, whatever its revision."""

    kind: str
    key: tuple[str, ...]
    postings: tuple[Posting, ...]
    facts: tuple[tuple[str, Fact], ...]
    event_hash: str

    @property
    def key_hash(self) -> str:
        """Name of the entry in ids: the same for all its revisions."""
        return content_hash([self.kind, *self.key])[:24]

    def entry(self, region_id: str, period: str, revision: int) -> Entry:
        """Return the entry of this revision."""
        facts = dict(self.facts) | {"key": self.key_hash, "revision": revision}
        return Entry(
            id=f"{self.kind}-{period}-{self.key_hash}-{revision}",
            kind=self.kind,
            region_id=region_id,
            period=period,
            event_hash=self.event_hash,
            postings=self.postings,
            facts=tuple(sorted(facts.items())),
        )


def settlement_targets(
    stored: StoredEvents, share_set: PartitionSet, by_prefix: Mapping[str, Sequence[ShareLine]]
) -> list[Target]:
    """Return all entries of the month that follow from its events and share lines, in order.

    Raises
    ------
    CheckFailed
        The share lines were made from other events.
    MoneyError
        A rate is missing or stated twice.
    """
    if share_set.facts.get("events") != stored.partition_set.hash:
        raise CheckFailed(
            f"{share_set.folder}: events were imported after the shares were made: share again"
        )
    period = str(share_set.facts["period"])
    shares = _share_targets(share_set, by_prefix)
    positions = positions_of(target.postings for target in shares)
    nets = [_net_target(key, amount, share_set) for key, amount in positions.items() if amount]
    events = stored.of_kind("rate", "currency")
    wishes = {e.producer: e.currency or "" for e in events if e.kind == "currency"}
    rates = read_rates(period, events)
    rates_hash = content_hash(sorted(event.hash() for event in events))
    exchanges, residuals = exchange_positions(positions, wishes, rates)
    return [
        *shares,
        *nets,
        *(_exchange_target(exchange, rates, rates_hash) for exchange in exchanges),
        *(_rounding_target(pair, rest, rates_hash) for pair, rest in residuals.items() if rest),
    ]


def plan_entries(
    region_id: str, period: str, links: Sequence[Link], targets: Sequence[Target]
) -> list[Entry]:
    """Return the entries that bring the journal to the targets: reversals first, then new ones."""
    revisions: defaultdict[str, int] = defaultdict(int)
    for link in links:
        if link.entry.kind != "reversal":
            revisions[str(link.entry.fact("key"))] += 1
    live = {str(entry.fact("key")): entry for entry in live_entries(links)}
    keep = set()
    fresh = []
    for target in targets:
        name = target.key_hash
        old = live.get(name)
        if old is not None and old == target.entry(region_id, period, revisions[name] - 1):
            keep.add(name)
        else:
            fresh.append(target.entry(region_id, period, revisions[name]))
    undone = [reverse(entry) for name, entry in live.items() if name not in keep]
    return [*undone, *fresh]


def live_entries(links: Iterable[Link]) -> list[Entry]:
    """Return the entries that are neither reversals nor reversed, in order."""
    entries = [link.entry for link in links]
    undone = {entry.fact("reverses") for entry in entries if entry.kind == "reversal"}
    return [e for e in entries if e.kind != "reversal" and e.id not in undone]


def positions_of(postings: Iterable[Sequence[Posting]]) -> dict[tuple[str, str], int]:
    """Return what each party is owed (above zero) per currency, in minor units."""
    total: defaultdict[tuple[str, str], int] = defaultdict(int)
    for group in postings:
        for posting in group:
            total[posting.account.party, posting.currency] -= posting.amount_minor
    return dict(sorted(total.items()))


def obligations_of(entries: Iterable[Entry]) -> dict[str, dict[tuple[str, str], int]]:
    """Return who owes whom how much from shares, by currency: kept although they are netted."""
    owed: dict[str, dict[tuple[str, str], int]] = {}
    for entry in entries:
        if entry.kind == "share":
            cash, share = entry.postings
            pair = cash.account.party, share.account.party
            own = owed.setdefault(cash.currency, {})
            own[pair] = own.get(pair, 0) + cash.amount_minor
    return {currency: dict(sorted(pairs.items())) for currency, pairs in sorted(owed.items())}


def _share_targets(
    share_set: PartitionSet, by_prefix: Mapping[str, Sequence[ShareLine]]
) -> list[Target]:
    files = {partition.prefix: partition.sha256 for partition in share_set.partitions}
    groups: defaultdict[tuple[str, ...], list[tuple[str, ShareLine]]] = defaultdict(list)
    for prefix, lines in by_prefix.items():
        for line in lines:
            key = (
                line.period,
                line.agreement,
                line.product,
                line.seller,
                line.party,
                line.role,
                line.currency,
            )
            groups[key].append((prefix, line))
    return [_share_target(share_set, key, group, files) for key, group in sorted(groups.items())]


def _share_target(
    share_set: PartitionSet,
    key: tuple[str, ...],
    group: Sequence[tuple[str, ShareLine]],
    files: Mapping[str, str],
) -> Target:
    of_period, agreement, product, seller, party, role, currency = key
    amount = sum(line.amount_minor for _, line in group)
    partitions = tuple(sorted({files[prefix] for prefix, _ in group}))
    facts: dict[str, Fact] = {
        "agreement": agreement,
        "agreements": str(share_set.facts["agreements"]),
        "count": sum(line.count for _, line in group),
        "lines": len(group),
        "of_period": of_period,
        "partitions": partitions,
        "product": product,
        "rides": sum(line.rides for _, line in group),
        "tariff": str(share_set.facts["tariff"]),
    }
    postings = (
        Posting(Account(seller, "seller", "cash_held", currency), amount),
        Posting(Account(party, role, "share", currency), -amount),
    )
    return Target("share", key, postings, tuple(sorted(facts.items())), content_hash(partitions))


def _net_target(key: tuple[str, str], amount: int, share_set: PartitionSet) -> Target:
    # Rests on the whole set of shares: that anchors its manifest in the chain.
    party, currency = key
    postings = (
        Posting(Account(party, PARTICIPANT_ROLE, "cleared", currency), amount),
        Posting(Account(party, PARTICIPANT_ROLE, "net", currency), -amount),
    )
    return Target("net", key, postings, (), share_set.hash)


def _exchange_target(exchange: Exchange, rates: Rates, rates_hash: str) -> Target:
    party, source, target = exchange.party, exchange.source, exchange.target
    rate = str(rates.rate(source, target))
    postings = (
        Posting(Account(party, PARTICIPANT_ROLE, "net", source), exchange.source_minor),
        Posting(Account(CLEARING_PARTY, CLEARING_ROLE, "fx", source), -exchange.source_minor),
        Posting(Account(CLEARING_PARTY, CLEARING_ROLE, "fx", target), exchange.target_minor),
        Posting(Account(party, PARTICIPANT_ROLE, "net", target), -exchange.target_minor),
    )
    facts = (("rate", rate),)  # units of the target for one unit of the source, as a fraction
    return Target("exchange", (party, source, target), postings, facts, rates_hash)


def _rounding_target(pair: tuple[str, str], residual: int, rates_hash: str) -> Target:
    _, currency = pair
    postings = (
        Posting(Account(CLEARING_PARTY, CLEARING_ROLE, "fx_rounding", currency), residual),
        Posting(Account(CLEARING_PARTY, CLEARING_ROLE, "fx", currency), -residual),
    )
    return Target("rounding", pair, postings, (), rates_hash)
