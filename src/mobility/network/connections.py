"""Connections: every hop of every run of a day slice, in the order of its departure.

Source: J. Dibbelt, T. Pajor, B. Strasser, D. Wagner, Connection Scan Algorithm, JEA 2018.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from numba import njit, types

from mobility.core.units import DAY_S
from mobility.network.values import Connections, DaySlice, Network, read_only

_U8 = types.Array(types.uint8, 1, "C", readonly=True)
_I32 = types.Array(types.int32, 1, "C", readonly=True)
_I64 = types.Array(types.int64, 1, "C", readonly=True)
_W_I32 = types.Array(types.int32, 1, "C")
_W_I64 = types.Array(types.int64, 1, "C")


def build_connections(network: Network, day: DaySlice, *, backwards: bool = False) -> Connections:
    """Return the hops of a slice that leave and arrive on its days, in the order of a scan.

    Parameters
    ----------
    backwards : bool
        Seen in a mirror: times are negated and ends swapped, so that the scan that finds earliest
        arrivals finds latest departures.
    """
    midnight = int(dt.datetime.combine(day.date, dt.time(), dt.UTC).timestamp()) - day.epoch_s
    span = day.n_days * DAY_S + 1
    arrays = (
        day.pattern_stop_start, day.pattern_stops, day.pattern_flags, day.pattern_run_start,
        day.pattern_time_start, day.arrivals_s, day.departures_s,
    )  # fmt: skip
    place = np.zeros(span + 1, np.int64)
    none = np.empty(0, np.int32)
    _lay_out(*arrays, midnight, network.n_points, backwards, place, none, none, none, none, none)
    np.cumsum(place, out=place)
    columns = [np.empty(place[-1], np.int32) for _ in range(5)]
    _lay_out(*arrays, midnight, network.n_points, backwards, place, *columns)
    return Connections(*map(read_only, [*columns, day.run_train]))


@njit(
    types.void(
        _I32, _I32, _U8, _I32, _I64, _I32, _I32, types.int64, types.int64, types.boolean,
        _W_I64, _W_I32, _W_I32, _W_I32, _W_I32, _W_I32,
    ),
    cache=True, nogil=True,
)  # fmt: skip
def _lay_out(
    stop_start: Any, stops: Any, flags: Any, run_start: Any, time_start: Any, arrivals: Any,
    departures: Any, midnight: Any, nowhere: Any, backwards: Any, place: Any, departures_s: Any,
    arrivals_s: Any, from_point: Any, to_point: Any, run: Any,
) -> None:  # fmt: skip
    """Count the hops by their moment of departure or, where there is room, write them there.

    ``place`` is by second: first one more than the count of the second before, then where the
    next hop of the second goes. Hops of one run and second stay in the order of the ride.
    """
    span, room = place.size - 1, departures_s.size
    for pattern in range(time_start.size):
        first, n_hops = stop_start[pattern], stop_start[pattern + 1] - stop_start[pattern] - 1
        n_runs = types.int64(run_start[pattern + 1] - run_start[pattern])
        for hop in range(n_hops):
            pos = n_hops - 1 - hop if backwards else hop
            leaves = time_start[pattern] + pos * n_runs
            here, there = first + pos, first + pos + 1
            boards = stops[here] if flags[here] & 1 else nowhere
            alights = stops[there] if flags[there] & 2 else nowhere
            for k in range(n_runs):
                leave, arrive = departures[leaves + k], arrivals[leaves + n_runs + k]
                early, late = leave - midnight, arrive - midnight
                if early < 0 or late >= span:
                    continue
                at = span - 1 - late if backwards else early
                if room == 0:
                    place[at + 1] += 1
                    continue
                row = place[at]
                place[at] += 1
                departures_s[row] = -arrive if backwards else leave
                arrivals_s[row] = -leave if backwards else arrive
                from_point[row] = alights if backwards else boards
                to_point[row] = boards if backwards else alights
                run[row] = run_start[pattern] + k
