"""The images that show what a threshold decides: just above it, just below it, and at the top."""

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.labelling.label_states import label_version
from bam_engine.learning import is_accepted
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import latest_model, scores_of, scores_version
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import members
from bam_engine.workspace.memory import Kind

Rows = NDArray[np.int64]
_TOP = 6
_TOP_ACCEPTED = Kind[Rows](
    "top accepted images", of="attribute", until="a label, a score, the threshold or a file changes", limit=1000
)


@one_flow
def borderline(workspace: Workspace, attribute: Attribute, value: float, *, count: int = 12) -> tuple[Rows, Rows]:
    """Return up to ``count`` rows on each side of the score ``value``: at or above it, and below, the closest first.

    Of equally close ones, the first rows come first. Without a model, there are none.
    """
    if latest_model(workspace, attribute) is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    scores = scores_of(workspace, attribute)
    rows = np.flatnonzero(np.isfinite(scores) & members(workspace, len(scores)))
    known = scores[rows]
    accepted = is_accepted(known, value)
    above = _closest(rows[accepted], known[accepted], count)
    return above, _closest(rows[~accepted], -known[~accepted], count)


def _closest(rows: Rows, distances: NDArray[np.float32], count: int) -> Rows:
    """Return the ``count`` rows with the smallest distances, in order; only these are sorted."""
    if len(rows) > count:
        near = distances <= np.partition(distances, count - 1)[count - 1]
        rows, distances = rows[near], distances[near]
    return rows[np.argsort(distances, kind="stable")[:count]]


@one_flow
def top_accepted(workspace: Workspace, attribute: Attribute) -> Rows:
    """Return the delivered images with the highest scores, up to six, the highest first; none without a threshold."""
    model, threshold = latest_model(workspace, attribute), current_threshold(workspace, attribute)
    if model is None or threshold is None:
        return np.empty(0, np.int64)
    version = (
        label_version(workspace, attribute),
        scores_version(workspace, model),
        threshold.value,
        workspace.catalogue.missing_version,
    )

    def find() -> Rows:
        rows = np.flatnonzero(delivered_of(workspace, attribute).accepted)
        scores = scores_of(workspace, attribute)
        scored = rows[rows < len(scores)]
        values = np.nan_to_num(scores[scored], nan=-np.inf)
        highest = np.argpartition(-values, min(_TOP, len(values)) - 1)[:_TOP] if len(values) else np.empty(0, np.intp)
        return scored[highest[np.argsort(-values[highest], kind="stable")]]

    return workspace.memory.get(_TOP_ACCEPTED, attribute.id, version, find)
