"""Earlier and later: consecutive pages of all the best journeys there ever are.

The whole is the Pareto set of departure, arrival and transfers of a window without end. A page is
its part that departs (for an arrival: arrives) within a span of time, and the next page begins
where this one ends: nothing is told twice, nothing between two pages is lost.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mobility.core.errors import DateOutsideError, UsageError
from mobility.core.notices import Notice
from mobility.core.units import DAY_S
from mobility.journey import Journey
from mobility.planner.endpoint import Endpoint
from mobility.planner.query import LONGEST_WINDOW_S, Answer, Planner

if TYPE_CHECKING:  # who plans by the timetable alone loads nothing of it
    from mobility.network.live.files import LiveVersion

VERSION = 1
LONGEST_GROWN_S = DAY_S  # an empty page grows up to this
_LAYOUT = struct.Struct("<BBqIq8s")
_ARRIVING, _EARLIER = 1, 2
_LATEST_S = 1 << 33  # in the year 2242


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins, or ends if it lies before one that is known.

    Parameters
    ----------
    arriving : bool
        Whether arrivals or departures are told apart.
    moment : int
        Unix second of the question: the latest arrival, or the earliest departure.
    window_s : int
        Seconds that a page spans where anything goes in them.
    edge : int
        Unix second at which the page begins (ends, not included, if `earlier`).
    earlier : bool
    edition : str
        Hash of the timetable, of which a page of another is no continuation.
    """

    arriving: bool
    moment: int
    window_s: int
    edge: int
    earlier: bool
    edition: str

    def text(self) -> str:
        """Return the cursor as it stands in an address."""
        kind = _ARRIVING * self.arriving | _EARLIER * self.earlier
        packed = _LAYOUT.pack(
            VERSION, kind, self.moment, self.window_s, self.edge, _short(self.edition)
        )
        packed += struct.pack("<I", binascii.crc32(packed))
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, edition: str) -> Cursor:
        """Return the cursor of a text.

        Raises
        ------
        UsageError
            It is none of ours, or of another version or edition.
        """
        packed = _unpacked(text)
        version, kind, moment, window_s, edge, short = _LAYOUT.unpack(packed)
        if version != VERSION or kind > (_ARRIVING | _EARLIER):
            raise UsageError("page: of another version of this program; ask anew")
        if short != _short(edition):
            raise UsageError("page: the timetable is another one by now; ask anew")
        _check_window(window_s, bool(kind & _ARRIVING))
        if not all(0 <= moment_s < _LATEST_S for moment_s in (moment, edge)):
            raise UsageError("page: of no time that a timetable has")
        return cls(bool(kind & _ARRIVING), moment, window_s, edge, bool(kind & _EARLIER), edition)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the best journeys, in order, and where those before and after them are.

    Parameters
    ----------
    journeys : tuple of Journey
    notices : tuple of Notice
    begin, end : int
        Unix seconds of the half-open span of departures (arrivals) that the page holds.
    previous, next : Cursor
    live : LiveVersion or None
        The version of the running day that they were found in; None for the timetable.
    """

    journeys: tuple[Journey, ...]
    notices: tuple[Notice, ...]
    begin: int
    end: int
    previous: Cursor
    next: Cursor
    live: LiveVersion | None


def first_page(*, depart: int | None, arrive: int | None, window_s: int, edition: str) -> Cursor:
    """Return the cursor of a question's own page.

    It holds what departs within `window_s` seconds from `depart` on, or arrives within `window_s`
    seconds up to `arrive`, that second included.

    Raises
    ------
    UsageError
        Both moments or none are given, or the window is beyond its limits.
    """
    if (depart is None) == (arrive is None):
        raise UsageError("give either a departure or an arrival")
    _check_window(window_s, arrive is not None)
    if arrive is not None:
        return Cursor(True, arrive, window_s, arrive + 1, True, edition)
    assert depart is not None  # one of the two
    return Cursor(False, depart, window_s, depart, False, edition)


def plan_page(
    planner: Planner, origin: Endpoint, destination: Endpoint, cursor: Cursor, **asked: Any
) -> Page:
    """Return the journeys of a page; an empty one grows until it has some, up to a day.

    Walking all the way is told once, on the question's own page.

    Parameters
    ----------
    asked
        `max_transfers`, `needs` and `language` of `Planner.plan`.

    Raises
    ------
    DateOutsideError
        No feed covers the days of the page.
    """
    begin, end = _span(cursor.edge, cursor.window_s, cursor.earlier)
    low, high = begin, end
    while True:
        try:
            journeys, answer = _within(planner, origin, destination, cursor, low, high, asked)
        except DateOutsideError:
            if (low, high) == (begin, end):
                raise
            break
        begin, end = min(begin, low), max(end, high)
        room_s = LONGEST_GROWN_S - (end - begin)
        if journeys or room_s <= 0:
            break
        edge = begin if cursor.earlier else end
        low, high = _span(edge, min(end - begin, room_s), cursor.earlier)
    return Page(
        tuple(journeys), answer.notices, begin, end,
        replace(cursor, edge=begin, earlier=True), replace(cursor, edge=end, earlier=False),
        answer.live,
    )  # fmt: skip


def _within(
    planner: Planner, origin: Endpoint, destination: Endpoint, cursor: Cursor, begin: int, end: int,
    asked: dict[str, Any],
) -> tuple[list[Journey], Answer]:  # fmt: skip
    """Return the journeys of a span, and the answer that they are from."""
    first = begin - DAY_S if cursor.arriving else begin  # no journey takes longer than a day
    answer = planner.plan(origin, destination, depart=first, window_s=end - first, **asked)
    journeys = [
        journey
        for journey in answer.journeys
        if begin <= (journey.arrival if cursor.arriving else journey.departure) < end
        and not _is_walk(journey)
    ]
    if begin <= cursor.moment < end:
        depart, arrive = (None, cursor.moment) if cursor.arriving else (cursor.moment, None)
        there = planner.plan(origin, destination, depart=depart, arrive=arrive, **asked)
        journeys += [journey for journey in there.journeys if _is_walk(journey)]
    return sorted(journeys, key=lambda j: (j.departure, j.arrival, j.transfers)), answer


def _is_walk(journey: Journey) -> bool:
    return all(leg.mode != "transit" for leg in journey.legs)


def _span(edge: int, window_s: int, earlier: bool) -> tuple[int, int]:
    return (edge - window_s, edge) if earlier else (edge, edge + window_s)


def _check_window(window_s: int, arriving: bool) -> None:
    longest_s = LONGEST_WINDOW_S - DAY_S * arriving  # arrivals are those of a day more
    if not 0 < window_s <= longest_s:
        raise UsageError(f"a window of {window_s} s: expected 1 s to {longest_s // 3600} h")


def _short(edition: str) -> bytes:
    return edition[:8].encode().ljust(8, b"\0")


def _unpacked(text: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    packed, seal = data[:-4], data[-4:]
    if len(packed) != _LAYOUT.size or seal != struct.pack("<I", binascii.crc32(packed)):
        raise UsageError("page: not a page of an answer; take it from one as it stands there")
    return packed
