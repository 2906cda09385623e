"""Live messages of operators: decoded into plain values, whatever format they came in.

`mobility.feeds.realtime.source` reads them; who only uses the values loads no decoder.
"""

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
    "Informed",
    "Message",
    "Moment",
    "StopUpdate",
    "TripRef",
    "TripUpdate",
    "Vehicle",
]
