"""Trained classifiers, stored in the database, and their scores, cached on disk."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.errors import DiskFull, LearningError, NotFound
from bam_engine.files import replacing
from bam_engine.learning import LinearModel, score_all, score_many
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.vectors import missing_rows


@dataclass(frozen=True)
class TrainedModel:
    """A stored model: coefficients (d + 1,) with the intercept last, and the details recorded at training."""

    id: int
    attribute_id: int
    round_id: int
    encoder: str
    coefficients: NDArray[np.float32]
    details: dict[str, Any]
    made_at: str


def save_model(
    workspace: Workspace, attribute: Attribute, round_id: int, model: LinearModel, details: dict[str, Any]
) -> TrainedModel:
    """Store a trained model and return it with its id.

    If the round already has a model trained on the same data (``details["learned_from"]``), that one is returned:
    training twice, in sequence or concurrently, makes one model.
    """
    packed = np.append(model.coefficients, model.intercept).astype(np.float32)
    made_at, key = db.now(), workspace.choice.key
    values = {
        "attribute_id": attribute.id,
        "round_id": round_id,
        "encoder": key,
        "coefficients": packed.tobytes(),
        "details": json.dumps(details),
        "made_at": made_at,
    }
    table = db.models
    with exclusive(workspace.engine, table) as connection:
        query = sa.select(table).where(table.c.round_id == round_id, table.c.encoder == key).order_by(table.c.id)
        for existing in map(_trained, connection.execute(query).mappings()):
            if "learned_from" in details and existing.details.get("learned_from") == details["learned_from"]:
                return existing
        inserted = connection.execute(sa.insert(table).values(values)).inserted_primary_key
    return TrainedModel(int(inserted[0]) if inserted else 0, attribute.id, round_id, key, packed, details, made_at)


def models(workspace: Workspace, attribute: Attribute) -> list[TrainedModel]:
    """Return the models of ``attribute`` for the encoder in use, oldest first."""
    table = db.models
    query = (
        sa.select(table)
        .where(table.c.attribute_id == attribute.id, table.c.encoder == workspace.choice.key)
        .order_by(table.c.id)
    )
    with workspace.engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
    return [_trained(row) for row in rows]


def _trained(row: sa.RowMapping) -> TrainedModel:
    return TrainedModel(
        row["id"],
        row["attribute_id"],
        row["round_id"],
        row["encoder"],
        np.frombuffer(row["coefficients"], np.float32),
        json.loads(row["details"]),
        row["made_at"],
    )


def model_by_id(workspace: Workspace, model_id: int) -> TrainedModel:
    """Return a model by its id, whatever its encoder.

    Raises
    ------
    NotFound
        There is no such model.
    """
    with workspace.engine.connect() as connection:
        row = connection.execute(sa.select(db.models).where(db.models.c.id == model_id)).mappings().first()
    if row is None:
        raise NotFound(f"There is no model {model_id}. Choose one that `models` lists.")
    return _trained(row)


def latest_model(workspace: Workspace, attribute: Attribute) -> TrainedModel | None:
    """Return the newest model of ``attribute`` for the encoder in use."""
    trained = models(workspace, attribute)
    return trained[-1] if trained else None


def newest_model(workspace: Workspace, attribute: Attribute) -> TrainedModel:
    """Return what :func:`latest_model` returns where there is a model.

    Raises
    ------
    LearningError
        The attribute has no model yet.
    """
    model = latest_model(workspace, attribute)
    if model is None:
        raise LearningError(f"{attribute.name} has no scores yet. Label a first round, then train on it.")
    return model


def scores_of(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None, *, report: Report = silent
) -> NDArray[np.float32]:
    """Return the scores (n,) of all images by ``model``, or by the newest; NaN without a vector.

    Cached scores are recomputed from the coefficients if they are missing or older than the newest images.

    Raises
    ------
    LearningError
        The attribute has no model yet.
    """
    model = model or newest_model(workspace, attribute)
    store = workspace.vectors(model.encoder)
    path = _scores_file(workspace, attribute, model)
    if path.exists():
        scores: NDArray[np.float32] = np.load(path, mmap_mode="r")
        if len(scores) == len(store):
            return scores
    scores = score_all(store.array(), unpack(model), report=report)
    scores[missing_rows(workspace, model.encoder)] = np.nan
    _cache_scores(workspace, attribute, model, scores)
    return scores


def rescore_all(workspace: Workspace, *, report: Report = silent) -> list[Attribute]:
    """Recompute all scores by the newest model of every attribute, reading the vectors once; return the attributes.

    Use it after vectors have changed, for example when unreadable images have become readable.
    """
    newest = [(attribute, latest_model(workspace, attribute)) for attribute in workspace.attributes.all()]
    trained = [(attribute, model) for attribute, model in newest if model is not None]
    if not trained:
        return []
    vectors = workspace.vectors().array()
    scores = score_many(vectors, [unpack(model) for _, model in trained], report=report)
    scores[:, missing_rows(workspace)] = np.nan
    for (attribute, model), row in zip(trained, scores, strict=True):
        _cache_scores(workspace, attribute, model, row)
    return [attribute for attribute, _ in trained]


def _scores_file(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> Path:
    return workspace.cache / "scores" / attribute.name / f"{model.id}.npy"


def _cache_scores(workspace: Workspace, attribute: Attribute, model: TrainedModel, scores: NDArray[np.float32]) -> None:
    path = _scores_file(workspace, attribute, model)
    try:
        with replacing(path) as temporary:
            np.save(temporary, scores)
    except OSError as error:
        raise DiskFull(
            f"Cannot cache the scores of {attribute.name}: {error.strerror}. Free some disk space."
        ) from error


def unpack(model: TrainedModel) -> LinearModel:
    """Return the classifier that a stored model describes."""
    details = model.details
    return LinearModel(
        coefficients=model.coefficients[:-1],
        intercept=float(model.coefficients[-1]),
        c=float(details["strength"]),
        n_positive=int(details["n_positive"]),
        n_negative=int(details["n_negative"]),
        seed=int(details["seed"]),
        decision_threshold=float(details["separation"]),
    )


def classifier_details(model: LinearModel) -> dict[str, Any]:
    """Return what :func:`unpack` needs besides the coefficients, under the names that ``models.details`` stores."""
    return {
        "strength": model.c,
        "n_positive": model.n_positive,
        "n_negative": model.n_negative,
        "seed": model.seed,
        "separation": model.decision_threshold,
    }


def scored_attributes(workspace: Workspace) -> list[Attribute]:
    """Return the attributes that have a model, in the order of their definition."""
    return [attribute for attribute in workspace.attributes.all() if latest_model(workspace, attribute) is not None]


def scores_by_name(workspace: Workspace) -> dict[str, NDArray[np.float32]]:
    """Return the scores by row of each attribute that has a model."""
    return {attribute.name: scores_of(workspace, attribute) for attribute in scored_attributes(workspace)}
