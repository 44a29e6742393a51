"""Exporting the labels of an attribute as a table: the consensus and the votes of each image."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import NEGATIVE, POSITIVE, UNSURE, Attribute
from bam_engine.database import log_export
from bam_engine.errors import ExchangeError
from bam_engine.files import check_output, replacing
from bam_engine.labelling import tasks
from bam_engine.spreadsheets import write_lines
from bam_engine.workspace.core import Workspace

ANSWERS = {POSITIVE: "yes", NEGATIVE: "no", UNSURE: "unsure"}
COLUMNS = ("path", "label", "yes", "no", "unsure", "decided", "file")


@dataclass(frozen=True)
class ImageLabel:
    """An image's label ("yes", "no", or "" if not settled), its votes, and whether an adjudicator decided.

    ``file`` is "ok", "missing" or "replaced".
    """

    row: int
    path: str
    label: str
    yes: int
    no: int
    unsure: int
    decided: bool
    file: str


def image_labels(workspace: Workspace, attribute: Attribute) -> list[ImageLabel]:
    """Return the label of every image with an answer or a decision, by row."""
    consensus = tasks.labels(workspace, attribute)
    images = workspace.catalogue.images(consensus.rows)
    lines = zip(images, consensus.labels, consensus.counts, consensus.decided, strict=True)
    return [
        ImageLabel(
            image.row,
            image.uri,
            "" if label < 0 else ANSWERS[int(label)],
            *_integers(votes),
            bool(decided),
            image.status,
        )
        for image, label, votes, decided in lines
    ]


def write_labels(workspace: Workspace, attribute: Attribute, file: Path, *, raw_text: bool = False) -> int:
    """Write the labels of an attribute to a CSV that ``import_labels`` reads; return the number of lines.

    No path starts a formula in a spreadsheet (:mod:`bam_engine.spreadsheets`), unless ``raw_text`` is asked for.

    Raises
    ------
    ExchangeError
        The file cannot be written.
    """
    lines = image_labels(workspace, attribute)
    try:
        check_output(file)
        with replacing(file) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
            table = [[getattr(line, name) for name in COLUMNS] for line in lines]
            write_lines(stream, [COLUMNS, *table], raw_text=raw_text)
    except OSError as error:
        raise ExchangeError(f"Cannot write {file}: {error.strerror or error}.") from error
    log_export(workspace.engine, f"the labels of {attribute.name} to {file}")
    return len(lines)


def _integers(votes: NDArray[np.int64]) -> tuple[int, int, int]:
    yes, no, unsure = (int(number) for number in votes)
    return yes, no, unsure
