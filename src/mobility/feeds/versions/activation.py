"""Taking a version of a feed into use, and going back: one small step each, written down."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobility.core.errors import CheckFailed, EnvironmentFault, FeedError, UsageError
from mobility.core.time import Clock
from mobility.feeds.statements import FeedConfig, Manifest
from mobility.feeds.versions.guard import guard
from mobility.feeds.versions.store import Activation, FeedStore, FeedVersion


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, and what they call now."""

    actor: str
    clock: Clock

    def now(self) -> dt.datetime:
        """Return the instant to write down, to the second."""
        return self.clock().astimezone(dt.UTC).replace(microsecond=0)


class ActivationRefused(CheckFailed):
    """The guard said no; ``reasons`` are one line each."""

    def __init__(self, feed: str, version: str, reasons: Sequence[str]) -> None:
        super().__init__(
            f"{feed}: version {version[:12]} is not activated: {'; '.join(reasons)}"
            " (--despite REASON overrules)"
        )
        self.reasons = tuple(reasons)


def activate(store: FeedStore, version: FeedVersion, by: By, *, despite: str = "") -> Activation:
    """Take a version into use, unless the guard has something against it.

    Activating the version in use dismisses the one that waits.

    Parameters
    ----------
    despite : str
        Why it is taken into use whatever the guard says.

    Raises
    ------
    ActivationRefused
        The guard said no; that is written down, and the version before stays in use.
    """
    now = by.now()
    active = store.active()
    reasons = guard(active.summary if active else None, version.summary, now.date())
    if reasons and not despite:
        _note_refusal(store, Activation("refuse", version.id, now, by.actor, reasons))
        raise ActivationRefused(store.feed_id, version.id, reasons)
    done = Activation("activate", version.id, now, by.actor, reasons, despite if reasons else "")
    if active is None or active.id != version.id or store.waiting() is not None:
        _check_bytes(store, version)
        store.record(done)
    return done


def rollback(store: FeedStore, by: By) -> Activation:
    """Go back to the version that was in use before; nothing is read, so it takes no time.

    Raises
    ------
    UsageError
        No other version was in use before.
    """
    previous = store.previous()
    if previous is None:
        raise UsageError(f"{store.feed_id}: no other version was in use before; nothing to go to")
    _check_bytes(store, previous)
    done = Activation("rollback", previous.id, by.now(), by.actor)
    store.record(done)
    return done


def active_path(home: Path, region_id: str, feed: FeedConfig) -> Path:
    """Return what a feed is to be built from: its path, or the bytes of its active version.

    A part after ``#`` in the url names the feed inside, as it does in a path.

    Raises
    ------
    FeedError
        The feed has a url, and no version of it is in use.
    """
    if not feed.url:
        return feed.source()
    store = FeedStore(home, region_id, feed.id)
    version = store.active()
    if version is None:
        raise FeedError(
            f"feed {feed.id}: no version of it is in use; run mobility feeds fetch REGION {feed.id}"
        )
    return inside(store.zip_path(version.id), feed)


def inside(file: Path, feed: FeedConfig) -> Path:
    """Return the path of the feed inside a file that came from its url."""
    _, mark, inner = feed.url.partition("#")
    return Path(f"{file}{mark}{inner}")


def with_active_paths(manifest: Manifest, home: Path) -> Manifest:
    """Return the manifest with a path for each feed that has a url and is not skipped.

    Raises
    ------
    FeedError
        No version of such a feed is in use.
    """
    feeds = tuple(
        feed.model_copy(update={"path": active_path(home, manifest.id, feed), "url": ""})
        if feed.url and not feed.skip
        else feed
        for feed in manifest.feeds
    )
    return manifest.model_copy(update={"feeds": feeds})


def _note_refusal(store: FeedStore, refusal: Activation) -> None:
    """Write a refusal down, unless the last line says the same already."""
    history = store.history()
    if history:
        last = history[-1]
        same = (last.action, last.version, last.reasons)
        if same == (refusal.action, refusal.version, refusal.reasons):
            return
    store.record(refusal)


def _check_bytes(store: FeedStore, version: FeedVersion) -> None:
    """Make sure that a version's bytes are there whole."""
    path = store.zip_path(version.id)
    size = path.stat().st_size if path.is_file() else 0
    if size != version.size_bytes:
        raise EnvironmentFault(
            f"{path}: {size:,} bytes, of {version.size_bytes:,}; restore it from a backup"
        )
