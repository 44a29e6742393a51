"""Tables of what the encoders of a collection are worth."""

import numpy as np
import pandas as pd

from bam_engine.reporting.results import results_of
from bam_engine.training.comparison import compare_encoders
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow

_RESULTS = ("attribute", "encoder", "name", "in_use", "newest", "result")
_STANDING = ("labels", "threshold", "standing", "audited_precision")
_COMPARED = ("attribute", "encoder", "name", "average_precision", "low", "high", "n", "labels", "current")
_BEHIND = ("behind", "behind_low", "behind_high", "problem")


@one_flow
def results_table(workspace: Workspace) -> pd.DataFrame:
    """Return one line for each attribute and encoder with a model; see ``Collection.results``."""
    lines = []
    for attribute in workspace.attributes.all():
        for result in results_of(workspace, attribute):
            audited = None if result.audit is None or result.standing != "audited" else result.audit.precision
            lines.append(
                (
                    attribute.name,
                    result.key,
                    result.encoder,
                    result.in_use,
                    result.newest,
                    result.choice,
                    result.model.labels,
                    np.nan if result.threshold is None else result.threshold.value,
                    result.standing,
                    np.nan if audited is None else audited.value,
                )
            )
    return pd.DataFrame(lines, columns=[*_RESULTS, *_STANDING])


@one_flow
def comparison_table(workspace: Workspace) -> pd.DataFrame:
    """Return one line for each attribute and encoder; see ``Collection.compare_encoders``."""
    lines = []
    for attribute in workspace.attributes.all():
        found = compare_encoders(workspace, attribute)
        differences = {one.than: one.difference for one in found.differences}
        for one in found.encoders:
            estimate, difference = one.average_precision, differences.get(one.encoder)
            measured = (np.nan,) * 3 if estimate is None else (estimate.value, estimate.low, estimate.high)
            best = 0.0 if one.encoder == found.best else np.nan
            behind = (best,) * 3 if difference is None else (difference.gain, difference.low, difference.high)
            labels = 0 if one.model is None else one.model.labels
            name = workspace.encoder_name(one.encoder)
            lines.append(
                (attribute.name, one.encoder, name, *measured, found.n, labels, one.current, *behind, one.problem)
            )
    return pd.DataFrame(lines, columns=[*_COMPARED, *_BEHIND])
