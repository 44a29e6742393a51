"""Labels that were made elsewhere, read from a table: a path and an answer on each line.

In:  a CSV or Parquet file, or values in memory. Out: paths with answers, or an error that names every line that cannot
be read. Knows no store.
"""

import csv
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bam_engine.annotation import NEGATIVE, POSITIVE, UNSURE
from bam_engine.errors import ExchangeError
from bam_engine.files import check_ordinary, text_lines
from bam_engine.spreadsheets import from_cell

YES = frozenset({"yes", "y", "true", "t", "1", "1.0", "positive"})
NO = frozenset({"no", "n", "false", "f", "0", "0.0", "negative"})
IN_DOUBT = frozenset({"unsure"})
_SEPARATOR = re.compile(r"sep=([,;\t])\s*", re.IGNORECASE)  # the first line of some files that Excel wrote
_WORKBOOKS = frozenset({".xlsx", ".xls", ".xlsm", ".ods"})
_LISTED = 5  # problems that an error names


@dataclass(frozen=True)
class LabelLine:
    """One line of a table: where it is ("line 7"), the path it names, and its answer; None where the cell is empty."""

    place: str
    path: str
    answer: int | None


@dataclass(frozen=True)
class LabelTable:
    """The lines of a table that name an image, and the places ("line 7") of those with an answer and without a path."""

    lines: list[LabelLine]
    without_path: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """Which values mean yes, no and unsure, compared without regard to case.

    Where only the values for yes are named, every other value means no, and the other way round. An empty value is no
    answer.
    """

    yes: frozenset[str] | None = YES
    no: frozenset[str] | None = NO
    unsure: frozenset[str] = IN_DOUBT

    @classmethod
    def of(cls, positive: Iterable[str] = (), negative: Iterable[str] = (), unsure: Iterable[str] = ()) -> "Vocabulary":
        """Return the vocabulary of the values that are named, or the usual one if none is.

        Examples
        --------
        >>> words = Vocabulary.of(positive=["watercolor"])
        >>> words.answer("Watercolor"), words.answer("oil"), words.answer("unsure"), words.answer("")
        (1, 0, -1, None)
        """
        yes, no = _normalised(positive), _normalised(negative)
        doubt = _normalised(unsure) or IN_DOUBT
        if not yes and not no:
            return cls(unsure=doubt)
        twice = (yes & no) | (yes & doubt) | (no & doubt)
        if twice:
            raise ExchangeError(f"'{min(twice)}' has two meanings. Give each value one: yes, no or unsure.")
        return cls(yes or None, no or None, doubt)

    def answer(self, value: object) -> int | None:
        """Return the answer that a value means: 1 yes, 0 no, -1 unsure, None for an empty one.

        Raises
        ------
        ValueError
            The value means nothing.
        """
        word = comparable(value)
        if not word:
            return None
        if word in self.unsure:
            return UNSURE
        if self.yes is None or word in self.yes:
            return POSITIVE if self.no is None or word not in self.no else NEGATIVE
        if self.no is None or word in self.no:
            return NEGATIVE
        raise ValueError(str(value))


def read_labels(
    path: str | Path, *, column: str, path_column: str = "path", vocabulary: Vocabulary | None = None
) -> LabelTable:
    """Read a table of labels.

    Parameters
    ----------
    path
        A CSV in UTF-8 with a header, separated by commas, semicolons or tabs; or a Parquet file (``.parquet``).
    column
        The column of the answers.
    path_column
        The column of the images' paths.
    vocabulary
        Which values mean what; yes/no, true/false, 1/0, positive/negative and unsure by default.

    Raises
    ------
    ExchangeError
        The file cannot be read, a column is missing, a value means nothing, or a named value stands nowhere.
    """
    words = vocabulary or Vocabulary()
    cells, without_path = _cells(Path(path), path_column, column)
    _check_named(path, column, words, [value for _, _, value in cells])
    lines = []
    unknown: dict[str, list[str]] = {}
    for place, name, value in cells:
        try:
            lines.append(LabelLine(place, name, words.answer(value)))
        except ValueError:
            unknown.setdefault(str(value), []).append(place)
    if unknown:
        named = [f"'{value}' ({_listed(places, 1)})" for value, places in unknown.items()]
        raise ExchangeError(
            f"Column {column} of {path} has values that mean neither yes, no nor unsure: {_listed(named)}. "
            "Use these words, or say which values mean yes and which mean no."
        )
    return LabelTable(lines, without_path)


