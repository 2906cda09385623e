"""Price a journey: the tickets it needs, who sells them, what they protect, who earns what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mobility.core.money import Money
from mobility.core.time import local_date
from mobility.fares.agreement import Agreements, load_agreements
from mobility.fares.combine import Offer, find_cheapest
from mobility.fares.quote import Quote, Rider, check_rider, find_rule, quote_pass, quote_single
from mobility.fares.ride import Stage, legs_of, list_stages
from mobility.fares.split import Sale, Split, split_ticket
from mobility.fares.tariff import Product, Rule, Tariff, load_tariff, text_of
from mobility.journey import Fare, Journey, Ticket

HELD = "held"  # channel of a pass that the rider already has


@dataclass(frozen=True, slots=True)
class PricedTicket:
    """A ticket with the sale that it is, the stages it covers and the split of its price."""

    ticket: Ticket
    sale: Sale
    stages: tuple[Stage, ...]
    split: Split


class TariffPricer:
    """Prices journeys by a compiled tariff; the planner's ``Pricer``.

    Parameters
    ----------
    tariff, agreements : mapping
        ``tariff.json`` and ``agreements.json`` of an edition; without agreements no ticket has
        shares.
    rider : Rider
        Who travels.
    language : str
        Language of names and of what tickets protect.

    Raises
    ------
    InputError
        The rider names a card, pass, age group or currency that the tariff does not have.
    """

    def __init__(
        self,
        tariff: Mapping[str, Any] | Tariff,
        agreements: Mapping[str, Any] | Agreements | None = None,
        *,
        rider: Rider | None = None,
        language: str = "en",
    ) -> None:
        self.tariff = tariff if isinstance(tariff, Tariff) else load_tariff(tariff)
        self.agreements = (
            agreements if isinstance(agreements, Agreements) else load_agreements(agreements)
        )
        self.rider = rider or Rider()
        check_rider(self.rider, self.tariff)
        self.language = language
        held = self.rider.passes
        self._products = [
            product
            for _, product in sorted(self.tariff.products.items())
            if product.kind == "single" or product.id in held
        ]

    def for_rider(self, rider: Rider, language: str | None = None) -> TariffPricer:
        """Return a pricer for another rider that shares the loaded tariff."""
        return TariffPricer(
            self.tariff, self.agreements, rider=rider, language=language or self.language
        )

    def price(self, journey: Journey) -> Fare:
        """Return the tickets of the cheapest legal combination; legs without one are named."""
        stages = list_stages(journey, self.tariff)
        return self._fare_of(stages, self._list_offers(stages))

    def price_both(self, journey: Journey) -> tuple[Fare, Fare | None]:
        """Return the fare and, where it leaves a change unprotected, the cheapest that does not.

        At a change one ticket covers both rides, or a pass the one after: tickets may meet inside
        a train. None where the fare protects every change, or no such tickets cover all rides.
        """
        stages = list_stages(journey, self.tariff)
        offers = self._list_offers(stages)
        fare = self._fare_of(stages, offers)
        if not fare.unprotected(legs_of(stages)):
            return fare, None
        joined = [
            offer
            for offer in offers
            if offer.first == 0
            or stages[offer.first - 1].leg == stages[offer.first].leg
            or offer.payload.product.kind == "pass"
        ]
        if find_cheapest(len(stages), joined)[1]:
            return fare, None
        return fare, self._fare_of(stages, joined)

    def _fare_of(self, stages: Sequence[Stage], offers: Sequence[Offer]) -> Fare:
        chosen, unknown = find_cheapest(len(stages), offers)
        tickets = tuple(item.ticket for item in self._tickets_of(chosen, stages))
        return Fare(tickets, legs_of([stages[position] for position in unknown]))

    def price_tickets(self, journey: Journey) -> tuple[tuple[PricedTicket, ...], tuple[int, ...]]:
        """Return the tickets with their sales and splits, also unpublished ones, for clearing."""
        stages = list_stages(journey, self.tariff)
        chosen, unknown = find_cheapest(len(stages), self._list_offers(stages))
        return self._tickets_of(chosen, stages), legs_of([stages[position] for position in unknown])

    def _tickets_of(
        self, chosen: Sequence[Offer], stages: Sequence[Stage]
    ) -> tuple[PricedTicket, ...]:
        sold = sum(offer.payload.product.kind == "single" for offer in chosen)
        return tuple(
            self._make_ticket(offer.payload, stages[offer.first : offer.last + 1], sold > 1)
            for offer in chosen
        )

    def _list_offers(self, stages: Sequence[Stage]) -> list[Offer]:
        offers = []
        for product in self._products:
            rules = [find_rule(product, stage, self.tariff) for stage in stages]
            for first in range(len(stages)):
                for last in range(first, len(stages)):
                    if rules[last] is None:
                        break
                    held = [rule for rule in rules[first : last + 1] if rule is not None]
                    quote = self._quote(product, stages[first : last + 1], held)
                    if quote is not None:
                        weight = self.tariff.rank_weights[quote.price.currency]
                        rank = quote.price.amount_minor * weight
                        offers.append(Offer(first, last, rank, (product.id,), quote))
        return offers

    def _quote(
        self, product: Product, stages: Sequence[Stage], rules: Sequence[Rule]
    ) -> Quote | None:
        if product.kind == "pass":
            return quote_pass(product, stages, rules, self.rider)
        return quote_single(product, stages, rules, self.rider, self.tariff)

    def _make_ticket(self, quote: Quote, stages: Sequence[Stage], several: bool) -> PricedTicket:
        product, start = quote.product, stages[0].calls[0].place
        sale = Sale(
            product=product.id,
            seller=quote.prices.seller,
            channel=quote.prices.channel if product.kind == "single" else HELD,
            price=quote.price,
            date=local_date(quote.valid_from, start.tz),
            parts=dict(quote.parts),
        )
        if product.kind == "pass":
            split = Split("", False, (), ())
        else:
            split = split_ticket(sale, [stages], self.agreements, self.tariff)
        shares = split.shares if split.published else ()
        hidden = ("split not published",) if split.shares and not split.published else ()
        ticket = Ticket(
            product=product.id,
            name=text_of(product.name, self.language),
            seller=sale.seller,
            channel=sale.channel,
            legs=legs_of(stages),
            price=quote.price,
            valid_from=quote.valid_from,
            valid_until=quote.valid_until,
            valid_tz=start.tz,
            protects=self._protects(product, several),
            shares=shares,
            why=(
                *_explain(quote, stages, self.tariff),
                *(hidden or split.why),
                *self._compared(several),
            ),
            held=product.kind == "pass",
        )
        return PricedTicket(ticket, sale, tuple(stages), split)

    def _protects(self, product: Product, several: bool) -> str:
        inside = text_of(self.tariff.protections[product.protects], self.language)
        if not several:
            return inside
        return f"{inside} {text_of(self.tariff.between_tickets, self.language)}"

    def _compared(self, several: bool) -> tuple[str, ...]:
        if not several or not self.tariff.comparison:
            return ()
        return (f"combinations ranked, never converted, at {self.tariff.comparison}",)


def _explain(quote: Quote, stages: Sequence[Stage], tariff: Tariff) -> list[str]:
    """Return the derivation of a price: rule, legs, numbers counted, parts, seller."""
    product = quote.product
    why = [_covers(product, stages, tariff)]
    notes = dict.fromkeys(rule.note for rule in quote.rules if rule.note)
    why.extend(f"rule of {product.id}: {note}" for note in notes)
    if product.kind == "pass":
        if any(rule.recognised for rule in quote.rules):
            why.append("recognised without payment: nothing is cleared for these rides")
        return [*why, "held by the rider: nothing to pay"]
    for system, names in quote.zones:
        why.append(f"{system}: number of zones {len(names)} ({', '.join(names)})")
    if quote.tariff_km is not None:
        why.append(f"tariff kilometres: {quote.tariff_km}")
    currency = quote.price.currency
    parts = " + ".join(f"{part} {Money(amount, currency).text()}" for part, amount in quote.parts)
    why.append(
        f"price of {quote.prices.seller} ({quote.prices.channel}): {quote.price.text()}"
        + (f" = {parts}" if len(quote.parts) > 1 else "")
    )
    for part, reason, before in quote.reduced:
        why.append(f"{reason} reduces part {part} from {Money(before, currency).text()}")
    why.append(f"seller and currency: {quote.chosen_by}")
    return why


def _covers(product: Product, stages: Sequence[Stage], tariff: Tariff) -> str:
    rides = []
    for leg in legs_of(stages):
        own = [stage for stage in stages if stage.leg == leg]
        carriers = dict.fromkeys(carrier for stage in own for carrier in stage.carriers)
        codes = [tariff.country_of(zones) for stage in own for zones in stage.zones]
        countries = dict.fromkeys(code for code in codes if code)
        rides.append(
            f"leg {leg + 1} {own[0].calls[0].place.name} - {own[-1].calls[-1].place.name}"
            f" ({' + '.join(carriers)}, {'-'.join(countries) or '?'})"
        )
    return f"{product.id} covers {', '.join(rides)}"
