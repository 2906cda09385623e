"""Links beside all changes there are: whoever follows links alone is nowhere later."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from mobility.network import DaySlice, Links, Network, SliceStore
from mobility.network.links import build_links
from mobility.network.values import ALIGHTING_BIT, BOARDING_BIT
from tests.planner.nets import random_net

RIDES = 4
SEEDS = range(60)
Calls = list[tuple[int, int, bool, bool]]  # stop, arrival, may board, may alight


def _made(seed: int) -> tuple[Network, DaySlice, Links]:
    net = random_net(seed)
    network = net.network()
    day = network.slices(None).get(net.first_date + dt.timedelta(1))
    links = build_links(network, day)
    assert links is not None
    return network, day, links


class Runs:
    """The runs of a slice one by one, read from the slice alone."""

    def __init__(self, network: Network, day: DaySlice) -> None:
        self.network = network
        self.stops: list[list[int]] = []
        self.flags: list[list[int]] = []
        self.times: list[list[tuple[int, int]]] = []
        for pattern in range(day.n_patterns):
            low, high = day.pattern_stop_start[pattern : pattern + 2].tolist()
            first, end = day.pattern_run_start[pattern : pattern + 2].tolist()
            for k in range(end - first):
                at = [
                    int(day.pattern_time_start[pattern]) + pos * (end - first) + k
                    for pos in range(high - low)
                ]
                self.stops.append(day.pattern_stops[low:high].tolist())
                self.flags.append(day.pattern_flags[low:high].tolist())
                self.times.append([(int(day.arrivals_s[i]), int(day.departures_s[i])) for i in at])

    def changes(self, run: int, pos: int) -> set[tuple[int, int]]:
        """Every run, with the position, that one can board after alighting there."""
        net, stop, arrival = self.network, self.stops[run][pos], self.times[run][pos][0]
        ready = {stop: arrival + int(net.change_s[stop])}
        for path in range(int(net.walk_start[stop]), int(net.walk_start[stop + 1])):
            ready[int(net.walk_to[path])] = arrival + int(net.walk_s[path])
        return {
            (other, at)
            for other, stops in enumerate(self.stops)
            for at, there in enumerate(stops[:-1])
            if there in ready
            and self.flags[other][at] & BOARDING_BIT
            and self.times[other][at][1] >= ready[there]
        }

    def arrivals(self, run: int, pos: int, links: Links | None) -> list[dict[int, int]]:
        """The earliest arrival by ride at each stop, by number of rides, boarding that run."""
        boarded, earliest = {(run, pos)}, [dict[int, int]()]
        for _ in range(RIDES):
            best, following = dict(earliest[-1]), set[tuple[int, int]]()
            for ridden, first in boarded:
                for at in range(first + 1, len(self.stops[ridden])):
                    if not self.flags[ridden][at] & ALIGHTING_BIT:
                        continue
                    stop, moment = self.stops[ridden][at], self.times[ridden][at][0]
                    best[stop] = min(moment, best.get(stop, moment))
                    if links is None:
                        following |= self.changes(ridden, at)
                    else:
                        following |= _links_of(links, int(links.runs[ridden, 0]) + at)
            earliest.append(best)
            boarded = following
        return earliest[1:]


def _links_of(links: Links, event: int) -> set[tuple[int, int]]:
    low, high = links.events[event : event + 2, 1].tolist()
    return {(run, pos) for run, pos in links.links[low:high].tolist()}


def _equal(a: Links, b: Links) -> bool:
    return all(
        np.array_equal(getattr(a, field.name), getattr(b, field.name)) for field in fields(Links)
    )


def test_links_lead_everywhere_as_early_as_all_changes_do() -> None:
    n_links, n_changes = 0, 0
    for seed in SEEDS:
        network, day, links = _made(seed)
        runs = Runs(network, day)
        for run, stops in enumerate(runs.stops):
            for pos in range(len(stops) - 1):
                if runs.flags[run][pos] & BOARDING_BIT:
                    assert runs.arrivals(run, pos, links) == runs.arrivals(run, pos, None), seed
                n_changes += len(runs.changes(run, pos)) if pos else 0
        n_links += len(links.links)
    assert 0 < n_links < n_changes / 2


def test_every_link_is_a_change_that_can_be_made() -> None:
    for seed in SEEDS:
        network, day, links = _made(seed)
        runs = Runs(network, day)
        for run, stops in enumerate(runs.stops):
            for pos in range(len(stops)):
                event = int(links.runs[run, 0]) + pos
                assert links.events[event, 0] == runs.times[run][pos][0]
                found = _links_of(links, event)
                assert not found or runs.flags[run][pos] & ALIGHTING_BIT
                assert found <= runs.changes(run, pos)


def test_links_depend_neither_on_parts_nor_on_room(monkeypatch: pytest.MonkeyPatch) -> None:
    network, day, links = _made(3)
    assert len(links.links) > 1
    monkeypatch.setattr("mobility.network.links.PART_EVENTS", 1)
    monkeypatch.setattr("mobility.network.links.FIRST_ROOM", 0)
    monkeypatch.setattr("mobility.network.links.LEAST_ROOM", 1)
    again = build_links(network, day)
    assert again is not None
    assert _equal(links, again)


def test_a_date_without_trains_has_no_links() -> None:
    net = random_net(1)
    links = net.network().slices(None).links(net.first_date - dt.timedelta(400))
    assert links is not None
    assert len(links.links) == 0


def test_a_second_store_reads_the_file_that_the_first_wrote(tmp_path: Path) -> None:
    net = random_net(3)
    network, date = net.network(), net.first_date + dt.timedelta(1)
    made = SliceStore(network, tmp_path).links(date)
    path = tmp_path / f"{date}.links"
    written = path.read_bytes()
    read = SliceStore(network, tmp_path).links(date)
    in_memory = SliceStore(network, None).links(date)
    assert made is not None
    assert read is not None
    assert in_memory is not None
    assert _equal(made, read)
    assert _equal(made, in_memory)
    path.unlink()
    path.write_bytes(written[:-8])
    again = SliceStore(network, tmp_path).links(date)
    assert again is not None
    assert _equal(made, again)
    assert path.read_bytes() == written


def test_links_that_take_long_are_made_only_at_any_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobility.network.slices.LINKED_AT_ONCE", 0)
    net = random_net(3)
    network, date = net.network(), net.first_date + dt.timedelta(1)
    store = SliceStore(network, tmp_path)
    assert store.links(date) is None
    assert store.links(date, at_any_cost=True) is not None
    assert store.links(date) is not None
    assert SliceStore(network, tmp_path).links(date) is not None  # the file costs nothing


def test_runs_too_long_to_number_have_no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mobility.network.links.MAX_CALLS", 2)
    net = random_net(3)
    date = net.first_date + dt.timedelta(1)
    assert net.network().slices(None).links(date) is None
