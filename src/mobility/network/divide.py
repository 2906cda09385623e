"""Trains that rules treat differently become several: by days, by place, by where one boards.

- A rule that holds on some of a train's days only: one train for the days with it, one without.
- A check at which nobody stays on the train: one train up to the place, one from there on.
- A boarding ban: nobody rides within its section. One train carries those who board outside;
  for those who board inside there is another, which they may leave outside only. Every ride that
  is allowed is on exactly one of them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.network.border import Checks, sides
from mobility.network.values import (
    ALIGHTING_BIT,
    BOARDING_BIT,
    DROP_OFF_SHIFT,
    PICKUP_MASK,
    Bools,
    Int32s,
    Int64s,
    StringArray,
    UInt8s,
    call_flags,
    read_only,
)

Arrays = dict[str, Any]
NOT_AVAILABLE = 1  # pickup_type and drop_off_type
_EVENTS = ("stop", "arrival_s", "departure_s", "flags", "sequence")
_SECTIONS = (
    "trip", "day_shift", "from_pos", "to_pos", "from_sequence", "to_sequence", "alias",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Bans:
    """The boarding bans of a region.

    Parameters
    ----------
    trains : bool[n_bans, n_trains]
        Whom each is about: trains with a section, or an alias, on its routes.
    stations : bool[n_bans, n_stations]
        Among which nobody both boards and alights.
    days : bool[n_bans, n_days]
        Service dates of the train on which it holds.
    """

    trains: Bools
    stations: Bools
    days: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """What turns a train's times into dates: zones, and the origin of each zone's days.

    Parameters
    ----------
    zones : tuple of str
    origins : int64[n_zones, n_days]
        Unix seconds.
    stop_zone : int16[n_stops]
        In which dates are told at a stop.
    """

    zones: Sequence[str]
    origins: Int64s
    stop_zone: npt.NDArray[np.int16]

    def within(self, arrays: Arrays, event: int, train: int, span: Sequence[int]) -> Bools:
        """Return on which service days the train arrives at the event within a span."""
        moments = self.origins[arrays["train_zone"][train]] + arrays["event_arrival_s"][event]
        held: Bools = (moments >= span[0]) & (moments < span[1])
        return held


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some events of a train on some of its days; ``boards`` and ``alights``: None, all may."""

    train: int
    first: int
    end: int
    service: int
    boards: Bools | None = None
    alights: Bools | None = None


def read_bans(
    tables: Mapping[str, pl.DataFrame], arrays: Arrays, first_date: dt.date, n_days: int
) -> Bans:
    """Return the boarding bans of a region; none where it has no such table."""
    table = tables.get("boarding_bans")
    n_trains, n_stations = len(arrays["train_trip"]), tables["stations"].height
    n_bans = 0 if table is None else table.height
    trains = np.zeros((n_bans, n_trains), np.bool_)
    stations = np.zeros((n_bans, n_stations), np.bool_)
    days = np.ones((n_bans, n_days), np.bool_)
    if table is None or not n_bans:
        return Bans(trains, stations, days)
    of_section = np.repeat(np.arange(n_trains), np.diff(arrays["section_start"]))
    route = tables["trips"]["route"].to_numpy()[arrays["section_trip"]]
    dates = np.arange(n_days) + first_date.toordinal()
    for row, (ban, first, last) in enumerate(
        table.select("ban", "from_date", "until_date").iter_rows()
    ):
        routes = tables["boarding_ban_routes"].filter(pl.col("ban") == ban)["route"].to_numpy()
        members = tables["boarding_ban_stations"].filter(pl.col("ban") == ban)["station"]
        trains[row, of_section[np.isin(route, routes)]] = True
        stations[row, members.to_numpy()] = True
        if first is not None:
            days[row] &= dates >= first.toordinal()
        if last is not None:
            days[row] &= dates <= last.toordinal()
    return Bans(trains, stations, days)


