"""A party's statement of a month: opening, movements, closing. It adds up, and shows only its own.

Amounts above zero are owed to the party, below zero owed by it, in minor units.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from mobility.clearing.settle import live_entries, positions_of
from mobility.core.errors import InputError
from mobility.core.money import Money
from mobility.ledger import Entry, Journal, Link, inclusion_proof

FORMAT = 1
MAX_RATE_DIGITS = 12  # decimals of a stated rate


@dataclass(frozen=True, slots=True)
class Movement:
    """What changed the party's position, for one product and counterparty.

    Parameters
    ----------
    kind : str
        ``earned`` (its share of what another sold), ``owed`` (another's share of what it sold) or
        ``exchange``.
    role : str
        In which role the share is earned, such as ``carrier`` or (commission) ``seller``.
    of_period : str
        The month it belongs to, where it came late.
    count, rides : int
        Tickets and passes sold, rides that counted.
    terms : str
        Of an exchange: both amounts and the rate.
    entry : str
        The journal entry; its fact ``partitions`` leads to the single sales.
    """

    kind: str
    product: str
    counterparty: str
    role: str
    agreement: str
    of_period: str
    count: int
    rides: int
    amount_minor: int
    terms: str
    entry: str


@dataclass(frozen=True, slots=True)
class Sales:
    """What the party itself sold of a product: tickets, takings, and its own share of them."""

    product: str
    taken_minor: int
    kept_minor: int


@dataclass(frozen=True, slots=True)
class CurrencyStatement:
    """A party's month in one currency; closing = opening + the movements."""

    currency: str
    opening_minor: int
    movements: tuple[Movement, ...]
    closing_minor: int
    sales: tuple[Sales, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A party's month.

    ``proofs`` show, once the month is closed, that each entry is under the Merkle ``root``.
    """

    region_id: str
    period: str
    party: str
    state: str
    versions: dict[str, str]
    currencies: tuple[CurrencyStatement, ...]
    head: str
    root: str
    proofs: dict[str, dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return the statement as a document."""
        return {"format": FORMAT, **asdict(self)}

    def text(self) -> str:
        """Return the statement for people."""
        lines = [f"{self.region_id} {self.period} {self.party} ({self.state})"]
        for part in self.currencies:
            lines.append("")
            for sales in part.sales:
                taken, kept, owed = (
                    _amount(amount, part.currency)
                    for amount in (
                        sales.taken_minor,
                        sales.kept_minor,
                        sales.taken_minor - sales.kept_minor,
                    )
                )
                lines.append(f"  sold {sales.product}: {taken} taken, {kept} kept, {owed} owed")
            lines.append(f"  opening {_amount(part.opening_minor, part.currency)}")
            for movement in part.movements:
                amount = _amount(movement.amount_minor, part.currency)
                lines.append(f"  {_explain(movement, self.period):100} {amount:>16}")
            due = "" if not part.closing_minor else f": due {_side(part)} {self.party}"
            lines.append(f"  closing {_amount(part.closing_minor, part.currency)}{due}")
        if any(part.opening_minor for part in self.currencies):
            lines.append("\n  opening: as earlier months closed; payments made are not booked here")
        lines.append("")
        lines.extend(f"  {name} {value}" for name, value in sorted(self.versions.items()))
        lines.append(f"  journal {self.head}" + (f"\n  root {self.root}" if self.root else ""))
        return "\n".join(lines)


def make_statement(
    journal: Journal, period: str, party: str, versions: Mapping[str, str]
) -> Statement:
    """Return a party's statement of a month.

    Raises
    ------
    InputError
        The party has neither movements nor a balance up to this month.

    Source: fares-and-clearing, 3.2 (9) and invariant I1.
    """
    records = {record.period: record for record in journal.periods()}
    links = journal.entries(period)
    live = live_entries(links)
    earlier = [journal.entries(name) for name in records if name < period]
    opening = positions_of(link.entry.postings for group in earlier for link in group)
    movements = _movements(live, party)
    sales = _sales(live, party)
    own = {currency for name, currency in opening if name == party and opening[name, currency]}
    parts = []
    for currency in sorted({*own, *movements, *sales}):
        start, moved = opening.get((party, currency), 0), movements.get(currency, ())
        closing = start + sum(movement.amount_minor for movement in moved)
        parts.append(
            CurrencyStatement(
                currency, start, tuple(moved), closing, tuple(sales.get(currency, ()))
            )
        )
    if not parts:
        raise InputError(f"{party} has no movements up to {period}: parties are {_parties(live)}")
    record = records.get(period)
    closed = record is not None and record.state == "closed"
    ids = {movement.entry for part in parts for movement in part.movements}
    return Statement(
        region_id=journal.region_id,
        period=period,
        party=party,
        state="closed" if closed else "open",
        versions=dict(versions),
        currencies=tuple(parts),
        head=journal.head(period),
        root=record.root if record is not None else "",
        proofs=_proofs(links, ids) if closed else {},
    )


def list_parties(links: Iterable[Link]) -> tuple[str, ...]:
    """Return the parties with entries, those of the clearing house included, in order."""
    return tuple(
        sorted({posting.account.party for link in links for posting in link.entry.postings})
    )


def _movements(entries: Sequence[Entry], party: str) -> dict[str, list[Movement]]:
    """Return the party's movements by currency, in order."""
    movements: defaultdict[str, list[Movement]] = defaultdict(list)
    for entry in entries:
        if entry.kind == "share":
            cash, share = entry.postings
            seller, earner = cash.account.party, share.account.party
            if party in (seller, earner) and seller != earner:
                kind, other = ("owed", earner) if seller == party else ("earned", seller)
                movement = _movement(entry, party, cash.currency, kind, other)
                movements[cash.currency].append(movement)
        elif entry.kind == "exchange":
            for currency in sorted({posting.currency for posting in entry.postings}):
                if _own(entry, party, currency):
                    movement = _movement(entry, party, currency, entry.kind, _other(entry, party))
                    movements[currency].append(movement)
    return {currency: sorted(group, key=_movement_key) for currency, group in movements.items()}


def _movement(entry: Entry, party: str, currency: str, kind: str, other: str) -> Movement:
    return Movement(
        kind=kind,
        product=str(entry.fact("product") or ""),
        counterparty=other,
        role=entry.postings[1].account.role if kind in ("earned", "owed") else "",
        agreement=str(entry.fact("agreement") or ""),
        of_period=str(entry.fact("of_period") or ""),
        count=_number(entry, "count"),
        rides=_number(entry, "rides"),
        amount_minor=_own(entry, party, currency),
        terms=_terms(entry) if kind == "exchange" else "",
        entry=entry.id,
    )


def _terms(entry: Entry) -> str:
    """Return both amounts of an exchange, as the party sees them, and the rate."""
    own, _, _, other = entry.postings
    given, got = (
        _amount(amount, posting.currency)
        for amount, posting in ((own.amount_minor, own), (-other.amount_minor, other))
    )
    return f"{given} into {got} at {_rate_text(Fraction(str(entry.fact('rate'))))}"


def _rate_text(rate: Fraction) -> str:
    """Return the rate exactly: as a decimal, as one over a decimal, else as a fraction.

    >>> [_rate_text(Fraction(*pair)) for pair in ((2353, 2500), (2500, 2353), (7, 3))]
    ['0.9412', '1/0.9412', '7/3']
    """
    for prefix, value in (("", rate), ("1/", 1 / rate)):
        for digits in range(MAX_RATE_DIGITS + 1):
            scaled = value * 10**digits
            if scaled.denominator == 1:
                whole, rest = divmod(scaled.numerator, 10**digits)
                return f"{prefix}{whole}" + (f".{rest:0{digits}}" if digits else "")
    return str(rate)


def _explain(movement: Movement, period: str) -> str:
    """Return in words what a movement is for."""
    m = movement
    if m.terms:
        return f"{m.kind} with {m.counterparty}: {m.terms}"
    side = "from" if m.kind == "earned" else "to"
    under = f"agreement {m.agreement}" if m.agreement else "no agreement"
    late = f" of {m.of_period}" if m.of_period not in ("", period) else ""
    what = f"{m.kind} {m.product} {side} {m.counterparty} as {m.role}, {under}{late}"
    return f"{what}: {m.count} sold, {m.rides} rides"


def _side(part: CurrencyStatement) -> str:
    return "to" if part.closing_minor > 0 else "from"


def _movement_key(movement: Movement) -> tuple[str, ...]:
    m = movement
    return m.kind, m.product, m.counterparty, m.role, m.of_period, m.agreement, m.entry


def _number(entry: Entry, name: str) -> int:
    value = entry.fact(name)
    return value if isinstance(value, int) else 0


def _own(entry: Entry, party: str, currency: str) -> int:
    return -sum(
        posting.amount_minor
        for posting in entry.postings
        if posting.account.party == party and posting.currency == currency
    )


def _other(entry: Entry, party: str) -> str:
    return next((p.account.party for p in entry.postings if p.account.party != party), party)


def _sales(entries: Sequence[Entry], party: str) -> dict[str, list[Sales]]:
    taken: defaultdict[tuple[str, str], int] = defaultdict(int)
    kept: defaultdict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        if entry.kind == "share" and entry.postings[0].account.party == party:
            key = entry.postings[0].currency, str(entry.fact("product"))
            taken[key] += entry.postings[0].amount_minor
            if entry.postings[1].account.party == party:
                kept[key] += entry.postings[0].amount_minor
    sales: dict[str, list[Sales]] = {}
    for (currency, product), amount in sorted(taken.items()):
        sales.setdefault(currency, []).append(Sales(product, amount, kept[currency, product]))
    return sales


def _proofs(links: Sequence[Link], ids: set[str]) -> dict[str, dict[str, Any]]:
    leaves = [link.entry.canonical() for link in links]
    return {
        link.entry.id: asdict(inclusion_proof(leaves, link.position))
        for link in links
        if link.entry.id in ids
    }


def _parties(entries: Sequence[Entry]) -> str:
    names = {posting.account.party for entry in entries for posting in entry.postings}
    return ", ".join(sorted(names)) or "none"


def _amount(amount_minor: int, currency: str) -> str:
    return Money(amount_minor, currency).text()
