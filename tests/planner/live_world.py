"""The running day for tests: messages written, read and searched as a server does it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mobility.feeds.realtime import TripUpdate
from mobility.network import Network
from mobility.network.live.files import LiveReader, LiveWriter, Notes, SourceState
from mobility.network.live.matching import Matched, Matcher
from mobility.network.live.trips import Trips
from mobility.planner import Planner

EDITION = "e" * 64
Said = tuple[str, TripUpdate, int | None]


class LiveWorld:
    """A poller, its folder and a planner that follows it."""

    def __init__(self, network: Network, folder: Path, now_s: int) -> None:
        self.network, self.now_s = network, now_s
        self.slices = network.slices(None)
        self.matcher = Matcher(Trips(network, list(network.feed_id)))
        self.writer = LiveWriter(folder, EDITION, network, self.slices)
        self.reader = LiveReader(folder, EDITION, network)
        self.planner = Planner(network, self.slices, live=self.reader)

    def say(self, said: Sequence[Said], notes: Notes | None = None) -> Matched:
        """Let a poll find this, and the planner follow."""
        matched = self.matcher.match(said)
        sources = [SourceState(feed, "test", self.now_s) for feed in self.network.feed_id]
        self.writer.write(matched, notes or Notes(), sources, self.now_s)
        self.planner.refresh_live()
        return matched
