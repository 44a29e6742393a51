"""Lists of URLs: CSV, TSV, Parquet, JSON lines, plain text and BAM's SQLite.

In:  a file, and which columns hold what. Out: its lines one after the other, in memory that does not grow with the
file. A line that is damaged gives a line without a URL, and hides none of the others.
"""

import csv
import io
import json
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from bam_engine.collection import bam_file
from bam_engine.collection.files import MAX_PROJECT, NO, YES
from bam_engine.collection.texts import printable
from bam_engine.errors import CollectionError
from bam_engine.files import open_ordinary
from bam_engine.spreadsheets import from_cell
from bam_engine.typed_paths import typed_path

SUFFIXES: Mapping[str, str] = {
    ".csv": "CSV",
    ".tsv": "TSV",
    ".tab": "TSV",
    ".parquet": "Parquet",
    ".jsonl": "JSON lines",
    ".ndjson": "JSON lines",
    ".txt": "text",
    ".urls": "text",
    **dict.fromkeys(bam_file.SUFFIXES, "BAM's SQLite"),
}
"""The formats of lists by the suffix of the file."""

_NAMES: Mapping[str, tuple[str, ...]] = {  # of columns, in lower case, the likeliest first
    "url": ("url", "image_url", "src", "image", "link", "href", "uri"),
    "title": ("title", "caption", "alt", "name"),
    "project": ("project", "project_id", "author", "artist", "user"),
    "license": ("license", "licence", "rights"),
    "mature": ("mature", "mature_content", "nsfw"),
}
_MAX_LINE = 100_000  # characters
_MAX_LINES_OF_RECORD = 50  # lines that a text in quotes may span
_BATCH = 10_000  # rows of Parquet in memory
_SEEN = 100  # JSON lines by which the names of columns are known


@dataclass(frozen=True)
class Line:
    """A line of a list.

    Attributes
    ----------
    number
        Of the line in the file, from 1; of Parquet and BAM's SQLite, the row from 1.
    url
        As it is written; "" where there is none.
    problem
        Why the line cannot be read, "" if it can.
    """

    number: int
    url: str
    title: str | None = None
    project: str | None = None
    license: str | None = None
    mature: bool | None = None
    problem: str = ""


@dataclass(frozen=True)
class Columns:
    """The names of the columns that hold what; None where there is none."""

    url: str | None = None
    title: str | None = None
    project: str | None = None
    license: str | None = None
    mature: str | None = None


@dataclass(frozen=True)
class Preview:
    """What a list holds, as far as its beginning shows.

    Attributes
    ----------
    format
        In words.
    names
        The columns of the file; of a text, none.
    columns
        Which of them are read; ``url`` is None where none is named so, and none was chosen.
    lines
        The first lines.
    count
        The number of lines of the file, without that of the names: each is at most one URL.
    """

    format: str
    names: tuple[str, ...]
    columns: Columns
    lines: tuple[Line, ...]
    count: int


def check_list(file: str | Path) -> Path:
    """Return the path of a list of URLs.

    Raises
    ------
    CollectionError
        It is no file, or of none of the formats.
    """
    path = typed_path(str(file)).absolute()
    if path.suffix.lower() not in SUFFIXES:
        raise CollectionError(
            f"The format of {path.name} is not known. A list of URLs is a file whose name ends with "
            f"{', '.join(SUFFIXES)}."
        )
    try:
        open_ordinary(path).close()
    except OSError as error:
        raise CollectionError(f"Cannot read the list {path}: {error.strerror or error}.") from error
    return path


def preview(file: str | Path, columns: Columns | None = None, count: int = 5) -> Preview:
    """Return the first ``count`` lines of a list, and how many there are; ``columns`` as in :func:`read_list`.

    Raises
    ------
    CollectionError
        The file cannot be read, or lacks a column.
    """
    path = check_list(file)
    with _Opened(path) as opened:
        used = opened.columns(columns or Columns())
        lines = () if used.url is None else tuple(islice(_lines(opened, used), count))
        return Preview(SUFFIXES[path.suffix.lower()], opened.names, used, lines, opened.count_lines())


