"""A day slice made ready for the kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mobility.network import Bounds, DaySlice, Flags, Links, Network
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
    links_refs: npt.NDArray[np.int64]  # empty without links
    bounds: list[Array]
    bounds_refs: npt.NDArray[np.int64]
    n_cells: int  # of the bounds
    is_final: bool  # no more can be made of it


def prepared(
    network: Network,
    day: DaySlice,
    train_arrays: dict[str, Array],
    back: dict[str, Array],
    links: Links | None = None,
    bounds: Bounds | None = None,
    flags: Flags | None = None,
    *,
    is_final: bool = True,
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
    flags : Flags, optional
        Of these links.
    is_final : bool
        Whether links and flags were made at any cost.
    """
    if bounds is None:
        bounds = no_bounds(network.n_points)
    known = bound_arrays(bounds, flags)
    timetable, trains = timetable_of(network, day, back), trains_of(day, train_arrays)
    return Day(
        timetable, trains, references(timetable), references(trains), day.n_patterns,
        links, references(() if links is None else link_arrays(links)),
        known, references(known), bounds.n_cells if flags is None else network.n_points,
        is_final or flags is not None,
    )  # fmt: skip
