"""Certifying a precision: a pilot shows where it falls, then batches are labelled where the outcome is undecided.

Wires tasks and labels to :mod:`bam_engine.learning.certification`. There is one certification for a model and a target;
a second attempt with fresh random numbers would add its risk. Its population, random order and cuts are stored before
the labels that count, so that the guarantee can be checked later. The guarantee covers that population: the images that
could be looked at, and that nobody had labelled or been asked about, when it started.

What is promised is the precision of what is delivered (docs/decisions/0037-the-promise-counts-labelled-positives.md):
images labelled yes are delivered with every cut, so a cut may hold as many faults as these outweigh. Counted are those
labelled yes when the certification started, and its pilot: a set of images that is fixed before any label that the test
reads. Positives that the test itself finds are not among them. How many of the set are positive is read from the
answers of now, so an answer that is taken back, or an image that is removed, makes the test stricter. A yes of fewer
people than judge does not count before others have confirmed it, whom the certification asks.

What cannot be looked at any more never helps a cut to pass. An image without a file counts as not positive until it is
found. A removed image leaves the population, but stays as not positive if somebody was asked about it and its label was
not positive: removing what the labels have shown to be wrong gains nothing. Imported labels judge nothing: those of
before the start are not counted, and people are asked about those of later as about any other image. Images that a
round asks about meanwhile are read with as many answers as judge: where fewer people teach, the certification asks
others about those it needs.

Cuts and order do not depend on the confidence, so the same labels can be read at any confidence chosen without looking
at them; each reading errs with at most its own risk. When an attribute joins a joint guarantee, every certification
continues with its labels at a higher confidence, and may need some more.

All certifications of an attribute, for whatever model and target, share one risk
(:func:`bam_engine.learning.risk_share`): certifying again after each training breaks no more guarantees than once. What
they hold with together is one less the sum of the risks of their tests, which exceeds the shared one where an early
version has spent it all, or where they were started at different confidences.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import POSITIVE, TASK_PURPOSES, Attribute, Consensus, judged_labels
from bam_engine.errors import LearningError
from bam_engine.formatting import count, decimal, percent, percent_at_least
from bam_engine.labelling import tasks
from bam_engine.labelling.absent_images import count_absent, covered_rows
from bam_engine.labelling.drawn_images import certification_images, held_out_rows, queried_rows
from bam_engine.labelling.missing_images import missing_images
from bam_engine.learning import CertificationPlan, CertificationProgress
from bam_engine.training import draw_tests
from bam_engine.training.models import TrainedModel, all_scores_of, latest_model, model_by_id, scores_of
from bam_engine.training.querying import used_rows
from bam_engine.training.validation import ValidationSet, labelled_sample, random_sample
from bam_engine.workspace.core import Workspace, random_seed
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import members, removed
from bam_engine.workspace.vectors import with_files

PLANNED = 300
"""The default number of labels to plan for."""


@dataclass(frozen=True)
class Certification:
    """One attempt to certify a precision; ``cuts`` are empty until the pilot is labelled.

    ``confidence`` is the one at which it is read, initially the one that it was started with. Its test may spend
    ``risk_share`` of that risk, and leaves the rest to other certifications of the attribute. ``known`` are the
    rows outside its population, and so are rows from ``images`` on, which came later (None: there are none).
    ``left_out`` images were outside only because they had no readable file (None where nobody counted them).
    ``counted`` are the known rows of which the positive ones count in the promise: those that people had labelled yes
    when it started, and the pilot; none in early versions. ``queried`` are the images that it has drawn so far, the
    ``pilot`` among them; they judge alone. ``shared`` ones were asked about by a round before, and also teach. Its
    ``task`` asks about both, and to confirm those counted that fewer people than judge have labelled.
    ``batches`` are the sizes of its batches, the pilot first; ``made_at`` is when it was started. One that extends a
    promise (:mod:`bam_engine.training.extension`) is about images ``since`` that row alone, and has one cut and no
    pilot.
    """

    id: int
    attribute: Attribute
    model_id: int
    target: float
    confidence: float
    risk_share: float
    planned: int
    seed: int
    known: NDArray[np.int64]
    images: int | None
    left_out: int | None
    counted: NDArray[np.int64]
    cuts: tuple[float, ...]
    task: tasks.Task
    queried: NDArray[np.int64]
    shared: NDArray[np.int64]
    pilot: NDArray[np.int64]
    batches: tuple[int, ...]
    made_at: str
    since: int | None = None

    @property
    def batch(self) -> tasks.Task:
        """The images that it has asked about: its task without those to confirm, which it goes on without."""
        return replace(self.task, rows=np.concatenate([self.queried, self.shared]))

    @property
    def risk(self) -> float:
        """The risk that its own test errs."""
        return self.risk_share * (1 - self.confidence)

    @property
    def tested_at(self) -> float:
        """The confidence of its own test."""
        return 1 - self.risk


@dataclass(frozen=True)
class CertificationState:
    """The state of a certification: its progress is None until the pilot is labelled, and without scores.

    ``task`` is the progress of all that people are asked, and ``batch`` of the images that it has asked about, of which
    the next batch awaits the labels.
    ``in_rounds`` of the images that the next cut needs have meanwhile been queried by a round, and are left to it where
    as many people teach as judge. ``absent`` images of the population cannot be looked at any more and count as
    not positive. ``others`` are the risks of the other certifications of the attribute. ``unconfirmed`` images that
    fewer people than judge have labelled yes are delivered and do not count yet.
    """

    certification: Certification
    task: tasks.TaskState
    batch: tasks.TaskState
    progress: CertificationProgress | None
    in_rounds: int = 0
    absent: int = 0
    others: tuple[float, ...] = ()
    unconfirmed: int = 0

    @property
    def together(self) -> float:
        """The confidence with which all certifications of the attribute hold: the risks of their tests add up."""
        return max(0.0, 1 - self.certification.risk - sum(self.others))

    @property
    def certified(self) -> float | None:
        return None if self.progress is None else self.progress.certified

    @property
    def next_batch(self) -> int:
        """The number of images that :func:`extend` would query now; 0 while some are unlabelled, or at the end."""
        return 0 if self.progress is None or not self.batch.complete else len(self.progress.to_label)

    @property
    def may_pass(self) -> bool:
        """Whether its next cut may pass: labels are awaited, or a further batch is not unlikely to do."""
        progress = self.progress
        if progress is None or progress.next_cut is None:
            return progress is None
        if self.in_rounds or not self.batch.complete:
            return True
        return self.next_batch > 0 and progress.labels_needed is not None

    @property
    def summary(self) -> str:
        """What is certified so far, and what the next cut lacks."""
        target, confidence = percent(self.certification.target), percent_at_least(self.certification.confidence)
        progress = self.progress
        if progress is None and self.certification.cuts:
            return (
                "The encoder of its model has no vectors of these images, so nothing can be tested: embed them with it "
                "again. All labels are kept."
            )
        if progress is None:
            return "The pilot shows where the precision falls. Nothing is certified by it."
        if progress.certified is None:
            so_far = f"No threshold is certified for {target} precision yet."
        else:
            so_far = (
                f"Certified for {target} precision with {confidence} confidence: scores of "
                f"{decimal(progress.certified, 3)} or more. This covers {count(progress.accepted, 'accepted image')} "
                "not labelled or queried when the certification started"
            )
            known = progress.known_positives
            so_far += f", and with them {count(known, 'image')} labelled yes before." if known else "."
        if self.others or self.certification.risk_share < 1:
            so_far += f" It is tested at {percent_at_least(self.certification.tested_at)}."
        if self.others:
            so_far += (
                f" All {1 + len(self.others)} certifications of this attribute together hold with "
                f"{percent_at_least(self.together)} confidence."
            )
        if self.absent:
            verb = "counts" if self.absent == 1 else "count"
            so_far += f" {count(self.absent, 'image')} that cannot be looked at any more {verb} as not positive."
        if self.unconfirmed:
            verb, it = ("does", "it") if self.unconfirmed == 1 else ("do", "them")
            so_far += (
                f" {count(self.unconfirmed, 'image')} that fewer people than judge have labelled yes {verb} not count "
                f"before others have confirmed {it}."
            )
        waiting = f" {count(self.in_rounds, 'image')} of these await labels in a round." if self.in_rounds else ""
        return f"{so_far} {self._next}{waiting}".rstrip()

    @property
    def _next(self) -> str:
        progress = self.progress
        if progress is None or progress.next_cut is None:
            return "" if self.certification.since is not None else "All images may be accepted."
        cut = decimal(progress.next_cut, 3)
        labels = f"{progress.false_positives:,} of {count(progress.n, 'label')} there are not positive"
        if progress.labels_needed is None:
            return f"The next threshold, {cut}, is unlikely ever to pass: {labels}."
        more = f"about {count(progress.labels_needed, 'more label')} should suffice at this rate"
        return f"The next threshold, {cut}, is undecided: {labels}; {more}."


@one_flow
def start(
    workspace: Workspace,
    attribute: Attribute,
    *,
    target: float = 0.90,
    confidence: float = 0.95,
    planned: int = PLANNED,
    seed: int | None = None,
) -> CertificationState:
    """Start certifying ``target`` for the newest model, and query the pilot.

    Images that anyone has labelled or been asked about are not part of the population: their labels are known or soon
    will be, and may have influenced the scores or the cuts.

    Raises
    ------
    LearningError
        Nothing is trained yet, too few unlabelled images are left, a parameter is out of range, this model is already
        being certified for this target, or the validation sample certifies it.
    """
    _check(target, confidence, planned)
    model = latest_model(workspace, attribute)
    if model is None:
        raise LearningError(f"{attribute.name} has no model to certify. Label a first round, then train on it.")
    _check_not_certified(workspace, attribute, model, target, confidence)
    used_seed = random_seed(seed)
    scores = scores_of(workspace, attribute, model)
    known = known_rows(workspace, attribute)
    unlabelled = np.setdiff1d(np.flatnonzero(np.isfinite(scores)), known, assume_unique=True)
    free, n_images = with_files(workspace, unlabelled), len(workspace.catalogue)
    if len(free) <= learning.PILOT_SIZE:
        raise LearningError(
            f"Only {count(len(free), 'image')} of {attribute.name} are unlabelled and have a file, too few for a "
            "certification. Label them all instead."
        )
    ranked = free[np.argsort(-scores[free], kind="stable")]
    drawn = ranked[learning.pilot_ranks(len(ranked), rng=np.random.default_rng([used_seed, 0]))]
    pilot = np.setdiff1d(drawn, missing_images(workspace, drawn))
    outside = np.ones(n_images, bool)
    outside[np.setdiff1d(free, drawn, assume_unique=True)] = False
    values: dict[str, Any] = {
        "attribute_id": attribute.id,
        "model_id": model.id,
        "target": target,
        "confidence": confidence,
        "planned": planned,
        "seed": used_seed,
        "known": np.flatnonzero(outside).astype(np.int64).tobytes(),
        "images": n_images,
        "left_out": len(unlabelled) - len(free) + len(drawn) - len(pilot),
        "counted": np.union1d(labelled_yes(workspace, attribute), pilot).astype(np.int64).tobytes(),
        "made_at": db.now(),
    }
    shown = np.random.default_rng([used_seed, 1]).permutation(pilot)
    with exclusive(workspace.engine, db.rounds) as connection:
        if current(workspace, attribute, target=target) is not None:
            raise LearningError(
                f"{attribute.name} is already being certified for {percent(target)} precision. Continue that "
                "certification: a second attempt would add its risk to the first."
            )
        if np.isin(used_rows(workspace, attribute), pilot).any():
            raise LearningError(
                "Some of these images have been queried in the meantime. Start the certification again."
            )
        values["risk_share"] = learning.risk_share(len(certifications(workspace, attribute)))
        _query(connection, db.insert_row(connection, db.certifications, values), shown, 0, np.zeros(len(shown), bool))
    started = current(workspace, attribute)
    if started is None:
        raise LearningError("The certification was stored but cannot be read back.")
    return state(workspace, started)


def _check(target: float, confidence: float, planned: int) -> None:
    if target == 1:
        raise LearningError(
            "Cannot certify a precision of 1: no sample shows it. Label every image that is delivered, or certify "
            "less, such as 0.9."
        )
    for name, value, example in (("precision", target, 0.9), ("confidence", confidence, 0.95)):
        if not 0 < value < 1:
            raise LearningError(
                f"Cannot certify a {name} of {value:g}. Give a number between 0 and 1, such as {example}."
            )
    if planned < 1:
        raise LearningError(f"Cannot certify with {planned} labels. Plan for at least 1, such as {PLANNED}.")


def _check_not_certified(
    workspace: Workspace, attribute: Attribute, model: TrainedModel, target: float, confidence: float
) -> None:
    """Refuse where the first draw certifies the target: a certification would take its place, and test again."""
    if current(workspace, attribute, model, target=target) is not None:
        return  # refused in other words
    found = draw_tests.certified(workspace, attribute, model, target=target, confidence=confidence)
    if found is not None:
        raise LearningError(
            f"{attribute.name} is certified for {percent(target)} precision already, by its validation sample: scores "
            f"of {decimal(found.value, 3)} or more. Choose that threshold, or certify more than that."
        )


def known_rows(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the images that anyone has labelled or been asked about, ascending."""
    answered = np.union1d(workspace.annotations.answers(attribute.id).rows, tasks.unqueried_rows(workspace, attribute))
    return np.union1d(answered, used_rows(workspace, attribute)).astype(np.int64)


