"""An image is its bytes: rows, and the labels that point at them, follow bytes through whatever happens to names."""

import hashlib
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bam_engine.collection import Catalogue, IngestResult, Thumbnails, ingest_folder, stamps
from bam_engine.collection.known_files import State, look_at
from bam_engine.database import images, open_database

LONG_AGO = 1_000_000_000  # seconds


@pytest.fixture(autouse=True)
def _no_need_to_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the stamps of files that were written just now, as those of older ones are trusted."""
    monkeypatch.setattr(stamps, "_SETTLED", -1)


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    folder = tmp_path / "pile"
    folder.mkdir()
    return folder


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(open_database(f"sqlite:///{tmp_path / 'bam.sqlite'}"))


@pytest.fixture
def add(catalogue: Catalogue, pile: Path, tmp_path: Path):
    """Return a function that adds the pile."""
    thumbnails = Thumbnails(tmp_path / "thumbnails", size=16)

    def add(folder: Path = pile, **options: object) -> IngestResult:
        result = ingest_folder(catalogue, thumbnails, folder, workers=2, **options)
        check(catalogue, thumbnails)
        time.sleep(0.01)  # one tick of the file system's clock
        return result

    return add


def draw(path: Path, seed: int) -> None:
    """Draw a picture; all have the same number of bytes."""
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, "BMP")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check(catalogue: Catalogue, thumbnails: Thumbnails) -> None:
    """Check that each image with a file is in it, that no other has a path, and that every image has a thumbnail."""
    for image in catalogue.images(range(len(catalogue))):
        if image.status == "ok":
            assert sha256(image.path) == image.digest
        else:
            assert not image.path.exists()
        with Image.open(thumbnails.path(image.row)) as thumbnail:
            assert thumbnail.size == (6, 6)
    assert catalogue.present().tolist() == [i.status == "ok" for i in catalogue.images(range(len(catalogue)))]


def test_a_folder_that_is_renumbered_keeps_its_rows(catalogue, add, pile):
    for number in range(1, 7):
        draw(pile / f"{number:04}.bmp", number)
    add()
    before = catalogue.images(range(6))
    (pile / "0001.bmp").unlink()
    for number in range(2, 7):
        (pile / f"{number:04}.bmp").rename(pile / f"{number - 1:04}.bmp")
    result = add()
    assert (result.added, result.existing, result.moved, result.duplicates) == (0, 0, 5, [])
    assert (result.replaced, result.missing) == ([str(pile / "0001.bmp")], [])
    after = catalogue.images(range(6))
    assert [image.digest for image in after] == [image.digest for image in before]
    assert [image.uri for image in after[1:]] == [image.uri for image in before[:5]]
    assert (after[0].status, after[0].last_path) == ("replaced", str(pile / "0001.bmp"))
    again = add()
    assert (again.existing, again.moved, again.replaced, again.missing) == (5, 0, [], [])


@pytest.mark.parametrize("names", ["ba", "bca", "badc", "cab"])
def test_swaps_and_cycles_with_kept_times_keep_their_rows(catalogue, add, pile, names):
    for seed, name in enumerate(sorted(names)):
        draw(pile / name, seed)
        (pile / name).rename(pile / f"{name}.bmp")
        os.utime(pile / f"{name}.bmp", (LONG_AGO, LONG_AGO))
    add()
    before = {image.digest: image.row for image in catalogue.images(range(len(names)))}
    for old, new in zip(sorted(names), names, strict=True):
        (pile / f"{old}.bmp").rename(pile / f"{new}.tmp")
    for new in names:
        (pile / f"{new}.tmp").rename(pile / f"{new}.bmp")
    assert {path.stat().st_mtime for path in pile.iterdir()} == {LONG_AGO}, "nothing but the names differs"
    result = add()
    assert (result.moved, result.added, result.replaced) == (len(names), 0, [])
    assert {image.digest: image.row for image in catalogue.images(range(len(names)))} == before


def test_folders_that_change_their_names_keep_the_rows_of_files_that_were_written_at_once(
    catalogue, add, pile, tmp_path
):
    """Renaming a folder changes no time of its files, and a clock's tick may hold many files."""
    pairs = []
    for number in range(40):
        for folder in ("a", "b"):
            (pile / folder).mkdir(exist_ok=True)
            draw(tmp_path / f"{folder}.bmp", 2 * number + (folder == "b"))
        for folder in ("a", "b"):
            (tmp_path / f"{folder}.bmp").rename(pile / folder / f"{number}.bmp")
            os.utime(pile / folder / f"{number}.bmp", (LONG_AGO, LONG_AGO))
        one, other = ((pile / folder / f"{number}.bmp").stat() for folder in ("a", "b"))
        pairs.append((one.st_size, one.st_ctime_ns) == (other.st_size, other.st_ctime_ns))
    assert any(pairs), "some files differ in nothing but their bytes"
    add()
    rows = {image.digest: image.row for image in catalogue.images(range(80))}
    for old, new in (("a", "kept"), ("b", "a"), ("kept", "b")):
        (pile / old).rename(pile / new)
    result = add()
    assert (result.added, result.replaced, result.moved) == (0, [], 80)
    assert {image.digest: image.row for image in catalogue.images(range(80))} == rows


