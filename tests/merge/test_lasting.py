"""Station ids that last over feed versions, and what the manifest says of a station."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility.feeds import Feed
from mobility.merge import GivenIds, Region

from .build import merged

Rail = Callable[..., Feed]
STOPS = "n,North,47.0,7.0\nm,Middle,47.2,7.0\ns,South,47.4,7.0\ns2,South,48.4,7.0"
TRIPS = {"t": "1: n 08:00, m 08:20, s 08:40, s2 10:00"}


def names_of(region: Region) -> dict[str, str]:
    table = region.tables["stations"]
    return dict(zip(table["station_id"], table["name"], strict=True))


def with_ids(mapping: dict[str, str], text: str = STOPS) -> tuple[str, dict[str, str]]:
    """Return stops and trips with other ids."""
    stops = "\n".join(
        ",".join([mapping[line.split(",")[0]], *line.split(",")[1:]]) for line in text.split("\n")
    )
    calls = ", ".join(
        f"{mapping[call.split()[0]]} {call.split()[1]}"
        for call in TRIPS["t"].removeprefix("1: ").split(", ")
    )
    return stops, {"t": f"1: {calls}"}


def test_a_station_keeps_its_id_when_a_feed_makes_its_ids_anew(rail: Rail) -> None:
    before = merged(rail("a", STOPS, TRIPS))
    stops, trips = with_ids({"n": "x1", "m": "x2", "s": "x3", "s2": "x4"})
    fresh = merged(rail("b", stops, trips))
    assert set(names_of(fresh)).isdisjoint(names_of(before))
    kept = merged(rail("b", stops, trips), given=GivenIds.of(before))
    assert names_of(kept) == names_of(before)


def test_an_id_once_given_never_names_another_station(rail: Rail) -> None:
    before = merged(rail("a", STOPS, TRIPS))
    moved = STOPS.replace("n,North,47.0,7.0", "n9,North,47.0,7.0").replace("m,Middle", "n,Middle")
    after = merged(
        rail("a", moved, {"t": "1: n9 08:00, n 08:20, s 08:40, s2 10:00"}),
        given=GivenIds.of(before),
    )
    # "n" is now the id of Middle: the member decides, and North gets an id nobody had
    assert names_of(after)["a-n"] == "Middle"
    assert set(names_of(after)) - set(names_of(before)) == {
        one for one, name in names_of(after).items() if name == "North"
    }


def test_a_station_of_equal_name_elsewhere_is_another_one(rail: Rail) -> None:
    before = merged(rail("a", STOPS, TRIPS))
    stops, trips = with_ids({"n": "n", "m": "m", "s": "x3", "s2": "x4"})
    after = merged(rail("a", stops.replace("47.4", "47.5"), trips), given=GivenIds.of(before))
    ids = {name: one for one, name in names_of(after).items()}
    assert ids["Middle"] == "a-m"
    assert "a-s" not in names_of(after)  # 11 km away: not the South of before
    assert names_of(after)["a-s2"] == "South"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.permutations(["n", "m", "s", "s2"]), st.lists(st.booleans(), min_size=4, max_size=4))
def test_whatever_happens_to_ids_every_station_has_one_of_its_own(
    rail: Rail, order: list[str], renew: list[bool]
) -> None:
    before = merged(rail("a", STOPS, TRIPS))
    mapping = {
        old: (f"new-{new}" if fresh else new)
        for old, new, fresh in zip(["n", "m", "s", "s2"], order, renew, strict=True)
    }
    stops, trips = with_ids(mapping)
    after = merged(rail("a", stops, trips), given=GivenIds.of(before))
    assert after.tables["stations"]["station_id"].n_unique() == 4
    again = merged(rail("a", stops, trips), given=GivenIds.of(after))
    assert names_of(again) == names_of(after)


def zones_of(region: Region) -> dict[str, str]:
    return dict(zip(region.tables["stops"]["stop_id"], region.tables["stops"]["tz"], strict=True))


def statements(region: Region) -> list[str]:
    return [one.code for one in region.notices if one.file == "region.toml"]


def test_the_manifest_names_a_station_and_its_zone(rail: Rail) -> None:
    left = rail("a", "p,Border,47.0,7.0\nq,Inland,47.5,7.0", {"t": "1: q 08:00, p 09:00"})
    right = rail(
        "b",
        "p9,Border,47.0001,7.0\nr,Abroad,46.5,7.0",
        {"u": "2: p9 09:10, r 10:00"},
        zone="Europe/Lisbon",
    )
    plain = merged(left, right)
    assert zones_of(plain)["p"] == zones_of(plain)["p9"] == "Europe/Zurich"  # one place, one time
    assert zones_of(plain)["r"] == "Europe/Lisbon"
    stated: Any = [{"member": "b:p9", "name": "Border Town", "tz": "Europe/Lisbon"}]
    region = merged(left, right, stations=stated)
    assert "Border Town" in names_of(region).values()
    assert {zones_of(region)[stop] for stop in ("p", "p9")} == {"Europe/Lisbon"}
    assert statements(region) == []


def test_a_statement_about_nothing_or_twice_about_one_station_is_told(rail: Rail) -> None:
    feed = rail("a", STOPS, TRIPS)
    stated: Any = [
        {"member": "a:gone", "name": "X"},
        {"member": "a:n", "name": "First"},
        {"member": "a:n", "name": "Second"},
    ]
    region = merged(feed, stations=stated)
    assert "First" in names_of(region).values() and "Second" not in names_of(region).values()
    assert statements(region) == ["decision_without_object", "station_stated_twice"]
