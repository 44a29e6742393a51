"""What the result is worth: shares of judged images, with intervals, for each attribute and over all.

In:  judgements (n,) of accepted or of rejected images, 1, 0 or -1, and their projects.
Out: estimates. Knows nothing of images, pages or the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import AuditError
from bam_engine.learning.intervals import checked_confidence, labels_to_certify, lower_bound, proportions

BAM_MEAN_PRECISION = 0.904
"""The mean audited precision over the 20 attributes of BAM! (Wilber et al., 2017): at least one annotator agreed."""


@dataclass(frozen=True)
class Estimate:
    """A share with its two-sided interval.

    ``k`` of the ``n`` judged images are positive; ``n_effective`` is how many independent images they are worth;
    ``bound`` is the one-sided lower limit at the same confidence, which a promise is checked against; ``open`` images
    of the sample are not judged by enough people yet and count nowhere. ``method`` says how the interval was made.
    """

    value: float
    low: float
    high: float
    n: int
    k: int
    n_effective: float
    bound: float
    confidence: float
    method: str
    open: int = 0

    @property
    def design_effect(self) -> float:
        """How many judged images say as much as one independent one."""
        return self.n / self.n_effective

    def meets(self, target: float) -> bool | None:
        """Return whether the audit shows the share to reach the target: True, False, or None while it is open."""
        if self.bound >= target:
            return True
        return False if self.high < target else None


def estimate_precision(
    judgements: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, confidence: float = 0.95
) -> Estimate:
    """Return the share of positives among the judged accepted images: the precision.

    Parameters
    ----------
    judgements : (n,) of 1 positive, 0 negative, -1 open
        Of images drawn with equal probability from the accepted ones, as :func:`~bam_engine.audit.draw_audit` does.
    groups : (n,) int, optional
        Projects. Where one repeats, the counts are divided by the design effect, estimated from the judgements and
        never below 1; see :func:`bam_engine.learning.intervals.proportions`.

    Returns
    -------
    Estimate
        With Clopper and Pearson's exact interval.

    Notes
    -----
    The binomial interval is exact for independent draws. For a draw by project without replacement it is too wide
    rather than too narrow, as far as the images of this collection are meant. The design effect makes it hold also for
    further projects like these: their near-copies are not counted as evidence twice.

    Raises
    ------
    AuditError
        Nothing is judged yet, or the input does not fit together.

    Examples
    --------
    >>> estimate_precision([1] * 96 + [0] * 4).meets(0.90)
    True
    """
    judged = np.asarray(judgements)
    if judged.ndim != 1 or len(np.setdiff1d(judged, [1, 0, -1])):
        raise AuditError("a judgement is 1 (positive), 0 (negative) or -1 (open), one per image.")
    group = None if groups is None else np.asarray(groups)
    if group is not None and group.shape != judged.shape:
        raise AuditError(f"{len(judged)} judgements were given with {group.size} project codes: give one per image.")
    settled = judged >= 0
    n, k = int(settled.sum()), int((judged == 1).sum())
    if n == 0:
        raise AuditError(f"none of the {len(judged)} images of this half is judged yet. Judge some first.")
    group = None if group is None else group[settled]
    found = proportions(
        (judged[settled] == 1)[None, :], np.ones((1, n), dtype=bool), groups=group, confidence=confidence
    )
    worth = float(found.n_effective[0])
    repeats = group is not None and len(np.unique(group)) < n
    return Estimate(
        value=k / n,
        low=float(found.low[0]),
        high=float(found.high[0]),
        n=n,
        k=k,
        n_effective=worth,
        bound=float(lower_bound(k / n * worth, worth, confidence)),
        confidence=confidence,
        method="exact binomial, by project" if repeats else "exact binomial",
        open=len(judged) - n,
    )


def estimate_missed(
    judgements: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, confidence: float = 0.95
) -> Estimate:
    """Return the share of positives among the judged rejected images: what the threshold costs, image by image.

    It is not one minus recall. A missed share of 1 % of a million rejected images is 10,000 positives, and from 100
    judged images its interval reaches from almost none to five times that.
    """
    return estimate_precision(judgements, groups=groups, confidence=confidence)


def mean_over_attributes(estimates: Sequence[Estimate], *, confidence: float = 0.95) -> Estimate:
    """Return the mean of the attributes' shares, every attribute counting the same, as BAM's 90.4 % is made.

    Parameters
    ----------
    estimates : of independent audits, one an attribute
        Their confidence must be ``confidence``.

    Notes
    -----
    The interval recovers each attribute's variance from its own limits (MOVER; Zou and Donner, 2008): the mean less
    the root of the summed squares of the lower half-widths over their number, and likewise above. It inherits the exact
    intervals' caution and their design effects, and stays of use at shares of 1. It speaks of these attributes, not of
    attributes in general.
    """
    checked_confidence(confidence)
    if not estimates:
        raise AuditError("no attribute is audited yet. Audit one first.")
    if any(one.confidence != confidence for one in estimates):
        raise AuditError(f"the mean is asked at confidence {confidence:g}, an attribute's interval has another one.")
    value, low, high, bound = (
        np.array([getattr(one, name) for one in estimates]) for name in ("value", "low", "high", "bound")
    )
    mean, m = float(value.mean()), len(estimates)
    return Estimate(
        value=mean,
        low=float(mean - np.sqrt(np.sum((value - low) ** 2)) / m),
        high=float(mean + np.sqrt(np.sum((high - value) ** 2)) / m),
        n=sum(one.n for one in estimates),
        k=sum(one.k for one in estimates),
        n_effective=sum(one.n_effective for one in estimates),
        bound=float(mean - np.sqrt(np.sum((value - bound) ** 2)) / m),
        confidence=confidence,
        method=f"mean of {m} attributes, variance recovered from their limits",
        open=sum(one.open for one in estimates),
    )


def positives_to_certify(
    n: int, target: float = 0.90, confidence: float = 0.95, *, design_effect: float = 1.0
) -> int | None:
    """Return how many of ``n`` judged images must be positive to be sure of the target.

    ``design_effect`` is how many judged images say as much as one independent one. None when not even ``n`` of ``n``
    would do.

    Examples
    --------
    >>> [positives_to_certify(n) for n in (28, 100, 200, 400)]
    [None, 96, 188, 371]
    """
    _check_promise(n, target)
    k = np.arange(n + 1)
    enough = np.flatnonzero(lower_bound(k / design_effect, n / design_effect, confidence) >= target)
    return int(enough[0]) if len(enough) else None


def size_to_certify(share: float, target: float = 0.90, confidence: float = 0.95, *, design_effect: float = 1.0) -> int:
    """Return how many images must be judged to be sure of the target, if ``share`` of them come out positive.

    The smallest ``n`` whose one-sided exact lower limit for ``share * n`` out of ``n`` reaches the target. An audit of
    that size certifies in about half of all cases, since a fresh sample comes out above or below ``share`` alike.

    Raises
    ------
    AuditError
        ``share`` is not above the target: no number of images would do.

    Examples
    --------
    >>> size_to_certify(1.0), size_to_certify(0.95)
    (29, 107)
    """
    _check_promise(1, target)
    found = labels_to_certify(share, target, confidence, design_effect=design_effect)
    if found is None:
        raise AuditError(f"a share of {share:.3f} never shows {target:g}: no number of judged images would certify it.")
    return found


def _check_promise(n: int, target: float) -> None:
    if n < 1 or not 0 < target < 1:
        raise AuditError(f"give a sample of at least 1 and a target between 0 and 1, not {n} and {target:g}.")
