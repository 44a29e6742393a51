"""What an export says of one attribute: the result that it gives, and the score, label and reason of each image.

Every format asks here, so that two exports of one state say the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.errors import ExchangeError, LearningError
from bam_engine.exchange import Decision, Source
from bam_engine.exchange.dataset import WHY, AttributeColumns
from bam_engine.labelling import tasks
from bam_engine.reporting import results
from bam_engine.reporting.results import Result
from bam_engine.training import extension
from bam_engine.training.delivered import NOT_COVERED, WHO, Delivered, delivered_at, label_codes, not_covered
from bam_engine.training.draw_tests import suggest_negative
from bam_engine.training.models import scores_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import without_file

_WHO = np.array([-1 if who is None else WHY.index(who) for who in WHO], np.int8)


@dataclass(frozen=True, eq=False)
class Decided:
    """What an export says of an attribute and of m images.

    Attributes
    ----------
    result
        The model, threshold and audit that it gives; None where nothing is trained with the encoder.
    delivered
        What is delivered with that result, for every image of the collection.
    rows : (m,) int64
        The images, ascending.
    scores : (m,) float32
        nan without a score.
    crowd : (m,) int8
        What people agree on: 1 yes, 0 no, -1 nothing.
    uncovered : (m,) bool
        The images that the classifier delivers beyond the evidence for the threshold.
    """

    attribute: Attribute
    result: Result | None
    decision: Decision
    source: Source
    delivered: Delivered
    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    crowd: NDArray[np.int8]
    uncovered: NDArray[np.bool_]

    @property
    def reasons(self) -> NDArray[np.uint8]:
        """Why each image is accepted, rejected or undecided, uint8 (m,)."""
        return self.delivered.reasons[self.rows]

    @property
    def any(self) -> bool:
        """Whether anything is decided about any image."""
        return bool((_WHO[self.reasons] >= 0).any())

    def columns(self) -> AttributeColumns:
        """Return the columns of the attribute in a table of the images."""
        reasons = self.reasons
        why = _WHO[reasons]
        why[self.uncovered] = WHY.index(NOT_COVERED)
        return AttributeColumns(
            self.attribute.name,
            None if self.result is None else self.scores,
            self.crowd,
            label_codes(reasons, self.scores, self.decision.negative_to),
            why,
            self.delivered.outcomes_of(self.rows),
        )


@one_flow
def decide(workspace: Workspace, attribute: Attribute, rows: NDArray[np.int64], encoder: str | None = None) -> Decided:
    """Return what an export says of ``attribute`` and of the images ``rows``, with the result of an ``encoder``.

    Raises
    ------
    ExchangeError
        The encoder that is given has no result of the attribute, or its vectors are gone.
    """
    result = results.chosen(workspace, attribute, encoder)
    decision = _decision(workspace, attribute, result)
    model = None if result is None else result.model
    scores = np.full(len(rows), np.nan, np.float32) if result is None else _scores(workspace, result, rows)
    uncovered = np.zeros(len(rows), bool) if result is None else not_covered(workspace, attribute, model)[rows]
    return Decided(
        attribute,
        result,
        decision,
        _source(workspace, attribute, result),
        delivered_at(workspace, attribute, decision.positive_from, model),
        rows,
        scores,
        _crowd(workspace, attribute, rows),
        uncovered,
    )


def _crowd(workspace: Workspace, attribute: Attribute, rows: NDArray[np.int64]) -> NDArray[np.int8]:
    agreed = tasks.labels(workspace, attribute)
    crowd = np.full(len(workspace.catalogue), -1, np.int8)
    crowd[agreed.rows[agreed.settled]] = agreed.labels[agreed.settled]
    of_rows: NDArray[np.int8] = crowd[rows]
    return of_rows


def _scores(workspace: Workspace, result: Result, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the scores of ``rows`` by a result's model, nan without a vector."""
    if not result.in_use and not len(workspace.vectors(result.key)):
        raise ExchangeError(
            f"The result of {result.attribute.name} with {result.encoder} has no scores, because the vectors of that "
            "encoder are no longer there. Embed the collection with it again: its models, thresholds and audits are "
            "kept. Or choose the result of another encoder."
        )
    current = scores_of(workspace, result.attribute, result.model)
    scores = np.full(len(rows), np.nan, np.float32)
    scored = rows < len(current)
    scores[scored] = current[rows[scored]]
    return scores


def _source(workspace: Workspace, attribute: Attribute, result: Result | None) -> Source:
    """Return of which encoder and model a result is, what stands behind it, and what other encoders have."""
    model = None if result is None else result.model
    other = [one for one in results.results_of(workspace, attribute) if model is None or one.model.id != model.id]
    others = [f"{one.source}: {one.words}" for one in other]
    if result is None or model is None:
        return Source(others=". ".join(others))
    choice = workspace.choice_of(result.key)
    spec = result.encoder if choice is None else choice.spec
    return Source(spec, result.key, model.digest, model.made_at, result.words, ". ".join(others))


def _decision(workspace: Workspace, attribute: Attribute, result: Result | None) -> Decision:
    threshold = None if result is None else result.threshold
    if result is None or threshold is None:
        return Decision(None, None, "No threshold has been chosen.")
    try:
        low = suggest_negative(workspace, attribute, result.model, target=threshold.evidence.target)
    except LearningError:
        low = None
    note = "" if threshold.saved else "Suggested, not saved by a person."
    negative_to = None if low is None else min(low, float(np.nextafter(threshold.value, -np.inf)))
    extended = extension.words(workspace, attribute, threshold, result.model)
    evidence = " ".join(filter(None, (note, threshold.summary, extended, without_file(workspace))))
    return Decision(threshold.value, negative_to, evidence)
