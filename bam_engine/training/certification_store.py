"""What is stored of the certifications of an attribute.

In:  an attribute. Out: its :class:`Certification` values, with the images that each has asked about and its cuts.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import certification_images
from bam_engine.training.models import TrainedModel, latest_model
from bam_engine.workspace.core import Workspace


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


def certifications(workspace: Workspace, attribute: Attribute) -> list[Certification]:
    """Return the certifications of ``attribute``, oldest first."""
    stored = workspace.snapshot.rows_with(db.certifications.c.attribute_id, attribute.id)
    return [read(workspace, attribute, each) for each in stored]


def read(workspace: Workspace, attribute: Attribute, stored: sa.Row[Any]) -> Certification:
    """Return a stored certification."""
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
        tasks.certification_task(workspace, attribute, stored.id, counted, title=_title(stored.since)),
        asked.rows[~asked.teaches],
        asked.rows[asked.teaches],
        asked.rows[asked.batches == 0],
        tuple(np.bincount(asked.batches).tolist()),
        stored.made_at,
        stored.since,
    )


def _title(since: int | None) -> str:
    """Return what people are told that they label: the images of a certification, or those that extend a promise."""
    return "Certification" if since is None else "Images that came later"


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


def add_images(
    connection: sa.Connection,
    certification_id: int,
    rows: NDArray[np.int64],
    batch: int,
    teaches: NDArray[np.bool_],
) -> None:
    """Store a batch of images that are asked about from now on, after those before it."""
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


def stored_cuts(connection: sa.Connection, certification_id: int) -> tuple[float, ...]:
    """Return the cuts of a certification, strictest first; empty until its pilot is labelled."""
    table = db.certification_cuts
    query = sa.select(table.c.value).where(table.c.certification_id == certification_id).order_by(table.c.position)
    return tuple(connection.scalars(query))
