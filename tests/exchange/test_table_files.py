"""What is written as Parquet or JSON Lines is read back the same, by the usual readers."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from pyarrow import parquet

from bam_engine.exchange.image_table import ImageTable
from bam_engine.exchange.table_files import write_jsonl, write_parquet
from tests.exchange.image_tables import image_tables

TableAndRows = tuple[ImageTable, list[dict[str, Any]]]


@given(image_tables())
@settings(deadline=None)
def test_a_parquet_file_is_read_back_with_the_same_cells_and_types(table_and_rows: TableAndRows) -> None:
    table, rows = table_and_rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "images.parquet")
        write_parquet(table, path)
        read = parquet.read_table(path)
    assert read.to_pylist() == rows
    assert [(field.name, field.type) for field in read.schema] == [(field.name, field.type) for field in table.schema]


@given(image_tables())
@settings(deadline=None)
def test_json_lines_are_read_back_with_the_same_values(table_and_rows: TableAndRows) -> None:
    table, rows = table_and_rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "images.jsonl")
        write_jsonl(table, path)
        read = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    assert [list(line) for line in read] == [list(row) for row in rows]
    for line, row in zip(read, rows, strict=True):
        for name, value in row.items():
            found = np.float32(line[name]) if isinstance(value, float) else line[name]
            assert found == value, name


@given(image_tables())
@settings(deadline=None, max_examples=10)
def test_each_page_is_a_row_group_so_that_memory_holds_one(table_and_rows: TableAndRows) -> None:
    table, rows = table_and_rows
    seen: list[tuple[int, int | None]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "images.parquet")
        write_parquet(table, path, report=lambda done, total, message="": seen.append((done, total)))
        groups = parquet.ParquetFile(path).num_row_groups
    assert groups == -(-len(rows) // 3)
    assert seen == [(min(3 * (group + 1), len(rows)), len(rows)) for group in range(groups)]


def test_texts_are_plain_strings_to_the_reader() -> None:
    table = ImageTable(0, [], lambda: iter([]), np.empty(0, np.int8))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "images.parquet")
        write_parquet(table, path)
        assert parquet.read_schema(path).field("split").type == pa.string()
