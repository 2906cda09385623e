"""The editions that a worker holds open, and which of them answers.

A request is answered whole by one edition: the one in use when it came, or the one that it names
(``edition=<hash>``). Where a home says which edition is in use, the worker looks at it many
times a second, opens and warms a new one beside the old one, and then answers from it. What the
old edition has begun ends with it; it is let go when nothing uses it and others were used since.

The event loop alone touches what is here; opening and warming have a thread of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gc
import logging
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import fastapi.dependencies.models
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mobility.api.problems import UnknownEditionError
from mobility.core.errors import InputError, MobilityError
from mobility.network.current import SHORT_HASH, EditionHome

LOG = logging.getLogger(__name__)
EDITION_HEADER = "Mobility-Edition"
LOOK_S = 0.05  # between two looks at which edition is in use
RETRY_S = 10.0  # until an edition that could not be opened is tried again
_HASH = re.compile(r"[0-9a-f]{12,64}")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class Opened:
    """An open edition with the application around it.

    Parameters
    ----------
    hash : str
    app : ASGI application
    days : callable
        The dates that it is asked about.
    warm_up : callable
        Answers first questions, also of such dates, so that nobody waits for slices and indices.
    close : callable
        Removes what it left on disk.
    warm : bool
        Whether that first question was answered.
    users : int
        Requests that it answers now.
    """

    hash: str
    app: ASGIApp
    days: Callable[[], tuple[dt.date, ...]]
    warm_up: Callable[[tuple[dt.date, ...]], None]
    close: Callable[[], None]
    warm: bool = False
    users: int = 0


@dataclass(slots=True)
class Standing:
    """What a person should know of the swap: an edition that was to be in use and is not."""

    not_opened: str = ""


Opener = Callable[[Path], Opened]


def open_first(home: EditionHome, opener: Opener, standing: Standing) -> Opened:
    """Return the edition in use in a home; where it cannot be opened, the one before.

    Raises
    ------
    InputError
        No edition is in use, or neither can be opened.
    """
    current = home.current()
    if current is None:
        raise InputError(
            f"{home.home}: no edition is in use: take one with mobility edition activate EDITION"
        )
    try:
        return open_kept(home, opener, current.edition)
    except MobilityError as error:
        if not current.previous:
            raise
        LOG.error("edition %s is not served: %s", current.edition[:SHORT_HASH], error)
        standing.not_opened = current.edition[:SHORT_HASH]
        return open_kept(home, opener, current.previous)


def open_kept(home: EditionHome, opener: Opener, edition: str) -> Opened:
    """Return an edition of a home, opened.

    Raises
    ------
    InputError
        It cannot be opened, or another one stands in its place.
    """
    opened = opener(home.path_of(edition))
    if opened.hash != edition:
        opened.close()
        raise InputError(f"{home.path_of(edition)}: holds edition {opened.hash[:SHORT_HASH]}")
    return opened


class Switch:
    """ASGI application that passes each request to the edition that is to answer it.

    Parameters
    ----------
    first : Opened
        Which answers from the start.
    opener : callable
        Opens the edition in a folder.
    home : EditionHome, optional
        Whose edition in use is followed; without one the first edition answers for good.
    standing : Standing
        Where it is told that an edition cannot be opened.
    kept : int
        How many editions stay open, 2 or more.
    """

    def __init__(
        self,
        first: Opened,
        opener: Opener,
        home: EditionHome | None,
        standing: Standing,
        *,
        kept: int,
    ) -> None:
        self._opener = opener
        self._home = home
        self._standing = standing
        self._kept = kept
        self._now = first
        self._open = OrderedDict({first.hash: first})
        self._leaving: list[Opened] = []
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._coming: dict[str, asyncio.Task[None]] = {}
        self._wanted = first.hash
        self._retry_at = 0.0
        self._seen: object = None  # the first look reads which edition is in use
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="edition")

    @property
    def open_hashes(self) -> tuple[str, ...]:
        """The editions that are open, the one used last at the end."""
        return tuple(self._open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; the edition that takes it keeps it to its end."""
        asked, scope = _without_edition(scope)
        chosen = await self._named(asked) if asked else self._now
        chosen.users += 1

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[EDITION_HEADER] = chosen.hash
            await send(message)

        try:
            await chosen.app(scope, receive, send_named)
        finally:
            chosen.users -= 1
            self._let_go()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Warm the first edition and follow the home while inside."""
        warming = asyncio.create_task(self._warm_first())
        following = asyncio.create_task(self._follow()) if self._home else None
        try:
            yield
        finally:
            if following:
                following.cancel()
            pending = [*self._coming.values(), *self._opening.values(), warming]
            await asyncio.gather(*pending, *filter(None, [following]), return_exceptions=True)
            self._thread.shutdown()
            for opened in (*self._open.values(), *self._leaving):
                opened.close()

    async def _warm_first(self) -> None:
        first = self._now
        try:
            await self._in_thread(partial(first.warm_up, ()))
            first.warm = True
        except Exception:
            LOG.exception("the first question could not be answered")

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _named(self, text: str) -> Opened:
        """Return the edition that a request names, opened now where it is not.

        Raises
        ------
        UnknownEditionError
            None is kept here, or it cannot be opened any more.
        """
        found = [one for one in self._open if _HASH.fullmatch(text) and one.startswith(text)]
        if not found and self._home and _HASH.fullmatch(text):
            found = [path.name for path in self._home.folder.glob(f"{text}*") if path.is_dir()]
        if len(found) != 1:
            raise UnknownEditionError(
                f"no edition {text!r} is kept here: write its hash, or its first 12 characters"
            )
        try:
            return await self._opened(found[0])
        except MobilityError as error:
            LOG.error("edition %s was asked for: %s", found[0][:SHORT_HASH], error)
            raise UnknownEditionError(f"edition {text} cannot be opened any more") from None

    async def _opened(self, edition: str) -> Opened:
        # Once opened it may have been let go for another before this goes on: then again.
        while edition not in self._open:
            if edition not in self._opening:
                task = asyncio.create_task(self._open_beside(edition))
                task.add_done_callback(lambda _: self._opening.pop(edition, None))
                self._opening[edition] = task
            await asyncio.shield(self._opening[edition])
        self._open.move_to_end(edition)
        return self._open[edition]

    async def _open_beside(self, edition: str) -> None:
        assert self._home is not None
        opened = await self._in_thread(partial(open_kept, self._home, self._opener, edition))
        self._open[edition] = opened
        for other in [one for one in self._open if one != self._now.hash]:
            if len(self._open) > self._kept:
                self._leaving.append(self._open.pop(other))
        self._let_go()

    def _let_go(self) -> None:
        """Close the editions that nothing uses; their maps go with the last reference to them."""
        unused = [opened for opened in self._leaving if not opened.users]
        if unused:
            self._leaving = [opened for opened in self._leaving if opened.users]
            for opened in unused:
                opened.close()
            del opened, unused
            asyncio.get_running_loop().run_in_executor(self._thread, _forget)

    async def _follow(self) -> None:
        assert self._home is not None
        loop = asyncio.get_running_loop()
        while True:
            mark = self._home.mark()
            again = self._retry_at and loop.time() >= self._retry_at
            if mark != self._seen or again:
                self._seen, self._retry_at = mark, 0.0
                try:
                    current = self._home.current()
                except MobilityError as error:
                    self._tell("CURRENT", error)
                else:
                    if current is not None:
                        self._want(current.edition)
            await asyncio.sleep(LOOK_S)

    def _want(self, edition: str) -> None:
        """Answer from an edition: now if it is warm, else once it is."""
        self._wanted = edition
        found = self._open.get(edition)
        if found is self._now or (found is not None and found.warm):
            self._answer_from(found)
        elif edition not in self._coming:
            task = asyncio.create_task(self._bring(edition))
            task.add_done_callback(lambda _: self._coming.pop(edition, None))
            self._coming[edition] = task

    async def _bring(self, edition: str) -> None:
        try:
            opened = await self._opened(edition)
            opened.users += 1  # what is warmed is not closed, though others are opened meanwhile
            try:
                await self._in_thread(partial(opened.warm_up, self._now.days()))
            finally:
                opened.users -= 1
            opened.warm = True
        except Exception as error:
            if edition == self._wanted:
                self._tell(edition[:SHORT_HASH], error)
            return
        if edition == self._wanted:
            self._answer_from(opened)

    def _answer_from(self, opened: Opened) -> None:
        self._standing.not_opened = ""
        if opened is not self._now:
            LOG.info("edition %s answers", opened.hash[:SHORT_HASH])
        self._now = opened
        if opened.hash in self._open:
            self._open.move_to_end(opened.hash)
        else:  # it was to leave while it was warmed
            self._leaving.remove(opened)
            self._open[opened.hash] = opened

    def _tell(self, edition: str, error: Exception) -> None:
        """Tell that an edition cannot be served, and try again in a while."""
        ours = not isinstance(error, MobilityError)
        LOG.error("edition %s is not served: %s", edition, error, exc_info=error if ours else None)
        self._standing.not_opened = edition
        self._retry_at = asyncio.get_running_loop().time() + RETRY_S


def _forget() -> None:
    """Free what was let go.

    An application is full of cycles, which would stay for minutes; and FastAPI remembers what kind
    of function each endpoint is, by the function, which knows its edition.
    """
    for remembered in vars(fastapi.dependencies.models).values():
        if hasattr(remembered, "cache_clear"):
            remembered.cache_clear()
    gc.collect()


def _without_edition(scope: Scope) -> tuple[str, Scope]:
    """Return the edition that a request names, and the request without that word."""
    if scope["type"] != "http" or b"edition=" not in scope["query_string"]:
        return "", scope
    words = scope["query_string"].split(b"&")
    named = [word for word in words if word.startswith(b"edition=")]
    rest = [word for word in words if word not in named]
    asked = named[-1].partition(b"=")[2].decode("ascii", "replace") if named else ""
    return asked, {**scope, "query_string": b"&".join(rest), "edition_asked": asked}
