"""A team of annotators for the tests of disputes and of agreement: how they vote, and what they said."""

import uuid
from collections.abc import Mapping

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.labelling import adjudication, assigning, tasks
from bam_engine.workspace import Workspace


def vote(
    workspace: Workspace, attribute: Attribute, name: str, said: Mapping[int, int], purpose: str = "validation"
) -> str:
    """Let ``name`` answer; return the assignment."""
    who = workspace.annotations.annotator(name)
    made = workspace.annotations.assign(attribute.id, who, list(said), purpose=purpose, source_id=0)
    workspace.annotations.record(made.id, [NewAnswer(uuid.uuid4().hex, row, answer) for row, answer in said.items()])
    return made.id


def decide(workspace: Workspace, attribute: Attribute, name: str, said: Mapping[int, int]) -> None:
    """Let ``name`` decide the images, through the task as the grid does."""
    assignment = assigning.open_task(workspace, tasks.adjudication_task(workspace, attribute), name)
    assert assignment is not None
    answers = [NewAnswer(uuid.uuid4().hex, row, answer) for row, answer in said.items()]
    workspace.annotations.record(assignment.id, answers)


def waiting(workspace: Workspace, attribute: Attribute, name: str = "eve") -> list[int]:
    return [one.row for one in adjudication.disputes(workspace, attribute, name)]
