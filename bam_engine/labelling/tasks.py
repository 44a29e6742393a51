"""Labelling tasks and their progress. A task is a set of images to label for one attribute.

Tasks come from validation samples, rounds, certifications, audits, recall samples and disputes. A task is the same for
every annotator; an assignment is one annotator's part of it.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import (
    ADJUDICATION,
    DIRECT,
    IMPORT,
    TASK_PURPOSES,
    Answers,
    Attribute,
    Consensus,
    Decisions,
    Redundancy,
    answered_enough,
    consensus,
    judged_labels,
)
from bam_engine.annotation.answer_log import AttributeLog, answer_log
from bam_engine.annotation.remark_store import FLAG, UNJUDGEABLE
from bam_engine.labelling.drawn_images import (
    audit_images,
    certification_images,
    held_out_rows,
    round_images,
    validation_images,
    whole_recall_sample,
)
from bam_engine.labelling.missing_images import missing_images
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import removed
from bam_engine.workspace.memory import Kind

SKIPS_TO_REVIEW = 2
"""How many people must have skipped an image for it to be put to a reviewer."""

Purpose = Literal["validation", "round", "certification", "audit", "recall", "adjudication"]


@dataclass(frozen=True)
class Task:
    """The images of one sample, round or audit, in labelling order.

    ``votes`` is the number of people who must agree on each image; None means as many as the workspace requires, which
    may be more for an image that judges than for one of a round.
    """

    attribute: Attribute
    purpose: Purpose
    source_id: int
    title: str
    rows: NDArray[np.int64]
    votes: int | None = None


@dataclass(frozen=True)
class TaskState:
    """The progress of a task, in images.

    ``answered`` images have enough votes or a decision; ``settled`` ones have a label, ``positive`` ones a positive
    label; ``disputed`` ones have enough votes but neither agreement nor a decision. ``missing`` images need answers but
    cannot be shown (no thumbnail and no readable file); ``total`` excludes them, so that the task can be completed.
    ``short`` images have some votes, but fewer than it takes.
    """

    total: int
    answered: int
    settled: int
    positive: int
    disputed: int
    missing: int = 0
    short: int = 0

    @property
    def complete(self) -> bool:
        return self.total + self.missing > 0 and self.answered >= self.total

    @property
    def left(self) -> int:
        """The number of images that still need answers."""
        return max(0, self.total - self.answered)


def validation_task(workspace: Workspace, attribute: Attribute) -> Task:
    """Return the task of the whole validation sample; it is empty before the first draw."""
    return Task(attribute, "validation", 0, "Validation sample", validation_images(workspace, attribute).rows)


def round_task(workspace: Workspace, attribute: Attribute, round_id: int, number: int) -> Task:
    """Return the task of a round's batch."""
    return Task(attribute, "round", round_id, f"Round {number}", round_images(workspace, round_id))


def certification_task(
    workspace: Workspace,
    attribute: Attribute,
    certification_id: int,
    counted: NDArray[np.int64],
    *,
    title: str = "Certification",
) -> Task:
    """Return the task of all images that a certification has asked about, and of what has to be confirmed for it.

    Of the images that it counts, those that judge nothing were labelled by as many people as teach. Where more have to
    judge, they are asked too. These images go on to teach.
    """
    rows, votes = certification_images(workspace, certification_id).rows, workspace.judging_redundancy
    if votes > workspace.redundancy:
        taught = np.setdiff1d(counted, held_out_rows(workspace, attribute))
        rows = np.concatenate([rows, removed(workspace).without(taught)])
    return Task(attribute, "certification", certification_id, title, rows, votes)


def audit_task(workspace: Workspace, attribute: Attribute, audit_id: int) -> Task:
    """Return the task of an audit, in its shuffled order, with the votes that it requires."""
    required = [each.votes for each in workspace.snapshot.rows_with(db.audits.c.id, audit_id)]
    rows = audit_images(workspace, audit_id).rows
    return Task(attribute, "audit", audit_id, "Audit", rows, required[0] if required else None)


