"""The current dataset, gathered from the stores and written by ``exchange``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import exchange
from bam_engine.annotation import ADJUDICATION, BULK, DIRECT, EXTRA, GOLD, PURPOSES, Attribute
from bam_engine.annotation.answer_log import answer_log
from bam_engine.demo import demo_workspace
from bam_engine.errors import ExchangeError
from bam_engine.exchange import (
    AttributeRecord,
    Caption,
    Choice,
    Dataset,
    Hit,
    ImageRecord,
    ShownExample,
)
from bam_engine.exchange.dataset import CROWD, LABELS, WHY
from bam_engine.labelling.guideline_examples import examples_of
from bam_engine.labelling.tasks import attribute_of
from bam_engine.progress import Report, silent
from bam_engine.reporting import image_export
from bam_engine.reporting.decided import decide
from bam_engine.reporting.image_contents import Content
from bam_engine.reporting.image_export import export_images
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import member_rows

TABLES = ("sqlite", "csv")
FORMATS = (*TABLES, *image_export.FORMATS)
_EVERYTHING = Content()
_DECIDING = (ADJUDICATION, DIRECT)  # purposes of answers that decide and are no votes


def form_of(target: Path) -> str:
    """Return the format of a target by the end of its name: ``parquet``, ``jsonl``, or else ``sqlite``.

    Examples
    --------
    >>> form_of(Path("dataset.parquet")), form_of(Path("dataset.db"))
    ('parquet', 'sqlite')
    """
    suffix = target.suffix.lower().removeprefix(".")
    return suffix if suffix in image_export.TABLE_FORMATS else "sqlite"


@one_flow
def gather(workspace: Workspace, *, encoders: Mapping[str, str] = MappingProxyType({})) -> Dataset:
    """Return the dataset in memory; see :func:`export` for ``encoders``.

    Raises
    ------
    ExchangeError
        There are no images, or an attribute has no result of the encoder that is given for it.
    NotFound
        There is no attribute of a given name.
    """
    rows = member_rows(workspace)
    if not len(rows):
        raise ExchangeError("There are no images to export. Add a folder of images first.")
    images = [
        ImageRecord(
            image.id,
            image.uri,
            image.title,
            image.project_id,
            image.width,
            image.height,
            image.mature_content,
            image.license,
            image.status,
        )
        for image in workspace.catalogue.images(rows)
    ]
    wanted = {attribute_of(workspace, name).id: encoder for name, encoder in encoders.items()}
    attributes = [
        _attribute(workspace, attribute, rows, wanted.get(attribute.id)) for attribute in workspace.attributes.all()
    ]
    demo = demo_workspace.demo(workspace)
    return Dataset(images, attributes, _captions(workspace, rows), "" if demo is None else demo_workspace.notice(demo))


def export(
    workspace: Workspace,
    target: Path,
    *,
    form: str,
    raw_text: bool = False,
    encoders: Mapping[str, str] = MappingProxyType({}),
    content: Content = _EVERYTHING,
    pictures: str = "copy",
    report: Report = silent,
) -> list[Path]:
    """Write the dataset to ``target`` and return the files.

    ``sqlite`` is one file and ``csv`` a folder of files; both hold everything, with every answer. The others hold the
    images with their labels, as much as ``content`` says, see :mod:`.image_export`: ``parquet`` and ``jsonl`` are one
    file, with a data card, metadata and a manifest beside it; ``imagefolder`` (Hugging Face), ``folders`` (one for each
    label), ``fiftyone`` and ``webdataset`` are a new folder with all of these and the pictures: a ``copy``, a ``link``
    or a ``hardlink`` of each, as ``pictures`` says.

    The scores and decisions of an attribute are those of the newest model of the encoder in use, or of the one that
    ``encoders`` names by its key, spec or name: {attribute: encoder}; an earlier model's are named as :mod:`.results`
    states. The files say of which encoder and model each attribute's are.

    With ``raw_text``, CSV files hold every text unchanged, also one that a spreadsheet takes for a formula.

    The dataset of a demo comes with ``GENERATED.txt``, which describes its images.

    Raises
    ------
    ExchangeError
        The form is unknown, there is nothing to write, ``target`` cannot be written, or an attribute has no result of
        the encoder that is given for it.
    NotFound
        There is no attribute of a given name.
    """
    if form not in FORMATS:
        raise ExchangeError(f"Unknown format {form!r}. Choose {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    if form not in TABLES:
        paths = export_images(
            workspace, target, form=form, content=content, encoders=encoders, pictures=pictures, report=report
        )
    elif content != _EVERYTHING:
        raise ExchangeError(
            "SQLite and CSV hold the whole dataset, without splits. To choose attributes, accepted images or splits, "
            f"choose {', '.join(image_export.FORMATS[:-1])} or {image_export.FORMATS[-1]}."
        )
    else:
        paths = _write_tables(gather(workspace, encoders=encoders), target, form, raw_text, report)
    db.log_export(workspace.engine, f"the dataset to {target}")
    return paths


def _write_tables(dataset: Dataset, target: Path, form: str, raw_text: bool, report: Report) -> list[Path]:
    """Write the whole dataset as SQLite or CSV; return the files."""
    if form == "csv":
        return exchange.write_csv(dataset, target, raw_text=raw_text, report=report)
    paths = [exchange.write_bam_sqlite(dataset, target, report=report)]
    return [*paths, exchange.write_notice(dataset, target.parent)] if dataset.generated else paths


def _attribute(
    workspace: Workspace, attribute: Attribute, rows: NDArray[np.int64], encoder: str | None
) -> AttributeRecord:
    decided = decide(workspace, attribute, rows, encoder)
    columns = decided.columns()
    settled = np.flatnonzero(columns.crowd >= 0)
    return AttributeRecord(
        name=attribute.name,
        kind=attribute.kind,
        question=attribute.question,
        instructions=attribute.instructions,
        scores=columns.scores,
        crowd={int(place): CROWD[columns.crowd[place]] for place in settled},
        hits=_hits(workspace, attribute, rows),
        decision=decided.decision,
        automatic=_words(columns.label, LABELS) if decided.any else [],
        why=_words(columns.why, WHY) if decided.any else [],
        source=decided.source,
        examples=[
            ShownExample(int(np.searchsorted(rows, each.row)), each.kind, each.note)
            for each in examples_of(workspace, attribute)
            if not each.removed
        ],
    )


def _words(codes: NDArray[np.int8], words: Sequence[str]) -> list[str | None]:
    return list(np.array([*words, None], object)[codes])


_Gathered = tuple[list[Choice], list[float], list[str], str, bool, bool]


def _hits(workspace: Workspace, attribute: Attribute, rows: NDArray[np.int64]) -> list[Hit]:
    """Return the assignments with answers: each annotator's latest vote and latest decision on each image.

    What is set aside of an assignment is one of its own. Bulk answers are left out, since nobody looked at each of the
    images, and so are answers to gold, which tell of people.
    """
    answers, assignments, who = db.annotations, db.assignments, db.annotators
    counted, every = (answer_log(workspace.engine, attribute.id, set_aside=each) for each in (False, True))
    kinds = [set(PURPOSES) - {BULK, EXTRA, GOLD, *_DECIDING}, *({purpose} for purpose in _DECIDING)]
    latest, apart = (
        frozenset(log.ids[np.concatenate([log.newest(np.flatnonzero(log.given_for(each))) for each in kinds])].tolist())
        for log in (counted, every)
    )
    apart -= frozenset(counted.ids.tolist())
    written = latest | apart
    query = (
        sa.select(
            assignments.c.id,
            assignments.c.annotator_id,
            who.c.simulated,
            answers.c.id.label("answer_id"),
            answers.c.row,
            answers.c.answer,
            answers.c.seconds,
            answers.c.made_at,
        )
        .add_columns(assignments.c.purpose.in_(_DECIDING).label("decides"))
        .select_from(answers)
        .join(assignments, assignments.c.id == answers.c.assignment_id)
        .join(who, who.c.id == answers.c.annotator_id)
        .where(answers.c.attribute_id == attribute.id, assignments.c.purpose.not_in((BULK, EXTRA, GOLD)))
        .order_by(assignments.c.made_at, assignments.c.id, answers.c.id)
    )
    hits: dict[tuple[str, bool], _Gathered] = {}
    names = workspace.annotators.names()
    with workspace.engine.connect() as connection:
        for line in connection.execute(query):
            if line.answer_id not in written:
                continue
            name = names[line.annotator_id]
            new: _Gathered = ([], [], [], name, bool(line.simulated), bool(line.decides))
            choices, seconds, times, *_ = hits.setdefault((line.id, line.answer_id in apart), new)
            choices.append(Choice(int(np.searchsorted(rows, line.row)), line.answer))
            seconds.append(line.seconds or 0.0)
            times.append(line.made_at)
    return [
        Hit(key, name, simulated, round(sum(seconds), 3), max(times), choices, decides, aside)
        for (key, aside), (choices, seconds, times, name, simulated, decides) in hits.items()
    ]


def _captions(workspace: Workspace, rows: NDArray[np.int64]) -> list[Caption]:
    captions, names = db.captions, workspace.annotators.names()
    query = sa.select(captions.c.row, captions.c.annotator_id, captions.c.caption).order_by(captions.c.id)
    query = query.where(captions.c.hidden_at.is_(None))
    places = {row: place for place, row in enumerate(rows.tolist())}
    with workspace.engine.connect() as connection:
        return [
            Caption(places[line.row], names[line.annotator_id], line.caption)
            for line in connection.execute(query)
            if line.row in places
        ]
