"""Encoded tiles are read back unchanged."""

import heapq
import io

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from bam_engine.projection.encoding import NOTHING, encode
from bam_engine.projection.webp_lossless import _code_lengths, encode_lossless


def opened(file: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(file)) as image:
        assert image.format == "WEBP"
        return np.asarray(image.convert("RGBA"))


def same_where_seen(result: np.ndarray, drawn: np.ndarray) -> bool:
    """The definition of lossless: the same opacity everywhere, the same colour wherever there is any."""
    seen = drawn[..., 3] > 0
    return bool((result[..., 3] == drawn[..., 3]).all() and (result[seen] == drawn[seen]).all())


def picture(rng: np.random.Generator, colours: int, shape: tuple[int, int], empty: float) -> np.ndarray:
    """Random colours, often a run of one or a repetition of the line above, mostly nothing where ``empty`` is high."""
    table = rng.integers(0, 256, (colours, 4), dtype=np.uint8)
    index = rng.integers(0, colours, shape) * (rng.random(shape) >= empty)
    index[:, 1:] = np.where(rng.random((shape[0], shape[1] - 1)) < 0.4, index[:, :-1], index[:, 1:])
    index[1:] = np.where(rng.random((shape[0] - 1, 1)) < 0.3, index[:-1], index[1:])
    return table[index]


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 2, 3, 4, 5, 16, 17, 100, 200, 256]),
    st.tuples(st.integers(1, 40), st.integers(1, 300)),
    st.sampled_from([0.0, 0.5, 0.97, 1.0]),
)
def test_a_picture_of_few_colours_is_read_as_it_was_written(
    seed: int, colours: int, shape: tuple[int, int], empty: float
) -> None:
    drawn = picture(np.random.default_rng(seed), colours, shape, empty)
    file = encode_lossless(drawn.view(np.uint32)[..., 0])
    assert file is not None
    assert same_where_seen(opened(file), drawn)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=60), st.sampled_from([7, 15]))
@example([1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765], 15)
@example([1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144], 7)
def test_a_prefix_code_is_complete_bounded_and_optimal_where_possible(counts: list[int], deepest: int) -> None:
    lengths = _code_lengths(np.array(counts), deepest)
    used = [(count, length) for count, length in zip(counts, lengths.tolist(), strict=True) if count]
    assert [length == 0 for length in lengths] == [count == 0 for count in counts]
    if len(used) < 2:
        return
    assert max(length for _, length in used) <= deepest
    assert sum(2.0**-length for _, length in used) == 1
    heap, best = [count for count, _ in used], 0  # Huffman's definition: join the two rarest
    heapq.heapify(heap)
    depths = len(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        best += joined
        heapq.heappush(heap, joined)
    cost = sum(count * length for count, length in used)
    assert cost >= best
    if depths <= deepest + 1:  # no tree of so few leaves is deeper
        assert cost == best


def test_a_palette_whose_differences_are_all_equally_often_is_read_back() -> None:
    """Then every length of a code is the same, and their own code has a single symbol, for which nothing is read."""
    steps = np.arange(256)
    drawn = np.zeros((16, 16, 4), np.uint8)
    drawn[..., 2] = (steps * (steps + 1) // 2 % 256).reshape(16, 16)
    drawn[..., 3] = 255
    assert same_where_seen(opened(encode(drawn, lossless=True)), drawn)


def test_more_than_256_colours_are_left_to_another_encoder_and_lossless_too() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.integers(1, 256, (64, 64, 4), dtype=np.uint8)
    assert encode_lossless(drawn.view(np.uint32)[..., 0]) is None
    assert same_where_seen(opened(encode(drawn, lossless=True)), drawn)
    drawn[..., 3] = 0  # what cannot be seen is one colour
    assert encode_lossless(drawn.view(np.uint32)[..., 0]) is not None


def test_a_part_of_a_picture_is_written_as_it_is_seen() -> None:
    drawn = picture(np.random.default_rng(3), 20, (80, 90), 0.5)
    assert same_where_seen(opened(encode(drawn[3:60, 10:80], lossless=True)), drawn[3:60, 10:80])


def test_a_tile_of_marks_takes_little_more_than_libwebps() -> None:
    rng = np.random.default_rng(0)
    index = np.zeros((256, 256), int)
    for row, column in rng.integers(0, 250, (400, 2)):
        index[row : row + 4, column : column + 4] = rng.integers(1, 30)
    drawn = np.concatenate([np.zeros((1, 4), int), rng.integers(1, 256, (30, 4))]).astype(np.uint8)[index]
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, "WEBP", lossless=True, method=0, quality=0)
    assert len(encode(drawn, lossless=True)) < 1.5 * len(file.getvalue())


def test_nothing_is_one_transparent_pixel() -> None:
    assert opened(NOTHING).tolist() == [[[0, 0, 0, 0]]]
