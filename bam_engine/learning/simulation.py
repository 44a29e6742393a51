"""A simulation of rounds against known labels, to see what labels buy before people are asked for any.

The true labels stand in for annotators; nothing else of them is used until a round is measured.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.formatting import count
from bam_engine.learning.classifier import FeatureScaling, LinearModel, feature_scaling, score_all, train
from bam_engine.learning.evaluation import average_precision, checked_labels
from bam_engine.learning.fixed_sequence import choose_threshold
from bam_engine.learning.products import Vectors
from bam_engine.learning.query import STRATEGIES, random, select_batch, similar, spread
from bam_engine.learning.sampling import Rows, draw_validation, training_pool
from bam_engine.learning.threshold import Threshold
from bam_engine.progress import Report, silent

_SCALING_SAMPLE = 4096


@dataclass(frozen=True, eq=False)
class SimulationState:
    """The state of a simulation before a batch is queried.

    Attributes
    ----------
    pool : (m,) int
        The rows that may be queried, ascending.
    labelled, answers : (n,) int and bool
        The rows queried so far, in order, and their labels.
    model, scores : LinearModel and (N,) float32, or None
        The last classifier and its scores of all images; None while only one class is labelled.
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
"""Takes the state, the size of the batch and a generator; returns the rows to query, from the pool."""


