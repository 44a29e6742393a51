"""The facts about one image: its record and labels (:func:`describe`), scores, place on the map and neighbours.

:func:`score_lines`, :func:`place_of` and :func:`similar_images` take longer and are separate, so that a page can draw
the rest first.
"""

from dataclasses import dataclass, replace

import numpy as np
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import ADJUDICATION, BULK, DIRECT, EXTRA, GOLD, Annotation, Attribute
from bam_engine.annotation.caption_store import Caption
from bam_engine.collection import FILE_STATES, Image, State, look_at
from bam_engine.collection.originals import size_of
from bam_engine.errors import BamError, BucketUnavailable
from bam_engine.gallery import problems
from bam_engine.labelling import tasks
from bam_engine.maps import layout_store, view_cache
from bam_engine.maps.places import places_of, zoom_among_neighbours
from bam_engine.training.calibration import probabilities
from bam_engine.training.delivered import OUTCOMES, REASONS, Reason, delivered_of
from bam_engine.training.models import scored_attributes, scores_of
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import removed
from bam_engine.workspace.vectors import neighbours

ANSWER_WORDS = {1: "yes", 0: "no", -1: "unsure", -2: "withdrawn", -3: "skipped"}
_PURPOSES = {ADJUDICATION: " (decision)", BULK: " (in bulk)", DIRECT: " (directly)", EXTRA: " (not counted)"}


@dataclass(frozen=True)
class AttributeScore:
    """The score of one image for an attribute, its probability (value, low, high) if known, and the decision.

    ``decision`` is "accepted", "rejected" or "undecided", and ``reason`` why; both are empty without a threshold.
    ``threshold`` is the current threshold, ``precision`` that of the images it accepts (value, low, high).
    """

    attribute: str
    score: float
    probability: tuple[float, float, float] | None
    decision: str
    threshold: float | None = None
    precision: tuple[float, float, float] | None = None
    certified: bool = False
    reason: str = ""


@dataclass(frozen=True)
class AttributeLabel:
    """The label of one image for an attribute, and the latest answer of each annotator."""

    attribute: str
    state: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Place:
    """The position of an image on a map, in [0, 1]²; ``zoom`` shows it among its neighbours."""

    map_id: str
    title: str
    version: str
    x: float
    y: float
    zoom: int


@dataclass(frozen=True)
class ImageFacts:
    """One image: its record, annotations as (attribute, annotator, answer), labels and captions.

    ``problem`` says why its file cannot be read, and is empty if it can. ``picture_problems`` are those of its picture,
    each with its value and limit, None where it was not measured.
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
    url: str | None
    size: int | None
    added: str
    problem: str
    picture_problems: list[str] | None
    has_thumbnail: bool
    labels: list[AttributeLabel]
    captions: list[tuple[str, Caption]]


@one_flow
def describe(workspace: Workspace, row: int) -> ImageFacts:
    """Gather the record, annotations and labels of image ``row``; the cost does not depend on the collection's size.

    Raises
    ------
    NotFound
        There is no such image.
    """
    image = workspace.catalogue.image(row)
    size, problem = _file(image)
    annotations, measures = _annotations(workspace, row), problems.measures_of(workspace, row)
    return ImageFacts(
        row=row,
        uri=image.last_path,
        name=image.name,
        title=image.title,
        width=image.width,
        height=image.height,
        annotations=annotations,
        project=image.project_id,
        license=image.license,
        mature=image.mature_content,
        url=image.url,
        size=size,
        added=_added(workspace, row),
        problem=problem,
        picture_problems=None if measures is None else problems.described(measures),
        has_thumbnail=workspace.thumbnails.has(row),
        labels=_labels(workspace, row, {name for name, _, _ in annotations}),
        captions=_captions(workspace, row),
    )


def place_of(workspace: Workspace, row: int) -> Place | None:
    """Return the position of ``row`` on the newest map that contains it, or None; one of the encoder in use first."""
    for record in layout_store.all_layouts(workspace):
        x, y = (float(part) for part in places_of(workspace, record.id, [row])[0])
        if np.isfinite(x):
            version = view_cache.map_version(workspace, record.id)
            return Place(record.id, record.title, version, x, y, zoom_among_neighbours(record.n))
    return None


@one_flow
def score_lines(workspace: Workspace, row: int) -> list[AttributeScore]:
    """Return the scores of image ``row``, highest first; attributes without one are left out."""
    result = []
    for attribute in scored_attributes(workspace):
        scores = scores_of(workspace, attribute)
        if row >= len(scores) or np.isnan(scores[row]):
            continue
        estimate = probabilities(workspace, attribute, [row])
        limits = (float(estimate.value[0]), float(estimate.low[0]), float(estimate.high[0]))
        line = AttributeScore(attribute.name, float(scores[row]), None if estimate.problem else limits, "")
        threshold = current_threshold(workspace, attribute)
        if threshold is not None:
            evidence, delivered = threshold.evidence, delivered_of(workspace, attribute)
            line = replace(
                line,
                decision=OUTCOMES[int(delivered.outcomes_of(np.array([row]))[0])],
                reason=REASONS[Reason(int(delivered.reasons[row]))],
                threshold=threshold.value,
                precision=evidence.precision_interval,
                certified=evidence.certified,
            )
        result.append(line)
    return sorted(result, key=lambda line: -line.score)


def similar_images(workspace: Workspace, row: int, count: int = 12) -> list[tuple[int, float]]:
    """Return the images most similar to image ``row`` with their cosine similarity; empty before the embedding."""
    try:
        return neighbours(workspace, row, count)
    except BamError:
        return []


def _file(image: Image) -> tuple[int | None, str]:
    """Return the size of the file in bytes, or why it is not the image's or cannot be read."""
    if image.status in FILE_STATES:
        return None, FILE_STATES[image.status]
    try:
        size, seen = size_of(image.path), look_at(image)
    except OSError as error:
        return None, f"The file cannot be read ({error.strerror})."
    except BucketUnavailable as error:
        return None, str(error)
    if seen.state is State.NOTHING:
        return None, "The file was not found."
    if seen.state is State.OTHER_BYTES:
        return None, "The file has changed since its folder was last added."
    return size, ""


