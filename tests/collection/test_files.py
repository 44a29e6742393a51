"""Finding image files in a folder and reading the metadata CSV."""

import os
from pathlib import Path

import pytest

from bam_engine.collection import Details, find_images, mark_as_cache, read_details
from bam_engine.collection.originals import is_gone
from bam_engine.errors import CollectionError, Stopped


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def names(root: Path) -> list[str]:
    return [os.path.relpath(path, root) for path in find_images(root).paths]


def test_image_files_are_listed_in_natural_order_without_hidden_files(tmp_path):
    touch(
        tmp_path, "10.jpg", "2.JPG", "b/1.png", "a 'q' \"😀\" <script>.webp", ".hidden.jpg", ".git/x.png", "notes.txt"
    )
    assert names(tmp_path) == ["2.JPG", "10.jpg", "a 'q' \"😀\" <script>.webp", "b/1.png"]
    assert find_images(tmp_path).skipped == 1


def test_files_in_unsupported_formats_are_listed_too(tmp_path):
    touch(tmp_path, "a.heic", "b.psd")
    assert names(tmp_path) == ["a.heic", "b.psd"]


def test_a_file_that_cannot_be_looked_into_is_listed(tmp_path, monkeypatch):
    touch(tmp_path, "a.dat", "b.jpg")
    monkeypatch.setattr("builtins.open", lambda *_, **__: (_ for _ in ()).throw(PermissionError(13, "denied")))
    assert names(tmp_path) == ["a.dat", "b.jpg"]


def test_circular_links_end_and_pipes_are_skipped(tmp_path):
    touch(tmp_path, "a/1.jpg")
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "self").symlink_to("self")
    (tmp_path / "a" / "gone.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert names(tmp_path) == ["a/1.jpg", "a/gone.jpg"]


def test_what_links_lead_to_is_listed_once_and_under_its_own_path(tmp_path):
    outside = tmp_path / "outside"
    touch(outside, "o/3.jpg", "4.jpg")
    root = tmp_path / "root"
    touch(root, "real/1.jpg", "real/deep/2.jpg", ".hidden/5.jpg")
    (root / "0-newest").symlink_to("real", target_is_directory=True)
    (root / "0-first.jpg").symlink_to("real/1.jpg")
    (root / "elsewhere").symlink_to(outside / "o", target_is_directory=True)
    (root / "again.jpg").symlink_to(outside / "o/3.jpg")
    (root / "alone.jpg").symlink_to(outside / "4.jpg")
    (root / "shown.jpg").symlink_to(".hidden/5.jpg")
    os.mkfifo(tmp_path / "pipe")
    (root / "pipe.jpg").symlink_to(tmp_path / "pipe")
    listing = find_images(root)
    links = [str(root / "alone.jpg"), str(root / "shown.jpg")]
    assert listing.paths == [str(root / "real/1.jpg"), str(root / "real/deep/2.jpg"), str(outside / "o/3.jpg"), *links]
    assert (listing.links, listing.skipped) == (links, 0)


@pytest.mark.parametrize("error", [PermissionError, TimeoutError, OSError(116, "Stale file handle"), None])
def test_a_file_is_gone_only_if_its_folder_says_so(tmp_path, monkeypatch, error):
    touch(tmp_path, "there.jpg")
    assert not is_gone(tmp_path / "there.jpg")
    assert is_gone(tmp_path / "gone.jpg")
    assert is_gone(tmp_path / "there.jpg" / "below a file.jpg")
    if error is not None:
        monkeypatch.setattr(os, "stat", lambda _path: (_ for _ in ()).throw(error))
        assert not is_gone(tmp_path / "gone.jpg")


def test_an_unreadable_folder_is_reported_and_the_rest_is_listed(tmp_path, monkeypatch):
    touch(tmp_path, "a/1.jpg", "b/2.jpg")
    scandir = os.scandir

    def guarded(path: str) -> object:
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    listing = find_images(tmp_path)
    assert listing.paths == [str(tmp_path / "b/2.jpg")]
    assert listing.unreadable == [(str(tmp_path / "a"), "Cannot read the folder (Permission denied).")]


def test_unusable_folders_are_explained(tmp_path):
    touch(tmp_path, "file.jpg")
    for folder, message in {
        tmp_path / "no" / "such": f"The nearest existing folder is {tmp_path}",
        tmp_path / "file.jpg": "is a file, not a folder",
        " ": "No folder was given",
        "a\0b": "Cannot read the folder",
        "x" * 5000: "Cannot read the folder",
    }.items():
        with pytest.raises(CollectionError, match=message):
            find_images(folder)


def test_the_search_for_images_can_be_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr("bam_engine.collection.files._REPORT_EVERY", 2)
    touch(tmp_path, *(f"{i}.jpg" for i in range(5)))

    def stop(done: int, total: int | None, message: str = "") -> None:
        raise Stopped(f"{done} {total} {message}")

    with pytest.raises(Stopped, match="2 found"):
        find_images(tmp_path, report=stop)


def test_details_are_keyed_by_the_path_as_written_and_empty_cells_are_none(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(
        "\ufeffPath,title,project,license,mature_content,more\n"
        'a/1.jpg," Ceci, n\'est ""pas""\nune pipe",p,CC0,yes,x\n'
        f"{tmp_path}/b.jpg,,,,0,x\n./c.jpg\n,nothing,,,,\n",
        encoding="utf-8",
    )
    assert read_details(file) == {
        "a/1.jpg": Details('Ceci, n\'est "pas"\nune pipe', "p", "CC0", True),
        str(tmp_path / "b.jpg"): Details(mature_content=False),
        "./c.jpg": Details(),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"file,title\na,b\n", 'no column "path". Name the column of the paths so in its first line'),
        (b"", 'no column "path". The file is empty'),
        (b"path,title\na,\xff\n", "not UTF-8"),
        (b"path,mature_content\na,maybe\n", "line 2: mature_content is 'maybe'"),
        (b"path,project\na,short\nb," + b"x" * 501, "line 3: the project has 501 characters"),
        (b"path,title\na," + b"x" * 200_000, "not a valid CSV"),
    ],
)
def test_an_unusable_metadata_file_is_explained(tmp_path, content, message):
    file = tmp_path / "table.csv"
    file.write_bytes(content)
    with pytest.raises(CollectionError, match=message):
        read_details(file)


