"""Adding archives: every picture once, each problem with a sentence, and nothing written outside of the workspace."""

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from bam_engine.archives import ingest_archive, ingest_images, ingesting, members
from bam_engine.collection import Catalogue, IngestResult, Thumbnails
from bam_engine.errors import CollectionError, DiskFull, Stopped


def png(seed: int, side: int = 20) -> bytes:
    """Return a picture."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def write_zip(path: Path, files: list[tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return path


def write_tar(path: Path, files: list[tuple[str, bytes]], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


class Collection:
    """An empty collection with its folder of originals."""

    def __init__(self, engine: sa.Engine, folder: Path) -> None:
        self.catalogue = Catalogue(engine)
        self.thumbnails = Thumbnails(folder / "thumbnails", size=64)
        self.home = folder / "workspace" / "archives"

    def add(self, path: Path, **options: object) -> IngestResult:
        return ingest_images(self.catalogue, self.thumbnails, path, home=self.home, **options)  # type: ignore[arg-type]

    def images(self) -> dict[str, bytes]:
        """Return the path below the folder of its archive → bytes of each image's file."""
        found = self.catalogue.images(range(len(self.catalogue)))
        return {
            image.path.relative_to(self.home).as_posix().partition("/")[2]: image.path.read_bytes() for image in found
        }

    def titles(self) -> list[str | None]:
        return [image.title for image in self.catalogue.images(range(len(self.catalogue)))]


@pytest.fixture
def collection(database: sa.Engine, tmp_path: Path) -> Collection:
    return Collection(database, tmp_path)


def reasons(result: IngestResult, archive: Path) -> dict[str, str]:
    """Return member → reason of what could not be added."""
    return {os.path.relpath(problem.uri, archive): problem.reason for problem in result.unreadable}


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.zip", write_zip),
        ("a.tar", write_tar),
        ("a.tar.gz", lambda path, files: write_tar(path, files, "w:gz")),
        ("a.tar.bz2", lambda path, files: write_tar(path, files, "w:bz2")),
        ("a.tar.xz", lambda path, files: write_tar(path, files, "w:xz")),
        ("wrong.jpg", write_zip),
        ("wrong.zip", write_tar),
    ],
)
def test_pictures_keep_their_names_and_bytes_and_outlive_the_archive(
    collection: Collection, tmp_path: Path, name: str, write: Callable[[Path, list[tuple[str, bytes]]], Path]
) -> None:
    files = [(f"cats/{seed}.png", png(seed)) for seed in range(70)]  # more than one batch
    archive = write(tmp_path / name, [*files, ("notes.md", b"words"), ("__MACOSX/._1.png", b"\0\5\x16\7")])
    result = collection.add(archive)
    assert (result.files, result.added, result.skipped, result.hidden) == (70, 70, 1, 1)
    again = collection.add(archive)
    assert (again.added, again.existing, again.duplicates, again.unreadable) == (0, 70, [], [])
    archive.unlink()
    assert collection.images() == dict(files)


def test_a_folder_gives_its_files_and_those_of_its_archives(collection: Collection, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "shards").mkdir(parents=True)
    (folder / "own.png").write_bytes(png(0))
    write_zip(folder / "shards" / "1.zip", [("1.png", png(1)), ("again.png", png(0))])
    write_tar(folder / "shards" / "2.tar", [("2.png", png(2))])
    (folder / "broken.zip").write_bytes(b"PK\3\4 and no more")
    (folder / "words.txt").write_text("words")
    result = collection.add(folder)
    assert (result.added, len(result.duplicates), result.skipped) == (3, 1, 1)
    assert [Path(problem.uri).name for problem in result.unreadable] == ["broken.zip"]
    assert "damaged zip file" in result.unreadable[0].reason
    (folder / "own.png").unlink()
    assert collection.add(folder).existing == 2


