"""What a comparison of two versions of a feed speaks of, and pairing by content or id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STABLE_SHARE = 0.5  # ids are stable if at least so many of the equal things keep theirs
ZERO_IF_EMPTY = frozenset({"location_type", "wheelchair_boarding"})  # GTFS: empty means 0

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that has come, gone or changed.

    Parameters
    ----------
    kind : str
        ``new``, ``gone`` or ``changed``.
    name : str
        As riders know it; the old name where it has changed.
    fields : dict of str to (old, new)
        What has changed.
    moved_m : int
        How far a stop has moved, in metres.
    """

    kind: str
    name: str
    old_id: str = ""
    new_id: str = ""
    fields: Mapping[str, tuple[str, str]] | None = None
    moved_m: int = 0


@dataclass(frozen=True, slots=True)
class Churn:
    """How many of the things that are the same in both versions have another id."""

    compared: int
    differ: int

    @property
    def share(self) -> float:
        """The share with another id, 0 to 1."""
        return self.differ / self.compared if self.compared else 0.0

    @property
    def stable(self) -> bool:
        """Whether an id may be believed to mean the same thing in both versions."""
        return 1 - self.share >= STABLE_SHARE


def equal_pairs(
    old: Sequence[Row], new: Sequence[Row], content: Callable[[Row], Hashable], key: str
) -> tuple[dict[int, int], Churn]:
    """Pair rows of equal content, twins by their id first; return how many have another id."""
    there: dict[Hashable, list[int]] = defaultdict(list)
    for at, row in enumerate(new):
        there[content(row)].append(at)
    pairs: dict[int, int] = {}
    rest: list[int] = []
    for at, row in enumerate(old):
        twins = there.get(content(row), [])
        same = next((one for one in twins if new[one][key] == row[key]), None)
        if same is None:
            rest.append(at)
        else:
            twins.remove(same)
            pairs[at] = same
    n_same = len(pairs)
    for at in rest:
        twins = there.get(content(old[at]), [])
        if twins:
            pairs[at] = twins.pop(0)
    return pairs, Churn(len(pairs), len(pairs) - n_same)


def different(left: Row, right: Row, fields: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the fields in which two rows differ, with both values as text."""
    return {
        field: (text_of(left[field]), text_of(right[field]))
        for field in fields
        if value_of(left, field) != value_of(right, field)
    }


def value_of(row: Row, field: str) -> Any:
    """Return a cell's value; 0 for an empty one where GTFS says that empty means 0."""
    return row[field] or 0 if field in ZERO_IF_EMPTY else row[field]


def text_of(value: Any) -> str:
    """Return a value as text; nothing for none."""
    return "" if value is None else str(value)
