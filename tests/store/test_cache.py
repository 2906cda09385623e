"""The in-process cache forgets what is old or too much; its locks have one holder."""

import threading

import pytest

from mobility.core.errors import EnvironmentFault
from mobility.store import MemoryCache, MemoryLocks


def test_what_is_old_is_forgotten() -> None:
    now_s = [0.0]
    cache = MemoryCache(monotonic_s=lambda: now_s[0])
    cache.put("a", b"1", seconds=10)
    now_s[0] = 9.9
    assert cache.get("a") == b"1"
    now_s[0] = 10.0
    assert cache.get("a") is None


def test_the_least_recently_used_goes_first() -> None:
    cache = MemoryCache(limit_bytes=3)
    for key in "abc":
        cache.put(key, b"1", seconds=10)
    cache.get("a")
    cache.put("d", b"1", seconds=10)
    assert [cache.get(key) for key in "abcd"] == [b"1", None, b"1", b"1"]


def test_what_is_too_big_is_not_kept_and_replaces_nothing_else() -> None:
    cache = MemoryCache(limit_bytes=3)
    cache.put("a", b"1", seconds=10)
    cache.put("b", b"1234", seconds=10)
    assert (cache.get("a"), cache.get("b")) == (b"1", None)


def test_an_empty_value_is_a_value() -> None:
    cache = MemoryCache()
    cache.put("a", b"", seconds=10)
    assert cache.get("a") == b""
    cache.forget("a")
    assert cache.get("a") is None


def test_a_lock_has_one_holder() -> None:
    locks, inside, most = MemoryLocks(), [], []

    def work(name: int) -> None:
        with locks.hold("books", wait_s=30):
            inside.append(name)
            most.append(len(inside))
            inside.remove(name)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_a_lock_that_is_not_free_is_told() -> None:
    locks = MemoryLocks()
    with locks.hold("books", wait_s=0):
        with locks.hold("other", wait_s=0):
            pass
        with pytest.raises(EnvironmentFault, match="lock 'books' was not free"):
            locks.hold("books", wait_s=0).__enter__()
