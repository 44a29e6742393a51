"""A CSV file starts no formula in a spreadsheet, and nothing is lost on the way back."""

import ast
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bam_engine.spreadsheets import as_cell, from_cell, write_lines
from tests.test_private_names import ROOT

STARTS = tuple("=+-@＝＋－＠\t\r\n")
texts = st.text() | st.builds("".join, st.lists(st.sampled_from(["'", " ", "a", "1", *STARTS]), max_size=5))


@given(texts)
def test_a_text_comes_back_and_never_starts_a_formula(text: str) -> None:
    cell = as_cell(text)
    assert from_cell(str(cell)) == text
    assert not str(cell).startswith(STARTS)
    assert not str(cell).strip().startswith(STARTS)


@given(st.lists(st.lists(texts | st.integers() | st.floats(allow_nan=False), min_size=2, max_size=3)))
def test_lines_are_written_as_csv_and_numbers_stay_numbers(lines: list[list[object]]) -> None:
    for raw_text in (False, True):
        file = io.StringIO(newline="")
        write_lines(file, lines, raw_text=raw_text)
        read = list(csv.reader(io.StringIO(file.getvalue(), newline="")))
        assert [[cell if raw_text else from_cell(cell) for cell in line] for line in read] == [
            [str(value) for value in line] for line in lines
        ]


def test_numbers_stay_as_they_are() -> None:
    assert [as_cell(value) for value in (-1, -0.5, None, True)] == [-1, -0.5, None, True]


@pytest.mark.parametrize("folder", ["bam_engine", "web", "pages"])
def test_every_csv_file_for_people_is_written_by_one_function(folder: str) -> None:
    writers = [
        str(file.relative_to(ROOT))
        for file in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("csv.writer", "csv.DictWriter")
    ]
    own = ["bam_engine/demo/art/writing.py", "bam_engine/spreadsheets.py"]  # the demo's own words, read by itself alone
    assert set(writers) <= set(own)
