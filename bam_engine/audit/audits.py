"""Audits: fresh, blind samples on both sides of a threshold, and what their labels show.

Wires the stores to :mod:`bam_engine.audit`. An audit belongs to the threshold it was drawn for; a new threshold needs a
new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import audit as auditing
from bam_engine import database as db
from bam_engine.annotation import BULK, NO_LABEL, POSITIVE, PURPOSES, TASK_PURPOSES, Answers, Attribute, readable
from bam_engine.annotation.answer_log import moment, whole_answer_log
from bam_engine.audit import Estimate, Verdict
from bam_engine.errors import AuditError
from bam_engine.formatting import count
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import whole_audit_sample
from bam_engine.labelling.missing_images import missing_images
from bam_engine.training import growth
from bam_engine.training.delivered import delivered_at, delivered_of, labels_by_people
from bam_engine.training.models import TrainedModel, model_by_id, scores_of
from bam_engine.training.querying import used_rows
from bam_engine.training.thresholds import AttributeThreshold, current_threshold
from bam_engine.workspace.core import Workspace, random_seed
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import removed
from bam_engine.workspace.vectors import with_files

IMAGES_PER_SIDE = 100  # accepted, and as many rejected, as in BAM
MAX_PEOPLE = 9


@dataclass(frozen=True)
class AuditResult:
    """An audit: how it was drawn, its progress, and its estimates (None while nothing of that half is labelled).

    ``threshold`` is the threshold that it measures and ``target`` the precision that this was chosen for; ``current``
    says that it is still in use. It is about what was delivered when it was drawn: ``by_people`` images that were
    labelled and now have a yes, which are known, and the accepted ones without a label, from which it drew; ``later``
    images have been delivered by the classifier since, and it is not about them. Of the images of that time, the
    classifier still delivers ``unjudged``, about which too few people have answered; where another threshold is in use,
    they are those of its sample, and those without a file. ``n_accepted`` and ``n_rejected``
    images could have been drawn: those that can be looked at and had no label; ``left_out`` further ones had no
    readable file (None where nobody counted them). Each image is labelled by ``people``; ``annotators`` are those who
    did, with the number of their images. ``precision`` is the proportion of accepted images that are positive by
    consensus (a disputed one is not), ``by_any`` the same by BAM's definition (at least one annotator says so), and
    ``missed`` the proportion of rejected images that are positive by consensus. ``encoder`` is the key of the encoder
    whose model the threshold belongs to. Of the sample, ``removed`` images were removed since it was drawn, and
    ``lost`` ones have no file any more and were not labelled before; :func:`bam_engine.audit.estimate_precision` says
    how they count.
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
    left_out: int | None
    people: int
    annotators: tuple[tuple[str, int], ...]
    task: tasks.Task
    state: tasks.TaskState
    precision: Estimate | None
    by_any: Estimate | None
    missed: Estimate | None
    encoder: str
    removed: int = 0
    lost: int = 0
    by_people: int = 0
    unjudged: int = 0
    later: int = 0

    @property
    def population(self) -> str:
        """What the audit is about, what it left out, and what has become of its sample, in sentences."""
        drawn_from = (
            f"Drawn from {count(self.n_accepted, 'accepted image')} and {count(self.n_rejected, 'rejected image')}, "
            "all that had no label and could be looked at."
        )
        verb = "was" if self.left_out == 1 else "were"
        left_out = f"{count(self.left_out, 'image')} without a readable file {verb} left out." if self.left_out else ""
        them = "it" if self.later == 1 else "them"
        later = f"{count(self.later, 'accepted image')} came later: it is not about {them}." if self.later else ""
        return " ".join(filter(None, (drawn_from, left_out, later, self._absent)))

    @property
    def _absent(self) -> str:
        """Say which images of the sample cannot be looked at any more."""
        parts = []
        if self.removed:
            parts.append(f"{count(self.removed, 'image was', 'images were')} removed")
        if self.lost:
            its = "its file before it was" if self.lost == 1 else "their files before they were"
            parts.append(f"{count(self.lost, 'image')} lost {its} labelled")
        if not parts:
            return ""
        return f"Since the draw, {' and '.join(parts)}: what is absent counts against the result, whatever it is."

    @property
    def complete(self) -> bool:
        return self.state.complete

    @property
    def unsettled(self) -> int:
        """The number of images on which several people disagree; a further person can settle them."""
        return self.state.disputed if self.people > 1 else 0

    @property
    def precision_interval(self) -> tuple[float, float, float] | None:
        """The precision of the accepted images that had no label, as (value, low, high); exact where all are judged."""
        found = self.precision
        return None if found is None else (found.value, found.low, found.high)

    @property
    def verdict(self) -> Verdict | None:
        """Whether the audit shows that the target is met, and what it would take; open until all is labelled."""
        if self.precision is None:
            return None
        waiting = 0 if self.complete else self.state.total - self.state.answered
        return auditing.verdict(
            self.precision,
            self.target,
            available=self.n_accepted,
            waiting=waiting,
            known=self.by_people,
            unjudged=self.unjudged,
        )


