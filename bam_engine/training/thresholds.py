"""The threshold of each attribute: suggested from held-out labels, or chosen and saved by a person.

A saved threshold belongs to the model it was chosen for; after another training the suggestion takes its place until
someone saves one again. Its evidence is measured again, and what it promises is tested again, when an answer has
changed; a promise that does not hold any more is taken back. A suggestion is recomputed when a held-out label or a
certification has changed.
"""

import contextlib
import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import BamError, LearningError, NoThreshold
from bam_engine.formatting import percent
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.labelling.label_states import label_version
from bam_engine.learning import Threshold
from bam_engine.training import (
    certification,
    certification_population,
    certification_store,
    certified_cuts,
    draw_tests,
    population,
)
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.evaluation_set import evidence_version, gather_evidence, images_measured
from bam_engine.training.measurements import evidence_of, evidence_values
from bam_engine.training.models import TrainedModel, latest_model, newest_model
from bam_engine.training.threshold_evidence import measured_at
from bam_engine.training.validation import drawable_rows
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.memory import Kind

TARGET = 0.90
"""The precision that a threshold is suggested for unless another is given."""


@dataclass(frozen=True)
class AttributeThreshold:
    """The threshold in use for an attribute; ``id`` is None while it is only suggested.

    ``images`` is the number of images that the collection had when the evidence was drawn: those from this row on came
    later, and it is not about them. ``made_at`` is when it was saved. ``taken_back`` says why a promise does not hold
    any more; ``evidence`` is then no longer certified. It is empty otherwise.
    """

    id: int | None
    model_id: int
    evidence: Threshold
    images: int
    made_at: str = ""
    taken_back: str = ""

    @property
    def value(self) -> float:
        return self.evidence.value

    @property
    def saved(self) -> bool:
        return self.id is not None

    @property
    def summary(self) -> str:
        """What is known of it, in sentences, and what was taken back."""
        return f"{self.taken_back} {self.evidence.summary}".lstrip()

    @property
    def finding(self) -> str:
        """What is known of it, and what was taken back, without advice."""
        return f"{self.taken_back} {self.evidence.finding}".lstrip()


@dataclass(frozen=True)
class _Promise:
    """What a promise is about now: answers may have changed since it was saved, and images may have been removed."""

    covers: int | None
    known_positives: int | None


_TESTED = Kind[str]("digests of labels that test", of="attribute", until="a label may have changed", limit=1000)
_SUGGESTIONS = Kind[Threshold | None](
    "suggested thresholds", of="model", until="scores or the labels that test change", limit=1000
)
_HOLDS = Kind[_Promise | None](  # or that it does not hold any more
    "promises that were tested again",
    of="saved threshold",
    until="scores, the labels that test or a file change",
    limit=1000,
)


@one_flow
def current_threshold(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None
) -> AttributeThreshold | None:
    """Return the threshold of ``model``, or of the newest: the one saved for it, else the suggested one, else None."""
    model = model or latest_model(workspace, attribute)
    if model is None:
        return None
    saved = workspace.snapshot.rows_with(db.thresholds.c.model_id, model.id)
    if saved:
        return _saved(workspace, attribute, model, saved[-1])
    suggested = _suggestion(workspace, attribute, model)
    if suggested is None:
        return None
    images = _images_of(workspace, attribute, suggested, model)
    return AttributeThreshold(None, model.id, _measured_again(workspace, attribute, model, suggested), images)


def _images_of(workspace: Workspace, attribute: Attribute, evidence: Threshold, model: TrainedModel) -> int:
    """Return the number of images, from the first on, that the evidence, and what is promised by it, is about."""
    if evidence.certified or evidence.recall_target is not None:
        return population.images_of(workspace, attribute, evidence, model)
    return images_measured(workspace, attribute)


