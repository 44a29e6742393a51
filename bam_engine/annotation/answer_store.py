"""What people said, kept for good: annotators, the images handed to them, and every answer they gave.

In:  assignments and answers. Out: the latest answer of each (image, annotator). Answers are only ever added: a changed
mind is a new answer, a repeated one (same ``uid``) is the same answer, and what was stored survives the process. Knows
nothing of the pictures and of what is learned from the answers.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bam_engine.annotation.answers import (
    ADJUDICATION,
    NON_VOTING_PURPOSES,
    PURPOSES,
    WITHDRAWN,
    WORDS,
    Annotation,
    Annotator,
    Answers,
    Assignment,
    Decisions,
    NewAnswer,
    Saved,
    UnknownAssignment,
)
from bam_engine.annotation.attribute_store import Attributes
from bam_engine.annotation.checks import check_answers, checked_rows, not_in_assignment
from bam_engine.annotation.permissions import check_author, check_may_answer
from bam_engine.database import annotations, annotators, assignment_images, assignments, insert_new, now
from bam_engine.errors import AnnotationError, NotFound

_NUMBERS = {word: number for number, word in WORDS.items()}
_FEW = 500  # rows that a query may name one by one


class Annotations:
    """The answers of one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    # People

    def annotator(self, name: str, simulated: bool = False) -> int:
        """Return the number of the annotator called ``name``, who is entered at the first call.

        Raises
        ------
        AnnotationError
            The name is empty, or belongs to a person where a simulated one is asked for, or the other way round; or a
            simulated one is asked for outside a demo workspace.
        """
        name = name.strip()
        if not name:
            raise AnnotationError("an annotator needs a name: write one.")
        if simulated:
            check_may_answer(self._engine, name)
        row = {"name": name, "simulated": simulated, "made_at": now()}
        query = sa.select(annotators.c.id, annotators.c.simulated).where(annotators.c.name == name)
        with self._engine.begin() as connection:
            found = connection.execute(query).one_or_none()
            if found is None:
                insert_new(connection, annotators, [row])
                found = connection.execute(query).one()
        if bool(found.simulated) != simulated:
            there, asked = ("simulated", "a person") if found.simulated else ("a person", "simulated")
            raise AnnotationError(f"the annotator {name!r} is {there}, not {asked}: choose another name.")
        return int(found.id)

    def annotators(self) -> list[Annotator]:
        """Return every annotator in the order in which they came."""
        query = sa.select(annotators.c.id, annotators.c.name, annotators.c.simulated).order_by(annotators.c.id)
        with self._engine.connect() as connection:
            return [Annotator(int(i), name, bool(simulated)) for i, name, simulated in connection.execute(query)]

    # Assignments

    def assign(
        self, attribute_id: int, annotator_id: int, rows: Iterable[int], *, purpose: str, source_id: int
    ) -> Assignment:
        """Hand images to an annotator.

        Parameters
        ----------
        rows
            In the order in which they are to be shown, each once, at least one.
        purpose
            One of ``PURPOSES``.
        source_id
            The number of the draw, round or audit that asks.

        Raises
        ------
        AnnotationError
            No rows, a row twice or no row number at all, or another purpose.
        NotFound
            No such attribute or annotator.
        """
        order = checked_rows(rows)
        if purpose not in PURPOSES:
            raise AnnotationError(f"{purpose!r} is not a purpose of an assignment: use one of {', '.join(PURPOSES)}.")
        Attributes(self._engine).by_id(attribute_id)
        if annotator_id not in {annotator.id for annotator in self.annotators()}:
            raise NotFound(f"there is no annotator number {annotator_id}: enter the name first.")
        check_author(self._engine, annotator_id)
        made = Assignment(str(uuid.uuid4()), attribute_id, annotator_id, purpose, int(source_id), order)
        images = [{"assignment_id": made.id, "row": row, "position": place} for place, row in enumerate(order)]
        values = {name: getattr(made, name) for name in ("id", "attribute_id", "annotator_id", "purpose", "source_id")}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(assignments).values(**values, made_at=now()))
            connection.execute(sa.insert(assignment_images), images)
        return made

    def assignment(self, assignment_id: str) -> Assignment:
        """Return the assignment, or raise :class:`UnknownAssignment` (an ``AnnotationError`` and a ``NotFound``)."""
        return self._whole(self._known(assignment_id))

    def open_assignment(self, attribute_id: int, annotator_id: int, purpose: str, source_id: int) -> Assignment | None:
        """Return the newest assignment of this source that still has unanswered images, or None."""
        last = self.last_assignment(attribute_id, annotator_id, purpose, source_id)
        return last if last is not None and len(self.answered_rows(last.id)) < len(last.rows) else None

    def last_assignment(self, attribute_id: int, annotator_id: int, purpose: str, source_id: int) -> Assignment | None:
        """Return the newest assignment of this source to this annotator, finished or not; None if there is none."""
        table = assignments.c
        found = self._newest(
            (table.attribute_id == attribute_id)
            & (table.annotator_id == annotator_id)
            & (table.purpose == purpose)
            & (table.source_id == source_id)
        )
        return None if found is None else self._whole(found)

    def _newest(self, condition: sa.ColumnElement[bool]) -> Any:
        """The columns of the newest assignment that meets the condition, without its images; None if there is none."""
        table = assignments.c
        query = sa.select(table.id, table.attribute_id, table.annotator_id, table.purpose, table.source_id)
        with self._engine.connect() as connection:
            return connection.execute(query.where(condition).order_by(table.made_at.desc(), table.id).limit(1)).first()

    def _known(self, assignment_id: str) -> Any:
        found = self._newest(assignments.c.id == assignment_id)
        if found is None:
            raise UnknownAssignment(f"there is no assignment {assignment_id[:60]!r}: reload the page to get a new one.")
        return found

    def _whole(self, found: Any) -> Assignment:
        images = assignment_images.c
        order = sa.select(images.row).where(images.assignment_id == found.id).order_by(images.position)
        with self._engine.connect() as connection:
            rows = tuple(connection.execute(order).scalars())
        return Assignment(found.id, found.attribute_id, found.annotator_id, found.purpose, found.source_id, rows)

    def _rows_among(self, assignment_id: str, rows: Collection[int]) -> frozenset[int]:
        """Those of ``rows`` that are in the assignment; a submit is small beside a large assignment."""
        images = assignment_images.c
        query = sa.select(images.row).where(images.assignment_id == assignment_id)
        if len(rows) <= _FEW:
            query = query.where(images.row.in_(rows))
        with self._engine.connect() as connection:
            return frozenset(connection.execute(query).scalars())

    # Answers

    def record(self, assignment_id: str, answers: Sequence[NewAnswer]) -> Saved:
        """Store answers, all of them or none; when this returns they survive the process.

        An answer whose ``uid`` is there already is the same answer sent again: the first one stays. Of several answers
        of one annotator to one image the one stored last counts.

        Raises
        ------
        AnnotationError
            Unknown assignment (:class:`UnknownAssignment`), a row that is not in it, or an answer that cannot be.
        """
        to = self._known(assignment_id)
        check_author(self._engine, to.annotator_id)
        check_answers(answers, WORDS)
        rows = self._rows_among(to.id, {int(answer.row) for answer in answers})
        for answer in answers:
            if answer.row not in rows:
                raise not_in_assignment(answer.row)
        if not answers:
            return Saved(0, 0)
        made_at = now()
        values = [
            {
                "uid": answer.uid,
                "assignment_id": to.id,
                "attribute_id": to.attribute_id,
                "annotator_id": to.annotator_id,
                "row": int(answer.row),
                "answer": WORDS[int(answer.answer)],
                "seconds": None if answer.seconds is None else float(answer.seconds),
                "made_at": made_at,
            }
            for answer in answers
        ]
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        insert = dialect.insert(annotations).on_conflict_do_nothing(index_elements=["uid"])
        with self._engine.begin() as connection:
            new = len(connection.execute(insert.returning(annotations.c.uid), values).all())
        return Saved(new, len(answers) - new)

    def answers(self, attribute_id: int, *, purposes: Collection[str] | None = None) -> Answers:
        """Return the latest answer of each (row, annotator); withdrawn ones are left out.

        With ``purposes`` only answers given for those purposes are looked at: a later answer for another purpose
        does not hide them. Without, all votes are looked at: neither adjudications (see :meth:`decisions`) nor answers
        in bulk, which nobody gave by looking at the image.
        """
        condition = annotations.c.attribute_id == attribute_id
        if purposes is not None:
            if not self._has(attribute_id, purposes):
                return Answers(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8))
            condition &= annotations.c.assignment_id.in_(_assigned(attribute_id, purposes))
        elif self._has(attribute_id, NON_VOTING_PURPOSES):  # most attributes have none
            condition &= annotations.c.assignment_id.not_in(_assigned(attribute_id, NON_VOTING_PURPOSES))
        found = self._latest(condition)
        return Answers(
            np.array([row for row, _, _, _ in found], dtype=np.int64),
            np.array([annotator for _, annotator, _, _ in found], dtype=np.int64),
            np.array([_NUMBERS[word] for _, _, word, _ in found], dtype=np.int8),
        )

    def decisions(self, attribute_id: int) -> Decisions:
        """Return what adjudicators decided: the newest decision of each image that was not withdrawn.

        Where the newest is withdrawn, the one before it, if another annotator gave it, stands again.
        """
        found = []
        if self._has(attribute_id, [ADJUDICATION]):
            by = annotations.c.assignment_id.in_(_assigned(attribute_id, [ADJUDICATION]))
            found = self._latest((annotations.c.attribute_id == attribute_id) & by)
        newest = {line.row: line for line in sorted(found, key=lambda line: line.id)}
        lines = [newest[row] for row in sorted(newest)]
        return Decisions(
            np.array([line.row for line in lines], dtype=np.int64),
            np.array([line.annotator_id for line in lines], dtype=np.int64),
            np.array([_NUMBERS[line.answer] for line in lines], dtype=np.int8),
            np.array([line.id for line in lines], dtype=np.int64),
        )

    def _has(self, attribute_id: int, purposes: Collection[str]) -> bool:
        query = _assigned(attribute_id, purposes).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def count(self, attribute_id: int, annotator_id: int) -> int:
        """Return how many answers an annotator ever gave about an attribute, superseded and withdrawn ones included."""
        table = annotations.c
        query = sa.select(sa.func.count()).where(table.attribute_id == attribute_id, table.annotator_id == annotator_id)
        with self._engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    def answered_rows(self, assignment_id: str) -> dict[int, int]:
        """Return row -> latest answer given in this assignment; withdrawn ones are left out."""
        found = self._latest(annotations.c.assignment_id == assignment_id)
        return {int(row): _NUMBERS[word] for row, _, word, _ in found}

    def image_annotations(self, attribute_id: int, row: int) -> list[Annotation]:
        """Return everything that was ever said about one image, oldest first, withdrawn answers included."""
        table = annotations.c
        query = (
            sa.select(table.id, table.uid, table.assignment_id, annotators.c.name, assignments.c.purpose)
            .add_columns(table.answer, table.seconds, table.made_at)
            .join(annotators, annotators.c.id == table.annotator_id)
            .join(assignments, assignments.c.id == table.assignment_id)
            .where(table.attribute_id == attribute_id, table.row == row)
            .order_by(table.id)
        )
        with self._engine.connect() as connection:
            return [
                Annotation(id_, uid, assignment_id, name, purpose, row, _NUMBERS[word], seconds, made_at)
                for id_, uid, assignment_id, name, purpose, word, seconds, made_at in connection.execute(query)
            ]

    def _latest(self, condition: sa.ColumnElement[bool]) -> list[Any]:
        """(row, annotator, answer, id) of the newest annotation of each pair among those that meet the condition.

        Grouping runs along the index ``annotations_by_image``; the join then looks each newest id up once.
        """
        table = annotations.c
        newest = sa.select(sa.func.max(table.id).label("id")).where(condition).group_by(table.row, table.annotator_id)
        pairs = newest.subquery()
        query = (
            sa.select(table.row, table.annotator_id, table.answer, table.id)
            .join(pairs, pairs.c.id == table.id)
            .where(table.answer != WORDS[WITHDRAWN])
            .order_by(table.row, table.annotator_id)
        )
        with self._engine.connect() as connection:
            return list(connection.execute(query).all())


def _assigned(attribute_id: int, purposes: Collection[str]) -> sa.Select[tuple[str]]:
    """The ids of an attribute's assignments that were made for one of the purposes."""
    table = assignments.c
    return sa.select(table.id).where(table.attribute_id == attribute_id, table.purpose.in_(list(purposes)))