@dataclass(frozen=True)
class RoundOutcome:
    """The result of one round.

    ``labels`` and ``positives`` count the training labels so far, ``validation`` the held-out labels on top of them.
    ``average_precision``, ``precision``, ``recall`` and ``accepted`` are true values over all images outside the
    training labels, the last three at ``threshold``. A strategy that finds many positives for training leaves the
    harder ones outside; ``validation_average_precision`` is measured on the validation set, which is the same for all
    strategies. Without a model or threshold they are nan (``accepted`` 0), and ``problem`` says why.
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
    scaling: FeatureScaling
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
    """Simulate ``rounds`` rounds of ``batch`` labels and return the result of each.

    Parameters
    ----------
    vectors : (N, d)
        Images with an all-zero vector (no embedding) are neither queried nor held out.
    truth : (N,) of 0 and 1
    groups : (N,) int, optional
        Projects: left out of training if they have a validation image, and limited in each batch.
    validation : int
        Size of the validation set, drawn at random from ``seed`` alone, so that all strategies share it.
    strategy : str
        A name in ``STRATEGIES``. The first batch is random for "random", else it starts from ``seeds`` or is spread.
        Run again with ``strategy="random"`` for a baseline.
    seeds : (m, d), optional
        Embedded text or example images for the first batch.

    Returns
    -------
    list of RoundOutcome
        One for each round; fewer if the pool runs out.

    Raises
    ------
    LearningError
        The strategy is unknown, or the truth does not match the vectors or has one class only.
    """
    plan = _plan(vectors, truth, groups, validation, strategy, target, confidence, seed)
    trainable = np.zeros(len(vectors), dtype=bool)
    trainable[training_pool(len(vectors), plan.validation, plan.groups)] = True
    trainable &= plan.embedded
    rng = np.random.default_rng([seed, 1])
    query = query_for(strategy, plan.vectors, groups=plan.groups, seeds=seeds)
    states = run_rounds(
        plan.vectors,
        plan.truth,
        np.flatnonzero(trainable),
        query=query,
        batch=batch,
        groups=plan.groups,
        scaling=plan.scaling,
        rng=rng,
    )
    outcomes = []
    for number, state in enumerate(states, start=1):
        outcomes.append(_outcome(plan, number, state.labelled, state.scores, state.problem))
        report(number, rounds, f"{strategy}: {len(state.labelled)} labels")
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
    scaling: FeatureScaling,
    rng: np.random.Generator,
) -> Iterator[SimulationState]:
    """Query, label and train in turn; yield the state after each batch until the pool is used up.

    The caller stops iterating when it has enough. ``query`` chooses the rows; the classifier is always the product's.

    Parameters
    ----------
    vectors, truth, groups : (N, d), (N,), (N,)
    pool : rows
        The images that may be queried.
    scaling : FeatureScaling
        Of the collection.
    """
    rows = np.unique(np.asarray(pool, dtype=np.int64))
    state = SimulationState(rows, np.empty(0, dtype=np.int64), np.empty(0, dtype=bool), None, None)
    while len(state.pool):
        queried = query(state, batch, rng)
        labelled = np.concatenate([state.labelled, queried])
        model, scores, problem = _learn(vectors, truth, groups, scaling, labelled, rng)
        state = SimulationState(np.setdiff1d(state.pool, queried), labelled, truth[labelled], model, scores, problem)
        yield state


def query_for(
    strategy: str,
    vectors: Vectors,
    *,
    groups: npt.NDArray[np.int64] | None = None,
    seeds: Vectors | None = None,
) -> Query:
    """Return the query of a workspace's rounds: by ``strategy`` once there is a model.

    Before that, "random" queries random images; other strategies query images similar to the seeds, else similar to the
    positives so far, else a spread batch.
    """

    def query(state: SimulationState, count: int, rng: np.random.Generator) -> Rows:
        if strategy == "random":
            return random(state.pool, count, rng=rng).rows
        options: dict[str, Any] = {"groups": groups, "queried": state.labelled, "rng": rng}
        if state.model is not None and state.scores is not None:
            return select_batch(strategy, vectors, state.scores, state.pool, count, **options).rows
        positives = state.labelled[state.answers]
        if seeds is not None or len(positives):
            examples = vectors[positives] if seeds is None else seeds
            return similar(vectors, examples, state.pool, count, **options).rows
        return spread(vectors, state.pool, count, **options).rows

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
        raise LearningError(f"Unknown query strategy {strategy!r}. Choose one of {', '.join(STRATEGIES)}.")
    if len(answers) != len(vectors):
        raise LearningError(
            f"{len(answers):,} true labels do not match {count(len(vectors), 'vector')}. Give one for each image."
        )
    if answers.all() or not answers.any():
        kind = "positive" if answers.all() else "negative"
        raise LearningError(
            f"Every true label is {kind}, of {count(len(answers), 'image')}: there is nothing to learn. Check the "
            "column."
        )
    rng = np.random.default_rng([seed, 0])
    embedded = _embedded(vectors)
    rows = np.flatnonzero(embedded)
    held = draw_validation(rows, validation, rng=rng).rows
    sample = np.sort(rng.choice(rows, size=min(len(rows), _SCALING_SAMPLE), replace=False))
    code = None if groups is None else np.asarray(groups, dtype=np.int64)
    return _Plan(vectors, answers, code, embedded, held, feature_scaling(vectors[sample]), strategy, target, confidence)


def _embedded(vectors: Vectors, block: int = 8192) -> npt.NDArray[np.bool_]:
    """Return which rows are not all zero, (N,), reading one block at a time."""
    return np.concatenate([np.any(vectors[i : i + block] != 0, axis=1) for i in range(0, len(vectors), block)])


def _learn(
    vectors: Vectors,
    truth: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.int64] | None,
    scaling: FeatureScaling,
    labelled: Rows,
    rng: np.random.Generator,
) -> tuple[LinearModel | None, npt.NDArray[np.float32] | None, str]:
    rows = np.sort(labelled)
    projects = None if groups is None else groups[rows]
    try:
        model = train(vectors[rows], truth[rows], groups=projects, scaling=scaling, rng=rng)
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
        threshold = choose_threshold(
            scores[held],
            plan.truth[held],
            target=plan.target,
            confidence=plan.confidence,
            pool_scores=scores[plan.embedded],
            groups=None if plan.groups is None else plan.groups[held],
        )
    except LearningError as error:  # NoThreshold, or only one class in the validation set
        return None, str(error)
    return threshold, ""


def comparison_table(outcomes: Sequence[RoundOutcome], baseline: Sequence[RoundOutcome]) -> str:
    """Return a table for a terminal: each round beside the round of the same size of the random baseline."""
    if not outcomes:
        return "No round was simulated: there was nothing to query."
    first, other = outcomes[0], baseline[0].strategy if baseline else "no baseline"
    lines = [
        f"Both use the same {count(first.validation, 'validation label')} on top of the labels below. AP, precision "
        "and recall",
        "are true values over all images outside the training labels, the last two at the chosen threshold (* "
        "certified).",
        "AP val. is measured on the validation set.",
        f"{'':>5} {'':>6} | {first.strategy:^52} | {other:^52}",
        f"{'round':>5} {'labels':>6} |"
        + " |".join([f"{'positives':>10} {'AP':>8} {'AP val.':>8} {'precision':>11} {'recall':>11}"] * 2),
    ]
    for number, one in enumerate(outcomes):
        pair = [one, baseline[number]] if number < len(baseline) else [one]
        lines.append(f"{one.round:>5} {one.labels:>6} |" + " |".join(_cells(item) for item in pair))
    return "\n".join(lines)


def _cells(item: RoundOutcome) -> str:
    mark = "*" if item.threshold is not None and item.threshold.certified else " "
    true, held_out = item.average_precision, item.validation_average_precision
    return f"{item.positives:>10} {true:>8.3f} {held_out:>8.3f} {item.precision:>10.3f}{mark} {item.recall:>11.3f}"
