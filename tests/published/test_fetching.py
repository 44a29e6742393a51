"""Images of BAM's file that a query finds become images of the collection, with the votes of the file's workers."""

from pathlib import Path

import pytest

from bam_engine.cli import main
from bam_engine.errors import CollectionError
from bam_engine.published import Query, find, make_arrays
from bam_engine.published.fetching import MOST, download_found
from bam_engine.workspace import Workspace
from tests.download.conftest import picture, web  # noqa: F401 - a fixture
from tests.download.server import ADDRESS, Web, answer
from tests.published.conftest import CAT, WriteFile


def written(web: Web, write_bam: WriteFile) -> Path:  # noqa: F811
    """Return the small file with pictures 10 and 20 at the server; 30 is gone."""
    for mid in (10, 20):
        web.put(f"/{mid}.png", answer(picture(mid)))
    urls = {mid: f"http://{ADDRESS}:{web.port}/{mid}.png" for mid in (10, 20, 30)}
    return write_bam(modules=[(mid, mid, url, 0, "CC0") for mid, url in urls.items()] + [(40, 3, None, 0, "")])


def test_the_first_images_are_added_with_what_the_crowd_said_and_then_the_next(
    empty_workspace: Workspace,
    web: Web,  # noqa: F811
    write_bam: WriteFile,
) -> None:
    arrays = make_arrays(empty_workspace, written(web, write_bam))
    found = find(empty_workspace, arrays, Query(yes=(CAT,)))
    first = download_found(empty_workspace, arrays, found, 1)
    assert (first.downloaded.added, first.downloaded.failed) == (1, 0)
    assert web.paths() == ["/10.png"]
    assert first.answers is not None
    assert (first.answers.answers.yes, first.answers.captions) == (2, 1)
    assert {"W1", "W2"} <= set(empty_workspace.annotators.names().values())
    others = download_found(empty_workspace, arrays, found, 10)
    assert others.downloaded.added == 1, "what is there is not downloaded again"
    assert web.paths()[:2] == ["/10.png", "/20.png"]
    assert len(empty_workspace.catalogue) == 2


def test_without_answers_of_the_crowd_the_pictures_are_added(
    empty_workspace: Workspace,
    web: Web,  # noqa: F811
    write_bam: WriteFile,
) -> None:
    url = web.put("/10.png", answer(picture(1))).replace("web.example", ADDRESS)
    file = write_bam(tables={"crowd_raw_hits": None}, modules=[(10, 1, url, 0, "")])
    arrays = make_arrays(empty_workspace, file)
    fetched = download_found(empty_workspace, arrays, find(empty_workspace, arrays, Query()))
    assert fetched.answers is None
    assert len(empty_workspace.catalogue) == 1
    with pytest.raises(CollectionError, match="nothing to download"):
        download_found(empty_workspace, arrays, find(empty_workspace, arrays, Query()))
    with pytest.raises(CollectionError, match="Choose from 1 to 10,000"):
        download_found(empty_workspace, arrays, find(empty_workspace, arrays, Query()), MOST + 1)


def test_the_command_says_how_many_it_downloads(
    web: Web,  # noqa: F811
    write_bam: WriteFile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    assert main(["ingest", "bam", str(written(web, write_bam))]) == 0
    capsys.readouterr()
    assert main(["bam-file", "download", "--attribute", CAT, "--count", "2"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("4 images found; downloading 2 of them at most\n2 pictures added, 0 URLs failed\n")
    assert "4 answers stored: 2 yes, 1 no, 1 unsure" in told
