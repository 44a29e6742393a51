"""The validation set: images drawn at random, spread over projects, that people label and no classifier trains on.

Wires the stores to the draws of :mod:`bam_engine.learning.sampling`. Certifications add to it (``evaluation_set``).

The first draw is a random sample of all images embedded at that time. A top-up is a sample of the images that no round,
certification or audit has queried by then. What is measured after a top-up therefore describes the images that no round
has queried (:func:`count_never_drawn` counts the others), and only approximately, since earlier draws could include any
image. What is *certified* by the test on these draws rests on the first one alone.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.formatting import count as counted
from bam_engine.labelling import bulk, tasks
from bam_engine.labelling.absent_images import absent_images
from bam_engine.labelling.drawn_images import (
    audit_images,
    certification_images,
    held_out_rows,
    recall_images,
    round_images,
    stored_recall_samples,
    validation_images,
    whole_validation_sample,
)
from bam_engine.labelling.missing_images import missing_images
from bam_engine.training.models import (
    TrainedModel,
    all_scores_of,
    check_scored,
    latest_model,
    newest_model,
    scores_of,
)
from bam_engine.training.querying import used_rows
from bam_engine.workspace.core import Workspace, random_seed
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.vectors import embedded_rows, with_files

SAMPLE_SIZE = 60
"""Images that show how common an attribute is and whether it learns; a certification asks for labels of its own."""

CERTIFYING_SIZE = 200
"""Images of which a first draw can certify a threshold by itself, where nobody certifies one."""


@dataclass(frozen=True)
class ValidationSet:
    """Labelled validation images with a score: rows, scores, labels (1 or 0) and project codes, each (n,).

    ``weights`` (n,) are inverse inclusion probabilities, None if all are equal. ``pool_scores`` are the scores of the
    collection: of all images that have one and, as far as is known, a file.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    labels: NDArray[np.int8]
    groups: NDArray[np.int64]
    pool_scores: NDArray[np.float32]
    weights: NDArray[np.float64] | None = None

    def subset(self, index: NDArray[Any]) -> "ValidationSet":
        """Return the images selected by a mask (n,) or by positions, which may repeat."""
        weights = None if self.weights is None else self.weights[index]
        return ValidationSet(
            self.rows[index], self.scores[index], self.labels[index], self.groups[index], self.pool_scores, weights
        )


def random_sample(workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None) -> ValidationSet:
    """Return the labelled images of the random draws, all equally likely, with the scores of ``model``."""
    task = tasks.validation_task(workspace, attribute)
    return labelled_sample(workspace, attribute, task.rows, model)


def labelled_sample(
    workspace: Workspace, attribute: Attribute, drawn: NDArray[np.int64], model: TrainedModel | None = None
) -> ValidationSet:
    """Return the rows that enough people have answered about and that have a score by ``model``, or by the newest.

    On what they do not agree is not positive (:func:`bam_engine.annotation.judged_labels`).

    Images whose labels were imported, or answered directly or in bulk, before they were drawn are left out as long as
    the model may have been trained on them.

    Raises
    ------
    LearningError
        The attribute has no model yet, or no image has a vector.
    """
    model = model or newest_model(workspace, attribute)
    check_scored(workspace, model)
    agreed = tasks.blind_labels(workspace, attribute)
    labels = tasks.judged_labels_of(agreed, drawn)
    scores = scores_of(workspace, attribute, model)
    usable = (labels >= 0) & (drawn < len(scores)) & ~np.isin(drawn, _trained_rows(workspace, attribute, model))
    usable[usable] &= np.isfinite(scores[drawn[usable]])
    rows = drawn[usable]
    groups = workspace.catalogue.projects()[rows]
    pool = with_files(workspace, np.flatnonzero(np.isfinite(scores)))
    return ValidationSet(rows, np.asarray(scores[rows]), labels[usable], groups, np.asarray(scores[pool]))


