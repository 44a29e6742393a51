"""The Dawid–Skene model of the answers about an attribute, with an interval for each of its rates.

In:  a table of answers and the project of each image. Out: the fraction of positives, and each annotator's sensitivity
and specificity. It is fitted to all answers, also of people who were asked because others did not agree: what decides
whether somebody is asked further, the answers before, is in the table, so that maximum likelihood need not model it
(Rubin, "Inference and missing data", 1976).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import agreement as agreeing
from bam_engine.annotation.agreement import Table, Undefined
from bam_engine.annotation.dawid_skene import DawidSkene, dawid_skene, one_hot, refit
from bam_engine.labelling.measures import Floats, Measure, undefined

REFITS = 200  # bootstrap samples of the model
_ITERATIONS = 30  # of expectation maximisation for one bootstrap sample
_TAIL = 0.025


@dataclass(frozen=True, eq=False)
class AnswerModel:
    """The Dawid–Skene model of a table and of its bootstrap samples; without a solution, ``reason`` says why."""

    table: Table
    solution: DawidSkene | None
    reason: str
    rates: Floats
    prevalences: Floats


def fit_answers(table: Table, groups: NDArray[np.int64], rng: np.random.Generator) -> AnswerModel:
    """Fit the model to a table and to bootstrap samples of its projects; ``groups`` (m,) are those of its images."""
    empty = np.empty(0)
    try:
        solution = dawid_skene(table)
    except Undefined as error:
        return AnswerModel(table, None, str(error), empty, empty)
    if solution.problem:
        return AnswerModel(table, None, solution.problem, empty, empty)
    rates, prevalences = _refit(table.codes[solution.images], groups[solution.images], solution.positive, rng)
    return AnswerModel(table, solution, "", rates, prevalences)


def prevalence(model: AnswerModel) -> Measure:
    """Return the fraction of positives among the images with several answers."""
    if model.solution is None:
        return undefined(model.reason, 0)
    n = len(model.solution.images)
    return _wider_interval(model.solution.prevalence, float(n), n, model.prevalences)


def rate(model: AnswerModel, column: int | None, truth: int) -> Measure:
    """Return an annotator's rate of yes on positive images (``truth`` 1), or of no on negative ones (0)."""
    if column is None:
        return undefined("They were unsure about every image.", 0)
    if model.solution is None:
        return undefined(model.reason, 0)
    answered = model.table.codes[model.solution.images, column] != agreeing.NO_ANSWER
    probability = model.solution.positive if truth else 1 - model.solution.positive
    expected = float(probability[answered].sum())
    value = float(model.solution.rates[column, truth, truth])
    if np.isnan(value) or expected < 1:
        kind = "positive" if truth else "negative"
        return undefined(f"No image that they share with others is likely to be {kind}.", int(answered.sum()))
    return _wider_interval(value, expected, int(answered.sum()), model.rates[:, column, truth, truth])


def _wider_interval(value: float, effective_n: float, n: int, samples: Floats) -> Measure:
    exact_low, exact_high = learning.exact_bounds(value * effective_n, effective_n)
    low, high = np.nanquantile(samples, [_TAIL, 1 - _TAIL])
    return Measure(value, float(min(exact_low, low)), float(max(exact_high, high)), n)


def _refit(
    codes: NDArray[np.int8], groups: NDArray[np.int64], start: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Refit the model to bootstrap samples of projects; return the rates (r, a, 2, 3) and prevalences (r,)."""
    projects, project_of = np.unique(groups, return_inverse=True)
    patterns, pattern_of = np.unique(codes, axis=0, return_inverse=True)
    first = np.zeros(len(patterns))
    first[pattern_of.reshape(-1)] = start  # equal answers have equal probabilities
    samples = [
        np.bincount(pattern_of.reshape(-1), draw_counts(len(projects), rng)[project_of], minlength=len(patterns))
        for _ in range(REFITS)
    ]
    return refit(one_hot(patterns), np.array(samples, np.float64), first, _ITERATIONS)


def draw_counts(count: int, rng: np.random.Generator) -> Floats:
    """Return how often each of ``count`` projects occurs in one bootstrap sample."""
    return np.bincount(rng.integers(count, size=count), minlength=count).astype(np.float64)
