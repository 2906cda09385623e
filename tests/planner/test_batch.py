"""Files of queries: the same answers as one by one, and errors that name the line."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from mobility.core.errors import InputError, TimeError, UnknownPlaceError
from mobility.network import Network
from mobility.planner import Planner, locate, run_queries
from tests.network.build import Stop, Train, build_network

HEADER = "from_stop_id,to_stop_id,departure,ref_ea_arrival\n"


@pytest.fixture(scope="module")
def network() -> Network:
    stops = [Stop("A", 47.5, 7.6), Stop("B", 47.6, 7.6)]
    return build_network(stops, [Train(f"t{h}", f"A {h}:00 B {h}:30") for h in range(3, 24)])


def _file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "queries.csv"
    path.write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_answers_equal_those_of_single_questions(network: Network, tmp_path: Path) -> None:
    path = _file(tmp_path, "one:A,one:B,2027-03-26T08:10:00+01:00,", "A,B,2027-03-26 21:10,x")
    document = run_queries(network, network.slices(None), path)
    assert set(document) == {"results"}
    planner = Planner(network, network.slices(None))
    depart = int(dt.datetime(2027, 3, 26, 7, 10, tzinfo=dt.UTC).timestamp())
    one = planner.plan(locate(network, "A"), locate(network, "B"), depart=depart, arrive=None)
    assert document["results"][0] == {
        "from_stop_id": "one:A",
        "to_stop_id": "one:B",
        "departure": "2027-03-26T08:10:00+01:00",
        "journeys": [journey.to_json() for journey in one.journeys],
    }
    assert document["results"][1]["journeys"][0]["departure"] == "2027-03-26T22:00:00+01:00"


def test_windows_and_whole_days_are_half_open(network: Network, tmp_path: Path) -> None:
    path = _file(tmp_path, "A,B,2027-03-26T08:00:00+01:00,", "A,B,2027-03-26T23:30,")
    slices = network.slices(None)
    first, _ = run_queries(network, slices, path, window_s=7200)["results"]
    assert [j["departure"][11:16] for j in first["journeys"]] == ["08:00", "09:00"]
    for row in run_queries(network, slices, path, day_range=True)["results"]:
        hours = [j["departure"][11:16] for j in row["journeys"]]
        assert hours == [f"{hour:02d}:00" for hour in range(6, 20)]


def test_timing_is_there_with_repeat(network: Network, tmp_path: Path) -> None:
    path = _file(tmp_path, "A,B,2027-03-26T08:00,")
    timing = run_queries(network, network.slices(None), path, repeat=2)["timing"]
    assert set(timing) == {"median_ms", "p95_ms", "slice_ms", "load_ms"}
    assert all(value >= 0 for value in timing.values())
    empty = run_queries(network, network.slices(None), _file(tmp_path), repeat=2)
    assert empty["results"] == []


@pytest.mark.parametrize(
    ("row", "error", "says"),
    [
        ("A,nowhere,2027-03-26T08:00,", UnknownPlaceError, "line 3: no station"),
        ("A,B,yesterday,", TimeError, "line 3: 'yesterday' is no time"),
        ("A,B", TimeError, "line 3"),
        ("A,B,2027-03-28T02:30,", TimeError, "does not exist"),
    ],
)
def test_a_bad_row_is_named(
    network: Network, tmp_path: Path, row: str, error: type[Exception], says: str
) -> None:
    path = _file(tmp_path, "A,B,2027-03-26T08:00,", row)
    with pytest.raises(error, match=says):
        run_queries(network, network.slices(None), path)


def test_a_bad_file_is_refused(network: Network, tmp_path: Path) -> None:
    slices = network.slices(None)
    with pytest.raises(InputError, match="cannot be read"):
        run_queries(network, slices, tmp_path / "missing.csv")
    with pytest.raises(InputError, match="no column to_stop_id"):
        run_queries(network, slices, _file(tmp_path, header="from_stop_id,departure\n"))
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x00")
    with pytest.raises(InputError):
        run_queries(network, slices, tmp_path / "binary.csv")
