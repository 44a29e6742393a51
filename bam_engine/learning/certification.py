"""Certification of a precision by sequential tests: label small batches exactly where the outcome is undecided.

A plan fixes the cuts before any label that counts is known. Given the scores of a population, a random order and the
labels so far, :func:`certify_precision` returns the loosest certified cut and what to label next. What is promised is
the precision of what is delivered: the images that a cut accepts, and those that people had labelled positive before.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.formatting import count as counted
from bam_engine.learning.intervals import lower_bound
from bam_engine.learning.sequential import allowed_defects

MIN_BATCH = 20  # images; people dislike being called back for two


@dataclass(frozen=True)
class CertificationPlan:
    """The precision to certify and the cuts to test, strictest first, all fixed before the labels.

    ``planned`` is the approximate number of labels to spend; more may follow.
    """

    cuts: tuple[float, ...]
    target: float
    confidence: float
    planned: int

    def __post_init__(self) -> None:
        if not self.cuts or any(a <= b for a, b in zip(self.cuts, self.cuts[1:], strict=False)):
            raise LearningError(
                "A certification plan needs at least one cut, and each cut must be below the one before."
            )


def risk_share(earlier: int) -> float:
    """Return the share of the risk that a certification may spend after ``earlier`` ones of the same attribute.

    Half of what those left. However many follow, and for whatever reason, a false claim by any of them has at most the
    whole risk, since the shares add up to less than one (alpha spending, as between the looks of a trial: Lan and
    DeMets, 1983). Without a fault, 90% at 95% confidence takes about 36 labels the first time, then 42, 49 and 55.

    Examples
    --------
    >>> [risk_share(earlier) for earlier in range(4)]
    [0.5, 0.25, 0.125, 0.0625]
    """
    return float(0.5 ** (earlier + 1))


@dataclass(frozen=True)
class CertificationProgress:
    """The state of a certification.

    Attributes
    ----------
    certified : float or None
        The loosest cut that has passed.
    accepted : int
        Images of the population that it accepts.
    known_positives : int
        Further images that the promise counts: people had labelled them positive before.
    next_cut : float or None
        The cut being tested; None when all have passed.
    n, false_positives : int
        Labels drawn among the images that ``next_cut`` accepts, and those of them that are not positive.
    to_label : (b,) int
        Positions to label next, in order: what ``next_cut`` needs even if all of it is positive and, to fill up a small
        batch, what the following cuts would then need.
    labels_needed : int or None
        About how many more labels ``next_cut`` needs if they continue like those so far; None if it would never pass.
    lower_bound : float
        The exact lower limit of the precision of the population's images at ``next_cut``, by these labels alone.
    n_passed : int
        Cuts that have passed.
    """

    certified: float | None
    accepted: int
    known_positives: int
    next_cut: float | None
    n: int
    false_positives: int
    to_label: npt.NDArray[np.int64]
    labels_needed: int | None
    lower_bound: float
    n_passed: int


def certify_precision(
    plan: CertificationPlan,
    scores: npt.NDArray[np.floating],
    order: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int8],
    *,
    known_positives: int = 0,
    min_batch: int = MIN_BATCH,
    n_passed: int = 0,
) -> CertificationProgress:
    """Return what these labels certify, and what to label next.

    Parameters
    ----------
    plan : CertificationPlan
    scores : (N,)
        Of the population, the images that the guarantee covers. None of them was labelled when the cuts were fixed.
    order : (N,) float
        Permanent random numbers: independent, uniform, drawn without regard to scores or labels, the same on each call.
    labels : (N,) int8
        1 positive, 0 not, -1 unknown. Give images on which people are unsure or disagree as 0.
    known_positives : int
        L, the positive images outside the population that are delivered with every cut.
    min_batch : int
        Fill up ``to_label`` to this many images.
    n_passed : int
        Cuts known to have passed with a subset of these labels; they are not tested again.

    Raises
    ------
    LearningError
        The arrays differ in length, or a score is not finite.

    Notes
    -----
    **Population.** What a cut delivers are the N images of the population that it accepts and the L
    ``known_positives``. It keeps the target t if at most ⌊(1 − t)(N + L)⌋ of the N are not positive.

    **What is counted.** Each cut has its own sequence: the images that it accepts, in the order of their random
    numbers. Its test passes at the first n at which the first n images contain no more negatives than
    :func:`~bam_engine.learning.sequential.allowed_defects` allows. Cuts are tested strictest first, each only after the
    one before has passed. Labels for a stricter cut also serve the looser ones, since the order is the same.

    **Guarantee.** The probability that what ``certified`` delivers has a precision below ``plan.target`` is at most
    ``1 - plan.confidence``, at every moment, however many batches are labelled and whenever one stops. Proof: with L
    fixed, every cut either keeps the target or does not, whatever is drawn. A false claim requires that the first cut
    of the plan that does not keep it passes. Whether it passes anywhere along its sequence depends on the random
    numbers and the truth alone, not on what was labelled when, and by the exact limits happens with at most that
    probability. No correction for the number of cuts or looks is needed (fixed-sequence testing: Maurer, Hothorn and
    Lehmacher, 1995). What the labels of the population show afterwards only helps: a negative found is not delivered,
    and a positive found below the cut is.

    **Assumptions.** The cuts, the scores and which images L counts were fixed before any label of the population was
    known: positives that the certification itself finds are not among them, since a number that grows with the labels
    would let the outcome choose the limit. Labels are right and do not depend on the order in which they are collected.
    Nothing is assumed about the precision curve, about projects (the guarantee covers these very images, and only the
    draw is random), or about the sample size.

    Examples
    --------
    >>> plan = CertificationPlan((0.5,), target=0.9, confidence=0.95, planned=50)
    >>> scores, order = np.linspace(1, 0, 200), np.random.default_rng(0).random(200)
    >>> progress = certify_precision(plan, scores, order, np.full(200, -1, np.int8))
    >>> progress.certified, progress.next_cut, len(progress.to_label)
    (None, 0.5, 29)
    """
    _check(scores, order, labels)
    certified = plan.cuts[n_passed - 1] if n_passed else None
    accepted = 0 if certified is None else int((scores >= certified).sum())
    drawn = np.argsort(order, kind="stable")
    ranked = scores[drawn]
    for number, cut in enumerate(plan.cuts[n_passed:], start=n_passed):
        sequence = drawn[ranked >= cut]
        test = _Test(plan, labels[sequence], known_positives)
        if not test.passed:
            return CertificationProgress(
                certified=certified,
                accepted=accepted,
                known_positives=known_positives,
                next_cut=cut,
                n=test.n,
                false_positives=test.false_positives,
                to_label=_batch(plan, number, drawn, ranked, labels, known_positives, min_batch),
                labels_needed=test.labels_needed(),
                lower_bound=test.lower_bound(),
                n_passed=number,
            )
        certified, accepted = cut, len(sequence)
    nothing = np.empty(0, dtype=np.int64)
    return CertificationProgress(certified, accepted, known_positives, None, 0, 0, nothing, 0, 1.0, len(plan.cuts))


def _batch(
    plan: CertificationPlan,
    number: int,
    drawn: npt.NDArray[np.int64],
    ranked: npt.NDArray[np.floating],
    labels: npt.NDArray[np.int8],
    known_positives: int,
    min_batch: int,
) -> npt.NDArray[np.int64]:
    """Return what cut ``number`` needs, then what the next cuts need if all of that is positive, up to a full batch."""
    assumed, batch = labels.copy(), np.empty(0, dtype=np.int64)
    for cut in plan.cuts[number:]:
        sequence = drawn[ranked >= cut]
        needed = sequence[_Test(plan, assumed[sequence], known_positives).needed()]
        assumed[needed] = 1
        batch = np.concatenate([batch, needed])
        if len(batch) >= min_batch:
            break
    return batch


def _check(scores: npt.NDArray[np.floating], order: npt.NDArray[np.float64], labels: npt.NDArray[np.int8]) -> None:
    if not len(scores) == len(order) == len(labels):
        raise LearningError(
            f"{counted(len(scores), 'score')}, {counted(len(order), 'random number')} and "
            f"{counted(len(labels), 'label')} do not match. Give one of each for every image."
        )
    if not np.isfinite(scores).all():
        raise LearningError("Some scores of the population are not finite. Leave those images out.")


class _Test:
    """The test of one cut on the labels of the images it accepts, in random order; -1 is unknown."""

    def __init__(self, plan: CertificationPlan, labels: npt.NDArray[np.int8], known_positives: int) -> None:
        self._plan, self._labels, self._known_positives = plan, labels, known_positives
        unknown = np.flatnonzero(labels < 0)
        self.n = int(unknown[0]) if len(unknown) else len(labels)
        negatives = _running_negatives(labels[: self.n])
        self.false_positives = int(negatives[-1])
        self.passed = len(labels) == 0 or bool((negatives <= self._allowed(self.n)).any())

    def _allowed(self, length: int) -> npt.NDArray[np.int64]:
        """Return the limits for n from 0 to ``length``, computed in a few fixed lengths that the cache can serve."""
        plan, computed = self._plan, self._plan.planned
        while computed < length:
            computed *= 4
        limits = allowed_defects(
            len(self._labels),
            computed,
            planned=plan.planned,
            target=plan.target,
            confidence=plan.confidence,
            known_good=self._known_positives,
        )
        return limits[: length + 1]

    def _horizon(self) -> int:
        """Return how far to look ahead: to the planned end, and at least to twice the labels so far."""
        return min(len(self._labels), max(self._plan.planned, 2 * self.n))

    def needed(self) -> npt.NDArray[np.int64]:
        """Return the positions that must be labelled before the test can pass, if all of them are positive."""
        horizon = self._horizon()
        negatives = _running_negatives(self._labels[:horizon])[self.n :]
        enough = np.flatnonzero(negatives <= self._allowed(horizon)[self.n :])
        end = 0 if self.passed else self.n + int(enough[0]) if len(enough) else horizon
        return np.flatnonzero(self._labels[:end] < 0)

    def labels_needed(self) -> int | None:
        """Return how many more labels suffice at the rate of negatives so far, smoothed by half a negative in ten."""
        horizon = self._horizon()
        known = self._labels[:horizon]
        rate = ((self._labels == 0).sum() + 0.5) / ((self._labels >= 0).sum() + 10)
        negatives = np.cumsum(np.where(known < 0, rate, known == 0))[self.n :]
        enough = np.flatnonzero(negatives <= self._allowed(horizon)[self.n + 1 :])
        return int((known[: self.n + int(enough[0]) + 1] < 0).sum()) if len(enough) else None

    def lower_bound(self) -> float:
        n = self.n
        return float(lower_bound(n - self.false_positives, n, self._plan.confidence)) if n else 0.0


def _running_negatives(labels: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """Return the number of negatives among the first n labels, for n from 0; an unknown label does not count."""
    return np.concatenate([[0], np.cumsum(labels == 0)])
