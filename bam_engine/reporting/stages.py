"""The stages of an attribute's work, from its question to its report: which are done, which is next, which must wait.

In:  the state of an attribute and its next step. Out: the six stages in order, each with its standing and, where it has
to wait, the reason. Nothing here decides what is next: that is the next step's.
"""

from dataclasses import dataclass
from typing import Literal

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.reporting.overview import Step, next_step
from bam_engine.training import rounds
from bam_engine.training.rounds import AttributeState
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow

StageName = Literal["define", "validate", "rounds", "threshold", "audit", "report"]
Standing = Literal["done", "current", "open", "blocked"]

STAGES: tuple[StageName, ...] = ("define", "validate", "rounds", "threshold", "audit", "report")
"""The stages in order."""

_OF_STEP: dict[Step, StageName] = {
    "embed": "validate",
    "draw_validation": "validate",
    "label_validation": "validate",
    "start_round": "rounds",
    "label_round": "rounds",
    "train": "rounds",
    "diagnose": "rounds",
    "decide": "threshold",
    "audit": "audit",
    "done": "report",
}


@dataclass(frozen=True)
class Stage:
    """One stage of an attribute's work.

    ``standing`` is "done", "current" (the next step belongs to it), "open" (it can be worked on, and is not next) or
    "blocked"; ``reason`` says why it is blocked.
    """

    name: StageName
    standing: Standing
    reason: str = ""


@one_flow
def stages_of(workspace: Workspace, attribute: Attribute) -> tuple[Stage, ...]:
    """Return the stages of ``attribute`` with the encoder in use."""
    state = rounds.state(workspace, attribute)
    threshold, audit = current_threshold(workspace, attribute), audits.latest_result(workspace, attribute)
    return stages(
        state,
        next_step(workspace, state).step,
        in_use=threshold is not None and threshold.saved,
        audited=audit is not None and audit.complete,
    )


def stages(state: AttributeState, step: Step, *, in_use: bool = False, audited: bool = False) -> tuple[Stage, ...]:
    """Return the stages of an attribute in ``state`` whose next step is ``step``.

    Where an earlier stage comes up again, such as a validation sample that grew, a later one for which something was
    done stays open: only what cannot be worked on is blocked.

    Parameters
    ----------
    in_use
        Whether a threshold was chosen for the newest model.
    audited
        Whether the audit of that threshold is complete.
    """
    finished: set[StageName] = {"define"}
    if state.validation.complete:
        finished.add("validate")
    if step in ("decide", "audit", "done"):
        finished.add("rounds")
    if in_use:
        finished.add("threshold")
    if in_use and audited:
        finished.add("audit")
    if step == "done":
        finished.add("report")
    reasons = _reasons(state, step, in_use=in_use)
    return tuple(_stage(name, _OF_STEP[step], finished, reasons.get(name, "")) for name in STAGES)


def _stage(name: StageName, current: StageName, finished: set[StageName], reason: str) -> Stage:
    if reason:
        return Stage(name, "blocked", reason)
    if name == current and name not in finished:
        return Stage(name, "current")
    return Stage(name, "done" if name in finished else "open")


def _reasons(state: AttributeState, step: Step, *, in_use: bool) -> dict[StageName, str]:
    """Return why stages are blocked."""
    reasons: dict[StageName, str] = {}
    if step == "embed":
        reasons["validate"] = reasons["rounds"] = "The images have no vectors yet."
    elif not state.rounds and not state.validation.complete:
        reasons["rounds"] = "The validation sample has to be labelled first."
    if state.model is None:
        trained = "It has not been trained with the encoder in use." if state.rounds else "It has not been trained yet."
        reasons["threshold"] = trained
    if not in_use:
        reasons["audit"] = "A threshold has to be chosen first."
    return reasons
