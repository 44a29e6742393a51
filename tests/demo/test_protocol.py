"""A protocol played in a workspace of its own: what is asked of whom, and what is delivered, against the truth."""

from dataclasses import replace

import numpy as np
import pytest

from bam_engine.annotation.answer_log import answer_log
from bam_engine.demo.protocol import Protocol, fixed, play, proposed
from bam_engine.demo.rehearsal import rehearsal
from bam_engine.errors import Stopped
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import validation_images
from bam_engine.training import certification_store, rounds
from bam_engine.training.delivered import delivered_of
from bam_engine.workspace.vectors import vectors_of

N = 600
SMALL = Protocol(sample=30, rounds=2, batch=30, planned=60, audit=10)


@pytest.fixture(scope="module")
def collection():
    """Vectors in projects of two, and a truth that a direction shows."""
    rng = np.random.default_rng(0)
    projects = np.arange(N) // 2
    vectors = rng.normal(size=(N // 2, 8))[projects] + 0.5 * rng.normal(size=(N, 8))
    truth = vectors[:, 0] > np.quantile(vectors[:, 0], 0.7)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16), projects, truth


def played(collection, protocol=SMALL, **options):
    vectors, projects, truth = collection
    with rehearsal(vectors, projects) as workspace:
        outcome = play(workspace, truth, protocol, **options)
        (attribute,) = workspace.attributes.all()
        log = answer_log(workspace.engine, attribute.id)
        accepted = delivered_of(workspace, attribute).accepted
        return outcome, log, accepted


def test_a_rehearsal_has_the_vectors_and_projects_and_leaves_nothing(collection, tmp_path) -> None:
    vectors, projects, _ = collection
    with rehearsal(vectors, projects, within=tmp_path) as workspace:
        assert np.array_equal(vectors_of(workspace), vectors)
        assert np.array_equal(workspace.catalogue.projects(), projects)
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_what_is_delivered_is_compared_with_the_truth(collection) -> None:
    outcome, log, accepted = played(collection)
    truth = collection[2]
    assert outcome.delivered.n == accepted.sum() > 0
    assert outcome.delivered.precision == truth[accepted].mean()
    assert outcome.delivered.recall == accepted[truth].mean()
    assert outcome.human_answers == len(log)
    assert outcome.labelled_images == len(np.unique(log.rows))
    assert outcome.problems == ()


def test_without_errors_everybody_tells_the_truth_and_with_errors_as_often_as_not(collection) -> None:
    truth = collection[2]
    for rate in (0.0, 0.2):
        _, log, _ = played(collection, error_rate=rate)
        assert (log.answers != truth[log.rows]).mean() == pytest.approx(rate, abs=0.08)


def test_each_step_asks_as_many_images_as_the_protocol_says(collection) -> None:
    outcome, log, _ = played(collection)
    assert outcome.answers["validation"] == 30
    assert outcome.answers["round"] == 60
    assert outcome.answers["audit"] <= 20
    assert outcome.answers["certification"] >= 30  # its pilot
    assert sum(outcome.answers.values()) == len(log)


def test_a_certified_threshold_is_audited_only_if_the_protocol_says_so(collection) -> None:
    outcome, _, _ = played(collection)
    assert outcome.certified
    assert outcome.answers["audit"] > 0
    without, _, _ = played(collection, replace(SMALL, audit_certified=False))
    assert without.certified
    assert without.answers["audit"] == 0
    assert without.labelled_images == outcome.labelled_images - outcome.answers["audit"]


def test_two_judges_answer_about_each_image_that_judges(collection) -> None:
    outcome, log, _ = played(collection, replace(SMALL, judges=2, teachers=2), error_rate=0.1)
    times = np.bincount(log.rows[log.given_for(["validation"])])
    assert set(times[times > 0].tolist()) <= {2, 3, 4}
    assert outcome.answers["validation"] >= 60


def test_one_person_teaches_while_two_judge(collection) -> None:
    outcome, log, _ = played(collection, replace(SMALL, judges=2), error_rate=0.1)
    in_rounds = log.given_for(["round"])
    assert outcome.answers["round"] == 60 == len(np.unique(log.rows[in_rounds]))
    assert len(np.unique(log.annotators[in_rounds])) == 1
    assert np.bincount(log.rows[log.given_for(["validation"])]).max() >= 2


def test_the_same_seed_plays_the_same_and_another_does_not(collection) -> None:
    first, again, other = (played(collection, seed=seed, error_rate=0.05) for seed in (3, 3, 4))
    assert first[0] == again[0]
    assert np.array_equal(first[1].rows, again[1].rows)
    assert not np.array_equal(first[1].rows[:30], other[1].rows[:30])


def test_a_certification_goes_on_until_as_many_answers_are_given(collection) -> None:
    short, _, _ = played(collection, replace(SMALL, strategy="random", audit=0))
    assert short.answers["certification"] <= 60 + 20 + 40
    longer, _, _ = played(collection, replace(SMALL, strategy="random", audit=0), answers=short.human_answers + 40)
    assert longer.human_answers >= short.human_answers
    assert longer.answers["round"] == short.answers["round"]


def test_an_attribute_that_nobody_finds_is_played_to_the_end_and_says_why_nothing_is_delivered(collection) -> None:
    vectors, projects, _ = collection
    rare = np.zeros(N, bool)
    rare[7] = True
    outcome, _, _ = played((vectors, projects, rare), replace(SMALL, strategy="random", rounds=1, batch=10))
    assert not outcome.certified
    assert outcome.delivered.n <= 1
    assert outcome.problems


def test_a_stop_ends_it_and_the_workspace_goes(collection, tmp_path) -> None:
    vectors, projects, truth = collection

    def stop(done, total, message=""):
        if done == 1:
            raise Stopped

    with pytest.raises(Stopped), rehearsal(vectors, projects, within=tmp_path) as workspace:
        play(workspace, truth, SMALL, report=stop)
    assert not list(tmp_path.iterdir())


def test_the_proposed_protocol_asks_less_than_the_fixed_one_at_every_size() -> None:
    for n in (100, 300, 2000, 100_000):
        ours, theirs = proposed(n, 2), fixed(n, 2)
        assert ours.sample <= theirs.sample
        assert ours.rounds * ours.batch == theirs.rounds * theirs.batch
        assert ours.planned <= theirs.planned
        assert (ours.teachers, ours.judges, theirs.teachers) == (1, 2, 2)
    assert (proposed(2000).sample, fixed(2000).sample, fixed(2000).audit) == (60, 200, 100)


def test_the_steps_are_those_of_the_app(collection) -> None:
    vectors, projects, truth = collection
    with rehearsal(vectors, projects) as workspace:
        play(workspace, truth, SMALL)
        (attribute,) = workspace.attributes.all()
        assert len(validation_images(workspace, attribute).rows) == 30
        assert len(tasks.validation_task(workspace, attribute).rows) == 30
        assert len(rounds.rounds_of(workspace, attribute)) == 2
        assert len(certification_store.certifications(workspace, attribute)) == 1
