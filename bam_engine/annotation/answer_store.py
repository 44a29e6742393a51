"""The permanent store of annotators, assignments and answers.

In:  assignments and answers. Out: the latest answer of each (image, annotator). The store is append-only: a changed
answer is a new row, and a retry with the same ``uid`` is stored once. Stored answers survive a crash of the process.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from bam_engine.annotation.annotator_store import Annotators, merged_into, same_person
from bam_engine.annotation.answer_log import answer_log
from bam_engine.annotation.answers import (
    ADJUDICATION,
    EXTRA,
    GOLD,
    PURPOSES,
    SKIPPED,
    TASK_PURPOSES,
    WITHDRAWN,
    WORDS,
    Annotation,
    Annotator,
    Answers,
    Assignment,
    Decisions,
    ForeignAssignment,
    NewAnswer,
    OvertakenAnswer,
    Saved,
    UnknownAssignment,
    UsedUid,
)
from bam_engine.annotation.attribute_store import Attributes
from bam_engine.annotation.checks import check_answers, checked_rows, not_in_assignment
from bam_engine.annotation.consensus import Redundancy
from bam_engine.annotation.extra_votes import StoredAnswer, Terms, extra_rows
from bam_engine.annotation.lease_store import add_assignment, apart, extend, read_images, with_gold
from bam_engine.annotation.pauses import check_none_paused, check_not_paused
from bam_engine.annotation.permissions import check_author
from bam_engine.annotation.remark_store import Remarks
from bam_engine.annotation.set_aside import Through, set_aside_through
from bam_engine.database import (
    annotations,
    assignment_images,
    assignments,
    gold_images,
    insert_new,
    leases,
    lock,
    now,
    snapshot_of,
)
from bam_engine.errors import AnnotationError, NotFound

_NUMBERS = {word: number for number, word in WORDS.items()}
_MAX_LISTED = 500  # rows in one IN list


def _no_terms(_assignment: Any) -> Terms | None:
    return None


class Annotations:
    """The answers of one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._annotators = Annotators(engine)
        self.remarks = Remarks(engine)

    # Annotators

    def annotator(self, name: str, simulated: bool = False) -> int:
        """Return :meth:`Annotators.id_of <bam_engine.annotation.annotator_store.Annotators.id_of>` of ``name``."""
        return self._annotators.id_of(name, simulated)

    def annotators(self) -> list[Annotator]:
        """Return all annotators in order of creation, without those who were merged into another."""
        return self._annotators.all()

    # Assignments

    def assign(
        self, attribute_id: int, annotator_id: int, rows: Iterable[int], *, purpose: str, source_id: int
    ) -> Assignment:
        """Assign images to an annotator.

        Parameters
        ----------
        rows
            At least one, without repetition, in display order.
        purpose
            One of ``PURPOSES``.
        source_id
            The id of the draw, round or audit that the images come from.

        Raises
        ------
        AnnotationError
            There are no rows, repeated rows or invalid rows, the purpose is unknown, or the annotator is paused.
        NotFound
            The attribute or annotator does not exist.
        """
        order = checked_rows(rows)
        if purpose not in PURPOSES:
            raise AnnotationError(f"{purpose!r} is not a purpose of an assignment. Use one of {', '.join(PURPOSES)}.")
        Attributes(self._engine).by_id(attribute_id)
        if annotator_id not in {annotator.id for annotator in self.annotators()}:
            raise NotFound(f"There is no annotator with id {annotator_id}. Enter their name first.")
        check_author(self._engine, annotator_id)
        assignment = Assignment(str(uuid.uuid4()), attribute_id, annotator_id, purpose, int(source_id), order)
        with self._engine.begin() as connection:
            lock(connection, leases)  # nobody is paused meanwhile
            check_none_paused(connection, annotator_id)
            add_assignment(connection, assignment)
        return assignment

    def assignment(self, assignment_id: str) -> Assignment:
        """Return the assignment, or raise :class:`UnknownAssignment` (an ``AnnotationError`` and a ``NotFound``)."""
        return self._with_rows(self._find(assignment_id))

    def open_assignment(self, attribute_id: int, annotator_id: int, purpose: str, source_id: int) -> Assignment | None:
        """Return the newest assignment of this source if it has unanswered images, else None."""
        last = self.last_assignment(attribute_id, annotator_id, purpose, source_id)
        return last if last is not None and len(self.answered_rows(last.id)) < len(last.rows) else None

    def last_assignment(self, attribute_id: int, annotator_id: int, purpose: str, source_id: int) -> Assignment | None:
        """Return the newest assignment of this source to this annotator, complete or not, or None."""
        table = assignments.c
        newest = self._newest(
            (table.attribute_id == attribute_id)
            & (table.annotator_id == annotator_id)
            & (table.purpose == purpose)
            & (table.source_id == source_id)
        )
        return None if newest is None else self._with_rows(newest)

    def assignments_of(self, attribute_id: int, annotator_id: int, purpose: str, source_id: int) -> list[Assignment]:
        """Return all assignments of this source to this annotator, the oldest first."""
        of, images = assignments.c, assignment_images.c
        query = (
            sa.select(of.id, images.row)
            .join(assignment_images, images.assignment_id == of.id)
            .where(of.attribute_id == attribute_id, of.annotator_id == annotator_id)
            .where(of.purpose == purpose, of.source_id == source_id)
            .order_by(of.made_at, of.id, images.position)
        )
        about = (attribute_id, annotator_id, purpose, source_id)
        with self._engine.connect() as connection:
            found = read_images(connection, query)
        return [Assignment(id_, *about, rows, gold) for id_, (rows, gold) in found.items()]

    def _newest(self, condition: sa.ColumnElement[bool]) -> Any:
        """Return the newest assignment that meets the condition, without its images, or None."""
        table = assignments.c
        query = sa.select(table.id, table.attribute_id, table.annotator_id, table.purpose, table.source_id)
        with self._engine.connect() as connection:
            return connection.execute(query.where(condition).order_by(table.made_at.desc(), table.id).limit(1)).first()

    def _find(self, assignment_id: str) -> Any:
        record = self._newest(assignments.c.id == assignment_id)
        if record is None:
            raise UnknownAssignment(f"There is no assignment {assignment_id[:60]!r}. Reload the page to get a new one.")
        return record

    def _with_rows(self, record: Any) -> Assignment:
        images = assignment_images.c
        order = with_gold(sa.select(images.row)).where(images.assignment_id == record.id).order_by(images.position)
        with self._engine.connect() as connection:
            found = connection.execute(order).all()
        rows, gold = apart((row, gold_id is not None) for row, gold_id in found)
        about = (record.attribute_id, record.annotator_id, record.purpose, record.source_id)
        return Assignment(record.id, *about, rows, gold)

    def _rows_among(self, assignment_id: str, rows: Collection[int]) -> dict[int, str]:
        """Return those of ``rows`` that are in the assignment, and the assignment to which the answer to each belongs.

        A large assignment is not read for a few rows.
        """
        images = assignment_images.c
        query = with_gold(sa.select(images.row)).where(images.assignment_id == assignment_id)
        if len(rows) <= _MAX_LISTED:
            query = query.where(images.row.in_(rows))
        with self._engine.connect() as connection:
            return {row: gold_id or assignment_id for row, gold_id in connection.execute(query)}

    # Answers

    def record(
        self,
        assignment_id: str,
        answers: Sequence[NewAnswer],
        *,
        last: int | None = None,
        by: int | None = None,
        terms_of: Callable[[Any], Terms | None] = _no_terms,
    ) -> Saved:
        """Store answers durably in one transaction.

        An answer with a known ``uid`` is a retry and changes nothing. If an annotator answers an image several times,
        the last answer counts. An answer that would replace another one than its ``seen`` is not stored: it comes from
        a page that is older than the other answer. Only what a task asks about can be skipped.

        Parameters
        ----------
        last
            The id of the newest answer about the attribute that whoever answers may have seen: a later one about one of
            these images by anybody is not answered over.
        by
            The id of the annotator who is known to answer: the assignment must be theirs.
        terms_of
            Returns the terms of an assignment. Under them, an answer to an image that has its votes becomes an extra
            vote, which counts for nothing, and the lease is extended.

        Raises
        ------
        AnnotationError
            The assignment is unknown (:class:`UnknownAssignment`), a row is not in it, an answer is invalid, or its uid
            is that of another answer (:class:`UsedUid`), an answer came after ``last`` (:class:`OvertakenAnswer`), or
            the assignment is another person's (:class:`ForeignAssignment`). Nothing was stored.
        """
        assignment = self._find(assignment_id)
        self._check_person(assignment, by)
        check_author(self._engine, assignment.annotator_id)
        if assignment.purpose == ADJUDICATION:  # each decision is final, and all disputed images are given at once
            check_not_paused(self._engine, assignment.annotator_id)
        check_answers(answers, WORDS)
        rows = self._rows_among(assignment.id, {int(answer.row) for answer in answers})
        for answer in answers:
            if answer.row not in rows:
                raise not_in_assignment(answer.row)
        if not answers:
            return Saved(0, 0)
        gold = frozenset(row for row, belongs in rows.items() if belongs != assignment.id)
        terms, checked = terms_of(assignment), [answer for answer in answers if answer.seen is not None]
        _check_skips(assignment, answers, terms)
        snapshot = snapshot_of(self._engine)  # before the lock: whoever holds it needs no further connection
        merged = merged_into(snapshot) if terms else {}
        aside = set_aside_through(snapshot, assignment.attribute_id) if terms else {}
        with self._engine.begin() as connection:
            lock(connection, annotations)  # ids are committed in their order: whoever has seen one has seen all before
            if last is not None:
                _check_last(connection, assignment, answers, last)
            stored = _stored_about(connection, assignment, answers if terms else checked)
            newer = _newer(assignment, checked, stored, gold)
            kept = [answer for answer in answers if int(answer.row) not in newer]
            values = _values(assignment, kept, rows)
            asked = [value for value in values if value["row"] not in gold]
            extra = (
                0 if terms is None else _divert(connection, assignment, asked, stored, aside, terms.required, merged)
            )
            new = insert_new(connection, annotations, values)
            if new < len(values):
                _check_retries(connection, values)
            if terms is not None:
                extend(connection, assignment, terms.moment, terms.lasts)
        return Saved(new, len(values) - new, newer, extra if terms is None or terms.tells_extra else 0)

    def _check_person(self, assignment: Any, by: int | None) -> None:
        """Check that an assignment is that of an annotator, or of one who is the same person."""
        if by is None or assignment.annotator_id == by:
            return
        same = merged_into(snapshot_of(self._engine))
        if same.get(assignment.annotator_id, assignment.annotator_id) != same.get(by, by):
            raise ForeignAssignment("These images were given to another person. Nothing of it was stored.")

    def answers(self, attribute_id: int, *, purposes: Collection[str] | None = None) -> Answers:
        """Return the latest answer of each (row, annotator), without withdrawn ones.

        With ``purposes``, only answers given for those purposes count, and later answers for other purposes do not
        replace them. By default all votes count: no adjudications (see :meth:`decisions`), direct or bulk answers.
        """
        log = answer_log(self._engine, attribute_id)
        return log.votes() if purposes is None else log.votes(purposes)

    def decisions(self, attribute_id: int) -> Decisions:
        """Return the current decisions: for each image the newest that is not withdrawn.

        If the newest is withdrawn, an earlier decision by another annotator applies again.
        """
        return answer_log(self._engine, attribute_id).decisions()

    def direct_answers(self, attribute_id: int) -> Decisions:
        """Return the current direct answers, as :meth:`decisions`."""
        return answer_log(self._engine, attribute_id).direct_answers()

    def count(self, attribute_id: int, annotator_id: int) -> int:
        """Return how many answers an annotator ever gave about an attribute, whether they count or not."""
        log = answer_log(self._engine, attribute_id, set_aside=True)
        return int(((log.annotators == annotator_id) & (log.answers != SKIPPED)).sum())

    def answered_rows(self, assignment_id: str) -> dict[int, int]:
        """Return row → latest answer in this assignment, without those withdrawn or skipped."""
        gold = sa.select(gold_images.c.gold_id).where(gold_images.c.assignment_id == assignment_id)
        latest = self._latest((annotations.c.assignment_id == assignment_id) | annotations.c.assignment_id.in_(gold))
        return {int(row): _NUMBERS[word] for row, _, word, _ in latest}

    def skips_of(self, attribute_id: int, annotator_id: int) -> dict[int, str]:
        """Return row → the assignment in which a person skipped it, for what they have not answered since."""
        people = same_person(snapshot_of(self._engine), annotator_id)
        rows, who = answer_log(self._engine, attribute_id, set_aside=True).skips()
        skipped = set(rows[np.isin(who, list(people))].tolist())
        table = annotations.c
        query = (
            sa.select(table.row, table.assignment_id)
            .where(table.attribute_id == attribute_id, table.annotator_id.in_(people), table.answer == WORDS[SKIPPED])
            .order_by(table.id)
        )
        with self._engine.connect() as connection:
            return {row: assignment_id for row, assignment_id in connection.execute(query) if row in skipped}

    def image_annotations(self, attribute_id: int, row: int) -> list[Annotation]:
        """Return the complete history of answers to one image, the oldest first, whether they count or not."""
        table = annotations.c
        query = (
            sa.select(table.id, table.uid, table.assignment_id, table.annotator_id, assignments.c.purpose)
            .add_columns(table.answer, table.seconds, table.made_at)
            .join(assignments, assignments.c.id == table.assignment_id)
            .where(table.attribute_id == attribute_id, table.row == row)
            .order_by(table.id)
        )
        names, aside = self._annotators.names(), set_aside_through(snapshot_of(self._engine), attribute_id)
        with self._engine.connect() as connection:
            return [
                Annotation(
                    *(id_, uid, assignment_id, names[author], purpose, row, _NUMBERS[word], seconds, made_at),
                    set_aside=id_ <= aside.get(author, 0),
                )
                for id_, uid, assignment_id, author, purpose, word, seconds, made_at in connection.execute(query)
            ]

    def _latest(self, condition: sa.ColumnElement[bool]) -> list[Any]:
        """Return (row, annotator, answer, id) of the newest annotation of each row and annotator that is an answer."""
        table = annotations.c
        newest = sa.select(sa.func.max(table.id).label("id")).where(condition).group_by(table.row, table.annotator_id)
        pairs = newest.subquery()
        query = (
            sa.select(table.row, table.annotator_id, table.answer, table.id)
            .join(pairs, pairs.c.id == table.id)
            .where(table.answer.not_in([WORDS[WITHDRAWN], WORDS[SKIPPED]]))
            .order_by(table.row, table.annotator_id)
        )
        with self._engine.connect() as connection:
            return list(connection.execute(query).all())


