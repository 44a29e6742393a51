"""A dataset as BAM's published SQLite tables.

The file has the tables ``modules``, ``scores``, ``crowd_labels``, ``automatic_labels``, ``crowd_raw_hits``,
``crowd_raw_choices`` and ``crowd_raw_captions`` as published by BAM (Wilber et al., ICCV 2017), so that programs that
read BAM can read it. ``automatic_labels`` holds what is delivered: "positive" for images labelled yes, and for those
without a label at or above the threshold. Six tables add what BAM's leave out: ``label_reasons`` says of each of these
labels whether it is by people or by the classifier, ``projects`` holds the names behind ``project_id``,
``attributes`` the questions, the evidence for each threshold, and of which encoder and model it is, ``adjudications``
the decisions on disputed images, which are no raw choices, ``set_aside`` the answers that a reviewer has set aside,
which do not count, and ``images_without_file`` the images whose file is missing or replaced. For generated images,
``generated`` holds the notice and ``workers`` says who is simulated.
"""

import contextlib
import errno
import re
import sqlite3
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np

from bam_engine.errors import ExchangeError
from bam_engine.exchange.dataset import NEGATIVE, POSITIVE, Dataset, Hit
from bam_engine.files import check_output, replacing
from bam_engine.progress import Report, silent

_SUFFIXES = (".sqlite", ".sqlite3", ".db")
_OTHER_KIND = re.compile(
    r"\.(?!v\d)[a-z][a-z0-9]*"
)  # of a file: the end of “labels.csv”, not of “dataset-1.0” or “set.v2”
_TABLES = """
create table modules (mid int primary key, project_id int, src text, mature_content boolean, license text);
create table projects (project_id int primary key, name text);
create table images_without_file (mid int primary key, file text);
create table attributes (name text primary key, kind text, question text, instructions text, positive_from real,
    negative_to real, evidence text, encoder text, encoder_key text, model text, trained text, standing text,
    others text);
create table guideline_examples (mid int, attribute text, kind text, note text, primary key (mid, attribute));
create table crowd_labels (mid int, attribute text, label text, primary key (mid, attribute));
create table crowd_raw_hits (assignment_id text, attribute text, worker_id text, n_clicks int, n_seconds real,
    last_modified text);
create table crowd_raw_choices (assignment_id text, mid int, attribute text, label bool);
create table adjudications (mid int, attribute text, worker_id text, label bool, last_modified text);
create table set_aside (mid int, attribute text, worker_id text, label bool, last_modified text);
create table crowd_raw_captions (assignment_id text, mid int, attribute text, caption text, label bool);
"""


def write_bam_sqlite(dataset: Dataset, path: Path, *, report: Report = silent) -> Path:
    """Write ``dataset`` to ``path``, atomically; of existing files, an earlier dataset alone is replaced.

    ``crowd_raw_choices.label`` is 1 for yes, 0 for no and null for unsure. ``n_clicks`` counts the marked images: a
    click in the grid marks one.

    Raises
    ------
    ExchangeError
        The file cannot be written, is called like a file of another kind, or exists and is no dataset.
    """
    _check_name(path)
    steps = ("images", "scores", "labels by people", "decisions")
    try:
        _check_replaced(path)
        with replacing(path) as temporary, contextlib.closing(sqlite3.connect(temporary)) as connection:
            connection.executescript(_TABLES)
            for done, (step, write) in enumerate(zip(steps, _WRITERS, strict=True)):
                report(done, len(steps), step)
                write(connection, dataset)
            if dataset.generated:
                _write_generated(connection, dataset)
            connection.commit()
    except (OSError, sqlite3.Error) as error:
        raise ExchangeError(f"Cannot write {path}: {getattr(error, 'strerror', None) or error}.") from error
    report(len(steps), len(steps), str(path))
    return path


def _check_name(path: Path) -> None:
    """Raise an error where a path is called like a file of another kind, or is a folder."""
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES and _OTHER_KIND.fullmatch(suffix):
        raise ExchangeError(
            f"The dataset is one SQLite file, and {path.name} is called like a file of another kind. Name another "
            "file, which ends in .sqlite."
        )
    if path.is_dir():
        raise ExchangeError(f"The dataset is one SQLite file, and {path} is a folder. Name a file, or write CSV files.")


def _check_replaced(path: Path) -> None:
    """Raise an error where a file exists that is no dataset."""
    if _is_dataset(path):
        return
    check_output(path)
    if path.is_file() and path.stat().st_size:
        raise FileExistsError(errno.EEXIST, "it exists and is no dataset, and is not replaced. Name another file")


