"""What can be reached: all stops from one endpoint, many endpoints from many."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mobility.core.errors import UsageError
from mobility.core.notices import Notice
from mobility.core.stop import Stop
from mobility.core.units import DAY_S
from mobility.planner.endpoint import Endpoint, direct_walk, reach_of
from mobility.planner.fitting import Fit, Fits, LastFew
from mobility.planner.needs import NO_NEEDS, Needs
from mobility.planner.one_to_all import LONGEST_HORIZON_S, Arrivals, OneToAll, targets_of
from mobility.planner.remarks import Coverage
from mobility.planner.values import NEVER_S


class Reaching:
    """Finds what can be reached in a network; one serves all threads.

    Parameters
    ----------
    fits : Fits
        A planner's own, where there is one, so that a rider's arrays are made once.
    """

    def __init__(self, fits: Fits) -> None:
        self.network = fits.usual.network
        self._fits = fits
        self._coverage = Coverage(self.network)
        self._take(fits.usual)
        self._riders: LastFew[Reaching] = LastFew()

    def for_rider(self, needs: Needs) -> Reaching:
        """Return who finds what such a rider can reach; the last few are kept.

        Raises
        ------
        UsageError
            The needs name an operator that the network does not have, or places to pass.
        """
        if needs.via:
            raise UsageError("via: a place to pass goes with a journey, not with all in reach")
        return self._riders.of(needs, self._fitted)

    def _take(self, fit: Fit) -> None:
        self._fit, self._one_to_all = fit, OneToAll(fit)

    def _fitted(self, needs: Needs) -> Reaching:
        made = copy.copy(self)
        made._take(self._fits.of(needs))
        made._riders = LastFew()
        return made

    def reach(
        self,
        endpoint: Endpoint,
        *,
        depart: int | None = None,
        arrive: int | None = None,
        horizon_s: int = DAY_S,
        needs: Needs = NO_NEEDS,
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
        needs : Needs
            What the journeys must be like; no places to pass.
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
        if needs != NO_NEEDS:
            return self.for_rider(needs).reach(
                endpoint, depart=depart, arrive=arrive, horizon_s=horizon_s, stop=stop
            )
        if (depart is None) == (arrive is None):
            raise UsageError("give either a departure or an arrival")
        _check_horizon(horizon_s)
        moment = arrive if depart is None else depart
        assert moment is not None  # checked before
        notices = self._coverage.check((moment, moment), endpoint.tz)
        backwards = arrive is not None
        paths = self._fit.in_paths if backwards else self._fit.out_paths
        ends = reach_of(endpoint, paths, self._fit.walks).ends
        found = self._one_to_all.arrivals(ends, moment, horizon_s, backwards=backwards, stop=stop)
        return found, notices + self._fit.notices

    def matrix(
        self,
        origins: Sequence[Endpoint],
        destinations: Sequence[Endpoint],
        departures: Sequence[int],
        *,
        horizon_s: int = DAY_S,
        needs: Needs = NO_NEEDS,
        stop: Stop | None = None,
    ) -> tuple[npt.NDArray[np.int32], tuple[Notice, ...]]:
        """Return the seconds from each origin to each destination, for each departure.

        Parameters
        ----------
        departures : sequence of int
            Unix seconds.
        needs : Needs
            As in `reach`.

        Returns
        -------
        int32[n_departures, n_origins, n_destinations]
            -1 where the horizon does not suffice. Where one is already, 0.
        tuple of Notice

        Raises
        ------
        UsageError, DateOutsideError, StoppedError
            As `reach`.
        """
        if needs != NO_NEEDS:
            return self.for_rider(needs).matrix(
                origins, destinations, departures, horizon_s=horizon_s, stop=stop
            )
        _check_horizon(horizon_s)
        found = [self._coverage.check((moment, moment), origins[0].tz) for moment in departures]
        notices = tuple(dict.fromkeys(notice for some in found for notice in some))
        fit, on_foot = self._fit, self._fit.walks
        ends = [reach_of(end, fit.in_paths, on_foot).ends for end in destinations]
        table = np.empty((len(departures), len(origins), len(destinations)), np.int32)
        for row, origin in enumerate(origins):
            start = reach_of(origin, fit.out_paths, on_foot)
            walks = [direct_walk(self.network, on_foot, origin, end, start) for end in destinations]
            for at, moment in enumerate(departures):
                leave_s = moment - self.network.epoch_s
                direct_s = [NEVER_S if walk is None else leave_s + walk[0] for walk in walks]
                table[at, row] = self._one_to_all.to_targets(
                    start.ends, moment, horizon_s, targets_of(ends, direct_s), stop=stop
                )
        return table, notices + fit.notices


def _check_horizon(horizon_s: int) -> None:
    if not 0 < horizon_s <= LONGEST_HORIZON_S:
        raise UsageError(f"a horizon of {horizon_s} s: expected 1 s to 24 h")
