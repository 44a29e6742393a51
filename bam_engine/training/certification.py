"""Certifying a precision: a few labels to look where, then batches exactly where the decision is open.

Wires ``annotation`` to ``learning``'s certify_precision over fixed cuts. A certification belongs to one
model and one target, and
there is one for both: another try with fresh random numbers would add its risk. Its population, random order and cuts
are stored before the labels that count, so that the promise can be checked later. The promise is about that population:
the images that nobody had labelled or been asked about when it was started.

The confidence is no part of it. The cuts and the order do not depend on it, so the same labels can be read at any that
was chosen without looking at them: each reading breaks its promise with at most its own risk. So when an attribute is
added to "sure of all at once", every certification goes on with its labels, at more confidence, and may need some more.
"""

import json
from dataclasses import dataclass, replace

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute, Consensus
from bam_engine.errors import LearningError
from bam_engine.labelling import tasks
from bam_engine.labelling.missing_images import missing_images
from bam_engine.learning import CertificationPlan, CertificationProgress
from bam_engine.training.models import TrainedModel, latest_model, model_by_id, scores_of
from bam_engine.training.querying import queried_rows, used_rows
from bam_engine.training.validation import ValidationSet, labelled_sample, random_sample
from bam_engine.workspace.core import Workspace, random_seed
from bam_engine.workspace.exclusive import exclusive

PLANNED = 300  # labels, unless the user says otherwise


@dataclass(frozen=True)
class Certification:
    """One attempt to promise a precision; ``cuts`` are empty until the pilot is labelled.

    ``confidence`` is the one at which it is read, at first the one that it was started with. ``batches`` are how many
    images each batch asked, the pilot first; ``made_at`` is when it was started.
    """

    id: int
    attribute: Attribute
    model_id: int
    target: float
    confidence: float
    planned: int
    seed: int
    known: NDArray[np.int64]
    cuts: tuple[float, ...]
    task: tasks.Task
    pilot: NDArray[np.int64]
    batches: tuple[int, ...]
    made_at: str


@dataclass(frozen=True)
class CertificationState:
    """How far a certification is: its task, and the certify_precision over its cuts (None until the pilot is labelled).

    ``in_rounds`` of the images that the open cut needs were asked by a round meanwhile. They are not asked twice: their
    labels come from there.
    """

    certification: Certification
    task: tasks.TaskState
    progress: CertificationProgress | None
    in_rounds: int = 0

    @property
    def certified(self) -> float | None:
        return None if self.progress is None else self.progress.certified

    @property
    def next_batch(self) -> int:
        """How many images :func:`extend` would ask now; 0 while some wait for answers, or when nothing is left."""
        return 0 if self.progress is None or not self.task.complete else len(self.progress.to_label)

    @property
    def evidence(self) -> str:
        """Two sentences: what is certain by now, and what the open cut lacks."""
        wanted, sure = self.certification.target, self.certification.confidence
        if self.progress is None:
            return "The first images show where the precision falls; nothing is promised by them."
        found = self.progress
        if found.certified is None:
            so_far = f"No cut is certain to keep {wanted:g} yet."
        else:
            so_far = (
                f"Certain with {100 * sure:.3g} % confidence: scores of at least {found.certified:.3f} keep a "
                f"precision of {wanted:g}. They accept {found.accepted:,} of the images that nobody had labelled or "
                "been asked about when this certification started: the promise is about these."
            )
        waits = f" {self.in_rounds:,} of them wait for answers in a round." if self.in_rounds else ""
        return f"{so_far} {self._open}{waits}"

    @property
    def _open(self) -> str:
        found = self.progress
        if found is None or found.next_cut is None:
            return "Everything may be accepted."
        seen = f"{found.false_positives} of {found.n} labels there are not positive"
        if found.labels_needed is None:
            return f"The next cut, {found.next_cut:.3f}, is unlikely ever to pass: {seen}."
        more = f"about {found.labels_needed:,} more would do, if they go on like that"
        return f"The next cut, {found.next_cut:.3f}, is open: {seen}; {more}."


