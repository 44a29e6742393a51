"""Images of a sample that cannot be looked at any more: no guarantee breaks, whatever made them absent.

The guarantee is the definition: of many samples, at most 5% may end in a claim that is wrong for the images that are
left. The adversary removes exactly what the labels have shown to be unwelcome, which breaks a rule that leaves such
images out.
"""

import numpy as np
import pytest

from bam_engine.audit import estimate_precision
from bam_engine.errors import NoThreshold
from bam_engine.learning import certify_recall, choose_threshold

N = 4000
NO_GROUPS = np.empty(0, np.int64)


def share_met(precision: float, *, kept: bool, seed: int, runs: int = 600, size: int = 120) -> float:
    """Return how often an audit meets 90% after the wrong ones among its images were removed, or hidden unlabelled."""
    rng = np.random.default_rng(seed)
    truth = (np.arange(N) < precision * N).astype(np.int8)
    met = 0
    for _ in range(runs):
        labels = truth[rng.choice(N, size, replace=False)]
        gone = (labels == 0) & (rng.random(size) < 0.7)
        labels = np.where(gone & (rng.random(size) < 0.5), -1, labels)  # half of them before they were labelled
        found = estimate_precision(labels, absent=gone) if kept else estimate_precision(labels[~gone])
        met += found.meets(0.9) is True
    return met / runs


def test_an_audit_keeps_its_guarantee_when_its_wrong_images_are_removed() -> None:
    assert share_met(0.89, kept=False, seed=1) > 0.5
    assert share_met(0.89, kept=True, seed=1) <= 0.05


def test_an_audit_keeps_its_guarantee_for_what_is_left_when_a_folder_is_removed() -> None:
    """The folder holds good images, so what is left is worse than what was drawn from."""
    rng, met, runs = np.random.default_rng(2), 0, 600
    folder = np.arange(N) < N // 2
    truth = np.where(folder, 1, np.arange(N) % 25 >= 3).astype(np.int8)  # 100% in the folder, 88% elsewhere
    assert truth[~folder].mean() < 0.9 < truth.mean()
    for _ in range(runs):
        drawn = rng.choice(N, 200, replace=False)
        met += estimate_precision(truth[drawn], absent=folder[drawn]).meets(0.9) is True
    assert met / runs <= 0.05


def test_an_audit_does_not_call_a_target_missed_since_right_images_were_removed() -> None:
    rng, missed, runs = np.random.default_rng(3), 0, 600
    truth = (np.arange(N) < 0.91 * N).astype(np.int8)
    for _ in range(runs):
        labels = truth[rng.choice(N, 120, replace=False)]
        gone = (labels == 1) & (rng.random(120) < 0.3)
        missed += estimate_precision(labels, absent=gone).meets(0.9) is False
    assert missed / runs <= 0.05


def test_what_is_absent_is_in_no_proportion_and_widens_the_interval_on_both_sides() -> None:
    labels = np.array([1] * 80 + [0] * 10 + [-1] * 5 + [1] * 3 + [0] * 2)
    absent = np.arange(100) >= 90
    found, plain = estimate_precision(labels, absent=absent), estimate_precision(labels[:90])
    assert (found.k, found.n, found.open, found.absent, found.against) == (80, 90, 0, 10, 7)
    assert found.value == plain.value
    low = estimate_precision([1] * 80 + [0] * 17)  # the unlabelled and the negative ones
    high = estimate_precision([1] * 88 + [0] * 10)  # the unlabelled and the positive ones
    assert (found.low, found.bound, found.high) == (low.low, low.bound, high.high)
    assert found.low < plain.low < plain.high < found.high


def collection(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and truth of images whose precision is 88% at every cut: nothing may be certified for 90%."""
    return rng.permutation(N) / N, (rng.random(N) < 0.88).astype(np.int8)


def share_certified(*, kept: bool, runs: int = 200) -> float:
    rng, wrong = np.random.default_rng(4), 0
    for _ in range(runs):
        scores, truth = collection(rng)
        drawn = rng.choice(N, 200, replace=False)
        gone = (truth[drawn] == 0) & (rng.random(200) < 0.7)
        rest = drawn[~gone]
        lost = (scores[drawn[gone]], NO_GROUPS) if kept else None
        try:
            wrong += choose_threshold(scores[rest], truth[rest], pool_scores=scores, lost=lost).certified
        except NoThreshold:
            continue
    return wrong / runs


def test_a_certified_threshold_keeps_its_guarantee_when_wrong_images_of_its_sample_are_removed() -> None:
    assert share_certified(kept=False) > 0.1
    assert share_certified(kept=True) <= 0.05


@pytest.mark.parametrize(("kept", "at_most"), [(True, 0.05), (False, 1.0)])
def test_a_certified_recall_keeps_its_guarantee_when_the_positives_it_misses_are_removed(
    kept: bool, at_most: float
) -> None:
    rng, wrong, runs = np.random.default_rng(5), 0, 400
    for _ in range(runs):
        scores = rng.random(N)
        positive = rng.random(N) < 0.5
        drawn = rng.choice(N, 200, replace=False)
        gone = positive[drawn] & (scores[drawn] < 0.3)  # whoever knows the cut removes what lies below it
        rest, absent = drawn[~gone], scores[drawn[gone]]
        lost = (absent, np.zeros(len(absent), np.int64)) if kept else None
        cut = certify_recall(scores[rest], positive[rest], lost=lost).value
        wrong += cut is not None and (scores[positive] >= cut).mean() < 0.9
    assert wrong / runs <= at_most
    assert kept or wrong / runs > 0.9


def test_lost_images_above_a_recall_cut_change_nothing_and_those_below_lower_it() -> None:
    scores, labels = np.arange(100.0), np.ones(100, bool)
    plain = certify_recall(scores, labels)
    above = certify_recall(scores, labels, lost=([200.0, 300.0], [0, 0]))
    below = certify_recall(scores, labels, lost=([-1.0, -2.0], [0, 0]))
    assert above.value == plain.value
    assert below.value is not None
    assert plain.value is not None
    assert below.value < plain.value
    assert certify_recall(scores, labels, lost=(np.full(50, -1.0), np.zeros(50))).value is None
