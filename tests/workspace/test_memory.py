"""The cache of a workspace: a value is made once for each version, bounded, and never wrong."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bam_engine.errors import BamError
from bam_engine.workspace.memory import Kind, Memory
from tests.documents import declared_kinds

NUMBERS = Kind[int]("numbers", of="name", until="the test says so", limit=3)
TEXTS = Kind[str]("texts", of="name", until="the test says so", limit=3)
BLOCKS = Kind[bytes]("blocks", of="name", until="never", limit=9, max_bytes=100, size=len)


@pytest.fixture
def memory() -> Memory:
    return Memory()


def never() -> int:
    raise AssertionError("this value is known")


class Slow:
    """A value whose making takes until ``go_on`` is set; ``begun`` is set when it begins."""

    def __init__(self, value: int = 1) -> None:
        self.value, self.times = value, 0
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> int:
        self.times += 1
        self.begun.set()
        assert self.go_on.wait(10)
        return self.value


def waits_for_a_turn(memory: Memory, users: int) -> None:
    """Wait until so many callers hold or wait for a turn."""
    until = time.monotonic() + 10
    while sum(turn.users for turn in memory._turns.values()) < users:
        assert time.monotonic() < until
        time.sleep(0.001)


def test_a_value_is_made_once_for_each_version(memory: Memory) -> None:
    assert memory.get(NUMBERS, "a", 1, lambda: 10) == 10
    assert memory.get(NUMBERS, "a", 1, never) == 10
    assert memory.get(NUMBERS, "a", 2, lambda: 20) == 20
    assert memory.get(NUMBERS, "a", 2, never) == 20
    assert memory.get(NUMBERS, "a", 1, lambda: 11) == 11, "an older version is not kept beside it"


def test_kinds_and_subjects_do_not_share_values(memory: Memory) -> None:
    assert memory.get(NUMBERS, "a", 1, lambda: 10) == 10
    assert memory.get(TEXTS, "a", 1, lambda: "ten") == "ten"
    assert memory.get(NUMBERS, "b", 1, lambda: 12) == 12
    alike = Kind[int](NUMBERS.name, of=NUMBERS.of, until=NUMBERS.until, limit=NUMBERS.limit)
    assert memory.get(alike, "a", 1, lambda: 13) == 13
    assert memory.get(NUMBERS, "a", 1, never) == 10


def test_none_is_a_value(memory: Memory) -> None:
    results = Kind[int | None]("results", of="name", until="never", limit=1)
    assert memory.get(results, "a", 1, lambda: None) is None
    assert memory.get(results, "a", 1, never) is None


def test_simultaneous_callers_make_a_value_once(memory: Memory) -> None:
    make = Slow()
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(memory.get, NUMBERS, "a", 1, make) for _ in range(4)]
        waits_for_a_turn(memory, 4)
        make.go_on.set()
        assert [result.result(10) for result in results] == [1, 1, 1, 1]
    assert make.times == 1
    assert not memory._turns, "no lock is left behind"


def test_other_subjects_kinds_and_peeks_do_not_wait(memory: Memory) -> None:
    memory.put(NUMBERS, "a", 1, 10)
    make = Slow(20)
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(memory.get, NUMBERS, "a", 2, make)
        assert make.begun.wait(10)
        others: list[Callable[[], object]] = [
            lambda: memory.get(NUMBERS, "b", 1, lambda: 12),
            lambda: memory.get(TEXTS, "a", 2, lambda: "ten"),
            lambda: memory.get(NUMBERS, "a", 1, never),
            lambda: memory.peek(NUMBERS, "a"),
        ]
        assert [pool.submit(other).result(10) for other in others] == [12, "ten", 10, 10]
        make.go_on.set()
        assert slow.result(10) == 20


def test_a_failure_is_raised_and_not_cached(memory: Memory) -> None:
    def fails() -> int:
        raise BamError("the disk is full")

    for _ in range(2):
        with pytest.raises(BamError, match="full"):
            memory.get(NUMBERS, "a", 1, fails)
    assert memory.subjects(NUMBERS) == ()
    assert memory.get(NUMBERS, "a", 1, lambda: 10) == 10
    with pytest.raises(BamError, match="full"):
        memory.get(NUMBERS, "a", 2, fails)
    assert memory.get(NUMBERS, "a", 1, never) == 10, "the last value stays"


def test_a_caller_who_waited_for_a_failure_tries_again(memory: Memory) -> None:
    go_on = threading.Event()

    def fails() -> int:
        assert go_on.wait(10)
        raise BamError("the disk is full")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(memory.get, NUMBERS, "a", 1, fails)
        waits_for_a_turn(memory, 1)
        second = pool.submit(memory.get, NUMBERS, "a", 1, lambda: 10)
        waits_for_a_turn(memory, 2)
        go_on.set()
        with pytest.raises(BamError):
            first.result(10)
        assert second.result(10) == 10


def test_the_least_recently_used_are_dropped(memory: Memory) -> None:
    for name in "abc":
        memory.put(NUMBERS, name, 1, ord(name))
    memory.get(NUMBERS, "a", 1, never)
    memory.peek(NUMBERS, "b")
    memory.put(NUMBERS, "d", 1, 4)
    assert memory.subjects(NUMBERS) == ("a", "b", "d")
    assert memory.peek(NUMBERS, "c") is None


def test_bytes_are_bounded_but_the_newest_stays(memory: Memory) -> None:
    for name in "abc":
        memory.put(BLOCKS, name, 1, bytes(40))
    assert memory.subjects(BLOCKS) == ("b", "c")
    memory.put(BLOCKS, "c", 2, bytes(60))
    assert memory.subjects(BLOCKS) == ("b", "c"), "the earlier version counts no more"
    memory.put(BLOCKS, "d", 1, bytes(1000))
    assert memory.subjects(BLOCKS) == ("d",)


@pytest.mark.parametrize("everything", [True, False])
def test_what_is_forgotten_while_it_is_made_is_returned_and_not_cached(memory: Memory, everything: bool) -> None:
    make = Slow()
    with ThreadPoolExecutor(2) as pool:
        result = pool.submit(memory.get, NUMBERS, "a", 1, make)
        assert make.begun.wait(10)
        waiting = pool.submit(memory.get, NUMBERS, "a", 1, lambda: 2)
        waits_for_a_turn(memory, 2)
        if everything:
            memory.clear()
        else:
            memory.forget(NUMBERS, "a")
        make.go_on.set()
        assert result.result(10) == 1
        assert waiting.result(10) == 2, "it was asked for before it was forgotten, and made afterwards"
    assert memory.peek(NUMBERS, "a") == 2


def test_a_forgotten_value_is_made_again(memory: Memory) -> None:
    for name in "ab":
        memory.put(NUMBERS, name, 1, 10)
    memory.forget(NUMBERS, "a")
    memory.forget(NUMBERS, "never seen")
    assert memory.subjects(NUMBERS) == ("b",)
    assert memory.get(NUMBERS, "a", 1, lambda: 11) == 11
    memory.clear()
    assert memory.subjects(NUMBERS) == ()


def test_the_version_is_asked_for_once_in_a_while(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    now, current, asked = [100.0], [1], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def version() -> int:
        asked.append(current[0])
        return current[0]

    def get(seconds: float) -> int:
        return memory.get_within(NUMBERS, "a", seconds, version, lambda version: 10 * version)

    assert memory.age(NUMBERS, "a") == float("inf")
    assert (get(1), get(1)) == (10, 10)
    current[0] = 2
    now[0] += 0.9
    assert (get(1), len(asked)) == (10, 1), "checked less than a second ago"
    assert (get(0), len(asked)) == (20, 2)
    now[0] += 1.0
    assert memory.age(NUMBERS, "a") == 1.0
    assert (get(1), len(asked)) == (20, 3)
    assert memory.age(NUMBERS, "a") == 0.0, "checked, though not made again"
    now[0] += 0.9
    memory.get(NUMBERS, "a", 2, never)
    assert memory.age(NUMBERS, "a") == 0.0, "who knows the version has checked it"


def test_simultaneous_callers_ask_for_the_version_once(memory: Memory) -> None:
    memory.put(NUMBERS, "a", 1, 10)
    time.sleep(0.02)
    version = Slow(1)
    with ThreadPoolExecutor(4) as pool:
        results = [
            pool.submit(memory.get_within, NUMBERS, "a", 0.01 if number else 0.0, version, lambda _: never())
            for number in range(4)
        ]
        waits_for_a_turn(memory, 1)
        version.go_on.set()
        assert [result.result(10) for result in results] == [10] * 4
    assert version.times <= 2


def test_a_value_may_be_made_of_others_and_of_its_predecessor(memory: Memory) -> None:
    def grown() -> int:
        return memory.get(NUMBERS, "b", 1, lambda: 5) + (memory.peek(NUMBERS, "a") or 0)

    assert memory.get(NUMBERS, "a", 1, grown) == 5
    assert memory.get(NUMBERS, "a", 2, grown) == 10


def test_every_kind_is_bounded_and_has_a_name_of_its_own() -> None:
    kinds = declared_kinds()
    assert len(kinds) > 15
    assert len({kind.name for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert kind.limit >= 1
        assert (kind.max_bytes is None) == (kind.size is None)