def _values(assignment: Any, answers: Sequence[NewAnswer], belongs: Mapping[int, str]) -> list[dict[str, Any]]:
    made_at = now()
    return [
        {
            "uid": answer.uid,
            "assignment_id": belongs[int(answer.row)],
            "attribute_id": assignment.attribute_id,
            "annotator_id": assignment.annotator_id,
            "row": int(answer.row),
            "answer": WORDS[int(answer.answer)],
            "seconds": None if answer.seconds is None else float(answer.seconds),
            "made_at": made_at,
        }
        for answer in answers
    ]


def _check_skips(assignment: Any, answers: Sequence[NewAnswer], terms: Terms | None) -> None:
    if not any(answer.answer == SKIPPED for answer in answers):
        return
    if assignment.purpose not in (*TASK_PURPOSES, GOLD) or not (terms is None or terms.asks()):
        raise AnnotationError("Only an image that a task asks about can be skipped. Answer this one, or leave it out.")


def _check_last(connection: sa.Connection, assignment: Any, answers: Sequence[NewAnswer], last: int) -> None:
    """Check that no answer about these images came after ``last``, or raise :class:`OvertakenAnswer`."""
    table, rows = annotations.c, {int(answer.row) for answer in answers}
    query = sa.select(table.row).where(table.attribute_id == assignment.attribute_id, table.id > last)
    overtaken = sorted(rows & set(connection.scalars(query)))
    if overtaken:
        raise OvertakenAnswer(f"Image {overtaken[0]} was answered elsewhere meanwhile. Look at it, and answer again.")


