"""The Dawid–Skene model: probable labels and annotator error rates, from the answers alone.

In:  a table of answers. Out: the probability that each image is positive, and each annotator's sensitivity and
specificity.

The model is that of Dawid and Skene ("Maximum likelihood estimation of observer error-rates using the EM algorithm",
Applied Statistics 28(1), 1979): an image is positive or negative, and given its class, annotators answer independently,
each with their own probabilities of yes, no and unsure. Two classes, three answers.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation.agreement import N_ANSWERS, NO, YES, Table, Undefined, answer_counts

Floats = NDArray[np.float64]

MIN_ANNOTATORS = 3  # the answers of two fit many sets of error rates equally well
MIN_IMAGES = 10  # with three answers; fewer give hardly more answers than there are rates to fit
_TINY = 1e-10  # keeps the logarithm of a rate of 0 finite
_CLOSE = 2.0  # a log-likelihood this close to the best explains the answers equally well (odds of e², 7 to 1)
_DIFFERENT = 0.05  # mean difference of the probabilities at which two solutions count as different


@dataclass(frozen=True, eq=False)
class DawidSkene:
    """A solution of the model.

    Attributes
    ----------
    images : int64 (n,)
        Positions in the table of the images with at least two answers; the others are ignored.
    positive : (n,)
        The probability that each is positive, given all answers to it.
    rates : (a, 2, 3)
        Each annotator's rates of no, yes and unsure (last axis) on negative and positive images (middle axis); nan for
        an annotator or class without images.
    prevalence : float
        The fraction of positive images.
    log_likelihood : float
    problem : str
        Why the solution may be inverted or meaningless and should not be reported; empty if it is sound.
    """

    images: NDArray[np.int64]
    positive: Floats
    rates: Floats
    prevalence: float
    log_likelihood: float
    problem: str = ""

    @property
    def sensitivity(self) -> Floats:
        """Each annotator's rate of yes on positive images, (a,)."""
        rates: Floats = self.rates[:, 1, YES]
        return rates

    @property
    def specificity(self) -> Floats:
        """Each annotator's rate of no on negative images, (a,)."""
        rates: Floats = self.rates[:, 0, NO]
        return rates


def dawid_skene(table: Table) -> DawidSkene:
    """Fit the model by expectation maximisation, starting from the majority vote and from each annotator's answers.

    The answers fit a solution and its mirror image (classes swapped) equally well; the one in which answers are right
    more often than wrong is chosen. ``problem`` says where this assumption is unsafe: where at most half of the
    annotators separate the classes in the chosen direction, where a different solution fits equally well, or where
    random answers fit equally well by Schwarz's criterion (BIC).

    Raises
    ------
    Undefined
        Fewer than three annotators, or fewer than ten images with three answers.
    """
    n_answers = answer_counts(table).sum(axis=1)
    triple = int((n_answers >= MIN_ANNOTATORS).sum())
    if len(table.annotators) < MIN_ANNOTATORS or triple < MIN_IMAGES:
        raise Undefined(
            f"Error rates need at least {MIN_IMAGES} images answered by {MIN_ANNOTATORS} or more people (so far "
            f"{triple:,}). Have {MIN_ANNOTATORS} people answer the same images."
        )
    images = np.flatnonzero(n_answers > 1).astype(np.int64)
    patterns, which, times = np.unique(table.codes[images], axis=0, return_inverse=True, return_counts=True)
    hot, weight = one_hot(patterns), times.astype(np.float64)
    starts = [_majority(patterns), *(np.where(said_yes, 0.9, 0.1) for said_yes in (patterns == YES).T)]
    solutions = sorted((_fit(hot, weight, start) for start in starts), key=lambda solution: -solution.log_likelihood)
    solutions = [_oriented(solution, hot, weight) for solution in solutions]
    best = solutions[0]
    problem = _problem(best, solutions[1:], hot, weight)
    return replace(best, images=images, positive=best.positive[which.reshape(-1)], problem=problem)


def one_hot(codes: NDArray[np.int8]) -> Floats:
    """Return the codes as (n, a, 3) zeros and ones; all zeros where there is no answer."""
    hot: Floats = (codes[:, :, None] == np.arange(N_ANSWERS)).astype(np.float64)
    return hot


