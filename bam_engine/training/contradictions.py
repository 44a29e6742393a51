"""Labels that the classifier contradicts: those that teach it, by how far their score is on the other side.

The score of a label is that of a classifier that learned from other projects alone; the model itself has learned each
label, right or wrong. Labels that judge (validation, certifications, audits) are left out: corrected where the model
disagrees, they would flatter it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import POSITIVE, Attribute
from bam_engine.labelling.label_states import label_version
from bam_engine.training.models import latest_model, scores_version, unpack
from bam_engine.training.querying import training_labels
from bam_engine.training.rounds import collection_scaling
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind
from bam_engine.workspace.vectors import vectors_of


@dataclass(frozen=True, eq=False)
class Contradictions:
    """The rows of the labels that teach (m,), ascending, and how far each score is on the other side of the boundary.

    The distance is in log-odds, and negative where the score is on the side of the label.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.float32]

    def distance(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the distance of each of ``rows``; nan where there is no label that teaches."""
        result = np.full(len(rows), np.nan, np.float32)
        if len(self.rows):
            place = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
            known = self.rows[place] == rows
            result[known] = self.distances[place[known]]
        return result


_NOTHING = Contradictions(np.empty(0, np.int64), np.empty(0, np.float32))
_KIND = Kind[Contradictions](
    "labels that the classifier contradicts", of="attribute", until="a label or its model changes", limit=20
)


def contradictions(workspace: Workspace, attribute: Attribute) -> Contradictions:
    """Return how far the scores of the labels that teach are on the other side; nothing where there are too few."""
    model = latest_model(workspace, attribute)
    if model is None or not len(workspace.vectors()):
        return _NOTHING
    version = (label_version(workspace, attribute), scores_version(workspace, model))

    def measure() -> Contradictions:
        rows, answers = training_labels(workspace, attribute)
        yes = answers == POSITIVE
        if yes.all() or not yes.any():
            return _NOTHING
        scores = learning.out_of_fold_scores(
            np.asarray(vectors_of(workspace)[rows]),
            yes,
            unpack(model),
            groups=workspace.catalogue.projects()[rows],
            scaling=collection_scaling(workspace, np.random.default_rng(model.seed)),
        )
        if scores is None:
            return _NOTHING
        return Contradictions(rows, np.where(yes, -scores, scores).astype(np.float32))

    return workspace.memory.get(_KIND, attribute.id, version, measure)


def strongest_contradictions(workspace: Workspace, attribute: Attribute, most: int) -> NDArray[np.int64]:
    """Return up to ``most`` images whose label and score are on different sides, the farthest apart first."""
    found = contradictions(workspace, attribute)
    order = np.argsort(-found.distances, kind="stable")[:most]
    return found.rows[order[found.distances[order] > 0]]
