"""The verdict on a promised precision says what an audit shows, and what it would take to show more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bam_engine.audit import estimate_precision, verdict


def _estimates(ks, n=100):
    return [estimate_precision([1] * k + [0] * (n - k)) for k in ks]


@pytest.mark.parametrize(
    ("right", "met", "words"),
    [
        (98, True, "Target met: 98 of 100 labelled images are positive, so precision is at least 92.9%"),
        (80, False, "Target missed: 80 of 100"),
        (93, None, "Certifying 90% takes 96 of 100. At 93%, an audit of 288"),
        (90, None, "cannot be certified by any number"),
    ],
)
def test_the_verdict_says_what_the_audit_shows_and_what_it_would_take(right, met, words):
    found = verdict(_estimates([right])[0], 0.90, available=5000)
    assert found.met is met
    assert words in found.summary
    assert found.sizes == ((100, 96), (200, 188), (400, 371))
    assert (found.enough is None) == (right <= 90)
    assert found.more == (None if right <= 90 else max(0, found.enough - 100))


def test_the_verdict_says_when_the_collection_is_too_small():
    few = verdict(_estimates([93])[0], 0.90, available=200)
    assert "only 200 accepted images could be drawn" in few.summary
    assert "20 images are too few to certify 90%" in verdict(_estimates([19], n=20)[0], 0.90, available=9000).summary
    assert "1 of 1 labelled image is positive" in verdict(_estimates([1], n=1)[0], 0.90, available=9000).summary


def test_where_every_accepted_image_was_labelled_the_precision_is_exact():
    found = estimate_precision([1] * 96 + [0] * 4)
    every = verdict(found, 0.90, available=100)
    assert every.met
    assert "Target met: 96 of 100" in every.summary
    assert "96% is exact. The others are not delivered any more." in every.summary
    assert "exact" not in verdict(found, 0.90, available=101).summary


def test_an_exhausted_sample_is_not_the_end_of_doubt_while_unjudged_images_are_delivered():
    found = estimate_precision([1] * 54 + [0] * 6)
    judged = verdict(found, 0.85, available=60, unjudged=3)
    assert (judged.exhausted, judged.met) == (False, found.meets(0.85)) == (False, None)
    assert "3 images are still delivered without enough answers of people" in judged.summary
    missed = verdict(estimate_precision([1] * 20 + [0] * 40), 0.9, available=60, unjudged=1)
    assert missed.met is False
    for wrong in ("left to doubt", "exact", "not delivered any more"):
        assert wrong not in judged.summary + missed.summary


@given(
    st.integers(1, 60), st.integers(0, 60), st.integers(0, 200), st.integers(1, 400), st.sampled_from([0.8, 0.9, 0.95])
)
def test_the_target_is_one_of_all_that_was_delivered(right, wrong, known, more, target):
    """With ``known`` positives beside ``available`` images, of which the audit is a sample."""
    found = estimate_precision([1] * right + [0] * wrong)
    available = right + wrong + more
    judged = verdict(found, target, available=available, known=known)

    def delivered(proportion):
        return (known + available * proportion) / (known + available)

    value, low, high = map(delivered, (found.value, found.low, found.high))
    assert judged.delivered == pytest.approx((value, max(low, target) if judged.met else low, high))
    assert judged.bound == pytest.approx(delivered(found.bound))
    edge = min(abs(delivered(found.bound) - target), abs(delivered(found.high) - target)) < 1e-9
    if not edge:
        assert (judged.met is True) == (delivered(found.bound) >= target)
        assert (judged.met is False) == (delivered(found.high) < target)


def test_where_people_have_labelled_enough_any_audit_meets_the_target():
    found = verdict(estimate_precision([0] * 5), 0.9, available=10, known=900)
    assert (found.met, found.needed) == (True, 0)
    assert "With 900 images labelled yes by people, the precision of what is delivered is at " in found.summary
