"""What a certification is about, which labels its test reads, and which positives its promise counts."""

import uuid

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import IMPORT, WITHDRAWN, Attribute, NewAnswer
from bam_engine.labelling import assigning, direct_answers, drawn_images, tasks
from bam_engine.training import (
    certification,
    certification_population,
    certification_store,
    evaluation_set,
    querying,
    thresholds,
)
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.training.certifying import finish, trained

__all__ = ["trained"]


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
    assignment = assigning.open_task(trained, after.certification.task, "doubter")
    assert assignment is not None
    trained.annotations.record(assignment.id, [NewAnswer(uuid.uuid4().hex, int(row), -1, 1.0) for row in new])
    told = certification.state(trained, after.certification)
    assert told.progress is not None
    assert told.certified is None
    assert told.progress.false_positives == told.progress.n > 0


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
