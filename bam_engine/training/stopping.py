"""What the last round bought, and whether another is likely to pay.

Wires the kept scores of successive models and the validation labels to ``learning``.
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

_LOOKED_BACK = 2  # rounds that the advice looks at


@dataclass(frozen=True)
class LastRound:
    """The change that the last round brought, or None and why it cannot be measured; and the advice on another."""

    change: Change | None
    problem: str
    advice: Advice


def last_round(workspace: Workspace, attribute: Attribute) -> LastRound | None:
    """Return what the newest model changed against the one of the round before; None before the second training.

    Both models are measured on the validation set as it is labelled now; what was found is kept until a label or a
    model changes.
    """
    found = {model.round_id: model for model in models(workspace, attribute)}  # of each round the newest
    trained = sorted(found.values(), key=lambda model: model.id)
    pairs = list(pairwise(trained))[-_LOOKED_BACK:]
    if not pairs:
        return None
    name = f"last round:{attribute.id}"
    state = (label_version(workspace, attribute), [(before.id, after.id) for before, after in pairs])
    kept = workspace.memory_cache.get(name)
    if kept is None or kept[0] != state:
        kept = workspace.memory_cache[name] = (state, _judge(workspace, attribute, pairs))
    result: LastRound = kept[1]
    return result


def _judge(workspace: Workspace, attribute: Attribute, pairs: list[tuple[TrainedModel, TrainedModel]]) -> LastRound:
    try:
        changes = [_change(workspace, attribute, before, after) for before, after in pairs]
    except LearningError as error:
        return LastRound(None, str(error), Advice("unknown", str(error)))
    return LastRound(changes[-1], "", learning.advise(changes))


def _change(workspace: Workspace, attribute: Attribute, before: TrainedModel, after: TrainedModel) -> Change:
    sample = random_sample(workspace, attribute, after)
    old = scores_of(workspace, attribute, before)
    there = sample.rows < len(old)
    there[there] = np.isfinite(old[sample.rows[there]])
    new_side, old_side = _sides(workspace, attribute, after), _sides(workspace, attribute, before)
    both = np.isfinite(scores_of(workspace, attribute, after)) & np.isfinite(old)
    return learning.measure_change(
        old[sample.rows[there]],
        sample.scores[there],
        sample.labels[there],
        groups=sample.groups[there],
        decided_before=old_side[both],
        decided_after=new_side[both],
        rng=np.random.default_rng(after.id),
    )


def _sides(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> NDArray[np.bool_]:
    sides: NDArray[np.bool_] = scores_of(workspace, attribute, model) >= float(model.details["separation"])
    return sides
