"""A threshold and its evidence: what a sample, and all that is known besides, shows of one score cut.

How a threshold is chosen, and what is guaranteed of it, is in :mod:`bam_engine.learning.fixed_sequence`.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.formatting import count, percent, percent_at_least, percent_interval, percent_range
from bam_engine.learning.acceptance import count_accepted
from bam_engine.learning.evaluation import (
    Sample,
    checked_sample,
    delivered_precision,
    precision_recall,
    with_known,
)
from bam_engine.learning.intervals import (
    Floats,
    checked_confidence,
    labels_to_certify,
    lower_bound,
    proportions,
)
from bam_engine.learning.recall_interval import RandomSample


@dataclass(frozen=True)
class Threshold:
    """A threshold and its evidence from the validation set; an image is accepted if ``score >= value``.

    ``precision_low`` to ``recall_high`` are two-sided limits at ``confidence``; ``bound`` is the one-sided lower limit
    of the precision. The recall is that of what is delivered (:func:`~bam_engine.learning.recall_of`). ``certified``
    means that the guarantee of :func:`~bam_engine.learning.choose_threshold` holds for ``target``. ``n`` and
    ``n_accepted_sample`` count images of the validation set, ``n_accepted`` those of the pool (of the sample without
    one). Of the latter, ``n_unlabelled`` have no label from anybody, None where that is not known; it is not stored.

    ``covers`` is None if the guarantee covers all accepted images, else how many of them: a certification covers those
    that were neither labelled nor queried when it started, together with ``known_positives`` that people had
    labelled yes before (None: it counts none). ``recall_target`` is the recall that the threshold is
    certified to keep, None if it was chosen for its precision; ``promise`` then states that guarantee in words. The
    other fields are columns of the database.
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
    known_positives: int | None = None
    recall_target: float | None = None
    promise: str = ""
    n_unlabelled: int | None = field(default=None, compare=False)

    @property
    def precision_interval(self) -> tuple[float, float, float]:
        """The precision as (value, low, high), none of them below what is certified."""
        floor = self.target if self.certified else 0.0
        return max(self.precision, floor), max(self.precision_low, floor), max(self.precision_high, floor)

    @property
    def recall_interval(self) -> tuple[float, float, float]:
        """The recall as (value, low, high), none of them below what is certified."""
        floor = self.recall_target or 0.0
        return max(self.recall, floor), max(self.recall_low, floor), max(self.recall_high, floor)

    @property
    def summary(self) -> str:
        """One or two sentences for the person who decides."""
        return f"{self.finding} {self._advice}".rstrip()

    @property
    def finding(self) -> str:
        """What is known of it, in a sentence, without advice."""
        target, seen = percent(self.target), f"as far as the labels tell, {self._right} of what is delivered is right"
        if self.recall_target is not None:
            return f"{self.promise} No precision is guaranteed: {seen}."
        if self.certified:
            confidence = percent_at_least(self.confidence)
            seen = (
                seen
                if self.covers is None
                else f"as far as the labels tell, {self._right} of those delivered are right"
            )
            return f"Precision is at least {target} with {confidence} confidence{self._scope}: {seen}."
        if self.n_unlabelled == 0:
            return f"Every image that scores as much has a label: nothing is estimated. {_sentence(seen)}."
        return f"Not certified: {seen}."

    @property
    def _right(self) -> str:
        """The precision with its interval; the limits alone where no label tells more."""
        value, low, high = self.precision_interval
        return percent_range(low, high) if math.isnan(value) else percent_interval(value, low, high)

    @property
    def _scope(self) -> str:
        if self.covers is None:
            return ""
        scope = f" among {count(self.covers, 'accepted image')} not labelled or queried when the certification started"
        if self.known_positives:
            scope += f" and {count(self.known_positives, 'image')} labelled yes before, together"
        return scope

    @property
    def _advice(self) -> str:
        """What would certify it; empty where it is certified, or nothing is estimated."""
        if self.certified or self.recall_target is not None or self.n_unlabelled == 0:
            return ""
        if self.bound >= self.target:
            return (
                "For this threshold alone that would do, but the same labels chose it, and the test fixed beforehand "
                "did not pass. Certify it, or let an audit decide."
            )
        target, needed = percent(self.target), labels_to_certify(self.precision, self.target, self.confidence)
        if needed is None:
            return (
                f"More labels at this precision cannot certify {target}: that takes a better classifier or a lower "
                "target."
            )
        more, left = max(1, needed - self.n_accepted_sample), self.n_unlabelled
        if left is None:
            left = max(0, self.n_accepted - self.n_accepted_sample)
        if more > left:
            return (
                f"About {count(more, 'more label')} would be needed to certify {target}, and "
                f"{count(left, 'accepted image has', 'accepted images have')} none yet: with all of them labelled, "
                "nothing is left to estimate."
            )
        return f"About {count(more, 'more label')} among the accepted images could certify {target}."


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
    random: RandomSample | None = None,
    known: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    strata: npt.ArrayLike | None = None,
    labelled: npt.ArrayLike | None = None,
) -> Threshold:
    """Return the evidence of the validation set for a threshold set by hand; never ``certified``.

    Parameters as for :func:`~bam_engine.learning.choose_threshold` and
    :func:`~bam_engine.learning.precision_recall`.
    """
    sample = checked_sample(scores, labels, weights, groups)
    pool = sample.scores if pool_scores is None else np.asarray(pool_scores)
    return measured(
        value, sample, pool, target, confidence, labelled, random=random, known=known, strata=strata, certified=False
    )


