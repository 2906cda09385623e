"""What a journey costs: tickets with their shares and reasons, never one bare price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from mobility.core.money import Money, sum_by_currency
from mobility.core.time import local_time

FareStatus = Literal["known", "partly", "unknown"]


@dataclass(frozen=True, slots=True)
class Share:
    """What one party gets of a ticket's price, in the currency of the price.

    ``role`` is one of carrier, seller, revenue_owner, association, competent_authority,
    subsidy_payer.
    """

    party: str
    role: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket to buy for some legs of a journey.

    Parameters
    ----------
    product : str
        Product id of the tariff.
    legs : tuple of int
        Indices of the journey's legs that it covers.
    price : Money
        The list price of this seller in this currency.
    valid_from, valid_until : int
        Unix seconds.
    valid_tz : str
        Zone in which the validity is told.
    protects : str
        What happens when a connection is missed (catalogue key or plain sentence).
    shares : tuple of Share
        Sum exactly to the price; empty where no agreement publishes a split.
    why : tuple of str
        The derivation: one line per rule applied, in order.
    held : bool
        A pass that the rider has: after a missed connection the next service will do.
    """

    product: str
    name: str
    seller: str
    channel: str
    legs: tuple[int, ...]
    price: Money
    valid_from: int
    valid_until: int
    valid_tz: str
    protects: str
    shares: tuple[Share, ...] = ()
    why: tuple[str, ...] = ()
    held: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the document T of the design."""
        return {
            "product": self.product,
            "name": self.name,
            "seller": self.seller,
            "channel": self.channel,
            "legs": list(self.legs),
            "price": {"amount_minor": self.price.amount_minor, "currency": self.price.currency},
            "valid_from": local_time(self.valid_from, self.valid_tz),
            "valid_until": local_time(self.valid_until, self.valid_tz),
            "protects": self.protects,
            "shares": [
                {"party": s.party, "role": s.role, "amount_minor": s.amount_minor}
                for s in self.shares
            ],
            "why": list(self.why),
        }


@dataclass(frozen=True, slots=True)
class Fare:
    """The tickets that a journey needs; legs without one are named in ``unknown_legs``.

    A fare that nobody published is unknown, never 0.
    """

    tickets: tuple[Ticket, ...] = ()
    unknown_legs: tuple[int, ...] = ()

    @property
    def status(self) -> FareStatus:
        """Known, partly known or unknown."""
        if not self.unknown_legs:
            return "known"
        return "partly" if self.tickets else "unknown"

    @property
    def totals(self) -> list[Money]:
        """One total per currency."""
        return sum_by_currency([ticket.price for ticket in self.tickets])

    def unprotected(self, rides: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """Return the changes, as pairs of legs, that no ticket protects.

        A change is protected where one ticket covers both rides, or a pass the one after. A ride
        without a ticket is not spoken of: its fare is unknown.

        Parameters
        ----------
        rides : sequence of int
            Indices of the journey's legs that are rides, in order.
        """
        open_changes = []
        for before, after in pairwise(rides):
            if before in self.unknown_legs or after in self.unknown_legs:
                continue
            covering = [ticket for ticket in self.tickets if after in ticket.legs]
            if not any(ticket.held or before in ticket.legs for ticket in covering):
                open_changes.append((before, after))
        return tuple(open_changes)

    def to_json(self) -> dict[str, Any]:
        """Return the ``fare`` of the document J."""
        return {
            "status": self.status,
            "tickets": [ticket.to_json() for ticket in self.tickets],
            "totals": [
                {"amount_minor": m.amount_minor, "currency": m.currency} for m in self.totals
            ],
            "unknown_legs": list(self.unknown_legs),
        }