def _added(workspace: Workspace, row: int) -> str:
    """Return the day on which the image was added."""
    query = sa.select(db.images.c.made_at).where(db.images.c.row == row)
    with workspace.engine.connect() as connection:
        return str(connection.scalar(query) or "")[:10]


def _labels(workspace: Workspace, row: int, names: set[str]) -> list[AttributeLabel]:
    """Return the labels of the image for the attributes ``names``, with the latest answers."""
    result = []
    for attribute in workspace.attributes.all():
        if attribute.name not in names:
            continue
        annotations = _answers_about(workspace, attribute, row)
        latest = {(one.annotator, _PURPOSES.get(one.purpose)): one for one in annotations}
        answers = [(one.annotator, _words(one)) for one in latest.values()]
        result.append(AttributeLabel(attribute.name, _state(workspace, attribute, row), tuple(answers)))
    return result


def _words(given: Annotation) -> str:
    """Return an answer in words, with what it was given for, and whether it is set aside."""
    return ANSWER_WORDS[given.answer] + _PURPOSES.get(given.purpose, "") + (" (set aside)" if given.set_aside else "")


def _state(workspace: Workspace, attribute: Attribute, row: int) -> str:
    if row in removed(workspace).rows:
        return "not counted"
    labels = tasks.labels(workspace, attribute)
    at = np.flatnonzero(labels.rows == row)
    if not len(at):
        return "no label"
    if labels.settled[at[0]]:
        word = ANSWER_WORDS[int(labels.labels[at[0]])]
        return f"decided: {word}" if labels.decided[at[0]] else word
    if labels.decided[at[0]]:
        return "decided: unsure"
    enough = labels.counts[at[0]].sum() >= max(2, int(labels.required[at[0]]))
    return "disputed" if enough else "needs another vote"


def _captions(workspace: Workspace, row: int) -> list[tuple[str, Caption]]:
    """Return (annotator, caption), oldest first, hidden ones included."""
    names = workspace.annotators.names()
    return [(names[one.annotator_id], one) for one in workspace.captions.of(row)]


def _annotations(workspace: Workspace, row: int) -> list[tuple[str, str, str]]:
    return [
        (attribute.name, one.annotator, _words(one))
        for attribute in workspace.attributes.all()
        for one in _answers_about(workspace, attribute, row)
    ]


def _answers_about(workspace: Workspace, attribute: Attribute, row: int) -> list[Annotation]:
    """Return the answers to the image, but those to gold, which tell of people and not of images."""
    return [one for one in workspace.annotations.image_annotations(attribute.id, row) if one.purpose != GOLD]
