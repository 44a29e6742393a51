"""A project's rounds played through against a known truth, to see what labels buy before people are asked.

In:  vectors (N, d), the truth (N,) of one attribute, projects (N,).
Out: what each round reached. The truth answers for people; nothing else of it is used before the round is measured.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.classifier import FeatureScaling, LinearModel, Vectors, feature_scaling, score_all, train
from bam_engine.learning.evaluation import average_precision, checked_labels
from bam_engine.learning.query import STRATEGIES, random, select_batch, similar, spread
from bam_engine.learning.sampling import Rows, draw_validation, training_pool
from bam_engine.learning.threshold import Threshold, choose_threshold
from bam_engine.progress import Report, silent

_SCALING_SAMPLE = 4096


@dataclass(frozen=True, eq=False)
class SimulationState:
    """What is known before a batch is asked.

    Attributes
    ----------
    pool : (m,) int
        The rows that may be asked, ascending.
    labelled, answers : (n,) int and bool
        The rows asked so far in the order they were asked, and what was said.
    model, scores : LinearModel and (N,) float32, or None
        The last classifier and what it says of every image; None while one of the two answers is missing.
    problem : str
        Why there is no model.
    """

    pool: Rows
    labelled: Rows
    answers: npt.NDArray[np.bool_]
    model: LinearModel | None
    scores: npt.NDArray[np.float32] | None
    problem: str = ""


Query = Callable[[SimulationState, int, np.random.Generator], Rows]
"""What is known, how many to ask, a generator → the rows to ask, from the pool."""


@dataclass(frozen=True)
class RoundOutcome:
    """What one round reached.

    ``labels`` and ``positives`` count the training labels so far, ``validation`` the labels held out, which come on
    top. ``average_precision``, ``precision``, ``recall`` and ``accepted`` are true: over all images of the collection
    outside the training labels, the last three at the value of ``threshold``. A strategy that finds many positives for
    training leaves the harder ones outside; ``validation_average_precision`` is measured on the validation set, the
    same images whatever the strategy. All are nan, and ``problem`` says why, when there is no model or no threshold.
    """

    round: int
    strategy: str
    labels: int
    positives: int
    validation: int
    average_precision: float
    validation_average_precision: float
    threshold: Threshold | None
    precision: float
    recall: float
    accepted: int
    problem: str = ""


@dataclass(frozen=True)
class _Plan:
    vectors: Vectors
    truth: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64] | None
    embedded: npt.NDArray[np.bool_]
    validation: Rows
    moments: FeatureScaling
    strategy: str
    target: float
    confidence: float


def simulate(
    vectors: Vectors,
    truth: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    *,
    rounds: int = 4,
    batch: int = 100,
    validation: int = 200,
    strategy: str = "mixture",
    seeds: Vectors | None = None,
    target: float = 0.90,
    confidence: float = 0.95,
    seed: int = 0,
    report: Report = silent,
) -> list[RoundOutcome]:
    """Play ``rounds`` rounds of ``batch`` labels and return what each reached.

    Parameters
    ----------
    vectors : (N, d)
        Images whose vector is all zero (not embedded) are neither asked nor held out.
    truth : (N,) of 0 and 1
    groups : (N,) int, optional
        Projects: kept out of training when they have a validation image, and capped in each batch.
    validation : int
        Labels of the validation set, drawn at random first from ``seed`` alone: every strategy gets the same one.
    strategy : str
        A name of ``STRATEGIES``. The first batch is random for "random", else by ``seeds`` or spread. Run once more
        with ``strategy="random"`` for the twin to compare with.
    seeds : (m, d), optional
        Embedded text or example images for the first batch.

    Returns
    -------
    list of RoundOutcome
        One a round; fewer when the pool runs out.
    """
    plan = _plan(vectors, truth, groups, validation, strategy, target, confidence, seed)
    open_rows = np.zeros(len(vectors), dtype=bool)
    open_rows[training_pool(len(vectors), plan.validation, plan.groups)] = True
    open_rows &= plan.embedded
    rng = np.random.default_rng([seed, 1])
    query = query_for(strategy, plan.vectors, groups=plan.groups, seeds=seeds)
    turns = run_rounds(
        plan.vectors,
        plan.truth,
        np.flatnonzero(open_rows),
        query=query,
        batch=batch,
        groups=plan.groups,
        moments=plan.moments,
        rng=rng,
    )
    outcomes = []
    for number, known in enumerate(turns, start=1):
        outcomes.append(_outcome(plan, number, known.labelled, known.scores, known.problem))
        report(number, rounds, f"{strategy}: {len(known.labelled)} labels")
        if number == rounds:
            break
    return outcomes


def run_rounds(
    vectors: Vectors,
    truth: npt.NDArray[np.bool_],
    pool: npt.ArrayLike,
    *,
    query: Query,
    batch: int,
    groups: npt.NDArray[np.int64] | None = None,
    moments: FeatureScaling,
    rng: np.random.Generator,
) -> Iterator[SimulationState]:
    """Ask, label and train in turn; yield what is known after each batch, until the pool is used up.

    Whoever iterates decides when to stop. ``query`` chooses the rows; the classifier is the product's, whatever chose.

    Parameters
    ----------
    vectors, truth, groups : (N, d), (N,), (N,)
    pool : rows that may be asked
    moments : FeatureScaling
        Of the collection, for the classifier.
    """
    rows = np.unique(np.asarray(pool, dtype=np.int64))
    known = SimulationState(rows, np.empty(0, dtype=np.int64), np.empty(0, dtype=bool), None, None)
    while len(known.pool):
        asked = query(known, batch, rng)
        labelled = np.concatenate([known.labelled, asked])
        model, scores, problem = _learn(vectors, truth, groups, moments, labelled, rng)
        known = SimulationState(np.setdiff1d(known.pool, asked), labelled, truth[labelled], model, scores, problem)
        yield known


def query_for(
    strategy: str,
    vectors: Vectors,
    *,
    groups: npt.NDArray[np.int64] | None = None,
    seeds: Vectors | None = None,
) -> Query:
    """Return the query that a workspace's rounds make: by ``strategy`` once there is a model.

    Before, "random" asks at random, the others ask images like the seeds, else like the positives found, else a spread.
    """

    def query(known: SimulationState, count: int, rng: np.random.Generator) -> Rows:
        if strategy == "random":
            return random(known.pool, count, rng=rng).rows
        more: dict[str, Any] = {"groups": groups, "asked": known.labelled, "rng": rng}
        if known.model is not None and known.scores is not None:
            return select_batch(strategy, vectors, known.scores, known.pool, count, **more).rows
        positives = known.labelled[known.answers]
        if seeds is not None or len(positives):
            wanted = vectors[positives] if seeds is None else seeds
            return similar(vectors, wanted, known.pool, count, **more).rows
        return spread(vectors, known.pool, count, **more).rows

    return query


def _plan(
    vectors: Vectors,
    truth: npt.ArrayLike,
    groups: npt.ArrayLike | None,
    validation: int,
    strategy: str,
    target: float,
    confidence: float,
    seed: int,
) -> _Plan:
    answers = checked_labels(truth)
    if strategy not in STRATEGIES:
        raise LearningError(f"there is no query strategy {strategy!r}; there are {', '.join(STRATEGIES)}.")
    if len(answers) != len(vectors):
        raise LearningError(f"the truth has {len(answers)} answers for {len(vectors)} vectors: give one per image.")
    if answers.all() or not answers.any():
        every = "positive" if answers.all() else "negative"
        raise LearningError(
            f"all {len(answers)} true answers are {every}: there is nothing to learn. Check the column."
        )
    rng = np.random.default_rng([seed, 0])
    embedded = _embedded(vectors)
    rows = np.flatnonzero(embedded)
    held = draw_validation(rows, validation, rng=rng).rows
    sample = np.sort(rng.choice(rows, size=min(len(rows), _SCALING_SAMPLE), replace=False))
    code = None if groups is None else np.asarray(groups, dtype=np.int64)
    return _Plan(vectors, answers, code, embedded, held, feature_scaling(vectors[sample]), strategy, target, confidence)


def _embedded(vectors: Vectors, block: int = 8192) -> npt.NDArray[np.bool_]:
    """Return which rows are not all zero, (N,), reading a block at a time."""
    return np.concatenate([np.any(vectors[i : i + block] != 0, axis=1) for i in range(0, len(vectors), block)])


def _learn(
    vectors: Vectors,
    truth: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.int64] | None,
    moments: FeatureScaling,
    labelled: Rows,
    rng: np.random.Generator,
) -> tuple[LinearModel | None, npt.NDArray[np.float32] | None, str]:
    rows = np.sort(labelled)
    projects = None if groups is None else groups[rows]
    try:
        model = train(vectors[rows], truth[rows], groups=projects, moments=moments, rng=rng)
    except LearningError as error:
        return None, None, str(error)
    return model, score_all(vectors, model), ""


def _outcome(
    plan: _Plan, number: int, labelled: Rows, scores: npt.NDArray[np.float32] | None, problem: str
) -> RoundOutcome:
    outside = plan.embedded.copy()
    outside[labelled] = False
    threshold, validation_ap, true_ap = None, float("nan"), float("nan")
    precision, recall, n_accepted = float("nan"), float("nan"), 0
    if scores is not None:
        held, truth = plan.validation, plan.truth[outside]
        validation_ap = average_precision(scores[held], plan.truth[held])
        true_ap = average_precision(scores[outside], truth)
        threshold, problem = _threshold(plan, scores)
        if threshold is not None:
            accepted = scores[outside] >= threshold.value
            n_accepted = int(accepted.sum())
            precision = float(truth[accepted].mean()) if n_accepted else float("nan")
            recall = float(accepted[truth].mean()) if truth.any() else float("nan")
    return RoundOutcome(
        round=number,
        strategy=plan.strategy,
        labels=len(labelled),
        positives=int(plan.truth[labelled].sum()),
        validation=len(plan.validation),
        average_precision=true_ap,
        validation_average_precision=validation_ap,
        threshold=threshold,
        precision=precision,
        recall=recall,
        accepted=n_accepted,
        problem=problem,
    )


def _threshold(plan: _Plan, scores: npt.NDArray[np.float32]) -> tuple[Threshold | None, str]:
    held = plan.validation
    try:
        found = choose_threshold(
            scores[held],
            plan.truth[held],
            target=plan.target,
            confidence=plan.confidence,
            pool_scores=scores[plan.embedded],
            groups=None if plan.groups is None else plan.groups[held],
        )
    except LearningError as error:  # NoThreshold, or a validation set of one class
        return None, str(error)
    return found, ""


def comparison_table(outcomes: Sequence[RoundOutcome], twin: Sequence[RoundOutcome]) -> str:
    """Return a table for a terminal: each round beside the round of the same size of the random twin."""
    if not outcomes:
        return "no round was played: nothing could be asked."
    first, other = outcomes[0], twin[0].strategy if twin else "no twin"
    lines = [
        f"{first.validation} validation labels, the same for both, come on top of the labels below. AP, precision and",
        "recall are true ones over all images outside the training labels, the last two at the chosen threshold",
        "(* certified). AP val. is measured on the validation set.",
        f"{'':>5} {'':>6} | {first.strategy:^52} | {other:^52}",
        f"{'round':>5} {'labels':>6} |"
        + " |".join([f"{'positives':>10} {'AP':>8} {'AP val.':>8} {'precision':>11} {'recall':>11}"] * 2),
    ]
    for number, one in enumerate(outcomes):
        pair = [one, twin[number]] if number < len(twin) else [one]
        lines.append(f"{one.round:>5} {one.labels:>6} |" + " |".join(_cells(item) for item in pair))
    return "\n".join(lines)


def _cells(item: RoundOutcome) -> str:
    mark = "*" if item.threshold is not None and item.threshold.certified else " "
    true, held_out = item.average_precision, item.validation_average_precision
    return f"{item.positives:>10} {true:>8.3f} {held_out:>8.3f} {item.precision:>10.3f}{mark} {item.recall:>11.3f}"
