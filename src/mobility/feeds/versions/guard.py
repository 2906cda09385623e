"""The guard: what speaks against taking a new version of a feed into use.

It compares two versions in numbers (`FeedSummary`) and is asked before every activation; a person
may overrule it with a reason, which is written down.

Source: reference "feeds and merging", section 11; the figures are its guard rails.
"""

from __future__ import annotations

import datetime as dt
from math import cos, hypot, radians

from mobility.feeds.versions.summary import Box, FeedSummary

HORIZON_DAYS = 14
DROP_SHARE = 0.30  # a day may lose up to this share of its trips
BOX_JUMP_KM = 50.0  # an edge of the served area may move so far, or half the area's diagonal
KM_PER_DEGREE = 111.2


def guard(old: FeedSummary | None, new: FeedSummary, today: dt.date) -> tuple[str, ...]:
    """Return what speaks against activating ``new`` where ``old`` is in use; empty: nothing.

    Each reason is one line with its figures.
    """
    reasons = []
    if new.valid_until < today:
        reasons.append(f"it ended on {new.valid_until}: nothing of it runs any more")
    if old is not None:
        reasons += [
            *_trips_drop(old, new, today),
            *_agencies_vanish(old, new),
            *_box_jumps(old, new),
            *_errors_rise(old, new),
            *_zone_changes(old, new),
        ]
    return tuple(reasons)


def _trips_drop(old: FeedSummary, new: FeedSummary, today: dt.date) -> list[str]:
    """Compare each of the next days, today included; a day that ``old`` does not serve is free."""
    days = [today + dt.timedelta(days=ahead) for ahead in range(HORIZON_DAYS)]
    drops = [
        (1 - new.days.on(day) / old.days.on(day), day)
        for day in days
        if old.days.on(day) and new.days.on(day) < (1 - DROP_SHARE) * old.days.on(day)
    ]
    if not drops:
        return []
    share, day = max(drops, key=lambda drop: (drop[0], -drop[1].toordinal()))
    return [
        f"trips drop by more than {DROP_SHARE:.0%} on {len(drops)} of the next {HORIZON_DAYS}"
        f" days; worst {day}: {old.days.on(day):,} to {new.days.on(day):,} (-{share:.0%})"
    ]


def _agencies_vanish(old: FeedSummary, new: FeedSummary) -> list[str]:
    """Name the agencies of which neither the id nor the name is there any more."""
    ids = {one for one, _ in new.agencies}
    names = {name.casefold() for _, name in new.agencies}
    gone = [name for one, name in old.agencies if one not in ids and name.casefold() not in names]
    if not gone:
        return []
    more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
    return [f"agencies vanish: {', '.join(gone[:3])}{more}"]


def _box_jumps(old: FeedSummary, new: FeedSummary) -> list[str]:
    if old.box is None or new.box is None:
        return [] if old.box == new.box else ["the positions of all stops vanish or appear"]
    allowed = max(BOX_JUMP_KM, diagonal_km(old.box) / 2)
    scale = KM_PER_DEGREE * cos(radians((old.box[0] + old.box[2]) / 2))
    sides = zip(
        ("south", "west", "north", "east"),
        old.box,
        new.box,
        (KM_PER_DEGREE, scale) * 2,
        strict=True,
    )
    moved = [(abs(b - a) * km, side) for side, a, b, km in sides]
    far, side = max(moved)
    if far <= allowed:
        return []
    return [f"the served area jumps: its {side} edge moves by {far:,.0f} km ({allowed:,.0f} may)"]


def diagonal_km(box: Box) -> float:
    """Return the diagonal of a box in kilometres.

    >>> round(diagonal_km((47.0, 7.0, 48.0, 7.0)))
    111
    """
    south, west, north, east = box
    scale = cos(radians((south + north) / 2))
    return KM_PER_DEGREE * hypot(north - south, (east - west) * scale)


def _errors_rise(old: FeedSummary, new: FeedSummary) -> list[str]:
    if new.errors <= old.errors:
        return []
    return [f"rows with errors rise from {old.errors:,} to {new.errors:,}"]


def _zone_changes(old: FeedSummary, new: FeedSummary) -> list[str]:
    if old.zone == new.zone:
        return []
    return [f"the time zone changes from {old.zone} to {new.zone}"]
