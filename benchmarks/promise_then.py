"""The fixed protocol under the promise that certifications made first, for ``end_to_end``.

Then the images that score at or above a cut were delivered, whatever people had said about them: the target had to hold
among those without a label, with the whole risk in one test, and labelled positives outweighed no fault. People,
samples, rounds and the rule that settles their answers are those of now.
"""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.demo import protocol
from bam_engine.demo.protocol import DeliveredSet, Played, Protocol
from bam_engine.training import certification
from bam_engine.training.models import scores_of
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace


def play(workspace: Workspace, truth: NDArray[np.bool_], chosen: Protocol, **options: Any) -> Played:
    """Play a protocol as :func:`bam_engine.demo.protocol.play` does, and return what the promise of then delivers.

    No recall interval is returned: none was stated for these images alone.
    """
    with (
        patch.object(certification, "known_positives", lambda *_: 0),
        patch.object(learning, "risk_share", lambda _: 1.0),
    ):
        played = protocol.play(workspace, truth, chosen, **options)
        (attribute,) = workspace.attributes.all()
        with workspace.reading():
            found = current_threshold(workspace, attribute)
            scores = scores_of(workspace, attribute) if found is not None else np.full(len(truth), np.nan)
    if found is None:
        return replace(played, delivered=DeliveredSet(0, float("nan"), 0.0), certified=False, recall=None)
    accepted = scores >= found.value
    n, right = int(accepted.sum()), int(truth[accepted].sum())
    delivered = DeliveredSet(n, right / n if n else float("nan"), right / int(truth.sum()))
    return replace(played, delivered=delivered, certified=found.evidence.certified, recall=None)
