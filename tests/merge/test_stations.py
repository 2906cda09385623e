"""Stations: which signals make places one, which keep them apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from mobility.feeds import Feed
from mobility.merge.places import find_roots
from mobility.merge.region_stations import station_ids

from .build import merged, stations_of

Rail = Callable[..., Feed]
FAR = "z,Elsewhere,40.0,0.0"


def pair(rail: Rail, left: str, right: str, **more: Any) -> list[Feed]:
    """Return two feeds of one stop each (and one far away), served by one train each."""
    stop = [text.partition(",")[0] for text in (left, right)]
    on = more.pop("routes", ("R1", "R1"))
    return [
        rail("a", f"{left}\n{FAR}", {"t": f": {stop[0]} 08:00, z 09:00"}, routes={"t": on[0]}),
        rail("b", f"{right}\n{FAR}9", {"t": f": {stop[1]} 10:20, z 11:31"}, routes={"t": on[1]}),
    ]


def together(feeds: list[Feed], stop: str, **more: object) -> bool:
    """Whether the first feed's stop shares its station with a stop of the other feed."""
    members = next(m for m in stations_of(merged(*feeds, **more)).values() if f"a:{stop}" in m)
    return len(members) > 1


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("s,Basel SBB,47.5474,7.5896", "s,Bâle CFF,47.5475,7.5897", True),  # exonym, words
        ("s,Munich,48.1402,11.5583", "s,München Hbf,48.1405,11.5590", True),
        ("s,Hamburg-Altona,53.5527,9.9352", "s,\"Hamburg, Hamburg-Altona\",53.5520,9.9350", True),
        ("s,Nord,47.0,7.0", "s,Nord,47.008,7.0", True),  # 890 m, equal name
        ("s,Nord,47.0,7.0", "s,Nord,47.010,7.0", False),  # 1.1 km, equal name alone
        ("s,Ufer,47.0,7.0", "s,Ufer (Baden),47.0062,7.0", False),  # a town on each bank
        ("s,Ufer,47.0,7.0", "s,Ufer (Baden),47.0010,7.0", True),
        ("s,Abc,47.0,7.0", "s,Xyz,47.0005,7.0", True),  # 56 m, rail, nothing else near
        ("s,Abc,47.0,7.0", "s,Xyz,47.0030,7.0", False),  # 330 m, other names
        ("8503000,Abc,47.0,7.0", "StopArea:OCE85030007,Abcd,47.0090,7.0", True),  # code, 1 km
        ("8503000,Abc,47.0,7.0", "StopArea:OCE85030007,Xyz,47.0170,7.0", False),  # code, 1.9 km
        ("de:1:2:9,Abc,47.0,7.0", "de:1:2,Abc Ost,47.0030,7.0", True),  # IFOPT
    ],
)  # fmt: skip
def test_places_of_two_feeds(rail: Rail, left: str, right: str, same: bool) -> None:
    assert together(pair(rail, left, right), left.partition(",")[0]) is same


@pytest.mark.parametrize(("routes", "same"), [(("R2", "R1"), False), (("R2", "R3"), True)])
def test_a_tram_stop_in_front_of_a_rail_station_stays_apart(
    rail: Rail, routes: tuple[str, str], same: bool
) -> None:
    """R1 is rail, R2 tram, R3 bus: trams and buses share a street."""
    feeds = pair(rail, "s,Markt,47.0,7.0", "s,Markt,47.0003,7.0", routes=routes)
    assert together(feeds, "s") is same


@pytest.mark.parametrize(
    ("there", "same"),
    [
        ("m,Nord,47.0010,7.0", True),  # 110 m, equal name
        ("m,Nordheim West,47.0010,7.0", True),  # 110 m, one name within the other
        ("m,Süd,47.0005,7.0", False),  # 56 m, another name: nothing else speaks for it
        ("m,Nord,47.0150,7.0", False),  # 1.7 km
    ],
)
def test_a_stop_that_nothing_serves_is_matched_by_name_and_distance(
    rail: Rail, there: str, same: bool
) -> None:
    """A feed lists stops of lines that another feed carries."""
    name = "Nordheim" if "Nordheim" in there else "Nord"
    feeds = [
        rail("a", f"s,{name},47.0,7.0\n{FAR}", {"t": ": s 08:00, z 09:00"}),
        rail("b", f"{there}\n{FAR}9\ny,Yonder,41.0,0.0", {"t": ": z 10:20, y 11:31"}),
    ]
    assert together(feeds, "s") is same


NUMBERED = [f"{100 + at},Halt {at},{47 + at / 50},7.0" for at in range(24)]
RIDE = {"t": ": 100 08:00, 101 09:00"}


def numbered_pair(rail: Rail, there: Callable[[int, str], str], **more: Any) -> list[Feed]:
    """Return two feeds with the same stop ids; the second one's stops are made from the first's."""
    right = [there(at, line) for at, line in enumerate(NUMBERED)]
    return [
        rail("a", "\n".join(NUMBERED), RIDE),
        rail("b", "\n".join(right), RIDE, **more),
    ]


