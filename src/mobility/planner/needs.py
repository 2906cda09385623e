"""What a rider needs beyond getting there: a plain value, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass

from mobility.core.errors import UsageError
from mobility.core.units import WALK_SPEED_M_S
from mobility.planner.assemble import BASIC_VEHICLES, EXTENDED_VEHICLES, OTHER_VEHICLE
from mobility.planner.endpoint import Endpoint

MAX_VIA = 2
MAX_STAY_S = 12 * 3600
MAX_CHANGE_S = 2 * 3600
WALK_SPEEDS_M_S = (0.3, 3.0)  # a slow walking frame, a runner
MAX_WALK_M = 100_000
MAX_NAMED = 50  # modes or operators in one list
VEHICLES = frozenset({*BASIC_VEHICLES.values(), *EXTENDED_VEHICLES.values(), OTHER_VEHICLE})


@dataclass(frozen=True, slots=True)
class Via:
    """A place to pass, and how long to be there.

    A ride that calls at the place while the rider is on board passes it, if no stay is asked for.
    So does a change there: between two rides of which one ends or the other begins at the place,
    and which leaves `stay_s` beside the walk to or from another stop.
    """

    place: Endpoint
    stay_s: int = 0

    def __post_init__(self) -> None:
        if not self.place.stops:
            raise UsageError("via: a position is no stop; name a station or a stop")
        if not 0 <= self.stay_s <= MAX_STAY_S:
            raise UsageError(f"via: a stay of {self.stay_s} s: expected 0 to {MAX_STAY_S} s")


@dataclass(frozen=True, slots=True)
class Needs:
    """What journeys must be like for a rider; the default asks for nothing.

    Parameters
    ----------
    wheelchair : bool
        Only trips, stops and ways in stations that are said to be accessible; unknown is not.
    bike : bool
        Only trips that are said to take bikes.
    modes, not_modes : frozenset of str
        Kinds of vehicle (`VEHICLES`) to use alone (empty: any), or not to use.
    operators, not_operators : frozenset of str
        Agencies ``feed:agency_id``, likewise. Of a joined train the sections count one by one.
    via : tuple of Via
        Places to pass in this order, at most two.
    min_change_s : int
        Least seconds between two rides.
    walk_speed_m_s : float
        Metres per second on foot. Slower, a walk takes its metres at that speed, and no less than
        before; faster, what transfers.txt states and the change time of a station stay.
    max_walk_m : int or None
        The longest single walk, metres.

    Raises
    ------
    UsageError
        A value that is out of its limits or contradicts another.
    """

    wheelchair: bool = False
    bike: bool = False
    modes: frozenset[str] = frozenset()
    not_modes: frozenset[str] = frozenset()
    operators: frozenset[str] = frozenset()
    not_operators: frozenset[str] = frozenset()
    via: tuple[Via, ...] = ()
    min_change_s: int = 0
    walk_speed_m_s: float = WALK_SPEED_M_S
    max_walk_m: int | None = None

    def __post_init__(self) -> None:
        for name, chosen, left_out in (
            ("modes", self.modes, self.not_modes),
            ("operators", self.operators, self.not_operators),
        ):
            if len(chosen) > MAX_NAMED or len(left_out) > MAX_NAMED:
                raise UsageError(f"{name}: expected at most {MAX_NAMED} of them")
            if both := sorted(chosen & left_out):
                raise UsageError(f"{name}: {both[0]!r} is asked for and left out")
        for mode in sorted(self.modes | self.not_modes):
            if mode not in VEHICLES:
                raise UsageError(f"mode {mode!r}: expected one of {', '.join(sorted(VEHICLES))}")
        if len(self.via) > MAX_VIA:
            raise UsageError(f"{len(self.via)} via: expected at most {MAX_VIA}")
        if len(self.via) == MAX_VIA and set(self.via[0].place.stops) & set(self.via[1].place.stops):
            raise UsageError("via: the same place twice")
        if not 0 <= self.min_change_s <= MAX_CHANGE_S:
            raise UsageError(
                f"a least change of {self.min_change_s} s: expected 0 to {MAX_CHANGE_S} s"
            )
        low, high = WALK_SPEEDS_M_S
        if not low <= self.walk_speed_m_s <= high:
            raise UsageError(
                f"a walking speed of {self.walk_speed_m_s} m/s: expected {low} to {high} m/s"
            )
        if self.max_walk_m is not None and not 0 <= self.max_walk_m <= MAX_WALK_M:
            raise UsageError(f"a longest walk of {self.max_walk_m} m: expected 0 to {MAX_WALK_M} m")


NO_NEEDS = Needs()
