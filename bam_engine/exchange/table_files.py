"""An :class:`~bam_engine.exchange.image_table.ImageTable` as a Parquet file or as JSON Lines, written page by page."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from bam_engine.exchange.image_table import ImageTable
from bam_engine.progress import Report, silent

_LINES = 4096  # made at a time


def write_parquet(table: ImageTable, path: Path, *, report: Report = silent) -> None:
    """Write ``table`` to ``path``: one row group per page, compressed with Zstandard.

    Texts are plain strings to whoever reads the file; they are stored as dictionaries.
    """
    from pyarrow import parquet

    done = 0
    with parquet.ParquetWriter(path, _stored_schema(table), compression="zstd", store_schema=False) as writer:
        for batch in table.batches():
            writer.write_batch(batch)
            done += batch.num_rows
            report(done, table.images, "images")


def _stored_schema(table: ImageTable) -> pa.Schema:
    """Return the schema of the batches, in which texts with few values are dictionaries."""
    few = {"split", *(f"{each.name}_{end}" for each in table.attributes for end in ("crowd", "label", "why"))}
    of_texts = pa.dictionary(pa.int8(), pa.string())
    return pa.schema([pa.field(field.name, of_texts) if field.name in few else field for field in table.schema])


def write_jsonl(table: ImageTable, path: Path, *, report: Report = silent) -> None:
    """Write ``table`` to ``path`` in UTF-8: one JSON object per line, with every column; a missing value is null."""
    done = 0
    with path.open("wb") as file:
        for batch in table.batches():
            for start in range(0, batch.num_rows, _LINES):
                write_json_lines(batch.slice(start, _LINES), file)
            done += batch.num_rows
            report(done, table.images, "images")


def write_json_lines(batch: pa.RecordBatch, file: IO[bytes]) -> None:
    """Write each row of a batch as a JSON object on a line of its own."""
    parts = []
    for number, (name, column) in enumerate(zip(batch.schema.names, batch.columns, strict=True)):
        key = ("{" if number == 0 else ", ") + json.dumps(name, ensure_ascii=False) + ": "
        parts += [pa.scalar(key), pc.fill_null(_as_json(column), "null")]
    lines = pc.binary_join_element_wise(*parts, pa.scalar("}\n"), pa.scalar(""))
    file.writelines(line.encode() for line in lines.to_pylist())


def _as_json(column: pa.Array) -> pa.Array:
    """Return each value as JSON, a text; null stays null."""
    if isinstance(column, pa.DictionaryArray):
        words = pa.array([_quoted(word) for word in column.dictionary.to_pylist()], pa.string())
        return pa.DictionaryArray.from_arrays(column.indices, words).cast(pa.string())
    if pa.types.is_string(column.type):
        return pa.array([None if text is None else _quoted(text) for text in column.to_pylist()], pa.string())
    if pa.types.is_list(column.type):
        return pa.array([None if words is None else _quoted(words) for words in column.to_pylist()], pa.string())
    return column.cast(pa.string())


_quoted: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False).encode
