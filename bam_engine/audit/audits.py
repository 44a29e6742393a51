"""Audits: a fresh, blind sample on both sides of the threshold, and what people's answers say of it.

Wires ``annotation`` to ``audit``. An audit belongs to the threshold it was drawn for; a new threshold needs a new one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import audit as auditing
from bam_engine import database as db
from bam_engine.annotation import Answers, Attribute
from bam_engine.audit import Estimate, Verdict
from bam_engine.errors import AuditError
from bam_engine.labelling import tasks
from bam_engine.training.models import scores_of
from bam_engine.training.querying import used_rows
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace, random_seed
from bam_engine.workspace.exclusive import exclusive

IMAGES_PER_SIDE = 100  # accepted and rejected images, as in BAM
MAX_PEOPLE = 9


@dataclass(frozen=True)
class AuditResult:
    """One audit: how it was drawn, how far it is, and its estimates (None while nothing of that half is judged).

    ``threshold`` is the cut it judges and ``target`` the precision that cut was chosen for; ``current`` says that it is
    still the one in force. ``n_accepted`` and ``n_rejected`` images could have been drawn. Each image is judged by
    ``people``; ``judges`` are those who did, with how many images each. ``precision`` is the share of the accepted
    images on which annotators agree that they are positive (a disputed one is not), ``by_any`` the same by BAM's
    definition (at least one annotator says so), ``missed`` the share of the rejected that they agree are positive.
    """

    id: int
    attribute: Attribute
    threshold_id: int
    threshold: float
    target: float
    current: bool
    seed: int
    made_at: str
    n_accepted: int
    n_rejected: int
    people: int
    judges: tuple[tuple[str, int], ...]
    task: tasks.Task
    state: tasks.TaskState
    precision: Estimate | None
    by_any: Estimate | None
    missed: Estimate | None

    @property
    def complete(self) -> bool:
        return self.state.complete

    @property
    def unsettled(self) -> int:
        """How many images several people judged without agreeing: a further person can settle them."""
        return self.state.disputed if self.people > 1 else 0

    @property
    def share(self) -> tuple[float, float, float] | None:
        """The audited precision as (value, low, high)."""
        found = self.precision
        return None if found is None else (found.value, found.low, found.high)

    @property
    def verdict(self) -> Verdict | None:
        """Whether the audit keeps the target of its threshold, and what it would take; open until all is judged."""
        if self.precision is None:
            return None
        waiting = 0 if self.complete else self.state.total - self.state.answered
        return auditing.verdict(self.precision, self.target, available=self.n_accepted, waiting=waiting)


def draw(
    workspace: Workspace,
    attribute: Attribute,
    *,
    n_accepted: int = IMAGES_PER_SIDE,
    n_rejected: int = IMAGES_PER_SIDE,
    people: int | None = None,
    seed: int | None = None,
) -> AuditResult:
    """Draw the audit of the threshold that was kept, from images that nobody has answered or was asked about.

    An image of an open round is left out too: its answer is going to train.

    ``people`` judge each image; None asks as many as the workspace does for every label.

    Raises
    ------
    AuditError
        No threshold is kept, no accepted image is left to judge, nobody is to judge, or somebody has drawn some of the
        same images meanwhile.
    """
    threshold = current_threshold(workspace, attribute)
    if threshold is None or threshold.id is None:
        raise AuditError(
            f"no threshold of {attribute.name} is kept yet. Keep one on the Threshold page, then audit it."
        )
    asked = workspace.redundancy if people is None else people
    if not 1 <= asked <= MAX_PEOPLE:
        raise AuditError(f"{asked} people cannot judge an image: give a number from 1 to {MAX_PEOPLE}.")
    scores = scores_of(workspace, attribute)
    answered = workspace.annotations.answers(attribute.id).rows
    without = np.concatenate([answered, used_rows(workspace, attribute), np.flatnonzero(np.isnan(scores))])
    kept_seed = random_seed(seed)
    sample = auditing.draw_audit(
        scores,
        threshold.value,
        groups=workspace.catalogue.projects()[: len(scores)],
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
    with exclusive(workspace.engine, db.rounds) as connection:
        if np.isin(sample.rows, used_rows(workspace, attribute)).any():
            raise AuditError(f"some images of this audit of {attribute.name} were asked about just now: draw it again")
        inserted = connection.execute(sa.insert(db.audits).values(values)).inserted_primary_key
        audit_id = int(inserted[0]) if inserted else 0
        lines = [
            {"audit_id": audit_id, "row": int(row), "position": place, "accepted": bool(accepted)}
            for place, (row, accepted) in enumerate(zip(sample.rows, sample.accepted, strict=True))
        ]
        connection.execute(sa.insert(db.audit_images), lines)
        setting = {"key": tasks.audit_votes_key(audit_id), "value": json.dumps(asked)}
        connection.execute(sa.insert(db.settings).values(setting))
    return results(workspace, attribute)[-1]


def results(workspace: Workspace, attribute: Attribute) -> list[AuditResult]:
    """Return the audits of ``attribute``, oldest first, those of older thresholds among them."""
    return _results(workspace, attribute, db.audits.c.attribute_id == attribute.id)


def latest_result(workspace: Workspace, attribute: Attribute) -> AuditResult | None:
    """Return the newest audit of the threshold in force, or None."""
    threshold = current_threshold(workspace, attribute)
    if threshold is None or threshold.id is None:
        return None
    newest = sa.select(sa.func.max(db.audits.c.id)).where(db.audits.c.threshold_id == threshold.id).scalar_subquery()
    found = _results(workspace, attribute, db.audits.c.id == newest)
    return found[0] if found else None


def _results(workspace: Workspace, attribute: Attribute, wanted: sa.ColumnElement[bool]) -> list[AuditResult]:
    audits, cuts = db.audits.c, db.thresholds.c
    query = (
        sa.select(audits.id, audits.threshold_id, audits.seed, audits.made_at, audits.n_accepted, audits.n_rejected)
        .add_columns(cuts.value, cuts.details)
        .join(db.thresholds, cuts.id == audits.threshold_id)
        .where(wanted)
        .order_by(audits.id)
    )
    with workspace.engine.connect() as connection:
        found = connection.execute(query).all()
    if not found:
        return []
    threshold = current_threshold(workspace, attribute)
    in_force = None if threshold is None else threshold.id
    answers = workspace.annotations.answers(attribute.id)
    return [_result(workspace, attribute, line, answers, in_force) for line in found]


def _result(
    workspace: Workspace,
    attribute: Attribute,
    line: sa.Row[*tuple[object, ...]],
    answers: Answers,
    in_force: int | None,
) -> AuditResult:
    task = tasks.audit_task(workspace, attribute, line.id)
    people = tasks.required_votes(workspace, task)
    accepted = _accepted(workspace, line.id)
    decided = workspace.annotations.decisions(attribute.id)
    agreed = auditing.labels_by_consensus(answers.rows, answers.answers, redundancy=people, decisions=decided)
    by_any = auditing.labels_by_any(answers.rows, answers.answers, people=people)
    groups = _projects(workspace, task.rows)
    yes, no = task.rows[accepted], task.rows[~accepted]
    return AuditResult(
        id=line.id,
        attribute=attribute,
        threshold_id=line.threshold_id,
        threshold=line.value,
        target=float(json.loads(line.details)["target"]),
        current=line.threshold_id == in_force,
        seed=line.seed,
        made_at=line.made_at,
        n_accepted=line.n_accepted,
        n_rejected=line.n_rejected,
        people=people,
        judges=_judges(workspace, task, answers),
        task=task,
        state=tasks.state(workspace, task),
        precision=_estimate(agreed.of(yes), groups[accepted]),
        by_any=_estimate(by_any.of(yes), groups[accepted]),
        missed=_estimate(agreed.of(no), groups[~accepted]),
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


def _projects(workspace: Workspace, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a code for the project of each of the few ``rows``, without reading the whole catalogue."""
    codes: dict[object, int] = {}
    images = workspace.catalogue.images(rows.tolist())
    keys = [image.row if image.project_id is None else image.project_id for image in images]
    return np.array([codes.setdefault(key, len(codes)) for key in keys], np.int64)


