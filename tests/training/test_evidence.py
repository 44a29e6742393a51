"""Which labels stand for which images, and how often what they show of the precision and the recall is true."""

import numpy as np
import pytest

from bam_engine.learning import precision_recall
from bam_engine.training.evidence import OUTSIDE, Certified, Draw, Selection, largest_part, select_evidence

NONE = np.empty(0, np.int64)


def draw(rows: range, *, asked: range = range(0), images: int = 1000, complete: bool = True) -> Draw:
    return Draw(np.array(rows), np.array(asked, np.int64), images, complete)


def test_draws_are_one_sample_unless_something_was_asked_or_came_in_between() -> None:
    first, second = draw(range(10)), draw(range(10, 15))
    assert largest_part([]) is None
    part = largest_part([first, second])
    assert part is not None
    assert part.rows.tolist() == list(range(15))
    for later in (draw(range(10, 15), asked=range(50, 60)), draw(range(10, 15), images=2000)):
        found = largest_part([first, later])
        assert found is not None
        assert found.rows.tolist() == list(range(10)) if later.images == 1000 else list(range(10, 15))
    after_a_round = largest_part([first, draw(range(10, 20), asked=range(50, 60))])
    assert after_a_round is not None
    assert after_a_round.rows.tolist() == list(range(10, 20)), "the latest of equal ones"
    assert sorted(after_a_round.asked.tolist()) == [*range(10), *range(50, 60)]


def test_an_unfinished_draw_counts_only_where_none_is_finished() -> None:
    first, unfinished = draw(range(10)), draw(range(10, 90), images=2000, complete=False)
    part = largest_part([first, unfinished])
    assert part is not None
    assert (part.rows.tolist(), part.images) == (list(range(10)), 1000)
    alone = largest_part([unfinished])
    assert alone is not None
    assert len(alone.rows) == 80


def test_images_that_came_after_the_draw_are_outside() -> None:
    labels = np.full(1500, -1, np.int8)
    labels[:20], labels[1000:1400] = 1, 0  # as a round asks about what came in
    scores = np.linspace(1, 0, 1500).astype(np.float32)
    found = select_evidence(scores, labels, [draw(range(20))])
    assert (found.images, found.pool.tolist()) == (1000, list(range(1000)))
    assert (len(found.random.pool), len(found.random.refused)) == (1000, 0)


def test_draws_of_a_smaller_collection_are_left_out_once_a_later_one_is_finished() -> None:
    labels = np.full(2000, -1, np.int8)
    labels[:30] = 1
    scores = np.zeros(2000, np.float32)
    small, large = draw(range(20)), draw(range(20, 30), images=2000)
    found = select_evidence(scores, labels, [small, large])
    assert (found.images, found.rows.tolist()) == (2000, list(range(20, 30)))
    assert len(found.random.asked) == 20, "they count as they are"
    waiting = select_evidence(scores, labels, [small, draw(range(20, 40), images=2000, complete=False)])
    assert (waiting.images, waiting.rows.tolist()) == (1000, list(range(30)))


def test_a_certification_stands_for_what_came_after_the_draws_at_its_scores_alone() -> None:
    scores = np.tile(np.array([1, 0], np.float32), 1000)
    labels = np.full(2000, -1, np.int8)
    labels[:40], labels[1000:1200:2] = 1, 0
    queried = np.arange(1000, 1200, 2)
    known = np.arange(40)

    def probability(rows: np.ndarray) -> np.ndarray:
        return np.where(scores[rows] > 0.5, 0.2, 0.0)

    found = select_evidence(scores, labels, [draw(range(40))], Certified(queried, known, 2000, probability))
    assert set(found.pool) == set(range(1000)) | set(range(1000, 2000, 2))
    assert set(found.rows[scores[found.rows] > 0.5]) == set(queried)
    assert set(found.rows[scores[found.rows] < 0.5]) == set(range(1, 40, 2))
    assert found.weights is not None
    assert found.strata is not None
    assert found.weights[found.strata].tolist() == pytest.approx([5.0] * 100)
    assert found.weights[~found.strata].tolist() == pytest.approx([1000 / 40] * 20)
    assert found.known.tolist() == list(range(0, 40, 2))


def measured(found: Selection, scores: np.ndarray, labels: np.ndarray, cut: float):  # type: ignore[no-untyped-def]
    return precision_recall(
        scores[found.rows],
        labels[found.rows] == 1,
        cuts=[cut],
        weights=found.weights,
        strata=found.strata,
        pool_scores=scores[found.pool],
        random=found.random,
        known=(scores[found.known], labels[found.known] == 1),
    )


@pytest.mark.slow
@pytest.mark.parametrize("topped_up", [False, True])
def test_intervals_hold_although_ten_times_as_many_images_come_in_later(topped_up: bool) -> None:
    """200 labels of 2,000 images, 20,000 negatives later, and then perhaps a top-up of 200."""
    rng, precise, recalled = np.random.default_rng(0), [], []
    for _ in range(100):
        truth = np.append(rng.random(2000) < 0.2, np.zeros(20_000, bool))
        scores = (2 * truth + rng.normal(size=22_000)).astype(np.float32)
        first = rng.choice(2000, 200, replace=False)
        draws = [Draw(first, NONE, 2000)]
        if topped_up:
            rest = np.setdiff1d(np.arange(22_000), first)
            draws.append(Draw(rng.choice(rest, 200, replace=False), NONE, 22_000))
        labels = np.full(22_000, -1, np.int8)
        for each in draws:
            labels[each.rows] = truth[each.rows]
        found = select_evidence(scores, labels, draws)
        population = np.arange(22_000) < (22_000 if topped_up else 2000)
        assert found.images == population.sum()
        curve = measured(found, scores, labels, 1.0)
        accepted = scores >= 1
        delivered = (accepted & (labels != 0)) | (labels == 1)
        precise.append(curve.precision_low[0] <= truth[accepted & population].mean() <= curve.precision_high[0])
        recalled.append(curve.recall_low[0] <= delivered[truth & population].mean() <= curve.recall_high[0])
    assert np.mean(precise) >= 0.93
    assert np.mean(recalled) >= 0.93


def test_images_without_a_score_are_in_nothing() -> None:
    labels = np.full(1000, -1, np.int8)
    labels[:20], labels[500:] = 1, OUTSIDE
    found = select_evidence(np.zeros(1000, np.float32), labels, [draw(range(20))], left_out=np.arange(5))
    assert found.rows.tolist() == list(range(5, 20))
    assert len(found.random.pool) == len(found.pool) == 500
