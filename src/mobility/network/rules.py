"""What feeds and manifest ask of travellers beyond plain stops and trains, put into the arrays.

The search knows trains, stops, change times and footpaths and nothing else. So rules become more
trains (`mobility.network.in_seat`, `mobility.network.divide`) and more stops
(`mobility.network.points`), of which people see one each. Where there are no rules nothing changes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.merge.region import FeedInfo
from mobility.network.border import Checks, read_checks, sides
from mobility.network.divide import Clock, divide_trains, read_bans
from mobility.network.footpaths import Footpaths
from mobility.network.in_seat import stay_seated
from mobility.network.points import Points, involved_stops, split_points, stops_at_checks
from mobility.network.special import read_special_rules
from mobility.network.values import Bools, Int32s, Int64s, read_only

Arrays = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Obeyed:
    """Fields of `Network` with all rules in them.

    Parameters
    ----------
    arrays : dict
        ``train_*`` with ``train_of`` and ``train_through``, ``event_*``, ``section_*``; patterns
        not yet.
    days : bool[n_services, n_days]
        The region's services and, after them, those of through and of divided trains.
    in_seat : int32[2, n_links]
        Trips between which one may stay seated.
    n_cut : int
        Trains whose vehicles go on further than who stays seated is carried.
    points : Points
    checks : Checks
        For what is said of them.
    """

    arrays: Arrays
    days: Bools
    in_seat: Int32s
    n_cut: int
    points: Points
    checks: Checks


def obey_rules(
    arrays: Arrays,
    tables: Mapping[str, pl.DataFrame],
    footpaths: Footpaths,
    *,
    feeds: Sequence[FeedInfo],
    first_date: dt.date,
    days: Bools,
    zones: Sequence[str],
    origins: Int64s,
    stop_zone: npt.NDArray[np.int16],
    max_walk_s: int,
) -> Obeyed:
    """Return trains, points and changes as the region's rules have them.

    Parameters
    ----------
    arrays : dict
        Fields ``train_*``, ``event_*`` and ``section_*`` of the region's own trains.
    tables : mapping of table name to DataFrame
        The region's.
    footpaths : Footpaths
        Between stops.
    feeds, first_date, days
        As in `Region`.
    zones, origins, stop_zone
        Names of the zones, their origins by day, and the zone of each stop.
    max_walk_s : int
        The longest walk without a stated time.
    """
    n_trains = len(arrays["train_trip"])
    checks, special = read_checks(tables, feeds), read_special_rules(tables)
    stops = tables["stops"]
    station_of = stops["station"].fill_null(-1).to_numpy().astype(np.int32)
    involved = involved_stops(special, stops)
    at_check = stops_at_checks(checks, station_of, footpaths, involved)
    # of the region's trains; below, of through trains too
    banned = read_bans(tables, arrays, first_date, days.shape[1]).trains
    seated = stay_seated(
        arrays, days, tables, origins, np.any([involved, *at_check], axis=0), banned
    )
    arrays, days, of = seated.arrays, seated.days, seated.first
    bans = read_bans(tables, arrays, first_date, days.shape[1])
    is_through = np.arange(len(of)) >= n_trains
    if not len(checks) and not len(bans.days) and special is None:
        same, none = np.arange(stops.height, dtype=np.int32), np.empty(0, np.int32)
        points = Points(read_only(same), read_only(none), footpaths, 0)
    else:
        clock = Clock(zones, origins, stop_zone)
        arrays, days = divide_trains(arrays, days, station_of, checks, bans, clock, at_check)
        own = arrays["train_of"]
        of, is_through = of[own], is_through[own]
        held = _held(arrays, days, station_of, checks, clock, at_check)
        points = split_points(
            arrays, tables, footpaths, special, checks, at_check, held, max_walk_s
        )  # fmt: skip
    told = {"train_of": read_only(of), "train_through": read_only(is_through)}
    return Obeyed({**arrays, **told}, days, seated.trips, seated.n_cut, points, checks)


def _held(
    arrays: Arrays,
    days: Bools,
    station_of: npt.NDArray[np.int32],
    checks: Checks,
    clock: Clock,
    at_check: Sequence[Bools],
) -> list[Bools]:
    """Return by check the events at which it holds: divided trains have it always or never."""
    if not len(checks):
        return []
    starts, stop = arrays["train_event_start"], arrays["event_stop"]
    before, _ = sides(checks.of_station[station_of[stop]], starts)
    found = []
    for check in range(len(checks)):
        held = at_check[check][stop] & checks.comes(check, before)
        if checks.dated(check):
            events = np.flatnonzero(held)
            train = np.searchsorted(starts, events, side="right") - 1
            runs = days[arrays["train_service"][train]]
            moment = clock.origins[arrays["train_zone"][train], runs.argmax(axis=1)]
            moment = moment + arrays["event_arrival_s"][events]
            spans = np.array([checks.span(check, zone) for zone in clock.zones], np.int64)
            begin, end = spans[clock.stop_zone[stop[events]]].T
            held[events] = (moment >= begin) & (moment < end) & runs.any(axis=1)
        found.append(held)
    return found
