"""Audits: a fresh, blind sample on both sides of the threshold, and what people's answers say of it.

Wires ``annotation`` to ``audit``. An audit belongs to the threshold it was drawn for; a new threshold needs a new one.
"""

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import audit as auditing
from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.audit import Estimate
from bam_engine.errors import AuditError
from bam_engine.workspace import tasks
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.models import scores_of
from bam_engine.workspace.rounds import random_seed
from bam_engine.workspace.thresholds import current_threshold

EACH = 100  # accepted and rejected images, as in BAM


@dataclass(frozen=True)
class AuditResult:
    """One audit: its task, how far it is, and its estimates (None while nothing of that half is judged).

    ``precision`` is the share of positives among the accepted images by consensus, ``by_any`` the same by BAM's
    definition (at least one annotator says so), ``missed`` the share of positives among the rejected.
    """

    id: int
    attribute: Attribute
    threshold_id: int
    task: tasks.Task
    state: tasks.TaskState
    precision: Estimate | None
    by_any: Estimate | None
    missed: Estimate | None
    current: bool

    @property
    def complete(self) -> bool:
        return self.state.complete

    @property
    def share(self) -> tuple[float, float, float] | None:
        """The audited precision as (value, low, high)."""
        found = self.precision
        return None if found is None else (found.value, found.low, found.high)


def draw(
    workspace: Workspace,
    attribute: Attribute,
    *,
    n_accepted: int = EACH,
    n_rejected: int = EACH,
    seed: int | None = None,
) -> AuditResult:
    """Draw the audit of the threshold that was kept, from images that nobody has answered a question about.

    Raises
    ------
    AuditError
        No threshold is kept, or no accepted image is left to judge.
    """
    threshold = current_threshold(workspace, attribute)
    if threshold is None or threshold.id is None:
        raise AuditError(
            f"no threshold of {attribute.name} is kept yet. Keep one on the Threshold page, then audit it."
        )
    scores = scores_of(workspace, attribute)
    answered = workspace.annotations.answers(attribute.id).rows
    validation = tasks.validation_task(workspace, attribute).rows
    without = np.concatenate([answered, validation, np.flatnonzero(np.isnan(scores))])
    kept_seed = random_seed(seed)
    sample = auditing.draw_audit(
        scores,
        threshold.value,
        exclude=np.unique(without[without < len(scores)]),
        n_accepted=n_accepted,
        n_rejected=n_rejected,
        rng=np.random.default_rng(kept_seed),
    )
    values = {
        "attribute_id": attribute.id,
        "threshold_id": threshold.id,
        "seed": kept_seed,
        "n_accepted": sample.n_accepted,
        "n_rejected": sample.n_rejected,
        "made_at": db.now(),
    }
    with workspace.engine.begin() as connection:
        inserted = connection.execute(sa.insert(db.audits).values(values)).inserted_primary_key
        lines = [
            {"audit_id": inserted[0] if inserted else 0, "row": int(row), "position": place, "accepted": bool(accepted)}
            for place, (row, accepted) in enumerate(zip(sample.rows, sample.accepted, strict=True))
        ]
        connection.execute(sa.insert(db.audit_images), lines)
    return results(workspace, attribute)[-1]


def results(workspace: Workspace, attribute: Attribute) -> list[AuditResult]:
    """Return the audits of ``attribute``, oldest first."""
    return [_result(workspace, attribute, *found) for found in _drawn(workspace, attribute)]


def _drawn(workspace: Workspace, attribute: Attribute) -> list[tuple[int, int, bool]]:
    """Return (audit, threshold, whether that is the one in force), oldest first."""
    table = db.audits
    query = sa.select(table.c.id, table.c.threshold_id).where(table.c.attribute_id == attribute.id)
    threshold = current_threshold(workspace, attribute)
    in_force = None if threshold is None else threshold.id
    with workspace.engine.connect() as connection:
        found = connection.execute(query.order_by(table.c.id)).all()
    return [(audit_id, threshold_id, threshold_id == in_force) for audit_id, threshold_id in found]


def _result(workspace: Workspace, attribute: Attribute, audit_id: int, threshold_id: int, current: bool) -> AuditResult:
    task = tasks.audit_task(workspace, attribute, audit_id)
    accepted = _accepted(workspace, audit_id)
    answers = workspace.annotations.answers(attribute.id)
    agreed = auditing.judged_by_consensus(answers.rows, answers.answers, redundancy=workspace.redundancy)
    by_any = auditing.judged_by_any(answers.rows, answers.answers)
    groups = workspace.catalogue.projects()
    yes, no = task.rows[accepted], task.rows[~accepted]
    return AuditResult(
        id=audit_id,
        attribute=attribute,
        threshold_id=threshold_id,
        task=task,
        state=tasks.state(workspace, task),
        precision=_estimate(agreed.of(yes), groups[yes]),
        by_any=_estimate(by_any.of(yes), groups[yes]),
        missed=_estimate(agreed.of(no), groups[no]),
        current=current,
    )


def _estimate(judgements: NDArray[np.int8], groups: NDArray[np.int64]) -> Estimate | None:
    if not (judgements >= 0).any():
        return None
    return auditing.estimate_precision(judgements, groups=groups)


def _accepted(workspace: Workspace, audit_id: int) -> NDArray[np.bool_]:
    table = db.audit_images
    query = sa.select(table.c.accepted).where(table.c.audit_id == audit_id).order_by(table.c.position)
    with workspace.engine.connect() as connection:
        return np.array(connection.execute(query).scalars().all(), bool)


def latest_result(workspace: Workspace, attribute: Attribute) -> AuditResult | None:
    """Return the newest audit of the threshold in force, or None."""
    current = [found for found in _drawn(workspace, attribute) if found[2]]
    return _result(workspace, attribute, *current[-1]) if current else None


def open_audit_task(workspace: Workspace, attribute: Attribute) -> tasks.Task | None:
    """Return the task of the audit that waits for answers, or None."""
    found = latest_result(workspace, attribute)
    return None if found is None or found.complete else found.task


def mean_precision(found: list[AuditResult]) -> Estimate | None:
    """Return the mean audited precision over attributes, or None while none is judged."""
    judged = [result.precision for result in found if result.precision is not None]
    return auditing.mean_over_attributes(judged) if judged else None
