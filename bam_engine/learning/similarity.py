"""Similarity of images to seed vectors: cosine, or in the directions that distinguish a seed from the collection."""

import numpy as np

from bam_engine.learning.products import Floats, Vectors, for_each_block
from bam_engine.learning.sampling import Rows

_COVARIANCE_SAMPLE = 4096
_SHRINKAGE = 5.0  # mean eigenvalues; chosen on attributes and an encoder that the benchmarks do not report
_TINY = np.float32(1e-12)


def cosine_similarities(vectors: Vectors, seeds: Floats, rows: Rows) -> Floats:
    """Return the cosine similarity of each row's unit vector with each seed, (r, m) float32."""
    return _products(vectors, _unit(seeds), rows, None)


def whitened_similarities(vectors: Vectors, seeds: Floats, rows: Rows) -> Floats:
    """Return the similarity of each row to each seed in what distinguishes the seed from these rows, (r, m) float32.

    The cosine of ``image - mean`` with ``(M + kI)^-1 (seed - mean)``, where M is the covariance of at most 4,096 evenly
    spaced rows and k five times its mean eigenvalue. See :func:`~bam_engine.learning.query.similar`.
    """
    places = np.linspace(0, len(rows) - 1, min(len(rows), _COVARIANCE_SAMPLE)).astype(np.int64)
    sample = np.asarray(vectors[rows[places]], dtype=np.float32)
    mean = sample.mean(axis=0)
    sample -= mean
    covariance = sample.T @ sample / np.float32(len(sample))
    level = float(np.trace(covariance)) / len(covariance)
    if level == 0:  # all vectors are equal
        return cosine_similarities(vectors, seeds, rows)
    covariance[np.diag_indices_from(covariance)] += np.float32(_SHRINKAGE * level)
    directions = np.linalg.solve(covariance.astype(np.float64), (seeds - mean).T.astype(np.float64)).T
    return _products(vectors, _unit(directions.astype(np.float32)), rows, mean)


def _products(vectors: Vectors, directions: Floats, rows: Rows, mean: Floats | None) -> Floats:
    """Return vector @ direction for each row; with a mean, after centring the vector and scaling it to unit length."""
    columns = directions.T if mean is None else np.column_stack([directions.T, mean])
    products = np.empty((len(rows), columns.shape[1]), dtype=np.float32)

    def multiply(part: slice, wide: Floats) -> None:
        block = products[part]
        np.matmul(wide, columns, out=block)
        if mean is not None:
            square = np.einsum("ij,ij->i", wide, wide) - 2 * block[:, -1] + mean @ mean
            block -= mean @ columns
            block /= np.sqrt(np.maximum(square, _TINY))[:, None]

    for_each_block(vectors, multiply, rows=rows)
    return products[:, : len(directions)]


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = np.asarray(vectors / np.where(length > 0, length, 1), dtype=np.float32)
    return unit
