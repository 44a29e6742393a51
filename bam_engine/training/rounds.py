"""Active-learning rounds: start one, train on its labels, and tell what to do next.

A round is stored with its seed, its images and the reason for each before anyone is asked, so that every query can be
explained later.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.formatting import count as counted
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows, queried_rows
from bam_engine.learning import Batch
from bam_engine.progress import Report, silent
from bam_engine.training.evaluation import evaluate
from bam_engine.training.measurements import Measurement, same, store_measurement
from bam_engine.training.models import TrainedModel, TrainingData, latest_model, model_of, models, save_model, scores_of
from bam_engine.training.querying import (
    BATCH_SIZE,
    prefetch_neighbours,
    propose,
    query_pool,
    training_labels,
)
from bam_engine.workspace.core import Workspace, random_seed
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.vectors import embedded_rows, missing_rows, vectors_of

DEFAULT_ROUNDS = 4  # as in BAM

_SCALING_SAMPLE = 4096  # images from which the feature scaling is estimated

Step = Literal["embed", "draw_validation", "label_validation", "start_round", "label_round", "train", "decide"]


@dataclass(frozen=True)
class Round:
    """A round: its number from 1, how its images were chosen, its progress, and the model trained after it."""

    id: int
    number: int
    strategy: str
    seed: int
    task: tasks.Task
    state: tasks.TaskState
    model: TrainedModel | None


@dataclass(frozen=True)
class AttributeState:
    """The state of an attribute; ``step`` is what to do next."""

    attribute: Attribute
    validation: tasks.TaskState
    rounds: tuple[Round, ...]
    step: Step
    model: TrainedModel | None


@one_flow
def state(workspace: Workspace, attribute: Attribute) -> AttributeState:
    """Return the state of ``attribute``."""
    validation = tasks.state(workspace, tasks.validation_task(workspace, attribute))
    rounds = rounds_of(workspace, attribute)
    trained = [each.model for each in rounds if each.model is not None]
    model = trained[-1] if trained else latest_model(workspace, attribute)  # or one trained on imported labels alone
    step = _step(workspace, validation, rounds)
    if not rounds and model is not None and step == "start_round" and not len(query_pool(workspace, attribute)):
        step = "decide"  # all images came with a label
    return AttributeState(attribute, validation, rounds, step, model)


def _step(workspace: Workspace, validation: tasks.TaskState, rounds: tuple[Round, ...]) -> Step:
    if len(workspace.vectors()) == 0:
        return "embed"
    if validation.total == 0:
        return "draw_validation"
    if not validation.complete:
        return "label_validation"
    if not rounds:
        return "start_round"
    last = rounds[-1]
    if not last.state.complete:
        return "label_round"
    if last.model is None or last.model.measurement is None:  # an interrupted training is completed
        return "train"
    return "start_round" if last.number < DEFAULT_ROUNDS else "decide"


def rounds_of(workspace: Workspace, attribute: Attribute) -> tuple[Round, ...]:
    """Return the rounds of ``attribute``, first to last."""
    stored = [each for each in workspace.snapshot.rows_with(db.rounds.c.attribute_id, attribute.id) if each.number > 0]
    trained = {model.round_id: model for model in models(workspace, attribute)}
    rounds = []
    for each in sorted(stored, key=lambda each: each.number):
        task = tasks.round_task(workspace, attribute, each.id, each.number)
        progress = tasks.state(workspace, task)
        rounds.append(Round(each.id, each.number, each.strategy, each.seed, task, progress, trained.get(each.id)))
    return tuple(rounds)


@one_flow
def start_round(
    workspace: Workspace,
    attribute: Attribute,
    *,
    count: int = BATCH_SIZE,
    strategy: str = "",
    seeds: Sequence[int] = (),
    text: str = "",
    candidates: str = "",
    seed: int | None = None,
) -> Round:
    """Choose the next batch and store it in one transaction; see :func:`querying.propose` for the parameters.

    Raises
    ------
    LearningError
        The last round is not fully labelled, no image is left to query, or someone else has started this round or drawn
        one of its images for validation, a certification or an audit in the meantime.
    """
    before = rounds_of(workspace, attribute)
    if before and not before[-1].state.complete:
        last = before[-1]
        raise LearningError(
            f"Round {last.number} is not finished: {last.state.answered:,} of {counted(last.state.total, 'image')} are "
            "labelled. Label the rest first."
        )
    number, used_seed = len(before) + 1, random_seed(seed)
    used, batch = propose(
        workspace,
        attribute,
        count=count,
        strategy=strategy,
        seeds=seeds,
        text=text,
        candidates=candidates,
        seed=used_seed,
    )
    model = latest_model(workspace, attribute)
    scores = None if model is None else scores_of(workspace, attribute, model)
    _store(workspace, attribute, number, used, used_seed, batch, scores)
    return rounds_of(workspace, attribute)[-1]


def _store(
    workspace: Workspace,
    attribute: Attribute,
    number: int,
    strategy: str,
    seed: int,
    batch: Batch,
    scores: NDArray[np.float32] | None,
) -> None:
    values = {
        "attribute_id": attribute.id,
        "number": number,
        "strategy": strategy,
        "encoder": workspace.choice.key,
        "seed": seed,
        "made_at": db.now(),
    }
    with exclusive(workspace.engine, db.rounds) as connection:
        _check_still_free(workspace, connection, attribute, number, batch)
        round_id = db.insert_row(connection, db.rounds, values)
        lines = [
            {
                "round_id": round_id,
                "row": int(row),
                "position": position,
                "reason": reason,
                "score": None if scores is None or np.isnan(scores[row]) else float(scores[row]),
            }
            for position, (row, reason) in enumerate(zip(batch.rows, batch.reasons, strict=True))
        ]
        connection.execute(sa.insert(db.round_images), lines)


def _check_still_free(
    workspace: Workspace, connection: sa.Connection, attribute: Attribute, number: int, batch: Batch
) -> None:
    """Refuse a round that someone else has started meanwhile, or whose images have been drawn as held-out ones."""
    table = db.rounds
    last = connection.scalar(sa.select(sa.func.max(table.c.number)).where(table.c.attribute_id == attribute.id)) or 0
    if last >= number:
        raise LearningError(
            f"Round {number} of {attribute.name} has just been started by someone else. Label that one."
        )
    if np.isin(batch.rows, held_out_rows(workspace, attribute)).any():
        raise LearningError(
            f"Some images of round {number} of {attribute.name} have just been drawn for validation, a certification "
            "or an audit. Start the round again."
        )


def reasons(workspace: Workspace, round_: Round) -> dict[int, tuple[str, float | None]]:
    """Return the reason and the score at that time of each image of a round, by row."""
    table = db.round_images
    query = sa.select(table.c.row, table.c.reason, table.c.score).where(table.c.round_id == round_.id)
    with workspace.engine.connect() as connection:
        return {row: (reason, score) for row, reason, score in connection.execute(query)}


@one_flow
def train(workspace: Workspace, attribute: Attribute, *, report: Report = silent) -> TrainedModel:
    """Train on all training labels, score every image, and measure on the held-out labels.

    The same labels make the same model once: training again, or concurrently, returns the existing model and completes
    a training that was interrupted. It is measured again, in case held-out labels have changed.

    Raises
    ------
    LearningError
        There are no labels but for evaluation, or only one class is labelled.
    """
    last = _last_round(workspace, attribute)
    rows, answers = training_labels(workspace, attribute)
    if not len(rows):
        raise LearningError(_no_labels(workspace, attribute))
    report(0, 4, "training")
    data = _training_data(workspace, attribute, rows, answers)
    before, trained = models(workspace, attribute), model_of(workspace, attribute, last.id, data)
    if trained is None:
        model = fit(workspace, rows, answers, np.random.default_rng(last.seed))
        trained = save_model(workspace, attribute, last.id, model, data)
    report(1, 4, "scoring every image")
    scores_of(workspace, attribute, trained)
    report(2, 4, "finding neighbours")
    prefetch_neighbours(workspace, attribute, trained)
    report(3, 4, "measuring on the validation set")
    flipped = _flipped(workspace, attribute, before, trained)
    measurement = replace(_measure(workspace, attribute, trained), flipped=flipped)
    if not same(measurement, trained.measurement):
        store_measurement(workspace, trained.id, measurement)
    report(4, 4, "trained")
    return replace(trained, measurement=measurement)


@one_flow
def is_current(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> bool:
    """Return whether a model was trained on the labels and vectors of today."""
    with workspace.using(model.encoder):
        data = _training_data(workspace, attribute, *training_labels(workspace, attribute))
    return data.learned_from == model.data.learned_from


def _training_data(
    workspace: Workspace, attribute: Attribute, rows: NDArray[np.int64], answers: NDArray[np.int8]
) -> TrainingData:
    """Describe the labels of ``rows`` as what a model is trained on."""
    in_rounds, imported = queried_rows(workspace, attribute), tasks.imported_rows(workspace, attribute)
    looked_at = np.union1d(in_rounds, tasks.unqueried_rows(workspace, attribute))
    groups, vectors = workspace.catalogue.projects()[rows], np.array([len(workspace.vectors())])
    return TrainingData(
        labels=len(rows),
        imported=int((np.isin(rows, imported) & ~np.isin(rows, in_rounds)).sum()),
        in_bulk=int((~np.isin(rows, looked_at)).sum()),
        learned_from=_digest(rows, answers, groups, missing_rows(workspace), vectors),
    )


def _no_labels(workspace: Workspace, attribute: Attribute) -> str:
    """Return why there is nothing to train on, and what to do."""
    disputed = sum(each.state.disputed for each in rounds_of(workspace, attribute))
    if not disputed:
        return f"{attribute.name} has no labels to train on: no image is settled as yes or no. Label another batch."
    return (
        f"{attribute.name} has no labels to train on: annotators disagree about {counted(disputed, 'image')} of its "
        "rounds. Settle these, or label another batch."
    )


@dataclass(frozen=True)
class _RoundKey:
    """The round that a model is stored under."""

    id: int
    number: int
    seed: int


def _last_round(workspace: Workspace, attribute: Attribute) -> _RoundKey:
    """Return the newest round, or the one before it while the newest is labelled: that trains when it is complete.

    Round 0 stands for the labels imported, or given directly, before the first one and queries nothing.

    Raises
    ------
    LearningError
        There is neither a round nor a label that was imported or given directly.
    """
    last = _newest_complete_round(workspace, attribute)
    if last is None:
        if not len(tasks.unqueried_rows(workspace, attribute)):
            raise LearningError(
                f"{attribute.name} has no labels to train on. Start a round and label it, or import labels."
            )
        values = {"attribute_id": attribute.id, "number": 0, "strategy": "import", "encoder": workspace.choice.key}
        with exclusive(workspace.engine, db.rounds) as connection:
            db.insert_new(connection, db.rounds, [{**values, "seed": random_seed(None), "made_at": db.now()}])
        last = _newest_complete_round(workspace, attribute)
        if last is None:
            raise LearningError(f"The round of {attribute.name}'s imported labels was stored but cannot be read back.")
    return _RoundKey(last.id, last.number, last.seed)


def _newest_complete_round(workspace: Workspace, attribute: Attribute) -> sa.Row[Any] | None:
    """Return the newest round; where that is being labelled, the one before it, if there is one."""
    stored = workspace.snapshot.rows_with(db.rounds.c.attribute_id, attribute.id)
    newest_first = sorted(stored, key=lambda each: -each.number)
    begun = rounds_of(workspace, attribute)
    if len(newest_first) > 1 and begun and not begun[-1].state.complete:
        return newest_first[1]
    return newest_first[0] if newest_first else None


def _digest(*arrays: NDArray[Any]) -> str:
    """Return a digest of the data that a model was trained on."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape} ".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]


