"""Assignments: which images of a task a person is given, and under which terms their answers are stored.

In:  a task and an annotator. Out: assignments of at most as many images as the workspace says, leased to the annotator
while they work. A task goes on from one assignment to the next. Decisions are not leased: an adjudicator is given every
disputed image.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import (
    ADJUDICATION,
    SKIPPED,
    TASK_PURPOSES,
    WITHDRAWN,
    Assignment,
    Attribute,
    NewAnswer,
    Redundancy,
    complete,
)
from bam_engine.annotation.answer_log import answer_log
from bam_engine.annotation.extra_votes import Terms
from bam_engine.annotation.lease_store import Wanted
from bam_engine.annotation.pauses import Paused
from bam_engine.labelling import gold, pausing, tasks
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.labelling.missing_images import missing_images
from bam_engine.labelling.tasks import Task
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import removed

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Share:
    """What an annotator has in hand of a task.

    Attributes
    ----------
    assignments
        In the order in which they were given, those included whose images are all answered.
    answers
        Row → the annotator's answer, for the images in hand that have one, -3 for those that they skipped.
    before
        How many images of the task they answered before these.
    left
        How many further images of it they will be given.
    """

    assignments: tuple[Assignment, ...]
    answers: Mapping[int, int]
    before: int = 0
    left: int = 0

    @property
    def current(self) -> Assignment:
        """The first assignment with an image to be answered; the last one if there is none."""
        unanswered = (one for one in self.assignments if not self.answers.keys() >= set(one.rows))
        return next(unanswered, self.assignments[-1])


@one_flow
def open_task(
    workspace: Workspace, task: Task, annotator: str, *, simulated: bool = False, moment: datetime | None = None
) -> Assignment | None:
    """Return the annotator's open assignment of ``task``, or a new one; None if no image needs this annotator.

    An image needs further annotators while it has too few votes or no agreement. A disputed image needs an adjudicator
    until one has decided. Simulated annotators answer at once: they are given the whole task, and lease nothing.
    """
    if simulated:
        annotator_id = workspace.annotations.annotator(annotator, simulated)
        adjudicates = task.purpose == ADJUDICATION
        rows = rows_for(workspace, task, annotator_id) if adjudicates else _wanted(workspace, task, annotator_id).rows
        return _assign(workspace, task, annotator_id, rows)
    share = open_share(workspace, task, annotator, moment=moment)
    return None if share is None else share.current


@one_flow
def open_share(
    workspace: Workspace, task: Task, annotator: str, *, at_hand: int = 1, moment: datetime | None = None
) -> Share | None:
    """Return what the annotator has in hand of ``task``; None if no image needs this annotator, or all are with others.

    As many assignments are added as it takes for ``at_hand`` images to be answered, so that nobody waits between two.

    Raises
    ------
    Paused
        The annotator is, or falls below the rule now.
    """
    moment = moment or datetime.now(UTC)
    annotator_id = workspace.annotations.annotator(annotator)
    if (pause := pausing.pause_of(workspace, annotator_id)) is not None:
        raise Paused(pause.told)
    if task.purpose == ADJUDICATION:
        return _disputes_in_hand(workspace, task, annotator_id)
    lasts, size = timedelta(minutes=workspace.lease_minutes), workspace.assignment_size
    wanted = _wanted(workspace, task, annotator_id)
    held = _held(workspace, task, annotator_id, moment)
    if not _to_answer(workspace, task, annotator_id, wanted, held):
        workspace.leases.give_back([one.id for one in held])
        held = _renewed(workspace, task, annotator_id, wanted, moment, lasts)
    in_hand = _to_answer(workspace, task, annotator_id, wanted, held)
    mixed = gold.mixture(workspace, task, annotator_id, wanted=wanted.rows, moment=moment)
    if in_hand < at_hand:
        asked = Assignment("", task.attribute.id, annotator_id, task.purpose, task.source_id, rows=())
        held += workspace.leases.take(
            asked, wanted, size=size, moment=moment, lasts=lasts, at_least=at_hand - in_hand, gold=mixed
        )
    if not _to_answer(workspace, task, annotator_id, wanted, held):
        return None
    return _share(workspace, task, annotator_id, held, wanted, moment)


def to_describe(workspace: Workspace, assignment: Assignment) -> list[int]:
    """Return the images of an assignment that its annotator is to describe: as many as the workspace says, at random.

    The same assignment gives the same images.
    """
    rng = np.random.default_rng(uuid.UUID(assignment.id).int)
    order = rng.permutation(np.array(assignment.rows, np.int64))
    return [int(row) for row in order[: workspace.captions_asked]]


@one_flow
def rows_for(workspace: Workspace, task: Task, annotator_id: int, *, moment: datetime | None = None) -> Rows:
    """Return the rows of ``task`` that need this annotator, can be shown and are not with others, in labelling order.

    Adjudicators get images on which they have not voted first. Gold is not among them.
    """
    if task.purpose == ADJUDICATION:
        if annotator_id in workspace.pauses.now():
            return task.rows[:0]
        answers = tasks.votes(workspace, task.attribute)
        own = np.isin(task.rows, answers.rows[answers.annotators == annotator_id])
        ordered = task.rows[np.argsort(own, kind="stable")]
        return _without_missing(workspace, ordered[~np.isin(ordered, _decided_rows(workspace, task.attribute))])
    wanted = _wanted(workspace, task, annotator_id)
    return wanted.rows[_free(workspace, task, wanted, annotator_id, moment)]


@one_flow
def left_for(workspace: Workspace, task: Task, annotator_id: int, *, moment: datetime | None = None) -> int:
    """Return how many images of ``task`` are left for an annotator, with the gold that they have and will have."""
    if task.purpose == ADJUDICATION:
        return len(rows_for(workspace, task, annotator_id))
    moment = moment or datetime.now(UTC)
    wanted, held = _wanted(workspace, task, annotator_id), _held(workspace, task, annotator_id, moment)
    return _to_answer(workspace, task, annotator_id, wanted, held) + _beyond(
        workspace, task, annotator_id, held, wanted, moment
    )


@one_flow
def held_by_others(workspace: Workspace, task: Task, annotator_id: int, *, moment: datetime | None = None) -> int:
    """Return how many images of ``task`` need this annotator but are with others."""
    wanted = _wanted(workspace, task, annotator_id)
    return int((~_free(workspace, task, wanted, annotator_id, moment)).sum())


@one_flow
def skipped(workspace: Workspace, task: Task, annotator_id: int) -> Rows:
    """Return the rows of ``task`` that would need this annotator had they not skipped them, skipped gold among them."""
    own = tasks.skipped_by(workspace, task.attribute, annotator_id)
    if not own:
        return task.rows[:0]
    agreed = tasks.labels_for(workspace, task)
    of_task = np.isin(task.rows, list(own))
    needed = task.rows[of_task & ~np.isin(task.rows, agreed.rows[complete(agreed)])]
    golden = _gold_beside(workspace, task, annotator_id, own, set(needed.tolist()))
    return _without_missing(workspace, np.concatenate([needed, np.array(golden, np.int64)]))


def _gold_beside(
    workspace: Workspace, task: Task, annotator_id: int, own: Collection[int], needed: Collection[int]
) -> list[int]:
    """Return the gold of ``task`` among what a person skipped, ``own``, that is offered again with what is ``needed``.

    Each goes with another image that they skipped in the assignment: it is offered as long as that one is, so that
    neither what is offered nor what is not tells gold.
    """
    found, asked, gone = list[int](), set(task.rows.tolist()), set(removed(workspace).rows.tolist())
    of = (task.attribute.id, annotator_id, task.purpose, task.source_id)
    for one in workspace.annotations.assignments_of(*of):
        beside = [row for row in one.rows if row in own and row in asked and row not in one.gold]
        golden = sorted(row for row in one.gold if row in own and row not in asked and row not in gone)
        for place, row in enumerate(golden):
            if not beside or beside[place % len(beside)] in needed:
                found.append(row)
    return list(dict.fromkeys(found))


def take_skips_back(workspace: Workspace, attribute: Attribute, annotator_id: int, rows: Rows) -> Mapping[int, str]:
    """Take back that a person skipped images, which are then among those that they are given.

    What they hold is given back, so that they are given these in an assignment of their own.

    Returns
    -------
    Mapping
        Row → the assignment in which it was skipped: what :func:`skip_again` takes.
    """
    taken = workspace.annotations.skips_of(attribute.id, annotator_id)
    back = {row: assignment_id for row, assignment_id in taken.items() if row in set(rows.tolist())}
    leases = workspace.leases.of(attribute.id, datetime.now(UTC))
    workspace.leases.give_back([one.assignment.id for one in leases if one.assignment.annotator_id == annotator_id])
    _record_of_each(workspace, back, WITHDRAWN, seen=SKIPPED)
    return back


def skip_again(workspace: Workspace, back: Mapping[int, str]) -> None:
    """Undo :func:`take_skips_back`, but where the person has answered since."""
    _record_of_each(workspace, back, SKIPPED, seen=WITHDRAWN)


def _record_of_each(workspace: Workspace, of: Mapping[int, str], answer: int, *, seen: int) -> None:
    for assignment_id in sorted(set(of.values())):
        rows = [row for row, belongs in of.items() if belongs == assignment_id]
        answers = [NewAnswer(uuid.uuid4().hex, row, answer, seen=seen) for row in rows]
        workspace.annotations.record(assignment_id, answers)


@one_flow
def terms_of(workspace: Workspace, assignment: Any, *, moment: datetime | None = None) -> Terms | None:
    """Return the terms under which answers to an assignment are stored now; None for one that gives no votes.

    ``assignment`` is an :class:`Assignment`, with or without its images.
    """
    if assignment.purpose not in TASK_PURPOSES:
        return None
    votes = None
    if assignment.purpose == "audit":
        votes = next((one.votes for one in workspace.snapshot.rows_with(db.audits.c.id, assignment.source_id)), None)
    elif assignment.purpose == "certification":
        votes = workspace.judging_redundancy
    required = _required(workspace, workspace.attributes.by_id(assignment.attribute_id), votes)
    lasts, tells_extra = timedelta(minutes=workspace.lease_minutes), gold.schedule(workspace) is None
    asks = partial(_asks, workspace, assignment)  # looked up where something is skipped
    return Terms(required, moment or datetime.now(UTC), lasts, tells_extra, asks)


def _asks(workspace: Workspace, assignment: Any) -> bool:
    """Return whether people are asked about the images of an assignment: no later round or audit has replaced it."""
    table = {"round": db.rounds, "audit": db.audits}.get(assignment.purpose)
    if table is None:
        return True
    same = workspace.snapshot.rows_with(table.c.attribute_id, assignment.attribute_id)
    return all(one.id <= assignment.source_id for one in same)


def _required(workspace: Workspace, attribute: Attribute, votes: int | None) -> Redundancy:
    """Return how many must agree on each image; ``votes`` on every image, unless that is None."""
    return Redundancy(
        votes or workspace.redundancy, votes or workspace.judging_redundancy, held_out_rows(workspace, attribute)
    )


def _wanted(workspace: Workspace, task: Task, annotator_id: int) -> Wanted:
    """Return the images that need this annotator and can be shown, whoever holds them; none for one who is paused."""
    if annotator_id in workspace.pauses.now():
        task = replace(task, rows=task.rows[:0])
    answers = tasks.votes(workspace, task.attribute)
    skips = tasks.skips(workspace, task.attribute)
    skipped = skips.get(annotator_id, set())
    own = np.isin(task.rows, [*tasks.answered_by(workspace, task.attribute, annotator_id), *skipped])
    agreed = tasks.labels_for(workspace, task)
    rows = task.rows[~own & ~np.isin(task.rows, agreed.rows[complete(agreed)])]
    rows = _without_missing(workspace, rows)
    answered, votes = np.unique(answers.rows[np.isin(answers.rows, rows)], return_counts=True)
    given = np.zeros(len(rows), np.int64)
    order = np.argsort(rows)
    given[order[np.searchsorted(rows[order], answered)]] = votes
    required = _required(workspace, task.attribute, task.votes).of(rows)
    return Wanted(rows, np.maximum(required, given + 1), answers, skips)


def _free(
    workspace: Workspace, task: Task, wanted: Wanted, annotator_id: int, moment: datetime | None
) -> NDArray[np.bool_]:
    held = workspace.leases.of(task.attribute.id, moment or datetime.now(UTC))
    return wanted.free(held, annotator_id)


def _held(workspace: Workspace, task: Task, annotator_id: int, moment: datetime) -> list[Assignment]:
    """Return the assignments of ``task`` that the annotator holds, the oldest first."""
    of = (annotator_id, task.purpose, task.source_id)
    held = (lease.assignment for lease in workspace.leases.of(task.attribute.id, moment))
    return [one for one in held if (one.annotator_id, one.purpose, one.source_id) == of]


def _renewed(
    workspace: Workspace, task: Task, annotator_id: int, wanted: Wanted, moment: datetime, lasts: timedelta
) -> list[Assignment]:
    """Return the annotator's newest assignment, leased anew, if all that is left of it needs them and is free.

    One of which they had skipped something is not: a page may still show it so.
    """
    last = workspace.annotations.last_assignment(task.attribute.id, annotator_id, task.purpose, task.source_id)
    if last is None:
        return []
    left = [row for row in last.rows if row not in _answers_in(workspace, task, annotator_id, last)]
    log = answer_log(workspace.engine, task.attribute.id, set_aside=True)
    ever_skipped = log.rows[(log.annotators == annotator_id) & (log.answers == SKIPPED)]
    among = np.isin(wanted.rows, [row for row in left if row not in last.gold])
    if not left or np.isin(left, ever_skipped).any() or among.sum() < len(set(left) - last.gold):
        return []
    of_it = replace(wanted, rows=wanted.rows[among], people=wanted.people[among])
    return [last] if workspace.leases.renew(last, of_it, moment=moment, lasts=lasts) else []


def _share(
    workspace: Workspace, task: Task, annotator_id: int, held: list[Assignment], wanted: Wanted, moment: datetime
) -> Share:
    """Return the share of an annotator who holds these assignments; removed images are left out."""
    in_task, gone = set(task.rows.tolist()), set(removed(workspace).rows.tolist())
    shown = [
        replace(one, rows=tuple(row for row in one.rows if row in in_task or (row in one.gold and row not in gone)))
        for one in held
    ]
    given, in_hand = tasks.answered_by(workspace, task.attribute, annotator_id), _asked_in(shown)
    return Share(
        assignments=tuple(shown),
        answers={row: said for one in shown for row, said in _answers_in(workspace, task, annotator_id, one).items()},
        before=len((given.keys() & in_task) - in_hand) + _gold_before(workspace, task, annotator_id, held),
        left=_beyond(workspace, task, annotator_id, held, wanted, moment),
    )


def _asked_in(held: Iterable[Assignment]) -> set[int]:
    """Return the images of assignments that the task asks about, which gold is not."""
    return {row for one in held for row in one.rows if row not in one.gold}


def _answers_in(workspace: Workspace, task: Task, annotator_id: int, assignment: Assignment) -> dict[int, int]:
    """Return row → the annotator's answer, for the images of an assignment that have one: as gold, or as a vote.

    Those that they skipped have -3.
    """
    votes = tasks.answered_by(workspace, task.attribute, annotator_id)
    golden = gold.answers_to_gold(workspace, task.attribute, annotator_id) if assignment.gold else {}
    found = {row: golden if row in assignment.gold else votes for row in assignment.rows}
    skipped = tasks.skipped_by(workspace, task.attribute, annotator_id)
    return {row: given[row] for row, given in found.items() if row in given} | {
        row: SKIPPED for row in assignment.rows if row in skipped
    }


def _to_answer(workspace: Workspace, task: Task, annotator_id: int, wanted: Wanted, held: Sequence[Assignment]) -> int:
    """Return how many images of held assignments wait for the annotator's answer."""
    golden = {row for one in held for row in one.gold} - set(removed(workspace).rows.tolist())
    if golden:
        golden -= gold.answers_to_gold(workspace, task.attribute, annotator_id).keys()
        golden -= tasks.skipped_by(workspace, task.attribute, annotator_id)
    return int(np.isin(wanted.rows, list(_asked_in(held))).sum()) + len(golden)


