"""A finished dataset in memory: images, labels by people, scores and decisions.

The writers of this package turn it into files. Arrays over images follow the order of ``images``; a missing score is
NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

POSITIVE, UNSURE, NEGATIVE = "positive", "unsure", "negative"

Codes = NDArray[np.int8]

CROWD = (NEGATIVE, POSITIVE)
"""What people agree on, by code."""

LABELS = (NEGATIVE, POSITIVE, UNSURE)
"""The label that an image is delivered with, by code."""

WHY = ("by people", "by the classifier", "by the classifier, not covered")
"""Who decided a label, by code."""

SPLITS = ("train", "validation", "test")
"""The parts of a dataset, by code."""


@dataclass(frozen=True)
class ImageRecord:
    """One image of the dataset.

    ``file`` is "ok", "missing" or "replaced": whether its file was there when its folder was last added. The ``uri`` of
    a replaced image ends with ``#sha256=`` and its digest, and is no file's.
    """

    id: int
    uri: str
    title: str | None
    project_id: str | None
    width: int
    height: int
    mature_content: bool | None
    license: str | None
    file: str = "ok"


@dataclass(frozen=True)
class Choice:
    """One answer within an assignment."""

    image: int  # position in ``Dataset.images``
    answer: str


@dataclass(frozen=True)
class Hit:
    """One assignment: the annotator, the answers and the time taken.

    If it ``decides``, its answers are an adjudicator's decisions, not votes. If it is ``set_aside``, they do not count.
    """

    assignment_id: str
    annotator: str
    simulated: bool
    n_seconds: float
    last_modified: str
    choices: Sequence[Choice]
    decides: bool = False
    set_aside: bool = False


@dataclass(frozen=True)
class Decision:
    """The two thresholds of an attribute and the evidence for them.

    Images without a label by people are positive if they score at least ``positive_from``, negative if at most
    ``negative_to``, and unsure between.
    ``evidence`` is one line of plain text: the target and the measured estimates.
    """

    positive_from: float | None
    negative_to: float | None
    evidence: str = ""


@dataclass(frozen=True)
class Source:
    """What the scores and the decision of an attribute come from.

    ``encoder`` is its spec or name, ``encoder_key`` names its version and checkpoint, too. ``model`` is a digest of the
    classifier, ``trained`` when it was. ``standing`` says what stands behind the result, ``others`` what other encoders
    have; "" where there is nothing.
    """

    encoder: str = ""
    encoder_key: str = ""
    model: str = ""
    trained: str = ""
    standing: str = ""
    others: str = ""


@dataclass(frozen=True)
class ShownExample:
    """An image that the guidelines show, by its position in ``Dataset.images``: its kind is good, bad or corner."""

    image: int
    kind: str
    note: str


@dataclass(frozen=True)
class AttributeRecord:
    """One attribute of the dataset; ``scores`` is (n,) or None where nothing is trained with its encoder."""

    name: str
    kind: str
    question: str
    instructions: str
    scores: NDArray[np.float32] | None
    crowd: dict[int, str]  # position in ``Dataset.images`` → the consensus
    hits: Sequence[Hit]
    decision: Decision
    automatic: Sequence[str | None] = ()  # the label that each image is delivered with; empty where nothing is decided
    why: Sequence[
        str | None
    ] = ()  # of each of these labels: "by people", "by the classifier" or "by the classifier, not covered"
    source: Source = Source()
    examples: Sequence[ShownExample] = ()


@dataclass(frozen=True, eq=False)
class AttributeColumns:
    """What is known of m images about one attribute, as arrays (m,); a code of -1 means nothing.

    Attributes
    ----------
    scores
        float32, nan without a score; None where nothing is trained.
    crowd, label, why
        Codes into ``CROWD``, ``LABELS`` and ``WHY``.
    accepted
        1 accepted, 0 rejected, -1 undecided.
    """

    name: str
    scores: NDArray[np.float32] | None
    crowd: Codes
    label: Codes
    why: Codes
    accepted: Codes


@dataclass(frozen=True)
class Caption:
    """One annotator's caption of one image."""

    image: int
    annotator: str
    caption: str


@dataclass(frozen=True)
class Dataset:
    """Everything that is exported; ``generated`` is the notice on generated images, empty for real ones."""

    images: Sequence[ImageRecord]
    attributes: Sequence[AttributeRecord]
    captions: Sequence[Caption] = field(default_factory=tuple)
    generated: str = ""
