"""Lists of URLs on the Images page: looked at before anything is fetched, downloaded, and tried again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.collection import Details, ingest_files
from bam_engine.download import FOLDER, Settings, download_list, url_list
from bam_engine.workspace import Workspace
from bam_engine.workspace.downloads import stores_of
from tests.download.conftest import picture
from tests.download.server import ADDRESS, Web, answer, web_server
from tests.labelling.test_bam_answers import hit, write
from tests.pages.conftest import text_of
from web.ui import plain


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("BAM_PRIVATE_NETWORKS", f"{ADDRESS}/32")
    with web_server() as running:
        for number in range(2):
            running.put(f"/{number}", answer(picture(number)))
        yield running


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace(tmp_path / "workspace", tmp_path / "cache")
    yield opened
    opened.close()


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()


def finish(app: AppTest, job: str = "urls") -> None:
    """Wait for the download, or another job, and draw the page again."""
    from web.engine import workspace as opened

    while opened().jobs.is_running(job):
        app.run()
    app.run()


def table(app: AppTest, column: str) -> list[dict[str, object]]:
    (found,) = [frame.value for frame in app.dataframe if column in frame.value.columns]
    return found.to_dict("records")  # type: ignore[no-any-return]


def test_a_list_is_looked_at_downloaded_and_its_failures_are_tried_again(
    web: Web, empty: Workspace, open_page, tmp_path: Path
) -> None:
    file = tmp_path / "art.csv"
    lines = [f"{web.url(f'/{number}', ADDRESS)},picture {number}" for number in range(3)]
    file.write_text("\n".join(["url,words", *lines, "secret,secret"]) + "\n")
    app = open_page(empty, "images")
    app.text_input(key="url-list").input(str(file)).run()
    assert "CSV · 4 lines" in text_of(app)
    shown = table(app, "URL")
    assert [line["URL"] for line in shown] == [*(line.split(",")[0] for line in lines), "no URL of the web"]
    assert web.asked == [], "nothing is fetched before it is asked for"

    press(app, "Download and add")
    finish(app)
    assert [(line["URLs"], line["in the collection"], line["failed"]) for line in table(app, "to do")] == [(4, 2, 2)]
    assert {line["HTTP status"] for line in table(app, "HTTP status") if line["URLs"] == 1} >= {404}

    web.put("/2", answer(picture(2)))
    app.multiselect(key="retry-art").select("not found").run()
    press(app, "Try these again")
    finish(app)
    assert [(line["in the collection"], line["failed"]) for line in table(app, "to do")] == [(3, 1)]
    assert len(empty.catalogue) == 3


def test_a_list_outside_of_the_folders_that_are_allowed_is_not_read(
    empty: Workspace, open_page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "allowed").mkdir()
    (tmp_path / "art.csv").write_text("url\nhttps://example.org/1.jpg\n")
    monkeypatch.setenv("BAM_IMAGE_FOLDERS", str(tmp_path / "allowed"))
    app = open_page(empty, "images")
    app.text_input(key="url-list").input(str(tmp_path / "art.csv")).run()
    assert "this server reads images below" in text_of(app)
    assert "example.org" not in text_of(app)


def test_where_no_column_is_called_url_one_is_chosen(empty: Workspace, open_page, tmp_path: Path) -> None:
    (tmp_path / "art.csv").write_text("place,words\nhttps://example.org/1.jpg,one\n")
    app = open_page(empty, "images")
    app.text_input(key="url-list").input(str(tmp_path / "art.csv")).run()
    assert "Choose the column that holds the URLs." in text_of(app)
    next(box for box in app.selectbox if box.label == "URLs").select("place").run()
    assert [line["URL"] for line in table(app, "URL")] == ["https://example.org/1.jpg"]


def test_a_list_is_uploaded_and_stored_in_the_workspace(web: Web, empty: Workspace, open_page) -> None:
    content = f"{web.url('/0', ADDRESS)}\n{web.url('/1', ADDRESS)}\n".encode()
    app = open_page(empty, "images")
    app.file_uploader(key="url-list-upload").upload("../my list.txt", content, "text/plain").run()
    assert "text · 2 lines" in text_of(app)
    press(app, "Download and add")
    finish(app)
    assert [line["list"] for line in table(app, "to do")] == ["my-list"]
    assert {path.name for path in (empty.folder / "downloads").rglob("*.txt")} == {"my-list.txt"}
    assert len(empty.catalogue) == 2


def test_an_image_shows_the_url_that_it_came_from_and_never_as_markup(
    empty: Workspace, open_page, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(picture(1))
    url = 'https://example.org/a.png?"><script>'
    ingest_files(
        empty.catalogue, empty.thumbnails, {str(tmp_path / "a.png"): Details(title="A", url=url)}, folder=tmp_path
    )
    app = open_page(empty, "image", row="0")
    (facts,) = [one.body for one in app.get("html") if 'bam-facts">' in one.body and "<dt>file</dt>" in one.body]
    assert 'href="https://example.org/a.png?&quot;&gt;&lt;script&gt;"' in facts
    assert "<script>" not in facts


def test_a_list_that_was_begun_keeps_the_settings_that_the_page_does_not_ask_for(
    web: Web, empty: Workspace, open_page, tmp_path: Path
) -> None:
    file = tmp_path / "art.csv"
    file.write_text(f"url\n{web.url('/0', 'gone.example')}\n")
    begun = Settings(contact="ann@lab.example", per_host=2, shorter_side=20, hosts={"gone.example": ADDRESS})
    download_list(stores_of(empty), file, settings=begun)
    file.write_text(f"url\n{web.url('/0', 'gone.example')}\n{web.url('/1', 'gone.example')}\n")
    app = open_page(empty, "images")
    app.text_input(key="url-list").input(str(file)).run()
    press(app, "Download and add")
    finish(app)
    assert [(line["in the collection"], line["failed"]) for line in table(app, "to do")] == [(2, 0)]
    assert url_list(empty.folder / FOLDER, "art").settings == begun


def test_the_answers_of_bams_file_are_imported_once_its_pictures_are_here(
    web: Web, empty: Workspace, open_page, tmp_path: Path
) -> None:
    """What was left out is told, and text of the file is shown as text."""
    file = write(
        tmp_path / "bam.sqlite",
        modules=[(1, 1, web.url("/0", ADDRESS), 0, "CC"), (2, 1, web.url("/gone", ADDRESS), 0, "CC")],
        crowd_raw_hits=[hit("a", "W1")],
        crowd_raw_choices=[
            ("a", 1, "content_cat", 1),
            ("a", 2, "content_cat", 1),
            ("a", 1, "content_cat", "<b>*maybe*</b>"),
        ],
        crowd_raw_captions=[("a", 1, "content_cat", "A red pear", 1)],
    )
    app = open_page(empty, "images")
    app.text_input(key="url-list").input(str(file)).run()
    assert "BAM's SQLite" in text_of(app)
    press(app, "Download and add")
    finish(app)
    press(app, "Import answers and captions")
    finish(app, "bam-answers")
    words = text_of(app)
    for line in (
        "1 answer stored: 1 yes, 0 no, 0 unsure; 1 caption stored",
        "1 attribute added: content_cat",
        "1 image with answers or captions is not in the collection",
    ):
        assert plain(line) in words
    assert "<b>*maybe" not in words
    assert [one.text for one in empty.captions.of(0)] == ["A red pear"]
    assert not app.exception
