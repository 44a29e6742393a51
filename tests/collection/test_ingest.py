"""Adding a folder: every image once, every problem reported, every interruption survived."""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from bam_engine.collection import Catalogue, Problem, Thumbnails, ingest, ingest_folder, ingest_run
from bam_engine.collection.records import Place
from bam_engine.collection.stamps import BEING_WRITTEN
from bam_engine.collection.texts import MAX_TEXT
from bam_engine.database import open_database
from bam_engine.errors import CollectionError, DiskFull, Stopped
from tests.collection.test_images import bomb
from tests.drawn_pictures import draw_collection


@pytest.fixture
def catalogue(database: sa.Engine) -> Catalogue:
    return Catalogue(database)


@pytest.fixture
def thumbnails(tmp_path: Path) -> Thumbnails:
    return Thumbnails(tmp_path / "thumbnails", size=64)


def fill(folder: Path, count: int, *, first: int = 0, side: int = 20) -> None:
    """Write ``count`` different pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(first, first + count):
        pixels = np.random.default_rng(i).integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")


def check(catalogue: Catalogue, thumbnails: Thumbnails) -> None:
    """Check that rows are dense, files exist, and every thumbnail shows its row's image."""
    images = catalogue.images(range(len(catalogue)))
    assert [image.row for image in images] == list(range(len(images)))
    for image in images:
        thumbnail = Thumbnails("unused", size=64).render(ingest_run.read_image(image.path, size=64))
        assert thumbnails.ensure(image.row, image.path) == thumbnail.data


def test_pictures_are_added_once_with_their_details(catalogue, thumbnails, tmp_path):
    folder = tmp_path / "pile"
    drawn = draw_collection(folder, {"photos": 30, "fluent_emoji/flat": 20, "game_icons": 10})
    shutil.move(folder / "labels.csv", tmp_path / "labels.csv")
    twin, *gone = drawn[::7]
    shutil.copy(folder / twin.path, folder / "twin.jpg")
    for labels in gone:
        (folder / labels.path).unlink()
    result = ingest_folder(catalogue, thumbnails, folder, metadata=tmp_path / "labels.csv")
    there = len(drawn) - len(gone)
    assert (result.files, result.added, result.existing) == (there + 1, there, 0)
    assert result.duplicates == [(str(folder / "twin.jpg"), str(folder / twin.path))]
    assert set(result.unmatched) == {labels.path for labels in gone}
    by_path = {str(folder / labels.path): labels for labels in drawn}
    for image in catalogue.images(range(len(catalogue))):
        labels = by_path[image.uri]
        assert (image.title, image.project_id, image.license) == (labels.title, labels.project, labels.license)
    check(catalogue, thumbnails)


def test_a_second_run_adds_nothing_and_decodes_nothing(catalogue, thumbnails, tmp_path, monkeypatch):
    fill(tmp_path / "pile", 5)
    shutil.copy(tmp_path / "pile/0.png", tmp_path / "pile/twin.png")
    pair = (str(tmp_path / "pile/twin.png"), str(tmp_path / "pile/0.png"))
    assert ingest_folder(catalogue, thumbnails, tmp_path / "pile").duplicates == [pair]
    monkeypatch.setattr(ingest_run, "read_image", lambda *_, **__: pytest.fail("decoded again"))
    again = ingest_folder(catalogue, thumbnails, tmp_path / "pile")
    assert (again.files, again.added, again.existing, again.duplicates) == (6, 0, 5, [pair])
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "pile", target_is_directory=True)
    assert ingest_folder(catalogue, thumbnails, link).existing == 5


def test_images_whose_folder_has_moved_keep_their_rows(catalogue, thumbnails, tmp_path, monkeypatch):
    fill(tmp_path / "pile", 5)
    (tmp_path / "t.csv").write_text("path,title\n3.png,three\n")
    ingest_folder(catalogue, thumbnails, tmp_path / "pile", metadata=tmp_path / "t.csv")
    before = {Path(uri).name: row for row, uri in enumerate(catalogue.uris())}
    catalogue.record_problems([Problem(str(tmp_path / "pile/1.png"), "The file was not found.", "embed:x")])
    stays = tmp_path / "pile/4.png"
    there = tmp_path / "elsewhere"
    shutil.copytree(tmp_path / "pile", there)
    for number in range(4):
        (tmp_path / f"pile/{number}.png").unlink()
    shutil.copy(there / "0.png", there / "z twin of 0.png")
    fill(there, 1, first=5)
    (tmp_path / "t.csv").write_text("path,title\n2.png,two\n")
    monkeypatch.setattr(ingest_run, "BATCH", 3)
    result = ingest_folder(catalogue, thumbnails, there, metadata=tmp_path / "t.csv")
    assert (result.files, result.added, result.existing, result.moved, result.updated) == (7, 1, 0, 4, 1)
    twins = {(str(there / "4.png"), str(stays)), (str(there / "z twin of 0.png"), str(there / "0.png"))}
    assert set(result.duplicates) == twins
    assert {Path(uri).name: row for row, uri in enumerate(catalogue.uris())} == before | {"5.png": 5}
    assert catalogue.image(before["0.png"]).path == there / "0.png"
    assert catalogue.image(before["4.png"]).path == stays
    assert [catalogue.titles()[before[name]] for name in ("2.png", "3.png")] == ["two", "three"]
    assert catalogue.problems() == []
    check(catalogue, thumbnails)
    again = ingest_folder(catalogue, thumbnails, there)
    assert (again.existing, again.moved) == (5, 0)


