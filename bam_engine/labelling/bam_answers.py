"""What BAM's workers said, from BAM's published SQLite file or one of our own exports.

In:  the file. Out: stored answers and captions under the names of those who gave them, and counts of what was left out.
Pictures of the file are recognised by the URL or path in ``modules.src``. Importing a file twice changes nothing, so an
import that was interrupted is run again; so is one after more of its pictures were downloaded.
"""

import contextlib
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bam_engine.annotation import BAM_ATTRIBUTES, KINDS, NEGATIVE, POSITIVE, UNSURE, Attribute, check_name, readable
from bam_engine.collection.bam_file import check_table, has_table, opened
from bam_engine.collection.matching import match_paths
from bam_engine.collection.words import fold
from bam_engine.download.outcomes import Failure
from bam_engine.download.urls import parse_url
from bam_engine.errors import AnnotationError, ExchangeError, NotFound
from bam_engine.labelling.importing import StoredLabels, store_labels
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace

_CHOICES = ("assignment_id", "mid", "attribute", "label")
_HITS = ("assignment_id", "worker_id")
_WORKERS = ("worker_id", "simulated")
_CAPTIONS = ("assignment_id", "mid", "caption")
_ANSWERS: Mapping[Any, int] = {None: UNSURE, 1: POSITIVE, 0: NEGATIVE}
_TEMPLATES = {template.name: template for template in BAM_ATTRIBUTES}

_ANONYMOUS = "answer without a worker: its assignment is not in crowd_raw_hits"
_NO_ANSWER = "answer that is not 0, 1 or empty"
_NO_MODULE = "answer or caption about a picture that is not in modules, or is there twice"
_SIMULATED = "answer or caption of a simulated annotator"
_DECISION = "decision on a disputed image"
_UNKNOWN = "answer or caption about an image that is not in the collection"


@dataclass(frozen=True)
class ImportedAnswers:
    """What was stored of a file, and what was not.

    Attributes
    ----------
    answers
        The stored answers, summed over attributes and annotators; see :class:`StoredLabels`.
    attributes
        The names of the attributes that were added.
    captions, known_captions
        The captions that were stored, and those that were there already.
    without_image
        The pictures with an answer or a caption that are not in the collection.
    left_out
        Why answers and captions were not stored → how many.
    """

    answers: StoredLabels
    attributes: tuple[str, ...]
    captions: int
    known_captions: int
    without_image: int
    left_out: Mapping[str, int]


@dataclass
class _Crowd:
    """What a file says: by (attribute, worker) the answer to each picture, and (picture, worker, caption)."""

    answers: defaultdict[tuple[str, str], dict[Any, int]] = field(default_factory=lambda: defaultdict(dict))
    captions: list[tuple[Any, str, str]] = field(default_factory=list)
    sources: dict[Any, str] = field(default_factory=dict)
    questions: dict[str, tuple[str, str]] = field(default_factory=dict)
    simulated: set[str] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)


def import_bam(workspace: Workspace, file: Path, *, report: Report = silent) -> ImportedAnswers:
    """Store the answers and captions of a file under the names of its workers.

    ``crowd_raw_choices`` become votes (1 yes, 0 no, empty unsure); if a worker has answered about one picture twice,
    the later row counts. Attributes that are missing are added with the question of the file or, without one, of BAM's
    template, or a plain one. Answers train, and never judge: see :func:`store_labels`. The whole file is read before
    anything is stored.

    Raises
    ------
    CollectionError
        The file cannot be read, is damaged or locked, or lacks a table or a column. Nothing is stored.
    ExchangeError
        None of its pictures with an answer or a caption is in the collection. Nothing is stored.
    """
    crowd = _read(file)
    rows = _rows_of(workspace, crowd.sources, file.absolute().parent)
    if crowd.sources and not rows:
        raise ExchangeError(
            f"No image that {file.name} has answers about is in the collection. Download them first: `bam urls "
            f"download {file}`."
        )
    before = {attribute.name for attribute in workspace.attributes.all()}
    stored = _store_answers(workspace, crowd, rows, report)
    captions, known = _store_captions(workspace, crowd, rows)
    added = tuple(attribute.name for attribute in workspace.attributes.all() if attribute.name not in before)
    return ImportedAnswers(stored, added, captions, known, len(crowd.sources) - len(rows), +crowd.left_out)


# Reading the file -----------------------------------------------------------------------------------------------------


def _read(file: Path) -> _Crowd:
    crowd = _Crowd()
    with opened(file) as connection:
        for table, columns in (("modules", ("mid", "src")), ("crowd_raw_hits", _HITS), ("crowd_raw_choices", _CHOICES)):
            check_table(connection, file, table, columns)
        workers = {
            key: str(name).strip() for key, name in _all(connection, "crowd_raw_hits", _HITS) if name is not None
        }
        if has_table(connection, "workers"):
            check_table(connection, file, "workers", _WORKERS)
            crowd.simulated = {name for name, simulated in _all(connection, "workers", _WORKERS) if simulated}
        _read_choices(connection, workers, crowd)
        if has_table(connection, "crowd_raw_captions"):
            check_table(connection, file, "crowd_raw_captions", _CAPTIONS)
            for assignment, mid, caption in _all(connection, "crowd_raw_captions", _CAPTIONS):
                author = workers.get(assignment, str(assignment or ""))  # our exports name the annotator there
                if author in crowd.simulated:
                    crowd.left_out[_SIMULATED] += 1
                else:
                    crowd.captions.append((mid, author, str(caption or "")))
        if has_table(connection, "attributes"):
            asked = ("name", "question", "instructions")
            check_table(connection, file, "attributes", asked)
            crowd.questions = {
                name: (question or "", more or "") for name, question, more in _all(connection, "attributes", asked)
            }
        if has_table(connection, "adjudications"):
            crowd.left_out[_DECISION] += connection.execute("SELECT count(*) FROM adjudications").fetchone()[0]
        _read_sources(connection, crowd)
    return crowd


