"""What benchmarks of whole flows share: what a model is judged by that was trained in a workspace, and a mean of seeds.

The truth is known, so a model is judged on every image that could not train it: those that the validation sample keeps
out of the rounds.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.labelling.drawn_images import whole_validation_sample
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from benchmarks.strategies import Summary


def precisions(workspace: Workspace, attribute: Attribute, truth: npt.NDArray[np.bool_]) -> tuple[float, float, int]:
    """Return the true average precision of the newest scores, and how many images it is of.

    First on the images that could not train, then on all; the number is that of the first.
    """
    scores = scores_of(workspace, attribute)[: len(truth)]
    sample = whole_validation_sample(workspace, attribute).rows
    apart = np.ones(len(truth), bool)
    apart[learning.training_pool(len(truth), sample, workspace.catalogue.projects())] = False
    apart &= np.isfinite(scores)
    every = np.isfinite(scores)
    found = [learning.average_precision(scores[part], truth[part].astype(np.int8)) for part in (apart, every)]
    return found[0], found[1], int(apart.sum())


def mean(values: Sequence[float], confidence: float = 0.95) -> Summary:
    """Return the mean of the seeds with Student's interval; nan counts as no run."""
    known = np.array([value for value in values if np.isfinite(value)])
    if len(known) < 2:
        value = float(known.mean()) if len(known) else float("nan")
        return Summary(value, float("nan"), float("nan"))
    half = float(t.ppf((1 + confidence) / 2, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
    return Summary(float(known.mean()), float(known.mean()) - half, float(known.mean()) + half)


def shown(summary: Summary) -> str:
    """Return a mean of proportions with its interval, at a width of 20."""
    low, high = max(summary.low, 0), min(summary.high, 1)
    return f"{summary.value:.2f} [{low:.2f}, {high:.2f}]".rjust(20)
