"""The current dataset, gathered from the stores and written by ``exchange``."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import exchange
from bam_engine.annotation import ADJUDICATION, BULK, DIRECT, PURPOSES, Attribute
from bam_engine.annotation.answer_log import answer_log
from bam_engine.demo import demo_workspace
from bam_engine.errors import ExchangeError, LearningError
from bam_engine.exchange import (
    AttributeRecord,
    Caption,
    Choice,
    Dataset,
    Decision,
    Hit,
    ImageRecord,
    ShownExample,
    Source,
)
from bam_engine.labelling import tasks
from bam_engine.labelling.guideline_examples import examples_of
from bam_engine.labelling.tasks import attribute_of
from bam_engine.progress import Report, silent
from bam_engine.reporting import results
from bam_engine.reporting.results import Result
from bam_engine.training.delivered import NOT_COVERED, WHO, automatic_labels, delivered_at, not_covered
from bam_engine.training.draw_tests import suggest_negative
from bam_engine.training.models import scores_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import member_rows, without_file

FORMATS = ("sqlite", "csv")
_LABELS = {1: "positive", 0: "negative"}
_DECIDING = (ADJUDICATION, DIRECT)  # purposes of answers that decide and are no votes


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
    report: Report = silent,
) -> list[Path]:
    """Write the dataset as ``sqlite`` (one file ``target``) or ``csv`` (files in the folder ``target``).

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
        raise ExchangeError(f"Unknown format {form!r}. Choose {' or '.join(FORMATS)}.")
    dataset = gather(workspace, encoders=encoders)
    if form == "csv":
        paths = exchange.write_csv(dataset, target, raw_text=raw_text, report=report)
    else:
        paths = [exchange.write_bam_sqlite(dataset, target, report=report)]
        paths += [exchange.write_notice(dataset, target.parent)] if dataset.generated else []
    db.log_export(workspace.engine, f"the dataset to {target}")
    return paths


def _attribute(
    workspace: Workspace, attribute: Attribute, rows: NDArray[np.int64], encoder: str | None
) -> AttributeRecord:
    result = results.chosen(workspace, attribute, encoder)
    scores = np.full(len(rows), np.nan, np.float32) if result is None else _scores(workspace, result, rows)
    decision = _decision(workspace, attribute, result)
    model = None if result is None else result.model
    reasons = delivered_at(workspace, attribute, decision.positive_from, model).reasons[rows]
    decided = bool(WHO[reasons].astype(bool).any())
    agreed = tasks.labels(workspace, attribute)
    places = np.searchsorted(rows, agreed.rows[agreed.settled])
    settled = zip(places, agreed.labels[agreed.settled], strict=True)
    return AttributeRecord(
        name=attribute.name,
        kind=attribute.kind,
        question=attribute.question,
        instructions=attribute.instructions,
        scores=None if result is None else scores,
        crowd={int(place): _LABELS[int(label)] for place, label in settled},
        hits=_hits(workspace, attribute, rows),
        decision=decision,
        automatic=automatic_labels(reasons, scores, decision.negative_to) if decided else [],
        why=_why(workspace, attribute, result, rows, reasons) if decided else [],
        source=_source(workspace, attribute, result),
        examples=[
            ShownExample(int(np.searchsorted(rows, each.row)), each.kind, each.note)
            for each in examples_of(workspace, attribute)
            if not each.removed
        ],
    )


def _why(
    workspace: Workspace,
    attribute: Attribute,
    result: Result | None,
    rows: NDArray[np.int64],
    reasons: NDArray[np.uint8],
) -> list[str | None]:
    """Return who decided about each image, and whether the evidence for the threshold is not about it."""
    words = WHO[reasons]
    if result is not None:
        words[not_covered(workspace, attribute, result.model)[rows]] = NOT_COVERED
    return list(words)


