"""Texts become endpoints, or errors that help."""

from __future__ import annotations

import pytest

from mobility.core.errors import AmbiguousPlaceError, UnknownPlaceError
from mobility.network import Network
from mobility.planner import locate, suggest
from tests.network.build import Feed, Stop, Train, build_network


@pytest.fixture(scope="module")
def network() -> Network:
    feeds = (Feed("ch", "Europe/Zurich", "CH"), Feed("de", "Europe/Berlin", "DE"))
    stops = [
        Stop("hall", 47.54, 7.58, name="Basel SBB", station="hall", location_type=1),
        Stop("p2", 47.54, 7.58, name="Basel SBB", station="hall", platform="2", parent="hall"),
        Stop("p1", 47.54, 7.58, name="Basel SBB", station="hall", parent="hall"),
        Stop("7", 47.61, 7.66, name="Lörrach Hbf", feed=1),
        Stop("north", 47.7, 7.7, name="Dorf", tz="Europe/Lisbon"),
        Stop("south", 47.8, 7.7, name="Dorf"),
        Stop("de:1", 47.9, 7.7, name="Ifopt", feed=1),
    ]
    trains = [
        Train("t", "p1 08:00 north 08:10 south 08:20"),
        Train("u", "7 08:00 de:1 09:00", feed=1),
    ]
    return build_network(stops, trains, feeds=feeds)


def test_references_and_ids_name_one_stop(network: Network) -> None:
    for text in ("ch:p2", "p2", " p2 "):
        endpoint = locate(network, text)
        assert (endpoint.kind, endpoint.place.id, endpoint.place.platform) == ("stop", "ch:p2", "2")
    assert locate(network, "de:de:1").place.id == "de:de:1"
    assert locate(network, "de:7").place.id == "de:7"


def test_a_station_has_all_stops_in_order_of_their_references(network: Network) -> None:
    for text in ("hall", "ch:hall", "Basel SBB", "basel  sbb"):
        endpoint = locate(network, text)
        assert endpoint.kind == "station"
        assert [network.stop_id[stop] for stop in endpoint.stops] == ["p1", "p2"]
        assert endpoint.place.station_id == "hall"


def test_positions_have_the_zone_of_the_nearest_station(network: Network) -> None:
    endpoint = locate(network, " 47.70, 7.7 ")
    assert (endpoint.kind, endpoint.stops, endpoint.tz) == ("position", (), "Europe/Lisbon")
    assert locate(network, "47.54,7.58").tz == "Europe/Zurich"
    with pytest.raises(UnknownPlaceError, match="latitude"):
        locate(network, "147.0,7.58")


def test_an_ambiguous_name_lists_its_candidates(network: Network) -> None:
    with pytest.raises(AmbiguousPlaceError, match=r"'Dorf'.*Dorf \(north\), Dorf \(south\)"):
        locate(network, "Dorf")


def test_an_id_of_several_feeds_needs_its_feed() -> None:
    feeds = (Feed("a"), Feed("b"))
    stops = [Stop("x", 47, 7, station="s1"), Stop("x", 48, 7, station="s2", feed=1)]
    network = build_network(stops, [Train("t", "x 08:00 x 08:10")], feeds=feeds)
    with pytest.raises(AmbiguousPlaceError, match="a:x, b:x"):
        locate(network, "x")
    assert locate(network, "x", prefer="b").place.id == "b:x"


@pytest.mark.parametrize("text", ["Lörach", "ch:Lorrach", "Loerach HBF"])
def test_an_unknown_place_tells_the_nearest(network: Network, text: str) -> None:
    with pytest.raises(UnknownPlaceError, match=r"did you mean Lörrach Hbf \(7\)"):
        locate(network, text)


@pytest.mark.parametrize("text", ["", "   ", "x" * 201, "qqqq zzzz"])
def test_nothing_to_find_is_one_clear_line(network: Network, text: str) -> None:
    with pytest.raises(UnknownPlaceError) as caught:
        locate(network, text)
    assert "\n" not in str(caught.value)


def test_suggestions_tell_where_a_station_is(network: Network) -> None:
    first, *_ = suggest(network, "lör")
    assert (first.id, first.name, first.kind, first.countries) == (
        "7",
        "Lörrach Hbf",
        "station",
        ("DE",),
    )
    assert (first.tz, first.lat, first.lon) == ("Europe/Berlin", 47.61, 7.66)
    assert suggest(network, "lör", limit=0) == []
    assert len(suggest(network, "dorf", limit=10)) == 2