def _stored_about(connection: sa.Connection, assignment: Any, answers: Sequence[NewAnswer]) -> list[StoredAnswer]:
    """Return the stored answers about the images of ``answers`` by anybody, the oldest first."""
    given, result = annotations.c, list[StoredAnswer]()
    query = (
        sa.select(given.id, given.row, given.annotator_id, given.answer, given.uid)
        .add_columns(assignments.c.purpose, assignments.c.source_id)
        .join(assignments, assignments.c.id == given.assignment_id)
        .where(given.attribute_id == assignment.attribute_id)
        .order_by(given.id)
    )
    for first in range(0, len(answers), _MAX_LISTED):
        rows = [int(answer.row) for answer in answers[first : first + _MAX_LISTED]]
        result += [
            StoredAnswer(id_, row, author, _NUMBERS[word], uid, purpose, source)
            for id_, row, author, word, uid, purpose, source in connection.execute(query.where(given.row.in_(rows)))
        ]
    return result


def _divert(
    connection: sa.Connection,
    assignment: Any,
    values: list[dict[str, Any]],
    stored: Sequence[StoredAnswer],
    aside: Through,
    required: Redundancy,
    merged: Mapping[int, int],
) -> int:
    """Move new answers to images that have their votes to an assignment of extra votes; return how many."""
    known = {one.uid for one in stored}
    new = [value for value in values if value["uid"] not in known and value["answer"] != WORDS[SKIPPED]]
    counted = [one for one in stored if one.id > aside.get(one.annotator_id, 0)]
    rows = extra_rows([value["row"] for value in new], counted, assignment.annotator_id, required, merged)
    if not rows:
        return 0
    of = (assignment.attribute_id, assignment.annotator_id, EXTRA, assignment.source_id)
    extra = Assignment(str(uuid.uuid4()), *of, tuple(sorted(rows)))
    add_assignment(connection, extra)
    moved = [value for value in new if value["row"] in rows]
    for value in moved:
        value["assignment_id"] = extra.id
    return len(moved)


