"""Certified recall: the strictest threshold that keeps a target recall, from a random validation sample."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.formatting import count, decimal, percent, percent_at_least
from bam_engine.learning.evaluation import checked_sample
from bam_engine.learning.intervals import Floats, checked_confidence

_SPENT = 0.9  # of the remaining risk is spent by each draw that could certify anything


@dataclass(frozen=True)
class RecallThreshold:
    """The strictest cut certified for a recall.

    ``value`` is None if only accepting everything would meet the target. ``missing`` is then about how many more images
    have to be drawn at random and labelled, None if no positive has been seen yet. ``n_below`` of the ``n_positive``
    positives in the draws that certified the cut score below it. ``lost`` images of the draws cannot be looked at any
    more and may be positive. ``left`` images can still be drawn, None where nobody counted them.
    """

    value: float | None
    target: float
    confidence: float
    n_positive: int
    n_below: int
    missing: int | None
    lost: int = 0
    left: int | None = None

    @property
    def to_draw(self) -> int | None:
        """About how many more images are to be drawn; None where that is unknown, or fewer are left."""
        return None if self.missing is None or (self.left is not None and self.missing > self.left) else self.missing

    @property
    def summary(self) -> str:
        """One or two sentences for the person who decides."""
        target = percent(self.target)
        if self.value is not None:
            return (
                f"Recall is at least {target} with {percent_at_least(self.confidence)} confidence at scores of "
                f"{decimal(self.value, 3)} or more: of {count(self.n_positive, 'positive')} in the random validation "
                f"images, {self.n_below:,} score lower."
            )
        seen = f"the random validation images contain {count(self.n_positive, 'positive')}"
        if self.lost:
            seen += f", and {count(self.lost, 'image')} that cannot be looked at any more may be further ones"
        more = "" if self.missing is None else f" Label about {count(self.missing, 'more random image')}."
        if self.missing is not None and self.left is not None and self.missing > self.left:
            more = (
                f" About {count(self.missing, 'more random image')} would be needed, and {self.left:,} are left to "
                "draw: with all of them labelled, nothing is left to estimate."
            )
        return f"Not enough positives to certify {target} recall: {seen}.{more}"


def certify_recall(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    target: float = 0.90,
    confidence: float = 0.95,
    groups: npt.ArrayLike | None = None,
    draws: npt.ArrayLike | None = None,
    lost: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> RecallThreshold:
    """Return the highest cut that keeps a recall of at least ``target``, from a random sample of images.

    The positives of a random sample are a random sample of the positives. The probability that more than ``1 - target``
    of all positives score below the ``j``-th lowest of ``n`` sampled ones is therefore at most that of fewer than ``j``
    successes in ``n`` Bernoulli trials. The cut is the highest such score for which this is at most ``1 - confidence``:
    a one-sided tolerance limit (Wilks, 1941). It holds for any curve, is valid although the sample chooses the cut, and
    needs 29 positives for 90% at 95% confidence.

    Parameters
    ----------
    scores, labels : (n,)
        A random sample of the collection.
    target, confidence : float
        Between 0 and 1.
    groups : (n,) int, optional
        Projects, if whole projects were drawn instead of images. All images of a project then count as equal: the ``n``
        positives are worth ``n² / sum(n_g²)`` independent ones (Kish, 1965; intra-project correlation 1). The cut is
        never higher than without groups. Approximate if sizes differ much; the benchmark measures it.
    draws : (n,) int, optional
        The number of the draw that each image came with, ascending, if the sample was topped up after someone had
        looked. Each draw is a look at all images so far and spends its own part of the risk, nine tenths of what
        earlier ones left, so that all looks together err with probability at most ``1 - confidence``. A look with too
        few positives to certify anything spends nothing, which depends on their number alone and not on their scores.
        The highest cut of all looks is returned, so more labels never withdraw a cut. The first draw then needs 30
        positives for 90% at 95% confidence.
    lost : (m,) scores and (m,) draws, optional
        Further images of the draws that cannot be looked at any more and are not known to be negative. At each cut,
        those below it count as positives that it misses, and the others do not count, so that the guarantee holds
        whatever made them absent (worst-case bounds: Horowitz and Manski, 1995).

    Returns
    -------
    RecallThreshold

    Raises
    ------
    LearningError
        The input is inconsistent, or ``target`` is not between 0 and 1.

    Notes
    -----
    The guarantee covers the images of the collection, near-copies included, not further ones by other makers. For a
    simple random sample it is exact however similar images are, because only the draw is random.
    :func:`~bam_engine.learning.draw_validation` gives every image the same probability and spreads the sample over the
    projects. This is a stratification: the number of images drawn from any part of the collection varies no more than
    in a simple random sample, and sums of independent draws with unequal probabilities have lighter tails than the
    binomial (Hoeffding, 1956). Such samples therefore need no ``groups``; ``benchmarks/guarantee.py`` verifies it for
    projects of very unequal sizes whose images all have the same score.

    Labels chosen by score would save little: to rule out, for any curve, that a tenth of ``P`` positives hides among
    ``M`` images of low score takes ``ln(20) M / (P / 10)``, about ``30 M / P`` labels; this method takes ``29 N / P``
    of all ``N``.

    Examples
    --------
    >>> certify_recall(range(100), [1] * 100).value
    4.0
    """
    if not 0 < target < 1:
        raise LearningError(f"Target recall must be between 0 and 1, not {target:g}. Use 0.9, for example.")
    sample = checked_sample(scores, labels, None, groups)
    draw = np.zeros(len(sample.labels), np.int64) if draws is None else np.asarray(draws, dtype=np.int64)
    if draw.shape != sample.labels.shape:
        raise LearningError(
            f"{draw.size:,} draw numbers do not match {count(len(sample.labels), 'label')}. Give one for each image."
        )
    lost_scores, lost_draws = (np.empty(0), np.empty(0)) if lost is None else map(np.asarray, lost)
    left, spent = 1 - checked_confidence(confidence), 1.0 if draws is None else _SPENT
    certified: list[tuple[float, int, int]] = []
    for number in np.unique(draw):
        drawn = sample.labels & (draw <= number)
        positive = np.sort(sample.scores[drawn])
        effective = len(positive) if sample.groups is None else _effective_size(sample.groups[drawn])
        if effective == 0 or target**effective > spent * left:
            continue
        absent = np.sort(lost_scores[lost_draws <= number])
        below = _max_below(positive, effective, target, spent * left, absent)
        if below is not None:
            certified.append((float(positive[below]), len(positive), below))
        left *= 1 - spent
    n = int(sample.labels.sum())
    if not certified and len(lost_scores):
        return RecallThreshold(None, target, confidence, n, 0, None, len(lost_scores))
    if not certified:
        required = int(np.ceil(np.log(spent * left) / np.log(target)))
        effective = n if sample.groups is None else _effective_size(sample.groups[sample.labels])
        missing = int(np.ceil((required - effective) * len(sample.labels) / effective)) if n else None
        return RecallThreshold(None, target, confidence, n, 0, missing)
    value, seen, below = max(certified)
    return RecallThreshold(value, target, confidence, seen, below, 0)


def _effective_size(groups: npt.NDArray[np.int64]) -> float:
    """Return the effective number of images if all images of a project are equal."""
    if len(groups) == 0:
        return 0.0
    sizes = np.unique(groups, return_counts=True)[1]
    return float(len(groups) ** 2 / (sizes**2).sum())


def _max_below(positive: Floats, effective: float, target: float, risk: float, absent: Floats) -> int | None:
    """Return the position, ascending, of the highest score that can still be certified, or None.

    Without ``absent`` images, which count as positives below every cut above them, the lowest always can.
    """
    from scipy.special import betainc

    below = np.searchsorted(positive, positive)  # with ties: strictly below
    missed = np.searchsorted(absent, positive)
    above = (len(positive) - below) / (len(positive) + missed)
    sizes = (effective * (len(positive) + missed) / len(positive), len(positive) + missed)
    risks = [betainc(above * n, (1 - above) * n + 1, target) for n in sizes]
    passed = np.maximum(*risks) <= risk * (1 + 1e-9)
    last = len(passed) if passed.all() else int(np.argmin(passed))
    if last == 0 and len(absent):
        return None
    return int(below[max(last - 1, 0)])
