"""Departures, arrivals and whole runs beside what the calendar and the trains say."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from mobility.core.errors import UnknownTripError, UsageError
from mobility.network import Network
from mobility.planner import locate
from mobility.planner.board import Boards
from tests.network.build import Call, Feed, Stop, Train, build_tables
from tests.planner.nets import Question, end, random_net
from tests.planner.oracle import Oracle
from tests.planner.ruled import ruled_net

SEEDS = range(900, 960)
NOON = int(dt.datetime(2027, 5, 3, 12, tzinfo=dt.UTC).timestamp())
Row = tuple[int, int, tuple[tuple[str, str, str], ...]]  # moment, stop, sections


def boards_of(network: Network) -> Boards:
    return Boards(network, network.slices(None))


def _expected(
    network: Network, stops: tuple[int, ...], t: int, span_s: int, arrivals: bool
) -> set[Row]:
    """Every call of every run at the stops in the span, by the calendar."""
    rows = set()
    for run in Oracle(network).runs:
        sections = tuple(section.reference for section in run.sections)
        for at, call in enumerate(run.calls):
            usable = call.alighting and at > 0 if arrivals else call.boarding
            if at == len(run.calls) - 1 and not arrivals:
                usable = False
            moment = call.arrival if arrivals else call.departure
            if usable and call.stop in stops and t <= moment < t + span_s:
                rows.add((moment, call.stop, sections))
    return rows


@pytest.mark.parametrize("arrivals", [False, True], ids=["departures", "arrivals"])
def test_a_board_has_every_train_that_calls_and_each_once(arrivals: bool) -> None:
    found = 0
    for seed in SEEDS:
        net = random_net(seed)
        network = net.network()
        boards, q = boards_of(network), Question(net, seed)
        for place in q.ends(network):
            board, _ = boards.board(place, q.moment, span_s=8 * 3600, limit=500, arrivals=arrivals)
            rows = []
            for entry in board.entries:
                call = entry.run.leg.calls[entry.at]
                stop = end(network, call.place.id.split(":")[1]).stops[0]
                sections = tuple(
                    (s.feed, s.trip_id, s.service_date.isoformat()) for s in entry.run.leg.sections
                )
                rows.append((entry.moment, stop, sections))
                assert entry.moment == (call.arrival if arrivals else call.departure)
            assert board.next is None
            assert [moment for moment, _, _ in rows] == sorted(moment for moment, _, _ in rows)
            assert len(set(rows)) == len(rows)
            assert set(rows) == _expected(network, place.stops, q.moment, 8 * 3600, arrivals)
            found += len(rows)
    assert found > len(SEEDS)


def test_asking_on_neither_repeats_nor_skips() -> None:
    pages = 0
    for seed in SEEDS:
        net = random_net(seed)
        network = net.network()
        boards, q = boards_of(network), Question(net, seed)
        place = q.ends(network)[0]
        until = q.moment + 10 * 3600
        whole, _ = boards.board(place, q.moment, span_s=10 * 3600, limit=500)
        rows, at = [], q.moment
        while at is not None:
            board, _ = boards.board(place, at, span_s=until - at, limit=1)
            rows += board.entries
            at = board.next
            pages += 1
        assert rows == list(whole.entries)
    assert pages > len(SEEDS)


def test_trains_that_rules_divide_stand_there_once_and_whole() -> None:
    divided = 0
    for seed in range(720, 760):
        network = ruled_net(seed).network()
        boards = boards_of(network)
        trains = {int(t) for t in network.train_of}
        divided += network.n_trains - len(trains)
        for train in range(network.n_trains):
            for day in range(network.n_days):
                if not boards.runs._runs_on(train, day):
                    continue
                run = boards.runs.tell(train, day)
                calls = run.leg.calls
                assert all(a.departure <= b.arrival for a, b in itertools.pairwise(calls))
                ends = [(s.from_call, s.to_call) for s in run.leg.sections]
                assert ends[0][0] == 0
                assert ends[-1][1] == len(calls) - 1
                assert all(a[1] == b[0] for a, b in itertools.pairwise(ends))
                for section in run.leg.sections:
                    reference = f"{section.feed}:{section.trip_id}"
                    again = [
                        boards.runs.tell(*one)
                        for one in boards.runs.find(reference, section.service_date)
                    ]
                    assert run.leg in [one.leg for one in again]
    assert divided > 20


def _night_train() -> Boards:
    stops = [Stop("A", 47.0, 7.0), Stop("B", 48.0, 7.0), Stop("C", 49.0, 7.0)]
    calls = [
        Call("A", 23 * 3600, 23 * 3600),
        Call("B", 25 * 3600, 25 * 3600 + 120),
        Call("C", 26 * 3600, 26 * 3600),
    ]
    tables = build_tables(
        stops, [Train("night", calls, days=(0, 1))], feeds=[Feed("one", "Europe/Berlin", "DE")],
        first_date=dt.date(2027, 5, 3), n_days=3,
    )  # fmt: skip
    return boards_of(tables.network())


def test_a_night_train_stands_on_the_board_of_the_next_morning() -> None:
    boards = _night_train()
    after_midnight = int(dt.datetime(2027, 5, 3, 22, 30, tzinfo=dt.UTC).timestamp())
    board, _ = boards.board(locate(boards.network, "one:B"), after_midnight, span_s=7200, limit=9)
    (entry,) = board.entries
    assert entry.run.leg.sections[0].service_date == dt.date(2027, 5, 3)
    assert [call.place.id for call in entry.run.leg.calls] == ["one:A", "one:B", "one:C"]
    assert entry.at == 1


def test_a_trip_is_told_on_the_dates_it_runs_and_no_other() -> None:
    boards = _night_train()
    assert len(boards.runs.find("one:night", dt.date(2027, 5, 3))) == 1
    assert boards.runs.find("night", dt.date(2027, 5, 3))
    for reference, date in (
        ("one:night", dt.date(2027, 5, 5)), ("one:night", dt.date(1999, 1, 1)),
        ("one:nigh", dt.date(2027, 5, 3)), ("two:night", dt.date(2027, 5, 3)),
        ("", dt.date(2027, 5, 3)),
    ):  # fmt: skip
        with pytest.raises(UnknownTripError):
            boards.runs.find(reference, date)


@pytest.mark.parametrize(("span_s", "limit"), [(0, 5), (86_401, 5), (60, 0), (60, 501)])
def test_a_board_beyond_its_limits_is_refused(span_s: int, limit: int) -> None:
    boards = _night_train()
    with pytest.raises(UsageError):
        boards.board(locate(boards.network, "one:A"), NOON, span_s=span_s, limit=limit)


def test_a_position_has_no_departures() -> None:
    boards = _night_train()
    with pytest.raises(UsageError, match="position"):
        boards.board(locate(boards.network, "47.0,7.0"), NOON, span_s=60, limit=1)
