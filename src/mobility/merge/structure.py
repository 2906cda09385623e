"""How two runs relate: equal, contained, overlap, hand-over, parallel, touching, crossing.

Both are sequences of stations with times counted from the same origin, without border points. The
structural rule is what makes a join safe: the shared run is all of one of them, or the end of one
and the beginning of the other. Two shared stations in the same minute are not enough: two trains
may follow one another, or connect.

Source: feeds-and-merging 5.2.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal[
    "equal", "contained", "overlap", "hand_over", "parallel", "touching", "crossing", "none"
]
TOLERANCE_S = 60  # structure alone
NUMBER_TOLERANCE_S = 180  # with equal train numbers
INNER_TOLERANCE_S = 600  # the same station between two calls that fit: one feed is rounded or old
STALE_END_S = 1_800  # both begin, or end, at one station: one feed knows of works, one does not
STALE_SHARED_MIN = 3  # calls that fit, from which runs may differ at such an end
HAND_OVER_DWELL_S = 1_800

Call = tuple[
    int, int, int, bool
]  # station, arrival_s, departure_s, passing (nobody boards, alights)


@dataclass(frozen=True, slots=True)
class Relation:
    """How two runs A and B relate.

    Parameters
    ----------
    kind : str
        The class.
    pairs : tuple of (i, j)
        Calls of A and B that are the same call, in order.
    shared : int
        How many of them fit within the tolerance.
    swapped : bool
        contained: A lies in B; overlap, hand_over, touching: B comes first.
    skipped : int
        Calls inside the shared run that only one of the two lists, passing calls not counted.
    difference_s : int
        Largest difference of times in the shared run.
    shape : str
        The class that place and time alone give, whatever the numbers say.
    dwell_s : int or None
        hand_over and touching: from the first's arrival to the second's departure, down to minus
        the tolerance; else None.
    """

    kind: Kind
    pairs: tuple[tuple[int, int], ...] = ()
    shared: int = 0
    swapped: bool = False
    skipped: int = 0
    difference_s: int = 0
    dwell_s: int | None = None
    shape: Kind = "none"

    @property
    def joins(self) -> bool:
        """Whether the class makes the two runs one train."""
        return self.kind in ("equal", "contained", "overlap", "hand_over")


def call_difference_s(a: Call, b: Call) -> int:
    """Return how far the times of two calls lie apart: the nearer of arrivals and departures.

    Where a run begins or ends, only one of its two times is real, so the nearer one counts.
    """
    return min(abs(a[1] - b[1]), abs(a[2] - b[2]))


def align(a: Sequence[Call], b: Sequence[Call], tolerance_s: int) -> list[tuple[int, int]]:
    """Return the calls that both runs list within the tolerance, in order.

    Times grow along both runs, so taking the first fitting call of B for each call of A finds the
    longest common sequence unless a run comes back to a station within the tolerance.
    """
    pairs = []
    low = 0
    for i, call in enumerate(a):
        for j in range(low, len(b)):
            other = b[j]
            if other[1] > call[2] + tolerance_s:
                break
            if other[0] == call[0] and call_difference_s(call, other) <= tolerance_s:
                pairs.append((i, j))
                low = j + 1
                break
    return pairs


def _fill(
    a: Sequence[Call], b: Sequence[Call], pairs: Sequence[tuple[int, int]]
) -> tuple[list[tuple[int, int]], int, bool]:
    """Return the pairs with inner calls added, the calls one run skips, and whether both differ.

    Between two calls that fit, the same station is the same call even where the times are some
    minutes apart. Where both runs list something the other does not, they contradict each other.
    """
    filled = [pairs[0]]
    skipped, contradicts = 0, False
    for (i0, j0), (i1, j1) in itertools.pairwise(pairs):
        inner_a, inner_b = a[i0 + 1 : i1], b[j0 + 1 : j1]
        inner = align(inner_a, inner_b, INNER_TOLERANCE_S) if inner_a and inner_b else []
        rest_a = [c for at, c in enumerate(inner_a) if at not in {i for i, _ in inner}]
        rest_b = [c for at, c in enumerate(inner_b) if at not in {j for _, j in inner}]
        rest_a = [call for call in rest_a if not call[3]]
        rest_b = [call for call in rest_b if not call[3]]
        contradicts |= bool(rest_a) and bool(rest_b)
        skipped += len(rest_a) + len(rest_b)
        filled.extend((i0 + 1 + i, j0 + 1 + j) for i, j in inner)
        filled.append((i1, j1))
    return filled, skipped, contradicts


def _with_stale_ends(
    a: Sequence[Call], b: Sequence[Call], pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return the pairs with a common first or last station added though the times differ there."""
    if len(pairs) < STALE_SHARED_MIN:
        return list(pairs)
    out = list(pairs)
    (i0, j0), (i1, j1) = pairs[0], pairs[-1]
    if i0 and j0 and a[0][0] == b[0][0] and abs(a[0][2] - b[0][2]) <= STALE_END_S:
        out.insert(0, (0, 0))
    last = len(a) - 1, len(b) - 1
    inside = i1 < last[0] and j1 < last[1]
    if inside and a[-1][0] == b[-1][0] and abs(a[-1][1] - b[-1][1]) <= STALE_END_S:
        out.append(last)
    return out


