"""Certifying in a workspace: who is asked, what is stored before, and what the labels then count for."""

import uuid

import numpy as np
import pytest

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.errors import LearningError
from bam_engine.workspace import Workspace, asking, certification, evaluation, rounds, tasks, thresholds, validation
from bam_engine.workspace.models import scores_of
from bam_engine.workspace.status import waiting_tasks
from tests.conftest import Oracle


@pytest.fixture
def trained(workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """One round is trained; a pilot is of eight images, since the collection is small."""
    monkeypatch.setattr("bam_engine.learning.PILOT", 8)
    validation.draw_validation(workspace, watercolor, 20, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    turn = rounds.start_round(workspace, watercolor, count=20, seed=1)
    oracle.answer(workspace, turn.task)
    rounds.train(workspace, watercolor)
    return workspace


def finish(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> certification.CertificationState:
    """Label batch after batch until nothing is left to ask."""
    for _ in range(200):
        found = certification.current(workspace, attribute)
        assert found is not None
        oracle.answer(workspace, found.task)
        state = certification.extend(workspace, found)
        if state.task.complete and state.next_batch == 0:
            return state
    raise AssertionError("the certification did not end")


def test_only_images_that_nobody_was_asked_about_are_asked(trained: Workspace, watercolor: Attribute) -> None:
    before = np.union1d(tasks.held_out_rows(trained, watercolor), asking.asked_rows(trained, watercolor))
    state = certification.start(trained, watercolor, target=0.6, seed=3)
    assert state.progress is None
    assert 0 < state.task.asked <= 30
    assert not np.isin(state.certification.task.rows, before).any()
    assert [task.purpose for task in waiting_tasks(trained, watercolor, "someone")] == ["certification"]


def test_the_certified_cut_keeps_its_promise_and_is_the_one_suggested(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    state = finish(trained, watercolor, oracle)
    assert state.certified is not None
    scores = scores_of(trained, watercolor)
    population = np.setdiff1d(np.flatnonzero(np.isfinite(scores)), state.certification.known)
    accepted = population[scores[population] >= state.certified]
    assert state.progress is not None
    assert state.progress.accepted == len(accepted)
    assert np.mean([oracle.knows(trained, int(row)) for row in accepted]) >= 0.6
    found = thresholds.suggest(trained, watercolor, target=0.6)
    assert (found.value, found.certified) == (state.certified, True)
    assert f"{state.certified:.3f}" in state.evidence
    assert thresholds.keep(trained, watercolor, found).evidence.certified


def test_the_cuts_are_fixed_once_and_the_same_is_asked_of_everyone(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    state = certification.start(trained, watercolor, target=0.6, seed=3)
    oracle.answer(trained, state.certification.task)
    first = certification.state(trained, state.certification)
    found = certification.current(trained, watercolor)
    assert found is not None
    assert first.certification.cuts == found.cuts
    extended = certification.extend(trained, found)
    again = certification.extend(trained, found)
    assert list(extended.certification.task.rows) == list(again.certification.task.rows)


def test_images_that_certify_never_train_and_their_projects_are_not_asked(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    state = certification.start(trained, watercolor, target=0.6, seed=3)
    oracle.answer(trained, state.certification.task)
    rows = state.certification.task.rows
    assert not np.isin(rows, asking.pool_of(trained, watercolor)).any()
    assert not np.isin(rows, asking.training_labels(trained, watercolor)[0]).any()


def test_its_labels_join_the_validation_set_with_their_weights(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    alone = evaluation.validation_set(trained, watercolor)
    assert alone.weights is None
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    state = finish(trained, watercolor, oracle)
    joined = evaluation.validation_set(trained, watercolor)
    assert joined.weights is not None
    assert (joined.weights >= 1).all()
    assert set(joined.rows) == set(alone.rows) | set(state.certification.task.rows)
    assert joined.weights.sum() == pytest.approx(len(trained.catalogue) - 20, rel=0.25), "all but the images that train"


def test_an_image_that_people_are_unsure_of_is_no_positive(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    state = certification.start(trained, watercolor, target=0.6, seed=3)
    oracle.answer(trained, state.certification.task)
    certification.state(trained, state.certification)
    found = certification.current(trained, watercolor)
    assert found is not None
    after = certification.extend(trained, found)
    new = np.setdiff1d(after.certification.task.rows, found.task.rows)
    assignment = tasks.open_task(trained, after.certification.task, "doubter")
    assert assignment is not None
    trained.annotations.record(assignment.id, [NewAnswer(uuid.uuid4().hex, int(row), -1, 1.0) for row in new])
    told = certification.state(trained, after.certification)
    assert told.progress is not None
    assert told.certified is None
    assert told.progress.faults == told.progress.n > 0


def test_a_new_model_needs_a_new_certification(trained: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    certification.start(trained, watercolor, target=0.6, seed=3)
    turn = rounds.start_round(trained, watercolor, count=10, seed=2)
    oracle.answer(trained, turn.task)
    rounds.train(trained, watercolor)
    assert certification.current(trained, watercolor) is None
    assert len(certification.certifications(trained, watercolor)) == 1


def test_without_a_model_or_with_too_few_images_it_is_said(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    with pytest.raises(LearningError, match="no model to certify"):
        certification.start(workspace, watercolor)
    oracle.play(workspace, watercolor, count=2, batch=30)
    with pytest.raises(LearningError, match="too few to certify"):
        certification.start(workspace, watercolor)


def test_all_attributes_at_once_share_the_risk() -> None:
    assert thresholds.confidence_for(1) == 0.95
    assert thresholds.confidence_for(20) == pytest.approx(1 - 0.05 / 20)