def recall_task(workspace: Workspace, attribute: Attribute, sample_id: int, asked: int) -> Task:
    """Return the task of a recall sample: the first ``asked`` of its images, those removed since left out."""
    drawn = whole_recall_sample(workspace, sample_id).rows[:asked]
    return Task(attribute, "recall", sample_id, "Recall", removed(workspace).without(drawn))


def required_votes(workspace: Workspace, task: Task) -> int:
    """Return how many people must agree on an image of ``task``."""
    return task.votes or (workspace.redundancy if task.purpose == "round" else workspace.judging_redundancy)


def redundancy(workspace: Workspace, attribute: Attribute) -> Redundancy:
    """Return how many people must agree on each image: on those that judge, which train nothing, and on all others."""
    return Redundancy(workspace.redundancy, workspace.judging_redundancy, held_out_rows(workspace, attribute))


def adjudication_task(workspace: Workspace, attribute: Attribute) -> Task:
    """Return the task of all disputed images, decided or not, then of those that annotators put to the reviewer.

    A decided image stays in the task, so that its adjudicator can change the decision, but nobody else is asked about
    it.
    """
    disputed = disputed_rows(workspace, attribute)
    put = [one.row for one in workspace.remarks.of(attribute.id) if one.kind in (FLAG, UNJUDGEABLE) and not one.closed]
    put += skipped_by_several(workspace, attribute)
    others = np.setdiff1d(removed(workspace).without(np.array(put, np.int64)), disputed)
    return Task(attribute, "adjudication", 0, "Adjudication", np.concatenate([disputed, others]))


