"""Files that are there whole or not at all: atomic writing, lines, and one writer per folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from mobility.core.errors import EnvironmentFault

TEMPORARY = ".tmp"  # suffix of a file that is being written


def find_shipped_table(name: str) -> Path | None:
    """Return a table of ``feeds/`` that comes with the program and holds for all regions."""
    package = Path(str(resources.files("mobility")))
    candidates = (
        package / "sample" / "feeds" / name,  # installed
        package.parent.parent / "feeds" / name,  # a checkout
    )
    return next((path for path in candidates if path.is_file()), None)


def write_atomic(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write the file so that a crash leaves the old file or the new one, on the disk.

    Raises
    ------
    EnvironmentFault
        The disk or the permissions do not allow it; the old file stands.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise EnvironmentFault(f"{path}: {error.strerror or error}") from error


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes.

    Raises
    ------
    EnvironmentFault
        It is not there or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise EnvironmentFault(f"{path}: {error.strerror or error}") from error


def whole_lines(path: Path) -> list[bytes]:
    """Return the lines that were written to their end; a crash can leave half of the last one.

    Raises
    ------
    EnvironmentFault
        It cannot be read; a file that is not there has no lines.
    """
    if not path.exists():
        return []
    whole, _, _ = read_bytes(path).rpartition(b"\n")
    return whole.split(b"\n") if whole else []


def append_line(path: Path, line: bytes) -> None:
    """Append a line to the disk, after cutting off half a line that a crash has left.

    Raises
    ------
    EnvironmentFault
        The disk or the permissions do not allow it.
    """
    try:
        with path.open("ab+") as file:
            file.seek(0)
            content = file.read()
            file.truncate(len(content[: content.rfind(b"\n") + 1]))
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise EnvironmentFault(f"{path}: {error.strerror or error}") from error


def remove(path: Path) -> None:
    """Remove the file, where it is there.

    Raises
    ------
    EnvironmentFault
        The permissions do not allow it.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"{path}: {error.strerror or error}") from error


def make_folder(path: Path) -> Path:
    """Make the folder and those above it; return it.

    Raises
    ------
    EnvironmentFault
        The disk or the permissions do not allow it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"{path}: {error.strerror or error}") from error
    return path


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold the folder's writer lock while inside; it ends with the process, however that ends.

    Raises
    ------
    EnvironmentFault
        Another process is writing there.
    """
    path = make_folder(folder) / ".lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise EnvironmentFault(f"{path}: {error.strerror or error}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise EnvironmentFault(f"{folder}: another process is writing here") from error
        yield
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
