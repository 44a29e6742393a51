"""The diagnosis of attributes whose truth is known: the verdict, the likeliest cause, and no round that is unproven."""

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import tasks
from bam_engine.learning import Advice, Change
from bam_engine.reporting.overview import overview
from bam_engine.training import diagnosis, rounds
from bam_engine.training.causes import causes
from bam_engine.training.diagnosis import diagnose, judge
from bam_engine.training.measurements import Estimate
from bam_engine.training.models import latest_model, scores_of
from bam_engine.training.querying import training_labels
from bam_engine.training.stopping import LastRound
from bam_engine.workspace import Workspace
from benchmarks import diagnosis as diagnosed
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.two_encoders import add_vectors


@pytest.mark.parametrize("number", range(len(diagnosed.CASES)), ids=[case.name for case in diagnosed.CASES])
def test_the_diagnosis_is_right_where_the_truth_is_known(number: int) -> None:
    found = diagnosed.play(diagnosed.CASES[number], seed=1)
    assert found["right"], found


def test_wrong_labels_are_those_that_the_classifier_contradicts_most() -> None:
    found = diagnosed.play(diagnosed.CASES[1], seed=2)
    assert found["all_wrong"] < 0.25
    assert found["listed_wrong"] > 2.5 * found["all_wrong"]


def test_the_evidence_of_each_cause_has_a_figure_and_what_guessing_gives(
    unlearned: tuple[Workspace, Attribute],
) -> None:
    workspace, attribute = unlearned
    found = diagnose(workspace, attribute)
    assert found is not None
    assert [cause.kind for cause in found.causes] == ["encoder", "labels", "question"]
    encoder, labels, question = found.causes
    assert encoder.support == "for"
    assert "guessing gives 0.2" in encoder.evidence
    assert labels.support == "open"
    assert "cannot be judged" in labels.evidence
    assert question.support == "against"
    assert "not shown to do better" in question.evidence
    assert found.advice is None  # of another round, nothing is said
    assert "guessing gives" in found.verdict.reason


def test_where_it_does_not_learn_the_next_step_is_to_look_at_the_causes(
    unlearned: tuple[Workspace, Attribute],
) -> None:
    workspace, attribute = unlearned
    state = rounds.state(workspace, attribute)
    assert state.step == "start_round"
    assert guidance_of(workspace, attribute).step == "diagnose"
    assert overview(workspace).next.step == "diagnose"
    workspace.attributes.add("media_other", "media", "Is it another?")
    assert overview(workspace).attributes[0].learned == "no"
    assert overview(workspace).next.step == "diagnose"  # the other one was not begun


def test_nothing_is_told_before_a_training(workspace: Workspace, watercolor: Attribute) -> None:
    assert judge(workspace, watercolor) is None
    assert diagnose(workspace, watercolor) is None


def _judged(workspace: Workspace, attribute: Attribute, monkeypatch: pytest.MonkeyPatch, **measured: float) -> str:
    """Return the verdict if the newest model were measured so."""
    estimate = Estimate(**{"value": 0.5, "low": 0.3, "high": 0.7, **measured})
    monkeypatch.setattr(diagnosis, "average_precision_of", lambda *_: estimate)
    workspace.memory.clear()
    found = judge(workspace, attribute)
    assert found is not None
    return found.learned


def test_the_verdict_is_of_the_labels_of_today(unlearned: tuple[Workspace, Attribute]) -> None:
    from sklearn.metrics import average_precision_score

    workspace, attribute = unlearned
    model, rows = latest_model(workspace, attribute), tasks.validation_task(workspace, attribute).rows
    scores = scores_of(workspace, attribute)[rows]
    before = judge(workspace, attribute)
    corrected = (scores > np.median(scores)).astype(int)
    vote(workspace, attribute, "person 0", dict(zip(rows.tolist(), corrected.tolist(), strict=True)))
    assert latest_model(workspace, attribute) == model
    found = judge(workspace, attribute)
    assert before is not None
    assert before.learned == "no"
    assert found is not None
    assert found.share is not None
    assert found.share.value == pytest.approx(average_precision_score(corrected, scores)) == 1
    assert found.learned == "fully"
    assert f"on {len(rows)} validation images, {corrected.sum()} of them positive" in found.reason


