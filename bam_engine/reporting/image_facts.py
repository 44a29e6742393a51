"""What is known of one image, gathered from every room, for whoever looks at it.

In:  a row. Out: its record and labels at once (:func:`describe`); what takes longer by itself: its scores
(:func:`score_lines`), its place on the map (:func:`place_of`), what is most like it (:func:`similar_images`).
"""

from dataclasses import dataclass, replace

import numpy as np
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import ADJUDICATION, BULK, Attribute
from bam_engine.collection import Image
from bam_engine.errors import BamError
from bam_engine.labelling import tasks
from bam_engine.maps import layout_store, view_cache
from bam_engine.maps.places import places_of, zoom_among_neighbours
from bam_engine.training.calibration import probabilities
from bam_engine.training.decisions import is_accepted
from bam_engine.training.models import scored_attributes, scores_of
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import neighbours

ANSWER_WORDS = {1: "yes", 0: "no", -1: "unsure", -2: "taken back"}
_HOW = {ADJUDICATION: " (decision)", BULK: " (in bulk)"}


@dataclass(frozen=True)
class AttributeScore:
    """The score of one image for an attribute, its probability with limits where there is one, and the decision.

    ``threshold`` is the cut in force, ``precision`` that of the images it accepts, with limits.
    """

    attribute: str
    score: float
    probability: tuple[float, float, float] | None
    decision: str
    threshold: float | None = None
    precision: tuple[float, float, float] | None = None
    certified: bool = False


@dataclass(frozen=True)
class AttributeLabel:
    """What people said of one image about an attribute: how it stands, and each one's latest answer."""

    attribute: str
    state: str
    said: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Place:
    """Where an image lies on a map, in the map's [0, 1] squared; ``zoom`` shows it among its neighbours."""

    map_id: str
    title: str
    version: str
    x: float
    y: float
    zoom: int


@dataclass(frozen=True)
class ImageFacts:
    """One image: its record, its (attribute, annotator, answer), how it stands for each attribute, its captions.

    ``problem`` says why its file cannot be read, or is empty; ``has_thumbnail`` whether there is a small copy of it.
    """

    row: int
    uri: str
    name: str
    title: str | None
    width: int
    height: int
    annotations: list[tuple[str, str, str]]
    project: str | None
    license: str | None
    mature: bool | None
    size: int | None
    added: str
    problem: str
    has_thumbnail: bool
    labels: list[AttributeLabel]
    captions: list[tuple[str, str]]


def describe(workspace: Workspace, row: int) -> ImageFacts:
    """Gather what the catalogue and people say of image ``row``: a few reads by row, whatever the collection's size.

    Raises
    ------
    NotFound
        There is no such image.
    """
    image = workspace.catalogue.image(row)
    size, problem = _file(image)
    annotations = _annotations(workspace, row)
    return ImageFacts(
        row=row,
        uri=image.uri,
        name=image.path.name,
        title=image.title,
        width=image.width,
        height=image.height,
        annotations=annotations,
        project=image.project_id,
        license=image.license,
        mature=image.mature_content,
        size=size,
        added=_added(workspace, row),
        problem=problem,
        has_thumbnail=workspace.thumbnails.has(row),
        labels=_labels(workspace, row, {name for name, _, _ in annotations}),
        captions=_captions(workspace, row),
    )


def place_of(workspace: Workspace, row: int) -> Place | None:
    """Return where ``row`` lies on the newest map that holds it, or None."""
    for record in layout_store.list_layouts(workspace):
        x, y = (float(part) for part in places_of(workspace, record.id, [row])[0])
        if np.isfinite(x):
            version = view_cache.map_version(workspace, record.id)
            return Place(record.id, record.title, version, x, y, zoom_among_neighbours(record.n))
    return None


def score_lines(workspace: Workspace, row: int) -> list[AttributeScore]:
    """Return the scores of image ``row``, highest first; an attribute without one is left out."""
    result = []
    for attribute in scored_attributes(workspace):
        scores = scores_of(workspace, attribute)
        if row >= len(scores) or np.isnan(scores[row]):
            continue
        shown = probabilities(workspace, attribute, [row])
        share = None if shown.problem else (float(shown.value[0]), float(shown.low[0]), float(shown.high[0]))
        line = AttributeScore(attribute.name, float(scores[row]), share, "")
        threshold = current_threshold(workspace, attribute)
        if threshold is not None:
            told = threshold.evidence
            line = replace(
                line,
                decision="accepted" if is_accepted(scores[row], threshold.value) else "rejected",
                threshold=threshold.value,
                precision=(told.precision, told.precision_low, told.precision_high),
                certified=told.certified,
            )
        result.append(line)
    return sorted(result, key=lambda line: -line.score)


def similar_images(workspace: Workspace, row: int, count: int = 12) -> list[tuple[int, float]]:
    """Return the images most like image ``row`` and their cosines, nearest first; none where nothing is embedded."""
    try:
        return neighbours(workspace, row, count)
    except BamError:
        return []


def _file(image: Image) -> tuple[int | None, str]:
    """Return how many bytes the file has, or why it cannot be had."""
    try:
        return image.path.stat().st_size, ""
    except OSError as error:
        return None, f"the file is gone ({error.strerror})"


def _added(workspace: Workspace, row: int) -> str:
    """Return the day on which the image was added."""
    query = sa.select(db.images.c.made_at).where(db.images.c.row == row)
    with workspace.engine.connect() as connection:
        return str(connection.scalar(query) or "")[:10]


def _labels(workspace: Workspace, row: int, names: set[str]) -> list[AttributeLabel]:
    """Return how the image stands for each attribute that anyone answered about, by everybody's latest answers."""
    result = []
    for attribute in workspace.attributes.all():
        if attribute.name not in names:
            continue
        said = workspace.annotations.image_annotations(attribute.id, row)
        latest = {(one.annotator, one.purpose in _HOW): one for one in said}
        words = [(one.annotator, ANSWER_WORDS[one.answer] + _HOW.get(one.purpose, "")) for one in latest.values()]
        result.append(AttributeLabel(attribute.name, _state(workspace, attribute, row), tuple(words)))
    return result


def _state(workspace: Workspace, attribute: Attribute, row: int) -> str:
    found = tasks.labels(workspace, attribute)
    at = np.flatnonzero(found.rows == row)
    if not len(at):
        return "no label"
    if found.settled[at[0]]:
        word = ANSWER_WORDS[int(found.labels[at[0]])]
        return f"decided: {word}" if found.decided[at[0]] else word
    if found.decided[at[0]]:
        return "decided: unsure"
    enough = found.counts[at[0]].sum() >= max(2, workspace.redundancy)
    return "disputed" if enough else "waits for another answer"


def _captions(workspace: Workspace, row: int) -> list[tuple[str, str]]:
    """Return (annotator, caption), oldest first."""
    said, who = db.captions, db.annotators
    query = sa.select(who.c.name, said.c.caption).join(who, who.c.id == said.c.annotator_id).where(said.c.row == row)
    with workspace.engine.connect() as connection:
        return [(name, caption) for name, caption in connection.execute(query.order_by(said.c.id))]


def _annotations(workspace: Workspace, row: int) -> list[tuple[str, str, str]]:
    return [
        (attribute.name, said.annotator, ANSWER_WORDS[said.answer] + _HOW.get(said.purpose, ""))
        for attribute in workspace.attributes.all()
        for said in workspace.annotations.image_annotations(attribute.id, row)
    ]
