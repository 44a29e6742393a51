"""Layouts: from vectors to places on a map, similar images close together.

In:  vectors (n, d) of any float type, memory-mapped if large. Out: places (n, 2) in the unit square, and a ``Model``
that places later images without moving the others. Knows nothing of tiles, images or files.

Every method starts from the first 50 principal components (0.3 s for 100,000 x 512) and takes its neighbours from them.
A large collection is fitted on a random sample; the rest is placed by the method's own transform, block by block.
"""

import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.errors import ProjectionError
from bam_engine.learning.products import Floats
from bam_engine.progress import Report, silent
from bam_engine.projection.components import Components, fit_components, usable
from bam_engine.projection.frame import MARGIN, Frame, Places, fit_unit_square
from bam_engine.projection.methods import Arrays, Checkpoints, InMemoryCheckpoints, Placer, Raw
from bam_engine.projection.neighbours import NeighbourIndex

METHODS = ("tsne", "umap", "pacmap", "pca")

MIN_IMAGES = 12
"""With fewer images there are no neighbourhoods to preserve: the first two principal components are the map."""

SAMPLE = 150_000
"""Collections up to this size are fitted as a whole."""

BLOCK = 25_000
"""Images that are placed at once on a fitted layout."""

_BLOCK_STEPS = 10  # progress steps of a block, beside the steps of the fit
_OUTSIDE = 1 - MARGIN / 2  # both coordinates of images without a vector


@dataclass(frozen=True)
class Model:
    """A fitted layout that places further images: its method, the method's arrays, and the frame of the map."""

    method: str
    arrays: Arrays

    def placer(self, *, workers: int = -1) -> Callable[[NDArray[Any], NDArray[np.int64]], Places]:
        """Return a function of vectors and rows that returns their places (m, 2); fitted images do not move.

        Preparing it takes a while, calling it on many blocks is fast. An image without a usable vector is put in the
        lower right corner, as by :func:`fit_layout`.
        """
        return _make_placer(self, workers)


@dataclass(frozen=True)
class Layout:
    """The places (n, 2) of a layout, and its model, or None where it cannot place further images."""

    places: Places
    model: Model | None


def compute_layout(
    vectors: NDArray[Any], *, method: str = "tsne", seed: int = 0, report: Report = silent, workers: int = -1
) -> Places:
    """Return the places (n, 2) of all rows, fitted as a whole; see :func:`fit_layout`.

    Examples
    --------
    >>> compute_layout(np.eye(3), method="pca").shape
    (3, 2)
    """
    rows = np.arange(len(vectors))
    return fit_layout(vectors, rows, method=method, seed=seed, sample=len(rows), report=report, workers=workers).places