def read_list(file: str | Path, columns: Columns | None = None) -> Iterator[Line]:
    """Yield the lines of a list; empty ones are left out.

    Parameters
    ----------
    columns
        The columns to read; those that are None are guessed by their names, or not read.

    Raises
    ------
    CollectionError
        The file cannot be read, or lacks a column.

    Examples
    --------
    >>> [line.url for line in read_list("urls.txt")]  # doctest: +SKIP
    ['https://example.org/1.jpg', 'https://example.org/2.jpg']
    """
    with _Opened(check_list(file)) as opened:
        used = opened.columns(columns or Columns())
        if used.url is None:
            names = ", ".join(map(repr, opened.names[:20])) or "none"
            raise CollectionError(f"No column of {opened.path.name} is named url. Name one; there are: {names}.")
        yield from _lines(opened, used)


_Record = tuple[int, Sequence[Any] | str]  # the number of a line, and its values or what is wrong with it


class _Opened:
    """A list that is open, with the names of its columns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.format = SUFFIXES[path.suffix.lower()]
        self.names: tuple[str, ...] = ()
        self._file = open_ordinary(path)
        try:
            self._records = self._open()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "_Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _open(self) -> Iterator[_Record]:
        if self.format == "Parquet":
            return self._open_parquet()
        if self.format == "BAM's SQLite":
            self.names, self._rows = bam_file.MODULES, bam_file.count_modules(self.path)
            return enumerate(bam_file.modules(self.path), start=1)
        if self.format == "text":
            return ((number, [line]) for number, line in _text(self._file) if not line.startswith("#"))
        if self.format == "JSON lines":
            seen = [one for _, one in islice(_objects(self._file), _SEEN) if isinstance(one, dict)]
            self.names = tuple(dict.fromkeys(name for one in seen for name in one))
            self._file.seek(0)
            return self._values()
        lines = _text(self._file)
        first = next(lines, (0, ""))[1]
        delimiter = "\t" if self.format == "TSV" else ";" if first.count(";") > first.count(",") else ","
        self.names = tuple(name.strip() for name in next(csv.reader([first], delimiter=delimiter), []))
        if any(name.startswith(("http://", "https://")) for name in self.names):
            raise CollectionError(
                f"The first line of {self.path.name} holds a URL. Write the names of the columns there, or rename a "
                "plain list of URLs to .txt."
            )
        return _records(lines, delimiter)

    def _values(self) -> Iterator[_Record]:
        for number, one in _objects(self._file):
            yield number, one if isinstance(one, str) else [one.get(name) for name in self.names]

    def _open_parquet(self) -> Iterator[_Record]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.ParquetFile(self._file)
        except (pa.ArrowException, OSError) as error:
            raise CollectionError(f"{self.path.name} is not a Parquet file, or is damaged ({error}).") from error
        self.names = tuple(table.schema_arrow.names)
        self._rows = table.metadata.num_rows
        return self._parquet(table)

    def _parquet(self, table: Any) -> Iterator[_Record]:
        import pyarrow as pa

        number = 0
        wanted = [name for name in dict.fromkeys(self._wanted) if name in self.names]
        places = {name: place for place, name in enumerate(wanted)}
        try:
            for batch in table.iter_batches(_BATCH, columns=wanted):
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield number, [values[places[name]] if name in places else None for name in self.names]
        except (pa.ArrowException, OSError) as error:
            raise CollectionError(f"{self.path.name} is damaged after row {number:,} ({error}).") from error

    _wanted: tuple[str, ...] = ()
    _rows = 0

    def columns(self, chosen: Columns) -> Columns:
        """Return the columns to read: those that were chosen, and others by their names."""
        if self.format == "text":
            return Columns(url="")
        lower = {name.lower(): name for name in reversed(self.names)}
        found: dict[str, str | None] = {}
        for field in fields(Columns):
            name = getattr(chosen, field.name)
            if name and name not in self.names and name.lower() not in lower:
                raise CollectionError(
                    f"{self.path.name} has no column {name!r}. Its columns are {', '.join(map(repr, self.names))}."
                )
            guesses = (lower[guess] for guess in _NAMES[field.name] if guess in lower)
            found[field.name] = lower.get(name.lower(), name) if name else next(guesses, None)
            if name in self.names:
                found[field.name] = name
        self._wanted = tuple(name for name in found.values() if name)
        return Columns(**found)

    def records(self) -> Iterator[_Record]:
        """Yield the number and the values of each record."""
        return self._records

    def count_lines(self) -> int:
        """Return the number of records, or of lines where a record is one."""
        if self.format in ("Parquet", "BAM's SQLite"):
            return self._rows
        self._file.seek(0)
        ends, last = 0, b"\n"
        while block := self._file.read(1 << 20):
            ends += block.count(b"\n")
            last = block[-1:]
        return max(0, ends + (last != b"\n") - (self.format in ("CSV", "TSV")))


def _lines(opened: _Opened, used: Columns) -> Iterator[Line]:
    places = {name: place for place, name in reversed(list(enumerate(opened.names)))}
    at = {field.name: places.get(getattr(used, field.name) or "", -1) for field in fields(Columns)}
    if opened.format == "text":
        at["url"] = 0

    def value(values: Sequence[Any], name: str) -> Any:
        return values[at[name]] if 0 <= at[name] < len(values) else None

    for number, values in opened.records():
        if isinstance(values, str):
            yield Line(number, "", problem=values)
            continue
        url = _words(value(values, "url"))
        if url is None and not any(values):
            continue
        yield Line(
            number,
            url or "",
            _words(value(values, "title")),
            (_words(value(values, "project")) or "")[:MAX_PROJECT] or None,
            _words(value(values, "license")),
            _flag(value(values, "mature")),
        )


def _words(value: Any) -> str | None:
    """Return a value as a text that can be stored, or None."""
    if value is None or isinstance(value, (bytes, dict, list)):
        return None
    text = from_cell(str(value)).strip()
    return printable(text) if text else None


def _flag(value: Any) -> bool | None:
    """Return what a value says that means yes or no, or None."""
    if isinstance(value, (bool, int, float)):
        return bool(value) if value in (0, 1) else None
    word = str(value or "").strip().lower()
    return word in YES if word in YES | NO else None


def _text(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Yield number and content of the lines of a text; what is no UTF-8 is replaced, and an endless line is cut."""
    text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline=None)
    try:
        number = 0
        while line := text.readline(_MAX_LINE):
            number += 1
            yield number, line.removesuffix("\n")
            while len(line) == _MAX_LINE and not line.endswith("\n"):
                line = text.readline(_MAX_LINE)
    finally:
        with suppress(ValueError):  # the file is closed
            text.detach()


