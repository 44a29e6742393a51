"""Answers in bulk: they teach and never judge; they are stored for good and can be taken back."""

import uuid

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.audit import audits
from bam_engine.errors import AnnotationError, NotFound
from bam_engine.labelling import assigning, bulk, drawn_images, tasks
from bam_engine.reporting import export, image_facts
from bam_engine.training import querying, rounds, thresholds, validation
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def free_rows(workspace: Workspace, attribute: Attribute, count: int = 20) -> list[int]:
    """Rows that rounds may still ask about."""
    return querying.query_pool(workspace, attribute)[:count].tolist()


def stored(workspace: Workspace) -> int:
    with workspace.engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(db.annotations)) or 0)


def test_what_judges_and_what_is_labelled_is_left_out_and_counted(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    audit = audits.draw(workspace, watercolor, n_accepted=4, n_rejected=4, seed=1)
    held = set(drawn_images.held_out_rows(workspace, watercolor).tolist())
    assert set(audit.task.rows.tolist()) <= held
    labelled = set(querying.round_labels(workspace, watercolor)[0].tolist())
    found = bulk.plan(workspace, watercolor, range(120))
    assert set(found.rows.tolist()) == set(range(120)) - held - labelled
    assert (found.held_out, found.labelled) == (len(held), len(labelled - held))
    done = bulk.answer(workspace, watercolor, range(120), 1, annotator="me")
    assert done.count == len(found.rows)
    assert not set(bulk.current_answers(workspace, watercolor)[0].tolist()) & (held | labelled)


def test_an_answer_in_bulk_is_no_vote_anywhere(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    oracle.play(workspace, watercolor, count=1)
    rows = free_rows(workspace, watercolor)
    before = tasks.labels(workspace, watercolor).rows.tolist()
    asked = validation.random_sample(workspace, watercolor).rows.tolist()
    bulk.answer(workspace, watercolor, rows, 1, annotator="oracle")
    assert tasks.labels(workspace, watercolor).rows.tolist() == before
    assert validation.random_sample(workspace, watercolor).rows.tolist() == asked
    assert set(rows) <= set(querying.query_pool(workspace, watercolor).tolist()), "a round may still ask about them"
    hits = next(record for record in export.gather(workspace).attributes if record.name == watercolor.name).hits
    assert not {choice.image for hit in hits for choice in hit.choices} & set(rows)


def test_whoever_labelled_in_bulk_is_asked_all_the_same(workspace: Workspace, watercolor: Attribute) -> None:
    bulk.answer(workspace, watercolor, range(120), 0, annotator="me")
    validation.draw_validation(workspace, watercolor, 30, seed=1)
    share = assigning.open_task(workspace, tasks.validation_task(workspace, watercolor), "me")
    assert share is not None
    assert len(share.rows) == 30


def test_a_vote_that_was_given_before_is_not_hidden_by_an_answer_in_bulk(
    workspace: Workspace, watercolor: Attribute
) -> None:
    workspace.redundancy = 2  # one vote settles nothing, so the image may still be answered in bulk
    me = workspace.annotations.annotator("me")
    share = workspace.annotations.assign(watercolor.id, me, [3], purpose="round", source_id=1)
    workspace.annotations.record(share.id, [NewAnswer(uuid.uuid4().hex, 3, 1)])
    bulk.answer(workspace, watercolor, [3], 0, annotator="me")
    assert workspace.annotations.answers(watercolor.id).answers.tolist() == [1]
    choices = [choice for hit in export.gather(workspace).attributes[0].hits for choice in hit.choices]
    assert [choice.answer for choice in choices] == ["positive"]


def test_the_next_training_learns_from_it_and_says_so(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    before = querying.training_labels(workspace, watercolor)[0]
    rows = free_rows(workspace, watercolor, 10)
    given = bulk.answer(workspace, watercolor, rows, 0, annotator="me")
    found, answers = querying.training_labels(workspace, watercolor)
    assert sorted(found.tolist()) == found.tolist() == sorted([*before.tolist(), *rows])
    assert not answers[np.isin(found, rows)].any()
    trained = rounds.train(workspace, watercolor)
    assert trained.data.in_bulk == 10
    assert trained.labels == len(before) + 10
    bulk.undo(workspace, given.id)
    assert querying.training_labels(workspace, watercolor)[0].tolist() == before.tolist()
    assert rounds.train(workspace, watercolor).data.in_bulk == 0


def test_an_image_that_is_held_out_later_stops_teaching(workspace: Workspace, watercolor: Attribute) -> None:
    bulk.answer(workspace, watercolor, range(120), 1, annotator="me")
    assert len(bulk.training_labels(workspace, watercolor, without=np.array([], np.int64))[0]) == 100
    validation.draw_validation(workspace, watercolor, 40, seed=1)
    held = tasks.validation_task(workspace, watercolor).rows
    assert not np.isin(bulk.training_labels(workspace, watercolor, without=np.array([], np.int64))[0], held).any()


def test_images_that_taught_in_bulk_do_not_judge_the_model_that_they_taught(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MAX_PER_ANSWER", 20)
    oracle.play(workspace, watercolor, count=1)
    rows = [int(row) for row in free_rows(workspace, watercolor, 60)]
    bulk.answer(workspace, watercolor, rows, 0, annotator="me")
    taught = np.setdiff1d(
        *(
            each[0]
            for each in (querying.training_labels(workspace, watercolor), querying.round_labels(workspace, watercolor))
        )
    )
    assert len(taught) == 20
    model = rounds.train(workspace, watercolor)
    validation.draw_validation(workspace, watercolor, 30, seed=5)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    drawn = tasks.validation_task(workspace, watercolor).rows
    both = np.intersect1d(drawn, taught)
    assert len(both) > 0
    judging = validation.random_sample(workspace, watercolor, model).rows
    assert set(judging.tolist()) == set(drawn.tolist()) - set(both.tolist())
    retrained = rounds.train(workspace, watercolor)
    assert set(validation.random_sample(workspace, watercolor, retrained).rows.tolist()) == set(drawn.tolist())


def test_what_somebody_looked_at_counts_alone(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    validation.draw_validation(workspace, watercolor, 20, seed=1)
    rows = free_rows(workspace, watercolor, 100)
    bulk.answer(workspace, watercolor, rows, 1, annotator="me")
    turn = rounds.start_round(workspace, watercolor, count=12, seed=3, strategy="random")
    oracle.truth = dict.fromkeys(oracle.truth, False)
    oracle.answer(workspace, turn.task)
    found, answers = querying.training_labels(workspace, watercolor)
    assert not answers[np.isin(found, turn.task.rows)].any()


def test_no_more_than_a_round_of_each_answer_teaches_and_the_same_ones_whatever_came_later(
    workspace: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MAX_PER_ANSWER", 5)
    none = np.array([], np.int64)
    bulk.answer(workspace, watercolor, range(40), 1, annotator="me")
    bulk.answer(workspace, watercolor, range(40, 60), 0, annotator="me")
    bulk.answer(workspace, watercolor, range(60, 80), -1, annotator="me")
    rows, answers = bulk.training_labels(workspace, watercolor, without=none)
    assert np.bincount(answers).tolist() == [5, 5]
    assert rows.tolist() == sorted(rows.tolist())
    assert set(rows[answers == 1].tolist()) <= set(range(40))
    bulk.answer(workspace, watercolor, range(80, 120), 1, annotator="me")
    again, said = bulk.training_labels(workspace, watercolor, without=none)
    stays = again[(said == 1) & (again < 40)]
    assert set(stays.tolist()) <= set(rows[answers == 1].tolist())


def test_taking_back_keeps_everything_that_was_said_and_what_stood_before_stands_again(
    workspace: Workspace, watercolor: Attribute
) -> None:
    bulk.answer(workspace, watercolor, [1, 2, 3], 1, annotator="me")
    second = bulk.answer(workspace, watercolor, [2, 3, 4], 0, annotator="me")
    rows, answers = bulk.current_answers(workspace, watercolor)
    assert dict(zip(rows.tolist(), answers.tolist(), strict=True)) == {1: 1, 2: 0, 3: 0, 4: 0}
    before = stored(workspace)
    assert bulk.undo(workspace, second.id).undone
    assert bulk.undo(workspace, second.id).undone, "undoing twice changes nothing"
    assert stored(workspace) == before + 3
    rows, answers = bulk.current_answers(workspace, watercolor)
    assert dict(zip(rows.tolist(), answers.tolist(), strict=True)) == {1: 1, 2: 1, 3: 1}


def test_where_two_people_differ_it_is_unsure(workspace: Workspace, watercolor: Attribute) -> None:
    bulk.answer(workspace, watercolor, [1, 2], 1, annotator="Ada")
    bulk.answer(workspace, watercolor, [2, 3], 0, annotator="Ben")
    assert bulk.current_answers(workspace, watercolor)[1].tolist() == [1, -1, 0]


def test_the_history_tells_who_said_what_of_how_many_newest_first(workspace: Workspace, watercolor: Attribute) -> None:
    other = workspace.attributes.add("content_cat", "content", "A cat?")
    first = bulk.answer(workspace, watercolor, [1, 2], 1, annotator="Ada")
    bulk.answer(workspace, other, [5], -1, annotator="Ben")
    bulk.undo(workspace, first.id)
    told = bulk.history(workspace)
    assert [(line.annotator, line.answer, line.count, line.undone) for line in told] == [
        ("Ben", -1, 1, False),
        ("Ada", 1, 2, True),
    ]
    assert [line.annotator for line in bulk.history(workspace, other)] == ["Ben"]


def test_the_panel_of_an_image_says_that_it_was_said_in_bulk(workspace: Workspace, watercolor: Attribute) -> None:
    bulk.answer(workspace, watercolor, [4], 1, annotator="Ada")
    assert image_facts.describe(workspace, 4).annotations == [(watercolor.name, "Ada", "yes (in bulk)")]


def test_invalid_bulk_answers_are_refused_with_a_reason(
    workspace: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AnnotationError, match="is not an answer"):
        bulk.answer(workspace, watercolor, [1], 7, annotator="me")
    with pytest.raises(AnnotationError, match="Select other images"):
        bulk.answer(workspace, watercolor, [], 1, annotator="me")
    with pytest.raises(NotFound):
        bulk.undo(workspace, "nothing")
    monkeypatch.setattr(bulk, "MAX_IMAGES", 3)
    with pytest.raises(AnnotationError, match="Select fewer"):
        bulk.answer(workspace, watercolor, range(4), 1, annotator="me")
    assert stored(workspace) == 0
