"""Netting: what everybody owes everybody becomes one amount each, and nobody's position moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from mobility.core.errors import MoneyError

Obligations = Mapping[tuple[str, str], int]  # (debtor, creditor) to minor units of one currency


@dataclass(frozen=True, slots=True)
class Payment:
    """An amount that one party pays another, in minor units."""

    debtor: str
    creditor: str
    amount_minor: int


def net_positions(obligations: Obligations) -> dict[str, int]:
    """Return what each party is owed (above zero) or owes (below), in minor units.

    The positions sum to zero. Obligations to oneself count for nothing.

    Source: fares-and-clearing, 4.8 and invariant I16.

    >>> net_positions({("a", "b"): 30, ("b", "a"): 10, ("b", "c"): 5})
    {'a': -20, 'b': 15, 'c': 5}
    """
    net: defaultdict[str, int] = defaultdict(int)
    for (debtor, creditor), amount_minor in obligations.items():
        net[debtor] -= amount_minor
        net[creditor] += amount_minor
    return dict(sorted(net.items()))


def match_payments(positions: Mapping[str, int]) -> tuple[Payment, ...]:
    """Return at most n − 1 payments that settle the positions of n parties.

    The largest debtor pays the largest creditor first; among equals the smaller id.

    Raises
    ------
    MoneyError
        The positions do not sum to zero.

    >>> [(p.creditor, p.amount_minor) for p in match_payments({"a": -20, "b": 15, "c": 5})]
    [('b', 15), ('c', 5)]
    """
    if sum(positions.values()):
        raise MoneyError(f"positions are off by {sum(positions.values())} minor units")
    owed = {party: amount for party, amount in positions.items() if amount > 0}
    due = {party: -amount for party, amount in positions.items() if amount < 0}
    payments = []
    while due:
        debtor = min(due, key=lambda party: (-due[party], party))
        creditor = min(owed, key=lambda party: (-owed[party], party))
        amount = min(due[debtor], owed[creditor])
        payments.append(Payment(debtor, creditor, amount))
        for side, party in ((due, debtor), (owed, creditor)):
            side[party] -= amount
            if not side[party]:
                del side[party]
    return tuple(payments)


def gross_and_net(obligations: Obligations) -> tuple[int, int]:
    """Return the sum of all obligations between different parties, and what netting leaves to pay.

    >>> gross_and_net({("a", "b"): 30, ("b", "a"): 10, ("b", "c"): 5})
    (45, 20)
    """
    gross = sum(
        abs(amount) for (debtor, creditor), amount in obligations.items() if debtor != creditor
    )
    return gross, sum(amount for amount in net_positions(obligations).values() if amount > 0)
