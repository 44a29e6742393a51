"""What BAM's workers said, from BAM's published SQLite file or one of our own exports.

In:  the file. Out: stored answers and captions under the names of those who gave them, and counts of what was left out.
Pictures of the file are recognised by the URL or path in ``modules.src``. Importing a file twice changes nothing, so an
import that was interrupted is run again; so is one after more of its pictures were downloaded.
"""

import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bam_engine.annotation import (
    BAM_ATTRIBUTES,
    KINDS,
    NEGATIVE,
    POSITIVE,
    UNSURE,
    Answers,
    Attribute,
    check_name,
    readable,
)
from bam_engine.annotation.caption_store import GivenCaption, check_caption
from bam_engine.collection.bam_file import check_table, has_table, opened
from bam_engine.collection.matching import match_paths
from bam_engine.collection.texts import printable
from bam_engine.download.outcomes import Failure
from bam_engine.download.urls import parse_url
from bam_engine.errors import AnnotationError, ExchangeError, NotFound
from bam_engine.formatting import count
from bam_engine.labelling.importing import AT_ONCE, StoredLabels, store_votes
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace

_CHOICES = ("assignment_id", "mid", "attribute", "label")
_HITS = ("assignment_id", "worker_id")
_WORKERS = ("worker_id", "simulated")
_CAPTIONS = ("assignment_id", "mid", "caption")
_ANSWERS: Mapping[Any, int] = {None: UNSURE, 1: POSITIVE, 0: NEGATIVE}
_TEMPLATES = {template.name: template for template in BAM_ATTRIBUTES}

_ANONYMOUS = "answer or caption without a worker: its assignment is not in crowd_raw_hits"
_TWO_WORKERS = "answer or caption of two workers: its assignment is in crowd_raw_hits twice"
_NO_ANSWER = "answer that is not 0, 1 or empty"
_NO_MODULE = "answer or caption about a picture that is not in modules, or is there twice"
_SIMULATED = "answer or caption of a simulated annotator"
_NO_VOTES = {"adjudications": "decision on a disputed image", "set_aside": "answer that is set aside"}
_UNKNOWN = "answer or caption about an image that is not in the collection"
_NO_AUTHOR = "answer or caption of somebody who cannot answer here"
_NO_CAPTION = "caption that cannot be one here"