def _measured_again(workspace: Workspace, attribute: Attribute, model: TrainedModel, evidence: Threshold) -> Threshold:
    """Return a threshold with its promise, and with what all labels of now show of its precision and recall."""
    target, confidence = evidence.target, evidence.confidence
    try:
        found = measured_at(workspace, attribute, evidence.value, model, target=target, confidence=confidence)
    except LearningError:
        return evidence
    promised = ("certified", "covers", "known_positives", "recall_target", "promise")
    return replace(found, **{name: getattr(evidence, name) for name in promised})


def _saved(workspace: Workspace, attribute: Attribute, model: TrainedModel, stored: sa.Row[Any]) -> AttributeThreshold:
    evidence = evidence_of(stored._mapping)
    images = stored.images
    if images is None:  # saved by an earlier version
        images = _images_of(workspace, attribute, evidence, model)
    measured = _measured_again(workspace, attribute, model, evidence)
    saved = AttributeThreshold(stored.id, model.id, measured, images, stored.made_at)
    version = _tested_version(workspace, attribute, model)
    promise = workspace.memory.get(_HOLDS, stored.id, version, lambda: _promise(workspace, attribute, model, saved))
    if promise is not None:
        now = replace(measured, covers=promise.covers, known_positives=promise.known_positives)
        return replace(saved, evidence=now)
    goal = f"a recall of {percent(evidence.recall_target)}" if evidence.recall_target else percent(evidence.target)
    words = (
        f"Certified for {goal} when it was saved, and not any more: it does not pass its test with the answers and "
        "images as they are, where unsure counts as not positive."
    )
    withdrawn = replace(measured, certified=False, covers=None, known_positives=None, recall_target=None, promise="")
    return replace(saved, evidence=withdrawn, taken_back=words)


def _promise(
    workspace: Workspace, attribute: Attribute, model: TrainedModel, saved: AttributeThreshold
) -> _Promise | None:
    """Return what the promise of a saved threshold is about now, or None if it does not hold any more."""
    evidence = saved.evidence
    if not _holds(workspace, attribute, model, saved):
        return None
    started = certification_store.current(workspace, attribute, model, target=evidence.target)
    if evidence.covers is None or started is None:
        return _Promise(evidence.covers, evidence.known_positives)
    known = certification_population.known_positives(workspace, started)
    return _Promise(certified_cuts.covered_from(workspace, started, evidence.value), known or None)


def _holds(workspace: Workspace, attribute: Attribute, model: TrainedModel, saved: AttributeThreshold) -> bool:
    """Return whether what a threshold promised passes its test with the answers as they are; also if it never did."""
    evidence = saved.evidence
    target, confidence = evidence.target, evidence.confidence
    try:
        if evidence.recall_target is not None:
            again = draw_tests.certify_recall(
                workspace, attribute, model, target=evidence.recall_target, confidence=confidence
            )
            passed = again.value
            return passed is not None and passed >= evidence.value
        if not evidence.certified and evidence.covers is None:
            return True
        if evidence.covers is not None:
            started = certification_store.current(workspace, attribute, model, target=target, confidence=confidence)
            state = None if started is None else certification.state(workspace, started)
            cuts = np.empty(0) if state is None else certified_cuts.cuts_of(state)
            stricter = len(cuts) > 0 and bool(cuts[-1] <= evidence.value)
        else:
            draws = draw_tests.labelled_draws(workspace, attribute, model)
            stricter = learning.is_certified(evidence.value, **draws, target=target, confidence=confidence)
            cuts = np.asarray(learning.certified_cuts(**draws, target=target, confidence=confidence))
        return stricter or certified_cuts.is_among(workspace, attribute, model, evidence.value, cuts)
    except LearningError:  # nothing is left to test
        return False


