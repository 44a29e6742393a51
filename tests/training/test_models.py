"""Scores of every attribute made anew in one pass are those that each would get alone."""

import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from bam_engine import derived
from bam_engine.annotation import Attribute
from bam_engine.cli import main
from bam_engine.gallery.near_duplicates import find_groups, has_groups
from bam_engine.learning import LinearModel, score_many
from bam_engine.training import rounds
from bam_engine.training.models import latest_model, rescore_all, scores_of, write_scores
from bam_engine.training.neighbour_cache import neighbours_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection
from tests.conftest import Oracle


def test_all_attributes_are_scored_from_changed_vectors(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    assert rescore_all(workspace) == []
    other = workspace.attributes.add("media_other", "media", "Is it another watercolour?")
    workspace.attributes.add("media_untrained", "media", "Is it anything?")
    oracle.play(workspace, watercolor, count=1)
    oracle.play(workspace, other, count=1, batch=20)
    before = [np.array(scores_of(workspace, attribute)) for attribute in (watercolor, other)]
    store = workspace.vectors()
    swapped = store.array()[[4, 5]].astype(np.float32)
    store.replace([5, 4], swapped)
    store.replace([7], np.zeros((1, store.dim), np.float32))
    assert [attribute.name for attribute in rescore_all(workspace)] == ["media_watercolor", "media_other"]
    for attribute, old in zip((watercolor, other), before, strict=True):
        new = np.array(scores_of(workspace, attribute))
        assert new[[4, 5]] == pytest.approx(old[[5, 4]], abs=1e-4)
        assert np.flatnonzero(np.isnan(new)).tolist() == [7]
        rest = np.setdiff1d(np.arange(120), [4, 5, 7])
        assert new[rest] == pytest.approx(old[rest], abs=1e-4)


def test_scores_of_spans_are_those_of_one_pass_to_the_last_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(2500, 24)).astype(np.float16)
    models = [LinearModel(rng.normal(size=24).astype(np.float32), 0.5, 1.0, 1, 1, 0, 0.0) for _ in range(3)]
    missing = np.array([0, 1023, 1024, 2499])
    expected = score_many(vectors, models)
    expected[:, missing] = np.nan
    files, told = [tmp_path / f"{number}.npy" for number in range(3)], []
    monkeypatch.setattr("bam_engine.training.models.SPAN", 1024)
    write_scores(vectors, models, files, "these", missing, lambda *progress: told.append(progress[:2]))
    for file, line in zip(files, expected, strict=True):
        np.testing.assert_array_equal(derived.read_array(file, "these"), line)
    assert told[-1] == (2500, 2500)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {total for _, total in told} == {2500}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_scores_that_cannot_be_written_are_computed_when_they_are_asked_for(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    oracle.play(workspace, watercolor, count=1)
    before, file = np.array(scores_of(workspace, watercolor)), scores_file(workspace, watercolor)
    file.unlink()
    workspace.memory.clear()

    def refuse(*_: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("bam_engine.derived.writing_array", refuse)
    assert [attribute.name for attribute in rescore_all(workspace)] == ["media_watercolor"]
    assert not file.exists()
    np.testing.assert_array_equal(scores_of(workspace, watercolor), before)


def scores_file(workspace: Workspace, attribute: Attribute) -> Path:
    model = latest_model(workspace, attribute)
    assert model is not None
    return workspace.cache / "scores" / f"{model.digest}.npy"


@pytest.mark.parametrize("damage", ["empty", "cut", "zeros", "zeros after the header", "foreign", "gone", "folder"])
def test_damaged_scores_are_computed_again(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, damage: str
) -> None:
    oracle.play(workspace, watercolor, count=1)
    before, file = np.array(scores_of(workspace, watercolor)), scores_file(workspace, watercolor)
    content = file.read_bytes()
    damaged = {"empty": b"", "cut": content[:-50], "zeros": bytes(len(content)), "foreign": b"not an array" * 50}
    damaged["zeros after the header"] = content[:128] + bytes(len(content) - 128)
    file.unlink()
    if damage == "folder":
        shutil.rmtree(file.parent)
    elif damage != "gone":
        file.write_bytes(damaged[damage])
    workspace.memory.clear()
    assert np.array_equal(scores_of(workspace, watercolor), before, equal_nan=True)
    assert file.read_bytes() == content


def test_scores_are_of_their_model_and_vectors_only(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    """A restored backup gives the id of its newest model to the next one, which is another."""
    oracle.play(workspace, watercolor, count=1)
    first = latest_model(workspace, watercolor)
    assert first is not None
    before = np.array(scores_of(workspace, watercolor, first))
    other = replace(first, coefficients=-first.coefficients)
    assert np.allclose(scores_of(workspace, watercolor, other), -before, atol=1e-4)
    store = workspace.vectors()
    store.replace([3], store.array()[[4]].astype(np.float32))
    assert scores_of(workspace, watercolor, first)[3] == pytest.approx(before[4], abs=1e-4)


@pytest.mark.parametrize("damage", ["zeros", "foreign"])
def test_what_was_computed_from_damaged_vectors_does_not_outlive_them(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, damage: str
) -> None:
    """Embedding again gives back the vectors that there were; what was made of the damaged ones is another thing."""
    oracle.play(workspace, watercolor, count=1)
    before, file = np.array(scores_of(workspace, watercolor)), scores_file(workspace, watercolor)
    near = neighbours_of(workspace, np.arange(5))
    find_groups(workspace)
    vectors = workspace.vectors().file
    content, size = vectors.read_bytes(), 2 * workspace.vectors().dim
    shutil.rmtree(workspace.cache / "neighbours")
    vectors.write_bytes(bytes(len(content)) if damage == "zeros" else content[size:] + content[:size])
    file.unlink()
    workspace.memory.clear()
    assert not np.allclose(scores_of(workspace, watercolor), before, equal_nan=True), "they are those of the damage"
    assert not np.array_equal(neighbours_of(workspace, np.arange(5)), near)
    find_groups(workspace)
    embed_collection(workspace)
    workspace.memory.clear()
    assert vectors.read_bytes() == content
    assert scores_of(workspace, watercolor) == pytest.approx(before, nan_ok=True)
    assert np.array_equal(neighbours_of(workspace, np.arange(5)), near)
    assert not has_groups(workspace), "they are to be searched for again"


def test_scores_that_cannot_be_cached_are_kept_in_memory(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle.play(workspace, watercolor, count=1)
    before = np.array(scores_of(workspace, watercolor))
    shutil.rmtree(workspace.cache / "scores")
    (workspace.cache / "scores").write_text("no folder")
    workspace.memory.clear()
    assert np.array_equal(scores_of(workspace, watercolor), before, equal_nan=True)


def test_without_vectors_there_are_no_scores(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    oracle.play(workspace, watercolor, count=1)
    shutil.rmtree(workspace.cache)
    assert len(scores_of(workspace, watercolor)) == 0


def test_the_command_line_rescores_all(
    workspace: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    assert main(["score", "--all"]) == 0
    assert "120 images rescored for no attribute" in capsys.readouterr().out
    oracle.play(workspace, watercolor, count=1)
    assert main(["score", "--all"]) == 0
    assert "120 images rescored for media_watercolor" in capsys.readouterr().out
    for wrong in (["score"], ["score", "media_watercolor", "--all"]):
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert ended.value.code == 2
    capsys.readouterr()
    assert len(rounds.rounds_of(workspace, watercolor)) == 1
