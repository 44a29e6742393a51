"""Tables of labels are read as people write them; what cannot be read is named with its line."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bam_engine.errors import ExchangeError
from bam_engine.exchange.label_tables import Vocabulary, read_labels, read_records


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    file = folder / "labels.csv"
    file.write_bytes(text.encode(encoding))
    return file


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        *((word, 1) for word in ("yes", "Y", "TRUE", "t", "1", "1.0", "Positive", " yes ")),
        *((word, 0) for word in ("no", "N", "False", "f", "0", "negative")),
        ("Unsure", -1),
        ("", None),
        ("  ", None),
    ],
)
def test_the_usual_words_are_read_whatever_their_case(tmp_path: Path, written: str, answer: int | None) -> None:
    file = write(tmp_path, f"path,answer\na.png,{written}\n")
    assert [line.answer for line in read_labels(file, column="answer").lines] == [answer]


def test_values_of_python_and_numpy_are_answers() -> None:
    words = Vocabulary()
    values = [True, np.False_, 1, np.int64(0), 1.0, np.float32(0), np.nan, None, "unsure"]
    assert [words.answer(value) for value in values] == [1, 0, 1, 0, 1, 0, None, None, -1]


def test_minus_one_means_nothing_since_some_write_it_for_no_and_some_for_unsure(tmp_path: Path) -> None:
    file = write(tmp_path, "path,answer\na.png,1\nb.png,-1\n")
    with pytest.raises(ExchangeError, match=r"'-1' \(line 3\)"):
        read_labels(file, column="answer")
    words = Vocabulary.of(positive=["1"], negative=["-1"])
    assert [line.answer for line in read_labels(file, column="answer", vocabulary=words).lines] == [1, 0]


def test_one_named_value_makes_the_others_its_opposite(tmp_path: Path) -> None:
    file = write(tmp_path, "path,medium\na.png,Watercolor\nb.png,oil\nc.png,\nd.png,unsure\n")
    words = Vocabulary.of(positive=["watercolor"])
    assert [line.answer for line in read_labels(file, column="medium", vocabulary=words).lines] == [1, 0, None, -1]
    words = Vocabulary.of(negative=["oil"])
    assert [line.answer for line in read_labels(file, column="medium", vocabulary=words).lines] == [1, 0, None, -1]


def test_values_named_on_both_sides_leave_the_others_unread(tmp_path: Path) -> None:
    file = write(tmp_path, "path,medium\na.png,watercolor\nb.png,oil\nc.png,3d\n")
    words = Vocabulary.of(positive=["watercolor"], negative=["oil"])
    with pytest.raises(ExchangeError, match=r"Column medium of .* has values .*: '3d' \(line 4\)\."):
        read_labels(file, column="medium", vocabulary=words)
    with pytest.raises(ExchangeError, match="'oil' has two meanings"):
        Vocabulary.of(positive=["oil"], negative=["Oil"])


def test_a_named_value_that_stands_nowhere_is_a_slip(tmp_path: Path) -> None:
    file = write(tmp_path, "path,medium\na.png,watercolor\nb.png,oil\n")
    with pytest.raises(ExchangeError, match=r"No line .* medium = watercolour\. Its values are: oil, watercolor"):
        read_labels(file, column="medium", vocabulary=Vocabulary.of(positive=["watercolour"]))


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_a_byte_order_mark_are_read(tmp_path: Path, separator: str) -> None:
    file = write(tmp_path, f"\ufeffpath{separator}answer\na.png{separator}yes\n")
    assert [(line.path, line.answer) for line in read_labels(file, column="answer").lines] == [("a.png", 1)]


def test_the_path_may_have_another_column_and_answers_without_one_are_named(tmp_path: Path) -> None:
    file = write(tmp_path, "file,answer\na.png,yes\n,no\n ,\n ,yes\n")
    table = read_labels(file, column="answer", path_column="file")
    assert [(line.place, line.path) for line in table.lines] == [("line 2", "a.png")]
    assert table.without_path == ("line 3", "line 5")  # nothing is lost with line 4


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match=r"Cannot read .*none\.csv: No such file"):
        read_labels(tmp_path / "none.csv", column="answer")
    with pytest.raises(ExchangeError, match=r"has no column 'answer'\. Its columns are: path, label"):
        read_labels(write(tmp_path, "path,label\na.png,1\n"), column="answer")
    with pytest.raises(ExchangeError, match=r"has no column 'path'\. Its columns are: none"):
        read_labels(write(tmp_path, ""), column="answer")
    with pytest.raises(ExchangeError, match=r"is not UTF-8 text \(byte"):
        read_labels(write(tmp_path, "path,answer\nä.png,yes\n", "latin-1"), column="answer")
    (tmp_path / "labels.parquet").write_bytes(b"no parquet")
    with pytest.raises(ExchangeError, match="as Parquet"):
        read_labels(tmp_path / "labels.parquet", column="answer")


def test_unknown_values_are_named_with_their_first_line(tmp_path: Path) -> None:
    file = write(tmp_path, "path,answer\n" + "".join(f"{i}.png,maybe\n{i}.png,value {i}\n" for i in range(7)))
    with pytest.raises(ExchangeError, match=r"'maybe' \(line 2 and 6 more\), 'value 0' \(line 3\), .* and 3 more"):
        read_labels(file, column="answer")


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": ["a.png", "b.png", "c.png", None], "answer": [1.0, 0.0, None, 1.0]})
    table.to_parquet(tmp_path / "labels.parquet")
    lines = read_labels(tmp_path / "labels.parquet", column="answer").lines
    assert [(line.place, line.path, line.answer) for line in lines] == [
        ("row 1", "a.png", 1),
        ("row 2", "b.png", 0),
        ("row 3", "c.png", None),
    ]


def test_the_line_that_excel_puts_first_names_the_separator(tmp_path: Path) -> None:
    file = write(tmp_path, "\ufeffsep=;\r\npath;answer\r\na,b.png;yes\r\n")
    assert [(line.place, line.path, line.answer) for line in read_labels(file, column="answer").lines] == [
        ("line 3", "a,b.png", 1)
    ]


def test_a_spreadsheet_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "labels.xlsx").write_bytes(b"PK")
    with pytest.raises(ExchangeError, match=r"is a spreadsheet\. Save the sheet as CSV"):
        read_labels(tmp_path / "labels.xlsx", column="answer")


@pytest.mark.parametrize("name", ["labels.csv", "labels.parquet"])
def test_what_may_never_end_is_refused_unread(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(ExchangeError, match="not an ordinary file"):
        list(read_records(tmp_path / name, ("path", "label")))
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(ExchangeError, match="not an ordinary file"):
        list(read_records(tmp_path / name, ("path", "label")))
