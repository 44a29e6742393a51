"""One image of BAM's file with all that the file says of it, and how far the crowd agrees about an attribute.

In:  the arrays of a file, the number of an image or the name of an attribute. Out: values for people. What single
workers said is read from the file when it is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import NEGATIVE, POSITIVE, UNSURE, Answers
from bam_engine.collection import bam_file
from bam_engine.errors import NotFound
from bam_engine.labelling.agreement import agreement_of_votes
from bam_engine.labelling.measures import Measure
from bam_engine.published.arrays import Arrays
from bam_engine.published.lines import lines_of
from bam_engine.published.parts import positions_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

_ANSWERS = {1: POSITIVE, 0: NEGATIVE, None: UNSURE}
_WORDS = {1: "yes", 0: "no", None: "unsure"}
_NOBODY = "unknown"


@dataclass(frozen=True)
class ImageAttribute:
    """What the file says of an image about one attribute; None where it says nothing.

    ``place`` is the share of scored images with a lower score; ``automatic`` and ``crowd`` are labels; ``yes``, ``no``
    and ``unsure`` count the choices of workers.
    """

    name: str
    place: float | None
    automatic: str | None
    crowd: str | None
    yes: int
    no: int
    unsure: int


@dataclass(frozen=True)
class FileImage:
    """An image of BAM's file.

    ``choices`` are (attribute, worker, answer), ``captions`` (worker, text), both in the order of the file.
    """

    mid: int
    url: str
    project: str
    licence: str
    mature: bool
    attributes: tuple[ImageAttribute, ...]
    choices: tuple[tuple[str, str, str], ...]
    captions: tuple[tuple[str, str], ...]


_AGREEMENTS = Kind[tuple[Measure, Measure]](
    "agreement of the workers of BAM's file", of="attribute", until="the file changes", limit=40
)


def image_of(arrays: Arrays, mid: int) -> FileImage:
    """Return all that the file says of an image.

    Raises
    ------
    NotFound
        The file has no such image.
    CollectionError
        The file cannot be read, or has changed since its arrays were made.
    """
    position = int(np.searchsorted(arrays.mids, mid))
    if position == len(arrays) or arrays.mids[position] != mid:
        raise NotFound(f"{arrays.file.name} has no image {mid}.")
    names = [one.name for one in arrays.contents.attributes]
    (line,) = lines_of(arrays, np.array([position]), names)
    attributes = []
    for name in names:
        lines = arrays.lines_of(name)
        at = np.flatnonzero(arrays.positions[lines] == position)
        yes, no, unsure = arrays.counts[lines][at].sum(axis=0).tolist() if len(at) else (0, 0, 0)
        place, automatic, crowd = (line[f"{name}_{what}"] for what in ("place", "automatic", "crowd"))
        attributes.append(ImageAttribute(name, place, automatic, crowd, yes, no, unsure))
    choices, captions = _said(arrays, mid)
    return FileImage(
        mid=mid,
        url=str(line["url"] or ""),
        project=str("" if line["project"] is None else line["project"]),
        licence=str(line["license"] or ""),
        mature=bool(line["mature"]),
        attributes=tuple(attributes),
        choices=choices,
        captions=captions,
    )


def _said(arrays: Arrays, mid: int) -> tuple[tuple[tuple[str, str, str], ...], tuple[tuple[str, str], ...]]:
    """Return the choices and the captions of single workers about an image."""
    choices: list[tuple[str, str, str]] = []
    captions: list[tuple[str, str]] = []
    with arrays.connection() as connection:
        has_hits = bam_file.has_table(connection, "crowd_raw_hits")
        workers = "(SELECT h.worker_id FROM crowd_raw_hits h WHERE h.assignment_id = c.assignment_id)"
        worker = workers if has_hits else "NULL"
        if bam_file.has_table(connection, "crowd_raw_choices"):
            query = f"SELECT c.attribute, {worker}, c.label FROM crowd_raw_choices c WHERE c.mid = ? ORDER BY c.rowid"
            for attribute, who, label in connection.execute(query, (mid,)):
                choices.append((str(attribute), str(who or _NOBODY), _WORDS.get(label, str(label))))
        if bam_file.has_table(connection, "crowd_raw_captions"):
            query = f"SELECT {worker}, c.caption FROM crowd_raw_captions c WHERE c.mid = ? ORDER BY c.rowid"
            captions += [(str(who or _NOBODY), str(text or "")) for who, text in connection.execute(query, (mid,))]
    return tuple(choices), tuple(captions)


def agreement_about(workspace: Workspace, arrays: Arrays, attribute: str) -> tuple[Measure, Measure]:
    """Return how far the workers of the file agree about an attribute: raw agreement, and Krippendorff's alpha.

    Every choice whose assignment names its worker counts; if a worker has answered about an image twice, the later row
    does. Each has its 95% interval, by project: see :func:`bam_engine.labelling.agreement.agreement_of_votes`.

    Raises
    ------
    CollectionError
        The file cannot be read, lacks the tables of choices and assignments, or has changed since.
    """

    def measured() -> tuple[Measure, Measure]:
        answers, projects = _votes(arrays, attribute)
        return agreement_of_votes(answers, projects)

    return workspace.memory.get(_AGREEMENTS, attribute, arrays.key, measured)


def _votes(arrays: Arrays, attribute: str) -> tuple[Answers, NDArray[np.int64]]:
    """Return the votes about an attribute, by position, and the project of every position that has one."""
    with arrays.connection() as connection:
        for table in ("crowd_raw_choices", "crowd_raw_hits"):
            bam_file.check_table(connection, arrays.file, table, ("assignment_id",))
        workers = dict(connection.execute("SELECT assignment_id, worker_id FROM crowd_raw_hits"))
        query = (  # in the order of the choices: a cross join is not turned round
            "SELECT c.mid, c.assignment_id, c.label, m.project_id FROM crowd_raw_choices c "
            "CROSS JOIN modules m ON m.mid = c.mid WHERE c.attribute = ?"
        )
        lines = [
            (mid, workers[key], _ANSWERS[label], project)
            for mid, key, label, project in connection.execute(query, (attribute,))
            if isinstance(mid, int) and label in _ANSWERS and workers.get(key)
        ]
    rows, known = positions_of(arrays.mids, np.array([line[0] for line in lines], np.int64))
    lines, rows = [line for line, there in zip(lines, known.tolist(), strict=True) if there], rows[known]
    people = _numbered([line[1] for line in lines])
    projects = np.zeros(len(arrays), np.int64)
    projects[rows] = _numbered([line[3] for line in lines])
    answers = np.array([line[2] for line in lines], np.int8)
    order = np.argsort(rows, kind="stable")
    return Answers(rows[order], people[order], answers[order]), projects


def _numbered(values: Sequence[object]) -> NDArray[np.int64]:
    """Return a number for each different value."""
    numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
    return np.array([numbers[value] for value in values], np.int64)
