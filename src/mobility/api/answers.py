"""Answers as bytes: serialised once, named by an ETag, not sent again where they are known."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

import mobility

FRESH = "no-cache"  # keep it, but ask: another edition may be served


class GeoJson(Response):
    """A response in GeoJSON (RFC 7946)."""

    media_type = "application/geo+json"


def entity_tag(versions: dict[str, str], *parts: object) -> str:
    """Return the ETag of an answer: it is determined by program, edition and question."""
    known = orjson.dumps([mobility.__version__, versions, [str(part) for part in parts]])
    return f'"{hashlib.sha256(known).hexdigest()[:32]}"'


def is_known(request: Request, tag: str) -> bool:
    """Return whether the caller says that it has this answer (If-None-Match)."""
    stated = request.headers.get("if-none-match", "")
    return tag in (part.strip().removeprefix("W/") for part in stated.split(","))


def json_answer(document: Any, tag: str = "", *, media_type: str = "application/json") -> Response:
    """Return the document as a response; one of bytes is serialised already."""
    content = document if isinstance(document, bytes) else orjson.dumps(document)
    return bytes_answer(content, tag, media_type=media_type)


def bytes_answer(
    content: bytes, tag: str = "", *, media_type: str = "application/json"
) -> Response:
    """Return a document that is serialised already as a response."""
    headers = {"Cache-Control": FRESH} | ({"ETag": tag} if tag else {})
    return Response(content, media_type=media_type, headers=headers)


def unchanged(tag: str) -> Response:
    """Return that the caller's answer still holds."""
    return Response(status_code=304, headers={"Cache-Control": FRESH, "ETag": tag})
