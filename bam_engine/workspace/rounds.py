"""Active-learning rounds: what is asked next, what was learned from the answers, what should be done now.

Wires ``annotation`` and ``embedding`` to ``learning``. A round is stored with its seed, its images and the reason for
each before anyone is asked, so that it can be told later why an image was shown.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute, Consensus
from bam_engine.errors import LearningError
from bam_engine.learning import Batch
from bam_engine.progress import Report, silent
from bam_engine.workspace import tasks
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.embedding import embedded_rows, text_vector, vectors_of
from bam_engine.workspace.evaluation import evaluate
from bam_engine.workspace.models import TrainedModel, latest_model, models, save_model, scores_of

ROUNDS = 4  # BAM's habit; a default, not a law
BATCH = 100
VALIDATION = 200

_MOMENTS_OVER = 4096  # images whose mean and spread stand for the collection's
LIKE_POSITIVES = "like the positives found so far"

Step = Literal["embed", "draw_validation", "label_validation", "start_round", "label_round", "train", "decide"]


@dataclass(frozen=True)
class Round:
    """One turn: its number from 1, how its images were chosen, how far it is, and the model it led to."""

    id: int
    number: int
    strategy: str
    seed: int
    task: tasks.Task
    state: tasks.TaskState
    model: TrainedModel | None


@dataclass(frozen=True)
class AttributeState:
    """Where an attribute stands; ``step`` is what should be done now."""

    attribute: Attribute
    validation: tasks.TaskState
    rounds: tuple[Round, ...]
    step: Step

    @property
    def model(self) -> TrainedModel | None:
        trained = [turn.model for turn in self.rounds if turn.model is not None]
        return trained[-1] if trained else None


def state(workspace: Workspace, attribute: Attribute) -> AttributeState:
    """Return where ``attribute`` stands."""
    agreed = tasks.labels(workspace, attribute)
    validation = tasks.state(workspace, tasks.validation_task(workspace, attribute), agreed)
    rounds = rounds_of(workspace, attribute, agreed)
    return AttributeState(attribute, validation, rounds, _step(workspace, validation, rounds))


def _step(workspace: Workspace, validation: tasks.TaskState, rounds: tuple[Round, ...]) -> Step:
    if len(workspace.vectors()) == 0:
        return "embed"
    if validation.asked == 0:
        return "draw_validation"
    if not validation.complete:
        return "label_validation"
    if not rounds:
        return "start_round"
    last = rounds[-1]
    if not last.state.complete:
        return "label_round"
    if last.model is None:
        return "train"
    return "start_round" if last.number < ROUNDS else "decide"


def rounds_of(workspace: Workspace, attribute: Attribute, agreed: Consensus | None = None) -> tuple[Round, ...]:
    """Return the rounds of ``attribute``, first to last; ``agreed`` is its labels, where the caller has them."""
    agreed = agreed or tasks.labels(workspace, attribute)
    query = sa.select(db.rounds).where(db.rounds.c.attribute_id == attribute.id).order_by(db.rounds.c.number)
    with workspace.engine.connect() as connection:
        found = connection.execute(query).mappings().all()
    trained = {model.round_id: model for model in models(workspace, attribute)}
    result = []
    for row in found:
        task = tasks.round_task(workspace, attribute, row["id"], row["number"])
        progress = tasks.state(workspace, task, agreed)
        model = trained.get(row["id"])
        result.append(Round(row["id"], row["number"], row["strategy"], row["seed"], task, progress, model))
    return tuple(result)


def draw_validation(
    workspace: Workspace, attribute: Attribute, count: int = VALIDATION, *, seed: int | None = None
) -> int:
    """Draw ``count`` more validation images at random, with known probability; return how many were drawn.

    Images that a round has asked about are no longer a fair sample and are left out, as are images without a vector.

    Raises
    ------
    LearningError
        No image is left to draw.
    """
    there = tasks.validation_task(workspace, attribute).rows
    asked = asked_rows(workspace, attribute)
    usable = np.setdiff1d(embedded_rows(workspace), np.concatenate([there, asked]))
    if len(usable) == 0:
        raise LearningError("every embedded image is already in the validation set or was asked in a round")
    rng = np.random.default_rng(random_seed(seed))
    sample = learning.draw_validation(usable, min(count, len(usable)), rng=rng)
    table = db.validation_images
    with workspace.engine.begin() as connection:
        last = connection.scalar(sa.select(sa.func.max(table.c.draw)).where(table.c.attribute_id == attribute.id))
        made_at = db.now()
        lines = [
            {
                "attribute_id": attribute.id,
                "row": int(row),
                "probability": float(probability),
                "draw": 0 if last is None else last + 1,
                "made_at": made_at,
            }
            for row, probability in zip(sample.rows, sample.probabilities, strict=True)
        ]
        return db.insert_new(connection, table, lines)


def asked_rows(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the rows that any round of ``attribute`` has asked about, sorted."""
    turns, asked = db.rounds, db.round_images
    query = (sa.select(asked.c.row).distinct().join(turns, turns.c.id == asked.c.round_id)).where(
        turns.c.attribute_id == attribute.id
    )
    with workspace.engine.connect() as connection:
        return np.array(sorted(connection.execute(query).scalars()), np.int64)


