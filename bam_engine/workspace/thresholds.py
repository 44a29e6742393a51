"""The threshold of each attribute: suggested by the validation set, or kept by a person.

A kept threshold belongs to the model it was chosen for; after another training the suggestion takes its place until a
person keeps one again.
"""

import json
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.errors import BamError, LearningError
from bam_engine.learning import Threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.evaluation import choose, measure, validation_set
from bam_engine.workspace.models import latest_model


@dataclass(frozen=True)
class KeptThreshold:
    """A threshold and its standing: its id once a person kept it, None while it is only suggested."""

    id: int | None
    model_id: int
    evidence: Threshold

    @property
    def value(self) -> float:
        return self.evidence.value

    @property
    def kept(self) -> bool:
        return self.id is not None


def current_threshold(workspace: Workspace, attribute: Attribute) -> KeptThreshold | None:
    """Return the threshold in force: the one kept for the newest model, else the suggestion for 0.90, else None."""
    model = latest_model(workspace, attribute)
    if model is None:
        return None
    table = db.thresholds
    query = sa.select(table.c.id, table.c.details).where(table.c.model_id == model.id).order_by(table.c.id.desc())
    with workspace.engine.connect() as connection:
        found = connection.execute(query).first()
    if found is not None:
        return KeptThreshold(found.id, model.id, Threshold(**json.loads(found.details)))
    measured = (model.details.get("measured") or {}).get("threshold")
    return None if measured is None else KeptThreshold(None, model.id, Threshold(**measured))


def confidence_for(attributes: int, confidence: float = 0.95) -> float:
    """Return the confidence of each promise so that all of ``attributes`` promises hold together with ``confidence``.

    The risk is shared out evenly (Bonferroni): whatever the attributes have to do with one another, the chance that
    any of the promises is broken is at most the sum of the chances.

    Examples
    --------
    >>> confidence_for(1), round(confidence_for(5), 4)
    (0.95, 0.99)
    """
    return 1 - (1 - confidence) / max(1, attributes)


def suggest(workspace: Workspace, attribute: Attribute, *, target: float, confidence: float = 0.95) -> Threshold:
    """Return the threshold for a precision target; see :func:`bam_engine.workspace.evaluation.choose`."""
    return choose(workspace, attribute, target=target, confidence=confidence)


def measure_at(workspace: Workspace, attribute: Attribute, value: float, *, target: float) -> Threshold:
    """Return what the validation set says of a cut that a person sets by hand."""
    return measure(validation_set(workspace, attribute), value, target=target)


def keep(workspace: Workspace, attribute: Attribute, threshold: Threshold) -> KeptThreshold:
    """Keep ``threshold`` as the one in force for the newest model.

    Raises
    ------
    LearningError
        Nothing is trained yet.
    """
    model = latest_model(workspace, attribute)
    if model is None:
        raise LearningError(f"{attribute.name} has no model to set a threshold for. Label a first round and train.")
    values = {
        "attribute_id": attribute.id,
        "model_id": model.id,
        "value": threshold.value,
        "details": json.dumps(asdict(threshold)),
        "made_at": db.now(),
    }
    with workspace.engine.begin() as connection:
        connection.execute(sa.insert(db.thresholds).values(values))
    kept = current_threshold(workspace, attribute)
    if kept is None:
        raise BamError(f"the threshold of {attribute.name} was stored but cannot be read back")
    return kept
