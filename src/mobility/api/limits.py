"""What the server allows: sizes, times and how many calls at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mobility.api.headers import SECURITY_HEADERS
from mobility.api.problems import (
    BusyError,
    TimeLimitError,
    TooLargeError,
    new_trace_id,
    problem_response,
)

Answer = TypeVar("Answer")

MAX_WINDOW_S = 86_400  # a day; longer tables are a batch's work
MAX_TEXT = 200  # characters of a place, a name, a product


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the server.

    Parameters
    ----------
    body_bytes, address_bytes : int
        Largest request body; longest path with query.
    threads, waiting : int
        Calls that compute at once (kernels release the GIL); calls that may wait for a thread.
    answer_s : float
        Longest time for one answer, waiting included.
    """

    body_bytes: int = 1 << 20
    address_bytes: int = 4096
    threads: int = field(default_factory=lambda: max(2, os.cpu_count() or 1))
    waiting: int = 64
    answer_s: float = 20.0


class Workbench:
    """A bounded thread pool: computes off the event loop, refuses what it cannot take.

    A computation cannot be stopped from outside; one that ran past the time limit keeps its place
    until it ends, so that the bound holds.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="answer")
        self._places = limits.threads + limits.waiting
        self._taken = 0

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Return what the work returns.

        Raises
        ------
        BusyError
            All places are taken.
        TimeLimitError
            The work takes longer than allowed.
        """
        if self._taken >= self._places:
            raise BusyError("too many calls at once: try again in a second")
        self._taken += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._release)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._limits.answer_s)
        except TimeoutError:
            raise TimeLimitError(
                f"no answer within {self._limits.answer_s:g} s: ask for a shorter window"
            ) from None

    def close(self) -> None:
        """Take no more work and let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _release(self, future: asyncio.Future[Answer]) -> None:
        self._taken -= 1
        if not future.cancelled():
            future.exception()  # seen: a result nobody waits for any more is no event-loop warning


class Gate:
    """ASGI layer around the app: trace id, sizes checked before anything is parsed, headers.

    HEAD is answered as GET without the body (RFC 9110, section 9.3.2).
    """

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace_id = new_trace_id()
        scope["trace_id"] = trace_id
        bodiless = scope["method"] == "HEAD"
        if bodiless:
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers["Trace-Id"] = trace_id
            elif bodiless:
                message = {**message, "body": b""}
            await send(message)

        too_large = self._too_large(scope)
        if too_large is not None:
            await problem_response(too_large, trace_id)(scope, receive, send_with_headers)
            return
        await self._app(scope, self._counted(receive), send_with_headers)

    def _too_large(self, scope: Scope) -> TooLargeError | None:
        address = len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"")
        if address > self._limits.address_bytes:
            return TooLargeError(f"the address is longer than {self._limits.address_bytes} bytes")
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if not stated.isdigit() or int(stated) > self._limits.body_bytes:
            return TooLargeError(f"the body is larger than {self._limits.body_bytes} bytes")
        return None

    def _counted(self, receive: Receive) -> Receive:
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limits.body_bytes:
                raise TooLargeError(f"the body is larger than {self._limits.body_bytes} bytes")
            return message

        return receive_counted
