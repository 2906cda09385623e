"""Versions of the running day: whole or not there, whatever reads, writes or is killed."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.feeds.realtime import (
    Alert,
    Informed,
    Moment,
    StopUpdate,
    TripRef,
    TripUpdate,
    Vehicle,
)
from mobility.network import DaySlice, Network
from mobility.network.live.files import (
    KEPT_VERSIONS,
    POINTER,
    LiveReader,
    LiveWriter,
    Notes,
    SourceState,
)
from mobility.network.live.matching import Matched, Matcher
from mobility.network.live.patch import changes_of, patch_slice
from mobility.network.live.trips import Trips
from mobility.network.slices import build_slice
from tests.network.build import FIRST_DATE, Call, Stop, Train, build_network

EDITION = "e" * 64
STOPS = [Stop(name, 47.0 + 0.1 * row, 7.6) for row, name in enumerate("ABCD")]
NOW_S = int(dt.datetime.combine(FIRST_DATE, dt.time(6), dt.UTC).timestamp())
Runs = Counter[tuple[tuple[int, int, int, int], ...]]


def runs_of(found: DaySlice) -> Runs:
    """Stop, arrival, departure and flags of each call of each run."""
    runs: Runs = Counter()
    for pattern in range(found.n_patterns):
        start, end = found.pattern_stop_start[pattern : pattern + 2].tolist()
        first, last = found.pattern_run_start[pattern : pattern + 2].tolist()
        assert last > first, "a pattern without runs"
        before = None
        for k in range(last - first):
            at = (
                int(found.pattern_time_start[pattern]) + np.arange(end - start) * (last - first) + k
            )
            arrivals, departures = found.arrivals_s[at].tolist(), found.departures_s[at].tolist()
            moments = [m for pair in zip(arrivals, departures, strict=True) for m in pair]
            assert moments == sorted(moments)
            assert before is None or all(a <= b for a, b in zip(before, moments, strict=True))
            before = moments
            stops = found.pattern_stops[start:end].tolist()
            flags = found.pattern_flags[start:end].tolist()
            runs[tuple(zip(stops, arrivals, departures, flags, strict=True))] += 1
    return runs


@st.composite
def edited(draw: st.DrawFn) -> tuple[list[Train], list[Train], list[TripUpdate]]:
    """Trains, the same with some runs edited, and the messages that say so."""
    before, after, said = [], [], []
    for number in range(draw(st.integers(1, 7))):
        calls, at_s = [], draw(st.integers(0, 28)) * 3600
        for stop in draw(st.lists(st.sampled_from("ABCD"), min_size=2, max_size=4)):
            wait = draw(st.sampled_from((0, 60)))
            calls.append(Call(stop, at_s, at_s + wait))
            at_s += wait + draw(st.sampled_from((60, 600, 20_000)))
        days = draw(st.sets(st.integers(0, 3), min_size=1))
        before.append(Train(f"t{number}", calls, days=days))
        for day in sorted(days):
            kind = draw(st.sampled_from(("as planned", "late", "gone")))
            ref = TripRef(f"t{number}", start_date=FIRST_DATE + dt.timedelta(day))
            delay = draw(st.sampled_from((60, 3600, 40_000)))
            begun = draw(st.integers(0, len(calls) - 1))
            if kind == "gone":
                said.append(TripUpdate(ref, "canceled"))
                continue
            real = calls
            if kind == "late":
                stop = StopUpdate(begun + 1, arrival=Moment(delay_s=delay))
                said.append(TripUpdate(ref, stops=(stop,)))
                real = [
                    Call(c.stop, c.arrival_s + delay, c.departure_s + delay) if at >= begun else c
                    for at, c in enumerate(calls)
                ]
            after.append(Train(f"t{number}-{day}", real, days={day}))
    return before, after, said


@settings(deadline=None, max_examples=25)
@given(edited(), st.integers(-1, 5))
def test_live_slice_is_the_slice_of_a_timetable_that_was_edited_the_same_way(
    drawn: tuple[list[Train], list[Train], list[TripUpdate]], day: int
) -> None:
    before, after, said = drawn
    network = build_network(STOPS, before)
    matched = Matcher(Trips(network, ["one"])).match(("one", update, None) for update in said)
    date = FIRST_DATE + dt.timedelta(day)
    base = build_slice(network, date)
    live = patch_slice(base, changes_of(matched.runs), network.n_points)
    # Trains in another order and number: only what runs is compared.
    other = build_network(STOPS, after or [Train("none", "A 00:00 B 00:01", days=())])
    shift = other.epoch_s - network.epoch_s
    assert shift == 0
    assert runs_of(base if live is None else live.day) == runs_of(build_slice(other, date))


def world(folder: Path) -> tuple[Network, Matcher, LiveWriter, LiveReader]:
    trains = [Train(f"t{n}", f"A {8 + n % 12:02d}:{n % 60:02d} C {9 + n % 12:02d}:{n % 60:02d}")
              for n in range(40)]  # fmt: skip
    network = build_network(STOPS, trains)
    writer = LiveWriter(folder, EDITION, network, network.slices(None))
    reader = LiveReader(folder, EDITION, network)
    return network, Matcher(Trips(network, ["one"])), writer, reader


def late(matcher: Matcher, delay_s: int) -> Matched:
    stop = StopUpdate(1, departure=Moment(delay_s=delay_s))
    return matcher.match(
        ("one", TripUpdate(TripRef(f"t{n}", start_date=FIRST_DATE), stops=(stop,)), None)
        for n in range(40)
    )


def test_a_version_is_read_as_it_was_written(tmp_path: Path) -> None:
    network, matcher, writer, reader = world(tmp_path)
    assert reader.refresh() is None
    alert = Alert(
        "a1", (Informed(route_id="R", trip=TripRef("t1", start_date=FIRST_DATE)),),
        (("de", "Störung"), ("", "Works")), periods=((NOW_S, None),), effect="detour",
    )  # fmt: skip
    vehicle = Vehicle(TripRef("t1"), 47.1, 7.6, 90.0, timestamp=NOW_S)
    notes = Notes((("one", alert),), (("one", "t1", FIRST_DATE, vehicle),))
    state = SourceState("one", "trips.pb", NOW_S - 7, NOW_S, "", {"matched": 40})
    version = writer.write(late(matcher, 300), notes, [state], NOW_S)
    found = reader.refresh()
    assert found is not None
    assert (found.version, found.polled_s, found.notes) == (version, NOW_S, notes)
    assert found.sources == (state,)
    assert found.sources[0].age_s(NOW_S + 3) == 10
    assert set(found.slices) == {FIRST_DATE - dt.timedelta(1), FIRST_DATE}
    live = found.slices[FIRST_DATE]
    planned = build_slice(network, FIRST_DATE)
    assert sorted(live.day.departures_s[-40:] - 300) != sorted(planned.departures_s)
    assert live.first_live_run == live.day.n_runs - 40
    assert writer.write(late(matcher, 300), notes, [state], NOW_S + 15) == version
    again = reader.refresh()
    assert again is not None
    assert again.slices is found.slices
    assert again.polled_s == NOW_S + 15


def test_a_date_without_updates_has_no_slice_of_its_own(tmp_path: Path) -> None:
    _, matcher, writer, reader = world(tmp_path)
    writer.write(late(matcher, 300), Notes(), [], NOW_S)
    found = reader.refresh()
    assert found is not None
    assert FIRST_DATE + dt.timedelta(1) not in found.slices


def test_old_files_go_and_who_has_mapped_one_keeps_it(tmp_path: Path) -> None:
    _, matcher, writer, reader = world(tmp_path)
    writer.write(late(matcher, 60), Notes(), [], NOW_S)
    kept = reader.refresh()
    assert kept is not None
    before = kept.slices[FIRST_DATE].day.departures_s.tolist()
    for turn in range(2, 9):
        writer.write(late(matcher, 60 * turn), Notes(), [], NOW_S + turn)
    slices = [path for path in tmp_path.iterdir() if path.suffix == ".slice"]
    assert len(slices) <= 2 * KEPT_VERSIONS
    assert kept.slices[FIRST_DATE].day.departures_s.tolist() == before


@pytest.mark.parametrize("damage", ["gone", "cut", "flipped", "pointer", "foreign"])
def test_what_is_damaged_is_told_and_the_last_version_stays(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, matcher, writer, reader = world(tmp_path)
    writer.write(late(matcher, 60), Notes(), [], NOW_S)
    good = reader.refresh()
    writer.write(late(matcher, 120), Notes(), [], NOW_S + 1)
    pointer = json.loads((tmp_path / POINTER).read_bytes())
    slice_file = tmp_path / pointer["slices"][FIRST_DATE.isoformat()]
    if damage == "gone":
        slice_file.unlink()
    elif damage == "cut":
        slice_file.write_bytes(slice_file.read_bytes()[:-100])
    elif damage == "flipped":
        data = bytearray(slice_file.read_bytes())
        data[-1] ^= 255
        slice_file.write_bytes(data)
    elif damage == "pointer":
        (tmp_path / POINTER).write_bytes(b'{"format": 1, "edi')
    else:
        (tmp_path / POINTER).write_text(json.dumps({**pointer, "runs": "../../etc/passwd"}))
    assert reader.refresh() is good
    assert "the running day stays as it was" in caplog.text


def test_readers_never_see_half_a_version_while_a_writer_swaps(tmp_path: Path) -> None:
    """Each version delays all trains by the same: a slice with two delays would be torn."""
    network, matcher, writer, reader = world(tmp_path)
    planned = np.sort(build_slice(network, FIRST_DATE).departures_s)
    versions = [late(matcher, 60 * turn) for turn in range(1, 30)]
    writer.write(versions[0], Notes(), [], NOW_S)
    ended = threading.Event()

    def write() -> None:
        for turn, matched in enumerate(versions):
            writer.write(matched, Notes(), [], NOW_S + turn)
            time.sleep(0.002)
        ended.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = set()
    readers = [reader, LiveReader(tmp_path, EDITION, network)]
    while not ended.is_set():
        for one in readers:
            found = one.refresh()
            assert found is not None
            changes = found.changes
            firsts = changes.departures_s[changes.start[:-1]]
            runs = zip(changes.train.tolist(), firsts.tolist(), strict=True)
            events = network.train_event_start
            origin = int(network.zone_origin_s[0, 0]) - network.epoch_s
            delays = {
                departure - origin - int(network.event_departure_s[events[train]])
                for train, departure in runs
            }
            assert len(delays) == 1
            (delay,) = delays
            live = found.slices[FIRST_DATE]
            assert int(live.day.departures_s.max()) >= int(planned.max())
            assert len(live.status) == 80
            seen.add(delay)
    thread.join()
    assert len(seen) > 1


POLLER = """
import sys
from pathlib import Path
from tests.network.test_live_files import NOW_S, late, world
from mobility.network.live.files import Notes
network, matcher, writer, reader = world(Path(sys.argv[1]))
print("ready", flush=True)
turn = 0
while True:
    turn += 1
    writer.write(late(matcher, 60 * (turn % 20 + 1)), Notes(), [], NOW_S + turn)
"""


@pytest.mark.slow
def test_a_killed_poller_leaves_the_last_version_whole(tmp_path: Path) -> None:
    _, _, _, reader = world(tmp_path)
    root = Path(__file__).parents[2]
    for turn in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", POLLER, str(tmp_path)], cwd=root, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(root)},
        ) as poller:  # fmt: skip
            assert poller.stdout is not None
            poller.stdout.readline()
            time.sleep(0.3 + 0.037 * turn)
            poller.send_signal(signal.SIGKILL)
        reader = LiveReader(tmp_path, EDITION, reader._network)
        found = reader.refresh()
        assert found is not None
        assert len(found.changes.train) == 40
    left = [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"]
    assert len(left) <= 1, "what a kill leaves is cleared by the next poller"
