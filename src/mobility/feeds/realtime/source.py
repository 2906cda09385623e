"""Where live messages come from: a file or a url, read within limits, the last good one kept.

A url may hold ``${NAME}``: it is filled from the environment when it is fetched, so that a key
stands in no file, no log and no message.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mobility.core.errors import EnvironmentFault, FeedError, MobilityError, UsageError
from mobility.core.ids import FEED_ID
from mobility.feeds.realtime.decoders import DEFAULT, find_decoder
from mobility.feeds.realtime.values import Message
from mobility.feeds.versions.download import MIB, Downloader, Limits, shown

MAX_BYTES = 64 * MIB
# A poll comes again soon: better to miss one than to wait for it.
LIMITS = Limits(
    size_bytes=MAX_BYTES, connect_s=5, read_s=10, total_s=20, attempts=1, retry_after_s=0
)
_SECRET = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
_SOURCE = re.compile(r"(?:([a-z][a-z0-9-]*)\+)?(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LiveSource:
    """One address of one feed's live messages.

    >>> LiveSource.parse("north=https://live.example/trips.pb?key=${NORTH_KEY}").shown
    'https://live.example/trips.pb'
    """

    feed: str
    address: str
    format: str = DEFAULT

    @classmethod
    def parse(cls, text: str) -> LiveSource:
        """Return the source of ``FEED=FILE_OR_URL``.

        Raises
        ------
        UsageError
            It has another form.
        """
        feed, equals, address = text.partition("=")
        if not equals or not FEED_ID.fullmatch(feed) or not address:
            raise UsageError(f"{text!r}: expected FEED=FILE_OR_URL, such as north=trips.pb")
        return cls.of(feed, address)

    @classmethod
    def of(cls, feed: str, address: str) -> LiveSource:
        """Return the source of a feed at an address, which may name its format."""
        match = _SOURCE.fullmatch(address)
        assert match is not None  # no address is empty
        return cls(feed, match[2], match[1] or DEFAULT)

    def beside(self, folder: Path) -> LiveSource:
        """Return the source with a file's path counted from a folder."""
        return self if self.is_url else replace(self, address=str(folder / self.address))

    @property
    def shown(self) -> str:
        """The address as it may be told: without what may be a key."""
        return shown(self.address)

    @property
    def is_url(self) -> bool:
        """Whether it is fetched over the network."""
        return "://" in self.address


@dataclass(frozen=True, slots=True)
class Received:
    """The last good message of a source, when it came, and what went wrong since.

    ``message`` is None as long as none was good, and the same object while the bytes are the same;
    ``received_s`` is unix seconds.
    """

    source: LiveSource
    message: Message | None = None
    received_s: int = 0
    fault: str = ""
    digest: bytes = b""


class Inbox:
    """Reads sources again and again; a source that fails keeps what it said before.

    Parameters
    ----------
    downloader : Downloader, optional
        For tests and closed networks.
    environment : mapping
        Where secrets are looked up.
    """

    def __init__(
        self, downloader: Downloader | None = None, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._downloader = downloader or Downloader(limits=LIMITS)
        self._environment = environment
        self._kept: dict[LiveSource, Received] = {}

    def receive(self, source: LiveSource, now_s: int) -> Received:
        """Return what a source says now; where it cannot be read, what it said last and why."""
        before = self._kept.get(source, Received(source))
        try:
            decode, data = find_decoder(source.format), self._read(source)
            digest = hashlib.sha256(data).digest()
            same = before.message is not None and digest == before.digest
            message = before.message if same else decode(data)
        except MobilityError as fault:
            found = replace(before, fault=f"{source.feed}: {self._told(source, str(fault))}")
        else:
            found = Received(source, message, now_s, digest=digest)
        self._kept[source] = found
        return found

    def _told(self, source: LiveSource, fault: str) -> str:
        """Return what went wrong, naming the source and no secret."""
        for name in _SECRET.findall(source.address):
            if value := self._environment.get(name):
                fault = fault.replace(value, f"${{{name}}}")
        return fault if source.shown in fault else f"{source.shown}: {fault}"

    def _read(self, source: LiveSource) -> bytes:
        return self._fetch(source) if source.is_url else _read_file(Path(source.address))

    def _fetch(self, source: LiveSource) -> bytes:
        def secret(match: re.Match[str]) -> str:
            value = self._environment.get(match[1])
            if not value:
                raise FeedError(f"the environment has no {match[1]}")
            return value

        url = _SECRET.sub(secret, source.address)
        with tempfile.TemporaryDirectory(prefix="mobility-live-") as folder:
            target = Path(folder) / "message"
            self._downloader.download(url, target)
            return _read_file(target)


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as fault:
        raise EnvironmentFault(f"{path}: cannot be read: {fault.strerror}") from None
    if len(data) > MAX_BYTES:
        raise FeedError(f"{path}: more than {MAX_BYTES:,} bytes; refused")
    if not data:
        raise FeedError(f"{path}: empty")
    return data
