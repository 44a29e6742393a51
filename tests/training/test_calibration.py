"""Scores become probabilities by the validation labels, stay with the model, and follow new answers."""

import importlib
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.labelling import label_states, tasks
from bam_engine.learning import Calibration
from bam_engine.reporting.image_facts import score_lines
from bam_engine.training import rounds, validation
from bam_engine.training.calibration import calibration_of, probabilities
from bam_engine.training.evaluation_set import evaluation_set
from bam_engine.training.models import latest_model, scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.database.counting import counted
from tests.labelling.team import vote

consensus_rule = importlib.import_module("bam_engine.annotation.consensus")  # the package has a function of this name


def test_without_a_model_there_is_no_probability_and_it_says_why(workspace: Workspace, watercolor: Attribute) -> None:
    found = probabilities(workspace, watercolor, [0, 1])
    assert np.isnan([found.value, found.low, found.high]).all()
    assert "no scores yet" in found.problem


def test_the_probability_of_a_score_is_fitted_on_the_validation_set(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=2)
    sample = evaluation_set(workspace, watercolor)
    expected = learning.calibrate(sample.scores, sample.labels, groups=sample.groups)
    scores = scores_of(workspace, watercolor)
    found = probabilities(workspace, watercolor, np.arange(120))
    assert found.problem == ""
    assert found.value == pytest.approx(learning.probability(expected, scores))
    assert ((found.low <= found.value) & (found.value <= found.high)).all()
    order = np.argsort(scores)
    assert (np.diff(found.value[order]) >= 0).all()


def test_it_is_stored_with_the_model_and_refitted_when_answers_are_added(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle.play(workspace, watercolor, count=1)
    first, _ = calibration_of(workspace, watercolor)
    kept = latest_model(workspace, watercolor)
    assert first is not None
    assert kept is not None
    with monkeypatch.context() as patch:
        patch.setattr(learning, "calibrate", None)  # read, not fitted again
        assert calibration_of(workspace, watercolor, kept) == (first, "")
    assert kept.measurement is not None
    validation.draw_validation(workspace, watercolor, 20, seed=2)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    second, _ = calibration_of(workspace, watercolor)
    assert second is not None
    assert (first.n, second.n) == (40, 60)


def test_one_that_was_fitted_to_labels_by_another_rule_is_fitted_again(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody answers in between: the former version of the program had stored it."""
    oracle.play(workspace, watercolor, count=1)
    yes = tasks.blind_labels(workspace, watercolor)
    contested = np.intersect1d(tasks.validation_task(workspace, watercolor).rows, yes.rows[yes.labels == 1])[
        :4
    ].tolist()
    for who, answer in (("ada", 1), ("bob", 0)):
        vote(workspace, watercolor, who, dict.fromkeys(contested, answer))
    found = {}
    for lead in (1, consensus_rule.CONTESTED_LEAD):
        with monkeypatch.context() as patch:
            patch.setattr(consensus_rule, "CONTESTED_LEAD", lead)
            patch.setattr(consensus_rule, "rule", consensus_rule.rule.__wrapped__)
            patch.setattr(label_states, "rule", consensus_rule.rule)
            reader = Workspace(workspace.folder, workspace.cache.parent)
            found[lead] = (
                calibration_of(reader, watercolor)[0],
                len(label_states.states(reader, watercolor).rows["disputed"]),
            )
            sample = evaluation_set(reader, watercolor)
            expected = learning.calibrate(sample.scores, sample.labels, groups=sample.groups)
            assert found[lead][0] == expected
            reader.close()
    assert found[1][0] != found[2][0]
    assert (found[1][1], found[2][1]) == (0, len(contested))


def test_it_is_fitted_again_where_the_images_are_embedded_again(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    before, _ = calibration_of(workspace, watercolor)
    rows, store = tasks.validation_task(workspace, watercolor).rows, workspace.vectors()
    store.replace(rows[:8], np.zeros_like(store.array()[rows[:8]], np.float32))
    after, _ = calibration_of(workspace, watercolor)
    sample = evaluation_set(workspace, watercolor)
    assert after == learning.calibrate(sample.scores, sample.labels, weights=sample.weights, groups=sample.groups)
    assert after != before


def test_it_is_fitted_again_where_a_file_is_gone_and_where_it_is_back(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle.play(workspace, watercolor, count=1)
    before, fitted = calibration_of(workspace, watercolor), []

    def calibrate(*args: Any, **options: Any) -> Calibration:
        fitted.append(args)
        return fit(*args, **options)

    fit = learning.calibrate
    monkeypatch.setattr(learning, "calibrate", calibrate)
    for status, times in (("missing", 1), ("ok", 2)):
        with workspace.engine.begin() as connection:
            connection.execute(sa.update(db.images).where(db.images.c.row == 3).values(status=status))
        for _ in range(2):
            found = calibration_of(workspace, watercolor)
        assert len(fitted) == times
    assert found == before


def test_reading_it_writes_once_and_answers_about_another_attribute_change_nothing(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    vote(workspace, watercolor, "ada", {0: 1})
    with counted(workspace.engine) as first:
        found = calibration_of(workspace, watercolor)
    assert sum(statement.startswith("INSERT INTO calibrations") for statement in first) == 1
    bird = workspace.attributes.add("content_bird", "content", "Is there a bird?")
    vote(workspace, bird, "ada", {0: 1, 1: 0})
    again = Workspace(workspace.folder, workspace.cache.parent)
    for reader in (workspace, again):
        with counted(reader.engine) as statements:
            assert calibration_of(reader, watercolor) == found
        assert [statement for statement in statements if not statement.startswith("SELECT")] == []
    again.close()


def test_labels_of_one_kind_show_no_probability_and_say_why(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.find_nothing(workspace, watercolor)
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=1).task)
    rounds.train(workspace, watercolor)
    found = probabilities(workspace, watercolor, [0])
    assert np.isnan(found.value).all()
    assert "0 of 10 validation images are positive" in found.problem
    assert score_lines(workspace, 0)[0].probability is None


def test_an_image_without_a_vector_has_no_probability(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    scores_of(workspace, watercolor)
    found = probabilities(workspace, watercolor, [0, 5000])
    assert np.isnan(found.value).tolist() == [False, True]


def test_the_image_panel_gets_score_probability_and_limits(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=2)
    line = score_lines(workspace, 3)[0]
    assert line.probability is not None
    value, low, high = line.probability
    assert 0 <= low <= value <= high <= 1
    assert line.score == pytest.approx(float(scores_of(workspace, watercolor)[3]))
