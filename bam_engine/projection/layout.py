"""From vectors to places on a map: images that look alike stand together.

In:  vectors (n, d) of any float type, memory-mapped if large. Out: places (n, 2) in the unit square, and a ``Model``
that places images which come later without moving the others. Knows nothing of tiles, images or files.

Every method starts from the first 50 principal components (0.3 s for 100,000 x 512), which is where it finds
neighbours; neighbours for a search come from the vectors themselves. A large collection is fitted on a random sample,
and the rest is placed among it by the method's own rule, block by block.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.errors import ProjectionError
from bam_engine.progress import Report, silent
from bam_engine.projection.components import Components, Floats, fit_components, usable
from bam_engine.projection.frame import MARGIN, Frame, Places, fit_unit_square
from bam_engine.projection.methods import Arrays, InMemory, Keep, Placer, Raw
from bam_engine.projection.near import Near

METHODS = ("tsne", "umap", "pacmap", "pca")

FEWEST = 12
"""With fewer images than this there are no neighbourhoods to keep: the principal plane is the map."""

SAMPLE = 150_000
"""Collections up to this size are fitted whole."""

BLOCK = 25_000
"""Images that are placed at a time among those that were fitted."""

_BLOCK_STEPS = 10  # what a block counts as beside the steps of the fit
_OUTSIDE = 1 - MARGIN / 2  # where images without a vector stand, on both axes


@dataclass(frozen=True)
class Model:
    """A fitted layout that others can be placed on: its method, what that needs, and the frame of the map."""

    method: str
    arrays: Arrays

    def placer(self, *, workers: int = -1) -> Callable[[NDArray[Any], NDArray[np.int64]], Places]:
        """Return what places rows of vectors, (m, 2), among the fitted, none of which moves.

        It is made ready once and then quick for many blocks. An image without a usable vector is put in the lower
        right corner, as by :func:`lay_out`.
        """
        return _placing(self, workers)


@dataclass(frozen=True)
class Layout:
    """Places (n, 2) of all that was asked for; the model, or None where nothing can be placed among them."""

    places: Places
    model: Model | None


def compute_layout(
    vectors: NDArray[Any], *, method: str = "tsne", seed: int = 0, report: Report = silent, workers: int = -1
) -> Places:
    """Lay a collection out on the unit square: the places of :func:`lay_out` for every row, at any size fitted whole.

    Examples
    --------
    >>> compute_layout(np.eye(3), method="pca").shape
    (3, 2)
    """
    rows = np.arange(len(vectors))
    return lay_out(vectors, rows, method=method, seed=seed, sample=len(rows), report=report, workers=workers).places


def lay_out(
    vectors: NDArray[Any],
    rows: NDArray[np.int64],
    *,
    method: str = "tsne",
    seed: int = 0,
    sample: int = SAMPLE,
    report: Report = silent,
    workers: int = -1,
    keep: Keep | None = None,
) -> Layout:
    """Lay ``rows`` of ``vectors`` out on the unit square.

    Parameters
    ----------
    vectors : (n, d) array of float
        One row for each image; float16 memory maps are read in blocks. A row of zeros, or one with NaN or infinity, is
        an image without a vector: it is put in the lower right corner, outside the map proper.
    rows : (m,) int
        What is on the map; rising for the sake of speed.
    method : {"tsne", "umap", "pacmap", "pca"}
        t-SNE by openTSNE [1]_ keeps the nearest neighbours best; UMAP [2]_ is quicker; PaCMAP [3]_ is a preview; PCA is
        immediate.
    seed : int
        The same vectors, seed and number of ``workers`` give the same map. UMAP then runs on one core.
    sample : int
        With more rows than this, so many are drawn at random and fitted; the others are placed among them, where they
        attract and repel no one.
    report : Report
        Told of every 25th iteration of t-SNE, of the stages of the others, and of each block that is placed. Stopped
        raised from it ends the work.
    workers : int
        Cores for t-SNE; -1 for all.
    keep : Keep, optional
        Where the state is put aside. With the ``keep`` of work that was stopped, and all else the same, it goes on
        from there to the same map.

    Returns
    -------
    Layout
        Places always finite, in [0, 1], both axes to one scale; see :func:`fit_unit_square`.

    Raises
    ------
    ProjectionError
        The method is not known, or ``vectors`` has not two dimensions.

    References
    ----------
    .. [1] Poličar, Stražar, Zupan: openTSNE: A Modular Python Library for t-SNE. J. Stat. Softw. 109(3), 2024.
    .. [2] McInnes, Healy, Melville: UMAP. arXiv:1802.03426, 2018.
    .. [3] Wang et al.: Understanding How Dimension Reduction Tools Work. JMLR 22(201), 2021.
    """
    if method not in METHODS:
        raise ProjectionError(f"there is no layout {method!r}; choose one of {', '.join(METHODS)}.")
    if vectors.ndim != 2:
        raise ProjectionError(f"vectors have the shape (images, dimensions); these have {vectors.shape}.")
    keep = keep or InMemory()
    places = np.full((len(rows), 2), _OUTSIDE, dtype=np.float32)
    chosen = _drawn(len(rows), sample, seed)
    chosen = chosen[usable(vectors, rows[chosen])]
    if not chosen.size:
        return Layout(places, None)
    blocks = 0 if len(rows) <= sample else -(-len(rows) // BLOCK)
    model = _fitted(vectors, rows[chosen], method, seed, _shifted(report, blocks * _BLOCK_STEPS), workers, keep)
    if model is None:  # nothing tells the images apart, nor those that were not drawn
        if blocks:
            return Layout(_grid(len(rows)), None)
        places[chosen] = _grid(len(chosen))
        return Layout(places, None)
    if blocks:
        places = _place_all(model, vectors, rows, report, workers, keep)
    places[chosen] = _frame(model).places(model.arrays["raw"])
    return Layout(places, model)


def _drawn(count: int, sample: int, seed: int) -> NDArray[np.int64]:
    """Which of ``count`` are fitted, rising: all, or as many as ``sample`` says."""
    if count <= sample:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, max(1, sample), replace=False))


def _shifted(report: Report, after: int) -> Report:
    """Tell of a part of the work: ``after`` steps follow it."""

    def tell(done: int, total: int | None, message: str = "") -> None:
        report(done, None if total is None else total + after, message)

    return tell


def _fitted(
    vectors: NDArray[Any], rows: NDArray[np.int64], method: str, seed: int, report: Report, workers: int, keep: Keep
) -> Model | None:
    kept = keep.get("model")
    if kept is not None:
        return Model("pca" if "pca" in kept else method, dict(kept))
    report(0, None, "principal components")
    components = fit_components(vectors, rows=rows)
    points = components.of(vectors, rows)
    if (float(points[:, 0].std()) if points.shape[1] else 0.0) <= 1e-6:
        return None
    start = _plane(points)
    if method == "pca" or len(rows) < FEWEST:
        report(1, 1, "principal plane")
        method, arrays = "pca", Arrays(raw=start, pca=np.ones(1))
    else:
        with _quiet():
            near = Near(points, seed=seed)
            arrays = _module(method).fit(
                points, _small(start, seed), near=near, seed=seed, workers=workers, report=report, keep=keep
            )
        arrays.update(raw=np.where(np.isfinite(arrays["raw"]), arrays["raw"], 0.0), points=points)
    arrays.update(mean=components.mean, directions=components.directions, seed=np.array([seed]))
    arrays["frame"] = Frame.of(arrays["raw"]).numbers()
    keep.put("model", arrays)
    return Model(method, arrays)


def _place_all(
    model: Model, vectors: NDArray[Any], rows: NDArray[np.int64], report: Report, workers: int, keep: Keep
) -> Places:
    """Place all rows, block by block; those that were fitted among them, which costs little and keeps it simple."""
    room = keep.room("places", (len(rows), 2))
    begun = keep.get("blocks")
    blocks = -(-len(rows) // BLOCK)
    steps = 0 if model.method == "pca" else _module(model.method).STEPS
    place = None
    for block in range(int(begun["done"][0]) if begun is not None else 0, blocks):
        report(steps + block * _BLOCK_STEPS, steps + blocks * _BLOCK_STEPS, f"placing {len(rows):,} images")
        place = place or model.placer(workers=workers)
        at = slice(block * BLOCK, (block + 1) * BLOCK)
        room[at] = place(vectors, rows[at])
        keep.put("blocks", {"done": np.array([block + 1])})
    report(steps + blocks * _BLOCK_STEPS, steps + blocks * _BLOCK_STEPS, "placed")
    return np.array(room)


def _placing(model: Model, workers: int) -> Callable[[NDArray[Any], NDArray[np.int64]], Places]:
    arrays, frame = model.arrays, _frame(model)
    components = Components(arrays["mean"], arrays["directions"])
    placer: Placer = _plane
    if model.method != "pca":
        with _quiet():
            seed = int(arrays["seed"][0])
            near = Near(arrays["points"], seed=seed)
            placer = _module(model.method).placer(arrays, near=near, seed=seed, workers=workers)

    def place(vectors: NDArray[Any], rows: NDArray[np.int64]) -> Places:
        places = np.full((len(rows), 2), _OUTSIDE, dtype=np.float32)
        there = np.flatnonzero(usable(vectors, rows))
        if there.size:
            with _quiet():
                raw = placer(components.of(vectors, rows[there]))
            places[there] = frame.places(np.where(np.isfinite(raw), raw, 0.0))
        return places

    return place


def _module(method: str) -> Any:
    name = method if method == "tsne" else f"{method}_layout"
    return import_module(f"bam_engine.projection.methods.{name}")


def _frame(model: Model) -> Frame:
    return Frame.from_numbers(model.arrays["frame"])


def _plane(points: Floats) -> Raw:
    """The first two components; a collection with only one dimension lies on a line."""
    plane = np.zeros((len(points), 2))
    plane[:, : min(2, points.shape[1])] = points[:, :2]
    return plane


def _grid(count: int) -> Places:
    """Places for images that cannot be told apart: a square, row by row."""
    side = int(np.ceil(np.sqrt(count)))
    number = np.arange(count)
    cells = np.stack([number % side, number // side], axis=1)
    return fit_unit_square(cells / max(side - 1, 1))


def _small(start: Raw, seed: int) -> Raw:
    """The principal plane with a spread of 1e-4 (Kobak & Berens 2019); equal vectors are set apart by a hair."""
    rng = np.random.default_rng(seed)
    scaled = start / start[:, 0].std()
    return np.asarray(1e-4 * (scaled + rng.normal(scale=1e-3, size=start.shape)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the libraries say of one another; none of it is about the collection."""
    with warnings.catch_warnings():
        # umap-learn announces at import that its part for TensorFlow, which nobody asked for, is missing
        warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
        yield