def test_a_picture_that_is_edited_in_place_is_a_new_image(catalogue, add, pile):
    draw(pile / "photo.bmp", 1)
    add(metadata=None)
    old = catalogue.image(0)
    draw(pile / "photo.bmp", 2)
    assert look_at(old).state is State.OTHER_BYTES
    result = add()
    assert (result.added, result.existing, result.replaced) == (1, 0, [str(pile / "photo.bmp")])
    first, second = catalogue.images([0, 1])
    assert (first.digest, first.status) == (old.digest, "replaced")
    assert (second.digest, second.path) == (sha256(pile / "photo.bmp"), pile / "photo.bmp")
    draw(pile / "the old one.bmp", 1)
    result = add()
    assert (result.added, result.existing, result.found_again, result.moved) == (0, 1, 1, 0)
    assert catalogue.image(0).path == pile / "the old one.bmp"


def test_missing_files_are_named_and_found_again_at_their_place_or_at_another(catalogue, add, pile, tmp_path):
    for number in range(4):
        draw(pile / f"{number}.bmp", number)
    add()
    for number in range(3):
        (pile / f"{number}.bmp").rename(tmp_path / f"{number}.bmp")
    result = add()
    assert (result.existing, len(result.missing), result.replaced) == (1, 3, [])
    assert [image.status for image in catalogue.images(range(4))] == ["missing"] * 3 + ["ok"]
    assert add().missing == [], "said once"
    (tmp_path / "0.bmp").rename(pile / "0.bmp")
    (tmp_path / "1.bmp").rename(pile / "renamed.bmp")
    draw(pile / "2.bmp", 99)
    result = add()
    assert (result.found_again, result.added, result.existing, result.moved) == (2, 1, 1, 0)
    assert result.replaced == [str(pile / "2.bmp")]
    assert [image.status for image in catalogue.images(range(5))] == ["ok", "ok", "replaced", "ok", "ok"]


def test_no_file_is_called_identical_to_one_that_has_changed(catalogue, add, pile, tmp_path):
    draw(pile / "a.bmp", 1)
    add()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    draw(elsewhere / "copy.bmp", 1)
    assert add(elsewhere).duplicates == [(str(elsewhere / "copy.bmp"), str(pile / "a.bmp"))]
    draw(pile / "a.bmp", 2)
    result = add(elsewhere)
    assert (result.duplicates, result.moved) == ([], 1)
    assert catalogue.image(0).path == elsewhere / "copy.bmp"
    result = add()
    assert (result.added, result.duplicates) == (1, [])


def test_verifying_reads_files_whose_stamp_is_as_before(catalogue, add, pile, monkeypatch):
    monkeypatch.setattr(stamps, "stamp_text", lambda status: str(status.st_size))  # a disk that records no times
    for name in "ab":
        draw(pile / f"{name}.bmp", ord(name))
    add()
    before = {image.digest: image.row for image in catalogue.images(range(2))}
    (pile / "a.bmp").rename(pile / "c")
    (pile / "b.bmp").rename(pile / "a.bmp")
    (pile / "c").rename(pile / "b.bmp")
    result = add(verify=True)
    assert (result.existing, result.moved) == (0, 2)
    assert {image.digest: image.row for image in catalogue.images(range(2))} == before
    assert add(verify=True).existing == 2


def test_known_files_are_read_again_only_if_their_stamp_has_changed(catalogue, add, pile, monkeypatch):
    for number in range(3):
        draw(pile / f"{number}.bmp", number)
    add()
    read = []
    digest_of = stamps.digest_of
    monkeypatch.setattr("bam_engine.collection.known_files.digest_of", lambda f: read.append(f.name) or digest_of(f))
    add()
    assert read == []
    (pile / "1.bmp").touch()
    assert add().existing == 3
    assert read == [str(pile / "1.bmp")]
    add()
    assert len(read) == 1, "the new stamp is known by now"
    with catalogue._engine.begin() as connection:  # as in a workspace of an earlier version
        connection.execute(sa.update(images).values(stamp=None))
    assert add().existing == 3
    assert len(read) == 4
    add()
    assert len(read) == 4


def test_a_file_that_was_written_just_now_is_read_once_more(catalogue, add, pile, monkeypatch):
    monkeypatch.setattr(stamps, "_SETTLED", 3_600_000_000_000)
    draw(pile / "a.bmp", 1)
    add()
    assert catalogue.image(0).stamp is None
    monkeypatch.setattr(stamps, "_SETTLED", -1)
    add()
    assert catalogue.image(0).stamp is not None


