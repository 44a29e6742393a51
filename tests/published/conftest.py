"""A small file of BAM's, every line of which a test can name."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bam_engine.published import Arrays, make_arrays
from bam_engine.workspace import Workspace

CAT, INK = "content_cat", "media_pen_ink"
TABLES = {
    "modules": "mid int, project_id int, src text, mature_content boolean, license text",
    "scores": f"mid int, {CAT} real, {INK} real",
    "automatic_labels": f"mid int, {CAT} text, {INK} text",
    "crowd_labels": "mid int, attribute text, label text",
    "crowd_raw_hits": "assignment_id text, attribute text, worker_id text, n_clicks int, n_seconds real, "
    "last_modified text",
    "crowd_raw_choices": "assignment_id text, mid int, attribute text, label bool",
    "crowd_raw_captions": "assignment_id text, mid int, attribute text, caption text, label bool",
}
LINES: dict[str, list[tuple[Any, ...]]] = {
    "modules": [
        (10, 1, "https://images.example/10.jpg", 0, "CC BY"),
        (20, 1, "https://images.example/20.jpg", 1, None),
        (30, 2, "https://images.example/30.jpg", 0, "CC0"),
        (40, 3, None, 0, "CC0"),
    ],
    "scores": [(10, -1.0, -4.0), (20, -2.0, -3.0), (30, -3.0, -1.0), (40, -4.0, None)],
    "automatic_labels": [
        (10, "positive", "negative"),
        (20, "unsure", "negative"),
        (30, "negative", "positive"),
        (40, None, None),
    ],
    "crowd_labels": [(10, CAT, "positive"), (20, CAT, "negative"), (30, INK, "positive")],
    "crowd_raw_hits": [("a", CAT, "W1", 1, 2.5, ""), ("b", CAT, "W2", 1, 2.5, ""), ("c", INK, "W1", 1, 2.5, "")],
    "crowd_raw_choices": [
        ("a", 10, CAT, 1),
        ("b", 10, CAT, 1),
        ("a", 20, CAT, 0),
        ("b", 20, CAT, None),
        ("c", 30, INK, 1),
    ],
    "crowd_raw_captions": [("a", 10, CAT, "An old cat", 1), ("b", 20, CAT, "Old paper", 1), ("b", 20, CAT, "A CAT", 1)],
}
WriteFile = Callable[..., Path]


def write_file(file: Path, lines: Mapping[str, Sequence[tuple[Any, ...]]], tables: Mapping[str, str]) -> Path:
    """Write a file with these tables; the lines of a table that it does not have are left out."""
    with closing(sqlite3.connect(file)) as connection, connection:
        for table, columns in tables.items():
            connection.execute(f"create table {table} ({columns})")
            for line in lines.get(table, ()):
                connection.execute(f"insert into {table} values ({', '.join('?' * len(line))})", line)
    return file


@pytest.fixture
def write_bam(tmp_path: Path) -> WriteFile:
    """Give a function that writes the small file, with other lines or tables where they are given; None is no table."""

    def write(name: str = "bam.sqlite", tables: Mapping[str, str | None] | None = None, **lines: Any) -> Path:
        merged = {**TABLES, **(tables or {})}
        return write_file(tmp_path / name, {**LINES, **lines}, {key: one for key, one in merged.items() if one})

    return write


@pytest.fixture
def empty_workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace(tmp_path / "workspace", tmp_path / "cache")
    yield opened
    opened.close()


@pytest.fixture
def arrays(empty_workspace: Workspace, write_bam: WriteFile) -> Arrays:
    """The arrays of the small file."""
    return make_arrays(empty_workspace, write_bam())
