"""How a run goes: what is said of some of its calls, carried on to the others.

The rules are those of GTFS Realtime ("Trip Updates"): a time counts before a delay; a delay holds
for all later calls until the next one of which something is said; NO_DATA ends it; a skipped call
passes it on. Times that would run backwards are mended: what is said later in the run waits for
what is said before, and what is only carried on gives way to what is said.

Times are seconds since the network's epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # the planner reads the bits alone
    from mobility.feeds.realtime import Moment, StopUpdate

FAR_S = 1 << 40  # beyond any moment

# Bits of a call's status.
TOLD = 1  # its time was said, or carried on from one that was
SKIPPED = 2  # the train does not stop, or this part of it does not run
NO_DATA = 4  # the operator says that nothing is known: the timetable's time stands
MOVED = 8  # it stops elsewhere than planned, at another platform mostly
NEW = 16  # the timetable knows nothing of this call


class Call(NamedTuple):
    """A planned call of a trip.

    ``sequence`` is None where another feed's trip lists the run and only its ends are known.
    """

    sequence: int | None
    stop: int
    arrival: int
    departure: int


class Said(NamedTuple):
    """What holds for a call: its times, `TOLD` and the other bits, and where it stops (or -1).

    ``exact`` tells which of arrival and departure were said themselves (1, 2), not carried on; 4:
    nothing is said of the arrival, here or before.
    ``board`` and ``alight`` are what the operator changes, None leaving it.
    """

    arrival: int
    departure: int
    status: int
    exact: int = 0
    stop: int = -1
    board: bool | None = None
    alight: bool | None = None


def propagate(
    calls: Sequence[Call],
    updates: Mapping[int, StopUpdate],
    delay_s: int | None,
    epoch_s: int,
    moved: Mapping[int, int],
) -> list[Said | None]:
    """Return what holds for each call, None for those before anything is said.

    Parameters
    ----------
    updates : mapping of int to StopUpdate
        By index of the call.
    delay_s : int or None
        Of the trip as a whole: holds until the first call with a time of its own.
    moved : mapping of int to int
        The stop that takes the place of the planned one, by index of the call.
    """
    said: list[Said | None] = []
    carried, no_data = delay_s, False
    for index, call in enumerate(calls):
        update = updates.get(index)
        if update is not None and update.state == "no_data":
            carried, no_data = None, True
        elif update is not None and (update.arrival or update.departure):
            no_data = False
        stop = moved.get(index, -1)
        status = MOVED if stop >= 0 else 0
        if update is not None and update.state == "skipped":
            status |= SKIPPED
        if no_data:
            said.append(Said(call.arrival, call.departure, status | NO_DATA, 0, stop))
            continue
        arrival, departure, exact = _times(call, update, carried, epoch_s)
        if exact:
            exact |= 4 if carried is None and not exact & 1 else 0
            carried = departure - call.departure
        if carried is None:
            said.append(Said(call.arrival, call.departure, status, 0, stop) if status else None)
            continue
        said.append(Said(arrival, departure, status | TOLD, exact, stop, *_boarding(update)))
    return said


def _times(
    call: Call, update: StopUpdate | None, carried: int | None, epoch_s: int
) -> tuple[int, int, int]:
    """Return arrival and departure of a call, and which of them were said."""
    delay_s = carried or 0
    arrival, departure, exact = call.arrival + delay_s, call.departure + delay_s, 0
    if update is None:
        return arrival, departure, exact
    if update.arrival is not None:
        arrival, exact = _moment(update.arrival, call.arrival, epoch_s), 1
        departure = max(call.departure + arrival - call.arrival, arrival)
    if update.departure is not None:
        departure, exact = _moment(update.departure, call.departure, epoch_s), exact | 2
        if not exact & 1:
            arrival = min(arrival, departure)
    return arrival, departure, exact


def _moment(said: Moment, planned: int, epoch_s: int) -> int:
    if said.time is not None:
        return said.time - epoch_s
    assert said.delay_s is not None  # a decoder leaves out what says neither
    return planned + said.delay_s


def _boarding(update: StopUpdate | None) -> tuple[bool | None, bool | None]:
    """Return whether one boards and alights, where the operator changes it (GTFS types 0, 3)."""
    if update is None:
        return None, None
    kinds = (update.pickup_type, update.drop_off_type)
    board, alight = (None if kind is None else kind in (0, 3) for kind in kinds)
    return board, alight


def carry_on(
    planned: Sequence[tuple[int, int]], said: Sequence[Said | None]
) -> tuple[list[Said], bool]:
    """Return what holds for every call of a train, and whether times had to be mended.

    A delay goes on over calls of which nothing is said: into the part that another feed carries.

    Parameters
    ----------
    planned : sequence of (arrival, departure)
    said : sequence of Said or None
        By position, of the trip that carries it.

    >>> found, mended = carry_on([(0, 0), (60, 70), (90, 90)], [Said(30, 30, TOLD, 2), None, None])
    >>> [(call.arrival, call.departure) for call in found], mended
    ([(30, 30), (90, 100), (120, 120)], False)
    """
    whole: list[Said] = []
    carried: int | None = None
    for (arrival, departure), told in zip(planned, said, strict=True):
        one = told or Said(arrival, departure, 0)
        if one.status & TOLD:
            if one.exact & 4 and carried is not None:
                one = one._replace(arrival=min(arrival + carried, one.departure))
            carried = one.departure - departure
        elif one.status & NO_DATA:
            carried = None
        elif carried is not None:
            one = one._replace(
                arrival=arrival + carried, departure=departure + carried, status=one.status | TOLD
            )
        whole.append(one)
    return _mend(whole)


def _mend(calls: list[Said]) -> tuple[list[Said], bool]:
    """Return the calls with times that nowhere run backwards, and whether any said time moved.

    First what is said waits for what is said before it; then what is carried on or planned stays
    between its neighbours.
    """
    # Two moments a call, arrival and departure, in the order in which they happen.
    moments = [moment for one in calls for moment in (one.arrival, one.departure)]
    if moments == sorted(moments):
        return calls, False
    exact = [bool(one.exact & bit) for one in calls for bit in (1, 2)]
    told = [bool(one.status & TOLD) for one in calls for _ in (1, 2)]
    mended, latest, waits = False, -FAR_S, 0
    for at, moment in enumerate(moments):
        if exact[at]:
            latest = max(latest, moment)
            waits = latest - moment
            mended |= waits > 0
            moments[at] = latest
        elif told[at]:
            moments[at] += waits  # what is carried on follows from the mended time
    bound = FAR_S
    for at in range(len(moments) - 1, -1, -1):
        if exact[at]:
            bound = moments[at]
        moments[at] = min(moments[at], bound)
    moments = list(accumulate(moments, max))
    found = [
        one._replace(arrival=arrival, departure=departure)
        for one, arrival, departure in zip(calls, moments[::2], moments[1::2], strict=True)
    ]
    return found, mended