def test_bad_files_are_listed_with_reasons_and_the_rest_is_added(catalogue, thumbnails, tmp_path):
    pile = tmp_path / "pile"
    fill(pile, 2)
    good = (pile / "0.png").read_bytes()
    (pile / "zero.jpg").touch()
    (pile / "cut.png").write_bytes((pile / "1.png").read_bytes()[:300])
    (pile / "cut twin.png").write_bytes((pile / "1.png").read_bytes()[:300])
    (pile / "text.jpg").write_text("not a picture")
    (pile / "bomb.png").write_bytes(bomb(50_000, 50_000))
    (pile / "new phone.heic").write_bytes(b"\0\0\0\x1cftypheic")
    (pile / "gone.jpg").symlink_to("nowhere")
    (pile / "notes.txt").write_text("other")
    (pile / 'it\'s "so" 😀 <script>alert(1)</script>'.replace("/", "")).with_suffix(".png").write_bytes(good + b" ")
    Image.new("CMYK", (9, 9), (10, 20, 30, 40)).save(pile / "cmyk.jpg")
    with open(os.fsencode(pile) + b"/\xff.png", "wb") as file:  # noqa: PTH123 - the name is bytes
        file.write(good + b"  ")
    result = ingest_folder(catalogue, thumbnails, pile)
    assert (result.files, result.added, result.skipped, result.duplicates) == (12, 4, 1, [])
    reasons = {Path(p.uri).name: p.reason for p in result.unreadable}
    expected = {
        "zero.jpg": "empty",
        "cut.png": "truncated",
        "cut twin.png": "truncated",
        "text.jpg": "not an image",
        "bomb.png": "50,000 × 50,000 pixels (2,500 megapixels)",
        "new phone.heic": "The file is a HEIC picture, which is not supported",
        "gone.jpg": "not found",
        "\\udcff.png": "not valid text",
    }
    assert reasons.keys() == expected.keys()
    assert all(part in reasons[name] for name, part in expected.items())
    assert sorted(catalogue.problems("ingest"), key=str) == sorted(result.unreadable, key=str)
    check(catalogue, thumbnails)


def test_pictures_are_recognised_by_their_content_and_none_is_passed_over(catalogue, thumbnails, tmp_path):
    pile = tmp_path / "pile"
    fill(pile, 4)
    for number, name in enumerate(("IMG_0", "IMG_1.dat", "IMG_2.tmp.part", "IMG_3.nef")):
        (pile / f"{number}.png").rename(pile / name)
    (pile / "IMG_4").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (pile / "drawing.xml").write_text("<svg/>")
    (pile / "notes.txt").write_text("other")
    (pile / ".hidden.png").touch()
    (pile / ".folder").mkdir()
    result = ingest_folder(catalogue, thumbnails, pile)
    assert (result.files, result.added, result.skipped, result.hidden) == (6, 4, 1, 2)
    assert {Path(p.uri).name: p.reason.split(",")[0] for p in result.unreadable} == {
        "IMG_4": "The file is a HEIC picture",
        "drawing.xml": "The file is an SVG drawing",
    }


def test_a_problem_is_cleared_once_the_file_is_repaired_or_deleted(catalogue, thumbnails, tmp_path):
    pile = tmp_path / "pile"
    fill(pile, 2)
    whole = (pile / "0.png").read_bytes()
    (pile / "0.png").write_bytes(whole[:300])
    (pile / "zero.png").touch()
    (pile / "stays.png").touch()
    catalogue.record_problems([Problem("/elsewhere/a.png", "empty", "ingest")])
    catalogue.record_problems([Problem(str(pile / "0.png"), "odd", "embed:x")])
    assert len(ingest_folder(catalogue, thumbnails, pile).unreadable) == 3
    (pile / "0.png").write_bytes(whole)
    (pile / "zero.png").unlink()
    result = ingest_folder(catalogue, thumbnails, pile)
    assert (result.added, result.existing, len(result.unreadable)) == (1, 1, 1)
    assert {Path(p.uri).name for p in catalogue.problems("ingest")} == {"stays.png", "a.png"}
    assert len(catalogue.problems("embed:x")) == 1


