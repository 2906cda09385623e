"""Brings a new version of a feed in: download or hand-in, read, keep, judge, activate."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mobility.core.errors import EnvironmentFault, FeedError, MobilityError, UsageError
from mobility.core.files import remove
from mobility.feeds.findings import Findings, Progress
from mobility.feeds.gate import CHUNK_BYTES, open_source
from mobility.feeds.reader import read_feed
from mobility.feeds.statements import FeedConfig
from mobility.feeds.versions.activation import ActivationRefused, By, activate, inside
from mobility.feeds.versions.download import HEAD_BYTES, Download, Downloader, first_words, shown
from mobility.feeds.versions.store import FeedStore, FeedVersion, FetchState
from mobility.feeds.versions.summary import summarise

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
ZIP_FORMATS = ("gtfs", "sheet")
_EPOCH = (1980, 1, 1, 0, 0, 0)

Outcome = Literal["unchanged", "set aside", "activated", "waiting"]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of fetching one feed.

    Parameters
    ----------
    outcome : str
        ``unchanged``: what is offered is in use; ``set aside``: it was offered before, and another
        version has been chosen since (roll-back, dismissal, a file handed in); ``activated``;
        ``waiting``: kept, but the guard said no.
    version : FeedVersion
        What is offered.
    reasons : tuple of str
        What the guard has against it.
    """

    feed: str
    outcome: Outcome
    version: FeedVersion
    reasons: tuple[str, ...] = ()


def _download(
    config: FeedConfig, downloader: Downloader, url: str, incoming: Path, known: FetchState
) -> Download:
    """Fetch what is new; what goes wrong names the feed."""
    try:
        return downloader.download(
            url, incoming, etag=known.etag, last_modified=known.last_modified
        )
    except MobilityError as error:
        raise type(error)(f"{config.id}: {error}") from error


def fetch_feed(
    config: FeedConfig,
    store: FeedStore,
    downloader: Downloader,
    by: By,
    *,
    progress: Progress | None = None,
) -> Fetched:
    """Fetch a feed from its url, keep what is new, and take it into use if the guard agrees.

    How it went is written down, also where it fails; the version in use stays then.

    Raises
    ------
    FeedError
        What came is no feed, or the url or its address is refused.
    EnvironmentFault
        It did not come through, or the disk does not take it.
    """
    if not config.url:
        return take_file(config, config.source(), store, by, progress=progress)
    with store.lock():
        before = store.fetch_state()
        known = before if before.url == config.url and before.offered else FetchState()
        incoming = store.incoming_path()
        try:
            url = config.url.partition("#")[0]
            came = _download(config, downloader, url, incoming, known)
            if came.unchanged:
                version = store.find(known.offered)
            else:
                version = _keep(config, store, incoming, _Origin(config.url, came), by, progress)
        except MobilityError as error:
            _note_failure(store, before, str(error), by.now())
            raise
        finally:
            remove(incoming)
        state = FetchState(
            url=config.url,
            etag=known.etag if came.unchanged else came.etag,
            last_modified=known.last_modified if came.unchanged else came.last_modified,
            attempted_at=by.now(),
            succeeded_at=by.now(),
            offered=version.id,
        )
        fetched = _judge(store, version, by, known.offered)
        store.write_fetch_state(state)
        return fetched


