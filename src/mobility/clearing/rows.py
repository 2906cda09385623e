"""Rows of sheets to events: every field checked, every refusal with its field and reason."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from mobility.clearing.kinds import Event, Sheet
from mobility.core.errors import InputError, TimeError
from mobility.core.money import MINOR_DIGITS
from mobility.core.time import local_date, parse_date, parse_instant
from mobility.ledger import check_period

MAX_TEXT = 256  # characters of a field
MAX_AMOUNT_MINOR = 10**13  # per row; far below what a posting can hold
MAX_COUNT = 10**8
_AMOUNT = re.compile(r"(-?)([0-9]{1,12})(?:[.,]([0-9]{1,4}))?")
_RATE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,12})?")
_ACTIONS = {
    "enter": "enter",
    "transfer entrance": "enter",
    "exit": "exit",
    "transfer exit": "exit",
}

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Catalog:
    """What rows may name of the tariff; and the zone of times without one.

    ``riders`` are the cards and age groups.
    """

    products: frozenset[str]
    parties: frozenset[str]
    riders: frozenset[str]
    zone: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before its card number became a pseudonym; ``card`` never leaves the memory."""

    event: Event
    card: str


class RowRefused(Exception):
    """A row that cannot be an event: code, field, value and what was expected."""

    def __init__(self, code: str, field: str, value: str, expected: str) -> None:
        super().__init__(f"{field} {value!r}: {expected}")
        self.code = code
        self.field = field
        self.value = value
        self.expected = expected


def parse_row(sheet: Sheet, row: Row, catalog: Catalog, seller: str | None) -> Draft:
    """Return the event of a row.

    Parameters
    ----------
    seller : str or None
        Whose rows these are where the sheet has no such column.

    Raises
    ------
    RowRefused
        Says which field is off and what was expected.
    """
    reader = _Reader(row, catalog, seller)
    event = _PARSERS[sheet.kind](reader)
    card = row.get(sheet.card_column, "").strip() if sheet.card_column else ""
    return Draft(event, card)


def period_of(date: dt.date) -> str:
    """Return the month of a date.

    >>> period_of(dt.date(2027, 5, 31))
    '2027-05'
    """
    return f"{date.year:04d}-{date.month:02d}"


def is_period(text: str) -> bool:
    """Return whether the text is a month ``YYYY-MM``."""
    try:
        check_period(text)
    except InputError:
        return False
    return True


