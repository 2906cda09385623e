"""What the server allows: sizes, times and how many calls at once."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mobility.api.headers import SECURITY_HEADERS
from mobility.api.problems import (
    BusyError,
    CallerGoneError,
    TimeLimitError,
    TooLargeError,
    new_trace_id,
    problem_response,
)
from mobility.core.errors import UsageError
from mobility.core.stop import Stop, StoppedError, stop_by

Answer = TypeVar("Answer")

MAX_WINDOW_S = 86_400  # a day; longer tables are a batch's work
MAX_TEXT = 200  # characters of a place, a name, a product
DEADLINE_HEADER = "request-timeout"
LEAST_DEADLINE_S = 0.01
SOON_S = 0.05  # after this long it is worth hearing whether the caller still waits
_SECONDS = re.compile(rb"\d{1,6}(\.\d{1,6})?")


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
        Longest time for one answer, waiting included; callers may ask for less.
    """

    body_bytes: int = 1 << 20
    address_bytes: int = 4096
    threads: int = field(default_factory=lambda: max(2, os.cpu_count() or 1))
    waiting: int = 64
    answer_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Call:
    """What the gate knows of a request: how long it may take, and how to hear from the caller."""

    deadline_s: float
    receive: Receive


_call: ContextVar[Call] = ContextVar("call")


class Workbench:
    """A bounded thread pool: computes off the event loop, refuses what it cannot take.

    Work past its deadline, or that nobody waits for any more, is told to stop
    (`mobility.core.stop`); what does not look at that keeps its place until it ends, so that the
    bound holds. What had not begun frees its place at once.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="answer")
        self._places = limits.threads + limits.waiting
        self._taken = 0

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return self._taken

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Return what the work returns.

        Raises
        ------
        BusyError
            All places are taken.
        TimeLimitError
            The work takes longer than allowed.
        CallerGoneError
            Nobody waits for the answer any more.
        """
        if self._taken >= self._places:
            raise BusyError("too many calls at once: try again in a second")
        self._taken += 1
        stop, call = Stop(), _call.get(None)
        context = copy_context()
        context.run(stop_by, stop)
        running = self._pool.submit(context.run, work)
        loop = asyncio.get_running_loop()
        running.add_done_callback(lambda _: self._release_in(loop))
        future = asyncio.wrap_future(running)
        limit_s = call.deadline_s if call else self._limits.answer_s
        try:
            done, _ = await asyncio.wait({future}, timeout=min(SOON_S, limit_s))
            if not done:
                await _settled(future, limit_s - SOON_S, call)
            return future.result()
        except StoppedError as error:
            raise TimeLimitError(str(error)) from None
        finally:
            stop.set()
            future.cancel()

    def close(self) -> None:
        """Take no more work and let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _release_in(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the server has ended, and its loop with it
            loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        self._taken -= 1


async def _settled(future: asyncio.Future[Answer], limit_s: float, call: Call | None) -> None:
    """Return when the future is done; raise when time is up or the caller is gone."""
    leaving = None if call is None else asyncio.ensure_future(_hear_leaving(call.receive))
    waited: set[asyncio.Future[Any]] = {future} | ({leaving} if leaving else set())
    try:
        done, _ = await asyncio.wait(
            waited, timeout=max(0.0, limit_s), return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        if leaving is not None:
            leaving.cancel()
    if future in done:
        return
    if leaving is not None and leaving in done:
        raise CallerGoneError("the caller went away")
    raise TimeLimitError("no answer in time: ask for less, such as a shorter window")


async def _hear_leaving(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


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

        counted = self._counted(receive)
        refused = self._too_large(scope)
        try:
            _call.set(Call(self._deadline_s(scope), counted))
        except UsageError as error:
            refused = refused or error
        if refused is not None:
            await problem_response(refused, trace_id)(scope, receive, send_with_headers)
            return
        await self._app(scope, counted, send_with_headers)

    def _deadline_s(self, scope: Scope) -> float:
        """Return the seconds that the caller allows, within what the server does."""
        stated = dict(scope["headers"]).get(DEADLINE_HEADER.encode())
        if stated is None:
            return self._limits.answer_s
        if not _SECONDS.fullmatch(stated):
            raise UsageError(f"{DEADLINE_HEADER}: expected seconds, such as 2.5")
        return max(LEAST_DEADLINE_S, min(float(stated), self._limits.answer_s))

    def _too_large(self, scope: Scope) -> UsageError | None:
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
