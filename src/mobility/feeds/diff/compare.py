"""What a new version of a feed changes, by meaning: what a rider, planner or clerk would see.

Rows and ids are not compared: a feed whose ids were all made anew differs in nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from mobility.core.time import gtfs_time
from mobility.feeds.diff.calls import Bools, Trips, Window, common_window, read_both, stop_names
from mobility.feeds.diff.fares import FareChange, diff_fares
from mobility.feeds.diff.places import Places, match_places
from mobility.feeds.diff.trips import Alias, TripChange, TripsDiff, diff_trips
from mobility.feeds.diff.values import Change, Churn
from mobility.feeds.feed import Feed

DAY_TYPES = (("Mon-Fri", range(5)), ("Sat", range(5, 6)), ("Sun", range(6, 7)))
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MAX_DATES = 3  # more are counted
FEED_TEXTS = ("feed_publisher_name", "feed_version")


@dataclass(frozen=True, slots=True)
class TripDiff:
    """A trip that has changed.

    Parameters
    ----------
    kind : str
        ``shifted``, ``retimed``, ``rerouted``, ``days`` (``old_trip_id``: no longer on these days;
        ``new_trip_id``: on these days as well), ``gone``, ``new``.
    departure : str
        HH:MM:SS at its first stop; the old one where there is one.
    shift_s : int
        New first departure minus the old one, seconds.
    days : str
        On which days, such as ``Mon-Fri`` or ``Sat, Sun``.
    """

    kind: str
    line: str
    old_trip_id: str
    new_trip_id: str
    departure: str
    origin: str
    destination: str
    shift_s: int
    days: str


@dataclass(frozen=True, slots=True)
class PatternDiff:
    """A sequence of stops that a line did not serve before (``new``) or serves no more."""

    kind: str
    line: str
    origin: str
    destination: str
    stops: int
    trips: int


@dataclass(frozen=True, slots=True)
class LineCount:
    """Trips of a line on a usual day of a type, before and after."""

    line: str
    day_type: str
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day that changes in a way of its own, such as a holiday.

    Parameters
    ----------
    old, new : int
        All trips of the day.
    differ : int
        Trips that run on it as an exception in one version alone.
    """

    day: dt.date
    old: int
    new: int
    differ: int


@dataclass(frozen=True, slots=True)
class TripAlias:
    """A trip of the old version and what it is called in the new one."""

    old_trip_id: str
    new_trip_id: str
    kind: str
    shift_s: int


@dataclass(frozen=True, slots=True)
class FeedDiff:
    """What a new version changes.

    Parameters
    ----------
    compared_from, compared_days : date, int
        The days on which trips were compared, in the new version.
    same_days : bool
        False where no week is in both versions: the last days of the old one were compared with
        days of the same weekdays of the new one.
    churn : dict of str to Churn
        How many stops, lines, trips that are the same have another id.
    n_trips : (int, int)
        Trips of both versions that run on the compared days.
    """

    old_version: str
    new_version: str
    old_span: tuple[dt.date, dt.date]
    new_span: tuple[dt.date, dt.date]
    compared_from: dt.date
    compared_days: int
    same_days: bool
    texts: tuple[Change, ...]
    agencies: tuple[Change, ...]
    lines: tuple[Change, ...]
    stops: tuple[Change, ...]
    line_counts: tuple[LineCount, ...]
    patterns: tuple[PatternDiff, ...]
    trips: tuple[TripDiff, ...]
    renumbered: tuple[TripAlias, ...]
    special_days: tuple[SpecialDay, ...]
    fares: tuple[FareChange, ...]
    churn: dict[str, Churn]
    aliases: tuple[TripAlias, ...]
    n_trips: tuple[int, int]

    @property
    def is_empty(self) -> bool:
        """Whether nothing has changed that anybody would see."""
        changes = (
            self.texts, self.agencies, self.lines, self.stops, self.line_counts, self.patterns,
            self.trips, self.renumbered, self.special_days, self.fares,
        )  # fmt: skip
        return not any(changes) and self.old_span == self.new_span

    @property
    def regenerated(self) -> tuple[str, ...]:
        """What has been given new ids throughout: of stops, lines, trips."""
        return tuple(name for name, churn in self.churn.items() if not churn.stable)


