"""Measuring the recall of the threshold in use: a sample below it, its growth and its end.

In:  an attribute with a saved threshold. Out: a sample of the images below it, for people to label, and its state. What
it shows is computed in :mod:`bam_engine.training.recall_samples`, for every page and command alike.
"""

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.formatting import count as counted
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import queried_rows
from bam_engine.labelling.guideline_examples import example_rows
from bam_engine.labelling.missing_images import missing_images
from bam_engine.learning import is_accepted, is_rejected
from bam_engine.training.evidence import OUTSIDE
from bam_engine.training.models import model_by_id
from bam_engine.training.recall_evidence import BelowAndAbove
from bam_engine.training.recall_proposal import drawable, propose
from bam_engine.training.recall_samples import (
    RecallSample,
    answered_first,
    measured,
    population_of,
    recall_samples,
    samples_at,
)
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace, random_seed
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.vectors import with_files

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RecallState:
    """The state of a recall sample: its task, and what it shows, None before its first batch is labelled.

    ``more`` images could still be drawn. ``later`` ones came after the draw, and it says nothing of them.
    """

    sample: RecallSample
    task: tasks.TaskState
    shown: BelowAndAbove | None
    more: int
    later: int

    @property
    def waiting(self) -> int:
        """The number of images that await answers."""
        return self.task.total - self.task.answered

    @property
    def stopped(self) -> int:
        """The number of drawn images that are not asked about any more."""
        return len(self.sample.rows) - self.sample.asked

    @property
    def summary(self) -> str:
        """What is measured, on what, and what is left to label, in sentences."""
        words = [self._shown] if self.shown is not None else []
        if self.waiting > 0:
            verb = "is" if self.task.total == 1 else "are"
            words.append(f"{self.task.answered:,} of {counted(self.task.total, 'image')} below it {verb} labelled.")
        elif self.stopped:
            words.append(f"Stopped after {self.sample.asked:,} of {counted(len(self.sample.rows), 'image')}.")
        if self.later:
            them = "it" if self.later == 1 else "them"
            words.append(f"{counted(self.later, 'image')} came later, and it says nothing of {them}.")
        return " ".join(words)

    @property
    def _shown(self) -> str:
        if self.shown is None:
            return ""
        drawn = self.shown.drawn
        value, low, high = self.shown.missed(0.95)
        missed = f"{value:,.0f} ({low:,.0f}–{high:,.0f})" if low < high else f"{value:,.0f}"
        verb = "is" if drawn.positive == 1 else "are"
        words = (
            f"Measured on {counted(drawn.n, 'image')} drawn below the threshold on {self.sample.made_at[:10]}, of "
            f"{len(drawn.population):,} without a label then: {drawn.positive:,} {verb} positive, unsure counting as "
            f"not. Missed positives: {missed}."
        )
        if number := self.shown.elsewhere:
            await_, they = ("awaits", "it") if number == 1 else ("await", "they")
            words += f" {counted(number, 'further image')} below it {await_} labels: {they} may be positive or not."
        return words


