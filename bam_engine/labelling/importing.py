"""Importing labels made elsewhere as the votes of one annotator.

In:  a table, or answers by row, and an annotator's name. Out: stored votes, and counts of what was not stored.
Importing the same labels again changes nothing.

Imported labels settle images like any other vote and are used for training, never for evaluation: held-out images
(validation sample, certifications, audits) still need answers to their tasks. If the validation sample was drawn first
and labelled elsewhere, its labels can be imported as answers to it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import IMPORT, NEGATIVE, POSITIVE, UNSURE, WITHDRAWN, Answers, Attribute
from bam_engine.annotation.imported_answers import store_answers
from bam_engine.collection.matching import PathMatches, match_paths
from bam_engine.errors import AnnotationError, ExchangeError, NotFound
from bam_engine.exchange.label_tables import LabelLine, Vocabulary, read_labels
from bam_engine.formatting import count
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import removed

Destination = Literal["training", "validation"]
DESTINATIONS: tuple[Destination, ...] = ("training", "validation")

AT_ONCE = 20_000
"""Labels of a long import that are stored in one transaction: nobody else can answer meanwhile."""

_MAX_LISTED = 5  # contradictions that an error lists


@dataclass(frozen=True)
class StoredLabels:
    """The number of stored labels, and of those that were not stored.

    ``yes``, ``no`` and ``unsure`` were stored. ``repeated`` equal the annotator's current answer. ``left_out`` are
    labels of held-out images or, for the validation sample, of images outside it. ``set_aside`` equal an answer of the
    annotator that is set aside, and stay so: bringing the answers back makes them count. ``removed`` are labels of
    images that were removed from the collection.
    """

    yes: int
    no: int
    unsure: int
    repeated: int
    left_out: int
    set_aside: int = 0
    removed: int = 0

    @property
    def new(self) -> int:
        """The labels that were stored."""
        return self.yes + self.no + self.unsure

    @classmethod
    def total(cls, parts: Iterable["StoredLabels"]) -> "StoredLabels":
        """Return the sums of the numbers of several."""
        return cls(*np.sum([astuple(part) for part in parts] or [astuple(cls(0, 0, 0, 0, 0))], axis=0).tolist())


@dataclass(frozen=True)
class ImportedLabels:
    """The stored labels of a table, the number of empty cells, and what had no effect.

    That are the paths that match no image or several, and the places ("line 7") of lines with an answer and no path.
    """

    stored: StoredLabels
    empty: int
    unmatched: tuple[str, ...]
    ambiguous: tuple[str, ...]
    without_path: tuple[str, ...] = ()


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
        The folder of relative paths, by default that of the file. See
        :func:`bam_engine.collection.matching.match_paths` for the forms of a path.
    to
        See :func:`store_labels`.

    Raises
    ------
    ExchangeError
        The table cannot be read, no path matches an image, or two rows contradict each other. Nothing is stored.
    AnnotationError
        As :func:`store_labels`.
    """
    table = read_labels(file, column=column, path_column=path_column, vocabulary=vocabulary)
    lines = table.lines
    base = Path(file).resolve().parent if folder is None else folder.resolve()
    matches = match_paths(workspace.catalogue, [line.path for line in lines], base)
    _check_matched(file, matches, base)
    answers = _answers(file, lines, matches)
    stored = store_labels(workspace, attribute, answers, annotator=annotator, to=to)
    empty = sum(line.answer is None for line in lines)
    return ImportedLabels(stored, empty, tuple(matches.unmatched), tuple(matches.ambiguous), table.without_path)


def store_labels(
    workspace: Workspace,
    attribute: Attribute,
    answers: Mapping[int, int],
    *,
    annotator: str,
    to: Destination = "training",
) -> StoredLabels:
    """Store labels as the votes of ``annotator`` in one transaction.

    Parameters
    ----------
    answers
        Row → 1 yes, 0 no, -1 unsure.
    annotator
        A person's name, who is added if unknown. A label replaces an earlier answer of this annotator.
    to
        ``"training"``: labels of held-out images are left out. ``"validation"``: the labels answer the validation
        sample, and labels of other images are left out. Those of removed images always are.

    Raises
    ------
    AnnotationError
        The annotator has no name or is simulated, or there is no validation sample yet.
    NotFound
        A row does not exist.
    """
    _check_destination(to)
    rows = np.array(list(answers), np.int64)
    _check_rows(workspace, rows)
    if wrong := set(answers.values()) - {POSITIVE, NEGATIVE, UNSURE}:
        raise AnnotationError(f"{str(wrong.pop())[:60]!r} is not an answer. Use 1 (yes), 0 (no) or -1 (unsure).")
    annotator_id = workspace.annotations.annotator(annotator)
    values = np.array(list(answers.values()), np.int8)
    return store_votes(workspace, attribute, Answers(rows, np.full(len(rows), annotator_id), values), to=to)


