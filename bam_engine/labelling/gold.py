"""Gold: images whose answer is known, mixed unmarked into assignments, to learn how well each person answers.

In:  labels that three people or a reviewer gave, and the schedule of the workspace. Out: what is mixed into the next
images of a person, and on what share of their gold each person was right, with exact intervals. An answer to gold is
evidence about its annotator. It is no vote, teaches nothing and changes no progress.

Right is what the image's label says today: where a label changes, or is known no more, earlier answers to it are
judged anew, or not at all. *Unsure* is not right; what is skipped is not judged.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import (
    DIRECT,
    EXTRA,
    GOLD,
    NO_LABEL,
    SKIPPED,
    TASK_PURPOSES,
    UNSURE,
    WITHDRAWN,
    Answers,
    Attribute,
    readable,
)
from bam_engine.annotation.answer_log import AttributeLog, answer_log
from bam_engine.annotation.mixing import Mixture, Schedule
from bam_engine.database import log_activity, put_setting, read_setting
from bam_engine.errors import BamError
from bam_engine.formatting import count, percent
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.labelling.guideline_examples import example_rows
from bam_engine.labelling.measures import Measure, undefined
from bam_engine.labelling.missing_images import missing_images
from bam_engine.labelling.tasks import Task
from bam_engine.learning import clopper_pearson
from bam_engine.team import Role
from bam_engine.team.permissions import check_acting
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import removed
from bam_engine.workspace.memory import Kind

Rows = NDArray[np.int64]

ENOUGH = 20
"""How many known images an attribute needs before any are mixed in: fewer would be recognised."""

PEOPLE = 3
"""How many people make an answer known, where no reviewer does."""

STEP = 20
"""People see how they did on gold after every so many, so that no single answer tells whether it was to gold."""

_SETTING = "gold"
_AT_HAND = 200  # gold images that may be mixed into what is left for a person


@dataclass(frozen=True, eq=False)
class KnownImages:
    """Images whose answer is known: ``rows`` (n,), ascending, and ``labels`` int8 (n,), 1 or 0."""

    rows: Rows
    labels: NDArray[np.int8]

    def labels_of(self, rows: Rows) -> NDArray[np.int8]:
        """Return the label of each of ``rows``, -1 (``NO_LABEL``) where it is not known."""
        return tasks.values_at(self.rows, self.labels, rows)


_KNOWN = Kind[KnownImages](
    "images whose answer is known",
    of="attribute",
    until="its next answer, other votes required, another role or example",
    limit=200,
)


@dataclass(frozen=True)
class GoldAccuracy:
    """On what share of gold about an attribute a person was right: of all, of what is yes, and of what is no."""

    attribute: str
    right: Measure
    right_on_yes: Measure
    right_on_no: Measure

    @property
    def text(self) -> str:
        """The figures in a sentence."""
        classes = [
            f"{each.text} of {each.n:,} that are {word}"
            for word, each in (("yes", self.right_on_yes), ("no", self.right_on_no))
            if each.value is not None
        ]
        return (
            f"“{readable(self.attribute)}”: right on {self.right.text} of {count(self.right.n, 'gold image')}: "
            f"{', '.join(classes)}."
        )


@dataclass(frozen=True)
class GoldState:
    """Of how many images of an attribute the answer is ``known``: gold takes 20."""

    attribute: Attribute
    known: int

    @property
    def text(self) -> str:
        """What there is, and what to do where it is too little."""
        if self.known >= ENOUGH:
            return f"the answer to {count(self.known, 'image')} is known"
        return (
            f"the answer to {self.known} of {ENOUGH} images is known: none are mixed in yet. Have a reviewer or an "
            f"owner label {count(ENOUGH - self.known, 'more image', 'more images')}, or {PEOPLE} people the same ones."
        )


# The schedule


def schedule(workspace: Workspace) -> Schedule | None:
    """Return the schedule by which gold is mixed in; None, as in a new workspace, for no gold."""
    stored = read_setting(workspace.engine, _SETTING)
    return None if stored is None else Schedule(**stored["shares"])


def set_schedule(workspace: Workspace, wanted: Schedule | None) -> None:
    """Mix gold in by a schedule from the next assignment on, or no more; what is in hand stays as it is.

    Raises
    ------
    BamError
        A share is not from 0 to 0.9, or whoever does it is no owner.
    """
    check_acting(workspace.engine, Role.OWNER)
    for share in () if wanted is None else asdict(wanted).values():
        if not 0 <= share <= 0.9:
            raise BamError(f"Cannot mix in {percent(share)} of gold. Choose shares from 0% to 90%.")
    value = None if wanted is None else {"shares": asdict(wanted), "secret": secrets.randbits(62)}
    with workspace.engine.begin() as connection:
        put_setting(connection, _SETTING, value)
        log_activity(connection, "changed gold", "none is mixed in" if wanted is None else in_words(wanted))


def in_words(wanted: Schedule) -> str:
    """Return a schedule in words."""
    return (
        f"{percent(wanted.first)} of the first 10 images, {percent(wanted.following)} of the next 40, "
        f"{percent(wanted.later)} of all later ones"
    )


def states(workspace: Workspace) -> list[GoldState]:
    """Return how many images of each attribute have a known answer."""
    return [GoldState(each, len(known_images(workspace, each).rows)) for each in workspace.attributes.all()]


# What is mixed in


@one_flow
def known_images(workspace: Workspace, attribute: Attribute) -> KnownImages:
    """Return the images whose label three people or a reviewer gave: by votes, by a decision or by a direct answer.

    Imported labels and direct answers of annotators make nothing known. The examples of the guidelines are left out:
    everybody has seen them.
    """
    examples = example_rows(workspace, attribute)
    version = (
        answer_log(workspace.engine, attribute.id),
        workspace.redundancy,
        workspace.judging_redundancy,
        len(held_out_rows(workspace, attribute)),
        workspace.snapshot.version(db.accounts),
        examples.tobytes(),
    )
    return workspace.memory.get(_KNOWN, attribute.id, version, lambda: _known(workspace, attribute, examples))


def _known(workspace: Workspace, attribute: Attribute, examples: Rows) -> KnownImages:
    agreed = tasks.labels(workspace, attribute)
    settled = agreed.settled & ~np.isin(agreed.rows, examples)
    rows, labels = agreed.rows[settled], agreed.labels[settled]
    reviewers = [one.annotator_id for one in workspace.team.accounts.all() if one.role >= Role.REVIEWER]
    votes = workspace.annotations.answers(attribute.id, purposes=TASK_PURPOSES)
    direct = workspace.annotations.answers(attribute.id, purposes=[DIRECT])
    decisions = workspace.annotations.decisions(attribute.id)
    simulated = [one.id for one in workspace.annotators.all() if one.simulated]
    answered, number = np.unique(_agreeing(_by(votes, simulated, invert=True), rows, labels), return_counts=True)
    by = [
        answered[number >= PEOPLE],
        _agreeing(Answers(decisions.rows, decisions.annotators, decisions.answers), rows, labels),
    ]
    by += [_agreeing(_by(given, reviewers), rows, labels) for given in (votes, direct)]
    gold = np.isin(rows, np.concatenate(by))
    return KnownImages(rows[gold], labels[gold])


def _by(given: Answers, annotators: Sequence[int], *, invert: bool = False) -> Answers:
    """Return the answers of these annotators, or of all others."""
    theirs = np.isin(given.annotators, annotators, invert=invert)
    return Answers(given.rows[theirs], given.annotators[theirs], given.answers[theirs])


def _agreeing(given: Answers, rows: Rows, labels: NDArray[np.int8]) -> Rows:
    """Return the row of each of the ``given`` answers that is the label of its image."""
    label = tasks.values_at(rows, labels, given.rows)
    agreeing: Rows = given.rows[(label != NO_LABEL) & (label == given.answers)]
    return agreeing


def mixture(workspace: Workspace, task: Task, annotator_id: int, *, wanted: Rows, moment: datetime) -> Mixture | None:
    """Return what is mixed into the next images of a person; None without gold, or with too few known images.

    Nobody is given gold that they have answered or skipped, as gold or otherwise, or that the task asks them about. Yes
    and no come about equally often, as far as there are both. Gold that they skipped, and asked to see again, comes
    among what else they did; with that, none is new, or it would stand out.

    Parameters
    ----------
    wanted
        The images of the task that need this person.
    moment
        Now. The images that they hold then, for this task or another about the attribute, come before these, and so do
        all that they have ever answered: an answer, given or taken back, moves no place.
    """
    log = answer_log(workspace.engine, task.attribute.id, set_aside=True)
    own = log.annotators == annotator_id
    skipped = log.rows[own & (log.answers == SKIPPED)]
    again = _taken_back(workspace, task, annotator_id, log, np.setdiff1d(skipped, wanted)) if len(skipped) else []
    if again or np.isin(wanted, skipped).any():
        return Mixture((), Schedule(), 0, (), again)
    stored = read_setting(workspace.engine, _SETTING)
    if stored is None or len((known := known_images(workspace, task.attribute)).rows) < ENOUGH:
        return None
    unseen = ~np.isin(known.rows, log.rows[own]) & ~np.isin(known.rows, wanted)
    rows = _by_turns(known.rows[unseen], known.labels[unseen])[:_AT_HAND]
    rows = rows[~np.isin(rows, missing_images(workspace, rows))]
    given = set(log.rows[own & log.given_for((*TASK_PURPOSES, EXTRA, GOLD))].tolist())
    for lease in workspace.leases.of(task.attribute.id, moment):
        given.update(lease.assignment.rows if lease.assignment.annotator_id == annotator_id else ())
    seed = (stored["secret"], task.attribute.id, annotator_id)
    return Mixture(rows.tolist(), Schedule(**stored["shares"]), len(given), seed)


def _taken_back(workspace: Workspace, task: Task, annotator_id: int, log: AttributeLog, skipped: Rows) -> list[int]:
    """Return the gold of ``task`` that a person ``skipped`` and asked to see again, and has not answered since."""
    last = {}
    for place in np.flatnonzero((log.annotators == annotator_id) & np.isin(log.rows, skipped)).tolist():
        last[int(log.rows[place])] = int(log.answers[place])
    waiting = {row for row, answer in last.items() if answer == WITHDRAWN}
    if not waiting:
        return []
    of = (task.attribute.id, annotator_id, task.purpose, task.source_id)
    golden = {row for one in workspace.annotations.assignments_of(*of) for row in one.gold}
    rows = np.setdiff1d(list(waiting & golden), [*removed(workspace).rows, *task.rows]).astype(np.int64)
    found: list[int] = rows[~np.isin(rows, missing_images(workspace, rows))].tolist()
    return found


def _by_turns(rows: Rows, labels: NDArray[np.int8]) -> Rows:
    """Return the rows at random, yes and no by turns as long as there are both."""
    rng = np.random.default_rng()
    turn = rng.random(len(rows))
    for label in (0, 1):
        ones = np.flatnonzero(labels == label)
        turn[ones] += rng.permutation(len(ones))
    return rows[np.argsort(turn)]


def answers_to_gold(
    workspace: Workspace, attribute: Attribute, annotator_id: int, *, set_aside: bool = True
) -> dict[int, int]:
    """Return row → the answer that a person gave to it as gold; without ``set_aside`` those that count alone."""
    given = answer_log(workspace.engine, attribute.id, set_aside=set_aside).votes([GOLD])
    own = given.annotators == annotator_id
    return dict(zip(given.rows[own].tolist(), given.answers[own].tolist(), strict=True))


# How well people answer


@dataclass(frozen=True, eq=False)
class _Judged:
    """Answers to gold that are judged: whose, what is right, and whether they are."""

    annotators: NDArray[np.int64]
    labels: NDArray[np.int8]
    right: NDArray[np.bool_]


def _judged(workspace: Workspace, attribute: Attribute) -> _Judged:
    """Judge the answers to gold by today's labels, but no answer of somebody who also answered the image otherwise."""
    log = answer_log(workspace.engine, attribute.id)
    to_gold = log.given_for([GOLD])
    places = log.newest(np.flatnonzero(to_gold))
    labels = known_images(workspace, attribute).labels_of(log.rows[places].astype(np.int64))
    otherwise = set(zip(log.rows[~to_gold].tolist(), log.annotators[~to_gold].tolist(), strict=True))
    who = zip(log.rows[places].tolist(), log.annotators[places].tolist(), strict=True)
    kept = (labels != NO_LABEL) & np.array([one not in otherwise for one in who], bool)
    places, labels = places[kept], labels[kept]
    return _Judged(log.annotators[places].astype(np.int64), labels, log.answers[places] == labels)


