"""Certifying in a workspace: who is asked, what is stored before, and what is refused."""

import uuid
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.errors import LearningError
from bam_engine.formatting import decimal
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import assigning, drawn_images, tasks
from bam_engine.reporting.overview import waiting_tasks
from bam_engine.training import (
    certification,
    certification_population,
    certification_store,
    certified_cuts,
    querying,
    rounds,
    thresholds,
    validation,
)
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import scores_of
from bam_engine.training.trade_offs import trade_offs
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.training.certifying import ask_in_a_round, certify_all_draws, finish, trained

__all__ = ["trained"]


def test_only_images_that_nobody_was_asked_about_are_queried(trained: Workspace, watercolor: Attribute) -> None:
    before = np.union1d(drawn_images.held_out_rows(trained, watercolor), drawn_images.queried_rows(trained, watercolor))
    state = certification.start(trained, watercolor, target=0.6, seed=3)
    assert state.progress is None
    assert 0 < state.task.total <= 30
    assert not np.isin(state.certification.task.rows, before).any()
    assert [task.purpose for task in waiting_tasks(trained, watercolor, "someone")] == ["certification"]


def test_the_certified_cut_meets_its_target_and_is_the_one_suggested(
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
    known = state.progress.known_positives
    right = sum(oracle.knows(trained, int(row)) for row in accepted) + known
    assert right / (len(accepted) + known) >= 0.6
    found = thresholds.suggest(trained, watercolor, target=0.6)
    assert found.certified
    assert found.value >= state.certified
    assert found.value in certified_cuts.cuts_of(state)
    assert found.covers == (scores[population] >= found.value).sum()
    assert decimal(state.certified, 3) in state.summary
    assert thresholds.save(trained, watercolor, found).evidence.certified


def test_a_certified_cut_in_use_stays_the_one_suggested_unless_a_looser_one_is_best(
    trained: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    cuts = certified_cuts.cuts_of(finish(trained, watercolor, oracle))
    strictest, loosest = float(cuts[0]), float(cuts[-1])
    assert loosest < strictest
    for in_use, best, expected in ((loosest, strictest, loosest), (strictest, loosest, loosest)):
        monkeypatch.setattr(certified_cuts, "best_of", lambda *_, best=best, **__: best)
        thresholds.save(trained, watercolor, thresholds.measure_at(trained, watercolor, in_use, target=0.6))
        found = thresholds.suggest(trained, watercolor, target=0.6)
        assert (found.value, found.certified) == (expected, True)
        (line,) = trade_offs(trained, watercolor, targets=(0.6,))
        assert line.threshold == found


def test_a_cut_set_by_hand_is_as_certified_as_the_one_that_accepts_the_same(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    finish(trained, watercolor, oracle)
    found = thresholds.suggest(trained, watercolor, target=0.6)
    by_hand = thresholds.measure_at(trained, watercolor, found.value - 1e-6, target=0.6)
    assert (by_hand.certified, by_hand.covers) == (True, found.covers)
    assert by_hand.summary == found.summary
    assert not thresholds.measure_at(trained, watercolor, max(scores_of(trained, watercolor)), target=0.6).certified


def test_the_cuts_are_fixed_once_and_everyone_is_asked_the_same(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    state = certification.start(trained, watercolor, target=0.6, seed=3)
    oracle.answer(trained, state.certification.task)
    first = certification.state(trained, state.certification)
    found = certification_store.current(trained, watercolor)
    assert found is not None
    assert first.certification.cuts == found.cuts
    extended = certification.extend(trained, found)
    again = certification.extend(trained, found)
    assert list(extended.certification.task.rows) == list(again.certification.task.rows)


def test_images_that_certify_never_train_and_their_projects_are_not_queried(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    state = certification.start(trained, watercolor, target=0.6, seed=3)
    oracle.answer(trained, state.certification.task)
    rows = state.certification.task.rows
    assert not np.isin(rows, querying.query_pool(trained, watercolor)).any()
    assert not np.isin(rows, querying.round_labels(trained, watercolor)[0]).any()


def test_a_new_model_needs_a_new_certification(trained: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    certification.start(trained, watercolor, target=0.6, seed=3)
    turn = rounds.start_round(trained, watercolor, count=10, seed=2)
    oracle.answer(trained, turn.task)
    rounds.train(trained, watercolor)
    assert certification_store.current(trained, watercolor) is None
    assert len(certification_store.certifications(trained, watercolor)) == 1


def test_without_a_model_or_with_too_few_images_it_is_refused(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    with pytest.raises(LearningError, match="no model to certify"):
        certification.start(workspace, watercolor)
    oracle.play(workspace, watercolor, count=2, batch=30)
    with pytest.raises(LearningError, match="too few for a certification"):
        certification.start(workspace, watercolor)


# What judges never teaches


def test_what_a_round_queries_meanwhile_is_not_queried_again_and_its_label_counts(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    first = certification_store.current(trained, watercolor)
    assert first is not None
    oracle.answer(trained, first.task)
    wanted = certification.state(trained, first).progress
    assert wanted is not None
    taught = wanted.to_label[:6]  # a round asks the very images that the certification needs next
    ask_in_a_round(trained, watercolor, taught)
    now = certification.state(trained, first)
    assert now.progress is not None
    assert not np.isin(taught, now.progress.to_label).any()
    assert now.in_rounds == 6
    assert "await their labels in a round" in now.summary
    after = certification.extend(trained, first)
    assert not np.isin(taught, after.certification.task.rows).any()
    oracle.answer(trained, after.certification.task)
    turn = rounds.rounds_of(trained, watercolor)[-1]
    oracle.answer(trained, turn.task)
    assert certification.state(trained, after.certification).in_rounds == 0
    judging = drawn_images.held_out_rows(trained, watercolor)
    teaching = querying.round_labels(trained, watercolor)[0]
    assert np.isin(taught, teaching).all()
    assert not np.isin(judging, teaching).any()


def test_what_a_round_queries_meanwhile_is_judged_by_as_many_people_as_judge(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    trained.judging_redundancy = 2
    started = certification.start(trained, watercolor, target=0.6, planned=60, seed=3).certification
    with trained.engine.begin() as connection:  # no yes of one person has to be confirmed
        connection.execute(sa.update(db.certifications).values(counted=started.pilot.tobytes()))

    def found() -> CertificationState:
        (stored,) = certification_store.certifications(trained, watercolor)
        return certification.state(trained, stored)

    for name in ("oracle", "ben"):
        oracle.answer(trained, started.task, name=name)
    wanted = found().progress
    assert wanted is not None
    taught = wanted.to_label[:6]
    ask_in_a_round(trained, watercolor, taught)
    oracle.answer(trained, rounds.rounds_of(trained, watercolor)[-1].task)
    teaching, delivered = querying.round_labels(trained, watercolor)[0], delivered_of(trained, watercolor).labels
    assert np.isin(taught, teaching).all(), "one answer is enough to teach"
    one = found()
    assert one.progress is not None
    assert one.progress.to_label.tolist() == wanted.to_label.tolist(), "and judges nothing"
    assert one.in_rounds == 0
    asked = certification.extend(trained, one.certification).certification
    assert set(taught.tolist()) == set(asked.shared.tolist())
    assert not np.isin(taught, drawn_images.held_out_rows(trained, watercolor)).any()
    assert "certification" in [task.purpose for task in waiting_tasks(trained, watercolor, "ben")]
    who = trained.annotations.annotator("oracle")
    assert not np.isin(taught, assigning.rows_for(trained, asked.task, who)).any(), "they have answered"
    assert not found().task.complete
    for name in ("oracle", "ben"):
        oracle.answer(trained, asked.task, name=name)
    both = found()
    assert both.task.complete
    assert both.progress is not None
    assert not np.isin(taught, both.progress.to_label).any()
    assert np.array_equal(querying.round_labels(trained, watercolor)[0], teaching), "they go on to teach"
    assert np.array_equal(delivered_of(trained, watercolor).labels[taught], delivered[taught])
    vote(trained, watercolor, "ben", {int(row): 1 - int(oracle.knows(trained, int(row))) for row in taught})
    population = certification_population.population_rows(trained, asked)
    disputed = certification_population.labels_for(
        trained, asked, tasks.labels_by(trained, watercolor, trained.judging_redundancy, blind=True)
    )
    assert np.isin(taught, population).all()
    assert (disputed[taught] == 0).all(), "what the two do not agree on is no positive"


def test_a_held_out_image_is_left_out_of_the_training_even_if_a_round_has_queried_it(
    trained: Workspace, watercolor: Attribute
) -> None:
    both = int(drawn_images.queried_rows(trained, watercolor)[0])
    assert both in querying.round_labels(trained, watercolor)[0]
    state = certification.start(trained, watercolor, target=0.6, seed=3)
    line = {"certification_id": state.certification.id, "row": both, "position": 99, "batch": 1}
    with trained.engine.begin() as connection:
        connection.execute(sa.insert(db.certification_images).values(line))
    assert both not in querying.round_labels(trained, watercolor)[0]
    assert both not in querying.training_labels(trained, watercolor)[0]


# One promise, one test


def test_a_certified_cut_counts_although_the_random_images_hold_no_positive(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    validation.draw_validation(workspace, watercolor, 8, seed=1)
    task = assigning.open_task(workspace, tasks.validation_task(workspace, watercolor), "no")
    assert task is not None
    workspace.annotations.record(task.id, [NewAnswer(uuid.uuid4().hex, row, 0) for row in task.rows])
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=1).task)
    rounds.train(workspace, watercolor)
    with pytest.raises(LearningError, match="None of 8 labelled validation images is positive"):
        thresholds.suggest(workspace, watercolor, target=0.6)
    certification.start(workspace, watercolor, target=0.6, planned=60, seed=3)
    state = finish(workspace, watercolor, oracle)
    assert state.certified is not None
    found = thresholds.suggest(workspace, watercolor, target=0.6)
    assert found.certified
    assert found.value >= state.certified


def test_a_target_is_certified_once_for_a_model(trained: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    certification.start(trained, watercolor, target=0.6, seed=3)
    with pytest.raises(LearningError, match=r"is already being certified for 60% precision"):
        certification.start(trained, watercolor, target=0.6, confidence=0.99, seed=4)
    certification.start(trained, watercolor, target=0.7, seed=4)
    assert [one.target for one in certification_store.certifications(trained, watercolor)] == [0.6, 0.7]


def test_at_another_confidence_the_same_labels_are_read_again_and_no_second_test_decides(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    finish(trained, watercolor, oracle)
    for confidence in (0.5, 0.95, 0.9999):
        found = certification_store.current(trained, watercolor, target=0.6, confidence=confidence)
        assert found is not None
        assert found.confidence == confidence
        cuts = certified_cuts.cuts_of(certification.state(trained, found))
        suggested = thresholds.suggest(trained, watercolor, target=0.6, confidence=confidence)
        assert suggested.certified == (len(cuts) > 0)
        assert suggested.confidence == confidence
        assert suggested.value in cuts or not suggested.certified


def test_what_the_validation_sample_certifies_is_not_certified_again(
    trained: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as certified:
        certify_all_draws(certified)
        found = thresholds.suggest(trained, watercolor, target=0.6)
        words = f"60% precision already, by its validation sample: scores of {decimal(found.value, 3)} or more"
        with pytest.raises(LearningError, match=words):
            certification.start(trained, watercolor, target=0.6)
        assert certification_store.certifications(trained, watercolor) == []
        assert thresholds.suggest(trained, watercolor, target=0.6).certified, "and stays certified"
        by_hand = float(np.sort(scores_of(trained, watercolor))[3])
        saved = replace(thresholds.measure_at(trained, watercolor, by_hand, target=0.6), certified=False)
        thresholds.save(trained, watercolor, saved)
        guidance = guidance_of(trained, watercolor)
        assert guidance.facts is not None
        assert guidance.facts.proven
        assert "certify" not in [guidance.step, *(each.step for each in guidance.alternatives)]
    certification.start(trained, watercolor, target=0.6, seed=3)


def test_while_a_certification_has_shown_nothing_the_validation_set_certifies_nothing(
    trained: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    certification.start(trained, watercolor, target=0.7, confidence=0.95, seed=3)
    certify_all_draws(monkeypatch)
    assert thresholds.suggest(trained, watercolor, target=0.6, confidence=0.99).certified
    with trained.engine.begin() as connection:
        connection.execute(sa.update(db.certifications).values(target=0.6))
    for confidence in (0.95, 0.99):
        assert not thresholds.suggest(trained, watercolor, target=0.6, confidence=confidence).certified


def test_a_certification_needs_no_random_labels(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    oracle.find_nothing(workspace, watercolor)
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=1).task)
    rounds.train(workspace, watercolor)
    certification.start(workspace, watercolor, target=0.6, planned=60, seed=3)
    state = finish(workspace, watercolor, oracle)
    found = thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.6))
    assert found.evidence.certified
    assert found.value in certified_cuts.cuts_of(state)


def test_a_promise_is_taken_back_while_more_people_have_to_judge_and_holds_once_they_have(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    state = finish(trained, watercolor, oracle)
    saved = thresholds.save(trained, watercolor, thresholds.suggest(trained, watercolor, target=0.6))
    trained.judging_redundancy = 2
    waiting = thresholds.current_threshold(trained, watercolor)
    assert waiting is not None
    assert not waiting.evidence.certified
    assert waiting.taken_back
    oracle.answer(trained, tasks.validation_task(trained, watercolor), name="ben")
    (started,) = certification_store.certifications(trained, watercolor)
    oracle.answer(trained, started.task, name="ben")
    counted = [int(row) for row in state.certification.counted]
    vote(trained, watercolor, "ben", {row: int(oracle.knows(trained, row)) for row in counted})
    assert thresholds.current_threshold(trained, watercolor) == saved


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"target": 1.0}, "certify a precision of 1: no sample shows it"),
        ({"target": 0.0}, "certify a precision of 0"),
        ({"confidence": 1.0}, "certify a confidence of 1"),
        ({"planned": 0}, "certify with 0 labels"),
    ],
)
def test_what_no_sample_shows_is_refused_at_the_start_and_jams_nothing(
    trained: Workspace, watercolor: Attribute, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(LearningError, match=words):
        certification.start(trained, watercolor, **more)
    assert certification_store.certifications(trained, watercolor) == []
    assert waiting_tasks(trained, watercolor, "someone") == []


def test_images_of_a_batch_are_held_out_since_they_were_asked_about(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    started = certification.start(trained, watercolor, target=0.9, planned=60, seed=3).certification
    oracle.answer(trained, started.task)
    between = db.now()
    later = certification.extend(trained, certification_store.certifications(trained, watercolor)[0]).certification
    batch = np.setdiff1d(later.queried, started.pilot)
    assert len(batch)
    assert set(drawn_images.held_out_rows(trained, watercolor, since=between).tolist()) == set(batch.tolist())
    asked = validation.asked_before(trained, watercolor, between)
    assert np.isin(started.pilot, asked).all()
    assert not np.isin(batch, asked).any()
    with trained.engine.begin() as connection:  # as an earlier version has stored them
        connection.execute(sa.update(db.certification_images).values(made_at=None, teaches=None))
    assert not len(drawn_images.held_out_rows(trained, watercolor, since=between))
    assert np.isin(later.queried, drawn_images.held_out_rows(trained, watercolor)).all()
