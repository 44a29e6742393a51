"""Direct answers: one person's answer to one image that no task asked for, given wherever the image is seen.

In:  an image, an attribute, and yes, no, unsure or nothing. Out: what was known of it before.

A direct answer labels an image or corrects its label: it decides like an adjudicator, whatever the votes, and can be
undone. The next training learns from it. It is no vote and judges nothing, since whoever gives it chose the image and
may know its score: validation samples, certifications and audits count blind answers alone, also about images whose
label was corrected since, and ask about an image in spite of its direct answer.
"""

import contextlib
import uuid
from dataclasses import dataclass

import numpy as np

from bam_engine.annotation import (
    DIRECT,
    NEGATIVE,
    POSITIVE,
    UNSURE,
    WITHDRAWN,
    Attribute,
    NewAnswer,
    OvertakenAnswer,
)
from bam_engine.annotation.answer_log import answer_log
from bam_engine.errors import AnnotationError
from bam_engine.labelling import label_states
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import removed

_ATTEMPTS = 5  # while others answer about the same image

ANSWERS = {POSITIVE: "yes", NEGATIVE: "no", UNSURE: "unsure"}


class NewerLabel(AnnotationError):
    """The label is another one than whoever answers has seen: ``mark``."""

    def __init__(self, message: str, mark: str) -> None:
        super().__init__(message)
        self.mark = mark


@dataclass(frozen=True)
class Standing:
    """What is known of one image and attribute.

    ``mark`` is the label as pictures bear it (:meth:`bam_engine.labelling.label_states.LabelStates.marks`), and ``own``
    the direct answer of the annotator who asks, or None.
    """

    mark: str
    own: int | None


@one_flow
def standing(workspace: Workspace, attribute: Attribute, row: int, annotator: str) -> Standing:
    """Return the label of an image, and what ``annotator`` has answered directly."""
    known = workspace.annotators.find(annotator)
    direct = workspace.annotations.answers(attribute.id, purposes=[DIRECT])
    mine = (direct.rows == row) & (direct.annotators == (-1 if known is None else known.id))
    mark = label_states.states(workspace, attribute).marks(np.array([row]))[0]
    return Standing(mark, int(direct.answers[mine][0]) if mine.any() else None)


def answer(
    workspace: Workspace, attribute: Attribute, row: int, value: int | None, *, annotator: str, seen: str | None = None
) -> Standing:
    """Store a direct answer; return what was known before.

    Parameters
    ----------
    value
        1 yes, 0 no, -1 unsure; None withdraws the direct answer of ``annotator``.
    seen
        The mark of the image as whoever answers sees it; None replaces any.

    Raises
    ------
    NewerLabel
        The image has another mark by now, which is not what is answered either.
    AnnotationError
        There is no such answer, or the image is not in the collection.
    """
    if value is not None and value not in ANSWERS:
        raise AnnotationError(f"{str(value)[:60]} is not an answer. Use 1 (yes), 0 (no) or -1 (unsure).")
    if not 0 <= row < len(workspace.catalogue) or row in removed(workspace).rows:
        raise AnnotationError(f"Image {row} is not in the collection. Choose one that is.")
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(OvertakenAnswer):  # what is known is another thing by now
            return _answer(workspace, attribute, row, value, annotator, seen)
    return _answer(workspace, attribute, row, value, annotator, seen)


@one_flow
def _answer(
    workspace: Workspace, attribute: Attribute, row: int, value: int | None, annotator: str, seen: str | None
) -> Standing:
    """Store a direct answer on what is known, unless somebody answers about the image meanwhile."""
    last = answer_log(workspace.engine, attribute.id, set_aside=True).last
    before = standing(workspace, attribute, row, annotator)
    if seen is not None and before.mark not in (seen, "" if value is None else ANSWERS[value]):
        now = f"labelled {before.mark}" if before.mark else "without a label"
        raise NewerLabel(f"Image {row} was answered elsewhere and is {now}. Look at it, and answer again.", before.mark)
    annotator_id = workspace.annotations.annotator(annotator)
    assignment = workspace.annotations.assign(attribute.id, annotator_id, [row], purpose=DIRECT, source_id=0)
    stored = NewAnswer(uuid.uuid4().hex, row, WITHDRAWN if value is None else value)
    workspace.annotations.record(assignment.id, [stored], last=last)
    return before
