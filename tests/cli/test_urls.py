"""``bam urls``: lists of URLs on the command line."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from bam_engine.cli import main
from bam_engine.collection import Catalogue
from bam_engine.database import open_database
from tests.download.conftest import picture
from tests.download.server import ADDRESS, Web, answer, web_server


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Web]:
    """A server with two pictures and a list of three URLs, and an empty workspace of the command line."""
    monkeypatch.setenv("BAM_PRIVATE_NETWORKS", f"{ADDRESS}/32")
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    with web_server() as running:
        for n in range(2):
            running.put(f"/{n}.png", answer(picture(n)))
        lines = [f"{running.url(f'/{n}.png', ADDRESS)},picture {n},{n}" for n in range(3)]
        (tmp_path / "art.csv").write_text("\n".join(["link,caption,size", *lines]) + "\n")
        yield running


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["urls", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_a_list_is_previewed_downloaded_tried_again_and_exported(
    web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "preview", tmp_path / "art.csv")
    assert code == 0
    assert out.splitlines()[:4] == ["CSV, 3 lines", "  url      link", "  title    caption", "  not used: size"]
    assert web.asked == []
    assert run(capsys, "status")[1] == "no list of URLs was begun; `bam urls download LIST` begins one\n"

    code, out, _ = run(capsys, "download", tmp_path / "art.csv")
    assert (code, out.splitlines()) == (
        0,
        [
            "2 pictures added, 1 URL failed",
            "art: 3 URLs; 2 in the collection, 1 failed",
            "         1  not found (404): not there (404, 410)",
        ],
    )
    engine = open_database(f"sqlite:///{tmp_path / 'workspace' / 'bam.sqlite'}")
    assert sorted(image.title or "" for image in Catalogue(engine).images(range(2))) == ["picture 0", "picture 1"]
    engine.dispose()

    web.put("/2.png", answer(picture(2)))
    code, out, _ = run(capsys, "retry", "art", "--error", "not found")
    assert out.splitlines() == ["1 picture added, 0 URLs failed", "art: 3 URLs; 3 in the collection, 0 failed"]
    assert run(capsys, "status", "art")[1] == "art: 3 URLs; 3 in the collection, 0 failed\n"
    code, out, _ = run(capsys, "export", "art", "--to", tmp_path / "out" / "status.csv")
    assert code == 0
    with (tmp_path / "out" / "status.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["state"], line["code"], line["width"]) for line in lines] == [("added", "200", "40")] * 3


def test_what_is_named_is_kept_for_the_next_time(web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "download", tmp_path / "art.csv", "--shorter-side", 16, "--contact", "ann@lab.example")
    run(capsys, "download", tmp_path / "art.csv", "--per-host", 2)
    web.put("/2.png", answer(picture(2)))
    run(capsys, "retry", "art")
    assert web.headers[-1]["user-agent"].endswith("(+ann@lab.example)")
    copies = list((tmp_path / "workspace" / "downloads" / "art" / "images").rglob("*.jpg"))
    assert len(copies) == 3


def test_the_host_of_a_list_is_gone_and_another_is_asked(
    web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rule is shown by a preview, given when the failed URLs are tried again, and kept; URLs stay as they are."""
    gone = "gone.invalid"
    file = tmp_path / "art.csv"
    file.write_text(file.read_text().replace(ADDRESS, gone))
    rule = f"{gone}={ADDRESS}"
    _, out, _ = run(capsys, "preview", file, "--rewrite-host", rule)
    assert out.splitlines()[4:6] == [
        f"       2  {web.url('/0.png', gone)}",
        f"          from {web.url('/0.png', ADDRESS)}",
    ]
    assert run(capsys, "download", file, "--rewrite-host", "other.invalid=x.invalid")[1].startswith("0 pictures added")
    _, out, _ = run(capsys, "retry", "art", "--rewrite-host", rule)
    assert out.startswith("2 pictures added, 1 URL failed")
    web.put("/2.png", answer(picture(2)))
    assert run(capsys, "retry", "art")[1].startswith("1 picture added, 0 URLs failed")
    engine = open_database(f"sqlite:///{tmp_path / 'workspace' / 'bam.sqlite'}")
    assert {image.url for image in Catalogue(engine).images(range(3))} == {web.url(f"/{n}.png", gone) for n in range(3)}
    engine.dispose()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["download", "{folder}/missing.csv"], "No such file"),
        (["download", "{folder}/art.csv", "--url", "place"], "no column 'place'"),
        (["download", "{folder}/art.csv", "--contact", "a\r\nX: y"], "cannot be sent"),
        (["download", "{folder}/art.csv", "--rewrite-host", "old.example"], "Write OLD=NEW"),
        (["preview", "{folder}/art.csv", "--rewrite-host", "a b=c"], "no name of a host"),
        (["preview", "{folder}/art.exe"], "format of art.exe is not known"),
        (["retry", "art"], "no list of URLs called 'art'"),
        (["retry", "../art"], "no list of URLs called"),
        (["export", "art", "--to", "{folder}/x.csv"], "no list of URLs called 'art'"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    code, _, err = run(capsys, *(part.format(folder=tmp_path) for part in arguments))
    assert (code, words in err, web.asked) == (1, True, []), err
    assert not (tmp_path / "x.csv").exists()
