"""Trains become trips of one time zone: one trip per group of days with the same offset.

GTFS has one zone per feed, the region has one per train. A time counts from its service day's
origin, so in another zone it is the time plus the difference of the two origins; where clocks
change on different days that difference changes too, and the train becomes several trips whose
days do not overlap. A time before the origin belongs to the service day before.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mobility.core.errors import InputError
from mobility.merge.calendar import unique_rows, zone_origins
from mobility.merge.region import Region

DAYS_BACK = 3  # zones are at most 26 hours apart, a scenario moves at most 12 hours

Bools = npt.NDArray[np.bool_]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Runs:
    """The trips of the export; arrays have one entry per trip, in order of (train, first day).

    Parameters
    ----------
    zone : str
        The one zone in which all times count.
    first_date : date
        Day 0 of `days`: some days before the region's.
    days : bool[n_services, n_days]
        Unique rows.
    train, service : int32[n_runs]
        Row of the region's trains; row of `days`.
    seconds : int32[n_runs]
        To be added to the train's times.
    """

    zone: str
    first_date: dt.date
    days: Bools
    train: Int32s
    service: Int32s
    seconds: Int32s

    def __len__(self) -> int:
        return len(self.train)


def export_zone(region: Region) -> str:
    """Return the zone of the region's manifest, else the one that most trains count in."""
    if region.manifest.timezone:
        return region.manifest.timezone
    count = Counter(region.tables["trains"]["zone"].to_list())
    return min(count, key=lambda zone: (-count[zone], zone), default=region.feeds[0].zone)


def make_runs(region: Region) -> Runs:
    """Return the trips that the region's trains become.

    Raises
    ------
    InputError
        No train runs on any day of the region.

    Source: GTFS Schedule reference, agency.agency_timezone; feeds-and-merging 6.
    """
    zone = export_zone(region)
    trains = region.tables["trains"]
    start = region.first_date - dt.timedelta(days=DAYS_BACK)
    target = zone_origins(zone, start, region.n_days + DAYS_BACK)
    parts: list[tuple[Int64s, ...]] = []
    masks: list[Bools] = []
    zones, first_s = trains["zone"], _first_seconds(region)
    for own in sorted(zones.unique().to_list()):
        members = np.flatnonzero((zones == own).to_numpy())
        origins = zone_origins(own, region.first_date, region.n_days)
        for mask, seconds in offset_groups(origins, target):
            chosen = members[_fits(first_s[members], seconds)]
            if len(chosen):
                columns = (len(masks), len(seconds) - 1, seconds[-1])
                parts.append((chosen, *(np.full(len(chosen), value) for value in columns)))
                masks.append(mask)
    if not parts or not region.days.any():
        raise InputError("no train runs on any day of the region: there is nothing to export")
    train, mask_of, back, seconds = (np.concatenate(column) for column in zip(*parts, strict=True))
    service = trains["service"].to_numpy().astype(np.int64)[train]
    rows, row_of = _moved_days(region.days, np.column_stack([service, mask_of, back]), masks)
    order = np.lexsort((rows.argmax(axis=1)[row_of], train))
    order = order[row_of[order] >= 0]
    return Runs(
        zone=zone,
        first_date=start,
        days=rows,
        train=train[order].astype(np.int32),
        service=row_of[order].astype(np.int32),
        seconds=seconds[order].astype(np.int32),
    )


def _moved_days(days: Bools, keys: Int64s, masks: list[Bools]) -> tuple[Bools, Int64s]:
    """Return unique rows of days and each key's (service, mask, days back) row, -1: none."""
    unique, place = np.unique(keys, axis=0, return_inverse=True)
    n_days = days.shape[1]
    bits = np.zeros((len(unique), n_days + DAYS_BACK), np.bool_)
    for row, (service, mask, back) in zip(bits, unique.tolist(), strict=True):
        row[DAYS_BACK - back : DAYS_BACK - back + n_days] = days[service] & masks[mask]
    used = bits.any(axis=1)
    rows, row_of = unique_rows(bits[used])
    found = np.full(len(unique), -1, np.int64)
    found[used] = row_of
    return rows, found[place.reshape(-1)]


def _first_seconds(region: Region) -> Int64s:
    times, first = region.tables["stop_times"], region.tables["trains"]["first_event"].to_numpy()
    arrival, departure = (times[name].to_numpy()[first] for name in ("arrival_s", "departure_s"))
    first_s: Int64s = np.minimum(arrival, departure).astype(np.int64)
    return first_s


def offset_groups(origins: Int64s, target: Int64s) -> Iterator[tuple[Bools, Int64s]]:
    """Yield groups of days with the same differences between two zones' origins.

    Parameters
    ----------
    origins : int64[n_days]
        Of the train's zone.
    target : int64[n_days + DAYS_BACK]
        Of the export's zone, from `DAYS_BACK` days earlier on.

    Yields
    ------
    bool[n_days], int64[1 to DAYS_BACK + 1]
        Days by the train's service date; seconds to add if the trip is dated 0, 1, … days before,
        of which the last is meant.

    >>> day = 86_400
    >>> [(int(mask.sum()), seconds.tolist()) for mask, seconds in offset_groups(
    ...     np.arange(2) * day - 3_600, np.arange(-3, 2) * day)][:2]
    [(2, [-3600]), (2, [-3600, 82800])]
    """
    n_days = len(origins)
    starts = [DAYS_BACK - back for back in range(DAYS_BACK + 1)]
    steps = np.stack([origins - target[start : start + n_days] for start in starts])
    for back in range(DAYS_BACK + 1):
        groups, place = np.unique(steps[: back + 1], axis=1, return_inverse=True)
        for at in range(groups.shape[1]):
            yield place.reshape(-1) == at, groups[:, at]


def _fits(first_s: Int64s, seconds: Int64s) -> Bools:
    """Return which trains begin before the origin with all seconds but the last."""
    times = first_s[:, None] + seconds
    fits: Bools = (times[:, -1] >= 0) & (times[:, :-1] < 0).all(axis=1)
    return fits


def service_ids(runs: Runs) -> list[str]:
    """Return the id of each row of days: no colon, so never one of a feed."""
    return [f"s{row + 1}" for row in range(len(runs.days))]
