"""From a sold ticket or pass and its rides to shares: asks `mobility.fares`, adds no rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mobility.core.money import Money, split_largest_remainder
from mobility.fares import (
    Rider,
    Sale,
    Split,
    TariffPricer,
    load_agreements,
    load_tariff,
    split_ticket,
    tariff_version,
)
from mobility.fares.quote import find_rule
from mobility.fares.ride import Stage, list_stages
from mobility.fares.tariff import ADULT, PriceList, Product
from mobility.journey import Journey


@dataclass(frozen=True, slots=True)
class Sold:
    """One sold unit: a ticket or a pass."""

    product: str
    seller: str
    channel: str | None
    price: Money
    date: dt.date
    rider: str | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """The split of a sold unit.

    ``differs`` tells that what was taken is not the list price; ``rides`` how many rides counted.
    """

    split: Split
    differs: bool
    rides: int


class Splitter:
    """Splits sold units by one tariff and one set of agreements.

    Parameters
    ----------
    tariff, agreements : mapping
        ``tariff.json`` and ``agreements.json`` of an edition.
    """

    def __init__(self, tariff: Mapping[str, Any], agreements: Mapping[str, Any]) -> None:
        self.documents = {"tariff": dict(tariff), "agreements": dict(agreements)}
        self.versions = {
            "tariff": tariff_version(tariff),
            "agreements": tariff_version(agreements),
        }
        self._tariff = load_tariff(tariff)
        self._agreements = load_agreements(agreements)
        self._pricers: dict[tuple[str, ...], TariffPricer] = {}
        self._stages: dict[str, list[Stage]] = {}

    @property
    def products(self) -> frozenset[str]:
        """Product ids of the tariff."""
        return frozenset(self._tariff.products)

    @property
    def parties(self) -> frozenset[str]:
        """Party ids of the tariff."""
        return frozenset(self._tariff.parties)

    @property
    def riders(self) -> frozenset[str]:
        """Cards and age groups of the tariff."""
        return self._tariff.cards | self._tariff.age_groups

    def unridden(self, sold: Sold) -> Shared:
        """Split a unit whose rides nobody knows: by the agreement's key, if it has one."""
        return Shared(self._split(sold, {}, []), False, 0)

    def single(self, sold: Sold, journey: Journey) -> Shared:
        """Split a ticket for the journey it was bought for."""
        tickets = [
            ticket
            for ticket in self._pricer(sold).price_tickets(journey)[0]
            if ticket.sale.product == sold.product
        ]
        if not tickets:
            return self.unridden(sold)
        exact = [ticket for ticket in tickets if ticket.sale.price == sold.price]
        ticket = (exact or tickets)[0]
        parts = dict(ticket.sale.parts)
        if not exact and any(parts.values()):
            parts = split_largest_remainder(sold.price.amount_minor, parts)
        return Shared(self._split(sold, parts, [ticket.stages]), not exact, 1)

    def rides_of_pass(
        self, sold: Sold, journeys: Mapping[str, Journey], ids: Sequence[str]
    ) -> Shared:
        """Split a pass over its rides of the month; parts of rides that it does not pay are out.

        Parameters
        ----------
        journeys, ids : mapping of hash to Journey, sequence of hashes
            The journey of each ride, in order.
        """
        product = self._tariff.products[sold.product]
        rides = [self._paid(product, name, journeys[name]) for name in ids]
        paid = [ride for ride in rides if ride]
        return Shared(self._split(sold, {}, paid), False, len(paid))

    def _paid(self, product: Product, name: str, journey: Journey) -> list[Stage]:
        """Return the stages that the pass holds on, save where it is recognised unpaid."""
        if name not in self._stages:
            self._stages[name] = list_stages(journey, self._tariff)
        rules = [(stage, find_rule(product, stage, self._tariff)) for stage in self._stages[name]]
        return [stage for stage, rule in rules if rule is not None and not rule.recognised]

    def _split(
        self, sold: Sold, parts: Mapping[str, int], rides: Sequence[Sequence[Stage]]
    ) -> Split:
        sale = Sale(sold.product, sold.seller, sold.channel or "", sold.price, sold.date, parts)
        return split_ticket(sale, rides, self._agreements, self._tariff)

    def _pricer(self, sold: Sold) -> TariffPricer:
        """Return a pricer that knows this product alone, as this seller lists it."""
        key = (sold.product, sold.seller, sold.channel or "", sold.price.currency, sold.rider or "")
        if key not in self._pricers:
            product = self._tariff.products[sold.product]
            only = replace(product, prices=_price_lists(product, sold))
            tariff = replace(self._tariff, products={sold.product: only})
            words = frozenset((sold.rider or "").split("+")) - {"", ADULT}
            groups = sorted(words & self._tariff.age_groups)
            rider = Rider(
                age_group=groups[0] if groups else ADULT,
                cards=words - self._tariff.age_groups,
                currency=sold.price.currency,
            )
            self._pricers[key] = TariffPricer(tariff, None, rider=rider)
        return self._pricers[key]


def _price_lists(product: Product, sold: Sold) -> tuple[PriceList, ...]:
    """Return the seller's own price list, else the next best: same currency, else all."""
    tests = (
        lambda p: (
            (p.seller, p.channel, p.currency) == (sold.seller, sold.channel, sold.price.currency)
        ),
        lambda p: (p.seller, p.currency) == (sold.seller, sold.price.currency),
        lambda p: p.currency == sold.price.currency,
    )
    for test in tests:
        found = tuple(prices for prices in product.prices if test(prices))
        if found:
            return found
    return product.prices
