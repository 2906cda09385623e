"""How two runs relate: equal, contained, overlap, hand-over, parallel, touching, crossing.

Both are sequences of stations with times counted from the same origin, without border points. The
structural rule is what makes a join safe: the shared run is all of one of them, or the end of one
and the beginning of the other. Two shared stations in the same minute are not enough: two trains
may follow one another, or connect.

Source: feeds-and-merging 5.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "equal", "contained", "overlap", "hand_over", "parallel", "touching", "crossing", "none"
]
TOLERANCE_S = 60  # structure alone
NUMBER_TOLERANCE_S = 180  # with equal train numbers
HAND_OVER_DWELL_S = 1_800

Call = tuple[int, int, int]  # station, arrival_s, departure_s


@dataclass(frozen=True, slots=True)
class Relation:
    """How two runs A and B relate.

    Parameters
    ----------
    kind : str
        The class.
    pairs : tuple of (i, j)
        Calls of A and B that are the same call.
    swapped : bool
        contained: A lies in B; overlap, hand_over, touching: B comes first.
    gaps : int
        Calls inside the shared run that only one of the two lists.
    difference_s : int
        Largest difference of times in the shared run.
    dwell_s : int
        hand_over and touching: from the first's arrival to the second's departure.
    """

    kind: Kind
    pairs: tuple[tuple[int, int], ...] = ()
    swapped: bool = False
    gaps: int = 0
    difference_s: int = 0
    dwell_s: int = 0

    @property
    def joins(self) -> bool:
        """Whether the class makes the two runs one train."""
        return self.kind in ("equal", "contained", "overlap", "hand_over")


def call_difference_s(a: Call, b: Call) -> int:
    """Return how far the times of two calls lie apart: the nearer of arrivals and departures.

    Where a run begins or ends, only one of its two times is real, so the nearer one counts.
    """
    return min(abs(a[1] - b[1]), abs(a[2] - b[2]))


def align(
    a: Sequence[Call], b: Sequence[Call], tolerance_s: int
) -> tuple[tuple[tuple[int, int], ...], int]:
    """Return the calls that both runs list, in order, and the largest difference of their times.

    Times grow along both runs, so taking the first fitting call of B for each call of A finds the
    longest common sequence unless a run comes back to a station within the tolerance.
    """
    pairs = []
    difference = 0
    low = 0
    for i, call in enumerate(a):
        for j in range(low, len(b)):
            other = b[j]
            if other[1] > call[2] + tolerance_s:
                break
            if other[0] == call[0]:
                apart = call_difference_s(call, other)
                if apart <= tolerance_s:
                    pairs.append((i, j))
                    difference = max(difference, apart)
                    low = j + 1
                    break
    return tuple(pairs), difference


def _gaps(pairs: Sequence[tuple[int, int]]) -> int:
    (i0, j0), (i1, j1) = pairs[0], pairs[-1]
    return (i1 - i0 + 1 - len(pairs)) + (j1 - j0 + 1 - len(pairs))


def hand_over(a: Sequence[Call], b: Sequence[Call]) -> Relation | None:
    """Return the hand-over where one run ends at the station where the other begins, else None."""
    for first, second, swapped in ((a, b, False), (b, a, True)):
        if first[-1][0] == second[0][0]:
            dwell = second[0][2] - first[-1][1]
            if 0 <= dwell <= HAND_OVER_DWELL_S:
                pair = (0, len(first) - 1) if swapped else (len(first) - 1, 0)
                return Relation("hand_over", (pair,), swapped, dwell_s=dwell)
    return None


def relate(
    a: Sequence[Call], b: Sequence[Call], *, equal_number: bool, known_numbers: bool
) -> Relation:
    """Return how two runs relate.

    Parameters
    ----------
    a, b : sequence of (station, arrival_s, departure_s)
        Times from one origin.
    equal_number : bool
        Both train numbers are known and equal, or a manifest pair says they are one train.
    known_numbers : bool
        Both train numbers are known.

    >>> ic = [(1, 0, 0), (2, 600, 660), (3, 1200, 1260), (4, 1800, 1800)]
    >>> relate(ic, ic[1:3], equal_number=False, known_numbers=False).kind
    'contained'
    >>> relate(ic[:3], ic[1:], equal_number=False, known_numbers=False).kind
    'overlap'
    >>> relate(ic[:3], ic[2:], equal_number=True, known_numbers=True).kind
    'hand_over'
    >>> relate(ic[:3], ic[2:], equal_number=False, known_numbers=False).kind
    'touching'
    >>> relate(ic, ic, equal_number=False, known_numbers=True).kind
    'parallel'
    """
    tolerance = NUMBER_TOLERANCE_S if equal_number else TOLERANCE_S
    pairs, difference = align(a, b, tolerance)
    if len(pairs) < 2:
        return _relate_by_end(a, b, pairs, equal_number)
    gaps = _gaps(pairs)
    kind, swapped = _shape(len(a), len(b), pairs, gaps, equal_number)
    if kind != "crossing" and known_numbers and not equal_number:
        kind = "parallel"
    return Relation(kind, pairs, swapped, gaps, difference)


def _relate_by_end(
    a: Sequence[Call], b: Sequence[Call], pairs: tuple[tuple[int, int], ...], equal_number: bool
) -> Relation:
    """Return the relation of runs that share one station at most."""
    meeting = hand_over(a, b)
    if meeting is not None:
        if equal_number:
            return meeting
        return Relation("touching", meeting.pairs, meeting.swapped, dwell_s=meeting.dwell_s)
    return Relation("touching" if pairs else "none", pairs)


def _shape(
    n_a: int, n_b: int, pairs: tuple[tuple[int, int], ...], gaps: int, equal_number: bool
) -> tuple[Kind, bool]:
    """Return the class of a shared run of two stations or more, and whether B comes first.

    A call that only the longer of two runs lists is no contradiction (contained: the shorter one
    skips it in print); calls that only one lists inside an overlap need an equal number.
    """
    (i0, j0), (i1, j1) = pairs[0], pairs[-1]
    n = len(pairs)
    a_whole, b_whole = n == n_a, n == n_b
    if a_whole and b_whole:
        return "equal", False
    if b_whole:
        return "contained", False
    if a_whole:
        return "contained", True
    if gaps and not equal_number:
        return "crossing", False
    if i0 == 0 and i1 == n_a - 1:
        return "contained", not (j0 == 0 and j1 == n_b - 1 and n_a >= n_b)
    if j0 == 0 and j1 == n_b - 1:
        return "contained", False
    if j0 == 0 and i1 == n_a - 1:
        return "overlap", False
    if i0 == 0 and j1 == n_b - 1:
        return "overlap", True
    return "crossing", False