def ban_fields(tables: Mapping[str, pl.DataFrame]) -> Arrays:
    """Return the fields of `Network` that say of boarding bans what a traveller asks."""
    table = tables.get("boarding_bans")
    bans = [] if table is None else table["ban"].to_list()
    fields: Arrays = {"ban_reason": StringArray.of([])}
    for name in ("first", "last"):
        fields[f"ban_{name}"] = read_only(np.zeros(0, np.int32))
    if table is not None:
        fields["ban_reason"] = StringArray.of(table["reason"].fill_null(""))
        for name, column in (("first", "from_date"), ("last", "until_date")):
            dates = [-1 if date is None else date.toordinal() for date in table[column]]
            fields[f"ban_{name}"] = read_only(np.array(dates, np.int32))
    for what in ("route", "station"):
        rows = [
            tables[f"boarding_ban_{what}s"].filter(pl.col("ban") == ban)[what].to_numpy()
            for ban in bans
        ]
        start = np.cumsum([0, *(len(row) for row in rows)]).astype(np.int32)
        fields[f"ban_{what}_start"] = read_only(start)
        joined = np.concatenate([np.empty(0, np.int32), *rows]).astype(np.int32)
        fields[f"ban_{what}s"] = read_only(joined)
    return fields


def divide_trains(
    arrays: Arrays,
    days: Bools,
    station_of: Int32s,
    checks: Checks,
    bans: Bans,
    clock: Clock,
    at_check: Sequence[Bools],
) -> tuple[Arrays, Bools]:
    """Return the trains as they may be ridden, and the days of their services.

    Parameters
    ----------
    arrays : dict
        Fields ``train_*``, ``event_*`` and ``section_*`` of `Network`, patterns not yet.
    days : bool[n_services, n_days]
    station_of : int32[n_stops]
    checks, bans, clock
        What holds.
    at_check : sequence of bool[n_stops]
        By check: the stops of its station and those in walking reach of it.

    Returns
    -------
    arrays : dict
        The same fields and ``train_of``: the row that each train had.
    days : bool
        The same rows, and after them those of services on fewer days.
    """
    same = np.arange(len(arrays["train_trip"]), dtype=np.int32)
    divider = _Divider(arrays, days, station_of, checks, bans, clock, at_check)
    parts = list(divider.parts())
    if not parts:
        return {**arrays, "train_of": read_only(same)}, days
    whole = np.ones(len(same), np.bool_)
    whole[[part.train for part in parts]] = False
    return gathered(arrays, np.flatnonzero(whole), parts), np.array(divider.rows)


