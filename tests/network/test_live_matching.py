"""What live messages mean, rule by rule: GTFS Realtime's own words, on trains of a few calls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from mobility.feeds.realtime import Moment, StopUpdate, TripRef, TripUpdate
from mobility.network import Network
from mobility.network.live.added import lengthened
from mobility.network.live.matching import ChangedRun, Matched, Matcher
from mobility.network.live.running import MOVED, NO_DATA, SKIPPED, TOLD
from mobility.network.live.trips import Trips
from tests.network.build import FIRST_DATE, Feed, Stop, Train, build_network, build_tables

A, B, C, D, E = (Stop(name, 47 + row / 10, 7.5) for row, name in enumerate("ABCDE"))
STOPS = [A, B, C, D, E, Stop("B2", 47.1, 7.5001, station="B", platform="2")]
LINE = "A 08:00 B 08:10/08:12 C 08:20 D 08:30/08:31 E 08:40"
DAY = FIRST_DATE


def plain() -> Network:
    return build_network(STOPS, [Train("t", LINE)])


def match(
    network: Network, *updates: TripUpdate, at: int | None = None, feed: str = "one"
) -> Matched:
    return Matcher(Trips(network, list(network.feed_id))).match((feed, one, at) for one in updates)


def run_of(found: Matched) -> ChangedRun:
    assert len(found.runs) == 1
    return found.runs[0]


def times(network: Network, run: ChangedRun) -> list[str]:
    """Minutes after 08:00 of arrival/departure of each call, on the run's day."""
    origin = int(network.zone_origin_s[0, run.day]) - network.epoch_s + 8 * 3600
    return [
        f"{(a - origin) / 60:g}/{(d - origin) / 60:g}"
        for a, d in zip(run.arrivals, run.departures, strict=True)
    ]


def said(*stops: StopUpdate, **more: Any) -> TripUpdate:
    return TripUpdate(TripRef("t", start_date=DAY), stops=stops, **more)


def late(sequence: int, minutes: float) -> StopUpdate:
    return StopUpdate(sequence, departure=Moment(delay_s=int(minutes * 60)))


def test_a_delay_holds_until_the_next_call_of_which_something_is_said() -> None:
    net = plain()
    run = run_of(match(net, said(late(2, 5), late(4, 1))))
    assert times(net, run) == ["0/0", "10/17", "25/25", "32/32", "41/41"]
    assert [bool(bits & TOLD) for bits in run.status] == [False, True, True, True, True]


def test_a_time_counts_before_a_delay() -> None:
    net = plain()
    at = int(net.zone_origin_s[0, 0]) + 8 * 3600 + 15 * 60
    run = run_of(match(net, said(StopUpdate(2, arrival=Moment(at, delay_s=1)))))
    assert times(net, run)[1] == "15/17"


def test_no_data_ends_a_delay_and_leaves_the_timetable() -> None:
    net = plain()
    run = run_of(match(net, said(late(1, 2), StopUpdate(3, state="no_data"))))
    assert times(net, run) == ["0/2", "12/14", "20/20", "30/31", "40/40"]
    assert [bits & NO_DATA for bits in run.status] == [0, 0, NO_DATA, NO_DATA, NO_DATA]


def test_a_skipped_call_passes_the_delay_on_and_nobody_boards_there() -> None:
    net = plain()
    run = run_of(match(net, said(late(1, 3), StopUpdate(2, state="skipped"))))
    assert times(net, run) == ["0/3", "13/15", "23/23", "33/34", "43/43"]
    assert [bool(bits & SKIPPED) for bits in run.status] == [False, True, False, False, False]
    assert run.flags[1] == 0


def test_the_delay_of_the_trip_holds_until_the_first_call_with_its_own() -> None:
    net = plain()
    assert times(net, run_of(match(net, said(late(4, 0), delay_s=240)))) == [
        "4/4", "14/16", "24/24", "31/31", "40/40",
    ]  # fmt: skip


def test_times_that_run_backwards_are_mended_and_told() -> None:
    net = plain()
    found = match(net, said(late(2, 30), late(4, 0)))
    assert times(net, run_of(found)) == ["0/0", "10/42", "42/42", "42/42", "51/51"]
    assert found.counts["one"]["times_backwards"] == 1


def test_another_platform_of_the_station_stands_in_for_the_planned_one() -> None:
    net = plain()
    rows = list(net.stop_id)
    for stop in (
        StopUpdate(2, "B", assigned_stop_id="B2"), StopUpdate(2, "B2"),
    ):  # fmt: skip
        run = run_of(match(net, said(stop)))
        assert run.points[1] == rows.index("B2")
        assert run.status[1] & MOVED


