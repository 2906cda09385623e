"""Brings a file from an address on the open internet, within limits of bytes, time and patience."""

from __future__ import annotations

import datetime as dt
import email.utils
import hashlib
import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

import mobility
from mobility.core.errors import EnvironmentFault, FeedError
from mobility.core.time import Clock, system_clock
from mobility.feeds.versions.addresses import Resolve, check_addresses, resolve

MIB = 1 << 20
USER_AGENT = f"mobility/{mobility.__version__} (timetable feeds)"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
HEAD_BYTES = 4096
SHOWN_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a download may take.

    Parameters
    ----------
    size_bytes : int
        Counted while it streams; a header that promises more is refused at once, one that
        promises less is not believed.
    connect_s, read_s, total_s : float
        Seconds for a connection, for the next bytes, and for one attempt from begin to end.
    redirects, attempts : int
    backoff_s : float
        Pause before the second attempt; doubled before each further one.
    retry_after_s : float
        The longest pause that a server may ask for.
    """

    size_bytes: int = 2048 * MIB
    connect_s: float = 15
    read_s: float = 60
    total_s: float = 1800
    redirects: int = 3
    attempts: int = 4
    backoff_s: float = 2
    retry_after_s: float = 120


@dataclass(frozen=True, slots=True)
class Download:
    """What came of a download: a file, or word that nothing has changed (``size_bytes`` 0)."""

    unchanged: bool
    url: str
    etag: str = ""
    last_modified: str = ""
    sha256: str = ""
    size_bytes: int = 0
    head: bytes = b""


_FAULTS = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError)


class _TryAgain(Exception):
    """An attempt failed in a way that another one may not."""

    def __init__(self, told: str, pause_s: float | None = None) -> None:
        super().__init__(told)
        self.pause_s = pause_s


class Downloader:
    """Downloads over https, from addresses of the open internet alone.

    Proxies of the environment are not used: through one, nobody could tell which address is met.

    Parameters
    ----------
    private : bool
        Also http, and private addresses: for tests and closed networks.
    limits : Limits
    resolve : function
        Host and port to addresses.
    sleep, clock
        Injected, so that no test waits.
    context : ssl.SSLContext
        Whom to trust; the system's authorities where not given.
    """

    def __init__(
        self,
        *,
        private: bool = False,
        limits: Limits | None = None,
        resolve: Resolve = resolve,
        sleep: Callable[[float], None] = time.sleep,
        clock: Clock = system_clock,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._private = private
        self._limits = limits or Limits()
        self._resolve = resolve
        self._sleep = sleep
        self._clock = clock
        self._context = context

    def download(
        self, url: str, target: Path, *, etag: str = "", last_modified: str = ""
    ) -> Download:
        """Write what stands at a url to a file, unless the server says that it is unchanged.

        Parameters
        ----------
        etag, last_modified : str
            What the server said last time.

        Raises
        ------
        FeedError
            The url or its address is refused, it is too large, or the server says no for good.
        EnvironmentFault
            It did not come through, after all attempts.
        """
        asked = {"If-None-Match": etag} if etag else {}
        asked |= {"If-Modified-Since": last_modified} if last_modified else {}
        told = ""
        for attempt in range(self._limits.attempts):
            try:
                return self._follow(url, target, asked)
            except _TryAgain as fault:
                told = str(fault)
                if attempt + 1 < self._limits.attempts:
                    pause_s = fault.pause_s
                    self._sleep(self._limits.backoff_s * 2**attempt if pause_s is None else pause_s)
        raise EnvironmentFault(f"{told} ({self._limits.attempts} attempts)")

    def _follow(self, url: str, target: Path, asked: Mapping[str, str]) -> Download:
        for _ in range(self._limits.redirects + 1):
            found = self._attempt(url, target, asked)
            if isinstance(found, Download):
                return found
            url = urljoin(url, found)
        raise FeedError(f"{shown(url)}: more than {self._limits.redirects} redirects; refused")

    def _attempt(self, url: str, target: Path, asked: Mapping[str, str]) -> Download | str:
        """Return what came, or where the server sends us instead."""
        parts = check_url(url, private=self._private)
        try:
            with (
                _Deadline(url, self._limits.total_s) as deadline,
                closing(self._connect(parts, deadline)) as connection,
            ):
                return self._exchange(connection, parts, url, target, asked)
        except ssl.SSLCertVerificationError as fault:
            told = f"{shown(url)}: its certificate is not good: {fault.verify_message}"
            raise FeedError(told) from None
        except _FAULTS as fault:
            raise _TryAgain(f"{shown(url)}: {fault or type(fault).__name__}") from fault

    def _connect(self, parts: SplitResult, deadline: _Deadline) -> HTTPConnection:
        """Return a connection to the first address that answers, all having been judged."""
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            addresses = self._resolve(host, port)
        except EnvironmentFault as fault:  # names fail for a moment as servers do
            raise _TryAgain(str(fault)) from fault
        check_addresses(host, addresses, private=self._private)
        last: Exception = OSError(f"{host} has no address")
        for address in addresses:
            connection = self._connection(parts.scheme, host, address, port)
            try:
                connection.connect()
                deadline.watch(connection.sock)
                return connection
            except ssl.SSLCertVerificationError:
                connection.close()
                raise
            except _FAULTS as fault:
                connection.close()
                last = fault
        raise last

    def _connection(self, scheme: str, host: str, address: str, port: int) -> HTTPConnection:
        """Return a connection to the address that asks for, and verifies, the host."""
        timeout = urllib3.Timeout(connect=self._limits.connect_s, read=self._limits.read_s)
        if scheme == "http":
            return HTTPConnection(address, port, timeout=timeout.connect_timeout)
        return HTTPSConnection(
            address,
            port,
            timeout=timeout.connect_timeout,
            ssl_context=self._context or ssl.create_default_context(),
            server_hostname=host,
        )

    def _exchange(
        self,
        connection: HTTPConnection,
        parts: SplitResult,
        url: str,
        target: Path,
        asked: Mapping[str, str],
    ) -> Download | str:
        connection.timeout = self._limits.read_s
        connection.sock.settimeout(self._limits.read_s)
        headers = {
            "Host": parts.netloc,
            "User-Agent": USER_AGENT,
            "Accept": "application/zip, */*;q=0.5",
            "Accept-Encoding": "identity",
            **asked,
        }
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        connection.request("GET", path, headers=headers, preload_content=False)
        with closing(connection.getresponse()) as response:
            return self._answer(response, url, target, asked)

    def _answer(
        self,
        response: urllib3.BaseHTTPResponse,
        url: str,
        target: Path,
        asked: Mapping[str, str],
    ) -> Download | str:
        if response.status in REDIRECTS and response.headers.get("Location"):
            return str(response.headers["Location"])
        if response.status == http.HTTPStatus.NOT_MODIFIED and asked:
            return Download(unchanged=True, url=url)
        if response.status in TRY_AGAIN:
            pause_s = self._pause(response.headers.get("Retry-After"))
            raise _TryAgain(f"{shown(url)}: the server answers {_said(response)}", pause_s)
        if response.status != http.HTTPStatus.OK:
            raise FeedError(f"{shown(url)}: the server answers {_said(response)}")
        return self._receive(response, url, target)

    def _receive(self, response: urllib3.BaseHTTPResponse, url: str, target: Path) -> Download:
        digest, size, head = hashlib.sha256(), 0, b""
        limit = self._limits.size_bytes
        promised = _promised(response)
        if promised is not None and promised > limit:
            told = f"{shown(url)}: more than {limit:,} bytes, {promised:,}; refused"
            raise FeedError(told)
        with _opened(target) as file:
            while data := _next(response, url, size, promised):
                size += len(data)
                if size > limit:
                    raise FeedError(f"{shown(url)}: more than {limit:,} bytes; refused")
                head = head if len(head) >= HEAD_BYTES else (head + data)[:HEAD_BYTES]
                digest.update(data)
                _write(file, data, target)
        if not size:
            raise FeedError(f"{shown(url)}: the server sends an empty file")
        return Download(
            unchanged=False,
            url=url,
            etag=response.headers.get("ETag", ""),
            last_modified=response.headers.get("Last-Modified", ""),
            sha256=digest.hexdigest(),
            size_bytes=size,
            head=head,
        )

    def _pause(self, retry_after: str | None) -> float | None:
        """Return the seconds that a server asks us to wait, within our own limit."""
        if not retry_after:
            return None
        if retry_after.strip().isdigit():
            wanted = float(retry_after)
        else:
            try:
                moment = email.utils.parsedate_to_datetime(retry_after)
            except ValueError:
                return None
            moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
            wanted = (moment - self._clock()).total_seconds()
        return min(max(wanted, 0.0), self._limits.retry_after_s)


def check_url(url: str, *, private: bool = False) -> SplitResult:
    """Return the parts of a url from which a feed may come.

    Raises
    ------
    FeedError
        It is malformed, not https (http only where ``private``), or carries a password.

    >>> check_url("https://feeds.example/gtfs.zip").hostname
    'feeds.example'
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise FeedError(f"{shown(url)!r} is no url") from None
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise FeedError(
            f"{shown(url)}: only https is fetched; {parts.scheme or 'no scheme'} is refused"
        )
    if parts.username is not None or parts.password is not None:
        raise FeedError(f"{parts.scheme}://{parts.hostname}: a url with a password is refused")
    if not parts.hostname or port == 0:
        raise FeedError(f"{shown(url)!r} names no host")
    if not url.isascii() or re.search(r"[\x00-\x20\x7f]", url):
        raise FeedError(
            f"{shown(url)!r}: only plain characters may stand in a url; encode the others"
        )
    return parts._replace(fragment="")


