"""Exchange: net positions into the currency a party settles in, once, at the month's rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from mobility.clearing.kinds import Event
from mobility.core.errors import MoneyError
from mobility.core.money import MINOR_DIGITS, convert_half_up


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of one month: units of ``currency`` for one unit of ``base``.

    >>> pairs = {("EUR", "CHF"): Fraction("0.96"), ("EUR", "USD"): Fraction("1.2")}
    >>> rates = Rates("2027-05", pairs)
    >>> rates.rate("CHF", "EUR"), rates.rate("CHF", "USD")
    (Fraction(25, 24), Fraction(5, 4))
    """

    period: str
    pairs: Mapping[tuple[str, str], Fraction]
    synthetic: bool = False

    def rate(self, source: str, target: str) -> Fraction:
        """Return units of ``target`` for one unit of ``source``: stated, inverse, or by a base.

        Raises
        ------
        MoneyError
            The month has no such rate.
        """
        direct = self._stated(source, target)
        if direct is not None:
            return direct
        for base in sorted({base for base, _ in self.pairs}):
            into, out = self._stated(source, base), self._stated(base, target)
            if into is not None and out is not None:
                return into * out
        raise MoneyError(f"no exchange rate {source} to {target} for {self.period}: import rates")

    def _stated(self, source: str, target: str) -> Fraction | None:
        if source == target:
            return Fraction(1)
        if (source, target) in self.pairs:
            return self.pairs[source, target]
        inverse = self.pairs.get((target, source))
        return None if inverse is None else 1 / inverse

    def convert(self, amount_minor: int, source: str, target: str) -> int:
        """Return minor units of ``target``, rounded half away from zero."""
        digits = MINOR_DIGITS[source], MINOR_DIGITS[target]
        return convert_half_up(amount_minor, self.rate(source, target), *digits)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One party's net position turned from one currency into another, in minor units of each."""

    party: str
    source: str
    source_minor: int
    target: str
    target_minor: int


def read_rates(period: str, events: Iterable[Event]) -> Rates:
    """Return the month's rates.

    Raises
    ------
    MoneyError
        Two sources state the same pair.
    """
    pairs: dict[tuple[str, str], Fraction] = {}
    synthetic = False
    for event in events:
        if event.kind != "rate" or event.period != period:
            continue
        assert event.base is not None and event.currency is not None and event.rate is not None
        key = event.base, event.currency
        if key in pairs:
            raise MoneyError(f"two rates {key[0]}/{key[1]} for {period}: keep one source")
        pairs[key] = Fraction(event.rate)
        synthetic = synthetic or bool(event.synthetic)
    return Rates(period, pairs, synthetic)


def exchange_positions(
    positions: Mapping[tuple[str, str], int], wishes: Mapping[str, str], rates: Rates
) -> tuple[list[Exchange], dict[tuple[str, str], int]]:
    """Return the exchanges that parties ask for, and the residual of each pair of currencies.

    Each net position is converted and rounded once. The residual is what the rounded amounts of a
    pair exceed the conversion of their sum by, in minor units of the target: below (n + 1) / 2 for
    n exchanges.

    Parameters
    ----------
    positions : mapping of (party, currency) to minor units
        Above zero: owed to the party.
    wishes : mapping of party to currency
        Parties without one settle in whatever currency they have.

    Source: fares-and-clearing, 4.7 and invariant I18.
    """
    exchanges = [
        Exchange(party, source, amount, wishes[party], rates.convert(amount, source, wishes[party]))
        for (party, source), amount in sorted(positions.items())
        if amount and wishes.get(party, source) != source
    ]
    residuals = {}
    for source, target in sorted({(e.source, e.target) for e in exchanges}):
        pair = [e for e in exchanges if (e.source, e.target) == (source, target)]
        whole = rates.convert(sum(e.source_minor for e in pair), source, target)
        residuals[source, target] = sum(e.target_minor for e in pair) - whole
    return exchanges, residuals
