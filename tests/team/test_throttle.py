"""The throttle: several attempts are free, the next ones wait a minute at most, and nobody else waits."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bam_engine.team import Throttle, TooManyAttempts
from bam_engine.team.throttle import FREE, FREE_PER_ADDRESS, LONGEST

HERE, THERE = "192.0.2.1", "203.0.113.9"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(clock)


def fail(throttle: Throttle, times: int, name: str = "olga", address: str = THERE) -> int:
    """Attempt so often; return how many were let through."""
    let_through = 0
    for _ in range(times):
        try:
            throttle.attempt(name, address)
            let_through += 1
        except TooManyAttempts:
            pass
    return let_through


def test_so_many_are_free_and_the_next_waits(throttle: Throttle) -> None:
    assert fail(throttle, 100) == FREE


def test_the_wait_grows_to_a_minute_and_an_attempt_that_came_too_early_makes_it_no_longer(
    throttle: Throttle, clock: Clock
) -> None:
    fail(throttle, 100)
    waits = []
    for _ in range(10):
        with pytest.raises(TooManyAttempts) as refused:
            throttle.attempt("olga", THERE)
        waits.append(refused.value.seconds)
        fail(throttle, 50)
        clock.moment += refused.value.seconds
        throttle.attempt("olga", THERE)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (1, LONGEST)


def test_another_address_and_another_name_do_not_wait(throttle: Throttle) -> None:
    fail(throttle, 100)
    throttle.attempt("olga", HERE)
    throttle.attempt("anna", THERE)


def test_all_spellings_of_a_name_are_one(throttle: Throttle) -> None:
    assert fail(throttle, FREE, "Olga") + fail(throttle, 9, "OLGA") + fail(throttle, 9, "ol\u200bga ") == FREE


def test_an_address_that_tries_many_names_waits_too(throttle: Throttle) -> None:
    assert sum(fail(throttle, 1, f"name {number}") for number in range(200)) == FREE_PER_ADDRESS


def test_a_household_has_one_ipv6_network(throttle: Throttle) -> None:
    assert sum(fail(throttle, 1, address=f"2001:db8::{number}") for number in range(1, 50)) == FREE
    throttle.attempt("olga", "2001:db8:0:1::1")


def test_people_who_sign_in_from_one_address_do_not_delay_each_other(throttle: Throttle) -> None:
    for number in range(10 * FREE_PER_ADDRESS):
        throttle.attempt(f"person {number}", HERE)
        throttle.succeeded(f"person {number}", HERE)


def test_signing_in_forgets_ones_own_mistakes(throttle: Throttle) -> None:
    assert fail(throttle, FREE - 1) == FREE - 1
    throttle.attempt("olga", THERE)
    throttle.succeeded("olga", THERE)
    assert fail(throttle, 100) == FREE


def test_failures_are_forgotten_after_a_quarter_of_an_hour(throttle: Throttle, clock: Clock) -> None:
    fail(throttle, 100)
    clock.moment += 15 * 60 + 1
    assert fail(throttle, 100) == FREE


def test_attempts_at_once_are_counted_before_they_are_judged(throttle: Throttle) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(lambda _: fail(throttle, 10), range(16))) == FREE
