"""Service days of a whole region: one horizon, unique rows, and shifts between zones.

A service date belongs to a zone: its origin is noon minus twelve hours there. Two trips of
different feeds meet on the same instants when the time of one, counted from its origin, equals
the time of the other plus the difference of the two origins. That difference is a constant for
nearly all days; where clocks change it is not, and the days fall into groups.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mobility.core.errors import InputError
from mobility.core.time import service_day_origin
from mobility.feeds import Feed, service_days

HORIZON_DAYS_MAX = 3_660  # ten years; a feed that claims more has a slip in its dates

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Days:
    """Service rows of all feeds over one horizon.

    Parameters
    ----------
    first : date
        Day 0.
    rows : bool[n_services, n_days]
        Unique rows, in order of their bits.
    feed_service : tuple of mapping
        Per feed: service_id to row.
    cut : bool
        The feeds' own validities are longer than the horizon can be.
    """

    first: dt.date
    rows: Bools
    feed_service: tuple[dict[str, int], ...]
    cut: bool

    @property
    def n_days(self) -> int:
        """Number of days of the horizon."""
        return int(self.rows.shape[1])


@dataclass(frozen=True, slots=True)
class Offset:
    """Days on which two zones' service-day origins lie the same number of seconds apart.

    Parameters
    ----------
    shift : int
        Service date of the right trip minus that of the left, in days.
    seconds : int
        Origin of the right date minus origin of the left date.
    days : bool[n_days]
        By service date of the left trip.
    """

    shift: int
    seconds: int
    days: Bools


def find_horizon(
    feeds: Sequence[Feed], first: dt.date | None, last: dt.date | None
) -> tuple[dt.date, int, bool]:
    """Return first day, number of days and whether the feeds claim more than is kept.

    Raises
    ------
    InputError
        The last day lies before the first, or further from it than an edition reaches.
    """
    start = first or min(feed.valid_from for feed in feeds)
    end = last or max(feed.valid_until for feed in feeds)
    n_days = (end - start).days + 1
    if n_days < 1:
        raise InputError(f"the last day {end} lies before the first day {start}")
    if first and last and n_days > HORIZON_DAYS_MAX:
        raise InputError(
            f"{start} to {end} are {n_days:,} days; an edition holds at most {HORIZON_DAYS_MAX:,}"
        )
    return start, min(n_days, HORIZON_DAYS_MAX), n_days > HORIZON_DAYS_MAX


def unique_rows(rows: Bools) -> tuple[Bools, Ints]:
    """Return the unique rows in order of their bits, and for each row its place among them."""
    if not rows.shape[0]:
        return rows, np.zeros(0, np.int64)
    packed = np.ascontiguousarray(np.packbits(rows, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return rows[first], inverse.astype(np.int64)


def region_days(feeds: Sequence[Feed], first: dt.date | None, last: dt.date | None) -> Days:
    """Return the service rows of all feeds over their common horizon.

    Raises
    ------
    InputError
        The horizon is none, is too long, or no service runs on any of its days.
    """
    start, n_days, cut = find_horizon(feeds, first, last)
    tables = [service_days(feed, start, n_days) for feed in feeds]
    rows, place = unique_rows(np.concatenate([bits for _, bits in tables], axis=0))
    if not rows.any():
        end = start + dt.timedelta(days=n_days - 1)
        said = ", ".join(f"{f.config.id} {f.valid_from} to {f.valid_until}" for f in feeds)
        raise InputError(f"no trip runs from {start} to {end}; the feeds cover: {said}")
    offsets = np.cumsum([0, *(bits.shape[0] for _, bits in tables)])
    services = tuple(
        {service: int(place[offset + row]) for service, row in names.items()}
        for (names, _), offset in zip(tables, offsets[:-1], strict=True)
    )
    return Days(start, rows, services, cut)


def zone_origins(zone: str, first: dt.date, n_days: int) -> Ints:
    """Return the unix second of each service-day origin of the zone; int64[n_days]."""
    days = [service_day_origin(first + dt.timedelta(days=day), zone) for day in range(n_days)]
    return np.array(days, np.int64)


def offsets_between(left: Ints, right: Ints, *, shift_max: int = 1) -> list[Offset]:
    """Return the groups of days with the same distance between two zones' origins.

    Parameters
    ----------
    left, right : int64[n_days]
        Origins of the left and the right zone.
    shift_max : int
        How many service dates apart the two trips may be dated.

    >>> day = 86_400
    >>> [(o.shift, o.seconds, int(o.days.sum())) for o in offsets_between(np.arange(3) * day,
    ...  np.arange(3) * day - 3_600)]
    [(-1, -90000, 2), (0, -3600, 3), (1, 82800, 2)]
    """
    n_days = len(left)
    found = []
    for shift in range(-shift_max, shift_max + 1):
        days = np.arange(max(0, -shift), min(n_days, n_days - shift))
        seconds = right[days + shift] - left[days]
        for value in np.unique(seconds):
            mask = np.zeros(n_days, np.bool_)
            mask[days[seconds == value]] = True
            found.append(Offset(shift, int(value), mask))
    return found


def shift_days(days: Bools, shift: int) -> Bools:
    """Return ``out[..., d] = days[..., d + shift]``, False beyond the horizon.

    >>> shift_days(np.array([True, False, False]), -1).tolist()
    [False, True, False]
    """
    if not shift:
        return days.copy()
    out = np.zeros_like(days)
    n_days = days.shape[-1]
    if abs(shift) >= n_days:
        return out
    if shift > 0:
        out[..., : n_days - shift] = days[..., shift:]
    else:
        out[..., -shift:] = days[..., : n_days + shift]
    return out
