"""The region: many feeds as one set of tables, with where each row came from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from mobility.core.notices import Notice

if TYPE_CHECKING:
    from mobility.feeds.statements import Manifest

TRAIN_KINDS = ("single", "equal", "contained", "overlap", "hand_over")
JOINED_KINDS = TRAIN_KINDS[1:]

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FeedInfo:
    """One feed version of a region, without its rows.

    Parameters
    ----------
    id, version : str
        Id from the manifest; sha256 over the GTFS tables.
    country : str or None
        ISO 3166 code of the manifest.
    zone : str
        Time zone of the feed's agencies.
    valid_from, valid_until : date
        First and last day of its service or of its own statement, both inclusive.
    precedence : int
        Lower wins.
    licence, attribution : str
        As the manifest states them.
    counts : mapping of table name to counts
        Rows read, kept, repaired and dropped.
    name : str
        Publisher's or first agency's name, else the id.
    """

    id: str
    version: str
    country: str | None
    zone: str
    valid_from: dt.date
    valid_until: dt.date
    precedence: int
    licence: str | None
    attribution: str | None
    counts: Mapping[str, object]
    name: str


@dataclass(frozen=True, slots=True)
class Region:
    """All feeds of a region as one set of tables; row number = index in every table.

    Parameters
    ----------
    manifest : Manifest
        What the region's staff stated.
    feeds : tuple of FeedInfo
        In order of their ids; ``feed`` columns index it.
    first_date : date
        Day 0 of ``days`` and ``coverage``.
    days : bool[n_services, n_days]
        Unique rows: on which service dates (in the train's own zone) a train runs.
    coverage : bool[n_feeds, n_days]
        The feed is valid on the day and at least one of its trips runs.
    tables : mapping of table name to DataFrame
        Columns: see ``docs/interfaces.md``.
    notices : tuple of Notice
        Of the feeds and of the merge.
    train_counts : mapping of kind to number
        Joined trains per kind (`JOINED_KINDS`).
    """

    manifest: Manifest
    feeds: tuple[FeedInfo, ...]
    first_date: dt.date
    days: Bools
    coverage: Bools
    tables: Mapping[str, pl.DataFrame]
    notices: tuple[Notice, ...]
    train_counts: Mapping[str, int]

    @property
    def n_days(self) -> int:
        """Number of days of the horizon."""
        return int(self.days.shape[1])

    @property
    def last_date(self) -> dt.date:
        """Last day of the horizon."""
        return self.first_date + dt.timedelta(days=self.n_days - 1)

    def feed_index(self, feed_id: str) -> int:
        """Return the index of a feed id.

        Raises
        ------
        KeyError
            The region has no such feed.
        """
        for index, feed in enumerate(self.feeds):
            if feed.id == feed_id:
                return index
        raise KeyError(feed_id)
