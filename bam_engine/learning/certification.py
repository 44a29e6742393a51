"""A precision that can be promised: labels asked one small batch after the other, exactly where the decision is open.

In:  a plan (cuts fixed before), the scores of a population, a random order of it, and the labels there so far.
Out: the loosest cut that is certain, and what to ask next. Knows nothing of people, pages or how scores were made.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.intervals import lower_bound
from bam_engine.learning.sequential import allowed_defects

FEWEST = 20  # images in a batch: people do not like to be called for two


@dataclass(frozen=True)
class CertificationPlan:
    """What is to be promised and the cuts that will be tested for it, strict to loose, all fixed before the labels.

    ``planned`` is about how many labels are meant to be spent; more may follow.
    """

    cuts: tuple[float, ...]
    target: float
    confidence: float
    planned: int

    def __post_init__(self) -> None:
        if not self.cuts or any(a <= b for a, b in zip(self.cuts, self.cuts[1:], strict=False)):
            raise LearningError("a plan needs at least one cut, each lower than the one before.")


@dataclass(frozen=True)
class CertificationProgress:
    """How far a plan is.

    ``certified`` is the loosest cut that passed, None before the first; ``accepted`` how many images of the population
    it accepts; ``passed`` how many cuts have passed. ``open_cut`` is the one being tested (None once all have passed),
    with ``n`` labels drawn from what it accepts, ``faults`` of them not positive. ``ask`` are the positions to label
    next, in order: what the open cut needs even if all of it is positive, and, to fill up a small batch, what the next
    cuts would need then. ``missing`` is about how many more labels would do for the open cut if they go on as those
    before, None where that will never do. ``bound`` is the exact lower limit of its precision by these labels alone.
    """

    certified: float | None
    accepted: int
    open_cut: float | None
    n: int
    faults: int
    ask: npt.NDArray[np.int64]
    missing: int | None
    bound: float
    passed: int


def certify_precision(
    plan: CertificationPlan,
    scores: npt.NDArray[np.floating],
    order: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int8],
    *,
    fewest: int = FEWEST,
    passed: int = 0,
) -> CertificationProgress:
    """Return how far the plan is with these labels, and what to ask next.

    Parameters
    ----------
    scores : (N,)
        Of the population: every image the promise is about; none of them was labelled when the cuts were fixed.
    order : (N,) float
        Permanent random numbers: independent, uniform, drawn without regard to scores or labels, the same each time.
    labels : (N,) int8
        1 positive, 0 not, -1 not known yet. Whatever is not clearly positive is a fault: an image that people are
        unsure of or disagree about must be given as 0.
    passed : int
        So many cuts are known to have passed with fewer of the same labels; they are not tested again.

    Notes
    -----
    Each cut has its own sequence: the images that it accepts, in the order of their random numbers. Its test passes at
    the first n at which the first n of that sequence hold no more faults than
    :func:`~bam_engine.learning.sequential.allowed_defects` allows. Cuts are tested strict to loose, and only after the
    one before has passed. Labels of a stricter cut serve the looser ones too, since the order is the same.

    **What is guaranteed.** The probability that ``certified`` accepts images of the population with a precision below
    ``plan.target`` is at most ``1 - plan.confidence``: at every moment, however many batches are asked and whenever
    one stops. Proof: a false promise needs the first cut of the plan that is truly below the target to pass. Whether
    it passes anywhere along its sequence depends on the random numbers and the truth alone, not on what was asked
    when, and has at most that probability by the exact limits; no correction for the number of cuts or of looks is
    needed (fixed sequence: Maurer, Hothorn and Lehmacher, 1995).

    **Under which assumptions.** The cuts and scores were fixed before any label of the population was known; labels
    are right, and do not change with the order in which they are asked. Nothing is assumed about the curve, about
    projects (the promise is about these very images, and the draw alone is random), or about the sample's size.

    Errors in the labels count as they fall: where people say yes too often, the promise is about what people say.
    """
    _check(scores, order, labels)
    certified = plan.cuts[passed - 1] if passed else None
    accepted = 0 if certified is None else int((scores >= certified).sum())
    drawn = np.argsort(order, kind="stable")
    ranked = scores[drawn]
    for number, cut in enumerate(plan.cuts[passed:], start=passed):
        sequence = drawn[ranked >= cut]
        test = _Test(plan, labels[sequence])
        if not test.passed:
            ask = _batch(plan, number, drawn, ranked, labels, fewest)
            return CertificationProgress(
                certified, accepted, cut, test.n, test.faults, ask, test.missing(), test.bound(), number
            )
        certified, accepted = cut, len(sequence)
    return CertificationProgress(certified, accepted, None, 0, 0, np.empty(0, dtype=np.int64), 0, 1.0, len(plan.cuts))


def _batch(
    plan: CertificationPlan,
    number: int,
    drawn: npt.NDArray[np.int64],
    ranked: npt.NDArray[np.floating],
    labels: npt.NDArray[np.int8],
    fewest: int,
) -> npt.NDArray[np.int64]:
    """Return what the open cut needs, and the next ones if all of that is positive, until there are enough."""
    hoped, asked = labels.copy(), np.empty(0, dtype=np.int64)
    for cut in plan.cuts[number:]:
        sequence = drawn[ranked >= cut]
        needed = sequence[_Test(plan, hoped[sequence]).needed()]
        hoped[needed] = 1
        asked = np.concatenate([asked, needed])
        if len(asked) >= fewest:
            break
    return asked


def _check(scores: npt.NDArray[np.floating], order: npt.NDArray[np.float64], labels: npt.NDArray[np.int8]) -> None:
    if not len(scores) == len(order) == len(labels):
        raise LearningError(
            f"{len(scores)} scores were given with {len(order)} random numbers and {len(labels)} labels: give one each."
        )
    if not np.isfinite(scores).all():
        raise LearningError("some scores of the population are not finite numbers. Leave those images out.")


class _Test:
    """One cut's test: the labels of the images it accepts, in random order, -1 where not known yet."""

    def __init__(self, plan: CertificationPlan, labels: npt.NDArray[np.int8]) -> None:
        self._plan, self._labels = plan, labels
        unknown = np.flatnonzero(labels < 0)
        self.n = int(unknown[0]) if len(unknown) else len(labels)
        faults = _running_faults(labels[: self.n])
        self.faults = int(faults[-1])
        self.passed = len(labels) == 0 or bool((faults <= self._allowed(self.n)).any())

    def _allowed(self, length: int) -> npt.NDArray[np.int64]:
        """Return the limits for n from 0 to ``length``; whole sheets are worked out, so that they are there again."""
        plan, sheet = self._plan, self._plan.planned
        while sheet < length:
            sheet *= 4
        limits = allowed_defects(
            len(self._labels), sheet, planned=plan.planned, target=plan.target, confidence=plan.confidence
        )
        return limits[: length + 1]

    def _longest(self) -> int:
        """Return how far to look ahead: to the planned end, and at least as far again as was come."""
        return min(len(self._labels), max(self._plan.planned, 2 * self.n))

    def needed(self) -> npt.NDArray[np.int64]:
        """Return the places that must be labelled before the test can pass, if every one of them is positive."""
        longest = self._longest()
        faults = _running_faults(self._labels[:longest])[self.n :]
        enough = np.flatnonzero(faults <= self._allowed(longest)[self.n :])
        end = 0 if self.passed else self.n + int(enough[0]) if len(enough) else longest
        return np.flatnonzero(self._labels[:end] < 0)

    def missing(self) -> int | None:
        """Return how many more labels do if faults come at the rate seen so far, half a fault in ten added."""
        longest = self._longest()
        known = self._labels[:longest]
        rate = ((self._labels == 0).sum() + 0.5) / ((self._labels >= 0).sum() + 10)
        faults = np.cumsum(np.where(known < 0, rate, known == 0))[self.n :]
        enough = np.flatnonzero(faults <= self._allowed(longest)[self.n + 1 :])
        return int((known[: self.n + int(enough[0]) + 1] < 0).sum()) if len(enough) else None

    def bound(self) -> float:
        return float(lower_bound(self.n - self.faults, self.n, self._plan.confidence)) if self.n else 0.0


def _running_faults(labels: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """Return how many faults the first n labels hold, for n from 0; an unknown one is none."""
    return np.concatenate([[0], np.cumsum(labels == 0)])
