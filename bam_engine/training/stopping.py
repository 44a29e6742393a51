"""When to stop: the change that the last round brought, and whether another is likely to help.

Wires the cached scores of successive models and the validation labels to :mod:`bam_engine.learning.stopping`.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.labelling.label_states import label_version
from bam_engine.learning import Advice, Change
from bam_engine.training.models import TrainedModel, models, scores_of
from bam_engine.training.validation import random_sample
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

_ROUNDS = 2  # that the advice considers


@dataclass(frozen=True)
class LastRound:
    """The change that the last round brought, or None and the reason; and advice about another round."""

    change: Change | None
    problem: str
    advice: Advice


_LAST_ROUNDS = Kind[LastRound](
    "changes by the last round", of="attribute", until="a label or model changes", limit=1000
)


def last_round(workspace: Workspace, attribute: Attribute) -> LastRound | None:
    """Return the change from the previous round's model to the newest; None before the second training.

    Both models are measured on the validation set as it is labelled now. The result is cached until a label or a model
    changes.
    """
    newest = {model.round_id: model for model in models(workspace, attribute)}  # of each round
    trained = sorted(newest.values(), key=lambda model: model.id)
    pairs = list(pairwise(trained))[-_ROUNDS:]
    if not pairs:
        return None
    version = (label_version(workspace, attribute), [(before.id, after.id) for before, after in pairs])
    return workspace.memory.get(_LAST_ROUNDS, attribute.id, version, lambda: _measure(workspace, attribute, pairs))


def _measure(workspace: Workspace, attribute: Attribute, pairs: list[tuple[TrainedModel, TrainedModel]]) -> LastRound:
    try:
        changes = [_change(workspace, attribute, before, after) for before, after in pairs]
    except LearningError as error:
        return LastRound(None, str(error), Advice("unknown", str(error)))
    return LastRound(changes[-1], "", learning.advise(changes))


def _change(workspace: Workspace, attribute: Attribute, before: TrainedModel, after: TrainedModel) -> Change:
    sample = random_sample(workspace, attribute, after)
    old = scores_of(workspace, attribute, before)
    scored = sample.rows < len(old)
    scored[scored] = np.isfinite(old[sample.rows[scored]])
    decided_after, decided_before = _decisions(workspace, attribute, after), _decisions(workspace, attribute, before)
    both = np.isfinite(scores_of(workspace, attribute, after)) & np.isfinite(old)
    return learning.measure_change(
        old[sample.rows[scored]],
        sample.scores[scored],
        sample.labels[scored],
        groups=sample.groups[scored],
        decided_before=decided_before[both],
        decided_after=decided_after[both],
        rng=np.random.default_rng(after.id),
    )


def _decisions(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> NDArray[np.bool_]:
    decisions: NDArray[np.bool_] = scores_of(workspace, attribute, model) >= model.decision_threshold
    return decisions
