"""Netting and exchange: positions are kept, every cent has a place; published cases."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobility.clearing.exchange import Rates, exchange_positions, read_rates
from mobility.clearing.kinds import Event
from mobility.clearing.netting import gross_and_net, match_payments, net_positions
from mobility.core.errors import MoneyError
from mobility.core.money import split_largest_remainder

PARTIES = "abcdef"
obligations_drawn = st.dictionaries(
    st.tuples(st.sampled_from(PARTIES), st.sampled_from(PARTIES)), st.integers(-(10**9), 10**9)
)


@given(obligations_drawn)
def test_netting_preserves_every_position_and_sums_to_zero(
    obligations: dict[tuple[str, str], int],
) -> None:
    net = net_positions(obligations)
    assert sum(net.values()) == 0
    for party, amount in net.items():
        owed = sum(a for (_, creditor), a in obligations.items() if creditor == party)
        due = sum(a for (debtor, _), a in obligations.items() if debtor == party)
        assert amount == owed - due
    gross, remaining = gross_and_net(obligations)
    assert 0 <= remaining <= gross


@given(obligations_drawn)
def test_payments_settle_the_positions_with_fewer_payments_than_parties(
    obligations: dict[tuple[str, str], int],
) -> None:
    net = net_positions(obligations)
    payments = match_payments(net)
    left = dict(net)
    for payment in payments:
        assert payment.amount_minor > 0
        left[payment.debtor] += payment.amount_minor
        left[payment.creditor] -= payment.amount_minor
    assert not any(left.values())
    assert len(payments) <= max(sum(map(bool, net.values())) - 1, 0)


def test_positions_that_do_not_sum_to_zero_are_refused() -> None:
    with pytest.raises(MoneyError, match="off by 1"):
        match_payments({"a": 1})


def test_c04_netting_in_dollars() -> None:
    # A tuition sheet on multilateral netting: rates in units of the currency per dollar, each
    # obligation rounded to whole dollars.
    stated = [
        ("UK", "SA", 1_200_000, "6.126"),
        ("UK", "FR", 480_000, "0.880"),
        ("FR", "SA", 800_000, "6.126"),
        ("SA", "UK", 74_000, "0.680"),
        ("SA", "FR", 375_000, "0.880"),
    ]
    dollars = {(a, b): round(amount / Fraction(rate)) for a, b, amount, rate in stated}
    assert net_positions(dollars) == {"FR": 841_000, "SA": -208_483, "UK": -632_517}
    assert gross_and_net(dollars)[0] == 1_406_892


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        (9999, [75, 25], [7499, 2500]),  # C05, moneyphp issue 492
        (1, [33, 66], [0, 1]),  # C05b
        (1003, [49, 51], [491, 512]),  # C06, dinero.js issue 144
        (900, [59, 41], [531, 369]),  # C11, commission pro rata to receipts
    ],
)
def test_published_splits(total: int, weights: list[int], expected: list[int]) -> None:
    named = {str(index): weight for index, weight in enumerate(weights)}
    assert list(split_largest_remainder(total, named).values()) == expected


def test_c14_exchange_is_rounded_half_up_and_the_fee_is_apart() -> None:
    rates = Rates("2027-05", {("USD", "INR"): Fraction("82.42135")})
    assert rates.convert(10_000, "USD", "INR") == 824_214
    assert rates.convert(-10_000, "USD", "INR") == -824_214


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(PARTIES), st.sampled_from(["CHF", "EUR"])),
        st.integers(-(10**9), 10**9),
    ),
    st.dictionaries(st.sampled_from(PARTIES), st.sampled_from(["CHF", "EUR", "JPY"])),
)
def test_each_position_is_exchanged_once_and_the_residual_is_bounded(
    positions: dict[tuple[str, str], int], wishes: dict[str, str]
) -> None:
    pairs = {("EUR", "CHF"): Fraction("0.9412"), ("EUR", "JPY"): Fraction("171.3")}
    rates = Rates("2027-05", pairs)
    exchanges, residuals = exchange_positions(positions, wishes, rates)
    asked = {
        (party, currency)
        for (party, currency), amount in positions.items()
        if amount and wishes.get(party, currency) != currency
    }
    assert {(e.party, e.source) for e in exchanges} == asked
    for exchange in exchanges:
        exact = rates.rate(exchange.source, exchange.target) * exchange.source_minor
        if exchange.target == "JPY":
            exact /= 100  # a yen has no smaller unit
        assert abs(exchange.target_minor - exact) <= Fraction(1, 2)
    for (source, target), residual in residuals.items():
        n = sum((e.source, e.target) == (source, target) for e in exchanges)
        assert abs(residual) <= Fraction(n + 1, 2)


def test_a_missing_rate_and_two_sources_of_one_are_told() -> None:
    with pytest.raises(MoneyError, match="no exchange rate EUR to CHF for 2027-05"):
        Rates("2027-05", {}).rate("EUR", "CHF")
    events = [
        Event("rate", source, "EUR/CHF", "2027-05", base="EUR", currency="CHF", rate="0.94")
        for source in ("bank", "paper")
    ]
    with pytest.raises(MoneyError, match="two rates EUR/CHF"):
        read_rates("2027-05", events)