def test_a_stopped_run_keeps_finished_batches_and_the_next_run_continues(catalogue, thumbnails, tmp_path, monkeypatch):
    monkeypatch.setattr(ingest_run, "BATCH", 4)
    fill(tmp_path / "pile", 10)
    seen: list[tuple[int, int | None]] = []

    def stop_at_eight(done: int, total: int | None, message: str = "") -> None:
        seen.append((done, total))
        if done == 8:
            raise Stopped("asked to")

    with pytest.raises(Stopped):
        ingest_folder(catalogue, thumbnails, tmp_path / "pile", report=stop_at_eight)
    assert list(dict.fromkeys(seen)) == [(0, 10), (4, 10), (8, 10)]
    assert len(catalogue) == 8
    read, decoded = ingest_run.read_image, []
    monkeypatch.setattr(ingest_run, "read_image", lambda path, **o: decoded.append(path) or read(path, **o))
    result = ingest_folder(catalogue, thumbnails, tmp_path / "pile")
    assert (result.existing, result.added, len(decoded)) == (8, 2, 2)
    check(catalogue, thumbnails)


KILLED = """
import os, sys
from bam_engine.collection import Catalogue, Thumbnails, ingest_folder, ingest_run
from bam_engine.database import open_database

url, cache, pile, moment = sys.argv[1:]
ingest_run.BATCH = 4
calls = [0]
store, add = Thumbnails.store, Catalogue.add

def count():
    calls[0] += 1
    if calls[0] == 2:
        os._exit(9)

def killed_add(self, records):
    added = add(self, records)
    count()
    return added

def killed_store(self, row, data):
    calls[0] += 1
    if calls[0] == 6:
        os._exit(9)
    store(self, row, data)

if moment == "added":
    Catalogue.add = killed_add
elif moment == "thumbnail":
    Thumbnails.store = killed_store
catalogue = Catalogue(open_database(url))
if moment == "inside":
    from bam_engine.collection import catalogue as module
    real = module.sa.insert
    def insert(table):
        count()
        return real(table)
    module.sa = type("sa", (), {**vars(module.sa), "insert": staticmethod(insert)})
ingest_folder(catalogue, Thumbnails(cache, size=64), pile)
"""


@pytest.mark.parametrize(("moment", "saved"), [("inside", 4), ("added", 8), ("thumbnail", 8)])
def test_a_killed_run_keeps_finished_batches_and_the_next_run_continues(database_url, tmp_path, moment, saved):
    fill(tmp_path / "pile", 10)
    cache = tmp_path / "thumbnails"
    process = subprocess.run(
        [sys.executable, "-c", KILLED, database_url, str(cache), str(tmp_path / "pile"), moment],
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 9, process.stderr
    engine = open_database(database_url)
    catalogue, thumbnails = Catalogue(engine), Thumbnails(cache, size=64)
    assert len(catalogue) == saved
    check(catalogue, thumbnails)
    assert ingest_folder(catalogue, thumbnails, tmp_path / "pile").added == 10 - saved
    check(catalogue, thumbnails)
    engine.dispose()


def test_a_full_disk_is_reported_and_the_next_run_continues(catalogue, thumbnails, tmp_path, monkeypatch):
    monkeypatch.setattr(ingest_run, "BATCH", 4)
    fill(tmp_path / "pile", 10)
    replace, calls = Path.replace, []

    def fills_up(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) > 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fills_up)
        with pytest.raises(DiskFull, match=r"disk is full: cannot write thumbnails .* Added so far: 8 images"):
            ingest_folder(catalogue, thumbnails, tmp_path / "pile")
    assert ingest_folder(catalogue, thumbnails, tmp_path / "pile").existing == 8
    check(catalogue, thumbnails)


def test_folders_without_images_say_what_they_hold(catalogue, thumbnails, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CollectionError, match="is empty"):
        ingest_folder(catalogue, thumbnails, empty)
    (empty / "a.txt").touch()
    with pytest.raises(CollectionError, match=r"holds 1 file but no image. Supported formats are JPEG, "):
        ingest_folder(catalogue, thumbnails, empty)
    with pytest.raises(CollectionError, match="does not exist"):
        ingest_folder(catalogue, thumbnails, tmp_path / "missing")
    with pytest.raises(CollectionError, match="source of projects 'x': use none or folder"):
        ingest_folder(catalogue, thumbnails, empty, project="x")


