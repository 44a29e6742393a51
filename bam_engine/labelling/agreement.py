"""How far the annotators of an attribute agree, with an interval on every number.

Wires the answers and the projects to ``annotation.agreement`` and ``annotation.dawid_skene``. Decisions of adjudicators
are no votes and count nowhere here. Intervals hold with 95 % confidence:

- Shares (raw agreement, share of yes, agreement with the others): exact, by project where one repeats; see
  :func:`bam_engine.learning.proportions`.
- Kappa and alpha: the wider, side by side, of a bootstrap over projects and of the exact interval of the raw agreement
  carried over with the luck that was observed. A bootstrap alone calls five shared images without a difference certain.
- Sensitivity and specificity: the wider of a bootstrap over projects and of the exact interval for as many images as
  the model believes to be positive, or negative.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import UNSURE, Answers, Attribute
from bam_engine.annotation import agreement as agreeing
from bam_engine.annotation.agreement import Table, Undefined, Unsure
from bam_engine.annotation.dawid_skene import DawidSkene, dawid_skene, one_hot, refit
from bam_engine.formatting import decimal_interval, percent_interval
from bam_engine.workspace.core import Workspace

REPEATS = 1000
REFITS = 200
MOST_PAIRS = 100  # of annotators, those who share the most images
_STEPS = 30  # of expectation maximisation, from the solution, for one drawn sample
_TAIL = 0.025

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A number with its interval from ``n`` images; where ``value`` is None, ``why`` says why there is none.

    It is a proportion, or a ``coefficient``, which has no unit and may be negative.
    """

    value: float | None
    low: float
    high: float
    n: int
    why: str = ""
    coefficient: bool = False

    @property
    def words(self) -> str:
        """The number with its interval, or why there is none."""
        if self.value is None:
            return self.why
        interval = decimal_interval if self.coefficient else percent_interval
        return interval(self.value, self.low, self.high)


@dataclass(frozen=True)
class PairAgreement:
    """Two annotators, the images that both answered, and how far they agree on them."""

    first: str
    second: str
    shared: int
    raw: Measure
    kappa: Measure


