"""A folder takes the place of another whole or not at all, however the process ends."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path


@contextmanager
def swapped_in(folder: Path) -> Iterator[Path]:
    """Give an empty folder that takes the place of ``folder`` in the end, or vanishes.

    What a killed process left of the same work is removed first; a folder that it had moved aside
    is put back. Nobody else's unfinished work is touched: whoever works holds a lock, which ends
    with the process.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    clear_leftovers(folder)
    temporary, old = (
        folder.with_name(f".{folder.name}.{os.getpid()}.{end}") for end in ("new", "old")
    )
    temporary.mkdir()
    with ExitStack() as locks:
        locks.enter_context(_held(temporary))
        try:
            yield temporary
            if folder.exists():
                locks.enter_context(_held(folder))
                folder.rename(old)
            temporary.rename(folder)
        finally:
            if old.exists() and not folder.exists():
                old.rename(folder)
            for leftover in (temporary, old):
                shutil.rmtree(leftover, ignore_errors=True)


def clear_leftovers(folder: Path) -> None:
    """Remove the unfinished work of processes that are gone; put back what they moved aside."""
    name = re.compile(rf"\.{re.escape(folder.name)}\.\d+\.(new|old)")
    for leftover in sorted(folder.parent.iterdir()):
        end = name.fullmatch(leftover.name)
        if end is None or not leftover.is_dir():
            continue
        with suppress(OSError), _held(leftover):
            if end[1] == "old" and not folder.exists():
                leftover.rename(folder)
            else:
                shutil.rmtree(leftover)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder; BlockingIOError where another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
