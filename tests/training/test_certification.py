"""Certifying in a workspace: who is asked, what is stored before, and what the labels then count for."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import IMPORT, WITHDRAWN, Attribute, NewAnswer
from bam_engine.errors import LearningError
from bam_engine.formatting import decimal
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import direct_answers, drawn_images, tasks
from bam_engine.learning import Batch, Threshold
from bam_engine.reporting.overview import waiting_tasks
from bam_engine.reporting.report import gather
from bam_engine.reporting.report_file import write_report
from bam_engine.training import (
    certification,
    certification_history,
    certification_population,
    certification_store,
    certified_cuts,
    evaluation_set,
    querying,
    rounds,
    thresholds,
    validation,
)
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote


@pytest.fixture
def trained(workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """One round is trained; a pilot is of eight images, since the collection is small."""
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    validation.draw_validation(workspace, watercolor, 20, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    turn = rounds.start_round(workspace, watercolor, count=20, seed=1)
    oracle.answer(workspace, turn.task)
    rounds.train(workspace, watercolor)
    return workspace


def finish(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> certification.CertificationState:
    """Label batch after batch until nothing is left to ask."""
    for _ in range(200):
        found = certification_store.current(workspace, attribute)
        assert found is not None
        oracle.answer(workspace, found.task)
        state = certification.extend(workspace, found)
        if state.task.complete and state.next_batch == 0:
            return state
    raise AssertionError("the certification did not end")


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


def test_its_labels_join_the_validation_set_with_their_weights(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    alone = evaluation_set.evaluation_set(trained, watercolor)
    assert alone.weights is None
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    state = finish(trained, watercolor, oracle)
    joined = evaluation_set.evaluation_set(trained, watercolor)
    assert joined.weights is not None
    assert (joined.weights >= 1).all()
    assert set(joined.rows) == set(alone.rows) | set(state.certification.task.rows)
    assert joined.weights.sum() == pytest.approx(len(trained.catalogue) - 20, rel=0.25), "all but the images that train"


def test_an_image_that_people_are_unsure_of_is_no_positive(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    state = certification.start(trained, watercolor, target=0.6, seed=3)
    with trained.engine.begin() as connection:  # nothing outweighs what they doubt
        connection.execute(sa.update(db.certifications).values(counted=None))
    oracle.answer(trained, state.certification.task)
    certification.state(trained, state.certification)
    found = certification_store.current(trained, watercolor)
    assert found is not None
    after = certification.extend(trained, found)
    new = np.setdiff1d(after.certification.task.rows, found.task.rows)
    assignment = tasks.open_task(trained, after.certification.task, "doubter")
    assert assignment is not None
    trained.annotations.record(assignment.id, [NewAnswer(uuid.uuid4().hex, int(row), -1, 1.0) for row in new])
    told = certification.state(trained, after.certification)
    assert told.progress is not None
    assert told.certified is None
    assert told.progress.false_positives == told.progress.n > 0


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
    assert "await labels in a round" in now.summary
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

    def found() -> certification.CertificationState:
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
    assert not np.isin(taught, tasks.rows_for(trained, asked.task, who)).any(), "who has answered is not asked again"
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


def ask_in_a_round(workspace: Workspace, attribute: Attribute, rows: Sequence[int]) -> None:
    """Store a round of these images, as if they had been chosen."""
    batch = Batch(np.asarray(rows, np.int64), ("chosen",) * len(rows))
    rounds._store(workspace, attribute, len(rounds.rounds_of(workspace, attribute)) + 1, "chosen", 1, batch, None)


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
    task = tasks.open_task(workspace, tasks.validation_task(workspace, watercolor), "no")
    assert task is not None
    workspace.annotations.record(task.id, [NewAnswer(uuid.uuid4().hex, row, 0) for row in task.rows])
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=1).task)
    rounds.train(workspace, watercolor)
    with pytest.raises(LearningError, match="negative"):
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


def certify_all_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first random draw certify any target."""
    monkeypatch.setattr("bam_engine.learning.fixed_sequence._smallest_surviving_count", lambda *_: 2)
    monkeypatch.setattr("bam_engine.learning.fixed_sequence.precision_bounds", lambda _s, cuts, *_: np.ones(len(cuts)))


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


