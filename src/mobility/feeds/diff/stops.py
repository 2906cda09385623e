"""Which stops of two versions of a feed are the same, whatever their ids say.

What is equal in content is matched first; what is left by id (where ids prove stable and the place
is plausible), then by code, by name nearby, and by place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from math import cos, hypot, radians
from typing import Any

from mobility.feeds.diff.values import (
    Change,
    Churn,
    Row,
    different,
    equal_pairs,
    value_of,
)

KM_PER_DEGREE = 111.2
MOVED_M = 1.0  # less is rounding
SAME_ID_M = 2_000.0  # an id that is farther away names another stop, unless the name is the same
SAME_CODE_M = 5_000.0
SAME_NAME_M = 500.0
SAME_PLACE_M = 30.0
STOP_FIELDS = (
    "stop_name", "stop_code", "platform_code", "location_type", "wheelchair_boarding",
)  # fmt: skip


def match_stops(
    old: Sequence[Row], new: Sequence[Row]
) -> tuple[list[int], list[int], list[Change], Churn]:
    """Return the class of each old and new stop (equal: the same stop), changes, and id churn."""
    matched, churn = equal_pairs(old, new, _stop_content, "stop_id")
    left = [at for at in range(len(old)) if at not in matched]
    free = set(range(len(new))) - set(matched.values())
    steps = [*([_by_id] if churn.stable else []), _by_code, _by_name, _by_place]
    for step in steps:
        found = step(old, new, [at for at in left if at not in matched], sorted(free))
        matched.update(found)
        free -= set(found.values())
    classes: dict[Hashable, int] = {}
    old_classes = [classes.setdefault(_stop_content(row), len(classes)) for row in old]
    back = {there: here for here, there in matched.items()}
    # A new stop that looks like one that stayed is its twin; any other one is a class of its own.
    known = {_stop_content(new[at]): old_classes[here] for at, here in back.items()}
    new_classes = []
    for at, row in enumerate(new):
        content = _stop_content(row)
        fresh = known.setdefault(content, len(classes) + at)
        new_classes.append(old_classes[back[at]] if at in back else fresh)
    return old_classes, new_classes, _stop_changes(old, new, matched), churn


def _stop_content(row: Row) -> Hashable:
    place = tuple(
        None if row[axis] is None else round(row[axis], 6) for axis in ("stop_lat", "stop_lon")
    )
    return (*(value_of(row, field) for field in STOP_FIELDS), place)


def _by_id(
    old: Sequence[Row], new: Sequence[Row], left: Sequence[int], free: Sequence[int]
) -> dict[int, int]:
    there = {new[at]["stop_id"]: at for at in free}
    pairs = {}
    for at in left:
        other = there.get(old[at]["stop_id"])
        if other is None:
            continue
        far = distance_m(old[at], new[other])
        if far is None or far <= SAME_ID_M or old[at]["stop_name"] == new[other]["stop_name"]:
            pairs[at] = other
    return pairs


def _by_code(
    old: Sequence[Row], new: Sequence[Row], left: Sequence[int], free: Sequence[int]
) -> dict[int, int]:
    here = _unique((old[at]["stop_code"], at) for at in left)
    there = _unique((new[at]["stop_code"], at) for at in free)
    return {
        at: there[code]
        for code, at in here.items()
        if code in there and _near(old[at], new[there[code]], SAME_CODE_M)
    }


def _by_name(
    old: Sequence[Row], new: Sequence[Row], left: Sequence[int], free: Sequence[int]
) -> dict[int, int]:
    def name(row: Row) -> Hashable:
        return str(row["stop_name"]).casefold(), row["platform_code"], row["location_type"]

    return _nearest(old, new, left, free, name, SAME_NAME_M)


def _by_place(
    old: Sequence[Row], new: Sequence[Row], left: Sequence[int], free: Sequence[int]
) -> dict[int, int]:
    return _nearest(old, new, left, free, lambda row: row["location_type"], SAME_PLACE_M)


def _nearest(
    old: Sequence[Row],
    new: Sequence[Row],
    left: Sequence[int],
    free: Sequence[int],
    group: Callable[[Row], Hashable],
    limit_m: float,
) -> dict[int, int]:
    """Pair each with the nearest of its group within a distance, the nearest pairs first."""
    cells: dict[Hashable, list[int]] = defaultdict(list)
    step = max(limit_m / 1000 / KM_PER_DEGREE, 1e-5)
    for at in free:
        if new[at]["stop_lat"] is not None:
            cells[group(new[at]), int(new[at]["stop_lat"] // step)].append(at)
    found = []
    for at in left:
        if old[at]["stop_lat"] is None:
            continue
        row = int(old[at]["stop_lat"] // step)
        for near in (row - 1, row, row + 1):
            for other in cells.get((group(old[at]), near), ()):
                far = distance_m(old[at], new[other])
                if far is not None and far <= limit_m:
                    found.append((far, at, other))
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, at, other in sorted(found):
        if at not in pairs and other not in taken:
            pairs[at] = other
            taken.add(other)
    return pairs


def distance_m(left: Row, right: Row) -> float | None:
    """Return the metres between two stops; None where one has no position."""
    values = [row[axis] for row in (left, right) for axis in ("stop_lat", "stop_lon")]
    if any(value is None for value in values):
        return None
    lat, lon, other_lat, other_lon = values
    scale = cos(radians((lat + other_lat) / 2))
    return KM_PER_DEGREE * 1000 * hypot(other_lat - lat, (other_lon - lon) * scale)


def _near(left: Row, right: Row, limit_m: float) -> bool:
    far = distance_m(left, right)
    return far is None or far <= limit_m


def _unique(pairs: Iterable[tuple[Any, int]]) -> dict[Any, int]:
    """Return the values that stand once, and where; empty ones aside."""
    places: dict[Any, list[int]] = defaultdict(list)
    for value, at in pairs:
        if value is not None:
            places[value].append(at)
    return {value: found[0] for value, found in places.items() if len(found) == 1}


def _stop_changes(
    old: Sequence[Row], new: Sequence[Row], matched: Mapping[int, int]
) -> list[Change]:
    changes = []
    for at, row in enumerate(old):
        name = row["stop_name"] or row["stop_id"]
        if at not in matched:
            changes.append(Change("gone", name, old_id=row["stop_id"]))
            continue
        other = new[matched[at]]
        moved = distance_m(row, other) or 0.0
        fields = different(row, other, STOP_FIELDS)
        if fields or moved > MOVED_M:
            moved_m = round(moved) if moved > MOVED_M else 0
            changes.append(
                Change("changed", name, row["stop_id"], other["stop_id"], fields, moved_m)
            )
    known = set(matched.values())
    changes += [
        Change("new", row["stop_name"] or row["stop_id"], new_id=row["stop_id"])
        for at, row in enumerate(new)
        if at not in known
    ]
    return changes
