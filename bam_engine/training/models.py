"""Trained classifiers, stored in the database, and their scores, cached on disk."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import derived
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError, NotFound
from bam_engine.learning import LinearModel, score_all, score_many
from bam_engine.progress import Report, silent
from bam_engine.training import measurements
from bam_engine.training.measurements import Measurement
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.flow import one_encoder
from bam_engine.workspace.membership import removed, without_removed
from bam_engine.workspace.memory import Kind
from bam_engine.workspace.vectors import missing_rows, vectors_of, vectors_state

_log = logging.getLogger(__name__)
SPAN = 2**20
"""Vectors whose scores are in memory at a time; whole blocks, so that scores are those of a single pass."""

_SCORES = Kind[NDArray[np.float32]]("scores, mapped from the cache", of="model", until="the vectors change", limit=256)


@dataclass(frozen=True)
class TrainingData:
    """What a model was trained on, None where it was not recorded.

    Of the ``labels``, some were ``imported`` only, and some stem from bulk answers only (``in_bulk``).
    ``learned_from`` is a digest of the data.
    """

    labels: int | None = None
    imported: int | None = None
    in_bulk: int | None = None
    learned_from: str | None = None


@dataclass(frozen=True)
class TrainedModel:
    """A stored model: coefficients (d + 1,) with the intercept last, and how it was trained.

    ``regularisation`` is C. ``measurement`` is the newest, None while the training is not finished.
    """

    id: int
    attribute_id: int
    round_id: int
    encoder: str
    coefficients: NDArray[np.float32]
    regularisation: float
    n_positive: int
    n_negative: int
    seed: int
    decision_threshold: float
    data: TrainingData
    made_at: str
    measurement: Measurement | None = None

    @property
    def digest(self) -> str:
        """A digest of what decides its scores, 32 letters and digits.

        After a backup was restored, another model may take the ``id``; the digest is that of no other classifier.
        """
        return hashlib.sha256(self.encoder.encode() + b"|" + self.coefficients.tobytes()).hexdigest()[:32]

    @property
    def labels(self) -> int:
        """The number of labels that it was trained on."""
        return self.n_positive + self.n_negative if self.data.labels is None else self.data.labels


def save_model(
    workspace: Workspace,
    attribute: Attribute,
    round_id: int,
    model: LinearModel,
    data: TrainingData = TrainingData(),
) -> TrainedModel:
    """Store a trained model and return it with its id.

    If the round already has a model with the same ``data.learned_from``, that one is returned: training twice, in
    sequence or concurrently, makes one model.
    """
    packed = np.append(model.coefficients, model.intercept).astype(np.float32)
    key, table = workspace.choice.key, db.models
    values = {
        "attribute_id": attribute.id,
        "round_id": round_id,
        "encoder": key,
        "coefficients": packed.tobytes(),
        "regularisation": model.c,
        "n_positive": model.n_positive,
        "n_negative": model.n_negative,
        "seed": model.seed,
        "decision_threshold": model.decision_threshold,
        **asdict(data),
        "made_at": db.now(),
    }
    same = (table.c.round_id == round_id, table.c.encoder == key, table.c.learned_from == data.learned_from)
    with exclusive(workspace.engine, table) as connection:
        if data.learned_from is not None:
            existing = connection.execute(_query(*same)).mappings().first()
            if existing is not None:
                return _trained(existing)
        model_id = db.insert_row(connection, table, values)
    return _trained({**dict.fromkeys(column.name for column in measurements.columns()), **values, "id": model_id})


def model_of(workspace: Workspace, attribute: Attribute, round_id: int, data: TrainingData) -> TrainedModel | None:
    """Return the model that a round already has of the same ``data.learned_from``, or None."""
    if data.learned_from is None:
        return None
    stored = [model for model in models(workspace, attribute) if model.round_id == round_id]
    return next((model for model in stored if model.data.learned_from == data.learned_from), None)


def models(workspace: Workspace, attribute: Attribute, encoder: str | None = None) -> list[TrainedModel]:
    """Return the models of ``attribute`` for the encoder with this key, or for the one in use, oldest first."""
    key = workspace.choice.key if encoder is None else encoder
    return list(_stored_models(workspace).by_attribute.get((attribute.id, key), ()))


def encoders_of(workspace: Workspace, attribute: Attribute) -> list[str]:
    """Return the keys of the encoders for which ``attribute`` has a model: that of the newest model first."""
    trained = [model for model in all_models(workspace) if model.attribute_id == attribute.id]
    return list(dict.fromkeys(model.encoder for model in reversed(trained)))


def all_models(workspace: Workspace) -> list[TrainedModel]:
    """Return the models of every attribute and encoder, oldest first."""
    return list(_stored_models(workspace).by_id.values())


@dataclass(frozen=True, eq=False)
class _StoredModels:
    """All models, oldest first, by their id, and by attribute and encoder."""

    by_id: Mapping[int, TrainedModel]
    by_attribute: Mapping[tuple[int, str], Sequence[TrainedModel]]


def _stored_models(workspace: Workspace) -> _StoredModels:
    def load(connection: sa.Connection, _: object) -> _StoredModels:
        trained = [_trained(row) for row in connection.execute(_query()).mappings()]
        groups: dict[tuple[int, str], list[TrainedModel]] = {}
        for model in trained:
            groups.setdefault((model.attribute_id, model.encoder), []).append(model)
        return _StoredModels({model.id: model for model in trained}, groups)

    return workspace.snapshot.read("models", [db.models, db.measurements, db.measured_thresholds], load)


def _query(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return the query of the models that meet all conditions, oldest first, with their measurements."""
    columns = (*db.models.c, *measurements.columns())
    return (
        sa.select(*columns).select_from(measurements.with_newest(db.models)).where(*conditions).order_by(db.models.c.id)
    )


