"""Pausing people: by an owner, or by a rule about how well they answer gold; and letting them go on.

In:  the rule of the workspace, if it has one, and answers to gold. Out: who is paused. The rule is applied when
somebody asks for images, never at an answer, which would tell that it was to gold. It decides by a limit that holds
however often it is looked at, so that bad luck pauses nobody.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from bam_engine.annotation import Annotator
from bam_engine.annotation.pauses import Pause
from bam_engine.database import log_activity, put_setting, read_only, read_setting
from bam_engine.errors import BamError
from bam_engine.formatting import count, percent, percent_at_most
from bam_engine.labelling import gold
from bam_engine.labelling.measures import Measure
from bam_engine.learning import upper_bound_at_any_time
from bam_engine.team import Role
from bam_engine.team.permissions import check_acting
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow

CONFIDENCE = 0.95
"""Of the limit: whose every answer is right with the chance that the rule asks is ever paused with 1 less this."""

MAX_REASON = 500
"""Characters of a reason."""

_SETTING = "pause_rule"


@dataclass(frozen=True)
class PauseRule:
    """Who is paused: after ``after`` images of gold, whoever is surely right on less than the share ``below`` of it."""

    after: int = 20
    below: float = 0.7

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            f"after {count(self.after, 'gold image')}, whoever is right on less than {percent(self.below)} of them, "
            f"with {percent(CONFIDENCE)} confidence, is paused"
        )


@dataclass(frozen=True)
class OnGold:
    """How a person answered gold, of all attributes together, since they last could go on after a pause.

    ``right`` has the exact interval of one look; ``at_most`` is the limit that decides, which holds at every look.
    """

    right: Measure
    at_most: float

    def falls_below(self, rule: PauseRule) -> bool:
        """Return whether the rule pauses this person."""
        return self.right.n >= rule.after and self.at_most < rule.below

    @property
    def text(self) -> str:
        """The figures in words."""
        return (
            f"right on {self.right.text} of {count(self.right.n, 'gold image')}, on at most "
            f"{percent_at_most(self.at_most)} with {percent(CONFIDENCE)} confidence however often one looks"
        )


def rule(workspace: Workspace) -> PauseRule | None:
    """Return the rule by which people are paused; None, as in a new workspace, where there is none."""
    stored = read_setting(workspace.engine, _SETTING)
    return None if stored is None else PauseRule(**stored)


def set_rule(workspace: Workspace, wanted: PauseRule | None) -> None:
    """Pause people by a rule from now on, each when they next ask for images, or by none; who is paused stays so.

    Raises
    ------
    BamError
        The number or the share makes no sense, or whoever does it is no owner.
    """
    check_acting(workspace.engine, Role.OWNER)
    if wanted is not None and not 1 <= wanted.after <= 10_000:
        raise BamError(f"Cannot judge people after {wanted.after:,} gold images. Choose a number from 1 to 10,000.")
    if wanted is not None and not 0 < wanted.below < 1:
        raise BamError(f"Cannot ask for {percent(wanted.below)} of right answers. Choose a share between 0% and 100%.")
    with workspace.engine.begin() as connection:
        put_setting(connection, _SETTING, None if wanted is None else asdict(wanted))
        log_activity(connection, "changed the rule of pauses", "none" if wanted is None else wanted.text)


@one_flow
def on_gold(workspace: Workspace, annotator_id: int) -> OnGold:
    """Return how a person answered gold since they last could go on."""
    found = gold.right_on_gold(workspace, _since(workspace), annotator_id)
    return _figures({annotator_id: found.get(annotator_id, (0, 0))})[annotator_id]


@one_flow
def falling_below(workspace: Workspace, wanted: PauseRule | None) -> dict[int, OnGold]:
    """Return whom a rule pauses when they next ask for images, and by which figures, by id."""
    if wanted is None:
        return {}
    paused = workspace.pauses.now()
    people = [one.id for one in workspace.annotators.all() if not one.simulated and one.id not in paused]
    found = gold.right_on_gold(workspace, _since(workspace))
    figures = _figures({who: found[who] for who in people if who in found})
    return {who: one for who, one in figures.items() if one.falls_below(wanted)}


def _since(workspace: Workspace) -> dict[int, int]:
    """Return after which annotation each person who was paused could go on."""
    lasts = workspace.pauses.lasts()
    return {who: one.resumed_after for who, one in lasts.items() if one.resumed_after is not None}


def _figures(found: Mapping[int, tuple[int, int]]) -> dict[int, OnGold]:
    """Return the figures of people of whom it is known on how many images of gold they were right, and of how many."""
    right, judged = (np.array(column, np.int64) for column in zip(*found.values(), strict=True)) if found else ((), ())
    limits = upper_bound_at_any_time(right, judged, CONFIDENCE)
    return {
        who: OnGold(gold.share(*counts), float(limit))
        for (who, counts), limit in zip(found.items(), limits, strict=True)
    }


def pause_of(workspace: Workspace, annotator_id: int) -> Pause | None:
    """Return the pause of a person, whom the rule pauses now if they fall below it; None for who may go on."""
    standing, wanted = workspace.pauses.last(annotator_id), rule(workspace)
    if standing is not None and standing.resumed_after is None:
        return standing
    if wanted is None or read_only(workspace.engine):
        return None
    figures = on_gold(workspace, annotator_id)
    if not figures.falls_below(wanted):
        return None
    reason = f"{figures.text}; the rule asks for {percent(wanted.below)}"
    return workspace.pauses.pause(annotator_id, reason, by_rule=True)


def pause(workspace: Workspace, annotator: Annotator, reason: str = "") -> Pause:
    """Pause a person: they are given no images, and what they hold is given back; their answers count as before.

    Parameters
    ----------
    reason
        What the person is told.

    Raises
    ------
    BamError
        The person is simulated, the reason is too long, or whoever does it is no owner.
    """
    check_acting(workspace.engine, Role.OWNER)
    words = " ".join(reason.split())
    if len(words) > MAX_REASON:
        raise BamError(f"This reason has {len(words):,} characters. Use at most {MAX_REASON}.")
    if annotator.simulated:
        raise BamError(f"{annotator.name} is simulated and is not paused. Archive them instead.")
    return workspace.pauses.pause(annotator.id, words)


def resume(workspace: Workspace, annotator: Annotator) -> None:
    """Let a person go on. The rule then looks at the gold that they answer from now on, and at none before.

    Raises
    ------
    BamError
        Whoever does it is no owner.
    """
    check_acting(workspace.engine, Role.OWNER)
    workspace.pauses.resume(annotator.id)


def put_back(workspace: Workspace, annotator: Annotator, before: Pause | None) -> None:
    """Undo that a person was paused or let go on: their last pause is again ``before``, or none."""
    check_acting(workspace.engine, Role.OWNER)
    workspace.pauses.put_back(annotator.id, before)