def shown(url: str) -> str:
    """Return a url as a message names it: without its query, which may hold a key.

    >>> shown("https://feeds.example/gtfs.zip?key=secret")
    'https://feeds.example/gtfs.zip'
    """
    return url.partition("#")[0].partition("?")[0]


def first_words(head: bytes) -> str:
    """Return the first words that a page or text shows, for the message that refuses it.

    >>> first_words(b"<html><title>Sorry</title><p>Access  denied</p>")
    'Sorry Access denied'
    """
    text = head.decode("utf-8", errors="replace").lstrip("\ufeff")
    text = re.sub(r"(?is)<(script|style)\b.*?(</\1>|$)", " ", text)
    text = re.sub(r"(?s)<!--.*?(-->|$)", " ", text)
    words = " ".join(re.sub(r"<[^>]*(>|$)", " ", text).split())
    plain = "".join(letter for letter in words if letter.isprintable())
    return f"{plain[:SHOWN_LENGTH]}…" if len(plain) > SHOWN_LENGTH else plain


def _promised(response: urllib3.BaseHTTPResponse) -> int | None:
    """Return the bytes that the server says it sends, or None where it does not say."""
    told = response.headers.get("Content-Length", "").strip()
    return int(told) if re.fullmatch(r"[0-9]{1,18}", told) else None