def _records(lines: Iterator[tuple[int, str]], delimiter: str) -> Iterator[_Record]:
    """Yield the records of CSV. A quote that is never closed ends with its line, and hides none of the others."""
    waiting: deque[tuple[int, str]] = deque()
    while True:
        record = [waiting.popleft()] if waiting else list(islice(lines, 1))
        if not record:
            return
        quotes = record[0][1].count('"')
        while quotes % 2 and len(record) < _MAX_LINES_OF_RECORD:
            more = [waiting.popleft()] if waiting else list(islice(lines, 1))
            if not more:
                break
            quotes += more[0][1].count('"')
            record += more
        if quotes % 2:
            waiting.extendleft(reversed(record[1:]))
            record = record[:1]
        yield from _parsed(record, delimiter)


def _parsed(record: list[tuple[int, str]], delimiter: str) -> Iterator[_Record]:
    reader = csv.reader((f"{text}\n" for _, text in record), delimiter=delimiter)
    while True:
        number = record[min(reader.line_num, len(record) - 1)][0]
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, f"The line is not valid CSV ({error})."
            continue
        if values:
            yield number, values


def _objects(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield the objects of JSON lines, and what is wrong with a line that is none."""
    for number, line in _text(file):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        yield number, found if isinstance(found, dict) else "The line is no JSON object."


def file_state(path: Path) -> str:
    """Return what tells whether a file has changed: its place, size and time."""
    status = os.stat(path)  # noqa: PTH116
    return f"{path} {status.st_size} {status.st_mtime_ns}"
