"""The stages of an attribute's work, from its question to its report: which are done, which is next, which must wait.

In:  what is known of an attribute, and its next step. Out: the six stages in order, each with its standing and, where
it has to wait, the reason. Nothing here decides what is next: that is the guidance's.
"""

from dataclasses import dataclass
from typing import Literal

from bam_engine.annotation import Attribute
from bam_engine.guidance.facts import Facts
from bam_engine.guidance.guidance import guidance_of
from bam_engine.guidance.rules import Step
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow

StageName = Literal["define", "validate", "rounds", "threshold", "audit", "report"]
Standing = Literal["done", "current", "open", "blocked"]

STAGES: tuple[StageName, ...] = ("define", "validate", "rounds", "threshold", "audit", "report")
"""The stages in order."""

_OF_STEP: dict[Step, StageName] = {
    "add_images": "validate",
    "embed": "validate",
    "draw_validation": "validate",
    "label_validation": "validate",
    "start_round": "rounds",
    "label_round": "rounds",
    "train": "rounds",
    "diagnose": "rounds",
    "decide": "threshold",
    "certify": "threshold",
    "label_certification": "threshold",
    "label_extension": "threshold",
    "extend": "threshold",
    "audit": "audit",
    "label_audit": "audit",
    "measure_recall": "threshold",
    "label_recall": "threshold",
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
    guidance = guidance_of(workspace, attribute)
    return stages(guidance.facts or Facts(), guidance.step)


def stages(facts: Facts, step: Step) -> tuple[Stage, ...]:
    """Return the stages of an attribute of which ``facts`` are known and whose next step is ``step``.

    Where an earlier stage comes up again, such as a validation sample that grew, a later one for which something was
    done stays open: only what cannot be worked on is blocked.
    """
    finished: set[StageName] = {"define"}
    if facts.validation.total and not facts.validation.left:
        finished.add("validate")
    if _OF_STEP[step] in ("threshold", "audit", "report"):
        finished.add("rounds")
    if facts.saved:
        finished.add("threshold")
    if facts.saved and ((facts.audit is not None and facts.audit.complete) or step == "done"):
        finished.add("audit")
    if step == "done":
        finished.add("report")
    else:
        finished.discard(_OF_STEP[step])  # it comes up again
    reasons = _reasons(facts, step)
    return tuple(_stage(name, _OF_STEP[step], finished, reasons.get(name, "")) for name in STAGES)


def _stage(name: StageName, current: StageName, finished: set[StageName], reason: str) -> Stage:
    if reason:
        return Stage(name, "blocked", reason)
    if name == current and name not in finished:
        return Stage(name, "current")
    return Stage(name, "done" if name in finished else "open")


def _reasons(facts: Facts, step: Step) -> dict[StageName, str]:
    """Return why stages are blocked."""
    reasons: dict[StageName, str] = {}
    if step == "embed":
        reasons["validate"] = reasons["rounds"] = "The images have no vectors yet."
    elif not facts.round and (not facts.validation.total or facts.validation.left):
        reasons["rounds"] = "The validation sample has to be labelled first."
    if not facts.model:
        reasons["threshold"] = f"It has not been trained {'with the encoder in use' if facts.elsewhere else 'yet'}."
    if not facts.saved:
        reasons["audit"] = "A threshold has to be chosen first."
    return reasons