def pool_of(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the rows that a round may ask about.

    Left out: the validation set with its projects, what earlier rounds asked, and images without a vector.
    """
    validation = tasks.validation_task(workspace, attribute).rows
    groups = workspace.catalogue.projects()
    pool = learning.training_pool(len(groups), validation, groups)
    pool = np.intersect1d(pool, embedded_rows(workspace))
    return np.setdiff1d(pool, asked_rows(workspace, attribute))


def propose(
    workspace: Workspace,
    attribute: Attribute,
    *,
    count: int = BATCH,
    strategy: str = "",
    seeds: Sequence[int] = (),
    text: str = "",
    seed: int = 0,
) -> tuple[str, Batch]:
    """Choose what to ask next without storing it; return the strategy that was used and the batch.

    ``text`` and ``seeds`` (rows of example images) start from what they name. Otherwise ``strategy`` is used; if it
    is empty, the mixture where there is a model, images like the positives where there are any, a spread sample
    where there is nothing.
    """
    pool = pool_of(workspace, attribute)
    if len(pool) == 0:
        raise LearningError("no image is left to ask about: all were asked, or are in the validation set")
    vectors = vectors_of(workspace)
    groups = workspace.catalogue.projects()[: len(vectors)]
    more: dict[str, Any] = {"groups": groups, "rng": np.random.default_rng(seed)}
    if text:
        reason = f"{learning.MATCHES_TEXT} “{text}”"
        return "text", learning.similar(vectors, text_vector(workspace, text)[None], pool, count, reason=reason, **more)
    if len(seeds):
        wanted = vectors[np.asarray(seeds, np.int64)]
        return "examples", learning.similar(vectors, wanted, pool, count, **more)
    model = latest_model(workspace, attribute)
    if model is not None:
        scores, centre = scores_of(workspace, attribute, model), float(model.details["separation"])
        strategy = strategy or "mixture"
        return strategy, learning.ask(strategy, vectors, scores, pool, count, centre=centre, **more)
    if strategy == "random":
        return "random", learning.random(pool, count, **more)
    rows, answers = training_labels(workspace, attribute)
    positive = rows[answers == 1]
    if len(positive) and strategy != "spread":
        return "positives", learning.similar(vectors, vectors[positive], pool, count, reason=LIKE_POSITIVES, **more)
    return "spread", learning.spread(vectors, pool, count, **more)


def start_round(
    workspace: Workspace,
    attribute: Attribute,
    *,
    count: int = BATCH,
    strategy: str = "",
    seeds: Sequence[int] = (),
    text: str = "",
    seed: int | None = None,
) -> Round:
    """Choose the next batch and store it; see :func:`propose` for how it is chosen.

    Raises
    ------
    LearningError
        The last round is not labelled yet, or nothing is left to ask.
    """
    before = rounds_of(workspace, attribute)
    if before and not before[-1].state.complete:
        last = before[-1]
        raise LearningError(
            f"round {last.number} is not finished: {last.state.answered} of {last.state.asked} images are answered"
        )
    number, kept_seed = len(before) + 1, random_seed(seed)
    used, batch = propose(workspace, attribute, count=count, strategy=strategy, seeds=seeds, text=text, seed=kept_seed)
    model = latest_model(workspace, attribute)
    scores = None if model is None else scores_of(workspace, attribute, model)
    _store(workspace, attribute, number, used, kept_seed, batch, scores)
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
    with workspace.engine.begin() as connection:
        inserted = connection.execute(sa.insert(db.rounds).values(values)).inserted_primary_key
        lines = [
            {
                "round_id": inserted[0] if inserted else 0,
                "row": int(row),
                "position": position,
                "reason": reason,
                "score": None if scores is None or np.isnan(scores[row]) else float(scores[row]),
            }
            for position, (row, reason) in enumerate(zip(batch.rows, batch.reasons, strict=True))
        ]
        connection.execute(sa.insert(db.round_images), lines)


def reasons(workspace: Workspace, turn: Round) -> dict[int, tuple[str, float | None]]:
    """Return why each image of a round was asked, and its score at that time."""
    table = db.round_images
    query = sa.select(table.c.row, table.c.reason, table.c.score).where(table.c.round_id == turn.id)
    with workspace.engine.connect() as connection:
        return {row: (reason, score) for row, reason, score in connection.execute(query)}


def training_labels(workspace: Workspace, attribute: Attribute) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return the rows that a classifier may train on, sorted, and their settled labels (1 or 0)."""
    rows = asked_rows(workspace, attribute)
    found = tasks.labels_of(tasks.labels(workspace, attribute), rows)
    usable = (found >= 0) & np.isin(rows, embedded_rows(workspace))
    return rows[usable], found[usable]


def train(workspace: Workspace, attribute: Attribute, *, report: Report = silent) -> TrainedModel:
    """Train on all settled labels of the rounds, score every image, and measure on the validation set.

    Raises
    ------
    LearningError
        No round is labelled, or one of the two answers is missing.
    """
    turns = rounds_of(workspace, attribute)
    if not turns:
        raise LearningError(f"{attribute.name} has no round yet. Start one, label it, then train.")
    rows, answers = training_labels(workspace, attribute)
    before = latest_model(workspace, attribute)
    turn = turns[-1]
    report(0, 3, "training")
    vectors, rng = vectors_of(workspace), np.random.default_rng(turn.seed)
    model = learning.train(
        vectors[rows],
        answers,
        groups=workspace.catalogue.projects()[rows],
        moments=_moments(workspace, vectors, rng),
        rng=rng,
    )
    report(1, 3, "scoring every image")
    details: dict[str, Any] = {
        "labels": len(rows),
        "n_positive": model.n_positive,
        "n_negative": model.n_negative,
        "strength": model.strength,
        "seed": model.seed,
        "separation": model.separation,
        "round": turn.number,
    }
    trained = save_model(workspace, attribute, turn.id, model, details)
    scores_of(workspace, attribute, trained)
    report(2, 3, "measuring on the validation set")
    details["measured"] = _measure(workspace, attribute, trained)
    details["flipped"] = _flipped(workspace, attribute, before, trained)
    _keep_details(workspace, trained, details)
    report(3, 3, "trained")
    return trained


def _moments(workspace: Workspace, vectors: NDArray[np.float16], rng: np.random.Generator) -> learning.Moments:
    rows = embedded_rows(workspace)
    return learning.moments_of(vectors[np.sort(rng.choice(rows, size=min(len(rows), _MOMENTS_OVER), replace=False))])


def _measure(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> dict[str, Any]:
    try:
        found = evaluate(workspace, attribute, model)
    except LearningError as error:
        return {"problem": str(error)}
    threshold = None if found.threshold is None else asdict(found.threshold)
    return {
        "average_precision": asdict(found.average_precision),
        "threshold": threshold,
        "n": found.n,
        "problem": found.no_threshold,
    }


def _flipped(
    workspace: Workspace, attribute: Attribute, before: TrainedModel | None, after: TrainedModel
) -> int | None:
    """Count the images on different sides of the separation point before and after."""
    if before is None:
        return None
    before_scores, after_scores = scores_of(workspace, attribute, before), scores_of(workspace, attribute, after)
    old_side = before_scores >= float(before.details["separation"])
    return int((old_side != (after_scores >= float(after.details["separation"]))).sum())


def _keep_details(workspace: Workspace, model: TrainedModel, details: dict[str, Any]) -> None:
    model.details.update(details)
    with workspace.engine.begin() as connection:
        change = sa.update(db.models).where(db.models.c.id == model.id).values(details=json.dumps(details))
        connection.execute(change)


def random_seed(seed: int | None) -> int:
    """Return ``seed``, or a fresh one that fits the database."""
    return int(np.random.SeedSequence().generate_state(1)[0] >> 1) if seed is None else seed
