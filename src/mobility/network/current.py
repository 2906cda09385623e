"""The editions of a home, and which of them is in use.

In ``<home>``:

    CURRENT                   the edition in use, who said so, and which one a roll-back goes to
    editions/<hash>/          what was taken in; never changed
    editions/changes.jsonl    every activation, roll-back and refusal; only ever appended to

``CURRENT`` is replaced in one step and carries the line that belongs into the history, so that a
crash between the two loses neither. Servers look at it and follow. A roll-back is to be quick, so
nothing here but `activate`, which reads an edition whole, waits for libraries to be imported.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from mobility.core.errors import CheckFailed, EnvironmentFault, InputError, UsageError
from mobility.core.files import (
    append_line,
    make_folder,
    read_bytes,
    sole_writer,
    whole_lines,
    write_atomic,
)
from mobility.core.time import Clock
from mobility.network.edition_file import EDITION_FILE, NETWORK_PART, read_edition_file
from mobility.network.prefix import stated_hash
from mobility.network.swap import swapped_in

SHORT_HASH = 12
Action = Literal["activate", "rollback", "refuse"]
Mark = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Cause:
    """Who acts, what they call now, under which id, and why.

    Parameters
    ----------
    actor : str
    clock : callable
    change_id : str
        Names the change in the history.
    reason : str
        May be empty.
    """

    actor: str
    clock: Clock
    change_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the history.

    Parameters
    ----------
    id : str
    action : str
        ``activate``, ``rollback`` (to ``edition``) or ``refuse`` (it is not what was built).
    edition : str
        Hash of the edition concerned; of one that cannot be read, its path.
    previous : str
        Hash of the edition that a roll-back goes to from here; empty where there is none.
    at : datetime
        UTC, to the second.
    actor, reason : str
        With ``refuse`` the reason is what was wrong.
    """

    id: str
    action: Action
    edition: str
    previous: str
    at: dt.datetime
    actor: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KeptEdition:
    """An edition of a home: its hash, folder, region and feeds with their versions."""

    hash: str
    path: Path
    region: str
    feeds: dict[str, str]


