"""The compiled loops against their definitions, added up in numpy, pixel by pixel and bin by bin."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bam_engine.embedding import descriptor_kernels as kernels

seeds = st.integers(0, 1000)


def some_places(rng: np.random.Generator, shape: tuple[int, ...], bins: int) -> np.ndarray:
    """Places among bins, some of them exactly on one, none on the last."""
    places = rng.uniform(0, bins - 1 - 1e-4, shape).astype(np.float32)
    return np.where(rng.random(shape) < 0.2, np.floor(places), places).astype(np.float32)


def tents(places: np.ndarray, bins: int) -> np.ndarray:
    """The share of every bin in each place: 1 on it, falling to 0 at the next on either side."""
    return np.maximum(0, 1 - np.abs(places[..., None].astype(np.float64) - np.arange(bins)))


@settings(deadline=None, max_examples=20)
@given(seed=seeds)
def test_a_colour_counts_in_the_eight_bins_around_it(seed):
    rng = np.random.default_rng(seed)
    sizes, weight = (5, 7, 6), rng.random(300).astype(np.float32)
    places = np.stack([some_places(rng, (300,), bins) for bins in sizes])
    counts = np.zeros(sizes)
    kernels.colour_counts(places, weight, counts)
    shares = [tents(place, bins) for place, bins in zip(places, sizes, strict=True)]
    np.testing.assert_allclose(counts, np.einsum("i,ix,iy,iz->xyz", weight, *shares), rtol=1e-5, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(seed=seeds, bins=st.integers(2, 16))
def test_a_strength_counts_in_the_two_bins_around_it(seed, bins):
    rng = np.random.default_rng(seed)
    places, weight, counts = some_places(rng, (300,), bins), rng.random(300).astype(np.float32), np.zeros(bins)
    kernels.interpolated_counts(places, weight, counts)
    np.testing.assert_allclose(counts, weight @ tents(places, bins), rtol=1e-5, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(seed=seeds)
def test_a_direction_counts_in_the_two_around_it_and_the_last_is_beside_the_first(seed):
    rng = np.random.default_rng(seed)
    places, strength = rng.uniform(0, 8, (9, 11)).astype(np.float32), rng.random((9, 11)).astype(np.float32)
    places[0] = rng.integers(0, 9, 11)  # 8 is the first direction again
    planes = np.zeros((9, 11, 8), np.float32)
    kernels.direction_planes(places, strength, planes)
    shares = tents(places, 9)
    shares[..., 0] += shares[..., 8]
    np.testing.assert_allclose(planes, strength[..., None] * shares[..., :8], rtol=1e-5, atol=1e-6)
