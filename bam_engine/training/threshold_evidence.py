"""What is known of a cut: the precision and recall of what it delivers, measured once for each state of the labels."""

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.learning import Threshold
from bam_engine.training.evaluation_set import Evidence, evidence_version, gather_evidence
from bam_engine.training.models import TrainedModel, newest_model
from bam_engine.training.recall_samples import with_measured_recall
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

_EVIDENCE = Kind[Threshold | str](  # or why nothing can be measured
    "evidence for thresholds", of="model and threshold", until="a label, a score or a file changes", limit=1000
)


def measured_at(
    workspace: Workspace,
    attribute: Attribute,
    value: float,
    model: TrainedModel | None,
    *,
    target: float,
    confidence: float,
    by: Evidence | None = None,
) -> Threshold:
    """Measure a cut by all that is known of what it delivers, once for each state of the labels.

    Its recall is that of a sample drawn below it, where there is one.

    Raises
    ------
    LearningError
        Nothing can be measured with these labels. This, too, is found once: galleries ask for every attribute.
    """
    model = model or newest_model(workspace, attribute)
    subject, version = (model.id, value, target, confidence), evidence_version(workspace, attribute, model)

    def measure() -> Threshold | str:
        try:
            found = by or gather_evidence(workspace, attribute, model)
            measured = _measured_by(found, value, target=target, confidence=confidence)
            return with_measured_recall(workspace, attribute, model, measured)
        except LearningError as error:
            return str(error)

    result = workspace.memory.get(_EVIDENCE, subject, version, measure)
    if isinstance(result, str):
        raise LearningError(result)
    return result


def _measured_by(found: Evidence, value: float, *, target: float, confidence: float) -> Threshold:
    sample = found.sample
    threshold = learning.threshold_at(
        value,
        sample.scores,
        sample.labels,
        target=target,
        confidence=confidence,
        weights=sample.weights,
        groups=sample.groups,
        pool_scores=sample.pool_scores,
        random=found.random,
        known=found.known,
        strata=found.strata,
        labelled=found.labelled,
    )
    return learning.of_delivered(threshold, found.random)
