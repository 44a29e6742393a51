"""The cache of a map's colourings: each is made once, the last used are kept, failures are not."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bam_engine.projection.lru_cache import LruCache


def test_the_least_recently_used_is_dropped() -> None:
    cache = LruCache[str, str](2)
    for key in ("a", "b", "a", "c"):
        cache.get(key, lambda key=key: key.upper())  # type: ignore[misc]
    assert cache.items() == [("a", "A"), ("c", "C")]
    assert "b" not in cache


def test_threads_that_need_a_value_at_once_wait_for_one_that_makes_it() -> None:
    cache, begun, made = LruCache[str, int](2), threading.Event(), []

    def make() -> int:
        begun.wait(10)
        made.append(1)
        return len(made)

    with ThreadPoolExecutor(8) as pool:
        values = [pool.submit(cache.get, "a", make) for _ in range(8)]
        begun.set()
        assert {value.result() for value in values} == {1}


def test_a_failure_is_raised_and_the_next_caller_tries_again() -> None:
    cache = LruCache[str, int](2)
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 // 0)
    assert cache.get("a", lambda: 7) == 7