def test_what_cannot_be_had_of_a_zip_is_listed_and_the_rest_is_added(collection: Collection, tmp_path: Path) -> None:
    archive = tmp_path / "odd.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("good.png", png(1))
        file.writestr("../outside.png", png(2))
        file.writestr("/absolute.png", png(3))
        file.writestr("c:\\windows.png", png(4))
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("inner.zip", b"PK\3\4")
        file.writestr("words.jpg", b"no picture at all")
        file.writestr("bomb.png", png(5)[:100] + bytes(members.RATIO_FROM + 1))
        file.writestr("readme.txt", b"words")
    content = bytearray(archive.read_bytes())
    result = collection.add(archive)
    assert (result.added, result.skipped) == (1, 1)
    assert not (tmp_path / "outside.png").exists()
    assert not list(collection.home.rglob("*outside*"))
    found = sorted(problem.reason for problem in result.unreadable)
    assert [reason[:30] for reason in found] == sorted(
        [
            *["Its name leads out of the archive, so it was left out."[:30]] * 3,
            "It is a symbolic link, which is not followed."[:30],
            "It is an archive in an archive."[:30],
            "It expands to more than 500 times its size"[:30],
            next(reason for reason in found if "text" in reason)[:30],
        ]
    )
    assert len(collection.catalogue.problems("ingest")) == 7
    archive.write_bytes(content)
    assert len(collection.add(archive).unreadable) == 7
    write_zip(archive, [("good.png", png(1))])  # mended
    collection.add(archive)
    assert collection.catalogue.problems("ingest") == []


