"""A network and its day slices as a rider with needs finds them.

Rules change arrays, never kernels: each need is other footpaths, other runs, other points.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from mobility.core.notices import Notice
from mobility.core.units import WALK_SPEED_M_S
from mobility.network import Bounds, DaySlice, Flags, Links, Network
from mobility.network.links import build_links
from mobility.network.slices import LINKED_AT_ONCE
from mobility.network.values import UNKNOWN, Int16s, read_only
from mobility.planner.endpoint import CrowFlies, Footpaths, Reach, WalkTimes
from mobility.planner.layers import Layers
from mobility.planner.needs import NO_NEEDS, Needs
from mobility.planner.riding import Riding
from mobility.planner.values import Array, reverse_walks
from mobility.planner.walking import RiderWalks, changed_network, walked_network

KEPT_DAYS = 4
KEPT_RIDERS = 8  # for whom one holds on to what was made for them
MAX_NAMED_FEEDS = 10
Made = TypeVar("Made")
Steps = list[Callable[[DaySlice], DaySlice]]


class Slices(Protocol):
    """Where day slices come from; `mobility.network.slices.SliceStore`."""

    def get(self, date: dt.date) -> DaySlice:
        """Return the slice of a date in UTC."""
        ...

    def links(self, date: dt.date, *, at_any_cost: bool = False) -> Links | None:
        """Return the links of the slice of a date, None where they take long to make."""
        ...

    def bounds(self, *, at_any_cost: bool = False) -> Bounds | None:
        """Return the bounds of the network, None where they take long to make."""
        ...

    def flags(self, date: dt.date, *, at_any_cost: bool = False) -> Flags | None:
        """Return the flags of the links of a date, None where there are none."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What is searched for a rider, or for all who need nothing.

    Parameters
    ----------
    needs : Needs
    network : Network
        Points, changes and footpaths between two rides.
    back : dict
        The same footpaths by where they lead; see `reverse_walks`.
    out_paths, in_paths : Footpaths
        From an origin by where they begin, to a destination by where they lead.
    slices : Slices
    walks : WalkTimes
        From and to positions.
    layers : Layers or None
        Where there are places to pass.
    notices : tuple of Notice
        What was left out because nobody says whether it fits.
    """

    needs: Needs
    network: Network
    back: dict[str, Array]
    out_paths: Footpaths
    in_paths: Footpaths
    slices: Slices
    walks: WalkTimes
    layers: Layers | None = None
    notices: tuple[Notice, ...] = ()

    def steps(self, network: Network) -> Steps:
        """Return how slices are changed; also of a network that has more trains."""
        return _steps(self.needs, network, self.layers)

    def origin(self, reach: Reach) -> Reach:
        """Return what an origin opens to the rider."""
        return reach if self.layers is None else self.layers.origin(reach)

    def destination(self, reach: Reach) -> Reach:
        """Return what a destination opens to the rider."""
        return reach if self.layers is None else self.layers.destination(reach)


class LastFew(Generic[Made]):
    """What is made for riders, kept for the last of them; serves all threads.

    Two threads that ask for the same at once may both make it: nobody waits for another's.

    Examples
    --------
    >>> kept = LastFew()
    >>> kept.of(NO_NEEDS, lambda needs: "made"), kept.of(NO_NEEDS, lambda needs: "made anew")
    ('made', 'made')
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Needs, Made] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, needs: Needs, make: Callable[[Needs], Made]) -> Made:
        """Return what was made for these needs, or make it."""
        with self._lock:
            if needs in self._kept:
                self._kept.move_to_end(needs)
                return self._kept[needs]
        made = make(needs)
        with self._lock:
            self._kept[needs] = made
            while len(self._kept) > KEPT_RIDERS:
                self._kept.popitem(last=False)
        return made


class Fits:
    """A network and its slices as riders find them; the last few fits are kept.

    Who searches in several ways shares one, so that nothing is laid out twice.

    Parameters
    ----------
    network : Network
    slices : Slices
        Its day slices.
    walks : WalkTimes, optional
        Walks between positions and stops; the straight line with a detour by default.

    Attributes
    ----------
    usual : Fit
        For who needs nothing.
    """

    usual: Fit

    def __init__(self, network: Network, slices: Slices, walks: WalkTimes | None = None) -> None:
        back = reverse_walks(network)
        self.usual = Fit(
            NO_NEEDS, network, back, *_footpaths(network, back), slices,
            walks or CrowFlies(network),
        )  # fmt: skip
        self._riders: LastFew[Fit] = LastFew()

    def of(self, needs: Needs) -> Fit:
        """Return the network and slices as a rider finds them.

        Raises
        ------
        UsageError
            An operator that the network does not have; too many footpaths for via places.
        """
        return self.usual if needs == NO_NEEDS else self._riders.of(needs, self._fit_to)

    def _fit_to(self, needs: Needs) -> Fit:
        usual = self.usual
        network = usual.network
        near = walked_network(network, needs)
        same = near.walk_to is network.walk_to and near.walk_s is network.walk_s
        near_back = usual.back if same else reverse_walks(near)
        paths = (usual.out_paths, usual.in_paths) if same else _footpaths(near, near_back)
        searched = changed_network(near, needs)
        back_s = np.maximum(near_back["back_s"], np.int32(needs.min_change_s))
        back = near_back | {"back_s": back_s}
        layers = Layers(searched, back, needs.via) if needs.via else None
        if layers is not None:
            searched, back = layers.network, layers.back
        quicker = needs.walk_speed_m_s > WALK_SPEED_M_S
        steps = _steps(needs, network, layers)
        slices = FittedSlices(searched, usual.slices, steps, quicker=quicker)
        walks = RiderWalks(usual.walks, needs)
        unknowns = _unknowns(network, needs)
        return Fit(needs, searched, back, *paths, slices, walks, layers, unknowns)