def test_the_folder_can_be_the_project_unless_the_metadata_names_one(catalogue, thumbnails, tmp_path):
    fill(tmp_path / "pile", 1)
    fill(tmp_path / "pile/a/b", 2, first=1)
    (tmp_path / "t.csv").write_text("path,project,mature_content\na/b/2.png,mine,true\n")
    ingest_folder(catalogue, thumbnails, tmp_path / "pile", metadata=tmp_path / "t.csv", project="folder")
    assert [(i.project_id, i.mature_content) for i in catalogue.images(range(3))] == [
        ("pile", None),
        ("pile/a/b", None),
        ("mine", True),
    ]


def test_existing_images_get_the_project_of_their_folder_and_keep_one_that_they_have(catalogue, thumbnails, tmp_path):
    outside = tmp_path / "outside"
    fill(tmp_path / "pile/a", 2)
    fill(tmp_path / "pile/b", 1, first=2)
    fill(outside / "shoot", 1, first=3)
    (tmp_path / "pile/linked").symlink_to(outside, target_is_directory=True)
    (tmp_path / "t.csv").write_text("path,project\na/1.png,mine\n")
    ingest_folder(catalogue, thumbnails, tmp_path / "pile", metadata=tmp_path / "t.csv")
    result = ingest_folder(catalogue, thumbnails, tmp_path / "pile", project="folder")
    assert (result.added, result.existing, result.updated, result.other_project) == (0, 4, 3, 1)
    projects = [image.project_id for image in catalogue.images(range(4))]
    assert projects == ["pile/a", "mine", "pile/b", str(outside / "shoot")]
    again = ingest_folder(catalogue, thumbnails, tmp_path / "pile", project="folder")
    assert (again.updated, again.other_project) == (0, 1)


def test_an_image_is_one_whichever_way_it_is_reached(catalogue, thumbnails, tmp_path):
    fill(tmp_path / "pile/real", 2)
    (tmp_path / "pile/1-newest").symlink_to("real", target_is_directory=True)
    (tmp_path / "pile/0.png").symlink_to("real/0.png")
    (tmp_path / "t.csv").write_text("path,title\n1-newest/0.png,nought\nreal\\1.png,one\n")
    result = ingest_folder(catalogue, thumbnails, tmp_path / "pile", metadata=tmp_path / "t.csv")
    assert (result.files, result.added, result.duplicates, result.unmatched) == (2, 2, [], ())
    assert catalogue.uris() == [str(tmp_path / f"pile/real/{n}.png") for n in range(2)]
    assert catalogue.titles() == ["nought", "one"]


def test_images_in_a_folder_that_cannot_be_looked_at_are_not_taken_for_gone(
    catalogue, thumbnails, tmp_path, monkeypatch
):
    fill(tmp_path / "locked", 2)
    ingest_folder(catalogue, thumbnails, tmp_path / "locked")
    shutil.copytree(tmp_path / "locked", tmp_path / "copy")
    fill(tmp_path / "copy", 1, first=2)
    stat = os.stat

    def locked(path: str, *rest: object, **options: object) -> os.stat_result:
        if str(path).startswith(str(tmp_path / "locked")):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return stat(path, *rest, **options)

    monkeypatch.setattr(os, "stat", locked)
    result = ingest_folder(catalogue, thumbnails, tmp_path / "copy")
    assert (result.added, result.moved, len(result.duplicates)) == (1, 0, 2)


def test_a_later_metadata_file_updates_existing_images(catalogue, thumbnails, tmp_path):
    fill(tmp_path / "pile", 2)
    ingest_folder(catalogue, thumbnails, tmp_path / "pile")
    (tmp_path / "t.csv").write_text("path,title\n0.png,nought\nelsewhere.png,x\n")
    result = ingest_folder(catalogue, thumbnails, tmp_path / "pile", metadata=tmp_path / "t.csv")
    assert (result.existing, result.updated, result.unmatched) == (2, 1, ("elsewhere.png",))
    assert catalogue.titles() == ["nought", None]


def test_metadata_for_other_files_is_refused_before_anything_is_added(catalogue, thumbnails, tmp_path):
    fill(tmp_path / "pile", 1)
    (tmp_path / "t.csv").write_text("path\npile/0.png\n")
    with pytest.raises(CollectionError, match=r"None of the 1 paths .*pile/0\.png"):
        ingest_folder(catalogue, thumbnails, tmp_path / "pile", metadata=tmp_path / "t.csv")
    assert len(catalogue) == 0


