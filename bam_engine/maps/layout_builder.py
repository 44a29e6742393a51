"""Maps of the collection: layouts are made here, grow with the collection, and are judged.

Wires the vectors and scores to ``projection``; ``layouts`` keeps what comes of it. The id of a map says its method and
what is on it, so that maps of different scopes stand side by side, and one made again takes the place of the old one.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import projection
from bam_engine.annotation import Attribute, readable
from bam_engine.errors import NotFound, ProjectionError
from bam_engine.gallery.selections import rows_of
from bam_engine.labelling.tasks import attribute_of
from bam_engine.maps import regions
from bam_engine.maps.layout_store import (
    METHODS,
    SCOPES,
    LayoutCheckpoints,
    LayoutRecord,
    digest_of,
    folder_of,
    layout_of,
    model_of,
    points_of,
    save,
)
from bam_engine.progress import Report, silent
from bam_engine.projection.quality import Quality, measure
from bam_engine.projection.score_plane import ScorePlane
from bam_engine.training.models import latest_model, scores_by_name, scores_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import embedded_rows, vectors_of

BEST = 1000
Rows = NDArray[np.int64]
Places = NDArray[np.float32]


@dataclass(frozen=True)
class _Made:
    """What came of the work: places, the rows that have one, what places others, and how many were fitted."""

    places: Places
    rows: Rows
    model: dict[str, NDArray[Any]]
    fitted: int


def build(
    workspace: Workspace,
    *,
    method: str = "tsne",
    scope: str = "collection",
    best: int = BEST,
    selection: str | None = None,
    attributes: Sequence[str] = (),
    by: str = "rank",
    seed: int = 0,
    sample: int = projection.SAMPLE,
    report: Report = silent,
) -> LayoutRecord:
    """Compute a layout and keep it, in place of one of the same method, scope and encoder.

    Parameters
    ----------
    method : {"tsne", "umap", "pacmap", "pca", "scores"}
        See :func:`bam_engine.projection.fit_layout`; "scores" is the plane of two ``attributes``.
    scope : {"collection", "best", "selection"}
        All embedded images; the ``best`` of each attribute; those of ``selection``, an id of ``selections.save``.
    attributes, by
        The two attributes of a map of scores, to the right and upwards, and whether their rank or value counts.
    sample : int
        Of more images than this, so many are fitted and the others placed among them.

    Raises
    ------
    ProjectionError
        The method or scope is unknown, or there is nothing to lay out.
    EmbeddingError
        Nothing is embedded yet.
    NotFound
        There is no such selection or attribute.
    Stopped
        Asked to stop; the same request goes on from there.
    DiskFull
        It cannot be kept; the map before is as it was, and the same request goes on from there.
    """
    if method not in METHODS or scope not in SCOPES:
        raise ProjectionError(
            f"there is no layout {method!r} of {scope!r}: choose a method of {', '.join(METHODS)} and a scope of "
            f"{', '.join(SCOPES)}"
        )
    started, key = time.monotonic(), workspace.choice.key
    vectors_of(workspace)  # says what to do where there are none
    rows = _rows(workspace, scope, best, selection)
    named = scope if scope != "selection" else f"selection-{digest_of(rows)}"
    if method == "scores":
        pair = _pair(workspace, attributes)
        name = f"scores-{named}-{pair[0].id}-{pair[1].id}-{by}-{key}"
        made, checkpoints = _plane(workspace, pair, rows, by), None
        about: dict[str, Any] = {
            "attributes": (pair[0].name, pair[1].name),
            "by": by,
            "models": _models(workspace, pair),
        }
    else:
        name, about = f"{method}-{named}-{key}", {}
        request = {"rows": digest_of(rows), "method": method, "seed": seed, "sample": sample}
        checkpoints = LayoutCheckpoints(folder_of(workspace, name), request)
        made = _fit(workspace, rows, method, seed, sample, checkpoints, report)
    record = LayoutRecord(name, method, scope, key, len(made.rows), seed, 0.0, time.time(), fitted=made.fitted, **about)
    quality = _quality(workspace, record, made.rows, made.places, report)
    record = replace(record, seconds=time.monotonic() - started, quality=quality)
    record = save(workspace, record, made.places, made.rows, made.model)
    if checkpoints is not None:
        checkpoints.discard()
    regions.refresh(workspace, record.id)
    return record


def extend(workspace: Workspace, map_id: str, *, report: Report = silent) -> LayoutRecord:
    """Place the images that came after a map was made on it, and return its record; no other image moves.

    Raises
    ------
    NotFound
        There is no such map.
    ProjectionError
        It is not a map of the whole collection, is of another encoder, or nothing can be placed on it.
    Stopped
        Asked to stop; the map is as it was.
    DiskFull
        The larger map cannot be kept; it is as it was.
    """
    record = layout_of(workspace, map_id)
    _check_grows(workspace, record)
    places, rows = points_of(workspace, map_id)
    new = np.setdiff1d(embedded_rows(workspace), rows)
    if not len(new):
        return record
    started = time.monotonic()
    model = model_of(workspace, record)
    if not model:
        raise ProjectionError(f"nothing can be placed on the map “{record.title}”. Make it anew.")
    place = _placing(workspace, record, model)
    blocks = [new[start : start + projection.BLOCK] for start in range(0, len(new), projection.BLOCK)]
    placed = []
    for number, block in enumerate(blocks):
        report(number, len(blocks) + 1, f"placing {len(new):,} images")
        placed.append(place(block))
    report(len(blocks), len(blocks) + 1, "how well neighbours are kept")
    more = np.concatenate(placed)
    there = np.isfinite(more).all(axis=1)
    places, rows = np.concatenate([places, more[there]]), np.concatenate([rows, new[there]])
    seconds = record.seconds + time.monotonic() - started
    record = replace(record, n=len(rows), seconds=seconds)
    record = replace(record, quality=_quality(workspace, record, rows, places, silent))
    record = save(workspace, record, places, rows)
    regions.refresh(workspace, record.id)
    return record


def count_unplaced(workspace: Workspace, record: LayoutRecord) -> int:
    """Return how many images could be placed on a map with :func:`extend`; 0 for a map that does not grow."""
    if record.scope != "collection" or record.encoder != workspace.choice.key:
        return 0
    found = embedded_rows(workspace)
    if record.method == "scores":
        found = found[_scored(workspace, [attribute_of(workspace, name) for name in record.attributes], found)]
    return max(0, len(found) - record.n)


def outdated_reason(workspace: Workspace, record: LayoutRecord) -> str:
    """Say why a map no longer shows what it says, or "" where it does."""
    if record.method == "scores":
        try:
            now = _models(workspace, [attribute_of(workspace, name) for name in record.attributes])
        except NotFound:
            return "An attribute of this map is gone."
        if now != record.models:
            return "The scores have changed since this map was made. Make it anew to see them."
    return ""


def _rows(workspace: Workspace, scope: str, best: int, selection: str | None) -> Rows:
    if scope == "collection":
        return embedded_rows(workspace)
    if scope == "selection":
        if selection is None:
            raise ProjectionError("no selection was named. Select images on a map first.")
        rows = np.intersect1d(rows_of(workspace, selection), embedded_rows(workspace))
        if not len(rows):
            raise ProjectionError("none of the selected images has a vector. Select others, or embed these.")
        return rows
    scored = {name: scores for name, scores in scores_by_name(workspace).items() if np.isfinite(scores).any()}
    if not scored:
        raise ProjectionError("no attribute has scores yet, so there are no best images. Train a round first.")
    return projection.best_of_each(scored, count=best)


def _fit(
    workspace: Workspace,
    rows: Rows,
    method: str,
    seed: int,
    sample: int,
    checkpoints: LayoutCheckpoints,
    report: Report,
) -> _Made:
    made = projection.fit_layout(
        vectors_of(workspace), rows, method=method, seed=seed, sample=sample, report=report, checkpoints=checkpoints
    )
    model = {} if made.model is None else {**made.model.arrays, "placed_by": np.array([made.model.method])}
    return _Made(made.places, rows, model, min(len(rows), sample))


def _plane(workspace: Workspace, pair: Sequence[Attribute], rows: Rows, by: str) -> _Made:
    rows = rows[_scored(workspace, pair, rows)]
    if not len(rows):
        raise ProjectionError("no image has a score of both attributes. Score the collection first.")
    first, second = (scores_of(workspace, attribute)[rows] for attribute in pair)
    plane = ScorePlane.of(first, second, by=by)
    return _Made(plane.place(first, second), rows, plane.arrays(), len(rows))


def _pair(workspace: Workspace, names: Sequence[str]) -> list[Attribute]:
    if len(names) != 2:
        raise ProjectionError(f"a map of two scores needs two attributes; {len(names)} were named.")
    pair = [attribute_of(workspace, name) for name in names]
    for attribute in pair:
        if latest_model(workspace, attribute) is None:
            raise ProjectionError(f"{readable(attribute.name)} has no scores yet. Train a round first.")
    return pair


def _models(workspace: Workspace, pair: Sequence[Attribute]) -> tuple[int, ...]:
    return tuple(model.id for attribute in pair if (model := latest_model(workspace, attribute)) is not None)


def _scored(workspace: Workspace, pair: Sequence[Attribute], rows: Rows) -> NDArray[np.bool_]:
    """Tell which rows have a score of every attribute."""
    found = np.ones(len(rows), dtype=bool)
    for attribute in pair:
        found &= np.isfinite(scores_of(workspace, attribute)[rows])
    return found


def _check_grows(workspace: Workspace, record: LayoutRecord) -> None:
    if record.scope != "collection":
        raise ProjectionError(f"the map “{record.title}” shows a choice of images and does not grow. Make it anew.")
    if record.encoder != workspace.choice.key:
        raise ProjectionError(
            f"the map was made of the vectors of {record.encoder}; in use is {workspace.choice.key}. Choose that "
            "encoder again, or make a map of this one."
        )
    if problem := outdated_reason(workspace, record):
        raise ProjectionError(problem)


def _placing(workspace: Workspace, record: LayoutRecord, arrays: dict[str, NDArray[Any]]) -> Callable[[Rows], Places]:
    if record.method == "scores":
        plane = ScorePlane.from_arrays(arrays)
        pair = [scores_of(workspace, attribute_of(workspace, name)) for name in record.attributes]
        return lambda rows: plane.place(pair[0][rows], pair[1][rows])
    vectors, method = vectors_of(workspace), str(arrays.pop("placed_by")[0])
    place = projection.Model(method, arrays).placer()
    return lambda rows: place(vectors, rows)


def _quality(workspace: Workspace, record: LayoutRecord, rows: Rows, places: Places, report: Report) -> Quality | None:
    """Judge a layout; a plane of two scores promises nothing about neighbours and is not judged by them."""
    if record.method == "scores":
        return None
    report(1, 1, "how well neighbours are kept")
    return measure(vectors_of(workspace), rows, places, rng=np.random.default_rng(record.seed))
