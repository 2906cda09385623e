"""How a region's data stand: feeds, coverage, alarms, notices; from the edition and the home."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from mobility.api.region_queries import CoverageQuery, NoticesQuery
from mobility.api.region_tiers import TOTALS, OpenRows
from mobility.core.notices import Notice, Severity
from mobility.core.time import Clock, local_date
from mobility.feeds import (
    RULES,
    Alarm,
    AlarmLimits,
    DayCounts,
    FeedStatus,
    FeedStore,
    FeedSummary,
    FeedVersion,
    TableCounts,
    region_coverage,
)
from mobility.feeds.versions.coverage import alarms
from mobility.feeds.versions.store import FetchState
from mobility.network import Edition
from mobility.web import read_catalogue
from mobility.web.view import date_text

Document = dict[str, Any]
COUNTED = ("read", "kept", "repaired", "dropped")
KEPT_VERSIONS = 12  # versions and lines of history of a feed that are told
SEVERITIES = ("error", "warning", "info")
# What stands in these values of an alarm may hold an address with a secret, or a path of ours.
CLOSED_VALUES = {"unreadable": ("why",), "fetch_failing": ("why",)}


class RegionStatusDesk:
    """Tells how the region's data stand; safe to call from several threads.

    Parameters
    ----------
    edition, clock, tz, home
        What is told of, now, in which zone, and where versions of feeds are kept.
    not_opened : callable
        Returns the hash of the edition that was to be served and cannot be; else an empty text.
    """

    def __init__(
        self,
        edition: Edition,
        clock: Clock,
        tz: str,
        home: Path | None,
        not_opened: Callable[[], str] = lambda: "",
    ) -> None:
        part = edition.part("region.json")
        self._edition = edition
        self._clock = clock
        self._tz = tz
        self._home = home
        self._not_opened = not_opened
        self._document: Document = orjson.loads(part) if part else {"manifest": {}, "feeds": []}
        self.manifest: Document = self._document["manifest"]
        self._configs = {feed["id"]: feed for feed in self.manifest.get("feeds", ())}
        self.rows = OpenRows(list(self._configs.values()))

    def today(self) -> dt.date:
        """Return the date in the region's zone."""
        return local_date(int(self._clock().timestamp()), self._tz)

    @property
    def feed_ids(self) -> list[str]:
        """The edition's feeds, in the order of their indices."""
        return [feed["id"] for feed in self._edition.info["feeds"]]

    @cached_property
    def _coverage(self) -> dict[str, DayCounts]:
        network = self._edition.network
        days = np.unpackbits(network.service_bits, axis=1, bitorder="little")[:, : network.n_days]
        tables = {name: self._edition.table(name) for name in ("sections", "trips", "trains")}
        return region_coverage(self.feed_ids, network.first_date, days.astype(bool), tables)

    def status(self, language: str) -> Document:
        """Return the status document: feeds, alarms, statements of the manifest."""
        today = self.today()
        stores = {feed: self._store(feed) for feed in self.feed_ids}
        states = [self._state(feed, stores[feed["id"]]) for feed in self._edition.info["feeds"]]
        raised = [
            alarm_document(alarm, language)
            for feed, state in zip(self._edition.info["feeds"], states, strict=True)
            for alarm in alarms(state, today)
            if alarm.code not in self._beyond(feed)
        ]
        raised += self._horizon_alarms(today, language)
        if edition := self._not_opened():
            raised.append(_alarm("edition_not_opened", "error", "", {"edition": edition}, language))
        raised.sort(key=lambda a: (SEVERITIES.index(a["severity"]), a["feed"], a["code"]))
        return {
            "versions": self._edition.versions,
            "id": self.manifest.get("id", ""),
            "name": self.manifest.get("name", ""),
            "today": today.isoformat(),
            "alarms": raised,
            "feeds": [
                self._feed(feed, state)
                for feed, state in zip(self._edition.info["feeds"], states, strict=True)
            ],
            "skipped": [
                {"id": feed["id"], "reason": feed["skip"]}
                for feed in self._configs.values()
                if feed.get("skip")
            ],
            "stations": self._edition.info["stations"],
            "trains": self._edition.info["trains"],
            "notices": self._by_severity(self._edition.notices),
            "border_checks": list(self.manifest.get("border_checks", ())),
            "boarding_bans": list(self.manifest.get("boarding_bans", ())),
            "hand_overs": len(self.manifest.get("hand_overs", ())),
            "decisions": len(self.manifest.get("decisions", ())),
        }

    def coverage(self, query: CoverageQuery) -> Document:
        """Return trips per day and feed of a span of days."""
        first = query.first or self.today().replace(day=1)
        days = [first + dt.timedelta(days=n) for n in range(query.days)]
        network = self._edition.network
        return {
            "versions": self._edition.versions,
            "today": self.today().isoformat(),
            "first": first.isoformat(),
            "days": query.days,
            "known_from": network.first_date.isoformat(),
            "known_until": network.last_date.isoformat(),
            "feeds": [
                {
                    "id": feed["id"],
                    "valid_from": feed["valid_from"],
                    "valid_until": feed["valid_until"],
                    "known": self.rows.tier(feed["id"]) != TOTALS,
                    "most": max(self._coverage[feed["id"]].trips, default=0),
                    "trips": [self._coverage[feed["id"]].on(day) for day in days],
                }
                for feed in self._edition.info["feeds"]
            ],
        }

    def notices(self, query: NoticesQuery) -> Document:
        """Return the notices of the build, and how many there are of each code."""
        known = self._edition.notices
        asked = [
            notice
            for notice in known
            if query.feed in ("", notice.feed) and query.severity in ("", notice.severity)
        ]
        told = [notice for notice in asked if query.code in ("", notice.code)]
        told.sort(key=lambda n: (SEVERITIES.index(n.severity), n.code, n.feed, n.file, n.row, n))
        return {
            "versions": self._edition.versions,
            "total": len(told),
            "codes": _codes(asked),
            "notices": [
                self._notice(notice) for notice in told[query.offset : query.offset + query.limit]
            ],
        }

    def _store(self, feed: str) -> FeedStore | None:
        if self._home is None:
            return None
        store = FeedStore(self._home, str(self.manifest.get("id", "")), feed)
        return store if store.folder.is_dir() else None

    def _state(self, feed: Document, store: FeedStore | None) -> FeedStatus:
        """Return a feed's status: what the edition was built from, what the home knows beside."""
        return FeedStatus(
            id=feed["id"],
            url="",
            skip="",
            active=self._version(feed),
            waiting=store.waiting() if store else None,
            versions=store.versions() if store else (),
            history=store.history() if store else (),
            fetch=store.fetch_state() if store else FetchState(),
        )

    def _version(self, feed: Document) -> FeedVersion:
        first, last = (dt.date.fromisoformat(feed[end]) for end in ("valid_from", "valid_until"))
        known = self._coverage[feed["id"]]
        first, last = max(first, known.first), min(last, known.last)
        counted = tuple(
            known.on(first + dt.timedelta(days=n)) for n in range((last - first).days + 1)
        )
        summary = FeedSummary(
            version=feed["version"],
            zone=feed["zone"],
            agencies=(),
            box=None,
            days=DayCounts(first, counted),
            tables={name: TableCounts(**counts) for name, counts in feed["tables"].items()},
            notices={},
            errors=0,
        )
        return FeedVersion(summary, sha256="", size_bytes=0, fetched_at=self._clock(), url="")

    def _beyond(self, feed: Document) -> tuple[str, ...]:
        """Return the alarms that speak of the edition's horizon, not of the feed's validity."""
        network = self._edition.network
        earlier = bool(feed["valid_from"] < network.first_date.isoformat())
        later = bool(feed["valid_until"] > network.last_date.isoformat())
        return ("future",) * earlier + ("ended", "ends_soon") * later

    def _horizon_alarms(self, today: dt.date, language: str) -> list[Document]:
        """Return that the edition ends soon although feeds reach further, where it is so."""
        last = self._edition.network.last_date
        left = (last - today).days
        further = any(f["valid_until"] > last.isoformat() for f in self._edition.info["feeds"])
        if not further or left > AlarmLimits().ends_within_days:
            return []
        severity: Severity = "error" if left < 0 else "warning"
        values = {"until": last.isoformat(), "days": str(abs(left))}
        return [_alarm("horizon_ends", severity, "", values, language)]

    def _feed(self, feed: Document, state: FeedStatus) -> Document:
        config = self._configs.get(feed["id"], {})
        plain = ("id", "name", "country", "zone", "version", "valid_from", "valid_until")
        return {
            **{name: feed.get(name) for name in plain},
            "precedence": feed.get("precedence", 0),
            "licence": feed.get("licence") or "",
            "licence_url": config.get("licence_url", ""),
            "attribution": feed.get("attribution") or "",
            "tier": self.rows.tier(feed["id"]),
            "tiers": dict(config.get("tiers") or {}),
            "counts": {
                key: sum(counts[key] for counts in feed["tables"].values()) for key in COUNTED
            },
            "tables": feed["tables"],
            "notices": self._by_severity(n for n in self._edition.notices if n.feed == feed["id"]),
            "versions": [
                {
                    "version": version.id,
                    "fetched_at": _moment(version.fetched_at),
                    "valid_from": version.summary.valid_from.isoformat(),
                    "valid_until": version.summary.valid_until.isoformat(),
                    "here": version.id == feed["version"],
                    "waiting": state.waiting is not None and version.id == state.waiting.id,
                }
                for version in state.versions[-KEPT_VERSIONS:]
            ],
            "history": [
                {
                    "action": line.action,
                    "version": line.version,
                    "at": _moment(line.at),
                    "reasons": list(line.reasons),
                    "despite": line.despite,
                }
                for line in state.history[-KEPT_VERSIONS:]
            ],
        }

    def _notice(self, notice: Notice) -> Document:
        table = notice.file.removesuffix(".txt")
        shown = self.rows.shows(notice.feed, table)
        rule = RULES.get(notice.code)
        return {
            "code": notice.code,
            "severity": notice.severity,
            "feed": notice.feed,
            "file": notice.file,
            "row": notice.row if shown else 0,
            "field": notice.field,
            "value": notice.value if shown else "",
            "message": notice.message if shown or rule is None else rule.message,
            "count": notice.count,
            "rows_shown": shown,
        }

    @staticmethod
    def _by_severity(notices: Any) -> dict[str, int]:
        counts = Counter[str]()
        for notice in notices:
            counts[notice.severity] += notice.count
        return {severity: counts[severity] for severity in SEVERITIES}