def start(
    workspace: Workspace,
    attribute: Attribute,
    *,
    target: float = 0.90,
    confidence: float = 0.95,
    planned: int = PLANNED,
    seed: int | None = None,
) -> CertificationState:
    """Start to certify ``target`` for the newest model, and ask the pilot.

    Images that anyone has labelled, or was asked about, are no part of the population: their labels are known or will
    be, and the scores or the cuts may have been chosen by them.

    Raises
    ------
    LearningError
        Nothing is trained yet, too few unlabelled images are left to promise anything about, the target, confidence or
        number of labels cannot be, or this model is being certified for this target already.
    """
    _check(target, confidence, planned)
    model = latest_model(workspace, attribute)
    if model is None:
        raise LearningError(f"{attribute.name} has no model to certify. Label a first round and train.")
    kept_seed = random_seed(seed)
    scores = scores_of(workspace, attribute, model)
    known = _known_rows(workspace, attribute)
    free = np.setdiff1d(np.flatnonzero(np.isfinite(scores)), known)
    if len(free) <= learning.PILOT_SIZE:
        raise LearningError(
            f"{len(free)} images of {attribute.name} are unlabelled: too few to certify anything about. Label them all."
        )
    ranked = free[np.argsort(-scores[free], kind="stable")]
    pilot = ranked[learning.pilot_ranks(len(ranked), rng=np.random.default_rng([kept_seed, 0]))]
    values = {
        "attribute_id": attribute.id,
        "model_id": model.id,
        "target": target,
        "confidence": confidence,
        "planned": planned,
        "seed": kept_seed,
        "known": np.union1d(known, pilot).astype(np.int64).tobytes(),
        "cuts": None,
        "made_at": db.now(),
    }
    shown = np.random.default_rng([kept_seed, 1]).permutation(pilot)
    with exclusive(workspace.engine, db.rounds) as connection:
        if current(workspace, attribute, target=target) is not None:
            raise LearningError(
                f"{attribute.name} is being certified for {target:g} already: go on with that one. A second try of the "
                "same promise would add its risk to the first."
            )
        if np.isin(used_rows(workspace, attribute), pilot).any():
            raise LearningError("some of these images were asked about meanwhile: start the certification again")
        inserted = connection.execute(sa.insert(db.certifications).values(values)).inserted_primary_key
        _ask(connection, inserted[0] if inserted else 0, shown, 0)
    found = current(workspace, attribute)
    if found is None:
        raise LearningError("the certification was stored but cannot be read back")
    return state(workspace, found)


def _check(target: float, confidence: float, planned: int) -> None:
    for name, share in (("precision", target), ("confidence", confidence)):
        if not 0 < share < 1:
            raise LearningError(
                f"a {name} of {share:g} cannot be certified: no sample shows it. Give a number between 0 and 1, "
                f"{0.90 if name == 'precision' else 0.95:.2f} say."
            )
    if planned < 1:
        raise LearningError(f"{planned} labels cannot certify anything: give at least 1, {PLANNED} say.")


