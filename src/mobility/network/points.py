"""Stops split into points, so that a change takes the time that its two trains ask for.

Change times and footpaths hold between stops. Where they depend on the trains, the calls at a stop
are sorted into classes of equal rules, and each class gets a *point* of its own: a stop again for
the search, the same stop for people. A change between two points of a stop is a footpath of no
length. The stop's own row keeps the rules for who comes or goes on foot; no train calls there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mobility.core.errors import InputError
from mobility.network.border import Checks, sides
from mobility.network.footpaths import FORBIDDEN_CHANGE_S, MAX_WALKS, Footpaths
from mobility.network.pairs import Pairs, ranked_pairs
from mobility.network.special import SpecialRules
from mobility.network.transfers import stop_members
from mobility.network.values import (
    ALIGHTING_BIT,
    BOARDING_BIT,
    Bools,
    Int32s,
    Int64s,
    call_flags,
    read_only,
)

Arrays = dict[str, Any]
MAX_CLASSES = 100  # of one stop: pairs grow with the square, and between stops as well
_CLASS = ("stop", "from", "to")


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Stops and, after them, the points that they are split into.

    Parameters
    ----------
    stop_of : int32[n_points]
        The stop of each point; a stop's own is itself.
    event_point : int32[n_events]
        Where each event's train calls; empty where no stop is split.
    footpaths : Footpaths
        Between points.
    n_crowded : int
        Stops with so many classes that rules for single trips are not obeyed there.
    """

    stop_of: Int32s
    event_point: Int32s
    footpaths: Footpaths
    n_crowded: int


def involved_stops(special: SpecialRules | None, stops: pl.DataFrame) -> Bools:
    """Return the stops of all stations that a rule for routes or trips speaks of."""
    station = stops["station"].fill_null(-1).to_numpy()
    named = np.zeros(len(station), np.bool_)
    if special is not None:
        members = stop_members(stops)
        for table in (special.from_sides, special.to_sides):
            found = members.join(table, on=["feed", "stop_id"], how="semi")["stop"].to_numpy()
            named[found] = True
    return named | (np.isin(station, station[named]) & (station >= 0))


def stops_at_checks(
    checks: Checks, station_of: Int32s, footpaths: Footpaths, involved: Bools
) -> list[Bools]:
    """Return by check the stops of its station and those in walking reach of it."""
    origin = np.repeat(np.arange(len(station_of)), np.diff(footpaths.walk_start))
    found = []
    for station in checks.station.tolist():
        own = station_of == station
        near = own | involved
        near[footpaths.walk_to[own[origin]]] = True
        near[origin[own[footpaths.walk_to]]] = True
        found.append(near)
    return found


def split_points(
    arrays: Arrays,
    tables: Mapping[str, pl.DataFrame],
    footpaths: Footpaths,
    special: SpecialRules | None,
    checks: Checks,
    at_check: Sequence[Bools],
    held: Sequence[Bools],
    max_walk_s: int,
) -> Points:
    """Return the points that rules for single trains and border checks ask for.

    Parameters
    ----------
    arrays : dict
        Fields of `Network` of the divided trains.
    tables : mapping
        The region's.
    footpaths : Footpaths
        Between stops, as for any two trains.
    special, checks
        What holds beyond them.
    at_check, held : sequence of bool
        By check: the stops that it may be about; the events at which it holds on all the days
        of the train (else on none).
    max_walk_s : int
        A walk that is said to be possible, without a time, may take so long.

    Raises
    ------
    InputError
        The rules ask for more footpaths than there may be.
    """
    stops = tables["stops"]
    n_stops = stops.height
    same = np.arange(n_stops, dtype=np.int32)
    matcher = _Matcher(arrays, tables, special, checks, at_check, held)
    matches = {end: matcher.matches(end) for end in ("from", "to")}
    if not any(frame.height for frame in matches.values()):
        return Points(read_only(same), read_only(np.empty(0, np.int32)), footpaths, 0)
    matches, classes, n_crowded = _classes(arrays, matches, matcher)
    copies = classes.select(_CLASS).unique().sort(_CLASS)
    stop_of = np.concatenate([same, copies["stop"].to_numpy().astype(np.int32)])
    numbered = copies.with_row_index("point", n_stops)
    point = classes.join(numbered, on=_CLASS, how="left", maintain_order="left")["point"]
    event_point = arrays["event_stop"].copy()
    event_point[classes["event"].to_numpy()] = point.to_numpy()
    at = {
        end: frame.with_columns(point=pl.Series(event_point[frame["event"].to_numpy()]))
        .group_by("point", "side")
        .agg(pl.col("is_station").min())
        .sort("point", "side")
        for end, frame in matches.items()
    }
    pairs = _base_pairs(footpaths, stop_of)
    if special is not None:
        pairs = ranked_pairs(special.rules, at["from"], at["to"], stops, stop_of, max_walk_s).over(
            pairs
        )
    pairs = _lengthened(pairs, at, checks, matcher, stop_of)
    return Points(
        read_only(stop_of), read_only(event_point), _footpaths(pairs, len(stop_of)), n_crowded
    )