@dataclass(frozen=True)
class AnnotatorAgreement:
    """One annotator.

    ``positive`` and ``unsure`` are shares of their answers. ``with_majority`` is the share of images on which they say
    what more of the others say than say the opposite: their own vote is left out, which would agree with itself.
    ``sensitivity`` and ``specificity`` are those of Dawid and Skene, of images that are probably positive or negative.
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
    """How far people agree about one attribute.

    ``answered`` images have an answer, ``shared`` of them several. ``model`` is the share of positives among the shared
    images by the model of Dawid and Skene; where it has no value, nobody has a sensitivity either. ``pairs`` are those
    who share the most images first, ``MOST_PAIRS`` at most.
    """

    attribute: Attribute
    unsure: Unsure
    answered: int
    shared: int
    raw: Measure
    alpha: Measure
    model: Measure
    pairs: tuple[PairAgreement, ...]
    annotators: tuple[AnnotatorAgreement, ...]


def measure(workspace: Workspace, attribute: Attribute, *, unsure: Unsure = "value", seed: int = 0) -> Agreement:
    """Return how far the annotators of ``attribute`` agree; kept in memory until somebody answers.

    Parameters
    ----------
    unsure
        ``"value"``: unsure is an answer of its own, the stricter way. ``"missing"``: as if it had not been given.
    seed
        Of the bootstrap.
    """
    newest = sa.select(sa.func.max(db.annotations.c.id)).where(db.annotations.c.attribute_id == attribute.id)
    with workspace.engine.connect() as connection:
        version = (connection.scalar(newest), len(workspace.catalogue), seed)
    key = f"agreement:{attribute.id}:{unsure}"
    kept = workspace.memory_cache.get(key)
    if kept is None or kept[0] != version:
        kept = workspace.memory_cache[key] = (version, _measured(workspace, attribute, unsure, seed))
    found: Agreement = kept[1]
    return found


def _measured(workspace: Workspace, attribute: Attribute, unsure: Unsure, seed: int) -> Agreement:
    answers = workspace.annotations.answers(attribute.id)
    table = agreeing.tabulate(answers, unsure=unsure)
    groups = workspace.catalogue.projects()[table.rows]
    names = {who.id: who.name for who in workspace.annotations.annotators()}
    raw, alpha, pairs = _agreement(table, groups, names, np.random.default_rng(seed))
    model = _model(table, groups, np.random.default_rng(seed))
    return Agreement(
        attribute=attribute,
        unsure=unsure,
        answered=len(table.rows),
        shared=int((agreeing.counts(table).sum(axis=1) > 1).sum()),
        raw=raw,
        alpha=alpha,
        model=_prevalence(model),
        pairs=pairs,
        annotators=_annotators(workspace, answers, table, groups, names, model),
    )


def suggest_overlap(workspace: Workspace) -> Literal["second_annotator", "second_vote"]:
    """Return what lets two people answer the same images, where nobody did.

    "second_annotator" where each image needs several votes already, and only one person has answered;
    "second_vote" where each image is asked of one person.
    """
    return "second_annotator" if workspace.redundancy > 1 else "second_vote"


# Agreement of all, and of every two


def _agreement(
    table: Table, groups: NDArray[np.int64], names: dict[int, str], rng: np.random.Generator
) -> tuple[Measure, Measure, tuple[PairAgreement, ...]]:
    together = sorted(agreeing.pairs(table), key=lambda pair: -len(agreeing.shared(table, *pair)))[:MOST_PAIRS]
    images, coincided = agreeing.coincidences(table)
    summands = [(images, coincided), *(agreeing.contingency(table, i, j) for i, j in together)]
    drawn = _drawn([groups[where] for where, _ in summands], [each for _, each in summands], rng)
    raw, alpha = _of_all(table, groups, coincided, agreeing.alpha_of(drawn[0]))
    lines = [
        _of_two(table, groups, pair, agreeing.kappa_of(each), names)
        for pair, each in zip(together, drawn[1:], strict=True)
    ]
    return raw, alpha, tuple(sorted(lines, key=lambda line: (-line.shared, line.first, line.second)))


def _drawn(groups: list[NDArray[np.int64]], tables: list[Floats], rng: np.random.Generator) -> list[Floats]:
    """Sum each of the (n, 3, 3) tables over projects drawn with replacement, the same for all; (REPEATS, 3, 3)."""
    there, codes = np.unique(np.concatenate(groups), return_inverse=True)
    if len(there) == 0:
        return [np.empty((0, 3, 3)) for _ in tables]
    summed = np.zeros((len(there), len(tables), 3, 3))
    start = 0
    for place, table in enumerate(tables):
        np.add.at(summed[:, place], codes[start : start + len(table)], table)
        start += len(table)
    flat = summed.reshape(len(there), -1)
    result = np.array([_times(len(there), rng) @ flat for _ in range(REPEATS)])
    return list(np.moveaxis(result.reshape(-1, len(tables), 3, 3), 1, 0))


def _times(count: int, rng: np.random.Generator) -> Floats:
    """How often each of ``count`` projects is drawn in one sample of that size."""
    return np.bincount(rng.integers(count, size=count), minlength=count).astype(np.float64)


def _of_all(table: Table, groups: NDArray[np.int64], coincided: Floats, drawn: Floats) -> tuple[Measure, Measure]:
    try:
        found = agreeing.compare(table)
    except Undefined as error:
        nothing = _none(str(error), int((agreeing.counts(table).sum(axis=1) > 1).sum()))
        return nothing, nothing
    each = 2 / (found.people * (found.people - 1))
    raw = _share(found.same, groups[found.images], weights=each, n=len(coincided))
    try:
        value = agreeing.krippendorff_alpha(table)
    except Undefined as error:
        return raw, _none(str(error), len(coincided))
    paired = _share(found.same, groups[found.images], weights=1 / (found.people - 1), n=len(coincided))
    return raw, _beyond_luck(value, float(agreeing.alpha_expected_disagreement(coincided.sum(axis=0))), paired, drawn)


def _of_two(
    table: Table, groups: NDArray[np.int64], pair: tuple[int, int], drawn: Floats, names: dict[int, str]
) -> PairAgreement:
    both = agreeing.shared(table, *pair)
    raw = _share(table.codes[both, pair[0]] == table.codes[both, pair[1]], groups[both])
    try:
        value = agreeing.cohen_kappa(table, *pair)
        luck = float(agreeing.kappa_expected_disagreement(agreeing.contingency(table, *pair)[1].sum(axis=0)))
        kappa = _beyond_luck(value, luck, raw, drawn)
    except Undefined as error:
        kappa = _none(str(error), len(both))
    first, second = (names[int(table.annotators[column])] for column in pair)
    return PairAgreement(first, second, len(both), raw, kappa)


def _beyond_luck(value: float, luck: float, raw: Measure, drawn: Floats) -> Measure:
    """Give kappa or alpha its interval: both are 1 - (1 - raw agreement) / (share on which luck alone would differ)."""
    low, high = (1 - (1 - limit) / luck for limit in (raw.low, raw.high))
    spread = drawn[~np.isnan(drawn)]
    if len(spread):
        low, high = min(low, np.quantile(spread, _TAIL)), max(high, np.quantile(spread, 1 - _TAIL))
    return Measure(value, max(float(low), -1.0), min(float(high), 1.0), raw.n, coefficient=True)


def _share(
    hits: NDArray[np.bool_], groups: NDArray[np.int64], *, weights: Floats | None = None, n: int | None = None
) -> Measure:
    """Return the share of hits; ``n`` is the number of images where it is not that of the hits."""
    images = len(hits) if n is None else n
    if len(hits) == 0:
        return _none("there is nothing to count", 0)
    uneven = weights is not None and bool((weights != weights[0]).any())
    found = learning.proportions(
        hits[None, :], np.ones((1, len(hits)), bool), weights=weights if uneven else None, groups=groups
    )
    return Measure(float(found.value[0]), float(found.low[0]), float(found.high[0]), images)


def _none(why: str, n: int) -> Measure:
    return Measure(None, float("nan"), float("nan"), n, why)


# Every annotator


@dataclass(frozen=True, eq=False)
class _Model:
    """Dawid and Skene's model of a table and of samples drawn from it; None, and why, where it says nothing."""

    table: Table
    found: DawidSkene | None
    why: str
    rates: Floats
    shares: Floats