def hand_over(a: Sequence[Call], b: Sequence[Call]) -> Relation | None:
    """Return the touching ends where one run ends at the station where the other begins."""
    for first, second, swapped in ((a, b, False), (b, a, True)):
        if first[-1][0] == second[0][0]:
            dwell = second[0][2] - first[-1][1]
            if -TOLERANCE_S <= dwell <= HAND_OVER_DWELL_S:
                pair = (0, len(first) - 1) if swapped else (len(first) - 1, 0)
                return Relation("touching", (pair,), 1, swapped, dwell_s=dwell, shape="hand_over")
    return None


def relate(
    a: Sequence[Call], b: Sequence[Call], *, equal_number: bool, known_numbers: bool
) -> Relation:
    """Return how two runs relate.

    Parameters
    ----------
    a, b : sequence of (station, arrival_s, departure_s, passing)
        Times from one origin.
    equal_number : bool
        Both train numbers are known and equal, or a manifest pair says they are one train.
    known_numbers : bool
        Both train numbers are known.

    >>> ic = [(n, n * 600, n * 600 + 60, False) for n in range(1, 5)]
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
    >>> late = [*ic[:3], (4, 3_300, 3_300, False)]
    >>> relate(ic, late, equal_number=False, known_numbers=False).kind
    'equal'
    """
    pairs = align(a, b, NUMBER_TOLERANCE_S if equal_number else TOLERANCE_S)
    if len(pairs) < 2:
        meeting = hand_over(a, b)
        if meeting is None:
            return Relation("touching" if pairs else "none", tuple(pairs), len(pairs))
        return replace(meeting, kind="hand_over") if equal_number else meeting
    ended = _with_stale_ends(a, b, pairs)
    filled, skipped, contradicts = _fill(a, b, ended)
    kind, swapped = _shape(len(a), len(b), ended)
    # Of an overlap neither is the whole: a call that one leaves out weighs more than two that fit.
    sparse = kind == "overlap" and skipped * 2 > len(pairs) - 2
    if not equal_number and (contradicts or sparse):
        kind = "crossing"
    shape = kind
    if kind != "crossing" and known_numbers and not equal_number:
        kind = "parallel"
    difference = max(call_difference_s(a[i], b[j]) for i, j in filled)
    return Relation(kind, tuple(filled), len(pairs), swapped, skipped, difference, shape=shape)


def _shape(n_a: int, n_b: int, pairs: Sequence[tuple[int, int]]) -> tuple[Kind, bool]:
    """Return the class of a shared run of two stations or more, and whether B comes first.

    The shared run must begin where one of the two begins and end where one of the two ends. A call
    that only one of two runs lists is no contradiction: the other one leaves it out.
    """
    (i0, j0), (i1, j1) = pairs[0], pairs[-1]
    n = len(pairs)
    begins_a, begins_b, ends_a, ends_b = i0 == 0, j0 == 0, i1 == n_a - 1, j1 == n_b - 1
    if n == n_a == n_b:
        return "equal", False
    if n == n_b:
        return "contained", False
    if n == n_a:
        return "contained", True
    if begins_b and ends_a:
        return "overlap", False
    if begins_a and ends_b:
        return "overlap", True
    if begins_b and ends_b:
        return "contained", False
    if begins_a and ends_a:
        return "contained", True
    return "crossing", False
