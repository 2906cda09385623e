"""Days: service bits, zones and the origins that stop times count from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from mobility.core.errors import InputError
from mobility.core.time import service_day_origin
from mobility.core.units import DAY_S
from mobility.network.values import Bools, Int16s, Int64s, UInt8s, read_only

MAX_DAYS = 10_000  # 27 years: times of a slice stay far inside int32
MAX_ZONES = 600  # more than the IANA database has places for


def pack_days(days: Bools) -> UInt8s:
    """Return the bits of each row of days, eight a byte, lowest bit first.

    >>> pack_days(np.array([[True, False, True] + [False] * 6 + [True]])).tolist()
    [[5, 2]]
    """
    return read_only(np.packbits(days, axis=1, bitorder="little"))


def zone_index(*groups: Iterable[str]) -> dict[str, int]:
    """Return every zone of the groups with its number, in order of the name.

    >>> zone_index(["Europe/Zurich"], ["Europe/Berlin", "Europe/Zurich"])
    {'Europe/Berlin': 0, 'Europe/Zurich': 1}
    """
    names = sorted(set().union(*groups))
    if len(names) > MAX_ZONES:
        raise InputError(f"the region names {len(names)} time zones: at most {MAX_ZONES} exist")
    return {name: number for number, name in enumerate(names)}


def zone_origins(zones: Sequence[str], first_date: dt.date, n_days: int) -> Int64s:
    """Return the unix second of noon minus twelve hours for every zone and day.

    Parameters
    ----------
    zones : sequence of str
        IANA names.
    first_date : date
        Day 0.
    n_days : int
        At most `MAX_DAYS`.

    Returns
    -------
    int64[n_zones, n_days]

    Raises
    ------
    InputError
        Too many days.
    TimeError
        A zone that does not exist.

    Source: GTFS Schedule reference, "Service day" and the type "Time".

    >>> (zone_origins(["Europe/Berlin"], dt.date(2027, 3, 27), 3) // 3600 % 24).tolist()
    [[23, 22, 22]]
    """
    if n_days > MAX_DAYS:
        raise InputError(
            f"the region spans {n_days} days: expected at most {MAX_DAYS}; use --from and --to"
        )
    dates = [first_date + dt.timedelta(day) for day in range(n_days)]
    origins = [[service_day_origin(date, zone) for date in dates] for zone in zones]
    return read_only(np.array(origins, np.int64).reshape(len(zones), n_days))


def epoch_of(origins: Int64s) -> int:
    """Return the unix second that times count from: a day before the first origin."""
    return int(origins.min()) - DAY_S if origins.size else 0


def zone_numbers(names: pl.Series, index: dict[str, int]) -> Int16s:
    """Return the number of each zone name, none of which is missing."""
    numbers = names.replace_strict(index, return_dtype=pl.Int16) if len(names) else names
    return read_only(numbers.to_numpy().astype(np.int16))
