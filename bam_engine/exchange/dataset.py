"""What a finished dataset is, in memory: the images, the labels by people, the scores, the decisions.

The writers beside this file turn one into files; whoever knows the stores fills it. Arrays over images are in the order
of ``images``; a score that does not exist is NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

POSITIVE, UNSURE, NEGATIVE = "positive", "unsure", "negative"


@dataclass(frozen=True)
class ImageRecord:
    """One image as it is handed out."""

    id: int
    uri: str
    title: str | None
    project_id: str | None
    width: int
    height: int
    mature_content: bool | None
    license: str | None


@dataclass(frozen=True)
class Choice:
    """One person's answer to one image within an assignment."""

    image: int  # position in ``Dataset.images``
    answer: str


@dataclass(frozen=True)
class Hit:
    """One assignment: who answered what, and how long it took.

    Where it ``decides``, its answers are an adjudicator's decisions and no votes.
    """

    assignment_id: str
    annotator: str
    simulated: bool
    n_seconds: float
    last_modified: str
    choices: Sequence[Choice]
    decides: bool = False


@dataclass(frozen=True)
class Decision:
    """The two cuts of an attribute and the evidence for them.

    Images with a score of at least ``positive_from`` are positive, of at most ``negative_to`` negative, the others
    unsure. ``evidence`` is one line of plain text: what was promised and what was measured.
    """

    positive_from: float | None
    negative_to: float | None
    evidence: str = ""


@dataclass(frozen=True)
class AttributeRecord:
    """One attribute of the dataset; ``scores`` is (n,) or None before the first training."""

    name: str
    kind: str
    question: str
    instructions: str
    scores: NDArray[np.float32] | None
    crowd: dict[int, str]  # position in ``Dataset.images`` → the consensus
    hits: Sequence[Hit]
    decision: Decision
    automatic: Sequence[str | None] = ()  # the label of each image by its score; empty where nothing is decided


@dataclass(frozen=True)
class Caption:
    """One person's words for one image."""

    image: int
    annotator: str
    caption: str


@dataclass(frozen=True)
class Dataset:
    """Everything that is exported; ``generated`` is what must be said of generated images, empty for real ones."""

    images: Sequence[ImageRecord]
    attributes: Sequence[AttributeRecord]
    captions: Sequence[Caption] = field(default_factory=tuple)
    generated: str = ""
