"""The benchmark of gold: who falls below an accuracy, and when."""

import numpy as np
import pytest

from benchmarks.gold import LEAST, fallen_at


@pytest.mark.parametrize("least", [0.7, 0.8])
def test_who_is_always_wrong_falls_below_at_the_first_look_and_who_is_always_right_never(
    least: float,
) -> None:
    """The limit of 0 out of 20 is 26%."""
    fallen, answered = fallen_at((0.0, 1.0), 1000, 50, least, np.random.default_rng(1))
    for one, gold in zip(fallen.tolist(), answered, strict=True):
        assert gold[one - 1] == LEAST
        assert gold[one - 2] == LEAST - 1
    assert set(fallen_at((1.0, 0.0), 1000, 50, least, np.random.default_rng(1))[0].tolist()) == {1001}


def test_as_much_is_gold_as_the_schedule_says() -> None:
    _, answered = fallen_at((0.5, 0.5), 50, 4000, 0.7, np.random.default_rng(2))
    assert abs(answered[:, 9].mean() - 5) < 5 * np.sqrt(10 * 0.25 / 4000)
    assert abs(answered[:, 49].mean() - 13) < 5 * np.sqrt((10 * 0.25 + 40 * 0.16) / 4000)
