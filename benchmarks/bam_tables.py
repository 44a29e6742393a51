"""A SQLite file with BAM's tables at their published size, and generated contents.

In:  a path and a share of the size. Out: the file. Each label has two or three choices of different assignments, which
mostly agree; few workers do most of the assignments, as on any crowdsourcing site; automatic labels are a view of the
scores. The URLs lead nowhere.
"""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import BAM_ATTRIBUTES

ATTRIBUTES = tuple(template.name for template in BAM_ATTRIBUTES)
_WORKERS = 1_500  # BAM does not tell how many there were
_AGREE = 0.9  # of choices with the label
_POSITIVE = 0.4
_EMPTY = 0.01  # choices without an answer
_CAPTION = (
    ("A", "An old", "A bright", "A dark", "A small", "Some", "A hand-drawn", "A blurred", "A single", "Two"),
    ("cat", "bicycle", "bird", "poster", "portrait", "street", "tree", "letter", "cup", "building", "dog", "flower"),
    ("beside", "behind", "in front of", "under", "above", "next to", "without", "with"),
    ("a red wall", "the sea", "a window", "white paper", "a crowd", "tall grass", "a table", "nothing else", "a lamp"),
)
_TABLES = {
    "modules": "mid int primary key, project_id int, src text, mature_content boolean, license text",
    "scores": f"mid int primary key, {', '.join(f'{name} real' for name in ATTRIBUTES)}",
    "crowd_labels": "mid int, attribute text, label text, primary key (mid, attribute)",
    "crowd_raw_hits": "assignment_id text, attribute text, worker_id text, n_clicks int, n_seconds real, "
    "last_modified text",
    "crowd_raw_choices": "assignment_id text, mid int, attribute text, label bool",
    "crowd_raw_captions": "assignment_id text, mid int, attribute text, caption text, label bool",
}


@dataclass(frozen=True)
class Size:
    """How much a file holds; by default as much as BAM's."""

    modules: int = 2_289_817
    labels: int = 393_022
    choices: int = 819_476
    hits: int = 24_314
    captions: int = 74_582

    def times(self, share: float) -> "Size":
        """Return a share of this size."""
        return Size(*(max(len(ATTRIBUTES), int(share * getattr(self, name))) for name in self.__dataclass_fields__))


def write_bam_file(file: Path, size: Size, *, seed: int = 0) -> None:
    """Write a file of a size; the same seed gives the same contents."""
    rng = np.random.default_rng(seed)
    mids = 1_000_000 + np.cumsum(rng.integers(1, 20, size.modules))
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for table, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({columns})")
        decided = (
            f"CASE WHEN {name} > -1 THEN 'positive' WHEN {name} < -3 THEN 'negative' ELSE 'unsure' END AS {name}"
            for name in ATTRIBUTES
        )
        connection.execute(f"CREATE VIEW automatic_labels AS SELECT mid, {', '.join(decided)} FROM scores")
        with connection:
            _insert(connection, "modules", _modules(mids, rng))
            for first in range(0, len(mids), 50_000):
                part = mids[first : first + 50_000]
                scores = -np.abs(rng.normal(2.0, 1.0, (len(part), len(ATTRIBUTES)))).round(4)
                _insert(
                    connection,
                    "scores",
                    ((mid, *line) for mid, line in zip(part.tolist(), scores.tolist(), strict=True)),
                )
            _write_crowd(connection, mids, size, rng)


def _modules(mids: NDArray[np.int64], rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    projects = np.cumsum(rng.random(len(mids)) < 0.2)
    mature = rng.random(len(mids)) < 0.02
    for mid, project, flag in zip(mids.tolist(), projects.tolist(), mature.tolist(), strict=True):
        yield (
            mid,
            project,
            f"https://images.example/project_modules/disp/{mid * 2654435761 % 2**48:012x}.{mid}.jpg",
            flag,
            "CC BY-NC",
        )


def _write_crowd(connection: sqlite3.Connection, mids: NDArray[np.int64], size: Size, rng: np.random.Generator) -> None:
    """Write what workers answered: each attribute has the same share of labels, choices, hits and captions."""
    shares = np.linspace(0, 1, len(ATTRIBUTES) + 1)
    of_each = zip(
        *(np.diff((shares * total).astype(int)) for total in (size.labels, size.choices, size.hits, size.captions)),
        strict=True,
    )
    popularity = 1 / np.arange(1, _WORKERS + 1)
    popularity /= popularity.sum()
    number = itertools.count()
    for attribute, (labels, choices, hits, captions) in zip(ATTRIBUTES, of_each, strict=True):
        images = rng.choice(mids, labels, replace=len(mids) < labels)
        images = np.unique(images)
        truth = rng.random(len(images)) < _POSITIVE
        _insert(
            connection,
            "crowd_labels",
            (
                (mid, attribute, "positive" if yes else "negative")
                for mid, yes in zip(images.tolist(), truth.tolist(), strict=True)
            ),
        )
        order = np.concatenate([rng.permutation(len(images)) for _ in range(1 + choices // len(images))])[:choices]
        said = truth[order] ^ (rng.random(choices) > _AGREE)
        empty = rng.random(choices) < _EMPTY
        keys = [f"A{next(number):013d}" for _ in range(hits)]
        hit_of = np.arange(choices) * hits // choices
        workers = rng.choice(_WORKERS, hits, p=popularity)
        _insert(
            connection,
            "crowd_raw_hits",
            (
                (key, attribute, f"W{worker:05d}", 34, 61.5, "2016-08-01 12:00:00")
                for key, worker in zip(keys, workers.tolist(), strict=True)
            ),
        )
        _insert(
            connection,
            "crowd_raw_choices",
            (
                (keys[hit], mid, attribute, None if none else yes)
                for hit, mid, yes, none in zip(
                    hit_of.tolist(), images[order].tolist(), said.tolist(), empty.tolist(), strict=True
                )
            ),
        )
        described = rng.choice(choices, captions, replace=captions > choices)
        words = [rng.choice(part, captions) for part in _CAPTION]
        _insert(
            connection,
            "crowd_raw_captions",
            (
                (keys[hit_of[place]], int(images[order[place]]), attribute, " ".join(text), True)
                for place, *text in zip(described.tolist(), *words, strict=True)
            ),
        )


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    places = ", ".join("?" * (1 + _TABLES[table].count(",") - ("primary key (" in _TABLES[table]) * 2))
    connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
