"""Shards hold what they were given, or nothing."""

from pathlib import Path

import numpy as np
import pytest

from bam_engine.embedding.parts import Part
from bam_engine.embedding.shards import Shards


def shards(folder: Path, *, key: str = "mean-v1", batch: int = 4, images: str = "image") -> Shards:
    return Shards(folder / "shards", key=key, dim=3, batch=batch, image=lambda row: f"{images}{row}")


def part(first: int, end: int) -> Part:
    vectors = np.random.default_rng(first).normal(size=(end - first, 3)).astype(np.float16)
    return Part(range(first, end), vectors, [(first, "It is empty.")])


@pytest.fixture
def written(tmp_path: Path) -> Path:
    kept = shards(tmp_path)
    for first, end in [(20, 24), (8, 16)]:
        kept.write(part(first, end))
    assert kept.images == 12
    return tmp_path


def test_a_later_run_finds_them_in_order_with_what_they_held(written):
    kept = shards(written)
    assert list(kept.find(4).items()) == [(8, 16), (20, 24)]
    found = kept.take(8)
    np.testing.assert_array_equal(found.vectors, part(8, 16).vectors)
    assert (list(found.rows), found.failed) == (list(range(8, 16)), [(8, "It is empty.")])
    assert (kept.end(8), kept.end(20), kept.images) == (None, 24, 4)
    kept.drop(8)
    assert len(list((written / "shards").iterdir())) == 1
    kept.clear()
    assert not (written / "shards").exists()


@pytest.mark.parametrize("other", [{"key": "mean-v2"}, {"batch": 8}, {"images": "another"}])
def test_those_of_another_encoder_batch_or_image_are_none_and_are_removed(written, other):
    assert shards(written, **other).find(4) == {}
    assert not list((written / "shards").iterdir())


def test_what_is_stored_already_or_cuts_batches_otherwise_is_none(written):
    assert list(shards(written).find(12)) == [20]
    assert shards(written).find(18) == {}


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_file_that_was_cut_or_changed_is_none(written, place):
    path = min((written / "shards").iterdir())
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert list(shards(written).find(4)) == [20]
    (path,) = (written / "shards").iterdir()
    path.write_bytes(path.read_bytes()[:-2])
    assert shards(written).find(4) == {}


def test_one_that_is_changed_after_it_was_found_is_none(written):
    kept = shards(written)
    kept.find(4)
    max((written / "shards").iterdir()).write_bytes(b"{}")
    assert kept.take(20) is None
