"""The answers that a person may still change as votes: those that teach, and those that no score exists for."""

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.training import rounds, validation
from bam_engine.training.last_answers import last_answers
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def test_the_validation_sample_can_be_corrected_until_there_are_scores_and_then_the_newest_round_can(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    assert last_answers(workspace, watercolor, "oracle") is None
    validation.draw_validation(workspace, watercolor, 40, seed=1)
    task = tasks.validation_task(workspace, watercolor)
    oracle.answer(workspace, task)
    last = last_answers(workspace, watercolor, "ORACLE")
    assert last is not None
    assert (last.title, [one.row for one in last.answers]) == (task.title, task.rows.tolist())
    assert all(one.answer == oracle.knows(workspace, one.row) for one in last.answers)
    for number in (1, 2):
        oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=12, seed=number).task)
        rounds.train(workspace, watercolor)
        last = last_answers(workspace, watercolor, "oracle")
        assert last is not None
        assert (last.title, len(last.answers)) == (f"Round {number}", 12)


def test_nobody_changes_the_answers_of_others(played: Workspace, watercolor: Attribute) -> None:
    played.annotations.annotator("eve")
    assert last_answers(played, watercolor, "eve") is None