@one_flow
def right_on_gold(
    workspace: Workspace, since: Mapping[int, int], annotator_id: int | None = None
) -> dict[int, tuple[int, int]]:
    """Return on how many images of gold each person was right when they first answered, and of how many; by id.

    It is of all attributes together, without those who have none. Unlike on their card, nothing that they answer later
    changes it, nor that answers are set aside: neither clears a record.

    Parameters
    ----------
    since
        For people of whom only images count that they first answered later: after which annotation.
    annotator_id
        The one person to return; None for everybody, in one pass over the answers.
    """
    right, judged = Counter[int](), Counter[int]()
    for attribute in workspace.attributes.all():
        log = answer_log(workspace.engine, attribute.id, set_aside=True)
        to_gold, among = log.given_for([GOLD]), np.ones(len(log), bool)
        if annotator_id is not None:
            among = log.annotators == annotator_id
        given = np.flatnonzero(among & to_gold & (log.answers >= UNSURE))
        if not len(given):
            continue
        others = np.flatnonzero(among & ~to_gold & np.isin(log.rows, log.rows[given]))
        keys, first = np.unique(_keys(log, given), return_index=True)
        places = given[first]
        before = _seen_before(keys, log.ids[places], _keys(log, others), log.ids[others])
        labels = known_images(workspace, attribute).labels_of(log.rows[places].astype(np.int64))
        kept = (labels != NO_LABEL) & ~before
        people = log.annotators[places]
        for one, last in since.items():
            kept &= (people != one) | (log.ids[places] > last)
        right.update(people[kept & (log.answers[places] == labels)].tolist())
        judged.update(people[kept].tolist())
    return {who: (right[who], n) for who, n in judged.items()}