def _is_dataset(path: Path) -> bool:
    """Return whether a file is a dataset that was written before."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:
            question = "select 1 from sqlite_master where type = 'table' and name = 'crowd_raw_choices'"
            return connection.execute(question).fetchone() is not None
    except sqlite3.Error:
        return False


def _write_generated(connection: sqlite3.Connection, dataset: Dataset) -> None:
    workers = {hit.annotator: hit.simulated for attribute in dataset.attributes for hit in attribute.hits}
    connection.execute("create table generated (notice text)")
    connection.execute("insert into generated values (?)", (dataset.generated,))
    connection.execute("create table workers (worker_id text primary key, simulated bool)")
    connection.executemany("insert into workers values (?, ?)", workers.items())


def _write_images(connection: sqlite3.Connection, dataset: Dataset) -> None:
    names = sorted({image.project_id for image in dataset.images if image.project_id is not None})
    codes = {name: code for code, name in enumerate(names, start=1)}
    connection.executemany("insert into projects values (?, ?)", ((code, name) for name, code in codes.items()))
    connection.executemany(
        "insert into modules values (?, ?, ?, ?, ?)",
        (
            (image.id, codes.get(image.project_id or ""), image.uri, image.mature_content, image.license)
            for image in dataset.images
        ),
    )
    connection.executemany(
        "insert into images_without_file values (?, ?)",
        ((image.id, image.file) for image in dataset.images if image.file != "ok"),
    )


def _write_scores(connection: sqlite3.Connection, dataset: Dataset) -> None:
    scored = [(attribute.name, attribute.scores) for attribute in dataset.attributes if attribute.scores is not None]
    columns = [[None if np.isnan(score) else float(score) for score in scores] for _, scores in scored]
    _write_wide(connection, "scores", "real", [name for name, _ in scored], dataset, columns)


def _write_decisions(connection: sqlite3.Connection, dataset: Dataset) -> None:
    decided = [(attribute.name, list(attribute.automatic)) for attribute in dataset.attributes if attribute.automatic]
    columns = [labels for _, labels in decided]
    _write_wide(connection, "automatic_labels", "text", [name for name, _ in decided], dataset, columns)
    known = [(attribute.name, list(attribute.why)) for attribute in dataset.attributes if attribute.why]
    _write_wide(connection, "label_reasons", "text", [name for name, _ in known], dataset, [why for _, why in known])
    connection.executemany(
        "insert into attributes values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                attribute.name,
                attribute.kind,
                attribute.question,
                attribute.instructions,
                attribute.decision.positive_from,
                attribute.decision.negative_to,
                attribute.decision.evidence,
                *astuple(attribute.source),
            )
            for attribute in dataset.attributes
        ),
    )
    connection.executemany(
        "insert into guideline_examples values (?, ?, ?, ?)",
        (
            (dataset.images[example.image].id, attribute.name, example.kind, example.note)
            for attribute in dataset.attributes
            for example in attribute.examples
        ),
    )


def _write_wide(
    connection: sqlite3.Connection,
    table: str,
    kind: str,
    names: list[str],
    dataset: Dataset,
    columns: Iterable[list[Any]],
) -> None:
    definitions = "".join(f', "{name}" {kind}' for name in names)
    connection.execute(f"create table {table} (mid int primary key{definitions})")
    placeholders = ", ".join("?" * (1 + len(names)))
    connection.executemany(
        f"insert into {table} values ({placeholders})",
        zip((image.id for image in dataset.images), *columns, strict=True),
    )


def _write_crowd(connection: sqlite3.Connection, dataset: Dataset) -> None:
    for attribute in dataset.attributes:
        connection.executemany(
            "insert into crowd_labels values (?, ?, ?)",
            ((dataset.images[image].id, attribute.name, label) for image, label in sorted(attribute.crowd.items())),
        )
        for hit in attribute.hits:
            if hit.set_aside or hit.decides:
                table = "set_aside" if hit.set_aside else "adjudications"
                _write_apart(connection, table, dataset, attribute.name, hit)
                continue
            clicks = sum(choice.answer != NEGATIVE for choice in hit.choices)
            connection.execute(
                "insert into crowd_raw_hits values (?, ?, ?, ?, ?, ?)",
                (hit.assignment_id, attribute.name, hit.annotator, clicks, hit.n_seconds, hit.last_modified),
            )
            connection.executemany(
                "insert into crowd_raw_choices values (?, ?, ?, ?)",
                (
                    (hit.assignment_id, dataset.images[choice.image].id, attribute.name, _as_bool(choice.answer))
                    for choice in hit.choices
                ),
            )
    connection.executemany(
        "insert into crowd_raw_captions values (?, ?, null, ?, null)",
        ((caption.annotator, dataset.images[caption.image].id, caption.caption) for caption in dataset.captions),
    )


def _write_apart(connection: sqlite3.Connection, table: str, dataset: Dataset, attribute: str, hit: Hit) -> None:
    """Write answers that are no votes to a table of their own."""
    connection.executemany(
        f"insert into {table} values (?, ?, ?, ?, ?)",
        (
            (dataset.images[choice.image].id, attribute, hit.annotator, _as_bool(choice.answer), hit.last_modified)
            for choice in hit.choices
        ),
    )


def _as_bool(answer: str) -> int | None:
    return {POSITIVE: 1, NEGATIVE: 0}.get(answer)


_WRITERS = (_write_images, _write_scores, _write_crowd, _write_decisions)
