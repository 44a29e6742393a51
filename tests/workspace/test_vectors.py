"""The collection's vectors: completed, resumed, searched; and the workspace that holds them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.collection import ingest_folder
from bam_engine.errors import BamError, EmbeddingError, Stopped
from bam_engine.gallery.search import by_text, find
from bam_engine.training import querying, rounds
from bam_engine.training.models import latest_model, scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection, neighbours, problem_stage, supports_text
from tests.conftest import Oracle


@pytest.fixture
def empty(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace", tmp_path / "cache")


def test_new_images_are_embedded_without_redoing_the_old(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, small_pictures: Path, tmp_path: Path
) -> None:
    oracle.play(workspace, watercolor, count=1)
    before = np.array(workspace.vectors().array())
    scores = np.array(scores_of(workspace, watercolor))
    from PIL import Image

    for number in range(3):
        place = tmp_path / "more" / f"{number}.png"
        place.parent.mkdir(exist_ok=True)
        Image.effect_noise((60, 40), 20 + 30 * number).save(place)
    ingest_folder(workspace.catalogue, workspace.thumbnails, tmp_path / "more")
    made = embed_collection(workspace)
    assert made.embedded == 3
    after = workspace.vectors().array()
    assert np.array_equal(after[: len(before)], before)
    assert len(after) == len(before) + 3
    rescored = scores_of(workspace, watercolor)
    assert len(rescored) == len(after)
    assert np.array_equal(rescored[: len(scores)], scores)


def test_a_stopped_run_goes_on_after_its_finished_batches(empty: Workspace, small_pictures: Path) -> None:
    ingest_folder(empty.catalogue, empty.thumbnails, small_pictures)

    def stop_after_the_first_batch(done: int, total: int | None, message: str = "") -> None:
        if done:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        embed_collection(empty, report=stop_after_the_first_batch)
    kept = len(empty.vectors())
    assert 0 < kept < 120
    assert embed_collection(empty).embedded == 120 - kept
    assert len(empty.vectors()) == 120


def test_an_image_that_vanished_is_listed_keeps_its_place_and_is_tried_again(
    empty: Workspace, small_pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "few"
    folder.mkdir()
    for path in sorted(small_pictures.rglob("*.jpg"))[:5]:
        shutil.copy(path, folder / path.name)
    ingest_folder(empty.catalogue, empty.thumbnails, folder)
    gone = empty.catalogue.image(2).path
    gone.rename(tmp_path / "away.jpg")
    assert embed_collection(empty).failed == 1
    assert empty.vectors().missing().tolist() == [2]
    noted = empty.catalogue.problems(problem_stage(empty.choice.key))
    assert [problem.uri for problem in noted] == [str(gone)]
    (tmp_path / "away.jpg").rename(gone)
    assert embed_collection(empty).failed == 0
    assert empty.vectors().missing().tolist() == []
    assert empty.catalogue.problems(problem_stage(empty.choice.key)) == []


def test_neighbours_are_the_largest_cosines(workspace: Workspace) -> None:
    vectors = workspace.vectors().array().astype(np.float32)
    likeness = vectors @ vectors[17]
    likeness[17] = -np.inf
    assert [row for row, _ in neighbours(workspace, 17, 6)] == np.argsort(-likeness, kind="stable")[:6].tolist()


def test_text_needs_an_encoder_that_reads_it(workspace: Workspace) -> None:
    with pytest.raises(EmbeddingError, match="OpenCLIP"):
        by_text(workspace, "a pear")


def test_with_openclip_a_text_finds_images_and_starts_a_round(
    workspace: Workspace, watercolor: Attribute, clip_checkpoint: Path
) -> None:
    encoder = workspace.choose_encoder("openclip:small-test", clip_checkpoint)
    embed_collection(workspace)
    assert supports_text(workspace)
    wanted = encoder.encode_text(["a pear in watercolour"])[0]  # type: ignore[attr-defined]
    likeness = workspace.vectors().array().astype(np.float32) @ wanted
    expected = np.argsort(-likeness, kind="stable")[:20].tolist()
    assert find(workspace, "a pear in watercolour", 20).rows.tolist() == expected
    strategy, batch = querying.propose(workspace, watercolor, count=8, text="a pear in watercolour")
    assert strategy == "text"
    matching = [int(r) for r, why in zip(batch.rows, batch.reasons, strict=True) if why.startswith("matches the text")]
    assert set(matching) <= set(expected)
    with pytest.raises(BamError, match="text is empty"):
        find(workspace, "  ", 20)


def test_models_of_one_encoder_are_not_used_with_another(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, clip_checkpoint: Path
) -> None:
    oracle.play(workspace, watercolor, count=1)
    workspace.choose_encoder("openclip:small-test", clip_checkpoint)
    embed_collection(workspace)
    assert latest_model(workspace, watercolor) is None
    assert rounds.state(workspace, watercolor).step == "train"
    rounds.train(workspace, watercolor)
    assert len(scores_of(workspace, watercolor)) == 120
    workspace.choose_encoder("builtin")
    assert latest_model(workspace, watercolor) is not None


def test_an_encoder_that_cannot_be_opened_changes_nothing(workspace: Workspace, tmp_path: Path) -> None:
    before = workspace.choice
    with pytest.raises(EmbeddingError):
        workspace.choose_encoder("timm:resnet18", tmp_path / "none.safetensors")
    with pytest.raises(EmbeddingError):
        workspace.choose_encoder("magic")
    assert workspace.choice == before


def test_there_is_nothing_to_embed_in_an_empty_collection(empty: Workspace) -> None:
    with pytest.raises(EmbeddingError, match="Add a folder of images first"):
        embed_collection(empty)


def test_a_workspace_keeps_its_cache_and_settings(tmp_path: Path) -> None:
    first = Workspace(tmp_path / "workspace", tmp_path / "cache")
    first.redundancy = 3
    again = Workspace(tmp_path / "workspace", tmp_path / "cache")
    assert (again.cache, again.redundancy) == (first.cache, 3)
    other = Workspace(tmp_path / "other", tmp_path / "cache")
    assert other.cache != first.cache
    with pytest.raises(BamError, match="from 1 to 9"):
        again.redundancy = 0


def test_as_many_judge_as_teach_until_somebody_says_otherwise(workspace: Workspace) -> None:
    assert (workspace.redundancy, workspace.judging_redundancy) == (1, 1)
    workspace.redundancy = 3  # all that an earlier version could say
    assert (workspace.redundancy, workspace.judging_redundancy) == (3, 3)
    workspace.judging_redundancy = 2
    workspace.redundancy = 1
    assert (workspace.redundancy, workspace.judging_redundancy) == (1, 2)
    with pytest.raises(BamError, match="from 1 to 9"):
        workspace.judging_redundancy = 10


def test_a_folder_that_cannot_hold_a_workspace_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BamError, match="BAM_WORKSPACE"):
        Workspace(tmp_path / "file" / "workspace", tmp_path / "cache")
