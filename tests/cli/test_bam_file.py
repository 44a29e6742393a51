"""``bam ingest bam`` reads BAM's file and tells what is in it; ``bam bam-file`` finds images and writes them."""

import csv
import json
from pathlib import Path

import pytest

from bam_engine.api.collection import Collection
from bam_engine.cli import main
from bam_engine.download.lists import read_list
from bam_engine.published import Query
from tests.published.conftest import CAT, INK, WriteFile, write_bam  # noqa: F401 - a fixture


@pytest.fixture
def file(
    write_bam: WriteFile,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The small file, and an empty workspace beside it."""
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    return write_bam()


def test_the_file_is_read_and_its_contents_are_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", "bam", str(file)]) == 0
    told = capsys.readouterr().out
    assert f"{file}: 4 images of 3 projects, 1 flagged as mature" in told
    assert "3 crowd labels from 5 choices in 3 assignments of 2 workers" in told
    assert "3 captions" in told
    assert "1 image without a URL" in told
    assert main(["bam-file", "contents"]) == 0
    assert capsys.readouterr().out == told.partition("next: ")[0]
    assert main(["bam-file", "forget"]) == 0
    assert capsys.readouterr().out == f"{file} is not browsed any more; the file stays\n"
    assert main(["bam-file", "find"]) == 1
    assert "No file of BAM's is named. Name one: `bam ingest bam FILE`." in capsys.readouterr().err
    assert file.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ingest", "bam"], "name it: `bam ingest bam FILE`"),
        (["ingest", "bam", "FILE", "--verify"], "BAM's file adds none"),
    ],
)
def test_what_is_missing_or_too_much_is_told(
    file: Path,
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(file) if word == "FILE" else word for word in arguments]) == 1
    assert words in capsys.readouterr().err


def test_a_terminal_is_not_told_what_a_stranger_wrote(
    write_bam: WriteFile,  # noqa: F811
    file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = write_bam("bad.sqlite", modules=[(10, 1, "https://x.example/\x1b[2J", 0, "")])
    assert main(["ingest", "bam", str(bad)]) == 0
    assert main(["bam-file", "find"]) == 0
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\\x1b[2J" in told


def test_two_folders_are_not_taken_for_a_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", "pictures", str(file)]) == 1
    assert f"`bam ingest bam {file}`" in capsys.readouterr().err


def test_a_query_is_printed_and_written(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", "bam", str(file)]) == 0
    capsys.readouterr()
    assert main(["bam-file", "find", "--attribute", INK, "--count", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "3 images of 4 found, the first 2 listed",
        "  1 left out: no score",
        "          30  place 66.7%  https://images.example/30.jpg",
        "          20  place 33.3%  https://images.example/20.jpg",
    ]
    target = tmp_path / "cats.csv"
    assert main(["bam-file", "find", "--crowd", CAT, "--words", "old", "--to", str(target)]) == 0
    with target.open(newline="") as written:
        (line,) = csv.DictReader(written)
    assert (line["mid"], line[f"{CAT}_place"], line[f"{CAT}_automatic"]) == ("10", "0.75", "positive")
    (listed,) = read_list(target)
    assert (listed.url, listed.project, listed.license) == ("https://images.example/10.jpg", "1", "CC BY")
    as_json = tmp_path / "cats.json"
    assert main(["bam-file", "find", "--attribute", CAT, "--by", "automatic", "--to", str(as_json)]) == 0
    assert [one["mid"] for one in json.loads(as_json.read_text())] == [10]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--attribute", "content_dog"], "has no scores of 'content_dog'"),
        (["--attribute", CAT, "--without", CAT], "with and without content_cat"),
        (["--to", "cats.xlsx"], "ends in .csv or .json"),
        (["--to", "bam.sqlite"], "ends in .csv or .json"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    file: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ingest", "bam", str(file)]) == 0
    capsys.readouterr()
    assert main(["bam-file", "find", *options]) == 1
    assert words in capsys.readouterr().err


def test_python_reads_the_same(file: Path, tmp_path: Path) -> None:
    with Collection(tmp_path / "workspace", tmp_path / "cache") as bam:
        assert bam.read_bam_file(file).choices == 5
        found = bam.find_in_bam_file(Query(yes=(CAT,)), count=2, attributes=[INK])
        assert found.index.tolist() == [10, 20]
        assert found.attrs["matches"] == 4
        assert found[f"{CAT}_place"].tolist() == [0.75, 0.5]
        assert found[f"{INK}_automatic"].tolist() == ["negative", "negative"]
        assert len(bam.find_in_bam_file()) == 4
        empty = bam.find_in_bam_file(Query(words="nothing"))
        assert (len(empty), empty.columns.tolist()) == (0, ["url", "project", "license", "mature"])


def test_pictures_are_switched_on_and_off_and_the_hosts_are_told(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ingest", "bam", str(file)]) == 0
    capsys.readouterr()
    assert main(["bam-file", "pictures"]) == 0
    told = capsys.readouterr().out
    assert told == "pictures are not fetched from their URLs\n           3  images.example\n"
    rule = ["--rewrite-host", "images.example=mirror.example"]
    assert main(["bam-file", "pictures", "on", *rule]) == 0
    told = capsys.readouterr().out
    assert told == "pictures are fetched from their URLs\n           3  images.example, asked at mirror.example\n"
    assert main(["bam-file", "pictures", "off", *rule]) == 1
    assert "belong to `bam bam-file pictures on`" in capsys.readouterr().err
    assert main(["bam-file", "pictures", "off"]) == 0
    assert capsys.readouterr().out == "pictures are not fetched from their URLs\n"
