"""The kinds of events and the columns of the sheets they come in, as data.

All kinds share one table (`EVENT_SCHEMA`); what a kind does not have is null. Only the columns
named here are kept: device and vehicle numbers, balances and free text stay outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import polars as pl

from mobility.core.ids import content_hash

Kind = Literal["sheet", "sale", "pass", "tap", "rate", "currency"]


@dataclass(frozen=True, slots=True)
class Event:
    """One row of a producer, pseudonymised; instants in unix seconds, amounts in minor units.

    Parameters
    ----------
    kind : str
        ``sheet`` (one line of a monthly sales sheet), ``sale`` (one ticket), ``pass``, ``tap``,
        ``rate`` (exchange rate of the month), ``currency`` (in which a party settles).
    producer, event_id : str
        Who sent it and the producer's own number of it: unique per kind.
    period : str
        The month it belongs to by its content.
    seller, channel, product : str or None
        Of the tariff.
    currency, amount_minor : str or None, int or None
        What was taken, for all of ``count`` together.
    count : int or None
        Tickets (sheet), else 1.
    origin, destination : str or None
        References of stops or stations.
    at : int or None
        Of a sale the departure, of a tap its moment.
    action : str or None
        ``enter`` or ``exit`` (tap).
    rider : str or None
        Cards and age group of the rider, such as ``half-fare``; several joined by ``+``.
    token : str or None
        Pseudonym of the card.
    valid_from, valid_until : str or None
        Days of a pass, both included, ``YYYY-MM-DD``.
    rate : str or None
        Units of ``currency`` for one unit of ``base``, a decimal text.
    base : str or None
        Currency that the rate is for one unit of.
    synthetic : bool or None
        Whether the rate is made up.
    """

    kind: str
    producer: str
    event_id: str
    period: str
    seller: str | None = None
    channel: str | None = None
    product: str | None = None
    currency: str | None = None
    amount_minor: int | None = None
    count: int | None = None
    origin: str | None = None
    destination: str | None = None
    at: int | None = None
    action: str | None = None
    rider: str | None = None
    token: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None
    rate: str | None = None
    base: str | None = None
    synthetic: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the canonical event, without what it does not have."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def hash(self) -> str:
        """Return the content hash of the canonical event."""
        return content_hash(self.to_json())


EVENT_FIELDS = tuple(field.name for field in fields(Event))
_INTEGERS = ("amount_minor", "count", "at")
EVENT_SCHEMA: dict[str, Any] = {
    "event": pl.String(),  # content hash
    "booked_in": pl.String(),  # the period it is settled in: a later one for late events
    **{
        name: pl.Int64()
        if name in _INTEGERS
        else pl.Boolean()
        if name == "synthetic"
        else pl.String()
        for name in EVENT_FIELDS
    },
}
REFUSED_SCHEMA: dict[str, Any] = {
    "kind": pl.String(),
    "code": pl.String(),
    "field": pl.String(),
    "digest": pl.String(),  # HMAC of the row: recognisable when it comes again, unreadable else
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A kind of file: recognised by its required columns; others are optional or ignored."""

    kind: Kind
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    card_column: str = ""


SHEETS: tuple[Sheet, ...] = (
    Sheet(
        "sheet",
        ("sheet_id", "line", "period", "seller", "channel", "product", "count", "gross",
         "currency"),
        ("rider",),
    ),
    Sheet(
        "sale",
        ("sale_id", "sold_at", "seller", "channel", "product", "price", "currency", "from_ref",
         "to_ref", "depart_at"),
        ("rider", "card_number"),
        card_column="card_number",
    ),
    Sheet(
        "pass",
        ("pass_id", "seller", "channel", "product", "price", "currency", "valid_from",
         "valid_until", "card_number"),
        ("rider",),
        card_column="card_number",
    ),
    # TIDES, table fare_transactions; `seller` is ours: whose app or gate it is.
    Sheet(
        "tap",
        ("transaction_id", "service_date", "event_timestamp", "amount", "currency_type",
         "fare_action", "stop_id", "token_id"),
        ("fare_product", "seller", "rider_category"),
        card_column="token_id",
    ),
    Sheet("rate", ("period", "base", "currency", "rate", "source", "synthetic")),
    Sheet("currency", ("period", "party", "settlement_currency")),
)  # fmt: skip


def find_sheet(header: Mapping[str, int] | list[str]) -> Sheet | None:
    """Return the kind of file that has these columns, or None.

    >>> find_sheet(["period", "party", "settlement_currency"]).kind
    'currency'
    """
    return next((sheet for sheet in SHEETS if set(sheet.required) <= set(header)), None)


def event_table(events: list[tuple[str, Event]]) -> pl.DataFrame:
    """Return events with the period they are booked in as a table, sorted by key and hash."""
    rows = sorted(
        (
            (event.kind, event.producer, event.event_id, event.hash(), booked_in, event)
            for booked_in, event in events
        ),
        key=lambda row: row[:4],
    )
    columns: dict[str, list[Any]] = {
        "event": [row[3] for row in rows],
        "booked_in": [row[4] for row in rows],
    }
    for name in EVENT_FIELDS:
        columns[name] = [getattr(row[5], name) for row in rows]
    return pl.DataFrame(columns, schema=EVENT_SCHEMA)


def events_of(table: pl.DataFrame) -> list[Event]:
    """Return the events of a table, in its order."""
    return [Event(**row) for row in table.select(EVENT_FIELDS).iter_rows(named=True)]
