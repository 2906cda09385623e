"""`mobility feeds fetch|versions|activate|rollback|status`: the versions of a region's feeds."""

from __future__ import annotations

import datetime as dt
import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mobility.cli.clock import clock_of
from mobility.cli.output import counted, err, out, print_json, print_table, progress_on_stderr
from mobility.core.errors import CheckFailed, MobilityError, UsageError
from mobility.core.settings import Settings
from mobility.feeds import FeedConfig, FeedStore, FeedVersion, Manifest, Progress, read_manifest
from mobility.feeds.versions.activation import ActivationRefused, By, activate, rollback
from mobility.feeds.versions.coverage import AlarmLimits, FeedStatus
from mobility.feeds.versions.download import Downloader
from mobility.feeds.versions.fetch import Fetched, fetch_feed, parse_files, take_file
from mobility.feeds.versions.status import region_status, status_document, version_document

SHORT_HASH = 12

Region = Annotated[Path, typer.Argument(help="A region folder or region.toml.")]
FeedId = Annotated[str, typer.Argument(help="Id of a feed of the region.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Despite = Annotated[
    str, typer.Option("--despite", metavar="REASON", help="Why it is used whatever the guard says.")
]


def fetch_command(
    region: Region,
    feeds: Annotated[list[str] | None, typer.Argument(help="Feed ids; all if none.")] = None,
    files: Annotated[
        list[str] | None,
        typer.Option("--file", metavar="FEED=PATH", help="Take a feed from a file handed in."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring new versions of feeds in, keep them, and use those that the guard lets pass.

    Exit 3 if one is kept but not used; the version before stays in use then, as it does where a
    feed cannot be fetched or read.
    """
    manifest, settings = read_manifest(region), Settings()
    given = parse_files(files or [])
    chosen = _chosen(manifest, [*(feeds or []), *given])
    by = caller(settings)
    downloader = Downloader(private=settings.fetch_private, clock=by.clock)
    came: list[Fetched | tuple[str, MobilityError]] = []
    with progress_on_stderr(quiet=as_json) as report:
        for config in chosen:
            store = FeedStore(settings.home, manifest.id, config.id)
            try:
                came.append(_bring(config, given.get(config.id), store, downloader, by, report))
            except MobilityError as error:
                came.append((config.id, error))
    _tell_fetched(manifest, came, as_json)
    _fail_if_needed(came)


def _bring(
    config: FeedConfig,
    file: Path | None,
    store: FeedStore,
    downloader: Downloader,
    by: By,
    report: Progress,
) -> Fetched:
    if file is not None:
        return take_file(config, file, store, by, progress=report)
    return fetch_feed(config, store, downloader, by, progress=report)


def _chosen(manifest: Manifest, names: Sequence[str]) -> list[FeedConfig]:
    """Return the feeds with these ids; all that are used where none is named."""
    if not names:
        return list(manifest.used)
    return [feed_of(manifest, name) for name in dict.fromkeys(names)]


def feed_of(manifest: Manifest, name: str) -> FeedConfig:
    """Return a feed of a region by its id, or raise UsageError."""
    for feed in manifest.feeds:
        if feed.id == name:
            return feed
    known = ", ".join(feed.id for feed in manifest.feeds)
    raise UsageError(f"{name!r} is no feed of {manifest.id}; its feeds are {known}")


def caller(settings: Settings) -> By:
    """Return who calls, and the clock in force."""
    return By(getpass.getuser(), clock_of(settings))


def _tell_fetched(
    manifest: Manifest, came: Sequence[Fetched | tuple[str, MobilityError]], as_json: bool
) -> None:
    if as_json:
        print_json({"region": manifest.id, "feeds": [_fetched_document(one) for one in came]})
        return
    rows, failed = [], 0
    for one in came:
        if isinstance(one, Fetched):
            rows.append([one.feed, one.outcome, *_version_cells(one.version)])
            for reason in one.reasons:
                err.print(f"{one.feed}: not used: {reason}", markup=False)
        else:
            rows.append([one[0], "failed", "", "", "", "", ""])
            failed += 1
            if failed > 1:  # the first one ends the command, as its last line
                err.print(str(one[1]), markup=False)
    print_table("feeds", ("feed", "outcome", *VERSION_COLUMNS), rows)


def _fetched_document(one: Fetched | tuple[str, MobilityError]) -> dict[str, Any]:
    if isinstance(one, Fetched):
        return {
            "id": one.feed,
            "outcome": one.outcome,
            "version": version_document(one.version),
            "reasons": list(one.reasons),
        }
    return {"id": one[0], "outcome": "failed", "error": str(one[1])}


def _fail_if_needed(came: Sequence[Fetched | tuple[str, MobilityError]]) -> None:
    """End in the status of the first failure, else in that of a check if the guard said no."""
    failed = [one[1] for one in came if not isinstance(one, Fetched)]
    if failed:
        raise failed[0]
    waiting = [one for one in came if isinstance(one, Fetched) and one.outcome == "waiting"]
    if waiting:
        reasons = sum(len(one.reasons) for one in waiting)
        told = ", ".join(f"{one.feed} {one.version.id[:SHORT_HASH]}" for one in waiting)
        count = counted(reasons, "reason", "reasons")
        raise CheckFailed(f"kept but not used for {count}: {told}")


VERSION_COLUMNS = ("version", "from", "until", "trips a day", "came in")


def _version_cells(version: FeedVersion) -> list[str]:
    days = version.summary.days.trips
    return [
        version.id[:SHORT_HASH],
        version.summary.valid_from.isoformat(),
        version.summary.valid_until.isoformat(),
        f"{sum(days) / len(days):,.0f}",
        f"{version.fetched_at:%Y-%m-%d}",
    ]


def versions_command(
    region: Region,
    feed: Annotated[str, typer.Argument(help="Id of a feed; all if none.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the versions of a region's feeds, oldest first; the one in use is marked."""
    manifest, home = read_manifest(region), Settings().home
    rows, documents = [], []
    for config in [feed_of(manifest, feed)] if feed else manifest.feeds:
        store = FeedStore(home, manifest.id, config.id)
        active, waiting = store.active(), store.waiting()
        for version in store.versions():
            state = "in use" if version == active else "waiting" if version == waiting else ""
            rows.append([config.id, *_version_cells(version), state])
            documents.append(version_document(version) | {"feed": config.id, "state": state})
    if as_json:
        print_json({"region": manifest.id, "versions": documents})
    else:
        print_table("versions", ("feed", *VERSION_COLUMNS, ""), rows)


def activate_command(
    region: Region,
    feed: FeedId,
    version: Annotated[
        str, typer.Argument(help="The version, or its beginning; what waits or came last if none.")
    ] = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="Take this file in first, and use it.")
    ] = None,
    despite: Despite = "",
) -> None:
    """Use a version of a feed, if the guard has nothing against it; else exit 3."""
    manifest, settings = read_manifest(region), Settings()
    config, by = feed_of(manifest, feed), caller(settings)
    store = FeedStore(settings.home, manifest.id, feed)
    if file is not None:
        if version:
            raise UsageError("give a version or --file, not both")
        with progress_on_stderr() as report:
            version = take_file(
                config, file, store, by, despite=despite, progress=report
            ).version.id
    chosen = store.find(version) if version else store.waiting() or _newest(store)
    try:
        with store.lock():
            activate(store, chosen, by, despite=despite)
    except ActivationRefused as refused:
        for reason in refused.reasons:
            err.print(f"{feed}: {reason}", markup=False)
        raise
    _tell_use(config, chosen)


def _newest(store: FeedStore) -> FeedVersion:
    versions = store.versions()
    if not versions:
        raise UsageError(f"{store.feed_id}: there is no version; run mobility feeds fetch first")
    return versions[-1]


def rollback_command(region: Region, feed: FeedId) -> None:
    """Go back to the version of a feed that was in use before."""
    manifest, settings = read_manifest(region), Settings()
    config = feed_of(manifest, feed)
    store = FeedStore(settings.home, manifest.id, feed)
    with store.lock():
        done = rollback(store, caller(settings))
    _tell_use(config, store.find(done.version))


def _tell_use(config: FeedConfig, version: FeedVersion) -> None:
    out.print(f"{config.id}: version {version.id[:SHORT_HASH]} is in use")
    if not config.url:
        err.print(f"{config.id} is built from its path all the same: the manifest names no url")


def status_command(
    region: Region,
    ends_within: Annotated[
        int, typer.Option(min=0, max=366, metavar="DAYS", help="Alarm before a feed ends.")
    ] = AlarmLimits().ends_within_days,
    as_json: AsJson = False,
) -> None:
    """Say how a region's feeds stand today, and what to see to; exit 3 on an alarm that is red."""
    manifest, settings = read_manifest(region), Settings()
    today: dt.date = clock_of(settings)().date()
    limits = AlarmLimits(ends_within_days=ends_within)
    status = region_status(manifest, settings.home, today, limits=limits)
    if as_json:
        print_json(status_document(status))
    else:
        for alarm in status.alarms:
            err.print(f"{alarm.severity}: {alarm.feed}: {alarm.message}", markup=False)
            err.print(f"    {alarm.advice}", markup=False)
        columns = ("feed", "from", "until", "trips today", "version", "versions", "alarms")
        rows = [_row(feed, today) for feed in status.feeds]
        print_table(f"{manifest.id}, {today}", columns, rows, whole=True)
    red = [alarm for alarm in status.alarms if alarm.severity == "error"]
    if red:
        count = counted(len(red), "alarm is an error:", "alarms are errors, first")
        raise CheckFailed(f"{count} {red[0].feed}: {red[0].message}")


def _row(feed: FeedStatus, today: dt.date) -> list[str]:
    active = feed.active
    about = [
        active.summary.valid_from.isoformat() if active else "",
        active.summary.valid_until.isoformat() if active else "",
        f"{active.summary.days.on(today):,}" if active else "",
        active.id[:SHORT_HASH] if active else ("left out" if feed.skip else "none in use"),
    ]
    return [feed.id, *about, str(len(feed.versions)), str(len(feed.alarms) or "")]