def _next(response: urllib3.BaseHTTPResponse, url: str, got: int, promised: int | None) -> bytes:
    """Return the next bytes of a body; empty at its end, and only there."""
    try:
        data = response.read1(MIB)
    except (http.client.IncompleteRead, urllib3.exceptions.ProtocolError):
        data = b""
        cut = True
    else:
        cut = not data and promised is not None and got < promised
    if cut:
        whole = f"{promised:,}" if promised is not None else "an unknown number of"
        raise _TryAgain(f"{shown(url)}: cut short after {got:,} of {whole} bytes")
    return data


def _opened(target: Path) -> IO[bytes]:
    try:
        return target.open("wb", buffering=0)
    except OSError as fault:
        raise EnvironmentFault(f"{target}: {fault.strerror or fault}") from fault


def _write(file: IO[bytes], data: bytes, target: Path) -> None:
    """Write all of the bytes: a fault of the disk is no fault of the network."""
    try:
        while data:
            data = data[file.write(data) :]
    except OSError as fault:
        raise EnvironmentFault(f"{target}: {fault.strerror or fault}") from fault


def _said(response: urllib3.BaseHTTPResponse) -> str:
    return " ".join(f"{response.status} {response.reason or ''}".split())


class _Deadline:
    """Cuts a connection off after some seconds, however slowly its bytes trickle in."""

    def __init__(self, url: str, seconds: float) -> None:
        self._told = f"{shown(url)}: not done within {seconds:g} s"
        self._late = threading.Event()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut_off)
        self._timer.daemon = True

    def watch(self, connected: socket.socket) -> None:
        """Say what is to be cut off: the socket, which the connection may hand on to its answer."""
        self._socket = connected

    def _cut_off(self) -> None:
        self._late.set()
        if self._socket is not None:
            with suppress(OSError):  # gone already
                # Of the plain socket: TLS would want to say goodbye first.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        self._timer.cancel()
        # A body of unknown length looks whole where it was cut off, so this is asked in any case.
        if self._late.is_set() and (fault is None or isinstance(fault, Exception)):
            raise EnvironmentFault(self._told) from fault
