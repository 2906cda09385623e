"""On small random worlds the merge does what its rules say, checked run by run and pair by pair."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from random import Random

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mobility.feeds import Feed
from mobility.merge import Region
from mobility.merge.calendar import Offset
from mobility.merge.export.region import export_region
from mobility.merge.joins import ACCEPT, join_confidence
from mobility.merge.pairs import SchedulePair
from mobility.merge.structure import HAND_OVER_DWELL_S, NUMBER_TOLERANCE_S, relate

from .build import Carried, carriage, instants, merged, renamed
from .export_back import region_of_paths
from .test_properties import assert_nothing_dangles, assert_same
from .worlds import Run, World, build, runs_of, train_runs, worlds

SETTINGS = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
ALWAYS = Offset(0, 0, np.ones(1, np.bool_))


@SETTINGS
@given(worlds(), st.randoms(use_true_random=False))
def test_a_world_merges_whole_and_as_its_rules_say(world: World, random: Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        feeds = build(Path(folder), world)
        if not feeds:
            return
        region = merged(*feeds)
        runs = {(run.reference, run.day): run for run in runs_of(feeds, region)}
        assert_nothing_dangles(region)
        assert_times_never_go_back(region)
        homes = homes_of(region, runs)
        assert_joined_as_the_rules_say(region, runs, homes)
        shuffled = feeds[:]
        random.shuffle(shuffled)
        assert_same(region, merged(*shuffled))
        assert_read_back_it_runs_the_same_trains(region, Path(folder))


@SETTINGS
@given(worlds())
def test_each_feed_twice_is_each_feed_once(world: World) -> None:
    """merge(A) = A and merge(A, A') = A: no second listing changes what runs."""
    with tempfile.TemporaryDirectory() as folder:
        for feed in build(Path(folder), world):
            alone = train_runs(merged(feed))
            assert alone == Counter(twins_once(feed))
            both = merged(feed, renamed(feed, "z"))
            assert train_runs(both) == alone


def twins_once(feed: Feed) -> Iterator[tuple[tuple[str, int, int], ...]]:
    """Yield the runs of a feed, equal ones once unless their numbers tell them apart."""
    by_calls = defaultdict(set)
    for run in runs_of([feed], merged(feed)):
        by_calls[tuple(call[1:] for call in run.calls)].add(run.number)
    for calls, numbers in by_calls.items():
        yield from [calls] * max(1, len(numbers - {""}))


def assert_times_never_go_back(region: Region) -> None:
    for train in range(region.tables["trains"].height):
        day = int(np.flatnonzero(region.days[region.tables["trains"]["service"][train]])[0])
        calls = instants(region, train, day)
        assert all(arrival <= departure for _, arrival, departure in calls)
        assert all(before[2] <= after[1] for before, after in pairwise(calls))


Homes = dict[tuple[str, int], tuple[int, int]]


def homes_of(region: Region, runs: dict[tuple[str, int], Run]) -> Homes:
    """Return the one train and day that carries each run; check that nothing runs twice.

    A run's home carries every hop of it exactly once and at its own minutes. On other trains it
    may stand as an alias alone: portions, whose own trains part somewhere.
    """
    parts: dict[tuple[str, int], dict[tuple[int, int], list[Carried]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for part in carriage(region):
        parts[part.trip, part.day][part.train, part.train_day].append(part)
    assert set(parts) == set(runs)
    homes: Homes = {}
    for key, trains in parts.items():
        hops = [(a[0], b[0]) for a, b in pairwise(runs[key].calls)]
        whole = [
            train
            for train, own in trains.items()
            if Counter(s for p in own for s in range(p.from_sequence, p.to_sequence))
            == Counter(low for low, _ in hops)
            and near(runs[key], [leave for *_, leave in instants(region, *train)])
        ]
        owned = [train for train, own in trains.items() if not all(part.alias for part in own)]
        assert len(owned) <= 1
        assert whole and (not owned or owned[0] in whole)
        homes[key] = owned[0] if owned else whole[0]
        for train, own in trains.items():
            if train != homes[key]:
                assert all(part.alias for part in own)
    return homes


def near(run: Run, times: list[int]) -> bool:
    """Whether each departure of a run stands among times, as nearly as feeds may differ."""
    leaves = [leave for *_, leave in run.calls[:-1]]
    return all(min(abs(leave - t) for t in times) <= NUMBER_TOLERANCE_S for leave in leaves)


def assert_joined_as_the_rules_say(
    region: Region, runs: dict[tuple[str, int], Run], homes: Homes
) -> None:
    """Compare every pair of runs of two feeds with what was joined: no pair missed, none made up.

    What the rules call one is one train, unless another run is in the way: so no passenger sees
    the same train twice.
    """
    told = {
        (row["left_trip"], row["right_trip"]): row
        for row in region.tables["train_matches"].iter_rows(named=True)
        if row["decision"] in ("joined", "portion")
    }
    across = {pair: row for pair, row in told.items() if pair[0][0] != pair[1][0]}
    days: Counter[tuple[str, str]] = Counter()
    found = list(joinable(region, runs))
    fitting = {frozenset((left, right)) for left, right, _ in found}
    for left, right, kind in found:
        pair = (left.reference, right.reference)
        days[pair] += 1
        if homes[left.reference, left.day] != homes[right.reference, right.day]:
            assert in_the_way(fitting, runs, homes, left, right), pair
        if pair in told:
            assert told[pair]["kind"] == kind
    assert set(across) <= set(days)
    assert {pair: row["days"] for pair, row in across.items()} == {p: days[p] for p in across}


def joinable(region: Region, runs: dict[tuple[str, int], Run]) -> Iterator[tuple[Run, Run, str]]:
    """Yield every two runs that the rules call one train, by looking at all pairs."""
    stations = {
        f"{region.feeds[feed].id}:{stop}": station
        for feed, stop, station in region.tables["stops"]
        .select("feed", "stop_id", "station")
        .iter_rows()
    }
    calls = {
        key: [(stations[stop], arrival, leave, False) for _, stop, arrival, leave in run.calls]
        for key, run in runs.items()
    }
    ordered = sorted(runs.values(), key=lambda run: run.feed)
    for left, right in combinations(ordered, 2):
        if left.feed == right.feed or abs(left.day - right.day) > 1:
            continue
        known = bool(left.number and right.number)
        equal = known and left.number == right.number
        a, b = calls[left.reference, left.day], calls[right.reference, right.day]
        relation = relate(a, b, equal_number=equal, known_numbers=known)
        pair = SchedulePair(0, 0, ALWAYS, relation, equal, known, False)
        if join_confidence(pair, shared_mode=True, rail=True) >= ACCEPT:
            yield left, right, relation.kind


def in_the_way(
    fitting: set[frozenset[Run]],
    runs: dict[tuple[str, int], Run],
    homes: Homes,
    left: Run,
    right: Run,
) -> bool:
    """Whether two other listings of the two trains, or one of them, keep them apart.

    They run at the same time and are not one; or one feed lists both, one after the other.
    """
    one, two = homes[left.reference, left.day], homes[right.reference, right.day]
    on = {
        train: [runs[key] for key, home in homes.items() if home == train] for train in (one, two)
    }
    for a in on[one]:
        for b in on[two]:
            gap = max(start(a), start(b)) - min(end(a), end(b))
            same = a.feed == b.feed
            if gap <= (HAND_OVER_DWELL_S if same else 0) and frozenset((a, b)) not in fitting:
                return True
    return False


def start(run: Run) -> int:
    return run.calls[0][3]


def end(run: Run) -> int:
    return run.calls[-1][2]


def assert_read_back_it_runs_the_same_trains(region: Region, folder: Path) -> None:
    """The export lists each train once, so merging it finds nothing more to join."""
    export_region(region, folder / "merged.zip")
    again = region_of_paths([folder / "merged.zip"])
    there: Counter[tuple[tuple[str, int, int], ...]] = Counter()
    for run, count in train_runs(again).items():
        there[tuple((stop.split(":", 1)[1], a, d) for stop, a, d in run)] += count
    assert there == train_runs(region)
    assert sum(again.train_counts.values()) == 0
