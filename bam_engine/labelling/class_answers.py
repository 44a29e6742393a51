"""Classes that other tools have given to pictures, as the votes of a named source.

In:  a COCO file, a dataset of FiftyOne or a folder for each class. Out: stored votes of one annotator, and counts of
what was not stored. Like all imported labels they train and never judge. Importing them again changes nothing.
"""

import contextlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bam_engine.annotation import (
    IMPORT,
    NEGATIVE,
    POSITIVE,
    WITHDRAWN,
    Answers,
    Attribute,
    check_name,
    readable,
)
from bam_engine.annotation.imported_answers import store_answers
from bam_engine.collection.matching import PathMatches, match_paths
from bam_engine.errors import AnnotationError, ExchangeError, NotFound
from bam_engine.exchange.class_labels import ClassLabels, read_classes
from bam_engine.formatting import count
from bam_engine.labelling import tasks
from bam_engine.labelling.importing import AT_ONCE, StoredLabels, store_labels
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace

_LISTED = 12  # classes that an error names


@dataclass(frozen=True)
class FoundClasses:
    """A source, and which of its pictures are in the collection."""

    labels: ClassLabels
    matches: PathMatches

    @property
    def counts(self) -> dict[str, int]:
        """By class, the most first, how many images of the collection show it."""
        rows = self.matches.rows
        numbers = {
            name: len({rows[path] for path in paths if path in rows}) for name, paths in self.labels.shown.items()
        }
        return dict(sorted(numbers.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True)
class ImportedClasses:
    """What was stored of the classes of one attribute: whether that is new, and the labels.

    ``contradictions`` counts images that are said to show a class and not to show it; they are left out. ``changes``
    are what is needed to take the labels back: by row the vote of the source before and now.
    """

    attribute: str
    classes: tuple[str, ...]
    added: bool
    stored: StoredLabels
    contradictions: int
    changes: Mapping[int, tuple[int, int]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class PlannedClasses:
    """What a source says of one attribute, nothing of which is stored: ``answers`` are 1 (yes) or 0 (no) by row.

    ``exists`` says whether the attribute does. ``contradictions`` are as in :class:`ImportedClasses`.
    """

    attribute: str
    classes: tuple[str, ...]
    exists: bool
    answers: Mapping[int, int]
    contradictions: int

    @property
    def yes(self) -> int:
        """The images that are said to show it."""
        return sum(answer == POSITIVE for answer in self.answers.values())

    @property
    def no(self) -> int:
        """The images that do not show it."""
        return len(self.answers) - self.yes


def find_classes(workspace: Workspace, source: Path, *, label_field: str | None = None) -> FoundClasses:
    """Read the classes of a source, and find its pictures in the collection; nothing is stored.

    Parameters
    ----------
    source, label_field
        As in :func:`bam_engine.exchange.class_labels.read_classes`.

    Raises
    ------
    ExchangeError
        It cannot be read, or none of its pictures is in the collection.
    """
    labels = read_classes(source, label_field=label_field)
    matches = match_paths(workspace.catalogue, labels.pictures, labels.folder.absolute())
    if not matches.rows:
        first = f" The first is {labels.pictures[0]}." if labels.pictures else ""
        raise ExchangeError(
            f"None of the {count(len(labels.pictures), 'picture')} of {source} matches exactly one image of the "
            f"collection.{first} Ingest the pictures first."
        )
    return FoundClasses(labels, matches)


def import_classes(
    workspace: Workspace,
    found: FoundClasses,
    classes: Mapping[str, str],
    *,
    annotator: str,
    complete: bool = False,
    report: Report = silent,
) -> list[ImportedClasses]:
    """Store the classes of images as the votes of ``annotator``: yes where an image shows one, no where it does not.

    Parameters
    ----------
    classes
        Class → the attribute it is a label of; "" for the attribute that is called like the class, which is added
        where it is missing. Several classes may be one attribute: an image that shows any of them is a yes.
    complete
        Whether an image that is not said to show a class does not show it. Otherwise only what a source states is a no.
    report
        Called before every :data:`AT_ONCE` labels of an attribute.

    Raises
    ------
    ExchangeError
        The source does not have one of the classes. Nothing is stored.
    AnnotationError
        The annotator has no name or is simulated, or a class cannot be an attribute. Nothing is stored.
    NotFound
        An attribute that was named does not exist. Nothing is stored.
    """
    planned = plan_classes(workspace, found, classes, complete=complete)
    workspace.annotations.annotator(annotator)
    return [_store(workspace, plan, annotator=annotator, report=report) for plan in planned]


def plan_classes(
    workspace: Workspace, found: FoundClasses, classes: Mapping[str, str], *, complete: bool = False
) -> list[PlannedClasses]:
    """Return what :func:`import_classes` would offer to each attribute; labels of held-out images are left out later.

    Raises
    ------
    ExchangeError, AnnotationError, NotFound
        As :func:`import_classes`, but for the annotator.
    """
    by_attribute: defaultdict[str, list[str]] = defaultdict(list)
    for name, wanted in classes.items():
        _check_there(found, name)
        by_attribute[_column(workspace, name, wanted)].append(name)
    return [_plan(workspace, found, column, names, complete=complete) for column, names in by_attribute.items()]


def undo_classes(workspace: Workspace, imported: Sequence[ImportedClasses], *, annotator: str) -> int:
    """Take back the labels that were stored, and archive attributes that were added; return how many labels changed.

    The votes of the source are what they were before, except where they have changed again since.
    """
    taken = 0
    annotator_id = workspace.annotations.annotator(annotator)
    attributes = {one.name: one for one in (*workspace.attributes.all(), *workspace.attributes.archived())}
    for each in imported:
        attribute = attributes[workspace.attributes.current_name(each.attribute)]
        now = _votes_of(workspace, attribute, annotator)
        back = {row: before for row, (before, after) in each.changes.items() if now.get(row) == after}
        if back:
            rows, values = np.array(list(back), np.int64), np.array(list(back.values()), np.int8)
            given = Answers(rows, np.full(len(rows), annotator_id), values)
            store_answers(workspace.engine, attribute.id, given, purpose=IMPORT)
        if each.added and not attribute.archived:
            workspace.attributes.archive(attribute.id)
        taken += len(back)
    return taken


def _check_there(found: FoundClasses, name: str) -> None:
    if name not in found.labels.shown:
        names = [f"{other} ({number:,})" for other, number in found.counts.items()]
        more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
        raise ExchangeError(f"There is no class {name}. There are: {', '.join(names[:_LISTED])}{more}.")


def _column(workspace: Workspace, name: str, wanted: str) -> str:
    """Return the name of the attribute that a class is a label of, which need not exist unless it was named."""
    if wanted:
        return workspace.attributes.get(wanted).name
    title, column = name.casefold().replace("_", " "), check_name(name)
    for attribute in (*workspace.attributes.all(), *workspace.attributes.archived()):
        without_kind = attribute.name.partition("_")[2].replace("_", " ")
        if attribute.name != column and title not in (readable(attribute.name), without_kind):
            continue
        if attribute.archived:
            raise AnnotationError(
                f"The attribute {attribute.name} is archived, and the class {name} is called like it. Bring it back, "
                "or name another attribute for the class."
            )
        return attribute.name
    return column


def _plan(
    workspace: Workspace, found: FoundClasses, column: str, classes: Sequence[str], *, complete: bool
) -> PlannedClasses:
    rows, labels = found.matches.rows, found.labels
    shown = [{rows[path] for path in labels.shown[name] if path in rows} for name in classes]
    stated = [{rows[path] for path in labels.not_shown.get(name, ()) if path in rows} for name in classes]
    yes, both = set.union(*shown), set[int]().union(*(one & other for one, other in zip(shown, stated, strict=True)))
    no = set(rows.values()) if complete else set.intersection(*stated)
    answers = dict.fromkeys(sorted(no - yes - both), NEGATIVE) | dict.fromkeys(sorted(yes - both), POSITIVE)
    exists = any(attribute.name == column for attribute in workspace.attributes.all())
    return PlannedClasses(column, tuple(classes), exists, answers, len(both))


def _store(workspace: Workspace, plan: PlannedClasses, *, annotator: str, report: Report) -> ImportedClasses:
    attribute, added = _attribute(workspace, plan.attribute, plan.classes[0])
    before = _votes_of(workspace, attribute, annotator)
    parts, lines = [], list(plan.answers.items())
    for first in range(0, len(lines), AT_ONCE):
        report(first, len(lines), plan.attribute)
        parts.append(store_labels(workspace, attribute, dict(lines[first : first + AT_ONCE]), annotator=annotator))
    report(len(lines), len(lines), plan.attribute)
    now = _votes_of(workspace, attribute, annotator)
    changes = {
        row: (before.get(row, WITHDRAWN), now[row]) for row, _ in lines if row in now and now[row] != before.get(row)
    }
    return ImportedClasses(attribute.name, plan.classes, added, StoredLabels.total(parts), plan.contradictions, changes)


def _votes_of(workspace: Workspace, attribute: Attribute, annotator: str) -> dict[int, int]:
    """Return the current votes of an annotator by row, those that are set aside included."""
    votes, own = tasks.votes(workspace, attribute, set_aside=True), workspace.annotations.annotator(annotator)
    mine = votes.annotators == own
    return dict(zip(votes.rows[mine].tolist(), votes.answers[mine].tolist(), strict=True))


def _attribute(workspace: Workspace, column: str, name: str) -> tuple[Attribute, bool]:
    with contextlib.suppress(NotFound):
        return workspace.attributes.get(column), False
    return workspace.attributes.add(column, "own", f"Does it show this: {name.replace('_', ' ')}?"), True
