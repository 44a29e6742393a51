"""The benchmark of the intervals, and by it the intervals themselves."""

import numpy as np
import pytest

from benchmarks import coverage


@pytest.mark.slow
@pytest.mark.parametrize("stage", coverage.STAGES)
@pytest.mark.parametrize("name", ["36% positive", "10% in projects of ten", "3%, of which 15% hidden"])
def test_intervals_hold_the_truth_nearly_as_often_as_they_say(name: str, stage: str) -> None:
    rng, held = np.random.default_rng(0), {}
    for _ in range(40):
        for what, truth, low, high in coverage.run(coverage.SHAPES[name], stage, rng):
            held.setdefault(what, []).append(low - 1e-9 <= truth <= high + 1e-9)
    of_a_grown_collection = {"precision at the threshold", "recall at the threshold"}
    for what in of_a_grown_collection | ({"average precision"} if stage != "grown" else set()):
        assert np.mean(held[what]) >= 0.83, what


def test_agreement_is_simulated_with_a_third_person_who_settles() -> None:
    rng, seen = np.random.default_rng(0), set()
    for _ in range(3):
        for what, truth, low, high in coverage.run(coverage.SHAPES["36% positive"], "agreement", rng):
            seen.add(what)
            assert low <= high
            assert -1 <= truth <= 1
    assert {"raw agreement", "Krippendorff's alpha", "Cohen's kappa"} <= seen
