"""Scores of every attribute made anew in one pass are those that each would get alone."""

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.cli import main
from bam_engine.training import rounds
from bam_engine.training.models import rescore_all, scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def test_all_attributes_are_rescored_from_changed_vectors(
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
    assert np.array_equal(before[0], scores_of(workspace, watercolor))  # kept until asked
    assert [attribute.name for attribute in rescore_all(workspace)] == ["media_watercolor", "media_other"]
    for attribute, old in zip((watercolor, other), before, strict=True):
        new = np.array(scores_of(workspace, attribute))
        assert new[[4, 5]] == pytest.approx(old[[5, 4]], abs=1e-4)
        assert np.flatnonzero(np.isnan(new)).tolist() == [7]
        rest = np.setdiff1d(np.arange(120), [4, 5, 7])
        assert new[rest] == pytest.approx(old[rest], abs=1e-4)


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
