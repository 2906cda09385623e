"""Rules for travellers in the arrays: more trains and more points, of which people see one each."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mobility.merge.rules import BAN_ROUTES, BAN_STATIONS, BANS, CHECKS
from mobility.network import Network, compile_network, open_edition, write_edition
from mobility.network.documents import info_document, notices_of
from mobility.network.file import network_hash
from mobility.network.points import MAX_CLASSES
from mobility.network.values import ALIGHTING_BIT, BOARDING_BIT, call_flags
from tests.network.build import FIRST_DATE, Feed, Stop, Tables, Train, Transfer, build_tables

FEEDS = (Feed("one", country="DE"), Feed("two", country="CH"))
STOPS = [
    Stop("A", 47.5, 7.6),
    Stop("B", 47.6, 7.6),
    Stop("C", 47.7, 7.6, feed=1),
    Stop("D", 47.8, 7.6, feed=1),
]
THROUGH = "A 08:00 B 08:10/08:20 C 08:30 D 08:40"
HERE = Train("here", "C 09:00 D 09:10", feed=1)  # makes the second feed's country known
FORBIDDEN_S = 604_800


def ruled(
    trains: list[Train],
    *,
    checks: list[dict[str, Any]] | None = None,
    bans: list[tuple[dt.date | None, dt.date | None, list[int], list[int]]] | None = None,
    transfers: list[Transfer] | None = None,
    stops: list[Stop] | None = None,
    n_days: int = 4,
) -> Tables:
    """A region with rules; a ban is its dates, rows of routes, rows of stations."""
    tables = build_tables(
        stops or STOPS, trains, feeds=FEEDS, transfers=transfers or (), n_days=n_days
    )
    rows = [
        (
            number, check["station"], check.get("from"), check.get("to"), check.get("first"),
            check.get("last"), check.get("minutes", 0), check.get("change", False),
            json.dumps(check.get("documents", {})),
        )
        for number, check in enumerate(checks or ())
    ]  # fmt: skip
    tables.tables["border_checks"] = pl.DataFrame(rows, schema=CHECKS, orient="row")
    stated = list(enumerate(bans or ()))
    tables.tables["boarding_bans"] = pl.DataFrame(
        [(number, first, last, "") for number, (first, last, _, _) in stated],
        schema=BANS, orient="row",
    )  # fmt: skip
    tables.tables["boarding_ban_routes"] = pl.DataFrame(
        [(number, route) for number, (_, _, routes, _) in stated for route in routes],
        schema=BAN_ROUTES, orient="row",
    )  # fmt: skip
    tables.tables["boarding_ban_stations"] = pl.DataFrame(
        [(number, station) for number, (_, _, _, stations) in stated for station in stations],
        schema=BAN_STATIONS, orient="row",
    )  # fmt: skip
    return tables


def trains_of(network: Network) -> list[tuple[int, list[str], list[int]]]:
    """Row of the region's train, calls with what one may do there, and days."""
    flags = call_flags(network.event_flags, network.train_event_start)
    found = []
    for train in range(network.n_trains):
        events = range(*network.train_event_start[train : train + 2].tolist())
        calls = [
            network.stop_id[int(network.event_stop[e])]
            + ("+" if flags[e] & BOARDING_BIT else "")
            + ("-" if flags[e] & ALIGHTING_BIT else "")
            for e in events
        ]
        bits = network.service_bits[int(network.train_service[train])]
        days = [day for day in range(network.n_days) if bits[day // 8] >> (day % 8) & 1]
        found.append((int(network.train_of[train]), calls, days))
    return found


def sections_of(network: Network, train: int) -> list[tuple[int, int, int, int, int]]:
    rows = range(*network.section_start[train : train + 2].tolist())
    return [
        (
            int(network.section_trip[row]), int(network.section_from_pos[row]),
            int(network.section_to_pos[row]), int(network.section_from_sequence[row]),
            int(network.section_to_sequence[row]),
        )
        for row in rows
    ]  # fmt: skip


def test_without_rules_each_train_is_itself_and_each_stop_one_point() -> None:
    network = ruled([Train("t", THROUGH), HERE]).network()
    assert network.train_of.tolist() == [0, 1]
    assert network.stop_of.tolist() == [0, 1, 2, 3]
    assert len(network.event_point) == 0
    assert network.points is network.event_stop
    assert len(network.service_bits) == network.n_services
    assert len(network.station_country) == len(network.check_station) == 0


def test_nobody_stays_on_a_train_past_a_change_of_vehicle() -> None:
    check = {"station": 1, "from": "DE", "to": "CH", "change": True, "minutes": 8}
    back = Train("back", "C 10:00 B 10:10/10:20 A 10:30")
    network = ruled([Train("t", THROUGH), back, HERE], checks=[check]).network()
    assert trains_of(network) == [
        (0, ["A+", "B-"], [0, 1, 2, 3]),
        (0, ["B+", "C+-", "D-"], [0, 1, 2, 3]),
        (1, ["C+", "B+-", "A-"], [0, 1, 2, 3]),  # the other direction is not checked
        (2, ["C+", "D-"], [0, 1, 2, 3]),
    ]
    assert sections_of(network, 0) == [(0, 0, 1, 1, 2)]
    assert sections_of(network, 1) == [(0, 0, 2, 2, 4)]


def test_a_train_is_divided_by_the_days_of_a_check() -> None:
    first = FIRST_DATE + dt.timedelta(1)
    check = {"station": 1, "change": True, "first": first, "last": first}
    network = ruled([Train("t", THROUGH), HERE], checks=[check]).network()
    assert trains_of(network)[:3] == [
        (0, ["A+", "B+-", "C+-", "D-"], [0, 2, 3]),
        (0, ["A+", "B-"], [1]),
        (0, ["B+", "C+-", "D-"], [1]),
    ]
    assert len(network.service_bits) > network.n_services


def test_the_date_of_a_check_is_that_of_the_arrival_at_the_place() -> None:
    late = Train("late", "A 23:50 B 24:10/24:20 C 24:40", days=(1,))
    first = FIRST_DATE + dt.timedelta(2)  # the arrival is on the day after the service date
    check = {"station": 1, "change": True, "first": first, "last": first}
    network = ruled([late, HERE], checks=[check]).network()
    assert [calls for _, calls, _ in trains_of(network)][:2] == [["A+", "B-"], ["B+", "C-"]]


def test_a_banned_section_has_each_allowed_ride_on_one_train() -> None:
    network = ruled([Train("t", THROUGH), HERE], bans=[(None, None, [0], [1, 2])]).network()
    assert trains_of(network)[:2] == [
        (0, ["A", "B+", "C+", "D-"], [0, 1, 2, 3]),
        (0, ["A+", "B-", "C-", "D-"], [0, 1, 2, 3]),
    ]
    assert sections_of(network, 0) == sections_of(network, 1) == [(0, 0, 3, 1, 4)]


def test_two_bans_forbid_what_either_forbids() -> None:
    bans = [(None, None, [0], [0, 1]), (None, None, [0], [1, 2])]
    network = ruled([Train("t", THROUGH), HERE], bans=bans).network()
    rides = {
        (calls[a].rstrip("+-"), calls[b].rstrip("+-"))
        for row, calls, _ in trains_of(network)
        for a in range(4)
        for b in range(a + 1, 4)
        if row == 0 and "+" in calls[a] and "-" in calls[b]
    }
    assert rides == {("A", "C"), ("A", "D"), ("B", "D"), ("C", "D")}


@pytest.mark.parametrize("whole", [True, False])
def test_a_ban_is_about_the_trains_of_its_routes_only(whole: bool) -> None:
    other = Train("other", "A 11:00 B 11:10 C 11:30", route="S")
    section = [0, 1, 2] if whole else [0, 1]  # where nobody may ride at all, the train still runs
    network = ruled([Train("t", THROUGH), other, HERE], bans=[(None, None, [1], section)]).network()
    assert [(row, calls) for row, calls, _ in trains_of(network)] == [
        (0, ["A+", "B+-", "C+-", "D-"]),
        (1, ["A", "B-", "C-"]) if whole else (1, ["A+", "B+", "C-"]),
        (2, ["C+", "D-"]),
    ]


def test_a_change_at_a_check_takes_its_minutes_in_one_direction() -> None:
    check = {"station": 1, "from": "DE", "to": "CH", "minutes": 15}
    trains = [
        Train("in", "A 08:00 B 08:10"),
        Train("on", "B 08:20 C 08:30"),
        Train("local", "B 08:20 A 08:30"),
        HERE,
    ]
    network = ruled(trains, checks=[check]).network()
    starts = network.train_event_start
    arriving, on, local = (int(network.points[starts[t] + at]) for t, at in
                           ((0, 1), (1, 0), (2, 0)))  # fmt: skip
    assert {int(network.stop_of[p]) for p in (arriving, on, local)} == {1}
    walks = {
        (point, int(network.walk_to[row])): (int(network.walk_s[row]), int(network.walk_m[row]))
        for point in range(network.n_points)
        for row in range(*network.walk_start[point : point + 2].tolist())
    }
    assert walks[arriving, on] == (900, 0)
    assert walks.get((arriving, local), (int(network.change_s[arriving]), 0)) == (120, 0)
    assert walks[1, on] == walks[arriving, 1] == (0, 0)  # who comes or goes on foot needs no change


def change_s(network: Network, train: int, at: int, other: int, to: int) -> int | None:
    """Seconds from one call to another; None where there is no way."""
    starts = network.train_event_start
    a, b = int(network.points[starts[train] + at]), int(network.points[starts[other] + to])
    if a == b:
        taken = int(network.change_s[a])
        return None if taken >= FORBIDDEN_S else taken
    rows = range(*network.walk_start[a : a + 2].tolist())
    return next((int(network.walk_s[r]) for r in rows if int(network.walk_to[r]) == b), None)


def test_the_most_specific_rule_counts() -> None:
    trains = [
        Train("a1", "A 08:00 B 08:10", route="A"),
        Train("a2", "A 09:00 B 09:10", route="A"),
        Train("b1", "B 08:20 C 08:30", route="B"),
        Train("b2", "B 09:20 C 09:30", route="B"),
        Train("z", "B 09:20 C 09:30", route="Z"),
    ]
    transfers = [
        Transfer("B", "B", 2, 60),
        Transfer("B", "B", 2, 240, from_route="A"),
        Transfer("B", "B", 2, 360, from_route="A", to_route="B"),
        Transfer("B", "B", 3, None, from_trip="a2"),
        Transfer("B", "B", 2, 480, from_trip="a1", to_route="B"),
        Transfer("B", "B", 1, None, from_trip="a1", to_trip="b2"),
    ]
    network = ruled([*trains, HERE], transfers=transfers).network()
    assert change_s(network, 0, 1, 4, 0) == 240
    assert change_s(network, 0, 1, 2, 0) == 480
    assert change_s(network, 0, 1, 3, 0) == 0
    assert change_s(network, 1, 1, 2, 0) is None
    assert change_s(network, 2, 1, 2, 1) == 120  # at C nothing is said


def test_a_rule_for_a_station_holds_at_its_stops() -> None:
    stops = [
        Stop("S", 47.6, 7.6, location_type=1, station="S"),
        Stop("B1", 47.6, 7.6, parent="S", station="S"),
        Stop("B2", 47.6003, 7.6, parent="S", station="S"),
        *STOPS,
    ]
    trains = [Train("in", "A 08:00 B1 08:10"), Train("out", "B2 08:20 C 08:30", route="Q"), HERE]
    rules = [Transfer("S", "S", 2, 700, to_route="Q")]
    network = ruled(trains, stops=stops, transfers=rules).network(walk_radius_m=400)
    assert change_s(network, 0, 1, 1, 0) == 700
    exact = [*rules, Transfer("B1", "B2", 2, 500, to_route="Q")]
    network = ruled(trains, stops=stops, transfers=exact).network(walk_radius_m=400)
    assert change_s(network, 0, 1, 1, 0) == 500


def test_a_rule_of_another_feeds_trip_holds_for_the_train_both_list() -> None:
    stops = [*STOPS, Stop("B'", 47.6001, 7.6, station="B", feed=1)]
    trains = [Train("in", "A 08:00 B 08:10"), Train("out", "B 08:20 C 08:30"), HERE,
              Train("alias", "A 20:00 B' 20:10", feed=1)]  # fmt: skip
    rules = [Transfer("B'", "B'", 2, 900, feed=1, from_trip="alias")]
    tables = ruled(trains, stops=stops, transfers=rules)
    sections = tables.tables["sections"]
    alias = sections.filter(pl.col("train") == 0).with_columns(
        trip=pl.lit(3, pl.Int32), alias=pl.lit(True)
    )
    tables.tables["sections"] = pl.concat([sections, alias]).sort("train", maintain_order=True)
    network = tables.network(walk_radius_m=400)
    # The rule is about changes to other trains of its feed at its stop; the train stops at B.
    assert change_s(network, 0, 1, 1, 0) == 120
    rules = [Transfer("B'", "B'", 2, 900, feed=1, from_trip="alias", to_trip="on")]
    trains = [*trains, Train("on", "B' 08:20 C 08:30", feed=1)]
    tables = ruled(trains, stops=stops, transfers=rules)
    sections = tables.tables["sections"]
    tables.tables["sections"] = pl.concat([sections, alias]).sort("train", maintain_order=True)
    network = tables.network(walk_radius_m=400)
    assert change_s(network, 0, 1, 4, 0) == 900
    assert change_s(network, 0, 1, 1, 0) == 120


@pytest.mark.parametrize("n_trips", [MAX_CLASSES - 2, MAX_CLASSES + 1])
def test_a_stop_with_too_many_rules_obeys_those_of_routes_and_says_so(n_trips: int) -> None:
    trains = [Train(f"t{n}", f"A 08:00 B 08:{10 + n % 40}", route="A") for n in range(n_trips)]
    trains += [Train("out", "B 09:20 C 09:30", route="B"), HERE]
    transfers = [Transfer("B", "B", 2, n + 200, from_trip=f"t{n}") for n in range(n_trips)]
    transfers.append(Transfer("B", "B", 2, 7_000, to_route="B"))
    network = ruled(trains, transfers=transfers).network()
    crowded = n_trips > MAX_CLASSES
    assert network.n_crowded_stops == int(crowded)
    assert change_s(network, 5, 1, n_trips, 0) == (7_000 if crowded else 205)


def test_info_tells_the_rules_and_what_is_left_out() -> None:
    trains = [Train(f"t{n}", f"A 08:00 B 08:{10 + n % 40}") for n in range(MAX_CLASSES + 1)]
    transfers = [Transfer("B", "B", 2, n + 200, from_trip=t.id) for n, t in enumerate(trains)]
    check = {"station": 2, "change": True, "minutes": 4}
    route = len(trains)
    tables = ruled(
        [*trains, Train("t", THROUGH, route="Q"), HERE], transfers=transfers, checks=[check],
        bans=[(None, None, [1], [1, 2])],
    )  # fmt: skip
    region, network = tables.region(), tables.network()
    document = info_document(region, network)
    assert document["rules"] == {
        "border_checks": 1, "boarding_bans": 1, "transfers": len(transfers), "trains": 1,
        "points": network.n_points - network.n_stops,
    }  # fmt: skip
    assert (network.train_of == route).sum() == 2  # A to B or C; C to D
    assert document["notices"]["transfers_of_trips_left_out"] == 1
    again = replace(region, notices=notices_of(region, network))
    assert notices_of(again, network) == notices_of(region, network)


def test_points_are_few_classes_of_trains_not_trains() -> None:
    trains = [Train(f"t{n}", f"A 08:{n:02} B 08:{n + 10:02}", route="A") for n in range(40)]
    trains += [Train(f"o{n}", f"B 09:{n:02} C 09:{n + 10:02}", route="B") for n in range(40)]
    rule = Transfer("B", "B", 2, 600, from_route="A", to_route="B")
    network = ruled([*trains, HERE], transfers=[rule]).network()
    assert network.n_points - network.n_stops == 2


def test_divided_trains_are_the_regions_on_each_of_their_days() -> None:
    first = FIRST_DATE + dt.timedelta(1)
    checks = [
        {"station": 1, "change": True, "first": first, "minutes": 3},
        {"station": 2, "last": first, "minutes": 9},
    ]
    tables = ruled(
        [Train("t", THROUGH, days=(0, 1, 3)), HERE],
        checks=checks,
        bans=[(first, first, [0], [0, 2])],
    )
    network = tables.network()
    runs: dict[int, list[tuple[int, str]]] = {}
    for row, calls, days in trains_of(network):
        for day in days:
            runs.setdefault(day, []).extend((row, call.rstrip("+-")) for call in calls)
    for day in (0, 1, 3):
        assert {call for row, call in runs[day] if row == 0} == {"A", "B", "C", "D"}
    assert not [call for row, call in runs.get(2, []) if row == 0]
    assert np.array_equal(np.unique(network.train_of), [0, 1])


def test_a_region_read_back_has_its_own_services_and_gives_the_same_network(
    tmp_path: Path,
) -> None:
    first = FIRST_DATE + dt.timedelta(1)
    check = {"station": 1, "change": True, "first": first, "minutes": 3}
    rule = Transfer("B", "B", 2, 600, from_route="R")
    region = ruled([Train("t", THROUGH), HERE], checks=[check], transfers=[rule]).region()
    network = compile_network(region)
    assert network.n_services < len(network.service_bits)
    write_edition(tmp_path / "edition", region, network, {})
    read = open_edition(tmp_path / "edition").region()
    assert np.array_equal(read.days, region.days)
    assert network_hash(compile_network(read)) == network_hash(network)
