"""Maps of the collection: layouts that are computed once, kept under the cache, and opened for tiles.

Wires the vectors and scores to ``projection``. A layout is a folder ``layouts/ID`` with ``places.npy`` (m, 2),
``rows.npy`` (m,) and ``about.json``; its id says the method and what is on it.
"""

import json
import shutil
import time
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import projection
from bam_engine.errors import DiskFull, ProjectionError
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.embedding import embedded_rows, vectors_of
from bam_engine.workspace.models import latest_model, scores_of

METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
SCOPES = {"collection": "the collection", "best": "the best images of each attribute"}
BEST = 1000


@dataclass(frozen=True)
class LayoutRecord:
    """A computed layout: what is on it, how it was made, and how long that took."""

    id: str
    method: str
    scope: str
    encoder: str
    n: int
    seed: int
    seconds: float
    made_at: float

    @property
    def title(self) -> str:
        return f"{METHODS[self.method]} of {SCOPES[self.scope]}: {self.n:,} images"


def make_layout(
    workspace: Workspace,
    *,
    method: str = "tsne",
    scope: str = "collection",
    best: int = BEST,
    seed: int = 0,
    report: Report = silent,
) -> LayoutRecord:
    """Compute a layout and keep it, in place of one of the same method, scope and encoder.

    Raises
    ------
    ProjectionError
        The method or scope is unknown, or there is nothing to lay out.
    EmbeddingError
        Nothing is embedded yet.
    """
    if method not in METHODS or scope not in SCOPES:
        raise ProjectionError(
            f"there is no layout {method!r} of {scope!r}: choose a method of {', '.join(METHODS)} and a scope of "
            f"{', '.join(SCOPES)}"
        )
    vectors = vectors_of(workspace)
    rows = _rows(workspace, scope, best)
    started = time.monotonic()
    places = projection.compute_layout(vectors[rows], method=method, seed=seed, report=report)
    key = workspace.choice.key
    record = LayoutRecord(
        f"{method}-{scope}-{key}", method, scope, key, len(rows), seed, time.monotonic() - started, time.time()
    )
    _keep(workspace, record, places, rows)
    return record


def _rows(workspace: Workspace, scope: str, best: int) -> NDArray[np.int64]:
    if scope == "collection":
        return embedded_rows(workspace)
    scored = {name: scores for name, scores in scores_by_name(workspace).items() if np.isfinite(scores).any()}
    if not scored:
        raise ProjectionError("no attribute has scores yet, so there are no best images. Train a round first.")
    return projection.best_of_each(scored, count=best)


def _keep(workspace: Workspace, record: LayoutRecord, places: NDArray[np.float32], rows: NDArray[np.int64]) -> None:
    folder = workspace.cache / "layouts" / record.id
    temporary = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        np.save(temporary / "places.npy", places)
        np.save(temporary / "rows.npy", rows)
        (temporary / "about.json").write_text(json.dumps(asdict(record)), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise DiskFull(f"the layout cannot be kept in {folder}: {error.strerror or error}. Free some room.") from error


def layouts(workspace: Workspace) -> list[LayoutRecord]:
    """Return the layouts of the encoder in use, newest first."""
    found = []
    for about in sorted((workspace.cache / "layouts").glob("*/about.json")):
        record = LayoutRecord(**json.loads(about.read_text(encoding="utf-8")))
        if record.encoder == workspace.choice.key and about.parent.suffix != ".part":
            found.append(record)
    return sorted(found, key=lambda record: -record.made_at)


def scores_by_name(workspace: Workspace) -> dict[str, NDArray[np.float32]]:
    """Return the scores by row of each attribute that has a model."""
    return {
        attribute.name: scores_of(workspace, attribute)
        for attribute in workspace.attributes.all()
        if latest_model(workspace, attribute) is not None
    }
