"""What is probably true of an image, and how good each annotator is, from their answers alone.

In:  a table of who said what. Out: the probability that each image is positive, and each annotator's sensitivity and
specificity. Knows nothing of names, projects and the truth.

The model is that of Dawid and Skene ("Maximum likelihood estimation of observer error-rates using the EM algorithm",
Applied Statistics 28(1), 1979): an image is positive or negative, and given that, people answer independently of each
other, each with their own probabilities of saying yes, no and unsure. Two classes, three answers.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation.agreement import KINDS_OF_ANSWER, NO, YES, Table, Undefined, counts

Floats = NDArray[np.float64]

PEOPLE = 3  # two people's answers fit many sets of error rates equally well
IMAGES = 10  # answered by three; with fewer there are hardly more answers than rates to fit
_TINY = 1e-10  # keeps the logarithm of a rate of 0 finite
_ALIKE = 2.0  # a log-likelihood this close to the best explains the answers as well: e², 7 to 1
_ELSEWHERE = 0.05  # mean difference of the probabilities from which two solutions are different ones


@dataclass(frozen=True, eq=False)
class DawidSkene:
    """A solution of the model.

    Attributes
    ----------
    images : int64 (n,)
        Positions, in the table, of the images that at least two people answered; the others say nothing of anybody.
    positive : (n,)
        The probability that each is positive, given all answers to it.
    rates : (a, 2, 3)
        How often each annotator says no, yes, unsure (last axis) of negative and of positive images (middle axis);
        nan for an annotator, or a class, without images.
    prevalence : float
        The share of positive images.
    log_likelihood : float
    doubt : str
        Empty, or why the solution may be upside down or meaningless and should not be shown as a result.
    """

    images: NDArray[np.int64]
    positive: Floats
    rates: Floats
    prevalence: float
    log_likelihood: float
    doubt: str = ""

    @property
    def sensitivity(self) -> Floats:
        """How often each annotator says yes of a positive image, (a,)."""
        found: Floats = self.rates[:, 1, YES]
        return found

    @property
    def specificity(self) -> Floats:
        """How often each annotator says no of a negative image, (a,)."""
        found: Floats = self.rates[:, 0, NO]
        return found


def dawid_skene(table: Table) -> DawidSkene:
    """Fit the model by expectation maximisation, from the majority vote and from each annotator's own answers.

    The answers fit a solution and its mirror image (every class swapped) equally well. The one is chosen in which
    people are, answer by answer, right more often than wrong. That is an assumption, and ``doubt`` says where it does
    not carry: where not more than half of the annotators tell the classes apart in the direction chosen, where another
    solution explains the answers as well, and where chance (answers that have nothing to do with the image) explains
    them as well by Schwarz's criterion.

    Raises
    ------
    Undefined
        Fewer than three annotators, or fewer than ten images that three of them answered.
    """
    said = counts(table).sum(axis=1)
    triple = int((said >= PEOPLE).sum())
    if len(table.annotators) < PEOPLE or triple < IMAGES:
        raise Undefined(
            f"{triple} images were answered by {PEOPLE} people or more; from {IMAGES} on, each person's error rates "
            f"can be told apart. Let {PEOPLE} people answer the same images."
        )
    images = np.flatnonzero(said > 1).astype(np.int64)
    patterns, which, times = np.unique(table.codes[images], axis=0, return_inverse=True, return_counts=True)
    hot, weight = one_hot(patterns), times.astype(np.float64)
    starts = [_majority(patterns), *(np.where(mine, 0.9, 0.1) for mine in (patterns == YES).T)]
    solutions = sorted((_fit(hot, weight, start) for start in starts), key=lambda found: -found.log_likelihood)
    solutions = [_upright(found, hot, weight) for found in solutions]
    best = solutions[0]
    doubt = _doubt(best, solutions[1:], hot, weight)
    return replace(best, images=images, positive=best.positive[which.reshape(-1)], doubt=doubt)


def one_hot(codes: NDArray[np.int8]) -> Floats:
    """Return who said what as (n, a, 3) zeros and ones; a row of zeros where nothing was said."""
    hot: Floats = (codes[:, :, None] == np.arange(KINDS_OF_ANSWER)).astype(np.float64)
    return hot


def refit(hot: Floats, weights: Floats, start: Floats, iterations: int) -> tuple[Floats, Floats]:
    """Fit the model to many samples at once, a fixed number of steps from ``start``.

    Parameters
    ----------
    hot : (n, a, 3)
        Who said what, as :func:`one_hot` gives it.
    weights : (r, n)
        How often each image is in each sample.
    start : (n,)
        The probability that each is positive from which every sample starts.

    Returns
    -------
    rates, prevalence : (r, a, 2, 3) and (r,)
    """
    positive = np.broadcast_to(start, weights.shape)
    for _ in range(iterations):
        prevalence, rates = _rates(hot, weights, positive)
        positive = _expected(hot, prevalence, rates)[0]
    prevalence, rates = _rates(hot, weights, positive)
    return rates, prevalence


def _fit(hot: Floats, weight: Floats, start: Floats, *, tolerance: float = 1e-9, most: int = 3000) -> DawidSkene:
    positive, likelihood = start, -np.inf
    for _ in range(most):
        prevalence, rates = _rates(hot, weight, positive)
        before = likelihood
        positive, each = _expected(hot, prevalence, rates)
        likelihood = float(weight @ each)
        if likelihood - before < tolerance * max(1.0, abs(likelihood)):
            break
    prevalence, rates = _rates(hot, weight, positive)
    return DawidSkene(np.arange(len(hot)), positive, rates, float(prevalence), likelihood)


def _rates(hot: Floats, weight: Floats, positive: Floats) -> tuple[Floats, Floats]:
    """The maximisation step: the share of positives, and what each annotator says of each class.

    ``weight`` and ``positive`` are (..., n), the results (...) and (..., a, 2, 3).
    """
    flat, yes = hot.reshape(len(hot), -1), weight * positive
    tally = np.stack([(weight - yes) @ flat, yes @ flat], axis=-2)
    tally = np.moveaxis(tally.reshape(*tally.shape[:-1], *hot.shape[1:]), -3, -2)
    total = tally.sum(axis=-1, keepdims=True)
    rates = np.divide(tally, total, out=np.full(tally.shape, np.nan), where=total > _TINY)
    return yes.sum(axis=-1) / weight.sum(axis=-1), rates


def _expected(hot: Floats, prevalence: Floats, rates: Floats) -> tuple[Floats, Floats]:
    """The expectation step: the probability that each image is positive, and its log-likelihood, both (..., n)."""
    flat = hot.reshape(len(hot), -1).T
    logs = np.log(np.where(np.isnan(rates), 1.0, np.maximum(rates, _TINY)))
    negative, positive = (logs[..., kind, :].reshape(*logs.shape[:-3], -1) @ flat for kind in (0, 1))
    share = np.asarray(prevalence)[..., None]
    negative, positive = negative + np.log(np.maximum(1 - share, _TINY)), positive + np.log(np.maximum(share, _TINY))
    each = np.logaddexp(negative, positive)
    return np.exp(positive - each), each


def _majority(codes: NDArray[np.int8]) -> Floats:
    yes, no = (codes == YES).sum(axis=1), (codes == NO).sum(axis=1)
    share: Floats = np.divide(yes, yes + no, out=np.full(len(codes), 0.5), where=yes + no > 0)
    return share


def _skill(found: DawidSkene) -> Floats:
    """How well each annotator tells the classes apart, (a,): 1 always, 0 not at all, below 0 the wrong way round."""
    yes, no = found.rates[:, :, YES], found.rates[:, :, NO]
    told: Floats = ((yes[:, 1] - yes[:, 0]) + (no[:, 0] - no[:, 1])) / 2
    return told


def _upright(found: DawidSkene, hot: Floats, weight: Floats) -> DawidSkene:
    answers = weight @ hot.sum(axis=2)
    if float(np.nansum(_skill(found) * answers)) >= 0:
        return found
    return replace(found, positive=1 - found.positive, rates=found.rates[:, ::-1], prevalence=1 - found.prevalence)


def _doubt(best: DawidSkene, others: list[DawidSkene], hot: Floats, weight: Floats) -> str:
    skill = _skill(best)
    known = ~np.isnan(skill)
    if not known.any():
        return "the answers show one kind of image alone, so nobody's errors on the other kind can be told."
    if best.log_likelihood <= _as_luck(hot, weight):
        return (
            "answers that have nothing to do with the images would look much the same, so nobody's errors can be told. "
            "Let three people answer more of the same images."
        )
    able = int((skill[known] > 0).sum())
    if 2 * able <= len(skill):
        return (
            f"{able} of {len(skill)} annotators answer one way and the others the opposite way: which side is right "
            "cannot be told from the answers. Adjudicate some of the images, or agree on the instructions."
        )
    for other in others:
        apart = float(weight @ np.abs(other.positive - best.positive) / weight.sum())
        if best.log_likelihood - other.log_likelihood < _ALIKE and apart > _ELSEWHERE:
            return "two different readings explain the answers equally well. Let more people answer the same images."
    return ""


def _as_luck(hot: Floats, weight: Floats) -> float:
    """The log-likelihood that two classes must beat: that of one class, and Schwarz's price of the rates it spares."""
    tally = np.einsum("n,nak->ak", weight, hot)
    share = np.divide(tally, tally.sum(axis=1, keepdims=True), out=np.ones_like(tally), where=tally > 0)
    one_class = float((tally * np.log(share)).sum())
    used = (tally > 0).sum(axis=1)
    spared = float(np.maximum(used - 1, 0).sum()) + 1
    return one_class + spared * float(np.log(weight.sum())) / 2
