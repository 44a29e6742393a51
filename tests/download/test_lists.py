"""Lists of URLs in every format, with lines of every kind of damage."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bam_engine.download.lists import Columns, Line, preview, read_list
from bam_engine.errors import CollectionError

URLS = ["https://a.example/1.jpg", "https://b.example/2.jpg"]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_every_format_gives_the_same_lines(tmp_path: Path) -> None:
    records = [
        {"url": URLS[0], "title": "One, two", "author": "ann", "license": "CC0", "nsfw": "no"},
        {"url": URLS[1], "title": "", "author": None, "license": "", "nsfw": "yes"},
    ]
    table = [list(records[0]), *([one[name] or "" for name in one] for one in records)]
    quoted = [[f'"{cell}"' if "," in cell else cell for cell in row] for row in table]
    files = [
        written(tmp_path, "a.csv", "\n".join(map(",".join, quoted))),
        written(tmp_path, "b.csv", "\ufeff" + "\r\n".join(map(";".join, table)) + "\r\n"),
        written(tmp_path, "c.tsv", "\n".join(map("\t".join, table)) + "\n"),
        written(tmp_path, "d.jsonl", "\n".join(map(json.dumps, records))),
        tmp_path / "e.parquet",
    ]
    pq.write_table(pa.Table.from_pylist(records), files[-1])
    for file in files:
        found = list(read_list(file))
        assert [(one.url, one.title, one.project, one.license, one.mature) for one in found] == [
            (URLS[0], "One, two", "ann", "CC0", False),
            (URLS[1], None, None, None, True),
        ], file.name


def test_a_text_is_one_url_a_line_without_empty_lines_and_comments(tmp_path: Path) -> None:
    file = written(tmp_path, "urls.txt", f"# mine\n{URLS[0]}\n\n  {URLS[1]}  \r\n")
    assert [(one.number, one.url) for one in read_list(file)] == [(2, URLS[0]), (4, URLS[1])]


def test_columns_are_chosen_by_name_in_any_case(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", f"URL,Link\nx,{URLS[0]}\n")
    assert [one.url for one in read_list(file)] == ["x"]
    assert [one.url for one in read_list(file, Columns(url="link"))] == [URLS[0]]
    with pytest.raises(CollectionError, match=r"no column 'place'.*'URL', 'Link'"):
        list(read_list(file, Columns(title="place")))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", f"{URLS[0]}\n{URLS[1]}\n", "first line of a.csv holds a URL"),
        ("a.csv", "place,words\n1,2\n", "No column of a.csv is named url.*'place', 'words'"),
        ("a.csv", "", "No column of a.csv"),
        ("a.jsonl", "", "No column of a.jsonl"),
        ("a.parquet", "PAR1 this is none", "a.parquet is not a Parquet file"),
        ("a.xlsx", "", "format of a.xlsx is not known.*csv"),
    ],
)
def test_a_file_that_is_no_list_is_explained(tmp_path: Path, name: str, content: str, words: str) -> None:
    with pytest.raises(CollectionError, match=words):
        list(read_list(written(tmp_path, name, content)))


def test_a_folder_and_nothing_are_explained(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(CollectionError, match="folder"):
        list(read_list(tmp_path / "folder.csv"))
    with pytest.raises(CollectionError, match="No such file"):
        list(read_list(tmp_path / "missing.csv"))


def test_a_quote_that_is_never_closed_hides_no_other_line(tmp_path: Path) -> None:
    lines = [f"https://a.example/{n}.jpg,fine" for n in range(300)]
    lines[3] = 'https://a.example/3.jpg,"never closed'
    lines[200] = 'https://a.example/200.jpg,12" wide'
    found = list(read_list(written(tmp_path, "a.csv", "url,title\n" + "\n".join(lines))))
    assert [one.url for one in found] == [f"https://a.example/{n}.jpg" for n in range(300)]
    assert [one.number for one in found] == list(range(2, 302))
    assert found[200].title == '12" wide'


def test_a_title_of_several_lines_is_one_record_with_the_number_of_its_first_line(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", f'url,title\n{URLS[0]},"one\n""two"""\n{URLS[1]},three\n')
    assert list(read_list(file)) == [Line(2, URLS[0], 'one\n"two"'), Line(4, URLS[1], "three")]


def test_garbage_lines_give_lines_without_a_url_or_with_a_wrong_one_and_nothing_is_lost(tmp_path: Path) -> None:
    content = b"\n".join(
        [
            b"url,title",
            URLS[0].encode(),
            b",no url",
            b"\xff\xfe\x00,bytes",
            b"x" * 300_000,
            b"",
            URLS[1].encode() + b",t,more",
        ]
    )
    found = list(read_list(written(tmp_path, "a.csv", content)))
    assert [found[0].url, found[-1].url] == URLS
    assert [one.number for one in found] == [2, 3, 4, 5, 7]
    assert found[1].url == ""
    assert "\ufffd" in found[2].url
    lines = ['{"url": "' + URLS[0] + '"}', "{", "[1]", '"text"', "[" * 100_000, '{"url": 3, "title": {"a": 1}}']
    found = list(read_list(written(tmp_path, "a.jsonl", "\n".join(lines))))
    assert [one.url for one in found] == [URLS[0], "", "", "", "", "3"]
    assert [bool(one.problem) for one in found] == [False, True, True, True, True, False]
    assert found[-1].title is None


def test_a_parquet_file_that_breaks_off_says_where(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"url": [f"https://a.example/{n}" for n in range(50_000)]}), file, use_dictionary=False)
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : -3_000] = b"\xff" * len(content[len(content) // 2 : -3_000])
    file.write_bytes(content)
    with pytest.raises(CollectionError, match=r"a.parquet is damaged after row [\d,]+"):
        list(read_list(file))


def test_a_preview_shows_columns_the_first_lines_and_how_many_there_are(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "src,caption,size\n" + "".join(f"https://a.example/{n},t,9\n" for n in range(40)))
    found = preview(file, count=3)
    assert (found.format, found.names, found.count) == ("CSV", ("src", "caption", "size"), 40)
    assert found.columns == Columns(url="src", title="caption")
    assert [one.url for one in found.lines] == [f"https://a.example/{n}" for n in range(3)]
    assert preview(written(tmp_path, "a.txt", "\n".join(URLS))).count == 2


def test_projects_are_cut_and_marks_that_say_neither_yes_nor_no_are_unknown(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", f"url,project,nsfw\n{URLS[0]},{'p' * 900},UNLIKELY\n{URLS[1]},,1\n")
    first, second = read_list(file)
    assert (len(first.project or ""), first.mature, second.mature) == (500, None, True)
