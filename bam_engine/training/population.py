"""What a threshold, a certification or an audit is about: the images that there were when its sample was drawn.

A collection grows. Rows are given in the order in which images are added, so a population ends at a row; those from
there on came later, and nothing that was promised, measured or audited is about them.
"""

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.labelling.label_states import label_version
from bam_engine.learning import Threshold
from bam_engine.training import certification, certification_population, certification_store, growth
from bam_engine.training.models import TrainedModel, latest_model, scores_version
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

Mask = NDArray[np.bool_]

_COVERED = Kind[Mask](
    "masks of covered images",
    of="certification",
    until="images are added",
    limit=40,
    max_bytes=100_000_000,
    size=lambda mask: mask.nbytes,
)
_EXTENDED = Kind[NDArray[np.int64]](
    "images of extended promises",
    of="extension",
    until="an answer, a score or a file changes",
    limit=40,
    max_bytes=100_000_000,
    size=lambda rows: rows.nbytes,
)


def images_of(
    workspace: Workspace, attribute: Attribute, promised: Threshold, model: TrainedModel | None = None
) -> int:
    """Return the number of images that the collection had when the sample was drawn that a promise rests on.

    The threshold is one of ``model``, or of the newest one.
    """
    if promised.covers is not None:
        started = certification_store.current(workspace, attribute, model, target=promised.target)
        if started is not None:
            return images_of_certification(workspace, started)
    return growth.images_at_draw(workspace, attribute)


def images_of_certification(workspace: Workspace, started: certification_store.Certification) -> int:
    """Return the number of images that the collection had when a certification was started."""
    return growth.images_at(workspace, started.made_at) if started.images is None else started.images


def covered(
    workspace: Workspace,
    attribute: Attribute,
    evidence: Threshold,
    model: TrainedModel | None = None,
    *,
    images: int,
    n: int,
) -> Mask:
    """Return which of ``n`` images the evidence is about, if the collection had ``images`` then: bool (n,), read-only.

    A certification is about those that could be looked at and that nobody had been asked about when it started. What
    has been extended over images that came later is about those too.
    """
    started = None
    if evidence.covers is not None:
        started = certification_store.current(workspace, attribute, model, target=evidence.target)

    def make() -> Mask:
        inside = np.arange(n) < images
        if started is not None:
            inside[started.known[started.known < n]] = False
        inside.flags.writeable = False
        return inside

    subject = None if started is None else started.id
    inside = workspace.memory.get(_COVERED, (attribute.id, subject), (n, images), make)
    for extension in extensions(workspace, attribute, evidence, model):
        rows = rows_extended(workspace, extension)
        if len(rows):
            inside = inside.copy()
            inside[rows[rows < n]] = True
            inside.flags.writeable = False
    return inside


def extensions(
    workspace: Workspace, attribute: Attribute, evidence: Threshold, model: TrainedModel | None = None
) -> list[certification_store.Certification]:
    """Return the certifications that extend what is certified at this threshold of ``model``, or of the newest."""
    stored = [each for each in certification_store.certifications(workspace, attribute) if each.since is not None]
    model = model or (latest_model(workspace, attribute) if stored else None)
    if model is None or not evidence.certified:
        return []
    return [
        each
        for each in stored
        if each.model_id == model.id and each.cuts == (evidence.value,) and abs(each.target - evidence.target) < 1e-9
    ]


def rows_extended(workspace: Workspace, extension: certification_store.Certification) -> NDArray[np.int64]:
    """Return the images over which a promise is extended: none where its test does not pass by the answers of now."""
    attribute = extension.attribute
    version = (
        scores_version(workspace, certification_population.model_of(workspace, extension)),
        label_version(workspace, attribute),
        workspace.catalogue.missing_version,
    )

    def test() -> NDArray[np.int64]:
        passed = certification.state(workspace, extension).certified is not None
        return certification_population.population_rows(workspace, extension) if passed else np.empty(0, np.int64)

    return workspace.memory.get(_EXTENDED, extension.id, version, test)
