"""Live messages of operators: decoded into plain values, whatever format they came in."""

from mobility.feeds.realtime.source import Inbox, LiveSource, Received
from mobility.feeds.realtime.values import (
    Alert,
    Informed,
    Message,
    Moment,
    StopUpdate,
    TripRef,
    TripUpdate,
    Vehicle,
)

__all__ = [
    "Alert",
    "Inbox",
    "Informed",
    "LiveSource",
    "Message",
    "Moment",
    "Received",
    "StopUpdate",
    "TripRef",
    "TripUpdate",
    "Vehicle",
]