class EditionHome:
    """The editions of a home. Reading is safe at any moment, whoever writes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "editions"
        self._current = home / "CURRENT"
        self._history = self.folder / "changes.jsonl"

    def mark(self) -> Mark | None:
        """Return what tells whether ``CURRENT`` was replaced; None where there is none."""
        try:
            stat = self._current.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def current(self) -> Change | None:
        """Return the change that put the edition into use which is in use; None before the first.

        Raises
        ------
        EnvironmentFault
            ``CURRENT`` is damaged.
        """
        if self.mark() is None:
            return None
        return _read_change(read_bytes(self._current), self._current)

    def history(self) -> tuple[Change, ...]:
        """Return all changes, oldest first."""
        changes = [_read_change(line, self._history) for line in whole_lines(self._history)]
        current = self.current()
        if current is not None and current not in changes:  # the crash came before the line
            changes.append(current)
        return tuple(changes)

    def path_of(self, edition_hash: str) -> Path:
        """Return where an edition of this hash is, if it was taken in."""
        return self.folder / edition_hash

    def kept(self) -> tuple[KeptEdition, ...]:
        """Return the editions that were taken in, in order of their hashes."""
        found = []
        for path in sorted(self.folder.glob(f"*/{EDITION_FILE}")):
            try:
                document = read_edition_file(path.parent)
            except InputError:
                continue  # not readable: nothing that could be activated
            if document["hash"] == path.parent.name:
                found.append(
                    KeptEdition(
                        hash=document["hash"],
                        path=path.parent,
                        region=document["region"],
                        feeds=document["feeds"],
                    )
                )
        return tuple(found)

    def find(self, text: str) -> Path:
        """Return the folder that a path, a hash or the beginning of a hash means.

        Raises
        ------
        UsageError
            None or several editions begin so.
        """
        if (Path(text) / EDITION_FILE).is_file():
            return Path(text)
        known = [edition for edition in self.kept() if text and edition.hash.startswith(text)]
        if len(known) == 1:
            return known[0].path
        told = "several editions begin" if known else "no folder of an edition, and none begins"
        names = ", ".join(edition.hash[:SHORT_HASH] for edition in self.kept()) or "none"
        raise UsageError(f"{text!r}: {told} so; in {self.folder} there are: {names}")

    def record(self, change: Change) -> None:
        """Write a change down; unless it was refused, its edition is in use now."""
        current = self.current()
        if current is not None and _to_line(current).strip() not in whole_lines(self._history):
            append_line(self._history, _to_line(current))
        if change.action != "refuse":
            write_atomic(self._current, _to_line(change))
        append_line(self._history, _to_line(change))


def activate(home: EditionHome, path: Path, cause: Cause) -> Change:
    """Take an edition into use, whole and verified; taking the one in use changes nothing.

    Raises
    ------
    CheckFailed
        It cannot be opened, or a part is not what was built; that is written down, and the edition
        before stays in use.
    """
    with sole_writer(home.folder):
        try:
            edition_hash = str(read_edition_file(path)["hash"])
            _take_in(path, home.path_of(edition_hash))
        except (InputError, CheckFailed) as error:
            current = home.current()
            refusal = _change(cause, "refuse", path.name, current.previous if current else "")
            home.record(replace(refusal, reason=str(error)))
            raise CheckFailed(f"{path}: not activated: {error}") from None
        current = home.current()
        if current is not None and current.edition == edition_hash:
            return current
        done = _change(cause, "activate", edition_hash, current.edition if current else "")
        home.record(done)
        return done


def rollback(home: EditionHome, cause: Cause) -> Change:
    """Go back to the edition that was in use before; nothing large is read, so it takes no time.

    Raises
    ------
    UsageError
        No other edition was in use before.
    CheckFailed
        That edition cannot be opened any more.
    """
    with sole_writer(home.folder):
        current = home.current()
        if current is None or not current.previous:
            raise UsageError(f"{home.home}: no other edition was in use before; nothing to go to")
        try:
            _check_opens(home.path_of(current.previous), current.previous)
        except InputError as error:
            raise CheckFailed(f"not rolled back: {error}") from None
        done = _change(cause, "rollback", current.previous, _before(home.history()))
        home.record(done)
        return done


def _before(history: Sequence[Change]) -> str:
    """Return which edition a roll-back goes to once the last activation is undone."""
    used: list[str] = []
    for change in history:
        if change.action == "activate":
            used.append(change.edition)
        elif change.action == "rollback":
            used.pop()
    return used[-3] if len(used) > 2 else ""


def _take_in(path: Path, kept: Path) -> None:
    """Bring a whole edition to where it is to stay, unless it is there and whole."""
    if kept.is_dir():
        _verify(path)
        if path.resolve() == kept.resolve():
            return
        with suppress(InputError, CheckFailed):
            _verify(kept)
            return
    with swapped_in(kept) as temporary:
        _link(path, temporary)
        _verify(temporary)


def _link(path: Path, folder: Path) -> None:
    """Give the folder the parts of an edition: files of an edition are never written again."""
    try:
        for source in sorted(path.rglob("*")):
            inside = source.relative_to(path)
            if inside.parts[0] == "slices" or not source.is_file():
                continue
            target = folder / inside
            make_folder(target.parent)
            try:
                os.link(source, target)
            except OSError:  # another file system
                shutil.copyfile(source, target)
            with target.open("rb") as file:
                os.fsync(file.fileno())  # CURRENT shall not outlive what it names
    except OSError as error:
        raise EnvironmentFault(f"{folder}: {error.strerror or error}") from error


def _verify(folder: Path) -> None:
    from mobility.network.edition import open_edition

    open_edition(folder).verify()


def _check_opens(folder: Path, edition_hash: str) -> None:
    document = read_edition_file(folder)
    stated = stated_hash(folder / NETWORK_PART)
    if (document["hash"], document["parts"][NETWORK_PART]) != (edition_hash, stated):
        raise InputError(f"{folder}: {EDITION_FILE} and its parts are not of one build")


def _change(cause: Cause, action: Action, edition: str, previous: str) -> Change:
    at = cause.clock().astimezone(dt.UTC).replace(microsecond=0)
    return Change(cause.change_id, action, edition, previous, at, cause.actor, cause.reason)


def _to_line(change: Change) -> bytes:
    document = asdict(change) | {"at": change.at.isoformat(timespec="seconds")}
    return json.dumps(document, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _read_change(line: bytes, path: Path) -> Change:
    try:
        document = json.loads(line)
        moment = dt.datetime.fromisoformat(document["at"])
        change = Change(**(document | {"at": moment}))
    except (KeyError, TypeError, ValueError):
        raise EnvironmentFault(f"{path} is damaged; restore it from a backup of the home") from None
    if not _is_hash(change.edition) and change.action != "refuse":
        raise EnvironmentFault(f"{path} names no edition; restore it from a backup of the home")
    return change


def _is_hash(text: object) -> bool:
    return isinstance(text, str) and len(text) == 64 and set(text) <= set("0123456789abcdef")