def of_delivered(threshold: Threshold, sample: RandomSample) -> Threshold:
    """Return a threshold whose precision, with its limits and bound, is that of what is delivered.

    See :func:`~bam_engine.learning.delivered_precision`; ``sample`` is of the collection, with what people labelled.
    """
    of_all = [threshold.precision, threshold.precision_low, threshold.precision_high, threshold.bound]
    value, low, high, bound = delivered_precision(np.array(of_all)[:, None], [threshold.value], sample)[:, 0].tolist()
    return replace(threshold, precision=value, precision_low=low, precision_high=high, bound=bound)


def precision_bounds(sample: Sample, cuts: Floats, confidence: float, strata: npt.ArrayLike | None = None) -> Floats:
    """Return the one-sided lower limit of the precision of a sample at each of ``cuts``."""
    accepted = sample.scores >= cuts[:, None]
    positive = np.broadcast_to(sample.labels, accepted.shape)
    options: dict[str, Any] = {"weights": sample.weights, "groups": sample.groups}
    if strata is not None:  # the lower one of two limits errs half as often as both
        both = max(2 * checked_confidence(confidence) - 1, 0.01)
        return proportions(positive, accepted, strata=strata, confidence=both, **options).low
    precision = proportions(positive, accepted, **options)
    hits = np.where(np.isnan(precision.value), 0.0, precision.value) * precision.n_effective
    return lower_bound(hits, precision.n_effective, checked_confidence(confidence))


def count_unlabelled(pool: npt.NDArray[np.floating], labelled: npt.ArrayLike, cut: float) -> int:
    """Return how many images of a pool score at least the cut and have no label."""
    return max(0, int((pool >= cut).sum() - (np.asarray(labelled) >= cut).sum()))


def measured(
    value: float,
    sample: Sample,
    pool: npt.NDArray[np.floating],
    target: float,
    confidence: float,
    labelled: npt.ArrayLike | None,
    *,
    certified: bool,
    random: RandomSample | None = None,
    known: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    strata: npt.ArrayLike | None = None,
) -> Threshold:
    """Return what a checked sample shows of one cut; parameters as for :func:`threshold_at`."""
    curve = precision_recall(
        sample.scores,
        sample.labels,
        cuts=[value],
        weights=sample.weights,
        groups=sample.groups,
        confidence=confidence,
        pool_scores=pool,
        random=random,
        known=known,
        strata=strata,
    )
    bounds = precision_bounds(sample, curve.cuts, confidence, strata)
    if known is not None:
        bounds = with_known(bounds, curve.cuts, known, pool)
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
        bound=float(bounds[0]),
        n=len(sample.labels),
        n_accepted_sample=int(count_accepted(sample.scores, [value])[0]),
        n_accepted=int(curve.accepted[0]),
        n_unlabelled=None if labelled is None else count_unlabelled(pool, labelled, value),
    )


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]
