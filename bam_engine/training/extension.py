"""Extending a promise over images that came later, with fresh labels among them alone.

What was certified is about the images of its time. An extension tests the same threshold, for the same target, among
the images that came later: those that nobody has been asked about and that score at least the threshold. It is a
certification with a single cut, fixed before any of their labels is known, so it needs no pilot, and it spends its own
part of the risk that all certifications of an attribute share (:func:`bam_engine.learning.risk_share`).

Where the former images keep the target, and the later ones do, all of them together do: a mean of two precisions is no
lower than the lower one. Counted with the later images are those of them that people have labelled yes. If the test
does not pass, the former promise stands as it was, and the later images stay outside it.
"""

import numpy as np
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import POSITIVE, Attribute
from bam_engine.errors import LearningError
from bam_engine.labelling import tasks
from bam_engine.labelling.missing_images import missing_images
from bam_engine.training import certification, population
from bam_engine.training.certification import CertificationState
from bam_engine.training.models import latest_model, scores_of
from bam_engine.training.thresholds import AttributeThreshold, current_threshold
from bam_engine.workspace.core import Workspace, random_seed
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.vectors import with_files


@one_flow
def current(workspace: Workspace, attribute: Attribute) -> CertificationState | None:
    """Return the state of the newest extension of the promise in use, or None if there is none."""
    saved = current_threshold(workspace, attribute)
    started = [] if saved is None else population.extensions(workspace, attribute, saved.evidence)
    return certification.state(workspace, started[-1]) if started else None


@one_flow
def waiting_task(workspace: Workspace, attribute: Attribute) -> tasks.Task | None:
    """Return the task that awaits labels: of the current certification, or extending the promise in use; or None."""
    first = certification.current(workspace, attribute)
    states = [None if first is None else certification.state(workspace, first), current(workspace, attribute)]
    waiting = [each.certification.task for each in states if each is not None and not each.task.complete]
    return next((task for task in waiting if len(task.rows)), None)


@one_flow
def extend(workspace: Workspace, attribute: Attribute, *, seed: int | None = None) -> CertificationState:
    """Extend the promise in use over the images that came later, and query what its test needs next.

    The first call starts an extension. Further ones go on with it, and start another once more images have come and the
    last one has passed.

    Raises
    ------
    LearningError
        Nothing is certified at the threshold in use, or no image that came later is accepted without a label.
    """
    saved, going_on = current_threshold(workspace, attribute), current(workspace, attribute)
    if going_on is not None and going_on.certified is None:
        return certification.extend(workspace, going_on.certification)
    if saved is None or not saved.saved or not saved.evidence.certified:
        raise LearningError(
            f"Nothing is certified at the threshold of {attribute.name} in use, so there is no promise to extend. "
            "Certify a threshold and save it."
        )
    since = saved.images if going_on is None else going_on.certification.images or saved.images
    started = _start(workspace, attribute, saved, since, random_seed(seed))
    return certification.extend(workspace, started)


def _start(
    workspace: Workspace, attribute: Attribute, saved: AttributeThreshold, since: int, seed: int
) -> certification.Certification:
    model = latest_model(workspace, attribute)
    if model is None or model.id != saved.model_id:
        raise LearningError(f"The model of {attribute.name} has changed meanwhile. Look at its threshold again.")
    scores, n_images = scores_of(workspace, attribute, model), len(workspace.catalogue)
    with np.errstate(invalid="ignore"):
        accepted = np.flatnonzero(scores >= np.float32(saved.value))
    later = np.setdiff1d(accepted[accepted >= since], certification.known_rows(workspace, attribute))
    free = with_files(workspace, later)
    free = np.setdiff1d(free, missing_images(workspace, free))
    if not len(free):
        raise LearningError(
            f"No image of {attribute.name} that came later is accepted without a label: there is nothing to extend the "
            "promise over."
        )
    outside = np.ones(n_images, bool)
    outside[free] = False
    agreed = tasks.labels(workspace, attribute)
    yes = agreed.rows[(agreed.labels == POSITIVE) & (agreed.rows >= since)]
    values = {
        "attribute_id": attribute.id,
        "model_id": model.id,
        "target": saved.evidence.target,
        "confidence": saved.evidence.confidence,
        "planned": min(certification.PLANNED, len(free)),
        "seed": seed,
        "known": np.flatnonzero(outside).astype(np.int64).tobytes(),
        "images": n_images,
        "left_out": len(later) - len(free),
        "counted": yes.astype(np.int64).tobytes(),
        "since": since,
        "made_at": db.now(),
    }
    with exclusive(workspace.engine, db.rounds) as connection:
        if any(each.since == since for each in population.extensions(workspace, attribute, saved.evidence, model)):
            raise LearningError("This promise is being extended already. Continue that extension.")
        values["risk_share"] = learning.risk_share(len(certification.certifications(workspace, attribute)))
        added = db.insert_row(connection, db.certifications, values)
        cut = {"certification_id": added, "position": 0, "value": saved.value}
        connection.execute(sa.insert(db.certification_cuts).values(cut))
    return population.extensions(workspace, attribute, saved.evidence, model)[-1]
