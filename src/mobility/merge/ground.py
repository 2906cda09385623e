"""The ground that every step of one merge stands on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mobility.feeds import Feed, Manifest
from mobility.merge.calendar import Days
from mobility.merge.places import Places
from mobility.merge.tables import Assembled

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ground:
    """Feeds in order of their ids, their rows end to end, and their places.

    Parameters
    ----------
    feeds : tuple of Feed
    ids : tuple of str
    manifest : Manifest
    days : Days
    tables : Assembled
    places : Places
    references : list of str
        ``feed:stop_id`` of each place's root.
    origins : list of int64[n_days]
        Service-day origins of each feed's zone.
    """

    feeds: tuple[Feed, ...]
    ids: tuple[str, ...]
    manifest: Manifest
    days: Days
    tables: Assembled
    places: Places
    references: list[str]
    origins: list[Int64s]

    def stop_of(self) -> dict[str, int]:
        """Return the row of each ``feed:stop_id``."""
        rows = zip(self.tables.stops["feed"], self.tables.stops["stop_id"], strict=True)
        return {f"{self.ids[feed]}:{stop}": row for row, (feed, stop) in enumerate(rows)}

    def trip_of(self) -> dict[str, int]:
        """Return the row of each ``feed:trip_id``."""
        rows = zip(self.tables.trips["feed"], self.tables.trips["trip_id"], strict=True)
        return {f"{self.ids[feed]}:{trip}": row for row, (feed, trip) in enumerate(rows)}
