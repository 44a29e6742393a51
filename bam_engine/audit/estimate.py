"""Estimates from an audit: precision and missed positives with intervals, for each attribute and on average."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from bam_engine.errors import AuditError
from bam_engine.formatting import count, percent, percent_at_least
from bam_engine.learning.intervals import checked_confidence, labels_to_certify, lower_bound, proportions

BAM_MEAN_PRECISION = 0.904
"""The mean audited precision over the 20 attributes of BAM! (Wilber et al., 2017): at least one annotator agreed."""


@dataclass(frozen=True)
class Estimate:
    """A proportion with its two-sided interval.

    ``k`` of the ``n`` labelled images are positive; ``n_effective`` is the effective sample size; ``bound`` is the
    one-sided lower limit at the same confidence, with which targets are compared. ``open`` images of the sample do not
    have enough answers yet and are left out. Of the ``absent`` ones, which cannot be looked at any more, ``against``
    count as not positive in the lower limits. ``method`` names the interval.
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
    absent: int = 0
    against: int = 0

    @property
    def tested(self) -> int:
        """The number of images that the lower limits rest on: the labelled ones, and those counted against it."""
        return self.n + self.against

    @property
    def design_effect(self) -> float:
        """The number of labelled images that carry as much information as one independent image."""
        return self.tested / self.n_effective

    @property
    def exact(self) -> Self:
        """The same proportion where the images are not a sample but all that there are: it has no limits."""
        return replace(self, low=self.value, high=self.value, bound=self.value)

    def meets(self, target: float) -> bool | None:
        """Return whether the proportion is shown to reach the target: True, False, or None if inconclusive."""
        if self.bound >= target:
            return True
        return False if self.high < target else None