@dataclass
class LeftOut:
    """How many answers and captions were left out for one reason, and which was the first; "" is not told."""

    number: int = 0
    first: str = ""


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
        The captions that were stored, and those that were there already, or are in the file twice.
    without_image
        The pictures with an answer or a caption that are not in the collection.
    left_out
        Why answers and captions were not stored → how many, and the first of them where that helps.
    """

    answers: StoredLabels
    attributes: tuple[str, ...]
    captions: int
    known_captions: int
    without_image: int
    left_out: Mapping[str, LeftOut]

    def lines(self) -> list[str]:
        """Return in words what was stored, and what was not, most first; but for pictures that are not here."""
        stored, known = self.answers, self.answers.repeated + self.known_captions
        new = f"{count(stored.new, 'answer')} stored: {stored.yes:,} yes, {stored.no:,} no, {stored.unsure:,} unsure"
        lines = [f"{new}; {count(self.captions, 'caption')} stored"]
        if stored.set_aside:
            lines.append(f"{count(stored.set_aside, 'answer')} set aside before, and still")
        if self.attributes:
            lines.append(f"{count(len(self.attributes), 'attribute')} added: {', '.join(self.attributes)}")
        if known:
            lines.append(f"{known:,} already stored")
        if stored.left_out:
            lines.append(f"{stored.left_out:,} left out: held out for validation, certification or audit")
        if stored.removed:
            lines.append(f"{stored.removed:,} left out: removed from the collection")
        for reason, noted in sorted(self.left_out.items(), key=lambda item: -item[1].number):
            lines.append(f"{noted.number:,} left out: {reason}{noted.first and f'; the first: {noted.first}'}")
        return lines


@dataclass
class _Crowd:
    """What a file says: by attribute the answer of (worker, picture), and (picture, worker, caption, place)."""

    answers: defaultdict[str, dict[tuple[str, Any], int]] = field(default_factory=lambda: defaultdict(dict))
    captions: list[tuple[Any, str, str, str]] = field(default_factory=list)
    sources: dict[Any, str] = field(default_factory=dict)
    questions: dict[str, tuple[str, str]] = field(default_factory=dict)
    simulated: set[str] = field(default_factory=set)
    left_out: defaultdict[str, LeftOut] = field(default_factory=lambda: defaultdict(LeftOut))

    def leave_out(self, reason: str, first: str = "", number: int = 1) -> None:
        """Count what is not stored."""
        noted = self.left_out[reason]
        noted.first = noted.first or first
        noted.number += number


def import_bam(workspace: Workspace, file: Path, *, report: Report = silent) -> ImportedAnswers:
    """Store the answers and captions of a file under the names of its workers.

    ``crowd_raw_choices`` become votes (1 yes, 0 no, empty unsure); if a worker has answered about one picture twice,
    the later row counts. Attributes that are missing are added with the question of the file or, without one, of BAM's
    template, or a plain one. Answers train, and never judge: see :func:`store_votes`. The whole file is read before
    anything is stored.

    Parameters
    ----------
    report
        Called before every :data:`~bam_engine.labelling.importing.AT_ONCE` answers with the number of those that are
        stored or known, and of all.

    Raises
    ------
    CollectionError
        The file cannot be read, is damaged or locked, or lacks a table or a column. Nothing is stored.
    ExchangeError
        None of its pictures with an answer or a caption is in the collection. Nothing is stored.
    Stopped
        Raised by ``report``; what was stored stays, and importing again goes on from there.
    """
    report(0, None, "reading the file")
    crowd = _read(file)
    rows = _rows_of(workspace, crowd.sources, file.absolute().parent)
    if crowd.sources and not rows:
        raise ExchangeError(
            f"No image that {file.name} has answers about is in the collection. Download them first: `bam urls "
            f"download {file}`."
        )
    before = {attribute.name for attribute in workspace.attributes.all()}
    people = _people(workspace, crowd, rows)
    stored = _store_answers(workspace, crowd, rows, people, report)
    captions, known = _store_captions(workspace, crowd, rows, people)
    added = tuple(attribute.name for attribute in workspace.attributes.all() if attribute.name not in before)
    return ImportedAnswers(stored, added, captions, known, len(crowd.sources) - len(rows), dict(crowd.left_out))


# Reading the file -----------------------------------------------------------------------------------------------------


def _read(file: Path) -> _Crowd:
    crowd = _Crowd()
    with opened(file) as connection:
        for table, columns in (("modules", ("mid", "src")), ("crowd_raw_hits", _HITS), ("crowd_raw_choices", _CHOICES)):
            check_table(connection, file, table, columns)
        if has_table(connection, "workers"):
            check_table(connection, file, "workers", _WORKERS)
            crowd.simulated = {_name(key) for key, simulated in _all(connection, "workers", _WORKERS) if simulated}
        workers = _workers(connection)
        _read_choices(connection, workers, crowd)
        if has_table(connection, "crowd_raw_captions"):
            check_table(connection, file, "crowd_raw_captions", _CAPTIONS)
            ours = has_table(connection, "attributes")
            _read_captions(connection, workers, crowd, ours=ours)
        if has_table(connection, "attributes"):
            asked = ("name", "question", "instructions")
            check_table(connection, file, "attributes", asked)
            crowd.questions = {
                name: (question or "", more or "") for name, question, more in _all(connection, "attributes", asked)
            }
        for table, reason in _NO_VOTES.items():
            if has_table(connection, table):
                number = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                if number:
                    crowd.leave_out(reason, number=number)
        _read_sources(connection, crowd)
    return crowd


def _all(connection: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    return iter(connection.execute(f"SELECT {', '.join(columns)} FROM {table}"))


def _workers(connection: sqlite3.Connection) -> dict[Any, str | None]:
    """Return the worker of each assignment; None where there are two."""
    workers: dict[Any, str | None] = {}
    for key, name in _all(connection, "crowd_raw_hits", _HITS):
        worker = _name(name)
        workers[key] = worker if workers.setdefault(key, worker) == worker else None
    return workers


def _name(worker: object) -> str:
    """Return a worker's name as annotators are called; "" for none."""
    return "" if worker is None else str(worker).strip()


def _read_choices(connection: sqlite3.Connection, workers: Mapping[Any, str | None], crowd: _Crowd) -> None:
    choices = enumerate(_all(connection, "crowd_raw_choices", _CHOICES), 1)
    for number, (assignment, mid, attribute, label) in choices:
        worker = workers.get(assignment, "")
        if not worker:
            reason = _TWO_WORKERS if worker is None else _ANONYMOUS
            crowd.leave_out(reason, f"row {number:,} of crowd_raw_choices, assignment {_shown(assignment)}")
        elif worker in crowd.simulated:
            crowd.leave_out(_SIMULATED)
        elif label not in _ANSWERS:
            crowd.leave_out(_NO_ANSWER, f"row {number:,} of crowd_raw_choices, {_shown(label)}")
        else:
            answers, key = crowd.answers[str(attribute)], (worker, mid)
            answers.pop(key, None)  # those that count are in the order of their rows, also of two spellings of a name
            answers[key] = _ANSWERS[label]


def _read_captions(
    connection: sqlite3.Connection, workers: Mapping[Any, str | None], crowd: _Crowd, *, ours: bool
) -> None:
    """Read the captions; ``ours`` says that the file is one of our exports, which name the annotator there."""
    captions = enumerate(_all(connection, "crowd_raw_captions", _CAPTIONS), 1)
    for number, (assignment, mid, caption) in captions:
        author = workers.get(assignment, _name(assignment) if ours else "")
        place = f"row {number:,} of crowd_raw_captions"
        if not author:
            reason = _TWO_WORKERS if author is None else _ANONYMOUS
            crowd.leave_out(reason, f"{place}, assignment {_shown(assignment)}")
        elif author in crowd.simulated:
            crowd.leave_out(_SIMULATED)
        else:
            crowd.captions.append((mid, author, str(caption or ""), place))


