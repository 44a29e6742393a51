"""What an audit found wrong: accepted images that are not positive, and rejected ones that are.

It says nothing before the audit is complete, so that nobody who judges learns which images are accepted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.audit.audits import AuditResult
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import audit_images
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mistakes:
    """Rows of an audit's sample by blind answers, ascending: ``wrong`` are accepted, ``missed`` are rejected."""

    wrong: Rows
    missed: Rows


@one_flow
def mistakes(workspace: Workspace, result: AuditResult) -> Mistakes:
    """Return what an audit found wrong; nothing while it is open."""
    nothing = np.empty(0, np.int64)
    if not result.complete:
        return Mistakes(nothing, nothing)
    sample = audit_images(workspace, result.id)
    agreed = tasks.labels_by(workspace, result.attribute, result.people, blind=True)
    judged = tasks.judged_labels_of(agreed, sample.rows)
    wrong, missed = sample.accepted & (judged == 0), ~sample.accepted & (judged == 1)
    return Mistakes(np.sort(sample.rows[wrong]), np.sort(sample.rows[missed]))
