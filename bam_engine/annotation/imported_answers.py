"""Answers that were given elsewhere, by any number of annotators, stored in one transaction.

In:  the answers about one attribute. Out: an assignment for each annotator, with these answers. A browser's answers
come one by one and are stored by :mod:`.answer_store`; these are hundreds of thousands.
"""

import uuid
from itertools import groupby

import numpy as np
import sqlalchemy as sa

from bam_engine.annotation.answers import WITHDRAWN, WORDS, Answers, Assignment
from bam_engine.annotation.checks import checked_rows
from bam_engine.annotation.lease_store import add_assignment
from bam_engine.annotation.permissions import check_authors
from bam_engine.database import annotations, insert_new, lock, now
from bam_engine.errors import AnnotationError


def store_answers(engine: sa.Engine, attribute_id: int, given: Answers, *, purpose: str, source_id: int = 0) -> None:
    """Store answers about an attribute, each under its annotator.

    Uids are derived from how many answers of each annotator are stored before, whether these count or not: it never
    falls, so none comes again later, and several who store the same answers at once store them once.

    Parameters
    ----------
    given
        At most one answer of each (row, annotator), in any order; ``WITHDRAWN`` takes back an earlier one. The
        attribute and the annotators exist.
    purpose
        One of :data:`bam_engine.annotation.answers.PURPOSES`.

    Raises
    ------
    AnnotationError
        A row or an answer is invalid, or somebody is simulated. Nothing is stored.
    """
    if not np.isin(given.answers, [number for number in WORDS if number >= WITHDRAWN]).all():
        raise AnnotationError("An answer is not 1 (positive), 0 (negative) or -1 (unsure). Nothing was stored.")
    check_authors(engine, set(given.annotators.tolist()))
    before = _stored(engine, attribute_id)
    order = np.lexsort((given.rows, given.annotators))
    columns = (given.annotators, given.rows, given.answers)
    lines = zip(*(column[order].tolist() for column in columns), strict=True)
    made_at, shares, values = now(), [], []
    for annotator_id, group in groupby(lines, key=lambda line: line[0]):
        own = [(row, answer) for _, row, answer in group]
        rows = checked_rows(row for row, _ in own)
        share = Assignment(str(uuid.uuid4()), attribute_id, annotator_id, purpose, source_id, rows)
        stem = f"{purpose}:{attribute_id}:{annotator_id}:stored-{before.get(annotator_id, 0)}"
        common = {"assignment_id": share.id, "attribute_id": attribute_id, "annotator_id": annotator_id}
        common |= {"seconds": None, "made_at": made_at}
        shares.append(share)
        values += [
            {"uid": f"{stem}:{row}:{answer}", "row": row, "answer": WORDS[answer], **common} for row, answer in own
        ]
    with engine.begin() as connection:
        lock(connection, annotations)  # as in Annotations.record: ids are committed in their order
        for share in shares:
            add_assignment(connection, share)
        insert_new(connection, annotations, values)


def _stored(engine: sa.Engine, attribute_id: int) -> dict[int, int]:
    """Return how many answers about an attribute are stored, by annotator."""
    given = annotations.c
    query = sa.select(given.annotator_id, sa.func.count().label("number")).where(given.attribute_id == attribute_id)
    with engine.connect() as connection:
        return {one.annotator_id: one.number for one in connection.execute(query.group_by(given.annotator_id))}