def test_a_subfolder_that_cannot_be_listed_is_a_problem(catalogue, thumbnails, tmp_path, monkeypatch):
    fill(tmp_path / "pile", 1)
    listing = ingest.find_images(tmp_path / "pile")
    closed = (str(tmp_path / "pile/closed"), "Cannot read the folder (x).")
    unreadable = ingest.FolderListing(listing.paths, 0, [closed])
    monkeypatch.setattr(ingest, "find_images", lambda *_, **__: unreadable)
    result = ingest_folder(catalogue, thumbnails, tmp_path / "pile")
    assert result.unreadable == [Problem(str(tmp_path / "pile/closed"), "Cannot read the folder (x).", "ingest")]


def test_two_concurrent_runs_add_each_image_once(catalogue, thumbnails, tmp_path, monkeypatch):
    monkeypatch.setattr(ingest_run, "BATCH", 4)
    fill(tmp_path / "pile", 12)
    outcomes = []

    def other_goes_first(done: int, total: int | None, message: str = "") -> None:
        if done == 4:
            outcomes.append(ingest_folder(catalogue, thumbnails, tmp_path / "pile"))

    result = ingest_folder(catalogue, thumbnails, tmp_path / "pile", report=other_goes_first)
    assert result.added + outcomes[0].added == 12
    assert result.unreadable == []
    check(catalogue, thumbnails)


def test_a_file_that_another_run_adds_with_other_bytes_gets_no_thumbnail_of_those_before(
    catalogue, thumbnails, tmp_path, monkeypatch
):
    pile = tmp_path / "pile"
    pile.mkdir()
    Image.new("RGB", (8, 8), "red").save(pile / "a.png")
    Image.new("RGB", (9, 9), "green").save(pile / "b.png")
    add = catalogue.add

    def other_goes_first(records):
        monkeypatch.setattr(catalogue, "add", add)
        Image.new("RGB", (8, 8), "blue").save(pile / "a.png")
        ingest_folder(catalogue, thumbnails, pile)
        return add(records)

    monkeypatch.setattr(catalogue, "add", other_goes_first)
    result = ingest_folder(catalogue, thumbnails, pile)
    assert (result.added, result.duplicates) == (0, [])
    assert [(problem.uri, problem.reason) for problem in result.unreadable] == [(str(pile / "a.png"), BEING_WRITTEN)]
    for row, colour in enumerate([(0, 0, 255), (0, 128, 0)]):
        assert hashlib.sha256(catalogue.image(row).path.read_bytes()).hexdigest() == catalogue.image(row).digest
        with Image.open(thumbnails.path(row)) as thumbnail:
            assert np.allclose(np.asarray(thumbnail)[4, 4], colour, atol=8), colour


def test_a_path_that_a_database_cannot_index_is_listed_and_the_others_are_added(database, thumbnails, tmp_path):
    catalogue, pile = Catalogue(database), tmp_path / "pile"
    fill(pile, 2)
    letters = np.random.default_rng(0).integers(0x4E00, 0x9000, (20, 80))  # that cannot be compressed
    handle = os.open(pile, os.O_RDONLY)
    try:
        for name in ("".join(map(chr, line)) for line in letters):  # a path of so many bytes is made step by step
            os.mkdir(name, dir_fd=handle)
            inner = os.open(name, os.O_RDONLY, dir_fd=handle)
            os.close(handle)
            handle = inner
            if len(bytes(Path(f"/proc/self/fd/{handle}").readlink())) > MAX_TEXT:
                break
        shutil.copy(next(pile.glob("*.png")), f"/proc/self/fd/{handle}/deep.png")
    finally:
        os.close(handle)
    for _ in range(2):
        result = ingest_folder(catalogue, thumbnails, pile)
        assert (result.added + result.existing, len(catalogue)) == (2, 2)
        assert [problem.reason for problem in result.unreadable] == [
            "The path has more than 2,500 bytes. Shorten the names of its folders."
        ]
        assert [problem.uri for problem in catalogue.problems("ingest")] == [result.unreadable[0].uri]
    longest = "/" + "".join(map(chr, letters.ravel()))[: (MAX_TEXT - 1) // 3]
    assert (len(longest.encode()), catalogue.move({0: Place(longest)})) == (MAX_TEXT, [0])
    catalogue.displace([catalogue.image(0)])
    assert catalogue.image(0).last_path == longest