def diff_feeds(old: Feed, new: Feed) -> FeedDiff:
    """Return what a new version of a feed changes."""
    places = match_places(old, new)
    window = common_window(old, new)
    left, right = read_both(old, new, places, window)
    matched = set(places.old_lines.values()) & set(places.new_lines.values())
    found = diff_trips(left, right, window, matched)
    names = stop_names(old, places.old_stops), stop_names(new, places.new_stops)
    writer = _Writer(places, window, left, right, names, found)
    aliases = tuple(sorted(writer.aliases(found.aliases), key=lambda a: a.old_trip_id))
    differ = sum(alias.old_trip_id != alias.new_trip_id for alias in aliases)
    return FeedDiff(
        old_version=old.version,
        new_version=new.version,
        old_span=(old.valid_from, old.valid_until),
        new_span=(new.valid_from, new.valid_until),
        compared_from=window.new_first,
        compared_days=window.n_days,
        same_days=window.same_days,
        texts=_texts(old, new),
        agencies=places.agencies,
        lines=places.lines,
        stops=places.stops,
        line_counts=tuple(writer.line_counts(matched)),
        patterns=tuple(writer.patterns(matched)),
        trips=tuple(sorted(map(writer.trip, found.changes), key=_trip_order)),
        renumbered=tuple(writer.aliases(found.renumbered)),
        special_days=tuple(writer.special_days()),
        fares=tuple(diff_fares(old, new, places)),
        churn={
            "stops": places.stop_churn,
            "lines": places.line_churn,
            "trips": Churn(len(aliases), differ),
        },
        aliases=aliases,
        n_trips=(writer.running(left), writer.running(right)),
    )


def _trip_order(trip: TripDiff) -> tuple[str, ...]:
    return (
        trip.line, trip.kind, trip.days, trip.departure, trip.origin, trip.destination,
        trip.old_trip_id, trip.new_trip_id,
    )  # fmt: skip


