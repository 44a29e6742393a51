"""The run against the definition: encode every image by itself, in order. And what is left when it is stopped."""

import multiprocessing
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bam_engine.collection.digests import of_files
from bam_engine.embedding import VectorStore, decoding, embed, open_encoder, retry_missing
from bam_engine.errors import BamError, EmbeddingError, Stopped


class MeanColour:
    """An encoder small enough to be its own reference."""

    spec, key, dim, input_size = "mean", "mean-v1", 3, 8

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.prepared = 0
        self._lock = threading.Lock()

    def preprocess(self, image: Image.Image) -> np.ndarray:
        with self._lock:
            self.prepared += 1
        return np.asarray(image, np.float32).mean(axis=(0, 1))

    def encode(self, prepared) -> np.ndarray:
        self.batches.append(len(prepared))
        vectors = np.stack(prepared)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(norms == 0, 1, norms)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(5)
    folder = tmp_path / "images"
    folder.mkdir()
    found = []
    for number in range(23):
        colour = tuple(int(value) for value in rng.integers(1, 255, 3))
        found.append(folder / f"{number}.png")
        Image.new("RGB", (9 + number, 8), colour).save(found[-1])
    return found


def store_at(folder: Path, paths: list[Path]) -> VectorStore:
    """A store of the images that the files hold now."""
    return VectorStore(folder, images=of_files(paths))


def reference(paths: list[Path]) -> np.ndarray:
    encoder = MeanColour()
    return np.concatenate([encoder.encode([encoder.preprocess(Image.open(path))]) for path in paths]).astype(np.float16)


@pytest.mark.parametrize("batch", [1, 4, 23, 64])
@pytest.mark.parametrize("workers", [1, 5])
def test_row_i_is_the_vector_of_path_i(tmp_path, paths, batch, workers):
    store = store_at(tmp_path / "v", paths)
    result = embed(paths, MeanColour(), store, batch=batch, workers=workers)
    np.testing.assert_array_equal(store.array(), reference(paths))
    assert (result.embedded, result.failed) == (23, [])
    assert result.rate == pytest.approx(23 / result.seconds)


def test_new_images_are_embedded_without_touching_old_ones(tmp_path, paths):
    store, encoder = store_at(tmp_path / "v", paths), MeanColour()
    embed(paths[:10], encoder, store, batch=4)
    for path in paths[:10]:
        path.unlink()
    result = embed(paths, encoder, store, batch=4)
    assert (encoder.prepared, result.embedded, result.failed, len(store)) == (23, 13, [], 23)
    assert embed(paths, encoder, store).embedded == 0


def test_a_stopped_run_keeps_its_batches_and_the_next_one_goes_on(tmp_path, paths):
    store, told = store_at(tmp_path / "v", paths), []

    def stop_at_eight(done, total, message=""):
        told.append((done, total))
        if done >= 8:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        embed(paths, MeanColour(), store, batch=4, report=stop_at_eight)
    assert told == [(0, 23), (4, 23), (8, 23)]
    assert len(store) == 8
    told.clear()
    embed(paths, MeanColour(), store, batch=4, report=lambda done, total, message="": told.append((done, total)))
    assert told == [(8, 23), (12, 23), (16, 23), (20, 23), (23, 23)]
    np.testing.assert_array_equal(store.array(), reference(paths))


def test_images_that_cannot_be_read_get_zeros_and_a_reason_and_are_tried_again(tmp_path, paths):
    store = store_at(tmp_path / "v", paths)
    kept = paths[1].read_bytes()
    paths[1].unlink()
    paths[10].write_bytes(b"no picture at all")
    paths[22].write_bytes(kept[:40])
    result = embed(paths, MeanColour(), store, batch=4)
    assert [row for row, _ in result.failed] == [1, 10, 22] == store.missing().tolist()
    assert all(reason for _, reason in result.failed)
    assert result.embedded == 20
    paths[1].write_bytes(kept)
    again = retry_missing(paths, MeanColour(), store, batch=2)
    assert (again.embedded, [row for row, _ in again.failed]) == (1, [10, 22])
    good = [row for row in range(23) if row not in (10, 22)]
    np.testing.assert_array_equal(store.array()[good], reference([paths[row] for row in good]))
    assert store.missing().tolist() == [10, 22]