def test_an_encrypted_member_is_listed(collection: Collection, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", [("1.png", png(1)), ("2.png", png(2))])
    content = bytearray(archive.read_bytes())
    content[content.rindex(b"PK\1\2") + 8] |= 1  # the flag of the second member, in the directory
    archive.write_bytes(content)
    result = collection.add(archive)
    assert result.added == 1
    assert reasons(result, archive)["2.png"].startswith("It is encrypted.")


def test_damage_within_a_zip_spoils_one_member(collection: Collection, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", [("1.png", png(1)), ("2.png", png(2))])
    content = bytearray(archive.read_bytes())
    content[300] ^= 255
    archive.write_bytes(content)
    result = collection.add(archive)
    assert (result.added, list(reasons(result, archive))) == (1, ["1.png"])


def test_links_of_a_tar_are_not_followed(collection: Collection, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as file:
        for name, kind in (("s.png", tarfile.SYMTYPE), ("h.png", tarfile.LNKTYPE), ("d.png", tarfile.FIFOTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            file.addfile(entry)
        entry = tarfile.TarInfo("../up.png")
        entry.size = len(png(1))
        file.addfile(entry, io.BytesIO(png(1)))
    result = collection.add(archive)
    assert result.added == 0
    assert [problem.reason for problem in result.unreadable] == [
        "It is a symbolic link, which is not followed.",
        "It is a hard link, which is not followed.",
        "It is no ordinary file.",
        "Its name leads out of the archive, so it was left out.",
    ]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("share", [0.3, 0.55, 0.9])
def test_a_tar_that_is_cut_short_gives_what_it_has_and_says_so(
    collection: Collection, tmp_path: Path, mode: str, share: float
) -> None:
    archive = write_tar(tmp_path / "a.tar", [(f"{seed}.png", png(seed)) for seed in range(20)], mode)
    content = archive.read_bytes().rstrip(b"\0") if mode == "w" else archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    result = collection.add(archive)
    assert 0 < result.added < 20
    assert result.unreadable[-1].uri == str(archive)
    assert "What comes before was read." in result.unreadable[-1].reason


def test_a_tar_cut_between_two_members_is_noticed(collection: Collection, tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tar", [("1.png", png(1)), ("2.png", png(2))])
    with tarfile.open(archive) as file:
        archive_end = file.getmembers()[1].offset
    archive.write_bytes(archive.read_bytes()[:archive_end])
    result = collection.add(archive)
    assert result.added == 1
    assert "What comes before was read." in result.unreadable[-1].reason


def test_a_compressed_tar_that_expands_without_end_is_left(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bam_engine.archives.tars.RATIO_FROM", 1_000_000)
    archive = write_tar(tmp_path / "a.tgz", [("1.png", png(1)), ("zeros.dat", bytes(8_000_000))], "w:gz")
    result = collection.add(archive)
    assert result.added == 1
    assert "decompression bomb" in result.unreadable[-1].reason


def test_a_member_that_is_too_large_is_not_read(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MAX_BYTES", 3_000)
    archive = write_tar(tmp_path / "a.tar", [("small.png", png(1)), ("large.png", png(2, side=60))])
    result = collection.add(archive)
    assert result.added == 1
    assert "at most" in reasons(result, archive)["large.png"]


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize(("name", "write"), [("a.zip", write_zip), ("a.tar", write_tar)])
def test_of_two_members_with_one_name_both_are_kept(
    collection: Collection, tmp_path: Path, name: str, write: Callable[[Path, list[tuple[str, bytes]]], Path]
) -> None:
    files = [("1.png", png(1)), ("1.png", png(2)), ("1.png/below.png", png(3)), ("x" * 300 + ".png", png(4))]
    archive = write(tmp_path / name, files)
    assert collection.add(archive).added == 4
    assert sorted(collection.images().values()) == sorted(content for _, content in files)
    assert collection.add(archive).existing == 4


def test_the_same_picture_twice_is_one_image(collection: Collection, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", [("1.png", png(1)), ("2.png", png(1))])
    result = collection.add(archive)
    assert (result.added, len(result.duplicates)) == (1, 1)


def test_a_run_that_was_stopped_goes_on(collection: Collection, tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tar", [(f"{seed}.png", png(seed)) for seed in range(100)])

    def stop(done: int, total: int | None, message: str = "") -> None:
        raise Stopped("stop")

    with pytest.raises(Stopped):
        collection.add(archive, report=stop)
    assert len(collection.catalogue) == 64
    result = collection.add(archive)
    assert (result.existing, result.added) == (64, 36)


def test_an_original_that_was_lost_comes_back_with_its_row(collection: Collection, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", [("1.png", png(1)), ("2.png", png(2))])
    collection.add(archive)
    lost = collection.catalogue.images([0])[0].path
    lost.unlink()
    result = collection.add(archive)
    assert (result.added, result.existing, result.found_again) == (0, 1, 1)
    assert lost.exists()
    assert len(collection.catalogue) == 2


def test_a_full_disk_says_what_was_added(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    archive = write_zip(tmp_path / "a.zip", [("1.png", png(1))])
    monkeypatch.setattr(ingesting, "_store", full)
    with pytest.raises(DiskFull, match="Added so far: 0 images"):
        collection.add(archive)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"words and words", "it is text"),
        (b"PAR1 and no more", "is not a Parquet file, or is damaged"),
        (b"PK\3\4 and no more", "is a damaged zip file"),
        (b"Rar!\x1a\7\0", "it is a compressed archive"),
        (png(1), "is a picture. Enter its folder"),
    ],
)
def test_a_file_that_is_no_archive_is_refused_in_words(
    collection: Collection, tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "file.tar").write_bytes(content)
    with pytest.raises(CollectionError, match=words):
        collection.add(tmp_path / "file.tar")


def test_an_archive_without_pictures_is_refused(collection: Collection, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", [("1.txt", b"words")])
    with pytest.raises(CollectionError, match=r"a\.zip holds no pictures\. It holds 1 other file\."):
        collection.add(archive)


def test_a_metadata_file_and_folders_tell_of_members(collection: Collection, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", [("cats/1.png", png(1)), ("2.png", png(2))])
    table = tmp_path / "labels.csv"
    table.write_text("path,title\ncats/1.png,A cat\nnone.png,Nothing\n")
    result = ingest_archive(
        collection.catalogue,
        collection.thumbnails,
        archive,
        home=collection.home,
        metadata=table,
        project="folder",
    )
    assert result.unmatched == ("none.png",)
    images = {image.path.name: image for image in collection.catalogue.images(range(2))}
    assert (images["1.png"].title, images["1.png"].project_id) == ("A cat", "a.zip/cats")
    assert (images["2.png"].title, images["2.png"].project_id) == (None, "a.zip")
