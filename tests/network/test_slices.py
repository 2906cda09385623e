"""Day slices: every run under way, once, with its right times, and none overtaking another."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mobility.core.errors import UsageError
from mobility.network import DaySlice, Network
from mobility.network.file import arrays_of
from mobility.network.slices import BEFORE_S, KEPT_SLICES, USUAL_DAYS, SliceStore, build_slice
from mobility.network.values import ALIGHTING_BIT, BOARDING_BIT
from tests.network.build import FIRST_DATE, Call, Feed, Stop, Train, build_network, read_calls

ZONES = ("Europe/Berlin", "Europe/Lisbon", "America/New_York", "Pacific/Auckland", "Asia/Kolkata")
STOPS = [Stop(name, 47.0 + 0.1 * row, 7.6) for row, name in enumerate("ABCD")] + [
    Stop("X", 47.05, 7.6, border_point=True)
]
# Clocks in Europe go forward on 2027-03-28 and back on 2027-10-31; in Auckland on 2027-04-04.
FIRST_DATES = (FIRST_DATE, dt.date(2027, 10, 29), dt.date(2027, 4, 2), dt.date(2027, 6, 1))
N_DAYS = 5


@st.composite
def trains(draw: st.DrawFn) -> list[Train]:
    found = []
    for number in range(draw(st.integers(1, 10))):
        stops = draw(st.lists(st.sampled_from("ABCDX"), min_size=2, max_size=4))
        hours = st.integers(0, 30).map(lambda hour: hour * 3600)
        at_s = draw(hours) + draw(st.sampled_from((0, 60, 120)))
        calls = []
        for stop in stops:
            arrival = at_s
            departure = arrival + draw(st.sampled_from((0, 60)))
            kinds = draw(st.sampled_from(((0, 0), (1, 0), (0, 1), (2, 3))))
            calls.append(Call(stop, arrival, departure, *kinds))
            at_s = departure + draw(st.sampled_from((0, 60, 600, 36_000)))
        days = draw(st.sets(st.integers(0, N_DAYS - 1)))
        zone = draw(st.sampled_from(ZONES))
        found.append(Train(f"t{number}", calls, days=days, zone=zone))
    return found


def network_of(trains: list[Train], first_date: dt.date = FIRST_DATE) -> Network:
    return build_network(STOPS, trains, first_date=first_date, n_days=N_DAYS)


def origin_of(date: dt.date, zone: str) -> int:
    return int(dt.datetime.combine(date, dt.time(12), ZoneInfo(zone)).timestamp()) - 12 * 3600


def expected_runs(
    trains: list[Train], first_date: dt.date, date: dt.date, n_days: int
) -> dict[tuple[int, int], list[tuple[str, int, int]]]:
    """(train, day) -> stops with instants, of all runs under way in the span, by the definition."""
    midnight = int(dt.datetime.combine(date, dt.time(), dt.UTC).timestamp())
    begin, end = midnight - 3 * 3600, midnight + n_days * 86_400
    found = {}
    for number, train in enumerate(trains):
        for day in train.days or ():
            origin = origin_of(first_date + dt.timedelta(day), train.zone)
            calls = [(c.stop, origin + c.arrival_s, origin + c.departure_s) for c in train.calls]
            if calls[0][2] < end and calls[-1][1] >= begin:
                found[number, day] = calls
    return found


def runs_of(network: Network, found: DaySlice) -> dict[tuple[int, int], list[tuple[str, int, int]]]:
    """The runs of a slice in the form of `expected_runs`; each must be there once."""
    runs = {}
    for pattern in range(found.n_patterns):
        stops = stops_of(found, pattern)
        first, end = found.pattern_run_start[pattern : pattern + 2]
        for k, run in enumerate(range(first, end)):
            at = found.pattern_time_start[pattern] + np.arange(len(stops)) * (end - first) + k
            key = int(found.run_train[run]), int(found.run_day[run])
            assert key not in runs
            arrivals, departures = found.arrivals_s[at], found.departures_s[at]
            runs[key] = [
                (network.stop_id[stop], int(a) + found.epoch_s, int(d) + found.epoch_s)
                for stop, a, d in zip(stops, arrivals, departures, strict=True)
            ]
    return runs


def stops_of(found: DaySlice, pattern: int) -> list[int]:
    start, end = found.pattern_stop_start[pattern : pattern + 2]
    return found.pattern_stops[start:end].tolist()


@settings(deadline=None, max_examples=40)
@given(
    trains(),
    st.sampled_from(FIRST_DATES),
    st.integers(-2, N_DAYS + 1),
    st.integers(1, 4),
)
def test_slice_holds_every_run_under_way_once_with_its_instants(
    trains: list[Train], first_date: dt.date, day: int, n_days: int
) -> None:
    network = network_of(trains, first_date)
    date = first_date + dt.timedelta(day)
    found = build_slice(network, date, n_days)
    assert runs_of(network, found) == expected_runs(trains, first_date, date, n_days)


def test_every_day_of_a_long_horizon_is_found() -> None:
    days = {0, 1, 7, 8, 9, 15, 16, 22, 29}
    some = [Train("t", read_calls("A 08:00 B 26:00"), days=days, zone=ZONES[0])]
    network = build_network(STOPS, some, n_days=30)
    for day in range(-3, 33):
        date = FIRST_DATE + dt.timedelta(day)
        found = build_slice(network, date)
        assert runs_of(network, found) == expected_runs(some, FIRST_DATE, date, USUAL_DAYS)


@settings(deadline=None, max_examples=40)
@given(trains(), st.sampled_from(FIRST_DATES), st.integers(0, N_DAYS - 1))
@example([Train("slow", "A 08:00 B 09:00", zone=ZONES[0], days={1}),
          Train("fast", "A 08:10 B 08:50", zone=ZONES[0], days={1})], FIRST_DATE, 1)  # fmt: skip
def test_no_run_overtakes_another_of_its_pattern(
    trains: list[Train], first_date: dt.date, day: int
) -> None:
    found = build_slice(network_of(trains, first_date), first_date + dt.timedelta(day))
    for pattern in range(found.n_patterns):
        n_stops = len(stops_of(found, pattern))
        n_runs = int(np.diff(found.pattern_run_start[pattern : pattern + 2])[0])
        start = found.pattern_time_start[pattern]
        for times in (found.arrivals_s, found.departures_s):
            table = times[start : start + n_stops * n_runs].reshape(n_stops, n_runs)
            assert (np.diff(table, axis=1) >= 0).all()


def test_overtaking_trains_of_one_stop_sequence_stand_in_two_patterns() -> None:
    network = build_network(
        STOPS,
        [
            Train("slow", "A 08:00 B 09:00"),
            Train("fast", "A 08:10 B 08:50"),
            Train("late", "A 10:00 B 11:00"),
        ],
        n_days=1,
    )
    found = build_slice(network, FIRST_DATE)
    assert found.pattern_run_start.tolist() == [0, 2, 3]
    assert found.run_train.tolist() == [0, 2, 1]
    assert len(set(network.train_pattern.tolist())) == 1


@settings(deadline=None, max_examples=40)
@given(trains(), st.integers(0, N_DAYS - 1))
def test_every_call_of_a_pattern_is_found_from_its_stop(trains: list[Train], day: int) -> None:
    network = network_of(trains)
    found = build_slice(network, FIRST_DATE + dt.timedelta(day))
    by_stop = [
        (stop, int(found.stop_patterns[index]), int(found.stop_pattern_pos[index]))
        for stop in range(network.n_stops)
        for index in range(*found.stop_pattern_start[stop : stop + 2])
    ]
    calls = [
        (stop, pattern, position)
        for pattern in range(found.n_patterns)
        for position, stop in enumerate(stops_of(found, pattern))
    ]
    assert by_stop == sorted(calls)


@settings(deadline=None, max_examples=40)
@given(trains())
def test_flags_allow_what_every_run_of_the_pattern_allows(trains: list[Train]) -> None:
    network = network_of(trains)
    found = build_slice(network, FIRST_DATE)
    for pattern in range(found.n_patterns):
        start, end = found.pattern_stop_start[pattern : pattern + 2]
        for run in range(*found.pattern_run_start[pattern : pattern + 2]):
            calls = trains[found.run_train[run]].calls
            for position, call in enumerate(calls):
                flags = int(found.pattern_flags[start + position])
                usable = call.stop != "X"
                boarding = usable and call.pickup_type in (0, 3) and position < len(calls) - 1
                alighting = usable and call.drop_off_type in (0, 3) and position > 0
                assert flags == boarding * BOARDING_BIT + alighting * ALIGHTING_BIT
        assert end - start == len(calls)


def test_night_of_the_clock_change_keeps_the_service_day_origin() -> None:
    """02:30 on the day the clocks go forward is 01:30 by the clock: noon less twelve hours."""
    network = build_network(STOPS, [Train("t", "A 00:00 B 02:30", days={2})])
    found = build_slice(network, dt.date(2027, 3, 28))
    instants = found.arrivals_s + network.epoch_s
    berlin = ZoneInfo("Europe/Berlin")
    assert [dt.datetime.fromtimestamp(instant, berlin).isoformat() for instant in instants] == [
        "2027-03-27T23:00:00+01:00",
        "2027-03-28T01:30:00+01:00",
    ]


def test_trains_of_two_zones_meet_in_the_same_instants() -> None:
    network = build_network(
        STOPS,
        [
            Train("madrid", "A 08:58 B 10:00", days={1}),
            Train("lisbon", "A 07:58 B 09:00", days={1}, feed=1),
        ],
        feeds=[Feed("es", "Europe/Madrid", "ES"), Feed("pt", "Europe/Lisbon", "PT")],
    )
    found = build_slice(network, FIRST_DATE + dt.timedelta(1))
    assert found.n_patterns == 1
    assert found.arrivals_s.reshape(2, 2).tolist() == [
        [found.arrivals_s[0]] * 2,
        [found.arrivals_s[2]] * 2,
    ]


SOME = [Train("t", "A 08:00 B 09:00", zone=ZONES[0]), Train("u", "B 23:00 C 27:00", zone=ZONES[1])]


def same(a: DaySlice, b: DaySlice) -> bool:
    left, right = arrays_of(a), arrays_of(b)
    return all(np.array_equal(left[name], right[name]) for name in left)


def test_store_answers_from_memory_file_and_anew_alike(tmp_path: Path) -> None:
    network = network_of(SOME)
    direct = build_slice(network, FIRST_DATE)
    store = SliceStore(network, tmp_path)
    first = store.get(FIRST_DATE)
    assert store.get(FIRST_DATE) is first
    other = SliceStore(network, tmp_path).get(FIRST_DATE)
    in_memory = SliceStore(network, None).get(FIRST_DATE)
    assert same(direct, first)
    assert same(direct, other)
    assert same(direct, in_memory)
    assert [path.name for path in tmp_path.iterdir()] == [f"{FIRST_DATE}.slice"]
    assert not other.arrivals_s.flags.writeable


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "foreign", "version"])
def test_damaged_slice_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    network = network_of(SOME)
    expected = SliceStore(network, tmp_path).get(FIRST_DATE)
    path = tmp_path / f"{FIRST_DATE}.slice"
    content = bytearray(path.read_bytes())
    if damage == "flip":
        at = content.index(expected.arrivals_s.tobytes())
        content[at] ^= 1
    if damage == "version":
        content[8] += 1
    kept = {"truncate": len(content) - 8, "empty": 0}.get(damage, len(content))
    path.unlink()
    path.write_bytes(b"<html>" if damage == "foreign" else content[:kept])
    assert same(SliceStore(network, tmp_path).get(FIRST_DATE), expected)
    assert same(SliceStore(network, tmp_path).get(FIRST_DATE), expected)


def test_slice_of_another_network_is_not_used(tmp_path: Path) -> None:
    SliceStore(network_of(SOME[:1]), tmp_path).get(FIRST_DATE)
    network = network_of(SOME)
    found = SliceStore(network, tmp_path).get(FIRST_DATE)
    assert same(found, build_slice(network, FIRST_DATE))


def test_store_keeps_the_slices_used_last(tmp_path: Path) -> None:
    store = SliceStore(network_of(SOME), tmp_path)
    dates = [FIRST_DATE + dt.timedelta(day) for day in range(KEPT_SLICES + 3)]
    for date in dates:
        store.get(date)
    names = {path.name for path in tmp_path.iterdir()}
    assert len(names) == KEPT_SLICES
    assert f"{dates[-1]}.slice" in names


def test_unfinished_files_of_killed_processes_are_removed_and_others_left(tmp_path: Path) -> None:
    old, fresh, letter = (
        tmp_path / name
        for name in (f".{FIRST_DATE}.slice.17.4", f".{FIRST_DATE}.slice.18.4", ".letter")
    )
    for path in (old, fresh, letter):
        path.write_text("x")
    for path in (old, letter):
        os.utime(path, (0, 0))
    SliceStore(network_of(SOME), tmp_path).get(FIRST_DATE)
    assert not old.exists()
    assert fresh.exists()
    assert letter.exists()


def test_slice_stays_in_memory_where_no_file_can_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    network = network_of(SOME)
    assert same(
        SliceStore(network, blocked / "slices").get(FIRST_DATE), build_slice(network, FIRST_DATE)
    )


def test_threads_that_ask_at_once_get_one_slice(tmp_path: Path) -> None:
    store = SliceStore(network_of(SOME), tmp_path)
    found: list[DaySlice] = []
    threads = [Thread(target=lambda: found.append(store.get(FIRST_DATE))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(id(one) for one in found).most_common(1)[0][1] == 8


def test_slice_outside_the_horizon_has_no_runs() -> None:
    network = network_of(SOME)
    for date in (dt.date(1, 1, 2), dt.date(2020, 2, 29), dt.date(9999, 12, 30)):
        found = build_slice(network, date)
        assert found.n_runs == found.n_patterns == 0
        assert found.stop_pattern_start.tolist() == [0] * (network.n_stops + 1)


@pytest.mark.parametrize("n_days", [0, 6])
def test_slice_of_an_odd_number_of_days_is_refused(n_days: int) -> None:
    with pytest.raises(UsageError, match="expected 1 to 5"):
        SliceStore(network_of(SOME), None).get(FIRST_DATE, n_days)


def test_span_is_what_the_interface_says() -> None:
    assert (BEFORE_S, USUAL_DAYS) == (3 * 3600, 2)
