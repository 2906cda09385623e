"""The poller: it follows its sources and leaves the process as it found it."""

from __future__ import annotations

import datetime as dt
import gc
from pathlib import Path

import pytest
from google.transit import gtfs_realtime_pb2 as pb

from mobility.core.errors import EnvironmentFault
from mobility.feeds.realtime import Message
from mobility.feeds.realtime.source import Inbox, LiveSource
from mobility.network import open_edition
from mobility.network.live import poller as module
from mobility.network.live.poller import Poller

NOW = dt.datetime(2027, 5, 4, 5, 0, tzinfo=dt.UTC)


def poller_of(edition_folder: Path, message: Path, home: Path) -> Poller:
    feed = pb.FeedMessage()
    feed.header.gtfs_realtime_version = "2.0"
    feed.header.timestamp = int(NOW.timestamp())
    message.write_bytes(feed.SerializeToString())
    edition = open_edition(edition_folder)
    source = LiveSource(edition.network.feed_id[0], str(message))
    return Poller(edition, [source], home, inbox=Inbox(), clock=lambda: NOW)


@pytest.mark.parametrize("collects", [True, False])
def test_the_collector_rests_during_a_poll_and_is_as_before_after_it(
    collects: bool, sample_edition: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    during = []
    decode = module.Inbox.receive

    def watched(inbox: Inbox, source: LiveSource, now_s: int) -> object:
        during.append(gc.isenabled())
        return decode(inbox, source, now_s)

    monkeypatch.setattr(module.Inbox, "receive", watched)
    poller = poller_of(sample_edition, tmp_path / "said.pb", tmp_path / "home")
    was = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        poller.poll()
        assert gc.isenabled() is collects
    finally:
        (gc.enable if was else gc.disable)()
    assert during == [False]


def test_the_collector_is_at_work_again_after_a_poll_that_failed(
    sample_edition: Path, tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("a file where a folder is wanted")
    poller = poller_of(sample_edition, tmp_path / "said.pb", tmp_path / "home")
    assert gc.isenabled()
    with pytest.raises(EnvironmentFault):
        poller.poll()
    assert gc.isenabled()


def test_what_a_poll_matches_holds_no_cycles(sample_edition: Path, tmp_path: Path) -> None:
    """Else what the collector does not look at would stay."""
    network = open_edition(sample_edition).network
    feed = network.feed_id[0]
    poller = poller_of(sample_edition, tmp_path / "said.pb", tmp_path / "home")
    trips = [
        name
        for name, row in zip(network.trip_id, network.trip_feed.tolist(), strict=True)
        if network.feed_id[row] == feed
    ][:200]

    def say(delay_s: int) -> None:
        said = pb.FeedMessage()
        said.header.gtfs_realtime_version = "2.0"
        said.header.timestamp = int(NOW.timestamp())
        for trip in trips:
            update = said.entity.add(id=trip).trip_update
            update.trip.trip_id = trip
            update.trip.start_date = "20270504"
            update.delay = delay_s
        (tmp_path / "said.pb").write_bytes(said.SerializeToString())

    say(60)
    assert poller.poll().n_runs > 20
    gc.collect()
    for delay_s in (120, 180, 240):
        say(delay_s)
        poller.poll()
    assert gc.collect() < 50  # of some thousand values per poll
    assert isinstance(poller._read[0], Message)
