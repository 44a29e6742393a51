"""The benchmark of guarantees, and by it what several certifications of an attribute promise together."""

import numpy as np
import pytest

from benchmarks import guarantee


@pytest.mark.slow
def test_certifying_again_after_each_training_breaks_no_more_than_once():
    curve, rng = guarantee.CURVES["plateau at 0.895"], np.random.default_rng(2)
    broken = {
        spent: guarantee.certify_again(curve, times=4, spent=spent, repeats=250, rng=rng)[1] for spent in (True, False)
    }
    assert broken[True] <= 0.05
    assert broken[False] > broken[True]
