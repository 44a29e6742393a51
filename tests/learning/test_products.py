"""A pass over the vectors in blocks gives what the whole product gives, whatever the blocks, the rows and the type."""

import numpy as np
import pytest

from bam_engine.errors import Stopped
from bam_engine.learning import products as module
from bam_engine.learning.products import for_each_block, products, widen


def test_every_finite_float16_is_widened_to_itself() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)].reshape(-1, 2)
    wide = np.empty(halves.shape, dtype=np.float32)
    widen(halves, wide)
    assert np.array_equal(wide, halves.astype(np.float32))
    assert np.array_equal(np.signbit(wide), np.signbit(halves))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("block", [1, 7, 512, 10_000])
def test_products_are_those_of_the_chosen_rows_around_the_centre(
    monkeypatch: pytest.MonkeyPatch, dtype: type, block: int
) -> None:
    monkeypatch.setattr(module, "_SPAN", 100)
    rng = np.random.default_rng(0)
    vectors, weights = rng.normal(size=(700, 8)).astype(dtype), rng.normal(size=(8, 3)).astype(np.float32)
    rows, centre = rng.integers(0, 700, 450), rng.normal(size=8).astype(np.float32)
    wide = vectors.astype(np.float64)
    assert products(vectors, weights, block=block) == pytest.approx(wide @ weights, abs=1e-5)
    result = products(vectors, weights, rows=rows, centre=centre, block=block)
    assert result.dtype == np.float32
    assert result == pytest.approx((wide[rows] - centre) @ weights, abs=1e-5)
    transposed = np.empty((3, 700), np.float32)
    products(vectors, weights, block=block, out=transposed.T)
    assert transposed == pytest.approx((wide @ weights).T, abs=1e-5)


def test_every_row_is_read_once_and_progress_ends_with_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SPAN", 64)
    vectors = np.random.default_rng(0).normal(size=(1000, 4)).astype(np.float16)
    seen, steps = np.zeros(1000, int), []

    def use(part: slice, block: np.ndarray) -> None:
        seen[part] += 1
        assert np.array_equal(block, vectors[part].astype(np.float32))

    for_each_block(vectors, use, block=16, report=lambda *step: steps.append(step), message="reading")
    assert (seen == 1).all()
    assert steps == sorted(steps)
    assert steps[-1] == (1000, 1000, "reading")


def test_a_pass_ends_where_progress_or_the_work_itself_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SPAN", 10)
    vectors, read = np.zeros((100_000, 2), np.float16), []

    def stop(done: int, total: int | None, message: str = "") -> None:
        raise Stopped("enough")

    with pytest.raises(Stopped):
        for_each_block(vectors, lambda part, block: read.append(part), block=10, report=stop)
    assert len(read) < 10_000

    def fail(part: slice, block: np.ndarray) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        for_each_block(vectors, fail)


def test_nothing_is_read_where_there_are_no_rows() -> None:
    weights = np.ones((2, 1), np.float32)
    assert products(np.empty((0, 2), np.float16), weights).shape == (0, 1)
    assert products(np.ones((5, 2), np.float16), weights, rows=np.empty(0, np.int64)).shape == (0, 1)