def _newer(
    assignment: Any, checked: Sequence[NewAnswer], stored: Sequence[StoredAnswer], gold: Collection[int]
) -> dict[int, int]:
    """Return the rows whose answer is another one than the client has seen, and than it sends, and which it is.

    It is the person's own newest answer to this task, in whichever assignment; and to ``gold``, as gold.
    """
    task, checks = (assignment.purpose, assignment.source_id), (GOLD, assignment.source_id)
    same = [one for one in stored if one.annotator_id == assignment.annotator_id]
    own = [one for one in same if (one.purpose, one.source_id) == (checks if one.row in gold else task)]
    known, standing = {one.uid for one in own}, {one.row: one.number for one in own}
    now_there = {answer: standing.get(int(answer.row), WITHDRAWN) for answer in checked if answer.uid not in known}
    return {int(one.row): there for one, there in now_there.items() if there not in (one.seen, one.answer)}


def _check_retries(connection: sa.Connection, values: Sequence[dict[str, Any]]) -> None:
    """Check that the answers stored under these uids are these answers, or raise :class:`UsedUid`."""
    compared = ("attribute_id", "annotator_id", "row", "answer")
    stored: dict[str, tuple[Any, ...]] = {}
    uids = list({value["uid"] for value in values})
    for first in range(0, len(uids), _MAX_LISTED):
        chunk = annotations.c.uid.in_(uids[first : first + _MAX_LISTED])
        columns = [annotations.c[name] for name in ("uid", *compared)]
        stored |= {uid: tuple(rest) for uid, *rest in connection.execute(sa.select(*columns).where(chunk))}
    for value in values:
        if stored[value["uid"]] != tuple(value[name] for name in compared):
            raise UsedUid(f"The uid {value['uid']} belongs to another answer. Give each answer a uid of its own.")
