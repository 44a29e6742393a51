"""A direct answer labels an image at once and teaches, and stays out of everything that judges."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bam_engine.annotation import DIRECT, Assignment, Attribute
from bam_engine.annotation.answer_store import Annotations
from bam_engine.audit import audits
from bam_engine.errors import AnnotationError
from bam_engine.labelling import agreement, assigning, direct_answers, tasks
from bam_engine.labelling.direct_answers import NewerLabel
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.reporting.export import export
from bam_engine.reporting.image_facts import describe
from bam_engine.training import certification, delivered, rounds, thresholds, validation
from bam_engine.training.direct_effects import effect
from bam_engine.training.evaluation import evaluate
from bam_engine.training.querying import query_pool, round_labels, training_labels
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote, waiting


def label(workspace: Workspace, attribute: Attribute, row: int) -> int:
    return int(tasks.labels_of(tasks.labels(workspace, attribute), np.array([row]))[0])


def never_asked(workspace: Workspace, attribute: Attribute) -> list[int]:
    """The images that nobody was asked about, nor about another one of their project."""
    return query_pool(workspace, attribute).tolist()


def answer(workspace: Workspace, attribute: Attribute, row: int, value: int | None, name: str = "eve") -> None:
    direct_answers.answer(workspace, attribute, row, value, annotator=name)


# The label


def test_an_image_that_nobody_was_asked_about_gets_a_label_which_can_be_changed_and_undone(
    workspace: Workspace, watercolor: Attribute
) -> None:
    before = direct_answers.answer(workspace, watercolor, 5, 1, annotator="eve")
    assert (before.mark, before.own) == ("", None)
    assert direct_answers.standing(workspace, watercolor, 5, "eve") == direct_answers.Standing("yes", 1)
    before = direct_answers.answer(workspace, watercolor, 5, -1, annotator="eve")
    assert (before.mark, before.own) == ("yes", 1)
    assert label(workspace, watercolor, 5) == -1
    answer(workspace, watercolor, 5, before.own)
    assert label(workspace, watercolor, 5) == 1, "undone: it is what it was"
    answer(workspace, watercolor, 5, None)
    assert direct_answers.standing(workspace, watercolor, 5, "eve") == direct_answers.Standing("", None)


def test_a_label_of_a_round_is_corrected_whatever_the_votes_and_the_votes_stay(
    played: Workspace, watercolor: Attribute
) -> None:
    rows, labels = round_labels(played, watercolor)
    row, before = int(rows[0]), int(labels[0])
    votes = played.annotations.answers(watercolor.id).answers.tolist()
    answer(played, watercolor, row, 1 - before)
    assert label(played, watercolor, row) == 1 - before
    assert played.annotations.answers(watercolor.id).answers.tolist() == votes
    answer(played, watercolor, row, None)
    assert label(played, watercolor, row) == before


def test_of_two_people_who_correct_a_label_the_later_one_counts(played: Workspace, watercolor: Attribute) -> None:
    row = int(round_labels(played, watercolor)[0][0])
    answer(played, watercolor, row, 1, "eve")
    answer(played, watercolor, row, 0, "dan")
    assert label(played, watercolor, row) == 0
    answer(played, watercolor, row, None, "dan")
    assert label(played, watercolor, row) == 1


def test_where_two_people_are_required_one_alone_gives_no_label_but_corrects_one(
    team: Workspace, watercolor: Attribute
) -> None:
    """Both required people agree on image 0; nobody has seen image 90; ada and ben differ about image 2."""
    answer(team, watercolor, 90, 1)
    assert (label(team, watercolor, 90), effect(team, watercolor, 90)) == (
        -1,
        "It has a label once 2 people have answered.",
    )
    answer(team, watercolor, 90, 1, "dan")
    assert label(team, watercolor, 90) == 1
    assert label(team, watercolor, 0) == 1
    answer(team, watercolor, 0, 0, "ada")
    assert label(team, watercolor, 0) == 0, "who voted before is one of the two"


def test_an_answer_to_what_others_have_changed_meanwhile_is_refused_and_says_what_it_is(
    played: Workspace, watercolor: Attribute
) -> None:
    row = never_asked(played, watercolor)[0]
    answer(played, watercolor, row, 1)
    with pytest.raises(NewerLabel, match=f"Image {row} was answered elsewhere and is labelled yes") as refused:
        direct_answers.answer(played, watercolor, row, 0, annotator="eve", seen="")
    assert refused.value.mark == "yes"
    assert label(played, watercolor, row) == 1
    direct_answers.answer(played, watercolor, row, 1, annotator="eve", seen="")  # both say the same
    direct_answers.answer(played, watercolor, row, 0, annotator="eve", seen="yes")
    assert label(played, watercolor, row) == 0


def test_an_answer_that_others_overtake_between_the_look_and_the_storing_is_refused_too(
    played: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, other, third = never_asked(played, watercolor)[:3]
    assign, meanwhile = Annotations.assign, [row, third]

    def assign_later(store: Annotations, *of: Any, **options: Any) -> Assignment:
        if meanwhile and options["purpose"] == DIRECT:
            vote(played, watercolor, "ben", {meanwhile.pop(): 1}, purpose="round")
        return assign(store, *of, **options)

    monkeypatch.setattr(Annotations, "assign", assign_later)
    direct_answers.answer(played, watercolor, other, 0, annotator="eve", seen="")
    assert label(played, watercolor, other) == 0, "ben has answered about another image"
    with pytest.raises(NewerLabel) as refused:
        direct_answers.answer(played, watercolor, row, 0, annotator="eve", seen="")
    assert refused.value.mark == "yes"
    assert label(played, watercolor, row) == 1


@pytest.mark.parametrize(("row", "value"), [(120, 1), (-1, 1), (3, 2), (3, -2)])
def test_only_known_answers_to_images_of_the_collection_are_stored(
    played: Workspace, watercolor: Attribute, row: int, value: int
) -> None:
    with pytest.raises(AnnotationError):
        answer(played, watercolor, row, value)


# The classifier


def test_an_answer_is_learned_at_the_next_training_and_said_to_be(played: Workspace, watercolor: Attribute) -> None:
    row = never_asked(played, watercolor)[0]
    model = rounds.state(played, watercolor).model
    assert model is not None
    assert effect(played, watercolor, row) == ""
    answer(played, watercolor, row, 1)
    assert row in training_labels(played, watercolor)[0]
    assert effect(played, watercolor, row) == "It is not learned until the next training."
    assert not rounds.is_current(played, watercolor, model)
    trained = rounds.train(played, watercolor)
    assert (trained.data.labels, trained.data.in_bulk) == ((model.data.labels or 0) + 1, 0)
    assert effect(played, watercolor, row) == "The classifier has learned it."


def test_direct_answers_alone_train_a_classifier(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    for row in range(0, 120, 4):
        answer(workspace, watercolor, row, int(oracle.knows(workspace, row)))
    assert rounds.train(workspace, watercolor).data.labels == 30


def test_no_round_asks_about_an_image_with_a_direct_answer(played: Workspace, watercolor: Attribute) -> None:
    row, other = never_asked(played, watercolor)[:2]
    answer(played, watercolor, row, -1)
    assert row not in query_pool(played, watercolor)
    task = rounds.start_round(played, watercolor, count=1, seeds=[other], seed=0).task
    answer(played, watercolor, int(task.rows[0]), 1)
    assert tasks.state(played, task).complete
    assert len(assigning.rows_for(played, task, played.annotations.annotator("eve"))) == 0


# What judges


def test_a_direct_answer_does_not_answer_for_the_validation_sample(workspace: Workspace, watercolor: Attribute) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    task = tasks.validation_task(workspace, watercolor)
    row = int(task.rows[0])
    answer(workspace, watercolor, row, 1)
    assert label(workspace, watercolor, row) == 1
    assert tasks.state(workspace, task).answered == 0
    assert row in assigning.rows_for(workspace, task, workspace.annotations.annotator("eve"))
    assert row not in training_labels(workspace, watercolor)[0]


def test_an_image_that_was_answered_directly_can_be_drawn_and_then_no_longer_teaches(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    taught = range(0, 120, 4)
    for row in taught:
        answer(workspace, watercolor, row, int(oracle.knows(workspace, row)))
    rounds.train(workspace, watercolor)
    validation.draw_validation(workspace, watercolor, 60, seed=1)
    drawn = tasks.validation_task(workspace, watercolor).rows
    assert np.isin(drawn, taught).any()
    assert not np.isin(training_labels(workspace, watercolor)[0], drawn).any()
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    measured = validation.labelled_sample(workspace, watercolor, drawn).rows
    assert not np.isin(measured, taught).any(), "the model may have learned these"


def test_correcting_labels_that_judge_changes_what_is_delivered_and_nothing_that_is_measured(
    played: Workspace, watercolor: Attribute
) -> None:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    before, counts = evaluate(played, watercolor, target=0.6), delivered.counts_of(played, watercolor)
    for row in held_out_rows(played, watercolor).tolist():
        answer(played, watercolor, row, 1)
        assert "What is delivered follows it" in effect(played, watercolor, row)
    after = evaluate(played, watercolor, target=0.6)
    assert (after.average_precision, after.threshold) == (before.average_precision, before.threshold)
    assert delivered.counts_of(played, watercolor).by_people > counts.by_people


def test_an_audit_counts_blind_answers_and_never_draws_what_was_answered(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    free = never_asked(played, watercolor)
    for row in free[:10]:
        answer(played, watercolor, row, int(oracle.knows(played, row)))
    audit = audits.draw(played, watercolor, n_accepted=4, n_rejected=4, seed=1)
    assert not np.isin(audit.task.rows, free[:10]).any()
    oracle.answer(played, audit.task)
    before = audits.latest_result(played, watercolor)
    for row in audit.task.rows.tolist():
        answer(played, watercolor, row, 1 - label(played, watercolor, row))
    after = audits.latest_result(played, watercolor)
    assert before is not None
    assert after is not None
    assert before.precision is not None
    assert (after.precision, after.missed, after.state) == (before.precision, before.missed, before.state)


def test_a_certification_asks_blind_about_images_that_were_answered_since(
    played: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 4)
    known = never_asked(played, watercolor)[0]
    answer(played, watercolor, known, 1)
    started = certification.start(played, watercolor, planned=10, seed=1)
    assert known in started.certification.known
    pilot = started.certification.task.rows.tolist()
    for row in pilot:
        answer(played, watercolor, row, 1)
    assert certification.state(played, started.certification).task.answered == 0


def test_direct_answers_are_no_votes_of_the_agreement_and_settle_disputes_of_rounds_alone(
    team: Workspace, watercolor: Attribute
) -> None:
    before = agreement.planned_answers(team, watercolor)
    assert waiting(team, watercolor) == [2, 3, 4]
    answer(team, watercolor, 2, 1)
    assert waiting(team, watercolor) == [3, 4]
    after = agreement.planned_answers(team, watercolor)
    assert (before.rows.tolist(), before.answers.tolist()) == (after.rows.tolist(), after.answers.tolist())


# What is said and written


def test_the_image_and_the_export_say_that_an_answer_was_direct(
    team: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    vote(team, watercolor, "eve", {3: 1}, "round")
    answer(team, watercolor, 3, 0)
    assert ("eve", "no (directly)") in [(name, said) for _, name, said in describe(team, 3).annotations]
    paths = export(team, tmp_path / "dataset", form="csv")
    annotations = next(path for path in paths if path.name == "annotations.csv")
    with annotations.open(newline="", encoding="utf-8") as file:
        lines = [line for line in csv.DictReader(file) if line["annotator"] == "eve"]
    assert sorted(line["kind"] for line in lines) == ["decision", "vote"]
