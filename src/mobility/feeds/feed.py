"""What a reader hands on: one operator's feed as typed, repaired tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from mobility.core.notices import Notice
from mobility.feeds.statements import FeedConfig


@dataclass(frozen=True, slots=True)
class TableCounts:
    """What became of the rows of one file: ``read == kept + dropped``.

    Parameters
    ----------
    read : int
        Rows with at least one cell that is not blank, the header not counted.
    kept, dropped : int
        Rows that stand for something in the feed, and rows told under a code of their own kind.
    repaired : int
        Kept rows of which something was changed.
    """

    read: int
    kept: int
    repaired: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Feed:
    """One operator's feed.

    Parameters
    ----------
    config : FeedConfig
        What the manifest says of it.
    version : str
        SHA-256 over names and bytes of its GTFS files.
    tables : dict of str to polars.DataFrame
        Every table of the schema; a table that the feed lacks is empty.
    counts : dict of str to TableCounts
        Per table that the feed has.
    notices : tuple of Notice
        What was found and done.
    zone : str
        IANA name of the zone in which its times count.
    valid_from, valid_until : date
        First and last day with service.
    locations : bytes or None
        ``locations.geojson`` as it came.
    name : str
        What it is called where its rows no longer say it; see `published_name`.
    """

    config: FeedConfig
    version: str
    tables: dict[str, pl.DataFrame]
    counts: dict[str, TableCounts]
    notices: tuple[Notice, ...]
    zone: str
    valid_from: date
    valid_until: date
    locations: bytes | None = field(default=None, repr=False)
    name: str = ""


def published_name(feed: Feed) -> str:
    """Return what a feed is called: its publisher's or first agency's name, else its id."""
    if feed.name:
        return feed.name
    sources = (("feed_info", "feed_publisher_name"), ("agency", "agency_name"))
    for table, column in sources:
        frame = feed.tables.get(table)
        if frame is not None and frame.height and frame[column][0]:
            return str(frame[column][0])
    return feed.config.id
