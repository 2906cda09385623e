"""What must hold for every tariff and every journey, shown on random small worlds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from fares_world import agreements, compile_world, journeys, product_lists, products
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.fares import Rider, TariffPricer, list_stages
from mobility.fares.quote import find_rule, quote_single
from mobility.fares.split import Split
from mobility.journey import Fare, Journey

EXAMPLES = settings(max_examples=60, deadline=None)
riders = st.builds(Rider, currency=st.sampled_from([None, "CHF", "EUR"]))
Cost = tuple[int, int, int]


def cut_everywhere(n: int) -> Iterator[list[tuple[int, int]]]:
    """Return every way to cut n stages into runs."""
    if not n:
        yield []
        return
    for first in range(n):
        for head in cut_everywhere(first):
            yield [*head, (first, n - 1)]


def cheapest_by_trying_all(journey: Journey, pricer: TariffPricer) -> Cost:
    """Return stages without a ticket, ranked sum and number of tickets of the best combination."""
    tariff, stages = pricer.tariff, list_stages(journey, pricer.tariff)
    best: Cost | None = None
    for cut in cut_everywhere(len(stages)):
        unknown = rank = tickets = 0
        for first, last in cut:
            run, amounts = stages[first : last + 1], []
            for product in tariff.products.values():
                rules = [find_rule(product, stage, tariff) for stage in run]
                if all(rules):
                    quote = quote_single(product, run, [], pricer.rider, tariff)
                    if quote is not None:
                        weight = tariff.rank_weights[quote.price.currency]
                        amounts.append(quote.price.amount_minor * weight)
            if amounts:
                rank, tickets = rank + min(amounts), tickets + 1
            else:
                unknown += 1 if len(run) == 1 else 10**6
        cost = (unknown, rank, tickets)
        best = cost if best is None else min(best, cost)
    assert best is not None
    return best


def cost_of(journey: Journey, pricer: TariffPricer) -> Cost:
    priced, _ = pricer.price_tickets(journey)
    covered = sum(len(item.stages) for item in priced)
    weights = pricer.tariff.rank_weights
    rank = sum(p.ticket.price.amount_minor * weights[p.ticket.price.currency] for p in priced)
    return len(list_stages(journey, pricer.tariff)) - covered, rank, len(priced)


@EXAMPLES
@given(product_lists(), journeys(), riders)
def test_the_combination_is_as_cheap_as_trying_all(
    items: list[dict[str, Any]], journey: Journey, rider: Rider
) -> None:
    pricer = TariffPricer(compile_world(items), rider=rider)
    assert cost_of(journey, pricer) == cheapest_by_trying_all(journey, pricer)


@EXAMPLES
@given(product_lists(4), products(name="new"), journeys(), riders)
def test_adding_a_product_never_raises_the_total(
    items: list[dict[str, Any]], new: dict[str, Any], journey: Journey, rider: Rider
) -> None:
    before = cost_of(journey, TariffPricer(compile_world(items), rider=rider))
    after = cost_of(journey, TariffPricer(compile_world([*items, new]), rider=rider))
    assert after <= before


@EXAMPLES
@given(product_lists(), journeys())
def test_a_card_never_raises_the_total(items: list[dict[str, Any]], journey: Journey) -> None:
    tariff = compile_world(items)
    if not items:
        return
    full = cost_of(journey, TariffPricer(tariff))
    half = cost_of(journey, TariffPricer(tariff, rider=Rider(cards=frozenset({"half"}))))
    assert half[:2] <= full[:2]


@EXAMPLES
@given(product_lists(), journeys(), riders)
def test_tickets_cover_each_known_leg_in_order_and_none_twice(
    items: list[dict[str, Any]], journey: Journey, rider: Rider
) -> None:
    pricer = TariffPricer(compile_world(items), rider=rider)
    priced, unknown = pricer.price_tickets(journey)
    covered = [id(stage.calls) for item in priced for stage in item.stages]
    assert len(covered) == len(set(covered))
    legs = [leg for item in priced for leg in item.ticket.legs]
    assert legs == sorted(legs)
    assert {*legs, *unknown} == set(range(len(journey.legs)))
    for item in priced:
        assert item.ticket.valid_from == item.stages[0].departure
        assert item.stages[-1].arrival <= item.ticket.valid_until


@EXAMPLES
@given(product_lists(), journeys(), st.randoms(use_true_random=False))
def test_the_order_of_products_changes_nothing(
    items: list[dict[str, Any]], journey: Journey, rng: random.Random
) -> None:
    fare = TariffPricer(compile_world(items)).price(journey)
    shuffled = list(items)
    rng.shuffle(shuffled)
    assert TariffPricer(compile_world(shuffled)).price(journey) == fare


def split_of(fare: Fare, pricer: TariffPricer, journey: Journey) -> list[tuple[int, Split]]:
    priced, _ = pricer.price_tickets(journey)
    return [(item.ticket.price.amount_minor, item.split) for item in priced]


@EXAMPLES
@given(products(name="p0"), agreements("p0"), journeys(), riders)
def test_shares_sum_to_the_price_or_there_are_none(
    item: dict[str, Any], agreed: dict[str, Any], journey: Journey, rider: Rider
) -> None:
    pricer = TariffPricer(compile_world([item]), agreed, rider=rider)
    for amount, split in split_of(pricer.price(journey), pricer, journey):
        assert not split.shares or sum(s.amount_minor for s in split.shares) == amount
        assert split.shares  # the key without_rides stands in where no ride has a weight
        assert all(share.amount_minor >= 0 for share in split.shares)


@given(items=product_lists(), journey=journeys())
@settings(max_examples=150, deadline=None)
def test_protected_tickets_leave_no_change_open_and_are_the_cheapest_such(
    items: list[dict[str, Any]], journey: Journey
) -> None:
    pricer = TariffPricer(compile_world(items))
    rides = [i for i, leg in enumerate(journey.legs) if leg.mode == "transit"]
    own, protected = pricer.price_both(journey)
    assert own == pricer.price(journey)
    if not own.unprotected(rides):
        assert protected is None
    if protected is not None:
        assert protected.status == "known"
        assert protected.unprotected(rides) == ()
        weights = pricer.tariff.rank_weights
        ranks = [
            sum(t.price.amount_minor * weights[t.price.currency] for t in fare.tickets)
            for fare in (own, protected)
        ]
        assert own.status == "known" and ranks[0] <= ranks[1]


def all_combinations(n_stages: int, offers: list[Any], first: int = 0) -> Iterator[list[Any]]:
    """Yield every way to cover the stages from the first on."""
    if first == n_stages:
        yield []
        return
    for offer in offers:
        if offer.first == first:
            for rest in all_combinations(n_stages, offers, offer.last + 1):
                yield [offer, *rest]


@given(items=product_lists(max_size=4), journey=journeys(max_legs=3))
@settings(max_examples=100, deadline=None)
def test_protected_tickets_cost_what_trying_all_finds(
    items: list[dict[str, Any]], journey: Journey
) -> None:
    pricer = TariffPricer(compile_world(items))
    stages = list_stages(journey, pricer.tariff)
    rides = [i for i, leg in enumerate(journey.legs) if leg.mode == "transit"]
    ranks = []
    for combination in all_combinations(len(stages), pricer._list_offers(stages)):
        tickets = tuple(t.ticket for t in pricer._tickets_of(combination, stages))
        if not Fare(tickets).unprotected(rides):
            ranks.append(sum(offer.rank for offer in combination))
    own, protected = pricer.price_both(journey)
    kept = protected if protected is not None else own
    if not ranks:
        assert protected is None
        assert own.unknown_legs or own.unprotected(rides)
    else:
        weights = pricer.tariff.rank_weights
        assert not kept.unprotected(rides)
        assert min(ranks) == sum(
            t.price.amount_minor * weights[t.price.currency] for t in kept.tickets
        )
