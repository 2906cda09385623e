"""In-seat links: who stays seated where a vehicle goes on as another trip does not change.

A link leads from a train to the one that its vehicle becomes: the next trip of its block
(``block_id``), or what transfers.txt says of two trips (type 4; type 5 forbids it). The search
knows trains and nothing else, so each link that somebody can use becomes a *through train*: boarded
where the first train is, left where the last one calls, and closed at all other calls. Trains
themselves stay as they are, whatever comes before or after them, so that long blocks do not take
the patterns apart.

Of a chain of links only rides are kept that lead somewhere: who would pass the stop where they
board once more may board there later, who would pass the stop where they alight may alight there
before. So a through train reaches as far as its vehicle comes to stops it was not at, mostly two or
three trips, however long the block is.

Source: GTFS Schedule reference, trips.txt (block_id) and transfers.txt (linked trips).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.units import DAY_S, distance_m
from mobility.network.divide import Part, gathered
from mobility.network.kernels import group_trains
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
IN_SEAT_TYPE, NOT_IN_SEAT_TYPE = 4, 5
NEAR_M = 200.0  # between the last stop of a trip and the first of the next one in its block
MAX_TRIPS = 8  # that a rider stays seated through
MAX_WAYS = 256  # on which the vehicles of one train may go on, followed in order of the trains
_Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class InSeat:
    """Trains with the through trains after them.

    Parameters
    ----------
    arrays : dict
        Fields ``train_*``, ``event_*`` and ``section_*`` of `Network`, patterns not yet.
    first : int32[n_trains]
        Of each train the row that it had; of a through train, that of the train to board.
    days : bool[n_services, n_days]
        The services given and, after them, those of through trains.
    trips : int32[2, n_links]
        Trips between which one may stay seated, in order.
    n_cut : int
        Trains whose vehicles go on further, or on more ways, than is followed.
    """

    arrays: Arrays
    first: Int32s
    days: Bools
    trips: Int32s
    n_cut: int


class _Carried(NamedTuple):
    """A train on which a trip is carried from its first call, to its last, or both."""

    trip: int
    train: int
    shift: int  # days from the train's service day to the trip's
    first: int  # event at which the trip begins on it
    last: int
    begins: bool  # the train begins with it
    ends: bool


@dataclass(slots=True)
class _Link:
    """A train goes on as another, on those of its days."""

    train: int
    later_d: int  # days from the service day of the one to that of the other
    days: Bools
    trips: _Pair


@dataclass(frozen=True, slots=True)
class _Path:
    """Trains ridden one after the other, on those service days of the first."""

    trains: tuple[int, ...]
    later_d: tuple[int, ...]
    days: Bools


def stay_seated(
    arrays: Arrays,
    days: Bools,
    tables: Mapping[str, pl.DataFrame],
    origins: Int64s,
    special: Bools,
    banned: Bools,
) -> InSeat:
    """Return the trains and, after them, those for who stays seated from one to the next.

    Parameters
    ----------
    arrays : dict
        Fields ``train_*``, ``event_*`` and ``section_*`` of `Network`, patterns not yet.
    days : bool[n_services, n_days]
    tables : mapping of table name to DataFrame
        The region's.
    origins : int64[n_zones, n_days]
        Unix second of the service-day origin.
    special : bool[n_stops]
        Stops at which a change depends on the trains: there an earlier call is not as good.
    banned : bool[n_bans, n_trains]
        Which trains a boarding ban is about: who leaves before one of them is not banned with it.
    """
    links = _Finder(arrays, days, tables, origins).links()
    same = np.arange(len(arrays["train_trip"]), dtype=np.int32)
    nothing = InSeat(arrays, same, days, read_only(np.empty((2, 0), np.int32)), 0)
    if not links:
        return nothing
    chains = _Chains(arrays, origins, links, special, banned)
    paths = list(chains.through_trains())
    made = _with_through_trains(arrays, days, origins, paths, links) if paths else nothing
    return replace(made, n_cut=len(chains.cut))


class _Finder:
    """Finds which trains go on as which, and on which days."""

    def __init__(
        self, arrays: Arrays, days: Bools, tables: Mapping[str, pl.DataFrame], origins: Int64s
    ) -> None:
        self._arrays, self._days, self._origins = arrays, days, origins
        self._trips, self._stops = tables["trips"], tables["stops"]
        self._stated = _stated_pairs(tables)
        self._found: dict[tuple[int, int, int], _Link] = {}

    def links(self) -> dict[int, list[_Link]]:
        """Return by train what it becomes, in order of the other train."""
        blocks = self._blocks()
        named = {trip for pairs in self._stated.values() for pair in pairs for trip in pair}
        carried = self._carried({*named, *(trip for block in blocks for trip in block)})
        for pair in sorted(self._stated[IN_SEAT_TYPE] - self._stated[NOT_IN_SEAT_TYPE]):
            for a in carried.get(pair[0], ()):
                for b in carried.get(pair[1], ()):
                    self._link_stated(a, b)
        says_out, says_in = defaultdict[int, list[_Link]](list), defaultdict[int, list[Bools]](list)
        for (train, _, _), link in self._found.items():
            says_out[train].append(link)
            says_in[link.train].append(_shifted(link.days, link.later_d))
        stated = (
            {train: np.any([link.days for link in own], axis=0) for train, own in says_out.items()},
            {train: np.any(own, axis=0) for train, own in says_in.items()},
        )
        for block in blocks:
            self._link_block([run for trip in block for run in carried.get(trip, ())], stated)
        links = defaultdict[int, list[_Link]](list)
        for (train, _, _), link in sorted(self._found.items()):
            if link.days.any():
                links[train].append(link)
        return dict(links)

    def _blocks(self) -> list[list[int]]:
        """Return the trips of each block; a run of a headway has no times to go on at."""
        trips = self._trips
        if "block_id" not in trips.columns:
            return []
        headway = trips["headway_s"] if "headway_s" in trips.columns else pl.Series([None])
        known = trips.select(
            "feed",
            pl.col("block_id").cast(pl.String),
            row=pl.int_range(pl.len()),
            headway_s=headway.fill_null(0) if len(headway) == trips.height else pl.lit(0),
        )
        known = known.filter(
            pl.col("block_id").is_not_null(), pl.col("block_id") != "", pl.col("headway_s") == 0
        )
        grouped = known.group_by("feed", "block_id", maintain_order=True).agg("row")
        return [rows for rows in grouped["row"].to_list() if len(rows) > 1]

    def _carried(self, trips: set[int]) -> dict[int, list[_Carried]]:
        """Return by trip the trains that begin or end with it, save as another's double."""
        arrays = self._arrays
        if not trips:
            return {}
        starts = arrays["train_event_start"]
        n_trains = len(arrays["train_trip"])
        train = np.repeat(np.arange(n_trains), np.diff(arrays["section_start"]))
        begins = arrays["section_from_pos"] == 0
        ends = arrays["section_to_pos"] == (np.diff(starts) - 1)[train]
        wanted = np.zeros(self._trips.height, np.bool_)
        wanted[list(trips)] = True
        rows = np.flatnonzero(
            wanted[arrays["section_trip"]] & ~arrays["section_alias"] & (begins | ends)
        )
        found = defaultdict[int, list[_Carried]](list)
        for row in rows.tolist():
            at, first = int(train[row]), int(starts[train[row]])
            trip = int(arrays["section_trip"][row])
            found[trip].append(
                _Carried(
                    trip, at, int(arrays["section_day_shift"][row]),
                    first + int(arrays["section_from_pos"][row]),
                    first + int(arrays["section_to_pos"][row]), bool(begins[row]), bool(ends[row]),
                )
            )  # fmt: skip
        return found

    def _link_stated(self, a: _Carried, b: _Carried) -> None:
        """Link two trips on the same service day, or else to the next one."""
        if not (a.ends and b.begins) or a.train == b.train:
            return
        ends, starts = self._moments(a, arriving=True), self._moments(b, arriving=False)
        runs, goes_on = self._dates(a), self._dates(b)
        waits = starts - ends
        today = runs & goes_on & (waits >= 0) & (waits <= DAY_S)
        self._add(a, b, today, 0)
        overnight = np.append(waits[1:] + ends[1:] - ends[:-1], -1)
        tomorrow = runs & ~today & _shifted(goes_on, -1) & (overnight >= 0) & (overnight <= DAY_S)
        self._add(a, b, tomorrow & (waits < 0), 1)

    def _link_block(
        self, runs: list[_Carried], stated: tuple[dict[int, Bools], dict[int, Bools]]
    ) -> None:
        """Link the trips of a block that follow one another on a service day.

        Rows of transfers.txt count before the block.
        """
        if len(runs) < 2:
            return
        dates = np.array([self._dates(run) for run in runs])
        days_of = defaultdict[bytes, list[int]](list)
        for day in np.flatnonzero(dates.sum(axis=0) > 1).tolist():
            days_of[dates[:, day].tobytes()].append(day)
        none = np.zeros(dates.shape[1], np.bool_)
        for days in days_of.values():
            moments = []
            for number in np.flatnonzero(dates[:, days[0]]).tolist():
                run = runs[number]
                span = [self._moments(run, arriving=end)[days[0]] for end in (False, True)]
                moments.append((*span, number))
            for (_, end, a), (start, _, b) in pairwise(sorted(moments)):
                one, other = runs[a], runs[b]
                pair = (one.trip, other.trip)
                if start < end or pair in self._stated[NOT_IN_SEAT_TYPE]:
                    continue
                if one.ends and other.begins and self._near(one.last, other.first):
                    held = np.zeros_like(none)
                    held[days] = True
                    held &= ~_shifted(stated[0].get(one.train, none), one.shift)
                    held &= ~_shifted(stated[1].get(other.train, none), other.shift)
                    self._add(one, other, held, 0)

    def _add(self, a: _Carried, b: _Carried, dates: Bools, later_d: int) -> None:
        """Note a link by service dates of the first trip."""
        if not dates.any():
            return
        days, later_d = _shifted(dates, -a.shift), a.shift - b.shift + later_d
        key = (a.train, b.train, later_d)
        if key in self._found:
            self._found[key].days |= days
        else:
            self._found[key] = _Link(b.train, later_d, days, (a.trip, b.trip))

    def _dates(self, run: _Carried) -> Bools:
        """Return the service dates of the trip on that train."""
        return _shifted(self._days[self._arrays["train_service"][run.train]], run.shift)

    def _moments(self, run: _Carried, *, arriving: bool) -> Int64s:
        """Return when the trip ends (begins) by its service date, whether it runs or not."""
        arrays = self._arrays
        event = run.last if arriving else run.first
        times = arrays["event_arrival_s" if arriving else "event_departure_s"]
        origin = self._origins[arrays["train_zone"][run.train]]
        at = np.clip(np.arange(len(origin)) - run.shift, 0, len(origin) - 1)
        moments: Int64s = origin[at] + int(times[event])
        return moments

    def _near(self, last: int, first: int) -> bool:
        """Whether a trip begins where another ends: at the stop, its station or close by."""
        a, b = (int(self._arrays["event_stop"][event]) for event in (last, first))
        stops = self._stops
        if a == b or (
            stops["station"][a] is not None and stops["station"][a] == stops["station"][b]
        ):
            return True
        spots = [(stops["stop_lat"][stop], stops["stop_lon"][stop]) for stop in (a, b)]
        if any(value is None for spot in spots for value in spot):
            return False
        return bool(distance_m(*spots[0], *spots[1]) <= NEAR_M)


