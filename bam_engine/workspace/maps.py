"""Maps of the collection: layouts that are computed once, kept under the cache, and opened for tiles.

Wires the vectors and scores to ``projection``. A layout is a folder ``layouts/ID`` with ``places.npy`` (m, 2),
``rows.npy`` (m,) and ``about.json``; its id says the method and what is on it.
"""

import hashlib
import io
import json
import math
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bam_engine import projection
from bam_engine.errors import BamError, DiskFull, NotThere, ProjectionError
from bam_engine.progress import Report, silent
from bam_engine.projection import MapView
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.embedding import embedded_rows, vectors_of
from bam_engine.workspace.models import latest_model, scores_of
from bam_engine.workspace.thresholds import current_threshold

METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
SCOPES = {"collection": "the collection", "best": "the best images of each attribute"}
BEST = 1000
_LOOK_AGAIN = 1.0  # seconds


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
    scored = {name: scores for name, scores in _scores(workspace).items() if np.isfinite(scores).any()}
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


def view(workspace: Workspace, map_id: str, *, fresh: bool = False) -> MapView:
    """Return the map called ``map_id``, opened once for the present scores and decisions.

    Whether those have changed is looked up at most once a second, since every tile comes through here; ``fresh`` looks
    now.

    Raises
    ------
    NotThere
        There is no such layout.
    """
    folder = workspace.cache / "layouts" / Path(map_id).name
    with workspace.lock:
        opened: MapView | None
        opened, looked = workspace.memory.get(f"map:{map_id}", (None, -math.inf))
        if opened is not None and not fresh and time.monotonic() - looked < _LOOK_AGAIN:
            return opened
        if not (folder / "about.json").exists():
            raise NotThere(f"there is no map {map_id!r}. Make one on the Map page.")
        version = map_version(workspace, map_id)
        if opened is None or opened.version != version:
            opened = _open(workspace, folder, version)
        workspace.memory[f"map:{map_id}"] = (opened, time.monotonic())
        return opened


def rows_in(workspace: Workspace, map_id: str, corners: Sequence[tuple[float, float]]) -> NDArray[np.int64]:
    """Return the rows of the images inside an area of a map, rising; its corners in the map's [0, 1] squared.

    Raises
    ------
    NotThere
        There is no such layout.
    ProjectionError
        An area of fewer than three corners.
    """
    return view(workspace, map_id).source.in_polygon(corners)


def _open(workspace: Workspace, folder: Path, version: str) -> MapView:
    return MapView(
        np.load(folder / "places.npy"),
        rows=np.load(folder / "rows.npy"),
        version=version,
        scores=_scores(workspace),
        labels=_decisions(workspace),
        thumbnail=partial(_thumbnail, workspace),
        describe=partial(_describe, workspace),
    )


def map_version(workspace: Workspace, map_id: str) -> str:
    """Return a name that changes whenever a tile of the map would look different."""
    about = workspace.cache / "layouts" / Path(map_id).name / "about.json"
    parts = [workspace.id, str(about.stat().st_mtime_ns)]
    for attribute in workspace.attributes.all():
        threshold = current_threshold(workspace, attribute)
        if threshold is not None:
            parts.append(f"{attribute.id}.{threshold.model_id}.{threshold.value:.6g}")
        elif (model := latest_model(workspace, attribute)) is not None:
            parts.append(f"{attribute.id}.{model.id}")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _scores(workspace: Workspace) -> dict[str, NDArray[np.float32]]:
    return {
        attribute.name: scores_of(workspace, attribute)
        for attribute in workspace.attributes.all()
        if latest_model(workspace, attribute) is not None
    }


def _decisions(workspace: Workspace) -> dict[str, NDArray[np.int8]]:
    """Return 1 accepted, 0 rejected, -1 without a score, for each attribute that has a threshold."""
    found = {}
    for attribute in workspace.attributes.all():
        threshold = current_threshold(workspace, attribute)
        if threshold is not None:
            scores = scores_of(workspace, attribute)
            found[attribute.name] = np.where(np.isnan(scores), -1, scores >= threshold.value).astype(np.int8)
    return found


def _thumbnail(workspace: Workspace, row: int) -> Image.Image | None:
    try:
        return Image.open(io.BytesIO(workspace.thumbnails.ensure(row, workspace.catalogue.image(row).path)))
    except BamError:  # the file is gone: the map shows an empty place
        return None


def _describe(workspace: Workspace, row: int) -> Mapping[str, Any]:
    image = workspace.catalogue.image(row)
    return {"title": image.title or Path(image.uri).name}
