"""The demo: a generated collection in a workspace of its own, with its ground truth.

``make_demo`` draws, adds and embeds the images in one run that can be stopped and resumed. Because the images are
generated, the true label of each is known.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import BAM_ATTRIBUTES, Attribute, Template
from bam_engine.annotation.answer_log import answer_log, moment
from bam_engine.audit import audits
from bam_engine.audit.audits import AuditResult
from bam_engine.collection import Demo, demo_of, ingest_folder, mark_demo
from bam_engine.errors import BamError, CollectionError, NotFound
from bam_engine.files import replacing
from bam_engine.formatting import count
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.progress import Report, silent
from bam_engine.training.charts import TruePoint
from bam_engine.training.delivered import delivered_at
from bam_engine.training.models import TrainedModel, latest_model, models, scores_of
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import members
from bam_engine.workspace.memory import Kind
from bam_engine.workspace.vectors import embed_collection

COUNT = 2000
SEED = 0
JUDGES = 2  # who have to agree where an image judges; wrong answers of one would count in full
GENERATED = (
    "Every image in this collection is generated: drawn by this program from seed {seed}. None of them is the work of "
    "a person, a photograph, or evidence of anything. Figures measured here show how the method does on generated "
    "images, not on real ones."
)
LICENCE = "Generated images may be used for any purpose. Say that they are generated wherever you show them."

_TRUTH = Kind[dict[str, NDArray[np.int8]]](
    "true labels of a demo", of="workspace", until="its table, images or details change", limit=1
)
_PARTS = {"drawing": (0, 55), "adding": (55, 62), "embedding": (62, 99)}  # of a run, in percent


@dataclass(frozen=True)
class TruePerformance:
    """True precision and recall of what a threshold delivers, nan where undefined, and the number of these images."""

    precision: float
    recall: float
    accepted: int


@dataclass(frozen=True)
class TrueRound:
    """One trained round: the labels used, and the true values of its estimates, None where there was none."""

    labels: int
    average_precision: float
    at_threshold: TruePerformance | None


@dataclass(frozen=True)
class Truth:
    """The ground truth of an attribute, known because the collection is generated.

    ``threshold`` is the performance of the current threshold over the whole collection, labels of people included.
    ``audited`` and ``missed`` are the true shares of positives among the accepted and rejected images that its newest
    audit was drawn from. Of the ``labels`` settled labels, ``wrong`` are wrong. ``rounds`` are in order.
    """

    attribute: str
    images: int
    positive: int
    threshold: TruePerformance | None
    audited: float | None
    missed: float | None
    labels: int
    wrong: int
    rounds: tuple[TrueRound, ...]

    @property
    def learning_points(self) -> tuple[TruePoint, ...]:
        """The true values for the learning curve."""
        return tuple(
            TruePoint(one.labels, one.average_precision)
            if one.at_threshold is None
            else TruePoint(one.labels, one.average_precision, one.at_threshold.precision, one.at_threshold.recall)
            for one in self.rounds
        )


@dataclass(frozen=True)
class DemoSummary:
    """The result of a run: images in the workspace, and attributes of the demo."""

    images: int
    attributes: int


def demo(workspace: Workspace) -> Demo | None:
    """Return the description of the demo, or None in a workspace of real images."""
    return demo_of(workspace.engine)


def unfinished(workspace: Workspace) -> Demo | None:
    """Return the description of a demo whose creation was stopped, or None."""
    current = demo(workspace)
    if current is None or (len(workspace.catalogue) >= current.count and len(workspace.vectors()) >= current.count):
        return None
    return current


def folder_of(workspace: Workspace) -> Path:
    """Return the folder of the generated images."""
    return workspace.folder / "demo"


def make_demo(
    workspace: Workspace,
    *,
    count: int = COUNT,
    seed: int = SEED,
    attributes: Sequence[str] | None = None,
    report: Report = silent,
) -> DemoSummary:
    """Draw a generated collection, add it, embed it, and define BAM's attributes: all twenty, or those named.

    Finished work is saved, and the next run resumes from there. A larger ``count`` adds images to an existing demo
    and leaves the others as they are. In a new one, one person teaches and two judge. Progress is reported in percent.

    Raises
    ------
    CollectionError
        The workspace holds real images or a demo with another seed, or ``count`` or ``seed`` is out of range.
    NotFound
        An attribute is not one of BAM's twenty.
    Stopped, DiskFull
        Finished work is saved.
    """
    from bam_engine.demo.art import write_collection  # the drawing libraries take a while

    if count < 1 or seed < 0:
        raise CollectionError(
            f"Cannot create a demo of {count:,} images with seed {seed}. Give at least 1 image and a seed from 0 up."
        )
    templates = _templates(attributes)
    folder = folder_of(workspace)
    is_new = demo(workspace) is None
    description = mark_demo(workspace.engine, count=count, seed=seed, folder=folder)
    if is_new and db.read_setting(workspace.engine, "judging_redundancy") is None:
        workspace.judging_redundancy = JUDGES
    _write_notice(folder, description)
    table = write_collection(folder, count=description.count, seed=seed, report=_part(report, "drawing"))
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder, metadata=table, report=_part(report, "adding"))
    embed_collection(workspace, report=_part(report, "embedding"))
    existing = {each.name for each in (*workspace.attributes.all(), *workspace.attributes.archived())}
    for template in templates:
        if template.name not in existing:
            workspace.attributes.add(template.name, template.kind, template.question, template.instructions)
    report(100, 100, "done")
    return DemoSummary(len(workspace.catalogue), len(templates))


def _templates(names: Sequence[str] | None) -> list[Template]:
    by_name = {template.name: template for template in BAM_ATTRIBUTES}
    unknown = [name for name in names or () if name not in by_name]
    if unknown:
        raise NotFound(f"The demo has no attribute {unknown[0]!r}. Choose among {', '.join(by_name)}.")
    return [by_name[name] for name in (by_name if names is None else names)]


def _part(report: Report, name: str) -> Report:
    """Return a report that converts the progress of one part to percent of the whole run."""
    start, end = _PARTS[name]

    def report_part(done: int, total: int | None, message: str = "") -> None:
        fraction = done / total if total else 0.0
        text = f"{name} {done:,} of {count(total, 'image')}" if total else message or name
        known = total is not None or start > 0  # how much there is to do: not while drawing is prepared
        report(start + int(fraction * (end - start)), 100 if known else None, text)

    return report_part


def _write_notice(folder: Path, description: Demo) -> None:
    try:
        with replacing(folder / "GENERATED.txt") as temporary:
            temporary.write_text(notice(description), encoding="utf-8")
    except OSError as error:
        raise BamError(
            f"Cannot write the demo to {folder}: {error.strerror or error}. Set BAM_WORKSPACE to a writable folder."
        ) from error


def notice(description: Demo) -> str:
    """Return the text that accompanies generated images: what they are, and their licence."""
    return f"{GENERATED.format(seed=description.seed)}\n\n{LICENCE}\n"


def true_labels(workspace: Workspace, name: str) -> NDArray[np.int8]:
    """Return the true label of each image (n,): 1, 0, or -1 where it is unknown.

    Raises
    ------
    NotFound
        The workspace is not a demo, or the attribute has no ground truth.
    """
    known = _label_columns(workspace)
    if name not in known:
        hint = f"Known: {', '.join(known)}." if known else "This workspace holds real images."
        raise NotFound(f"The ground truth of {name!r} is unknown. {hint}")
    return known[name]


def has_truth(workspace: Workspace, name: str) -> bool:
    """Return whether an attribute has ground truth: in a demo, one of BAM's twenty."""
    return name in _label_columns(workspace)


