"""Earlier and later: consecutive pages of all the best journeys there ever are.

The whole is the Pareto set of departure, arrival and transfers of a window without end. A page is
its part that departs (for an arrival: arrives) within a span of time, and the next page begins
where this one ends: nothing is told twice, nothing between two pages is lost. The answer for one
departure (arrival) is a part of the whole too, of whatever departs from then on (arrives until
then): the pages beside it are those of its moment without what it has told.
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
BESIDE_S = 2 * 3600  # what a page beside the answer for one departure spans
_ARRIVING, _EARLIER, _BESIDE = 1, 2, 4
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
    beside : bool
        Whether the question was for one departure (arrival), whose answer no page tells again.
    """

    arriving: bool
    moment: int
    window_s: int
    edge: int
    earlier: bool
    edition: str
    beside: bool = False

    def text(self) -> str:
        """Return the cursor as it stands in an address."""
        kind = _ARRIVING * self.arriving | _EARLIER * self.earlier | _BESIDE * self.beside
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
        if version != VERSION or kind > (_ARRIVING | _EARLIER | _BESIDE):
            raise UsageError("page: of another version of this program; ask anew")
        if short != _short(edition):
            raise UsageError("page: the timetable is another one by now; ask anew")
        _check_window(window_s, bool(kind & _ARRIVING))
        if not all(0 <= moment_s < _LATEST_S for moment_s in (moment, edge)):
            raise UsageError("page: of no time that a timetable has")
        arriving, earlier, beside = (bool(kind & bit) for bit in (_ARRIVING, _EARLIER, _BESIDE))
        return cls(arriving, moment, window_s, edge, earlier, edition, beside)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the best journeys, in order, and where those before and after them are.

    Parameters
    ----------
    journeys : tuple of Journey
    notices : tuple of Notice
    begin, end : int
        Unix seconds of the half-open span of departures (arrivals) that the page holds; both are
        the moment of a question for one departure (the second after that of one arrival).
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

    @property
    def window_s(self) -> int | None:
        """Seconds of the span; None where one departure (arrival) was asked for."""
        return self.end - self.begin or None

    @property
    def depart(self) -> int | None:
        """Unix second from which on departures are asked for; None if arrivals are."""
        return None if self.next.arriving else self.begin

    @property
    def arrive(self) -> int | None:
        """Unix second of the last arrival that is asked for; None if departures are."""
        return self.end - 1 if self.next.arriving else None


def plan_pages(
    planner: Planner,
    origin: Endpoint,
    destination: Endpoint,
    *,
    depart: int | None = None,
    arrive: int | None = None,
    window_s: int | None = None,
    page: str = "",
    edition: str,
    **asked: Any,
) -> Page:
    """Return the answer to a question as people ask it: one departure, a window, or another page.

    Parameters
    ----------
    depart, arrive, window_s : int, optional
        As in `Planner.plan`; a window may go with an arrival as well.
    page : str
        A cursor that an answer to the same question had; then the moments are not looked at.
    edition : str
        Hash of the timetable.
    asked
        `max_transfers`, `needs`, `language` and `as_planned` of `Planner.plan`.

    Raises
    ------
    UsageError
        The page is none of ours, or the moments contradict each other or are beyond their limits.
    DateOutsideError
        No feed covers the days.
    """
    if page:
        return plan_page(planner, origin, destination, Cursor.read(page, edition), **asked)
    if window_s is not None:
        first = first_page(depart=depart, arrive=arrive, window_s=window_s, edition=edition)
        return plan_page(planner, origin, destination, first, **asked)
    before, after = pages_beside(depart=depart, arrive=arrive, edition=edition)
    answer = planner.plan(origin, destination, depart=depart, arrive=arrive, **asked)
    return Page(
        answer.journeys, answer.notices, after.edge, after.edge, before, after, answer.live
    )  # fmt: skip


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


def pages_beside(*, depart: int | None, arrive: int | None, edition: str) -> tuple[Cursor, Cursor]:
    """Return the pages before and after the answer for one departure, or for one arrival.

    Raises
    ------
    UsageError
        Both moments or none are given.
    """
    first = first_page(depart=depart, arrive=arrive, window_s=BESIDE_S, edition=edition)
    before, after = (replace(first, earlier=earlier, beside=True) for earlier in (True, False))
    return before, after


def plan_page(
    planner: Planner, origin: Endpoint, destination: Endpoint, cursor: Cursor, **asked: Any
) -> Page:
    """Return the journeys of a page; an empty one grows until it has some, up to a day.

    Walking all the way is told once, on the question's own page.

    Parameters
    ----------
    asked
        `max_transfers`, `needs`, `language` and `as_planned` of `Planner.plan`.

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
    moment, arriving = cursor.moment, cursor.arriving
    if cursor.beside:  # the answer told what departs from the moment on (arrives until then)
        is_answered = begin <= moment if arriving else moment < end
    else:  # walking all the way is told with the moment
        is_answered = begin <= moment < end
    if is_answered:
        depart, arrive = (None, moment) if arriving else (moment, None)
        there = planner.plan(origin, destination, depart=depart, arrive=arrive, **asked).journeys
        if cursor.beside:
            told = {_value(journey) for journey in there}
            journeys = [journey for journey in journeys if _value(journey) not in told]
        else:
            journeys += [journey for journey in there if _is_walk(journey)]
    return sorted(journeys, key=_value), answer


def _value(journey: Journey) -> tuple[int, int, int]:
    return journey.departure, journey.arrival, journey.transfers


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
