"""The demo: a generated collection in a workspace of its own, and what is true of it.

In:  how many works and a seed. Out: a workspace that is ready to label, in one run that can be stopped and goes on;
the truth of each image, which nobody has of real ones. Wires ``demo``'s drawing to ``collection`` and ``embedding``.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import BAM_ATTRIBUTES, Attribute, Template
from bam_engine.audit import audits
from bam_engine.audit.audits import AuditResult
from bam_engine.collection import Demo, demo_of, ingest_folder, mark_demo
from bam_engine.errors import BamError, CollectionError, NotFound
from bam_engine.files import replacing
from bam_engine.labelling import tasks
from bam_engine.progress import Report, silent
from bam_engine.training.models import TrainedModel, latest_model, models, scores_of
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import embed_collection

COUNT = 2000
SEED = 0
GENERATED = (
    "Every image in this collection is generated: drawn by this program from seed {seed}. None of it is a work by a "
    "person, a photograph, or evidence of anything. What was measured here says how the method does on generated "
    "images, and nothing of real ones."
)
LICENCE = "Generated images may be used for anything. Say that they are generated wherever you show them."

_PARTS = {"drawing": (0, 74), "adding": (74, 84), "embedding": (84, 99)}  # of a run, in per cent


@dataclass(frozen=True)
class Shares:
    """True precision and recall of a cut, and how many images it accepts; a share is nan where it has no images."""

    precision: float
    recall: float
    accepted: int


@dataclass(frozen=True)
class TruePoint:
    """One trained round: labels used, and the truth of what was estimated then; None where nothing was."""

    labels: int
    average_precision: float
    at_threshold: Shares | None


@dataclass(frozen=True)
class Truth:
    """What is true of an attribute, known only because the collection is generated.

    ``threshold`` is of the cut in force over the whole collection. ``audited`` and ``missed`` are of the images that
    the newest audit of it was drawn from. Of ``labels`` settled labels, ``wrong`` are not true. ``rounds`` are first to
    last.
    """

    attribute: str
    images: int
    positive: int
    threshold: Shares | None
    audited: float | None
    missed: float | None
    labels: int
    wrong: int
    rounds: tuple[TruePoint, ...]


@dataclass(frozen=True)
class DemoMade:
    """What a run made: images in the workspace, and the attributes that it defined."""

    images: int
    attributes: int


def demo(workspace: Workspace) -> Demo | None:
    """Return the mark of a demo workspace, or None for one of real images."""
    return demo_of(workspace.engine)


def unfinished(workspace: Workspace) -> Demo | None:
    """Return the mark of a demo whose making was stopped, or None."""
    found = demo(workspace)
    if found is None or (len(workspace.catalogue) >= found.count and len(workspace.vectors()) >= found.count):
        return None
    return found


def folder_of(workspace: Workspace) -> Path:
    """Return where a workspace keeps its generated pictures."""
    return workspace.folder / "demo"


def make_demo(
    workspace: Workspace,
    *,
    count: int = COUNT,
    seed: int = SEED,
    attributes: Sequence[str] | None = None,
    report: Report = silent,
) -> DemoMade:
    """Draw a generated collection, add it, embed it, and define BAM's attributes: all twenty, or those named.

    Whatever ends the run, what was finished is kept and the next one goes on from there. Asked for more works than
    there are, it adds the rest; the first ones stay as they are. Progress is reported in per cent.

    Raises
    ------
    CollectionError
        The workspace holds real images or the demo of another seed, or the number is not positive.
    NotFound
        An attribute is none of BAM's twenty.
    Stopped, DiskFull
        What was finished is kept.
    """
    from bam_engine.demo.art import write_collection  # the drawing libraries take a while

    if count < 1 or seed < 0:
        raise CollectionError(
            f"a demo of {count:,} images with seed {seed} was asked for: give at least 1 image and a seed from 0 up."
        )
    templates = _templates(attributes)
    found = mark_demo(workspace.engine, count=count, seed=seed, folder=folder_of(workspace))
    folder = folder_of(workspace)
    _write_licence(folder, found)
    table = write_collection(folder, count=found.count, seed=seed, report=_part(report, "drawing"))
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder, metadata=table, report=_part(report, "adding"))
    embed_collection(workspace, report=_part(report, "embedding"))
    there = {attribute.name for attribute in workspace.attributes.all()}
    for template in templates:
        if template.name not in there:
            workspace.attributes.add(template.name, template.kind, template.question, template.instructions)
    report(100, 100, "done")
    return DemoMade(len(workspace.catalogue), len(templates))


def _templates(names: Sequence[str] | None) -> list[Template]:
    by_name = {template.name: template for template in BAM_ATTRIBUTES}
    unknown = [name for name in names or () if name not in by_name]
    if unknown:
        raise NotFound(f"{unknown[0]!r} is none of the attributes of the demo: they are {', '.join(by_name)}.")
    return [by_name[name] for name in (by_name if names is None else names)]


def _part(report: Report, name: str) -> Report:
    """Give a report that shows one part of the run as per cent of the whole, and its own numbers in words."""
    start, end = _PARTS[name]

    def told(done: int, total: int | None, message: str = "") -> None:
        share = done / total if total else 0.0
        words = f"{name} {done:,} of {total:,} images" if total else name
        report(start + int(share * (end - start)), 100, words)

    return told


def _write_licence(folder: Path, found: Demo) -> None:
    try:
        with replacing(folder / "GENERATED.txt") as temporary:
            temporary.write_text(notice(found), encoding="utf-8")
    except OSError as error:
        raise BamError(
            f"the demo cannot be written to {folder}: {error.strerror or error}. Name a workspace that can be written "
            "with BAM_WORKSPACE."
        ) from error


def notice(found: Demo) -> str:
    """Return what is written beside generated images wherever they go: what they are, and their licence."""
    return f"{GENERATED.format(seed=found.seed)}\n\n{LICENCE}\n"


def truth(workspace: Workspace, name: str) -> NDArray[np.int8]:
    """Return what is true of each image (n,): 1, 0, or -1 where it is not known.

    Raises
    ------
    NotFound
        The workspace is no demo, or the attribute is none whose truth is known.
    """
    known = _truths(workspace)
    if name not in known:
        there = ", ".join(known) or "none: this workspace holds real images, whose truth nobody knows"
        raise NotFound(f"the truth of {name!r} was asked for. Known is that of {there}.")
    return known[name]


def has_truth(workspace: Workspace, name: str) -> bool:
    """Return whether the truth of an attribute is known: in a demo, for BAM's twenty."""
    return name in _truths(workspace)