def parse_amount(text: str, currency: str) -> int | None:
    """Return minor units of a decimal amount, or None where it is none or has too many digits.

    More digits than the currency has are refused even where they are zeros: ``1,200`` is a
    thousand and more to some, a little over one to others.

    >>> parse_amount("3.40", "CHF"), parse_amount("3,4", "EUR"), parse_amount("3.405", "CHF")
    (340, 340, None)
    >>> parse_amount("1,200", "CHF") is None
    True
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        return None
    whole, rest = match[2], match[3] or ""
    digits: int = MINOR_DIGITS[currency]
    if len(rest) > digits:
        return None
    amount = int(whole + rest.ljust(digits, "0"))
    return -amount if match[1] else amount


class _Reader:
    """Reads the fields of one row, refusing what is off."""

    def __init__(self, row: Row, catalog: Catalog, seller: str | None) -> None:
        self.row = row
        self.catalog = catalog
        self.default_seller = seller

    def text(self, name: str) -> str:
        value = self.row.get(name, "").strip()
        if not value:
            raise RowRefused("missing_value", name, "", "a value is required")
        if len(value) > MAX_TEXT:
            raise RowRefused("too_long", name, value, f"at most {MAX_TEXT} characters")
        return value

    def optional(self, name: str) -> str | None:
        return self.text(name) if self.row.get(name, "").strip() else None

    def rider(self, name: str) -> str | None:
        value = (self.optional(name) or "").lower()
        for word in filter(None, value.split("+")):
            if word not in self.catalog.riders:
                known = ", ".join(sorted(self.catalog.riders))
                raise RowRefused("unknown_rider", name, word, f"the tariff has {known}")
        return value or None

    def currency(self, name: str) -> str:
        code = self.text(name)
        if code not in MINOR_DIGITS:
            raise RowRefused("unknown_currency", name, code, "expected ISO 4217, such as CHF")
        return code

    def amount(self, name: str, currency: str) -> int:
        text = self.text(name)
        amount = parse_amount(text, currency)
        if amount is None or abs(amount) > MAX_AMOUNT_MINOR:
            raise RowRefused("bad_amount", name, text, f"expected an amount in {currency}")
        if amount < 0:
            raise RowRefused("negative_price", name, text, "a price is never negative")
        return amount

    def count(self, name: str) -> int:
        text = self.text(name)
        if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MAX_COUNT:
            raise RowRefused("bad_count", name, text, "expected a whole number above 0")
        return int(text)

    def product(self, name: str) -> str:
        product = self.text(name)
        if product not in self.catalog.products:
            raise RowRefused("unknown_product", name, product, "the tariff has no such product")
        return product

    def party(self, name: str) -> str:
        party = self.text(name)
        if party not in self.catalog.parties:
            raise RowRefused("unknown_party", name, party, "the tariff has no such party")
        return party

    def seller(self) -> str:
        if self.default_seller is not None and not self.row.get("seller", "").strip():
            return self.default_seller
        return self.party("seller")

    def date(self, name: str) -> dt.date:
        try:
            return parse_date(self.text(name))
        except TimeError as error:
            raise RowRefused("bad_date", name, self.text(name), str(error)) from None

    def instant(self, name: str) -> int:
        try:
            return parse_instant(self.text(name), self.catalog.zone)
        except (TimeError, OverflowError) as error:
            raise RowRefused("bad_time", name, self.text(name), str(error)) from None

    def period(self, name: str) -> str:
        text = self.text(name)
        try:
            return check_period(text)
        except InputError as error:
            raise RowRefused("bad_period", name, text, str(error)) from None


def _parse_sheet(reader: _Reader) -> Event:
    seller, currency = reader.seller(), reader.currency("currency")
    return Event(
        kind="sheet",
        producer=seller,
        event_id=f"{reader.text('sheet_id')}/{reader.text('line')}",
        period=reader.period("period"),
        seller=seller,
        channel=reader.text("channel"),
        product=reader.product("product"),
        currency=currency,
        amount_minor=reader.amount("gross", currency),
        count=reader.count("count"),
        rider=reader.rider("rider"),
    )


def _parse_sale(reader: _Reader) -> Event:
    seller, currency = reader.seller(), reader.currency("currency")
    sold_at = reader.instant("sold_at")
    depart_at = reader.instant("depart_at")
    return Event(
        kind="sale",
        producer=seller,
        event_id=reader.text("sale_id"),
        period=period_of(local_date(sold_at, reader.catalog.zone)),
        seller=seller,
        channel=reader.text("channel"),
        product=reader.product("product"),
        currency=currency,
        amount_minor=reader.amount("price", currency),
        count=1,
        origin=reader.text("from_ref"),
        destination=reader.text("to_ref"),
        at=depart_at,
        rider=reader.rider("rider"),
    )


def _parse_pass(reader: _Reader) -> Event:
    seller, currency = reader.seller(), reader.currency("currency")
    first, last = reader.date("valid_from"), reader.date("valid_until")
    if last < first:
        raise RowRefused("bad_date", "valid_until", last.isoformat(), f"before {first}")
    reader.text("card_number")
    return Event(
        kind="pass",
        producer=seller,
        event_id=reader.text("pass_id"),
        period=period_of(first),
        seller=seller,
        channel=reader.text("channel"),
        product=reader.product("product"),
        currency=currency,
        amount_minor=reader.amount("price", currency),
        count=1,
        rider=reader.rider("rider"),
        valid_from=first.isoformat(),
        valid_until=last.isoformat(),
    )


def _parse_tap(reader: _Reader) -> Event:
    seller, currency = reader.seller(), reader.currency("currency_type")
    action = _ACTIONS.get(reader.text("fare_action").lower())
    if action is None:
        raise RowRefused(
            "other_action", "fare_action", reader.text("fare_action"), "expected Enter or Exit"
        )
    product = reader.optional("fare_product")
    reader.text("token_id")
    return Event(
        kind="tap",
        producer=seller,
        event_id=reader.text("transaction_id"),
        period=period_of(reader.date("service_date")),
        seller=seller,
        product=None if product is None else reader.product("fare_product"),
        currency=currency,
        amount_minor=reader.amount("amount", currency),
        count=1,
        origin=reader.text("stop_id"),
        at=reader.instant("event_timestamp"),
        action=action,
        rider=reader.rider("rider_category"),
    )


def _parse_rate(reader: _Reader) -> Event:
    text = reader.text("rate")
    if not _RATE.fullmatch(text) or Fraction(text) <= 0:
        raise RowRefused("bad_rate", "rate", text, "expected a decimal above 0, such as 0.9412")
    base, currency = reader.currency("base"), reader.currency("currency")
    synthetic = reader.text("synthetic").lower()
    if synthetic not in ("true", "false"):
        raise RowRefused("bad_value", "synthetic", synthetic, "expected true or false")
    return Event(
        kind="rate",
        producer=reader.text("source"),
        event_id=f"{base}/{currency}",
        period=reader.period("period"),
        base=base,
        currency=currency,
        rate=text,
        synthetic=synthetic == "true",
    )


def _parse_currency(reader: _Reader) -> Event:
    return Event(
        kind="currency",
        producer=reader.party("party"),
        event_id="settlement",
        period=reader.period("period"),
        currency=reader.currency("settlement_currency"),
    )


_PARSERS: dict[str, Callable[[_Reader], Event]] = {
    "sheet": _parse_sheet,
    "sale": _parse_sale,
    "pass": _parse_pass,
    "tap": _parse_tap,
    "rate": _parse_rate,
    "currency": _parse_currency,
}


def with_token(event: Event, token: str | None) -> Event:
    """Return the event with the pseudonym of its card."""
    return replace(event, token=token)