def _label_columns(workspace: Workspace) -> dict[str, NDArray[np.int8]]:
    """Return the true labels by attribute, cached until the table or the collection changes."""
    description = demo(workspace)
    table = folder_of(workspace) / "truth.csv"
    if description is None or not table.exists():
        return {}
    version = (table.stat().st_mtime_ns, len(workspace.catalogue), workspace.catalogue.details_version)
    return workspace.memory.get(_TRUTH, None, version, lambda: _read(workspace, table, description.folder))


def _read(workspace: Workspace, table: Path, folder: Path) -> dict[str, NDArray[np.int8]]:
    """Read the true labels of the images drawn to ``folder``; the workspace may have moved since."""
    names = [template.name for template in BAM_ATTRIBUTES]
    with table.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    rows = {uri: row for row, uri in enumerate(workspace.catalogue.uris())}
    if not any(str(folder / line["path"]) in rows for line in lines):
        return {}
    known = {name: np.full(len(workspace.catalogue), -1, np.int8) for name in names if name in lines[0]}
    for line in lines:
        row = rows.get(str(folder / line["path"]))
        if row is not None:
            for name, values in known.items():
                values[row] = int(line[name])
    return known


def ground_truth(workspace: Workspace, attribute: Attribute, *, with_rounds: bool = True) -> Truth | None:
    """Return the ground truth of ``attribute`` and its estimates; None where it is unknown.

    Leave out the rounds, which take longest, with ``with_rounds=False``.
    """
    if not has_truth(workspace, attribute.name):
        return None
    known = true_labels(workspace, attribute.name)
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
        threshold=None if threshold is None else true_performance(workspace, attribute, threshold.value),
        audited=audited,
        missed=missed,
        labels=int(settled.sum()),
        wrong=int((agreed.labels[settled] != known[agreed.rows[settled]]).sum()),
        rounds=tuple(_point(workspace, attribute, model) for model in trained),
    )


