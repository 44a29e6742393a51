"""Whose turn it is: many hosts at once, few requests to each, none before its time."""

import random
from datetime import UTC, datetime

import pytest

from bam_engine.download.pacing import FIRST_WAIT, LONGEST_WAIT, Schedule, backoff, retry_after


def taken(schedule: Schedule[str], now: float) -> list[str]:
    found = []
    while (one := schedule.take(now)) is not None:
        found.append(one[1])
    return found


def test_hosts_take_turns_and_none_has_more_than_its_share_under_way() -> None:
    schedule = Schedule[str](per_host=2)
    schedule.add(1, ["a1", "a2", "a3"])
    schedule.add(2, ["b1", "b2", "b3"])
    assert taken(schedule, 0) == ["a1", "b1", "a2", "b2"]
    schedule.finished(2)
    assert taken(schedule, 0) == ["b3"]
    assert schedule.wakes_at() is None


def test_an_item_that_was_put_back_waits_for_its_time_and_holds_nobody_up() -> None:
    schedule = Schedule[str](per_host=1)
    schedule.add(1, ["a1", "a2"])
    assert taken(schedule, 0) == ["a1"]
    schedule.finished(1)
    schedule.add_later(1, "a1", 5)
    assert taken(schedule, 0) == ["a2"]
    schedule.finished(1)
    assert taken(schedule, 4.9) == []
    assert schedule.wakes_at() == 5
    assert taken(schedule, 5) == ["a1"]


def test_a_host_that_asks_to_wait_is_left_alone_as_a_whole_and_the_others_are_not() -> None:
    schedule = Schedule[str](per_host=4)
    schedule.add(1, ["a1", "a2"])
    schedule.add(2, ["b1"])
    schedule.pause(1, 30)
    assert taken(schedule, 29) == ["b1"]
    assert taken(schedule, 30) == ["a1", "a2"]


def test_an_interval_keeps_requests_to_one_host_apart() -> None:
    schedule = Schedule[str](per_host=9, interval=2)
    schedule.add(1, ["a1", "a2"])
    assert taken(schedule, 0) == ["a1"]
    assert schedule.wakes_at() == 2
    assert taken(schedule, 2) == ["a2"]


def test_what_is_cleared_does_not_come_and_a_host_is_closed_once_nothing_of_it_is_under_way() -> None:
    schedule = Schedule[str](per_host=1)
    schedule.add(1, ["a1", "a2"])
    schedule.take(0)
    schedule.add_later(1, "a0", 3)
    assert schedule.clear(1) == ["a2", "a0"]
    assert not schedule.close(1)
    schedule.finished(1)
    assert schedule.close(1)
    assert len(schedule) == 0
    assert taken(schedule, 99) == []


def test_each_wait_is_about_twice_the_one_before_up_to_the_longest() -> None:
    rng = random.Random(1)
    for tries in range(1, 40):
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1))
        assert all(longest / 2 <= backoff(tries, rng) <= longest for _ in range(20))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Mon, 30 Nov 2026 10:00:30 GMT", 30),
        ("Mon, 30 Nov 2026 09:00:00 GMT", 0),
        ("9" * 400, 1e9),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, datetime(2026, 11, 30, 10, tzinfo=UTC)) == seconds
