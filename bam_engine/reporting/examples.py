"""Pictures that show what a classifier does: its highest scores, both sides of its threshold, and random ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute, Consensus
from bam_engine.gallery.search import ranking
from bam_engine.labelling import tasks
from bam_engine.learning import is_accepted
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import scores_of
from bam_engine.training.thresholds import AttributeThreshold
from bam_engine.workspace.core import Workspace

_SEED = 0  # two reports show the same random examples


@dataclass(frozen=True)
class Example:
    """One image: its row, display name, score and label (``yes``, ``no`` or empty)."""

    row: int
    name: str
    score: float
    label: str


@dataclass(frozen=True)
class ExampleGroup:
    """Images from one side of the threshold."""

    title: str
    examples: tuple[Example, ...]


def example_groups(
    workspace: Workspace, attribute: Attribute, agreed: Consensus, threshold: AttributeThreshold | None, size: int
) -> tuple[ExampleGroup, ...]:
    """Return the top images, those nearest the threshold on both sides, and random accepted and rejected ones."""
    order, scores = ranking(workspace, attribute), scores_of(workspace, attribute)
    groups: list[tuple[str, NDArray[np.int64]]] = [("Highest scores", order[:size])]
    if threshold is not None:
        delivered = delivered_of(workspace, attribute)
        yes, no = (order[side[order]] for side in (delivered.accepted, delivered.rejected))
        at_or_above = int(is_accepted(scores[order], threshold.value).sum())
        rng = np.random.default_rng(_SEED)
        groups += [
            ("Accepted, at random", rng.choice(yes, min(size, len(yes)), replace=False)),
            ("Just above the threshold", order[:at_or_above][::-1][:size]),
            ("Just below the threshold", order[at_or_above:][:size]),
            ("Rejected, at random", rng.choice(no, min(size, len(no)), replace=False)),
        ]
    words = {1: "yes", 0: "no", -1: ""}
    result = []
    for title, rows in groups:
        labels = tasks.labels_of(agreed, rows)
        images = workspace.catalogue.images(rows.tolist())
        members = (
            Example(image.row, image.title or image.name, float(scores[image.row]), words[int(label)])
            for image, label in zip(images, labels, strict=True)
        )
        result.append(ExampleGroup(title, tuple(members)))
    return tuple(group for group in result if group.examples)
