import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bam_engine.errors import LearningError
from bam_engine.learning import draw_validation, training_pool


@given(st.integers(1, 80), st.data())
def test_a_validation_sample_is_distinct_possible_and_knows_its_probability(n, data):
    exclude = data.draw(st.lists(st.integers(0, n - 1), max_size=n - 1, unique=True))
    count = data.draw(st.integers(1, n - len(exclude)))
    sample = draw_validation(n, count, rng=np.random.default_rng(data.draw(st.integers(0, 99))), exclude=exclude)
    assert len(set(sample.rows.tolist())) == count
    assert not set(sample.rows.tolist()) & set(exclude)
    assert sample.rows.min() >= 0
    assert sample.rows.max() < n
    assert sample.probabilities == pytest.approx(np.full(count, count / (n - len(exclude))))


def test_every_image_is_drawn_as_often_as_its_probability_says():
    rng = np.random.default_rng(0)
    pool = np.array([2, 3, 5, 7, 11, 13, 17, 19])
    times = np.bincount(np.concatenate([draw_validation(pool, 3, rng=rng).rows for _ in range(2000)]), minlength=20)
    assert set(np.flatnonzero(times)) == set(pool)
    assert np.abs(times[pool] / 2000 - 3 / 8).max() < 0.045  # four standard errors


@given(st.integers(2, 60), st.data())
def test_no_project_of_the_validation_set_teaches_unless_half_would_be_lost(n, data):
    groups = np.array(data.draw(st.lists(st.integers(0, 9), min_size=n, max_size=n)))
    held = np.array(data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True)))
    pool = training_pool(n, held, groups)
    strict = [row for row in range(n) if groups[row] not in groups[held]]
    loose = [row for row in range(n) if row not in held]
    assert pool.tolist() == (strict if len(strict) >= n / 2 else loose)
    assert training_pool(n, held).tolist() == loose


def test_more_than_there_is_cannot_be_drawn():
    rng = np.random.default_rng(0)
    with pytest.raises(LearningError, match=r"of 200 images was asked, 150 can be drawn\. Ask for 1 to 150"):
        draw_validation(150, 200, rng=rng)
    with pytest.raises(LearningError, match="Add images first"):
        draw_validation(0, 1, rng=rng)
    with pytest.raises(LearningError, match="project codes of shape"):
        training_pool(3, [0], [1, 2])