def fit_layout(
    vectors: NDArray[Any],
    rows: NDArray[np.int64],
    *,
    method: str = "tsne",
    seed: int = 0,
    sample: int = SAMPLE,
    report: Report = silent,
    workers: int = -1,
    checkpoints: Checkpoints | None = None,
) -> Layout:
    """Lay out ``rows`` of ``vectors`` on the unit square.

    Parameters
    ----------
    vectors : (n, d) array of float
        One row per image; float16 memory maps are read in blocks. A row that is all zero, or has NaN or infinity, is
        an image without a vector: it is put in the lower right corner, outside the map proper.
    rows : (m,) int
        The images on the map; ascending rows are read faster.
    method : {"tsne", "umap", "pacmap", "pca"}
        t-SNE by openTSNE [1]_ preserves nearest neighbours best; UMAP [2]_ is faster; PaCMAP [3]_ is a preview; PCA is
        immediate.
    seed : int
        The same vectors, seed and number of ``workers`` give the same map. UMAP runs on one core.
    sample : int
        Of more rows than this, a random sample of this size is fitted; the others are placed on the fitted layout,
        without influence on it or on one another.
    report : Report
        Called every 25 iterations of t-SNE, at each stage of the other methods, and for each placed block. It may raise
        ``Stopped``.
    workers : int
        Cores for t-SNE; -1 for all.
    checkpoints : Checkpoints, optional
        Where the state is saved. A stopped call that is repeated with the same arguments and checkpoints resumes and
        gives the same map.

    Returns
    -------
    Layout
        Places are always finite and in [0, 1], with the same scale on both axes; see :func:`fit_unit_square`.

    Raises
    ------
    ProjectionError
        The method is unknown, or ``vectors`` is not two-dimensional.

    References
    ----------
    .. [1] Poličar, Stražar, Zupan: openTSNE: A Modular Python Library for t-SNE. J. Stat. Softw. 109(3), 2024.
    .. [2] McInnes, Healy, Melville: UMAP. arXiv:1802.03426, 2018.
    .. [3] Wang et al.: Understanding How Dimension Reduction Tools Work. JMLR 22(201), 2021.
    """
    if method not in METHODS:
        raise ProjectionError(f"There is no layout method {method!r}. Choose one of {', '.join(METHODS)}.")
    if vectors.ndim != 2:
        raise ProjectionError(f"Vectors must have the shape (images, dimensions); these have {vectors.shape}.")
    checkpoints = checkpoints or InMemoryCheckpoints()
    places = np.full((len(rows), 2), _OUTSIDE, dtype=np.float32)
    sampled = _draw_sample(len(rows), sample, seed)
    sampled = sampled[usable(vectors, rows[sampled])]
    if not sampled.size:
        return Layout(places, None)
    blocks = 0 if len(rows) <= sample else -(-len(rows) // BLOCK)
    fit_report = _with_later_steps(report, blocks * _BLOCK_STEPS)
    model = _fit(vectors, rows[sampled], method, seed, fit_report, workers, checkpoints)
    if model is None:  # all sampled vectors are equal
        if blocks:
            return Layout(_grid(len(rows)), None)
        places[sampled] = _grid(len(sampled))
        return Layout(places, None)
    if blocks:
        places = _place_all(model, vectors, rows, report, workers, checkpoints)
    places[sampled] = _frame(model).places(model.arrays["raw"])
    return Layout(places, model)


def _draw_sample(count: int, sample: int, seed: int) -> NDArray[np.int64]:
    """Return the indices that are fitted, ascending: all of ``count``, or ``sample`` random ones."""
    if count <= sample:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, max(1, sample), replace=False))


def _with_later_steps(report: Report, steps: int) -> Report:
    """Return a report for the first part of the work, which ``steps`` further steps follow."""

    def shifted(done: int, total: int | None, message: str = "") -> None:
        report(done, None if total is None else total + steps, message)

    return shifted


def _fit(
    vectors: NDArray[Any],
    rows: NDArray[np.int64],
    method: str,
    seed: int,
    report: Report,
    workers: int,
    checkpoints: Checkpoints,
) -> Model | None:
    saved = checkpoints.load("model")
    if saved is not None:
        return Model("pca" if "pca" in saved else method, dict(saved))
    report(0, None, "principal components")
    components = fit_components(vectors, rows=rows)
    points = components.of(vectors, rows)
    if (float(points[:, 0].std()) if points.shape[1] else 0.0) <= 1e-6:
        return None
    start = _first_two(points)
    if method == "pca" or len(rows) < MIN_IMAGES:
        report(1, 1, "principal plane")
        method, arrays = "pca", Arrays(raw=start, pca=np.ones(1))
    else:
        with _quiet():
            neighbours = NeighbourIndex(points, seed=seed)
            arrays = _module(method).fit(
                points,
                _scaled_start(start, seed),
                neighbours=neighbours,
                seed=seed,
                workers=workers,
                report=report,
                checkpoints=checkpoints,
            )
        arrays.update(raw=np.where(np.isfinite(arrays["raw"]), arrays["raw"], 0.0), points=points)
    arrays.update(mean=components.mean, directions=components.directions, seed=np.array([seed]))
    arrays["frame"] = Frame.of(arrays["raw"]).numbers()
    checkpoints.save("model", arrays)
    return Model(method, arrays)