def _keys(log: AttributeLog, places: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return one number for each (row, annotator) of the answers at ``places``."""
    return log.rows[places].astype(np.int64) << 32 | log.annotators[places].astype(np.int64)


def _seen_before(
    keys: NDArray[np.int64], ids: NDArray[np.int64], others: NDArray[np.int64], other_ids: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which of ``keys``, unique and with an id each, occur among ``others`` with a lower id, bool (n,)."""
    seen, first = np.unique(others, return_index=True)  # the lowest id of each: they ascend
    result = np.isin(keys, seen)
    result[result] = other_ids[first][np.searchsorted(seen, keys[result])] < ids[result]
    return result


@one_flow
def accuracies(workspace: Workspace) -> dict[int, list[GoldAccuracy]]:
    """Return how each person did on gold, by id, in the order of the attributes; nobody without any."""
    result: dict[int, list[GoldAccuracy]] = defaultdict(list)
    for attribute in workspace.attributes.all():
        judged = _judged(workspace, attribute)
        for who in np.unique(judged.annotators).tolist():
            own = judged.annotators == who
            shares = [_share(judged.right[own & among]) for among in (True, judged.labels == 1, judged.labels == 0)]
            result[who].append(GoldAccuracy(attribute.name, *shares))
    return dict(result)


@one_flow
def own_accuracy(workspace: Workspace, annotator_id: int) -> Measure:
    """Return on what share of all their gold a person was right, of the first 20, 40, … of their first answers to it.

    An answer that is changed or taken back later changes nothing here: it would tell whether it was to gold.
    """
    own: list[tuple[int, bool]] = []
    for attribute in workspace.attributes.all():
        log, known = answer_log(workspace.engine, attribute.id), known_images(workspace, attribute)
        places = np.flatnonzero(log.given_for([GOLD]) & (log.annotators == annotator_id) & (log.answers >= UNSURE))
        rows, first = np.unique(log.rows[places], return_index=True)
        labels, places = known.labels_of(rows.astype(np.int64)), places[first]
        places, labels = places[labels != NO_LABEL], labels[labels != NO_LABEL]
        own += zip(log.ids[places].tolist(), (log.answers[places] == labels).tolist(), strict=True)
    shown = sorted(own)[: len(own) // STEP * STEP]
    return _share(np.array([right for _, right in shown], bool))


def coarse(workspace: Workspace, number: int) -> int:
    """Return a number of answers as its person is told: in tens, where it could tell which of them were to gold."""
    return number if schedule(workspace) is None else number - number % 10


def share(right: int, judged: int) -> Measure:
    """Return a share with its exact interval; undefined of nothing."""
    if not judged:
        return undefined("There is no answer to gold to judge.", 0)
    limits = clopper_pearson(right, judged)
    return Measure(right / judged, limits.low, limits.high, judged)


def _share(right: NDArray[np.bool_]) -> Measure:
    return share(int(right.sum()), len(right))
