"""What a direct answer does beside deciding a label: to the classifier, and to what is measured."""

import numpy as np

from bam_engine.annotation import DIRECT, Attribute
from bam_engine.annotation.answer_log import answer_log, moment
from bam_engine.formatting import count
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.training.models import latest_model
from bam_engine.training.querying import round_labels
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow


@one_flow
def effect(workspace: Workspace, attribute: Attribute, row: int) -> str:
    """Return a sentence on what the direct answers about an image do; empty where there are none."""
    if row not in workspace.annotations.direct_answers(attribute.id).rows:
        return ""
    agreed = tasks.labels(workspace, attribute)
    if not agreed.decided[agreed.rows == row].any():
        (needed,) = tasks.redundancy(workspace, attribute).of(np.array([row]))
        return f"It has a label once {count(int(needed), 'person has', 'people have')} answered."
    if row in held_out_rows(workspace, attribute):
        return "What is delivered follows it. What was measured does not: that rests on blind answers alone."
    if not agreed.settled[agreed.rows == row].any():
        return "It has no label, and no round asks about it again."
    if row not in round_labels(workspace, attribute)[0]:
        return "The classifier does not learn it: images of its project are held out for evaluation."
    log, model = answer_log(workspace.engine, attribute.id), latest_model(workspace, attribute)
    given = log.times[log.given_for([DIRECT]) & (log.rows == row)].max()
    if model is not None and np.datetime64(moment(model.made_at)) > given:
        return "The classifier has learned it."
    return "It is not learned until the next training."
