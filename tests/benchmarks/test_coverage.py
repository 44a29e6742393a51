"""The benchmark of the intervals, and by it the intervals themselves."""

import numpy as np
import pytest

from benchmarks import coverage


@pytest.mark.slow
@pytest.mark.parametrize("name", list(coverage.SHAPES))
def test_weighted_intervals_at_the_chosen_cut_hold_the_truth_nearly_as_often_as_they_say(name):
    rng, held = np.random.default_rng(0), {}
    for _ in range(60):
        for design, what, truth, low, high in coverage.run(coverage.SHAPES[name], rng):
            held.setdefault((design, what), []).append(low - 1e-12 <= truth <= high + 1e-12)
    for design in ("random 200", "and certification"):
        for share in ("precision", "recall"):
            assert np.mean(held[design, f"{share} at the chosen cut"]) >= 0.83