def _stated_pairs(tables: Mapping[str, pl.DataFrame]) -> dict[int, set[_Pair]]:
    """Return by type the pairs of trips that transfers.txt links, or says not to be linked."""
    pairs: dict[int, set[_Pair]] = {IN_SEAT_TYPE: set(), NOT_IN_SEAT_TYPE: set()}
    transfers = tables.get("transfers")
    needed = {"feed", "transfer_type", "from_trip_id", "to_trip_id"}
    if transfers is None or not needed <= set(transfers.columns):
        return pairs
    rows = transfers.select(
        pl.col("feed").cast(pl.Int32), pl.col("transfer_type").cast(pl.Int32),
        pl.col("from_trip_id", "to_trip_id").cast(pl.String),
    ).filter(pl.col("transfer_type").is_in(list(pairs)))  # fmt: skip
    known = tables["trips"].select(
        pl.col("feed").cast(pl.Int32), pl.col("trip_id").cast(pl.String), row=pl.int_range(pl.len())
    )
    known = known.unique(["feed", "trip_id"], keep="first", maintain_order=True)
    for end in ("from", "to"):
        own = known.rename({"trip_id": f"{end}_trip_id", "row": end})
        rows = rows.join(own, on=["feed", f"{end}_trip_id"])
    for kind, a, b in rows.select("transfer_type", "from", "to").iter_rows():
        pairs[kind].add((a, b))
    return pairs


