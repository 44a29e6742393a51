"""What was audited with another encoder stays in sight: it is named, and an export gives it when it is chosen."""

import csv
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.errors import ExchangeError
from bam_engine.reporting.export import export
from bam_engine.reporting.results import better_elsewhere, chosen, overlooked, results_of
from bam_engine.training import rounds, thresholds
from bam_engine.training.delivered import delivered_at
from bam_engine.training.models import latest_model, models, scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.two_encoders import DESCRIPTORS, NETWORK, add_vectors, blind_vectors, use


@pytest.fixture
def audited(played: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """Audited with the descriptors; the network, which sees nothing, is in use and not trained."""
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    oracle.answer(played, audits.draw(played, watercolor, n_accepted=3, n_rejected=3, seed=1).task)
    add_vectors(played, blind_vectors(played))
    use(played, "network")
    return played


@pytest.fixture
def moved(audited: Workspace, watercolor: Attribute) -> Workspace:
    """The network is trained, too."""
    rounds.train(audited, watercolor)
    return audited


def exported(workspace: Workspace, folder: Path, **encoders: str) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The lines of the images, and that of the attribute, of an export to CSV."""
    export(workspace, folder, form="csv", encoders=encoders)
    with (folder / "images.csv").open(newline="", encoding="utf-8") as file:
        images = list(csv.DictReader(file))
    with (folder / "attributes.csv").open(newline="", encoding="utf-8") as file:
        (attribute,) = csv.DictReader(file)
    return images, attribute


def test_the_result_of_the_encoder_in_use_is_first_and_what_stands_behind_each_is_said(
    moved: Workspace, watercolor: Attribute
) -> None:
    mine, other = results_of(moved, watercolor)
    assert (mine.key, mine.in_use, mine.encoder) == (NETWORK, True, "Network alone")
    assert mine.standing in ("suggested", "scored")
    assert (other.key, other.in_use, other.standing) == (DESCRIPTORS, False, "audited")
    assert other.words.startswith("audited, precision ")


def test_an_attribute_that_was_audited_with_another_encoder_says_so(moved: Workspace, watercolor: Attribute) -> None:
    found = better_elsewhere(moved, watercolor)
    assert found is not None
    assert found.result.key == DESCRIPTORS
    assert found.note.startswith("With Fast preview (descriptors): audited, precision")
    assert "With Network alone, the encoder in use: " in found.note
    assert list(overlooked(moved)) == ["media_watercolor"]
    assert overlooked(moved, ["media_watercolor"]) == {}
    use(moved, "builtin")
    assert better_elsewhere(moved, watercolor) is None


def test_a_threshold_that_is_only_suggested_is_no_reason_to_look_elsewhere(
    played: Workspace, watercolor: Attribute
) -> None:
    add_vectors(played, blind_vectors(played))
    use(played, "network")
    rounds.train(played, watercolor)
    assert better_elsewhere(played, watercolor) is None
    use(played, "builtin")
    threshold = thresholds.save(played, watercolor, thresholds.measure_at(played, watercolor, 0.0, target=0.6))
    use(played, "network")
    found = better_elsewhere(played, watercolor)
    assert found is not None
    assert found.result.threshold == threshold


@pytest.fixture
def trained_again(moved: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """Both are trained again on further labels, and what was audited is an earlier model of the descriptors."""
    oracle.answer(moved, rounds.start_round(moved, watercolor, count=12, seed=5).task)
    with moved.using(DESCRIPTORS):
        rounds.train(moved, watercolor)
    rounds.train(moved, watercolor)
    return moved


def test_a_later_training_does_not_undo_what_was_audited(trained_again: Workspace, watercolor: Attribute) -> None:
    first, second = [model.id for model in models(trained_again, watercolor, DESCRIPTORS)][-2:]
    listed = [(one.key, one.newest, one.model.id) for one in results_of(trained_again, watercolor)][1:]
    assert listed == [(DESCRIPTORS, False, first), (DESCRIPTORS, True, second)]
    found = better_elsewhere(trained_again, watercolor)
    assert found is not None
    assert found.note.startswith("With Fast preview (descriptors), an earlier model: audited, precision")


def test_what_an_encoder_has_does_not_depend_on_whether_it_is_in_use(
    trained_again: Workspace, watercolor: Attribute
) -> None:
    def listed() -> set[tuple[str, bool, int, str]]:
        results = results_of(trained_again, watercolor)
        return {(one.key, one.newest, one.model.id, one.standing) for one in results}

    before = listed()
    use(trained_again, "builtin")
    assert listed() == before
    first = results_of(trained_again, watercolor)[0]
    current = thresholds.current_threshold(trained_again, watercolor)
    assert (first.key, first.newest, first.threshold) == (DESCRIPTORS, True, current), "what pages show"
    assert better_elsewhere(trained_again, watercolor) is None, "it is nowhere else"
    assert list(overlooked(trained_again)) == ["media_watercolor"], "and an export leaves it out"


def test_an_export_gives_an_earlier_model_when_it_is_chosen(
    trained_again: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    use(trained_again, "builtin")
    earlier = overlooked(trained_again)["media_watercolor"].result
    _, attribute = exported(trained_again, tmp_path / "out", media_watercolor=earlier.choice)
    assert attribute["model"] == earlier.model.digest
    assert attribute["standing"].startswith("audited, precision")
    assert attribute["others"].startswith("Fast preview (descriptors): ")
    newest = latest_model(trained_again, watercolor)
    assert newest is not None
    _, attribute = exported(trained_again, tmp_path / "other", media_watercolor=DESCRIPTORS)
    assert attribute["model"] == newest.digest, "the key alone means the newest model"


def test_encoders_that_cannot_be_told_apart_are_refused_with_the_choices(
    moved: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workspace, "encoder_name", lambda *_: "Twin")
    with pytest.raises(ExchangeError, match=r"Several encoders of media_watercolor are called Twin") as raised:
        chosen(moved, watercolor, "Twin")
    assert NETWORK in str(raised.value)
    assert DESCRIPTORS in str(raised.value)
    assert chosen(moved, watercolor, NETWORK) is not None


def test_an_export_gives_the_encoder_in_use_and_names_what_it_leaves_out(
    moved: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    images, attribute = exported(moved, tmp_path / "out")
    model = latest_model(moved, watercolor)
    assert model is not None
    scores = [float(line["media_watercolor_score"]) for line in images]
    assert scores == pytest.approx(scores_of(moved, watercolor, model).tolist(), abs=1e-5)
    assert (attribute["encoder"], attribute["encoder_key"], attribute["model"]) == ("network", NETWORK, model.digest)
    assert attribute["others"].startswith("Fast preview (descriptors): audited, precision")


@pytest.mark.parametrize("encoder", [DESCRIPTORS, "builtin", "Fast preview (descriptors)"])
def test_an_export_gives_the_scores_cut_and_evidence_of_the_chosen_encoder(
    moved: Workspace, watercolor: Attribute, tmp_path: Path, encoder: str
) -> None:
    images, attribute = exported(moved, tmp_path / "out", media_watercolor=encoder)
    model = latest_model(moved, watercolor, DESCRIPTORS)
    assert model is not None
    threshold = thresholds.current_threshold(moved, watercolor, model)
    assert threshold is not None
    expected = scores_of(moved, watercolor, model)
    assert [float(line["media_watercolor_score"]) for line in images] == pytest.approx(expected.tolist(), abs=1e-5)
    positive = [line["media_watercolor_label"] == "positive" for line in images]
    assert positive == delivered_at(moved, watercolor, threshold.value, model).accepted.tolist()
    unlabelled = [line["media_watercolor_crowd"] == "" for line in images]
    by_score = (expected >= np.float32(threshold.value)).tolist()
    assert [p for p, free in zip(positive, unlabelled, strict=True) if free] == [
        p for p, free in zip(by_score, unlabelled, strict=True) if free
    ]
    assert float(attribute["positive_from"]) == threshold.value
    assert attribute["evidence"].startswith(threshold.evidence.summary)
    assert (attribute["encoder"], attribute["encoder_key"]) == ("builtin", DESCRIPTORS)
    assert (attribute["model"], attribute["trained"]) == (model.digest, model.made_at)
    assert attribute["standing"].startswith("audited, precision")
    assert attribute["others"].startswith("Network alone: ")


def test_the_tables_of_bam_say_it_too(moved: Workspace, tmp_path: Path) -> None:
    (path,) = export(moved, tmp_path / "out.sqlite", form="sqlite", encoders={"media_watercolor": "builtin"})
    connection = sqlite3.connect(path)
    found = connection.execute("select encoder, encoder_key, standing, others from attributes").fetchall()
    connection.close()
    ((encoder, key, standing, others),) = found
    assert (encoder, key) == ("builtin", DESCRIPTORS)
    assert standing.startswith("audited")
    assert others.startswith("Network alone")


def test_where_nothing_is_trained_with_the_encoder_in_use_no_score_of_another_is_exported_unasked(
    audited: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    assert chosen(audited, watercolor) is None
    images, attribute = exported(audited, tmp_path / "out")
    assert {line["media_watercolor_score"] for line in images} == {""}
    assert {line["media_watercolor_why"] for line in images} == {"", "by people"}
    assert attribute["encoder"] == ""
    assert attribute["others"].startswith("Fast preview (descriptors): audited")
    images, attribute = exported(audited, tmp_path / "other", media_watercolor="builtin")
    assert all(line["media_watercolor_score"] for line in images)
    assert attribute["encoder"] == "builtin"


def test_an_encoder_without_a_result_or_without_its_vectors_is_refused(
    moved: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    with pytest.raises(ExchangeError, match=r"no result with the encoder combined.*builtin-v1 \(Fast preview"):
        export(moved, tmp_path / "out", form="csv", encoders={"media_watercolor": "combined"})
    for name in ("vectors.f16", "images.bin"):
        (moved.cache / "vectors" / DESCRIPTORS / name).unlink()
    with pytest.raises(ExchangeError, match="the vectors of that encoder are no longer there"):
        export(moved, tmp_path / "out", form="csv", encoders={"media_watercolor": "builtin"})
    assert export(moved, tmp_path / "out", form="csv")
