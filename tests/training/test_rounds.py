"""The rounds as a whole: what is asked, what is trained on, and what is done next."""

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.gallery.search import ranking
from bam_engine.labelling import drawn_images, tasks
from bam_engine.training import querying, rounds, validation
from bam_engine.training.models import latest_model, scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.database.counting import counted


def test_the_steps_follow_one_another(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    seen = [rounds.state(workspace, watercolor).step]
    validation.draw_validation(workspace, watercolor, 40, seed=1)
    seen.append(rounds.state(workspace, watercolor).step)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    for number in range(rounds.DEFAULT_ROUNDS):
        seen.append(rounds.state(workspace, watercolor).step)
        turn = rounds.start_round(workspace, watercolor, count=10, seed=number)
        seen.append(rounds.state(workspace, watercolor).step)
        oracle.answer(workspace, turn.task)
        seen.append(rounds.state(workspace, watercolor).step)
        rounds.train(workspace, watercolor)
    seen.append(rounds.state(workspace, watercolor).step)
    assert seen == [
        "draw_validation",
        "label_validation",
        *(["start_round", "label_round", "train"] * rounds.DEFAULT_ROUNDS),
        "decide",
    ]


def test_no_project_of_the_validation_set_is_ever_queried(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor)
    groups = workspace.catalogue.projects()
    held = set(groups[tasks.validation_task(workspace, watercolor).rows])
    asked = drawn_images.queried_rows(workspace, watercolor)
    assert len(asked) == 48
    assert not held & set(groups[asked])


def test_four_rounds_put_the_positives_first(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    oracle.play(workspace, watercolor)
    scores = scores_of(workspace, watercolor)
    truth = np.array([oracle.knows(workspace, row) for row in range(len(scores))])
    best = np.argsort(-scores)[: truth.sum()]
    assert truth[best].mean() > 0.9


def test_a_round_stores_why_each_image_was_queried(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    oracle.play(workspace, watercolor, count=2)
    first, second = rounds.rounds_of(workspace, watercolor)
    assert {score for _, score in rounds.reasons(workspace, first).values()} == {None}
    why = rounds.reasons(workspace, second)
    assert list(why)
    assert all(reason and score is not None for reason, score in why.values())


def test_what_is_proposed_is_what_the_round_asks(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    oracle.play(workspace, watercolor, count=1)
    _, batch = querying.propose(workspace, watercolor, count=9, seed=5)
    turn = rounds.start_round(workspace, watercolor, count=9, seed=5)
    assert turn.task.rows.tolist() == batch.rows.tolist()


def test_examples_bring_images_like_them(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    seed = next(row for row in range(120) if oracle.knows(workspace, row))
    strategy, batch = querying.propose(workspace, watercolor, count=12, seeds=[seed])
    assert strategy == "examples"
    like = [row for row, reason in zip(batch.rows, batch.reasons, strict=True) if reason == "similar to your examples"]
    assert np.mean([oracle.knows(workspace, row) for row in like]) > 0.6


def test_the_same_labels_and_seed_give_the_same_scores(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    first = rounds.train(workspace, watercolor)
    with workspace.engine.begin() as connection:
        connection.execute(sa.update(db.models).values(learned_from=None))  # so that it is not recognised
    second = rounds.train(workspace, watercolor)
    assert first.id != second.id
    assert np.array_equal(scores_of(workspace, watercolor, first), scores_of(workspace, watercolor, second))


def test_a_model_is_measured_again_once_held_out_labels_have_changed(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    def stored() -> int:
        with workspace.engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(db.measurements)) or 0

    oracle.play(workspace, watercolor, count=1)
    first = rounds.train(workspace, watercolor)
    assert (rounds.train(workspace, watercolor).measurement, stored()) == (first.measurement, 1)
    validation.draw_validation(workspace, watercolor, 30, seed=2)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    again = rounds.train(workspace, watercolor)
    assert (again.id, stored()) == (first.id, 2)
    assert (again.measurement.n, latest_model(workspace, watercolor).measurement) == (
        first.measurement.n + 30,
        again.measurement,
    )


def test_scores_come_back_after_the_cache_is_deleted(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    before = np.array(scores_of(workspace, watercolor))
    for path in (workspace.cache / "scores").rglob("*.npy"):
        path.unlink()
    assert np.array_equal(before, scores_of(workspace, watercolor))


@pytest.mark.parametrize("wrong", [True, False], ids=["only positives", "only negatives"])
def test_labels_of_one_kind_alone_say_which_is_missing_and_the_next_round_can_start(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, wrong: bool
) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    oracle.truth = dict.fromkeys(oracle.truth, wrong)
    turn = rounds.start_round(workspace, watercolor, count=8, seed=1)
    oracle.answer(workspace, turn.task)
    with pytest.raises(LearningError, match="negative" if wrong else "positive"):
        rounds.train(workspace, watercolor)
    assert latest_model(workspace, watercolor) is None
    assert rounds.start_round(workspace, watercolor, count=8, seed=2).number == 2


def test_an_unfinished_round_must_be_finished_first(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    rounds.start_round(workspace, watercolor, count=8, seed=1)
    with pytest.raises(LearningError, match="Round 1 is not finished: 0 of 8"):
        rounds.start_round(workspace, watercolor, count=8, seed=2)


def test_a_validation_set_without_positives_is_reported_and_the_training_completes(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.find_nothing(workspace, watercolor)
    turn = rounds.start_round(workspace, watercolor, count=20, seed=1)
    oracle.answer(workspace, turn.task)
    model = rounds.train(workspace, watercolor)
    assert "None of 10 labelled validation images is positive" in model.measurement.problem


def test_more_validation_images_are_new_ones(workspace: Workspace, watercolor: Attribute) -> None:
    assert validation.draw_validation(workspace, watercolor, 30, seed=1) == 30
    assert validation.draw_validation(workspace, watercolor, 30, seed=1) == 30
    rows = tasks.validation_task(workspace, watercolor).rows
    assert len(rows) == len(set(rows.tolist())) == 60
    assert validation.draw_validation(workspace, watercolor, 500, seed=1) == 60
    with pytest.raises(LearningError, match="are in the validation set"):
        validation.draw_validation(workspace, watercolor, 1)


def test_an_image_without_a_vector_has_no_score_and_is_never_queried(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    lost = int(querying.query_pool(workspace, watercolor)[0])
    store = workspace.vectors()
    store.replace([lost], np.zeros((1, store.dim), np.float32))
    rounds.train(workspace, watercolor)
    scores = scores_of(workspace, watercolor)
    assert np.flatnonzero(np.isnan(scores)).tolist() == [lost]
    assert lost not in querying.query_pool(workspace, watercolor)
    assert lost not in ranking(workspace, watercolor)


def test_a_training_asks_the_database_a_few_times(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    oracle.play(workspace, watercolor, count=1)
    turn = rounds.start_round(workspace, watercolor, count=12, seed=5)
    oracle.answer(workspace, turn.task)
    again = Workspace(workspace.folder, workspace.cache.parent)  # which has read nothing yet
    with counted(again.engine) as statements:
        rounds.train(again, watercolor)
    assert len(statements) <= 20, statements
    for flow in (rounds.train, rounds.state):
        with counted(again.engine) as unchanged:
            flow(again, watercolor)
        assert len(unchanged) <= 5, unchanged
    again.close()