def estimate_precision(
    labels: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    absent: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return the precision: the proportion of positives among the labelled accepted images.

    Parameters
    ----------
    labels : (n,) of 1 positive, 0 negative, -1 open
        Of accepted images drawn with equal probability, as by :func:`~bam_engine.audit.draw_audit`.
    groups : (n,) int, optional
        Projects. If one repeats, counts are divided by the design effect, estimated from the labels and never below 1;
        see :func:`bam_engine.learning.intervals.proportions`.
    absent : (n,) bool, optional
        Drawn images that cannot be looked at any more. They are in no proportion and count against every limit: in the
        lower ones as not positive unless labelled positive, in the upper one as positive unless labelled negative.

    Returns
    -------
    Estimate
        With the exact interval (Clopper and Pearson, 1934).

    Notes
    -----
    The binomial interval is exact for independent draws. For draws without replacement, spread over projects, it is
    conservative with respect to this collection. The design effect extends it to further projects like these, whose
    near-copies are not independent evidence.

    The limits hold whatever made images absent, also if that was what the sample has shown of them: they are the widest
    that any answer could have led to (worst-case bounds: Horowitz and Manski, 1995), and a label is never dropped where
    dropping it would help.

    Raises
    ------
    AuditError
        Nothing is labelled yet, or the input is inconsistent.

    Examples
    --------
    >>> estimate_precision([1] * 96 + [0] * 4).meets(0.90)
    True
    """
    label = np.asarray(labels)
    if label.ndim != 1 or len(np.setdiff1d(label, [1, 0, -1])):
        raise AuditError("Labels must be 1 (positive), 0 (negative) or -1 (open), one for each image.")
    group = None if groups is None else np.asarray(groups)
    if group is not None and group.shape != label.shape:
        raise AuditError(
            f"{group.size:,} project codes do not match {count(len(label), 'label')}. Give one for each image."
        )
    gone = np.zeros(len(label), dtype=bool) if absent is None else np.asarray(absent, dtype=bool)
    settled = (label >= 0) & ~gone
    n, k = int(settled.sum()), int((label[settled] == 1).sum())
    if n == 0:
        raise AuditError(f"None of {count(len(label), 'image')} of this half is labelled yet. Label some first.")
    positive, against = label == 1, gone & (label != 1)
    low, _, effective = _interval(positive, settled | against, group, confidence)
    _, high, _ = _interval(positive | gone, settled | (gone & (label != 0)), group, confidence)
    tested = n + int(against.sum())
    repeats = group is not None and len(np.unique(group[settled | against])) < tested
    return Estimate(
        value=k / n,
        low=low,
        high=high,
        n=n,
        k=k,
        n_effective=effective,
        bound=float(lower_bound(k / tested * effective, effective, confidence)),
        confidence=confidence,
        method="exact binomial, by project" if repeats else "exact binomial",
        open=int(((label < 0) & ~gone).sum()),
        absent=int(gone.sum()),
        against=int(against.sum()),
    )


def _interval(
    positive: npt.NDArray[np.bool_],
    counted: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.int64] | None,
    confidence: float,
) -> tuple[float, float, float]:
    """Return the limits of the proportion of positives among the images counted, and their effective number."""
    project = None if groups is None else groups[counted]
    every = np.ones((1, int(counted.sum())), dtype=bool)
    result = proportions(positive[counted][None, :], every, groups=project, confidence=confidence)
    return float(result.low[0]), float(result.high[0]), float(result.n_effective[0])


def estimate_missed(
    labels: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    absent: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return the proportion of positives among the labelled rejected images.

    This is not one minus recall: 1% of a million rejected images is 10,000 positives, and with 100 labelled images the
    interval reaches from almost none to five times as many. Parameters as for :func:`estimate_precision`.
    """
    return estimate_precision(labels, groups=groups, absent=absent, confidence=confidence)


def mean_over_attributes(estimates: Sequence[Estimate], *, confidence: float = 0.95) -> Estimate:
    """Return the unweighted mean over attributes, like BAM's 90.4%.

    Parameters
    ----------
    estimates : sequence of Estimate
        Of independent audits, one for each attribute, all at ``confidence``.

    Notes
    -----
    The interval recovers each attribute's variance from its own limits (MOVER; Zou and Donner, 2008): the mean minus
    the root of the sum of squared lower half-widths divided by their number, and likewise above. It inherits the
    caution of the exact intervals and their design effects, and stays useful at proportions of 1. It describes these
    attributes, not attributes in general.

    Raises
    ------
    AuditError
        There is no estimate, or one has another confidence.
    """
    checked_confidence(confidence)
    if not estimates:
        raise AuditError("No attribute is audited yet. Audit one first.")
    if any(each.confidence != confidence for each in estimates):
        raise AuditError(
            f"All intervals must be at {percent_at_least(confidence)} confidence to be averaged. Estimate them again."
        )
    value, low, high, bound = (
        np.array([getattr(each, name) for each in estimates]) for name in ("value", "low", "high", "bound")
    )
    mean, m = float(value.mean()), len(estimates)
    return Estimate(
        value=mean,
        low=float(mean - np.sqrt(np.sum((value - low) ** 2)) / m),
        high=float(mean + np.sqrt(np.sum((high - value) ** 2)) / m),
        n=sum(each.n for each in estimates),
        k=sum(each.k for each in estimates),
        n_effective=sum(each.n_effective for each in estimates),
        bound=float(mean - np.sqrt(np.sum((value - bound) ** 2)) / m),
        confidence=confidence,
        method=f"mean of {m} attributes, variance recovered from their limits",
        open=sum(each.open for each in estimates),
        absent=sum(each.absent for each in estimates),
        against=sum(each.against for each in estimates),
    )


def positives_to_certify(
    n: int, target: float = 0.90, confidence: float = 0.95, *, design_effect: float = 1.0
) -> int | None:
    """Return how many of ``n`` labelled images must be positive to certify the target; None if not even all suffice.

    ``design_effect`` is the number of labelled images that carry as much information as one independent image.

    Raises
    ------
    AuditError
        ``n`` is below 1, or ``target`` is not between 0 and 1.

    Examples
    --------
    >>> [positives_to_certify(n) for n in (28, 100, 200, 400)]
    [None, 96, 188, 371]
    """
    _check(n, target)
    k = np.arange(n + 1)
    enough = np.flatnonzero(lower_bound(k / design_effect, n / design_effect, confidence) >= target)
    return int(enough[0]) if len(enough) else None


def size_to_certify(
    proportion: float, target: float = 0.90, confidence: float = 0.95, *, design_effect: float = 1.0
) -> int:
    """Return how many labelled images certify the target if this proportion of them is positive.

    The smallest ``n`` for which the one-sided exact lower limit of ``proportion * n`` out of ``n`` reaches the target.
    An audit of that size certifies it in about half of all cases, since a fresh sample comes out above or below
    ``proportion`` alike.

    Raises
    ------
    AuditError
        ``proportion`` is not above the target: no number of images suffices.

    Examples
    --------
    >>> size_to_certify(1.0), size_to_certify(0.95)
    (29, 107)
    """
    _check(1, target)
    size = labels_to_certify(proportion, target, confidence, design_effect=design_effect)
    if size is None:
        raise AuditError(
            f"A precision of {percent(proportion)} cannot certify {percent(target)} with any number of images. Choose "
            "a lower target."
        )
    return size


def _check(n: int, target: float) -> None:
    if n < 1 or not 0 < target < 1:
        raise AuditError(
            f"Cannot certify {target:g} with {n} images. Give at least 1 image and a target between 0 and 1."
        )
