"""From scores to a decision: the lowest threshold that keeps a promised precision.

In:  scores, labels, sampling weights and projects of the validation set, and the scores of the whole pool.
Out: one cut and its evidence. Knows nothing of images, rounds or pages.

"The lowest cut whose empirical precision is 0.90" breaks its promise more often than not, because the luckiest of many
cuts is taken (``benchmarks/guarantee.py`` prints how often). The rule here tests cuts in an order fixed beforehand.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError, NoThreshold
from bam_engine.learning.evaluation import Sample, checked_sample, count_accepted, precision_recall
from bam_engine.learning.intervals import (
    Floats,
    checked_confidence,
    clopper_pearson,
    labels_to_certify,
    lower_bound,
    proportions,
)

_STEP = 1.1  # each cut accepts a tenth more than the one before: about half a standard error of the precision
_FIRST_SHARE = 0.1  # the sequence starts where a tenth of the sample is accepted, or later


@dataclass(frozen=True)
class Threshold:
    """A cut and what the validation set says of it; accept when ``score >= value``.

    ``precision_low`` to ``recall_high`` are two-sided intervals at ``confidence``. ``bound`` is the one-sided lower
    limit of the precision at the same confidence; ``certified`` says that the guarantee of :func:`choose_threshold`
    holds for ``target``. ``n`` and ``n_accepted_sample`` count images of the validation set, ``n_accepted`` those of
    the pool (of the sample when no pool was given).

    ``covers`` is None where the promise is about all of them; else how many of the accepted images it is about: a
    certification speaks of those that nobody had labelled or been asked about when it started. ``recall_target`` is
    the recall that the cut was chosen to keep and certainly keeps, None for a cut that was chosen for its precision;
    ``promise`` then says so in words.
    """

    value: float
    precision: float
    precision_low: float
    precision_high: float
    recall: float
    recall_low: float
    recall_high: float
    target: float
    confidence: float
    certified: bool
    bound: float
    n: int
    n_accepted_sample: int
    n_accepted: int
    covers: int | None = None
    recall_target: float | None = None
    promise: str = ""

    @property
    def evidence(self) -> str:
        """One sentence or two for the person who decides."""
        seen = f"{self.n_accepted_sample} of {self.n} validation images are accepted, {self.precision:.1%} rightly"
        if self.recall_target is not None:
            return f"{self.promise} No precision is promised: {seen}."
        if self.certified:
            return f"Precision is at least {self.target:g} with {self._sure} confidence{self._among}: {seen}."
        if self.bound >= self.target:
            return (
                f"Not certified: {seen}. That shows a precision of at least {self.bound:.2f} for this cut alone, but "
                "the same labels chose the cut, and the test that was fixed before them did not pass here. A "
                "certification can, or let the audit decide."
            )
        return (
            f"Not certified: {seen}, which shows a precision of at least {self.bound:.2f} only. "
            f"To be sure of {self.target:g}, {self._way_out}."
        )

    @property
    def _sure(self) -> str:
        return f"{100 * self.confidence:.4g}%"

    @property
    def _among(self) -> str:
        if self.covers is None:
            return ""
        return (
            f" among the {self.covers:,} accepted images that nobody had labelled or been asked about when the "
            "certification started"
        )

    @property
    def _way_out(self) -> str:
        needed = labels_to_certify(self.precision, self.target, self.confidence)
        if needed is None:
            return "label another round, or ask for less: more labels at this precision would not show it"
        more = max(1, needed - self.n_accepted_sample)
        return f"certify it: about {more:,} more labels among the accepted images would do at this precision"


def choose_threshold(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    target: float = 0.90,
    confidence: float = 0.95,
    pool_scores: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    testing: npt.ArrayLike | None = None,
) -> Threshold:
    """Return the loosest cut that is certified to keep ``target``, or the one best supported.

    The cuts of :func:`fixed_cuts` are tested strict to loose. At each, the hypothesis "the precision is below target"
    is rejected when the exact one-sided binomial lower limit of the accepted validation images reaches the target. The
    first cut that fails ends the sequence; the last that passed is the threshold, ``certified=True``.

    **What is guaranteed.** Over draws of the validation set, the probability that a certified threshold accepts images
    of the pool with a precision below ``target`` is at most ``1 - confidence``. Proof: a false promise needs the first
    cut of the sequence whose true precision is below target to pass its test, and one exact test does that with at
    most this probability; no correction for the number of cuts is needed (fixed-sequence testing, Maurer, Hothorn and
    Lehmacher 1995; for this use Angelopoulos et al., Learn then Test, 2021).

    **Under which assumptions.**

    - The validation set is a simple random sample of the pool (drawing without replacement makes the test too
      careful, never too bold), the classifier has never seen its labels, and the labels are right.
    - The pool is the whole collection, its training images included. What is left when those are taken out holds
      fewer positives than the sample stands for, so where the training labels are a sizeable part of the accepted
      images, the precision among the others alone can be lower than promised; the audit measures that one.
    - ``pool_scores`` are the scores of that pool, so the cuts are fixed without the sample. When None, the sample's
      own scores stand in, and the guarantee is approximate (the benchmark measures it).
    - One model, one target, one look. Trying rounds, attributes or targets until one is certified adds up their risks;
      the audit, drawn afresh, is the remedy. So does testing again after each top-up of the sample: looked at eleven
      times, a promise of 95 % is broken in more than one run of twenty (``benchmarks/guarantee.py``, "topped up at
      will"). ``testing`` (n,) bool names the images of the one draw that may certify, whole and fixed before its first
      look; the others only measure. Where that draw leaves the promise open, a certification
      (:mod:`bam_engine.learning.certification`) may look as often as it likes.
    - ``groups`` never weaken it: repeated projects only divide the counts by a design effect of at least 1, since an
      image of the same maker says less about the next maker's. With ``weights`` it is approximate, by effective counts.

    **If nothing is certified**, ``certified=False`` and the cut is, of the sample's scores whose empirical precision
    is at least ``target``, the one with the highest one-sided lower limit (of equals the loosest). The loosest of all
    would walk down past the last positive until the luck is used up, and mostly break the promise. Nothing is promised
    of it beyond its interval, which itself is too hopeful, the cut having been chosen by it.

    Raises
    ------
    NoThreshold
        No cut reaches the target even empirically. The message names the cut with the best lower limit, and what more
        labels there could show.
    LearningError
        Only positives or only negatives are labelled, or the input does not fit together.
    """
    if not 0 < target < 1:
        raise LearningError(f"a precision target lies between 0 and 1; {target:g} was asked. Use 0.90, say.")
    sample = checked_sample(scores, labels, weights, groups)
    _check_both_classes(sample)
    pool = sample.scores if pool_scores is None else np.asarray(pool_scores)
    tested = sample if testing is None else _part(sample, np.asarray(testing, dtype=bool))
    cut = _certified_cut(tested, fixed_cuts(pool, len(tested.labels), target, confidence), target, confidence)
    certified = cut is not None
    value = _best_supported_cut(sample, target, confidence) if cut is None else cut
    return _at(value, sample, pool, target, confidence, certified)


def threshold_at(
    value: float,
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    target: float = 0.90,
    confidence: float = 0.95,
    pool_scores: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
) -> Threshold:
    """Return what the validation set says of a cut that a person set by hand; never ``certified``."""
    sample = checked_sample(scores, labels, weights, groups)
    pool = sample.scores if pool_scores is None else np.asarray(pool_scores)
    return _at(value, sample, pool, target, confidence, False)


def fixed_cuts(
    pool_scores: npt.ArrayLike, n: int, target: float = 0.90, confidence: float = 0.95
) -> npt.NDArray[np.float64]:
    """Return the cuts that a validation set of ``n`` images will be tested at, strict to loose, before it is labelled.

    They are quantiles of the pool's scores. The first accepts so much of the pool that the sample can be expected to
    hold a tenth of its images above it, and enough for the test to survive one negative (46 for 0.90 at 95 %): at
    stricter cuts the test would fail for want of images and end the sequence. Each next accepts a tenth more. Empty
    when even ``n`` accepted images could not certify the target.
    """
    pool = np.asarray(pool_scores)
    smallest = _smallest_surviving_count(target, confidence)
    if smallest > n or len(pool) == 0:
        return np.empty(0)
    first = max(smallest / n, _FIRST_SHARE)
    steps = int(np.floor(np.log(1 / first) / np.log(_STEP))) + 1
    ranks = np.ceil(len(pool) * np.minimum(first * _STEP ** np.arange(steps), 1.0)).astype(np.intp)
    places = np.unique(len(pool) - np.clip(ranks, 1, len(pool)))
    return np.unique(np.partition(pool, places)[places].astype(np.float64))[::-1]


def _smallest_surviving_count(target: float, confidence: float) -> int:
    """Return the fewest images that still certify the target with one negative among them."""
    low, high = 1, 2
    while lower_bound(high - 1, high, confidence) < target:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if lower_bound(middle - 1, middle, confidence) >= target else (middle, high)
    return high


def _part(sample: Sample, kept: npt.NDArray[np.bool_]) -> Sample:
    weights = None if sample.weights is None else sample.weights[kept]
    groups = None if sample.groups is None else sample.groups[kept]
    return Sample(sample.scores[kept], sample.labels[kept], weights, groups)


def _certified_cut(sample: Sample, cuts: Floats, target: float, confidence: float) -> float | None:
    if len(cuts) == 0:
        return None
    passed = _precision_bounds(sample, cuts, confidence) >= target
    n_passed = len(cuts) if passed.all() else int(np.argmin(passed))
    return float(cuts[n_passed - 1]) if n_passed else None


def _precision_bounds(sample: Sample, cuts: Floats, confidence: float) -> Floats:
    accepted = sample.scores >= cuts[:, None]
    positive = np.broadcast_to(sample.labels, accepted.shape)
    found = proportions(positive, accepted, weights=sample.weights, groups=sample.groups)
    hits = np.where(np.isnan(found.value), 0.0, found.value) * found.n_effective
    return lower_bound(hits, found.n_effective, checked_confidence(confidence))


def _best_supported_cut(sample: Sample, target: float, confidence: float) -> float:
    """Return, of the cuts that keep the target by point estimate, the one with the highest lower limit."""
    cuts = np.unique(sample.scores)[::-1]
    accepted = sample.scores >= cuts[:, None]
    weight = np.ones(len(sample.scores)) if sample.weights is None else sample.weights
    precision = (accepted @ (weight * sample.labels)) / (accepted @ weight)
    kept = np.flatnonzero(precision >= target)
    if len(kept) == 0:
        raise NoThreshold(_why_none(sample, cuts, precision, target, confidence))
    bounds = _precision_bounds(sample, cuts[kept], confidence)
    best_supported = np.flatnonzero(bounds >= bounds.max() - 1e-12)
    return float(cuts[kept[best_supported[-1]]])


def _why_none(sample: Sample, cuts: Floats, precision: Floats, target: float, confidence: float) -> str:
    """Say which cut is shown to reach most, and what more labels there could show."""
    bounds = _precision_bounds(sample, cuts, confidence)
    best = int(np.flatnonzero(bounds >= bounds.max() - 1e-12)[-1])
    n = int((sample.scores >= cuts[best]).sum())
    high = clopper_pearson(float(precision[best]) * n, n, confidence).high
    needed = labels_to_certify(high, target, confidence)
    more = f"No number of labels shows {target:g} at a precision of {precision[best]:.2f}"
    if needed is not None:
        more += f"; were it {high:.2f}, which {n} labels leave possible, about {max(1, needed - n):,} more would"
    return (
        f"no threshold reaches precision {target:g}: at least {bounds[best]:.2f} is the best that is shown, at score "
        f"{cuts[best]:.3f}, where {precision[best]:.0%} of {n} are positive. {more}. Label another round or lower the "
        "target."
    )


def _at(
    value: float, sample: Sample, pool: npt.NDArray[np.floating], target: float, confidence: float, certified: bool
) -> Threshold:
    curve = precision_recall(
        sample.scores,
        sample.labels,
        cuts=[value],
        weights=sample.weights,
        groups=sample.groups,
        confidence=confidence,
    )
    return Threshold(
        value=value,
        precision=float(curve.precision[0]),
        precision_low=float(curve.precision_low[0]),
        precision_high=float(curve.precision_high[0]),
        recall=float(curve.recall[0]),
        recall_low=float(curve.recall_low[0]),
        recall_high=float(curve.recall_high[0]),
        target=target,
        confidence=confidence,
        certified=certified,
        bound=float(_precision_bounds(sample, curve.cuts, confidence)[0]),
        n=len(sample.labels),
        n_accepted_sample=int(curve.accepted[0]),
        n_accepted=int(count_accepted(pool, [value])[0]),
    )


def _check_both_classes(sample: Sample) -> None:
    for missing, there in ((True, False), (False, True)):
        if not (sample.labels == missing).any():
            names = {True: "positive", False: "negative"}
            raise LearningError(
                f"all {len(sample.labels)} labelled images of the validation set are {names[there]}: without a "
                f"{names[missing]} one no threshold can be chosen. Label more of the validation set."
            )
