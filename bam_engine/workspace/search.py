"""Finding images: by text, by name, by rank along an attribute's scores."""

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.workspace import tasks
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.embedding import reads_text, search_text
from bam_engine.workspace.models import latest_model, scores_of


def find(workspace: Workspace, text: str, count: int = 200) -> list[int]:
    """Return the rows that match ``text``, best first.

    With an encoder that reads text, by meaning; otherwise those whose title, file name or project contains it.
    """
    if reads_text(workspace) and len(workspace.vectors()):
        return [row for row, _ in search_text(workspace, text, count)]
    return workspace.catalogue.search(text, count)


def ranking(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return every scored row, highest score first; ties by row.

    Raises
    ------
    LearningError
        The attribute has no scores yet.
    """
    scores = scores_of(workspace, attribute)
    model = latest_model(workspace, attribute)
    version = (model.id if model else 0, len(scores))
    kept = workspace.memory.get(f"ranking:{attribute.id}")
    if kept is not None and kept[0] == version:
        return kept[1]  # type: ignore[no-any-return]
    order = np.argsort(-scores, kind="stable")  # NaN, the images without a vector, come last
    order = order[: int(np.isfinite(scores).sum())].astype(np.int64)
    workspace.memory[f"ranking:{attribute.id}"] = (version, order)
    return order


def marks(workspace: Workspace, attribute: Attribute) -> dict[int, str]:
    """Return what people agree on for each labelled row, as ``yes`` or ``no``."""
    found = tasks.labels(workspace, attribute)
    return {
        int(row): "yes" if label else "no"
        for row, label in zip(found.rows[found.settled], found.labels[found.settled], strict=True)
    }


def spread_sample(workspace: Workspace, count: int, *, seed: int = 0) -> list[int]:
    """Return ``count`` rows drawn at random from the collection, for choosing examples; fewer if there are fewer."""
    n = len(workspace.catalogue)
    rows = np.random.default_rng(seed).choice(n, size=min(count, n), replace=False)
    return [int(row) for row in rows]