def _scores(workspace: Workspace, result: Result, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the scores of ``rows`` by a result's model, nan without a vector."""
    if not result.in_use and not len(workspace.vectors(result.key)):
        raise ExchangeError(
            f"The result of {result.attribute.name} with {result.encoder} has no scores, because the vectors of that "
            "encoder are no longer there. Embed the collection with it again: its models, thresholds and audits are "
            "kept. Or choose the result of another encoder."
        )
    current = scores_of(workspace, result.attribute, result.model)
    scores = np.full(len(rows), np.nan, np.float32)
    scored = rows < len(current)
    scores[scored] = current[rows[scored]]
    return scores


def _source(workspace: Workspace, attribute: Attribute, result: Result | None) -> Source:
    """Return of which encoder and model a result is, what stands behind it, and what other encoders have."""
    model = None if result is None else result.model
    other = [one for one in results.results_of(workspace, attribute) if model is None or one.model.id != model.id]
    others = [f"{one.source}: {one.words}" for one in other]
    if result is None or model is None:
        return Source(others=". ".join(others))
    choice = workspace.choice_of(result.key)
    spec = result.encoder if choice is None else choice.spec
    return Source(spec, result.key, model.digest, model.made_at, result.words, ". ".join(others))


def _decision(workspace: Workspace, attribute: Attribute, result: Result | None) -> Decision:
    threshold = None if result is None else result.threshold
    if result is None or threshold is None:
        return Decision(None, None, "No threshold has been chosen.")
    try:
        low = suggest_negative(workspace, attribute, result.model, target=threshold.evidence.target)
    except LearningError:
        low = None
    note = "" if threshold.saved else "Suggested, not saved by a person. "
    negative_to = None if low is None else min(low, float(np.nextafter(threshold.value, -np.inf)))
    evidence = f"{note}{threshold.summary} {without_file(workspace)}".rstrip()
    return Decision(threshold.value, negative_to, evidence)


_Gathered = tuple[list[Choice], list[float], list[str], str, bool, bool]


def _hits(workspace: Workspace, attribute: Attribute, rows: NDArray[np.int64]) -> list[Hit]:
    """Return the assignments with answers: each annotator's latest vote and latest decision on each image.

    Bulk answers are left out, since nobody looked at each of the images.
    """
    answers, assignments, who = db.annotations, db.assignments, db.annotators
    log = answer_log(workspace.engine, attribute.id)
    kinds = [set(PURPOSES) - {BULK, *_DECIDING}, *({purpose} for purpose in _DECIDING)]
    newest = [log.newest(np.flatnonzero(log.given_for(purposes))) for purposes in kinds]
    latest = frozenset(log.ids[np.concatenate(newest)].tolist())
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
        .where(answers.c.attribute_id == attribute.id, assignments.c.purpose != BULK)
        .order_by(assignments.c.made_at, assignments.c.id, answers.c.id)
    )
    hits: dict[str, _Gathered] = {}
    names = workspace.annotators.names()
    with workspace.engine.connect() as connection:
        for line in connection.execute(query):
            if line.answer_id not in latest:
                continue
            name = names[line.annotator_id]
            new: _Gathered = ([], [], [], name, bool(line.simulated), bool(line.decides))
            choices, seconds, times, *_ = hits.setdefault(line.id, new)
            choices.append(Choice(int(np.searchsorted(rows, line.row)), line.answer))
            seconds.append(line.seconds or 0.0)
            times.append(line.made_at)
    return [
        Hit(key, name, simulated, round(sum(seconds), 3), max(times), choices, decides)
        for key, (choices, seconds, times, name, simulated, decides) in hits.items()
    ]


def _captions(workspace: Workspace, rows: NDArray[np.int64]) -> list[Caption]:
    captions, names = db.captions, workspace.annotators.names()
    query = sa.select(captions.c.row, captions.c.annotator_id, captions.c.caption).order_by(captions.c.id)
    places = {row: place for place, row in enumerate(rows.tolist())}
    with workspace.engine.connect() as connection:
        return [
            Caption(places[line.row], names[line.annotator_id], line.caption)
            for line in connection.execute(query)
            if line.row in places
        ]
