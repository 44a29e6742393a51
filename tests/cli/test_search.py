"""``bam search`` finds what the gallery finds, in its order, and says what it has searched."""

import json
from pathlib import Path

import pytest

from bam_engine.cli import main
from bam_engine.collection import NewImage
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection


@pytest.fixture
def named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The small pictures and four with titles of their own, as the workspace of the command line."""
    titles = ["Beach, with dogs", "A dog on the beach", "Doghouse", "Пляж"]
    workspace.catalogue.add([NewImage(f"/{n}.jpg", 9, 9, f"n{n}", title=title) for n, title in enumerate(titles)])
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    return workspace


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["search", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_the_images_are_those_of_the_gallery_in_its_order(named: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("dog", "dog beach", '"the beach"', "apple", "пляж", "nowhere"):
        code, out, _ = run(capsys, text, "--limit", 500, "--json")
        found, listing = json.loads(out), list_images(named, Query(words=text, sort="found"))
        assert code == 0
        assert [image["row"] for image in found["images"]] == listing.rows.tolist()
        assert (found["text"], found["by"], found["matches"]) == (text, "words", len(listing))
        assert found["searched"] == "titles, project names and file names of 124 images"


def test_the_text_says_how_many_there_are_and_what_was_searched(
    named: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "dog", "--limit", 2)
    assert (code, out.splitlines()) == (
        0,
        [
            "3 images found, the first 2 listed; searched titles, project names and file names of 124 images",
            "  /1.jpg: A dog on the beach",
            "  /0.jpg: Beach, with dogs",
        ],
    )
    code, out, _ = run(capsys, "beach", "dog")
    assert out.startswith("2 images found; searched titles")
    code, out, _ = run(capsys, "nowhere")
    assert (code, out) == (0, "0 images found; searched titles, project names and file names of 124 images\n")


def test_an_encoder_that_reads_text_searches_by_meaning(
    named: Workspace, clip_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named.choose_encoder("openclip:small-test", clip_checkpoint)
    embed_collection(named)
    listing = list_images(named, Query(text="a dog", sort="found"))
    found = json.loads(run(capsys, "a dog", "--limit", 5, "--json")[1])
    assert [image["row"] for image in found["images"]] == listing.rows[:5].tolist()
    similarities = [image["similarity"] for image in found["images"]]
    assert similarities == sorted(similarities, reverse=True)
    first, *lines = run(capsys, "a dog", "--limit", 5)[1].splitlines()
    assert first == "the best 5; searched 120 images by meaning, with OpenCLIP small-test, small.pt"
    assert len(lines) == 5
    assert json.loads(run(capsys, "dog", "--by", "words", "--json")[1])["matches"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([""], "The search text is empty. Give a word to look for."),
        (["?!"], "“?!” has no word to look for. Type letters or digits."),
        (["dog " * 300], "The search text has 1,200 characters; the limit is 1,000. Shorten it."),
        (["dog", "--by", "meaning"], "embeds images only. Choose an OpenCLIP encoder to search by text."),
    ],
)
def test_a_search_for_nothing_fails_with_the_reason(
    named: Workspace, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (1, "")
    assert message in err.splitlines()[-1]


def test_an_empty_workspace_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "w"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "c"))
    code, _, err = run(capsys, "dog")
    assert (code, err.splitlines()[-1]) == (1, "error: There are no images to search. Add a folder of images first.")
