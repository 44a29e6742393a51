"""From vectors to places on a map: images that look alike stand together.

In:  vectors (n, d) of any float type, memory-mapped if large.
Out: places (n, 2) in the unit square. Knows nothing of tiles, images or files.

Every method starts from the first 50 principal components (0.3 s for 100,000 x 512), which is where t-SNE and UMAP find
neighbours; neighbours for a search come from the vectors themselves.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.errors import ProjectionError
from bam_engine.progress import Report, silent

METHODS = ("tsne", "umap", "pca")

COMPONENTS = 50
FEWEST = 12
"""With fewer images than this there are no neighbourhoods to keep: the principal plane is the map."""

PERPLEXITY, NEIGHBOURS = 30.0, 15
EXAGGERATED, SETTLED = 250, 500
"""Iterations of t-SNE: the early ones pull neighbours together, the others settle the map."""

WORTH_SHARING = 3000
"""With fewer images than this the cores of a busy machine wait for each other longer than they work."""

MARGIN = 0.03
CORE = 0.9

Places = NDArray[np.float32]
Floats = NDArray[np.float32]


def compute_layout(
    vectors: NDArray[Any], *, method: str = "tsne", seed: int = 0, report: Report = silent, workers: int = -1
) -> Places:
    """Lay a collection out on the unit square.

    Parameters
    ----------
    vectors : (n, d) array of float
        One row for each image; float16 memory maps are read in blocks. A row of zeros, or one with NaN or infinity, is
        an image without a vector: it is put in the lower right corner, outside the map proper.
    method : {"tsne", "umap", "pca"}
        t-SNE by openTSNE [1]_ keeps the nearest neighbours best; UMAP [2]_ is about twice as fast; PCA is immediate.
    seed : int
        The same vectors, seed and number of ``workers`` give the same map. UMAP then runs on one core.
    report : Report
        Told of every 25th iteration of t-SNE, of the stages of the others. Stopped raised from it ends the work.
    workers : int
        Cores for t-SNE; -1 for all.

    Returns
    -------
    (n, 2) float32
        Always finite, in [0, 1], both axes to one scale; see :func:`fit_unit_square`.

    Raises
    ------
    ProjectionError
        The method is not known, or ``vectors`` has not two dimensions.

    References
    ----------
    .. [1] Poličar, Stražar, Zupan: openTSNE: A Modular Python Library for t-SNE. J. Stat. Softw. 109(3), 2024.
    .. [2] McInnes, Healy, Melville: UMAP. arXiv:1802.03426, 2018.
    """
    if method not in METHODS:
        raise ProjectionError(f"there is no layout {method!r}; choose one of {', '.join(METHODS)}.")
    if vectors.ndim != 2:
        raise ProjectionError(f"vectors have the shape (images, dimensions); these have {vectors.shape}.")
    usable = _usable(vectors)
    places = np.full((len(vectors), 2), 1 - MARGIN / 2, dtype=np.float32)
    if usable.size:
        places[usable] = _lay_out(vectors, usable, method, seed, report, workers)
    return places


def fit_unit_square(raw: NDArray[Any], *, margin: float = MARGIN) -> Places:
    """Scale places into [margin, 1 - margin] squared, both axes alike, however far the outliers lie.

    When a few places lie far out, the inner 98 % take nine tenths of the width and the others are drawn in towards the
    edge, in their order: a map is never a dot with one stray image far away. Otherwise it is one linear map. Without
    any spread everything stands in the middle.
    """
    raw = np.asarray(raw, dtype=np.float64)
    if not len(raw):
        return np.empty((0, 2), dtype=np.float32)
    low, high = raw.min(axis=0), raw.max(axis=0)
    inner_low, inner_high = np.quantile(raw, [0.01, 0.99], axis=0)
    whole, inner = float((high - low).max()) / 2, 1.15 * float((inner_high - inner_low).max()) / 2
    if whole > 2 * inner > 0:
        unit = _draw_in((raw - (inner_low + inner_high) / 2) / inner)
    else:
        unit = (raw - (low + high) / 2) / (whole or 1.0)
    places: Places = (0.5 + (0.5 - margin) * np.clip(unit, -1, 1)).astype(np.float32)
    return places


def _draw_in(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """[-1, 1] to [-CORE, CORE] linearly; what is beyond to the rest, rising and without a kink."""
    beyond = np.maximum(np.abs(unit) - 1, 0) * CORE / (1 - CORE)
    size = CORE * np.minimum(np.abs(unit), 1) + (1 - CORE) * beyond / (1 + beyond)
    return np.asarray(np.sign(unit) * size)


def _usable(vectors: NDArray[Any]) -> NDArray[np.int64]:
    """Rows with a vector: finite, not all zero."""
    blocks = []
    for start in range(0, len(vectors), 4096):
        block = np.asarray(vectors[start : start + 4096])
        blocks.append(start + np.flatnonzero(np.isfinite(block).all(axis=1) & (block != 0).any(axis=1)))
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.int64)


def _lay_out(
    vectors: NDArray[Any], usable: NDArray[np.int64], method: str, seed: int, report: Report, workers: int
) -> Places:
    report(0, None, "principal components")
    components = principal_components(vectors, rows=usable)
    spread = float(components[:, 0].std()) if components.shape[1] else 0.0
    if spread <= 1e-6:
        return _grid(len(usable))
    start = _plane(components)
    if method == "pca" or len(usable) < FEWEST:
        report(1, 1, "principal plane")
        return fit_unit_square(start)
    raw = (_tsne if method == "tsne" else _umap)(components, start, seed, report, workers)
    return fit_unit_square(np.where(np.isfinite(raw), raw, 0.0))


def principal_components(vectors: NDArray[Any], *, rows: NDArray[np.int64], count: int = COMPONENTS) -> Floats:
    """Coordinates (m, <= count) of ``rows`` along the directions of greatest spread, by the d x d covariance.

    Reads ``vectors`` twice in blocks, so a memory map of millions needs no copy. The sign of each direction is fixed by
    its largest entry, so that the same vectors give the same map.
    """
    width = vectors.shape[1]
    shift = np.asarray(vectors[rows[0]], dtype=np.float64)
    total, products = np.zeros(width), np.zeros((width, width))
    for block in _blocks(vectors, rows):
        moved = block - shift
        total += moved.sum(axis=0)
        products += moved.T @ moved
    mean = total / len(rows)
    _, directions = np.linalg.eigh(products / len(rows) - np.outer(mean, mean))
    directions = directions[:, ::-1][:, : min(count, width)]
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])]
    directions = directions * np.where(largest < 0, -1.0, 1.0)
    return np.concatenate(
        [((block - shift - mean) @ directions).astype(np.float32) for block in _blocks(vectors, rows)]
    )


def _blocks(vectors: NDArray[Any], rows: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
    for start in range(0, len(rows), 8192):
        yield np.asarray(vectors[rows[start : start + 8192]], dtype=np.float64)


def _plane(components: Floats) -> NDArray[np.float64]:
    """The first two components; a collection with only one dimension lies on a line."""
    plane = np.zeros((len(components), 2))
    plane[:, : min(2, components.shape[1])] = components[:, :2]
    return plane


def _grid(count: int) -> Places:
    """Places for images that cannot be told apart: a square, row by row."""
    side = int(np.ceil(np.sqrt(count)))
    number = np.arange(count)
    cells = np.stack([number % side, number // side], axis=1)
    return fit_unit_square(cells / max(side - 1, 1))


def _tsne(components: Floats, start: NDArray[np.float64], seed: int, report: Report, workers: int) -> Any:
    from openTSNE import TSNE

    done = [0]

    def tell(_iteration: int, divergence: float, _embedding: Any) -> bool:
        done[0] += 25
        report(done[0], EXAGGERATED + SETTLED, f"t-SNE, divergence {divergence:.2f}")
        return False

    report(0, EXAGGERATED + SETTLED, "neighbours")
    model = TSNE(
        perplexity=min(PERPLEXITY, (len(components) - 1) / 3.1),
        initialization=_small(start, seed),
        early_exaggeration_iter=EXAGGERATED,
        n_iter=SETTLED,
        callbacks=tell,
        callbacks_every_iters=25,
        n_jobs=workers if len(components) >= WORTH_SHARING else 1,
        random_state=seed,
    )
    with _quiet():
        return np.asarray(model.fit(components))


def _umap(components: Floats, start: NDArray[np.float64], seed: int, report: Report, _workers: int) -> Any:
    report(0, 2, "loading UMAP")
    with _quiet():
        from umap import UMAP

        report(1, 2, "UMAP: neighbours and layout, which cannot be stopped half-way")
        model = UMAP(
            n_neighbors=min(NEIGHBOURS, len(components) - 1),
            init=_small(start, seed) * 1e5,  # a width of 10, which UMAP's step sizes expect
            random_state=seed,
            n_jobs=1,
        )
        places = model.fit_transform(components)
    report(2, 2, "UMAP")
    return places


def _small(start: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
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
