"""The images of validation samples, rounds, certifications, audits and recall samples, in labelling order.

In:  the snapshot. Out: rows, with what is stored about each. Removed images are left out, but for functions that return
the *whole* of a sample, as it was drawn. All of them are read together, whatever they belong to. The images of a round
or an audit never change once they are stored, so of these tables only new ones are read; the others grow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import removed

Rows = NDArray[np.int64]
T = TypeVar("T", "ValidationImages", "CertificationImages", "AuditImages", "RecallImages")


@dataclass(frozen=True, eq=False)
class ValidationImages:
    """The validation sample: rows (n,), the number of each one's draw, its inclusion probability, when it was drawn."""

    rows: Rows
    draws: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    made_at: NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class CertificationImages:
    """What a certification has asked about so far: rows (n,), the batch of each, 0 for the pilot, and when.

    Those that a round had asked about before go on to teach (``teaches``); all others are held out.
    """

    rows: Rows
    batches: NDArray[np.int64]
    made_at: NDArray[np.str_]
    teaches: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AuditImages:
    """The sample of an audit: rows (n,), and whether each is accepted."""

    rows: Rows
    accepted: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RecallImages:
    """What was drawn for a recall sample so far: rows (n,), the batch of each, 0 for the first, when it was drawn."""

    rows: Rows
    batches: NDArray[np.int64]
    made_at: NDArray[np.str_]


_NO_ROWS: Rows = np.empty(0, np.int64)
_NO_VALIDATION = ValidationImages(_NO_ROWS, _NO_ROWS, np.empty(0), np.empty(0, np.str_))
_NO_CERTIFICATION = CertificationImages(_NO_ROWS, _NO_ROWS, np.empty(0, np.str_), np.empty(0, bool))
_NO_AUDIT = AuditImages(_NO_ROWS, np.empty(0, bool))
_NO_RECALL = RecallImages(_NO_ROWS, _NO_ROWS, np.empty(0, np.str_))


def validation_images(workspace: Workspace, attribute: Attribute) -> ValidationImages:
    """Return the validation sample, by draw; it is empty before the first one."""
    drawn = whole_validation_sample(workspace, attribute)
    inside = ~np.isin(drawn.rows, removed(workspace).rows)
    return _only(drawn, inside)


def whole_validation_sample(workspace: Workspace, attribute: Attribute) -> ValidationImages:
    """Return the validation sample as it was drawn, removed images included."""
    table = db.validation_images
    query = sa.select(table.c.attribute_id, table.c.row, table.c.draw, table.c.probability, table.c.made_at)

    def load(connection: sa.Connection, _: object) -> dict[int, ValidationImages]:
        parts = _by_first(connection, query.order_by(table.c.draw, table.c.id))
        return {
            key: ValidationImages(
                _array(rows, np.int64), _array(draws, np.int64), _array(shares, np.float64), _array(times, np.str_)
            )
            for key, (rows, draws, shares, times) in parts.items()
        }

    return workspace.snapshot.read("validation images", [table], load).get(attribute.id, _NO_VALIDATION)


def round_images(workspace: Workspace, round_id: int) -> Rows:
    """Return the batch of a round."""
    return removed(workspace).without(_all_round_images(workspace, round_id))


def _all_round_images(workspace: Workspace, round_id: int) -> Rows:
    table = db.round_images

    def load(connection: sa.Connection, known: Mapping[int, Rows] | None) -> Mapping[int, Rows]:
        query = sa.select(table.c.round_id, table.c.row).order_by(table.c.position)
        parts = _by_first(connection, query.where(table.c.round_id > max(known or (0,))))
        return {**(known or {}), **{key: _array(rows, np.int64) for key, (rows,) in parts.items()}}

    return workspace.snapshot.read("round images", [table], load).get(round_id, _NO_ROWS)


def certification_images(workspace: Workspace, certification_id: int) -> CertificationImages:
    """Return the images that a certification has asked about so far."""
    queried = whole_certification(workspace, certification_id)
    return _only(queried, ~np.isin(queried.rows, removed(workspace).rows))


def whole_certification(workspace: Workspace, certification_id: int) -> CertificationImages:
    """Return what a certification has asked about, removed images included."""
    table, started = db.certification_images, db.certifications
    asked_at = sa.func.coalesce(table.c.made_at, started.c.made_at)
    columns = (table.c.certification_id, table.c.row, table.c.batch, asked_at, sa.func.coalesce(table.c.teaches, False))
    query = sa.select(*columns).join(started).order_by(table.c.position)

    def load(connection: sa.Connection, _: object) -> dict[int, CertificationImages]:
        parts = _by_first(connection, query)
        return {
            key: CertificationImages(
                _array(rows, np.int64), _array(batches, np.int64), _array(times, np.str_), _array(teaching, bool)
            )
            for key, (rows, batches, times, teaching) in parts.items()
        }

    tables = [table, started]
    return workspace.snapshot.read("certification images", tables, load).get(certification_id, _NO_CERTIFICATION)


