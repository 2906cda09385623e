"""A region compiled into flat arrays: `Network`, its day slices, and the edition on disk."""

from mobility.network.compile import compile_network
from mobility.network.slices import SliceStore
from mobility.network.values import DaySlice, Network, StringArray

__all__ = ["DaySlice", "Network", "SliceStore", "StringArray", "compile_network"]
