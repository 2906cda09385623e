"""Share lines: who gets what of each sold ticket and pass; they sum to what was taken.

What no agreement divides goes to the suspense account with its reason, never to anyone silently.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import polars as pl

from mobility.clearing.events import StoredEvents
from mobility.clearing.kinds import Event
from mobility.clearing.partitions import PartitionSet, write_set
from mobility.clearing.rides import Ride, Rides
from mobility.clearing.splitter import Shared, Sold, Splitter
from mobility.core.files import write_atomic
from mobility.core.ids import canonical_json
from mobility.core.money import Money
from mobility.core.notices import Notice
from mobility.core.time import local_date, service_day_origin
from mobility.fares.quote import DAY_TICKET_ENDS_S
from mobility.journey import Journey, Share

SHARES = "shares"
SUSPENSE_PARTY = "_suspense"  # no party of a tariff: their ids begin with a letter or digit
SUSPENSE_ROLE = "suspense"


@dataclass(frozen=True, slots=True)
class ShareLine:
    """What one party gets of one sold unit or sheet line, in minor units.

    Parameters
    ----------
    source, event : str
        Kind of event (``sheet``, ``sale``, ``pass``, ``tap``) and its hash (of a tap: its ride).
    period : str
        The month it belongs to by its content.
    agreement : str
        Id of the agreement that divided it; empty in suspense.
    count, rides : int
        Tickets or passes sold; rides that counted.
    reason : str
        Why it lies in suspense; empty else.
    """

    source: str
    event: str
    period: str
    agreement: str
    product: str
    seller: str
    currency: str
    party: str
    role: str
    amount_minor: int
    count: int
    rides: int
    reason: str


SHARE_FIELDS = tuple(field.name for field in fields(ShareLine))
_INTEGERS = ("amount_minor", "count", "rides")
SHARE_SCHEMA: dict[str, Any] = {
    name: pl.Int64() if name in _INTEGERS else pl.String() for name in SHARE_FIELDS
}


@dataclass(frozen=True, slots=True)
class ShareLines:
    """The share lines of a month by partition, and what was found on the way."""

    by_prefix: dict[str, tuple[ShareLine, ...]]
    notices: tuple[Notice, ...]

    @property
    def lines(self) -> tuple[ShareLine, ...]:
        """All lines, by partition."""
        return tuple(line for lines in self.by_prefix.values() for line in lines)


def share_events(stored: StoredEvents, rides: Rides, splitter: Splitter, zone: str) -> ShareLines:
    """Return who gets what of everything sold in the month.

    Parameters
    ----------
    zone : str
        Time zone of the region, for the date of a sale.

    Source: fares-and-clearing, 4.2, 4.9 and invariant I1.
    """
    sharer = _Sharer(splitter, rides.journeys, zone)
    by_prefix = {}
    for prefix, events in stored.accepted.items():
        own = rides.by_prefix.get(prefix, ())
        lines = sharer.share_partition(events, own)
        by_prefix[prefix] = tuple(sorted(lines, key=_line_key))
    return ShareLines(by_prefix, sharer.notices())


def write_shares(
    stored: StoredEvents,
    rides: PartitionSet,
    shares: ShareLines,
    splitter: Splitter,
    facts: Mapping[str, Any],
) -> PartitionSet:
    """Keep the share lines, and beside them the tariff and agreements that made them.

    Parameters
    ----------
    facts : mapping
        ``zone`` and ``versions`` under which they were made.
    """
    folder = stored.partition_set.folder
    for name, document in splitter.documents.items():
        write_atomic(folder / f"{name}-{splitter.versions[name]}.json", canonical_json(document))
    tables = {}
    for prefix, lines in shares.by_prefix.items():
        rows = [tuple(getattr(line, name) for name in SHARE_FIELDS) for line in lines]
        tables["share", prefix] = pl.DataFrame(rows, schema=SHARE_SCHEMA, orient="row")
    every_fact = {**facts, **rides.facts, "rides": rides.hash, **splitter.versions}
    return write_set(folder, SHARES, tables, every_fact)


def read_shares(stored: PartitionSet) -> dict[str, tuple[ShareLine, ...]]:
    """Return the share lines of a partition set by partition.

    Raises
    ------
    CheckFailed
        A partition is missing or changed.
    """
    return {
        prefix: tuple(ShareLine(**row) for row in table.iter_rows(named=True))
        for prefix, table in stored.read("share", SHARE_SCHEMA).items()
    }


class _Sharer:
    def __init__(self, splitter: Splitter, journeys: dict[str, Journey], zone: str) -> None:
        self.splitter, self.journeys, self.zone = splitter, journeys, zone
        self.counts: defaultdict[str, int] = defaultdict(int)
        self.known: dict[tuple[Sold, str], Shared] = {}

    def share_partition(self, events: Sequence[Event], rides: Sequence[Ride]) -> list[ShareLine]:
        lines: list[ShareLine] = []
        by_sale = {ride.events: ride for ride in rides if ride.source == "sale"}
        taps = [ride for ride in rides if ride.source == "tap"]
        for event in events:
            if event.kind == "sheet":
                lines += self._sheet(event)
            elif event.kind == "sale":
                lines += self._sale(event, by_sale[event.hash()])
        lines += self._passes([event for event in events if event.kind == "pass"], taps)
        for ride in taps:
            if ride.amount_minor:
                lines += self._tap(ride)
        return lines

    def _sheet(self, event: Event) -> list[ShareLine]:
        """Share a sheet line: ticket by ticket where all cost the same, else as a whole."""
        count = event.count or 1
        sold = _sold(event, dt.date.fromisoformat(f"{event.period}-01"))
        each, rest = divmod(sold.price.amount_minor, count)
        times = 1 if rest else count
        if not rest:
            sold = replace(sold, price=Money(each, sold.price.currency))
        shared = self.splitter.unridden(sold)
        source = _Source("sheet", event.hash(), event.period, count)
        return self._lines(source, sold, shared, times)

    def _sale(self, event: Event, ride: Ride) -> list[ShareLine]:
        assert event.at is not None
        sold = _sold(event, local_date(event.at, self.zone))
        shared = self._single(sold, ride.journey)
        return self._lines(_Source("sale", event.hash(), event.period, 1), sold, shared)

    def _tap(self, ride: Ride) -> list[ShareLine]:
        moment = ride.depart_s if ride.depart_s is not None else ride.arrive_s
        assert ride.currency is not None and moment is not None
        sold = Sold(
            product=ride.product or "",
            seller=ride.seller or "",
            channel=ride.channel,
            price=Money(ride.amount_minor, ride.currency),
            date=local_date(moment, self.zone),
            rider=ride.rider,
        )
        shared = self._single(sold, ride.journey)
        return self._lines(_Source("tap", ride.id, ride.period, 1), sold, shared)

    def _single(self, sold: Sold, journey: str) -> Shared:
        key = (sold, journey)
        if key not in self.known:
            found = self.journeys.get(journey)
            self.known[key] = (
                self.splitter.single(sold, found)
                if found is not None and sold.product
                else self.splitter.unridden(sold)
            )
        return self.known[key]

    def _passes(self, passes: Sequence[Event], taps: Sequence[Ride]) -> list[ShareLine]:
        """Share each pass over its rides; a ride counts for the first pass that holds that day."""
        by_card: defaultdict[str, list[Event]] = defaultdict(list)
        for event in passes:
            by_card[event.token or ""].append(event)
        used: defaultdict[str, list[str]] = defaultdict(list)
        for ride in taps:
            if ride.amount_minor or not ride.journey or ride.depart_s is None:
                continue
            own = by_card[ride.token or ""]
            holder = next((e for e in own if _holds(e, ride, ride.depart_s, self.zone)), None)
            if holder is None:
                self.counts["ride_without_pass"] += 1
            else:
                used[holder.hash()].append(ride.journey)
        lines: list[ShareLine] = []
        for event in passes:
            sold = _sold(event, dt.date.fromisoformat(event.valid_from or ""))
            ids = used[event.hash()]
            shared = self.splitter.rides_of_pass(sold, self.journeys, ids)
            lines += self._lines(_Source("pass", event.hash(), event.period, 1), sold, shared)
        return lines

    def _lines(
        self, source: _Source, sold: Sold, shared: Shared, times: int = 1
    ) -> list[ShareLine]:
        """Return the lines of a sold unit (``times`` equal ones); they sum to its price."""
        amount, shares, reason = sold.price.amount_minor, shared.split.shares, ""
        if not shares and amount:
            shares = (Share(SUSPENSE_PARTY, SUSPENSE_ROLE, amount),)
            reason = shared.split.why[0] if shared.split.why else "split unknown"
            self.counts["share_in_suspense"] += 1
        if shared.differs:
            self.counts["price_differs"] += 1
        assert sum(share.amount_minor for share in shares) == amount, "shares sum to the price"
        return [
            ShareLine(
                source=source.kind,
                event=source.event,
                period=source.period,
                agreement="" if reason else shared.split.agreement,
                product=sold.product,
                seller=sold.seller,
                currency=sold.price.currency,
                party=share.party,
                role=share.role,
                amount_minor=share.amount_minor * times,
                count=source.count,
                rides=shared.rides,
                reason=reason,
            )
            for share in shares
            if share.amount_minor
        ]

    def notices(self) -> tuple[Notice, ...]:
        messages = {
            "ride_without_pass": "the card has no pass on that day: the ride counts for nobody",
            "share_in_suspense": "no agreement divides it: the amount stays in suspense",
            "price_differs": "what was taken is not the list price: divided in proportion",
        }
        return tuple(
            Notice(code, "warning", count=count, message=messages[code])
            for code, count in sorted(self.counts.items())
        )


@dataclass(frozen=True, slots=True)
class _Source:
    """What a line comes from."""

    kind: str
    event: str
    period: str
    count: int


def _sold(event: Event, date: dt.date) -> Sold:
    assert event.product is not None and event.seller is not None
    assert event.currency is not None and event.amount_minor is not None
    price = Money(event.amount_minor, event.currency)
    return Sold(event.product, event.seller, event.channel, price, date, event.rider)


def _holds(event: Event, ride: Ride, depart_s: int, zone: str) -> bool:
    """Return whether a pass holds for a ride: to the morning after its last day, as when sold."""
    if ride.product not in (None, event.product):
        return False
    after = dt.date.fromisoformat(event.valid_until or "") + dt.timedelta(days=1)
    in_time = depart_s < service_day_origin(after, zone) + DAY_TICKET_ENDS_S
    return in_time and (event.valid_from or "") <= local_date(depart_s, zone).isoformat()


def _line_key(line: ShareLine) -> tuple[str, str, str, str]:
    return line.source, line.event, line.party, line.role
