"""The running day: live messages matched to the region, and day slices that say how trains run."""

from mobility.network.live.files import (
    LiveReader,
    LiveVersion,
    LiveWriter,
    Notes,
    SourceState,
    live_folder,
)
from mobility.network.live.matching import Matched, Matcher
from mobility.network.live.patch import LiveSlice
from mobility.network.live.trips import Trips

__all__ = [
    "LiveReader",
    "LiveSlice",
    "LiveVersion",
    "LiveWriter",
    "Matched",
    "Matcher",
    "Notes",
    "SourceState",
    "Trips",
    "live_folder",
]