def _known_rows(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    answered = workspace.annotations.answers(attribute.id).rows
    return np.union1d(answered, used_rows(workspace, attribute)).astype(np.int64)


def _ask(connection: sa.Connection, certification_id: int, rows: NDArray[np.int64], batch: int) -> None:
    table = db.certification_images
    count = connection.scalar(
        sa.select(sa.func.count()).select_from(table).where(table.c.certification_id == certification_id)
    )
    lines = [
        {"certification_id": certification_id, "row": int(row), "position": (count or 0) + place, "batch": batch}
        for place, row in enumerate(rows)
    ]
    db.insert_new(connection, table, lines)


def certifications(workspace: Workspace, attribute: Attribute) -> list[Certification]:
    """Return the certifications of ``attribute``, oldest first."""
    table, asked = db.certifications, db.certification_images
    query = sa.select(table).where(table.c.attribute_id == attribute.id).order_by(table.c.id)
    with workspace.engine.connect() as connection:
        lines = connection.execute(query).all()
        batches = {
            line.id: np.array(
                connection.execute(
                    sa.select(asked.c.row, asked.c.batch).where(asked.c.certification_id == line.id)
                ).all(),
                np.int64,
            ).reshape(-1, 2)
            for line in lines
        }
        return [
            Certification(
                line.id,
                attribute,
                line.model_id,
                line.target,
                line.confidence,
                line.planned,
                line.seed,
                np.frombuffer(line.known, np.int64),
                tuple(json.loads(line.cuts)) if line.cuts else (),
                tasks.certification_task(workspace, attribute, line.id),
                batches[line.id][batches[line.id][:, 1] == 0, 0],
                tuple(np.bincount(batches[line.id][:, 1]).tolist()),
                line.made_at,
            )
            for line in lines
        ]


def current(
    workspace: Workspace, attribute: Attribute, *, target: float | None = None, confidence: float | None = None
) -> Certification | None:
    """Return the newest certification of the newest model, for ``target`` where it is given, or None.

    It is read at ``confidence``, or at the one that it was started with.
    """
    model = latest_model(workspace, attribute)
    found = [
        one
        for one in certifications(workspace, attribute)
        if model is not None and one.model_id == model.id and (target is None or abs(one.target - target) < 1e-9)
    ]
    if not found:
        return None
    return found[-1] if confidence is None else replace(found[-1], confidence=confidence)


def state(workspace: Workspace, found: Certification) -> CertificationState:
    """Return how far ``found`` is; once the pilot is labelled its cuts are fixed and stored for good."""
    agreed = tasks.labels(workspace, found.attribute)
    labels = _labels(workspace, found, agreed)
    progress = tasks.state(workspace, found.task, agreed)
    if not found.cuts:
        if (labels[found.pilot] < 0).any():
            return CertificationState(found, progress, None)
        found = replace(found, cuts=_fix_cuts(workspace, found, labels))
    rows, scores = _population(workspace, found)
    plan = CertificationPlan(found.cuts, found.target, found.confidence, found.planned)
    order = np.random.default_rng([found.seed, 2]).random(int(rows[-1]) + 1)[rows]
    walked = learning.certify_precision(plan, scores, order, labels[rows])
    wanted = rows[walked.to_label]
    in_rounds = np.isin(wanted, queried_rows(workspace, found.attribute))
    return CertificationState(found, progress, replace(walked, to_label=wanted[~in_rounds]), int(in_rounds.sum()))


def _labels(workspace: Workspace, found: Certification, agreed: Consensus) -> NDArray[np.int8]:
    """Return a label for each row of the collection: -1 where it is not known, 0 where people could not say yes."""
    labels = np.full(len(workspace.catalogue), -1, np.int8)
    labels[agreed.rows[agreed.settled]] = agreed.labels[agreed.settled]
    looked = agreed.rows[(agreed.counts.sum(axis=1) >= workspace.redundancy) | agreed.decided]
    asked = np.union1d(found.task.rows, queried_rows(workspace, found.attribute)).astype(np.int64)
    unsettled = asked[(labels[asked] < 0) & np.isin(asked, looked)]
    labels[unsettled] = 0
    labels[missing_images(workspace, asked[labels[asked] < 0])] = 0
    return labels


def _population(workspace: Workspace, found: Certification) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    scores = scores_of(workspace, found.attribute, model_of(workspace, found))
    rows = np.setdiff1d(np.flatnonzero(np.isfinite(scores)), found.known)
    return rows, np.asarray(scores[rows])


def _fix_cuts(workspace: Workspace, found: Certification, labels: NDArray[np.int8]) -> tuple[float, ...]:
    model = model_of(workspace, found)
    scores, sample = scores_of(workspace, found.attribute, model), _random_part(workspace, found, model)
    cuts = learning.plan_cuts(
        _population(workspace, found)[1],
        np.concatenate([scores[found.pilot], sample.scores]),
        np.concatenate([labels[found.pilot], sample.labels]),
        target=found.target,
        rng=np.random.default_rng([found.seed, 3]),
    )
    table = db.certifications
    with exclusive(workspace.engine, table) as connection:
        change = sa.update(table).where(table.c.id == found.id, table.c.cuts.is_(None))
        connection.execute(change.values(cuts=json.dumps([float(cut) for cut in cuts])))
        stored = connection.scalar(sa.select(table.c.cuts).where(table.c.id == found.id))
    return tuple(json.loads(stored or "[]"))


def _random_part(workspace: Workspace, found: Certification, model: TrainedModel) -> ValidationSet:
    """Return the random validation images that were known when ``found`` was started: they help to place its cuts."""
    sample = random_sample(workspace, found.attribute, model)
    return sample.only(np.isin(sample.rows, found.known) & ~np.isin(sample.rows, found.pilot))


def model_of(workspace: Workspace, found: Certification) -> TrainedModel:
    """Return the model whose cut ``found`` certifies."""
    return model_by_id(workspace, found.model_id)


def population_size(workspace: Workspace, found: Certification) -> int:
    """Return how many images the promise is about: those that nobody had labelled or been asked about at its start."""
    return len(_population(workspace, found)[0])


def extend(workspace: Workspace, found: Certification) -> CertificationState:
    """Ask the next batch, if the one before is labelled; return the state then.

    Two who do this at once ask the same images: the batch follows from the labels alone. Images that a round has asked
    about are left to it.

    Raises
    ------
    LearningError
        A round was started meanwhile with some of these images.
    """
    now = state(workspace, found)
    if not now.task.complete or now.progress is None or len(now.progress.to_label) == 0:
        return now
    batch = np.random.default_rng([found.seed, 4, len(found.task.rows)]).permutation(now.progress.to_label)
    table = db.certification_images
    with exclusive(workspace.engine, db.rounds) as connection:
        if np.isin(batch, queried_rows(workspace, found.attribute)).any():  # what judges elsewhere may judge here too
            raise LearningError("a round was started meanwhile with some of these images: ask for more once again")
        last = connection.scalar(sa.select(sa.func.max(table.c.batch)).where(table.c.certification_id == found.id))
        _ask(connection, found.id, batch, (last or 0) + 1)
    task = tasks.certification_task(workspace, found.attribute, found.id)
    return state(workspace, replace(found, task=task, cuts=now.certification.cuts))


def waiting_task(workspace: Workspace, attribute: Attribute) -> tasks.Task | None:
    """Return the task of the certification that waits for answers, or None."""
    found = current(workspace, attribute)
    return None if found is None or state(workspace, found).task.complete else found.task


def probabilities(workspace: Workspace, found: Certification, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how likely ``found`` was to ask about each of the rows, had it not been labelled before."""
    model = model_of(workspace, found)
    scores, population = scores_of(workspace, found.attribute, model), _population(workspace, found)[1]
    at = np.full(len(rows), np.nan)
    there = rows < len(scores)
    at[there] = scores[rows[there]]
    ordered = np.sort(np.concatenate([population, scores[found.pilot]]))
    ranks = len(ordered) - np.searchsorted(ordered, np.nan_to_num(at), side="right")
    pilot = np.where(np.isnan(at), 0.0, learning.pilot_inclusion_probabilities(ranks, len(ordered)))
    asked = np.setdiff1d(found.task.rows, found.pilot)
    drawn = labelled_sample(workspace, found.attribute, asked, model).scores
    later = learning.inclusion_probabilities(population, drawn, at, cuts=found.cuts)
    return 1 - (1 - pilot) * (1 - later)
