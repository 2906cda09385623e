"""A region compiled into flat arrays: `Network`, its day slices, and the edition on disk."""

from mobility.network.values import DaySlice, Network, StringArray

__all__ = ["DaySlice", "Network", "StringArray"]