def _judges(workspace: Workspace, task: tasks.Task, answers: Answers) -> tuple[tuple[str, int], ...]:
    counts = np.bincount(answers.annotators[np.isin(answers.rows, task.rows)], minlength=1)
    return tuple((who.name, int(counts[who.id])) for who in workspace.annotations.annotators() if _some(counts, who.id))


def _some(counts: NDArray[np.intp], place: int) -> bool:
    return place < len(counts) and counts[place] > 0


def open_audit_task(workspace: Workspace, attribute: Attribute) -> tasks.Task | None:
    """Return the task of the audit that waits for answers, or for a further person to settle a dispute; or None."""
    found = latest_result(workspace, attribute)
    if found is None or (found.complete and not found.unsettled):
        return None
    return found.task


def finished_audits(workspace: Workspace) -> list[AuditResult]:
    """Return the newest audit of every attribute whose threshold in force has one that is finished.

    One that is under way is left out: whoever could stop it at will would stop where it looks best.
    """
    found = [latest_result(workspace, attribute) for attribute in workspace.attributes.all()]
    return [one for one in found if one is not None and one.complete and one.precision is not None]


def mean_precision(found: Sequence[AuditResult], *, by_any: bool = False) -> Estimate | None:
    """Return the mean audited precision over attributes, by consensus or by BAM's definition; None while none is."""
    shares = [result.by_any if by_any else result.precision for result in found]
    judged = [share for share in shares if share is not None]
    return auditing.mean_over_attributes(judged) if judged else None
