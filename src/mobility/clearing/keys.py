"""Pseudonyms: card numbers leave the door as HMAC-SHA256 under a key of the region and period.

The same card has the same pseudonym all month and another one next month. Destroying a month's key
makes its pseudonyms meaningless for ever; nothing else changes.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from mobility.core.errors import EnvironmentFault
from mobility.core.files import make_folder, read_bytes, remove, write_atomic

KEY_BYTES = 32
DESTROYED = b"destroyed\n"
RandomBytes = Callable[[int], bytes]


def key_path(home: Path, region_id: str, period: str) -> Path:
    """Return where the key of the region and period is kept."""
    return home / "keys" / region_id / f"{period}.key"


def open_key(
    home: Path, region_id: str, period: str, *, random_bytes: RandomBytes = secrets.token_bytes
) -> bytes:
    """Return the key, making it on first use (readable by its owner only).

    Raises
    ------
    EnvironmentFault
        The key was destroyed, is damaged, or cannot be written.
    """
    path = key_path(home, region_id, period)
    key = find_key(home, region_id, period)
    if key is None:
        if path.exists():
            raise EnvironmentFault(f"{path}: the key of {period} was destroyed")
        make_folder(path.parent)
        key = random_bytes(KEY_BYTES)
        write_atomic(path, key, mode=0o600)
    return key


def find_key(home: Path, region_id: str, period: str) -> bytes | None:
    """Return the key, or None where there is none (yet, or any more).

    Raises
    ------
    EnvironmentFault
        The file is damaged.
    """
    path = key_path(home, region_id, period)
    if not path.exists():
        return None
    key = read_bytes(path)
    if key == DESTROYED:
        return None
    if len(key) != KEY_BYTES:
        raise EnvironmentFault(f"{path}: expected {KEY_BYTES} bytes, found {len(key)}")
    return key


def destroy_key(home: Path, region_id: str, period: str) -> bool:
    """Overwrite and forget the key; a mark stays so that no second key is made. Return if it was.

    The bytes are overwritten in place first: what the disk or a backup keeps of them is beyond us.
    """
    path = key_path(home, region_id, period)
    if find_key(home, region_id, period) is None:
        return False
    with path.open("r+b") as file:
        file.write(bytes(KEY_BYTES))
        file.flush()
    remove(path)
    write_atomic(path, DESTROYED, mode=0o600)
    return True


def pseudonym(key: bytes, card: str) -> str:
    """Return the pseudonym of a card number; blanks, dashes and letter case do not count.

    >>> pseudonym(b"k", "1234-5678 9a") == pseudonym(b"k", "123456789A")
    True
    """
    normal = re.sub(r"[\s-]", "", card).upper()
    return hmac.new(key, normal.encode(), "sha256").hexdigest()