def true_performance(workspace: Workspace, attribute: Attribute, cut: float) -> TruePerformance | None:
    """Return the true precision and recall of what would be delivered at a threshold of the newest model, if known.

    These are the quantities that the app estimates: what people labelled positive is delivered too, and what they
    labelled negative is not.
    """
    if not has_truth(workspace, attribute.name) or latest_model(workspace, attribute) is None:
        return None
    known = true_labels(workspace, attribute.name)
    accepted = delivered_at(workspace, attribute, cut, n=len(known)).accepted
    collection = members(workspace, len(known)) & (known >= 0)
    return _performance(accepted[collection], known[collection] == 1)


def _performance(accepted: NDArray[np.bool_], positive: NDArray[np.bool_]) -> TruePerformance:
    right = int((accepted & positive).sum())
    return TruePerformance(
        _proportion(right, int(accepted.sum())), _proportion(right, int(positive.sum())), int(accepted.sum())
    )


def _proportion(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _scored(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Return the scores and true labels of the images that have both."""
    scores, known = scores_of(workspace, attribute, model), true_labels(workspace, attribute.name)
    n = min(len(scores), len(known))
    usable = np.isfinite(scores[:n]) & (known[:n] >= 0)
    return np.asarray(scores[:n][usable]), known[:n][usable]


def _last_of_rounds(workspace: Workspace, attribute: Attribute) -> list[TrainedModel]:
    newest = {model.round_id: model for model in models(workspace, attribute)}
    return [model for model in newest.values() if model.measurement is not None]


def _point(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> TrueRound:
    """Return the truth after a round; at the threshold, that of the newest is of what is delivered, as its estimate."""
    scores, known = _scored(workspace, attribute, model)
    threshold, at = None if model.measurement is None else model.measurement.threshold, None
    if threshold is not None and model == latest_model(workspace, attribute):
        at = true_performance(workspace, attribute, threshold.value)
    elif threshold is not None:
        at = _performance(learning.is_accepted(scores, threshold.value), known == 1)
    return TrueRound(labels=model.labels, average_precision=learning.average_precision(scores, known), at_threshold=at)


def _audited(workspace: Workspace, attribute: Attribute, audit: AuditResult) -> tuple[float, float]:
    """Return the true shares of positives among the accepted and rejected images that an audit was drawn from."""
    scores, known = scores_of(workspace, attribute), true_labels(workspace, attribute.name)
    log = answer_log(workspace.engine, attribute.id)
    answered = log.rows[log.times < moment(audit.made_at)]
    held_out = np.setdiff1d(held_out_rows(workspace, attribute), audit.task.rows)
    n = min(len(scores), len(known))
    free = np.isfinite(scores[:n]) & (known[:n] >= 0)
    out = np.concatenate([answered, held_out])
    free[out[out < n]] = False
    accepted = learning.is_accepted(scores[:n], audit.threshold)
    shares = [
        _proportion(int((known[:n][part] == 1).sum()), int(part.sum())) for part in (free & accepted, free & ~accepted)
    ]
    return shares[0], shares[1]
