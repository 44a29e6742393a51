"""The sample of an audit: accepted and rejected images, shuffled so that annotators cannot tell them apart."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import AuditError
from bam_engine.formatting import decimal
from bam_engine.learning import is_accepted, spread_over_projects


@dataclass(frozen=True)
class AuditSample:
    """Rows (n,) in the order to show them, whether each is accepted (n,), and how many of each could be drawn."""

    rows: npt.NDArray[np.int64]
    accepted: npt.NDArray[np.bool_]
    n_accepted: int
    n_rejected: int

    def without(self, rows: npt.NDArray[np.int64]) -> "AuditSample":
        """Return the sample without ``rows``, which could not have been drawn; the others are as likely as before."""
        stay = ~np.isin(self.rows, rows)
        accepted = int((self.accepted & ~stay).sum())
        rejected = int((~stay).sum()) - accepted
        return AuditSample(self.rows[stay], self.accepted[stay], self.n_accepted - accepted, self.n_rejected - rejected)


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
    """Draw accepted and rejected images, spread over projects, and shuffle them together.

    Parameters
    ----------
    scores : (N,)
    threshold : float
        Images with at least this score are accepted.
    groups : (N,) int, optional
        The project of each image. None: each image is its own project.
    exclude : rows, optional
        Never drawn: images with a label (training and validation) and images without an embedding.
    n_accepted, n_rejected : int

    Returns
    -------
    AuditSample
        A half with fewer images than requested is taken whole.

    Notes
    -----
    Precision is a proportion of images, so within each half every image must be equally likely; drawing one image from
    each of some projects would overweight small projects. A simple random sample would waste labels on near-copies.
    :func:`bam_engine.learning.spread_over_projects` does both: each image has the same probability, so the plain
    proportion is unbiased and needs no weights.

    The halves do not give recall: if few images are accepted, 100 of the many rejected ones cannot tell how many
    positives these contain.

    Raises
    ------
    AuditError
        No accepted image is left to label, or the threshold is not finite.
    """
    free = np.ones(len(scores), dtype=bool)
    if exclude is not None:
        free[np.asarray(exclude, dtype=np.int64)] = False
    if not np.isfinite(threshold):
        raise AuditError(f"The threshold must be a finite number, not {threshold}. Choose a threshold first.")
    is_above = is_accepted(scores, threshold)
    above, below = np.flatnonzero(free & is_above), np.flatnonzero(free & ~is_above)
    if len(above) == 0:
        raise AuditError(
            f"No unlabelled image scores {decimal(threshold, 3)} or more, so there is nothing to audit. Choose a lower "
            "threshold."
        )
    project = np.arange(len(scores)) if groups is None else np.asarray(groups)
    yes = spread_over_projects(above, project[above], min(n_accepted, len(above)), rng=rng)
    no = spread_over_projects(below, project[below], min(n_rejected, len(below)), rng=rng)
    order = rng.permutation(len(yes) + len(no))
    accepted = np.repeat([True, False], [len(yes), len(no)])[order]
    return AuditSample(np.concatenate([yes, no])[order].astype(np.int64), accepted, len(above), len(below))
