"""The class balance of a selection: how its images are decided for each attribute, and what people say of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.training.delivered import Delivered, delivered_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow


@dataclass(frozen=True)
class ClassBalance:
    """How many images of a selection are accepted, rejected and undecided for an attribute.

    ``labelled_yes`` of the accepted and ``labelled_no`` of the rejected ones are labelled by people.
    """

    attribute: Attribute
    accepted: int
    rejected: int
    undecided: int
    labelled_yes: int
    labelled_no: int


@one_flow
def class_balance(workspace: Workspace, rows: Sequence[int] | NDArray[np.int64]) -> list[ClassBalance]:
    """Return the class balance of the images ``rows`` for each attribute that decides any, in order of definition.

    Removed images are in none.
    """
    every = [
        _balance(attribute, delivered_of(workspace, attribute), np.asarray(rows, np.int64))
        for attribute in workspace.attributes.all()
    ]
    return [balance for balance in every if balance.accepted or balance.rejected]


def _balance(attribute: Attribute, delivered: Delivered, rows: NDArray[np.int64]) -> ClassBalance:
    """Count the reasons of the decisions about ``rows``."""
    counts = Delivered(delivered.threshold, delivered.reasons[rows]).counts
    return ClassBalance(
        attribute=attribute,
        accepted=counts.accepted,
        rejected=counts.rejected,
        undecided=counts.unsure + counts.unlabelled,
        labelled_yes=counts.by_people,
        labelled_no=counts.rejected_by_people,
    )
