"""What is known of one attribute, in numbers: all that the rules of :mod:`bam_engine.guidance.rules` look at.

In:  an attribute. Out: a :class:`Facts`, read from the stores with the encoder in use. It decides nothing.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from bam_engine.annotation import POSITIVE, Attribute
from bam_engine.audit import audits
from bam_engine.audit.audits import AuditResult
from bam_engine.guidance.sizes import sizes
from bam_engine.labelling import tasks
from bam_engine.labelling.tasks import TaskState
from bam_engine.learning import is_accepted
from bam_engine.training import (
    certification,
    certification_store,
    draw_tests,
    extension,
    querying,
    recall,
    recall_proposal,
    rounds,
)
from bam_engine.training.certification_population import known_rows, labelled_yes
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.certification_store import Certification
from bam_engine.training.delivered import DeliveredCounts, delivered_at, delivered_of, not_covered
from bam_engine.training.diagnosis import Learned, Verdict, judge
from bam_engine.training.models import encoders_of, model_by_id, scores_of
from bam_engine.training.recall_samples import newest_measured
from bam_engine.training.stopping import last_round
from bam_engine.training.thresholds import TARGET, AttributeThreshold, current_threshold
from bam_engine.training.validation import drawable_rows
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import count_images
from bam_engine.workspace.vectors import with_files

Gain = Literal["likely", "unlikely", "unknown"]


@dataclass(frozen=True)
class Progress:
    """Images of a task that have enough answers, of all that can be shown.

    Each needs ``votes``; ``short`` images have some answers, but fewer.
    """

    answered: int = 0
    total: int = 0
    short: int = 0
    votes: int = 1

    @property
    def left(self) -> int:
        """The number of images that still need answers."""
        return max(0, self.total - self.answered)


@dataclass(frozen=True)
class Certifying:
    """A certification, or what extends a promise: its batch, the cut certified so far, and whether it can go on.

    ``more`` images would be asked about next, and ``needed`` labels may pass its next cut; None if it never passes.
    ``labels`` of its images are labelled. ``unconfirmed`` further ones, labelled yes by fewer people than judge, have
    to be confirmed before they count, which it goes on without. Until its cuts are ``placed``, which its next batch
    does once the pilot is labelled, nothing is tested.
    """

    batch: Progress
    certified: float | None
    more: int
    needed: int | None
    labels: int
    planned: int
    placed: bool = True
    unconfirmed: int = 0

    @property
    def goes_on(self) -> bool:
        """Whether a further batch can be asked for, may pass, and is within what was planned."""
        if not self.placed:
            return not self.batch.left
        return self.more > 0 and self.needed is not None and self.labels < self.planned


@dataclass(frozen=True)
class Audited:
    """The newest audit of the threshold in use; ``met`` is None while its verdict is open.

    ``precision`` is (value, low, high), on ``labels`` accepted images.
    """

    progress: Progress
    complete: bool
    met: bool | None
    unsettled: int
    precision: tuple[float, float, float] | None = None
    labels: int = 0


@dataclass(frozen=True)
class Facts:
    """What is known of an attribute with the encoder in use.

    Attributes
    ----------
    images, labelled
        Images of the collection, and those that people have labelled, or decided that they cannot.
    votes, judges
        How many people must agree on an image of a round, and on one that judges.
    embedded, without_vectors
        Whether any image has a vector, and how many wait for theirs.
    validation, batch
        The progress of the validation sample, and of the newest round, which has the number ``round`` (0: none).
    disputed
        Images of the newest round that people disagree about.
    trained, trainable
        Whether the newest round has taught a model, and whether there are labels of both kinds to learn from;
        ``model`` says whether there is any model.
    elsewhere
        Other encoders, by key, that have a model.
    askable, drawable
        Images that a further round could ask about, and that a further validation draw could hold; 0 while the sample
        or a round is being labelled.
    certifiable
        Those of the drawable images that a certification could ask about: nobody has answered or imported anything of
        them.
    learned, gain
        What the diagnosis says: whether it learns, and whether another round is likely to help, which is not asked
        once a threshold is chosen.
    recall, recall_labels, below
        The progress of the recall sample of the threshold in use; how many labels its recall rests on where one was
        measured, None without one; and how many images below it such a sample could hold, 0 unless it was chosen.
    target
        The precision that is aimed for.
    threshold
        The one in use, saved or suggested; None where no cut reaches the target.
    certifying, extending
        The certification of the newest model, for the target of a threshold that was chosen, and what extends the
        promise in use over images that came later.
    proven
        Whether the validation sample certifies the target, so that no certification is needed.
    unconfirmed
        Images that fewer people have labelled yes than have to agree on one that judges, and that are delivered.
    later, extendable
        Images that came later, are accepted without a label, and are not covered by the promise; and those of them over
        which a new extension could extend it.
    """

    images: int = 0
    labelled: int = 0
    votes: int = 1
    judges: int = 1
    embedded: bool = True
    without_vectors: int = 0
    validation: Progress = Progress()
    round: int = 0
    batch: Progress = Progress()
    disputed: int = 0
    trained: bool = False
    trainable: bool = True
    model: bool = False
    elsewhere: tuple[str, ...] = ()
    askable: int = 0
    drawable: int = 0
    certifiable: int = 0
    learned: Learned | None = None
    gain: Gain | None = None
    target: float = TARGET
    threshold: AttributeThreshold | None = None
    certifying: Certifying | None = None
    extending: Certifying | None = None
    proven: bool = False
    unconfirmed: int = 0
    later: int = 0
    extendable: int = 0
    delivered: DeliveredCounts | None = None
    auditable: int = 0
    audit: Audited | None = None
    recall: Progress | None = None
    recall_labels: int | None = None
    below: int = 0
    verdict: Verdict | None = field(default=None, compare=False)

    @property
    def saved(self) -> bool:
        """Whether somebody has chosen a threshold for the newest model."""
        return self.threshold is not None and self.threshold.saved

    @property
    def certified(self) -> bool:
        """Whether the threshold in use is certified, for its precision or its recall."""
        if self.threshold is None:
            return False
        return self.threshold.evidence.certified or self.threshold.evidence.recall_target is not None

    @property
    def precise(self) -> bool:
        """Whether the threshold in use is certified for its precision."""
        return self.threshold is not None and self.threshold.evidence.certified

    @property
    def audit_size(self) -> int:
        """How many images of each side an audit asks about: no more than accepted ones without a label."""
        usual = sizes(self.images)
        return max(1, min(self.auditable, usual.check if self.certified else usual.each))


@one_flow
def gather(workspace: Workspace, attribute: Attribute) -> Facts:
    """Gather what is known of ``attribute``."""
    state = rounds.state(workspace, attribute)
    threshold, verdict = current_threshold(workspace, attribute), judge(workspace, attribute)
    newest = state.rounds[-1] if state.rounds else None
    saved = threshold is not None and threshold.saved
    chosen = threshold.evidence.target if threshold is not None and saved else None
    started, certifying = _current_certification(workspace, attribute, chosen)
    target = chosen if chosen is not None else TARGET if started is None else started.target
    extending = extension.current(workspace, attribute)
    people = delivered_at(workspace, attribute, None).counts
    audit, sample = audits.latest_result(workspace, attribute), recall.newest(workspace, attribute)
    embedded = len(workspace.vectors()) > 0
    sampled = embedded and (state.validation.total == 0 or state.validation.complete)
    resting = sampled and (newest is None or newest.state.complete)  # nobody has to label for training
    validation = tasks.validation_task(workspace, attribute)
    drawable = drawable_rows(workspace, attribute) if resting else np.empty(0, np.int64)
    return Facts(
        images=count_images(workspace),
        without_vectors=count_images(workspace) - count_images(workspace, len(workspace.vectors())),
        labelled=people.by_people + people.rejected_by_people + people.unsure,
        votes=workspace.redundancy,
        judges=workspace.judging_redundancy,
        embedded=embedded,
        validation=_progress(workspace, validation, state.validation),
        round=0 if newest is None else newest.number,
        batch=Progress() if newest is None else _progress(workspace, newest.task, newest.state),
        disputed=0 if newest is None else newest.state.disputed,
        trained=newest is not None and newest.model is not None and newest.model.measurement is not None,
        trainable=embedded and len(np.unique(querying.training_labels(workspace, attribute)[1])) == 2,
        model=state.model is not None,
        elsewhere=tuple(key for key in encoders_of(workspace, attribute) if key != workspace.choice.key),
        askable=len(querying.query_pool(workspace, attribute)) if resting else 0,
        drawable=len(drawable),
        certifiable=len(np.setdiff1d(drawable, known_rows(workspace, attribute), assume_unique=True)),
        learned=None if verdict is None else verdict.learned,
        gain=_gain(workspace, attribute, verdict) if resting and not saved else None,
        target=target,
        threshold=threshold,
        certifying=certifying,
        extending=None if extending is None else _tested(workspace, extending),
        proven=embedded and started is None and _is_proven(workspace, attribute, threshold),
        unconfirmed=0 if threshold is None else _unconfirmed(workspace, attribute),
        later=0 if threshold is None else int(not_covered(workspace, attribute)[threshold.images :].sum()),
        extendable=len(extension.extendable_rows(workspace, attribute)),
        delivered=None if threshold is None else delivered_of(workspace, attribute).counts,
        auditable=_auditable(workspace, attribute, threshold.value) if threshold is not None and saved else 0,
        audit=None if audit is None else _audited(workspace, audit),
        recall=None if sample is None else _progress(workspace, sample.task, tasks.state(workspace, sample.task)),
        recall_labels=None if threshold is None else _recall_labels(workspace, attribute, threshold),
        below=recall_proposal.count_drawable(workspace, attribute) if saved else 0,
        verdict=verdict,
    )


def _unconfirmed(workspace: Workspace, attribute: Attribute) -> int:
    if workspace.judging_redundancy <= workspace.redundancy:
        return 0
    yes = labelled_yes(workspace, attribute)
    agreed = tasks.labels_by(workspace, attribute, workspace.judging_redundancy)
    return int((tasks.labels_of(agreed, yes) != POSITIVE).sum())


def _recall_labels(workspace: Workspace, attribute: Attribute, threshold: AttributeThreshold) -> int | None:
    found = newest_measured(workspace, attribute, model_by_id(workspace, threshold.model_id), threshold.value)
    return None if found is None else found[1].drawn.n


def _progress(workspace: Workspace, task: tasks.Task, state: TaskState) -> Progress:
    votes = tasks.required_votes(workspace, task)
    return Progress(min(state.answered, state.total), state.total, state.short, votes)


def _gain(workspace: Workspace, attribute: Attribute, verdict: Verdict | None) -> Gain | None:
    """Return whether another round is likely to help; None before a second training tells."""
    if verdict is None or verdict.learned == "no":
        return None
    if verdict.learned == "fully":
        return "unlikely"
    last = last_round(workspace, attribute)
    return None if last is None else last.advice.outcome


def _is_proven(workspace: Workspace, attribute: Attribute, threshold: AttributeThreshold | None) -> bool:
    """Return whether the validation sample certifies the target of the threshold in use, at that one or at another."""
    if threshold is None or not threshold.saved or threshold.evidence.certified:
        return threshold is not None and threshold.evidence.certified
    evidence, model = threshold.evidence, model_by_id(workspace, threshold.model_id)
    options = {"target": evidence.target, "confidence": evidence.confidence}
    return draw_tests.certified(workspace, attribute, model, **options) is not None


def _current_certification(
    workspace: Workspace, attribute: Attribute, target: float | None
) -> tuple[Certification | None, Certifying | None]:
    """Return the certification for ``target``, or the newest if None, and how far it is.

    One for another target says nothing of a threshold that was chosen for this one, but its batch has to be labelled.
    """
    newest = certification_store.current(workspace, attribute)
    certifying = None if newest is None else _certifying(workspace, newest)
    if target is None or certifying is None or certifying.batch.left:
        return newest, certifying
    same = certification_store.current(workspace, attribute, target=target)
    return same, None if same is None else _certifying(workspace, same)


def _certifying(workspace: Workspace, started: Certification) -> Certifying:
    """Return how far a certification is; its cuts are not placed here, which would store them."""
    if started.cuts:
        return _tested(workspace, certification.state(workspace, started))
    batch = tasks.state(workspace, started.batch)
    progress = _progress(workspace, started.batch, batch)
    return Certifying(progress, None, 0, None, batch.answered, started.planned, placed=False)


def _tested(workspace: Workspace, state: CertificationState) -> Certifying:
    """Return how far a certification is whose cuts are placed."""
    tested = state.progress
    return Certifying(
        batch=_progress(workspace, state.certification.batch, state.batch),
        certified=state.certified,
        more=state.next_batch,
        needed=None if tested is None or tested.next_cut is None else tested.labels_needed,
        labels=state.batch.answered,
        planned=state.certification.planned,
        unconfirmed=state.task.left - state.batch.left,
    )


def _audited(workspace: Workspace, audit: AuditResult) -> Audited:
    verdict = audit.verdict
    return Audited(
        progress=_progress(workspace, audit.task, audit.state),
        complete=audit.complete,
        met=None if verdict is None else verdict.met,
        unsettled=audit.unsettled,
        precision=audit.precision_interval,
        labels=0 if audit.precision is None else audit.precision.n,
    )


def _auditable(workspace: Workspace, attribute: Attribute, threshold: float) -> int:
    """Return how many accepted images an audit could draw."""
    free = with_files(workspace, audits.unasked_rows(workspace, attribute))
    return int(is_accepted(scores_of(workspace, attribute)[free], threshold).sum())
