"""The diagnosis of an attribute: does it learn, was the last gain shown, is it as good as it gets; and why not.

Every place that advises asks here. :func:`judge` reads what is stored and is quick; :func:`diagnose` also measures what
the last round brought; the causes (:mod:`bam_engine.training.causes`) are looked for only where an attribute does not
learn.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bam_engine import learning
from bam_engine.annotation import POSITIVE, Attribute
from bam_engine.formatting import count, decimal, decimal_interval
from bam_engine.labelling import tasks
from bam_engine.learning import Advice, Share
from bam_engine.training.causes import Cause, better_encoder, causes
from bam_engine.training.comparison import not_measurable
from bam_engine.training.evaluation import average_precision_of
from bam_engine.training.evaluation_set import evaluation_set, evidence_version
from bam_engine.training.measurements import Estimate
from bam_engine.training.models import TrainedModel, latest_model
from bam_engine.training.stopping import LastRound, last_round
from bam_engine.training.validation import drawable_rows
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.memory import Kind

Learned = Literal["fully", "yes", "no", "unknown"]

MIN_POSITIVE = 10
"""Positives, of as many projects, that the validation sample and the training labels need before anything is told."""

ENOUGH = 200
"""Labels that the first training needs before it is told that an attribute does not learn; a second one needs none."""

FULLY = 0.99
"""The average precision from which on there is nothing left to gain."""


_TITLES = {
    "fully": "It is as good as it gets.",
    "yes": "It learns.",
    "no": "It does not learn yet.",
    "unknown": "Whether it learns cannot be told yet.",
}


@dataclass(frozen=True)
class Verdict:
    """Whether an attribute learns, and the evidence in one or two sentences.

    ``learned`` is "fully" (average precision of at least 0.99), "yes" (better than guessing), "no" (hardly better; see
    :func:`bam_engine.learning.beats_guessing`) or "unknown": too few positives, an interval that allows either, or
    hardly better after a first training on few labels or after a round whose gain is shown. ``share`` is None where
    nothing could be measured. It rests on ``labels`` of the held-out images. About ``more`` further random ones would
    tell, where there are too few positives; None where that is unknown or cannot be.
    """

    learned: Learned
    share: Share | None
    reason: str
    labels: int = 0
    more: int | None = None

    @property
    def title(self) -> str:
        """The verdict in one sentence."""
        return _TITLES[self.learned]


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on an attribute, what the last round changed, and whether another is likely to help.

    ``last_round`` is None before the second training, ``advice`` too, and where an attribute does not learn.
    ``causes`` are those of an attribute that does not learn, the likeliest first; for one that learns and is not
    half-way from guessing to perfect, an encoder that sees more; () for any other.
    """

    verdict: Verdict
    last_round: LastRound | None
    advice: Advice | None
    causes: tuple[Cause, ...]

    @property
    def change(self) -> str:
        """What the last round changed, in a sentence; "" where that is unknown."""
        if self.last_round is None or self.last_round.change is None:
            return ""
        change = self.last_round.change
        gain = decimal_interval(change.gain, change.low, change.high, 3, signed=True)
        return (
            f"The last round changed the average precision by {gain} and moved {change.flipped:,} of "
            f"{count(change.decided, 'image')} to the other side."
        )

    @property
    def open_question(self) -> str:
        """Why it cannot be told whether another round helps; empty where it can, which the next step then says."""
        return self.advice.reason if self.advice is not None and self.advice.outcome == "unknown" else ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The diagnosis in words: the verdict, the last round, what is open, and the causes with their evidence."""
        listed = [
            f"Likely cause {number}: {cause.title} {cause.evidence}"
            for number, cause in enumerate(self.causes, start=1)
        ]
        lines = (f"{self.verdict.title} {self.verdict.reason}", self.change, self.open_question, *listed)
        return tuple(line for line in lines if line)


@dataclass(frozen=True)
class _Measured:
    """The newest model on the held-out labels of today: ``n`` of them, the positives, and the projects of these.

    ``average_precision`` is None where they have no positive or no negative. ``more`` is how many further random
    images it takes to tell, where they have too few positives; None where that is unknown. ``exhausted``: more than
    there are.
    """

    n: int
    positive: int
    projects: int
    average_precision: Estimate | None
    more: int | None = None
    exhausted: bool = False


_MEASURED = Kind[_Measured](
    "measured newest models", of="attribute", until="a label, a model or a vector changes", limit=1000
)


@one_flow
def judge(workspace: Workspace, attribute: Attribute) -> Verdict | None:
    """Return whether ``attribute`` learns with the encoder in use; None before its first training."""
    model = latest_model(workspace, attribute)
    if model is None or model.measurement is None:
        return None
    if not len(workspace.vectors()):
        return Verdict("unknown", None, "The images have no vectors, so nothing can be measured.")
    version = evidence_version(workspace, attribute, model)
    measured = workspace.memory.get(_MEASURED, attribute.id, version, lambda: _measure(workspace, attribute, model))
    found, images = measured.average_precision, count(measured.n, "validation image")
    if found is None:
        return Verdict("unknown", None, not_measurable(measured.n, measured.positive), measured.n)
    share = Share(found.value, found.low, found.high, learning.guessing_precision(measured.positive, measured.n))
    evidence = (
        f"Average precision is {decimal_interval(found.value, found.low, found.high)} on {images}, "
        f"{measured.positive:,} of them positive; guessing gives {decimal(share.guessing)}."
    )
    return replace(_verdict(workspace, attribute, model, share, measured, evidence), labels=measured.n)


def _measure(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> _Measured:
    sample = evaluation_set(workspace, attribute, model)
    positive = sample.labels == POSITIVE
    random = np.isin(sample.rows, tasks.validation_task(workspace, attribute).rows)
    found = average_precision_of(sample, random) if 0 < positive.sum() < len(positive) else None
    projects = len(np.unique(sample.groups[positive]))
    more = None
    if 0 < projects < MIN_POSITIVE:
        more = _more(projects, int(random.sum()), len(np.unique(sample.groups[positive & random])))
    exhausted = more is not None and more > len(drawable_rows(workspace, attribute))
    return _Measured(len(positive), int(positive.sum()), projects, found, more, exhausted)


def _more(projects: int, drawn: int, with_positives: int) -> int | None:
    """Return how many more random images would have enough positives, if they go on as the ``drawn`` ones did."""
    return math.ceil((MIN_POSITIVE - projects) * drawn / with_positives) if with_positives else None


def _verdict(
    workspace: Workspace,
    attribute: Attribute,
    model: TrainedModel,
    share: Share,
    measured: _Measured,
    evidence: str,
) -> Verdict:
    if measured.projects < MIN_POSITIVE:
        few = (
            f"The validation sample has positives of {count(measured.projects, 'project')}; {MIN_POSITIVE} are needed."
        )
        if measured.exhausted:
            return Verdict("unknown", share, f"{few} All images together may have too few. {evidence}")
        if measured.more is not None:
            few += f" About {count(measured.more, 'more random image')} would have them."
        return Verdict("unknown", share, f"{few} {evidence}", more=measured.more)
    better = learning.beats_guessing(share)
    if better:
        return Verdict("fully" if share.value >= FULLY else "yes", share, evidence)
    if min(model.n_positive, model.n_negative) < MIN_POSITIVE:
        kind = "positive" if model.n_positive < model.n_negative else "negative"
        few = f"{count(min(model.n_positive, model.n_negative), f'{kind} image')} taught it; {MIN_POSITIVE} are needed."
        return Verdict("unknown", share, f"{few} {evidence}")
    if better is None:
        return Verdict("unknown", share, f"{evidence} More validation labels would narrow the interval.")
    last = last_round(workspace, attribute)
    if last is None and model.labels < ENOUGH:
        first = f"hardly better, after a first training on {count(model.labels, 'label')}"
        return Verdict("unknown", share, f"{evidence} That is {first}: a second tells.")
    if last is not None and last.change is not None and last.change.low > 0:
        return Verdict("unknown", share, f"{evidence} That is hardly better, but the last round gained.")
    return Verdict("no", share, evidence)


@one_flow
def diagnose(workspace: Workspace, attribute: Attribute) -> Diagnosis | None:
    """Diagnose ``attribute`` with the encoder in use; None before its first training.

    Another round is called likely to help only where the gain of the last one is shown: its paired interval excludes 0.
    """
    verdict = judge(workspace, attribute)
    if verdict is None:
        return None
    last = last_round(workspace, attribute)
    found = causes(workspace, attribute) if verdict.learned == "no" else ()
    if verdict.learned == "yes" and _stalls(verdict, last):
        found = better_encoder(workspace, attribute)
    return Diagnosis(verdict, last, _advice(verdict, last), found)


def _stalls(verdict: Verdict, last: LastRound | None) -> bool:
    """Return whether an attribute is not half-way from guessing to perfect, and no gain of the last round is shown."""
    if verdict.share is None or verdict.share.value >= (1 + verdict.share.guessing) / 2:
        return False
    return last is None or last.advice.outcome != "likely"


def _advice(verdict: Verdict, last: LastRound | None) -> Advice | None:
    if verdict.learned == "fully":
        return Advice("unlikely", "There is nothing left to gain.")
    return None if last is None or verdict.learned == "no" else last.advice
