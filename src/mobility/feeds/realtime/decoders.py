"""The decoders of operators' realtime formats: GTFS Realtime, and whoever joins `DECODERS`.

A decoder turns the bytes of one message into a `Message`; matching, overlays and answers after it
are the same for all formats. A source names its decoder before its address: ``siri-et+https://…``.
"""

from __future__ import annotations

from typing import Protocol

from mobility.core.errors import FeedError
from mobility.feeds.realtime.gtfs_rt import decode_gtfs_rt
from mobility.feeds.realtime.values import Message

DEFAULT = "gtfs-rt"


class Decoder(Protocol):
    """Makes values of the bytes of one message in one format."""

    def __call__(self, data: bytes, /) -> Message:
        """Decode it; raise FeedError, in one line, where it cannot be read at all."""
        ...


# By the name that a source gives before ``+``.
DECODERS: dict[str, Decoder] = {DEFAULT: decode_gtfs_rt}


def find_decoder(name: str) -> Decoder:
    """Return the decoder of a format.

    Raises
    ------
    FeedError
        No decoder has that name.
    """
    decoder = DECODERS.get(name)
    if decoder is None:
        raise FeedError(f"realtime format {name!r} is not known; one of {', '.join(DECODERS)}")
    return decoder
