"""The vector store against a plain list of rows, and what is left after a kill, a full disk or a second writer."""

import errno
import multiprocessing
import os
import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bam_engine.embedding import VectorStore
from bam_engine.embedding import store as store_module
from bam_engine.errors import DiskFull, EmbeddingError, NotFound

IMAGES = np.arange(2000, dtype=np.uint64).reshape(-1, 2)


def opened(folder: Path, dim: int | None = None, images: np.ndarray = IMAGES) -> VectorStore:
    return VectorStore(folder, dim, images=images)


def some(count: int, dim: int = 8, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@settings(deadline=None, max_examples=40)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["append", "replace", "reopen"]), st.integers(0, 5)), max_size=12),
    dim=st.integers(1, 9),
)
def test_store_is_a_list_of_float16_rows(tmp_path_factory, steps, dim):
    folder = tmp_path_factory.mktemp("store")
    store, rows = opened(folder, dim), np.empty((0, dim), np.float16)
    for seed, (step, count) in enumerate(steps):
        new = some(count, dim, seed)
        if step == "append":
            store.append(new)
            rows = np.concatenate([rows, new.astype(np.float16)])
        elif step == "replace" and len(rows):
            places = np.random.default_rng(seed).permutation(len(rows))[:count]
            store.replace(places, new[: len(places)])
            rows[places] = new[: len(places)].astype(np.float16)
        elif step == "reopen":
            store = opened(folder)
        assert len(store) == len(rows)
        np.testing.assert_array_equal(store.array().reshape(-1, dim), rows)


def test_opening_a_store_creates_nothing_and_an_empty_one_has_an_empty_array(tmp_path):
    store = opened(tmp_path / "none")
    assert (len(store), store.dim, store.array().shape, store.missing().shape) == (0, 0, (0, 0), (0,))
    assert opened(tmp_path / "none", 5).array().shape == (0, 5)
    assert list(tmp_path.iterdir()) == []


def test_array_is_read_only_and_maps_the_file(tmp_path):
    store = opened(tmp_path)
    store.append(some(3))
    array = store.array()
    assert isinstance(array, np.memmap)
    assert array.dtype == np.float16
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1


