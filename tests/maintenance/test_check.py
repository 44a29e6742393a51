"""The check finds planted damage of each kind, says so, and repairs what can be derived again."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bam_engine.annotation import Attribute
from bam_engine.cli import main
from bam_engine.collection import ingest_folder
from bam_engine.database.backups import back_up, restore
from bam_engine.errors import NotFound, Stopped
from bam_engine.gallery import selections
from bam_engine.maintenance import Finding, Outcome, check, repair
from bam_engine.maps import layout_builder, layout_store
from bam_engine.training.models import all_models, scores_file, scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import missing_member_rows
from bam_engine.workspace.vectors import embed_collection, vectors_of
from tests.drawn_pictures import SMALL, draw_collection


@pytest.fixture
def complete(played: Workspace, watercolor: Attribute) -> Workspace:
    """A workspace with thumbnails, vectors, scores and a map."""
    scores_of(played, watercolor)
    for image in played.catalogue.images(range(120)):
        played.thumbnails.ensure(image.row, image.path)
    layout_builder.build(played, method="pca")
    return played


@pytest.fixture
def other(complete: Workspace, small_pictures: Path, tmp_path: Path) -> Workspace:
    """A workspace with the same pictures in another order: rows mean other images."""
    folder = tmp_path / "other-pictures"
    folder.mkdir()
    pictures = [file for file in sorted(small_pictures.rglob("*"), reverse=True) if file.suffix in (".jpg", ".png")]
    for number, file in enumerate(pictures):
        shutil.copy(file, folder / f"{number:04}{file.suffix}")
    opened = Workspace(tmp_path / "other" / "workspace", tmp_path / "other" / "cache")
    ingest_folder(opened.catalogue, opened.thumbnails, folder)
    embed_collection(opened)
    opened.close()
    return opened


def found(workspace: Workspace) -> list[str]:
    return [finding.what for finding in check(workspace)]


def mend(findings: list[Finding]) -> None:
    """Assert that a repair mends all findings."""
    assert repair(findings) == [Outcome(finding) for finding in findings]


def only(workspace: Workspace, words: str) -> None:
    """Assert that one kind of damage is found, with these words, and that a repair leaves none."""
    findings = check(workspace)
    assert [words in finding.what for finding in findings] == [True], [finding.what for finding in findings]
    mend(findings)
    assert found(workspace) == []


def test_a_whole_workspace_has_no_damage(complete: Workspace) -> None:
    assert found(complete) == []


def test_vectors_of_another_workspace_are_found_and_made_again(complete: Workspace, other: Workspace) -> None:
    right = np.array(vectors_of(complete))
    key = complete.choice.key
    for name in ("vectors.f16", "images.bin"):
        shutil.copy(other.cache / "vectors" / key / name, complete.cache / "vectors" / key / name)
    findings = check(complete)
    assert "of other images" in findings[0].what
    mend(findings)
    assert found(complete) == []
    assert np.array_equal(vectors_of(complete), right)


def test_only_the_vector_file_of_another_workspace_is_found(complete: Workspace, other: Workspace) -> None:
    right = np.array(vectors_of(complete))
    key = complete.choice.key
    shutil.copy(other.cache / "vectors" / key / "vectors.f16", complete.cache / "vectors" / key / "vectors.f16")
    findings = check(complete)
    assert "damaged" in findings[0].what
    mend(findings)
    assert found(complete) == []
    assert np.array_equal(vectors_of(complete), right)


@pytest.mark.parametrize("size", [0, 100])
def test_a_truncated_score_array_is_found_and_made_again(complete: Workspace, watercolor: Attribute, size: int) -> None:
    right = np.array(scores_of(complete, watercolor))
    file = scores_file(complete, all_models(complete)[-1])
    file.write_bytes(file.read_bytes()[:size])
    complete.memory.clear()
    only(complete, "1 score array is damaged")
    assert np.array_equal(scores_of(complete, watercolor), right, equal_nan=True)
    assert file.stat().st_size > size


def test_a_thumbnail_of_another_image_is_found_and_made_again(complete: Workspace) -> None:
    right = complete.thumbnails.read(5)
    shutil.copy(complete.thumbnails.path(6), complete.thumbnails.path(5))
    only(complete, "1 thumbnail is damaged or of other images")
    assert complete.thumbnails.read(5) == right


def test_an_orphaned_tile_folder_is_found_and_deleted(complete: Workspace) -> None:
    orphan = complete.cache / "tiles" / "old-map" / "3"
    orphan.mkdir(parents=True)
    (orphan / "1.png").write_bytes(b"tile")
    only(complete, f"1 file of the cache belongs to nothing: {complete.cache / 'tiles'}")
    assert not (complete.cache / "tiles" / "old-map").exists()


def test_what_a_cluster_has_finished_before_its_turn_belongs_to_its_encoder(complete: Workspace) -> None:
    shard = complete.vectors().folder / "shards" / f"{40:012d}-{'0' * 64}.shard"
    shard.parent.mkdir()
    shard.write_bytes(b"vectors")
    assert not check(complete)
    shard.rename(complete.cache / "vectors" / shard.name)
    only(complete, "1 file of the cache belongs to nothing: ")


def test_a_map_without_points_is_found_and_made_again(complete: Workspace) -> None:
    (record,) = layout_store.list_layouts(complete)
    places, _ = layout_store.points_of(complete, record.id)
    next(layout_store.folder_of(complete, record.id).glob("places-*.npy")).write_bytes(b"")
    only(complete, "The map “PCA of the collection: 120 images” in ")
    assert np.allclose(layout_store.points_of(complete, record.id)[0], places)


def test_a_map_of_a_selection_without_points_is_found_and_deleted(complete: Workspace) -> None:
    chosen = selections.save(complete, range(40))
    record = layout_builder.build(complete, method="pca", scope="selection", selection=chosen)
    next(layout_store.folder_of(complete, record.id).glob("rows-*.npy")).write_bytes(b"")
    only(complete, "is damaged")
    with pytest.raises(NotFound):
        layout_store.layout_of(complete, record.id)


@pytest.mark.parametrize("name", ["scores/media_comic/7.npy", "strange/file", "thumbnails/00000/900.webp"])
def test_files_that_nothing_owns_are_deleted(complete: Workspace, name: str) -> None:
    file = complete.cache / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"?")
    only(complete, "belongs to nothing")
    assert not file.exists()


def test_image_files_are_compared_with_their_digests_and_never_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_collection(tmp_path / "pictures", SMALL)
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    ingest_folder(workspace.catalogue, workspace.thumbnails, tmp_path / "pictures")
    changed, missing, last = (Path(uri) for uri in workspace.catalogue.uris()[:3])
    shutil.copy(last, changed)
    missing.unlink()
    findings = check(workspace)
    assert [finding.what for finding in findings] == [
        f"1 file is not the image that was added: {changed}.",
        f"1 image file is missing: {missing}.",
    ]
    assert not any(finding.repairable for finding in findings)
    assert check(workspace, images=False) == []
    ingest_folder(workspace.catalogue, workspace.thumbnails, tmp_path / "pictures")
    assert [finding.what for finding in check(workspace)] == [
        f"1 image file is missing: {missing}.",
        f"1 image has no file, since another is in its place: {changed}.",
    ]
    workspace.removals.remove(missing_member_rows(workspace), reason="missing files")
    assert check(workspace) == []
    workspace.close()


def test_the_check_reports_every_step_and_can_be_stopped(complete: Workspace) -> None:
    seen: list[tuple[int, int | None]] = []
    check(complete, report=lambda done, total, message="": seen.append((done, total)))
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert {total for _, total in seen} == {len(seen)}

    def stop(done: int, total: int | None, message: str = "") -> None:
        raise Stopped("stopped")

    with pytest.raises(Stopped):
        check(complete, report=stop)


def test_the_exit_code_says_whether_damage_is_left(
    complete: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(complete.folder))
    monkeypatch.setenv("BAM_CACHE", str(complete.cache.parent))
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "Nothing is damaged.\n"
    complete.thumbnails.path(5).write_bytes(b"")
    assert main(["check"]) == 1
    out, err = capsys.readouterr()
    assert "1 thumbnail is damaged" in out
    assert "`bam check --repair` repairs 1 of them" in err
    assert main(["check", "--repair"]) == 0
    assert main(["check"]) == 0


def test_a_damaged_database_is_named(complete: Workspace) -> None:
    file = complete.folder / "bam.sqlite"
    complete.close()
    content = bytearray(file.read_bytes())
    content[-4096 * 3 : -4096 * 2] = b"\xff" * 4096
    file.write_bytes(content)
    opened = Workspace(complete.folder, complete.cache.parent)
    findings = check(opened, images=False)
    assert findings[0].what.startswith("The database is damaged: ")
    assert not findings[0].repairable
    opened.close()


@pytest.fixture
def checkpoint(clip_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(clip_checkpoint, tmp_path))


@pytest.fixture
def of_another_encoder(complete: Workspace, checkpoint: Path) -> Path:
    """The folder of the vectors of an encoder that is not in use; the first of them is damaged."""
    complete.choose_encoder("openclip:small-test", checkpoint)
    embed_collection(complete)
    store = complete.vectors()
    content = bytearray(store.file.read_bytes())
    content[0] ^= 1
    store.file.write_bytes(content)
    complete.choose_encoder("builtin")
    return store.folder


def test_vectors_of_an_encoder_that_is_not_in_use_are_computed_again(
    complete: Workspace, of_another_encoder: Path
) -> None:
    only(complete, f"Vectors in {of_another_encoder} are not those of the images: 1 damaged.")
    assert len(complete.vectors(of_another_encoder.name)) == 120
    assert complete.choice.spec == "builtin"


def test_vectors_of_an_encoder_that_has_gone_are_never_deleted(
    complete: Workspace, of_another_encoder: Path, checkpoint: Path
) -> None:
    away = checkpoint.rename(checkpoint.with_suffix(".away"))
    (finding,) = check(complete)
    assert not finding.repairable
    assert f"The encoder {of_another_encoder.name} cannot be opened" in finding.cure
    assert finding.command == "bam embed --encoder SPEC --checkpoint FILE"
    away.rename(checkpoint)
    only(complete, "1 damaged")


def test_a_damaged_copy_of_the_database_is_found_and_kept(complete: Workspace) -> None:
    copies = [
        complete.folder / name for name in ("bam.daily.2026-11-01.sqlite", "backups/bam-2026-11-02-120000.sqlite")
    ]
    for copy in copies:
        copy.parent.mkdir(exist_ok=True)
        back_up(complete.engine, copy)
    assert found(complete) == []
    copies[1].write_bytes(copies[1].read_bytes()[:5000])
    (finding,) = check(complete)
    assert finding.what == f"1 copy of the database is damaged: {copies[1]}."
    assert (finding.repairable, finding.command) == (False, "bam backup FILE")


def test_the_command_says_what_was_repaired_and_what_needs_which_command(
    complete: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(complete.folder))
    monkeypatch.setenv("BAM_CACHE", str(complete.cache.parent))
    copy = complete.folder / "bam.daily.2026-11-01.sqlite"
    copy.write_bytes(b"")
    complete.thumbnails.path(5).write_bytes(b"")
    assert main(["check", "--repair"]) == 1
    out, err = capsys.readouterr()
    assert f"1 copy of the database is damaged: {copy}." in out
    assert "delete what is damaged. Run `bam backup FILE`." in out
    assert "Repaired: 1 thumbnail is damaged or of other images" in out
    assert "1 kind of damage is left that only you can mend." in err


def test_vectors_beyond_the_collection_as_after_an_older_backup_are_dropped(
    complete: Workspace, tmp_path: Path
) -> None:
    older = tmp_path / "older.sqlite"
    back_up(complete.engine, older)
    more = tmp_path / "more"
    more.mkdir()
    Image.new("RGB", (20, 20), "red").save(more / "new.png")
    ingest_folder(complete.catalogue, complete.thumbnails, more)
    embed_collection(complete)
    restore(complete.engine.url, older, tmp_path)
    right = np.array(vectors_of(complete))
    findings = check(complete)
    assert any("1 of other images" in finding.what for finding in findings)
    mend(findings)
    assert found(complete) == []
    assert np.array_equal(vectors_of(complete), right)
