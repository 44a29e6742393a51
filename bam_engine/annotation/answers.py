"""Values, purposes and record types of answers; no store."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bam_engine.errors import AnnotationError, NotFound

POSITIVE, NEGATIVE, UNSURE, WITHDRAWN, SKIPPED = 1, 0, -1, -2, -3  # the last two are no answer
ADJUDICATION = "adjudication"  # answers are decisions, not votes
IMPORT = "import"  # labels made elsewhere: votes, except on held-out images
BULK = "bulk"  # one answer for many images: not votes either
DIRECT = "direct"  # an answer to one image that no task asked for: it decides a label, but judges nothing
EXTRA = "extra"  # an answer to an image that had its votes when it came: it counts for nothing
GOLD = "gold"  # an answer to an image whose answer is known: it tells how well its annotator answers, and is no vote
PURPOSES = ("validation", "round", "certification", "audit", "recall", IMPORT, ADJUDICATION, BULK, DIRECT, EXTRA, GOLD)
NON_VOTING_PURPOSES = (ADJUDICATION, BULK, DIRECT, EXTRA, GOLD)
TASK_PURPOSES = tuple(purpose for purpose in PURPOSES if purpose not in (IMPORT, *NON_VOTING_PURPOSES))

WORDS = {POSITIVE: "positive", NEGATIVE: "negative", UNSURE: "unsure", WITHDRAWN: "withdrawn", SKIPPED: "skipped"}


class UnknownAssignment(AnnotationError, NotFound):
    """There is no assignment with this id."""


class UsedUid(AnnotationError):
    """Another answer has the same uid."""


class ForeignAssignment(AnnotationError):
    """An assignment is that of another person than who answers."""


class OvertakenAnswer(AnnotationError):
    """Somebody has answered about the same image meanwhile."""


@dataclass(frozen=True)
class Annotator:
    """A person, or a simulated one; an archived one cannot answer any more."""

    id: int
    name: str
    simulated: bool
    archived: bool = False


@dataclass(frozen=True)
class Assignment:
    """A set of images for one annotator and one attribute; ``rows`` in display order, those of ``gold`` among them."""

    id: str
    attribute_id: int
    annotator_id: int
    purpose: str
    source_id: int
    rows: tuple[int, ...]
    gold: frozenset[int] = frozenset()


@dataclass(frozen=True)
class NewAnswer:
    """An answer to be stored; the client sets ``uid``, so that a retry is stored once.

    ``answer`` -3 skips the image: what the annotator had answered is withdrawn, and the image is somebody else's.
    ``seen`` is the answer that it replaces as far as the client knows, -2 for none. Where there is another one by now,
    this one is not stored. With None, it replaces any.
    """

    uid: str
    row: int
    answer: int
    seconds: float | None = None
    seen: int | None = None


@dataclass(frozen=True)
class Saved:
    """The result of a submission: ``new`` answers were stored, ``repeated`` ones had been stored before.

    ``newer`` maps rows to the answer there, of which the client did not know and which was left as it is; -2 is none.
    ``extra`` of the new answers are to images that had their votes already, and count for nothing.
    """

    new: int
    repeated: int
    newer: Mapping[int, int] = field(default_factory=dict)
    extra: int = 0


@dataclass(frozen=True, eq=False)
class Answers:
    """The latest answer of each (row, annotator): three arrays (m,), sorted by row, then annotator.

    ``answers`` is int8: 1 positive, 0 negative, -1 unsure.
    """

    rows: NDArray[np.int64]
    annotators: NDArray[np.int64]
    answers: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Decisions:
    """The current decisions of adjudicators: four arrays (k,), one entry per image, sorted by row.

    ``answers`` is int8 as in :class:`Answers`; ``ids`` are annotation ids, which increase with time.
    """

    rows: NDArray[np.int64]
    annotators: NDArray[np.int64]
    answers: NDArray[np.int8]
    ids: NDArray[np.int64]


@dataclass(frozen=True)
class Annotation:
    """A stored answer with its origin; ``answer`` may be -2 (withdrawn) or -3 (skipped).

    One that is ``set_aside`` does not count.
    """

    id: int
    uid: str
    assignment_id: str
    annotator: str
    purpose: str
    row: int
    answer: int
    seconds: float | None
    made_at: str
    set_aside: bool = False
