"""Computes the layouts of maps, extends them by new images, and measures their quality.

Wires the vectors and scores to ``projection``; :mod:`.layout_store` stores the results. The id of a map consists of its
method and scope, so that maps of different scopes exist side by side and a new one replaces the old one of its kind.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import projection
from bam_engine.annotation import Attribute, readable
from bam_engine.collection.digests import fingerprint
from bam_engine.errors import NotFound, ProjectionError
from bam_engine.gallery.selections import rows_of
from bam_engine.labelling.tasks import attribute_of
from bam_engine.maps import regions
from bam_engine.maps.layout_store import (
    METHODS,
    SCOPES,
    LayoutCheckpoints,
    LayoutRecord,
    all_points_of,
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
from bam_engine.workspace.flow import one_encoder
from bam_engine.workspace.membership import removed
from bam_engine.workspace.vectors import embedded_rows, vectors_of

BEST = 1000
Rows = NDArray[np.int64]
Places = NDArray[np.float32]


@dataclass(frozen=True)
class _Result:
    """The places, their rows, the arrays of the model, and how many images were fitted."""

    places: Places
    rows: Rows
    model: dict[str, NDArray[Any]]
    fitted: int


@one_encoder
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
    """Compute a layout and store it, in place of one of the same method, scope and encoder.

    Parameters
    ----------
    method : {"tsne", "umap", "pacmap", "pca", "scores"}
        See :func:`bam_engine.projection.fit_layout`; "scores" is the plane of two ``attributes``.
    scope : {"collection", "best", "selection"}
        All embedded images; the ``best`` images of each attribute; those of ``selection``, an id of
        ``selections.save``.
    attributes, by
        The attributes on the x and y axes of a map of scores, and whether it shows their ranks or values.
    sample : int
        Of more images than this, a sample of this size is fitted and the others are placed on the result.

    Raises
    ------
    ProjectionError
        The method or scope is unknown, or there is nothing to lay out.
    EmbeddingError
        Nothing is embedded yet.
    NotFound
        There is no such selection or attribute.
    Stopped
        By ``report``; the same call resumes.
    DiskFull
        It cannot be saved; the stored map is unchanged, and the same call resumes.
    """
    if method not in METHODS or scope not in SCOPES:
        raise ProjectionError(
            f"There is no layout {method!r} of {scope!r}. Choose a method of {', '.join(METHODS)} and a scope of "
            f"{', '.join(SCOPES)}."
        )
    started, key = time.monotonic(), workspace.choice.key
    vectors_of(workspace)  # raises a helpful error where there are none
    rows = _rows(workspace, scope, best, selection)
    scope_id = scope if scope != "selection" else f"selection-{digest_of(rows)}"
    if method == "scores":
        pair = _pair(workspace, attributes)
        name = f"scores-{scope_id}-{pair[0].id}-{pair[1].id}-{by}-{key}"
        result, checkpoints = _plane(workspace, pair, rows, by), None
        about: dict[str, Any] = {
            "attributes": (pair[0].name, pair[1].name),
            "by": by,
            "models": _models(workspace, pair, key),
        }
    else:
        name, about = f"{method}-{scope_id}-{key}", {}
        images = fingerprint(workspace.catalogue.digests().array[rows])
        request = {"images": images, "rows": digest_of(rows), "method": method, "seed": seed, "sample": sample}
        checkpoints = LayoutCheckpoints(folder_of(workspace, name), request)
        result = _fit(workspace, rows, method, seed, sample, checkpoints, report)
    record = LayoutRecord(
        name, method, scope, key, len(result.rows), seed, 0.0, time.time(), fitted=result.fitted, **about
    )
    quality = _quality(workspace, record, result.rows, result.places, report)
    record = replace(record, seconds=time.monotonic() - started, quality=quality)
    record = save(workspace, record, result.places, result.rows, result.model)
    if checkpoints is not None:
        checkpoints.discard()
    regions.refresh(workspace, record.id)
    return record


@one_encoder
def extend(workspace: Workspace, map_id: str, *, report: Report = silent) -> LayoutRecord:
    """Place the images added since a map was made on it, and return its record; other images do not move.

    Raises
    ------
    NotFound
        There is no such map.
    ProjectionError
        It is not a map of the whole collection, belongs to another encoder, or cannot place images.
    Stopped
        By ``report``; the map is unchanged.
    DiskFull
        The result cannot be saved; the map is unchanged.
    """
    record = layout_of(workspace, map_id)
    _check_extensible(workspace, record)
    places, rows = all_points_of(workspace, map_id)
    new = np.setdiff1d(embedded_rows(workspace), rows, assume_unique=True)
    if not len(new):
        return record
    started = time.monotonic()
    model = model_of(workspace, record)
    if not model:
        raise ProjectionError(f"The map “{record.title}” cannot place further images. Make it again.")
    place = _make_placer(workspace, record, model)
    blocks = [new[start : start + projection.BLOCK] for start in range(0, len(new), projection.BLOCK)]
    placed = []
    for number, block in enumerate(blocks):
        report(number, len(blocks) + 1, f"placing {len(new):,} images")
        placed.append(place(block))
    report(len(blocks), len(blocks) + 1, "measuring the quality")
    more = np.concatenate(placed)
    finite = np.isfinite(more).all(axis=1)
    places, rows = np.concatenate([places, more[finite]]), np.concatenate([rows, new[finite]])
    seconds = record.seconds + time.monotonic() - started
    record = replace(record, n=len(rows), seconds=seconds)
    record = replace(record, quality=_quality(workspace, record, rows, places, silent))
    record = save(workspace, record, places, rows)
    regions.refresh(workspace, record.id)
    return record


def count_unplaced(workspace: Workspace, record: LayoutRecord) -> int:
    """Return how many images :func:`extend` would add to a map; 0 for a map that cannot be extended."""
    if record.scope != "collection" or record.encoder != workspace.choice.key:
        return 0
    rows = embedded_rows(workspace)
    if record.method == "scores":
        rows = rows[_has_scores(workspace, [attribute_of(workspace, name) for name in record.attributes], rows)]
    placed = points_of(workspace, record.id)[1] if removed(workspace).version else range(record.n)
    return max(0, len(rows) - len(placed))


def outdated_reason(workspace: Workspace, record: LayoutRecord) -> str:
    """Return why a map is out of date, or "" where it is not."""
    if record.method == "scores":
        try:
            pair = [attribute_of(workspace, name) for name in record.attributes]
            models = _models(workspace, pair, record.encoder)
        except NotFound:
            return "An attribute of this map no longer exists."
        if models != record.models:
            return "The scores have changed since this map was made. Make it again to see the new ones."
    return ""


def _rows(workspace: Workspace, scope: str, best: int, selection: str | None) -> Rows:
    if scope == "collection":
        return embedded_rows(workspace)
    if scope == "selection":
        if selection is None:
            raise ProjectionError("A map of a selection needs a selection. Select images on a map first.")
        rows = np.intersect1d(rows_of(workspace, selection), embedded_rows(workspace), assume_unique=True)
        if not len(rows):
            raise ProjectionError("None of the selected images is embedded. Select others, or embed these.")
        return rows
    scored = {name: scores for name, scores in scores_by_name(workspace).items() if np.isfinite(scores).any()}
    if not scored:
        raise ProjectionError("No attribute has scores yet, so there are no best images. Train a round first.")
    return projection.best_of_each(scored, count=best)


def _fit(
    workspace: Workspace,
    rows: Rows,
    method: str,
    seed: int,
    sample: int,
    checkpoints: LayoutCheckpoints,
    report: Report,
) -> _Result:
    result = projection.fit_layout(
        vectors_of(workspace), rows, method=method, seed=seed, sample=sample, report=report, checkpoints=checkpoints
    )
    model = {} if result.model is None else {**result.model.arrays, "placed_by": np.array([result.model.method])}
    return _Result(result.places, rows, model, min(len(rows), sample))


def _plane(workspace: Workspace, pair: Sequence[Attribute], rows: Rows, by: str) -> _Result:
    rows = rows[_has_scores(workspace, pair, rows)]
    if not len(rows):
        raise ProjectionError("No image has scores for both attributes. Score the collection first.")
    first, second = (scores_of(workspace, attribute)[rows] for attribute in pair)
    plane = ScorePlane.of(first, second, by=by)
    return _Result(plane.place(first, second), rows, plane.arrays(), len(rows))


def _pair(workspace: Workspace, names: Sequence[str]) -> list[Attribute]:
    if len(names) != 2:
        raise ProjectionError(f"A map of two scores needs two attributes, not {len(names)}.")
    pair = [attribute_of(workspace, name) for name in names]
    for attribute in pair:
        if latest_model(workspace, attribute) is None:
            raise ProjectionError(f"{readable(attribute.name)} has no scores yet. Train a round first.")
    return pair


def _models(workspace: Workspace, pair: Sequence[Attribute], encoder: str) -> tuple[str, ...]:
    newest = [latest_model(workspace, attribute, encoder) for attribute in pair]
    return tuple(model.digest for model in newest if model is not None)


def _has_scores(workspace: Workspace, pair: Sequence[Attribute], rows: Rows) -> NDArray[np.bool_]:
    """Return which rows have a score for every attribute."""
    scored = np.ones(len(rows), dtype=bool)
    for attribute in pair:
        scored &= np.isfinite(scores_of(workspace, attribute)[rows])
    return scored


def _check_extensible(workspace: Workspace, record: LayoutRecord) -> None:
    if record.scope != "collection":
        raise ProjectionError(
            f"The map “{record.title}” shows only part of the collection and cannot be extended. Make it again."
        )
    if record.encoder != workspace.choice.key:
        raise ProjectionError(
            f"The map is of the encoder {workspace.encoder_name(record.encoder)}, but {workspace.encoder_name()} is in "
            "use. Choose that of the map again, or make a new map."
        )
    if problem := outdated_reason(workspace, record):
        raise ProjectionError(problem)


def _make_placer(
    workspace: Workspace, record: LayoutRecord, arrays: dict[str, NDArray[Any]]
) -> Callable[[Rows], Places]:
    if record.method == "scores":
        plane = ScorePlane.from_arrays(arrays)
        pair = [scores_of(workspace, attribute_of(workspace, name)) for name in record.attributes]
        return lambda rows: plane.place(pair[0][rows], pair[1][rows])
    vectors, method = vectors_of(workspace), str(arrays.pop("placed_by")[0])
    place = projection.Model(method, arrays).placer()
    return lambda rows: place(vectors, rows)


def _quality(workspace: Workspace, record: LayoutRecord, rows: Rows, places: Places, report: Report) -> Quality | None:
    """Measure the quality of a layout; a map of two scores does not aim to preserve neighbours and has none."""
    if record.method == "scores":
        return None
    report(1, 1, "measuring the quality")
    return measure(vectors_of(workspace), rows, places, rng=np.random.default_rng(record.seed))
