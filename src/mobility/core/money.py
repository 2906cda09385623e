"""Money: whole minor units of one ISO 4217 currency, and the one rule of rounding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mobility.core.errors import MoneyError

# Minor units of the currencies of Europe and of those that the worked examples use (ISO 4217).
MINOR_DIGITS: dict[str, int] = {
    "ALL": 2, "AMD": 2, "AUD": 2, "BAM": 2, "BGN": 2, "BRL": 2, "CAD": 2, "CHF": 2, "CZK": 2,
    "DKK": 2, "EUR": 2, "GBP": 2, "GEL": 2, "HKD": 2, "HUF": 2, "INR": 2, "ISK": 0, "JPY": 0,
    "MAD": 2, "MDL": 2, "MKD": 2, "MXN": 2, "NOK": 2, "PLN": 2, "RON": 2, "RSD": 2, "SEK": 2,
    "SGD": 2, "TRY": 2, "UAH": 2, "USD": 2, "ZAR": 2,
}  # fmt: skip


def check_currency(code: str) -> str:
    """Return the currency code, or raise.

    Raises
    ------
    MoneyError
        The code is not a currency that we know.
    """
    if code not in MINOR_DIGITS:
        raise MoneyError(f"unknown currency {code!r}: expected an ISO 4217 code such as EUR or CHF")
    return code


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in whole minor units (cents, Rappen) of one currency.

    >>> Money(420, "CHF") + Money(80, "CHF")
    Money(amount_minor=500, currency='CHF')
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        check_currency(self.currency)

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise MoneyError(f"{self.currency} and {other.currency} cannot be added")
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def text(self) -> str:
        """Return the amount for people, such as ``CHF 4.20``.

        >>> Money(-5, "EUR").text()
        'EUR -0.05'
        """
        digits = MINOR_DIGITS[self.currency]
        sign, amount = (
            ("-", -self.amount_minor) if self.amount_minor < 0 else ("", self.amount_minor)
        )
        if not digits:
            return f"{self.currency} {sign}{amount}"
        whole, rest = divmod(amount, 10**digits)
        return f"{self.currency} {sign}{whole}.{rest:0{digits}d}"


def split_largest_remainder(
    total: int, weights: Mapping[str, int | Fraction], *, unit: int = 1
) -> dict[str, int]:
    """Split ``total`` minor units by weights so that the parts sum to it exactly.

    Each party gets the floor of its exact part; the units left go to the largest remainders, ties
    to the smaller party id. The order in which the weights are given changes nothing.

    Parameters
    ----------
    total : int
        Minor units; negative for refunds.
    weights : mapping of party id to int or Fraction
        Not negative; at least one above zero.
    unit : int
        Smallest amount paid, in minor units (5 for Swiss cash).

    Returns
    -------
    dict
        Party id to minor units, in order of the party id.

    Raises
    ------
    MoneyError
        No weight above zero, a negative weight, or a total that is no multiple of the unit.

    Source: largest remainder (Hamilton) method, ties by id: see fares-and-clearing, 4.1.

    >>> split_largest_remainder(275, {"KCM": 250, "ST": 275})
    {'KCM': 131, 'ST': 144}
    >>> split_largest_remainder(-1, {"b": 1, "a": 1})
    {'a': -1, 'b': 0}
    """
    if any(weight < 0 for weight in weights.values()):
        raise MoneyError("a weight of a split is negative")
    whole = sum((Fraction(weight) for weight in weights.values()), Fraction(0))
    if not whole:
        raise MoneyError("a split needs at least one weight above zero")
    units, rest = divmod(abs(total), unit)
    if rest:
        raise MoneyError(f"{total} is no multiple of {unit} minor units")
    exact = {party: units * Fraction(weights[party]) / whole for party in sorted(weights)}
    parts = {party: part.numerator // part.denominator for party, part in exact.items()}
    missing = units - sum(parts.values())
    by_remainder = sorted(exact, key=lambda party: (parts[party] - exact[party], party))
    for party in by_remainder[:missing]:
        parts[party] += 1
    sign = -1 if total < 0 else 1
    return {party: sign * part * unit for party, part in parts.items()}


def convert_half_up(amount_minor: int, rate: Fraction, digits_from: int, digits_to: int) -> int:
    """Return minor units of the target currency, rounded half away from zero.

    ``rate`` is units of the target currency per unit of the source currency.

    >>> convert_half_up(10000, Fraction("82.42135"), 2, 2)
    824214
    """
    exact = Fraction(amount_minor, 10**digits_from) * rate * 10**digits_to
    sign = -1 if exact < 0 else 1
    return sign * int(abs(exact) + Fraction(1, 2))


def sum_by_currency(amounts: Sequence[Money]) -> list[Money]:
    """Return one total per currency, in order of the currency.

    >>> sum_by_currency([Money(1, "EUR"), Money(2, "CHF"), Money(3, "EUR")])
    [Money(amount_minor=2, currency='CHF'), Money(amount_minor=4, currency='EUR')]
    """
    totals: dict[str, int] = {}
    for amount in amounts:
        totals[amount.currency] = totals.get(amount.currency, 0) + amount.amount_minor
    return [Money(total, currency) for currency, total in sorted(totals.items())]