def test_a_file_that_cannot_be_read_now_keeps_its_image(catalogue, add, pile, monkeypatch):
    draw(pile / "a.bmp", 1)
    add()
    (pile / "a.bmp").touch()

    def fails(file: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("bam_engine.collection.known_files.digest_of", fails)
        result = add()
    assert [problem.reason for problem in result.unreadable] == ["Cannot read the file (Input/output error)."]
    assert (result.existing, result.replaced, result.missing, catalogue.image(0).status) == (0, [], [], "ok")
    assert add().existing == 1
    assert catalogue.problems() == []


def test_a_run_that_is_stopped_among_renamed_files_is_made_good_by_the_next(catalogue, add, pile, monkeypatch):
    monkeypatch.setattr("bam_engine.collection.ingest_run.BATCH", 2)
    for number in range(6):
        draw(pile / f"{number}.bmp", number)
    add()
    before = {image.digest: image.row for image in catalogue.images(range(6))}
    for number in range(6):
        (pile / f"{number}.bmp").rename(pile / f"{(number + 1) % 6}.tmp")
    for number in range(6):
        (pile / f"{number}.tmp").rename(pile / f"{number}.bmp")

    def stop(done: int, total: int | None, message: str = "") -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add(report=stop)
    result = add()
    assert (result.existing, result.found_again, result.added) == (4, 2, 0)
    assert {image.digest: image.row for image in catalogue.images(range(6))} == before
    assert catalogue.present().all()


def test_a_file_that_is_written_while_it_is_read_is_not_taken(add, catalogue, pile, monkeypatch):
    draw(pile / "a.bmp", 1)
    render = Thumbnails.render

    def slowly(self: Thumbnails, image: Image.Image):
        draw(pile / "a.bmp", 2)
        return render(self, image)

    with monkeypatch.context() as patch:
        patch.setattr(Thumbnails, "render", slowly)
        result = add()
    assert ["being written" in problem.reason for problem in result.unreadable] == [True]
    assert len(catalogue) == 0
    assert add().added == 1


NAMES = st.sampled_from([f"{name}.bmp" for name in "abcde"])
CHANGES = st.one_of(
    st.tuples(st.just("draw"), NAMES, st.integers(0, 7)),  # new, edited in place, or back again
    st.tuples(st.just("delete"), NAMES),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("swap"), NAMES, NAMES),
    st.tuples(st.just("copy"), NAMES, NAMES),
    st.tuples(st.just("permute"), st.permutations(range(5))),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.lists(CHANGES, min_size=1, max_size=5), min_size=2, max_size=5))
def test_every_row_has_its_own_bytes_whatever_happens_to_the_files(catalogue, add, pile, rounds):
    with catalogue._engine.begin() as connection:
        connection.execute(sa.delete(images))
    shutil.rmtree(pile)
    pile.mkdir()
    for seed, name in enumerate("abc", 100):
        draw(pile / f"{name}.bmp", seed)
    draw(pile / "always there.bmp", 1000)
    given_to: dict[int, str] = {}  # a label's row and the bytes that it was given to
    for changes in [[], *rounds]:
        for what in changes:
            change(pile, *what)
        result = add()
        found = catalogue.images(range(len(catalogue)))
        there = {sha256(path) for path in pile.glob("*.bmp")}
        for image in found:
            assert given_to.setdefault(image.row, image.digest) == image.digest
            assert (image.status == "ok") == (image.digest in there)
        assert {image.digest for image in found} >= there
        known = result.added + result.existing + result.moved + result.found_again
        assert result.files == known + len(result.duplicates) == len(list(pile.glob("*.bmp")))
        for file, other in result.duplicates:
            assert Path(file).read_bytes() == Path(other).read_bytes()


def change(pile: Path, kind: str, *what: object) -> None:
    """Do to the files what a step says; to a file that is not there, nothing."""
    if kind == "draw":
        name, seed = what
        draw(pile / name, seed)
        os.utime(pile / name, (LONG_AGO, LONG_AGO))
    elif kind == "permute":
        files = sorted(pile.glob("?.bmp"))
        for path in files:
            path.rename(path.with_suffix(".tmp"))
        order = [place for place in what[0] if place < len(files)]
        for path, place in zip(files, order, strict=True):
            path.with_suffix(".tmp").rename(files[place])
    elif (kind != "add" and (pile / what[0]).exists() and what[0] != what[-1]) or kind == "delete":
        one, other = pile / what[0], pile / what[-1]
        if kind == "delete":
            one.unlink(missing_ok=True)
        elif kind == "rename":
            one.replace(other)
        elif kind == "copy":
            shutil.copy2(one, other)
        elif other.exists():
            one.rename(pile / "tmp")
            other.rename(one)
            (pile / "tmp").rename(other)
