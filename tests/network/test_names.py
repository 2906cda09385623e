"""Stations are found by their names: exactly, in other spellings, and mistyped."""

from __future__ import annotations

import random

import numpy as np
import pytest

from mobility.merge.names import Exonyms
from mobility.network import Network
from mobility.network.names import LEAST_SCORE, NameIndex, signatures
from tests.network.build import Stop, Train, build_network

NAMES = (
    "Lörrach Hbf", "Lörrach Stetten", "Basel SBB", "Basel Bad Bf", "Mulhouse-Ville", "Liestal",
    "Saint-Louis", "Weil am Rhein", "Weil am Rhein Ost", "Zürich HB", "Rheinfelden",
    "Rheinfelden (Baden)", "Schliengen",
)  # fmt: skip


@pytest.fixture(scope="module")
def network() -> Network:
    stops = [Stop(f"s{n}", 47 + n / 10, 7.6, name=name) for n, name in enumerate(NAMES)]
    stops.append(Stop("alias", 47.2, 7.6, name="Bâle CFF", station="s2"))
    trains = [Train(f"t{n}", f"s2 {8 + n}:00 s0 {8 + n}:20") for n in range(3)]
    return build_network(stops, [*trains, Train("u", "s4 09:00 s5 09:30")])


@pytest.fixture(scope="module")
def index(network: Network) -> NameIndex:
    return NameIndex(network, Exonyms.from_pairs([("Mülhausen", "Mulhouse"), ("Bâle", "Basel")]))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("LÖRRACH HBF", ["Lörrach Hbf"]),
        ("lorrach hbf", ["Lörrach Hbf"]),
        ("Loerrach Hbf", ["Lörrach Hbf"]),
        ("Lörrach", ["Lörrach Hbf"]),
        ("bale cff", ["Basel SBB"]),
        ("Bâle SBB", ["Basel SBB"]),
        ("Mülhausen", ["Mulhouse-Ville"]),
        ("Rheinfelden", ["Rheinfelden"]),
        ("Weil am Rhein", ["Weil am Rhein"]),
        ("Weil", []),
        ("", []),
        ("---", []),
    ],
)
def test_exact_names_in_any_spelling(
    network: Network, index: NameIndex, text: str, names: list[str]
) -> None:
    assert [network.station_name[at] for at in index.exact(text)] == names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("basel", "Basel SBB"),
        ("bad bf", "Basel Bad Bf"),
        ("Lorach", "Lörrach Hbf"),
        ("Schlingen", "Schliengen"),
        ("weil rhe", "Weil am Rhein"),
        ("Zurih", "Zürich HB"),
        ("st louis", "Saint-Louis"),
    ],
)
def test_unfinished_and_mistyped_names_find_their_station(
    network: Network, index: NameIndex, text: str, name: str
) -> None:
    found = index.search(text, 3)
    assert name in [network.station_name[at] for at, _ in found]
    assert all(LEAST_SCORE <= score <= 1 for _, score in found)
    assert [score for _, score in found] == sorted((s for _, s in found), reverse=True)


def test_equal_matches_are_ranked_by_calls(network: Network, index: NameIndex) -> None:
    (first, _), *_ = index.search("basel", 2)
    assert network.station_name[first] == "Basel SBB"  # with trains; Basel Bad Bf has none


def test_a_likeness_to_the_first_words_goes_before_one_further_on() -> None:
    stops = [Stop("a", 47.5, 7.6, name="Riehen, Lörracherstrasse"),
             Stop("b", 47.6, 7.6, name="Lörrach Hauptbahnhof")]  # fmt: skip
    network = build_network(stops, [Train("t", "a 8:00 b 8:20")])
    (first, _), *_ = NameIndex(network, Exonyms.from_pairs([])).search("Lorach", 2)
    assert network.station_name[first] == "Lörrach Hauptbahnhof"


def test_nonsense_finds_nothing(index: NameIndex) -> None:
    assert index.search("qqqq xxxx", 5) == []
    assert index.search("", 5) == []


def test_any_single_typing_error_is_forgiven(network: Network, index: NameIndex) -> None:
    rng = random.Random(7)
    for at, name in enumerate(network.station_name):
        for _ in range(20):
            letters = list(name.lower())
            place = rng.randrange(len(letters))
            letters[place : place + 1] = rng.choice(([], ["x"], [letters[place]] * 2))
            found = [station for station, _ in index.search("".join(letters), 5)]
            assert at in found, "".join(letters)


def test_signatures_of_nothing_are_nothing() -> None:
    assert signatures([]).shape == (0,)
    assert np.array_equal(signatures(["a b"]), signatures(["a b"]))
