"""Disputes are settled by decisions that count everywhere a label does."""

import csv
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute, Decisions, NewAnswer
from bam_engine.audit import audits, labels_by_consensus
from bam_engine.errors import AnnotationError
from bam_engine.labelling import adjudication, assigning, tasks
from bam_engine.reporting.export import export
from bam_engine.reporting.image_facts import describe
from bam_engine.reporting.overview import waiting_tasks
from bam_engine.training import rounds, thresholds
from bam_engine.training.querying import round_labels
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import decide, vote, waiting


def test_disputed_is_what_enough_people_answered_without_agreeing(team: Workspace, watercolor: Attribute) -> None:
    assert waiting(team, watercolor) == [2, 3, 4]
    vote(team, watercolor, "cleo", {3: -1})
    assert waiting(team, watercolor) == [3, 2, 4], "the most answered first"
    vote(team, watercolor, "dan", {3: 1})
    assert waiting(team, watercolor) == [3, 2, 4], "a yes that somebody contradicts leads by two"
    vote(team, watercolor, "finn", {3: 1})
    assert waiting(team, watercolor) == [2, 4], "three against one agree"
    vote(team, watercolor, "cleo", {2: 0})
    assert waiting(team, watercolor) == [4], "and so do two of three on a no"
    team.redundancy = 3
    assert waiting(team, watercolor) == [2], "the others wait for a third person"


def test_one_person_alone_disputes_nothing(workspace: Workspace, watercolor: Attribute) -> None:
    vote(workspace, watercolor, "ada", {0: -1, 1: 1})
    assert waiting(workspace, watercolor) == []
    vote(workspace, watercolor, "ben", {1: 0})
    assert waiting(workspace, watercolor) == [1]


def test_who_has_not_answered_before_is_asked_in_order_and_who_has_gets_those_last(
    team: Workspace, watercolor: Attribute
) -> None:
    vote(team, watercolor, "cleo", {2: -1, 3: -1})
    task = tasks.adjudication_task(team, watercolor)
    assert task.rows.tolist() == [2, 3, 4]
    cleo = team.annotations.annotator("cleo")
    assert assigning.rows_for(team, task, cleo).tolist() == [4, 2, 3]
    assert [(one.row, one.votes, one.answered_before) for one in adjudication.disputes(team, watercolor, "cleo")] == [
        (4, (0, 0, 2), False),
        (2, (1, 1, 1), True),
        (3, (1, 1, 1), True),
    ]
    assert "eve" not in {who.name for who in team.annotations.annotators()}, "looking enters nobody"


def test_nobody_comes_to_adjudicate_unasked(team: Workspace, watercolor: Attribute) -> None:
    assert "adjudication" not in [task.purpose for task in waiting_tasks(team, watercolor, "eve")]
    assert waiting_tasks(team, watercolor, "eve", adjudicating=True)[0].purpose == "adjudication"


# What a decision does


def test_a_decision_is_the_label_and_is_not_asked_again(team: Workspace, watercolor: Attribute) -> None:
    decide(team, watercolor, "eve", {2: 0, 3: 1, 4: -1})
    found = tasks.labels(team, watercolor)
    assert tasks.labels_of(found, np.array([0, 1, 2, 3, 4, 5])).tolist() == [1, 0, 0, 1, -1, -1]
    assert found.counts[2].tolist() == [1, 1, 0], "no vote was added"
    assert waiting(team, watercolor) == []
    assert assigning.open_task(team, tasks.adjudication_task(team, watercolor), "dan") is None
    assert [(one.row, one.answer, one.annotator, one.votes) for one in adjudication.decided(team, watercolor)] == [
        (4, -1, "eve", (0, 0, 2)),
        (3, 1, "eve", (1, 1, 0)),
        (2, 0, "eve", (1, 1, 0)),
    ]