def test_missing_are_the_rows_of_zeros(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_BLOCK", 7)
    vectors = some(40)
    gone = [0, 6, 7, 20, 39]
    vectors[gone] = 0
    store = opened(tmp_path)
    store.append(vectors)
    assert store.missing().tolist() == [row for row in range(40) if not np.any(vectors[row])] == gone


def test_vectors_that_were_overwritten_in_place_are_missing_and_not_used(tmp_path):
    store = opened(tmp_path)
    store.append(some(1000))
    with store.file.open("r+b") as file:  # a torn page, which keeps the size
        file.seek(500 * 16)
        file.write(np.full((40, 8), 0.25, np.float16).tobytes())
    again = opened(tmp_path)
    assert again.missing().tolist() == list(range(500, 540)) == again.damaged().tolist()


@pytest.mark.parametrize("torn", [1, 7, 15])
def test_a_torn_record_does_not_count_and_is_cut_by_the_next_writer(tmp_path, torn):
    vectors = some(5)
    opened(tmp_path).append(vectors[:3])
    with (tmp_path / "vectors.f16").open("ab") as file:
        file.write(b"\x01" * torn)
    store = opened(tmp_path)
    assert len(store) == len(store.array()) == 3
    with store.writing():
        assert store.file.stat().st_size == 3 * 8 * 2
    store.append(vectors[3:])
    np.testing.assert_array_equal(store.array(), vectors.astype(np.float16))
    assert (tmp_path / "vectors.f16").stat().st_size == 5 * 8 * 2


def test_a_full_disk_is_reported_and_leaves_the_file_unchanged(tmp_path, monkeypatch):
    store = opened(tmp_path)
    store.append(some(4))
    real, written = os.write, []

    def full_after_ten_bytes(handle: int, data: memoryview) -> int:
        if written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(real(handle, data[:10]))
        return written[0]

    with monkeypatch.context() as patch:
        patch.setattr(store_module.os, "write", full_after_ten_bytes)
        with pytest.raises(DiskFull, match=r"is full.*4 vectors are saved"):
            store.append(some(3, seed=1))
    assert written == [10]
    assert (tmp_path / "vectors.f16").stat().st_size == 4 * 8 * 2
    store.append(some(3, seed=1))
    np.testing.assert_array_equal(store.array(), np.concatenate([some(4), some(3, seed=1)]).astype(np.float16))


def test_a_file_size_limit_counts_as_a_full_disk(tmp_path):
    store = opened(tmp_path, 64)
    store.append(some(100, 64))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100 * 128 + 1000, hard))
    try:
        with pytest.raises(DiskFull, match="100 vectors are saved"):
            store.append(some(100, 64, seed=1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(store) == 100
    assert (tmp_path / "vectors.f16").stat().st_size == 100 * 128


def _hold(folder: Path, ready, release) -> None:
    store = opened(folder, 8)
    with store.writing():
        ready.set()
        release.wait(30)
        os._exit(9)  # as a kill would: nothing is tidied up


def test_a_second_writer_is_refused_until_the_first_has_ended(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, ready, release))
    other.start()
    try:
        assert ready.wait(60)
        store = opened(tmp_path, 8)
        with pytest.raises(EmbeddingError, match="Another process or job"):
            store.append(some(1))
    finally:
        release.set()
        other.join(30)
    store.append(some(1))
    assert len(store) == 1


def test_two_stores_of_one_process_do_not_write_concurrently(tmp_path):
    first, second = opened(tmp_path, 8), opened(tmp_path, 8)
    with first.writing():
        first.append(some(2))
        with pytest.raises(EmbeddingError, match="Another process or job"):
            second.append(some(1))
    second.append(some(1))
    assert len(first) == 3


@pytest.mark.parametrize("vectors", [np.ones(8), np.ones((2, 7)), np.full((1, 8), np.nan), np.full((1, 8), 1e6)])
def test_invalid_vectors_are_refused_and_nothing_is_written(tmp_path, vectors):
    store = opened(tmp_path, 8)
    store.append(some(2))
    with np.errstate(over="ignore"), pytest.raises(EmbeddingError):
        store.append(vectors)
    assert len(store) == 2


@pytest.mark.parametrize("rows", [[2], [-1], [0, 5]])
def test_replacing_a_missing_row_is_refused_and_changes_nothing(tmp_path, rows):
    store = opened(tmp_path, 8)
    store.append(some(2))
    with pytest.raises(NotFound):
        store.replace(rows, some(len(rows), seed=3))
    np.testing.assert_array_equal(store.array(), some(2).astype(np.float16))


def test_a_folder_belongs_to_one_encoder(tmp_path):
    store = opened(tmp_path)
    store.claim(spec="builtin", key="builtin-v1", dim=8)
    store.append(some(1))
    again = opened(tmp_path)
    again.claim(spec="builtin", key="builtin-v1", dim=8)
    assert (again.dim, again.meta["spec"]) == (8, "builtin")
    with pytest.raises(EmbeddingError, match="has vectors of builtin-v1"):
        again.claim(spec="timm:resnet18", key="timm-resnet18-v1", dim=8)
    with pytest.raises(EmbeddingError, match="for vectors of length 9"):
        opened(tmp_path, 9)


def others(first: int) -> np.ndarray:
    """The images of a collection that parted from the other at row ``first``."""
    images = IMAGES.copy()
    images[first:] += 1
    return images


def test_vectors_count_up_to_the_first_one_of_another_image(tmp_path):
    opened(tmp_path).append(some(10))
    assert len(opened(tmp_path, images=others(7))) == 7
    assert len(opened(tmp_path, images=others(0))) == 0
    assert len(opened(tmp_path, images=IMAGES[:4])) == 4, "a restored backup has fewer images"
    np.testing.assert_array_equal(opened(tmp_path, images=others(7)).array(), some(10)[:7].astype(np.float16))


def test_an_append_drops_vectors_of_other_images_and_a_reader_keeps_those_that_it_has_mapped(tmp_path):
    first = opened(tmp_path)
    first.append(some(10))
    mapped = first.array()
    second = opened(tmp_path, images=others(7))
    with second.writing():
        assert len(first) == 10, "nothing is dropped before there is something in its place"
    second.append(some(2, seed=1))
    np.testing.assert_array_equal(second.array()[7:], some(2, seed=1).astype(np.float16))
    np.testing.assert_array_equal(mapped, some(10).astype(np.float16))
    assert (len(first), len(second)) == (7, 9)


def test_vectors_can_only_be_appended_for_images_of_the_collection(tmp_path):
    store = opened(tmp_path, images=IMAGES[:3])
    store.append(some(2))
    with pytest.raises(EmbeddingError, match="has 3 images"):
        store.append(some(2))
    assert len(store) == 2


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"layout": 99, "dim": 8}', "\0" * 60])
def test_vectors_outlive_their_metadata(tmp_path, text):
    opened(tmp_path).append(some(3))
    meta = tmp_path / "meta.json"
    meta.unlink() if text is None else meta.write_text(text)
    store = opened(tmp_path)
    np.testing.assert_array_equal(store.array(), some(3).astype(np.float16))
    store.claim(spec="builtin", key="builtin-v1", dim=8)
    store.append(some(1, seed=1))
    assert (len(opened(tmp_path)), store.meta["key"], len(store.damaged())) == (4, "builtin-v1", 0)