def _suggestion(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> Threshold | None:
    """Return the suggested threshold, recomputed only when a label has changed that its test reads.

    Every page and the map ask for it, and most new labels are those of rounds, which do not change it.
    """
    if model.measurement is None:  # training was interrupted
        return None

    def suggested() -> Threshold | None:
        with contextlib.suppress(LearningError):
            return suggest(workspace, attribute, model, target=TARGET)
        return None

    return workspace.memory.get(_SUGGESTIONS, model.id, _tested_version(workspace, attribute, model), suggested)


def _tested_version(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> tuple[object, ...]:
    """Return what the tests of a model's thresholds read: a digest of the labels that test, scores, cuts and files."""
    scores, labels, *others = evidence_version(workspace, attribute, model)
    digest = workspace.memory.get(_TESTED, attribute.id, labels, lambda: _tested_digest(workspace, attribute))
    return scores, digest, *others


def _tested_digest(workspace: Workspace, attribute: Attribute) -> str:
    """Return a digest of the labels of held-out images; of all labels where a certification may need them.

    The positives that certifications count with them are among it. Images of rounds have two labels: by as many answers
    as teach, and by as many as judge.
    """
    started, rows = certification_store.certifications(workspace, attribute), held_out_rows(workspace, attribute)
    by_teachers = tasks.blind_labels(workspace, attribute)
    if started:
        rows = np.union1d(rows, by_teachers.rows).astype(np.int64)
    counted = [certification_population.known_positives(workspace, each) for each in started]
    read: list[NDArray[Any]] = [rows, np.array(counted, np.int64)]
    for agreed in (by_teachers, tasks.labels_by(workspace, attribute, workspace.judging_redundancy, blind=True)):
        answered = np.isin(rows, agreed.rows)  # unsure or disputed differs from unanswered
        read += [tasks.judged_labels_of(agreed, rows), tasks.labels_of(agreed, rows), answered]
    text = b"".join(each.tobytes() for each in read)
    return f"{label_version(workspace, attribute)[1:]} {hashlib.sha256(text).hexdigest()}"


def joint_confidence(attributes: int, confidence: float = 0.95) -> float:
    """Return the confidence for each of several guarantees that makes all of them hold together with ``confidence``.

    The risk is divided evenly (Bonferroni): however the attributes are related, the probability that any guarantee
    fails is at most the sum of the individual ones.

    Examples
    --------
    >>> joint_confidence(1), round(joint_confidence(5), 4)
    (0.95, 0.99)
    """
    return 1 - (1 - confidence) / max(1, attributes)


@one_flow
def suggest(
    workspace: Workspace,
    attribute: Attribute,
    model: TrainedModel | None = None,
    *,
    target: float,
    confidence: float = 0.95,
) -> Threshold:
    """Return the threshold for a precision target, by ``model`` or by the newest.

    If a certification of this model and target was started, only its cut can be certified, at any confidence: a second
    test of the same guarantee would add its risk. Its cut counts even if the random draws hold no positive or miss the
    target. Otherwise the test on the first random draw decides, once that is fully labelled
    (:func:`bam_engine.learning.choose_threshold`); later draws measure but certify nothing. Each way keeps its
    guarantee, but trying the second because the first failed means two chances, as does training another model.

    Raises
    ------
    NoThreshold
        Nothing is certified, and no cut reaches the target even empirically.
    LearningError
        There is no model yet; or nothing is certified, and only one class is labelled.
    """
    started = certification_store.current(workspace, attribute, model, target=target, confidence=confidence)
    if started is not None:
        certified = _certified(workspace, started)
        if certified is not None:
            return certified
    found, draws = gather_evidence(workspace, attribute, model), draw_tests.labelled_draws(workspace, attribute, model)
    if started is not None:
        draws["testing"] = np.zeros(len(draws["labels"]), bool)
    chosen = learning.choose_threshold(**draws, target=target, confidence=confidence, labelled=found.labelled)
    measured = measured_at(workspace, attribute, chosen.value, model, target=target, confidence=confidence, by=found)
    return replace(measured, certified=chosen.certified)


def _certified(workspace: Workspace, started: certification_store.Certification) -> Threshold | None:
    """Return the best cut that a certification has certified so far, measured on the held-out labels, or None.

    One that is in use and accepts more stays: labels that came since may favour a stricter one by a hair.
    """
    state = certification.state(workspace, started)
    if state.progress is None or state.certified is None:
        return None
    model, cuts = certification_population.model_of(workspace, started), certified_cuts.cuts_of(state)
    value = certified_cuts.best_of(workspace, started.attribute, model, cuts, confidence=started.confidence)
    saved = workspace.snapshot.rows_with(db.thresholds.c.model_id, model.id)
    if saved and saved[-1].value < value and saved[-1].value in cuts:
        value = saved[-1].value
    return _certified_at(workspace, state, value)


def _certified_at(workspace: Workspace, state: CertificationState, value: float) -> Threshold:
    """Return the evidence for a cut that a certification has certified."""
    started = state.certification
    threshold = measured_at(
        workspace,
        started.attribute,
        value,
        certification_population.model_of(workspace, started),
        target=started.target,
        confidence=started.confidence,
    )
    known = None if state.progress is None else state.progress.known_positives or None
    covers = certified_cuts.covered_from(workspace, started, value)
    return replace(threshold, certified=True, covers=covers, known_positives=known)


def measure_at(
    workspace: Workspace, attribute: Attribute, value: float, *, target: float, confidence: float = 0.95
) -> Threshold:
    """Return the evidence for a threshold set by hand; it is certified if it accepts what a certified one accepts.

    Raises
    ------
    LearningError
        There is no model yet, or no validation image is labelled.
    """
    measured = measured_at(workspace, attribute, value, None, target=target, confidence=confidence)
    cuts = certified_cuts.current_cuts(workspace, attribute, target=target, confidence=confidence)
    if not certified_cuts.is_among(workspace, attribute, newest_model(workspace, attribute), value, cuts):
        return measured
    started = certification_store.current(workspace, attribute, target=target, confidence=confidence)
    if started is None:
        return replace(measured, certified=True)
    return _certified_at(workspace, certification.state(workspace, started), value)


@one_flow
def suggest_recall(
    workspace: Workspace, attribute: Attribute, *, recall: float, target: float = 0.90, confidence: float = 0.95
) -> Threshold:
    """Return the strictest threshold certified for a recall.

    ``target`` is the precision that an audit compares it with; no precision is guaranteed.

    Raises
    ------
    NoThreshold
        No cut can be certified for the recall yet; the message says what is missing.
    LearningError
        There is no model yet, or no draw is fully labelled.
    """
    certified = draw_tests.certify_recall(workspace, attribute, target=recall, confidence=confidence)
    if certified.value is None:
        missing = replace(certified, left=len(drawable_rows(workspace, attribute)))
        raise NoThreshold(missing.summary, missing.to_draw)
    measured = measure_at(workspace, attribute, certified.value, target=target, confidence=confidence)
    return replace(measured, recall_target=recall, promise=certified.summary)


def save(workspace: Workspace, attribute: Attribute, threshold: Threshold) -> AttributeThreshold:
    """Save ``threshold`` as the one in use for the newest model.

    Raises
    ------
    LearningError
        There is no model yet.
    """
    model = latest_model(workspace, attribute)
    if model is None:
        raise LearningError(
            f"{attribute.name} has no model to set a threshold for. Label a first round, then train on it."
        )
    values = {
        "attribute_id": attribute.id,
        "model_id": model.id,
        **evidence_values(threshold),
        "images": _images_of(workspace, attribute, threshold, model),
        "made_at": db.now(),
    }
    with workspace.engine.begin() as connection:
        connection.execute(sa.insert(db.thresholds).values(values))
        db.log_activity(connection, "chose threshold", f"{attribute.name}: {threshold.value:.3f}")
    saved = current_threshold(workspace, attribute)
    if saved is None:
        raise BamError(f"The threshold of {attribute.name} was saved but cannot be read back.")
    return saved
