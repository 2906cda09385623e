"""Tickets and revenue before and after a change of the timetable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mobility.core.money import Money
from mobility.journey import Fare, Journey
from mobility.planner import Pricer
from mobility.timetables import Comparison, Question

UNDIVIDED = "_undivided"  # no party of a tariff: prices whose split nobody has published
CHOICE_RULE = "earliest arrival, then shortest ride, then fewest transfers"


@dataclass(frozen=True, slots=True)
class FareDifference:
    """The tickets of one question's chosen journeys; None where there is no journey."""

    question: Question
    before: Fare | None
    after: Fare | None

    @property
    def changed(self) -> bool:
        """Whether other tickets, prices or shares are needed."""
        return _essence(self.before) != _essence(self.after)

    def to_json(self) -> dict[str, Any]:
        """Return the tickets of both sides as a document."""
        return {
            "from": self.question.origin,
            "to": self.question.destination,
            "before": None if self.before is None else _tickets_json(self.before),
            "after": None if self.after is None else _tickets_json(self.after),
        }


@dataclass(frozen=True, slots=True)
class RevenueEffect:
    """Minor units per party and currency, before and after, weighted by the questions.

    What no published agreement divides stands under the party ``_undivided``.
    """

    party: str
    currency: str
    before_minor: int
    after_minor: int

    def to_json(self) -> dict[str, Any]:
        """Return the effect as a document."""
        return {
            "party": self.party,
            "currency": self.currency,
            "before_minor": self.before_minor,
            "after_minor": self.after_minor,
            "change_minor": self.after_minor - self.before_minor,
        }


@dataclass(frozen=True, slots=True)
class FareComparison:
    """All fare differences, and what they sum to per party."""

    differences: tuple[FareDifference, ...]
    effects: tuple[RevenueEffect, ...]
    unknown_before: int
    unknown_after: int

    def to_json(self) -> dict[str, Any]:
        """Return the effect on tickets and revenue as a document."""
        return {
            "choice": CHOICE_RULE,
            "questions_with_other_tickets": sum(d.changed for d in self.differences),
            "questions_with_unknown_fare": {
                "before": self.unknown_before,
                "after": self.unknown_after,
            },
            "revenue": [effect.to_json() for effect in self.effects],
            "tickets": [d.to_json() for d in self.differences if d.changed],
        }


def compare_fares(comparison: Comparison, pricer: Pricer) -> FareComparison:
    """Price what riders would take on both sides and sum the shares per party."""
    differences = tuple(
        FareDifference(d.question, _fare_of(d.before, pricer), _fare_of(d.after, pricer))
        for d in comparison.differences
    )
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    unknown = [0, 0]
    for difference in differences:
        for side, fare in enumerate((difference.before, difference.after)):
            if fare is None:
                continue
            unknown[side] += difference.question.weight if fare.unknown_legs else 0
            for party, amount in _earnings(fare):
                key = (party, amount.currency)
                totals[key][side] += amount.amount_minor * difference.question.weight
    effects = tuple(
        RevenueEffect(party, currency, before, after)
        for (party, currency), (before, after) in sorted(totals.items())
    )
    return FareComparison(differences, effects, unknown[0], unknown[1])


def chosen(journeys: Sequence[Journey]) -> Journey | None:
    """Return the journey that a rider is taken to choose (`CHOICE_RULE`)."""
    if not journeys:
        return None
    return min(journeys, key=lambda j: (j.arrival, j.arrival - j.departure, j.transfers))


def _fare_of(journeys: Sequence[Journey], pricer: Pricer) -> Fare | None:
    journey = chosen(journeys)
    return None if journey is None else pricer.price(journey)


def _earnings(fare: Fare) -> list[tuple[str, Money]]:
    """Return who earns what of each ticket; together they are its price."""
    earnings = []
    for ticket in fare.tickets:
        if not ticket.shares and ticket.price.amount_minor:
            earnings.append((UNDIVIDED, ticket.price))
        currency = ticket.price.currency
        earnings += [(s.party, Money(s.amount_minor, currency)) for s in ticket.shares]
    return earnings


def _essence(fare: Fare | None) -> tuple[object, ...]:
    if fare is None:
        return ()
    tickets = [(t.product, t.seller, t.price, t.shares) for t in fare.tickets]
    return (tickets, len(fare.unknown_legs))


def _tickets_json(fare: Fare) -> dict[str, Any]:
    return {
        "status": fare.status,
        "tickets": [
            {
                "product": t.product,
                "seller": t.seller,
                "price": {"amount_minor": t.price.amount_minor, "currency": t.price.currency},
            }
            for t in fare.tickets
        ],
    }