@one_flow
def start(
    workspace: Workspace, attribute: Attribute, *, count: int | None = None, seed: int | None = None
) -> RecallState:
    """Draw a sample of the images below the threshold in use, to be labelled like an audit.

    Parameters
    ----------
    count : int, optional
        None: as many as :func:`propose` says. All are taken where there are fewer.
    seed : int, optional
        None: a random one. It is stored.

    Raises
    ------
    LearningError
        No threshold is saved, no image below it is without a label, none can be looked at, or its recall is being
        measured already.
    """
    below = drawable(workspace, attribute)
    wanted = propose(workspace, attribute, count).count
    used_seed = random_seed(seed)
    nothing = np.zeros(len(below.rows), bool)
    places = learning.draw_below(below.parts, nothing, wanted, rng=np.random.default_rng([used_seed, 0]))
    drawn = _readable(workspace, below.rows[places])
    could_be = np.zeros(below.images, bool)
    could_be[below.rows] = True
    known = np.flatnonzero(~could_be & ~is_accepted(below.scores, below.threshold.value))
    unreadable = int((is_rejected(below.scores, below.threshold.value) & (below.labels == OUTSIDE)).sum())
    values = {
        "attribute_id": attribute.id,
        "model_id": below.model.id,
        "value": below.threshold.value,
        "boundary": below.boundary,
        "seed": used_seed,
        "known": known.astype(np.int64).tobytes(),
        "images": below.images,
        "left_out": unreadable + len(places) - len(drawn),
        "asked": len(drawn),
        "made_at": db.now(),
    }
    with exclusive(workspace.engine, db.rounds) as connection:
        for before in samples_at(workspace, attribute, below.model, below.threshold.value):
            if _more(workspace, before) or before.asked < len(before.rows):
                raise LearningError(
                    f"The recall at this threshold of {attribute.name} is being measured already. Continue that sample."
                )
        _check_free(workspace, attribute, drawn)
        added = db.insert_row(connection, db.recall_samples, values)
        _store(connection, added, drawn, position=0, batch=0)
    return _current(workspace, attribute)


@one_flow
def measure(
    workspace: Workspace, attribute: Attribute, count: int | None = None, *, seed: int | None = None
) -> RecallState:
    """Go on measuring the recall at the threshold in use: start, or ask about ``count`` more images if it is given.

    A sample that cannot grow, since a round has asked about images of its population, is followed by another.

    Raises
    ------
    LearningError
        As :func:`start` and :func:`grow` say.
    """
    before = current(workspace, attribute)
    if before is None:
        return start(workspace, attribute, count=count, seed=seed)
    if count is None:
        return before
    if before.waiting <= 0 and not before.stopped and not before.more:
        return start(workspace, attribute, count=count, seed=seed)
    return grow(workspace, attribute, count)


def _readable(workspace: Workspace, rows: Rows) -> Rows:
    """Return those of the drawn images that can be looked at; each of them is as likely as before."""
    readable = np.setdiff1d(rows, missing_images(workspace, rows))
    if not len(readable):
        raise LearningError(
            f"None of {counted(len(rows), 'image')} that were drawn has a readable file. Add their folder again, so "
            "that it is known which files are there, then measure the recall."
        )
    return rows[np.isin(rows, readable)]


def _check_free(workspace: Workspace, attribute: Attribute, rows: Rows) -> None:
    taken = np.union1d(queried_rows(workspace, attribute), example_rows(workspace, attribute))
    if np.isin(rows, taken).any():
        raise LearningError("Some of these images have been asked about or shown in the meantime. Ask for others.")


def _store(connection: sa.Connection, sample_id: int, rows: Rows, *, position: int, batch: int) -> None:
    of_all = {"recall_sample_id": sample_id, "batch": batch, "made_at": db.now()}
    lines = [{**of_all, "row": int(row), "position": position + place} for place, row in enumerate(rows)]
    connection.execute(sa.insert(db.recall_images), lines)


@one_flow
def current(workspace: Workspace, attribute: Attribute) -> RecallState | None:
    """Return the state of the newest sample that describes the threshold in use, or None if there is none."""
    sample = newest(workspace, attribute)
    return None if sample is None else state(workspace, sample)


@one_flow
def newest(workspace: Workspace, attribute: Attribute) -> RecallSample | None:
    """Return the newest sample that describes the threshold in use, or None if there is none."""
    threshold = current_threshold(workspace, attribute) if recall_samples(workspace, attribute) else None
    if threshold is None:
        return None
    model = model_by_id(workspace, threshold.model_id)
    samples = samples_at(workspace, attribute, model, threshold.value)
    return samples[-1] if samples else None


def _current(workspace: Workspace, attribute: Attribute) -> RecallState:
    found = current(workspace, attribute)
    if found is None:
        raise LearningError(
            f"The recall at the threshold of {attribute.name} in use is not measured. Draw a sample below it."
        )
    return found