@one_flow
def draw(
    workspace: Workspace,
    attribute: Attribute,
    *,
    n_accepted: int = IMAGES_PER_SIDE,
    n_rejected: int = IMAGES_PER_SIDE,
    people: int | None = None,
    seed: int | None = None,
) -> AuditResult:
    """Draw an audit of the saved threshold, from images that nobody has labelled or been asked about.

    Images of an open round are left out too, since their labels will train a model, and so are images without a
    readable file: the audit is about those that can be looked at. Whether a drawn image without a thumbnail can be read
    is tried; one that cannot leaves the sample, in which every other image is as likely as before.

    Parameters
    ----------
    n_accepted, n_rejected : int
        Images of each half; a smaller half is taken whole.
    people : int, optional
        How many people label each image. None: as many as the workspace requires where images judge.
    seed : int, optional
        None: a random one. It is stored.

    Raises
    ------
    AuditError
        No threshold is saved, no accepted image is left, ``people`` is out of range, or some of the images have been
        drawn concurrently.
    """
    threshold = current_threshold(workspace, attribute)
    if threshold is None or threshold.id is None:
        raise AuditError(f"{attribute.name} has no saved threshold. Choose a threshold, then audit it.")
    if settled := nothing_to_doubt(workspace, attribute):
        raise AuditError(f"{settled} Choose a lower threshold if more images are wanted.")
    votes = workspace.judging_redundancy if people is None else people
    if not 1 <= votes <= MAX_PEOPLE:
        raise AuditError(f"{votes} people cannot label each image. Give a number from 1 to {MAX_PEOPLE}.")
    scores = scores_of(workspace, attribute)
    free = unasked_rows(workspace, attribute)
    with_file = with_files(workspace, free)
    used_seed = random_seed(seed)
    sample = auditing.draw_audit(
        scores,
        threshold.value,
        groups=workspace.catalogue.projects()[: len(scores)],
        exclude=np.setdiff1d(np.arange(len(scores)), with_file),
        n_accepted=n_accepted,
        n_rejected=n_rejected,
        rng=np.random.default_rng(used_seed),
    )
    unreadable = missing_images(workspace, sample.rows)
    sample = sample.without(unreadable)
    if not sample.accepted.any():
        raise AuditError(
            f"None of {count(len(unreadable), 'accepted image')} that were drawn has a readable file. Add their folder "
            "again, so that it is known which files are there, then draw the audit."
        )
    values = {
        "attribute_id": attribute.id,
        "threshold_id": threshold.id,
        "seed": used_seed,
        "n_accepted": sample.n_accepted,
        "n_rejected": sample.n_rejected,
        "images": len(scores),
        "left_out": len(free) - len(with_file) + len(unreadable),
        "votes": votes,
        "made_at": db.now(),
    }
    with exclusive(workspace.engine, db.rounds) as connection:
        if np.isin(sample.rows, used_rows(workspace, attribute)).any():
            raise AuditError(f"Some images of this audit of {attribute.name} have just been queried. Draw it again.")
        audit_id = db.insert_row(connection, db.audits, values)
        lines = [
            {"audit_id": audit_id, "row": int(row), "position": place, "accepted": bool(accepted)}
            for place, (row, accepted) in enumerate(zip(sample.rows, sample.accepted, strict=True))
        ]
        connection.execute(sa.insert(db.audit_images), lines)
    return results(workspace, attribute)[-1]


