"""How a region's feeds stand today: from the manifest, the versions in the home, and a date."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mobility.core.errors import EnvironmentFault, FeedError
from mobility.core.files import make_folder, write_atomic
from mobility.feeds.reader import read_feed
from mobility.feeds.statements import FeedConfig, Manifest
from mobility.feeds.versions.coverage import AlarmLimits, FeedStatus, RegionStatus, alarms
from mobility.feeds.versions.store import FeedStore, FeedVersion
from mobility.feeds.versions.summary import FeedSummary, read_summary, summarise


def region_status(
    manifest: Manifest, home: Path, today: dt.date, *, limits: AlarmLimits | None = None
) -> RegionStatus:
    """Return each feed's version in use, those before it, what waits, and the alarms of the day.

    A feed with a ``path`` is read where it has changed since it was read last; all else comes from
    what was written down when a version came in.
    """
    feeds = []
    for config in manifest.feeds:
        status = feed_status(config, FeedStore(home, manifest.id, config.id))
        raised = alarms(status, today, region=manifest.folder.name or manifest.id, limits=limits)
        feeds.append(replace(status, alarms=raised))
    return RegionStatus(manifest.id, manifest.name, today, tuple(feeds))


def feed_status(config: FeedConfig, store: FeedStore) -> FeedStatus:
    """Return how one feed stands, without alarms."""
    active, unreadable = None, ""
    if config.url:
        active = store.active()
    elif not config.skip:
        try:
            active = _version_of_path(config, store)
        except FeedError as error:
            unreadable = str(error)
    return FeedStatus(
        id=config.id,
        url=config.url,
        skip=config.skip,
        active=active,
        waiting=store.waiting(),
        versions=store.versions(),
        history=store.history(),
        fetch=store.fetch_state(),
        unreadable=unreadable,
    )


def _version_of_path(config: FeedConfig, store: FeedStore) -> FeedVersion:
    """Return what stands under a feed's path, as if it were a version."""
    source = config.source()
    mark, size, changed = _fingerprint(config)
    summary = _remembered(store, mark)
    if summary is None:
        summary = summarise(read_feed(config))
        _remember(store, mark, summary)
    moment = dt.datetime.fromtimestamp(changed, dt.UTC)
    return FeedVersion(summary, sha256="", size_bytes=size, fetched_at=moment, url=source.name)


def _fingerprint(config: FeedConfig) -> tuple[str, int, float]:
    """Return a mark that changes with the files or what the manifest says, their bytes, and age."""
    source = config.source()
    file = Path(str(source).partition("#")[0])
    files = sorted(file.rglob("*")) if file.is_dir() else [file]
    try:
        stats = [(str(one), one.stat()) for one in files if not one.is_dir()]
    except OSError as error:
        raise FeedError(f"{file}: {error.strerror or error}") from None
    if not stats:
        raise FeedError(f"{file}: an empty folder; expected a GTFS feed")
    seen = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]
    marked = json.dumps([config.model_dump(mode="json"), seen], sort_keys=True)
    size = sum(stat.st_size for _, stat in stats)
    changed = max(stat.st_mtime for _, stat in stats)
    return hashlib.sha256(marked.encode()).hexdigest(), size, changed


def _remembered(store: FeedStore, mark: str) -> FeedSummary | None:
    try:
        document = json.loads((store.folder / "path.json").read_bytes())
        return read_summary(document["summary"]) if document["mark"] == mark else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a cache: whatever is wrong with it, the feed is read again


def _remember(store: FeedStore, mark: str, summary: FeedSummary) -> None:
    document = {"mark": mark, "summary": summary.document()}
    try:
        content = json.dumps(document, sort_keys=True, ensure_ascii=False).encode()
        write_atomic(make_folder(store.folder) / "path.json", content)
    except EnvironmentFault:
        return  # a home that is read-only: nothing is lost but time


def status_document(status: RegionStatus) -> dict[str, Any]:
    """Return a region's status as a document."""
    return {
        "region": status.region_id,
        "name": status.name,
        "today": status.today.isoformat(),
        "alarms": [alarm.document() for alarm in status.alarms],
        "feeds": [_feed_document(feed) for feed in status.feeds],
    }


def _feed_document(feed: FeedStatus) -> dict[str, Any]:
    return {
        "id": feed.id,
        "url": feed.url,
        "skip": feed.skip,
        "active": version_document(feed.active) if feed.active else None,
        "waiting": feed.waiting.id if feed.waiting else None,
        "waiting_reasons": list(feed.waiting_reasons),
        "versions": [version_document(version) for version in feed.versions],
        "history": [
            asdict(one) | {"at": one.at.isoformat(timespec="seconds")} for one in feed.history
        ],
        "failing_since": _moment(feed.fetch.failing_since),
        "fetched_at": _moment(feed.fetch.succeeded_at),
        "fetch_error": feed.fetch.error,
    }


def version_document(version: FeedVersion) -> dict[str, Any]:
    """Return a version as a document."""
    return version.summary.document() | {
        "sha256": version.sha256,
        "size_bytes": version.size_bytes,
        "fetched_at": _moment(version.fetched_at),
        "url": version.url,
        "etag": version.etag,
        "last_modified": version.last_modified,
    }


def _moment(moment: dt.datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