def _steps(needs: Needs, network: Network, layers: Layers | None) -> Steps:
    return [Riding(network, needs).fit, *([] if layers is None else [layers.fit])]


def _footpaths(network: Network, back: dict[str, Array]) -> tuple[Footpaths, Footpaths]:
    """Return the footpaths by the point they lead from, and by the one they lead to."""
    out = Footpaths(network.walk_start, network.walk_to, network.walk_s, network.walk_m)
    return out, Footpaths(*(back[name] for name in ("back_start", "back_from", "back_s", "back_m")))


class FittedSlices:
    """The slices of another store, changed step by step; `Slices`.

    A slice is changed anew when the store has another for its date.
    """

    def __init__(
        self,
        network: Network,
        slices: Slices,
        steps: Steps,
        *,
        quicker: bool,
    ) -> None:
        self._network, self._slices, self._steps = network, slices, steps
        self._quicker = quicker
        self._kept: OrderedDict[dt.date, tuple[DaySlice, DaySlice]] = OrderedDict()
        self._links: OrderedDict[dt.date, tuple[DaySlice, Links | None]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, date: dt.date) -> DaySlice:
        """Return the slice of a date in UTC."""
        usual = self._slices.get(date)
        with self._lock:
            known = self._kept.get(date)
            if known is not None and known[0] is usual:
                return known[1]
            fitted = usual
            for step in self._steps:
                fitted = step(fitted)
            _keep(self._kept, date, (usual, fitted))
            return fitted

    def links(self, date: dt.date, *, at_any_cost: bool = False) -> Links | None:
        """Return the links of a slice; None where they take long, unless `at_any_cost`."""
        day = self.get(date)
        if len(day.arrivals_s) > LINKED_AT_ONCE and not at_any_cost:
            return None
        with self._lock:
            known = self._links.get(date)
            if known is not None and known[0] is day:
                return known[1]
            made = build_links(self._network, day)
            _keep(self._links, date, (day, made))
            return made

    def bounds(self, *, at_any_cost: bool = False) -> Bounds | None:
        """Return the bounds of all riders, which hold in each layer; none for who walks quicker."""
        usual = None if self._quicker else self._slices.bounds(at_any_cost=at_any_cost)
        if usual is None or len(usual.cell_of) == self._network.n_points:
            return usual
        layers = self._network.n_points // len(usual.cell_of)
        return replace(usual, cell_of=read_only(np.tile(usual.cell_of, layers)))

    def flags(self, date: dt.date, *, at_any_cost: bool = False) -> None:
        """Return None: what is asked once is not worth flags."""


def _keep(kept: OrderedDict[dt.date, Any], date: dt.date, value: Any) -> None:
    kept[date] = value
    kept.move_to_end(date)
    while len(kept) > KEPT_DAYS:
        kept.popitem(last=False)


def _unknowns(network: Network, needs: Needs) -> tuple[Notice, ...]:
    """Return a notice for each column that is asked and that feeds leave open, with their ids."""
    served = np.zeros(network.n_stops, np.bool_)
    served[network.station_stops] = True
    silent = served & (network.stop_wheelchair == UNKNOWN)
    stops = network.stop_feed[silent]
    trips, bikes = (
        network.trip_feed[said == UNKNOWN] for said in (network.trip_wheelchair, network.trip_bikes)
    )
    found = [
        _unknown(network, "stops", "wheelchair_boarding", stops if needs.wheelchair else stops[:0]),
        _unknown(
            network, "trips", "wheelchair_accessible", trips if needs.wheelchair else trips[:0]
        ),
        _unknown(network, "trips", "bikes_allowed", bikes if needs.bike else bikes[:0]),
    ]
    return tuple(notice for notice in found if notice.count)


def _unknown(network: Network, what: str, field: str, feed_of: Int16s) -> Notice:
    feeds = np.unique(feed_of).tolist()
    names = ", ".join(network.feed_id[feed] for feed in feeds[:MAX_NAMED_FEEDS])
    names += ", …" if len(feeds) > MAX_NAMED_FEEDS else ""
    return Notice(
        "unknown_left_out", "info", file=f"{what}.txt", field=field, value=names,
        count=len(feed_of),
        message=f"{len(feed_of)} {what} are left out because nobody says {field} of them: {names}",
    )  # fmt: skip