class _Divider:
    """Finds the parts of the trains that rules divide."""

    def __init__(
        self,
        arrays: Arrays,
        days: Bools,
        station_of: Int32s,
        checks: Checks,
        bans: Bans,
        clock: Clock,
        at_check: Sequence[Bools],
    ) -> None:
        self.arrays, self.checks, self.bans, self.clock = arrays, checks, bans, clock
        self.rows = list(days)
        self._row_of = {row.tobytes(): number for number, row in enumerate(days)}
        self._starts = arrays["train_event_start"]
        self._calls = call_flags(arrays["event_flags"], self._starts)
        self._station = station_of[arrays["event_stop"]]
        self._cuts: dict[int, list[tuple[int, Bools]]] = defaultdict(list)
        self._masks: dict[int, list[Bools]] = defaultdict(list)
        if len(checks):
            self._find_checks(at_check)
        for ban in range(len(bans.trains)):
            if not bans.days[ban].all():
                for train in np.flatnonzero(bans.trains[ban]).tolist():
                    self._masks[train].append(bans.days[ban])

    def _find_checks(self, at_check: Sequence[Bools]) -> None:
        """Note where trains are cut, and the days that a dated check tells apart."""
        before, after = sides(self.checks.of_station[self._station], self._starts)
        for check in range(len(self.checks)):
            comes = self.checks.comes(check, before)
            through = comes & self.checks.goes(check, after) & (before != after)
            through &= self._station == self.checks.station[check]
            cut = through if self.checks.changes[check] else np.zeros_like(through)
            timed = comes & at_check[check][self.arrays["event_stop"]]
            timed &= (self._calls & ALIGHTING_BIT) != 0
            if not self.checks.dated(check) or not self.checks.minimum_s[check]:
                timed[:] = False
            for event in np.flatnonzero(cut | timed).tolist():
                train = int(np.searchsorted(self._starts, event, side="right")) - 1
                held = self._held(check, event, train)
                self._masks[train].append(held)
                if cut[event]:
                    self._cuts[train].append((event, held))

    def _held(self, check: int, event: int, train: int) -> Bools:
        """Return on which service days of the train the check holds when it is there."""
        zone = self.clock.zones[self.clock.stop_zone[self.arrays["event_stop"][event]]]
        return self.clock.within(self.arrays, event, train, self.checks.span(check, zone))

    def parts(self) -> Iterator[Part]:
        """Yield the parts of every train that is divided, in order of the train."""
        banned = np.flatnonzero(self.bans.trains.any(axis=0)).tolist()
        for train in sorted({*self._masks, *banned}):
            found = [
                part
                for days in self._day_groups(train)
                for first, end in self._pieces(train, days)
                for part in self._variants(train, first, end, days)
            ]
            whole = int(self._starts[train]), int(self._starts[train + 1])
            if len(found) > 1 or found[0].boards is not None or whole != (
                found[0].first, found[0].end
            ):  # fmt: skip
                yield from found

    def _day_groups(self, train: int) -> list[Bools]:
        """Return the days of the train, apart where another set of rules holds."""
        runs = self.rows[self.arrays["train_service"][train]]
        if train not in self._masks:
            return [runs]
        masks = np.array(self._masks[train], np.bool_).reshape(-1, len(runs))
        groups: dict[bytes, Bools] = {}
        for day in np.flatnonzero(runs).tolist():
            own = groups.setdefault(masks[:, day].tobytes(), np.zeros_like(runs))
            own[day] = True
        return list(groups.values()) or [runs]

    def _pieces(self, train: int, days: Bools) -> list[tuple[int, int]]:
        """Return the events between the places where nobody stays on the train."""
        first, end = int(self._starts[train]), int(self._starts[train + 1])
        day = int(days.argmax())
        cuts = {event for event, held in self._cuts.get(train, ()) if held[day]}
        ends = sorted({first, end - 1, *cuts})
        return [(left, right + 1) for left, right in pairwise(ends)]

    def _variants(self, train: int, first: int, end: int, days: Bools) -> Iterator[Part]:
        """Yield the piece once for each set of bans under which one may board."""
        service = self._service(days)
        day = int(days.argmax())
        held = self.bans.trains[:, train] & self.bans.days[:, day]
        inside = self.bans.stations[held][:, self._station[first:end]]
        if not inside.any():
            yield Part(train, first, end, service)
            return
        calls = self._calls[first:end]
        columns = inside.T
        boarded, left = (calls & BOARDING_BIT) != 0, (calls & ALIGHTING_BIT) != 0
        free = np.zeros((1, columns.shape[1]), np.bool_)
        shown = False
        for under in np.unique(np.concatenate([columns[boarded], free]), axis=0)[::-1]:
            boards = (columns == under).all(axis=1)
            alights = ~(columns & under).any(axis=1)
            boarding, leaving = np.flatnonzero(boards & boarded), np.flatnonzero(alights & left)
            useful = len(boarding) and len(leaving) and boarding[0] < leaving[-1]
            # A train that nobody can ride stays one: it runs, and departures may show it.
            if useful or not (under.any() or shown):
                shown = True
                yield Part(train, first, end, service, boards, alights)

    def _service(self, days: Bools) -> int:
        key = days.tobytes()
        if key not in self._row_of:
            self._row_of[key] = len(self.rows)
            self.rows.append(days)
        return self._row_of[key]


