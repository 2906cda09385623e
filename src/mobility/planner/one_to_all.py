"""Arrivals alone: at every stop from one origin, and at many destinations from many origins."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from mobility.core.stop import Stop
from mobility.core.units import DAY_S
from mobility.network import Connections, DaySlice, Network
from mobility.network.connections import build_connections
from mobility.planner.fitting import Fit
from mobility.planner.memory import frozen_all
from mobility.planner.scan import LATER_S, STOPPED, scan, target_times, travel_times, walk_on

UNREACHED = -1
LONGEST_HORIZON_S = DAY_S
_NEVER = Stop()  # of who does not stop
Array32 = npt.NDArray[np.int32]
Ends = npt.NDArray[np.int32]


class DaySlices(Protocol):
    """Where day slices come from, such as `mobility.network.slices.SliceStore`."""

    def get(self, date: dt.date) -> DaySlice:
        """Return the slice of a date in UTC."""
        ...


@runtime_checkable
class ConnectedSlices(Protocol):
    """Slices that keep their connections beside them."""

    def connections(self, date: dt.date, *, backwards: bool = False) -> Connections:
        """Return the connections of a date in UTC, in order of departure."""
        ...


class _KeptConnections:
    """The connections of slices that do not keep any: a rider's own, the running day's."""

    def __init__(self, network: Network, slices: DaySlices) -> None:
        self._network, self._slices = network, slices
        self._kept: dict[bool, tuple[DaySlice, Connections]] = {}

    def connections(self, date: dt.date, *, backwards: bool = False) -> Connections:
        """Return the connections of a date, made anew where its slice is another than before."""
        day = self._slices.get(date)
        known = self._kept.get(backwards)
        if known is None or known[0] is not day:
            known = (day, build_connections(self._network, day, backwards=backwards))
            self._kept[backwards] = known
        return known[1]


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """The earliest arrivals from one origin, or the latest departures to one destination.

    Parameters
    ----------
    moment : int
        Unix second of the departure; of the arrival where one looks backwards.
    travel_s : int32[n_stops]
        Seconds between the moment and the arrival at (departure from) each stop, walks included;
        `UNREACHED` where the horizon does not suffice.
    """

    moment: int
    horizon_s: int
    backwards: bool
    travel_s: Array32

    def at_stations(self, network: Network) -> Array32:
        """Return the same by station: the least of its stops."""
        reached = np.flatnonzero(self.travel_s >= 0)
        least = np.full(network.n_stations, LATER_S, np.int32)
        np.minimum.at(least, network.stop_station[reached], self.travel_s[reached])
        return np.where(least == LATER_S, np.int32(UNREACHED), least)


class Targets(NamedTuple):
    """Destinations as the kernel takes them: the points from which each is reached on foot, CSR.

    ``direct_s`` is the moment at which one who walks all the way is there.
    """

    start: Array32
    point: Array32
    walk_s: Array32
    direct_s: Array32


def targets_of(ends: Sequence[Ends], direct_s: Sequence[int]) -> Targets:
    """Return targets from the ends of each destination (`Reach.ends`)."""
    start = np.zeros(len(ends) + 1, np.int32)
    np.cumsum([end.shape[1] for end in ends], out=start[1:])
    empty = np.empty((3, 0), np.int32)
    joined = np.concatenate([empty, *ends], axis=1)
    arrays = (start, joined[0], joined[1], np.array(direct_s, np.int64))
    return Targets(*frozen_all(arrays, [np.int32] * 4))


NO_TARGETS = targets_of((), ())


class _Scratch:
    """The state of one thread's scan, filled anew for each: that is memory at its full speed."""

    def __init__(self, n_points: int) -> None:
        self.ready, self.ridden = (np.empty(n_points + 1, np.int32) for _ in range(2))
        self.boarded = np.empty(0, np.uint8)

    def open(self, ends: Ends, moment_s: int, n_runs: int) -> None:
        self.ready.fill(LATER_S)
        self.ridden.fill(LATER_S)
        self.ridden[-1] = -LATER_S  # nowhere
        if len(self.boarded) < n_runs:
            self.boarded = np.empty(n_runs, np.uint8)
        self.boarded.fill(0)
        np.minimum.at(self.ready, ends[0], ends[1] + np.int32(moment_s))


