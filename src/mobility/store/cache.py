"""Cache and locks behind protocols; the stand-in serves one process.

Losing a cache or a lock server loses no data and fails no request: a cache may forget anything at
any time, and what must never happen twice is guarded by the database itself.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from mobility.core.errors import EnvironmentFault


class Cache(Protocol):
    """Bytes under keys, for a while."""

    def get(self, key: str) -> bytes | None:
        """Return the bytes, or None where they are not (or no longer) here."""
        ...

    def put(self, key: str, value: bytes, *, seconds: int) -> None:
        """Keep the bytes for at most so many seconds."""
        ...

    def forget(self, key: str) -> None:
        """Drop the bytes."""
        ...


class Locks(Protocol):
    """Named locks: one holder at a time."""

    def hold(self, name: str, *, wait_s: float) -> AbstractContextManager[None]:
        """Hold the lock while inside.

        Raises
        ------
        EnvironmentFault
            Somebody else held it for longer than ``wait_s`` seconds.
        """
        ...


class MemoryCache:
    """A cache in this process: at most so many bytes, the least recently used go first.

    >>> cache = MemoryCache(limit_bytes=4)
    >>> cache.put("a", b"12", seconds=60); cache.put("b", b"345", seconds=60)
    >>> cache.get("a"), cache.get("b")
    (None, b'345')
    """

    def __init__(
        self, *, limit_bytes: int = 64 * 2**20, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit_bytes = limit_bytes
        self._monotonic_s = monotonic_s
        self._items: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._size_bytes = 0
        self._guard = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """Return the bytes, or None."""
        with self._guard:
            until, value = self._items.get(key, (0.0, b""))
            if key not in self._items:
                return None
            if until <= self._monotonic_s():
                self._drop(key)
                return None
            self._items.move_to_end(key)
            return value

    def put(self, key: str, value: bytes, *, seconds: int) -> None:
        """Keep the bytes for at most so many seconds; bytes above the limit are not kept."""
        with self._guard:
            self._drop(key)
            if len(value) > self._limit_bytes:
                return
            self._items[key] = (self._monotonic_s() + seconds, value)
            self._size_bytes += len(value)
            while self._size_bytes > self._limit_bytes:
                self._drop(next(iter(self._items)))

    def forget(self, key: str) -> None:
        """Drop the bytes."""
        with self._guard:
            self._drop(key)

    def _drop(self, key: str) -> None:
        item = self._items.pop(key, None)
        if item is not None:
            self._size_bytes -= len(item[1])


class MemoryLocks:
    """Locks between the threads of this process."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    @contextmanager
    def hold(self, name: str, *, wait_s: float) -> Iterator[None]:
        """Hold the lock while inside; see `Locks.hold`."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        if not lock.acquire(timeout=wait_s):
            raise EnvironmentFault(f"lock {name!r} was not free within {wait_s:g} s")
        try:
            yield
        finally:
            lock.release()
