"""Annotate, where several tasks wait: it opens with the one that the next step is about."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import tasks
from bam_engine.reporting.overview import waiting_tasks
from bam_engine.training import rounds, validation
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def test_of_several_tasks_it_opens_with_the_one_that_the_next_step_is_about(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    workspace.judging_redundancy = 2
    validation.draw_validation(workspace, watercolor, 6, seed=1)
    sample = tasks.validation_task(workspace, watercolor)
    oracle.answer(workspace, sample, name="ada")
    oracle.answer(workspace, sample, name="ben", wrong=True)  # a further person could settle what they dispute
    rounds.start_round(workspace, watercolor, count=6, seed=1)
    assert guidance_of(workspace, watercolor).step == "label_round"
    assert [task.title for task in waiting_tasks(workspace, watercolor, "me")] == ["Validation sample", "Round 1"]
    app = open_page(workspace, "annotate", attribute=watercolor.name)
    assert not app.exception
    assert app.session_state[f"task-{watercolor.id}-False"] == "Round 1"
