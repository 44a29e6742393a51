"""What whole flows are judged by: the images that could not train, and the mean of the seeds."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from sklearn.metrics import average_precision_score

from bam_engine.annotation import Attribute
from bam_engine.labelling.drawn_images import whole_validation_sample
from bam_engine.training.models import scores_of
from bam_engine.training.querying import training_labels
from bam_engine.workspace import Workspace
from benchmarks import demo_contents, newcomer
from benchmarks.played import mean, precisions
from tests.needs import needs_real_pictures


def test_a_model_is_judged_on_images_that_could_not_train_it(played: Workspace, watercolor: Attribute) -> None:
    truth = np.random.default_rng(3).random(len(played.catalogue)) < 0.4  # one that shows which images are counted
    projects, sample = played.catalogue.projects(), whole_validation_sample(played, watercolor).rows
    related = np.flatnonzero(np.isin(projects, projects[sample]))
    apart = related if len(related) <= len(truth) / 2 else np.unique(sample)
    scores = scores_of(played, watercolor)
    untrained, everywhere, number = precisions(played, watercolor, truth)
    assert number == len(apart)
    assert untrained == pytest.approx(average_precision_score(truth[apart], scores[apart]))
    assert everywhere == pytest.approx(average_precision_score(truth, scores))
    assert not set(apart) & set(training_labels(played, watercolor)[0].tolist())


def test_the_mean_of_seeds_has_students_interval_and_leaves_out_runs_without_a_figure() -> None:
    values = [0.7, 0.9, 0.8, 0.85, 0.6]
    interval = ttest_1samp(values, 0).confidence_interval(0.95)
    summary = mean([*values, float("nan")])
    assert (summary.value, summary.low, summary.high) == pytest.approx((np.mean(values), *interval))
    assert mean([0.4]).value == 0.4
    assert np.isnan(mean([0.4]).low)


def test_a_small_demo_is_played_with_each_encoder_and_writes_its_figures(
    stub_drawing: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--count", "120", "--seeds", "2", "--contents", "content_dog", "--encoders", "builtin"]
    demo_contents.main([*options, "--json", str(tmp_path / "figures.json")])
    played = json.loads((tmp_path / "figures.json").read_text())["played"]
    assert [(one["encoder"], one["seed"]) for one in played] == [("builtin", 0), ("builtin", 1)]
    assert all(one["labels"] >= 10 and 0.15 < one["share"] < 0.45 and 0 < one["untrained"] <= 1 for one in played)
    *_, content, together = capsys.readouterr().out.splitlines()
    value = f"{np.mean([one['untrained'] for one in played]):.2f}"
    assert content.startswith("content_dog")
    assert together.startswith("all contents")
    assert value in content
    assert value in together


def test_a_newcomer_labels_two_rounds_from_five_examples(tmp_path: Path) -> None:
    needs_real_pictures()
    options = ["--images", "320", "--seeds", "1", "--contents", "dog", "--encoders", "builtin"]
    newcomer.main([*options, "--json", str(tmp_path / "figures.json")])
    (flow,) = json.loads((tmp_path / "figures.json").read_text())["flows"]
    assert flow["share"] == pytest.approx(89 / 320, abs=0.01)
    assert flow["positives"] > 10
    assert flow["share"] < flow["untrained"] <= 1