def _all(connection: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    return iter(connection.execute(f"SELECT {', '.join(columns)} FROM {table}"))


def _read_choices(connection: sqlite3.Connection, workers: Mapping[Any, str], crowd: _Crowd) -> None:
    for assignment, mid, attribute, label in _all(connection, "crowd_raw_choices", _CHOICES):
        worker = workers.get(assignment, "")
        if worker in crowd.simulated:
            crowd.left_out[_SIMULATED] += 1
        elif not worker:
            crowd.left_out[_ANONYMOUS] += 1
        elif label not in _ANSWERS:
            crowd.left_out[_NO_ANSWER] += 1
        else:
            crowd.answers[str(attribute), worker][mid] = _ANSWERS[label]


def _read_sources(connection: sqlite3.Connection, crowd: _Crowd) -> None:
    """Read where the pictures are that something is said about; one that is in ``modules`` twice is left out."""
    said = {mid for answers in crowd.answers.values() for mid in answers} | {mid for mid, *_ in crowd.captions}
    found: defaultdict[Any, set[str]] = defaultdict(set)
    for mid, src in connection.execute("SELECT mid, src FROM modules"):
        if mid in said and src:
            found[mid].add(str(src))
    crowd.sources = {mid: sources.pop() for mid, sources in found.items() if len(sources) == 1}


# Into the workspace ---------------------------------------------------------------------------------------------------


def _rows_of(workspace: Workspace, sources: Mapping[Any, str], folder: Path) -> dict[Any, int]:
    """Return the row of each picture that is in the collection, by its URL or else by its path."""
    urls: dict[str, int] = {}
    for row, url in enumerate(workspace.catalogue.urls()):
        if url:
            urls.setdefault(url, row)
    addresses = {mid: address for mid, src in sources.items() if (address := _address(src)) is not None}
    paths = match_paths(workspace.catalogue, (src for mid, src in sources.items() if mid not in addresses), folder).rows
    by_url = {mid: urls[address] for mid, address in addresses.items() if address in urls}
    return by_url | {mid: paths[src] for mid, src in sources.items() if mid not in addresses and src in paths}


def _address(src: str) -> str | None:
    """Return a URL as the catalogue spells it, or None for what is none."""
    try:
        return parse_url(src).text
    except Failure:
        return None


def _store_answers(workspace: Workspace, crowd: _Crowd, rows: Mapping[Any, int], report: Report) -> StoredLabels:
    parts: list[StoredLabels] = []
    attributes: dict[str, Attribute | None] = {}
    for done, ((name, worker), answers) in enumerate(sorted(crowd.answers.items())):
        report(done, len(crowd.answers), name)
        kept = {rows[mid]: answer for mid, answer in answers.items() if mid in rows}
        _count_unknown(crowd, (mid for mid in answers if mid not in rows))
        if not kept:
            continue
        if name not in attributes:
            attributes[name] = _attribute(workspace, name, crowd)
        if (attribute := attributes[name]) is None:
            crowd.left_out[f"answer about {name}, which cannot be an attribute here"] += len(kept)
            continue
        try:
            parts.append(store_labels(workspace, attribute, kept, annotator=worker))
        except AnnotationError as error:
            crowd.left_out[f"answer of {worker}: {error}"] += len(kept)
    report(len(crowd.answers), len(crowd.answers), "answers")
    counts = (sum(getattr(part, name) for part in parts) for name in StoredLabels.__dataclass_fields__)
    return StoredLabels(*counts)


def _attribute(workspace: Workspace, name: str, crowd: _Crowd) -> Attribute | None:
    """Return the attribute of a name, added where it is missing; None if it is archived or cannot be one."""
    prefix = name.partition("_")[0]
    kind = prefix if prefix in KINDS else "own"
    template = _TEMPLATES.get(name)
    question, instructions = crowd.questions.get(name) or (
        (template.question, template.instructions) if template else (f"Is it {readable(name)}?", "")
    )
    try:
        column = check_name(name, kind)
        with contextlib.suppress(NotFound):
            return workspace.attributes.get(column)
        return workspace.attributes.add(column, kind, question, instructions)
    except AnnotationError:
        return None


def _store_captions(workspace: Workspace, crowd: _Crowd, rows: Mapping[Any, int]) -> tuple[int, int]:
    """Store the captions; return how many are new, and how many were there."""
    new = known = 0
    for mid, author, text in crowd.captions:
        if mid not in rows:
            _count_unknown(crowd, [mid])
            continue
        try:
            annotator = workspace.annotations.annotator(author)
            there = {fold(one.text) for one in workspace.captions.of(rows[mid]) if one.annotator_id == annotator}
            if fold(" ".join(text.split())) in there:
                known += 1
                continue
            workspace.captions.add(rows[mid], annotator, text)
            new += 1
        except AnnotationError as error:
            crowd.left_out[f"caption: {error}"] += 1
    return new, known


def _count_unknown(crowd: _Crowd, mids: Iterable[Any]) -> None:
    for mid in mids:
        crowd.left_out[_UNKNOWN if mid in crowd.sources else _NO_MODULE] += 1