class _Matcher:
    """Finds which events fit the sides of rules: where a train arrives, where one departs."""

    def __init__(
        self,
        arrays: Arrays,
        tables: Mapping[str, pl.DataFrame],
        special: SpecialRules | None,
        checks: Checks,
        at_check: Sequence[Bools],
        held: Sequence[Bools],
    ) -> None:
        self.arrays, self.special, self.checks = arrays, special, checks
        self._at_check, self._held = at_check, held
        self._route = tables["trips"]["route"].to_numpy()
        self.station = tables["stops"]["station"].fill_null(-1).to_numpy()
        members = stop_members(tables["stops"])
        station = pl.Series("station", self.station[members["stop"].to_numpy()])
        self._members = members.with_columns(station)
        self._flags = call_flags(arrays["event_flags"], arrays["train_event_start"])
        self._countries = sides(
            checks.of_station[self.station[arrays["event_stop"]]], arrays["train_event_start"]
        ) if len(checks) else ()  # fmt: skip

    def first_check_side(self, end: str) -> int:
        """Return the number of the first side that is of a check; those of rules come before."""
        if self.special is None:
            return 0
        table = self.special.from_sides if end == "from" else self.special.to_sides
        return table.height

    def matches(self, end: str) -> pl.DataFrame:
        """Return event, side, is_station: for ``from`` where one alights, for ``to`` boards."""
        usable = (self._flags & (ALIGHTING_BIT if end == "from" else BOARDING_BIT)) != 0
        parts = [_matches_of([], [])]
        if self.special is not None:
            parts += self._of_rules(end, usable)
        first, n_countries = self.first_check_side(end), len(self.checks.countries)
        for check in range(len(self.checks)):
            if not self.checks.minimum_s[check]:
                continue
            country = self._countries[0 if end == "from" else 1]
            fits = self.checks.comes if end == "from" else self.checks.goes
            events = np.flatnonzero(
                usable
                & fits(check, country)
                & self._at_check[check][self.arrays["event_stop"]]
                & (self._held[check] if end == "from" else True)
            )
            parts.append(_matches_of(events, first + check * n_countries + country[events]))
        return pl.concat(parts)

    def _of_rules(self, end: str, usable: Bools) -> list[pl.DataFrame]:
        assert self.special is not None
        table = self.special.from_sides if end == "from" else self.special.to_sides
        named = table.join(self._members, on=["feed", "stop_id"])
        stops = np.zeros(len(self.station), np.bool_)
        stops[np.isin(self.station, named["station"].to_numpy())] = True
        calls = self._calls(end, np.flatnonzero(usable & stops[self.arrays["event_stop"]]))
        found = []
        for what in ("trip", "route"):
            sides_of = named.filter(pl.col(what).is_not_null())
            own = calls.filter(~pl.col("alias")).join(sides_of, on=["stop", what])
            found.append(own.select("event", "side", "is_station"))
            # Another feed's trip has the train here; this one calls at the same station.
            other = calls.filter("alias").join(sides_of, on=["station", what])
            found.append(other.select("event", "side", is_station=pl.lit(True)))
        any_train = named.filter(pl.col("trip").is_null() & pl.col("route").is_null())
        own = calls.filter(~pl.col("alias")).join(any_train, on="stop")
        return [*found, own.select("event", "side", "is_station")]

    def _calls(self, end: str, events: Int64s) -> pl.DataFrame:
        """Return event, stop, station, trip, route, alias: whose train it is before or after."""
        arrays = self.arrays
        train = np.searchsorted(arrays["train_event_start"], events, side="right") - 1
        stop = arrays["event_stop"][events]
        called = pl.DataFrame(
            {
                "event": events,
                "train": train.astype(np.int32),
                "pos": (events - arrays["train_event_start"][train]).astype(np.int32),
                "stop": stop,
                "station": self.station[stop],
            }
        )
        n_trains = len(arrays["train_trip"])
        sections = pl.DataFrame(
            {
                "train": np.repeat(
                    np.arange(n_trains, dtype=np.int32), np.diff(arrays["section_start"])
                ),
                "from_pos": arrays["section_from_pos"],
                "to_pos": arrays["section_to_pos"],
                "trip": arrays["section_trip"],
                "route": self._route[arrays["section_trip"]],
                "alias": arrays["section_alias"],
            }
        )
        carries = (
            (pl.col("from_pos") < pl.col("pos")) & (pl.col("pos") <= pl.col("to_pos"))
            if end == "from"
            else (pl.col("from_pos") <= pl.col("pos")) & (pl.col("pos") < pl.col("to_pos"))
        )
        joined = called.join(sections, on="train").filter(carries)
        return joined.select("event", "stop", "station", "trip", "route", "alias")

    def without(self, frame: pl.DataFrame, end: str, crowded: Bools, what: str) -> pl.DataFrame:
        """Return the matches but those at crowded stops with sides that name a trip (a route)."""
        if self.special is None:
            return frame
        table = self.special.from_sides if end == "from" else self.special.to_sides
        named = table.filter(pl.col(what).is_not_null())["side"].to_numpy()
        at = crowded[self.arrays["event_stop"][frame["event"].to_numpy()]]
        return frame.filter(~pl.Series(at & np.isin(frame["side"].to_numpy(), named)))


