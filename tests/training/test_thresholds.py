"""A threshold is suggested until one is kept, and measured on the validation images above it."""

import numpy as np
import pytest

from bam_engine.annotation import NEGATIVE, UNSURE, Attribute
from bam_engine.labelling import tasks
from bam_engine.training import rounds, thresholds, validation
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote


def test_the_suggested_threshold_is_in_use_until_one_is_saved(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    suggested = thresholds.current_threshold(played, watercolor)
    assert suggested is not None
    assert not suggested.saved
    kept = thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.8))
    assert kept.saved
    assert thresholds.current_threshold(played, watercolor) == kept
    rounds.train(played, watercolor)  # on the same labels: the same model
    assert thresholds.current_threshold(played, watercolor) == kept
    oracle.answer(played, rounds.start_round(played, watercolor, count=4, seed=9).task)
    rounds.train(played, watercolor)
    after = thresholds.current_threshold(played, watercolor)
    assert after is not None
    assert not after.saved


def test_precision_at_a_hand_set_cut_is_that_of_the_validation_images_above_it(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    scores = scores_of(played, watercolor)
    rows = tasks.validation_task(played, watercolor).rows
    cut = float(np.median(scores[rows]))
    above = [oracle.knows(played, row) for row in rows if scores[row] >= cut]
    found = thresholds.measure_at(played, watercolor, cut, target=0.9)
    assert found.precision == pytest.approx(np.mean(above))
    assert found.n_accepted == int((scores >= cut).sum())


def test_images_that_people_are_unsure_about_are_not_negative(played: Workspace, watercolor: Attribute) -> None:
    cut = thresholds.suggest_negative(played, watercolor, target=0.6)
    assert cut is not None
    sample = validation.random_sample(played, watercolor)
    below = sample.rows[sample.scores <= np.float32(cut)]
    unsure = below[: len(below) // 2 + 1]
    vote(played, watercolor, "oracle", dict.fromkeys(unsure.tolist(), UNSURE))
    settled = tasks.labels_of(tasks.labels(played, watercolor), sample.rows) == NEGATIVE
    lower = thresholds.suggest_negative(played, watercolor, target=0.6)
    assert lower != cut
    assert lower is None or settled[sample.scores <= np.float32(lower)].mean() >= 0.6


def test_removing_what_people_are_unsure_about_makes_it_no_negative(played: Workspace, watercolor: Attribute) -> None:
    before = thresholds.suggest_negative(played, watercolor, target=0.6)
    assert before is not None
    sample = validation.random_sample(played, watercolor)
    unsure = sample.rows[sample.scores <= np.float32(before)][:10].tolist()
    vote(played, watercolor, "oracle", dict.fromkeys(unsure, UNSURE))
    played.removals.remove(unsure, reason="a test")
    after = thresholds.suggest_negative(played, watercolor, target=0.6)
    assert after is None or after < before
