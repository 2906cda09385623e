"""Every version of a feed that ever came in: kept whole, never deleted, one of them active.

In ``<home>/feeds/<region>/<feed>/``:

    versions/<version>.zip    the bytes as they came
    versions/<version>.json   what they hold, from where, since when
    ACTIVE                    the version in use, and who said so
    activations.jsonl         every activation and refusal; only ever appended to
    fetch.json                how the last attempt went

A version is there once its ``.json`` is. ``ACTIVE`` is replaced in one step and carries the line
that belongs into the history, so that a crash between the two loses neither.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from mobility.core.errors import EnvironmentFault, UsageError
from mobility.core.files import (
    append_line,
    make_folder,
    read_bytes,
    remove,
    sole_writer,
    whole_lines,
    write_atomic,
)
from mobility.feeds.versions.summary import FeedSummary, read_summary

Action = Literal["activate", "rollback", "refuse"]


@dataclass(frozen=True, slots=True)
class FeedVersion:
    """One version in the store.

    Parameters
    ----------
    summary : FeedSummary
        What it holds.
    sha256 : str
        Of the bytes as they came; packing changes it, `FeedSummary.version` not.
    size_bytes : int
    fetched_at : datetime
        When it first came in, UTC.
    url : str
        From where; the file's name where somebody handed it in.
    etag, last_modified : str
        What the server said, for conditional requests; may be empty.
    """

    summary: FeedSummary
    sha256: str
    size_bytes: int
    fetched_at: dt.datetime
    url: str
    etag: str = ""
    last_modified: str = ""

    @property
    def id(self) -> str:
        """The version hash."""
        return self.summary.version


@dataclass(frozen=True, slots=True)
class Activation:
    """One line of a feed's history: what became of a version, when, by whom, why.

    Parameters
    ----------
    action : str
        ``activate``, ``rollback`` (to ``version``) or ``refuse`` (the guard said no).
    reasons : tuple of str
        What the guard had against it; filled with ``refuse``, and where it was overruled.
    despite : str
        Why a person overruled the guard; empty where it agreed.
    """

    action: Action
    version: str
    at: dt.datetime
    actor: str
    reasons: tuple[str, ...] = ()
    despite: str = ""


@dataclass(frozen=True, slots=True)
class FetchState:
    """How the last attempts to fetch a feed went.

    Parameters
    ----------
    attempted_at, succeeded_at, failing_since : datetime or None
        UTC; ``failing_since`` is the first failure after the last success.
    error : str
        What went wrong last time; empty where nothing did.
    offered : str
        Version hash of what the source offered last.
    """

    url: str = ""
    etag: str = ""
    last_modified: str = ""
    attempted_at: dt.datetime | None = None
    succeeded_at: dt.datetime | None = None
    failing_since: dt.datetime | None = None
    error: str = ""
    offered: str = ""


class FeedStore:
    """The versions of one feed of a region in a home."""

    def __init__(self, home: Path, region_id: str, feed_id: str) -> None:
        self.feed_id = feed_id
        self.folder = home / "feeds" / region_id / feed_id
        self._versions = self.folder / "versions"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only one that writes here; raises EnvironmentFault where another one does."""
        with sole_writer(self.folder):
            yield

    def versions(self) -> tuple[FeedVersion, ...]:
        """Return all versions, oldest first."""
        found = [_read_version(path) for path in sorted(self._versions.glob("*.json"))]
        return tuple(sorted(found, key=lambda version: (version.fetched_at, version.id)))

    def find(self, version: str) -> FeedVersion:
        """Return the version with an id or the beginning of one.

        Raises
        ------
        UsageError
            None or several begin so.
        """
        found = [one for one in self.versions() if one.id.startswith(version)] if version else []
        if len(found) != 1:
            known = ", ".join(one.id[:12] for one in self.versions()) or "none"
            told = "no version begins" if not found else f"{len(found)} versions begin"
            raise UsageError(f"{self.feed_id}: {told} with {version!r}; there are: {known}")
        return found[0]

    def zip_path(self, version: str) -> Path:
        """Return where the bytes of a version are."""
        return self._versions / f"{version}.zip"

    def incoming_path(self) -> Path:
        """Return where bytes are put that are not yet a version; an old leftover is removed."""
        path = make_folder(self._versions) / ".incoming.zip"
        remove(path)
        return path

    def keep(self, incoming: Path, version: FeedVersion) -> None:
        """Make a version of a file of this file system; one that is there already stays as it is.

        Raises
        ------
        EnvironmentFault
            The disk or the permissions do not allow it; nothing is half there.
        """
        described = self._versions / f"{version.id}.json"
        if described.exists() and self.zip_path(version.id).exists():
            return
        try:
            with incoming.open("rb") as file:
                os.fsync(file.fileno())
            incoming.replace(self.zip_path(version.id))
        except OSError as error:
            raise EnvironmentFault(f"{incoming}: {error.strerror or error}") from error
        write_atomic(described, _to_json(version))

    def active(self) -> FeedVersion | None:
        """Return the active version, or None before the first one."""
        record = self._active_record()
        return _read_version(self._versions / f"{record.version}.json") if record else None

    def history(self) -> tuple[Activation, ...]:
        """Return what became of versions, oldest first."""
        path = self.folder / "activations.jsonl"
        records = [_read_activation(line, path) for line in whole_lines(path)]
        current = self._active_record()
        if current is not None and current not in records:  # the crash came before the line
            records.append(current)
        return tuple(records)

    def record(self, activation: Activation) -> None:
        """Write down what became of a version; unless it was refused, it is the active one now."""
        self._complete_history()
        if activation.action != "refuse":
            write_atomic(self.folder / "ACTIVE", _to_json(activation))
        append_line(self.folder / "activations.jsonl", _to_json(activation))

    def previous(self) -> FeedVersion | None:
        """Return the version to roll back to: the one in use before the active one."""
        used: list[str] = []
        for record in self.history():
            if record.action == "activate" and record.version != (used[-1] if used else ""):
                used.append(record.version)
            elif record.action == "rollback":
                used.pop()
        return self.find(used[-2]) if len(used) > 1 else None

    def waiting(self) -> FeedVersion | None:
        """Return the version that the guard refused and nobody let in, if none came after it."""
        for record in reversed(self.history()):
            if record.action == "refuse":
                return self.find(record.version)
            if record.action == "activate":
                break
        return None

    def fetch_state(self) -> FetchState:
        """Return how the last attempts went; an empty state before the first."""
        path = self.folder / "fetch.json"
        if not path.exists():
            return FetchState()
        document = _load(path)
        try:
            moments = {
                name: dt.datetime.fromisoformat(document[name]) if document[name] else None
                for name in ("attempted_at", "succeeded_at", "failing_since")
            }
            return FetchState(**(document | moments))
        except (KeyError, TypeError, ValueError):
            raise _damaged(path) from None

    def write_fetch_state(self, state: FetchState) -> None:
        """Keep how the last attempt went."""
        make_folder(self.folder)
        write_atomic(self.folder / "fetch.json", _to_json(state))

    def _active_record(self) -> Activation | None:
        path = self.folder / "ACTIVE"
        return _read_activation(read_bytes(path), path) if path.exists() else None

    def _complete_history(self) -> None:
        """Append the line of the active version where a crash came before it."""
        make_folder(self.folder)
        path = self.folder / "activations.jsonl"
        current = self._active_record()
        lines = whole_lines(path)
        if current is not None and _to_json(current).strip() not in lines:
            append_line(path, _to_json(current))


