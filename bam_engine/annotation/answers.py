"""What an answer is: its values, its purposes, and the records that hand answers around. Values alone, no store."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.errors import AnnotationError, NotFound

POSITIVE, NEGATIVE, UNSURE, WITHDRAWN = 1, 0, -1, -2
ADJUDICATION = "adjudication"  # its answers are decisions, not votes
IMPORT = "import"  # labels made elsewhere: votes, except on images that judge
BULK = "bulk"  # given to many images at once: no votes either
PURPOSES = ("validation", "round", "certification", "audit", IMPORT, ADJUDICATION, BULK)
NON_VOTING_PURPOSES = (ADJUDICATION, BULK)
TASK_PURPOSES = tuple(purpose for purpose in PURPOSES if purpose not in (IMPORT, *NON_VOTING_PURPOSES))

WORDS = {POSITIVE: "positive", NEGATIVE: "negative", UNSURE: "unsure", WITHDRAWN: "withdrawn"}


class UnknownAssignment(AnnotationError, NotFound):
    """No assignment has this id."""


@dataclass(frozen=True)
class Annotator:
    """A person, or a simulated one."""

    id: int
    name: str
    simulated: bool


@dataclass(frozen=True)
class Assignment:
    """A set of images handed to one annotator with one question; ``rows`` in the order in which they are shown."""

    id: str
    attribute_id: int
    annotator_id: int
    purpose: str
    source_id: int
    rows: tuple[int, ...]


@dataclass(frozen=True)
class NewAnswer:
    """An answer on its way in; ``uid`` is made where it was given, so that sending it twice stores it once."""

    uid: str
    row: int
    answer: int
    seconds: float | None = None


@dataclass(frozen=True)
class Saved:
    """What a submit did: ``new`` answers were stored, ``repeated`` ones were there already."""

    new: int
    repeated: int


@dataclass(frozen=True, eq=False)
class Answers:
    """The latest answer of each (row, annotator): three arrays (m,), by row, then annotator.

    ``answers`` is int8: 1 positive, 0 negative, -1 unsure.
    """

    rows: NDArray[np.int64]
    annotators: NDArray[np.int64]
    answers: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Decisions:
    """What stands decided by adjudication: four arrays (k,), one entry an image, by row.

    ``answers`` is int8 as in :class:`Answers`; ``ids`` number the annotations, a later one higher.
    """

    rows: NDArray[np.int64]
    annotators: NDArray[np.int64]
    answers: NDArray[np.int8]
    ids: NDArray[np.int64]


@dataclass(frozen=True)
class Annotation:
    """One stored answer with where it comes from; ``answer`` may be -2, withdrawn."""

    id: int
    uid: str
    assignment_id: str
    annotator: str
    purpose: str
    row: int
    answer: int
    seconds: float | None
    made_at: str
