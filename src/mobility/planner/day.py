"""A day slice made ready for the kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mobility.network import Bounds, DaySlice, Links, Network
from mobility.planner.memory import references
from mobility.planner.values import (
    Array,
    Timetable,
    Trains,
    bound_arrays,
    link_arrays,
    no_bounds,
    timetable_of,
    trains_of,
)


@dataclass(frozen=True, slots=True)
class Day:
    """A slice as the kernels take it; the tuples keep alive what the references point to."""

    timetable: Timetable
    trains: Trains
    timetable_refs: npt.NDArray[np.int64]
    trains_refs: npt.NDArray[np.int64]
    n_patterns: int
    links: Links | None
    links_refs: npt.NDArray[np.int64] | None
    bounds: Bounds
    bounds_refs: npt.NDArray[np.int64]


def prepared(
    network: Network,
    day: DaySlice,
    train_arrays: dict[str, Array],
    back: dict[str, Array],
    links: Links | None = None,
    bounds: Bounds | None = None,
) -> Day:
    """Return a slice made ready.

    Parameters
    ----------
    train_arrays, back : dict
        Of `values.train_arrays` and `values.reverse_walks`.
    links : Links, optional
        Without them the search goes by stops.
    bounds : Bounds, optional
        Of the timetable as planned: not for a slice with trains that run faster or are added.
    """
    bounds = bounds or no_bounds(network.n_points)
    timetable, trains = timetable_of(network, day, back), trains_of(day, train_arrays)
    return Day(
        timetable, trains, references(timetable), references(trains), day.n_patterns,
        links, None if links is None else references(link_arrays(links)),
        bounds, references(bound_arrays(bounds)),
    )  # fmt: skip
