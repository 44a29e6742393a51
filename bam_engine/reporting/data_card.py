"""The data card of an export: what it is, how it was labelled, what is promised of it, and what is not known.

Every figure comes from the function that the report and the pages ask for it.
"""

import functools
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bam_engine import __version__
from bam_engine import database as db
from bam_engine.annotation import readable
from bam_engine.demo import demo_workspace
from bam_engine.exchange.croissant import Description
from bam_engine.exchange.dataset import LABELS, SPLITS
from bam_engine.formatting import count, decimal, file_size, percent, percent_interval
from bam_engine.labelling.guideline_examples import examples_of
from bam_engine.reporting.decided import Decided
from bam_engine.reporting.image_contents import Content, Gathered
from bam_engine.reporting.readiness import problem_of
from bam_engine.reporting.report import agreement_lines, annotators_of, versions
from bam_engine.training.setting_aside import set_aside_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import without_file

_TEMPLATE = Path(__file__).with_name("data_card.md.jinja")
_LICENCES = 10  # the most frequent are named
UNKNOWN = "not stated"


@dataclass(frozen=True)
class AttributeCard:
    """What the card says of one attribute; texts are whole sentences, or "" where there is nothing to say.

    ``labels`` counts the labels of the export by word, ``precision`` and ``recall`` are those of the delivered set with
    their intervals.
    """

    name: str
    title: str
    question: str
    instructions: str
    examples: int
    labels: tuple[tuple[str, int], ...]
    delivered: str
    evidence: str
    precision: str
    recall: str
    audit: str
    audited: str
    people: int
    answers: int
    set_aside: int
    agreement: tuple[tuple[str, str], ...]
    encoder: str
    model: str
    trained: str
    problem: str


@dataclass(frozen=True)
class Card:
    """The facts of a data card, see ``data_card.md.jinja``."""

    name: str
    made_at: str
    workspace: str
    form: str
    images: int
    missing: int
    whole: bool
    projects: int
    generated: str
    splits: tuple[tuple[str, int], ...]
    seed: int
    licences: tuple[tuple[str, int], ...]
    mature: int
    mature_unknown: int
    without_file: str
    redundancy: int
    judging_redundancy: int
    attributes: tuple[AttributeCard, ...]
    versions: tuple[tuple[str, str], ...]
    schema: int


@one_flow
def card_of(
    workspace: Workspace, gathered: Gathered, content: Content, *, name: str, form: str, missing: int = 0
) -> Card:
    """Return the facts of the data card of an export called ``name``, of which ``missing`` images have no picture."""
    table, demo = gathered.table, demo_workspace.demo(workspace)
    licences, mature = _licences_and_mature(workspace, gathered)
    in_splits = [] if table.splits is None else np.bincount(table.splits, minlength=len(SPLITS)).tolist()
    return Card(
        name=name,
        made_at=db.now(),
        workspace=workspace.id,
        form=form,
        images=table.images,
        missing=missing,
        whole=not content.accepted,
        projects=len(np.unique(workspace.catalogue.projects()[gathered.rows])),
        generated="" if demo is None else demo_workspace.notice(demo),
        splits=tuple(zip(SPLITS, in_splits, strict=False)),
        seed=content.seed,
        licences=tuple(licences.most_common(_LICENCES)),
        mature=mature[True],
        mature_unknown=mature[None],
        without_file=without_file(workspace),
        redundancy=workspace.redundancy,
        judging_redundancy=workspace.judging_redundancy,
        attributes=tuple(
            _attribute(workspace, decided, columns.label)
            for decided, columns in zip(gathered.decided, table.attributes, strict=True)
        ),
        versions=versions(),
        schema=db.SCHEMA_VERSION,
    )


def _licences_and_mature(workspace: Workspace, gathered: Gathered) -> tuple[Counter[str], Counter[bool | None]]:
    """Count the licences of the exported images, and whether they are mature."""
    inside = np.zeros(len(workspace.catalogue), bool)
    inside[gathered.rows] = True
    licences: Counter[str] = Counter()
    mature: Counter[bool | None] = Counter()
    for of_images, marks in workspace.catalogue.fields(("license", "mature_content"), inside):
        licences.update(licence or UNKNOWN for licence in of_images)
        mature.update(marks)
    return licences, mature


def _attribute(workspace: Workspace, decided: Decided, labels: Any) -> AttributeCard:
    attribute, result, source = decided.attribute, decided.result, decided.source
    threshold = None if result is None else result.threshold
    audit = None if result is None else result.audit
    who = annotators_of(workspace, attribute)
    found = None if audit is None else audit.precision
    counts = replace(decided.delivered.counts, not_covered=int(decided.uncovered.sum()))
    return AttributeCard(
        name=attribute.name,
        title=readable(attribute.name),
        question=attribute.question,
        instructions=attribute.instructions,
        examples=len(examples_of(workspace, attribute)),
        labels=tuple((word, int((labels == code).sum())) for code, word in enumerate(LABELS)),
        delivered=counts.words,
        evidence=decided.decision.evidence,
        precision="" if threshold is None else percent_interval(*threshold.evidence.precision_interval),
        recall="" if threshold is None else percent_interval(*threshold.evidence.recall_interval),
        audit="" if audit is None or audit.verdict is None else f"{audit.verdict.summary} {audit.population}",
        audited="" if found is None else percent_interval(found.value, found.low, found.high),
        people=len(who),
        answers=sum(one.answers for one in who),
        set_aside=sum(set_aside_of(workspace, attribute).values()),
        agreement=agreement_lines(workspace, attribute),
        encoder="" if result is None else f"{result.source} ({source.encoder_key})",
        model=source.model,
        trained=source.trained,
        problem=problem_of(result, exhausted=counts.exhausted, uncovered=counts.not_covered),
    )


def card_text(card: Card, description: Description) -> str:
    """Return the card as Markdown."""
    return str(_template().render(card=card, description=description))


def describe(card: Card) -> Description:
    """Return what metadata say of the export as a whole."""
    questions = " ".join(each.question for each in card.attributes)
    images, date = count(card.images, "image"), card.made_at[:10]
    text = f"{images} with labels: {questions} Made with bam {__version__}; see README.md."
    cite = f"{card.name}, {images} labelled with bam {__version__}, {date}, workspace {card.workspace}."
    year, month, day = map(int, date.split("-"))  # a version has three numbers
    return Description(
        card.name, text, f"{year}.{month}.{day}", card.made_at, [licence for licence, _ in card.licences], cite
    )


@functools.cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters.update(count=count, percent=percent, decimal=decimal, size=file_size, number="{:,}".format)
    environment.filters["line"] = lambda text: " ".join(str(text).split())
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
