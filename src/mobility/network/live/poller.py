"""The poller: reads live messages again and again, and writes what they change as versions."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mobility.core.errors import UsageError
from mobility.core.time import Clock
from mobility.feeds.realtime import Message, Vehicle
from mobility.feeds.realtime.source import Inbox, LiveSource, Received
from mobility.network.edition import Edition
from mobility.network.live.files import LiveWriter, Notes, SourceState, live_folder
from mobility.network.live.matching import Matched, Matcher
from mobility.network.live.trips import Trips

MAX_ALERTS = 5_000
MAX_VEHICLES = 50_000
NICENESS = 10  # where cores are short, questions come before messages


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll came to: the version written, and how each source stands."""

    version: str
    sources: tuple[SourceState, ...]
    n_runs: int
    n_added: int


class Poller:
    """Follows the sources of an edition; one process per edition and home.

    Parameters
    ----------
    edition : Edition
    sources : sequence of LiveSource
        In order: of two that speak of one run the later counts.
    home : Path
        Where versions are written.
    inbox : Inbox
    clock : Clock

    Raises
    ------
    UsageError
        There is no source, or one is of a feed that the edition has not.
    """

    def __init__(
        self, edition: Edition, sources: Sequence[LiveSource], home: Path, *, inbox: Inbox,
        clock: Clock,
    ) -> None:  # fmt: skip
        feeds = list(edition.network.feed_id)
        if not sources:
            raise UsageError("no source of live messages: give --source FEED=FILE_OR_URL")
        for source in sources:
            if source.feed not in feeds:
                known = ", ".join(feeds)
                raise UsageError(f"{source.feed!r} is no feed of the edition; its feeds: {known}")
        self._sources, self._inbox, self._clock = tuple(sources), inbox, clock
        self._matcher = Matcher(Trips(edition.network, {source.feed for source in sources}))
        self.folder = live_folder(home, edition.hash)
        self._writer = LiveWriter(self.folder, edition.hash, edition.network, edition.slices)
        self._read: list[Message | None] = []
        self._found = (Matched(), Notes())

    def poll(self) -> Polled:
        """Read every source once and write what it comes to.

        A source that cannot be read keeps what it said last, with its age.

        Raises
        ------
        EnvironmentFault
            The home cannot be written.
        """
        with _uncollected():
            return self._poll(int(self._clock().timestamp()))

    def _poll(self, now_s: int) -> Polled:
        received = [self._inbox.receive(source, now_s) for source in self._sources]
        messages = [one.message for one in received]
        same = len(messages) == len(self._read) and all(
            a is b for a, b in zip(messages, self._read, strict=True)
        )
        if not same:
            self._found = self._match(received), self._notes(received)
            self._read = messages
        matched, notes = self._found
        states = tuple(_state(one, matched) for one in received)
        # Messages of the past, replayed from files, are about their own days.
        made = [one.timestamp for one in messages if one is not None and one.timestamp]
        about_s = min(now_s, max(made, default=now_s))
        version = self._writer.write(matched, notes, states, now_s, about_s=about_s)
        return Polled(version, states, len(matched.runs), len(matched.trains))

    def _match(self, received: Sequence[Received]) -> Matched:
        return self._matcher.match(
            (one.source.feed, update, one.message.timestamp)
            for one in received
            if one.message is not None
            for update in one.message.trip_updates
        )

    def _notes(self, received: Sequence[Received]) -> Notes:
        alerts, vehicles = [], {}
        for one in received:
            if one.message is None:
                continue
            feed = one.source.feed
            alerts += [(feed, alert) for alert in one.message.alerts]
            for vehicle in one.message.vehicles:
                run = self._matcher.run_of(feed, vehicle.trip, _moment(vehicle, one.message))
                if run is not None:
                    vehicles[feed, vehicle.trip.trip_id, run.date] = vehicle
        placed = [(*key, vehicle) for key, vehicle in vehicles.items()]
        return Notes(tuple(alerts[:MAX_ALERTS]), tuple(placed[:MAX_VEHICLES]))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python's collector of cycles at rest.

    A poll makes hundreds of thousands of small values that hold no cycles, beside as many that stay
    from poll to poll; walking over all of them again and again takes as long as the poll itself.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def give_way() -> None:
    """Let the process run behind those that answer questions, where the system allows it."""
    with suppress(OSError, AttributeError):
        os.nice(NICENESS)


def _moment(vehicle: Vehicle, message: Message) -> int | None:
    return vehicle.timestamp or message.timestamp


def _state(received: Received, matched: Matched) -> SourceState:
    """Return how a source stands, with what was found of its feed where it speaks of trips."""
    message, source = received.message, received.source
    if message is None:
        return SourceState(source.feed, source.shown, fault=received.fault)
    counts = {
        "alerts": len(message.alerts),
        "vehicles": len(message.vehicles),
        **message.left_out,
        **(matched.counts.get(source.feed, {}) if message.trip_updates else {}),
    }
    return SourceState(
        source.feed, source.shown, message.timestamp, received.received_s, received.fault,
        {name: count for name, count in counts.items() if count},
    )  # fmt: skip
