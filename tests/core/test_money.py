"""Money is whole, splits conserve it, and nothing depends on order."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobility.core.errors import MoneyError
from mobility.core.money import (
    Money,
    convert_half_up,
    split_largest_remainder,
    sum_by_currency,
)

parties = st.text("abcdef", min_size=1, max_size=3)
weights = st.dictionaries(parties, st.integers(0, 10**6), min_size=1, max_size=8).filter(
    lambda w: sum(w.values()) > 0
)
totals = st.integers(-(10**9), 10**9)


@given(totals, weights)
def test_the_parts_sum_to_the_total(total, weights):
    assert sum(split_largest_remainder(total, weights).values()) == total


@given(totals, weights)
def test_every_part_is_within_one_unit_of_its_exact_share(total, weights):
    whole = sum(weights.values())
    for party, part in split_largest_remainder(total, weights).items():
        assert abs(part - Fraction(total * weights[party], whole)) < 1


@given(totals, weights, st.randoms())
def test_the_order_of_the_parties_changes_nothing(total, weights, random):
    items = list(weights.items())
    random.shuffle(items)
    assert split_largest_remainder(total, dict(items)) == split_largest_remainder(total, weights)


@given(totals, weights, st.integers(1, 1000))
def test_weights_times_a_factor_give_the_same_parts(total, weights, factor):
    scaled = {party: weight * factor for party, weight in weights.items()}
    assert split_largest_remainder(total, scaled) == split_largest_remainder(total, weights)


@given(totals, weights)
def test_a_refund_mirrors_the_sale(total, weights):
    sale = split_largest_remainder(total, weights)
    refund = split_largest_remainder(-total, weights)
    assert refund == {party: -part for party, part in sale.items()}


@given(st.integers(-(10**6), 10**6), weights)
def test_cash_is_split_in_steps_of_five(units, weights):
    parts = split_largest_remainder(units * 5, weights, unit=5)
    assert sum(parts.values()) == units * 5
    assert all(part % 5 == 0 for part in parts.values())


def test_a_party_without_weight_gets_nothing():
    assert split_largest_remainder(100, {"a": 1, "b": 0}) == {"a": 100, "b": 0}


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": -1, "b": 2}])
def test_a_split_without_a_base_is_refused(weights):
    with pytest.raises(MoneyError):
        split_largest_remainder(100, weights)


def test_amounts_of_different_currencies_are_not_added():
    with pytest.raises(MoneyError, match="CHF and EUR"):
        Money(1, "CHF") + Money(1, "EUR")


def test_an_unknown_currency_is_refused():
    with pytest.raises(MoneyError, match="'XYZ'"):
        Money(1, "XYZ")


def test_totals_stay_apart_by_currency():
    amounts = [Money(3, "EUR"), Money(5, "CHF"), Money(4, "EUR")]
    assert sum_by_currency(amounts) == [Money(5, "CHF"), Money(7, "EUR")]


@pytest.mark.parametrize(
    ("minor", "rate", "digits", "expected"),
    [
        (10000, "82.42135", (2, 2), 824214),  # TigerBeetle's currency recipe: half up
        (-10000, "82.42135", (2, 2), -824214),
        (100, "175.68", (2, 0), 176),
        (1, "0.5", (2, 2), 1),
    ],
)
def test_conversion_rounds_half_away_from_zero(minor, rate, digits, expected):
    assert convert_half_up(minor, Fraction(rate), *digits) == expected