def _check_named(path: str | Path, column: str, words: Vocabulary, values: list[object]) -> None:
    """Refuse a vocabulary of which no value stands in the table: a slip would turn every label round."""
    there = {comparable(value): str(value) for value in values if comparable(value)}
    for named in (words.yes, words.no):
        if named is not None and named not in (YES, NO) and not named & there.keys():
            raise ExchangeError(
                f"No line of {path} has {column} = {' or '.join(sorted(named))}. Its values are: "
                f"{_listed(sorted(there.values()), 12)}."
            )


def _cells(path: Path, path_column: str, column: str) -> tuple[list[tuple[str, str, object]], tuple[str, ...]]:
    """Return the place, path and value of each line that names a path, and the places of the others with a value."""
    cells, without_path = [], []
    for place, record in read_records(path, (path_column, column)):
        name = "" if record[path_column] is None else from_cell(str(record[path_column])).strip()
        if name:
            cells.append((place, name, record[column]))
        elif comparable(record[column]):
            without_path.append(place)
    return cells, tuple(without_path)


def read_records(path: Path, columns: tuple[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place ("line 7") and the cells of each line of a CSV or Parquet file; a missing cell is None.

    Raises
    ------
    ExchangeError
        The file cannot be read, or has not all of ``columns``.
    """
    return (_parquet_records if path.suffix.lower() == ".parquet" else _csv_records)(path, columns)


def _csv_records(path: Path, columns: tuple[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    if path.suffix.lower() in _WORKBOOKS:
        raise ExchangeError(f"{path} is a spreadsheet. Save the sheet as CSV (UTF-8), and import that file.")
    try:
        lines = text_lines(path)
        header = next(lines, "")
        if separator := _SEPARATOR.fullmatch(header):
            header = separator[1]
        else:
            lines = itertools.chain([header], lines)
        reader = csv.DictReader(lines, delimiter=max(",;\t", key=header.count))
        reader.fieldnames = [(name or "").strip() for name in reader.fieldnames or ()]
        _check_columns(path, reader.fieldnames, columns)
        for record in reader:
            yield f"line {reader.line_num + (separator is not None)}", record
    except UnicodeDecodeError as error:
        raise ExchangeError(f"{path} is not UTF-8 text (byte {error.start:,}). Save it as UTF-8.") from error
    except (csv.Error, ValueError) as error:
        raise ExchangeError(f"{path} is not a valid CSV: {error}.") from error
    except OSError as error:
        raise ExchangeError(f"Cannot read {path}: {error.strerror or error}.") from error


def _parquet_records(path: Path, columns: tuple[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    import pandas as pd

    try:
        check_ordinary(path)
        table = pd.read_parquet(path)
    except (OSError, ValueError, ImportError) as error:
        raise ExchangeError(f"Cannot read {path} as Parquet: {error}.") from error
    _check_columns(path, [str(name) for name in table.columns], columns)
    table = table[list(dict.fromkeys(columns))].astype(object)
    for number, record in enumerate(table.where(table.notna(), None).to_dict("records"), start=1):
        yield f"row {number}", {str(name): value for name, value in record.items()}


def _check_columns(path: Path, there: Iterable[str], wanted: tuple[str, str]) -> None:
    names = list(there)
    for name in wanted:
        if name not in names:
            raise ExchangeError(f"{path} has no column '{name}'. Its columns are: {', '.join(names) or 'none'}.")


def _normalised(values: Iterable[str]) -> frozenset[str]:
    return frozenset(comparable(value) for value in values) - {""}


def comparable(value: object) -> str:
    """Return a cell as it is compared: text without case, whole numbers without a decimal point."""
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return from_cell(str(value)).strip().casefold()


def _listed(items: list[str], most: int = _LISTED) -> str:
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