def test_a_missing_metadata_file_is_named(tmp_path):
    with pytest.raises(CollectionError, match=r"Cannot read the metadata file .*none\.csv: No such file"):
        read_details(tmp_path / "none.csv")


def test_folders_apart_and_caches_are_passed_over_however_they_are_reached(tmp_path):
    touch(tmp_path, "a.png", "bam/own.png", "bam/sub/own.png", "sub/cache/thumbnail.png", "sub/b.png")
    (tmp_path / "sub" / "link").symlink_to(tmp_path / "bam", target_is_directory=True)
    mark_as_cache(tmp_path / "sub" / "cache")
    listing = find_images(tmp_path, apart=[tmp_path / "bam", tmp_path / "not there"])
    assert listing.paths == [str(tmp_path / "a.png"), str(tmp_path / "sub/b.png")]
    assert set(listing.passed_over) == {str(tmp_path / "bam"), str(tmp_path / "sub/cache")}
    asked_for = find_images(tmp_path / "bam", apart=[tmp_path / "bam"])
    assert len(asked_for.paths) == 2, "the folder itself was asked for"


def test_a_folder_in_a_cache_is_refused(tmp_path):
    touch(tmp_path, "cache/thumbnails/0.webp")
    mark_as_cache(tmp_path / "cache")
    for folder in (tmp_path / "cache", tmp_path / "cache" / "thumbnails"):
        with pytest.raises(CollectionError, match="is a cache"):
            find_images(folder)
    (tmp_path / "cache" / "CACHEDIR.TAG").write_text("of another kind")
    assert len(find_images(tmp_path / "cache").paths) == 1


def test_a_file_that_is_no_table_is_not_repeated(tmp_path):
    (tmp_path / "shadow").write_text("root:$6$secret:1:0\nada,secret,path\n", encoding="utf-8")
    with pytest.raises(CollectionError) as refused:
        read_details(tmp_path / "shadow")
    assert "secret" not in str(refused.value)


def test_what_may_never_end_is_refused_unread(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe.csv", tmp_path / "link.csv", "/dev/zero", "/dev/tty"):
        with pytest.raises(CollectionError, match=r"Cannot read the metadata file .*: it is not an ordinary file"):
            read_details(path)
    with pytest.raises(CollectionError, match="it is a folder"):
        read_details(tmp_path)


def test_a_line_without_end_is_refused(tmp_path):
    (tmp_path / "long.csv").write_text("path," + "x" * 1_000_001, encoding="utf-8")
    with pytest.raises(CollectionError, match="a line has more than 1,000,000 characters"):
        read_details(tmp_path / "long.csv")