def _trained(row: sa.RowMapping | Mapping[str, Any]) -> TrainedModel:
    return TrainedModel(
        id=row["id"],
        attribute_id=row["attribute_id"],
        round_id=row["round_id"],
        encoder=row["encoder"],
        coefficients=np.frombuffer(row["coefficients"], np.float32),
        regularisation=row["regularisation"],
        n_positive=row["n_positive"],
        n_negative=row["n_negative"],
        seed=row["seed"],
        decision_threshold=row["decision_threshold"],
        data=TrainingData(row["labels"], row["imported"], row["in_bulk"], row["learned_from"]),
        made_at=row["made_at"],
        measurement=measurements.measurement_of(row),
    )


def model_by_id(workspace: Workspace, model_id: int) -> TrainedModel:
    """Return a model by its id, whatever its encoder.

    Raises
    ------
    NotFound
        There is no such model.
    """
    model = _stored_models(workspace).by_id.get(model_id)
    if model is None:
        raise NotFound(f"There is no model {model_id}. Choose one that `models` lists.")
    return model


def latest_model(workspace: Workspace, attribute: Attribute, encoder: str | None = None) -> TrainedModel | None:
    """Return the newest model of ``attribute`` for the encoder with this key, or for the one in use."""
    trained = models(workspace, attribute, encoder)
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
    """Return the scores (n,) of all images by ``model``, or by the newest; NaN without a vector, and where removed.

    Cached scores are recomputed from the coefficients if they are missing, damaged or of other vectors.

    Raises
    ------
    LearningError
        The attribute has no model yet.
    """
    return without_removed(workspace, all_scores_of(workspace, attribute, model, report=report))


def all_scores_of(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None, *, report: Report = silent
) -> NDArray[np.float32]:
    """Return the scores as :func:`scores_of`, with those of removed images."""
    model = model or newest_model(workspace, attribute)
    path, state = scores_file(workspace, model), vectors_state(workspace, model.encoder)

    def load_or_make() -> NDArray[np.float32]:
        scores = cached_scores(workspace, model)
        vectors = workspace.vectors(model.encoder).array()
        if scores is None and not len(vectors):
            return np.empty(0, np.float32)
        if scores is None:
            scores = score_all(vectors, unpack(model), report=report)
            scores[missing_rows(workspace, model.encoder)] = np.nan
            scores = _cache_scores(path, scores, state)
        return scores

    return workspace.memory.get(_SCORES, model.digest, state, load_or_make)


def scores_version(workspace: Workspace, model: TrainedModel) -> str:
    """Return a version that changes whenever the scores of all images by ``model`` do."""
    return f"{model.digest}.{vectors_state(workspace, model.encoder)}.{removed(workspace).version}"