def fit(
    workspace: Workspace,
    rows: NDArray[np.int64],
    answers: NDArray[np.int8],
    rng: np.random.Generator,
) -> learning.LinearModel:
    """Return a classifier of labelled images on the vectors of the encoder in use; nothing is stored."""
    scaling, groups = collection_scaling(workspace, rng), workspace.catalogue.projects()[rows]
    return learning.train(vectors_of(workspace)[rows], answers, groups=groups, scaling=scaling, rng=rng)


def collection_scaling(workspace: Workspace, rng: np.random.Generator) -> learning.FeatureScaling:
    """Return the mean and scale of the vectors of the encoder in use, from a sample of the collection."""
    vectors, embedded = vectors_of(workspace), embedded_rows(workspace)
    sample = np.sort(rng.choice(embedded, size=min(len(embedded), _SCALING_SAMPLE), replace=False))
    return learning.feature_scaling(vectors[sample])


def _measure(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> Measurement:
    try:
        found = evaluate(workspace, attribute, model)
    except LearningError as error:
        return Measurement(None, None, None, str(error), None)
    return Measurement(found.n, found.average_precision, found.threshold, found.no_threshold, None)


def _flipped(
    workspace: Workspace, attribute: Attribute, stored: Sequence[TrainedModel], after: TrainedModel
) -> int | None:
    """Return the number of images whose decision changed since the last of ``stored`` models before; None for none."""
    earlier = [model for model in stored if model.id < after.id]
    if not earlier:
        return None
    before = earlier[-1]
    before_scores, after_scores = scores_of(workspace, attribute, before), scores_of(workspace, attribute, after)
    old_side = before_scores >= before.decision_threshold
    return int((old_side != (after_scores >= after.decision_threshold)).sum())
