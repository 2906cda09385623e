"""Two timetables side by side: the same stations in one row, the run they share marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mobility.web.catalogue import Catalogue

Document = dict[str, Any]
MAX_CALLS = 400  # longer timetables are cut; the alignment is quadratic


@dataclass(frozen=True, slots=True)
class ListedCall:
    """A call as one feed lists it.

    Parameters
    ----------
    station : str
        What both feeds agree on: the merged station's id, else the stop's own reference.
    name : str
        The stop's name in this feed.
    arrival, departure : str
        Local time ``HH:MM``; empty where there is none (ends of the run).
    platform : str
        Of this call, or empty.
    border : bool
        A border point: nobody boards or alights.
    """

    station: str
    name: str
    arrival: str
    departure: str
    platform: str = ""
    border: bool = False


@dataclass(frozen=True, slots=True)
class Timetable:
    """One trip: a title, a word about it (feed, number, days), its calls in order."""

    title: str
    about: str
    calls: tuple[ListedCall, ...]


def common_run(left: Sequence[ListedCall], right: Sequence[ListedCall]) -> list[tuple[int, int]]:
    """Return the longest run of stations that both call at in the same order, as index pairs.

    Of equally long ones the first of the left.

    >>> a = [ListedCall(s, s, "", "") for s in "abcd"]
    >>> b = [ListedCall(s, s, "", "") for s in "xbcy"]
    >>> common_run(a, b)
    [(1, 1), (2, 2)]
    """
    rows, columns = len(left), len(right)
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            if left[i].station == right[j].station:
                best[i][j] = best[i + 1][j + 1] + 1
            else:
                best[i][j] = max(best[i + 1][j], best[i][j + 1])
    found, i, j = [], 0, 0
    while i < rows and j < columns:
        if left[i].station == right[j].station and best[i][j] == best[i + 1][j + 1] + 1:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return found


def pair_timetables(left: Timetable, right: Timetable, strings: Catalogue) -> Document:
    """Return two timetables for the macro ``timetables``."""
    calls = left.calls[:MAX_CALLS], right.calls[:MAX_CALLS]
    rows: list[Document] = []
    at = [0, 0]
    for pair in [*common_run(*calls), (len(calls[0]), len(calls[1]))]:
        # What stands before the next common station: the left's own, then the right's.
        for side in (0, 1):
            for call in calls[side][at[side] : pair[side]]:
                rows.append(_row(call, None) if side == 0 else _row(None, call))
        if pair[0] < len(calls[0]) and pair[1] < len(calls[1]):
            rows.append(_row(calls[0][pair[0]], calls[1][pair[1]]))
        at = [pair[0] + 1, pair[1] + 1]
    return {
        "title": strings.text("pair.title", left=left.title, right=right.title),
        "sides": [{"title": side.title, "about": side.about} for side in (left, right)],
        "rows": rows,
    }


def _row(left: ListedCall | None, right: ListedCall | None) -> Document:
    shown = left or right
    assert shown is not None
    other = right.name if left and right and right.name != left.name else ""
    return {
        "name": shown.name,
        "also": other,
        "common": left is not None and right is not None,
        "border": shown.border,
        "calls": [left, right],
    }
