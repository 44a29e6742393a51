"""A threshold is suggested until one is kept, and measured on the validation images above it."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bam_engine.annotation import NEGATIVE, UNSURE, Attribute
from bam_engine.errors import LearningError
from bam_engine.labelling import tasks
from bam_engine.learning import Threshold
from bam_engine.training import (
    certification,
    certified_cuts,
    draw_tests,
    rounds,
    threshold_evidence,
    thresholds,
    validation,
)
from bam_engine.training.delivered import delivered_at
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from benchmarks.generated import collection, scored_attribute
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.training.certifying import finish, trained

__all__ = ["trained"]


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


def test_precision_at_a_hand_set_cut_counts_what_people_have_labelled_as_it_is(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    scores = scores_of(played, watercolor)
    rows = tasks.validation_task(played, watercolor).rows
    cut = float(np.median(scores[rows]))
    rate = np.mean([oracle.knows(played, row) for row in rows if scores[row] >= cut])
    labelled = tasks.labels(played, watercolor).rows
    known = np.array([oracle.knows(played, row) for row in labelled])
    accepted, found_above = int((scores >= cut).sum()), int((known & (scores[labelled] >= cut)).sum())
    unlabelled = accepted - int((scores[labelled] >= cut).sum())
    right = known.sum() + np.clip(rate * accepted - found_above, 0, unlabelled)
    found = thresholds.measure_at(played, watercolor, cut, target=0.9)
    assert found.precision == pytest.approx(right / (known.sum() + unlabelled))
    assert found.precision_low >= known.sum() / (known.sum() + unlabelled), "all others may be wrong"
    assert found.n_accepted == int((scores >= cut).sum())


def test_images_that_people_are_unsure_about_are_not_negative(played: Workspace, watercolor: Attribute) -> None:
    cut = draw_tests.suggest_negative(played, watercolor, target=0.6)
    assert cut is not None
    sample = validation.random_sample(played, watercolor)
    below = sample.rows[sample.scores <= np.float32(cut)]
    unsure = below[: len(below) // 2 + 1]
    vote(played, watercolor, "oracle", dict.fromkeys(unsure.tolist(), UNSURE))
    settled = tasks.labels_of(tasks.labels(played, watercolor), sample.rows) == NEGATIVE
    lower = draw_tests.suggest_negative(played, watercolor, target=0.6)
    assert lower != cut
    assert lower is None or settled[sample.scores <= np.float32(lower)].mean() >= 0.6


def test_removing_what_people_are_unsure_about_makes_it_no_negative(played: Workspace, watercolor: Attribute) -> None:
    before = draw_tests.suggest_negative(played, watercolor, target=0.6)
    assert before is not None
    sample = validation.random_sample(played, watercolor)
    unsure = sample.rows[sample.scores <= np.float32(before)][:10].tolist()
    vote(played, watercolor, "oracle", dict.fromkeys(unsure, UNSURE))
    played.removals.remove(unsure, reason="a test")
    after = draw_tests.suggest_negative(played, watercolor, target=0.6)
    assert after is None or after < before


def test_removed_images_on_whose_no_people_agreed_do_not_count_against_a_negative(
    played: Workspace, watercolor: Attribute
) -> None:
    sample = validation.random_sample(played, watercolor)
    lowest = sample.rows[np.argsort(sample.scores)][:6]
    vote(played, watercolor, "oracle", {int(lowest[0]): UNSURE, **dict.fromkeys(lowest[1:].tolist(), 0)})
    played.removals.remove(lowest.tolist(), reason="a test")
    lost = validation.lost_images(played, watercolor)
    assert lost.labels.tolist() == [0] * 6
    assert sorted(lost.negative.tolist()) == [False, True, True, True, True, True]
    vote(played, watercolor, "oracle", dict.fromkeys(validation.random_sample(played, watercolor).rows.tolist()[:1], 1))
    assert draw_tests.suggest_negative(played, watercolor, target=0.6) is not None


def test_no_label_is_advised_for_images_that_people_have_labelled(played: Workspace, watercolor: Attribute) -> None:
    scores = scores_of(played, watercolor)
    cut = float(np.sort(scores)[-60])
    above = np.flatnonzero(scores >= np.float32(cut))
    unlabelled = np.setdiff1d(above, tasks.labels(played, watercolor).rows)
    found = thresholds.measure_at(played, watercolor, cut, target=0.97)
    assert found.n_accepted == 60
    assert found.n_unlabelled == len(unlabelled)
    assert found.n_accepted - found.n_accepted_sample > len(unlabelled), "rounds have labelled some"
    vote(played, watercolor, "oracle", {int(unlabelled[0]): 1})
    again = thresholds.measure_at(played, watercolor, cut, target=0.97)
    assert again.n_unlabelled == len(unlabelled) - 1


def test_where_all_images_above_a_cut_are_labelled_the_precision_of_what_is_delivered_is_exact(
    played: Workspace, watercolor: Attribute
) -> None:
    scores = scores_of(played, watercolor)
    cut = float(np.sort(scores)[-60])
    unlabelled = np.setdiff1d(np.flatnonzero(scores >= np.float32(cut)), tasks.labels(played, watercolor).rows)
    vote(played, watercolor, "oracle", {int(row): int(at % 2) for at, row in enumerate(unlabelled)})
    found = thresholds.measure_at(played, watercolor, cut, target=0.9)
    assert delivered_at(played, watercolor, cut).counts.by_classifier == found.n_unlabelled == 0
    assert found.precision == found.precision_low == found.precision_high == found.bound == 1
    assert not found.certified
    assert "nothing is estimated" in found.summary


def test_a_promise_is_tested_again_only_when_a_label_changes_that_its_test_reads(
    played: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    tested: list[int] = []
    holds = thresholds._holds  # type: ignore[attr-defined]
    monkeypatch.setattr(thresholds, "_holds", lambda *of: tested.append(1) or holds(*of))
    thresholds.current_threshold(played, watercolor)
    first = len(tested)
    taught = np.setdiff1d(tasks.labels(played, watercolor).rows, validation.random_sample(played, watercolor).rows)
    vote(played, watercolor, "oracle", {int(taught[0]): UNSURE})
    thresholds.current_threshold(played, watercolor)
    assert len(tested) == first
    judging = validation.random_sample(played, watercolor).rows
    vote(played, watercolor, "oracle", {int(judging[0]): UNSURE})
    thresholds.current_threshold(played, watercolor)
    assert len(tested) == first + 1


def test_a_threshold_is_measured_once_for_each_state_of_the_labels(
    played: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[float] = []
    threshold_at = thresholds.learning.threshold_at

    def count(value: float, *of: Any, **options: Any) -> Threshold:
        measured.append(value)
        return threshold_at(value, *of, **options)

    monkeypatch.setattr(thresholds.learning, "threshold_at", count)
    found = thresholds.suggest(played, watercolor, target=0.6)
    thresholds.save(played, watercolor, found)
    for _ in range(2):
        thresholds.current_threshold(played, watercolor)
        thresholds.measure_at(played, watercolor, found.value, target=0.6)
    assert measured == [found.value]
    (row, *_) = np.flatnonzero(delivered_at(played, watercolor, found.value).by_classifier).tolist()
    vote(played, watercolor, "ada", {row: 1}, purpose="round")
    thresholds.current_threshold(played, watercolor)
    assert measured == [found.value] * 2


def test_that_nothing_can_be_measured_is_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gather, gathered = threshold_evidence.gather_evidence, []
    monkeypatch.setattr(threshold_evidence, "gather_evidence", lambda *of: gathered.append(1) or gather(*of))
    with closing(collection(tmp_path, 50)) as workspace:
        attribute = scored_attribute(workspace, "unjudged")  # nobody has labelled an image
        first, second = (thresholds.current_threshold(workspace, attribute) for _ in range(2))
        assert first is not None
        assert first == second
        for _ in range(2):
            with pytest.raises(LearningError, match="labelled"):
                thresholds.measure_at(workspace, attribute, first.value, target=0.9)
    assert len(gathered) == 1


def test_all_attributes_at_once_share_the_risk() -> None:
    assert thresholds.joint_confidence(1) == 0.95
    assert thresholds.joint_confidence(20) == pytest.approx(1 - 0.05 / 20)


def test_the_suggested_threshold_follows_the_certification_and_the_validation_labels(
    trained: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thresholds, "TARGET", 0.6)

    def suggested() -> Threshold:
        found = thresholds.current_threshold(trained, watercolor)
        assert found is not None
        assert not found.saved
        return found.evidence

    assert suggested().n == 20
    validation.draw_validation(trained, watercolor, 10, seed=2)
    oracle.answer(trained, tasks.validation_task(trained, watercolor))
    assert suggested().n == 30
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    assert not suggested().certified
    state = finish(trained, watercolor, oracle)
    assert suggested().certified
    assert suggested().value in certified_cuts.cuts_of(state)


def test_an_answer_that_is_not_held_out_does_not_recompute_the_suggestion(
    trained: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = thresholds.current_threshold(trained, watercolor)
    turn = rounds.start_round(trained, watercolor, count=4, seed=2)
    monkeypatch.setattr(thresholds, "suggest", None)
    oracle.answer(trained, turn.task)
    after = thresholds.current_threshold(trained, watercolor)
    assert before is not None
    assert after is not None
    assert after.evidence.recall_low >= before.evidence.recall_low, "what people find is delivered"
    assert (after.value, after.evidence.certified) == (before.value, before.evidence.certified)
    assert after.evidence.precision_low >= before.evidence.precision_low, "and right"


def test_the_answer_of_a_second_judge_to_an_image_of_a_round_is_heard(
    trained: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained.judging_redundancy = 2
    started = certification.start(trained, watercolor, target=0.6, planned=60, seed=3).certification
    for name in ("oracle", "ben"):
        oracle.answer(trained, started.task, name=name)
    certification.extend(trained, started)
    turn = rounds.start_round(trained, watercolor, count=4, seed=2)
    oracle.answer(trained, turn.task)
    asked: list[float] = []
    suggest = thresholds.suggest

    def count(*of: Any, target: float) -> Threshold:
        asked.append(target)
        return suggest(*of, target=target)

    monkeypatch.setattr(thresholds, "suggest", count)
    for _ in range(2):
        thresholds.current_threshold(trained, watercolor)
    before = len(asked)
    oracle.answer(trained, replace(turn.task, votes=2), name="ben")
    thresholds.current_threshold(trained, watercolor)
    assert len(asked) == before + 1