def test_the_certified_sentence_says_which_images_it_is_about(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    state = finish(trained, watercolor, oracle)
    assert state.progress is not None
    found = thresholds.suggest(trained, watercolor, target=0.6)
    assert found.covers == certified_cuts.covered_from(trained, state.certification, found.value)
    assert found.covers <= state.progress.accepted
    assert found.covers < found.n_accepted
    assert f"among {found.covers} accepted images not labelled or queried" in found.summary
    assert "not labelled or queried when" in state.summary


def test_the_promise_counts_what_was_labelled_yes_before_and_the_pilot_and_nothing_that_the_test_finds(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    agreed = tasks.labels(trained, watercolor)
    before = set(agreed.rows[agreed.labels == 1].tolist())
    assert before
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    state = finish(trained, watercolor, oracle)
    pilot = {int(row) for row in state.certification.pilot if oracle.knows(trained, int(row))}
    found = tasks.labels(trained, watercolor)
    assert set(found.rows[found.labels == 1].tolist()) > before | pilot, "the test has found more"
    assert state.progress is not None
    assert state.progress.known_positives == len(before | pilot)
    assert f"and with them {len(before | pilot)} images labelled yes before" in state.summary
    saved = thresholds.save(trained, watercolor, thresholds.suggest(trained, watercolor, target=0.6)).evidence
    assert saved.known_positives == len(before | pilot)
    assert f"and {len(before | pilot)} images labelled yes before, together" in saved.summary


def test_the_number_of_labelled_positives_follows_their_answers_and_removals(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    known = finish(trained, watercolor, oracle).progress
    counted = certification_store.certifications(trained, watercolor)[0].counted
    yes = [int(row) for row in counted if oracle.knows(trained, int(row))]

    def positives() -> int:
        current = certification_store.current(trained, watercolor)
        assert current is not None
        progress = certification.state(trained, current).progress
        assert progress is not None
        return progress.known_positives

    assert known is not None
    assert known.known_positives == len(yes) > 2
    vote(trained, watercolor, "oracle", {yes[0]: 0, yes[1]: -1})
    assert positives() == len(yes) - 2
    vote(trained, watercolor, "oracle", dict.fromkeys(yes[:2], 1))
    assert positives() == len(yes)
    removal = trained.removals.remove(yes[:2], reason="a test")
    assert positives() == len(yes) - 2
    trained.removals.undo(removal.id)
    assert positives() == len(yes)


def test_a_yes_of_fewer_people_than_judge_counts_once_others_have_confirmed_it(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    trained.judging_redundancy = 2
    oracle.answer(trained, tasks.validation_task(trained, watercolor), name="ben")
    started = certification.start(trained, watercolor, target=0.6, planned=60, seed=3).certification
    held_out = drawn_images.held_out_rows(trained, watercolor)
    yes = {int(row) for row in started.counted if oracle.knows(trained, int(row))}
    of_one = sorted(yes - set(held_out.tolist()))
    assert len(of_one) > 2
    assert set(started.task.rows.tolist()) == {*started.pilot.tolist(), *of_one}
    assert started.queried.tolist() == [row for row in started.task.rows if row not in of_one]
    pilot = {row: int(oracle.knows(trained, row)) for row in started.pilot.tolist()}
    for name in ("oracle", "ben"):
        vote(trained, watercolor, name, pilot, purpose="certification")
    assert certification_population.known_positives(trained, started) == len(yes) - len(of_one)
    assert (delivered_of(trained, watercolor).labels[of_one] == 1).all(), "one person is enough to deliver"
    waiting = certification.state(trained, started)
    assert not waiting.task.complete
    assert f"{len(of_one)} images that fewer people than judge have labelled yes do not count" in waiting.summary
    taught = set(querying.round_labels(trained, watercolor)[0].tolist())
    assert set(of_one) < taught
    oracle.answer(trained, started.task, name="ben")
    assert certification.state(trained, started).task.complete
    assert certification_population.known_positives(trained, started) == len(yes)
    assert set(querying.round_labels(trained, watercolor)[0].tolist()) == taught, "they go on to teach"
    vote(trained, watercolor, "ben", {of_one[0]: 0}, purpose="certification")
    assert certification_population.known_positives(trained, started) == len(yes) - 1
    assert delivered_of(trained, watercolor).labels[of_one[0]] == -1, "what is disputed is not delivered"
    trained.judging_redundancy = 1
    assert set(certification_store.certifications(trained, watercolor)[0].task.rows) == set(started.pilot.tolist())


def test_what_is_to_be_confirmed_holds_nothing_up_and_is_no_label_of_the_certification(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    trained.judging_redundancy = 2
    started = certification.start(trained, watercolor, target=0.9, planned=60, seed=3).certification
    pilot = {row: int(oracle.knows(trained, row)) for row in started.pilot.tolist()}
    for name in ("oracle", "ben"):
        vote(trained, watercolor, name, pilot, purpose="certification")
    state = certification.state(trained, started)
    assert not state.task.complete, "some have to be confirmed"
    assert state.batch.complete
    assert state.batch.answered == len(pilot)
    (line,) = certification_history.history(trained, watercolor)
    assert line.labels == sum(line.batches) == len(pilot)
    oracle.answer(trained, tasks.validation_task(trained, watercolor), name="ben")
    guidance = guidance_of(trained, watercolor)
    assert guidance.facts is not None
    assert guidance.facts.certifying is not None
    assert guidance.facts.certifying.batch.left == 0
    assert guidance.facts.certifying.labels == len(pilot)
    assert guidance.facts.certifying.unconfirmed == state.task.left > 0
    extended = certification.extend(trained, state.certification).certification
    assert len(extended.queried) > len(pilot)


def test_a_direct_answer_is_no_progress_of_what_judges_wherever_it_is_told(
    trained: Workspace, watercolor: Attribute
) -> None:
    started = certification.start(trained, watercolor, target=0.6, planned=60, seed=3).certification
    direct_answers.answer(trained, watercolor, int(started.pilot[0]), 1, annotator="eve")
    guidance = guidance_of(trained, watercolor)
    assert guidance.facts is not None
    assert guidance.facts.certifying is not None
    progress = guidance.facts.certifying.batch
    assert (progress.answered, progress.short) == (0, 0)
    trained.judging_redundancy = 2
    vote(trained, watercolor, "ada", {int(started.pilot[1]): 1}, purpose="certification")
    found = guidance_of(trained, watercolor).facts
    assert found is not None
    assert found.certifying is not None
    (stored,) = certification_store.certifications(trained, watercolor)
    assert found.certifying.batch.short == tasks.state(trained, stored.batch).short == 1


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


def test_a_certification_of_an_earlier_version_counts_no_labelled_positive(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    with trained.engine.begin() as connection:
        connection.execute(sa.update(db.certifications).values(counted=None))
    state = finish(trained, watercolor, oracle)
    assert state.progress is not None
    assert state.progress.known_positives == 0
    assert "labelled yes before" not in state.summary
    found = thresholds.suggest(trained, watercolor, target=0.6)
    assert found.known_positives is None


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


def test_certifications_are_listed_in_the_report(trained: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    state = finish(trained, watercolor, oracle)
    (line,) = certification_history.history(trained, watercolor)
    assert (line.seed, line.target, line.planned, line.certified) == (3, 0.6, 60, state.certified)
    assert sum(line.batches) == line.labels == len(state.certification.task.rows)
    assert line.pilot == len(state.certification.pilot)
    assert line.cuts == state.certification.cuts
    assert line.population == len(trained.catalogue) - len(state.certification.known)
    text = write_report(trained, gather(trained, watercolor))
    assert "Certifications" in text
    assert " + ".join(str(size) for size in line.batches[1:]) in text
    assert ", ".join(decimal(cut, 3) for cut in line.cuts) in text


def test_all_certifications_of_an_attribute_share_the_risk(
    trained: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested: list[float] = []
    real = certification.learning.certify_precision

    def certify_precision(plan, *data, **options):
        tested.append(plan.confidence)
        return real(plan, *data, **options)

    monkeypatch.setattr(certification.learning, "certify_precision", certify_precision)
    started = certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    oracle.answer(trained, started.certification.task)
    first = certification.state(trained, started.certification)
    assert first.certification.confidence == 0.95
    assert tested == [pytest.approx(0.975)] * len(tested) != []
    assert "It is tested at 97.5%." in first.summary
    assert "together" not in first.summary, "it is the only one"
    certification.start(trained, watercolor, target=0.7, seed=4)
    turn = rounds.start_round(trained, watercolor, count=10, seed=2)
    oracle.answer(trained, turn.task)
    rounds.train(trained, watercolor)
    certification.start(trained, watercolor, target=0.6, seed=5)
    shares = [each.risk_share for each in certification_store.certifications(trained, watercolor)]
    assert shares == [0.5, 0.25, 0.125]
    again = certification.state(trained, started.certification)
    assert again.together == pytest.approx(1 - 0.05 * sum(shares))
    assert "All 3 certifications of this attribute together hold with 95.6% confidence." in again.summary
    other = trained.attributes.add("media_oilpaint", "media", "Is it an oil painting?")
    assert certification_store.certifications(trained, other) == []


def test_a_certification_of_an_early_version_keeps_the_risk_that_it_stated(
    trained: Workspace, watercolor: Attribute
) -> None:
    certification.start(trained, watercolor, target=0.6, seed=3)
    with trained.engine.begin() as connection:
        connection.execute(sa.update(db.certifications).values(risk_share=None))
    (early,) = certification_store.certifications(trained, watercolor)
    assert (early.risk_share, early.tested_at) == (1.0, early.confidence)
    assert "together" not in certification.state(trained, early).summary
    certification.start(trained, watercolor, target=0.7, seed=4)
    assert [each.risk_share for each in certification_store.certifications(trained, watercolor)] == [1.0, 0.25]


@pytest.mark.parametrize(
    ("changed", "together", "said"),
    [({"risk_share": None}, 1 - 0.05 - 0.0125, "93.7%"), ({"confidence": 0.8}, 1 - 0.1 - 0.0125, "88.7%")],
)
def test_what_all_certifications_hold_with_together_is_the_sum_of_what_each_has_spent(
    trained: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    changed: dict[str, float | None],
    together: float,
    said: str,
) -> None:
    first = certification.start(trained, watercolor, target=0.6, seed=3).certification
    later = certification.start(trained, watercolor, target=0.7, seed=4).certification
    with trained.engine.begin() as connection:
        connection.execute(sa.update(db.certifications).where(db.certifications.c.id == first.id).values(changed))
    oracle.answer(trained, later.task)
    found = certification.state(trained, later)
    assert found.certification.tested_at == pytest.approx(0.9875)
    assert found.together == pytest.approx(together)
    assert f"It is tested at 98.7%. All 2 certifications of this attribute together hold with {said}" in found.summary


def test_all_attributes_at_once_share_the_risk() -> None:
    assert thresholds.joint_confidence(1) == 0.95
    assert thresholds.joint_confidence(20) == pytest.approx(1 - 0.05 / 20)


def test_labels_imported_after_the_start_certify_nothing_and_people_are_asked_all_the_same(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    started = certification.start(trained, watercolor, target=0.6, planned=60, seed=3).certification
    oracle.answer(trained, started.task)
    before = certification.state(trained, started)
    population = certification_population.population_rows(trained, started)
    vote(trained, watercolor, "a file", dict.fromkeys(population.tolist(), 1), purpose=IMPORT)
    after = certification.state(trained, started)
    assert before.progress is not None
    assert after.progress is not None
    assert after.certified == before.certified
    assert after.progress.to_label.tolist() == before.progress.to_label.tolist()
    assert after.progress.known_positives == before.progress.known_positives
    finished = finish(trained, watercolor, oracle)
    assert finished.certified is not None
    accepted = population[scores_of(trained, watercolor)[population] >= finished.certified]
    known = certification_population.known_positives(trained, finished.certification)
    assert (sum(oracle.knows(trained, int(row)) for row in accepted) + known) / (len(accepted) + known) >= 0.6


def test_a_label_that_was_imported_before_the_start_counts_once_somebody_has_looked_at_the_image(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    asked = tasks.labels(trained, watercolor).rows
    free = np.setdiff1d(np.arange(len(trained.catalogue)), asked)
    before = certification_population.labelled_yes(trained, watercolor)
    vote(trained, watercolor, "a file", dict.fromkeys(free[:6].tolist(), 1), purpose=IMPORT)
    vote(trained, watercolor, "ada", {int(free[0]): 1}, purpose="round")
    direct_answers.answer(trained, watercolor, int(free[1]), 1, annotator="ada")
    found = certification_population.labelled_yes(trained, watercolor)
    assert set(found.tolist()) == {*before.tolist(), int(free[0]), int(free[1])}
    started = certification.start(trained, watercolor, target=0.6, planned=60, seed=3).certification
    assert set(started.counted.tolist()) == {*found.tolist(), *started.pilot.tolist()}
    assert set(free[:6].tolist()) <= set(started.known.tolist())


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


def test_a_yes_counts_only_while_it_is_delivered_as_one(trained: Workspace, watercolor: Attribute) -> None:
    agreed = tasks.labels(trained, watercolor)
    yes = agreed.rows[agreed.labels == 1].tolist()
    vote(trained, watercolor, "a second", dict.fromkeys(yes, 1))
    trained.redundancy, trained.judging_redundancy = 2, 1
    started = certification.start(trained, watercolor, target=0.6, planned=60, seed=3).certification
    counted = certification_population.known_positives(trained, started)
    in_round = [row for row in yes if row in drawn_images.queried_rows(trained, watercolor)]
    assert in_round
    vote(trained, watercolor, "a second", dict.fromkeys(in_round, WITHDRAWN))
    assert certification_population.known_positives(trained, started) == counted - len(in_round)


def test_nothing_is_tested_while_a_part_of_the_vectors_is_lost(
    trained: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = certification.start(trained, watercolor, target=0.6, planned=60, seed=3).certification
    oracle.answer(trained, started.task)
    assert certification.state(trained, started).progress is not None
    scores, last = scores_of(trained, watercolor), int(certification_population.population_rows(trained, started)[-1])
    monkeypatch.setattr(certification_population, "all_scores_of", lambda *_: scores[:last])
    assert certification.state(trained, started).progress is None