def store_votes(
    workspace: Workspace, attribute: Attribute, given: Answers, *, to: Destination = "training"
) -> StoredLabels:
    """Store labels of any number of annotators, as :func:`store_labels` those of one, in one transaction.

    Parameters
    ----------
    given
        At most one answer of each (row, annotator), in any order.

    Raises
    ------
    AnnotationError
        An answer is none, an annotator is simulated, or there is no validation sample yet.
    NotFound
        A row does not exist.
    """
    _check_destination(to)
    _check_rows(workspace, given.rows)
    gone = np.isin(given.rows, removed(workspace).rows)
    offered = _allowed(workspace, attribute, given.rows, to)
    allowed = offered & ~gone
    new = allowed & (_current(tasks.votes(workspace, attribute, set_aside=True), given) != given.answers)
    counting = _current(tasks.votes(workspace, attribute), given) == given.answers  # before they are stored
    values = given.answers[new]
    if len(values):
        answers, purpose = Answers(given.rows[new], given.annotators[new], values), IMPORT if to == "training" else to
        store_answers(workspace.engine, attribute.id, answers, purpose=purpose)
    return StoredLabels(
        yes=int((values == POSITIVE).sum()),
        no=int((values == NEGATIVE).sum()),
        unsure=int((values == UNSURE).sum()),
        repeated=int((allowed & ~new & counting).sum()),
        left_out=int((~offered & ~gone).sum()),
        set_aside=int((allowed & ~new & ~counting).sum()),
        removed=int(gone.sum()),
    )


def _current(votes: Answers, given: Answers) -> NDArray[np.int8]:
    """Return the vote of each (row, annotator) of ``given``, int8; -2 where there is none."""
    known, wanted = (one.rows << 32 | one.annotators for one in (votes, given))  # ascends by row, then annotator
    current = np.full(len(wanted), WITHDRAWN, np.int8)
    if len(known):
        place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        found = known[place] == wanted
        current[found] = votes.answers[place[found]]
    return current


def _check_destination(to: str) -> None:
    if to not in DESTINATIONS:
        raise AnnotationError(f"Labels cannot go to '{to}'. Choose {' or '.join(DESTINATIONS)}.")


def _check_rows(workspace: Workspace, rows: NDArray[np.int64]) -> None:
    n = len(workspace.catalogue)
    outside = rows[(rows < 0) | (rows >= n)]
    if len(outside):
        raise NotFound(f"There is no image {outside[0]}. The collection has {count(n, 'image')}, numbered from 0.")


def _allowed(workspace: Workspace, attribute: Attribute, rows: NDArray[np.int64], to: Destination) -> NDArray[np.bool_]:
    """Return a mask of the rows that may be labelled."""
    if to == "training":
        return ~np.isin(rows, held_out_rows(workspace, attribute))
    sample = tasks.validation_task(workspace, attribute).rows
    if not len(sample):
        raise AnnotationError(f"{attribute.name} has no validation sample yet. Draw it first, then label it.")
    return np.isin(rows, sample)


def _check_matched(file: str | Path, matches: PathMatches, folder: Path) -> None:
    if matches.rows:
        return
    paths = [*matches.unmatched, *matches.ambiguous]
    if not paths:
        raise ExchangeError(f"{file} has no labels.")
    raise ExchangeError(
        f"None of the {count(len(paths), 'path')} in {file} matches exactly one image of the collection. The first is "
        f"{paths[0]}. Paths are absolute, relative to {folder}, or the end of an image's path."
    )


def _answers(file: str | Path, lines: Sequence[LabelLine], matches: PathMatches) -> dict[int, int]:
    """Return the answer to each image; refuse contradictory lines."""
    first: dict[int, LabelLine] = {}
    contradictions = []
    for line in lines:
        if line.answer is None or line.path not in matches.rows:
            continue
        earlier = first.setdefault(matches.rows[line.path], line)
        if earlier.answer != line.answer:
            contradictions.append(f"{earlier.place} and {line.place} ({line.path})")
    if contradictions:
        more = len(contradictions) - _MAX_LISTED
        raise ExchangeError(
            f"{file} contradicts itself in {count(len(contradictions), 'image')}: "
            f"{', '.join(contradictions[:_MAX_LISTED])}{f' and {more:,} more' if more > 0 else ''}. "
            "Keep one answer for each image, or import the labels of each annotator from a file of its own."
        )
    return {row: line.answer for row, line in first.items() if line.answer is not None}
