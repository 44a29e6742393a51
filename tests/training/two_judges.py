"""An attribute whose samples two people judge, for the tests of what wrong answers do."""

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.training import rounds, thresholds, validation
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def label(workspace: Workspace, oracle: Oracle, task: tasks.Task) -> None:
    """Let as many people answer as it takes."""
    for name in ("ada", "ben", "cleo"):
        oracle.answer(workspace, task, name=name)


def judge_by_two(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> None:
    """Let two people judge 60 images and one teach 12, and put a threshold in use."""
    workspace.judging_redundancy = 2
    validation.draw_validation(workspace, attribute, 60, seed=1)
    label(workspace, oracle, tasks.validation_task(workspace, attribute))
    label(workspace, oracle, rounds.start_round(workspace, attribute, count=12, seed=1).task)
    rounds.train(workspace, attribute)
    thresholds.save(workspace, attribute, thresholds.suggest(workspace, attribute, target=0.9))
