"""The threshold of each attribute: suggested by the validation set, or kept by a person.

A kept threshold belongs to the model it was chosen for; after another training the suggestion takes its place until a
person keeps one again. A suggestion is made anew whenever a label that judges, or a certification, has changed.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

import numpy as np
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.errors import BamError, LearningError
from bam_engine.labelling import tasks
from bam_engine.labelling.label_states import label_version
from bam_engine.learning import Threshold
from bam_engine.training.evaluation import choose, choose_recall, measure, validation_set
from bam_engine.training.models import TrainedModel, latest_model
from bam_engine.workspace.core import Workspace

TARGET = 0.90  # the precision that is suggested for, where nobody has said another


@dataclass(frozen=True)
class AttributeThreshold:
    """A threshold and its standing: its id once a person kept it, None while it is only suggested."""

    id: int | None
    model_id: int
    evidence: Threshold

    @property
    def value(self) -> float:
        return self.evidence.value

    @property
    def saved(self) -> bool:
        return self.id is not None


def current_threshold(workspace: Workspace, attribute: Attribute) -> AttributeThreshold | None:
    """Return the threshold in force: the one kept for the newest model, else the one suggested now, else None."""
    model = latest_model(workspace, attribute)
    if model is None:
        return None
    table = db.thresholds
    query = sa.select(table.c.id, table.c.details).where(table.c.model_id == model.id).order_by(table.c.id.desc())
    with workspace.engine.connect() as connection:
        found = connection.execute(query).first()
    if found is not None:
        return AttributeThreshold(found.id, model.id, Threshold(**json.loads(found.details)))
    suggested = _suggestion(workspace, attribute, model)
    return None if suggested is None else AttributeThreshold(None, model.id, suggested)


def _suggestion(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> Threshold | None:
    """Return what is suggested by the labels there are; worked out again only when one that judges has changed.

    This is asked for by every page and by the map: most answers are those of rounds and change nothing here.
    """
    if "measured" not in model.details:  # its training was cut short
        return None
    name, seen = f"suggestion:{attribute.id}", (model.id, len(workspace.vectors()), label_version(workspace, attribute))
    kept = workspace.memory_cache.get(name)
    if kept is not None and kept[0] == seen:
        known: Threshold | None = kept[2]
        return known
    judged = (model.id, len(workspace.vectors()), _judged(workspace, attribute))
    if kept is not None and kept[1] == judged:
        found: Threshold | None = kept[2]
    else:
        try:
            found = choose(workspace, attribute, model, target=TARGET)
        except LearningError:
            found = None
    workspace.memory_cache[name] = (seen, judged, found)
    return found


def _judged(workspace: Workspace, attribute: Attribute) -> str:
    """Return a name for the labels of the images that judge, audits aside; other labels, another name."""
    agreed = tasks.labels(workspace, attribute)
    rows = tasks.held_out_rows(workspace, attribute)
    known = np.isin(rows, agreed.rows)  # unsure or disputed is something else than not answered
    text = rows.tobytes() + tasks.labels_of(agreed, rows).tobytes() + known.tobytes()
    return f"{label_version(workspace, attribute)[1:]} {hashlib.sha256(text).hexdigest()}"


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
    """Return the threshold for a precision target; see :func:`bam_engine.training.evaluation.choose`."""
    return choose(workspace, attribute, target=target, confidence=confidence)


def suggest_recall(
    workspace: Workspace, attribute: Attribute, *, recall: float, target: float = 0.90, confidence: float = 0.95
) -> Threshold:
    """Return the threshold for a recall target; see :func:`bam_engine.training.evaluation.choose_recall`."""
    return choose_recall(workspace, attribute, recall=recall, target=target, confidence=confidence)


def measure_at(
    workspace: Workspace, attribute: Attribute, value: float, *, target: float, confidence: float = 0.95
) -> Threshold:
    """Return what the validation set says of a cut that a person sets by hand."""
    return measure(validation_set(workspace, attribute), value, target=target, confidence=confidence)


def save(workspace: Workspace, attribute: Attribute, threshold: Threshold) -> AttributeThreshold:
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
