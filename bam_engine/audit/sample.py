"""Which images are judged in an audit, and in what order.

In:  the scores (N,) of one attribute, its threshold, projects. Out: rows of accepted and rejected images, shuffled
together. Knows nothing of who judges; whoever shows the rows does not show which half they come from.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import AuditError
from bam_engine.learning import spread_over_projects


@dataclass(frozen=True)
class AuditSample:
    """Rows in the order to show them, which of them are accepted, and how many of each could have been drawn."""

    rows: npt.NDArray[np.int64]
    accepted: npt.NDArray[np.bool_]
    n_accepted: int
    n_rejected: int


def draw_audit(
    scores: npt.NDArray[np.float32] | npt.NDArray[np.float64],
    threshold: float,
    *,
    groups: npt.ArrayLike | None = None,
    exclude: npt.ArrayLike | None = None,
    n_accepted: int = 100,
    n_rejected: int = 100,
    rng: np.random.Generator,
) -> AuditSample:
    """Draw accepted and rejected images by project and shuffle them together.

    Parameters
    ----------
    scores : (N,)
    threshold : float
        Accepted is a score of at least this.
    groups : (N,) int, optional
        The project of each image. None: every image is a project of its own.
    exclude : rows, optional
        Never drawn: every image with a label already (training and validation) and images that could not be embedded.

    Returns
    -------
    AuditSample
        All images of a half that holds fewer than were asked.

    Notes
    -----
    The precision is a share of images, so within each half every image must be equally likely; one image from each of
    some projects drawn alike would speak for small projects too much. Projects would also waste labels, were images
    simply drawn at random: near-copies say the same thing twice. Both are had by
    :func:`bam_engine.learning.spread_over_projects`: each image comes with the same probability, so the plain share is
    unbiased and needs no weights.

    The two halves together say nothing of recall: where few images are accepted, 100 of the many rejected ones cannot
    tell how many positives they hide.

    Raises
    ------
    AuditError
        No accepted image is left to judge.
    """
    free = np.ones(len(scores), dtype=bool)
    if exclude is not None:
        free[np.asarray(exclude, dtype=np.int64)] = False
    if not np.isfinite(threshold):
        raise AuditError(f"a threshold is a finite number; {threshold} was given. Choose a threshold first.")
    above = np.flatnonzero(free & (scores >= threshold))
    below = np.flatnonzero(free & ~(scores >= threshold))
    if len(above) == 0:
        raise AuditError(
            f"no unlabelled image scores {threshold:.3f} or more: there is nothing to audit. "
            "Choose a lower threshold or label another round."
        )
    project = np.arange(len(scores)) if groups is None else np.asarray(groups)
    yes = spread_over_projects(above, project[above], min(n_accepted, len(above)), rng=rng)
    no = spread_over_projects(below, project[below], min(n_rejected, len(below)), rng=rng)
    order = rng.permutation(len(yes) + len(no))
    accepted = np.repeat([True, False], [len(yes), len(no)])[order]
    return AuditSample(np.concatenate([yes, no])[order].astype(np.int64), accepted, len(above), len(below))