def _place_all(
    model: Model, vectors: NDArray[Any], rows: NDArray[np.int64], report: Report, workers: int, checkpoints: Checkpoints
) -> Places:
    """Place all rows, block by block; the fitted ones too, which is cheap and simple."""
    places = checkpoints.array("places", (len(rows), 2))
    blocks, done = -(-len(rows) // BLOCK), 0
    progress = checkpoints.load("blocks")
    checksum = 0  # of the places of all blocks that are done: a power cut may have taken them
    if progress is not None:
        saved = int(progress["done"][0])
        found = zlib.crc32(places[: saved * BLOCK].data)
        if progress.get("checksum") == found:
            done, checksum = saved, found
    steps = 0 if model.method == "pca" else _module(model.method).STEPS
    place = None
    for block in range(done, blocks):
        report(steps + block * _BLOCK_STEPS, steps + blocks * _BLOCK_STEPS, f"placing {len(rows):,} images")
        place = place or model.placer(workers=workers)
        at = slice(block * BLOCK, (block + 1) * BLOCK)
        places[at] = place(vectors, rows[at])
        checksum = zlib.crc32(places[at].data, checksum)
        checkpoints.save("blocks", {"done": np.array([block + 1]), "checksum": np.array([checksum], np.uint32)})
    report(steps + blocks * _BLOCK_STEPS, steps + blocks * _BLOCK_STEPS, "placed")
    return np.array(places)


def _make_placer(model: Model, workers: int) -> Callable[[NDArray[Any], NDArray[np.int64]], Places]:
    arrays, frame = model.arrays, _frame(model)
    components = Components(arrays["mean"], arrays["directions"])
    placer: Placer = _first_two
    if model.method != "pca":
        with _quiet():
            seed = int(arrays["seed"][0])
            neighbours = NeighbourIndex(arrays["points"], seed=seed)
            placer = _module(model.method).placer(arrays, neighbours=neighbours, seed=seed, workers=workers)

    def place(vectors: NDArray[Any], rows: NDArray[np.int64]) -> Places:
        places = np.full((len(rows), 2), _OUTSIDE, dtype=np.float32)
        embedded = np.flatnonzero(usable(vectors, rows))
        if embedded.size:
            with _quiet():
                raw = placer(components.of(vectors, rows[embedded]))
            places[embedded] = frame.places(np.where(np.isfinite(raw), raw, 0.0))
        return places

    return place


def _module(method: str) -> Any:
    name = method if method == "tsne" else f"{method}_layout"
    return import_module(f"bam_engine.projection.methods.{name}")


def _frame(model: Model) -> Frame:
    return Frame.from_numbers(model.arrays["frame"])


def _first_two(points: Floats) -> Raw:
    """Return the first two components; a single component gives a line."""
    plane = np.zeros((len(points), 2))
    plane[:, : min(2, points.shape[1])] = points[:, :2]
    return plane


def _grid(count: int) -> Places:
    """Return places for images with equal vectors: a square, row by row."""
    side = int(np.ceil(np.sqrt(count)))
    number = np.arange(count)
    cells = np.stack([number % side, number // side], axis=1)
    return fit_unit_square(cells / max(side - 1, 1))


def _scaled_start(start: Raw, seed: int) -> Raw:
    """Scale the principal plane to a spread of 1e-4 (Kobak & Berens 2019), with jitter that separates equal vectors."""
    rng = np.random.default_rng(seed)
    scaled = start / start[:, 0].std()
    return np.asarray(1e-4 * (scaled + rng.normal(scale=1e-3, size=start.shape)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the libraries' warnings about each other."""
    with warnings.catch_warnings():
        # on import, umap-learn warns that its optional TensorFlow part is missing
        warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
        yield
