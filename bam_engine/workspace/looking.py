"""What is known of one image, gathered from every room, for whoever looks at it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bam_engine.annotation import ADJUDICATION
from bam_engine.errors import BamError
from bam_engine.workspace.calibration import probabilities
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.embedding import neighbours
from bam_engine.workspace.models import latest_model, scores_of
from bam_engine.workspace.thresholds import current_threshold

ANSWER_WORDS = {1: "yes", 0: "no", -1: "unsure", -2: "taken back"}
_DECISION = " (decision)"


@dataclass(frozen=True)
class ScoreLine:
    """The score of one image for an attribute, its probability with limits where there is one, and the decision."""

    attribute: str
    score: float
    probability: tuple[float, float, float] | None
    decision: str


@dataclass(frozen=True)
class ImageFacts:
    """One image: its record, its scores from high to low, its (attribute, annotator, answer), its neighbours."""

    row: int
    uri: str
    name: str
    title: str | None
    width: int
    height: int
    scores: list[ScoreLine]
    annotations: list[tuple[str, str, str]]
    neighbours: list[tuple[int, float]]


def describe(workspace: Workspace, row: int, *, near: int = 12) -> ImageFacts:
    """Gather what is known of image ``row``.

    Raises
    ------
    NotThere
        There is no such image.
    """
    image = workspace.catalogue.image(row)
    try:
        nearest = neighbours(workspace, row, near)
    except BamError:  # nothing embedded yet: there are no neighbours to show
        nearest = []
    return ImageFacts(
        row,
        image.uri,
        Path(image.uri).name,
        image.title,
        image.width,
        image.height,
        _scores(workspace, row),
        _annotations(workspace, row),
        nearest,
    )


def _scores(workspace: Workspace, row: int) -> list[ScoreLine]:
    result = []
    for attribute in workspace.attributes.all():
        if latest_model(workspace, attribute) is None:
            continue
        scores = scores_of(workspace, attribute)
        if row >= len(scores) or np.isnan(scores[row]):
            continue
        threshold = current_threshold(workspace, attribute)
        decision = "" if threshold is None else "accepted" if scores[row] >= threshold.value else "rejected"
        shown = probabilities(workspace, attribute, [row])
        share = None if shown.problem else (float(shown.value[0]), float(shown.low[0]), float(shown.high[0]))
        result.append(ScoreLine(attribute.name, float(scores[row]), share, decision))
    return sorted(result, key=lambda line: -line.score)


def _annotations(workspace: Workspace, row: int) -> list[tuple[str, str, str]]:
    return [
        (attribute.name, said.annotator, ANSWER_WORDS[said.answer] + _DECISION * (said.purpose == ADJUDICATION))
        for attribute in workspace.attributes.all()
        for said in workspace.annotations.image_annotations(attribute.id, row)
    ]
