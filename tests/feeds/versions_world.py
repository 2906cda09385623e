"""Feeds, a store and a server for the tests of fetching: no network, no waiting."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mobility.feeds.versions.activation import By

NOW = dt.datetime(2027, 1, 5, 9, 30, tzinfo=dt.UTC)  # a Tuesday

FILES = {
    "agency.txt": (
        "agency_id,agency_name,agency_url,agency_timezone\n"
        "A,Bus,http://b.example,Europe/Zurich\nB,Boat,http://b.example,Europe/Zurich\n"
    ),
    "stops.txt": (
        "stop_id,stop_name,stop_lat,stop_lon\n"
        "S1,One,47.50,7.50\nS2,Two,47.51,7.50\nS3,Three,47.52,7.50\n"
    ),
    "routes.txt": "route_id,agency_id,route_short_name,route_type\nR1,A,1,3\nR2,B,2,4\n",
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "WD,1,1,1,1,1,1,1,20270104,20270328\n"
    ),
}  # fmt: skip


def feed_files(n_trips: int = 10, **files: str) -> dict[str, str]:
    """Return the files of a feed of so many trips a day; keyword: file without .txt to content."""
    trips = "".join(f"R1,WD,T{n}\n" for n in range(n_trips))
    times = "".join(
        f"T{n},{6 + n:02d}:{minute}:00,{6 + n:02d}:{minute}:00,{stop}\n"
        for n in range(n_trips)
        for minute, stop in (("00", "S1,1"), ("10", "S3,2"))
    )
    made = {
        "trips.txt": f"route_id,service_id,trip_id\n{trips}",
        "stop_times.txt": f"trip_id,arrival_time,departure_time,stop_id,stop_sequence\n{times}",
    }
    return FILES | made | {f"{name}.txt": content for name, content in files.items()}


def feed_zip(n_trips: int = 10, **files: str) -> bytes:
    """Return the bytes of a zip of such a feed."""
    return zip_of(feed_files(n_trips, **files))


def zip_of(files: Mapping[str, str], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return the bytes of a zip of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@dataclass
class Now:
    """A clock that stands where one puts it."""

    moment: dt.datetime = NOW

    def __call__(self) -> dt.datetime:
        return self.moment

    def by(self, actor: str = "ana") -> By:
        """Return an actor with this clock."""
        return By(actor, self)


@dataclass
class Reply:
    """What the server says to one request."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stall: bool = False  # sends half of the body, then nothing until the test ends


class Server:
    """A web server on loopback that says what it is told to, one reply after the other."""

    def __init__(self, scheme: str, port: int) -> None:
        self.port = port
        self.base = f"{scheme}://feeds.example:{port}"
        self.replies: list[Reply] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.done = threading.Event()

    def say(self, *replies: Reply) -> None:
        """Set the next replies; the last one is said from then on."""
        self.replies = list(replies)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        self.requests.append((handler.path, dict(handler.headers)))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        etag = reply.headers.get("ETag")
        if reply.status == 200 and etag and handler.headers.get("If-None-Match") == etag:
            reply = Reply(304)
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        if "Content-Length" not in reply.headers and not reply.stall:
            handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        if reply.stall:
            handler.wfile.write(reply.body[: len(reply.body) // 2])
            handler.wfile.flush()
            self.done.wait(30)
        else:
            handler.wfile.write(reply.body)


@contextmanager
def served(certificate: tuple[Path, Path] | None = None) -> Iterator[Server]:
    """Serve on a free port of loopback, over TLS with a certificate and its key."""
    import ssl

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            return  # a client that hangs up is part of some tests

    listener = Quiet(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    server = Server("http" if certificate is None else "https", listener.server_port)
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.done.set()
        listener.shutdown()
        listener.server_close()
        thread.join()


def make_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """Make a certificate for a host that signs itself, and its key."""
    certificate, key = folder / f"{host}.pem", folder / f"{host}.key"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
            "-keyout", str(key), "-out", str(certificate),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key


def at_loopback(host: str, port: int) -> list[str]:
    """Resolve every name to loopback."""
    return ["127.0.0.1"]


Sleep = Callable[[float], None]
