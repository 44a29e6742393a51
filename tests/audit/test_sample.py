"""An audit sample is random: every image of a side is as likely as any other, whatever its project."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bam_engine.audit import draw_audit
from bam_engine.errors import AuditError


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 30))
def test_an_audit_holds_distinct_free_images_of_both_halves(n, seed, n_accepted, n_rejected):
    rng = np.random.default_rng(seed)
    scores, exclude = rng.integers(0, 5, size=n).astype(np.float32), rng.choice(n, size=n // 3, replace=False)
    free = np.setdiff1d(np.arange(n), exclude)
    above, below = free[scores[free] >= 2], free[scores[free] < 2]
    if len(above) == 0:
        with pytest.raises(AuditError, match=r"No unlabelled image scores 2\.000 or more"):
            draw_audit(scores, 2.0, exclude=exclude, rng=rng)
        return
    sample = draw_audit(scores, 2.0, exclude=exclude, n_accepted=n_accepted, n_rejected=n_rejected, rng=rng)
    yes, no = sample.rows[sample.accepted], sample.rows[~sample.accepted]
    assert len(set(sample.rows.tolist())) == len(sample.rows)
    assert (len(yes), len(no)) == (min(n_accepted, len(above)), min(n_rejected, len(below)))
    assert set(yes.tolist()) <= set(above.tolist())
    assert set(no.tolist()) <= set(below.tolist())
    assert (sample.n_accepted, sample.n_rejected) == (len(above), len(below))


def test_an_audit_is_a_hundred_and_a_hundred_shuffled_and_the_same_for_the_same_seed():
    scores = np.random.default_rng(0).normal(size=5000)
    one, two = (draw_audit(scores, 0.5, rng=np.random.default_rng(7)) for _ in range(2))
    assert (one.accepted.sum(), (~one.accepted).sum()) == (100, 100)
    assert np.array_equal(one.rows, two.rows)
    place = np.flatnonzero(one.accepted)
    assert 80 < place.mean() < 120  # the halves are mixed...
    assert np.abs(np.corrcoef(place, np.arange(100))[0, 1]) > 0.9
    assert abs(np.corrcoef(np.arange(100), scores[one.rows[one.accepted]])[0, 1]) < 0.3  # ...and not sorted


def test_every_accepted_image_is_equally_likely_to_be_drawn():
    rng, scores = np.random.default_rng(0), np.arange(20.0)
    rows = [draw_audit(scores, 10.0, n_accepted=4, n_rejected=2, rng=rng).rows for _ in range(2000)]
    often = np.bincount(np.concatenate(rows), minlength=20) / 2000
    assert often[10:] == pytest.approx(np.full(10, 0.4), abs=0.045)
    assert often[:10] == pytest.approx(np.full(10, 0.2), abs=0.045)


def test_an_audit_needs_a_threshold():
    with pytest.raises(AuditError, match="Choose a threshold first"):
        draw_audit(np.zeros(3), float("nan"), rng=np.random.default_rng(0))


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=30), st.integers(1, 40), st.integers(0, 2**32))
def test_a_project_gives_its_share_of_the_images_rounded_up_or_down(sizes, count, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(seed)
    sample = draw_audit(np.ones(len(groups)), 0.5, groups=rng.permutation(groups), n_accepted=count, rng=rng)
    drawn = min(count, len(groups))
    assert len(set(sample.rows.tolist())) == drawn
    shuffled = np.random.default_rng(seed).permutation(groups)
    found = np.bincount(shuffled[sample.rows], minlength=len(sizes))
    fair = np.array(sizes) * drawn / len(groups)
    assert (found >= np.floor(fair - 1e-9)).all()
    assert (found <= np.ceil(fair + 1e-9)).all()


def test_images_of_large_and_small_projects_are_equally_likely():
    rng, groups = np.random.default_rng(0), np.repeat([0, 1, 2, 3, 4], [12, 4, 2, 1, 1])
    rows = [draw_audit(np.ones(20), 0.5, groups=groups, n_accepted=5, rng=rng).rows for _ in range(3000)]
    often = np.bincount(np.concatenate(rows), minlength=20) / 3000
    assert often == pytest.approx(np.full(20, 0.25), abs=0.035)
