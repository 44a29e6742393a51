"""The pictures in a Parquet file, as the library ``datasets`` writes them.

In:  a Parquet file with a column of {bytes, path}, or of bytes. Out: members, as :mod:`.members` describes them; other
columns tell of the pictures by their names.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from bam_engine.archives.members import Contents, Member, details_from, size_problem
from bam_engine.errors import CollectionError
from bam_engine.files import open_ordinary

_ROWS = 32  # in memory at once
_USUAL = ("image", "images", "img", "picture", "jpg", "png")  # columns of plain bytes


def open_parquet(path: Path) -> Contents:
    """Return the contents of a Parquet file.

    Raises
    ------
    CollectionError
        It cannot be read, or has no column of pictures.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = open_ordinary(path)
    try:
        table = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        file.close()
        raise CollectionError(f"{path.name} is not a Parquet file, or is damaged ({error}).") from error
    pictures = [field.name for field in table.schema_arrow if _holds_pictures(field)]
    if not pictures:
        file.close()
        names = ", ".join(map(repr, table.schema_arrow.names[:20])) or "none"
        raise CollectionError(
            f"{path.name} holds no pictures: no column has bytes and path, or is named image and has bytes. Its "
            f"columns are {names}. A column of URLs is read by `bam urls`."
        )
    simple = [field.name for field in table.schema_arrow if not pa.types.is_nested(field.type)]
    read = [*pictures, *(name for name in simple if name not in pictures)]
    contents = Contents(iter(()), table.metadata.num_rows)
    contents.members = _members(table, file, read, pictures, contents)
    return contents


def _holds_pictures(field: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(field.type):
        return bool(field.type.get_field_index("bytes") >= 0)
    binary = pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
    return bool(binary and field.name.lower() in _USUAL)


def _members(table: Any, file: Any, read: list[str], pictures: list[str], contents: Contents) -> Iterator[Member]:
    import pyarrow as pa

    number = 0
    try:
        with file:
            for batch in table.iter_batches(_ROWS, columns=read):
                for row in batch.to_pylist():
                    number += 1
                    for name in pictures:
                        yield _member(number, name if len(pictures) > 1 else "", row.pop(name), row)
    except (pa.ArrowException, OSError) as error:
        contents.damage = f"The file is damaged after row {number:,} ({error}). What comes before was read."


def _member(number: int, column: str, value: Any, row: dict[str, Any]) -> Member:
    content = value.get("bytes") if isinstance(value, dict) else value
    path = value.get("path") if isinstance(value, dict) else None
    name = "-".join(filter(None, (f"{number:07}", column, PurePosixPath(str(path or "")).name)))
    if not content:
        reason = f"It holds the path {path} and no bytes." if path else "There is no picture in this row."
        return Member(name, problem=reason)
    problem = size_problem(len(content), None)
    return Member(name, problem=problem) if problem else Member(name, content, details_from(row))