class _Chains:
    """Follows the links from each train on, as far as that leads anywhere."""

    def __init__(
        self, arrays: Arrays, origins: Int64s, links: dict[int, list[_Link]], special: Bools,
        banned: Bools,
    ) -> None:  # fmt: skip
        self._arrays, self._origins, self._links, self._special = arrays, origins, links, special
        self._banned = banned
        self._starts = arrays["train_event_start"]
        self._calls = call_flags(arrays["event_flags"], self._starts)
        self._pattern = group_trains(
            self._starts, np.ascontiguousarray(arrays["event_stop"]), self._calls
        )
        self._known: dict[tuple[int, ...], tuple[Bools, bool]] = {}
        self._ways_left = 0
        self.cut: set[int] = set()  # trains from which not all ways were followed

    def through_trains(self) -> Iterator[tuple[_Path, Bools, Bools]]:
        """Yield the trains ridden, and by position end to end where one boards and alights."""
        for train, links in sorted(self._links.items()):
            self._ways_left = MAX_WAYS
            for link in links:
                yield from self._follow(_Path((train,), (0,), link.days), link, ())

    def _follow(
        self, before: _Path, link: _Link, open_: tuple[Bools, ...]
    ) -> Iterator[tuple[_Path, Bools, Bools]]:
        """Yield what comes of going on by a link; ``open_``: rides that this train may carry too.

        Each entry of `open_` says for one more train of the path who rides to its calls.
        """
        later_d = before.later_d[-1] + link.later_d
        days = before.days & _shifted(link.days, -before.later_d[-1])
        path = _Path((*before.trains, link.train), (*before.later_d, later_d), days)
        if not days.any() or self._takes_too_long(path):
            return
        if len(path.trains) > MAX_TRIPS or self._ways_left == 0:
            self.cut.add(path.trains[0])
            return
        self._ways_left -= 1
        rides, is_alive = self._rides(path.trains)
        open_ = (*open_, rides)
        further = self._links.get(link.train, []) if is_alive else []
        further = [one for one in further if (days & _shifted(one.days, -later_d)).any()]
        is_straight = len(further) == 1 and not (days & ~_shifted(further[0].days, -later_d)).any()
        if is_straight and not self._brings_a_ban(path, further[0]):
            longer = list(self._follow(path, further[0], open_))
            if longer:
                yield from longer
                return
            further = []
        yield from self._carry(path, open_)
        for one in further:
            yield from self._follow(path, one, tuple(np.zeros_like(own) for own in open_))

    def _brings_a_ban(self, path: _Path, link: _Link) -> bool:
        """Whether a ban is about the train that a link leads to, and about none before it."""
        before = self._banned[:, list(path.trains)].any(axis=1)
        return bool((self._banned[:, link.train] & ~before).any())

    def _carry(self, path: _Path, open_: tuple[Bools, ...]) -> Iterator[tuple[_Path, Bools, Bools]]:
        n_first = self._length(path.trains[0])
        further = [rides[:, 1:] for rides in open_]  # where two trips meet is one call
        rides = np.concatenate([np.zeros((n_first, n_first), np.bool_), *further], axis=1)
        if rides.any():
            boards = np.zeros(rides.shape[1], np.bool_)
            boards[:n_first] = rides.any(axis=1)
            yield path, boards, np.asarray(rides.any(axis=0))

    def _rides(self, trains: tuple[int, ...]) -> tuple[Bools, bool]:
        """Return which rides from the first train to the last are of use, and if more may be.

        The first are bool[calls of the first, calls of the last].
        """
        key = tuple(int(self._pattern[train]) for train in trains)
        if key not in self._known:
            self._known[key] = self._find_rides(trains)
        return self._known[key]

    def _find_rides(self, trains: tuple[int, ...]) -> tuple[Bools, bool]:
        spans = [range(int(self._starts[train]), int(self._starts[train + 1])) for train in trains]
        events = [event for span in spans for event in span]
        stops = self._arrays["event_stop"][events].tolist()
        flags = self._calls[events]
        boards, alights = (flags & BOARDING_BIT) != 0, (flags & ALIGHTING_BIT) != 0
        n_first, n_last, n_all = len(spans[0]), len(spans[-1]), len(events)
        again = np.full(n_first, n_all)  # where one might board later
        before = np.full(n_last, -1)  # where one might alight before
        seen: dict[int, int] = {}
        for at in range(n_all - 1, -1, -1):
            if at < n_first:
                again[at] = seen.get(stops[at], n_all)
            if boards[at] and not self._special[stops[at]]:
                seen[stops[at]] = at
        seen.clear()
        for at in range(n_all):
            if at >= n_all - n_last:
                before[at - (n_all - n_last)] = seen.get(stops[at], -1)
            if alights[at] and not self._special[stops[at]]:
                seen[stops[at]] = at
        origin, target = np.arange(n_first)[:, None], np.arange(n_all - n_last, n_all)[None]
        rides: Bools = boards[:n_first, None] & alights[None, n_all - n_last :]
        rides &= (again[:, None] >= target) & (before[None] <= origin)
        return rides, bool((boards[:n_first] & (again == n_all)).any())

    def _takes_too_long(self, path: _Path) -> bool:
        """Whether nobody reaches the last train within a day, as every journey must."""
        arrays, day = self._arrays, int(path.days.argmax())
        moments = []
        for train, later_d, at in (
            (path.trains[0], 0, self._starts[path.trains[0] + 1] - 1),
            (path.trains[-1], path.later_d[-1], self._starts[path.trains[-1]]),
        ):
            origin = int(self._origins[arrays["train_zone"][train], day + later_d])
            moments.append(origin + int(arrays["event_departure_s"][at]))
        return moments[1] - moments[0] > DAY_S

    def _length(self, train: int) -> int:
        return int(self._starts[train + 1] - self._starts[train])


