import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bam_engine.errors import LearningError
from bam_engine.learning import draw_validation, inclusion_probabilities, spread_over_projects, training_pool


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
    with pytest.raises(LearningError, match=r"of 200 images: 150 can be drawn\. Draw 1 to 150"):
        draw_validation(150, 200, rng=rng)
    with pytest.raises(LearningError, match="Add images first"):
        draw_validation(0, 1, rng=rng)
    with pytest.raises(LearningError, match="Project codes of shape"):
        training_pool(3, [0], [1, 2])


@pytest.mark.parametrize("sizes", [[1] * 50, [10] * 5, [30, 10, 5, 5], [49, 1]])
def test_each_image_is_equally_likely_and_a_project_gives_its_share(sizes):
    groups, rng = np.repeat(np.arange(len(sizes)), sizes), np.random.default_rng(0)
    seen = np.zeros(len(groups))
    for _ in range(3000):
        drawn = spread_over_projects(np.arange(len(groups)), groups, 10, rng=rng)
        assert len(set(drawn)) == 10
        of_project = np.bincount(groups[drawn], minlength=len(sizes))
        share = np.array(sizes) * 10 / len(groups)
        assert (of_project >= np.floor(share)).all()
        assert (of_project <= np.ceil(share)).all()
        seen[drawn] += 1
    assert abs(seen / 3000 - 10 / len(groups)).max() < 5 * np.sqrt(0.2 * 0.8 / 3000)


def test_the_probability_of_a_band_is_the_share_that_was_drawn_of_it():
    frame = np.concatenate([np.full(100, 3.0), np.full(400, 2.0), np.full(500, 1.0)])
    drawn = np.concatenate([np.full(50, 3.0), np.full(40, 2.0), np.full(10, 1.0)])
    found = inclusion_probabilities(frame, drawn, [3.0, 2.5, 2.0, 1.0, np.nan], cuts=[3.0, 2.0])
    np.testing.assert_allclose(found, [0.5, 0.1, 0.1, 0.02, 0])


def test_a_band_is_never_drawn_from_less_densely_than_a_looser_one():
    frame = np.repeat([3.0, 2.0, 1.0], [10, 10, 980])
    drawn = np.repeat([3.0, 2.0, 1.0], [2, 6, 0])  # by chance the looser band has the larger share
    found = inclusion_probabilities(frame, drawn, [3.0, 2.0, 1.0], cuts=[3.0, 2.0])
    np.testing.assert_allclose(found, [0.4, 0.4, 0])


def test_a_band_that_holds_nothing_takes_the_density_of_a_neighbour_and_no_draw_at_all_gives_zero():
    found = inclusion_probabilities([5.0, 5.0, 1.0, 1.0], [5.0], [5.0, 3.0, 1.0], cuts=[4.0, 2.0])
    assert found[0] == pytest.approx(0.5)
    assert found[0] >= found[1] >= found[2] == 0
    assert inclusion_probabilities([5.0, 1.0], [], [5.0, 1.0], cuts=[]).tolist() == [0, 0]
