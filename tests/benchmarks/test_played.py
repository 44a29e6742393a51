"""What whole flows are judged by: the images that could not train, and the mean of the seeds."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from sklearn.metrics import average_precision_score

from bam_engine.annotation import Attribute
from bam_engine.labelling.drawn_images import whole_validation_sample
from bam_engine.training.models import scores_of
from bam_engine.training.querying import training_labels
from bam_engine.workspace import Workspace
from benchmarks.played import mean, precisions
from tests.conftest import Oracle


def test_a_model_is_judged_on_images_that_could_not_train_it(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    truth = np.array([oracle.knows(played, row) for row in range(len(played.catalogue))])
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
