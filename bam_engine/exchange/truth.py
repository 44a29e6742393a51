"""A column of true labels, read from a table: a path and a value on each line.

In:  a CSV or Parquet file. Out: for each path whether the value is the positive one, and what was read with a second
thought: other spellings, and lines without a path. Knows no store.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bam_engine.errors import ExchangeError
from bam_engine.exchange.label_tables import comparable, read_records
from bam_engine.spreadsheets import from_cell


@dataclass(frozen=True)
class Truth:
    """The true labels of a table.

    Attributes
    ----------
    labels
        Path, as written, → whether it is positive.
    spellings
        How often each other spelling of the positive value stands in the column: values that differ by case or blanks
        alone count as the same.
    without_path
        The places ("line 7") of the lines with a value and without a path, which are left out.
    """

    labels: dict[str, bool]
    spellings: dict[str, int]
    without_path: tuple[str, ...]


def read_truth(path: Path, *, column: str, positive: str) -> Truth:
    """Read true labels: for each ``path`` of a table, whether ``column`` is ``positive``.

    Lines with an empty ``column`` are left out. If a path occurs more than once, its last line counts.

    Parameters
    ----------
    path
        A table as :func:`bam_engine.exchange.label_tables.read_labels` reads it.

    Raises
    ------
    ExchangeError
        The file cannot be read, has no column ``path`` or ``column``, or no line is ``positive``.
    """
    labels: dict[str, bool] = {}
    values: Counter[str] = Counter()
    without_path = []
    wanted = comparable(positive)
    for place, record in read_records(path, ("path", column)):
        value = "" if record[column] is None else str(record[column])
        if not comparable(record[column]):
            continue
        values[value] += 1
        name = from_cell(str(record["path"] or "")).strip()
        if name:
            labels[name] = comparable(record[column]) == wanted
        else:
            without_path.append(place)
    if not any(comparable(value) == wanted for value in values):
        listed = ", ".join(sorted(values)[:12])
        raise ExchangeError(f"No row of {path} has {column} = {positive!r}. Its values are: {listed}.")
    spellings = {value: times for value, times in values.items() if comparable(value) == wanted and value != positive}
    return Truth(labels, spellings, tuple(without_path))