@dataclass(frozen=True)
class LostImages:
    """Images of complete draws that cannot be looked at any more: scores, labels, projects and draws, each (m,).

    A label is 1 positive, 0 answered but not positive, -1 not answered. On the ``negative`` ones people agreed on a no.
    """

    scores: NDArray[np.float32]
    labels: NDArray[np.int8]
    groups: NDArray[np.int64]
    draws: NDArray[np.int64]
    negative: NDArray[np.bool_]

    def against(self, label: int, *, draw: int | None = None) -> NDArray[np.bool_]:
        """Return a mask of the images that may have the ``label``: those with it, and those without any."""
        mask: NDArray[np.bool_] = (self.labels == label) | (self.labels < 0)
        return mask if draw is None else mask & (self.draws == draw)


def lost_images(workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None) -> LostImages:
    """Return the images of complete draws that were removed since, or lost their file before they were labelled."""
    sample = whole_validation_sample(workspace, attribute)
    absent = absent_images(workspace, attribute, sample.rows)
    model = model or newest_model(workspace, attribute)
    scores = all_scores_of(workspace, attribute, model)
    known = absent.rows < len(scores)
    known[known] = np.isfinite(scores[absent.rows[known]])
    rows = absent.rows[known]
    order = np.argsort(sample.rows)
    draws = sample.draws[order][np.searchsorted(sample.rows[order], rows)]
    whole = draws < _complete(workspace, attribute)
    rows = rows[whole]
    return LostImages(
        np.asarray(scores[rows]),
        absent.labels[known][whole],
        workspace.catalogue.projects()[rows],
        draws[whole],
        absent.negative[known][whole],
    )


def _trained_rows(workspace: Workspace, attribute: Attribute, model: TrainedModel | None) -> NDArray[np.int64]:
    """Return the validation images drawn after the training that may have taught the model.

    They are those of projects with imported labels or direct answers, and those whose bulk answer it used.
    """
    model = model or latest_model(workspace, attribute)
    sample = validation_images(workspace, attribute)
    if model is None or not (sample.made_at > model.made_at).any():
        return np.empty(0, np.int64)
    unqueried, projects = tasks.ever_unqueried_rows(workspace, attribute), workspace.catalogue.projects()
    drawn = sample.rows[sample.made_at > model.made_at]
    since = held_out_rows(workspace, attribute, since=model.made_at)
    in_bulk = bulk.taught_rows(workspace, attribute, until=model.made_at, drawn_since=since)
    return drawn[np.isin(projects[drawn], projects[unqueried]) | np.isin(drawn, in_bulk)]


def draw_validation(
    workspace: Workspace, attribute: Attribute, count: int = SAMPLE_SIZE, *, seed: int | None = None
) -> int:
    """Draw ``count`` validation images at random, with known probability; return how many were drawn.

    A few are enough to begin with, and more can be drawn when a question needs them: how common the attribute is,
    whether it learns, what the recall is.

    Images that a round, an audit or a certification has queried are no longer a fair sample and are left out, as are
    images without an embedding or a readable file: whatever is measured is about images that can be looked at. The seed
    is stored (:func:`draw_facts`).

    Raises
    ------
    LearningError
        No image is left to draw, or some have been queried or drawn concurrently.
    """
    unused = np.setdiff1d(embedded_rows(workspace), used_rows(workspace, attribute), assume_unique=True)
    usable = drawable_rows(workspace, attribute)
    if len(usable) == 0:
        raise LearningError(
            "No images are left to draw: all embedded images are in the validation set or have been queried. Add "
            "images first."
        )
    used_seed = random_seed(seed)
    rng = np.random.default_rng(used_seed)
    groups = workspace.catalogue.projects()
    sample = learning.draw_validation(usable, min(count, len(usable)), groups=groups, rng=rng)
    unreadable = missing_images(workspace, sample.rows)
    if len(unreadable) == len(sample.rows):
        raise LearningError(
            f"None of {counted(len(unreadable), 'drawn image')} has a readable file. Add their folder again, so that "
            "it is known which files are there, then draw."
        )
    table = db.validation_images
    with exclusive(workspace.engine, db.rounds) as connection:
        if np.isin(used_rows(workspace, attribute), sample.rows).any():
            raise LearningError("Some of the drawn images have been queried in the meantime. Draw again.")
        last = connection.scalar(sa.select(sa.func.max(table.c.draw)).where(table.c.attribute_id == attribute.id))
        number, made_at = 0 if last is None else last + 1, db.now()
        lines = [
            {
                "attribute_id": attribute.id,
                "row": int(row),
                "probability": float(probability),
                "draw": number,
                "made_at": made_at,
            }
            for row, probability in zip(sample.rows, sample.probabilities, strict=True)
            if row not in unreadable  # the others are as likely as before
        ]
        draw = {
            "attribute_id": attribute.id,
            "number": number,
            "seed": used_seed,
            "left_out": len(unused) - len(usable) + len(unreadable),
            "made_at": made_at,
        }
        connection.execute(sa.insert(db.validation_draws).values(draw))
        return db.insert_new(connection, table, lines)