def _with_through_trains(
    arrays: Arrays,
    days: Bools,
    origins: Int64s,
    paths: list[tuple[_Path, Bools, Bools]],
    links: dict[int, list[_Link]],
) -> InSeat:
    """Return the arrays with the calls of each path end to end, closed and cut as it says."""
    starts, section_start = arrays["train_event_start"], arrays["section_start"]
    n_trains = len(arrays["train_trip"])
    rows = list(days)
    row_of = {row.tobytes(): number for number, row in enumerate(days)}
    made = defaultdict[str, list[Any]](list)
    parts: list[Part] = []
    first_event = int(starts[-1])
    for path, boards, alights in paths:
        # Zones and clock changes may move the trains of a path against each other.
        for shift_s, own in _by_shift(path, arrays["train_zone"], origins):
            train, length = n_trains + len(parts), 0
            for number, one in enumerate(path.trains):
                is_next = number > 0
                events = np.arange(starts[one], starts[one + 1])
                if is_next:  # where two trips meet is one call: who stays seated sees no other
                    made["leaves"][-1][-1] = starts[one]
                    made["leaves_later_s"][-1][-1] = shift_s[number]
                sections = np.arange(section_start[one], section_start[one + 1])
                made["events"].append(events[is_next:])
                made["leaves"].append(events[is_next:].copy())
                made["later_s"].append(np.full(len(events) - is_next, shift_s[number]))
                made["leaves_later_s"].append(made["later_s"][-1].copy())
                made["sections"].append(sections)
                made["section_at"].append(np.full(len(sections), length - is_next))
                made["later_d"].append(np.full(len(sections), path.later_d[number]))
                length += len(events) - is_next
            made["n_events"].append(length)
            made["n_sections"].append(
                sum(int(section_start[t + 1] - section_start[t]) for t in path.trains)
            )
            made["first"].append(path.trains[0])
            service = row_of.setdefault(own.tobytes(), len(rows))
            if service == len(rows):
                rows.append(own)
            begin, end = int(boards.argmax()), int(np.flatnonzero(alights)[-1]) + 1
            parts.append(
                Part(
                    train, first_event + begin, first_event + end, service,
                    boards[begin:end], alights[begin:end],
                )
            )  # fmt: skip
            first_event += length
    joined = _joined(arrays, made)
    cut = gathered(joined, np.arange(n_trains), parts)
    first = np.concatenate([np.arange(n_trains), made["first"]]).astype(np.int32)
    pairs = sorted({link.trips for own in links.values() for link in own})
    trips = np.array(pairs, np.int32).reshape(-1, 2).T
    del cut["train_of"]
    return InSeat(cut, first, np.array(rows), read_only(trips), 0)


