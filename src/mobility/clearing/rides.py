"""Rides: what sales and taps say about who travelled where, and the journey that was likely used.

A tap's Enter is paired with the next Exit of the same card. A ride without a journey stays in
suspense with its reason; it never disappears and is never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import polars as pl

from mobility.clearing.events import StoredEvents
from mobility.clearing.kinds import Event
from mobility.clearing.partitions import PartitionKey, PartitionSet, write_set
from mobility.clearing.trips import journey_record, read_journey
from mobility.core.errors import AmbiguousPlaceError, InputError, UnknownPlaceError
from mobility.core.ids import content_hash
from mobility.core.notices import Notice
from mobility.journey import Journey

RIDES = "rides"
UNKNOWN_PLACE = "unknown_place"
MAX_RIDE_S = 6 * 3600  # a check-out later than this belongs to another ride
JourneyFinder = Callable[[str, str, int], Journey | None]  # from, to, unix second of departure


@dataclass(frozen=True, slots=True)
class Ride:
    """One ride of one rider.

    Parameters
    ----------
    id : str
        Content hash of the events it was made of.
    source : str
        ``sale`` or ``tap``.
    events : str
        Hashes of those events, joined by ``+``.
    token, seller, channel, product, currency, amount_minor, rider
        As in the events; ``amount_minor`` is 0 for rides of a pass.
    origin, destination : str or None
        References as sent.
    depart_s, arrive_s : int or None
        Unix seconds; of a sale the arrival is unknown.
    period : str
        The month of the ride itself; another one than the month it is booked in where it is late.
    journey : str
        Hash of the journey; empty where there is none.
    reason : str
        Why there is no journey; empty where there is one.
    """

    id: str
    source: str
    events: str
    period: str
    token: str | None
    seller: str | None
    channel: str | None
    product: str | None
    currency: str | None
    amount_minor: int
    rider: str | None
    origin: str | None
    destination: str | None
    depart_s: int | None
    arrive_s: int | None
    journey: str
    reason: str


RIDE_FIELDS = tuple(field.name for field in fields(Ride))
_INTEGERS = ("amount_minor", "depart_s", "arrive_s")
RIDE_SCHEMA: dict[str, Any] = {
    name: pl.Int64() if name in _INTEGERS else pl.String() for name in RIDE_FIELDS
}
JOURNEY_SCHEMA: dict[str, Any] = {
    "origin": pl.String(),
    "destination": pl.String(),
    "depart_s": pl.Int64(),
    "journey": pl.String(),
    "record": pl.Binary(),
}


@dataclass(frozen=True, slots=True)
class Rides:
    """The rides of a month by partition; their journeys and the records of these by hash."""

    by_prefix: dict[str, tuple[Ride, ...]]
    journeys: dict[str, Journey]
    records: dict[str, bytes]

    def __iter__(self) -> Iterator[Ride]:
        for rides in self.by_prefix.values():
            yield from rides


def match_rides(stored: StoredEvents, find_journey: JourneyFinder) -> Rides:
    """Return the rides of a month's sales and taps with the journeys that the planner finds.

    Parameters
    ----------
    find_journey : callable
        The planner; it may return None or raise `InputError` for a place it does not know.
    """
    drafts = {
        prefix: [_draft_of_sale(event) for event in events if event.kind == "sale"]
        + _drafts_of_taps([event for event in events if event.kind == "tap"])
        for prefix, events in stored.accepted.items()
    }
    planner = _Planner(find_journey)
    planner.ask_all(draft.question for group in drafts.values() for draft in group)
    by_prefix = {
        prefix: tuple(sorted(map(planner.ride, group), key=lambda ride: ride.id))
        for prefix, group in drafts.items()
    }
    return Rides(by_prefix, planner.journeys, planner.records)


def write_rides(stored: StoredEvents, rides: Rides) -> PartitionSet:
    """Keep the rides and their journeys beside the events they come from."""
    tables: dict[PartitionKey, pl.DataFrame] = {}
    for prefix, group in rides.by_prefix.items():
        rows = [tuple(getattr(ride, name) for name in RIDE_FIELDS) for ride in group]
        tables["ride", prefix] = pl.DataFrame(rows, schema=RIDE_SCHEMA, orient="row")
        tables["journey", prefix] = _journey_table(group, rides.records)
    facts = {**stored.partition_set.facts, "events": stored.partition_set.hash}
    return write_set(stored.partition_set.folder, RIDES, tables, facts)


def read_rides(stored: PartitionSet) -> Rides:
    """Return the rides of a partition set.

    Raises
    ------
    CheckFailed
        A partition is missing or changed.
    """
    by_prefix = {
        prefix: tuple(Ride(**row) for row in table.iter_rows(named=True))
        for prefix, table in stored.read("ride", RIDE_SCHEMA).items()
    }
    records: dict[str, bytes] = {}
    for table in stored.read("journey", JOURNEY_SCHEMA).values():
        records |= dict(table.select("journey", "record").iter_rows())
    journeys = {name: read_journey(record) for name, record in records.items()}
    return Rides(by_prefix, journeys, records)


def replay_journeys(stored: PartitionSet) -> JourneyFinder:
    """Return a finder that answers what the planner answered when the rides were made."""
    known: dict[tuple[str, str, int], Journey] = {}
    for table in stored.read("journey", JOURNEY_SCHEMA).values():
        for origin, destination, depart_s, _, record in table.iter_rows():
            known[origin, destination, depart_s] = read_journey(record)
    unknown = {
        (ride.origin, ride.destination, ride.depart_s)
        for ride in read_rides(stored)
        if ride.reason == UNKNOWN_PLACE
    }

    def find(origin: str, destination: str, depart_s: int) -> Journey | None:
        if (origin, destination, depart_s) in unknown:
            raise UnknownPlaceError(f"{origin} or {destination}")
        return known.get((origin, destination, depart_s))

    return find


def suspense_notices(rides: Iterable[Ride]) -> list[Notice]:
    """Return one notice per reason for the rides without a journey."""
    counts: defaultdict[str, int] = defaultdict(int)
    for ride in rides:
        if ride.reason:
            counts[ride.reason] += 1
    return [
        Notice(f"ride_{reason}", "warning", count=count, message="the ride stays in suspense")
        for reason, count in sorted(counts.items())
    ]


Question = tuple[str, str, int]  # from, to, unix second of departure


@dataclass(frozen=True, slots=True)
class _Draft:
    """A ride before its journey: the events, the one that was paid, and what to ask or why not."""

    source: str
    events: tuple[Event, ...]
    paid: Event
    destination: str | None
    reason: str = ""

    @property
    def question(self) -> Question | None:
        first = self.events[0]
        if self.reason or first.origin is None or self.destination is None or first.at is None:
            return None
        return first.origin, self.destination, first.at


class _Planner:
    """Asks the planner once per question and names journeys by their hash."""

    def __init__(self, find_journey: JourneyFinder) -> None:
        self.find_journey = find_journey
        self.journeys: dict[str, Journey] = {}
        self.records: dict[str, bytes] = {}
        self.answers: dict[Question, tuple[str, str]] = {}

    def ask_all(self, questions: Iterable[Question | None]) -> None:
        """Ask in order of time: a planner keeps only a few days at hand."""
        for question in sorted({q for q in questions if q}, key=lambda q: (q[2], q)):
            self.answers[question] = self._ask(question)

    def _ask(self, question: Question) -> tuple[str, str]:
        """Return the journey's hash, or an empty one and the reason."""
        try:
            journey = self.find_journey(*question)
        except (UnknownPlaceError, AmbiguousPlaceError):
            return "", UNKNOWN_PLACE
        except InputError:  # a day that no feed covers, an endpoint without stops
            return "", "no_journey"
        if journey is None:
            return "", "no_journey"
        record = journey_record(journey)
        name = content_hash(record)
        self.journeys[name], self.records[name] = journey, record
        return name, ""

    def ride(self, draft: _Draft) -> Ride:
        """Return the ride with its journey, or with the reason why it has none."""
        question = draft.question
        journey, reason = self.answers[question] if question else ("", draft.reason)
        first, last, paid = draft.events[0], draft.events[-1], draft.paid
        hashes = [event.hash() for event in draft.events]
        entered = first.kind == "sale" or first.action == "enter"
        return Ride(
            id=content_hash(hashes),
            source=draft.source,
            events="+".join(hashes),
            period=paid.period,
            token=paid.token,
            seller=paid.seller,
            channel=paid.channel,
            product=paid.product,
            currency=paid.currency,
            amount_minor=sum(event.amount_minor or 0 for event in draft.events),
            rider=paid.rider,
            origin=first.origin if entered else None,
            destination=draft.destination,
            depart_s=first.at if entered else None,
            arrive_s=last.at if last.action == "exit" else None,
            journey=journey,
            reason=reason,
        )