def drawable_rows(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the rows that a further draw could hold: with a vector and a file, and not asked about before."""
    unused = np.setdiff1d(embedded_rows(workspace), used_rows(workspace, attribute), assume_unique=True)
    return with_files(workspace, unused)


def draw_facts(workspace: Workspace, attribute: Attribute, number: int) -> tuple[int | None, int | None]:
    """Return the seed of a draw, by its number from 0, and how many images it left out since they had no readable file.

    None for draws of early versions, which did not store it.
    """
    draws = workspace.snapshot.rows_with(db.validation_draws.c.attribute_id, attribute.id)
    return next(((draw.seed, draw.left_out) for draw in draws if draw.number == number), (None, None))


def complete_draws(workspace: Workspace, attribute: Attribute, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the draw that each row came with; -1 if that draw, or one before it, is not fully labelled.

    Guarantees are tested on whole draws only: testing while labels come in means testing again and again.
    """
    sample, complete = validation_images(workspace, attribute), _complete(workspace, attribute)
    numbers = np.full(len(rows), -1, np.int64)
    for number in range(complete):
        numbers[np.isin(rows, sample.rows[sample.draws == number])] = number
    return numbers


def _complete(workspace: Workspace, attribute: Attribute) -> int:
    """Return how many draws, from the first on, are fully labelled: the number of the first one that is not."""
    sample = validation_images(workspace, attribute)
    whole = tasks.validation_task(workspace, attribute)
    numbers = np.unique(sample.draws).tolist()
    for number in numbers:
        members = replace(whole, rows=sample.rows[sample.draws == number])
        if not tasks.state(workspace, members).complete:
            return int(number)
    return int(numbers[-1]) + 1 if numbers else 0


def count_never_drawn(workspace: Workspace, attribute: Attribute) -> int:
    """Return how many images the newest draw could not include, since a round had queried them; 0 for a single draw."""
    since = _last_draw(workspace, attribute)
    rounds = workspace.snapshot.rows_with(db.rounds.c.attribute_id, attribute.id)
    earlier = [round_images(workspace, each.id) for each in rounds if each.made_at < since]
    return len(np.unique(np.concatenate(earlier))) if earlier else 0


def asked_before(workspace: Workspace, attribute: Attribute, since: str) -> NDArray[np.int64]:
    """Return the rows that people had been asked about before a time, without those of the validation sample."""
    rows = [np.empty(0, np.int64)]
    sources = ((db.rounds, round_images), (db.audits, lambda *of: audit_images(*of).rows))
    for table, images in sources:
        started = workspace.snapshot.rows_with(table.c.attribute_id, attribute.id)
        rows += [images(workspace, each.id) for each in started if each.made_at < since]
    for each in workspace.snapshot.rows_with(db.certifications.c.attribute_id, attribute.id):
        asked = certification_images(workspace, each.id)
        rows.append(asked.rows[asked.made_at < since])
    for each in stored_recall_samples(workspace, attribute):
        drawn = recall_images(workspace, each.id)
        rows.append(drawn.rows[drawn.made_at < since])
    return np.setdiff1d(np.concatenate(rows), validation_images(workspace, attribute).rows)


def _last_draw(workspace: Workspace, attribute: Attribute) -> str:
    """Return when the sample was last topped up; "" if it has been drawn at most once."""
    sample = validation_images(workspace, attribute)
    return min(sample.made_at[sample.draws == sample.draws.max()].tolist()) if sample.draws.any() else ""