def gathered(arrays: Arrays, whole: Int64s, parts: list[Part]) -> Arrays:
    """Return the arrays of the whole trains and of the parts, in order of the train."""
    starts = arrays["train_event_start"]
    old = np.concatenate([whole, [part.train for part in parts]]).astype(np.int64)
    order = np.argsort(old, kind="stable")
    old = old[order]
    first = np.concatenate([starts[whole], [part.first for part in parts]])[order].astype(np.int64)
    end = np.concatenate([starts[whole + 1], [part.end for part in parts]])[order].astype(np.int64)
    service = np.concatenate(
        [arrays["train_service"][whole], [part.service for part in parts]]
    )[order]  # fmt: skip
    events, event_start = _ranges(first, end)
    made: Arrays = {f"event_{name}": arrays[f"event_{name}"][events] for name in _EVENTS}
    at = np.empty(len(order), np.int64)
    at[order] = event_start[:-1]  # where each part's events are now, by its place in the list
    _close(made["event_flags"], at[len(whole) :], parts)
    return {
        name: read_only(array)
        for name, array in {
            **made,
            "train_trip": arrays["train_trip"][old],
            "train_zone": arrays["train_zone"][old],
            "train_service": service.astype(np.int32),
            "train_event_start": event_start,
            "train_of": old.astype(np.int32),
            **_sections_of(arrays, old, first - starts[old], end - starts[old]),
        }.items()
    }


def _ranges(first: Int64s, end: Int64s) -> tuple[Int64s, Int64s]:
    """Return the numbers of all ranges end to end, and where each range begins."""
    start = np.concatenate([[0], np.cumsum(end - first)]).astype(np.int64)
    return np.arange(start[-1]) + np.repeat(first - start[:-1], end - first), start


def _close(flags: UInt8s, at: Int64s, parts: list[Part]) -> None:
    """Take boarding and alighting from the events where a part does not allow them."""
    for begin, part in zip(at.tolist(), parts, strict=True):
        if part.boards is None or part.alights is None:
            continue
        own = flags[begin : begin + part.end - part.first]
        for allowed, shift in ((part.boards, 0), (part.alights, DROP_OFF_SHIFT)):
            keep = np.uint8(0xFF ^ (PICKUP_MASK << shift))
            closed = (own & keep) | np.uint8(NOT_AVAILABLE << shift)
            own[:] = np.where(allowed, own, closed)


def _sections_of(arrays: Arrays, old: Int64s, low: Int64s, high: Int64s) -> Arrays:
    """Return the sections of trains cut to positions ``low`` up to, not including, ``high``."""
    start = arrays["section_start"].astype(np.int64)
    rows, _ = _ranges(start[old], start[old + 1])
    train = np.repeat(np.arange(len(old)), start[old + 1] - start[old])
    made = {name: arrays[f"section_{name}"][rows] for name in _SECTIONS}
    begin, last = low[train], high[train] - 1
    from_pos, to_pos = made["from_pos"], made["to_pos"]
    first_event = arrays["train_event_start"][old][train]
    for name, limit, cut in (("from", begin, from_pos < begin), ("to", last, to_pos > last)):
        made[f"{name}_sequence"] = np.where(
            cut,
            _sequences(arrays, made, first_event, np.clip(limit, from_pos, to_pos)),
            made[f"{name}_sequence"],
        )
    made["from_pos"] = np.maximum(from_pos, begin) - begin
    made["to_pos"] = np.minimum(to_pos, last) - begin
    n_events = arrays["train_event_start"][old + 1] - arrays["train_event_start"][old]
    uncut = (begin == 0) & (last + 1 == n_events[train])
    keep = uncut | (made["from_pos"] < made["to_pos"])
    starts = np.searchsorted(train[keep], np.arange(len(old) + 1)).astype(np.int32)
    kinds = {name: arrays[f"section_{name}"].dtype for name in _SECTIONS}
    return {"section_start": starts} | {
        f"section_{name}": array[keep].astype(kinds[name]) for name, array in made.items()
    }


def _sequences(arrays: Arrays, made: Arrays, first_event: Int64s, position: Int64s) -> Int32s:
    """Return the stop_sequence at a position of the train in each section's trip.

    An alias does not say it between its ends: there it is counted from its first, up to its last.
    """
    owned = arrays["event_sequence"][first_event + position]
    counted = np.minimum(made["from_sequence"] + position - made["from_pos"], made["to_sequence"])
    sequences: Int32s = np.where(made["alias"], counted, owned).astype(np.int32)
    return sequences