@one_encoder
def rescore_all(workspace: Workspace, *, report: Report = silent) -> list[Attribute]:
    """Recompute all scores by the newest model of every attribute, reading the vectors once; return the attributes.

    Use it after vectors have changed, for example when unreadable images have become readable. Scores are written as
    they are computed, so that memory does not grow with the collection. Where the cache cannot be written, they are
    computed when they are asked for.

    Raises
    ------
    EmbeddingError
        No image is embedded yet.
    """
    newest = [(attribute, latest_model(workspace, attribute)) for attribute in workspace.attributes.all()]
    trained = [(attribute, model) for attribute, model in newest if model is not None]
    if not trained:
        return []
    vectors, state = vectors_of(workspace), vectors_state(workspace)
    models = [model for _, model in trained]
    files = [scores_file(workspace, model) for model in models]
    try:
        write_scores(vectors, [unpack(model) for model in models], files, state, missing_rows(workspace), report)
    except OSError as error:
        _log.warning("The scores cannot be cached in %s: %s.", files[0].parent, error.strerror or error)
    for model in models:
        workspace.memory.forget(_SCORES, model.digest)
    return [attribute for attribute, _ in trained]


def write_scores(
    vectors: NDArray[np.float16],
    models: Sequence[LinearModel],
    files: Sequence[Path],
    made_of: str,
    missing: NDArray[np.int64],
    report: Report = silent,
) -> None:
    """Write the scores of all vectors (n, d) by each model into its file, nan at the ``missing`` rows, ascending.

    The vectors are read once, in spans whose scores alone are in memory. All files are replaced at the end.

    Raises
    ------
    OSError
        A file cannot be written. None was replaced, unless the last steps failed.
    LearningError
        A model was trained on vectors of another length.
    """
    n = len(vectors)
    with ExitStack() as stack:
        appends = [stack.enter_context(derived.writing_array(file, (n,), np.float32, made_of)) for file in files]
        for start in range(0, n, SPAN):
            stop = min(start + SPAN, n)
            scores = score_many(vectors[start:stop], models, report=_within(report, start, n))
            first, last = np.searchsorted(missing, [start, stop])
            scores[:, missing[first:last] - start] = np.nan
            for append, line in zip(appends, scores, strict=True):
                append(line)


def _within(report: Report, start: int, total: int) -> Report:
    """Return a report of a part that begins at ``start``."""
    return lambda done, _, message="": report(start + done, total, message)


def scores_file(workspace: Workspace, model: TrainedModel) -> Path:
    """Return where the scores of a model are cached."""
    return workspace.cache / "scores" / f"{model.digest}.npy"


def cached_scores(workspace: Workspace, model: TrainedModel) -> NDArray[np.float32] | None:
    """Return the cached scores of a model, or None where they are missing, damaged or of other vectors."""
    return derived.read_array(scores_file(workspace, model), vectors_state(workspace, model.encoder))


def scores_are_whole(workspace: Workspace, model: TrainedModel) -> bool:
    """Return whether the file of a model's scores is as it was written, whatever the vectors are today."""
    try:
        return derived.is_whole(scores_file(workspace, model).read_bytes())
    except OSError:
        return False


def _cache_scores(path: Path, scores: NDArray[np.float32], state: str) -> NDArray[np.float32]:
    """Store scores and return them memory-mapped; where the cache cannot be written, they stay in memory."""
    try:
        derived.write_array(path, scores, state)
    except OSError as error:
        _log.warning("The scores cannot be cached in %s: %s.", path, error.strerror or error)
    stored = derived.read_array(path, state)
    return scores if stored is None else stored


def check_scored(workspace: Workspace, model: TrainedModel) -> None:
    """Check that there are vectors that a model can score.

    Raises
    ------
    LearningError
        There are none.
    """
    if not len(workspace.vectors(model.encoder)):
        raise LearningError(
            "The images have no vectors, so none has a score. Embed the collection: all labels and models are kept."
        )


def unpack(model: TrainedModel) -> LinearModel:
    """Return the classifier that a stored model describes."""
    return LinearModel(
        coefficients=model.coefficients[:-1],
        intercept=float(model.coefficients[-1]),
        c=model.regularisation,
        n_positive=model.n_positive,
        n_negative=model.n_negative,
        seed=model.seed,
        decision_threshold=model.decision_threshold,
    )


def scored_attributes(workspace: Workspace) -> list[Attribute]:
    """Return the attributes that have a model, in the order of their definition."""
    return [attribute for attribute in workspace.attributes.all() if latest_model(workspace, attribute) is not None]


def scores_by_name(workspace: Workspace) -> dict[str, NDArray[np.float32]]:
    """Return the scores by row of each attribute that has a model."""
    return {attribute.name: scores_of(workspace, attribute) for attribute in scored_attributes(workspace)}
