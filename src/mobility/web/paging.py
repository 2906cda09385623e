"""Long lists in pages: where one is, and the addresses before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

Document = dict[str, Any]


def page_of(total: int, offset: int, limit: int, query: Mapping[str, str]) -> Document:
    """Return where in a list one is, for the macro ``pager``; ``query`` is the address's.

    >>> page_of(120, 50, 50, {"q": "a"})  # doctest: +NORMALIZE_WHITESPACE
    {'page': 2, 'pages': 3, 'first': 51, 'last': 100, 'total': 120,
     'before': 'q=a', 'after': 'q=a&offset=100'}
    """

    def address(start: int) -> str:
        kept = {name: value for name, value in query.items() if name != "offset" and value}
        return urlencode({**kept, "offset": start} if start else kept)

    return {
        "page": offset // limit + 1,
        "pages": max(1, -(-total // limit)),
        "first": min(offset + 1, total),
        "last": min(offset + limit, total),
        "total": total,
        "before": address(max(0, offset - limit)) if offset > 0 else None,
        "after": address(offset + limit) if offset + limit < total else None,
    }
