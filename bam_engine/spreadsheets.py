"""CSV that a spreadsheet shows as it is: no text starts a formula.

In:  lines of values, or the text of a cell. Out: CSV, in which an apostrophe precedes each text that a spreadsheet
would take for a formula, such as a title ``=HYPERLINK(…)``. Reading takes the apostrophe away again, so that nothing is
lost between a file that is written here and read here.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

_FORMULA = re.compile(r"'*(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")


class _Stream(Protocol):
    def write(self, text: str, /) -> object: ...


def write_lines(stream: _Stream, lines: Iterable[Sequence[object]], *, raw_text: bool = False) -> None:
    """Write lines of values as CSV.

    Parameters
    ----------
    raw_text
        Write texts unchanged, for programs that are no spreadsheets.
    """
    writer = csv.writer(stream)
    writer.writerows(lines if raw_text else ([as_cell(value) for value in line] for line in lines))


def as_cell(value: object) -> object:
    """Return a value as it is written; numbers stay numbers.

    Examples
    --------
    >>> as_cell("=1+1"), as_cell("plain"), as_cell(-0.5)
    ("'=1+1", 'plain', -0.5)
    """
    return "'" + value if isinstance(value, str) and _FORMULA.match(value) else value


def from_cell(text: str) -> str:
    """Return the text that :func:`as_cell` wrote.

    Examples
    --------
    >>> from_cell("'=1+1"), from_cell("'tis"), from_cell("plain")
    ('=1+1', "'tis", 'plain')
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text, 1) else text
