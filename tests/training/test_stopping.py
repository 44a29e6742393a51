"""What the last round bought, from the kept scores of two models and the labels as they are now."""

import numpy as np
import pytest

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.training import rounds, validation
from bam_engine.training.evaluation_set import evaluation_set
from bam_engine.training.models import models, scores_of
from bam_engine.training.stopping import last_round
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def test_before_the_second_training_there_is_nothing_to_say(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    assert last_round(workspace, watercolor) is None
    oracle.play(workspace, watercolor, count=1)
    assert last_round(workspace, watercolor) is None
    store = workspace.vectors()
    lost = int(rounds.rounds_of(workspace, watercolor)[0].task.rows[0])
    store.replace([lost], np.zeros((1, store.dim), np.float32))
    rounds.train(workspace, watercolor)
    assert len(models(workspace, watercolor)) == 2  # both of round 1: no round was bought
    assert last_round(workspace, watercolor) is None


def test_the_last_two_models_are_compared_on_the_same_images(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=3)
    found = last_round(workspace, watercolor)
    assert found is not None
    assert found.change is not None
    _, before, after = models(workspace, watercolor)
    sample = evaluation_set(workspace, watercolor)
    old = np.array(scores_of(workspace, watercolor, before))
    new = np.array(scores_of(workspace, watercolor, after))
    expected = learning.average_precision(new[sample.rows], sample.labels) - learning.average_precision(
        old[sample.rows], sample.labels
    )
    assert found.change.gain == pytest.approx(expected)
    assert found.change.n == 40
    assert found.change.flipped == after.measurement.flipped
    assert found.change.decided == 120
    assert found.advice.outcome in ("likely", "unlikely", "unknown")


def test_new_validation_labels_are_counted_at_once(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    oracle.play(workspace, watercolor, count=2)
    first = last_round(workspace, watercolor)
    assert last_round(workspace, watercolor) is first
    validation.draw_validation(workspace, watercolor, 20, seed=5)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    second = last_round(workspace, watercolor)
    assert first is not None
    assert first.change is not None
    assert second is not None
    assert second.change is not None
    assert (first.change.n, second.change.n) == (40, 60)


def test_images_that_lost_their_vector_are_left_out(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    lost = int(tasks.validation_task(workspace, watercolor).rows[0])
    store = workspace.vectors()
    store.replace([lost], np.zeros((1, store.dim), np.float32))
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=10, seed=9).task)
    rounds.train(workspace, watercolor)
    found = last_round(workspace, watercolor)
    assert found is not None
    assert found.change is not None
    assert (found.change.n, found.change.decided) == (39, 119)


def test_a_validation_set_without_positives_is_explained_instead(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.find_nothing(workspace, watercolor)
    for seed in (1, 2):
        oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=seed).task)
        rounds.train(workspace, watercolor)
    found = last_round(workspace, watercolor)
    assert found is not None
    assert found.change is None
    assert found.advice.outcome == "unknown"
    assert "None of 10 validation images is positive" in found.problem
