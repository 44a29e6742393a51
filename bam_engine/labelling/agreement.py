"""Agreement of the annotators of an attribute, with an interval for every number.

Applies ``annotation.agreement`` and ``annotation.dawid_skene`` to the stored answers. Decisions of adjudicators are not
votes and are ignored here. All intervals have 95% confidence:

- Proportions (raw agreement, yes rate, agreement with the majority): exact, clustered by project where projects repeat;
  see :func:`bam_engine.learning.proportions`.
- Kappa and alpha: for each limit, the wider of a bootstrap over projects and of the exact interval of the raw agreement
  transformed with the observed chance agreement. A bootstrap alone would call five shared images without a disagreement
  certain.
- Sensitivity and specificity: the wider of a bootstrap over projects and of the exact interval for the expected number
  of positive or negative images.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import UNSURE, Answers, Attribute
from bam_engine.annotation import agreement as agreeing
from bam_engine.annotation.agreement import Table, Undefined, Unsure
from bam_engine.annotation.answer_log import answer_log
from bam_engine.annotation.dawid_skene import DawidSkene, dawid_skene, one_hot, refit
from bam_engine.formatting import decimal_interval, percent_interval
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

REPEATS = 1000  # bootstrap samples of the measures
REFITS = 200  # bootstrap samples of the model
MAX_PAIRS = 100  # pairs of annotators, those who share the most images
_ITERATIONS = 30  # of expectation maximisation for one bootstrap sample
_TAIL = 0.025

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A value with its interval from ``n`` images; where ``value`` is None, ``reason`` says why.

    It is a proportion or, with ``coefficient``, a statistic without a unit that may be negative.
    """

    value: float | None
    low: float
    high: float
    n: int
    reason: str = ""
    coefficient: bool = False

    @property
    def text(self) -> str:
        """The value with its interval, or why there is none."""
        if self.value is None:
            return self.reason
        interval = decimal_interval if self.coefficient else percent_interval
        return interval(self.value, self.low, self.high)


@dataclass(frozen=True)
class PairAgreement:
    """The agreement of two annotators on the ``shared`` images that both answered."""

    first: str
    second: str
    shared: int
    raw: Measure
    kappa: Measure


@dataclass(frozen=True)
class AnnotatorAgreement:
    """One annotator.

    ``positive`` and ``unsure`` are fractions of their answers. ``with_majority`` is the fraction of images on which
    they agree with the majority of the others, without their own vote. ``sensitivity`` and ``specificity`` are those of
    the Dawid–Skene model.
    """

    name: str
    answers: int
    positive: Measure
    unsure: Measure
    with_majority: Measure
    sensitivity: Measure
    specificity: Measure


@dataclass(frozen=True)
class Agreement:
    """The agreement of the annotators of one attribute.

    ``answered`` images have an answer, ``shared`` of them several. ``prevalence`` is the fraction of positives among
    the shared images by the Dawid–Skene model; without it no annotator has a sensitivity either. ``pairs`` holds at
    most ``MAX_PAIRS`` pairs, those with the most shared images first.
    """

    attribute: Attribute
    unsure: Unsure
    answered: int
    shared: int
    raw: Measure
    alpha: Measure
    prevalence: Measure
    pairs: tuple[PairAgreement, ...]
    annotators: tuple[AnnotatorAgreement, ...]


_AGREEMENTS = Kind[Agreement](
    "agreement of annotators", of="attribute", until="its next answer, or images or annotators change", limit=200
)


def measure(workspace: Workspace, attribute: Attribute, *, unsure: Unsure = "value", seed: int = 0) -> Agreement:
    """Return the agreement of the annotators of ``attribute``, cached until the next answer.

    Parameters
    ----------
    unsure
        ``"value"``: unsure is an answer of its own, which is stricter. ``"missing"``: unsure counts as no answer.
    seed
        Seed of the bootstrap.
    """
    names = workspace.annotators.names()
    version = (answer_log(workspace.engine, attribute.id), attribute, names, len(workspace.catalogue), seed)
    return workspace.memory.get(
        _AGREEMENTS, (attribute.id, unsure), version, lambda: _measure(workspace, attribute, unsure, seed)
    )


def _measure(workspace: Workspace, attribute: Attribute, unsure: Unsure, seed: int) -> Agreement:
    answers = workspace.annotations.answers(attribute.id)
    table = agreeing.tabulate(answers, unsure=unsure)
    groups = workspace.catalogue.projects()[table.rows]
    names = workspace.annotators.names()
    raw, alpha, pairs = _agreement(table, groups, names, np.random.default_rng(seed))
    model = _model(table, groups, np.random.default_rng(seed))
    return Agreement(
        attribute=attribute,
        unsure=unsure,
        answered=len(table.rows),
        shared=int((agreeing.answer_counts(table).sum(axis=1) > 1).sum()),
        raw=raw,
        alpha=alpha,
        prevalence=_prevalence(model),
        pairs=pairs,
        annotators=_annotators(workspace, answers, table, groups, names, model),
    )