@one_flow
def state(workspace: Workspace, sample: RecallSample) -> RecallState:
    """Return the state of a sample."""
    return RecallState(
        sample,
        tasks.state(workspace, sample.task),
        measured(workspace, sample),
        _more(workspace, sample),
        len(workspace.catalogue) - sample.images,
    )


@one_flow
def former(workspace: Workspace, attribute: Attribute) -> RecallSample | None:
    """Return the newest sample if it does not describe the threshold in use, but an earlier one; else None."""
    samples, found = recall_samples(workspace, attribute), newest(workspace, attribute)
    if not samples or (found is not None and found.id == samples[-1].id):
        return None
    return samples[-1]


@one_flow
def waiting_task(workspace: Workspace, attribute: Attribute) -> tasks.Task | None:
    """Return the task of the recall sample of the threshold in use while it awaits labels, or None."""
    sample = newest(workspace, attribute)
    if sample is None:
        return None
    progress = tasks.state(workspace, sample.task)
    return sample.task if progress.answered < progress.total else None


def _more(workspace: Workspace, sample: RecallSample) -> int:
    """Return how many images a sample can still draw: none once a round has asked about others of its population."""
    return len(_undrawn(workspace, sample))


def _undrawn(workspace: Workspace, sample: RecallSample) -> Rows:
    population = population_of(workspace, sample)[0]
    if np.isin(population, queried_rows(workspace, sample.attribute)).any():
        return population[:0]
    taken = np.union1d(sample.rows, example_rows(workspace, sample.attribute))
    return with_files(workspace, np.setdiff1d(population, taken))


@one_flow
def grow(workspace: Workspace, attribute: Attribute, count: int) -> RecallState:
    """Ask about ``count`` more images below the threshold in use, those first that were drawn and then left out.

    Raises
    ------
    LearningError
        Its recall is not measured, the images asked about are not labelled yet, ``count`` is below 1, or no image is
        left: a round that asks about images below the threshold ends the growth of a sample drawn before, of which it
        has taken likely positives.
    """
    if count < 1:
        raise LearningError(f"Cannot ask about {counted(count, 'more image')}. Give at least 1.")
    before = _current(workspace, attribute)
    if before.waiting > 0:
        raise LearningError(f"{counted(before.waiting, 'image')} below the threshold await labels. Label them first.")
    if not before.stopped and not before.more:
        raise LearningError(
            "No image is left that this sample could hold: all are labelled, or a round has asked about some of them "
            "since. Draw another sample."
        )
    sample = before.sample
    new = sample.rows[:0]
    if count > before.stopped and before.more:
        rows, parts = population_of(workspace, sample)
        could_be = np.isin(rows, np.union1d(_undrawn(workspace, sample), sample.rows))
        rng = np.random.default_rng([sample.seed, len(sample.rows)])
        drawn_before = np.isin(rows[could_be], sample.rows)
        places = learning.draw_below(parts[could_be], drawn_before, count - before.stopped, rng=rng)
        new = _readable(workspace, rows[could_be][places])
    table = db.recall_samples
    with exclusive(workspace.engine, db.rounds) as connection:
        _check_free(workspace, attribute, new)
        grown = connection.execute(
            sa.update(table)
            .where(table.c.id == sample.id, table.c.asked == sample.asked)
            .values(asked=min(sample.asked + count, len(sample.rows)) + len(new))
        )
        if grown.rowcount and len(new):
            _store(connection, sample.id, new, position=len(sample.rows), batch=int(sample.batches.max()) + 1)
    return _current(workspace, attribute)


@one_flow
def stop(workspace: Workspace, attribute: Attribute) -> RecallState:
    """Ask about no more images than are labelled so far, in the order of the draw; :func:`grow` goes on with the rest.

    Raises
    ------
    LearningError
        The recall at the threshold in use is not measured.
    """
    sample, table = _current(workspace, attribute).sample, db.recall_samples
    with exclusive(workspace.engine, table) as connection:
        asked = min(answered_first(workspace, sample), sample.asked)
        connection.execute(sa.update(table).where(table.c.id == sample.id).values(asked=asked))
    return _current(workspace, attribute)