def _beyond(
    workspace: Workspace,
    task: Task,
    annotator_id: int,
    held: Sequence[Assignment],
    wanted: Wanted,
    moment: datetime,
) -> int:
    """Return how many images the annotator will be given after those of held assignments, with gold among them."""
    free = wanted.rows[_free(workspace, task, wanted, annotator_id, moment)]
    own = _rows_of(held)
    rows = np.setdiff1d(free, own)
    mixed = gold.mixture(workspace, task, annotator_id, wanted=wanted.rows, moment=moment)
    return len(rows) if mixed is None else len(mixed.into(rows.tolist(), but=set(own.tolist())))


def _gold_before(workspace: Workspace, task: Task, annotator_id: int, held: Sequence[Assignment]) -> int:
    """Return how many images of the annotator's earlier assignments of ``task`` they answered as gold."""
    golden = gold.answers_to_gold(workspace, task.attribute, annotator_id)
    if not golden:
        return 0
    of, in_hand = (task.attribute.id, annotator_id, task.purpose, task.source_id), {one.id for one in held}
    earlier = (one for one in workspace.annotations.assignments_of(*of) if one.id not in in_hand)
    return len(golden.keys() & {row for one in earlier for row in one.gold})


def _disputes_in_hand(workspace: Workspace, task: Task, annotator_id: int) -> Share | None:
    """Return the annotator's open assignment of disputed images, unless somebody else has decided some of them."""
    of = (task.attribute.id, annotator_id, task.purpose, task.source_id)
    rows, current = rows_for(workspace, task, annotator_id), workspace.annotations.open_assignment(*of)
    answered = {} if current is None else workspace.annotations.answered_rows(current.id)
    left: Rows = np.setdiff1d([] if current is None else current.rows, list(answered))
    if current is None or not np.isin(current.rows, task.rows).all() or not np.isin(left, rows).all():
        current, answered = _assign(workspace, task, annotator_id, rows), {}
    return None if current is None else Share((current,), answered)


def _assign(workspace: Workspace, task: Task, annotator_id: int, rows: Rows) -> Assignment | None:
    if not len(rows):
        return None
    return workspace.annotations.assign(
        task.attribute.id, annotator_id, rows.tolist(), purpose=task.purpose, source_id=task.source_id
    )


def _rows_of(held: Sequence[Assignment]) -> Rows:
    return np.array([row for one in held for row in one.rows], np.int64)


def _decided_rows(workspace: Workspace, attribute: Attribute) -> Rows:
    """Return the rows that need no adjudicator any more; those that judge need one whatever was answered directly."""
    agreed, blind = tasks.labels(workspace, attribute), tasks.blind_labels(workspace, attribute)
    judging = np.isin(agreed.rows, held_out_rows(workspace, attribute))
    return np.union1d(agreed.rows[agreed.decided & ~judging], blind.rows[blind.decided])


def _without_missing(workspace: Workspace, rows: Rows) -> Rows:
    return rows[~np.isin(rows, missing_images(workspace, rows))]
