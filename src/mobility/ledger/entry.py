"""Accounts, postings and entries: who owes and who is owed, in whole minor units.

An amount above zero is a debit, below zero a credit; an entry's amounts sum to zero in every
currency. Entries are never changed or removed: what was wrong is reversed by another entry.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from mobility.core.errors import InputError, MoneyError
from mobility.core.ids import canonical_json, content_hash
from mobility.core.money import check_currency

AMOUNT_LIMIT_MINOR = 2**53  # RFC 8785 numbers are IEEE doubles: below this every integer is exact
ENTRY_FORMAT = 1
_PERIOD = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

Fact = str | int | tuple[str, ...]


def check_period(period: str) -> str:
    """Return the period ``YYYY-MM``, or raise.

    Raises
    ------
    InputError
        The text is no month.

    >>> check_period("2027-05")
    '2027-05'
    """
    if not _PERIOD.fullmatch(period):
        raise InputError(f"{period!r} is no period: expected a month such as 2027-05")
    return period


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """Where amounts of one party, in one role, of one kind and currency gather.

    Parameters
    ----------
    party : str
        Party id of the agreement.
    role : str
        In which role the party has it, such as ``carrier`` or ``seller``.
    kind : str
        What the amounts are, such as ``cash_held`` or ``share``.
    currency : str
        ISO 4217 code.
    """

    party: str
    role: str
    kind: str
    currency: str

    def __post_init__(self) -> None:
        check_currency(self.currency)

    def text(self) -> str:
        """Return the account in one word.

        >>> Account("tram", "carrier", "share", "CHF").text()
        'tram:carrier:share:CHF'
        """
        return f"{self.party}:{self.role}:{self.kind}:{self.currency}"


@dataclass(frozen=True, slots=True, order=True)
class Posting:
    """A debit (above zero) or credit (below zero) of an account, in minor units."""

    account: Account
    amount_minor: int

    def __post_init__(self) -> None:
        if abs(self.amount_minor) >= AMOUNT_LIMIT_MINOR:
            raise MoneyError(f"{self.amount_minor} minor units: more than a posting can hold")

    @property
    def currency(self) -> str:
        """ISO 4217 code of the account."""
        return self.account.currency


@dataclass(frozen=True, slots=True)
class Entry:
    """One balanced set of postings, with what it is about.

    Parameters
    ----------
    id : str
        Unique in its region; appending the same entry again changes nothing.
    kind : str
        What happened, such as ``share``, ``net``, ``exchange`` or ``reversal``.
    region_id, period : str
        Whose books, and which month (``YYYY-MM``).
    event_hash : str
        Content hash of the inputs that the entry rests on; never empty.
    postings : tuple of Posting
        Sum to zero in every currency.
    facts : tuple of (name, value)
        Further named values (text, whole number or texts), in order of the name.

    Raises
    ------
    MoneyError
        No postings, or a currency that does not sum to zero.
    InputError
        No id, no event hash, or a malformed period.

    >>> cash = Account("ch", "seller", "cash_held", "CHF")
    >>> share = Account("de", "carrier", "share", "CHF")
    >>> entry = Entry("e1", "share", "r", "2027-05", "0f", (Posting(cash, 5), Posting(share, -5)))
    >>> entry.hash()[:8]
    '65eaa55e'
    """

    id: str
    kind: str
    region_id: str
    period: str
    event_hash: str
    postings: tuple[Posting, ...]
    facts: tuple[tuple[str, Fact], ...] = ()

    def __post_init__(self) -> None:
        check_period(self.period)
        if not self.id or not self.event_hash:
            raise InputError(f"an entry needs an id and the hash of its inputs (id {self.id!r})")
        if list(self.facts) != sorted(self.facts, key=lambda fact: fact[0]):
            raise InputError(f"entry {self.id}: facts are not in order of their names")
        check_balanced(self)

    def fact(self, name: str) -> Fact | None:
        """Return the named fact, or None."""
        return dict(self.facts).get(name)

    def to_json(self) -> dict[str, Any]:
        """Return the document that is hashed."""
        return {
            "format": ENTRY_FORMAT,
            "id": self.id,
            "kind": self.kind,
            "region_id": self.region_id,
            "period": self.period,
            "event_hash": self.event_hash,
            "facts": {name: list(v) if isinstance(v, tuple) else v for name, v in self.facts},
            "postings": [
                {
                    "party": posting.account.party,
                    "role": posting.account.role,
                    "kind": posting.account.kind,
                    "currency": posting.account.currency,
                    "amount_minor": posting.amount_minor,
                }
                for posting in self.postings
            ],
        }

    def canonical(self) -> bytes:
        """Return the entry's canonical JSON (RFC 8785)."""
        return canonical_json(self.to_json())

    def hash(self) -> str:
        """Return the SHA-256 of the canonical bytes."""
        return content_hash(self.canonical())


def check_balanced(entry: Entry) -> None:
    """Raise where the entry has no postings or does not sum to zero in each currency.

    Raises
    ------
    MoneyError
        Says which currency is off by how much.

    Source: fares-and-clearing, invariant I14.
    """
    if not entry.postings:
        raise MoneyError(f"entry {entry.id} has no postings")
    for currency, amount_minor in balances_by_currency(entry.postings).items():
        if amount_minor:
            raise MoneyError(
                f"entry {entry.id} does not balance: {currency} is off by {amount_minor}"
            )


def balances_by_currency(postings: Iterable[Posting]) -> dict[str, int]:
    """Return the sum of the postings per currency, in minor units."""
    total: defaultdict[str, int] = defaultdict(int)
    for posting in postings:
        total[posting.currency] += posting.amount_minor
    return dict(sorted(total.items()))


def balances(entries: Iterable[Entry]) -> dict[Account, int]:
    """Return each account's balance in minor units, debits above zero, in account order."""
    total: defaultdict[Account, int] = defaultdict(int)
    for entry in entries:
        for posting in entry.postings:
            total[posting.account] += posting.amount_minor
    return dict(sorted(total.items()))


def reverse(entry: Entry, *, period: str | None = None) -> Entry:
    """Return the entry that undoes another one, with the same inputs.

    Its id follows from the id it undoes, so that nothing can be undone twice.

    Parameters
    ----------
    period : str, optional
        The open month to book it in, where the entry's own is closed.

    >>> cash = Account("ch", "seller", "cash_held", "CHF")
    >>> share = Account("de", "carrier", "share", "CHF")
    >>> entry = Entry("e1", "share", "r", "2027-05", "0f", (Posting(cash, 5), Posting(share, -5)))
    >>> [posting.amount_minor for posting in reverse(entry).postings]
    [-5, 5]
    """
    facts = dict(entry.facts) | {"reverses": entry.id, "reverses_kind": entry.kind}
    return replace(
        entry,
        id=f"reversal:{entry.id}",
        kind="reversal",
        period=period or entry.period,
        postings=tuple(Posting(p.account, -p.amount_minor) for p in entry.postings),
        facts=tuple(sorted(facts.items())),
    )