@pytest.mark.parametrize("size", [9 * 16, 9 * 16 - 9 * 2 * 4, 4 * 16, 5, 0])
def test_a_length_of_vectors_is_not_guessed_from_a_file_that_is_cut(tmp_path, size):
    opened(tmp_path).append(some(9))
    (tmp_path / "meta.json").write_text("")
    os.truncate(tmp_path / "vectors.f16", size)
    store = opened(tmp_path)
    assert store.dim == (8 if size == 9 * 16 else 0)
    reader = opened(tmp_path)
    assert len(reader) == (9 if size == 9 * 16 else 0)
    store.claim(spec="builtin", key="builtin-v1", dim=8)
    for each in (store, reader):
        np.testing.assert_array_equal(each.array(), some(9).astype(np.float16)[: size // 16])


def test_vectors_of_images_beyond_the_collection_can_be_dropped(tmp_path):
    opened(tmp_path).append(some(9))
    shorter = opened(tmp_path, images=IMAGES[:4])
    assert (len(shorter), shorter.others) == (4, 5)
    shorter.drop_others()
    for store in (shorter, opened(tmp_path)):
        assert (store.others, store.incomplete) == (0, 0)
        np.testing.assert_array_equal(store.array(), some(9)[:4].astype(np.float16))


def test_vectors_that_are_not_those_that_were_stored_are_damaged(tmp_path):
    store = opened(tmp_path)
    store.append(some(9))
    store.replace([4], some(1, seed=2))
    assert store.damaged().tolist() == []
    opened(tmp_path / "foreign").append(some(9, seed=1))
    foreign = (tmp_path / "foreign" / "vectors.f16").read_bytes()
    whole = store.file.read_bytes()
    for start, end, rows in ((0, 9 * 16, range(9)), (16, 32, [1]), (5 * 16 + 2, 5 * 16 + 4, [5])):
        for damage in (foreign, bytes(len(whole))):
            store.file.write_bytes(whole[:start] + damage[start:end] + whole[end:])
            assert store.damaged().tolist() == list(rows)


@pytest.mark.parametrize("file", ["vectors.f16", "images.bin"])
@pytest.mark.parametrize("kept", [0, 5, 70])
def test_a_cut_or_empty_file_leaves_the_vectors_that_are_whole(tmp_path, file, kept):
    opened(tmp_path).append(some(9))
    content = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(content[:kept])
    store = opened(tmp_path)
    whole = len(store)
    assert whole == kept // (16 if file == "vectors.f16" else 20)
    store.append(some(9)[whole:])
    np.testing.assert_array_equal(opened(tmp_path).array(), some(9).astype(np.float16))


def test_a_file_of_zeros_has_no_vector_of_any_image(tmp_path):
    opened(tmp_path).append(some(9))
    file = tmp_path / "images.bin"
    file.write_bytes(bytes(file.stat().st_size))
    assert len(opened(tmp_path, images=IMAGES + np.uint64(1))) == 0


def test_the_state_depends_on_the_images_and_on_the_vectors(tmp_path):
    states = set()
    for number, (images, vectors) in enumerate([(IMAGES, some(5)), (others(4), some(5)), (IMAGES, some(5, seed=1))]):
        store = opened(tmp_path / str(number), images=images)
        store.append(vectors)
        states |= {store.state()}
    assert len(states) == 3
    before = opened(tmp_path / "0").state()
    opened(tmp_path / "0").append(some(1))
    assert opened(tmp_path / "0").state() != before == opened(tmp_path / "0", images=IMAGES[:5]).state()