def audit_images(workspace: Workspace, audit_id: int) -> AuditImages:
    """Return the sample of an audit."""
    sample = whole_audit_sample(workspace, audit_id)
    return _only(sample, ~np.isin(sample.rows, removed(workspace).rows))


def whole_audit_sample(workspace: Workspace, audit_id: int) -> AuditImages:
    """Return the sample of an audit as it was drawn, removed images included."""
    table = db.audit_images

    def load(connection: sa.Connection, known: Mapping[int, AuditImages] | None) -> Mapping[int, AuditImages]:
        query = sa.select(table.c.audit_id, table.c.row, table.c.accepted).order_by(table.c.position)
        parts = _by_first(connection, query.where(table.c.audit_id > max(known or (0,))))
        new = {key: AuditImages(_array(rows, np.int64), _array(sides, bool)) for key, (rows, sides) in parts.items()}
        return {**(known or {}), **new}

    return workspace.snapshot.read("audit images", [table], load).get(audit_id, _NO_AUDIT)


def stored_recall_samples(workspace: Workspace, attribute: Attribute) -> tuple[sa.Row[Any], ...]:
    """Return the rows of the recall samples of ``attribute``, by their ids; the table is not read before the first."""
    if workspace.snapshot.version(db.recall_samples) == (0,):  # all writes to it were counted
        return ()
    return workspace.snapshot.rows_with(db.recall_samples.c.attribute_id, attribute.id)


def recall_images(workspace: Workspace, sample_id: int) -> RecallImages:
    """Return what was drawn for a recall sample, whether it is asked about or not."""
    drawn = whole_recall_sample(workspace, sample_id)
    return _only(drawn, ~np.isin(drawn.rows, removed(workspace).rows))


def whole_recall_sample(workspace: Workspace, sample_id: int) -> RecallImages:
    """Return what was drawn for a recall sample, removed images included."""
    table = db.recall_images
    query = sa.select(table.c.recall_sample_id, table.c.row, table.c.batch, table.c.made_at).order_by(table.c.position)

    def load(connection: sa.Connection, _: object) -> dict[int, RecallImages]:
        parts = _by_first(connection, query)
        return {
            key: RecallImages(_array(rows, np.int64), _array(batches, np.int64), _array(times, np.str_))
            for key, (rows, batches, times) in parts.items()
        }

    return workspace.snapshot.read("recall images", [table], load).get(sample_id, _NO_RECALL)


def queried_rows(workspace: Workspace, attribute: Attribute) -> Rows:
    """Return the rows that any round of ``attribute`` has queried, ascending, removed images included."""
    rounds = workspace.snapshot.rows_with(db.rounds.c.attribute_id, attribute.id)
    return _union(*(_all_round_images(workspace, each.id) for each in rounds))


def held_out_rows(workspace: Workspace, attribute: Attribute, *, since: str = "") -> Rows:
    """Return the rows reserved for evaluation, ascending: validation sample, certifications, audits, recall samples.

    Removed images are among them, so that their projects stay out of the rounds and they can come back. With ``since``,
    a moment, they are those of draws, batches of certifications and of recall samples, and audits that were made after
    it.
    """
    started = workspace.snapshot.rows_with(db.certifications.c.attribute_id, attribute.id)
    certifications = [whole_certification(workspace, each.id) for each in started]
    audits = workspace.snapshot.rows_with(db.audits.c.attribute_id, attribute.id)
    samples = [whole_recall_sample(workspace, each.id) for each in stored_recall_samples(workspace, attribute)]
    drawn = whole_validation_sample(workspace, attribute)
    return _union(
        drawn.rows[drawn.made_at > since],
        *(each.rows[~each.teaches & (each.made_at > since)] for each in certifications),
        *(whole_audit_sample(workspace, each.id).rows for each in audits if each.made_at > since),
        *(each.rows[each.made_at > since] for each in samples),
    )


def _only(drawn: T, inside: NDArray[np.bool_]) -> T:
    """Return those of drawn images that are ``inside`` the collection."""
    if inside.all():
        return drawn
    return replace(drawn, **{each.name: getattr(drawn, each.name)[inside] for each in fields(drawn)})


def _union(*rows: Rows) -> Rows:
    return np.unique(np.concatenate([_NO_ROWS, *rows]))


def _by_first(connection: sa.Connection, query: sa.Select[Any]) -> dict[int, tuple[tuple[Any, ...], ...]]:
    """Return the other columns of the result for each value of the first one."""
    groups: dict[int, list[tuple[Any, ...]]] = {}
    for key, *values in connection.execute(query):
        groups.setdefault(key, []).append(tuple(values))
    return {key: tuple(zip(*lines, strict=True)) for key, lines in groups.items()}


def _array(values: tuple[Any, ...], kind: Any) -> NDArray[Any]:
    array = np.array(values, kind)
    array.setflags(write=False)
    return array
