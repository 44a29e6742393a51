"""Derived files: read only as what they were made of, and not at all when they are damaged."""

import os
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bam_engine import derived


@given(content=st.binary(max_size=300), made_of=st.text(max_size=20), other=st.text(max_size=20))
def test_a_content_is_read_back_as_what_it_was_made_of_alone(content: bytes, made_of: str, other: str) -> None:
    file = derived.sealed(content, made_of)
    assert derived.content_of(file, made_of) == content
    assert derived.content_of(file, other) == (content if other == made_of else None)
    assert file.startswith(content), "the file stays readable as what it is"


@given(content=st.binary(min_size=1, max_size=200), data=st.data())
def test_any_cut_or_changed_byte_is_noticed(content: bytes, data: st.DataObject) -> None:
    file = derived.sealed(content, "of this")
    kept = data.draw(st.integers(0, len(file) - 1))
    assert derived.content_of(file[:kept], "of this") is None
    changed = bytes([file[kept] ^ data.draw(st.integers(1, 255))])
    assert derived.content_of(file[:kept] + changed + file[kept + 1 :], "of this") is None
    assert derived.content_of(bytes(len(file)), "of this") is None


def test_an_array_is_mapped_and_named_arrays_are_read(tmp_path: Path) -> None:
    array = np.arange(1000, dtype=np.float32)
    derived.write_array(tmp_path / "a.npy", array, "model 1")
    stored = derived.read_array(tmp_path / "a.npy", "model 1")
    assert isinstance(stored, np.memmap)
    np.testing.assert_array_equal(stored, array)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), array)
    derived.write_arrays(tmp_path / "b.npz", {"x": array, "y": array[:3]}, "model 1")
    both = derived.read_arrays(tmp_path / "b.npz", "model 1")
    assert both is not None
    assert both.keys() == {"x", "y"}
    assert derived.read_array(tmp_path / "a.npy", "model 2") is None
    assert derived.read_arrays(tmp_path / "b.npz", "model 2") is None
    assert derived.is_made_of(tmp_path / "a.npy", "model 1")
    assert not derived.is_made_of(tmp_path / "a.npy", "model 2")


@pytest.mark.parametrize("damage", ["gone", "empty", "one byte", "cut", "zeros", "zeros inside", "foreign", "folder"])
def test_a_damaged_file_reads_as_none(tmp_path: Path, damage: str) -> None:
    array = np.ones(5000)
    for name, write in (
        ("a.npy", derived.write_array),
        ("b.npz", lambda f, a, m: derived.write_arrays(f, {"x": a}, m)),
    ):
        file = tmp_path / name
        write(file, array, "this")
        content = file.read_bytes()
        file.unlink()
        damaged = {
            "empty": b"",
            "one byte": b"\\x93",
            "cut": content[:4096],
            "zeros": bytes(len(content)),
            "zeros inside": content[:4096] + bytes(4096) + content[8192:],
            "foreign": os.urandom(len(content)),
        }
        if damage == "folder":
            file.mkdir()
        elif damage != "gone":
            file.write_bytes(damaged[damage])
        assert derived.read(file, "this") is None
        assert derived.read_mapped(file, "this") is None
        assert derived.read_array(file, "this") is None
        assert derived.read_arrays(file, "this") is None


@settings(deadline=None)
@given(
    array=arrays(st.sampled_from(["<f4", "<f2", "<i8", "?"]), array_shapes(max_dims=3, max_side=6)),
    data=st.data(),
)
def test_an_array_written_in_parts_is_the_file_of_the_whole(array: np.ndarray, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(array)), max_size=4)))
    with tempfile.TemporaryDirectory() as folder:
        whole, parts = Path(folder) / "whole.npy", Path(folder) / "parts.npy"
        derived.write_array(whole, array, "this")
        with derived.writing_array(parts, array.shape, array.dtype, "this") as append:
            for start, stop in pairwise([0, *cuts, len(array)]):
                append(array[start:stop])
        assert parts.read_bytes() == whole.read_bytes()
        np.testing.assert_array_equal(derived.read_array(parts, "this"), array)
        saved = Path(folder) / "saved.npy"
        np.save(saved, array)
        assert whole.read_bytes().startswith(saved.read_bytes()), "it is what numpy writes"


def test_an_array_that_is_not_finished_leaves_the_earlier_one(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    derived.write_array(file, np.arange(3), "this")

    def write(parts: list[Any]) -> None:
        with derived.writing_array(file, (9,), np.int64, "this") as append:
            for part in parts:
                append(part)

    with pytest.raises(ValueError, match="invalid literal"):
        write([np.arange(4), np.array(["no number"])])
    np.testing.assert_array_equal(derived.read_array(file, "this"), np.arange(3))
    assert list(tmp_path.iterdir()) == [file], "nothing is left behind"


def test_a_whole_file_that_holds_no_array_reads_as_none(tmp_path: Path) -> None:
    derived.write(tmp_path / "a", b"no array", "this")
    assert derived.read(tmp_path / "a", "this") == b"no array"
    assert derived.read_array(tmp_path / "a", "this") is None
    assert derived.read_arrays(tmp_path / "a", "this") is None
    derived.write(tmp_path / "b", b"", "this")
    assert derived.read(tmp_path / "b", "this") == b""
    content = derived.read_mapped(tmp_path / "b", "this")
    assert content is not None
    assert len(content) == 0
