"""``edition.json``: what an edition is made of; read without its arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mobility.core.errors import FormatVersionError, InputError

FORMAT_VERSION = 1
EDITION_FILE = "edition.json"
NETWORK_PART = "network.bin"
MAX_EDITION_BYTES = 1 << 20


def read_edition_file(folder: Path) -> dict[str, Any]:
    """Return the document ``edition.json`` of an edition, its shape checked.

    Raises
    ------
    InputError
        No edition stands there, or the file is damaged.
    FormatVersionError
        It has another format version.
    """
    path = folder / EDITION_FILE
    remedy = f"rebuild with mobility build SOURCE... -o {folder}"
    try:
        with path.open("rb") as source:
            content = source.read(MAX_EDITION_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{folder}: no edition here (it has no {EDITION_FILE}):"
            f" make one with mobility build SOURCE... -o {folder}"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        document = json.loads(content)
    except ValueError:
        raise InputError(f"{path}: not JSON: {remedy}") from None
    if not isinstance(document, dict) or not isinstance(document.get("format_version"), int):
        raise InputError(f"{path}: not the file of an edition: {remedy}")
    if document["format_version"] != FORMAT_VERSION:
        raise FormatVersionError(
            f"{folder}: edition of format version {document['format_version']}, but this program"
            f" reads {FORMAT_VERSION}: {remedy}"
        )
    return _checked_shape(document, path, remedy)


def _checked_shape(document: dict[str, Any], path: Path, remedy: str) -> dict[str, Any]:
    texts = all(isinstance(document.get(name), str) for name in ("region", "hash"))
    maps = all(isinstance(document.get(name), dict) for name in ("feeds", "parts", "notes"))
    if not texts or not maps or NETWORK_PART not in document["parts"]:
        raise InputError(f"{path}: not the file of an edition: {remedy}")
    return document