def test_a_loop_is_addressed_by_sequence_and_by_order() -> None:
    net = build_network(STOPS, [Train("t", "A 08:00 B 08:10 C 08:20 A 08:30 B 08:40")])
    by_sequence = run_of(match(net, said(late(4, 2))))
    assert times(net, by_sequence) == ["0/0", "10/10", "20/20", "30/32", "42/42"]
    by_order = said(
        StopUpdate(stop_id="C", departure=Moment(delay_s=0)),
        StopUpdate(stop_id="A", departure=Moment(delay_s=120)),
    )
    assert times(net, run_of(match(net, by_order))) == times(net, by_sequence)


@pytest.mark.parametrize("state", ["canceled", "deleted"])
def test_a_trip_that_does_not_run_is_no_run(state: Any) -> None:
    assert not run_of(match(plain(), TripUpdate(TripRef("t", start_date=DAY), state))).points


def test_unknown_trips_dates_and_stops_are_counted() -> None:
    net = build_network(STOPS, [Train("t", LINE, days={1})])
    found = match(
        net, TripUpdate(TripRef("nobody")), said(late(1, 1)),
        TripUpdate(
            TripRef("t", start_date=DAY + dt.timedelta(1)), stops=(late(9, 1), late(1, 1)),
        ),
    )  # fmt: skip
    counts = {name: n for name, n in found.counts["one"].items() if n}
    assert counts == {
        "trip_updates": 3, "unknown_trip": 1, "trip_not_on_date": 1, "unknown_stop": 1,
        "matched": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("hours", "day"), [(7, 0), (31, 1), (32.5, 1), (8 + 24 + 11, 1), (57, 2)])
def test_an_absent_date_is_that_of_the_run_nearest_to_the_message(hours: float, day: int) -> None:
    net = build_network(STOPS, [Train("t", LINE, days={0, 1, 2})])
    at = int(net.zone_origin_s[0, 0]) + int(hours * 3600)
    found = match(net, TripUpdate(TripRef("t"), stops=(late(1, 1),)), at=at)
    assert run_of(found).day == day


def test_an_absent_date_follows_from_stated_times_even_after_midnight() -> None:
    net = build_network(STOPS, [Train("t", "A 23:50 B 24:10 C 24:30")])
    at = int(net.zone_origin_s[0, 1]) + 24 * 3600 + 12 * 60  # day 1's run, twelve past midnight
    stop = StopUpdate(2, departure=Moment(at))
    found = match(net, TripUpdate(TripRef("t"), stops=(stop,)), at=at + 20_000)
    assert run_of(found).day == 1


def test_a_run_of_a_frequency_is_told_by_its_start() -> None:
    net = build_network(
        STOPS, [Train("f~08:00:00", LINE), Train("f~08:30:00", "A 08:30 B 08:40 C 08:50")]
    )
    ref = TripRef("f", start_date=DAY, start_time_s=8 * 3600 + 1800)
    found = match(net, TripUpdate(ref, "unscheduled", (late(1, 4),)))
    assert net.trip_id[int(net.train_trip[run_of(found).train])] == "f~08:30:00"


def test_an_added_trip_runs_with_its_own_rows_behind_the_network() -> None:
    net = plain()
    start = int(net.zone_origin_s[0, 0]) + 9 * 3600
    stops = (
        StopUpdate(stop_id="A", departure=Moment(start)), StopUpdate(stop_id="nowhere"),
        StopUpdate(stop_id="D", arrival=Moment(start + 600)),
    )  # fmt: skip
    found = match(
        net,
        TripUpdate(TripRef("extra", "R"), "added", stops, new_headsign="Coast"),
        TripUpdate(TripRef("odd"), "added", stops),
        TripUpdate(TripRef("short"), "added", stops[:1]),
    )
    assert found.counts["one"]["added_without_calls"] == 1
    longer = lengthened(net, found.trains)
    assert longer.n_trains == net.n_trains + 2
    assert [longer.trip_id[int(row)] for row in longer.train_trip[-2:]] == ["extra", "odd"]
    assert longer.trip_headsign[int(longer.train_trip[-2])] == "Coast"
    route = int(longer.trip_route[int(longer.train_trip[-2])])
    assert longer.route_id[route] == "R"
    nameless = int(longer.trip_route[int(longer.train_trip[-1])])
    assert longer.route_id[nameless] == ""
    assert longer.agency_feed[int(longer.route_agency[nameless])] == 0
    assert np.array_equal(longer.train_event_start[: net.n_trains + 1], net.train_event_start)


def test_a_duplicated_trip_runs_again_at_its_new_start() -> None:
    net = plain()
    new = TripRef("t-again", start_date=DAY, start_time_s=10 * 3600)
    found = match(net, said(late(2, 5), state="duplicated", new_trip=new))
    assert not found.runs
    calls = found.trains[0].calls
    origin = int(net.zone_origin_s[0, 0]) - net.epoch_s + 10 * 3600
    assert [(call.departure - origin) / 60 for call in calls] == [0, 17, 25, 36, 45]
    assert found.trains[0].trip_id == "t-again"


