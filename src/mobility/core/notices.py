"""Notices: what was found in data, collected and counted, never raised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, order=True)
class Notice:
    """One finding in one place of the data.

    Parameters
    ----------
    code : str
        Stable name in snake_case; the canonical validator's where it has one.
    severity : str
        ``error`` (rows were dropped or a promise is broken), ``warning`` or ``info``.
    feed : str
        Feed id, or empty where the finding belongs to the region.
    file : str
        GTFS file name such as ``stop_times.txt``, or empty.
    row : int
        Line number in the file, the header being line 1; 0 where unknown.
    field : str
        Column name, or empty.
    value : str
        The offending value, cut to 200 characters.
    message : str
        What was expected and what was done, one sentence.
    count : int
        How many rows this notice stands for.
    """

    code: str
    severity: Severity
    feed: str = ""
    file: str = ""
    row: int = 0
    field: str = ""
    value: str = ""
    message: str = ""
    count: int = 1

    def line(self) -> str:
        """Return the notice as one line for people.

        >>> Notice("short_row", "warning", "north", "stops.txt", 7, message="cut").line()
        'warning: short_row: north:stops.txt line 7: cut'
        """
        place = " ".join(
            part
            for part in (
                ":".join(part for part in (self.feed, self.file) if part),
                f"line {self.row}" if self.row else "",
                self.field,
            )
            if part
        )
        value = repr(self.value) if self.value else ""
        where = " ".join(part for part in (place, value) if part)
        times = f" ({self.count} rows)" if self.count > 1 else ""
        said = [self.severity, self.code, *([where] if where else []), self.message]
        return ": ".join(said) + times


def count_by_code(notices: Iterable[Notice]) -> dict[str, int]:
    """Return how many rows each notice code stands for, in order of the code.

    >>> count_by_code([Notice("b", "info"), Notice("a", "error", count=3), Notice("b", "info")])
    {'a': 3, 'b': 2}
    """
    total: Counter[str] = Counter()
    for notice in notices:
        total[notice.code] += notice.count
    return dict(sorted(total.items()))
