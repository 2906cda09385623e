"""Single rules of pricing, each on the smallest world that shows it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from fares_world import SPAN, compile_world, line_journey

from mobility.core.money import Money
from mobility.fares import Rider, TariffPricer, list_stages, load_tariff
from mobility.fares.ride import zones_crossed


def product(**changes: Any) -> dict[str, Any]:
    """Return a flat product of CHF 4.00 in zones a and b, changed as said."""
    prices = [{"seller": "west", "channel": "app", "currency": "CHF", "price": 400}]
    return {
        "id": "p", "name": {"en": "p"}, "basis": "flat", "validity": 60, **SPAN,
        "protects": "inside", "source": "", "scope": [{"zones": ["a", "b"]}], "prices": prices,
    } | changes  # fmt: skip


def test_zones_passed_and_edges_of_zones_are_counted() -> None:
    tariff = load_tariff(compile_world([]))

    def count(*places: int) -> tuple[str, ...]:
        return zones_crossed(list_stages(line_journey(places), tariff), "a", tariff)

    assert count(0, 2) == ("1", "2")
    assert count(0, 3) == ("1", "2", "3")  # zone 2 is passed without a stop
    assert count(0, 1) == ("1",)  # place 1 lies on the edge of zones 1 and 2
    assert count(1, 2) == ("2",)
    assert count(6, 7) == ()


@pytest.mark.parametrize(
    ("days", "date", "holds"),
    [
        (["sat"], dt.date(2027, 5, 8), True),
        (["sat"], dt.date(2027, 5, 1), True),  # a holiday that is a Saturday is both
        (["holiday"], dt.date(2027, 5, 1), True),
        (["mon"], dt.date(2027, 5, 10), True),
        (["mon"], dt.date(2027, 5, 17), False),  # a holiday that is a Monday is no weekday
        (["holiday"], dt.date(2027, 5, 17), True),
        (["holiday"], dt.date(2027, 5, 10), False),
    ],
)
def test_day_types_follow_the_holidays_of_the_country(
    days: list[str], date: dt.date, holds: bool
) -> None:
    tariff = compile_world([product(scope=[{"zones": ["a", "b"], "days": days}])])
    fare = TariffPricer(tariff).price(line_journey([0, 2], date))
    assert fare.status == ("known" if holds else "unknown")


def test_a_holiday_abroad_is_a_weekday_here() -> None:
    tariff = compile_world([product(scope=[{"zones": ["a", "b"], "days": ["mon"]}])])
    fare = TariffPricer(tariff).price(line_journey([6, 7], dt.date(2027, 5, 17)))
    assert fare.status == "known"


SELLERS = [
    {"seller": "west", "channel": "app", "currency": "CHF", "price": 400},
    {"seller": "west", "channel": "machine", "currency": "EUR", "price": 390},
    {"seller": "east", "channel": "app", "currency": "EUR", "price": 300},
]


@pytest.mark.parametrize(
    ("places", "currency", "price", "seller", "reason"),
    [
        ([0, 6], None, Money(400, "CHF"), "west", "the first ride of the ticket begins in CH"),
        ([6, 0], None, Money(300, "EUR"), "east", "the first ride of the ticket begins in DE"),
        ([0, 6], "EUR", Money(390, "EUR"), "west", "the rider pays in EUR and boards in CH"),
        ([6, 0], "CHF", Money(400, "CHF"), "west", "the rider pays in CHF"),
        ([6, 0], "PLN", Money(300, "EUR"), "east", "the first ride of the ticket begins in DE"),
    ],
)
def test_seller_and_currency_follow_the_stated_rule_and_say_so(
    places: list[int], currency: str | None, price: Money, seller: str, reason: str
) -> None:
    pricer = TariffPricer(compile_world([product(prices=SELLERS)]), rider=Rider(currency=currency))
    (ticket,) = pricer.price(line_journey(places)).tickets
    assert (ticket.price, ticket.seller) == (price, seller)
    assert f"seller and currency: {reason}" in ticket.why


def test_a_through_ticket_goes_before_two_of_the_same_price() -> None:
    west = product(id="a-west", scope=[{"zones": ["a"]}])
    east = product(id="a-east", scope=[{"zones": ["b"]}])
    both = product(
        id="through", prices=[{"seller": "west", "channel": "app", "currency": "CHF", "price": 800}]
    )
    fare = TariffPricer(compile_world([west, east, both])).price(line_journey([2, 4, 5]))
    assert [ticket.product for ticket in fare.tickets] == ["through"]
    cheaper = dict(west, prices=[dict(west["prices"][0], price=399)])
    fare = TariffPricer(compile_world([cheaper, east, both])).price(line_journey([2, 4, 5]))
    assert [ticket.product for ticket in fare.tickets] == ["a-west", "a-east"]


def test_a_ticket_holds_only_as_long_as_it_says() -> None:
    tariff = compile_world([product(validity=2)])
    assert TariffPricer(tariff).price(line_journey([0, 1, 2])).status == "known"
    assert TariffPricer(tariff).price(line_journey([0, 1, 2, 3])).status == "unknown"


def test_the_best_reduction_counts_once_and_rounds_up_per_person() -> None:
    reductions = [
        {"card": "half", "pay_percent": 50, "round_to_minor": 10},
        {"age_group": "child", "pay_percent": 40, "round_to_minor": 50},
    ]
    prices = [{"seller": "west", "channel": "app", "currency": "CHF", "price": 410}]
    tariff = load_tariff(compile_world([product(reductions=reductions, prices=prices)]))

    def total(**rider: Any) -> list[Money]:
        pricer = TariffPricer(tariff, rider=Rider(**rider))
        return pricer.price(line_journey([0, 2])).totals

    half = frozenset({"half"})
    assert total() == [Money(410, "CHF")]
    assert total(cards=half) == [Money(210, "CHF")]  # 2.05 rounded up to 0.10
    assert total(age_group="child") == [Money(200, "CHF")]  # 1.64 rounded up to 0.50
    assert total(age_group="child", cards=half, persons=3) == [Money(600, "CHF")]
