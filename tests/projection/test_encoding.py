"""Encoded tiles are read back unchanged."""

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bam_engine.projection.encoding import NOTHING, encode_marks, encode_picture, media_type


def opened(file: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(file)) as image:
        assert image.get_format_mimetype() == media_type(file)
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
    st.sampled_from([1, 2, 3, 4, 5, 16, 17, 100, 200, 256, 257, 1000]),
    st.tuples(st.integers(1, 40), st.integers(1, 300)),
    st.sampled_from([0.0, 0.5, 0.97, 1.0]),
)
def test_marks_are_read_as_they_were_written(seed: int, colours: int, shape: tuple[int, int], empty: float) -> None:
    drawn = picture(np.random.default_rng(seed), colours, shape, empty)
    assert same_where_seen(opened(encode_marks(drawn)), drawn)


def test_up_to_256_colours_have_a_palette_and_what_cannot_be_seen_is_one_colour() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.integers(1, 256, (64, 64, 4), dtype=np.uint8)
    for hidden, mode in ((0, "RGBA"), (64 * 64 - 256, "RGBA"), (64 * 64 - 255, "P"), (64 * 64, "P")):
        drawn.reshape(-1, 4)[:hidden, 3] = 0
        file = encode_marks(drawn)
        assert Image.open(io.BytesIO(file)).mode == mode
        assert same_where_seen(opened(file), drawn)


def test_a_part_of_a_picture_is_written_as_it_is_seen() -> None:
    drawn = picture(np.random.default_rng(3), 20, (80, 90), 0.5)
    assert same_where_seen(opened(encode_marks(drawn[3:60, 10:80])), drawn[3:60, 10:80])


def test_a_picture_is_webp_of_about_the_same_colours() -> None:
    drawn = np.full((64, 64, 4), (200, 100, 50, 255), np.uint8)
    file = encode_picture(drawn)
    assert media_type(file) == "image/webp"
    assert np.abs(opened(file).astype(int) - drawn).max() < 8


def test_nothing_is_one_transparent_pixel() -> None:
    assert opened(NOTHING)[..., 3].tolist() == [[0]]