def _model(table: Table, groups: NDArray[np.int64], rng: np.random.Generator) -> _Model:
    nothing = np.empty(0)
    try:
        found = dawid_skene(table)
    except Undefined as error:
        return _Model(table, None, str(error), nothing, nothing)
    if found.doubt:
        return _Model(table, None, found.doubt, nothing, nothing)
    rates, shares = _refitted(table.codes[found.images], groups[found.images], found.positive, rng)
    return _Model(table, found, "", rates, shares)


def _prevalence(model: _Model) -> Measure:
    if model.found is None:
        return _none(model.why, 0)
    n = len(model.found.images)
    return _wider(model.found.prevalence, float(n), n, model.shares)


def _rate(model: _Model, column: int, truth: int) -> Measure:
    """How often an annotator says yes of positive images (``truth`` 1), or no of negative ones (0)."""
    if model.found is None:
        return _none(model.why, 0)
    there = model.table.codes[model.found.images, column] != agreeing.SILENT
    likely = model.found.positive if truth else 1 - model.found.positive
    worth = float(likely[there].sum())
    value = float(model.found.rates[column, truth, truth])
    if np.isnan(value) or worth < 1:
        return _none("they share no image that is probably of this kind", int(there.sum()))
    return _wider(value, worth, int(there.sum()), model.rates[:, column, truth, truth])


def _wider(value: float, worth: float, n: int, drawn: Floats) -> Measure:
    exact_low, exact_high = learning.exact_bounds(value * worth, worth)
    low, high = np.nanquantile(drawn, [_TAIL, 1 - _TAIL])
    return Measure(value, float(min(exact_low, low)), float(max(exact_high, high)), n)


def _refitted(
    codes: NDArray[np.int8], groups: NDArray[np.int64], start: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Fit the model anew to projects drawn with replacement; the rates (r, a, 2, 3) and shares of positives (r,)."""
    there, which = np.unique(groups, return_inverse=True)
    patterns, pattern_of = np.unique(codes, axis=0, return_inverse=True)
    first = np.zeros(len(patterns))
    first[pattern_of.reshape(-1)] = start  # the same answers, the same probability
    drawn = [
        np.bincount(pattern_of.reshape(-1), _times(len(there), rng)[which], minlength=len(patterns))
        for _ in range(REFITS)
    ]
    return refit(one_hot(patterns), np.array(drawn, np.float64), first, _STEPS)


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
        mine = answers.annotators == key
        unsure = _share(answers.answers[mine] == UNSURE, projects[answers.rows[mine]])
        column = int(np.searchsorted(table.annotators, key))
        if column == len(table.annotators) or table.annotators[column] != key:  # unsure of all, and unsure left out
            nothing = _none("they were unsure of every image", 0)
            lines.append(AnnotatorAgreement(names[int(key)], 0, nothing, unsure, nothing, nothing, nothing))
            continue
        said = table.codes[:, column]
        there, others = said != agreeing.SILENT, agreeing.majority_of_others(table, column)
        both = there & (others != agreeing.SILENT)
        lines.append(
            AnnotatorAgreement(
                name=names[int(key)],
                answers=int(there.sum()),
                positive=_share(said[there] == agreeing.YES, groups[there]),
                unsure=unsure,
                with_majority=_share(said[both] == others[both], groups[both]),
                sensitivity=_rate(model, column, 1),
                specificity=_rate(model, column, 0),
            )
        )
    return tuple(lines)
