"""Wrong cells of a workbook: all of them are collected, so that they are corrected at once."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mobility.core.errors import FeedError
from mobility.core.notices import Notice

MAX_FAULTS = 200
CODE = "unreadable_cell"
_CELL = re.compile(r"[A-Z]+([0-9]+)")
# Of what the tables' rules find in a workbook that is refused, what a cell is to blame for by
# itself: the others may follow from the cells that could not be read.
_OF_CELLS = (
    *("stop_time_with", "missing_required_field", "number_out_of_range"),
    *("unexpected_enum_value", "invalid_integer_cleared", "invalid_color", "invalid_timezone"),
)


class Faults:
    """The cells of one workbook that cannot be read; of several findings of a cell the first."""

    def __init__(self, place: str, feed: str) -> None:
        self.place = place
        self.feed = feed
        self._told: dict[tuple[str, str], str] = {}

    def __bool__(self) -> bool:
        return bool(self._told)

    def __contains__(self, place: tuple[str, str]) -> bool:
        """Return whether a cell (sheet, place in it) is told already."""
        return place in self._told

    def add(self, sheet: str, cell: str, told: str) -> None:
        """Note what is wrong with a cell such as ``D7``, or with a sheet where it is empty."""
        self._told.setdefault((sheet, cell), told)

    def refusal(self, others: Iterable[Notice] = ()) -> FeedError:
        """Return the error that refuses the workbook, with a notice for each wrong cell.

        Parameters
        ----------
        others : iterable of Notice
            What else was found in it; kept where a cell by itself is wrong.
        """
        notices = [self._notice(sheet, cell, told) for (sheet, cell), told in self._told.items()]
        notices += [
            notice
            for notice in others
            if notice.code.startswith(_OF_CELLS)
            and _CELL.fullmatch(notice.field)
            and (notice.file, notice.field) not in self._told
        ]
        count = len(notices)
        if count == 1:
            return FeedError(f"{self.place}: {notices[0].message}", tuple(notices))
        summary = f"{self.place}: {count} cells are wrong; nothing of it is read"
        left = count - MAX_FAULTS
        if left > 0:
            rest = f"{left} more wrong cells are not listed here"
            notices[MAX_FAULTS:] = [Notice(CODE, "error", self.feed, message=rest, count=left)]
        first = f"{self.place}: {count} cells are wrong, first {notices[0].message}"
        return FeedError(first, tuple(notices), summary)

    def _notice(self, sheet: str, cell: str, told: str) -> Notice:
        match = _CELL.fullmatch(cell)
        place = f"{sheet}!{cell}" if match else f"sheet {sheet!r}"
        row = int(match[1]) if match else 0
        return Notice(CODE, "error", self.feed, sheet, row, cell, message=f"{place}: {told}")
