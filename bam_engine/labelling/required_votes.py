"""What another number of required votes would do to the labels of every attribute, and the change itself."""

from dataclasses import dataclass

import numpy as np

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow


@dataclass(frozen=True)
class VotesEffect:
    """What would happen to the images of an attribute.

    Of the ``settled`` images, which have a label, ``opened`` ones would lose it and wait for a vote or a decision.
    ``closed`` ones have none and would get one.
    """

    attribute: Attribute
    settled: int
    opened: int
    closed: int

    @property
    def then(self) -> int:
        """How many images would have a label."""
        return self.settled - self.opened + self.closed


@one_flow
def effects(workspace: Workspace, teaching: int, judging: int) -> list[VotesEffect]:
    """Return what happens to each attribute if so many must agree on an image of a round, and on one that judges.

    Attributes come in the order of the workspace; those about which nobody has answered are left out.
    """
    result = []
    for attribute in workspace.attributes.all():
        now = tasks.labels(workspace, attribute)
        if not len(now.rows):
            continue
        then = tasks.labels_by(workspace, attribute, teaching, judging=judging)
        before, after = now.rows[now.settled], then.rows[then.settled]
        opened, closed = len(np.setdiff1d(before, after)), len(np.setdiff1d(after, before))
        result.append(VotesEffect(attribute, len(before), opened, closed))
    return result


def require(workspace: Workspace, teaching: int, judging: int) -> None:
    """Require so many votes of an image of a round, and of one that judges."""
    workspace.judging_redundancy, workspace.redundancy = judging, teaching