def take_file(
    config: FeedConfig,
    path: Path,
    store: FeedStore,
    by: By,
    *,
    despite: str = "",
    progress: Progress | None = None,
) -> Fetched:
    """Take a feed that somebody handed in: a file as it is, a folder packed.

    What its url offers is not touched: the file stays in use until the url offers something new.

    Raises
    ------
    FeedError
        It is no feed.
    EnvironmentFault
        The disk does not take it.
    """
    with store.lock():
        incoming = store.incoming_path()
        try:
            if path.is_file():
                _copy(path, incoming)
            else:
                _pack(path, incoming)
            came = _described(incoming)
            plain = config.model_copy(update={"url": ""})
            version = _keep(plain, store, incoming, _Origin(path.name, came), by, progress)
        finally:
            remove(incoming)
        return _judge(store, version, by, "", despite=despite)


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where bytes come from, and what was said of them on the way."""

    url: str
    came: Download


def _keep(
    config: FeedConfig,
    store: FeedStore,
    incoming: Path,
    origin: _Origin,
    by: By,
    progress: Progress | None,
) -> FeedVersion:
    """Read what came, and keep it as a version if it is one; return it, or the equal one."""
    _check_content(config, origin)
    source = inside(incoming, config)
    try:
        feed = read_feed(config.model_copy(update={"path": source, "url": ""}), progress=progress)
    except FeedError as error:
        place = shown(origin.url)
        told = str(error).replace(str(source), place).replace(str(incoming), place)
        raise FeedError(told) from None
    version = FeedVersion(
        summary=summarise(feed),
        sha256=origin.came.sha256,
        size_bytes=origin.came.size_bytes,
        fetched_at=by.now(),
        url=origin.url,
        etag=origin.came.etag,
        last_modified=origin.came.last_modified,
    )
    store.keep(incoming, version)
    return store.find(version.id)


def _judge(
    store: FeedStore, version: FeedVersion, by: By, offered_before: str, *, despite: str = ""
) -> Fetched:
    """Take a version into use if the guard agrees.

    One that was offered before and has been rolled back or dismissed since stays out.
    """
    active, waiting = store.active(), store.waiting()
    if active is not None and active.id == version.id:
        return Fetched(store.feed_id, "unchanged", version)
    judged = any(one.version == version.id for one in store.history())
    waits = waiting is not None and waiting.id == version.id
    if judged and offered_before == version.id and not waits:
        return Fetched(store.feed_id, "set aside", version)
    try:
        activate(store, version, by, despite=despite)
    except ActivationRefused as refused:
        return Fetched(store.feed_id, "waiting", version, refused.reasons)
    return Fetched(store.feed_id, "activated", version)


def _check_content(config: FeedConfig, origin: _Origin) -> None:
    """Refuse a web page, and what is no zip where the format is one, with its first words."""
    head = origin.came.head
    if head.startswith(ZIP_STARTS):
        return
    begins = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower()
    is_page = begins.startswith((b"<!doctype html", b"<html", b"<head"))
    if not is_page and config.format not in ZIP_FORMATS:
        return
    words = first_words(head)
    told = f"; its first words: {words!r}" if words else ""
    what = "a web page, no zip" if is_page else "no zip"
    raise FeedError(f"{config.id}: {shown(origin.url)}: this is {what}{told}")


def _note_failure(store: FeedStore, before: FetchState, error: str, now: dt.datetime) -> None:
    since = before.failing_since or now
    store.write_fetch_state(replace(before, attempted_at=now, failing_since=since, error=error))


def _copy(path: Path, target: Path) -> None:
    try:
        with path.open("rb") as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, CHUNK_BYTES)
    except OSError as error:
        raise EnvironmentFault(f"{error.filename or target}: {error.strerror or error}") from error


def _pack(path: Path, target: Path) -> None:
    """Pack a folder, or a feed inside something else; the same files give the same bytes."""
    with open_source(path, Findings("")) as source:
        try:
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                for name in sorted(source.sizes):
                    entry = zipfile.ZipInfo(name, _EPOCH)
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    with source.open(name) as stream, archive.open(entry, "w") as member:
                        while data := stream.read(CHUNK_BYTES):
                            member.write(data)
        except OSError as error:
            raise EnvironmentFault(f"{target}: {error.strerror or error}") from error


def _described(file: Path) -> Download:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        digest.update(head)
        while data := stream.read(CHUNK_BYTES):
            digest.update(data)
    size = file.stat().st_size
    return Download(False, "", sha256=digest.hexdigest(), size_bytes=size, head=head)


def parse_files(words: list[str]) -> dict[str, Path]:
    """Return feed id to path of words such as ``north=/tmp/north.zip``.

    Raises
    ------
    UsageError
        A word has no ``=``.

    >>> parse_files(["north=a.zip"])
    {'north': PosixPath('a.zip')}
    """
    files = {}
    for word in words:
        feed, equals, path = word.partition("=")
        if not (feed and equals and path):
            raise UsageError(f"--file {word!r}: expected FEED=PATH, such as north=north.zip")
        files[feed] = Path(path)
    return files
