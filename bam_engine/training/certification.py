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

from dataclasses import replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.formatting import count, decimal, percent
from bam_engine.labelling import tasks
from bam_engine.labelling.absent_images import count_absent
from bam_engine.labelling.drawn_images import queried_rows
from bam_engine.labelling.missing_images import missing_images
from bam_engine.learning import CertificationPlan
from bam_engine.training import draw_tests
from bam_engine.training.certification_population import (
    counted_yes,
    is_scored,
    known_positives,
    known_rows,
    labelled_yes,
    labels_for,
    model_of,
    population_of,
)
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.certification_store import (
    Certification,
    add_images,
    certifications,
    current,
    read,
    stored_cuts,
)
from bam_engine.training.models import TrainedModel, latest_model, scores_of
from bam_engine.training.querying import used_rows
from bam_engine.training.validation import ValidationSet, random_sample
from bam_engine.workspace.core import Workspace, random_seed
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import members
from bam_engine.workspace.vectors import with_files

PLANNED = 300
"""The default number of labels to plan for."""


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
            f"{attribute.name} has only {count(len(free), 'unlabelled image')} with a file, too few for a "
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
        add_images(
            connection, db.insert_row(connection, db.certifications, values), shown, 0, np.zeros(len(shown), bool)
        )
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


@one_flow
def state(workspace: Workspace, certification: Certification) -> CertificationState:
    """Return the state of a certification; once its pilot is labelled, its cuts are fixed and stored."""
    agreed = tasks.labels_by(workspace, certification.attribute, workspace.judging_redundancy, blind=True)
    labels = labels_for(workspace, certification, agreed)
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
    yes = counted_yes(workspace, certification, tasks.labels(workspace, certification.attribute), agreed)
    unconfirmed = int(yes.sum()) - known
    return CertificationState(certification, task, batch, progress, int(in_rounds.sum()), absent, others, unconfirmed)


def _shares(workspace: Workspace) -> bool:
    """Return whether a certification asks about images of rounds: fewer people teach than judge."""
    return workspace.judging_redundancy > workspace.redundancy


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
        if not stored_cuts(connection, certification.id):
            lines = [
                {"certification_id": certification.id, "position": position, "value": float(cut)}
                for position, cut in enumerate(cuts)
            ]
            connection.execute(sa.insert(table), lines)
        return stored_cuts(connection, certification.id)


def _known_random_sample(workspace: Workspace, certification: Certification, model: TrainedModel) -> ValidationSet:
    """Return the random validation images known when the certification started: they help to place its cuts."""
    sample = random_sample(workspace, certification.attribute, model)
    return sample.subset(np.isin(sample.rows, certification.known) & ~np.isin(sample.rows, certification.pilot))


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
        add_images(connection, certification.id, batch, (last or 0) + 1, shared)
    (extended,) = workspace.snapshot.rows_with(db.certifications.c.id, certification.id)
    now = read(workspace, certification.attribute, extended)
    return state(workspace, replace(now, confidence=certification.confidence))
