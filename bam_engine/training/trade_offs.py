"""What a target precision costs: its threshold, what that delivers, and the labels that are still needed."""

from dataclasses import dataclass

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.learning import Threshold
from bam_engine.training import certification, certification_store
from bam_engine.training.delivered import delivered_at, not_covered
from bam_engine.training.evaluation_set import evidence_version
from bam_engine.training.models import newest_model
from bam_engine.training.thresholds import current_threshold, suggest
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.memory import Kind

TARGETS = (0.90, 0.95, 0.99)
"""The precisions that are compared."""


@dataclass(frozen=True)
class TradeOff:
    """What a target precision costs.

    ``threshold`` is None where no cut reaches the target. ``accepted`` images would be delivered, ``by_classifier``
    without a label; of the threshold in use, the evidence is not about ``not_covered`` of these. About ``needed`` more
    labels would certify it: 0 where it is certified or all is labelled, None where that cannot be told or no number
    would do.
    """

    target: float
    threshold: Threshold | None
    accepted: int = 0
    by_classifier: int = 0
    not_covered: int = 0
    needed: int | None = None

    @property
    def standing(self) -> str:
        """What stands behind it, in two or three words."""
        if self.threshold is None:
            return "not reached"
        if self.threshold.certified:
            return f"certified, {self.not_covered:,} not covered" if self.not_covered else "certified"
        return "not certified" if self.by_classifier else "all labelled by people"


_TRADE_OFFS = Kind[tuple[TradeOff, ...]](
    "trade-offs of targets",
    of="attribute and confidence",
    until="a label, a score, a threshold or a file changes",
    limit=200,
)


@one_flow
def trade_offs(
    workspace: Workspace, attribute: Attribute, *, targets: tuple[float, ...] = TARGETS, confidence: float = 0.95
) -> tuple[TradeOff, ...]:
    """Return what each of the ``targets`` costs with the newest model.

    Raises
    ------
    LearningError
        There is no model yet.
    """
    model = newest_model(workspace, attribute)
    version = (evidence_version(workspace, attribute, model), workspace.snapshot.version(db.thresholds))

    def make() -> tuple[TradeOff, ...]:
        return tuple(_trade_off(workspace, attribute, target, confidence) for target in targets)

    return workspace.memory.get(_TRADE_OFFS, (attribute.id, targets, confidence), version, make)


def _trade_off(workspace: Workspace, attribute: Attribute, target: float, confidence: float) -> TradeOff:
    try:
        threshold = suggest(workspace, attribute, target=target, confidence=confidence)
    except LearningError:
        return TradeOff(target, None)
    counts = delivered_at(workspace, attribute, threshold.value).counts
    needed = (
        0 if threshold.certified or counts.exhausted else _needed(workspace, attribute, threshold, counts.by_classifier)
    )
    uncovered = _not_covered(workspace, attribute, threshold)
    return TradeOff(target, threshold, counts.accepted, counts.by_classifier, uncovered, needed)


def _not_covered(workspace: Workspace, attribute: Attribute, threshold: Threshold) -> int:
    """Return how many images that the threshold delivers came after its evidence, where it is the one in use."""
    used = current_threshold(workspace, attribute)
    same = used is not None and (used.value, used.evidence.target) == (threshold.value, threshold.target)
    return int(not_covered(workspace, attribute).sum()) if same else 0


def _needed(workspace: Workspace, attribute: Attribute, threshold: Threshold, left: int) -> int | None:
    """Return about how many more labels would certify a threshold, of the ``left`` images that have none.

    What is started is asked first.
    """
    target, confidence = threshold.target, threshold.confidence
    started = certification_store.current(workspace, attribute, target=target, confidence=confidence)
    if started is not None:
        progress = certification.state(workspace, started).progress
        return None if progress is None else progress.labels_needed
    needed = learning.labels_to_certify(threshold.precision, target, confidence)
    if needed is None:
        return None
    return min(max(1, needed - threshold.n_accepted_sample), left)