def test_equal_ids_are_codes_where_two_feeds_share_a_numbering(rail: Rail) -> None:
    """The last stop has another name and lies 900 m off; a bus calls at all of them."""
    moved = "123,Xyz,47.4681,7.0"
    feeds = numbered_pair(rail, lambda at, line: moved if at == 23 else line, routes={"t": "R3"})
    members = list(stations_of(merged(*feeds)).values())
    assert all([f"a:{100 + at}", f"b:{100 + at}"] in members for at in range(23))
    told = merged(*feeds).tables["station_matches"].filter(pl.col("left") == "a:123")
    assert json.loads(told["evidence"][0])["code"] == "id:0:123"
    assert told["decision"][0] == "different"  # a code alone asks, it does not decide


def test_equal_ids_by_chance_are_no_codes(rail: Rail) -> None:
    """Two operators number their stops from 100; the stops lie elsewhere."""
    feeds = numbered_pair(rail, lambda at, line: line.replace(",47", ",46").replace("Halt", "Stop"))
    region = merged(*feeds)
    assert all(len(members) == 1 for members in stations_of(region).values())
    assert region.tables["station_matches"].is_empty()


def test_at_most_one_place_per_feed_and_the_nearer_wins(rail: Rail) -> None:
    feeds = [
        rail("a", "s,Nord,47.0,7.0\nt,Süd,47.1,7.0", {"t": ": s 08:00, t 09:00"}),
        rail("b", "m,Nord,47.0020,7.0\nn,Nord,47.0050,7.0", {"u": ": m 10:20, n 10:30"}),
    ]
    assert ["a:s", "b:m"] in stations_of(merged(*feeds)).values()
    assert ["b:n"] in stations_of(merged(*feeds)).values()


def test_a_station_is_never_wider_than_its_evidence_allows(rail: Rail) -> None:
    """Each neighbour is within a kilometre, the ends are not."""
    feeds = [
        rail(
            feed, f"s,Nord,{47 + at * 0.008:.3f},7.0\n{FAR}{at}", {"t": f": s {8 + at}:00, z 23:00"}
        )
        for at, feed in enumerate("abc")
    ]
    members = sorted(m for m in stations_of(merged(*feeds)).values() if any(":s" in s for s in m))
    assert members == [["a:s", "b:s"], ["c:s"]]


def test_decisions_beat_every_signal(rail: Rail) -> None:
    near = pair(rail, "s,Nord,47.0,7.0", "s,Nord,47.0001,7.0")
    apart = {"kind": "station", "left": "a:s", "right": "b:s", "decision": "different"}
    assert together(near, "s") is True
    assert together(near, "s", decisions=[apart]) is False
    far = pair(rail, "s,Abc,47.0,7.0", "s,Xyz,47.0400,7.0")
    assert together(far, "s") is False
    assert together(far, "s", decisions=[apart | {"decision": "same"}]) is True


def test_a_shared_train_votes_for_its_places(rail: Rail) -> None:
    """The middle stop is listed 600 m away under another name, in the same minutes."""
    left = "a,Aville,47.0,7.0\nb,Unter den Linden,47.1,7.0\nc,Cheim,47.2,7.0"
    right = "a,Aville,47.0,7.0\nb,Opernhaus,47.1054,7.0\nc,Cheim,47.2,7.0"
    trips = {
        f"t{hour}": f": a {hour:02d}:00, b {hour:02d}:10, c {hour:02d}:20" for hour in (7, 8, 9)
    }
    feeds = [rail("a", left, trips), rail("b", right, trips)]
    region = merged(*feeds)
    assert ["a:b", "b:b"] in stations_of(region).values()
    told = region.tables["station_matches"].filter(pl.col("left") == "a:b").row(0, named=True)
    assert json.loads(told["evidence"])["votes"] == 3
    assert region.train_counts["equal"] == 3


def test_lone_stops_of_one_name_in_one_feed_are_one_place(rail: Rail) -> None:
    stops = "a,Post,47.0,7.0\nb,Post,47.0005,7.0\nc,Post,47.01,7.0\nd,Bank,47.0001,7.0"
    feed = rail("a", stops, {"t": ": a 08:00, d 08:01, c 08:09", "u": ": c 09:00, b 09:09"})
    for join in (True, False):
        assert sorted(stations_of(merged(feed, join=join)).values()) == [
            ["a:a", "a:b"],
            ["a:c"],
            ["a:d"],
        ]


def test_parents_that_form_a_loop_are_cut() -> None:
    parent = np.array([1, 2, 0, 0, -1, 5, 4])
    roots, cut = find_roots(parent)
    assert roots.tolist() == [0, 1, 2, 0, 4, 5, 4]
    assert cut.tolist() == [0, 1, 2, 5]


def test_station_ids_come_from_references_and_stay_apart() -> None:
    ids = station_ids(pl.Series(["a:X 1", "a:x-1", "b:2"])).to_list()
    assert ids[2] == "b-2"
    assert len(set(ids)) == 3
    assert all(one.startswith("a-x-1-") for one in ids[:2])


def test_station_ids_do_not_depend_on_other_rows(rail: Rail) -> None:
    few = rail("a", f"s,Nord,47.0,7.0\n{FAR}", {"t": ": s 08:00, z 09:00"})
    more = rail(
        "a", f"y,Neu,46.0,7.0\ns,Nord,47.0,7.0\n{FAR}", {"t": ": s 08:00, y 08:30, z 09:00"}
    )
    assert set(stations_of(merged(few))) < set(stations_of(merged(more)))