def labelled_yes(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the images labelled yes that a promise may count: those with imported labels alone judge nothing."""
    agreed = tasks.labels(workspace, attribute)
    rows: NDArray[np.int64] = agreed.rows[agreed.labels == POSITIVE]
    annotations = workspace.annotations
    looked_at = np.concatenate(
        [
            annotations.answers(attribute.id, purposes=TASK_PURPOSES).rows,
            annotations.decisions(attribute.id).rows,
            annotations.direct_answers(attribute.id).rows,
        ]
    )
    return rows[np.isin(rows, looked_at)]


def _query(
    connection: sa.Connection,
    certification_id: int,
    rows: NDArray[np.int64],
    batch: int,
    teaches: NDArray[np.bool_],
) -> None:
    table = db.certification_images
    placed = connection.scalar(
        sa.select(sa.func.count()).select_from(table).where(table.c.certification_id == certification_id)
    )
    common = {"certification_id": certification_id, "batch": batch, "made_at": db.now()}
    lines = [
        {**common, "row": row, "position": (placed or 0) + place, "teaches": also}
        for place, (row, also) in enumerate(zip(rows.tolist(), teaches.tolist(), strict=True))
    ]
    db.insert_new(connection, table, lines)


def certifications(workspace: Workspace, attribute: Attribute) -> list[Certification]:
    """Return the certifications of ``attribute``, oldest first."""
    stored = workspace.snapshot.rows_with(db.certifications.c.attribute_id, attribute.id)
    return [_certification(workspace, attribute, each) for each in stored]


def _certification(workspace: Workspace, attribute: Attribute, stored: sa.Row[Any]) -> Certification:
    asked, counted = certification_images(workspace, stored.id), np.frombuffer(stored.counted or b"", np.int64)
    cuts = workspace.snapshot.rows_with(db.certification_cuts.c.certification_id, stored.id)
    return Certification(
        stored.id,
        attribute,
        stored.model_id,
        stored.target,
        stored.confidence,
        1.0 if stored.risk_share is None else stored.risk_share,
        stored.planned,
        stored.seed,
        np.frombuffer(stored.known, np.int64),
        stored.images,
        stored.left_out,
        counted,
        tuple(cut.value for cut in cuts),
        tasks.certification_task(workspace, attribute, stored.id, counted),
        asked.rows[~asked.teaches],
        asked.rows[asked.teaches],
        asked.rows[asked.batches == 0],
        tuple(np.bincount(asked.batches).tolist()),
        stored.made_at,
        stored.since,
    )


def current(
    workspace: Workspace,
    attribute: Attribute,
    model: TrainedModel | None = None,
    *,
    target: float | None = None,
    confidence: float | None = None,
) -> Certification | None:
    """Return the newest certification of ``model``, or of the newest one, for ``target`` if given, or None.

    It is read at ``confidence``, or at the one that it was started with.
    """
    stored = certifications(workspace, attribute)
    model = model or (latest_model(workspace, attribute) if stored else None)
    matching = [
        each
        for each in stored
        if model is not None
        and each.since is None
        and each.model_id == model.id
        and (target is None or abs(each.target - target) < 1e-9)
    ]
    if not matching:
        return None
    return matching[-1] if confidence is None else replace(matching[-1], confidence=confidence)


@one_flow
def state(workspace: Workspace, certification: Certification) -> CertificationState:
    """Return the state of a certification; once its pilot is labelled, its cuts are fixed and stored."""
    agreed = tasks.labels_by(workspace, certification.attribute, workspace.judging_redundancy, blind=True)
    labels = _labels(workspace, certification, agreed)
    task, batch = tasks.state(workspace, certification.task), tasks.state(workspace, certification.batch)
    if not certification.cuts and (labels[certification.pilot] < 0).any():
        return CertificationState(certification, task, batch, None)
    if not is_scored(workspace, certification):
        return CertificationState(certification, task, batch, None)
    if not certification.cuts:
        certification = replace(certification, cuts=_fix_cuts(workspace, certification, labels))
    rows, scores = population_of(workspace, certification)
    absent = count_absent(workspace, rows[labels[rows] == 0], agreed)
    plan = CertificationPlan(certification.cuts, certification.target, certification.tested_at, certification.planned)
    order = np.random.default_rng([certification.seed, 2]).random(int(rows.max(initial=-1)) + 1)[rows]
    known = known_positives(workspace, certification)
    progress = learning.certify_precision(plan, scores, order, labels[rows], known_positives=known)
    needed = rows[progress.to_label]
    in_rounds = np.isin(needed, queried_rows(workspace, certification.attribute)) & (not _shares(workspace))
    inside = members(workspace)[rows]
    accepted = 0 if progress.certified is None else int((scores[inside] >= progress.certified).sum())
    progress = replace(progress, to_label=needed[~in_rounds], accepted=accepted)
    stored = certifications(workspace, certification.attribute)
    others = tuple(each.risk for each in stored if each.id != certification.id)
    yes = _counted_yes(workspace, certification, tasks.labels(workspace, certification.attribute), agreed)
    unconfirmed = int(yes.sum()) - known
    return CertificationState(certification, task, batch, progress, int(in_rounds.sum()), absent, others, unconfirmed)


def _shares(workspace: Workspace) -> bool:
    """Return whether a certification asks about images of rounds: fewer people teach than judge."""
    return workspace.judging_redundancy > workspace.redundancy


def _labels(workspace: Workspace, certification: Certification, agreed: Consensus) -> NDArray[np.int8]:
    """Return a label for each row of the collection: -1 unknown, 0 if people answered without agreeing on a yes.

    A label that was imported is none before people have been asked about the image.
    """
    attribute, labels = certification.attribute, np.full(len(workspace.catalogue), -1, np.int8)
    labels[agreed.rows] = judged_labels(agreed)
    queried = np.union1d(certification.queried, queried_rows(workspace, attribute)).astype(np.int64)
    asked = np.union1d(queried, held_out_rows(workspace, attribute)).astype(np.int64)
    labels[np.setdiff1d(tasks.imported_rows(workspace, attribute), asked, assume_unique=True)] = -1
    labels[missing_images(workspace, queried[labels[queried] < 0])] = 0
    labels[(labels < 0) & ~workspace.catalogue.present()] = 0
    labels[removed(workspace).rows] = 0
    return labels


def known_positives(workspace: Workspace, certification: Certification) -> int:
    """Return how many images outside its population the promise counts.

    They are delivered as labelled yes, and as many people as judge agree on that.
    """
    votes, attribute = workspace.judging_redundancy, certification.attribute
    yes, blind = (tasks.labels_by(workspace, attribute, votes, blind=each) for each in (False, True))
    delivered = tasks.labels_of(tasks.labels(workspace, attribute), certification.counted) == POSITIVE
    return int((delivered & _counted_yes(workspace, certification, yes, blind)).sum())


def _counted_yes(
    workspace: Workspace, certification: Certification, yes: Consensus, blind: Consensus
) -> NDArray[np.bool_]:
    """Return which of the counted images are labelled yes; of those that judge, a direct answer alone is no yes."""
    counted = certification.counted
    judging = np.isin(counted, held_out_rows(workspace, certification.attribute))
    agreed, blindly = (tasks.labels_of(each, counted) == POSITIVE for each in (yes, blind))
    counts: NDArray[np.bool_] = agreed & (~judging | blindly)
    return counts


def population_of(workspace: Workspace, certification: Certification) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows that a certification is about, and their scores."""
    scores = all_scores_of(workspace, certification.attribute, model_of(workspace, certification))
    scored = np.flatnonzero(np.isfinite(scores[: certification.images]))
    started_with = np.setdiff1d(scored, certification.known, assume_unique=True)
    rows = covered_rows(workspace, certification.attribute, started_with)
    return rows, np.asarray(scores[rows])


def _fix_cuts(workspace: Workspace, certification: Certification, labels: NDArray[np.int8]) -> tuple[float, ...]:
    model = model_of(workspace, certification)
    scores, sample = (
        scores_of(workspace, certification.attribute, model),
        _known_random_sample(workspace, certification, model),
    )
    cuts = learning.plan_cuts(
        population_of(workspace, certification)[1],
        np.concatenate([scores[certification.pilot], sample.scores]),
        np.concatenate([labels[certification.pilot], sample.labels]),
        target=certification.target,
        known_positives=known_positives(workspace, certification),
        rng=np.random.default_rng([certification.seed, 3]),
    )
    table = db.certification_cuts
    with exclusive(workspace.engine, table) as connection:
        if not _stored_cuts(connection, certification.id):
            lines = [
                {"certification_id": certification.id, "position": position, "value": float(cut)}
                for position, cut in enumerate(cuts)
            ]
            connection.execute(sa.insert(table), lines)
        return _stored_cuts(connection, certification.id)


def _stored_cuts(connection: sa.Connection, certification_id: int) -> tuple[float, ...]:
    """Return the cuts of a certification, strictest first; empty until its pilot is labelled."""
    table = db.certification_cuts
    query = sa.select(table.c.value).where(table.c.certification_id == certification_id).order_by(table.c.position)
    return tuple(connection.scalars(query))


def _known_random_sample(workspace: Workspace, certification: Certification, model: TrainedModel) -> ValidationSet:
    """Return the random validation images known when the certification started: they help to place its cuts."""
    sample = random_sample(workspace, certification.attribute, model)
    return sample.subset(np.isin(sample.rows, certification.known) & ~np.isin(sample.rows, certification.pilot))


def model_of(workspace: Workspace, certification: Certification) -> TrainedModel:
    """Return the model that a certification belongs to."""
    return model_by_id(workspace, certification.model_id)


def is_scored(workspace: Workspace, certification: Certification) -> bool:
    """Return whether its images have a score by its model: the vectors of its encoder are a cache that may be lost."""
    scores = all_scores_of(workspace, certification.attribute, model_of(workspace, certification))
    outside = np.zeros(certification.images or 0, bool)  # None: an early version, which lists no later images
    outside[certification.known[certification.known < len(outside)]] = True
    last = int(np.flatnonzero(~outside).max(initial=0))
    return len(scores) > max(last, int(certification.pilot.max(initial=0)))


def population_rows(workspace: Workspace, certification: Certification) -> NDArray[np.int64]:
    """Return the images that are covered, ascending."""
    return population_of(workspace, certification)[0]


def population_size(workspace: Workspace, certification: Certification) -> int:
    """Return how many images are covered: those that could be looked at when it started, and had no label."""
    return int(members(workspace)[population_of(workspace, certification)[0]].sum())


@one_flow
def extend(workspace: Workspace, certification: Certification) -> CertificationState:
    """Query the next batch if the last one is labelled, and return the new state.

    Concurrent calls query the same images, since the batch follows from the labels alone. Images that a round has
    queried are left to it, except where more people judge than teach: then it asks for these, and they go on to teach.

    Raises
    ------
    LearningError
        A round was started in the meantime with some of these images.
    """
    before = state(workspace, certification)
    asked = before.batch.total + before.batch.missing > 0  # nothing yet where a promise is extended
    if (asked and not before.batch.complete) or before.progress is None or len(before.progress.to_label) == 0:
        return before
    batch = np.random.default_rng([certification.seed, 4, len(certification.queried)]).permutation(
        before.progress.to_label
    )
    table = db.certification_images
    with exclusive(workspace.engine, db.rounds) as connection:
        shared = np.isin(batch, queried_rows(workspace, certification.attribute))
        if shared.any() and not _shares(workspace):  # other held-out images may serve here too
            raise LearningError(
                "A round has been started with some of these images in the meantime. Ask for more labels again."
            )
        last = connection.scalar(
            sa.select(sa.func.max(table.c.batch)).where(table.c.certification_id == certification.id)
        )
        _query(connection, certification.id, batch, (last or 0) + 1, shared)
    (extended,) = workspace.snapshot.rows_with(db.certifications.c.id, certification.id)
    now = _certification(workspace, certification.attribute, extended)
    return state(workspace, replace(now, confidence=certification.confidence))


def inclusion_probabilities(
    workspace: Workspace, certification: Certification, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the probability with which a certification queried each of ``rows``, had it not been labelled before.

    It is 0 for images that came after its start.
    """
    model = model_of(workspace, certification)
    scores, population = (
        scores_of(workspace, certification.attribute, model),
        population_of(workspace, certification)[1],
    )
    score = np.full(len(rows), np.nan)
    embedded = rows < len(scores[: certification.images])
    score[embedded] = scores[rows[embedded]]
    ordered = np.sort(np.concatenate([population, scores[certification.pilot]]))
    ranks = len(ordered) - np.searchsorted(ordered, np.nan_to_num(score), side="right")
    pilot = np.where(np.isnan(score), 0.0, learning.pilot_inclusion_probabilities(ranks, len(ordered)))
    later_rows = np.setdiff1d(certification.queried, certification.pilot)
    drawn = labelled_sample(workspace, certification.attribute, later_rows, model).scores
    later = learning.inclusion_probabilities(population, drawn, score, cuts=certification.cuts)
    return 1 - (1 - pilot) * (1 - later)