def alarm_document(alarm: Alarm, language: str) -> Document:
    """Return an alarm in words of the language, without what only the staff may read."""
    closed = CLOSED_VALUES.get(alarm.code, ())
    values = {name: value for name, value in alarm.values.items() if name not in closed}
    return _alarm(alarm.code, alarm.severity, alarm.feed, values, language)


def _alarm(
    code: str, severity: Severity, feed: str, values: Mapping[str, str], language: str
) -> Document:
    strings = read_catalogue(language, "staff")
    said = {
        name: date_text(value, strings) if name in ("from", "until", "since") else value
        for name, value in values.items()
    }
    return {
        "code": code,
        "severity": severity,
        "feed": feed,
        "values": dict(values),
        "message": strings.text(f"alarm.{code}", feed=feed, **said),
        "advice": strings.text(f"alarm.{code}.do", feed=feed, **said),
    }


def _codes(notices: Sequence[Notice]) -> list[Document]:
    """Return one document per code: how many rows, of which feeds; worst first, then the most."""
    found: dict[str, Document] = {}
    for notice in notices:
        one = found.setdefault(
            notice.code,
            {"code": notice.code, "severity": notice.severity, "count": 0, "feeds": []},
        )
        one["count"] += notice.count
        one["severity"] = min(one["severity"], notice.severity, key=SEVERITIES.index)
        if notice.feed and notice.feed not in one["feeds"]:
            one["feeds"].append(notice.feed)
    order = sorted(
        found.values(), key=lambda c: (SEVERITIES.index(c["severity"]), -c["count"], c["code"])
    )
    return [{**code, "feeds": sorted(code["feeds"])} for code in order]


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")
