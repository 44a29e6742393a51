"""The benchmark of wrong answers, and by it the corrected estimates as the app puts them together."""

import numpy as np
import pytest

from benchmarks.answer_errors import COLLECTIONS, ERRORS, play


@pytest.mark.slow
@pytest.mark.parametrize("errors", ["none", "5%", "15% missed, 2% false"])
@pytest.mark.parametrize("name", ["36% positive", "3% positive"])
def test_corrected_estimates_hold_the_truth_nearly_as_often_as_they_say(name: str, errors: str) -> None:
    rng, held = np.random.default_rng(0), {"corrected precision": [], "corrected recall": []}
    for _ in range(30):
        for line in play(COLLECTIONS[name], ERRORS[errors], 2, "first draw", rng):
            if line.what in held:
                held[line.what].append(line.low - 1e-9 <= line.truth <= line.high + 1e-9)
    for what, each in held.items():
        assert len(each) >= 20
        assert np.mean(each) >= 0.83, what


def test_one_judge_who_errs_makes_the_stated_recall_too_low() -> None:
    rng, off = np.random.default_rng(0), []
    for _ in range(6):
        lines = {line.what: line for line in play(COLLECTIONS["10% positive"], ERRORS["5%"], 1, "first draw", rng)}
        assert "corrected recall" not in lines
        off += [line.value - line.truth for what, line in lines.items() if what == "stated recall"]
    assert np.median(off) < -0.05
