"""The builtin encoder: the same everywhere, never without an answer, and better than pixels on real pictures."""

import csv
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bam_engine.collection import read_image
from bam_engine.collection.digests import of_files
from bam_engine.embedding import Encoder, VectorStore, embed, open_encoder
from tests.needs import needs_real_pictures


@pytest.fixture(scope="module")
def builtin() -> Encoder:
    return open_encoder("builtin")


def noise(width: int, height: int, seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def vector(encoder: Encoder, image: Image.Image) -> np.ndarray:
    return encoder.encode([encoder.preprocess(image)])[0]


@settings(deadline=None, max_examples=25)
@given(width=st.integers(1, 300), height=st.integers(1, 300), seed=st.integers(0, 9), plain=st.booleans())
def test_every_image_has_a_unit_vector_of_finite_numbers(width, height, seed, plain):
    encoder = open_encoder("builtin")
    image = Image.new("RGB", (width, height), (seed * 28,) * 3) if plain else noise(width, height, seed)
    made = vector(encoder, image)
    assert (made.shape, made.dtype) == ((encoder.dim,), np.float32)
    assert np.linalg.norm(made) == pytest.approx(1, abs=1e-5)


def test_vectors_are_the_same_in_any_thread_and_with_any_number_of_threads(builtin, pictures):
    alone = [builtin.preprocess(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(builtin.preprocess, pictures * 4))
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        single = [builtin.preprocess(picture) for picture in pictures]
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(np.stack(together), np.stack(alone * 4))
    np.testing.assert_array_equal(np.stack(single), np.stack(alone))


def test_a_change_of_the_descriptors_is_a_change_of_the_version(builtin):
    down, across = np.mgrid[0:200, 0:240]
    scene = np.stack([across, 255 - down, (across * down) % 256], -1).astype(np.uint8)
    scene[(across - 120) ** 2 + (down - 90) ** 2 < 2500] = (200, 40, 30)
    scene[:, :20] = 255
    made = vector(builtin, Image.fromarray(scene))
    print_of_version_1 = [-0.4256, 0.2415, 0.3636, -0.5855, 0.6411, -0.1629]
    assert builtin.key == "builtin-v1", "a new version needs a new print below"
    seen = made @ np.cos(np.outer(np.arange(builtin.dim), np.arange(1, 7)))
    np.testing.assert_allclose(seen, print_of_version_1, atol=5e-4, err_msg="raise builtin.VERSION")


def test_preparing_does_not_change_the_image_or_the_process(builtin, pictures):
    threads, before = cv2.getNumThreads(), np.asarray(pictures[0]).copy()
    builtin.preprocess(pictures[0])
    np.testing.assert_array_equal(np.asarray(pictures[0]), before)
    assert cv2.getNumThreads() == threads


def test_a_picture_is_nearer_to_itself_made_smaller_than_to_any_other(builtin, pictures):
    whole = builtin.encode([builtin.preprocess(picture) for picture in pictures])
    smaller = [picture.resize((int(picture.width * 0.8), int(picture.height * 0.8))) for picture in pictures]
    likeness = builtin.encode([builtin.preprocess(picture) for picture in smaller]) @ whole.T
    assert likeness.argmax(axis=1).tolist() == list(range(len(pictures)))


def test_real_flat_and_shaded_emoji_are_told_apart_where_pixels_fail(builtin, tmp_path):
    folder = needs_real_pictures()
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    emoji = [line for line in lines if line["path"].startswith(("fluent_emoji/3d/", "fluent_emoji/flat/"))]
    projects = sorted({row["project"] for row in emoji})[::15]
    rows = [row for row in emoji if row["project"] in projects]
    paths = [folder / row["path"] for row in rows]
    store = VectorStore(tmp_path / "v", images=of_files(paths))
    assert embed(paths, builtin, store).failed == []
    solid = np.array([row["medium"] == "3d graphics" for row in rows])
    project = np.array([projects.index(row["project"]) for row in rows])
    pixels = np.stack([np.asarray(read_image(path).resize((16, 16)), np.float32).ravel() for path in paths])

    def share_right(vectors: np.ndarray) -> float:
        likeness = vectors @ vectors.T
        likeness[project[:, None] == project] = -np.inf
        nearest = np.argsort(-likeness, axis=1)[:, :10]
        return float(((solid[nearest].mean(axis=1) > 0.5) == solid).mean())

    pixels /= np.linalg.norm(pixels, axis=1, keepdims=True)
    assert share_right(store.array().astype(np.float32)) > max(0.85, share_right(pixels) + 0.1)