def answers_by_annotator(workspace: Workspace) -> dict[int, int]:
    """Return how many answers each annotator ever gave, by id; those of a merged one are the other's."""
    logs = [answer_log(workspace.engine, attribute.id) for attribute in workspace.attributes.all()]
    given = np.concatenate([np.empty(0, np.int32), *(log.annotators for log in logs)])
    ids, counts = np.unique(given, return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def suggest_overlap(workspace: Workspace) -> Literal["second_annotator", "second_vote"]:
    """Return what would give images several answers, where none has.

    "second_annotator" if each image needs several votes but only one person has answered; "second_vote" if each image
    needs one vote only.
    """
    return "second_annotator" if workspace.redundancy > 1 else "second_vote"


# Agreement of all annotators and of pairs


def _agreement(
    table: Table, groups: NDArray[np.int64], names: dict[int, str], rng: np.random.Generator
) -> tuple[Measure, Measure, tuple[PairAgreement, ...]]:
    pairs = sorted(agreeing.annotator_pairs(table), key=lambda pair: -len(agreeing.shared_images(table, *pair)))
    pairs = pairs[:MAX_PAIRS]
    images, coincidences = agreeing.coincidences(table)
    summands = [(images, coincidences), *(agreeing.contingency(table, i, j) for i, j in pairs)]
    samples = _bootstrap([groups[where] for where, _ in summands], [each for _, each in summands], rng)
    raw, alpha = _of_all(table, groups, coincidences, agreeing.alpha_of(samples[0]))
    lines = [
        _of_two(table, groups, pair, agreeing.kappa_of(each), names)
        for pair, each in zip(pairs, samples[1:], strict=True)
    ]
    return raw, alpha, tuple(sorted(lines, key=lambda line: (-line.shared, line.first, line.second)))


def _bootstrap(groups: list[NDArray[np.int64]], tables: list[Floats], rng: np.random.Generator) -> list[Floats]:
    """Sum each of the (n, 3, 3) tables over projects drawn with replacement, the same for all: (REPEATS, 3, 3) each."""
    projects, codes = np.unique(np.concatenate(groups), return_inverse=True)
    if len(projects) == 0:
        return [np.empty((0, 3, 3)) for _ in tables]
    summed = np.zeros((len(projects), len(tables), 3, 3))
    start = 0
    for index, table in enumerate(tables):
        np.add.at(summed[:, index], codes[start : start + len(table)], table)
        start += len(table)
    flat = summed.reshape(len(projects), -1)
    result = np.array([_draw_counts(len(projects), rng) @ flat for _ in range(REPEATS)])
    return list(np.moveaxis(result.reshape(-1, len(tables), 3, 3), 1, 0))


def _draw_counts(count: int, rng: np.random.Generator) -> Floats:
    """Return how often each of ``count`` projects occurs in one bootstrap sample."""
    return np.bincount(rng.integers(count, size=count), minlength=count).astype(np.float64)


def _of_all(table: Table, groups: NDArray[np.int64], coincidences: Floats, samples: Floats) -> tuple[Measure, Measure]:
    try:
        pairs = agreeing.answer_pairs(table)
    except Undefined as error:
        undefined = _undefined(str(error), int((agreeing.answer_counts(table).sum(axis=1) > 1).sum()))
        return undefined, undefined
    weights = 2 / (pairs.answers * (pairs.answers - 1))
    raw = _proportion(pairs.same, groups[pairs.images], weights=weights, n=len(coincidences))
    try:
        value = agreeing.krippendorff_alpha(table)
    except Undefined as error:
        return raw, _undefined(str(error), len(coincidences))
    paired = _proportion(pairs.same, groups[pairs.images], weights=1 / (pairs.answers - 1), n=len(coincidences))
    expected = float(agreeing.alpha_expected_disagreement(coincidences.sum(axis=0)))
    return raw, _chance_corrected(value, expected, paired, samples)


def _of_two(
    table: Table, groups: NDArray[np.int64], pair: tuple[int, int], samples: Floats, names: dict[int, str]
) -> PairAgreement:
    both = agreeing.shared_images(table, *pair)
    raw = _proportion(table.codes[both, pair[0]] == table.codes[both, pair[1]], groups[both])
    try:
        value = agreeing.cohen_kappa(table, *pair)
        expected = float(agreeing.kappa_expected_disagreement(agreeing.contingency(table, *pair)[1].sum(axis=0)))
        kappa = _chance_corrected(value, expected, raw, samples)
    except Undefined as error:
        kappa = _undefined(str(error), len(both))
    first, second = (names[int(table.annotators[column])] for column in pair)
    return PairAgreement(first, second, len(both), raw, kappa)


def _chance_corrected(value: float, expected: float, raw: Measure, samples: Floats) -> Measure:
    """Return kappa or alpha with its interval: both are 1 - (1 - raw agreement) / expected disagreement."""
    low, high = (1 - (1 - limit) / expected for limit in (raw.low, raw.high))
    values = samples[~np.isnan(samples)]
    if len(values):
        low, high = min(low, np.quantile(values, _TAIL)), max(high, np.quantile(values, 1 - _TAIL))
    return Measure(value, max(float(low), -1.0), min(float(high), 1.0), raw.n, coefficient=True)


def _proportion(
    hits: NDArray[np.bool_], groups: NDArray[np.int64], *, weights: Floats | None = None, n: int | None = None
) -> Measure:
    """Return the proportion of hits; ``n`` is the number of images if it is not the number of hits."""
    images = len(hits) if n is None else n
    if len(hits) == 0:
        return _undefined("There are no answers to count.", 0)
    uneven = weights is not None and bool((weights != weights[0]).any())
    estimate = learning.proportions(
        hits[None, :], np.ones((1, len(hits)), bool), weights=weights if uneven else None, groups=groups
    )
    return Measure(float(estimate.value[0]), float(estimate.low[0]), float(estimate.high[0]), images)


def _undefined(reason: str, n: int) -> Measure:
    return Measure(None, float("nan"), float("nan"), n, reason)


# Each annotator


@dataclass(frozen=True, eq=False)
class _Model:
    """The Dawid–Skene model of a table and of its bootstrap samples; without a solution, ``reason`` says why."""

    table: Table
    solution: DawidSkene | None
    reason: str
    rates: Floats
    prevalences: Floats


def _model(table: Table, groups: NDArray[np.int64], rng: np.random.Generator) -> _Model:
    empty = np.empty(0)
    try:
        solution = dawid_skene(table)
    except Undefined as error:
        return _Model(table, None, str(error), empty, empty)
    if solution.problem:
        return _Model(table, None, solution.problem, empty, empty)
    rates, prevalences = _refit(table.codes[solution.images], groups[solution.images], solution.positive, rng)
    return _Model(table, solution, "", rates, prevalences)


def _prevalence(model: _Model) -> Measure:
    if model.solution is None:
        return _undefined(model.reason, 0)
    n = len(model.solution.images)
    return _wider_interval(model.solution.prevalence, float(n), n, model.prevalences)


def _rate(model: _Model, column: int, truth: int) -> Measure:
    """Return an annotator's rate of yes on positive images (``truth`` 1), or of no on negative ones (0)."""
    if model.solution is None:
        return _undefined(model.reason, 0)
    answered = model.table.codes[model.solution.images, column] != agreeing.NO_ANSWER
    probability = model.solution.positive if truth else 1 - model.solution.positive
    expected = float(probability[answered].sum())
    value = float(model.solution.rates[column, truth, truth])
    if np.isnan(value) or expected < 1:
        kind = "positive" if truth else "negative"
        return _undefined(f"No image that they share with others is likely to be {kind}.", int(answered.sum()))
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
        np.bincount(pattern_of.reshape(-1), _draw_counts(len(projects), rng)[project_of], minlength=len(patterns))
        for _ in range(REFITS)
    ]
    return refit(one_hot(patterns), np.array(samples, np.float64), first, _ITERATIONS)