def refit(hot: Floats, weights: Floats, start: Floats, iterations: int) -> tuple[Floats, Floats]:
    """Fit the model to many samples at once, with a fixed number of iterations from ``start``.

    Parameters
    ----------
    hot : (n, a, 3)
        The answers, as returned by :func:`one_hot`.
    weights : (r, n)
        How often each image occurs in each sample.
    start : (n,)
        The initial probability that each image is positive, the same for every sample.

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


def _fit(
    hot: Floats, weight: Floats, start: Floats, *, tolerance: float = 1e-9, max_iterations: int = 3000
) -> DawidSkene:
    positive, likelihood = start, -np.inf
    for _ in range(max_iterations):
        prevalence, rates = _rates(hot, weight, positive)
        before = likelihood
        positive, each = _expected(hot, prevalence, rates)
        likelihood = float(weight @ each)
        if likelihood - before < tolerance * max(1.0, abs(likelihood)):
            break
    prevalence, rates = _rates(hot, weight, positive)
    return DawidSkene(np.arange(len(hot)), positive, rates, float(prevalence), likelihood)


def _rates(hot: Floats, weight: Floats, positive: Floats) -> tuple[Floats, Floats]:
    """The maximisation step: the fraction of positives, and each annotator's rates per class.

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
    prior = np.asarray(prevalence)[..., None]
    negative, positive = negative + np.log(np.maximum(1 - prior, _TINY)), positive + np.log(np.maximum(prior, _TINY))
    each = np.logaddexp(negative, positive)
    return np.exp(positive - each), each


def _majority(codes: NDArray[np.int8]) -> Floats:
    yes, no = (codes == YES).sum(axis=1), (codes == NO).sum(axis=1)
    fraction: Floats = np.divide(yes, yes + no, out=np.full(len(codes), 0.5), where=yes + no > 0)
    return fraction


def _skill(solution: DawidSkene) -> Floats:
    """Return how well each annotator separates the classes, (a,): 1 perfectly, 0 not at all, below 0 inverted."""
    yes, no = solution.rates[:, :, YES], solution.rates[:, :, NO]
    skill: Floats = ((yes[:, 1] - yes[:, 0]) + (no[:, 0] - no[:, 1])) / 2
    return skill


def _oriented(solution: DawidSkene, hot: Floats, weight: Floats) -> DawidSkene:
    """Return the solution or its mirror image, whichever has more right answers than wrong ones."""
    answers = weight @ hot.sum(axis=2)
    if float(np.nansum(_skill(solution) * answers)) >= 0:
        return solution
    return replace(
        solution,
        positive=1 - solution.positive,
        rates=solution.rates[:, ::-1],
        prevalence=1 - solution.prevalence,
    )


def _problem(best: DawidSkene, others: list[DawidSkene], hot: Floats, weight: Floats) -> str:
    skill = _skill(best)
    known = ~np.isnan(skill)
    if not known.any():
        return "The answers contain only one kind of image, so error rates on the other kind cannot be estimated."
    if best.log_likelihood <= _chance_likelihood(hot, weight):
        return (
            "The answers cannot be distinguished from random ones, so error rates cannot be estimated. Have three "
            "people answer more of the same images."
        )
    able = int((skill[known] > 0).sum())
    if 2 * able <= len(skill):
        return (
            f"{able} of {len(skill)} annotators answer one way and the others the opposite way, and the answers do not "
            "show which side is right. Adjudicate some of the images, or clarify the instructions."
        )
    for other in others:
        apart = float(weight @ np.abs(other.positive - best.positive) / weight.sum())
        if best.log_likelihood - other.log_likelihood < _CLOSE and apart > _DIFFERENT:
            return "Two different solutions fit the answers equally well. Have more people answer the same images."
    return ""


def _chance_likelihood(hot: Floats, weight: Floats) -> float:
    """Return the log-likelihood that two classes must exceed: that of one class plus Schwarz's penalty (BIC)."""
    tally = np.einsum("n,nak->ak", weight, hot)
    rates = np.divide(tally, tally.sum(axis=1, keepdims=True), out=np.ones_like(tally), where=tally > 0)
    one_class = float((tally * np.log(rates)).sum())
    used = (tally > 0).sum(axis=1)
    extra = float(np.maximum(used - 1, 0).sum()) + 1
    return one_class + extra * float(np.log(weight.sum())) / 2
