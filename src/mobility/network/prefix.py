"""The first bytes of a mapped file: what it is, how large it is and the hash of its content."""

from __future__ import annotations

import struct
from pathlib import Path

from mobility.core.errors import InputError

ALIGNMENT = 64  # the prefix has room up to the first section
PREFIX = struct.Struct("<8sIIQ32s")  # magic, format version, header length, file size, hash


def stated_hash(path: Path) -> str:
    """Return the content hash that a whole file states; its content is not read.

    Raises
    ------
    InputError
        It cannot be read, or it is not as long as it says.
    """
    try:
        with path.open("rb") as file:
            start, size = file.read(ALIGNMENT), path.stat().st_size
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if len(start) < ALIGNMENT or PREFIX.unpack_from(start)[3] != size:
        raise InputError(f"{path}: truncated or damaged")
    return bytes(PREFIX.unpack_from(start)[4]).hex()
