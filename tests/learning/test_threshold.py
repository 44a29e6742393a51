"""A threshold and its evidence: what is measured, what of what is delivered, and the sentences."""

from dataclasses import replace

import numpy as np
import pytest

from bam_engine.learning import RandomSample, choose_threshold, of_delivered, threshold_at


def test_a_certified_sentence_says_which_images_it_is_about():
    rng = np.random.default_rng(0)
    pool = rng.normal(size=20_000)
    found = choose_threshold(pool[:300], pool[:300] > 0, pool_scores=pool)
    assert "among" not in found.summary
    assert "among 1,234 accepted images not labelled or queried" in replace(found, covers=1234).summary


def test_a_cut_set_by_hand_is_measured_and_never_certified():
    scores, labels = np.arange(100.0), np.arange(100) >= 20
    found = threshold_at(30.0, scores, labels)
    assert (found.precision, found.n_accepted_sample, found.certified) == (1.0, 70, False)
    nothing = threshold_at(1000.0, scores, labels)
    assert np.isnan(nothing.precision)
    assert (nothing.precision_low, nothing.precision_high, nothing.n_accepted) == (0.0, 1.0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_the_precision_of_what_is_delivered_counts_known_labels_as_they_are(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=400)
    truth = rng.random(400) < 1 / (1 + np.exp(-2 * scores))
    labelled, cut = rng.random(400) < 0.3, 0.4
    pool, found, refused = scores, scores[labelled & truth], scores[labelled & ~truth]
    sample = RandomSample(scores[labelled], truth[labelled], pool, found=found, refused=refused)
    accepted = scores >= cut
    known = threshold_at(cut, scores[labelled], truth[labelled], pool_scores=pool)
    exact = replace(known, precision=truth[accepted].mean(), precision_low=0.0, precision_high=1.0)
    got = of_delivered(exact, sample)
    delivered = (labelled & truth) | (accepted & ~labelled)
    assert got.precision == pytest.approx(truth[delivered].mean())
    assert got.precision_low == pytest.approx((labelled & truth).sum() / delivered.sum()), "all others may be wrong"
    assert got.precision_high == pytest.approx(1.0)
    assert of_delivered(exact, replace(sample, found=scores[:0], refused=scores[:0])).precision == exact.precision
