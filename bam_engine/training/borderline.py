"""The images just above and just below a threshold, which show what it decides."""

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.training.models import latest_model, scores_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import members

Rows = NDArray[np.int64]


@one_flow
def borderline(workspace: Workspace, attribute: Attribute, value: float, *, count: int = 12) -> tuple[Rows, Rows]:
    """Return up to ``count`` rows on each side of the score ``value``: at or above it, and below, the closest first.

    Without a model, there are none.
    """
    if latest_model(workspace, attribute) is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    scores = scores_of(workspace, attribute)
    rows = np.flatnonzero(np.isfinite(scores) & members(workspace, len(scores)))
    order = rows[np.argsort(scores[rows], kind="stable")]
    first = int(np.searchsorted(scores[order], np.float32(value)))
    return order[first : first + count], order[max(0, first - count) : first][::-1]