def _texts(old: Feed, new: Feed) -> tuple[Change, ...]:
    """Return how the feed's name, version or time zone has changed."""
    sides = []
    for feed in (old, new):
        rows = feed.tables["feed_info"].rows(named=True)
        texts = {name: (rows[0][name] or "") if rows else "" for name in FEED_TEXTS}
        sides.append(texts | {"zone": feed.zone})
    fields = {name: (sides[0][name], sides[1][name]) for name in sides[0]}
    return tuple(
        Change("changed", name, fields={name: (before, after)})
        for name, (before, after) in fields.items()
        if before != after
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    """Puts numbers into words."""

    places: Places
    window: Window
    left: Trips
    right: Trips
    names: tuple[dict[int, str], dict[int, str]]  # of stops, in the old and new version
    found: TripsDiff
    told_days: dict[bytes, str] = field(default_factory=dict)

    def running(self, trips: Trips) -> int:
        """Return how many trips run on any of the compared days."""
        return int(np.asarray(trips.days.any(axis=1))[trips.service].sum())

    def aliases(self, aliases: Iterable[Alias]) -> Iterable[TripAlias]:
        """Return aliases by trip_id."""
        for alias in aliases:
            ids = self.left.ids[alias.old], self.right.ids[alias.new]
            yield TripAlias(*ids, alias.kind, alias.shift_s)

    def trip(self, change: TripChange) -> TripDiff:
        """Return a change of a trip."""
        is_old = change.old >= 0
        trips, at = (self.left, change.old) if is_old else (self.right, change.new)
        names = self.names[0 if is_old else 1]
        return TripDiff(
            kind=change.kind,
            line=self.places.line_names[int(trips.line[at])],
            old_trip_id=self.left.ids[change.old] if change.old >= 0 else "",
            new_trip_id=self.right.ids[change.new] if change.new >= 0 else "",
            departure=gtfs_time(int(trips.start_s[at])),
            origin=names[int(trips.stops[at][0])],
            destination=names[int(trips.stops[at][-1])],
            shift_s=change.shift_s,
            days=self._days_text(change.days),
        )

    def _days_text(self, days: Bools) -> str:
        key = days.tobytes()
        if key not in self.told_days:
            self.told_days[key] = days_text(days, self.window)
        return self.told_days[key]

    def line_counts(self, matched: set[int]) -> Iterable[LineCount]:
        """Return the lines of both versions that run more or fewer trips on a usual day."""
        weekday = self.window.weekdays()
        usual = ~self.found.special
        before, after = self._per_day(self.left), self._per_day(self.right)
        for line in sorted(matched, key=lambda line: (self.places.line_names[line], line)):
            for name, days in DAY_TYPES:
                chosen = usual & np.isin(weekday, list(days))
                if chosen.any():
                    counts = [int(np.median(side[line][chosen])) for side in (before, after)]
                    if counts[0] != counts[1]:
                        yield LineCount(self.places.line_names[line], name, *counts)

    def _per_day(self, trips: Trips) -> np.ndarray:
        """Return trips by line and day."""
        per_day = np.zeros((len(self.places.line_names), self.window.n_days), dtype=np.int32)
        pairs = Counter(zip(trips.line.tolist(), trips.service.tolist(), strict=True))
        for (line, service), count in pairs.items():
            per_day[line] += count * trips.days[service]
        return per_day

    def patterns(self, matched: set[int]) -> Iterable[PatternDiff]:
        """Return the sequences of stops that lines of both versions have gained or lost."""
        before, after = self._patterns(self.left, matched), self._patterns(self.right, matched)
        for kind, trips, names, here, there in (
            ("gone", self.left, self.names[0], before, after),
            ("new", self.right, self.names[1], after, before),
        ):
            for (line, pattern), rows in here.items():
                if (line, pattern) not in there:
                    stops = trips.stops[rows[0]]
                    yield PatternDiff(
                        kind,
                        self.places.line_names[line],
                        names[int(stops[0])],
                        names[int(stops[-1])],
                        len(stops),
                        len(rows),
                    )

    def _patterns(self, trips: Trips, matched: set[int]) -> dict[tuple[int, bytes], list[int]]:
        """Return the trips of each pattern that runs on a usual day."""
        usual = trips.days & ~self.found.special
        runs = np.asarray(usual.any(axis=1))[trips.service]
        found: dict[tuple[int, bytes], list[int]] = defaultdict(list)
        for at in np.flatnonzero(runs):
            if int(trips.line[at]) in matched:
                found[int(trips.line[at]), trips.pattern[at]].append(int(at))
        return found

    def special_days(self) -> Iterable[SpecialDay]:
        """Return the days that change in a way of their own."""
        before, after = (self._per_day(side).sum(axis=0) for side in (self.left, self.right))
        for day in np.flatnonzero(self.found.exceptions).tolist():
            differ = int(self.found.exceptions[day])
            yield SpecialDay(self.window.date(day), int(before[day]), int(after[day]), differ)


def days_text(days: Bools, window: Window) -> str:
    """Return days as people say them: weekdays on most of which it is so, and further dates.

    >>> window = Window(dt.date(2027, 5, 3), dt.date(2027, 5, 3), 14)
    >>> days_text(np.array([True] * 5 + [False] * 2 + [True] * 5 + [False] * 2), window)
    'Mon-Fri'
    >>> days_text(np.array([True] + [False] * 4 + [True] + [False] * 6 + [True, False]), window)
    'Sat, 2027-05-03'
    """
    weekday = window.weekdays()
    present = sorted(set(weekday.tolist()))
    most = [one for one in present if 2 * np.asarray(days[weekday == one]).mean() > 1]
    if most == present:
        return "daily"
    names = ["Mon-Fri"] if most[:5] == list(range(5)) else [WEEKDAYS[one] for one in most[:5]]
    names += [WEEKDAYS[one] for one in most[5:]]
    others = np.flatnonzero(days & ~np.isin(weekday, most)).tolist()
    if len(others) > MAX_DATES:
        more = "other days" if names else "days"
        return ", ".join([*names, f"{len(others)} {more} from {window.date(others[0])}"])
    return ", ".join([*names, *(window.date(at).isoformat() for at in others)])