def _to_json(value: FeedVersion | Activation | FetchState) -> bytes:
    """Return a value as one line of JSON."""
    document = asdict(value)
    if isinstance(value, FeedVersion):
        document["summary"] = value.summary.document()
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, default=_plain)
    return text.encode() + b"\n"


def _plain(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="seconds")
    raise TypeError(f"{value!r} has no form in JSON")


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_bytes(path))
    except ValueError:
        raise _damaged(path) from None
    if not isinstance(document, dict):
        raise _damaged(path)
    return document


def _damaged(path: Path) -> EnvironmentFault:
    return EnvironmentFault(f"{path} is damaged; restore it from a backup of the home")


def _read_version(path: Path) -> FeedVersion:
    document = _load(path)
    try:
        moment = dt.datetime.fromisoformat(document["fetched_at"])
        summary = read_summary(document["summary"])
        return FeedVersion(**(document | {"summary": summary, "fetched_at": moment}))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _damaged(path) from None


def _read_activation(line: bytes, path: Path) -> Activation:
    try:
        document = json.loads(line)
        moment = dt.datetime.fromisoformat(document["at"])
        reasons = tuple(document["reasons"])
        return Activation(**(document | {"at": moment, "reasons": reasons}))
    except (KeyError, TypeError, ValueError):
        raise _damaged(path) from None