@one_flow
def nothing_to_doubt(workspace: Workspace, attribute: Attribute) -> str:
    """Return a sentence if people have labelled everything that is delivered, so that no audit is needed; else ""."""
    counts = delivered_of(workspace, attribute).counts
    if not counts.exhausted:
        return ""
    images = f"{count(counts.by_people, 'image')} of {readable(attribute.name)}"
    return f"People have labelled all {images} that are delivered: nothing is left to audit."


def unasked_rows(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the rows that an audit is about: with a score, and nobody has answered or been asked about them."""
    answered = np.union1d(workspace.annotations.answers(attribute.id).rows, tasks.unqueried_rows(workspace, attribute))
    unavailable = np.union1d(answered, used_rows(workspace, attribute)).astype(np.int64)
    scored = np.flatnonzero(np.isfinite(scores_of(workspace, attribute)))
    return np.setdiff1d(scored, unavailable)


@one_flow
def results(workspace: Workspace, attribute: Attribute) -> list[AuditResult]:
    """Return the audits of ``attribute``, oldest first, including those of earlier thresholds."""
    drawn = workspace.snapshot.rows_with(db.audits.c.attribute_id, attribute.id)
    return _results(workspace, attribute, drawn, current_threshold(workspace, attribute) if drawn else None)


@one_flow
def latest_result(workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None) -> AuditResult | None:
    """Return the newest audit of the threshold of ``model``, or of the one in use, or None."""
    threshold = current_threshold(workspace, attribute, model)
    if threshold is None or threshold.id is None:
        return None
    drawn = workspace.snapshot.rows_with(db.audits.c.threshold_id, threshold.id)
    latest = _results(workspace, attribute, drawn[-1:], threshold)
    return latest[0] if latest else None


def _results(
    workspace: Workspace, attribute: Attribute, drawn: Sequence[sa.Row[Any]], threshold: AttributeThreshold | None
) -> list[AuditResult]:
    if not drawn:
        return []
    in_use = None if threshold is None else threshold.id
    answers = whole_answer_log(workspace.engine, attribute.id).votes(TASK_PURPOSES)  # imported labels judge nothing
    return [_result(workspace, attribute, each, answers, in_use) for each in drawn]


def _result(
    workspace: Workspace,
    attribute: Attribute,
    row: sa.Row[Any],
    answers: Answers,
    in_use: int | None,
) -> AuditResult:
    task = tasks.audit_task(workspace, attribute, row.id)
    people = tasks.required_votes(workspace, task)
    sample, accepted = whole_audit_sample(workspace, row.id).rows, whole_audit_sample(workspace, row.id).accepted
    (threshold,) = workspace.snapshot.rows_with(db.thresholds.c.id, row.threshold_id)
    decisions = whole_answer_log(workspace.engine, attribute.id).decisions()
    by_consensus = auditing.labels_by_consensus(answers.rows, answers.answers, redundancy=people, decisions=decisions)
    by_any = auditing.labels_by_any(answers.rows, answers.answers, people=people)
    groups, labels = _projects(workspace, sample), by_consensus.of(sample)
    gone = np.isin(sample, removed(workspace).rows)
    lost = np.isin(sample, missing_images(workspace, sample[(labels < 0) & ~gone]))
    absent = gone | lost
    model = model_by_id(workspace, threshold.model_id)
    by_people = labels_by_people(workspace, attribute, len(workspace.catalogue))
    images = growth.images_at(workspace, row.made_at) if row.images is None else row.images
    log = whole_answer_log(workspace.engine, attribute.id, set_aside=True)
    looked_at = log.given_for(set(PURPOSES) - {BULK}) & (log.times < moment(row.made_at))
    labelled_before = removed(workspace).without(np.unique(log.rows[looked_at]).astype(np.int64))
    later, current = 0, row.threshold_id == in_use
    if current:
        delivered = delivered_at(workspace, attribute, threshold.value, model).by_classifier
        unjudged, later = int(delivered[:images].sum()), int(delivered[images:].sum())
    else:  # nothing is delivered by that threshold any more
        unjudged = int((by_people[sample[accepted & ~gone]] == NO_LABEL).sum()) + (row.left_out or 0)
    result = AuditResult(
        id=row.id,
        attribute=attribute,
        threshold_id=row.threshold_id,
        threshold=threshold.value,
        target=threshold.target,
        current=current,
        seed=row.seed,
        made_at=row.made_at,
        n_accepted=row.n_accepted,
        n_rejected=row.n_rejected,
        left_out=row.left_out,
        people=people,
        annotators=_annotators(workspace, task, answers),
        task=task,
        state=tasks.state(workspace, task),
        precision=_estimate(labels[accepted], groups[accepted], absent[accepted]),
        by_any=_estimate(by_any.of(sample)[accepted], groups[accepted], absent[accepted]),
        missed=_estimate(labels[~accepted], groups[~accepted], absent[~accepted]),
        encoder=model.encoder,
        removed=int(gone.sum()),
        lost=int(lost.sum()),
        by_people=int((by_people[labelled_before] == POSITIVE).sum()),
        unjudged=unjudged,
        later=later,
    )
    verdict = result.verdict
    if verdict is None or not verdict.exhausted:
        return result
    agreed, anybody = (one and one.exact for one in (result.precision, result.by_any))
    return replace(result, precision=agreed, by_any=anybody)


def _estimate(labels: NDArray[np.int8], groups: NDArray[np.int64], absent: NDArray[np.bool_]) -> Estimate | None:
    if not ((labels >= 0) & ~absent).any():
        return None
    return auditing.estimate_precision(labels, groups=groups, absent=absent)


def _projects(workspace: Workspace, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a code of the project of each of ``rows``, dense from 0, in order of first appearance."""
    _, first, codes = np.unique(workspace.catalogue.projects()[rows], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[codes]


def _annotators(workspace: Workspace, task: tasks.Task, answers: Answers) -> tuple[tuple[str, int], ...]:
    counts = np.bincount(answers.annotators[np.isin(answers.rows, task.rows)], minlength=1)
    return tuple(
        (annotator.name, int(counts[annotator.id]))
        for annotator in workspace.annotations.annotators()
        if annotator.id < len(counts) and counts[annotator.id]
    )


def open_audit_task(workspace: Workspace, attribute: Attribute) -> tasks.Task | None:
    """Return the task of the audit that awaits labels or a further person to settle a dispute, or None."""
    result = latest_result(workspace, attribute)
    if result is None or (result.complete and not result.unsettled):
        return None
    return result.task


@one_flow
def finished_audits(workspace: Workspace) -> list[AuditResult]:
    """Return the newest audit of each attribute whose threshold in use has a finished one.

    Unfinished audits are left out: stopping at will would mean stopping where it looks best.
    """
    latest = [latest_result(workspace, attribute) for attribute in workspace.attributes.all()]
    return [each for each in latest if each is not None and each.complete and each.precision is not None]


def mean_precision(audits: Sequence[AuditResult], *, by_any: bool = False) -> Estimate | None:
    """Return the mean precision over attributes, by consensus or by BAM's definition; None without an audit."""
    estimates = [audit.by_any if by_any else audit.precision for audit in audits]
    known = [estimate for estimate in estimates if estimate is not None]
    return auditing.mean_over_attributes(known) if known else None
