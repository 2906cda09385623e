"""Identity: feed ids, scoped references and content hashes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from typing import Any

FEED_ID = re.compile(r"[a-z0-9-]+")


def feed_id_from_name(stem: str) -> str:
    """Return the feed id that a file's stem stands for: lower case, all else as ``-``.

    >>> feed_id_from_name("north_rail")
    'north-rail'
    """
    return re.sub(r"[^a-z0-9-]", "-", stem.lower())


def split_reference(reference: str, feed_ids: Collection[str]) -> tuple[str | None, str]:
    """Split ``feed:raw_id`` at its first colon if the left part is a feed id.

    Raw ids may contain colons themselves (IFOPT), so a left part that is no feed id belongs to
    the raw id.

    >>> split_reference("de-regio:de:08336:6501", ["de-regio"])
    ('de-regio', 'de:08336:6501')
    >>> split_reference("de:08336:6501", ["de-regio"])
    (None, 'de:08336:6501')
    """
    left, colon, rest = reference.partition(":")
    if colon and left in feed_ids:
        return left, rest
    return None, reference


def canonical_json(value: Any) -> bytes:
    """Return JSON bytes with sorted keys and no blanks: the form that is hashed.

    >>> canonical_json({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def content_hash(content: bytes | Any) -> str:
    """Return the SHA-256 of bytes, or of a value's canonical JSON, in hexadecimal."""
    data = content if isinstance(content, bytes) else canonical_json(content)
    return hashlib.sha256(data).hexdigest()
