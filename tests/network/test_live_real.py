"""Operators' real messages: the Bay Area's samples give the times that they state.

The messages are decoded here a second time, by a walk over the protobuf wire format that knows
nothing of the library the program uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mobility.core.ids import feed_id_from_name
from mobility.feeds import manifest_of_sources, read_feed
from mobility.feeds.realtime.source import Inbox, LiveSource
from mobility.merge import merge_feeds
from mobility.network import Network, compile_network
from mobility.network.live.matching import ChangedRun, Matched, Matcher
from mobility.network.live.trips import Trips

pytestmark = pytest.mark.shared


Stated = tuple[int, str, dict[str, int]]  # stop_sequence, stop_id, unix seconds by name


def walk(data: bytes) -> Iterator[tuple[int, Any]]:
    """Field number and value (int, or bytes) of a protobuf message."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
        elif kind == 2:
            length = varint()
            yield key >> 3, data[at : at + length]
            at += length
        else:
            length = {1: 8, 5: 4}[kind]
            yield key >> 3, data[at : at + length]
            at += length


def fields(data: bytes) -> dict[int, Any]:
    return dict(walk(data))


def stated(path: Path) -> Iterator[tuple[str, int, list[Stated]]]:
    """Trip, relationship (0: scheduled) and calls of each update."""
    for number, entity in walk(path.read_bytes()):
        if number != 2:
            continue
        update = fields(entity).get(3)
        if update is None:
            continue
        trip: dict[int, Any] = {}
        calls = []
        for field, value in walk(update):
            if field == 1:
                trip = fields(value)
            elif field == 2:
                call = fields(value)
                times = {
                    name: fields(call[number])[2]
                    for name, number in (("arrival", 2), ("departure", 3))
                    if number in call
                }
                calls.append((call.get(1, 0), call.get(4, b"").decode(), times))
        yield trip[1].decode(), trip.get(4, 0), calls


@dataclass(frozen=True)
class World:
    network: Network
    matched: Matched
    messages: Path

    def run(self, trip_id: str) -> ChangedRun:
        """The one changed run of a trip."""
        net = self.network
        found = [
            run
            for run in self.matched.runs
            if net.trip_id[int(net.train_trip[run.train])] == trip_id
        ]
        assert len(found) == 1, trip_id
        return found[0]


def world(archive: Path, messages: Path) -> World:
    feed = feed_id_from_name(archive.stem)
    manifest = manifest_of_sources([archive])
    region = merge_feeds([read_feed(manifest.feeds[0], check=False)], manifest)
    network = compile_network(region)
    message = Inbox().receive(LiveSource(feed, str(messages)), 0).message
    assert message is not None
    said = [(feed, update, message.timestamp) for update in message.trip_updates]
    return World(network, Matcher(Trips(network, [feed])).match(said), messages)


def check(found: World) -> tuple[int, int, list[str]]:
    """Every stated time is the live one; trips, times, and trips stated to run backwards.

    In those no call is before its stated time, and none before the one that it follows.
    """
    net = found.network
    trips = times = 0
    backwards = []
    known = set(net.trip_id)
    for trip_id, relationship, calls in stated(found.messages):
        if relationship or trip_id not in known:
            continue
        trips += 1
        run = found.run(trip_id)
        first = int(net.train_event_start[run.train])
        stops = net.event_stop[first : first + len(run.points)].tolist()
        at = {net.stop_id[stop]: pos for pos, stop in enumerate(stops)}
        live = {"arrival": run.arrivals, "departure": run.departures}
        said = sorted(
            (at[stop_id], name, moment, live[name][at[stop_id]] + net.epoch_s)
            for _, stop_id, stated_times in calls
            for name, moment in stated_times.items()
        )
        times += len(said)
        moments = [moment for _, _, moment, _ in said]
        ours = [moment for *_, moment in said]
        assert ours == sorted(ours)
        if moments == sorted(moments):
            assert ours == moments, trip_id
        else:
            backwards.append(trip_id)
            assert all(a >= b for a, b in zip(ours, moments, strict=True))
    return trips, times, backwards


def test_caltrain_trips_run_as_their_message_states(shared_data: Path) -> None:
    folder = shared_data / "bayarea_2019" / "caltrain_2023_rt"
    found = world(folder / "caltrain_2023.zip", folder / "ct-trip-updates.pb")
    assert found.matched.counts["caltrain-2023"]["matched"] == 19
    trips, times, backwards = check(found)
    assert trips == 19
    assert not backwards
    assert times > 100


def test_bart_trips_run_as_their_message_states(shared_data: Path) -> None:
    folder = shared_data / "bayarea_2019"
    found = world(folder / "bart.zip", folder / "rt" / "bart-trip-updates.pb")
    counts = found.matched.counts["bart"]
    assert counts["trip_updates"] == 91
    assert counts["matched"] == 65
    assert counts["unknown_trip"] == 18
    assert counts["added"] + counts["added_without_calls"] == 8
    trips, times, backwards = check(found)
    assert trips == 65
    assert len(backwards) == counts["times_backwards"] == 1
    assert times > 1_500
