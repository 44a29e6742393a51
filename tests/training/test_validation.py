"""The validation draws: what each of them may promise, what it cannot hold, and what is kept of it."""

import uuid

import numpy as np
import pytest

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.errors import BamError, NoThreshold
from bam_engine.labelling import assigning, drawn_images, tasks
from bam_engine.learning import certify_recall, draw_validation
from bam_engine.reporting.report import gather
from bam_engine.training import evaluation, querying, rounds, thresholds, validation
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embedded_rows
from tests.conftest import Oracle


@pytest.fixture
def judged(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """Sixty validation images and one round of twelve, trained."""
    validation.draw_validation(workspace, watercolor, 60, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=12, seed=1).task)
    rounds.train(workspace, watercolor)
    return workspace


def test_the_first_draw_certifies_once_it_is_whole_and_later_ones_only_measure(
    judged: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []
    real = evaluation.learning.choose_threshold

    def choose(*data, testing, **more):
        seen.append(testing)
        return real(*data, testing=testing, **more)

    monkeypatch.setattr(evaluation.learning, "choose_threshold", choose)
    alone = thresholds.suggest(judged, watercolor, target=0.6)
    assert alone.certified
    assert seen[-1].all()
    validation.draw_validation(judged, watercolor, 20, seed=2)
    oracle.answer(judged, tasks.validation_task(judged, watercolor))
    topped = thresholds.suggest(judged, watercolor, target=0.6)
    assert (topped.certified, topped.value, topped.n) == (True, alone.value, 80)
    assert seen[-1].tolist() == [True] * 60 + [False] * 20


def test_a_draw_that_is_half_labelled_certifies_nothing(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    validation.draw_validation(workspace, watercolor, 70, seed=1)
    workspace.assignment_size = 70
    assignment = assigning.open_task(workspace, tasks.validation_task(workspace, watercolor), "ada")
    assert assignment is not None
    said = [NewAnswer(uuid.uuid4().hex, row, int(oracle.knows(workspace, row))) for row in assignment.rows]
    workspace.annotations.record(assignment.id, said[:-1])
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=12, seed=1).task)
    rounds.train(workspace, watercolor)
    half = thresholds.suggest(workspace, watercolor, target=0.6)
    assert (half.certified, half.n) == (False, 69)
    workspace.annotations.record(assignment.id, said[-1:])
    assert thresholds.suggest(workspace, watercolor, target=0.6).certified


def test_the_draw_of_each_image_is_known_as_far_as_draws_are_whole(
    judged: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    validation.draw_validation(judged, watercolor, 10, seed=2)
    rows = tasks.validation_task(judged, watercolor).rows
    assert validation.complete_draws(judged, watercolor, rows).tolist() == [0] * 60 + [-1] * 10
    oracle.answer(judged, tasks.validation_task(judged, watercolor))
    assert validation.complete_draws(judged, watercolor, rows).tolist() == [0] * 60 + [1] * 10


def test_what_a_top_up_could_not_hold_is_counted(judged: Workspace, watercolor: Attribute) -> None:
    assert validation.count_never_drawn(judged, watercolor) == 0
    validation.draw_validation(judged, watercolor, 10, seed=2)
    assert validation.count_never_drawn(judged, watercolor) == 12
    assert gather(judged, watercolor).never_drawn == 12
    assert not np.isin(
        tasks.validation_task(judged, watercolor).rows, drawn_images.queried_rows(judged, watercolor)
    ).any()


def test_the_seed_of_a_draw_is_stored_and_reproduces_it(judged: Workspace, watercolor: Attribute) -> None:
    free = np.setdiff1d(embedded_rows(judged), querying.used_rows(judged, watercolor))
    validation.draw_validation(judged, watercolor, 10)
    first, second = (validation.draw_facts(judged, watercolor, number)[0] for number in (0, 1))
    assert first == 1
    assert second is not None
    again = draw_validation(free, 10, groups=judged.catalogue.projects(), rng=np.random.default_rng(second))
    assert again.rows.tolist() == tasks.validation_task(judged, watercolor).rows[60:].tolist()
    assert [line.seed for line in gather(judged, watercolor).draws] == [first, second]
    assert validation.draw_facts(judged, watercolor, 7) == (None, None)


def test_the_requested_confidence_reaches_every_interval(judged: Workspace, watercolor: Attribute) -> None:
    usual, sure = (evaluation.evaluate(judged, watercolor, target=0.6, confidence=c) for c in (0.95, 0.9975))
    assert sure.average_precision.low < usual.average_precision.low
    by_hand = [
        thresholds.measure_at(judged, watercolor, 0.0, target=0.6, confidence=confidence)
        for confidence in (0.95, 0.9975)
    ]
    assert by_hand[1].precision_low < by_hand[0].precision_low
    assert by_hand[1].recall_low < by_hand[0].recall_low
    assert [one.confidence for one in by_hand] == [0.95, 0.9975]


def test_an_image_that_people_are_unsure_of_counts_as_not_positive_wherever_a_sample_judges(
    judged: Workspace, watercolor: Attribute
) -> None:
    task = tasks.validation_task(judged, watercolor)
    before = validation.random_sample(judged, watercolor)
    doubted = [int(row) for row in before.rows[before.labels == 1][:5]]
    precision = thresholds.measure_at(judged, watercolor, -100.0, target=0.6)
    again = judged.annotations.assign(
        watercolor.id, judged.annotations.annotator("oracle"), doubted, purpose="validation", source_id=0
    )
    judged.annotations.record(again.id, [NewAnswer(uuid.uuid4().hex, row, -1) for row in doubted])
    after = validation.random_sample(judged, watercolor)
    assert after.rows.tolist() == before.rows.tolist()
    assert after.labels[np.isin(after.rows, doubted)].tolist() == [0] * 5
    measured = thresholds.measure_at(judged, watercolor, -100.0, target=0.6)
    assert measured.n == precision.n == len(task.rows)
    assert after.labels.mean() == pytest.approx(before.labels.mean() - 5 / precision.n)
    assert measured.precision < precision.precision
    assert not np.isin(doubted, querying.round_labels(judged, watercolor)[0]).any()


def test_a_recall_threshold_is_saved_like_a_precision_threshold(judged: Workspace, watercolor: Attribute) -> None:
    sample = validation.random_sample(judged, watercolor)
    found = thresholds.suggest_recall(judged, watercolor, recall=0.8, target=0.7)
    expected = certify_recall(sample.scores, sample.labels, target=0.8, draws=np.zeros(60, int))
    assert found.value == expected.value
    assert (found.recall_target, found.target, found.certified) == (0.8, 0.7, False)
    assert found.summary.startswith("Recall is at least 80% with 95% confidence")
    assert "No precision is guaranteed" in found.summary
    kept = thresholds.save(judged, watercolor, found)
    assert kept.evidence == found
    with pytest.raises(NoThreshold, match="more random images"):
        thresholds.suggest_recall(judged, watercolor, recall=0.99)


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_that_no_database_stores_is_refused(workspace: Workspace, watercolor: Attribute, seed: int) -> None:
    with pytest.raises(BamError, match="Choose a number from 0 to 2147483647"):
        validation.draw_validation(workspace, watercolor, 20, seed=seed)
