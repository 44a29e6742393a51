"""How good the scores are, with intervals that admit how few images were labelled."""

import shutil

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.learning import average_precision
from bam_engine.training import (
    certification,
    certification_history,
    certification_store,
    querying,
    rounds,
    thresholds,
    validation,
)
from bam_engine.training.evaluation import evaluate
from bam_engine.training.evaluation_set import gather_evidence
from bam_engine.training.models import scores_of
from bam_engine.training.validation import random_sample
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import vectors_of
from tests.conftest import Oracle
from tests.two_encoders import DESCRIPTORS, add_vectors, use


def test_a_faultless_ranking_of_a_small_sample_is_not_called_certain(played: Workspace, watercolor: Attribute) -> None:
    found = evaluate(played, watercolor).average_precision
    assert found.low < found.value <= found.high
    assert found.value == 1.0  # these pictures are easily told apart
    assert found.low < 0.9


def test_validation_images_that_copy_training_images_are_counted_and_said(
    played: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    judging = random_sample(played, watercolor)
    teaching = querying.training_labels(played, watercolor)[0]

    def copied(workspace: Workspace, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        assert np.isin(teaching, others).all()
        return np.isin(rows, judging.rows[:3])

    none = np.zeros(len(judging.rows), bool)
    monkeypatch.setattr("bam_engine.training.evaluation.near_copies.copied", lambda *_: none)
    assert evaluate(played, watercolor).copies == ""
    monkeypatch.setattr("bam_engine.training.evaluation.near_copies.copied", copied)
    found = evaluate(played, watercolor)
    assert found.copied == 3
    assert found.without_copies == average_precision(judging.scores[3:], judging.labels[3:])
    assert "3 validation images are near-duplicates of images that taught the model" in found.copies
    assert found.n == len(judging.rows), "they stay part of the sample"


def test_what_the_recall_rests_on_is_what_was_drawn_and_what_was_asked_before(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    random = gather_evidence(played, watercolor).random
    assert (len(random.scores), len(random.pool), len(random.asked)) == (40, 120, 0)
    assert len(random.found) + len(random.refused) == 40 + 24
    validation.draw_validation(played, watercolor, 10, seed=2)
    oracle.answer(played, tasks.validation_task(played, watercolor))
    topped = gather_evidence(played, watercolor)
    assert (len(topped.random.scores), len(topped.random.pool), len(topped.random.asked)) == (40, 120, 0)
    assert (len(topped.sample.rows), len(topped.known[0])) == (50, 24), "the precision rests on all draws"
    assert topped.sample.weights is None
    validation.draw_validation(played, watercolor, 40, seed=3)  # no round since the last draw
    oracle.answer(played, tasks.validation_task(played, watercolor))
    larger = gather_evidence(played, watercolor).random
    assert (len(larger.scores), len(larger.pool), len(larger.asked)) == (50, 120 - 24 - 40, 24 + 40)


def test_a_top_up_replaces_what_the_recall_rests_on_only_where_more_of_it_is_answered(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    before = thresholds.measure_at(played, watercolor, 0.0, target=0.6)
    validation.draw_validation(played, watercolor, 45, seed=2)
    assert len(gather_evidence(played, watercolor).random.scores) == 40
    waiting = thresholds.measure_at(played, watercolor, 0.0, target=0.6)
    assert waiting.recall_low == pytest.approx(before.recall_low, abs=0.01)
    oracle.answer(played, tasks.validation_task(played, watercolor))
    assert len(gather_evidence(played, watercolor).random.scores) == 45


def test_after_a_certification_its_labels_stand_for_its_population_and_earlier_ones_for_themselves(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    certification.start(played, watercolor, target=0.9, planned=40, seed=3)
    for _ in range(5):
        found = certification_store.current(played, watercolor)
        assert found is not None
        oracle.answer(played, found.task)
        certification.extend(played, found)
    gathered = gather_evidence(played, watercolor)
    assert gathered.sample.weights is not None
    assert (gathered.sample.weights >= 1).all()
    total = gathered.sample.weights.sum() + len(gathered.known[0])
    assert total == pytest.approx(len(played.catalogue), rel=0.25)
    certified = thresholds.measure_at(played, watercolor, 0.0, target=0.6)
    scores = scores_of(played, watercolor)
    true = np.mean([oracle.knows(played, int(row)) for row in np.flatnonzero(scores >= 0)])
    assert certified.precision_low <= true <= certified.precision_high


def test_a_certification_with_an_encoder_whose_vectors_are_lost_does_not_stop_the_measuring_with_another(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    certification.start(played, watercolor, target=0.9, planned=40, seed=3)
    for _ in range(2):
        found = certification_store.current(played, watercolor)
        assert found is not None
        oracle.answer(played, found.task)
        certification.extend(played, found)
    add_vectors(played, np.asarray(vectors_of(played)), "network")
    use(played, "network")
    rounds.train(played, watercolor)
    both = gather_evidence(played, watercolor)
    assert both.strata is not None
    shutil.rmtree(played.cache / "vectors" / DESCRIPTORS)
    played.close()
    again = Workspace(played.folder, played.cache.parent)
    alone = gather_evidence(again, watercolor)
    assert alone.strata is None
    assert alone.sample.rows.tolist() == random_sample(again, watercolor).rows.tolist()
    assert evaluate(again, watercolor, target=0.6).average_precision.value == pytest.approx(1, abs=0.2)
    assert thresholds.current_threshold(again, watercolor) is not None
    (line,) = certification_history.history(again, watercolor)
    assert line.certified is None
    assert line.labels == len(found.task.rows)
    assert "All labels are kept" in line.evidence
    again.close()
