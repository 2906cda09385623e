"""Departures and arrivals of a stop or station: every train that calls there, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mobility.core.errors import UsageError
from mobility.core.notices import Notice
from mobility.core.units import DAY_S
from mobility.network import DaySlice, Network
from mobility.network.values import ALIGHTING_BIT, BOARDING_BIT
from mobility.planner.assemble import Assembler
from mobility.planner.endpoint import Endpoint
from mobility.planner.one_to_all import DaySlices
from mobility.planner.remarks import Coverage
from mobility.planner.runs import Runs, WholeRun

LONGEST_SPAN_S = DAY_S
MOST_ENTRIES = 500

_Row = tuple[int, int, int, int]  # moment, stop, train, day


@dataclass(frozen=True, slots=True)
class Entry:
    """A train that one can board at a place, or alight from.

    Parameters
    ----------
    moment : int
        Unix second of the departure (arrival) by which the board is ordered.
    at : int
        Which of the calls of the run's leg this is.
    """

    moment: int
    at: int
    run: WholeRun


@dataclass(frozen=True, slots=True)
class Board:
    """What leaves (arrives) in a span of time, in order; ``next`` is where to go on.

    Parameters
    ----------
    next : int or None
        Unix second from which the rest of the span is, where there were too many.
    """

    entries: tuple[Entry, ...]
    next: int | None


class Boards:
    """Makes boards of one network; serves all threads.

    Attributes
    ----------
    runs : Runs
        The whole runs of its trains.
    """

    def __init__(self, network: Network, slices: DaySlices) -> None:
        self.network, self.runs = network, Runs(network, Assembler(network))
        self._slices = slices
        self._coverage = Coverage(network)

    @cached_property
    def _points(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """CSR of points by their stop."""
        stop_of = self.network.stop_of
        order = np.argsort(stop_of, kind="stable")
        return np.searchsorted(stop_of[order], np.arange(self.network.n_stops + 1)), order

    def board(
        self, endpoint: Endpoint, start: int, *, span_s: int, limit: int, arrivals: bool = False
    ) -> tuple[Board, tuple[Notice, ...]]:
        """Return the departures (arrivals) of a stop or station in [start, start + span).

        At most `limit`, but all of the last one's second, so that asking on from `Board.next`
        neither repeats nor skips any. Each train stands there once, whatever feeds carry it.

        Parameters
        ----------
        start : int
            Unix second.
        span_s, limit : int
            At most 24 hours and `MOST_ENTRIES`.

        Raises
        ------
        UsageError
            A position has no departures; span or limit are beyond what is allowed.
        DateOutsideError
            No feed covers the date.
        """
        if not 0 < span_s <= LONGEST_SPAN_S:
            raise UsageError(f"a span of {span_s} s: expected 1 s to 24 h")
        if not 0 < limit <= MOST_ENTRIES:
            raise UsageError(f"{limit} entries: expected 1 to {MOST_ENTRIES}")
        if not endpoint.stops:
            raise UsageError(f"{endpoint.place.name} is a position: expected a stop or station")
        notices = self._coverage.check((start, start), endpoint.tz)
        day = self._slices.get(dt.datetime.fromtimestamp(start, dt.UTC).date())
        first_s = start - self.network.epoch_s
        rows = sorted(self._rows(day, endpoint.stops, first_s, first_s + span_s, arrivals))
        return self._board(rows, limit, arrivals), notices

    def _board(self, rows: list[_Row], limit: int, arrivals: bool) -> Board:
        entries: list[Entry] = []
        known: set[tuple[int, int, int, int]] = set()
        for moment_s, stop, train, number in rows:
            key = (moment_s, stop, int(self.network.train_of[train]), number)
            if key in known:
                continue  # rules make several trains of one
            moment = moment_s + self.network.epoch_s
            if len(entries) >= limit and moment > entries[-1].moment:
                return Board(_in_order(entries), moment)
            known.add(key)
            run = self.runs.tell(train, number)
            entries.append(Entry(moment, self._call(run, stop, moment_s, arrivals), run))
        return Board(_in_order(entries), None)

    def _call(self, run: WholeRun, stop: int, moment_s: int, arrivals: bool) -> int:
        """Return which call of the run it is, by place and scheduled time."""
        place = self.runs.place(stop)
        moment = moment_s + self.network.epoch_s
        calls = [at for at, call in enumerate(run.leg.calls) if call.place is place]

        def off(at: int) -> int:
            call = run.leg.calls[at]
            return abs((call.arrival if arrivals else call.departure) - moment)

        return min(calls, key=off)

    def _rows(
        self, day: DaySlice, stops: tuple[int, ...], first_s: int, end_s: int, arrivals: bool
    ) -> Iterator[_Row]:
        start, order = self._points
        flag = ALIGHTING_BIT if arrivals else BOARDING_BIT
        times = day.arrivals_s if arrivals else day.departures_s
        for stop in stops:
            for point in order[start[stop] : start[stop + 1]].tolist():
                low, high = day.stop_pattern_start[point : point + 2].tolist()
                for pattern, pos in zip(
                    day.stop_patterns[low:high].tolist(),
                    day.stop_pattern_pos[low:high].tolist(),
                    strict=True,
                ):
                    if not day.pattern_flags[int(day.pattern_stop_start[pattern]) + pos] & flag:
                        continue
                    run, end = day.pattern_run_start[pattern : pattern + 2].tolist()
                    base = int(day.pattern_time_start[pattern]) + pos * (end - run)
                    moments = times[base : base + end - run]
                    a, b = np.searchsorted(moments, (first_s, end_s)).tolist()
                    for at in range(run + a, run + b):
                        if self.network.train_through[day.run_train[at]]:
                            continue  # its trains stand there themselves
                        k = at - run
                        yield int(moments[k]), stop, int(day.run_train[at]), int(day.run_day[at])


def _in_order(entries: list[Entry]) -> tuple[Entry, ...]:
    """Return the entries by moment; of equal ones by line, place and trip, on any machine."""

    def key(entry: Entry) -> tuple[int, str, str, list[tuple[str, str]]]:
        leg = entry.run.leg
        trips = [(section.feed, section.trip_id) for section in leg.sections]
        return entry.moment, leg.line, leg.calls[entry.at].place.id, trips

    return tuple(sorted(entries, key=key))