def _truths(workspace: Workspace) -> dict[str, NDArray[np.int8]]:
    """Return the truth of every attribute by name, read once for each state of the table and the collection."""
    found = demo(workspace)
    table = folder_of(workspace) / "truth.csv"
    if found is None or not table.exists():
        return {}
    version = (table.stat().st_mtime_ns, len(workspace.catalogue), workspace.catalogue.details_version)
    kept = workspace.memory_cache.get("demo-truth")
    if kept is None or kept[0] != version:
        kept = workspace.memory_cache["demo-truth"] = (version, _read(workspace, table, found.folder))
    known: dict[str, NDArray[np.int8]] = kept[1]
    return known


def _read(workspace: Workspace, table: Path, folder: Path) -> dict[str, NDArray[np.int8]]:
    """Return what ``table`` says of the images that were drawn to ``folder``, where the workspace may be no more."""
    names = [template.name for template in BAM_ATTRIBUTES]
    with table.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    rows = workspace.catalogue.rows_of([str(folder / line["path"]) for line in lines])
    if not rows:
        return {}
    known = {name: np.full(len(workspace.catalogue), -1, np.int8) for name in names if name in lines[0]}
    for line in lines:
        row = rows.get(str(folder / line["path"]))
        if row is not None:
            for name, values in known.items():
                values[row] = int(line[name])
    return known