def disputed_rows(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the images with enough votes, at least two, but no agreement, those with the most first, ties by row."""
    agreed = consensus(votes(workspace, attribute), redundancy=redundancy(workspace, attribute))
    n_votes = agreed.counts.sum(axis=1)
    unsettled = (n_votes >= np.maximum(2, agreed.required)) & ~agreed.settled
    rows: NDArray[np.int64] = agreed.rows[unsettled][np.argsort(-n_votes[unsettled], kind="stable")]
    return rows


_VOTES = Kind[Answers]("votes that count", of="attribute", until="its next answer or held-out image", limit=1000)
_LABELS = Kind[Consensus](
    "labels",
    of="attribute and votes required, with direct answers or without",
    until="the attribute's next answer or held-out image",
    limit=1000,
)


@one_flow
def votes(workspace: Workspace, attribute: Attribute, *, set_aside: bool = False) -> Answers:
    """Return the votes that count: the latest answer of each annotator to each image, by row.

    An imported label is a vote like any other, except on held-out images, where only answers to a task count. With
    ``set_aside``, answers that are set aside are among them.
    """
    version = _version(workspace, attribute)
    if set_aside and (log := answer_log(workspace.engine, attribute.id, set_aside=True)) is not version[0]:
        return _votes(workspace, attribute, log)
    return workspace.memory.get(_VOTES, attribute.id, version, lambda: _votes(workspace, attribute, version[0]))


def _version(workspace: Workspace, attribute: Attribute) -> tuple[AttributeLog, int]:
    """Return what votes and labels depend on: the answers, and how many images are held out, which only grow."""
    return answer_log(workspace.engine, attribute.id), len(held_out_rows(workspace, attribute))


def _votes(workspace: Workspace, attribute: Attribute, log: AttributeLog) -> Answers:
    """Return the votes of a log as :func:`votes`."""
    answers, imported = log.votes(), np.unique(log.votes([IMPORT]).rows)
    held_out = np.intersect1d(imported, held_out_rows(workspace, attribute)) if len(imported) else imported
    if not len(held_out):
        return answers
    to_tasks = log.votes(TASK_PURPOSES)
    others, replaced = ~np.isin(answers.rows, held_out), np.isin(to_tasks.rows, held_out)
    rows = np.concatenate([answers.rows[others], to_tasks.rows[replaced]])
    annotators = np.concatenate([answers.annotators[others], to_tasks.annotators[replaced]])
    values = np.concatenate([answers.answers[others], to_tasks.answers[replaced]])
    order = np.lexsort((annotators, rows))
    return Answers(rows[order], annotators[order], values[order])


def imported_rows(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the rows with an imported label, ascending."""
    return np.unique(workspace.annotations.answers(attribute.id, purposes=[IMPORT]).rows)


def unqueried_rows(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the rows with a label that no task asked for, imported or a direct answer, ascending."""
    return _unqueried(answer_log(workspace.engine, attribute.id))


def ever_unqueried_rows(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the rows as :func:`unqueried_rows`, those with answers that are set aside included.

    A model that was trained before may have learned from them.
    """
    return _unqueried(answer_log(workspace.engine, attribute.id, set_aside=True))


def _unqueried(log: AttributeLog) -> NDArray[np.int64]:
    return np.union1d(log.votes([IMPORT]).rows, log.direct_answers().rows)


def answered_by(workspace: Workspace, attribute: Attribute, annotator_id: int) -> dict[int, int]:
    """Return row → the answer that a person gave as a vote, whether it counts or is set aside.

    They have seen these images, so they are not asked again.
    """
    every = answer_log(workspace.engine, attribute.id, set_aside=True)
    counted = answer_log(workspace.engine, attribute.id)
    given = votes(workspace, attribute) if every is counted else _votes(workspace, attribute, every)
    own = given.annotators == annotator_id
    return dict(zip(given.rows[own].tolist(), given.answers[own].tolist(), strict=True))


def skips(workspace: Workspace, attribute: Attribute) -> dict[int, set[int]]:
    """Return person → the rows that they skipped and have not answered since, by id: they are not asked again."""
    result: dict[int, set[int]] = {}
    rows, people = answer_log(workspace.engine, attribute.id, set_aside=True).skips()
    for who in np.unique(people).tolist():
        result[who] = set(rows[people == who].tolist())
    return result


def skipped_by(workspace: Workspace, attribute: Attribute, annotator_id: int) -> set[int]:
    """Return the rows that a person skipped and has not answered since."""
    return skips(workspace, attribute).get(annotator_id, set())


def skipped_by_several(workspace: Workspace, attribute: Attribute) -> list[int]:
    """Return the rows that several people skipped and no answers have settled, ascending: a reviewer decides."""
    times = Counter(row for rows in skips(workspace, attribute).values() for row in rows)
    several = sorted(row for row, number in times.items() if number >= SKIPS_TO_REVIEW)
    if not several:
        return []
    agreed, blind = labels(workspace, attribute), blind_labels(workspace, attribute)
    teaching = np.setdiff1d(agreed.rows[agreed.settled], held_out_rows(workspace, attribute))
    settled = np.union1d(teaching, blind.rows[blind.settled])
    settled = np.setdiff1d(settled, workspace.annotations.decisions(attribute.id).rows)
    left: list[int] = np.setdiff1d(several, settled).tolist()
    return left


@one_flow
def labels(workspace: Workspace, attribute: Attribute) -> Consensus:
    """Return the consensus of every image with an answer or a decision about ``attribute``.

    A direct answer decides like an adjudicator once as many people as required have answered, whoever gave it included.
    """
    return _labels(workspace, attribute, None)


@one_flow
def blind_labels(workspace: Workspace, attribute: Attribute) -> Consensus:
    """Return the consensus as :func:`labels`, but without direct answers: what samples judge by.

    Whoever gives a direct answer may know the score. Counted in a sample, answers that were changed where the
    classifier disagrees would flatter it.
    """
    return _labels(workspace, attribute, None, blind=True)


def labels_by(
    workspace: Workspace, attribute: Attribute, votes: int, *, judging: int | None = None, blind: bool = False
) -> Consensus:
    """Return the consensus if ``votes`` people had to agree on every image, or ``judging`` on one that judges.

    It is ``blind`` to direct answers, or not.
    """
    return _labels(workspace, attribute, (votes, judging or votes), blind=blind)


def _labels(
    workspace: Workspace, attribute: Attribute, required: tuple[int, int] | None, *, blind: bool = False
) -> Consensus:
    number = required or (workspace.redundancy, workspace.judging_redundancy)

    def agree() -> Consensus:
        needed = Redundancy(*number, held_out_rows(workspace, attribute))
        decisions, counted = workspace.annotations.decisions(attribute.id), votes(workspace, attribute)
        if not blind:
            decisions = _with_direct_answers(workspace, attribute, decisions, counted, needed)
        return consensus(counted, redundancy=needed, decisions=decisions)

    version = _version(workspace, attribute)
    if blind and not len(workspace.annotations.direct_answers(attribute.id).rows):
        blind = False  # both are the same
    return workspace.memory.get(_LABELS, (attribute.id, *number, blind), version, agree)


def _with_direct_answers(
    workspace: Workspace, attribute: Attribute, decisions: Decisions, counted: Answers, needed: Redundancy
) -> Decisions:
    """Return the decisions together with the direct answers to images that enough people have answered about."""
    direct = workspace.annotations.direct_answers(attribute.id)
    if not len(direct.rows):
        return decisions
    everybody = workspace.annotations.answers(attribute.id, purposes=[DIRECT])
    rows, people = np.concatenate([counted.rows, everybody.rows]), [counted.annotators, everybody.annotators]
    answered, number = np.unique(np.unique(np.stack([rows, np.concatenate(people)]), axis=1)[0], return_counts=True)
    enough = np.isin(direct.rows, answered[number >= needed.of(answered)])
    both = [
        np.concatenate([getattr(decisions, name), getattr(direct, name)[enough]])
        for name in ("rows", "annotators", "answers", "ids")
    ]
    newest_first = np.argsort(-both[3])
    place = newest_first[np.unique(both[0][newest_first], return_index=True)[1]]
    return Decisions(*(column[place] for column in both))


def labels_of(agreed: Consensus, rows: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the settled label of each of ``rows``, int8: 1, 0, or -1 without a label."""
    return values_at(agreed.rows, agreed.labels, rows)


def judged_labels_of(agreed: Consensus, rows: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return how each of ``rows`` counts in a sample that judges: 1, 0 (unsure and disputed ones too), or -1.

    The rule is :func:`bam_engine.annotation.judged_labels`.
    """
    return values_at(agreed.rows, judged_labels(agreed), rows)


def values_at(known: NDArray[np.int64], values: NDArray[np.int8], rows: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the value of each of ``rows`` by those of the ``known`` ones, ascending; -1 where there is none."""
    result = np.full(len(rows), -1, np.int8)
    if len(known) and len(rows):
        place = np.minimum(np.searchsorted(known, rows), len(known) - 1)
        found = known[place] == rows
        result[found] = values[place[found]]
    return result


@one_flow
def state(workspace: Workspace, task: Task) -> TaskState:
    """Return the progress of ``task``."""
    agreed = labels_for(workspace, task)
    in_task, votes = np.isin(agreed.rows, task.rows), agreed.counts.sum(axis=1)
    answered = in_task & answered_enough(agreed)
    settled = in_task & agreed.settled
    missing = len(missing_images(workspace, np.setdiff1d(task.rows, agreed.rows[answered])))
    return TaskState(
        total=len(task.rows) - missing,
        answered=int(answered.sum()),
        settled=int(settled.sum()),
        positive=int((settled & (agreed.labels == 1)).sum()),
        disputed=int((answered & ~agreed.settled & ~agreed.decided).sum()),
        missing=missing,
        short=int((in_task & ~answered & (votes > 0)).sum()),
    )


def labels_for(workspace: Workspace, task: Task) -> Consensus:
    """Return the labels that settle the images of a task: in a sample that judges, direct answers count for nothing."""
    blind = task.purpose not in ("round", ADJUDICATION)
    return _labels(workspace, task.attribute, None if task.votes is None else (task.votes, task.votes), blind=blind)


def attribute_of(workspace: Workspace, name: str) -> Attribute:
    """Return the attribute ``name``; see :meth:`bam_engine.annotation.attribute_store.Attributes.get`."""
    return workspace.attributes.get(name)
