"""Compiling: rows keep their numbers, texts and flags; trains of equal calls are one pattern."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core.errors import InputError, TimeError
from mobility.network import StringArray
from mobility.network.calendar import MAX_DAYS, pack_days, zone_origins
from mobility.network.compile import network_from_tables
from mobility.network.file import arrays_of
from mobility.network.kernels import group_trains
from mobility.network.values import BORDER_POINT_BIT, DROP_OFF_SHIFT
from tests.network.build import Call, Feed, Stop, Tables, Train, build_tables

STOPS = [
    Stop("P", 47.5, 7.6, "Basel Bad Bf", station="P", location_type=1, feed=1),
    Stop("A", 47.5, 7.6, "Bâle ☕", station="P", parent="P", platform="7", tz="Europe/Paris"),
    Stop("B", 47.6, 7.6, feed=1),
    Stop("X", 47.55, 7.6, border_point=True),
]
FEEDS = [Feed("ch", "Europe/Zurich", "CH"), Feed("pt", "Europe/Lisbon", "")]
TRAINS = [
    Train(
        "1",
        [Call("A", 60, 120), Call("X", 200, 200), Call("B", 300, 300)],
        number="76",
        headsign="Würzburg",
    ),
    Train(
        "2",
        [Call("A", 0, 0, pickup_type=2), Call("B", 9, 9, drop_off_type=3)],
        feed=1,
        route="S",
    ),
]


def tables() -> Tables:
    return build_tables(STOPS, TRAINS, feeds=FEEDS, n_days=10)


def test_rows_of_the_tables_keep_their_numbers_and_texts() -> None:
    network = tables().network()
    assert list(network.stop_id) == ["P", "A", "B", "X"]
    assert network.stop_name[1] == "Bâle ☕"
    assert list(network.stop_platform) == ["", "7", "", ""]
    assert list(network.trip_headsign) == ["Würzburg", ""]
    assert list(network.trip_number) == ["76", ""]
    assert list(network.route_id) == ["R", "S"]
    assert network.route_agency.tolist() == network.trip_feed.tolist() == [0, 1]
    assert list(network.feed_country) == ["CH", ""]


def test_zones_of_stops_are_their_own_or_their_feeds() -> None:
    network = tables().network()
    names = [network.zone_name[zone] for zone in network.stop_tz]
    assert names == ["Europe/Lisbon", "Europe/Paris", "Europe/Lisbon", "Europe/Zurich"]
    assert [network.zone_name[zone] for zone in network.train_zone] == [
        "Europe/Zurich",
        "Europe/Lisbon",
    ]


def test_station_lists_the_stops_where_trains_can_be_boarded() -> None:
    network = tables().network()
    lists = [
        network.station_stops[slice(*network.station_stop_start[row : row + 2])].tolist()
        for row in range(network.n_stations)
    ]
    assert lists == [[1], [2], [3]]


def test_flags_hold_what_the_feed_says_of_each_call() -> None:
    network = tables().network()
    assert network.event_flags.tolist() == [0, BORDER_POINT_BIT, 0, 2, 3 << DROP_OFF_SHIFT]
    assert network.event_sequence.tolist() == [1, 2, 3, 1, 2]
    assert (network.least_s, network.greatest_s) == (0, 300)


def test_all_arrays_are_read_only() -> None:
    assert not [
        name for name, array in arrays_of(tables().network()).items() if array.flags.writeable
    ]


def test_epoch_is_a_day_before_the_first_origin() -> None:
    network = tables().network()
    assert network.zone_origin_s.min() - network.epoch_s == 86_400


def test_region_without_trains_compiles() -> None:
    empty = build_tables([Stop("A", 0, 0)], [], n_days=3)
    empty = Tables(
        empty.tables, empty.feeds, empty.first_date, np.zeros((0, 3), bool), empty.coverage
    )
    assert empty.network().n_trains == 0


def test_trains_out_of_step_with_their_stop_times_are_refused() -> None:
    wrong = tables()
    wrong.tables["trains"] = wrong.tables["trains"].with_columns(pl.col("first_event") + 1)
    with pytest.raises(AssertionError, match="not in the same order"):
        wrong.network()


def test_horizon_has_a_limit() -> None:
    parts = tables()
    days = np.ones((1, MAX_DAYS + 1), bool)
    with pytest.raises(InputError, match=f"spans {MAX_DAYS + 1} days"):
        network_from_tables(
            parts.tables, feeds=parts.feeds, first_date=parts.first_date, days=days, coverage=days
        )


def test_zone_that_does_not_exist_is_named() -> None:
    with pytest.raises(TimeError, match="Europe/Basel"):
        zone_origins(["Europe/Basel"], dt.date(2027, 1, 1), 1)


@given(st.lists(st.lists(st.booleans(), min_size=11, max_size=11), min_size=1, max_size=5))
def test_packed_days_hold_every_day(rows: list[list[bool]]) -> None:
    bits = pack_days(np.array(rows, bool))
    read = [[bool(row[day >> 3] >> (day & 7) & 1) for day in range(11)] for row in bits]
    assert read == rows


@given(st.lists(st.text()))
def test_string_array_gives_back_its_strings(strings: list[str]) -> None:
    array = StringArray.of(strings)
    assert list(array) == strings == [array[index] for index in range(len(array))]
    assert [array[index - len(strings)] for index in range(len(strings))] == strings
    with pytest.raises(IndexError):
        array[len(strings)]


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=4),
        max_size=40,
    )
)
def test_trains_share_a_pattern_if_and_only_if_their_calls_are_equal(
    trains: list[list[tuple[int, int]]],
) -> None:
    starts = np.cumsum([0] + [len(train) for train in trains]).astype(np.int64)
    stops = np.array([stop for train in trains for stop, _ in train], np.int32)
    flags = np.array([flag for train in trains for _, flag in train], np.uint8)
    first_use: dict[tuple[tuple[int, int], ...], int] = {}
    expected = [first_use.setdefault(tuple(train), len(first_use)) for train in trains]
    assert group_trains(starts, stops, flags).tolist() == expected
