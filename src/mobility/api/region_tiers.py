"""Who may see what of a feed on an open page: rows of public tables, of the others counts only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

Document = dict[str, Any]
PUBLIC = "public"
TOTALS = "totals"  # an edition has no rows of such a feed


class OpenRows:
    """Which feeds' tables may be shown row by row.

    Parameters
    ----------
    feeds : sequence of documents
        The feeds of the manifest: ``id``, ``tier``, ``tiers``.
    """

    def __init__(self, feeds: Sequence[Document]) -> None:
        self._tier: dict[str, str] = {feed["id"]: feed.get("tier", PUBLIC) for feed in feeds}
        self._tiers: dict[str, Mapping[str, str]] = {f["id"]: f.get("tiers") or {} for f in feeds}

    def tier(self, feed: str) -> str:
        """Return the tier of a feed as a whole."""
        return self._tier.get(feed, PUBLIC)

    def shows(self, feed: str, *tables: str) -> bool:
        """Return whether rows of all these tables of a feed may be shown.

        >>> rows = OpenRows([{"id": "a", "tier": "public", "tiers": {"trips": "partners"}}])
        >>> rows.shows("a", "stops"), rows.shows("a", "stops", "trips"), rows.shows("", "stops")
        (True, False, True)
        """
        own = self._tiers.get(feed, {})
        return all(own.get(table, self.tier(feed)) == PUBLIC for table in tables)

    def shows_pair(self, left: str, right: str, tables: Sequence[str]) -> pl.Expr:
        """Return the filter of rows whose two feeds (columns) both show these tables."""
        open_feeds = [feed for feed in self._tier if self.shows(feed, *tables)]
        return pl.col(left).is_in(open_feeds) & pl.col(right).is_in(open_feeds)
