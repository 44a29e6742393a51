"""Remarks: what annotators tell the reviewer about an image, beside their answers.

In:  a flag for a decision, a comment, or why an image cannot be judged. Out: the current remark of each person about
each image, until a reviewer closes it. Append-only but for that: the newest remark of a person about an image counts.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from bam_engine.annotation.annotator_store import merged_into
from bam_engine.annotation.answers import Assignment
from bam_engine.annotation.checks import check_uid, not_in_assignment
from bam_engine.database import insert_new, now, remarks, snapshot_of
from bam_engine.errors import AnnotationError

KINDS: Mapping[str, str] = MappingProxyType(
    {"flag": "flagged", "comment": "comment", "unjudgeable": "cannot be judged", "none": "taken back"}
)
"""What a remark can be, and how it reads; the last one takes the person's remark about the image back."""

FLAG, COMMENT, UNJUDGEABLE, NONE = KINDS
MAX_REMARK = 300


@dataclass(frozen=True)
class NewRemark:
    """A remark to be stored; the client sets ``uid``, so that a retry is stored once."""

    uid: str
    row: int
    kind: str
    text: str = ""


@dataclass(frozen=True)
class Remark:
    """A stored remark; ``annotator_id`` is whoever made it."""

    id: int
    row: int
    annotator_id: int
    kind: str
    text: str
    made_at: str
    closed: bool


class Remarks:
    """The remarks of one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, assignment: Assignment, new: Sequence[NewRemark]) -> int:
        """Store remarks about images of an assignment; return how many were not stored before.

        Raises
        ------
        AnnotationError
            A row is not in the assignment, a kind is unknown, or a text is missing or too long. Nothing was stored.
        """
        values = [_values(assignment, one) for one in new]
        if not values:
            return 0
        with self._engine.begin() as connection:
            return insert_new(connection, remarks, values)

    def of(self, attribute_id: int) -> list[Remark]:
        """Return the current remarks about an attribute, closed ones included, the oldest first."""
        snapshot = snapshot_of(self._engine)
        merged = merged_into(snapshot)
        current: dict[tuple[int, int], Remark] = {}
        for one in snapshot.rows_with(remarks.c.attribute_id, attribute_id):
            person = merged.get(one.annotator_id, one.annotator_id)
            current.pop((one.row, person), None)
            current[one.row, person] = Remark(
                one.id, one.row, person, one.kind, one.text, one.made_at, one.closed_at is not None
            )
        return [one for one in current.values() if one.kind != NONE]

    def close(self, remark_ids: Sequence[int], annotator_id: int) -> None:
        """Close remarks: a reviewer has dealt with them."""
        self._set(remark_ids, now(), annotator_id)

    def reopen(self, remark_ids: Sequence[int]) -> None:
        """Undo :meth:`close`."""
        self._set(remark_ids, None, None)

    def _set(self, remark_ids: Sequence[int], moment: str | None, annotator_id: int | None) -> None:
        closing = sa.update(remarks).where(remarks.c.id.in_(remark_ids))
        with self._engine.begin() as connection:
            connection.execute(closing.values(closed_at=moment, closed_by=annotator_id))


def check_words(text: object, most: int, what: str) -> str:
    """Return ``text`` without blanks around it and in one line, if it is text of at most ``most`` characters.

    Raises
    ------
    AnnotationError
        It is no text, too long, or has control characters. ``what`` names it in the message.
    """
    if not isinstance(text, str):
        raise AnnotationError(f"{what} must be text.")
    words = " ".join(text.split())
    if len(words) > most:
        raise AnnotationError(f"{what} has {len(words):,} characters. Use {most} at most.")
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn") for letter in words):
        raise AnnotationError(f"{what} has characters that are no text. Type it again.")
    return words


def _values(assignment: Assignment, new: NewRemark) -> dict[str, Any]:
    check_uid(new.uid)
    if isinstance(new.row, bool) or new.row not in assignment.rows:
        raise not_in_assignment(new.row)
    if new.kind not in KINDS:
        raise AnnotationError(f"{str(new.kind)[:60]!r} is not a kind of remark. Use one of {', '.join(KINDS)}.")
    text = check_words(new.text, MAX_REMARK, "The remark")
    if not text and new.kind in (COMMENT, UNJUDGEABLE):
        raise AnnotationError("The remark has no words. Say what the reviewer should know.")
    return {
        "uid": new.uid,
        "attribute_id": assignment.attribute_id,
        "annotator_id": assignment.annotator_id,
        "row": new.row,
        "kind": new.kind,
        "text": text,
        "made_at": now(),
    }