def test_a_batch_in_which_nothing_can_be_read_is_all_zeros(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    store = store_at(tmp_path / "v", paths)
    result = embed(paths, MeanColour(), store)
    assert (result.embedded, len(result.failed), store.array().any()) == (0, 2, False)


def test_a_vector_that_is_not_finite_is_a_failure_of_its_image_only(tmp_path, paths):
    class Breaks(MeanColour):
        def encode(self, prepared):
            vectors = super().encode(prepared)
            vectors[2] = np.nan
            return vectors

    result = embed(paths[:4], Breaks(), store := store_at(tmp_path / "v", paths))
    assert result.failed == [(2, "The encoder returned no usable vector.")]
    assert store.missing().tolist() == [2]


@pytest.mark.parametrize("error", [MemoryError(), ValueError("height and width must be > 0"), RuntimeError("odd")])
def test_an_image_that_cannot_be_prepared_is_a_failure_of_its_own(tmp_path, paths, error):
    class Refuses(MeanColour):
        def preprocess(self, image):
            if image.width == 12:
                raise error
            return super().preprocess(image)

    result = embed(paths, Refuses(), store := store_at(tmp_path / "v", paths), batch=4)
    ((row, reason),) = result.failed
    assert (row, result.embedded, store.missing().tolist()) == (3, 22, [3])
    assert ("memory" in reason) if isinstance(error, MemoryError) else (str(error) in reason)


def test_decoding_stays_a_bounded_way_ahead_of_the_model(tmp_path, paths):
    encoder, ahead = MeanColour(), []

    def report(done, total, message=""):
        ahead.append(encoder.prepared - done)

    embed(paths, encoder, store_at(tmp_path / "v", paths), batch=2, workers=3, report=report)
    assert max(ahead) <= 2 * 2 + 3


class Portable(MeanColour):
    """The same in other processes: its lock and counts stay here."""

    @property
    def preprocessor(self):
        return mean_colour


FATAL = 1000  # the width of a picture that ends the process that decodes it


def mean_colour(image: Image.Image) -> np.ndarray:
    if image.size[0] == FATAL:
        os.kill(os.getpid(), signal.SIGKILL)
    return np.asarray(image, np.float32).mean(axis=(0, 1))


def test_processes_give_the_same_rows_as_threads(tmp_path, paths, monkeypatch):
    monkeypatch.setattr(decoding, "MIN_FOR_PROCESSES", 20)
    paths[10].write_bytes(b"no picture at all")
    stores = [store_at(tmp_path / "threads", paths), store_at(tmp_path / "processes", paths)]
    by_threads = embed(paths, MeanColour(), stores[0], batch=4, workers=2)
    encoder = Portable()
    by_processes = embed(paths, encoder, stores[1], batch=4, workers=2)
    assert encoder.prepared == 0, "nothing was preprocessed in this process"
    np.testing.assert_array_equal(stores[1].array(), stores[0].array())
    assert by_processes.failed == by_threads.failed
    assert [row for row, _ in by_processes.failed] == [10]


def test_few_images_or_one_worker_stay_in_this_process(tmp_path, paths, monkeypatch):
    monkeypatch.setattr(decoding, "MIN_FOR_PROCESSES", 24)
    few = Portable()
    embed(paths, few, store_at(tmp_path / "few", paths), workers=2)
    monkeypatch.setattr(decoding, "MIN_FOR_PROCESSES", 1)
    alone = Portable()
    embed(paths, alone, store_at(tmp_path / "alone", paths), workers=1)
    assert (few.prepared, alone.prepared) == (23, 23)


def test_stopped_while_processes_decode_it_keeps_its_batches_and_ends_the_processes(tmp_path, paths, monkeypatch):
    monkeypatch.setattr(decoding, "MIN_FOR_PROCESSES", 1)

    def stop_at_eight(done, total, message=""):
        if done >= 8:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        embed(paths, Portable(), store := store_at(tmp_path / "v", paths), batch=4, workers=2, report=stop_at_eight)
    assert len(store) == 8
    assert not multiprocessing.active_children()


def test_a_killed_process_is_reported_and_loses_nothing(tmp_path, paths, monkeypatch):
    monkeypatch.setattr(decoding, "MIN_FOR_PROCESSES", 1)
    Image.new("RGB", (FATAL, 8), (5, 5, 5)).save(paths[20])
    store = store_at(tmp_path / "v", paths)
    with pytest.raises(BamError, match="The system killed a worker process, possibly because memory ran out"):
        embed(paths, Portable(), store, batch=1, workers=2)
    assert len(store) <= 20
    Image.new("RGB", (9, 8), (5, 5, 5)).save(paths[20])
    store = store_at(tmp_path / "v", paths)
    embed(paths, Portable(), store, batch=4, workers=2)
    np.testing.assert_array_equal(store.array(), reference(paths))


def test_the_builtin_encoder_is_the_same_in_processes(tmp_path, paths, monkeypatch):
    stores = [store_at(tmp_path / "threads", paths), store_at(tmp_path / "processes", paths)]
    embed(paths, open_encoder("builtin"), stores[0], workers=2)
    monkeypatch.setattr(decoding, "MIN_FOR_PROCESSES", 1)
    embed(paths, open_encoder("builtin"), stores[1], workers=2)
    np.testing.assert_array_equal(stores[0].array(), stores[1].array())


def test_an_error_of_the_encoder_passes_through_and_loses_nothing(tmp_path, paths):
    class Fails(MeanColour):
        def encode(self, prepared):
            if len(self.batches) == 2:
                raise EmbeddingError("The device does not have enough memory.")
            return super().encode(prepared)

    store = store_at(tmp_path / "v", paths)
    with pytest.raises(EmbeddingError, match="enough memory"):
        embed(paths, Fails(), store, batch=4)
    assert len(store) == 8


def test_rows_cannot_be_skipped_and_stores_cannot_be_mixed_up(tmp_path, paths):
    store = store_at(tmp_path / "v", paths)
    embed(paths[:5], MeanColour(), store)
    with pytest.raises(EmbeddingError, match="the next row is 5"):
        embed(paths, MeanColour(), store, first_row=7)
    other = MeanColour()
    other.key = "other-v1"
    with pytest.raises(EmbeddingError, match="Use a separate folder for each encoder"):
        embed(paths, other, store)
    assert len(store) == 5


def test_a_file_that_holds_another_image_than_the_collection_knows_is_not_embedded(tmp_path, paths):
    store = store_at(tmp_path / "v", paths)
    paths[4].write_bytes(paths[5].read_bytes())
    result = embed(paths, MeanColour(), store)
    assert [row for row, _ in result.failed] == [4] == store.missing().tolist()
    assert "has changed since" in result.failed[0][1]


def test_a_damaged_vector_is_computed_again(tmp_path, paths):
    store = store_at(tmp_path / "v", paths)
    embed(paths, MeanColour(), store)
    store.file.write_bytes(bytes(12) + store.file.read_bytes()[12:-3] + b"odd")
    assert store.damaged().tolist() == [0, 1, 22]
    assert retry_missing(paths, MeanColour(), store).embedded == 3
    np.testing.assert_array_equal(store.array(), reference(paths))