def truth_of(workspace: Workspace, attribute: Attribute, *, with_rounds: bool = True) -> Truth | None:
    """Return what is true of ``attribute``, beside what was estimated; None where the truth is not known.

    Without ``with_rounds`` nothing is looked up of the rounds.
    """
    if not has_truth(workspace, attribute.name):
        return None
    known = truth(workspace, attribute.name)
    agreed = tasks.labels(workspace, attribute)
    settled = agreed.settled & (agreed.rows < len(known))
    settled[settled] = known[agreed.rows[settled]] >= 0
    threshold, audit = current_threshold(workspace, attribute), audits.latest_result(workspace, attribute)
    audited, missed = (None, None) if audit is None else _audited(workspace, attribute, audit)
    trained = _last_of_rounds(workspace, attribute) if with_rounds else []
    return Truth(
        attribute=attribute.name,
        images=len(known),
        positive=int((known == 1).sum()),
        threshold=None if threshold is None else true_shares(workspace, attribute, threshold.value),
        audited=audited,
        missed=missed,
        labels=int(settled.sum()),
        wrong=int((agreed.labels[settled] != known[agreed.rows[settled]]).sum()),
        rounds=tuple(_point(workspace, attribute, model) for model in trained),
    )


def true_shares(
    workspace: Workspace, attribute: Attribute, cut: float, model: TrainedModel | None = None
) -> Shares | None:
    """Return the true precision and recall of a cut by ``model``, or by the newest; None where nobody knows them."""
    if not has_truth(workspace, attribute.name) or latest_model(workspace, attribute) is None:
        return None
    scores, known = _scored(workspace, attribute, model)
    accepted, positive = scores >= cut, known == 1
    right = int((accepted & positive).sum())
    return Shares(_share(right, int(accepted.sum())), _share(right, int(positive.sum())), int(accepted.sum()))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _scored(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Return the scores of the images that have one and whose truth is known, and that truth."""
    scores, known = scores_of(workspace, attribute, model), truth(workspace, attribute.name)
    n = min(len(scores), len(known))
    usable = np.isfinite(scores[:n]) & (known[:n] >= 0)
    return np.asarray(scores[:n][usable]), known[:n][usable]


def _last_of_rounds(workspace: Workspace, attribute: Attribute) -> list[TrainedModel]:
    newest = {model.round_id: model for model in models(workspace, attribute)}
    return [model for model in newest.values() if "measured" in model.details]


def _point(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> TruePoint:
    scores, known = _scored(workspace, attribute, model)
    found = (model.details.get("measured") or {}).get("threshold")
    return TruePoint(
        labels=int(model.details["labels"]),
        average_precision=learning.average_precision(scores, known),
        at_threshold=None if found is None else true_shares(workspace, attribute, float(found["value"]), model),
    )


def _audited(workspace: Workspace, attribute: Attribute, audit: AuditResult) -> tuple[float, float]:
    """Return the true shares of positives among the accepted and the rejected images that an audit was drawn from."""
    scores, known = scores_of(workspace, attribute), truth(workspace, attribute.name)
    said = db.annotations.c
    before = sa.select(said.row).where(said.attribute_id == attribute.id, said.made_at < audit.made_at).distinct()
    with workspace.engine.connect() as connection:
        answered = np.array(connection.execute(before).scalars().all(), np.int64)
    asked = np.setdiff1d(tasks.held_out_rows(workspace, attribute), audit.task.rows)
    n = min(len(scores), len(known))
    free = np.isfinite(scores[:n]) & (known[:n] >= 0)
    out = np.concatenate([answered, asked])
    free[out[out < n]] = False
    accepted = scores[:n] >= audit.threshold
    shares = [
        _share(int((known[:n][part] == 1).sum()), int(part.sum())) for part in (free & accepted, free & ~accepted)
    ]
    return shares[0], shares[1]
