"""Labels that were made elsewhere: they become the votes of one annotator.

In:  a table, or answers by row, and an annotator's name. Out: stored votes, and a count of everything that was not
stored. Storing the same labels twice stores them once.

Imported labels settle images like any other vote, and they train. They never judge: images that are held out (the
validation sample, certifications, audits) keep waiting for people who answer their tasks. Labels that do belong to the
validation sample, since it was drawn first and labelled elsewhere, are imported as its answers on request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import IMPORT, NEGATIVE, POSITIVE, UNSURE, Attribute, NewAnswer
from bam_engine.collection.matching import PathMatches, match_paths
from bam_engine.errors import AnnotationError, ExchangeError, NotFound
from bam_engine.exchange.label_tables import LabelLine, Vocabulary, read_labels
from bam_engine.formatting import count
from bam_engine.labelling import tasks
from bam_engine.workspace.core import Workspace

Destination = Literal["training", "validation"]
DESTINATIONS: tuple[Destination, ...] = ("training", "validation")

_LISTED = 5  # contradictions that an error names


@dataclass(frozen=True)
class StoredLabels:
    """What became of labels.

    ``yes``, ``no`` and ``unsure`` were stored. ``repeated`` are what this annotator says already. ``left_out`` may not
    be stored: images that are held out to judge or, for the validation sample, images that are not part of it.
    """

    yes: int
    no: int
    unsure: int
    repeated: int
    left_out: int

    @property
    def new(self) -> int:
        """The labels that were stored."""
        return self.yes + self.no + self.unsure


@dataclass(frozen=True)
class ImportedLabels:
    """What became of a table: the labels stored, the empty cells, the paths that match no image or several."""

    stored: StoredLabels
    empty: int
    unmatched: tuple[str, ...]
    ambiguous: tuple[str, ...]


def import_labels(
    workspace: Workspace,
    attribute: Attribute,
    file: str | Path,
    *,
    column: str,
    annotator: str,
    path_column: str = "path",
    vocabulary: Vocabulary | None = None,
    folder: Path | None = None,
    to: Destination = "training",
) -> ImportedLabels:
    """Store the labels of a table as the votes of ``annotator``.

    Parameters
    ----------
    file, column, path_column, vocabulary
        See :func:`bam_engine.exchange.label_tables.read_labels`.
    folder
        What relative paths are relative to; the folder of the file by default. See
        :func:`bam_engine.collection.matching.match_paths` for all that a path may be.
    to
        See :func:`store_labels`.

    Raises
    ------
    ExchangeError
        The table cannot be read, no path matches an image, or two lines contradict each other. Nothing is stored.
    AnnotationError
        As :func:`store_labels`.
    """
    lines = read_labels(file, column=column, path_column=path_column, vocabulary=vocabulary)
    base = Path(file).resolve().parent if folder is None else folder.resolve()
    matches = match_paths(workspace.catalogue, [line.path for line in lines], base)
    _check_matched(file, matches, base)
    answers = _answers(file, lines, matches)
    stored = store_labels(workspace, attribute, answers, annotator=annotator, to=to)
    empty = sum(line.answer is None for line in lines)
    return ImportedLabels(stored, empty, tuple(matches.unmatched), tuple(matches.ambiguous))


def store_labels(
    workspace: Workspace,
    attribute: Attribute,
    answers: Mapping[int, int],
    *,
    annotator: str,
    to: Destination = "training",
) -> StoredLabels:
    """Store labels as the votes of ``annotator``, all of them or none.

    Parameters
    ----------
    answers
        Row → 1 yes, 0 no, -1 unsure.
    annotator
        A person's name; new ones are entered. A label that differs from what this annotator said before replaces it.
    to
        ``"training"``: images that are held out to judge are left out. ``"validation"``: the labels answer the
        validation sample, and images that are not part of it are left out.

    Raises
    ------
    AnnotationError
        The annotator has no name or is simulated, or the validation sample is not drawn.
    NotFound
        A row is no image.
    """
    if to not in DESTINATIONS:
        raise AnnotationError(f"Labels cannot go to '{to}'. Choose {' or '.join(DESTINATIONS)}.")
    rows = np.array(sorted(answers), np.int64)
    _check_rows(workspace, rows)
    who = workspace.annotations.annotator(annotator)
    allowed = _allowed(workspace, attribute, rows, to)
    votes = tasks.votes(workspace, attribute)
    mine = votes.annotators == who
    known = dict(zip(votes.rows[mine].tolist(), votes.answers[mine].tolist(), strict=True))
    new = {row: int(answers[row]) for row in rows[allowed].tolist() if known.get(row) != answers[row]}
    if new:
        _store(workspace, attribute, who, new, to)
    values = list(new.values())
    return StoredLabels(
        yes=values.count(POSITIVE),
        no=values.count(NEGATIVE),
        unsure=values.count(UNSURE),
        repeated=int(allowed.sum()) - len(new),
        left_out=int((~allowed).sum()),
    )


def _check_rows(workspace: Workspace, rows: NDArray[np.int64]) -> None:
    n = len(workspace.catalogue)
    outside = rows[(rows < 0) | (rows >= n)]
    if len(outside):
        raise NotFound(f"There is no image {outside[0]}. The collection has {count(n, 'image')}, numbered from 0.")


def _allowed(workspace: Workspace, attribute: Attribute, rows: NDArray[np.int64], to: Destination) -> NDArray[np.bool_]:
    """Return which of the rows may get a label."""
    if to == "training":
        return ~np.isin(rows, tasks.held_out_rows(workspace, attribute))
    sample = tasks.validation_task(workspace, attribute).rows
    if not len(sample):
        raise AnnotationError(f"{attribute.name} has no validation sample yet. Draw it first, then label it.")
    return np.isin(rows, sample)


def _store(workspace: Workspace, attribute: Attribute, who: int, answers: Mapping[int, int], to: Destination) -> None:
    """Store answers under ids that follow from what is stored already, so that two who import at once store one."""
    purpose = IMPORT if to == "training" else "validation"
    before = workspace.annotations.count(attribute.id, who)
    assignment = workspace.annotations.assign(attribute.id, who, answers, purpose=purpose, source_id=0)
    stem = f"{purpose}:{attribute.id}:{who}:{before}"
    workspace.annotations.record(
        assignment.id, [NewAnswer(f"{stem}:{row}:{answer}", row, answer) for row, answer in answers.items()]
    )


def _check_matched(file: str | Path, matches: PathMatches, folder: Path) -> None:
    if matches.rows:
        return
    paths = [*matches.unmatched, *matches.ambiguous]
    if not paths:
        raise ExchangeError(f"{file} holds no labels.")
    raise ExchangeError(
        f"None of the {count(len(paths), 'path')} in {file} matches exactly one image of the collection. The first is "
        f"{paths[0]}. Paths are absolute, relative to {folder}, or the end of an image's path."
    )


def _answers(file: str | Path, lines: Sequence[LabelLine], matches: PathMatches) -> dict[int, int]:
    """Return the answer to each image; refuse lines that contradict each other."""
    first: dict[int, LabelLine] = {}
    contradictions = []
    for line in lines:
        if line.answer is None or line.path not in matches.rows:
            continue
        earlier = first.setdefault(matches.rows[line.path], line)
        if earlier.answer != line.answer:
            contradictions.append(f"{earlier.place} and {line.place} ({line.path})")
    if contradictions:
        more = len(contradictions) - _LISTED
        raise ExchangeError(
            f"{file} contradicts itself in {count(len(contradictions), 'image')}: "
            f"{', '.join(contradictions[:_LISTED])}{f' and {more:,} more' if more > 0 else ''}. "
            "Keep one answer for each image, or import the labels of each annotator from a file of its own."
        )
    return {row: line.answer for row, line in first.items() if line.answer is not None}