def _annotators(
    workspace: Workspace,
    answers: Answers,
    table: Table,
    groups: NDArray[np.int64],
    names: dict[int, str],
    model: _Model,
) -> tuple[AnnotatorAgreement, ...]:
    projects = workspace.catalogue.projects()
    lines = []
    for key in np.unique(answers.annotators):
        own = answers.annotators == key
        unsure = _proportion(answers.answers[own] == UNSURE, projects[answers.rows[own]])
        column = int(np.searchsorted(table.annotators, key))
        if column == len(table.annotators) or table.annotators[column] != key:  # unsure about all, and unsure ignored
            undefined = _undefined("They were unsure about every image.", 0)
            lines.append(AnnotatorAgreement(names[int(key)], 0, undefined, unsure, undefined, undefined, undefined))
            continue
        codes = table.codes[:, column]
        answered, others = codes != agreeing.NO_ANSWER, agreeing.majority_of_others(table, column)
        both = answered & (others != agreeing.NO_ANSWER)
        lines.append(
            AnnotatorAgreement(
                name=names[int(key)],
                answers=int(answered.sum()),
                positive=_proportion(codes[answered] == agreeing.YES, groups[answered]),
                unsure=unsure,
                with_majority=_proportion(codes[both] == others[both], groups[both]),
                sensitivity=_rate(model, column, 1),
                specificity=_rate(model, column, 0),
            )
        )
    return tuple(lines)