def test_after_a_shown_gain_it_is_not_said_that_it_does_not_learn(
    unlearned: tuple[Workspace, Attribute], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, attribute = unlearned
    near = {"value": 0.25, "low": 0.2, "high": 0.4}
    assert _judged(workspace, attribute, monkeypatch, **near) == "no"
    for low, learned in ((0.01, "unknown"), (-0.01, "no")):
        change = Change(0.05, low, 0.09, 200, 40, 10, 1500, 0.9)
        last = LastRound(change, "", Advice("unknown", ""))
        monkeypatch.setattr(diagnosis, "last_round", lambda *_, last=last: last)
        assert _judged(workspace, attribute, monkeypatch, **near) == learned


def test_what_is_as_good_as_it_gets_is_asked_for_no_further_round(
    unlearned: tuple[Workspace, Attribute], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, attribute = unlearned
    assert _judged(workspace, attribute, monkeypatch, value=0.98, low=0.9, high=1.0) == "yes"
    assert _judged(workspace, attribute, monkeypatch, value=0.995, low=0.9, high=1.0) == "fully"
    assert guidance_of(workspace, attribute).step == "certify"  # which may find a threshold
    found = diagnose(workspace, attribute)
    assert found is not None
    assert found.advice is not None
    assert found.advice.outcome == "unlikely"


def test_few_positives_tell_nothing_and_it_says_how_many_are_needed() -> None:
    found = diagnosed.play(diagnosed.CASES[-1], seed=3)
    assert found["verdict"] == "unknown"
    assert "10 are needed" in found["reason"]


def test_a_sample_without_positives_is_unknown_with_the_reason(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.find_nothing(workspace, watercolor)
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=1).task)
    rounds.train(workspace, watercolor)
    found = judge(workspace, watercolor)
    assert found is not None
    assert (found.learned, found.share) == ("unknown", None)
    assert "is positive" in found.reason


def test_the_causes_are_those_of_the_answers_of_today(unlearned: tuple[Workspace, Attribute]) -> None:
    workspace, attribute = unlearned
    first, again = diagnose(workspace, attribute), diagnose(workspace, attribute)
    assert first is not None
    assert again is not None
    assert again.causes is first.causes
    rows = tasks.validation_task(workspace, attribute).rows
    labels = tasks.labels_of(tasks.labels(workspace, attribute), rows)
    vote(workspace, attribute, "ben", dict(zip(rows.tolist(), labels.tolist(), strict=True)))
    confirmed = diagnose(workspace, attribute)
    assert confirmed is not None
    (labels_cause,) = [cause for cause in confirmed.causes if cause.kind == "labels"]
    assert labels_cause.support == "against"
    assert "another does in 100%" in labels_cause.evidence
    vote(workspace, attribute, "cleo", dict.fromkeys(rows.tolist(), 0))  # whoever is asked later says nothing of it
    settled = diagnose(workspace, attribute)
    assert settled is not None
    assert all("another does in 100%" in cause.evidence for cause in settled.causes if cause.kind == "labels")


def test_an_encoder_that_sees_the_same_is_no_better_after_labels_that_the_model_does_not_know(
    unlearned: tuple[Workspace, Attribute],
) -> None:
    workspace, attribute = unlearned
    add_vectors(workspace, workspace.vectors().array())
    model = latest_model(workspace, attribute)
    taught, _ = training_labels(workspace, attribute)
    hidden = workspace.vectors().array()[:, 0]
    rows = np.concatenate([taught, tasks.validation_task(workspace, attribute).rows])
    truth = (hidden > np.quantile(hidden, 0.7)).astype(int)
    vote(workspace, attribute, "person 0", {row: int(truth[row]) for row in rows.tolist()})
    assert model is not None
    assert not rounds.is_current(workspace, attribute, model)
    encoder = next(cause for cause in causes(workspace, attribute) if cause.kind == "encoder")
    assert encoder.encoder == ""
    assert "is not shown to do better" in encoder.evidence


def test_where_it_learns_and_is_far_from_perfect_the_descriptors_are_named(
    unlearned: tuple[Workspace, Attribute], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, attribute = unlearned
    for value, outcome, kinds in ((0.4, "unknown", ["encoder"]), (0.4, "likely", []), (0.7, "unknown", [])):
        last = LastRound(None, "", Advice(outcome, ""))
        monkeypatch.setattr(diagnosis, "last_round", lambda *_, last=last: last)
        assert _judged(workspace, attribute, monkeypatch, value=value, low=0.3, high=0.9) == "yes"
        found = diagnose(workspace, attribute)
        assert found is not None
        assert [cause.kind for cause in found.causes] == kinds


def test_a_first_training_on_few_labels_is_no_proof_that_it_does_not_learn(
    unlearned: tuple[Workspace, Attribute], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, attribute = unlearned
    near = {"value": 0.25, "low": 0.2, "high": 0.4}
    model = latest_model(workspace, attribute)
    assert model is not None
    assert model.labels >= diagnosis.ENOUGH
    monkeypatch.setattr(diagnosis, "last_round", lambda *_: None)
    assert _judged(workspace, attribute, monkeypatch, **near) == "no"
    monkeypatch.setattr(diagnosis, "ENOUGH", model.labels + 1)
    assert _judged(workspace, attribute, monkeypatch, **near) == "unknown"
    assert _judged(workspace, attribute, monkeypatch, value=0.6, low=0.5, high=0.7) == "yes"