def _draft_of_sale(sale: Event) -> _Draft:
    return _Draft("sale", (sale,), sale, sale.destination)


def _drafts_of_taps(taps: Sequence[Event]) -> list[_Draft]:
    """Pair each check-in with the next check-out of the same card; tell what is left over."""
    by_card: defaultdict[tuple[str, str], list[Event]] = defaultdict(list)
    for tap in taps:
        by_card[tap.token or "", tap.producer].append(tap)
    drafts: list[_Draft] = []
    for _, own in sorted(by_card.items()):
        waiting: Event | None = None
        for tap in sorted(own, key=_tap_order):
            if waiting is not None and (tap.action == "enter" or not _one_ride(waiting, tap)):
                drafts.append(_without_check_out(waiting))
                waiting = None
            if tap.action == "enter":
                waiting = tap
            elif waiting is None:
                drafts.append(_Draft("tap", (tap,), tap, tap.origin, "no_check_in"))
            else:
                reason = "same_place" if waiting.origin == tap.origin else ""
                paid = tap if tap.amount_minor or not waiting.amount_minor else waiting
                drafts.append(_Draft("tap", (waiting, tap), paid, tap.origin, reason))
                waiting = None
        if waiting is not None:
            drafts.append(_without_check_out(waiting))
    return drafts


def _one_ride(enter: Event, leave: Event) -> bool:
    """Return whether check-in and check-out belong together: in time, and paid in one currency."""
    in_time = (leave.at or 0) - (enter.at or 0) <= MAX_RIDE_S
    both_paid = bool(enter.amount_minor and leave.amount_minor)
    return in_time and (not both_paid or enter.currency == leave.currency)


def _tap_order(tap: Event) -> tuple[int, bool, str]:
    # At the same second the check-out comes first: one ride ends, the next begins.
    return tap.at or 0, tap.action == "enter", tap.event_id


def _without_check_out(tap: Event) -> _Draft:
    return _Draft("tap", (tap,), tap, None, "no_check_out")


def _journey_table(rides: Sequence[Ride], records: Mapping[str, bytes]) -> pl.DataFrame:
    asked = {
        (ride.origin or "", ride.destination or "", ride.depart_s or 0, ride.journey)
        for ride in rides
        if ride.journey
    }
    rows = [(*key, records[key[3]]) for key in sorted(asked)]
    return pl.DataFrame(rows, schema=JOURNEY_SCHEMA, orient="row")
