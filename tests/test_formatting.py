"""One format for numbers everywhere; nothing is rounded to certainty."""

import math

import pytest

from bam_engine.formatting import (
    decimal,
    decimal_interval,
    duration,
    percent,
    percent_at_least,
    percent_interval,
    percent_range,
)


@pytest.mark.parametrize("proportion", [1e-9, 0.0004, 0.9996, 1 - 1e-9])
def test_what_is_not_certain_is_not_shown_as_certain(proportion: float) -> None:
    assert percent(proportion) not in ("0%", "100%")


def test_certainty_and_missing_values_are_shown_as_such() -> None:
    assert (percent(0), percent(1), percent(math.nan), decimal(math.nan)) == ("0%", "100%", "–", "–")
    assert percent_interval(math.nan, 0, 1) == decimal_interval(math.nan, 0, 1) == "–"


def test_a_negative_number_that_rounds_to_zero_has_no_sign() -> None:
    assert (decimal(-0.004), decimal(-0.004, signed=True), decimal(-0.006)) == ("0.00", "0.00", "−0.01")


def test_limits_of_which_one_is_negative_are_not_joined_by_a_dash() -> None:
    assert decimal_interval(0, -0.1, 0.1) == "0.00 (−0.10 to 0.10)"


def test_a_minute_is_not_sixty_seconds() -> None:
    assert [duration(seconds) for seconds in (0.2, 59.4, 59.6, 3599.6)] == [
        "less than 1 s",
        "59 s",
        "1 min 0 s",
        "1 h 0 min",
    ]


@pytest.mark.parametrize("low", [0.7815, 0.78149, 0.9, 0.89999, 0.0004, 0.0, 1 / 3])
def test_a_lower_limit_reads_alike_by_itself_and_in_its_interval(low: float) -> None:
    assert percent_interval(0.95, low, 0.99).startswith(f"95% ({percent_at_least(low).removesuffix('%')}–")


def test_limits_are_rounded_outwards() -> None:
    assert percent_interval(0.5, 0.0001, 0.9999) == "50% (0–100%)"
    assert percent_range(0.1239, 0.4561) == "12.3–45.7%"
    assert percent_range(0.1, 0.9) == "10–90%", "what needs no rounding stays"
