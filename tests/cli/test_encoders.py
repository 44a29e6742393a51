"""The command line compares encoders, and says when an export leaves out what another encoder has."""

import csv
from pathlib import Path

import pytest

from bam_engine.annotation import Attribute
from bam_engine.cli import main
from bam_engine.training import rounds, thresholds
from bam_engine.training.comparison import compare_encoders, difference_words
from bam_engine.training.models import models
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.two_encoders import NETWORK, add_vectors, blind_vectors, use


@pytest.fixture
def home(played: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Two encoders; a threshold is saved with the descriptors."""
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    add_vectors(played, blind_vectors(played))
    monkeypatch.setenv("BAM_WORKSPACE", str(played.folder))
    monkeypatch.setenv("BAM_CACHE", str(played.cache.parent))
    return played


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def test_encoders_are_listed_and_compared(
    home: Workspace, watercolor: Attribute, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = run(capsys, "encoders").splitlines()
    assert listed == [
        "builtin-v1: Fast preview (descriptors), 120 of 120 images embedded, in use",
        "  trained: media_watercolor",
        "  thresholds: media_watercolor",
        "network-v1: Network alone, 120 of 120 images embedded",
        "  not trained yet: media_watercolor",
    ]
    said = run(capsys, "encoders", "--compare")
    assert "Network alone: No model is trained on it yet." in said
    said = run(capsys, "encoders", "--train", "media_watercolor")
    found = compare_encoders(home, watercolor)
    assert said.splitlines()[0] == f"media_watercolor: 40 validation labels, {found.n_positive} positive"
    assert said.splitlines()[-1].strip() == difference_words(home, found.differences[0])
    assert said.count("average precision") == 2


def test_only_the_named_attributes_are_trained_and_a_model_with_a_saved_threshold_is_kept(
    home: Workspace, watercolor: Attribute, oracle: Oracle, capsys: pytest.CaptureFixture[str]
) -> None:
    home.attributes.add("media_other", "media", "Is it another?")
    oracle.answer(home, rounds.start_round(home, watercolor, count=12, seed=9).task)
    before = models(home, watercolor)
    said = run(capsys, "encoders", "--compare")
    assert "not all labels of today, kept for its threshold" in said
    assert "`bam encoders --train media_watercolor`" in said
    run(capsys, "encoders", "--train", "media_other")
    assert models(home, watercolor, NETWORK) == []
    said = run(capsys, "encoders", "--train", "media_watercolor")
    assert len(models(home, watercolor, NETWORK)) == 1
    assert [model.id for model in models(home, watercolor)] == [model.id for model in before]
    assert "--train" not in said


def test_an_export_says_what_it_leaves_out_and_takes_it_when_asked(
    home: Workspace, watercolor: Attribute, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use(home, "network")
    rounds.train(home, watercolor)
    said = run(capsys, "export", tmp_path / "out", "--format", "csv")
    assert "media_watercolor: With Fast preview (descriptors): certified" in said
    assert "To export the other result: --encoder media_watercolor=builtin-v1" in said
    said = run(capsys, "export", tmp_path / "out", "--format", "csv", "--encoder", "media_watercolor=builtin-v1")
    assert "--encoder" not in said
    with (tmp_path / "out" / "attributes.csv").open(newline="", encoding="utf-8") as file:
        assert [line["encoder_key"] for line in csv.DictReader(file)] == ["builtin-v1"]
    assert "With Fast preview (descriptors): certified" in run(capsys, "status")


def test_an_encoder_without_an_attribute_is_refused(home: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["export", "out", "--encoder", "builtin"])
    assert ended.value.code == 2
    assert "is not an attribute and an encoder" in capsys.readouterr().err
