"""The verdict on a promised precision says what an audit shows, and what it would take to show more."""

import pytest

from bam_engine.audit import estimate_precision, verdict


def _estimates(ks, n=100):
    return [estimate_precision([1] * k + [0] * (n - k)) for k in ks]


@pytest.mark.parametrize(
    ("right", "met", "words"),
    [
        (98, True, "Target met: 98 of 100 labelled images are positive, so precision is at least 93.8%"),
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
    assert "96% is exact" in verdict(found, 0.90, available=100).summary
    assert "exact" not in verdict(found, 0.90, available=101).summary
