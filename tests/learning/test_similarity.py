import numpy as np

from bam_engine.learning.similarity import cosine_similarities, whitened_similarities


def test_distinctive_likeness_is_its_definition_on_every_row():
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(5000, 12)) @ rng.normal(size=(12, 12)) + 3).astype(np.float16)
    rows, seeds = np.arange(1000, 4000), vectors[[3, 7]].astype(np.float32)
    pool = vectors[rows].astype(np.float64)
    mean, covariance = pool.mean(axis=0), np.cov(pool.T, bias=True)
    shrunk = covariance + 5 * np.trace(covariance) / 12 * np.eye(12)
    directions = np.linalg.solve(shrunk, (seeds - mean).T)
    centred = pool - mean
    lengths = np.linalg.norm(centred, axis=1)[:, None] * np.linalg.norm(directions, axis=0)
    assert np.allclose(whitened_similarities(vectors, seeds, rows), centred @ directions / lengths, atol=1e-4)


def test_distinctive_likeness_knows_no_shift_and_no_scale_of_the_collection():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(500, 6)).astype(np.float32)
    moved = 7 * vectors + np.float32(2)
    rows = np.arange(500)
    assert np.allclose(
        whitened_similarities(vectors, vectors[:2], rows), whitened_similarities(moved, moved[:2], rows), atol=1e-4
    )


def test_a_plain_likeness_is_the_cosine_and_a_zero_seed_is_like_nothing():
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(50, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    seeds = np.stack([3 * vectors[0], np.zeros(6, np.float32)])
    found = cosine_similarities(vectors, seeds, np.arange(50))
    assert np.allclose(found[:, 0], vectors @ vectors[0], atol=1e-6)
    assert (found[:, 1] == 0).all()
