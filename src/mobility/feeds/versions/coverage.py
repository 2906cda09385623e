"""Which days feeds cover, and the alarms that say what to do before somebody stands at a stop.

Pure functions of values and a date: the command line and the region's page show the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.notices import Severity
from mobility.feeds.feed import Feed
from mobility.feeds.versions.store import Activation, FeedVersion, FetchState
from mobility.feeds.versions.summary import DayCounts, trips_per_day

AlarmCode = Literal[
    "never_fetched", "unreadable", "ended", "ends_soon", "future", "gap", "old_version",
    "fetch_failing", "version_waiting",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person should see to.

    Parameters
    ----------
    code : str
        Stable; a page looks up its own words under it and fills in ``values``.
    values : dict of str to str
        What the words need: dates as YYYY-MM-DD, numbers of days, a short text.
    message, advice : str
        In English: what is the matter, and what to do.
    """

    code: AlarmCode
    severity: Severity
    feed: str
    values: dict[str, str]
    message: str
    advice: str

    def document(self) -> dict[str, Any]:
        """Return the alarm as a document."""
        return {
            "code": self.code,
            "severity": self.severity,
            "feed": self.feed,
            "values": self.values,
            "message": self.message,
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """One feed as it stands today.

    Parameters
    ----------
    id : str
        Feed id.
    url : str
        Where it is fetched from; empty where the manifest names a path.
    skip : str
        Why it is left out; empty where it is not.
    active : FeedVersion or None
        What the region is built from: the active version, or what stands under the path now.
    waiting : FeedVersion or None
        A newer version that the guard has refused and nobody has let in.
    versions : tuple of FeedVersion
        All that the store holds, oldest first.
    history : tuple of Activation
        Oldest first.
    fetch : FetchState
        How the last attempts went.
    unreadable : str
        Why what stands under the path cannot be read; empty where it can.
    alarms : tuple of Alarm
        Worst first.
    """

    id: str
    url: str
    skip: str
    active: FeedVersion | None
    waiting: FeedVersion | None
    versions: tuple[FeedVersion, ...]
    history: tuple[Activation, ...]
    fetch: FetchState
    unreadable: str = ""
    alarms: tuple[Alarm, ...] = ()

    @property
    def days(self) -> DayCounts | None:
        """Trips per day of what the region is built from."""
        return self.active.summary.days if self.active else None

    @property
    def waiting_reasons(self) -> tuple[str, ...]:
        """What the guard has against the version that waits."""
        refused = [one.reasons for one in self.history if one.action == "refuse"]
        return refused[-1] if self.waiting and refused else ()


@dataclass(frozen=True, slots=True)
class RegionStatus:
    """A region's feeds as they stand on a day."""

    region_id: str
    name: str
    today: dt.date
    feeds: tuple[FeedStatus, ...]

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """All alarms, worst first, then by feed."""
        return sort_alarms(alarm for feed in self.feeds for alarm in feed.alarms)


@dataclass(frozen=True, slots=True)
class AlarmLimits:
    """When to raise an alarm, in days."""

    ends_within_days: int = 14
    old_after_days: int = 120
    failing_error_days: int = 3


def sort_alarms(alarms: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """Return alarms worst first, then by feed and code."""
    rank = {"error": 0, "warning": 1, "info": 2}
    return tuple(sorted(alarms, key=lambda a: (rank[a.severity], a.feed, a.code, a.message)))


def coverage_calendar(feeds: Sequence[Feed]) -> dict[str, DayCounts]:
    """Return trips per day by feed id."""
    return {feed.config.id: trips_per_day(feed) for feed in feeds}


def region_coverage(
    feed_ids: Sequence[str],
    first: dt.date,
    days: npt.NDArray[np.bool_],
    tables: Mapping[str, pl.DataFrame],
) -> dict[str, DayCounts]:
    """Return trips per day by feed id of a merged region or an edition.

    A trip counts in its own feed on every day on which a train carries it, also where another
    feed's trip was chosen for the run.

    Parameters
    ----------
    days : bool[n_services, n_days]
        Of the region, from ``first`` on.
    tables : dict of str to polars.DataFrame
        The region's ``trains`` (service), ``trips`` (feed), ``sections`` (train, trip, day_shift).
    """
    pairs = tables["sections"].select("train", "trip", "day_shift").unique(maintain_order=True)
    counted = (
        pairs.select(
            pl.lit(tables["trips"]["feed"]).gather(pl.col("trip")).alias("feed"),
            pl.lit(tables["trains"]["service"]).gather(pl.col("train")).alias("service"),
            "day_shift",
        )
        .group_by("feed", "service", "day_shift", maintain_order=True)
        .len()
    )
    totals = np.zeros((len(feed_ids), days.shape[1]), dtype=np.int64)
    for feed, service, shift, trips in counted.iter_rows():
        runs = days[service]
        at = max(shift, 0)
        until = days.shape[1] + min(shift, 0)
        totals[feed, at:until] += trips * runs[at - shift : until - shift]
    return {
        feed_id: DayCounts(first, tuple(int(trips) for trips in totals[row]))
        for row, feed_id in enumerate(feed_ids)
    }


def gap_spans(days: DayCounts, today: dt.date) -> tuple[tuple[dt.date, dt.date], ...]:
    """Return the spans of days from ``today`` on with no trip where one would expect some.

    A weekday on which the feed seldom runs is no gap.

    >>> week = DayCounts(dt.date(2027, 5, 3), (9, 9, 0, 9, 9, 0, 0) + (9, 9, 9, 9, 9, 0, 0) * 3)
    >>> [(str(first), str(last)) for first, last in gap_spans(week, dt.date(2027, 5, 1))]
    [('2027-05-05', '2027-05-05')]
    """
    trips = np.array(days.trips)
    weekday = (days.first.weekday() + np.arange(len(trips))) % 7
    served = np.bincount(weekday, weights=trips > 0, minlength=7)
    runs = 2 * served > np.bincount(weekday, minlength=7)
    missing = (trips == 0) & runs[weekday]
    spans: list[tuple[dt.date, dt.date]] = []
    for at in np.flatnonzero(missing):
        day = days.first + dt.timedelta(days=int(at))
        if day < today:
            continue
        if spans and not any(trips[(spans[-1][1] - days.first).days : at]):
            spans[-1] = spans[-1][0], day
        else:
            spans.append((day, day))
    return tuple(spans)


def alarms(
    feed: FeedStatus, today: dt.date, *, region: str = "REGION", limits: AlarmLimits | None = None
) -> tuple[Alarm, ...]:
    """Return what a person should see to in one feed on a day, worst first.

    Parameters
    ----------
    region : str
        What the advice calls the region in commands.
    """
    if feed.skip:
        return ()
    limits = limits or AlarmLimits()
    found = [
        *_version_alarms(feed, today, region, limits),
        *_fetch_alarms(feed, today, region, limits),
    ]
    return sort_alarms(found)


def _version_alarms(
    feed: FeedStatus, today: dt.date, region: str, limits: AlarmLimits
) -> Iterator[Alarm]:
    active = feed.active
    if active is None:
        return
    summary = active.summary
    ask = "ask the operator for the next timetable"
    left = (summary.valid_until - today).days
    until = {"until": summary.valid_until.isoformat(), "days": str(abs(left))}
    if left < 0:
        told = f"ended on {summary.valid_until}, {-left} days ago: nothing of it runs any more"
        yield Alarm("ended", "error", feed.id, until, told, ask)
    elif left <= limits.ends_within_days:
        told = f"ends on {summary.valid_until}, in {left} days"
        yield Alarm("ends_soon", "warning", feed.id, until, told, ask)
    if summary.valid_from > today:
        begins = {"from": summary.valid_from.isoformat()}
        told = f"begins on {summary.valid_from}: nothing of it runs before"
        advice = "ask the operator for the timetable until then"
        if len(feed.versions) > 1:
            advice = f"use the one before until then: mobility feeds rollback {region} {feed.id}"
        yield Alarm("future", "warning", feed.id, begins, told, advice)
    for first, last in gap_spans(summary.days, today):
        days = (last - first).days + 1
        values = {"from": first.isoformat(), "until": last.isoformat(), "days": str(days)}
        span = f"on {first}" if days == 1 else f"from {first} to {last}, {days} days"
        severity: Severity = "info" if days == 1 else "warning"
        told = f"nothing runs {span}"
        yield Alarm(
            "gap", severity, feed.id, values, told, "ask the operator whether this is meant"
        )
    age = (today - active.fetched_at.date()).days
    if feed.url and age > limits.old_after_days:
        values = {"since": active.fetched_at.date().isoformat(), "days": str(age)}
        told = f"the version in use came in {age} days ago"
        advice = "ask the operator whether the address is still the right one"
        yield Alarm("old_version", "info", feed.id, values, told, advice)


def _fetch_alarms(
    feed: FeedStatus, today: dt.date, region: str, limits: AlarmLimits
) -> Iterator[Alarm]:
    if feed.unreadable:
        yield Alarm(
            "unreadable", "error", feed.id, {"why": feed.unreadable}, feed.unreadable,
            "put a readable feed at the path that the manifest names",
        )  # fmt: skip
    if feed.url and feed.active is None:
        yield Alarm(
            "never_fetched", "error", feed.id, {}, "no version of it is in use",
            f"mobility feeds fetch {region} {feed.id}",
        )  # fmt: skip
    since = feed.fetch.failing_since
    if since is not None:
        days = (today - since.date()).days
        yield Alarm(
            "fetch_failing",
            "error" if days >= limits.failing_error_days else "warning",
            feed.id,
            {"since": since.date().isoformat(), "days": str(days), "why": feed.fetch.error},
            f"cannot be fetched since {since.date()}: {feed.fetch.error}",
            "ask the operator, or hand the file in:"
            f" mobility feeds fetch {region} --file {feed.id}=PATH",
        )
    if feed.waiting is not None:
        version = feed.waiting.id[:12]
        why = "; ".join(feed.waiting_reasons)
        yield Alarm(
            "version_waiting",
            "warning",
            feed.id,
            {"version": version, "why": why},
            f"version {version} was not activated: {why}",
            f"look at it (mobility feeds diff --region {region} --feed {feed.id}), then ask the"
            f" operator, or let it in: mobility feeds activate {region} {feed.id} {version}"
            " --despite REASON",
        )