def test_a_round_whose_disputes_are_decided_is_complete_and_trains_on_the_decisions(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    workspace.redundancy = 2
    task = rounds.start_round(workspace, watercolor, count=6, seed=1).task
    oracle.answer(workspace, task, name="ada")
    oracle.answer(workspace, task, name="ben", wrong=True)
    assert tasks.state(workspace, task).disputed == 6
    assert len(round_labels(workspace, watercolor)[0]) == 0
    first, second, third, *_ = task.rows.tolist()
    decide(workspace, watercolor, "eve", {first: 1, second: 0, third: -1})
    rows, labels = round_labels(workspace, watercolor)
    assert dict(zip(rows.tolist(), labels.tolist(), strict=True)) == {first: 1, second: 0}
    found = tasks.state(workspace, task)
    assert (found.answered, found.settled, found.positive, found.disputed) == (6, 2, 1, 3)
    left = assigning.rows_for(workspace, task, workspace.annotations.annotator("dan")).tolist()
    assert left == [row for row in task.rows.tolist() if row not in (first, second, third)]


def test_a_decision_stands_when_the_votes_are_withdrawn(team: Workspace, watercolor: Attribute) -> None:
    decide(team, watercolor, "eve", {2: 1})
    for name in ("ada", "ben"):
        vote(team, watercolor, name, {2: -2})
    found = tasks.labels(team, watercolor)
    assert tasks.labels_of(found, np.array([2])).tolist() == [1]
    assert adjudication.decided(team, watercolor)[0].votes == (0, 0, 0)
    task = tasks.Task(watercolor, "validation", 0, "", np.array([2, 3, 9]))
    assert tasks.state(team, task).answered == 2, "a decided image needs nobody"


def test_an_image_whose_decision_is_retracted_waits_again(team: Workspace, watercolor: Attribute) -> None:
    decide(team, watercolor, "eve", {2: 1, 3: 1})
    with pytest.raises(AnnotationError, match="ada has no decision about image 2"):
        adjudication.retract(team, watercolor, 2, "ada")
    adjudication.retract(team, watercolor, 2, "eve")
    assert waiting(team, watercolor) == [2, 4]
    assert [one.row for one in adjudication.decided(team, watercolor)] == [3]
    with pytest.raises(AnnotationError, match="to retract"):
        adjudication.retract(team, watercolor, 2, "eve")


def test_an_adjudication_under_way_goes_on_until_somebody_else_decides_what_is_left(
    team: Workspace, watercolor: Attribute
) -> None:
    task = tasks.adjudication_task(team, watercolor)
    first = assigning.open_task(team, task, "eve")
    assert first is not None
    assert first.rows == (2, 3, 4)
    team.annotations.record(first.id, [NewAnswer("a", 2, 1)])
    assert assigning.open_task(team, tasks.adjudication_task(team, watercolor), "eve") == first
    decide(team, watercolor, "dan", {3: 0})
    again = assigning.open_task(team, tasks.adjudication_task(team, watercolor), "eve")
    assert again is not None
    assert again.rows == (4,)
    vote(team, watercolor, "cleo", {4: 1})
    vote(team, watercolor, "dan", {4: 1})
    assert assigning.open_task(team, tasks.adjudication_task(team, watercolor), "eve") is None, "the votes agree by now"


def test_an_audit_takes_a_decision_for_a_judgement(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    oracle.play(workspace, watercolor, count=2)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    workspace.redundancy = 2
    drawn = audits.draw(workspace, watercolor, n_accepted=4, n_rejected=2, seed=1)
    oracle.answer(workspace, drawn.task, name="ada")
    oracle.answer(workspace, drawn.task, name="ben", wrong=True)
    before = audits.results(workspace, watercolor)[-1]
    assert before.state.disputed == 6
    assert before.precision is not None
    assert before.precision.k == 0, "an image without agreement does not count as positive"
    decide(workspace, watercolor, "eve", dict.fromkeys(drawn.task.rows.tolist(), 1))
    found = audits.results(workspace, watercolor)[-1]
    assert found.state.disputed == 0
    assert found.precision is not None
    assert (found.precision.k, found.precision.n) == (4, 4)
    assert found.by_any == before.by_any, "a decision is no vote"


def test_judgements_of_an_audit_follow_the_decision_and_not_the_votes() -> None:
    decisions = Decisions(np.array([7, 8]), np.array([3, 3]), np.array([0, -1], np.int8), np.array([1, 2]))
    found = labels_by_consensus([7, 7, 8, 9], [1, 1, 1, 1], redundancy=1, decisions=decisions)
    assert found.of([7, 8, 9]).tolist() == [0, 0, 1], "decided unsure is not positive"
    lone = Decisions(np.array([5]), np.array([3]), np.array([1], np.int8), np.array([1]))
    assert labels_by_consensus([7], [1], redundancy=2, decisions=lone).of([5, 7]).tolist() == [1, -1]


def test_the_export_keeps_votes_and_decisions_apart(team: Workspace, watercolor: Attribute, tmp_path: Path) -> None:
    decide(team, watercolor, "ada", {2: 0, 4: -1})
    (path,) = export(team, tmp_path / "out.sqlite", form="sqlite")
    connection = sqlite3.connect(path)
    crowd = dict(connection.execute("select mid, label from crowd_labels"))
    raw = connection.execute("select mid, label from crowd_raw_choices order by mid").fetchall()
    ruled = connection.execute("select mid, attribute, worker_id, label from adjudications").fetchall()
    hits = connection.execute("select count(*) from crowd_raw_hits").fetchone()[0]
    connection.close()
    ids = [image.id for image in team.catalogue.images(range(6))]
    assert crowd == {ids[0]: "positive", ids[1]: "negative", ids[2]: "negative"}
    assert sorted((mid, label) for mid, label in raw if mid == ids[2]) == [(ids[2], 0), (ids[2], 1)]
    assert len(raw) == 11
    assert hits == 2
    assert sorted(ruled, key=str) == sorted(
        [(ids[2], "media_watercolor", "ada", 0), (ids[4], "media_watercolor", "ada", None)], key=str
    )
    export(team, tmp_path / "csv", form="csv")
    with (tmp_path / "csv" / "annotations.csv").open(newline="", encoding="utf-8") as file:
        kinds = [line["kind"] for line in csv.DictReader(file)]
    assert (kinds.count("vote"), kinds.count("decision")) == (11, 2)


def test_the_image_panel_tells_a_decision_from_a_vote(team: Workspace, watercolor: Attribute) -> None:
    decide(team, watercolor, "eve", {2: 0})
    assert [(name, answer) for _, name, answer in describe(team, 2).annotations] == [
        ("ada", "yes"),
        ("ben", "no"),
        ("eve", "no (decision)"),
    ]