def test_a_replacement_takes_the_trips_place() -> None:
    net = plain()
    start = int(net.zone_origin_s[0, 0]) + 8 * 3600
    stops = (
        StopUpdate(1, "A", departure=Moment(start)), StopUpdate(2, "E", Moment(start + 1200)),
    )  # fmt: skip
    found = match(net, said(*stops, state="replacement"))
    assert not run_of(found).points
    assert [net.stop_id[call.stop] for call in found.trains[0].calls] == ["A", "E"]
    assert found.trains[0].trip == list(net.trip_id).index("t")


def joined(alias: bool = False) -> Network:
    """Train A … E whose calls from C on are the trip ``u`` of another feed, a day later there."""
    feeds = (Feed("one"), Feed("two"))
    trains = [Train("t", LINE, route="R"), Train("other", "A 20:00 B 20:10", feed=1, route="S")]
    tables = build_tables(STOPS, trains, feeds=feeds)
    trips, sections = tables.tables["trips"], tables.tables["sections"]
    rows = list(sections.iter_rows(named=True))
    at = next(i for i, row in enumerate(rows) if trips["trip_id"][row["trip"]] == "t")
    other = next(row for row in rows if trips["trip_id"][row["trip"]] == "other")
    extra = {
        **trips.row(rows[at]["trip"], named=True), "trip_id": "u", "feed": 1,
        "route": trips["route"][other["trip"]],
    }  # fmt: skip
    first = {**rows[at], "to_pos": 2, "to_sequence": 3}
    second = {
        **rows[at], "trip": trips.height, "from_pos": 2, "from_sequence": 11, "day_shift": 1,
        "to_sequence": 5,
    }  # fmt: skip
    if alias:
        first, second = rows[at], {**second, "alias": True}
    rows[at : at + 1] = [first, second]
    tables.tables["sections"] = pl.DataFrame(rows, schema=sections.schema, orient="row")
    tables.tables["trips"] = pl.concat(
        [trips, pl.DataFrame([extra], schema=trips.schema, orient="row")]
    )
    return tables.network()


def both(network: Network, updates: Sequence[tuple[str, TripUpdate]]) -> Matched:
    matcher = Matcher(Trips(network, list(network.feed_id)))
    return matcher.match((feed, update, None) for feed, update in updates)


def further(*stops: StopUpdate, state: Any = "scheduled") -> TripUpdate:
    return TripUpdate(TripRef("u", start_date=DAY + dt.timedelta(1)), state, stops)


def test_of_a_joined_train_each_feed_speaks_for_its_section() -> None:
    net = joined()
    found = both(net, [("two", further(late(4, 7))), ("one", said(late(1, 3)))])
    assert times(net, run_of(found)) == ["0/3", "13/15", "23/23", "33/38", "47/47"]


def test_beyond_its_section_a_delay_goes_on_where_the_other_feed_says_nothing() -> None:
    net = joined()
    found = both(net, [("one", said(late(2, 6)))])
    assert times(net, run_of(found)) == ["0/0", "10/18", "26/26", "36/37", "46/46"]


def test_where_feeds_meet_one_says_the_arrival_and_the_other_the_departure() -> None:
    net = joined()
    arrives = StopUpdate(3, arrival=Moment(delay_s=60))
    found = both(net, [("one", said(arrives)), ("two", further(late(11, 9)))])
    assert times(net, run_of(found))[2] == "21/29"


def test_a_cancelled_section_leaves_the_other_one() -> None:
    net = joined()
    run = run_of(both(net, [("two", further(state="canceled"))]))
    assert run.flags == [1, 3, 2, 0, 0]
    assert [bool(bits & SKIPPED) for bits in run.status] == [False] * 3 + [True] * 2
    run = run_of(both(net, [("one", said(state="canceled"))]))
    assert run.flags == [0, 0, 1, 3, 2]
    gone = both(net, [("one", said(state="canceled")), ("two", further(state="canceled"))])
    assert not run_of(gone).points


def test_a_trip_that_lists_anothers_run_counts_where_that_one_says_nothing() -> None:
    net = joined(alias=True)
    stop = StopUpdate(stop_id="", stop_sequence=11, departure=Moment(delay_s=300))
    run = run_of(both(net, [("two", further(stop))]))
    assert times(net, run) == ["0/0", "10/12", "20/25", "35/36", "45/45"]
    run = run_of(both(net, [("two", further(stop)), ("one", said(late(1, 1)))]))
    assert times(net, run) == ["0/1", "11/13", "21/21", "31/32", "41/41"]
    run = run_of(both(net, [("two", further(state="canceled"))]))
    assert run.flags == [1, 3, 2, 0, 0]
