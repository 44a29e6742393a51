"""A dataset written as CSV files in UTF-8."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import numpy as np

from bam_engine.errors import ExchangeError
from bam_engine.exchange.dataset import AttributeRecord, Dataset, Source
from bam_engine.exchange.targets import NOTICE
from bam_engine.files import check_output, replacing
from bam_engine.progress import Report, silent
from bam_engine.spreadsheets import write_lines

_SOURCE = tuple(field.name for field in fields(Source))


def write_csv(dataset: Dataset, folder: Path, *, raw_text: bool = False, report: Report = silent) -> list[Path]:
    """Write ``images.csv``, ``annotations.csv`` and ``attributes.csv`` into ``folder``; return their paths.

    ``images.csv`` has one row per image, whose ``file`` is "ok", "missing" or "replaced", and, per attribute,
    ``NAME_score``, ``NAME_crowd`` (the consensus of people), ``NAME_label`` (positive for delivered images, else
    negative or unsure) and ``NAME_why`` (whether that label is by people or by the classifier); missing values are
    empty. ``annotations.csv`` has one row per answer; its ``kind`` is a vote, an adjudicator's decision, or set aside.
    ``attributes.csv`` has the questions, thresholds and evidence, and of which encoder and model they are. Where
    guidelines have example pictures, ``guideline_examples.csv`` lists them. No text starts a formula in a spreadsheet
    (:mod:`bam_engine.spreadsheets`), unless ``raw_text`` is asked for. Each file is written atomically. For generated
    images, ``images.csv`` has a column ``generated``, and ``GENERATED.txt`` describes them.

    Raises
    ------
    ExchangeError
        A file cannot be written, or ``folder`` is a file or called like one.
    """
    if folder.is_file() or folder.suffix.lower() == ".csv":
        what = "is a file" if folder.is_file() else "is called like a file"
        raise ExchangeError(f"Cannot write CSV files into {folder}: it {what}. Name a folder.")
    tables = {
        "images.csv": _image_lines(dataset),
        "annotations.csv": _annotation_lines(dataset),
        "attributes.csv": _attribute_lines(dataset),
    }
    if any(attribute.examples for attribute in dataset.attributes):
        tables["guideline_examples.csv"] = _example_lines(dataset)
    paths = []
    for done, (name, lines) in enumerate(tables.items()):
        report(done, len(tables), name)
        paths.append(_write(folder / name, lines, raw_text))
    if dataset.generated:
        paths.append(write_notice(dataset, folder))
    report(len(tables), len(tables), str(folder))
    return paths


def write_notice(dataset: Dataset, folder: Path) -> Path:
    """Write the notice on generated images to ``folder / "GENERATED.txt"`` and return its path.

    Raises
    ------
    ExchangeError
        The file cannot be written.
    """
    path = folder / NOTICE
    try:
        check_output(path)
        with replacing(path) as temporary:
            temporary.write_text(dataset.generated, encoding="utf-8")
    except OSError as error:
        raise ExchangeError(f"Cannot write {path}: {error.strerror or error}.") from error
    return path


def _write(path: Path, lines: Iterable[Sequence[Any]], raw_text: bool) -> Path:
    try:
        check_output(path)
        with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            write_lines(file, lines, raw_text=raw_text)
    except OSError as error:
        raise ExchangeError(f"Cannot write {path}: {error.strerror or error}.") from error
    return path


def _image_lines(dataset: Dataset) -> Iterable[Sequence[Any]]:
    head = ["id", "uri", "file", "title", "project", "width", "height", "mature_content", "license"]
    if dataset.generated:
        head.append("generated")
    yield head + [
        f"{attribute.name}_{column}"
        for attribute in dataset.attributes
        for column in ("score", "crowd", "label", "why")
    ]
    columns = [column for attribute in dataset.attributes for column in _columns(attribute, len(dataset.images))]
    for position, image in enumerate(dataset.images):
        yield [
            image.id,
            image.uri,
            image.file,
            image.title,
            image.project_id,
            image.width,
            image.height,
            image.mature_content,
            image.license,
            *([True] if dataset.generated else []),
            *(column[position] for column in columns),
        ]


def _columns(attribute: AttributeRecord, n: int) -> tuple[list[Any], ...]:
    nothing: list[Any] = [None] * n
    scores = nothing
    if attribute.scores is not None:
        scores = [None if np.isnan(score) else round(float(score), 6) for score in attribute.scores]
    crowd = [attribute.crowd.get(position) for position in range(n)]
    return scores, crowd, list(attribute.automatic) or nothing, list(attribute.why) or nothing


def _annotation_lines(dataset: Dataset) -> Iterable[Sequence[Any]]:
    yield "assignment", "attribute", "image_id", "uri", "annotator", "simulated", "answer", "last_modified", "kind"
    for attribute in dataset.attributes:
        for hit in attribute.hits:
            for choice in hit.choices:
                image = dataset.images[choice.image]
                answer = (hit.annotator, hit.simulated, choice.answer, hit.last_modified)
                kind = "set aside" if hit.set_aside else "decision" if hit.decides else "vote"
                yield hit.assignment_id, attribute.name, image.id, image.uri, *answer, kind


def _attribute_lines(dataset: Dataset) -> Iterable[Sequence[Any]]:
    yield "name", "kind", "question", "instructions", "positive_from", "negative_to", "evidence", *_SOURCE
    for attribute in dataset.attributes:
        decision = attribute.decision
        yield (
            attribute.name,
            attribute.kind,
            attribute.question,
            attribute.instructions,
            decision.positive_from,
            decision.negative_to,
            decision.evidence,
            *astuple(attribute.source),
        )


def _example_lines(dataset: Dataset) -> Iterable[Sequence[Any]]:
    yield "attribute", "image_id", "uri", "kind", "note"
    for attribute in dataset.attributes:
        for example in attribute.examples:
            image = dataset.images[example.image]
            yield attribute.name, image.id, image.uri, example.kind, example.note
