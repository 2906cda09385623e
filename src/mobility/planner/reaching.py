"""What can be reached: all stops from one endpoint, many endpoints from many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mobility.core.errors import UsageError
from mobility.core.notices import Notice
from mobility.core.stop import Stop
from mobility.core.units import DAY_S
from mobility.network import Network
from mobility.planner.endpoint import (
    CrowFlies,
    Endpoint,
    Footpaths,
    WalkTimes,
    direct_walk,
    reach_of,
)
from mobility.planner.one_to_all import (
    LONGEST_HORIZON_S,
    Arrivals,
    DaySlices,
    OneToAll,
    targets_of,
)
from mobility.planner.remarks import Coverage
from mobility.planner.values import NEVER_S, reverse_walks


class Reaching:
    """Finds what can be reached in a network; one serves all threads.

    Parameters
    ----------
    network : Network
    slices : DaySlices
        Its day slices.
    walks : WalkTimes, optional
        Walks between positions and stops; the straight line with a detour by default.
    """

    def __init__(
        self, network: Network, slices: DaySlices, *, walks: WalkTimes | None = None
    ) -> None:
        back = reverse_walks(network)
        self.network = network
        self._walks = walks or CrowFlies(network)
        self._coverage = Coverage(network)
        self._out_paths = Footpaths(
            network.walk_start, network.walk_to, network.walk_s, network.walk_m
        )
        self._in_paths = Footpaths(
            back["back_start"], back["back_from"], back["back_s"], back["back_m"]
        )
        self._one_to_all = OneToAll(network, slices, self._out_paths, self._in_paths)

    def reach(
        self,
        endpoint: Endpoint,
        *,
        depart: int | None = None,
        arrive: int | None = None,
        horizon_s: int = DAY_S,
        stop: Stop | None = None,
    ) -> tuple[Arrivals, tuple[Notice, ...]]:
        """Return the earliest arrival at every stop within a horizon; by any number of rides.

        With `arrive`, the latest departure from every stop that is at the endpoint in time.

        Parameters
        ----------
        depart, arrive : int
            Unix seconds; one of the two.
        horizon_s : int
            Longest travel in seconds, at most 24 hours.
        stop : Stop, optional
            Ends the search from another thread.

        Raises
        ------
        UsageError
            The parameters contradict each other or are beyond their limits.
        DateOutsideError
            No feed covers the date.
        StoppedError
            The search was told to stop.
        """
        if (depart is None) == (arrive is None):
            raise UsageError("give either a departure or an arrival")
        _check_horizon(horizon_s)
        moment = arrive if depart is None else depart
        assert moment is not None  # checked before
        notices = self._coverage.check((moment, moment), endpoint.tz)
        backwards = arrive is not None
        paths = self._in_paths if backwards else self._out_paths
        ends = reach_of(endpoint, paths, self._walks).ends
        found = self._one_to_all.arrivals(ends, moment, horizon_s, backwards=backwards, stop=stop)
        return found, notices

    def matrix(
        self,
        origins: Sequence[Endpoint],
        destinations: Sequence[Endpoint],
        departures: Sequence[int],
        *,
        horizon_s: int = DAY_S,
        stop: Stop | None = None,
    ) -> npt.NDArray[np.int32]:
        """Return the seconds from each origin to each destination, for each departure.

        Parameters
        ----------
        departures : sequence of int
            Unix seconds.

        Returns
        -------
        int32[n_departures, n_origins, n_destinations]
            -1 where the horizon does not suffice. Where one is already, 0.

        Raises
        ------
        UsageError, DateOutsideError, StoppedError
            As `reach`.
        """
        _check_horizon(horizon_s)
        for moment in departures:
            self._coverage.check((moment, moment), origins[0].tz)
        ends = [reach_of(end, self._in_paths, self._walks).ends for end in destinations]
        table = np.empty((len(departures), len(origins), len(destinations)), np.int32)
        for row, origin in enumerate(origins):
            start = reach_of(origin, self._out_paths, self._walks)
            walks = [
                direct_walk(self.network, self._walks, origin, end, start) for end in destinations
            ]
            for at, moment in enumerate(departures):
                leave_s = moment - self.network.epoch_s
                direct_s = [NEVER_S if walk is None else leave_s + walk[0] for walk in walks]
                table[at, row] = self._one_to_all.to_targets(
                    start.ends, moment, horizon_s, targets_of(ends, direct_s), stop=stop
                )
        return table


def _check_horizon(horizon_s: int) -> None:
    if not 0 < horizon_s <= LONGEST_HORIZON_S:
        raise UsageError(f"a horizon of {horizon_s} s: expected 1 s to 24 h")
