"""Entries balance, are hashed in one canonical form, and can only be reversed."""

import pytest
import rfc8785
from hypothesis import given

from mobility.core.errors import InputError, MoneyError
from mobility.ledger import Account, Entry, Posting, balances, reverse
from tests.ledger.books import account, entries, entry


@given(entries())
def test_the_canonical_form_is_rfc_8785(drawn: Entry) -> None:
    assert drawn.canonical() == rfc8785.dumps(drawn.to_json())


@given(entries())
def test_an_entry_and_its_reversal_leave_every_account_at_zero(drawn: Entry) -> None:
    assert set(balances([drawn, reverse(drawn)]).values()) == {0}


def test_a_reversal_says_what_it_reverses_and_can_be_booked_in_a_later_month() -> None:
    undone = reverse(entry("e1"), period="2027-06")
    assert (undone.id, undone.kind, undone.period) == ("reversal:e1", "reversal", "2027-06")
    assert undone.fact("reverses") == "e1"


@pytest.mark.parametrize("amounts", [(5,), (5, -4), ()])
def test_an_entry_that_does_not_balance_is_refused(amounts: tuple[int, ...]) -> None:
    postings = tuple(Posting(account("tram"), amount) for amount in amounts)
    with pytest.raises(MoneyError, match="entry e1"):
        Entry("e1", "share", "r", "2027-05", "0f", postings)


def test_currencies_do_not_balance_each_other() -> None:
    postings = (Posting(account("tram", "CHF"), 5), Posting(account("rail", "EUR"), -5))
    with pytest.raises(MoneyError, match="CHF is off by 5"):
        Entry("e1", "share", "r", "2027-05", "0f", postings)


@pytest.mark.parametrize("period", ["2027-13", "2027-5", "May", "2027-05-01", ""])
def test_a_period_that_is_no_month_is_refused(period: str) -> None:
    with pytest.raises(InputError, match="is no period"):
        entry("e1", period=period)


def test_an_unknown_currency_has_no_account() -> None:
    with pytest.raises(MoneyError, match="unknown currency 'XXX'"):
        Account("tram", "carrier", "share", "XXX")


def test_an_entry_rests_on_inputs() -> None:
    zero = (Posting(account("tram"), 0),)
    with pytest.raises(InputError, match="hash of its inputs"):
        Entry("e1", "share", "r", "2027-05", "", zero)


def test_an_amount_that_json_cannot_hold_exactly_is_refused() -> None:
    with pytest.raises(MoneyError, match="more than a posting can hold"):
        Posting(account("tram"), 2**53)