def _matches_of(events: Any, side: Any) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "event": np.asarray(events, np.int64),
            "side": np.asarray(side, np.int32),
            "is_station": np.zeros(len(events), np.bool_),
        }
    )


def _classes(
    arrays: Arrays, matches: dict[str, pl.DataFrame], matcher: _Matcher
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame, int]:
    """Return the matches that count, the classes of events, and how many stops are crowded."""
    n_crowded = 0
    classes = _keyed(arrays, matches)
    for what in ("trip", "route"):
        counts = classes.select(_CLASS).unique().group_by("stop").len()
        stops = counts.filter(pl.col("len") > MAX_CLASSES)["stop"].to_numpy()
        if not len(stops):
            break
        n_crowded = max(n_crowded, len(stops))
        crowded = np.zeros(int(arrays["event_stop"].max()) + 1, np.bool_)
        crowded[stops] = True
        matches = {
            end: matcher.without(frame, end, crowded, what) for end, frame in matches.items()
        }
        classes = _keyed(arrays, matches)
    return matches, classes, n_crowded


def _keyed(arrays: Arrays, matches: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return event, stop and, as texts, the sides that it fits as an arrival and a departure."""
    split = np.zeros(int(arrays["event_stop"].max(initial=0)) + 1, np.bool_)
    for frame in matches.values():
        split[arrays["event_stop"][frame["event"].to_numpy()]] = True
    events = np.flatnonzero(split[arrays["event_stop"]])
    keyed = pl.DataFrame({"event": events, "stop": arrays["event_stop"][events]})
    # A rule for the stop itself and one for its station differ in rank where both hold.
    rank = pl.when("is_station").then(pl.lit("*")).otherwise(pl.lit(""))
    for end, frame in matches.items():
        keys = (
            frame.group_by("event", "side")
            .agg(pl.col("is_station").min())
            .sort("event", "side")
            .group_by("event", maintain_order=True)
            .agg(pl.format("{}{}", "side", rank).str.join(",").alias(end))
        )
        keyed = keyed.join(keys, on="event", how="left", maintain_order="left")
    return keyed.with_columns(pl.col("from", "to").fill_null(""))


def _base_pairs(footpaths: Footpaths, stop_of: Int32s) -> Pairs:
    """Return the change times and footpaths of the stops between all their points."""
    n_stops, n_points = len(footpaths.change_s), len(stop_of)
    order = np.argsort(stop_of, kind="stable").astype(np.int64)
    start = np.searchsorted(stop_of[order], np.arange(n_stops + 1))
    origin = np.repeat(np.arange(n_stops), np.diff(footpaths.walk_start))
    walked = _crossed(start, order, origin, footpaths.walk_to.astype(np.int64))
    split = np.flatnonzero(np.diff(start) > 1)
    stayed = _crossed(start, order, split, split)
    row, a, b = walked
    at, c, d = stayed
    change = footpaths.change_s[split[at]]
    # Who comes on foot, or walks away, stands at the stop's own row: no change is needed there.
    change = np.where((c < n_stops) | (d < n_stops), 0, change)
    usual = np.arange(n_points)
    return Pairs(
        np.concatenate([a * n_points + b, (c * n_points + d)[c != d], usual * n_points + usual]),
        np.concatenate([footpaths.walk_s[row], change[c != d], footpaths.change_s[stop_of]]),
        np.concatenate([footpaths.walk_m[row], np.zeros((c != d).sum() + n_points, np.int32)]),
        np.concatenate([footpaths.walk_stated[row], np.ones((c != d).sum() + n_points, np.bool_)]),
    ).sorted()


def _crossed(start: Int64s, order: Int64s, a: Int64s, b: Int64s) -> tuple[Int64s, Int64s, Int64s]:
    """Return every pair of points of the stops ``a[i]`` and ``b[i]``: i, point, point."""
    wide = start[b + 1] - start[b]
    counts = (start[a + 1] - start[a]) * wide
    if int(counts.sum()) > MAX_WALKS:
        raise InputError(f"transfers.txt and border checks ask for more than {MAX_WALKS} footpaths")
    row = np.repeat(np.arange(len(a)), counts)
    within = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return (
        row,
        order[start[a][row] + within // wide[row]],
        order[start[b][row] + within % wide[row]],
    )


def _lengthened(
    pairs: Pairs,
    at: dict[str, pl.DataFrame],
    checks: Checks,
    matcher: _Matcher,
    stop_of: Int32s,
) -> Pairs:
    """Return the pairs with the minutes that border checks ask for."""
    seconds, stated = pairs.s.copy(), pairs.stated.copy()
    n_points, n_countries = len(stop_of), len(checks.countries)
    for check in range(len(checks)):
        found = []
        for end in ("from", "to"):
            side = at[end]["side"].to_numpy() - matcher.first_check_side(end) - check * n_countries
            own = (side >= 0) & (side < n_countries)
            found.append((at[end]["point"].to_numpy()[own].astype(np.int64), side[own]))
        (a, before), (b, after) = found
        here = matcher.station[stop_of] == checks.station[check]
        meant = (before[:, None] != after[None]) & (here[a][:, None] | here[b][None])
        left, right = np.nonzero(meant)
        rows = pairs.find(a[left] * n_points + b[right])
        np.maximum.at(seconds, rows, checks.minimum_s[check])
        stated[rows] = True
    return Pairs(pairs.key, seconds, pairs.m, stated)


def _footpaths(pairs: Pairs, n_points: int) -> Footpaths:
    a, b = np.divmod(pairs.key, n_points)
    change_s = np.zeros(n_points, np.int32)
    change_s[a[a == b]] = pairs.s[a == b]
    walk = (a != b) & (pairs.s < FORBIDDEN_CHANGE_S)
    start = np.searchsorted(a[walk], np.arange(n_points + 1)).astype(np.int32)
    columns = (b[walk].astype(np.int32), pairs.s[walk], pairs.m[walk], pairs.stated[walk])
    rows = (start, *columns, change_s)
    return Footpaths(*(read_only(row) for row in rows))