def _read_sources(connection: sqlite3.Connection, crowd: _Crowd) -> None:
    """Read where the pictures are that something is said about; one that is in ``modules`` twice is left out."""
    said = {mid for answers in crowd.answers.values() for _, mid in answers} | {mid for mid, *_ in crowd.captions}
    found: defaultdict[Any, set[str]] = defaultdict(set)
    for mid, src in connection.execute("SELECT mid, src FROM modules"):
        if mid in said and src:
            found[mid].add(str(src))
    crowd.sources = {mid: sources.pop() for mid, sources in found.items() if len(sources) == 1}


def _shown(value: object) -> str:
    return printable(repr(value)[:60])


# Into the workspace ---------------------------------------------------------------------------------------------------


def _rows_of(workspace: Workspace, sources: Mapping[Any, str], folder: Path) -> dict[Any, int]:
    """Return the row of each picture that is in the collection, by its URL or else by its path."""
    addresses = {mid: address for mid, src in sources.items() if (address := _address(src)) is not None}
    urls = workspace.catalogue.rows_from(set(addresses.values()))
    paths = match_paths(workspace.catalogue, (src for mid, src in sources.items() if mid not in addresses), folder).rows
    by_url = {mid: urls[address] for mid, address in addresses.items() if address in urls}
    return by_url | {mid: paths[src] for mid, src in sources.items() if mid not in addresses and src in paths}


def _address(src: str) -> str | None:
    """Return a URL as the catalogue spells it, or None for what is none."""
    try:
        return parse_url(src).text
    except Failure:
        return None


def _people(workspace: Workspace, crowd: _Crowd, rows: Mapping[Any, int]) -> dict[str, int | AnnotationError]:
    """Return the id of each worker who has said something about an image of the collection, or why there is none."""
    names = {worker for answers in crowd.answers.values() for worker, mid in answers if mid in rows}
    names |= {author for mid, author, *_ in crowd.captions if mid in rows}
    return workspace.annotators.ids_of(sorted(names))


def _store_answers(
    workspace: Workspace,
    crowd: _Crowd,
    rows: Mapping[Any, int],
    people: Mapping[str, int | AnnotationError],
    report: Report,
) -> StoredLabels:
    parts = []
    done, total = 0, sum(map(len, crowd.answers.values()))
    for name, answers in sorted(crowd.answers.items()):
        kept = _kept(crowd, answers, rows, people)
        attribute = _attribute(workspace, name, crowd) if kept else None
        if kept and attribute is None:
            crowd.leave_out(f"answer about {name}, which cannot be an attribute here", number=len(kept))
        if attribute is None:
            done += len(answers)
            continue
        lines = sorted(kept.items())
        for first in range(0, len(lines), AT_ONCE):
            report(done + first, total, name)
            batch = lines[first : first + AT_ONCE]
            authors, images = np.array([key for key, _ in batch], np.int64).T
            votes = Answers(images, authors, np.array([answer for _, answer in batch], np.int8))
            parts.append(store_votes(workspace, attribute, votes))
        done += len(answers)
    report(total, total, "answers")
    return StoredLabels.total(parts)


def _kept(
    crowd: _Crowd,
    answers: Mapping[tuple[str, Any], int],
    rows: Mapping[Any, int],
    people: Mapping[str, int | AnnotationError],
) -> dict[tuple[int, int], int]:
    """Return (annotator, row) → answer for what can be stored; the last counts where several are about one image."""
    kept: dict[tuple[int, int], int] = {}
    for (worker, mid), answer in answers.items():
        if mid not in rows:
            _count_unknown(crowd, mid)
        elif isinstance(author := people[worker], AnnotationError):
            crowd.leave_out(_NO_AUTHOR, str(author))
        else:
            kept[author, rows[mid]] = answer
    return kept


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


def _store_captions(
    workspace: Workspace, crowd: _Crowd, rows: Mapping[Any, int], people: Mapping[str, int | AnnotationError]
) -> tuple[int, int]:
    """Store the captions; return how many are new, and how many were there."""
    given: list[GivenCaption] = []
    for mid, author, text, place in crowd.captions:
        if mid not in rows:
            _count_unknown(crowd, mid)
        elif isinstance(annotator := people[author], AnnotationError):
            crowd.leave_out(_NO_AUTHOR, str(annotator))
        else:
            try:
                given.append(GivenCaption(rows[mid], annotator, check_caption(text)))
            except AnnotationError as error:
                crowd.leave_out(_NO_CAPTION, f"{place}: {error}")
    new = workspace.captions.add_given(given)
    return new, len(given) - new


def _count_unknown(crowd: _Crowd, mid: Any) -> None:
    if mid in crowd.sources:
        crowd.leave_out(_UNKNOWN)
    else:
        crowd.leave_out(_NO_MODULE, f"mid {_shown(mid)}")