def _by_shift(
    path: _Path, zone: npt.NDArray[np.int16], origins: Int64s
) -> Iterator[tuple[list[int], Bools]]:
    """Yield seconds to add to the times of each train of a path, and the days that is so on."""
    days = np.flatnonzero(path.days)
    base = origins[zone[path.trains[0]], days]
    later = np.array(
        [
            origins[zone[train], days + later_d] - base
            for train, later_d in zip(path.trains, path.later_d, strict=True)
        ]
    )
    for shift in np.unique(later, axis=1).T:
        own = np.zeros_like(path.days)
        own[days[(later == shift[:, None]).all(axis=0)]] = True
        yield shift.tolist(), own


def _joined(arrays: Arrays, made: Mapping[str, list[Any]]) -> Arrays:
    """Return the arrays with the trains of all paths after the trains, every call open."""
    events, sections = np.concatenate(made["events"]), np.concatenate(made["sections"])
    more = {name: array[events] for name, array in arrays.items() if name.startswith("event_")}
    for what, rows, later_s in (
        ("arrival", "events", "later_s"), ("departure", "leaves", "leaves_later_s"),
    ):  # fmt: skip
        times = arrays[f"event_{what}_s"][np.concatenate(made[rows])]
        more[f"event_{what}_s"] = (times + np.concatenate(made[later_s])).astype(np.int32)
    at, later_d = np.concatenate(made["section_at"]), np.concatenate(made["later_d"])
    for name, array in arrays.items():
        if name.startswith("section_") and name != "section_start":
            more[name] = array[sections]
    for name, added in (
        ("section_from_pos", at), ("section_to_pos", at), ("section_day_shift", later_d),
    ):  # fmt: skip
        more[name] = (more[name] + added).astype(arrays[name].dtype)
    first = np.array(made["first"])
    for name in ("train_trip", "train_zone", "train_service"):
        more[name] = arrays[name][first]
    joined = {name: np.concatenate([arrays[name], array]) for name, array in more.items()}
    for name, counts in (("train_event_start", "n_events"), ("section_start", "n_sections")):
        ends = arrays[name][-1] + np.cumsum(made[counts])
        joined[name] = np.concatenate([arrays[name], ends]).astype(arrays[name].dtype)
    return joined


def _shifted(days: Bools, later_d: int) -> Bools:
    """Return the days so much later; what leaves the horizon is lost.

    >>> _shifted(np.array([True, False, False]), 1).tolist()
    [False, True, False]
    """
    moved = np.zeros_like(days)
    if abs(later_d) >= len(days):
        return moved
    if later_d >= 0:
        moved[later_d:] = days[: len(days) - later_d]
    else:
        moved[:later_d] = days[-later_d:]
    return moved
