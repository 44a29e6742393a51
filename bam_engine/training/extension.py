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
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.formatting import count
from bam_engine.labelling import tasks
from bam_engine.labelling.missing_images import missing_images
from bam_engine.learning import is_accepted
from bam_engine.training import certification, certification_population, certification_store, population
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.certification_store import Certification
from bam_engine.training.models import TrainedModel, latest_model, scores_of
from bam_engine.training.thresholds import AttributeThreshold, current_threshold
from bam_engine.workspace.core import Workspace, random_seed
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.vectors import with_files

Rows = NDArray[np.int64]


@one_flow
def current(workspace: Workspace, attribute: Attribute) -> CertificationState | None:
    """Return the state of the newest extension of the promise in use, or None if there is none."""
    newest = _newest(workspace, attribute)
    return None if newest is None else certification.state(workspace, newest)


def _newest(workspace: Workspace, attribute: Attribute) -> Certification | None:
    """Return the newest extension of the promise in use, which is tested only where anything was extended."""
    if all(each.since is None for each in certification_store.certifications(workspace, attribute)):
        return None
    saved = current_threshold(workspace, attribute)
    started = [] if saved is None else population.extensions(workspace, attribute, saved.evidence)
    return started[-1] if started else None


@one_flow
def waiting_task(workspace: Workspace, attribute: Attribute) -> tasks.Task | None:
    """Return the task that awaits labels: of the current certification, or extending the promise in use; or None."""
    for each in (certification_store.current(workspace, attribute), _newest(workspace, attribute)):
        if each is not None and len(each.task.rows) and not tasks.state(workspace, each.task).complete:
            return each.task
    return None


@one_flow
def words(
    workspace: Workspace, attribute: Attribute, threshold: AttributeThreshold, model: TrainedModel | None = None
) -> str:
    """Say over how many images that came later the promise of a threshold is extended; "" where it is over none."""
    extensions = population.extensions(workspace, attribute, threshold.evidence, model)
    images = sum(len(population.rows_extended(workspace, each)) for each in extensions)
    return f"It was extended to {count(images, 'accepted image')} that came later." if images else ""


@one_flow
def extendable_rows(workspace: Workspace, attribute: Attribute) -> Rows:
    """Return the images that a new extension would be about; none while the last one may pass, or without a promise.

    They came after those of the promise and of its extensions, are accepted, and nobody has been asked about them.
    """
    saved, going_on = current_threshold(workspace, attribute), current(workspace, attribute)
    if saved is None or not saved.saved or not saved.evidence.certified:
        return np.empty(0, np.int64)
    if going_on is not None and going_on.may_pass:
        return np.empty(0, np.int64)
    return _free(workspace, attribute, saved, _since(saved, going_on))[0]


@one_flow
def extend(workspace: Workspace, attribute: Attribute, *, seed: int | None = None) -> CertificationState:
    """Extend the promise in use over the images that came later, and query what its test needs next.

    The first call starts an extension. Further ones go on with it. Once it has passed, or is unlikely ever to pass, and
    more images have come, they start another over these.

    Raises
    ------
    LearningError
        Nothing is certified at the threshold in use, or no image that came later is accepted without a label.
    """
    saved, going_on = current_threshold(workspace, attribute), current(workspace, attribute)
    if going_on is not None and going_on.certified is None and not len(extendable_rows(workspace, attribute)):
        return certification.extend(workspace, going_on.certification)
    if saved is None or not saved.saved or not saved.evidence.certified:
        raise LearningError(
            f"Nothing is certified at the threshold of {attribute.name} in use, so there is no guarantee to extend. "
            "Certify a threshold and save it."
        )
    started = _start(workspace, attribute, saved, _since(saved, going_on), random_seed(seed))
    return certification.extend(workspace, started)


def _since(saved: AttributeThreshold, newest: CertificationState | None) -> int:
    """Return the first row that came after the images of a promise and of its newest extension."""
    return saved.images if newest is None else newest.certification.images or saved.images


def _free(workspace: Workspace, attribute: Attribute, saved: AttributeThreshold, since: int) -> tuple[Rows, int]:
    """Return the accepted images from a row on that nobody has been asked about, and how many more have no file."""
    accepted = np.flatnonzero(is_accepted(scores_of(workspace, attribute), saved.value))
    later = np.setdiff1d(accepted[accepted >= since], certification_population.known_rows(workspace, attribute))
    free = with_files(workspace, later)
    free = np.setdiff1d(free, missing_images(workspace, free))
    return free, len(later) - len(free)


def _start(
    workspace: Workspace, attribute: Attribute, saved: AttributeThreshold, since: int, seed: int
) -> Certification:
    model = latest_model(workspace, attribute)
    if model is None or model.id != saved.model_id:
        raise LearningError(f"The model of {attribute.name} has changed meanwhile. Look at its threshold again.")
    n_images, (free, left_out) = len(workspace.catalogue), _free(workspace, attribute, saved, since)
    if not len(free):
        raise LearningError(
            f"No image of {attribute.name} that came later is accepted without a label: there is nothing to extend the "
            "guarantee over."
        )
    outside = np.ones(n_images, bool)
    outside[free] = False
    yes = certification_population.labelled_yes(workspace, attribute)
    values = {
        "attribute_id": attribute.id,
        "model_id": model.id,
        "target": saved.evidence.target,
        "confidence": saved.evidence.confidence,
        "planned": min(certification.PLANNED, len(free)),
        "seed": seed,
        "known": np.flatnonzero(outside).astype(np.int64).tobytes(),
        "images": n_images,
        "left_out": left_out,
        "counted": yes[yes >= since].astype(np.int64).tobytes(),
        "since": since,
        "made_at": db.now(),
    }
    with exclusive(workspace.engine, db.rounds) as connection:
        if any(each.since == since for each in population.extensions(workspace, attribute, saved.evidence, model)):
            raise LearningError("This guarantee is being extended already. Continue that extension.")
        values["risk_share"] = learning.risk_share(len(certification_store.certifications(workspace, attribute)))
        added = db.insert_row(connection, db.certifications, values)
        cut = {"certification_id": added, "position": 0, "value": saved.value}
        connection.execute(sa.insert(db.certification_cuts).values(cut))
    return population.extensions(workspace, attribute, saved.evidence, model)[-1]
