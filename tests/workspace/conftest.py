"""A team of annotators for the tests of disputes and of agreement: how they vote, and what they said."""

import uuid
from collections.abc import Mapping

import pytest

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.workspace import Workspace, adjudication, tasks


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
    assignment = tasks.open_task(workspace, tasks.adjudication_task(workspace, attribute), name)
    assert assignment is not None
    answers = [NewAnswer(uuid.uuid4().hex, row, answer) for row, answer in said.items()]
    workspace.annotations.record(assignment.id, answers)


def waiting(workspace: Workspace, attribute: Attribute, name: str = "eve") -> list[int]:
    return [one.row for one in adjudication.disputes(workspace, attribute, name)]


@pytest.fixture
def team(workspace: Workspace, watercolor: Attribute) -> Workspace:
    """Ada and ben, of whom two must agree: 0 and 1 settled, 2 and 3 disputed, 4 doubted by both, 5 seen by one."""
    workspace.redundancy = 2
    vote(workspace, watercolor, "ada", {0: 1, 1: 0, 2: 1, 3: 0, 4: -1, 5: 1})
    vote(workspace, watercolor, "ben", {0: 1, 1: 0, 2: 0, 3: 1, 4: -1})
    return workspace
