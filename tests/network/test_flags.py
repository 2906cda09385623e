"""Flags leave out only links that no best journey takes, and their bounds are those of the day."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from mobility.network import DaySlice, Flags, Links, Network, SliceStore
from mobility.network.bound_kernels import FAR, MANY_RIDES, UNIT_S
from mobility.network.bounds import build_bounds
from mobility.network.flags import build_flags
from mobility.network.links import build_links
from mobility.planner import Planner
from tests.planner.nets import Question, random_net

SEEDS = range(900, 930)
FEW_SEEDS = range(900, 908)


class Unflagged(SliceStore):
    """Slices with links but never with flags."""

    def flags(self, date: dt.date, *, at_any_cost: bool = False) -> None:
        return None


@pytest.mark.parametrize("n_parts", [64, 2])
def test_answers_with_flags_equal_those_without(
    n_parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobility.network.flags.N_PARTS", n_parts)
    found = 0
    for seed in SEEDS:
        net = random_net(seed)
        network = net.network()
        flagged = Planner(network, SliceStore(network, None))
        plain = Planner(network, Unflagged(network, None))
        for turn in range(12):
            q = Question(net, 100 * seed + turn)
            for window_s in (None, q.window_s):
                asked = {"depart": q.moment, "window_s": window_s}
                answers = [
                    planner.plan(*q.ends(network), **asked).journeys for planner in (flagged, plain)
                ]
                assert answers[0] == answers[1], (seed, turn, window_s)
                found += len(answers[0])
        assert any(day.bounds[-1].size for day in flagged._days.values())
    assert found > len(SEEDS)


def _built(seed: int) -> tuple[Network, DaySlice, Links, Flags]:
    net = random_net(seed)
    network = net.network()
    day = SliceStore(network, None).get(net.first_date + dt.timedelta(days=1))
    links = build_links(network, day)
    assert links is not None
    flags = build_flags(network, links, build_bounds(network))
    assert flags is not None
    return network, day, links, flags


def test_many_links_are_left_out_on_the_way_to_a_part() -> None:
    links, flagged = 0, 0
    for seed in SEEDS:
        network, _, _, flags = _built(seed)
        links += len(flags.link_parts) * len(np.unique(flags.part_of))
        flagged += sum(int(bits).bit_count() for bits in flags.link_parts.view(np.uint64).tolist())
        assert network.n_points == len(flags.part_of)
    assert 0 < flagged < links / 2


def test_bounds_of_a_day_are_the_least_that_any_ride_of_the_day_leaves() -> None:
    for seed in FEW_SEEDS:
        network, day, _, flags = _built(seed)
        known = build_bounds(network)
        n = network.n_points
        units, rides = np.full((n, n), FAR), np.full((n, n), MANY_RIDES)
        for run, pos in _events(day):
            stop = _stop(day, run, pos)
            if stop is None:
                continue
            for to, (took_s, more) in _onward(network, day, run, pos).items():
                units[to, stop] = min(units[to, stop], took_s // UNIT_S)
                rides[to, stop] = min(rides[to, stop], more)
        expected = np.maximum(units, known.least_units.reshape(n, n))
        assert flags.least_units.reshape(n, n).tolist() == expected.tolist(), seed
        expected = np.maximum(rides, known.fewest_rides.reshape(n, n))
        assert flags.fewest_rides.reshape(n, n).tolist() == expected.tolist(), seed


def _pattern(day: DaySlice, run: int) -> int:
    return int(np.searchsorted(day.pattern_run_start, run, side="right")) - 1


def _length(day: DaySlice, pattern: int) -> int:
    return int(day.pattern_stop_start[pattern + 1] - day.pattern_stop_start[pattern])


def _events(day: DaySlice) -> list[tuple[int, int]]:
    return [
        (run, pos)
        for run in range(day.n_runs)
        for pos in range(1, _length(day, _pattern(day, run)))
    ]


def _stop(day: DaySlice, run: int, pos: int, bit: int = 2) -> int | None:
    """Return where one may alight (or board, bit 1), None where nobody may."""
    at = int(day.pattern_stop_start[_pattern(day, run)]) + pos
    return int(day.pattern_stops[at]) if day.pattern_flags[at] & bit else None


def _time(day: DaySlice, times: np.ndarray, run: int, pos: int) -> int:
    pattern = _pattern(day, run)
    first, end = day.pattern_run_start[pattern : pattern + 2].tolist()
    return int(times[day.pattern_time_start[pattern] + pos * (end - first) + run - first])


def _onward(network: Network, day: DaySlice, run: int, pos: int) -> dict[int, tuple[int, int]]:
    """Return by stop the least seconds to an arrival there and the fewest rides more.

    By trying every change from a run that has just arrived at a position.
    """
    begun = _time(day, day.arrivals_s, run, pos)
    boards = [
        (other, at, _time(day, day.departures_s, other, at), _stop(day, other, at, bit=1))
        for other in range(day.n_runs)
        for at in range(_length(day, _pattern(day, other)) - 1)
    ]
    found: dict[int, tuple[int, int]] = {}
    aboard, seen = {(run, pos)}, set()
    for more in range(16):
        ready: dict[int, int] = {}
        for ridden, first in aboard:
            for at in range(first, _length(day, _pattern(day, ridden))):
                stop, arrival = _stop(day, ridden, at), _time(day, day.arrivals_s, ridden, at)
                if stop is None:
                    continue
                took, fewest = found.get(stop, (FAR * UNIT_S, more))
                found[stop] = min(took, arrival - begun), fewest
                paths = range(int(network.walk_start[stop]), int(network.walk_start[stop + 1]))
                onward = [(stop, int(network.change_s[stop]))] + [
                    (int(network.walk_to[path]), int(network.walk_s[path])) for path in paths
                ]
                for there, took_s in onward:
                    ready[there] = min(ready.get(there, arrival + took_s), arrival + took_s)
        seen |= aboard
        aboard = {
            (other, at + 1)
            for other, at, departure, stop in boards
            if stop in ready and departure >= ready[stop]
        } - seen
    return found


def test_flags_are_the_same_on_one_thread_and_on_two(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for threads in (1, 2):
        monkeypatch.setattr("mobility.network.flags.THREADS", threads)
        *_, flags = _built(SEEDS[0])
        made.append([getattr(flags, name).tobytes() for name in Flags.__slots__])
    assert made[0] == made[1]


def test_a_network_that_is_too_large_has_no_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    network, _, links, _ = _built(SEEDS[0])
    monkeypatch.setattr("mobility.network.flags.MAX_CELLS", network.n_points - 1)
    assert build_flags(network, links, build_bounds(network)) is None


def test_flags_that_take_long_are_made_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mobility.network.slices.FLAGGED_AT_ONCE", 0)
    net = random_net(SEEDS[0])
    store = SliceStore(net.network(), None)
    date = net.first_date + dt.timedelta(days=1)
    assert store.flags(date) is None
    made = store.flags(date, at_any_cost=True)
    assert made is not None
    assert store.flags(date) is made
