"""What one annotator did, how well it agrees with others, and what is left for them.

In:  the name of an annotator. Out: their own figures alone, of nobody else: there is no ranking.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import ADJUDICATION, BULK, DIRECT, EXTRA, GOLD, TASK_PURPOSES, Attribute
from bam_engine.annotation.answer_log import answer_log
from bam_engine.labelling import gold
from bam_engine.labelling.accepted import accepted_answers
from bam_engine.labelling.measures import Measure, undefined
from bam_engine.labelling.with_others import compared
from bam_engine.reporting.overview import waiting_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow

_KINDS = (TASK_PURPOSES, (ADJUDICATION,), (DIRECT,), (BULK,), (EXTRA,), (GOLD,))
"""The purposes of answers of which each replaces the one before of its kind, and of no other."""


@dataclass(frozen=True)
class OwnAttribute:
    """One annotator's work on an attribute.

    ``images`` have an answer of theirs, ``by_day`` counts them by the day (UTC) on which they last answered each.
    ``accepted`` answers agree with the label, and their first ones did
    (:func:`bam_engine.labelling.accepted.accepted_answers`), told in tens where gold is mixed in. ``agreement`` is how
    often they say what most others say, their own vote left out; where gold is mixed in, nothing is told of it, since
    the number of images would tell which of them are gold. ``left`` images wait for their answer.
    """

    attribute: Attribute
    images: int
    by_day: Mapping[date, int]
    accepted: int
    agreement: Measure
    left: int


@dataclass(frozen=True)
class OwnWork:
    """One annotator's work: the attributes that they answered or that wait for them, in order of definition.

    ``gold`` is on what share of gold they were right, told after every 20 of it.
    """

    annotator: str
    attributes: tuple[OwnAttribute, ...]
    gold: Measure

    @property
    def accepted(self) -> int:
        """The accepted answers, of all attributes together."""
        return sum(one.accepted for one in self.attributes)

    @property
    def days(self) -> tuple[date, ...]:
        """The days on which they answered, the newest first."""
        return tuple(sorted({day for one in self.attributes for day in one.by_day}, reverse=True))


@one_flow
def own_work(workspace: Workspace, annotator: str) -> OwnWork:
    """Return the work of an annotator; one who has not answered yet has none, and what is left for them."""
    known = workspace.annotators.find(annotator)
    annotator_id = -1 if known is None else known.id
    left = dict(waiting_of(workspace, annotator).attributes)
    found = []
    for attribute in workspace.attributes.all():
        days = _days(workspace, attribute, annotator_id)
        if not len(days) and attribute.name not in left:
            continue
        found.append(
            OwnAttribute(
                attribute=attribute,
                images=len(days),
                by_day=Counter(days.tolist()),
                accepted=gold.coarse(workspace, accepted_answers(workspace, attribute)[annotator_id]),
                agreement=_agreement(workspace, attribute, annotator_id),
                left=left.get(attribute.name, 0),
            )
        )
    return OwnWork(annotator, tuple(found), gold.own_accuracy(workspace, annotator_id))


def _agreement(workspace: Workspace, attribute: Attribute, annotator_id: int) -> Measure:
    if gold.schedule(workspace) is not None:
        return undefined("It is told where no gold is mixed in.", 0)
    found = compared(workspace, attribute).get(annotator_id)
    return undefined("Nobody else has answered the same images.", 0) if found is None else found.agreement


def _days(workspace: Workspace, attribute: Attribute, annotator_id: int) -> NDArray[np.datetime64]:
    """Return the day of the newest standing answer of an annotator to each image that has one."""
    log = answer_log(workspace.engine, attribute.id)
    own = log.annotators == annotator_id
    standing = np.concatenate([log.newest(np.flatnonzero(own & log.given_for(kind))) for kind in _KINDS])
    latest_first = np.sort(standing)[::-1]
    newest = latest_first[np.unique(log.rows[latest_first], return_index=True)[1]]
    days: NDArray[np.datetime64] = log.times[newest].astype("datetime64[D]")
    return days