class OneToAll:
    """Scans of a network as a rider finds it; serves all threads."""

    def __init__(self, fit: Fit) -> None:
        network, slices, back = fit.network, fit.slices, fit.back
        self._network = network
        self._slices: ConnectedSlices = (
            slices if isinstance(slices, ConnectedSlices) else _KeptConnections(network, slices)
        )
        between = {
            False: (network.walk_start, network.walk_to, network.walk_s),
            True: (back["back_start"], back["back_from"], back["back_s"]),
        }
        kinds = [np.int32] * 4
        self._paths = {
            backwards: frozen_all((network.change_s, *walks), kinds)
            for backwards, walks in between.items()
        }
        # After the last ride no change is made, so that none takes the least that is asked for.
        self._last_paths = {
            backwards: frozen_all((paths.start, paths.stop, paths.walk_s), kinds[:3])
            for backwards, paths in ((False, fit.out_paths), (True, fit.in_paths))
            if fit.needs.min_change_s
        }
        self._local = threading.local()

    def arrivals(
        self, ends: Ends, moment: int, horizon_s: int, *, backwards: bool = False,
        stop: Stop | None = None,
    ) -> Arrivals:  # fmt: skip
        """Return the arrivals at all stops.

        Parameters
        ----------
        ends : int32[3, n]
            Points from which (backwards: to which) one walks at first, with seconds.
        moment : int
            Unix second of the departure (of the arrival).
        horizon_s : int
            Longest travel, at most `LONGEST_HORIZON_S`.

        Raises
        ------
        StoppedError
            The work was told to stop.
        """
        first_s, scratch = self._scan(ends, moment, horizon_s, backwards, NO_TARGETS, stop)
        if backwards in self._last_paths:
            walk_start, walk_to, walk_s = self._last_paths[backwards]
            walk_on(scratch.ridden, walk_start, walk_to, walk_s, scratch.ready)
        travel_s = np.empty(self._network.n_stops, np.int32)
        travel_times(scratch.ready, scratch.ridden, first_s, first_s + horizon_s, travel_s)
        return Arrivals(moment, horizon_s, backwards, travel_s)

    def to_targets(
        self, ends: Ends, moment: int, horizon_s: int, targets: Targets, *, stop: Stop | None = None
    ) -> Array32:
        """Return the seconds to each target, `UNREACHED` beyond the horizon; looks no further."""
        first_s, scratch = self._scan(ends, moment, horizon_s, False, targets, stop)
        travel_s = np.empty(len(targets.direct_s), np.int32)
        target_times(
            scratch.ridden, targets.start, targets.point, targets.walk_s, targets.direct_s,
            first_s, first_s + horizon_s, travel_s,
        )  # fmt: skip
        return travel_s

    def _scan(
        self, ends: Ends, moment: int, horizon_s: int, backwards: bool, targets: Targets,
        stop: Stop | None,
    ) -> tuple[int, _Scratch]:  # fmt: skip
        earliest = moment - horizon_s if backwards else moment
        date = dt.datetime.fromtimestamp(earliest, dt.UTC).date()
        found = self._slices.connections(date, backwards=backwards)
        first_s = moment - self._network.epoch_s
        first_s = -first_s if backwards else first_s
        scratch = self._scratch()
        scratch.open(ends, first_s, found.n_runs)
        change_s, walk_start, walk_to, walk_s = self._paths[backwards]
        status = scan(
            found.departures_s, found.arrivals_s, found.from_point, found.to_point, found.run,
            change_s, walk_start, walk_to, walk_s, first_s, first_s + horizon_s,
            targets.start, targets.point, targets.walk_s, targets.direct_s,
            (stop or _NEVER).flag, scratch.ready, scratch.ridden, scratch.boarded,
        )  # fmt: skip
        if status == STOPPED:
            assert stop is not None  # nobody sets the other
            stop.check()
        return first_s, scratch

    def _scratch(self) -> _Scratch:
        scratch: _Scratch | None = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = _Scratch(self._network.n_points)
        return scratch


def percentiles(travel_s: Array32, shares: Sequence[int]) -> Array32:
    """Return percentiles over the first axis, by the nearest rank; unreached counts as longest.

    Source: M. W. Conway, A. Byrd, M. van Eggermond, Accounting for uncertainty and variation in
    accessibility metrics, Journal of Transport and Land Use, 2018.

    >>> percentiles(np.array([[60], [-1], [120], [180]], np.int32), [50, 75, 100]).tolist()
    [[120], [180], [-1]]
    """
    ordered = np.sort(np.where(travel_s < 0, LATER_S, travel_s), axis=0)
    ranks = [max(0, -(-share * len(ordered) // 100) - 1) for share in shares]
    return np.where(ordered[ranks] == LATER_S, UNREACHED, ordered[ranks]).astype(np.int32)
