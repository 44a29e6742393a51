"""Who is asked what: one person alone, two who agree, two who do not."""

import uuid

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.labelling import assigning, tasks
from bam_engine.training import rounds, validation
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def test_one_person_alone_completes_a_task(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    task = rounds.start_round(workspace, watercolor, count=8, seed=1).task
    oracle.answer(workspace, task)
    found = tasks.state(workspace, task)
    assert (found.total, found.answered, found.settled, found.disputed) == (8, 8, 8, 0)
    assert found.positive == sum(oracle.knows(workspace, row) for row in task.rows)
    assert assigning.open_task(workspace, task, "somebody else") is None


def test_two_must_agree_when_two_are_asked(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    workspace.redundancy = 2
    task = rounds.start_round(workspace, watercolor, count=8, seed=1).task
    oracle.answer(workspace, task, name="ada")
    assert tasks.state(workspace, task).answered == 0
    assert assigning.open_task(workspace, task, "ada") is None
    oracle.answer(workspace, task, name="ben")
    assert tasks.state(workspace, task).settled == 8


def test_one_person_teaches_and_two_judge(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    workspace.redundancy, workspace.judging_redundancy = 1, 2
    validation.draw_validation(workspace, watercolor, 6, seed=1)
    judging = tasks.validation_task(workspace, watercolor)
    teaching = rounds.start_round(workspace, watercolor, count=8, seed=1).task
    assert (tasks.required_votes(workspace, teaching), tasks.required_votes(workspace, judging)) == (1, 2)
    for task in (judging, teaching):
        oracle.answer(workspace, task, name="ada")
    assert tasks.state(workspace, teaching).settled == 8
    assert tasks.state(workspace, judging).answered == 0
    assert set(tasks.labels(workspace, watercolor).rows[tasks.labels(workspace, watercolor).settled]) == set(
        teaching.rows.tolist()
    )
    assert assigning.open_task(workspace, teaching, "ben") is None, "nobody else is needed"
    oracle.answer(workspace, judging, name="ben", wrong=True)
    disputed = tasks.adjudication_task(workspace, watercolor).rows
    assert set(disputed.tolist()) == set(judging.rows.tolist())
    for name in ("cleo", "dan"):
        oracle.answer(workspace, judging, name=name)
    assert tasks.state(workspace, judging).settled == 6


def test_another_number_of_votes_changes_the_labels_that_it_is_about(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    validation.draw_validation(workspace, watercolor, 6, seed=1)
    judging = tasks.validation_task(workspace, watercolor)
    teaching = rounds.start_round(workspace, watercolor, count=8, seed=1).task
    oracle.answer(workspace, judging)
    oracle.answer(workspace, teaching)

    def settled() -> tuple[int, int]:
        return tasks.state(workspace, teaching).settled, tasks.state(workspace, judging).settled

    assert settled() == (8, 6)
    workspace.judging_redundancy = 2
    assert settled() == (8, 0)
    workspace.redundancy = 2
    assert settled() == (0, 0)
    workspace.redundancy, workspace.judging_redundancy = 1, 1
    assert settled() == (8, 6)


def test_a_dispute_is_shown_to_a_third_person_who_settles_a_no_and_to_a_fourth_for_a_yes(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    workspace.redundancy = 2
    task = rounds.start_round(workspace, watercolor, count=8, seed=1).task
    oracle.answer(workspace, task, name="ada")
    oracle.answer(workspace, task, name="ben", wrong=True)
    found = tasks.state(workspace, task)
    assert (found.answered, found.settled, found.disputed) == (8, 0, 8)
    oracle.answer(workspace, task, name="cleo")
    yes = [row for row in task.rows.tolist() if oracle.knows(workspace, row)]
    found = tasks.state(workspace, task)
    assert 0 < len(yes) < 8
    assert (found.settled, found.positive, found.disputed) == (8 - len(yes), 0, len(yes))
    fourth = assigning.open_task(workspace, task, "dan")
    assert fourth is not None
    assert list(fourth.rows) == yes
    oracle.answer(workspace, task, name="dan")
    assert tasks.state(workspace, task).settled == 8


def test_an_assignment_under_way_goes_on_where_it_was(workspace: Workspace, watercolor: Attribute) -> None:
    task = rounds.start_round(workspace, watercolor, count=8, seed=1).task
    first = assigning.open_task(workspace, task, "ada")
    assert first is not None
    workspace.annotations.record(first.id, [NewAnswer(uuid.uuid4().hex, first.rows[0], 1)])
    again = assigning.open_task(workspace, task, "ada")
    assert again == first
    assert workspace.annotations.answered_rows(first.id) == {first.rows[0]: 1}


def test_unsure_answers_are_answers_without_a_label(workspace: Workspace, watercolor: Attribute) -> None:
    task = rounds.start_round(workspace, watercolor, count=4, seed=1).task
    assignment = assigning.open_task(workspace, task, "ada")
    assert assignment is not None
    workspace.annotations.record(assignment.id, [NewAnswer(uuid.uuid4().hex, row, -1) for row in assignment.rows])
    found = tasks.state(workspace, task)
    assert found.complete
    assert found.settled == 0
    assert assigning.open_task(workspace, task, "ada") is None
